"""Vectors as sets: distinct elements, membership, union, intersection, difference."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..core import dtypes
from ..core.trace import Tracer, aval_of
from ..errors import ArgumentError, ConcretizationTypeError
from ..ops import elementwise as ops
from ..ops.structural import reshape, select_n
from .at import IndexUpdate
from .indexing import getitem, take
from .promotion import (
    as_array,
    broadcast,
    cast,
    concrete,
    full_like,
    operand,
    promoted,
    static_int,
    strong,
)
from .rearranging import concatenate
from .reductions import any as any_of, cumsum
from .shaping import ravel
from .sorting import argsort

_INT = np.dtype("int32")


def _known(x: Any, name: str) -> np.ndarray[Any, Any]:
    found = concrete(x)
    if found is None:
        raise ConcretizationTypeError(
            f"expected known values for {name} without size=",
            x.origin() if isinstance(x, Tracer) else str(aval_of(x)),
            why="the size of the result would depend on values that come later",
            instead=f"xnp.{name}(x, size=n), where it has that argument",
        )
    return found


def _indices(x: np.ndarray[Any, Any]) -> Any:
    return as_array(x.astype(dtypes.scalar_dtype(int)))


def unique(
    ar: Any,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    *,
    equal_nan: bool = True,
    size: int | None = None,
    fill_value: Any = None,
    sorted: bool = True,
) -> Any:
    """The distinct elements in rising order.

    Args:
        ar: an array, taken as flat without an axis.
        return_index: whether to return where each occurs first.
        return_inverse: whether to return the number of each element's value.
        return_counts: whether to return how often each occurs.
        axis: the axis along which to compare whole parts; then the values must be known.
        equal_nan: whether NaNs count as equal.
        size: the length of the result, needed where `ar` is traced.
        fill_value: what stands for missing elements; by default the least.
        sorted: accepted for compatibility; the result is sorted.

    >>> unique(np.array([3, 1, 3], np.int32))
    Array([1, 3], dtype=int32)
    """
    x = strong(ar)
    wants = (return_index, return_inverse, return_counts)
    if size is None or axis is not None:
        values = _known(x, "unique")
        # NumPy does not know the NaNs of extended floats; float32 holds them all.
        extended = dtypes.is_float(values.dtype) and values.dtype.kind != "f"
        compared = values.astype(np.float32) if extended else values
        found = np.unique(compared, True, True, True, axis, equal_nan=equal_nan)
        parts = [as_array(found[0].astype(values.dtype)), *map(_indices, found[1:])]
        if size is not None:
            parts = _resized(parts, static_int(size, "the size"), fill_value, axis or 0)
    else:
        parts = _unique_of_size(x, static_int(size, "the size"), fill_value, equal_nan)
        parts[2] = reshape(parts[2], new_sizes=aval_of(x).shape)
    chosen = [parts[0], *(p for p, wanted in zip(parts[1:], wants, strict=True) if wanted)]
    return chosen[0] if len(chosen) == 1 else tuple(chosen)


def _resized(parts: list[Any], size: int, fill_value: Any, axis: int) -> list[Any]:
    values, index, inverse, counts = parts
    n = aval_of(index).size
    if n >= size:
        keep = slice(size)
        cut = take(values, np.arange(size, dtype=np.int32), axis)
        return [cut, getitem(index, keep), inverse, getitem(counts, keep)]
    shape = list(aval_of(values).shape)
    shape[axis] = size - n
    first = take(values, np.zeros(size - n, np.int32), axis)
    fill = first if fill_value is None else _filled_like(first, fill_value)
    missing = operand(np.zeros(size - n, np.int32))
    index = concatenate([index, broadcast(getitem(index, 0), (size - n,))], 0)
    counts = concatenate([counts, cast(missing, aval_of(counts).dtype)], 0)
    return [concatenate([values, fill], axis), index, inverse, counts]


def _filled_like(x: Any, value: Any) -> Any:
    aval = aval_of(x)
    return broadcast(cast(operand(value), aval.dtype), aval.shape)


def _unique_of_size(x: Any, size: int, fill_value: Any, equal_nan: bool) -> list[Any]:
    """The distinct elements of a traced array: sorted, numbered, each number's first one kept."""
    flat = ravel(x)
    n = aval_of(flat).size
    if n == 0:
        raise ArgumentError("expected at least one element for unique with size=", "none")
    order = argsort(flat)
    line = take(flat, order, 0)
    later, earlier = getitem(line, slice(1, None)), getitem(line, slice(None, -1))
    differs = ops.ne(later, earlier)
    if equal_nan:
        both_nan = ops.and_(ops.ne(later, later), ops.ne(earlier, earlier))
        differs = ops.and_(differs, ops.not_(both_nan))
    number = concatenate([operand(np.zeros(1, np.int32)), cumsum(cast(differs, _INT), 0)], 0)
    one = full_like(number, 1)
    blank = operand(np.zeros(size, np.int32))
    counts = IndexUpdate(blank, number).add(one, mode="drop")
    # The sort is stable, so the least place of a number in the order is its first occurrence.
    first = IndexUpdate(full_like(blank, n), number).min(cast(order, _INT), mode="drop")
    missing = ops.eq(counts, full_like(counts, 0))
    first = select_n(missing, first, broadcast(getitem(first, 0), (size,)))
    values = take(flat, first, 0, mode="clip")
    if fill_value is not None:
        values = select_n(missing, values, _filled_like(values, fill_value))
    else:
        values = select_n(missing, values, broadcast(getitem(line, 0), (size,)))
    inverse = IndexUpdate(full_like(number, 0), order).set(number)
    wanted = dtypes.scalar_dtype(int)
    return [values, *(cast(v, wanted) for v in (first, inverse, counts))]


class UniqueAllResult(NamedTuple):
    """What `unique_all` returns."""

    values: Any
    indices: Any
    inverse_indices: Any
    counts: Any


class UniqueCountsResult(NamedTuple):
    """What `unique_counts` returns."""

    values: Any
    counts: Any


class UniqueInverseResult(NamedTuple):
    """What `unique_inverse` returns."""

    values: Any
    inverse_indices: Any


def unique_all(x: Any, /, *, size: int | None = None, fill_value: Any = None) -> UniqueAllResult:
    """The distinct elements, where they occur first, their numbers and counts; see `unique`.

    >>> unique_all(np.array([3, 1, 3], np.int32)).indices
    Array([1, 0], dtype=int32)
    """
    found = unique(x, True, True, True, equal_nan=False, size=size, fill_value=fill_value)
    return UniqueAllResult(*found)


def unique_counts(
    x: Any, /, *, size: int | None = None, fill_value: Any = None
) -> UniqueCountsResult:
    """The distinct elements and their counts; see `unique`.

    >>> unique_counts(np.array([3, 1, 3], np.int32)).counts
    Array([1, 2], dtype=int32)
    """
    found = unique(x, return_counts=True, equal_nan=False, size=size, fill_value=fill_value)
    return UniqueCountsResult(*found)


def unique_inverse(
    x: Any, /, *, size: int | None = None, fill_value: Any = None
) -> UniqueInverseResult:
    """The distinct elements and the number of each element's value; see `unique`.

    >>> unique_inverse(np.array([3, 1, 3], np.int32)).inverse_indices
    Array([1, 0, 1], dtype=int32)
    """
    found = unique(x, return_inverse=True, equal_nan=False, size=size, fill_value=fill_value)
    return UniqueInverseResult(*found)


def unique_values(x: Any, /, *, size: int | None = None, fill_value: Any = None) -> Any:
    """The distinct elements; see `unique`.

    >>> unique_values(np.array([3, 1, 3], np.int32))
    Array([1, 3], dtype=int32)
    """
    return unique(x, equal_nan=False, size=size, fill_value=fill_value)


def isin(
    element: Any,
    test_elements: Any,
    assume_unique: bool = False,
    invert: bool = False,
    *,
    method: str = "auto",
) -> Any:
    """Whether each element is among others.

    Args:
        element: an array.
        test_elements: the others.
        assume_unique: accepted for compatibility.
        invert: whether to return the opposite.
        method: accepted for compatibility.

    >>> isin(np.array([1, 2], np.int32), np.array([2, 3], np.int32))
    Array([False,  True], dtype=bool)
    """
    x, others = promoted(element, test_elements)
    others = ravel(others)
    shape = aval_of(x).shape
    full_shape = (*shape, aval_of(others).size)
    left = broadcast(reshape(x, new_sizes=(*shape, 1)), full_shape)
    out = any_of(ops.eq(left, broadcast(others, full_shape)), -1)
    return ops.not_(out) if invert else out


def _set_operation(
    name: str, ar1: Any, ar2: Any, size: int | None, fill_value: Any, call: Any
) -> Any:
    x, y = (ravel(v) for v in promoted(ar1, ar2))
    out = as_array(np.asarray(call(_known(x, name), _known(y, name))))
    if size is None:
        return out
    index = operand(np.arange(aval_of(out).size, dtype=np.int32))
    return _resized([out, index, index, index], size, fill_value, 0)[0]


def union1d(ar1: Any, ar2: Any, *, size: int | None = None, fill_value: Any = None) -> Any:
    """The distinct elements of two arrays, in rising order; with `size`, they may be traced.

    >>> union1d(np.array([1, 2], np.int32), np.array([2, 3], np.int32))
    Array([1, 2, 3], dtype=int32)
    """
    joined = concatenate([ravel(ar1), ravel(ar2)], 0)
    return unique(joined, size=size, fill_value=fill_value)


def intersect1d(
    ar1: Any,
    ar2: Any,
    assume_unique: bool = False,
    return_indices: bool = False,
    *,
    size: int | None = None,
    fill_value: Any = None,
) -> Any:
    """The distinct elements that are in both arrays, in rising order; the values must be known.

    >>> intersect1d(np.array([1, 2], np.int32), np.array([2, 3], np.int32))
    Array([2], dtype=int32)
    """
    if return_indices:
        x, y = (ravel(v) for v in promoted(ar1, ar2))
        found = np.intersect1d(
            _known(x, "intersect1d"), _known(y, "intersect1d"), assume_unique, True
        )
        return as_array(found[0]), _indices(found[1]), _indices(found[2])
    return _set_operation(
        "intersect1d", ar1, ar2, size, fill_value, lambda x, y: np.intersect1d(x, y, assume_unique)
    )


def setdiff1d(
    ar1: Any,
    ar2: Any,
    assume_unique: bool = False,
    *,
    size: int | None = None,
    fill_value: Any = None,
) -> Any:
    """The distinct elements of one array that are not in another; the values must be known.

    >>> setdiff1d(np.array([1, 2], np.int32), np.array([2, 3], np.int32))
    Array([1], dtype=int32)
    """
    return _set_operation(
        "setdiff1d", ar1, ar2, size, fill_value, lambda x, y: np.setdiff1d(x, y, assume_unique)
    )


def setxor1d(
    ar1: Any,
    ar2: Any,
    assume_unique: bool = False,
    *,
    size: int | None = None,
    fill_value: Any = None,
) -> Any:
    """The distinct elements that are in just one of two arrays; the values must be known.

    >>> setxor1d(np.array([1, 2], np.int32), np.array([2, 3], np.int32))
    Array([1, 3], dtype=int32)
    """
    return _set_operation(
        "setxor1d", ar1, ar2, size, fill_value, lambda x, y: np.setxor1d(x, y, assume_unique)
    )
