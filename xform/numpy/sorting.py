"""Order: sorting, and the places of sorted elements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core import dtypes
from ..core.trace import aval_of
from ..errors import ArgumentError, ShapeError
from ..ops import elementwise as ops
from ..ops.sorting import sort as sort_row
from ..ops.structural import iota, reshape, rev
from .promotion import canonical_axis, cast, literal, operand, static_int, strong, user_dtype
from .shaping import part


def _sortable(a: Any, axis: int | None) -> tuple[Any, int]:
    """An array and the axis to sort it along, counted from the front; None takes it as flat."""
    x = strong(a)
    if axis is None:
        return reshape(x, new_sizes=(aval_of(x).size,)), 0
    if aval_of(x).ndim == 0:
        raise ShapeError("expected an array with at least one dimension to sort", "a number")
    return x, canonical_axis(axis, aval_of(x).ndim)


def _check_options(kind: Any, order: Any) -> None:
    if kind is not None or order is not None:
        raise ArgumentError(
            "expected no kind= or order= in sorting",
            f"kind={kind!r}, order={order!r}",
            instead="stable=False where ties may come in any order",
        )


def sort(
    a: Any,
    axis: int | None = -1,
    *,
    kind: None = None,
    order: None = None,
    stable: bool = True,
    descending: bool = False,
) -> Any:
    """The elements in rising order along an axis; NaN comes last.

    Args:
        a: an array.
        axis: the axis; None sorts the flat array.
        kind: not supported.
        order: not supported.
        stable: whether equal elements keep their order.
        descending: whether to sort in falling order; NaN then comes first.

    >>> sort(np.array([3, 1, 2], np.int32))
    Array([1, 2, 3], dtype=int32)
    """
    _check_options(kind, order)
    x, at = _sortable(a, axis)
    (out,) = sort_row(x, dimension=at, is_stable=stable, num_keys=1)
    return rev(out, dimensions=(at,)) if descending else out


def argsort(
    a: Any,
    axis: int | None = -1,
    *,
    kind: None = None,
    order: None = None,
    stable: bool = True,
    descending: bool = False,
    dtype: Any = None,
) -> Any:
    """The places of the elements in rising order along an axis; arguments as for `sort`.

    >>> argsort(np.array([3, 1, 2], np.int32))
    Array([1, 2, 0], dtype=int32)
    """
    _check_options(kind, order)
    x, at = _sortable(a, axis)
    if descending:
        # Sorted from the back, so that equal elements keep their order once turned around.
        x = rev(x, dimensions=(at,))
    places = _places(x, at)
    _, out = sort_row(x, places, dimension=at, is_stable=stable, num_keys=1)
    if descending:
        shape = aval_of(x).shape
        last = np.full(shape, shape[at] - 1, np.int32)
        out = rev(ops.sub(operand(last), out), dimensions=(at,))
    return cast(out, user_dtype(dtype) or dtypes.scalar_dtype(int))


def _places(x: Any, at: int) -> Any:
    return iota(dtype=np.dtype("int32"), shape=aval_of(x).shape, dimension=at)


def lexsort(keys: Any, axis: int = -1) -> Any:
    """The places of elements in the order of several keys, the last one first.

    Args:
        keys: a sequence of arrays of one shape, or an array of them.
        axis: the axis to sort along.

    >>> lexsort((np.array([3, 1, 2], np.int32), np.array([1, 1, 0], np.int32)))
    Array([2, 1, 0], dtype=int32)
    """
    if isinstance(keys, Sequence):
        arrays = [strong(k) for k in keys]
    else:
        x = strong(keys)
        n = aval_of(x).shape[0] if aval_of(x).ndim else 0
        shape = aval_of(x).shape[1:]
        arrays = [reshape(part(x, 0, k, k + 1), new_sizes=shape) for k in range(n)]
    if not arrays:
        raise ArgumentError("expected at least one key", "none")
    if aval_of(arrays[0]).ndim == 0:
        return cast(literal(0, np.dtype("int32")), dtypes.scalar_dtype(int))
    at = canonical_axis(axis, aval_of(arrays[0]).ndim)
    out = sort_row(
        *reversed(arrays),
        _places(arrays[0], at),
        dimension=at,
        is_stable=True,
        num_keys=len(arrays),
    )
    return cast(out[-1], dtypes.scalar_dtype(int))


def _check_kth(x: Any, kth: int, at: int) -> None:
    n = aval_of(x).shape[at]
    k = static_int(kth, "the place to partition at")
    if not -n <= k < n:
        raise ArgumentError(f"expected a place from {-n} to {n - 1}", str(k))


def partition(a: Any, kth: int, axis: int = -1) -> Any:
    """The elements with the k-th smallest in its place, smaller ones before and larger after it.

    Here they are sorted, which is one such order.

    >>> partition(np.array([3, 1, 2], np.int32), 1)
    Array([1, 2, 3], dtype=int32)
    """
    x, at = _sortable(a, axis)
    _check_kth(x, kth, at)
    return sort(x, at)


def argpartition(a: Any, kth: int, axis: int = -1) -> Any:
    """The places of the elements in the order of `partition`.

    >>> argpartition(np.array([3, 1, 2], np.int32), 1)
    Array([1, 2, 0], dtype=int32)
    """
    x, at = _sortable(a, axis)
    _check_kth(x, kth, at)
    return argsort(x, at)


def sort_complex(a: Any) -> Any:
    """The elements as complex numbers, sorted by real part, then imaginary part.

    >>> sort_complex(np.array([2, 1], np.float32))
    Array([1.+0.j, 2.+0.j], dtype=complex64)
    """
    x = operand(a)
    return sort(cast(x, dtypes.complex_dtype(aval_of(x).dtype)), 0)
