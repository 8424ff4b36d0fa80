"""Diagonals and triangles of matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core import dtypes
from ..core.trace import aval_of
from ..errors import ArgumentError, AxisError, ShapeError
from ..ops.slicing import pad
from ..ops.structural import broadcast_in_dim, reshape, select_n
from .arithmetic import power
from .creation import zeros
from .grids import mask_below
from .indexing import getitem
from .promotion import (
    broadcast,
    canonical_axis,
    full_like,
    literal,
    operand,
    refuse,
    static_int,
)
from .reductions import sum as sum_over
from .shaping import moveaxis, ravel


def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The elements on a diagonal of matrices, along a new last axis.

    Args:
        a: an array with at least 2 dimensions.
        offset: the diagonal; positive ones lie above the main one.
        axis1: the axis of rows.
        axis2: the axis of columns.

    >>> diagonal(np.array([[1, 2], [3, 4]], np.int32))
    Array([1, 4], dtype=int32)
    """
    x = operand(a)
    rank = aval_of(x).ndim
    if rank < 2:
        raise ShapeError(
            "expected an array with at least 2 dimensions", f"shape {aval_of(x).shape}"
        )
    one, two = canonical_axis(axis1, rank), canonical_axis(axis2, rank)
    if one == two:
        raise AxisError("expected two different axes", f"{axis1} and {axis2}")
    k = static_int(offset, "the offset of a diagonal")
    x = moveaxis(x, (one, two), (-2, -1))
    rows, columns = aval_of(x).shape[-2:]
    length = max(0, min(rows, columns - k) if k >= 0 else min(rows + k, columns))
    line = np.arange(length, dtype=np.int32)
    return getitem(x, (..., line - min(k, 0), line + max(k, 0)))


def trace(
    a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: None = None
) -> Any:
    """The sum of a diagonal of matrices; see `diagonal`.

    >>> trace(np.array([[1, 2], [3, 4]], np.int32))
    Array(5, dtype=int32)
    """
    refuse("trace", out=out)
    return sum_over(diagonal(a, offset, axis1, axis2), -1, dtype)


def diag(v: Any, k: int = 0) -> Any:
    """The diagonal of a matrix, or the matrix with a vector on its diagonal.

    Args:
        v: a vector or a matrix.
        k: the diagonal; positive ones lie above the main one.

    >>> diag(np.array([1, 2], np.int32))
    Array([[1, 0],
           [0, 2]], dtype=int32)
    """
    x = operand(v)
    rank = aval_of(x).ndim
    if rank == 2:
        return diagonal(x, k)
    if rank != 1:
        raise ShapeError("expected a vector or a matrix", f"shape {aval_of(x).shape}")
    at = static_int(k, "the number of a diagonal")
    zero = literal(0, aval_of(x).dtype, aval_of(x).weak_type)
    line = pad(x, zero, padding_config=((max(at, 0), max(-at, 0), 0),))
    n = aval_of(line).shape[0]
    # Element i of the padded vector stands in column i; row i - k holds it.
    across = broadcast_in_dim(line, shape=(n, n), broadcast_dimensions=(1,))
    on = mask_below((n, n), at) & ~mask_below((n, n), at - 1)
    return select_n(operand(on), full_like(across, 0), across)


def diagflat(v: Any, k: int = 0) -> Any:
    """The matrix with the flattened elements on a diagonal.

    >>> diagflat(np.array([1, 2], np.int32))
    Array([[1, 0],
           [0, 2]], dtype=int32)
    """
    return diag(ravel(v), k)


def _triangle(m: Any, k: int, lower: bool) -> Any:
    x = operand(m)
    shape = aval_of(x).shape
    if len(shape) < 2:
        raise ShapeError("expected an array with at least 2 dimensions", f"shape {shape}")
    rows, columns = shape[-2:]
    at = static_int(k, "the number of a diagonal")
    below = operand(mask_below((rows, columns), at if lower else at - 1))
    mask = broadcast(below, shape)
    blank = full_like(x, 0)
    return select_n(mask, blank, x) if lower else select_n(mask, x, blank)


def tril(m: Any, k: int = 0) -> Any:
    """Matrices with the elements above a diagonal replaced by 0.

    >>> tril(np.array([[1, 2], [3, 4]], np.int32))
    Array([[1, 0],
           [3, 4]], dtype=int32)
    """
    return _triangle(m, k, lower=True)


def triu(m: Any, k: int = 0) -> Any:
    """Matrices with the elements below a diagonal replaced by 0.

    >>> triu(np.array([[1, 2], [3, 4]], np.int32))
    Array([[1, 2],
           [0, 4]], dtype=int32)
    """
    return _triangle(m, k, lower=False)


def _index_arrays(found: Any) -> tuple[Any, ...]:
    wanted = dtypes.scalar_dtype(int)
    return tuple(operand(i.astype(wanted)) for i in found)


def tril_indices(n: int, k: int = 0, m: int | None = None) -> tuple[Any, ...]:
    """The indices of the elements at and below a diagonal of a matrix.

    >>> tril_indices(2)
    (Array([0, 1, 1], dtype=int32), Array([0, 0, 1], dtype=int32))
    """
    return _index_arrays(np.tril_indices(n, k, m))


def triu_indices(n: int, k: int = 0, m: int | None = None) -> tuple[Any, ...]:
    """The indices of the elements at and above a diagonal of a matrix.

    >>> triu_indices(2)
    (Array([0, 0, 1], dtype=int32), Array([0, 1, 1], dtype=int32))
    """
    return _index_arrays(np.triu_indices(n, k, m))


def _matrix_shape(arr: Any) -> tuple[int, ...]:
    shape = aval_of(arr).shape
    if len(shape) != 2:
        raise ShapeError("expected a matrix", f"shape {shape}")
    return shape


def tril_indices_from(arr: Any, k: int = 0) -> tuple[Any, ...]:
    """`tril_indices` for the shape of a matrix.

    >>> tril_indices_from(np.array([[1, 2], [3, 4]], np.int32))
    (Array([0, 1, 1], dtype=int32), Array([0, 0, 1], dtype=int32))
    """
    n, m = _matrix_shape(arr)
    return tril_indices(n, k, m)


def triu_indices_from(arr: Any, k: int = 0) -> tuple[Any, ...]:
    """`triu_indices` for the shape of a matrix.

    >>> triu_indices_from(np.array([[1, 2], [3, 4]], np.int32))
    (Array([0, 0, 1], dtype=int32), Array([0, 1, 1], dtype=int32))
    """
    n, m = _matrix_shape(arr)
    return triu_indices(n, k, m)


def diag_indices(n: int, ndim: int = 2) -> tuple[Any, ...]:
    """The indices of the main diagonal of an array with `ndim` axes of length `n`.

    >>> diag_indices(2)
    (Array([0, 1], dtype=int32), Array([0, 1], dtype=int32))
    """
    return _index_arrays([np.arange(n)]) * ndim


def diag_indices_from(arr: Any) -> tuple[Any, ...]:
    """`diag_indices` for the shape of an array.

    >>> diag_indices_from(np.array([[1, 2], [3, 4]], np.int32))
    (Array([0, 1], dtype=int32), Array([0, 1], dtype=int32))
    """
    shape = aval_of(arr).shape
    if len(shape) < 2 or len(set(shape)) != 1:
        raise ShapeError("expected at least 2 dimensions, all equal", f"shape {shape}")
    return diag_indices(shape[0], len(shape))


def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    """The matrix whose columns are the powers of a vector.

    Args:
        x: a vector.
        N: the number of columns, its length by default.
        increasing: whether the powers rise from left to right.

    >>> vander(np.array([2, 3], np.int32), 3)
    Array([[4, 2, 1],
           [9, 3, 1]], dtype=int32)
    """
    line = operand(x)
    shape = aval_of(line).shape
    if len(shape) != 1:
        raise ShapeError("expected a vector", f"shape {shape}")
    columns = shape[0] if N is None else static_int(N, "the number of columns")
    if columns < 0:
        raise ArgumentError("expected a number of columns of at least 0", str(columns))
    if columns == 0:
        return zeros((shape[0], 0), aval_of(line).dtype)
    powers = np.arange(columns, dtype=np.int32)
    exponents = powers if increasing else powers[::-1].copy()
    return power(reshape(line, new_sizes=(shape[0], 1)), operand(exponents))
