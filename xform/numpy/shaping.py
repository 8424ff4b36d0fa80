"""Shapes: reshaping, axes, reversal, broadcasting."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.trace import aval_of
from ..errors import ArgumentError, AxisError, ShapeError
from ..ops import structural as rows
from ..ops.slicing import slice_
from .promotion import (
    broadcast,
    broadcast_shapes,
    canonical_axes,
    canonical_axis,
    canonical_shape,
    cast,
    operand,
    static_int,
    user_dtype,
)


def shape(a: Any) -> tuple[int, ...]:
    """The lengths of the axes.

    >>> shape(1.0)
    ()
    """
    return aval_of(a).shape


def ndim(a: Any) -> int:
    """The number of axes.

    >>> ndim(1.0)
    0
    """
    return aval_of(a).ndim


def size(a: Any, axis: Any = None) -> int:
    """The number of elements, or the length of an axis.

    >>> size(1.0)
    1
    """
    aval = aval_of(a)
    return math.prod(aval.shape[d] for d in canonical_axes(axis, aval.ndim))


def astype(x: Any, dtype: Any, /, *, copy: bool = False) -> Any:
    """An array in another dtype, honoured as given; complex numbers lose their imaginary part.

    Args:
        x: an array.
        dtype: the dtype; None means the default floating one.
        copy: accepted for compatibility.

    >>> astype(1.7, "int32")
    Array(1, dtype=int32)
    """
    return cast(operand(x), user_dtype(float if dtype is None else dtype))


def reshape(a: Any, shape: Any, order: str = "C", *, copy: bool | None = None) -> Any:
    """The elements in another shape.

    Args:
        a: an array.
        shape: the new shape; one length may be -1, which is worked out.
        order: ``"C"`` reads and writes the last axis fastest, ``"F"`` the first.
        copy: accepted for compatibility.

    Raises:
        ShapeError: the number of elements differs.

    >>> reshape(1.0, (1, -1))
    Array([[1.]], dtype=float32, weak_type=True)
    """
    x = operand(a)
    aval = aval_of(x)
    sizes = _resolved(shape, aval)
    if order == "F":
        turned = transpose(x)
        return transpose(rows.reshape(turned, new_sizes=sizes[::-1]))
    if order not in ("C", "A"):
        raise ArgumentError('expected order "C" or "F"', repr(order))
    return x if sizes == aval.shape else rows.reshape(x, new_sizes=sizes)


def _resolved(shape: Any, aval: Any) -> tuple[int, ...]:
    given = tuple(shape) if isinstance(shape, Sequence | np.ndarray) else (shape,)
    sizes = [operator.index(n) for n in given]
    if sizes.count(-1) > 1:
        raise ShapeError("expected at most one length of -1", str(tuple(sizes)))
    if -1 in sizes:
        known = math.prod(n for n in sizes if n != -1)
        if known == 0 or aval.size % known:
            raise ShapeError(
                f"expected lengths whose product divides the {aval.size} elements of {aval}",
                str(tuple(sizes)),
            )
        sizes[sizes.index(-1)] = aval.size // known
    return canonical_shape(sizes)


def ravel(a: Any, order: str = "C") -> Any:
    """The elements as a 1-d array.

    >>> ravel(1.0)
    Array([1.], dtype=float32, weak_type=True)
    """
    return reshape(a, (aval_of(a).size,), "C" if order == "K" else order)


def transpose(a: Any, axes: Any = None) -> Any:
    """The array with its axes in another order.

    Args:
        a: an array.
        axes: the old axis of each new one; by default the reverse.

    >>> transpose(np.array([[1, 2], [3, 4]], np.int32))
    Array([[1, 3],
           [2, 4]], dtype=int32)
    """
    x = operand(a)
    rank = aval_of(x).ndim
    if axes is None:
        order = tuple(reversed(range(rank)))
    else:
        order = tuple(canonical_axis(d, rank) for d in axes)
        if sorted(order) != list(range(rank)):
            raise AxisError(
                f"expected each of the {rank} axes once to transpose {aval_of(x)}", str(axes)
            )
    return x if order == tuple(range(rank)) else rows.transpose(x, permutation=order)


def permute_dims(a: Any, /, axes: tuple[int, ...]) -> Any:
    """The array with its axes in another order; see `transpose`.

    >>> permute_dims(np.ones((2, 3, 4), np.float32), (2, 0, 1)).shape
    (4, 2, 3)
    """
    return transpose(a, axes)


def matrix_transpose(x: Any, /) -> Any:
    """The last two axes swapped.

    >>> matrix_transpose(np.ones((2, 3, 4), np.float32)).shape
    (2, 4, 3)
    """
    if aval_of(x).ndim < 2:
        raise ShapeError("expected an array with at least 2 dimensions", str(aval_of(x)))
    return swapaxes(x, -1, -2)


def swapaxes(a: Any, axis1: int, axis2: int) -> Any:
    """The array with two axes swapped.

    >>> swapaxes(np.ones((2, 3, 4), np.float32), 0, 2).shape
    (4, 3, 2)
    """
    rank = aval_of(a).ndim
    one, two = canonical_axis(axis1, rank), canonical_axis(axis2, rank)
    order = list(range(rank))
    order[one], order[two] = two, one
    return transpose(a, order)


def moveaxis(a: Any, source: Any, destination: Any) -> Any:
    """The array with axes moved to new places, the others in their order.

    >>> moveaxis(np.ones((2, 3, 4), np.float32), 0, -1).shape
    (3, 4, 2)
    """
    rank = aval_of(a).ndim
    old = [canonical_axis(d, rank) for d in _listed(source)]
    new = [canonical_axis(d, rank) for d in _listed(destination)]
    if len(old) != len(new) or len(set(old)) != len(old) or len(set(new)) != len(new):
        raise AxisError(
            "expected as many destinations as sources, each axis once",
            f"source={source}, destination={destination}",
        )
    order = [d for d in range(rank) if d not in old]
    for to, at in sorted(zip(new, old, strict=True)):
        order.insert(to, at)
    return transpose(a, order)


def _listed(x: Any) -> list[Any]:
    return list(x) if isinstance(x, Sequence) else [x]


def rollaxis(a: Any, axis: int, start: int = 0) -> Any:
    """The array with an axis moved to stand before another.

    >>> rollaxis(np.ones((2, 3, 4), np.float32), 2).shape
    (4, 2, 3)
    """
    rank = aval_of(a).ndim
    at = canonical_axis(axis, rank)
    to = canonical_axis(start, rank + 1)
    return moveaxis(a, at, to - 1 if to > at else to)


def expand_dims(a: Any, axis: Any) -> Any:
    """The array with new axes of length 1 in the given places of the result.

    >>> expand_dims(1.0, 0)
    Array([1.], dtype=float32, weak_type=True)
    """
    x = operand(a)
    old = aval_of(x).shape
    count = len(axis) if isinstance(axis, tuple | list) else 1
    places = canonical_axes(axis, len(old) + count)
    rest = iter(old)
    new = tuple(1 if d in places else next(rest) for d in range(len(old) + count))
    return rows.reshape(x, new_sizes=new) if places else x


def squeeze(a: Any, axis: Any = None) -> Any:
    """The array without axes of length 1.

    Args:
        a: an array.
        axis: the axes to remove; by default all those of length 1.

    Raises:
        ShapeError: an axis to remove has another length.

    >>> squeeze(np.ones((1, 3, 1), np.float32)).shape
    (3,)
    """
    x = operand(a)
    sizes = aval_of(x).shape
    if axis is None:
        dims = tuple(d for d, n in enumerate(sizes) if n == 1)
    else:
        dims = canonical_axes(axis, len(sizes))
    return rows.squeeze(x, dimensions=dims) if dims else x


def broadcast_to(array: Any, shape: Any) -> Any:
    """The array stretched to a shape.

    >>> broadcast_to(1.0, (2,))
    Array([1., 1.], dtype=float32, weak_type=True)
    """
    x = operand(array)
    sizes = canonical_shape(shape)
    have = aval_of(x).shape
    if len(have) > len(sizes) or broadcast_shapes(have, sizes) != sizes:
        raise ShapeError(f"expected an array that broadcasts to {sizes}", f"shape {have}")
    return broadcast(x, sizes)


def broadcast_arrays(*args: Any) -> list[Any]:
    """Arrays stretched to their common shape.

    >>> broadcast_arrays(np.array([1, 2], np.int32), 5)
    [Array([1, 2], dtype=int32), Array([5, 5], dtype=int32, weak_type=True)]
    """
    sizes = broadcast_shapes(*(aval_of(x).shape for x in args))
    return [broadcast(x, sizes) for x in args]


def _at_least(rank: int, place: Any, arrays: Sequence[Any]) -> Any:
    """Each array with axes added until it has `rank`; a single one by itself."""
    out = [
        reshape(x, place(aval_of(x).shape)) if aval_of(x).ndim < rank else operand(x)
        for x in arrays
    ]
    return out[0] if len(out) == 1 else out


def atleast_1d(*arys: Any) -> Any:
    """Arrays with at least one axis.

    >>> atleast_1d(1.0)
    Array([1.], dtype=float32, weak_type=True)
    """
    return _at_least(1, lambda s: (1,), arys)


def atleast_2d(*arys: Any) -> Any:
    """Arrays with at least two axes; vectors become rows.

    >>> atleast_2d(np.array([1, 2, 3], np.int32))
    Array([[1, 2, 3]], dtype=int32)
    """
    return _at_least(2, lambda s: (1,) * (2 - len(s)) + s, arys)


def atleast_3d(*arys: Any) -> Any:
    """Arrays with at least three axes; vectors lie along the middle one.

    >>> atleast_3d(np.array([1, 2, 3], np.int32)).shape
    (1, 3, 1)
    """

    def place(s: tuple[int, ...]) -> tuple[int, ...]:
        return {0: (1, 1, 1), 1: (1, *s, 1)}.get(len(s), (*s, 1))

    return _at_least(3, place, arys)


def flip(m: Any, axis: Any = None) -> Any:
    """The array with the order of elements reversed along axes, all by default.

    >>> flip(np.array([1, 2, 3], np.int32))
    Array([3, 2, 1], dtype=int32)
    """
    x = operand(m)
    dims = canonical_axes(axis, aval_of(x).ndim)
    return rows.rev(x, dimensions=dims) if dims else x


def fliplr(m: Any) -> Any:
    """The array reversed along axis 1.

    >>> fliplr(np.array([[1, 2], [3, 4]], np.int32))
    Array([[2, 1],
           [4, 3]], dtype=int32)
    """
    return flip(m, 1)


def flipud(m: Any) -> Any:
    """The array reversed along axis 0.

    >>> flipud(np.array([[1, 2], [3, 4]], np.int32))
    Array([[3, 4],
           [1, 2]], dtype=int32)
    """
    return flip(m, 0)


def rot90(m: Any, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Any:
    """The array turned by k right angles, from the first axis towards the second.

    >>> rot90(np.array([[1, 2], [3, 4]], np.int32))
    Array([[2, 4],
           [1, 3]], dtype=int32)
    """
    one, two = (canonical_axis(d, aval_of(m).ndim) for d in axes)
    if one == two:
        raise AxisError("expected two different axes", str(axes))
    turns = static_int(k, "the number of turns") % 4
    if turns == 0:
        return operand(m)
    if turns == 2:
        return flip(m, (one, two))
    if turns == 1:
        return swapaxes(flip(m, two), one, two)
    return flip(swapaxes(m, one, two), two)


def part(x: Any, axis: int, start: int, stop: int, step: int = 1) -> Any:
    """The elements from start to stop along one axis, both known and in range."""
    sizes = aval_of(x).shape
    return slice_(
        x,
        start_indices=tuple(start if d == axis else 0 for d in range(len(sizes))),
        limit_indices=tuple(stop if d == axis else n for d, n in enumerate(sizes)),
        strides=tuple(step if d == axis else 1 for d in range(len(sizes))),
    )
