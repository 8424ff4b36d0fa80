"""Shape, dtype, selection and generation, under JAX's names in `jax.lax`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..core.trace import aval_of
from ..errors import ArgumentError, ShapeError
from ..numpy import promotion
from ..ops import slicing, structural
from .operands import (
    agree,
    axis_of,
    canonical_shape,
    cast,
    ints,
    like,
    operand,
    static_int,
    user_dtype,
)

__all__ = [
    "broadcast",
    "broadcast_in_dim",
    "broadcast_shapes",
    "broadcast_to_rank",
    "broadcasted_iota",
    "collapse",
    "concatenate",
    "convert_element_type",
    "dtype",
    "empty",
    "expand_dims",
    "full",
    "full_like",
    "iota",
    "pad",
    "reshape",
    "rev",
    "select",
    "select_n",
    "split",
    "squeeze",
    "stack",
    "tile",
    "transpose",
    "unstack",
]


def broadcast_shapes(*shapes: Sequence[int]) -> tuple[int, ...]:
    """The shape that shapes broadcast to under NumPy's rules.

    Raises:
        ShapeError: two lengths differ and neither is 1.

    >>> broadcast_shapes((2, 1), (3,))
    (2, 3)
    """
    return promotion.broadcast_shapes(*shapes)


def broadcast(operand: Any, sizes: Sequence[int]) -> Any:
    """The array repeated along new leading dimensions of those sizes.

    >>> broadcast(1.0, (2,))
    Array([1., 1.], dtype=float32, weak_type=True)
    """
    shape = aval_of(operand).shape
    new = canonical_shape(sizes)
    kept = range(len(new), len(new) + len(shape))
    return broadcast_in_dim(operand, (*new, *shape), tuple(kept))


def broadcast_in_dim(
    operand: Any, shape: Sequence[int], broadcast_dimensions: Sequence[int]
) -> Any:
    """The array stretched to `shape`, its dimension `k` being `broadcast_dimensions[k]` there.

    Raises:
        ShapeError: a size is neither 1 nor that of its dimension in `shape`.

    >>> broadcast_in_dim(iota("int32", 2), (2, 3), (0,))
    Array([[0, 0, 0],
           [1, 1, 1]], dtype=int32)
    """
    return structural.broadcast_in_dim(
        promotion.operand(operand),
        shape=canonical_shape(shape),
        broadcast_dimensions=ints(broadcast_dimensions, "dimensions"),
    )


def broadcast_to_rank(x: Any, rank: int) -> Any:
    """The array with leading dimensions of size 1 added until it has `rank`.

    >>> broadcast_to_rank(iota("int32", 2), 2).shape
    (1, 2)
    """
    return expand_dims(x, range(rank - aval_of(x).ndim))


def reshape(
    operand: Any, new_sizes: Sequence[int] | int, dimensions: Sequence[int] | None = None
) -> Any:
    """The array's elements, in C order, in another shape; one size may be -1.

    Args:
        operand: the array.
        new_sizes: the shape.
        dimensions: a permutation to transpose by first.

    Raises:
        ShapeError: the shapes have different numbers of elements.

    >>> reshape(iota("int32", 6), (2, -1))
    Array([[0, 1, 2],
           [3, 4, 5]], dtype=int32)
    """
    x = promotion.operand(operand)
    if dimensions is not None:
        x = transpose(x, dimensions)
    sizes = list(ints(new_sizes, "sizes"))
    if sizes.count(-1) == 1:
        rest = -math.prod(sizes)
        sizes[sizes.index(-1)] = aval_of(x).size // rest if rest else 0
    if any(n < 0 for n in sizes):
        raise ShapeError(
            "expected sizes that are not negative, of which one may be -1", str(new_sizes)
        )
    if aval_of(x).shape == tuple(sizes):
        return x
    return structural.reshape(x, new_sizes=tuple(sizes))


def transpose(operand: Any, permutation: Sequence[int]) -> Any:
    """The array with its dimensions in another order.

    >>> transpose(broadcasted_iota("int32", (2, 3), 1), (1, 0)).shape
    (3, 2)
    """
    order = ints(permutation, "dimensions")
    return structural.transpose(promotion.operand(operand), permutation=order)


def squeeze(array: Any, dimensions: Sequence[int]) -> Any:
    """The array without some dimensions of size 1.

    >>> squeeze(full((1, 3), 0.0), (0,)).shape
    (3,)
    """
    x = operand(array)
    return structural.squeeze(x, dimensions=tuple(sorted(axis_of(x, d) for d in dimensions)))


def expand_dims(array: Any, dimensions: Sequence[int]) -> Any:
    """The array with dimensions of size 1 at those places of the result.

    >>> expand_dims(iota("int32", 3), (0, 2)).shape
    (1, 3, 1)
    """
    x = operand(array)
    aval = aval_of(x)
    new = ints(dimensions, "dimensions")
    rank = aval.ndim + len(new)
    places = {promotion.canonical_axis(d, rank) for d in new}
    if len(places) != len(new):
        raise ArgumentError("expected dimensions that differ", str(tuple(dimensions)))
    if not new:
        return x
    sizes = iter(aval.shape)
    shape = tuple(1 if d in places else next(sizes) for d in range(rank))
    return structural.reshape(x, new_sizes=shape)


def collapse(operand: Any, start_dimension: int, stop_dimension: int | None = None) -> Any:
    """The array with the dimensions from start to stop made one.

    >>> collapse(full((2, 3, 4), 0.0), 1).shape
    (2, 12)
    """
    shape = aval_of(operand).shape
    start, stop, _ = slice(start_dimension, stop_dimension).indices(len(shape))
    if start >= stop:
        raise ArgumentError(
            f"expected at least one dimension of {shape} to collapse",
            f"start_dimension={start_dimension}, stop_dimension={stop_dimension}",
        )
    return reshape(operand, (*shape[:start], math.prod(shape[start:stop]), *shape[stop:]))


def rev(operand: Any, dimensions: Sequence[int]) -> Any:
    """The array backwards along the dimensions.

    >>> rev(iota("int32", 3), (0,))
    Array([2, 1, 0], dtype=int32)
    """
    x = promotion.operand(operand)
    return structural.rev(x, dimensions=tuple(axis_of(x, d) for d in dimensions))


def concatenate(operands: Sequence[Any], dimension: int) -> Any:
    """Arrays that agree in dtype and in the other dimensions, joined along a dimension.

    >>> concatenate([iota("int32", 2), iota("int32", 3)], 0)
    Array([0, 1, 0, 1, 2], dtype=int32)
    """
    xs = [operand(x) for x in operands]
    if not xs:
        raise ArgumentError("expected at least one array to concatenate", "none")
    return slicing.concatenate(*xs, dimension=axis_of(xs[0], dimension))


def stack(operands: Sequence[Any], axis: int = 0) -> Any:
    """Arrays of equal shapes and dtypes along a new dimension.

    >>> stack([iota("int32", 2), iota("int32", 2)]).shape
    (2, 2)
    """
    return concatenate([expand_dims(x, (axis,)) for x in operands], axis)


def unstack(x: Any, axis: int = 0) -> tuple[Any, ...]:
    """The parts of an array along a dimension, without it.

    >>> unstack(iota("int32", 2))
    (Array(0, dtype=int32), Array(1, dtype=int32))
    """
    at = axis_of(x, axis)
    parts = split(x, (1,) * aval_of(x).shape[at], at)
    return tuple(squeeze(part, (at,)) for part in parts)


def split(operand: Any, sizes: Sequence[int], axis: int = 0) -> list[Any]:
    """Parts of an array along a dimension, of sizes that add up to its own.

    >>> split(iota("int32", 3), (1, 2))
    [Array([0], dtype=int32), Array([1, 2], dtype=int32)]
    """
    x = promotion.operand(operand)
    shape = aval_of(x).shape
    at = axis_of(x, axis)
    lengths = ints(sizes, "sizes")
    if sum(lengths) != shape[at] or any(n < 0 for n in lengths):
        raise ShapeError(f"expected sizes that add up to {shape[at]}", str(lengths))
    parts = []
    start = 0
    for n in lengths:
        low = [0] * len(shape)
        high = list(shape)
        low[at], high[at] = start, start + n
        parts.append(
            slicing.slice_(x, start_indices=tuple(low), limit_indices=tuple(high), strides=None)
        )
        start += n
    return parts


def tile(operand: Any, reps: Sequence[int]) -> Any:
    """The array repeated along each dimension.

    >>> tile(iota("int32", 2), (2,))
    Array([0, 1, 0, 1], dtype=int32)
    """
    x = promotion.operand(operand)
    shape = aval_of(x).shape
    counts = ints(reps, "repetitions")
    if len(counts) != len(shape):
        raise ArgumentError(f"expected {len(shape)} repetitions", str(counts))
    pairs = tuple(n for pair in zip(counts, shape, strict=True) for n in pair)
    kept = tuple(range(1, len(pairs), 2))
    spread = structural.broadcast_in_dim(x, shape=pairs, broadcast_dimensions=kept)
    return reshape(spread, [c * n for c, n in zip(counts, shape, strict=True)])


def pad(operand: Any, padding_value: Any, padding_config: Sequence[tuple[int, int, int]]) -> Any:
    """The array with a value around and between its elements.

    Args:
        operand: the array.
        padding_value: a number, or an array of shape () and the array's dtype.
        padding_config: for each dimension how many to add in front, behind, and between neighbours;
            negative numbers in front or behind take away.

    >>> pad(iota("int32", 3), 9, [(1, 0, 1)])
    Array([9, 0, 9, 1, 9, 2], dtype=int32)
    """
    x = promotion.operand(operand)
    config = tuple(ints(c, "a padding_config") for c in padding_config)
    if any(len(c) != 3 for c in config):
        raise ArgumentError("expected triples (low, high, interior)", str(config))
    return slicing.pad(x, like(padding_value, x), padding_config=config)


def select(pred: Any, on_true: Any, on_false: Any) -> Any:
    """Elements of `on_true` where `pred` is true, else of `on_false`.

    Args:
        pred: booleans of the shape of the others, or of shape ().
        on_true, on_false: arrays of equal shapes and dtypes, or numbers.

    >>> select(True, 1.0, 2.0)
    Array(1., dtype=float32, weak_type=True)
    """
    return select_n(pred, on_false, on_true)


def select_n(which: Any, *cases: Any) -> Any:
    """Elements of `cases[which]`.

    Args:
        which: booleans (for at most two cases) or int32, of the shape of the cases or of shape ().
        *cases: arrays of equal shapes and dtypes, or numbers.

    >>> select_n(iota("int32", 2), iota("int32", 2), full((2,), 7))
    Array([0, 7], dtype=int32)
    """
    return structural.select_n(operand(which), *agree(*cases))


def full(shape: Sequence[int] | int, fill_value: Any, dtype: Any = None) -> Any:
    """An array of one value, by default in the value's own dtype.

    >>> full((2,), 1.5)
    Array([1.5, 1.5], dtype=float32)
    """
    aval = aval_of(fill_value)
    if aval.shape:
        raise ShapeError("expected a fill_value of shape ()", str(aval.shape))
    wanted = aval.dtype if dtype is None else user_dtype(dtype)
    item = cast(fill_value, wanted)
    return structural.broadcast_in_dim(item, shape=canonical_shape(shape), broadcast_dimensions=())


def empty(shape: Sequence[int] | int, dtype: Any) -> Any:
    """An array of zeros, of a shape and dtype.

    >>> empty((1,), "int32")
    Array([0], dtype=int32)
    """
    return full(shape, 0, dtype)


def full_like(x: Any, fill_value: Any, dtype: Any = None, shape: Any = None) -> Any:
    """An array of one value, of the shape and dtype of `x` where they are not given.

    >>> full_like(iota("int32", 2), 3)
    Array([3, 3], dtype=int32)
    """
    aval = aval_of(x)
    return full(
        aval.shape if shape is None else shape, fill_value, aval.dtype if dtype is None else dtype
    )


def iota(dtype: Any, size: int) -> Any:
    """The integers from 0 to `size` - 1, in a dtype.

    >>> iota("float32", 3)
    Array([0., 1., 2.], dtype=float32)
    """
    return broadcasted_iota(dtype, (size,), 0)


def broadcasted_iota(dtype: Any, shape: Sequence[int], dimension: int) -> Any:
    """An array whose elements are their index along a dimension.

    >>> broadcasted_iota("int32", (2, 2), 1)
    Array([[0, 1],
           [0, 1]], dtype=int32)
    """
    sizes = canonical_shape(shape)
    at = promotion.canonical_axis(static_int(dimension, "a dimension"), len(sizes))
    return structural.iota(dtype=user_dtype(dtype), shape=sizes, dimension=at)


def convert_element_type(operand: Any, new_dtype: Any) -> Any:
    """The array in another dtype. Floats become integers towards zero; NaN becomes 0.

    >>> convert_element_type(1.7, "int32")
    Array(1, dtype=int32)
    """
    return structural.convert_element_type(
        promotion.operand(operand), new_dtype=user_dtype(new_dtype), weak_type=False
    )


def dtype(x: Any) -> Any:
    """The dtype of an array or a number.

    >>> dtype(1.0)
    dtype('float32')
    """
    return aval_of(x).dtype
