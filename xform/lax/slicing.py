"""Slices, gather and scatter, under JAX's names in `jax.lax`."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core import dtypes
from ..core.primitive import Primitive
from ..core.trace import aval_of
from ..errors import ArgumentError, IndexOutOfBoundsError
from ..numpy import promotion
from ..ops import indexing, scattering, slicing
from ..ops.elementwise import lt, neg
from ..ops.structural import add, select_n
from ..ops.windows import GatherDimensionNumbers, GatherScatterMode, ScatterDimensionNumbers
from .operands import axis_of, ints, like, operand, static_int
from .shaping import concatenate, expand_dims, squeeze

__all__ = [
    "GatherDimensionNumbers",
    "GatherScatterMode",
    "ScatterDimensionNumbers",
    "dynamic_index_in_dim",
    "dynamic_slice",
    "dynamic_slice_in_dim",
    "dynamic_update_index_in_dim",
    "dynamic_update_slice",
    "dynamic_update_slice_in_dim",
    "gather",
    "index_in_dim",
    "index_take",
    "scatter",
    "scatter_add",
    "scatter_max",
    "scatter_min",
    "scatter_mul",
    "scatter_sub",
    "slice",
    "slice_in_dim",
]


def slice(
    operand: Any,
    start_indices: Sequence[int],
    limit_indices: Sequence[int],
    strides: Sequence[int] | None = None,
) -> Any:
    """The part of an array from starts up to limits, in steps of the strides.

    Raises:
        ArgumentError: a start, limit or stride lies outside the array.

    >>> from xform.lax import iota
    >>> slice(iota("int32", 6), (1,), (6,), (2,))
    Array([1, 3, 5], dtype=int32)
    """
    return slicing.slice_(
        promotion.operand(operand),
        start_indices=ints(start_indices, "starts"),
        limit_indices=ints(limit_indices, "limits"),
        strides=None if strides is None else ints(strides, "strides"),
    )


def slice_in_dim(
    operand: Any,
    start_index: int | None,
    limit_index: int | None,
    stride: int = 1,
    axis: int = 0,
) -> Any:
    """The part of an array from start up to limit along one axis; negative ones count from the end.

    >>> from xform.lax import iota
    >>> slice_in_dim(iota("int32", 6), -3, None)
    Array([3, 4, 5], dtype=int32)
    """
    shape = aval_of(operand).shape
    at = axis_of(operand, axis)
    span = builtins.slice(start_index, limit_index).indices(shape[at])
    lows = [0] * len(shape)
    highs = list(shape)
    steps = [1] * len(shape)
    lows[at], highs[at], steps[at] = span[0], max(span[0], span[1]), int(stride)
    return slice(operand, lows, highs, steps)


def index_in_dim(operand: Any, index: int, axis: int = 0, keepdims: bool = True) -> Any:
    """The part of an array at one index along an axis; a negative index counts from the end.

    Raises:
        IndexOutOfBoundsError: the axis has no such index.

    >>> from xform.lax import iota
    >>> index_in_dim(iota("int32", 6), -1, keepdims=False)
    Array(5, dtype=int32)
    """
    at = axis_of(operand, axis)
    size = aval_of(operand).shape[at]
    place = static_int(index, "an index")
    if not -size <= place < size:
        raise IndexOutOfBoundsError(f"expected an index from {-size} to {size - 1}", str(place))
    place %= size
    part = slice_in_dim(operand, place, place + 1, 1, at)
    return part if keepdims else squeeze(part, (at,))


def _starts(x: Any, given: Any, allow_negative: bool | Sequence[bool]) -> list[Any]:
    """Scalar starts, from a sequence of them or an array of one dimension."""
    shape = aval_of(x).shape
    if not isinstance(given, tuple | list):
        count = aval_of(given).shape
        if len(count) != 1:
            raise ArgumentError(
                "expected starts: a sequence or an array of one dimension", str(given)
            )
        given = [index_in_dim(given, k, keepdims=False) for k in range(count[0])]
    if len(given) != len(shape):
        raise ArgumentError(f"expected {len(shape)} starts", str(len(given)))
    allowed = (
        [allow_negative] * len(shape)
        if isinstance(allow_negative, bool)
        else builtins.list(allow_negative)
    )
    return [
        _from_front(start, n) if may else operand(start)
        for start, n, may in zip(given, shape, allowed, strict=True)
    ]


def _from_front(start: Any, size: int) -> Any:
    """A start that counts from the end where it is negative."""
    if isinstance(start, int | np.integer):
        return operand(int(start) + size if start < 0 else int(start))
    x = operand(start)
    if dtypes.is_unsigned(aval_of(x).dtype):
        return x
    return select_n(lt(x, like(0, x)), x, add(x, like(size, x)))


def dynamic_slice(
    operand: Any,
    start_indices: Any,
    slice_sizes: Sequence[int],
    *,
    allow_negative_indices: bool | Sequence[bool] = True,
) -> Any:
    """The part of an array of fixed sizes at starts that may be traced.

    Args:
        operand: the array.
        start_indices: integers, one per dimension; the part is moved to lie inside the array.
        slice_sizes: the sizes.
        allow_negative_indices: whether negative starts count from the end.

    >>> from xform.lax import iota
    >>> dynamic_slice(iota("int32", 6), (5,), (2,))
    Array([4, 5], dtype=int32)
    """
    x = promotion.operand(operand)
    starts = _starts(x, start_indices, allow_negative_indices)
    return slicing.dynamic_slice(x, *starts, slice_sizes=ints(slice_sizes, "sizes"))


def dynamic_slice_in_dim(
    operand: Any,
    start_index: Any,
    slice_size: int,
    axis: int = 0,
    *,
    allow_negative_indices: bool = True,
) -> Any:
    """`dynamic_slice` along one axis.

    >>> from xform.lax import iota
    >>> dynamic_slice_in_dim(iota("int32", 6), 1, 2)
    Array([1, 2], dtype=int32)
    """
    sizes = list(aval_of(operand).shape)
    at = axis_of(operand, axis)
    starts: list[Any] = [0] * len(sizes)
    starts[at] = start_index
    sizes[at] = static_int(slice_size, "a size")
    return dynamic_slice(operand, starts, sizes, allow_negative_indices=allow_negative_indices)


def dynamic_index_in_dim(
    operand: Any,
    index: Any,
    axis: int = 0,
    keepdims: bool = True,
    *,
    allow_negative_indices: bool = True,
) -> Any:
    """The part of an array at one index along an axis, where the index may be traced.

    >>> from xform.lax import iota
    >>> dynamic_index_in_dim(iota("int32", 6), 3, keepdims=False)
    Array(3, dtype=int32)
    """
    part = dynamic_slice_in_dim(
        operand, index, 1, axis, allow_negative_indices=allow_negative_indices
    )
    return part if keepdims else squeeze(part, (axis,))


def dynamic_update_slice(
    operand: Any,
    update: Any,
    start_indices: Any,
    *,
    allow_negative_indices: bool | Sequence[bool] = True,
) -> Any:
    """The array with a part replaced, at starts that may be traced.

    Args:
        operand: the array.
        update: the new part, of the array's dtype and number of dimensions.
        start_indices: integers, one per dimension; the part is moved to lie inside the array.
        allow_negative_indices: whether negative starts count from the end.

    >>> from xform.lax import full, iota
    >>> dynamic_update_slice(iota("int32", 4), full((2,), 9), (1,))
    Array([0, 9, 9, 3], dtype=int32)
    """
    x = promotion.operand(operand)
    starts = _starts(x, start_indices, allow_negative_indices)
    return slicing.dynamic_update_slice(x, like(update, x), *starts)


def dynamic_update_slice_in_dim(
    operand: Any,
    update: Any,
    start_index: Any,
    axis: int,
    *,
    allow_negative_indices: bool = True,
) -> Any:
    """`dynamic_update_slice` along one axis.

    >>> from xform.lax import full, iota
    >>> dynamic_update_slice_in_dim(iota("int32", 4), full((2,), 9), 2, 0)
    Array([0, 1, 9, 9], dtype=int32)
    """
    starts: list[Any] = [0] * aval_of(operand).ndim
    starts[axis_of(operand, axis)] = start_index
    return dynamic_update_slice(
        operand, update, starts, allow_negative_indices=allow_negative_indices
    )


def dynamic_update_index_in_dim(
    operand: Any,
    update: Any,
    index: Any,
    axis: int,
    *,
    allow_negative_indices: bool = True,
) -> Any:
    """The array with the part at one index along an axis replaced.

    Args:
        operand: the array.
        update: the new part, with or without the axis.
        index: an integer that may be traced.
        axis: the axis.
        allow_negative_indices: whether a negative index counts from the end.

    >>> from xform.lax import iota
    >>> dynamic_update_index_in_dim(iota("int32", 4), 9, 1, 0)
    Array([0, 9, 2, 3], dtype=int32)
    """
    at = axis_of(operand, axis)
    part = like(update, operand)
    if aval_of(part).ndim != aval_of(operand).ndim:
        part = expand_dims(part, (at,))
    return dynamic_update_slice_in_dim(
        operand, part, index, at, allow_negative_indices=allow_negative_indices
    )


def gather(
    operand: Any,
    start_indices: Any,
    dimension_numbers: GatherDimensionNumbers,
    slice_sizes: Sequence[int],
    *,
    unique_indices: bool = False,
    indices_are_sorted: bool = False,
    mode: str | GatherScatterMode | None = None,
    fill_value: Any = None,
) -> Any:
    """Windows of an array, at starts that are data.

    Args:
        operand: the array.
        start_indices: integers; the last dimension holds the elements of a start.
        dimension_numbers: which dimension is what.
        slice_sizes: the size of the window in each dimension of the array.
        unique_indices: says that no element is read twice.
        indices_are_sorted: says that the starts rise.
        mode: what to do with windows that do not lie inside; see `GatherScatterMode`.
        fill_value: what is read there in mode "fill"; by default NaN, or for integers the least
            signed or greatest unsigned number, or True.

    >>> from xform.lax import iota
    >>> numbers = GatherDimensionNumbers((), (0,), (0,))
    >>> gather(iota("float32", 3), np.array([[2], [9]]), numbers, (1,))
    Array([ 2., nan], dtype=float32)
    """
    return indexing.gather(
        promotion.operand(operand),
        promotion.operand(start_indices),
        dimension_numbers=dimension_numbers,
        slice_sizes=ints(slice_sizes, "sizes"),
        mode=GatherScatterMode.from_any(mode),
        fill_value=fill_value,
        unique_indices=bool(unique_indices),
        indices_are_sorted=bool(indices_are_sorted),
    )


def index_take(src: Any, idxs: Sequence[Any], axes: Sequence[int]) -> Any:
    """Elements of an array at indices along some axes, which the result has in front.

    Args:
        src: the array.
        idxs: one array of integers for each axis, all of one shape of one dimension.
        axes: the axes.

    >>> from xform.lax import iota
    >>> index_take(iota("int32", 4), (np.array([3, 0]),), (0,))
    Array([3, 0], dtype=int32)
    """
    places = ints(axes, "axes")
    shape = aval_of(src).shape
    columns = [expand_dims(i, (aval_of(i).ndim,)) for i in idxs]
    starts = concatenate(columns, aval_of(columns[0]).ndim - 1)
    sizes = [1 if d in places else n for d, n in enumerate(shape)]
    rank = aval_of(starts).ndim - 1
    numbers = GatherDimensionNumbers(
        offset_dims=tuple(range(rank, rank + len(shape) - len(places))),
        collapsed_slice_dims=tuple(sorted(places)),
        start_index_map=places,
    )
    return gather(src, starts, numbers, sizes)


def _scatter(
    row: Primitive,
    x: Any,
    indices: Any,
    updates: Any,
    dimension_numbers: ScatterDimensionNumbers,
    indices_are_sorted: bool,
    unique_indices: bool,
    mode: str | GatherScatterMode | None,
) -> Any:
    x = operand(x)
    return row(
        x,
        operand(indices),
        like(updates, x),
        dimension_numbers=dimension_numbers,
        mode=GatherScatterMode.from_any(mode),
        unique_indices=bool(unique_indices),
        indices_are_sorted=bool(indices_are_sorted),
    )


def scatter(
    operand: Any,
    scatter_indices: Any,
    updates: Any,
    dimension_numbers: ScatterDimensionNumbers,
    *,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    mode: str | GatherScatterMode | None = None,
) -> Any:
    """The array with windows replaced; of several updates of one element, the last stays.

    Args:
        operand: the array.
        scatter_indices: integers; the last dimension holds the elements of a start.
        updates: the new elements, in the array's dtype.
        dimension_numbers: which dimension is what.
        indices_are_sorted: says that the starts rise.
        unique_indices: says that no element is written twice.
        mode: what to do with windows that do not lie inside; see `GatherScatterMode`.

    >>> from xform.lax import full, iota
    >>> numbers = ScatterDimensionNumbers((), (0,), (0,))
    >>> scatter(iota("int32", 4), np.array([[2], [9]]), full((2,), 7), numbers)
    Array([0, 1, 7, 3], dtype=int32)
    """
    return _scatter(
        indexing.scatter,
        operand,
        scatter_indices,
        updates,
        dimension_numbers,
        indices_are_sorted,
        unique_indices,
        mode,
    )


def scatter_add(
    operand: Any,
    scatter_indices: Any,
    updates: Any,
    dimension_numbers: ScatterDimensionNumbers,
    *,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    mode: str | GatherScatterMode | None = None,
) -> Any:
    """The array with updates added to windows of it. Arguments are those of `scatter`.

    >>> from xform.lax import full, iota
    >>> numbers = ScatterDimensionNumbers((), (0,), (0,))
    >>> scatter_add(iota("int32", 4), np.array([[2], [2]]), full((2,), 7), numbers)
    Array([ 0,  1, 16,  3], dtype=int32)
    """
    return _scatter(
        indexing.scatter_add,
        operand,
        scatter_indices,
        updates,
        dimension_numbers,
        indices_are_sorted,
        unique_indices,
        mode,
    )


def scatter_sub(
    operand: Any,
    scatter_indices: Any,
    updates: Any,
    dimension_numbers: ScatterDimensionNumbers,
    *,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    mode: str | GatherScatterMode | None = None,
) -> Any:
    """The array with updates subtracted from windows of it. Arguments are those of `scatter`.

    >>> from xform.lax import full, iota
    >>> numbers = ScatterDimensionNumbers((), (0,), (0,))
    >>> scatter_sub(iota("int32", 4), np.array([[2], [2]]), full((2,), 7), numbers)
    Array([  0,   1, -12,   3], dtype=int32)
    """
    return _scatter(
        indexing.scatter_add,
        operand,
        scatter_indices,
        neg(like(updates, operand)),
        dimension_numbers,
        indices_are_sorted,
        unique_indices,
        mode,
    )


def scatter_mul(
    operand: Any,
    scatter_indices: Any,
    updates: Any,
    dimension_numbers: ScatterDimensionNumbers,
    *,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    mode: str | GatherScatterMode | None = None,
) -> Any:
    """The array with windows of it multiplied by updates. Arguments are those of `scatter`.

    The derivative in the updates exists for `unique_indices=True` only.

    >>> from xform.lax import full, iota
    >>> numbers = ScatterDimensionNumbers((), (0,), (0,))
    >>> scatter_mul(iota("int32", 4), np.array([[2], [2]]), full((2,), 7), numbers)
    Array([ 0,  1, 98,  3], dtype=int32)
    """
    return _scatter(
        scattering.scatter_mul,
        operand,
        scatter_indices,
        updates,
        dimension_numbers,
        indices_are_sorted,
        unique_indices,
        mode,
    )


def scatter_min(
    operand: Any,
    scatter_indices: Any,
    updates: Any,
    dimension_numbers: ScatterDimensionNumbers,
    *,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    mode: str | GatherScatterMode | None = None,
) -> Any:
    """The array with windows of it the least of themselves and updates, as `scatter` otherwise.

    >>> from xform.lax import full, iota
    >>> numbers = ScatterDimensionNumbers((), (0,), (0,))
    >>> scatter_min(iota("int32", 4), np.array([[1], [3]]), full((2,), 2), numbers)
    Array([0, 1, 2, 2], dtype=int32)
    """
    return _scatter(
        scattering.scatter_min,
        operand,
        scatter_indices,
        updates,
        dimension_numbers,
        indices_are_sorted,
        unique_indices,
        mode,
    )


def scatter_max(
    operand: Any,
    scatter_indices: Any,
    updates: Any,
    dimension_numbers: ScatterDimensionNumbers,
    *,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    mode: str | GatherScatterMode | None = None,
) -> Any:
    """The array with windows of it the greatest of themselves and updates, as `scatter` otherwise.

    >>> from xform.lax import full, iota
    >>> numbers = ScatterDimensionNumbers((), (0,), (0,))
    >>> scatter_max(iota("int32", 4), np.array([[1], [3]]), full((2,), 2), numbers)
    Array([0, 2, 2, 3], dtype=int32)
    """
    return _scatter(
        scattering.scatter_max,
        operand,
        scatter_indices,
        updates,
        dimension_numbers,
        indices_are_sorted,
        unique_indices,
        mode,
    )
