"""Matrices of a pattern, and grids of coordinates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core import dtypes
from ..core.trace import aval_of
from ..errors import ArgumentError, ShapeError
from ..ops.elementwise import eq, ge
from ..ops.slicing import concatenate
from ..ops.structural import add, broadcast_in_dim, iota, reshape
from .creation import arange, asarray, linspace, stacked, zeros
from .promotion import broadcast, canonical_shape, cast, join, static_int


def eye(N: int, M: int | None = None, k: Any = 0, dtype: Any = None) -> Any:
    """A matrix with ones on a diagonal and zeros elsewhere.

    Args:
        N: the number of rows.
        M: the number of columns, N by default.
        k: the diagonal; positive ones lie above the main one.
        dtype: float32 (float64 with `enable_x64`) by default.

    >>> eye(2)
    Array([[1., 0.],
           [0., 1.]], dtype=float32)
    """
    rows = static_int(N, "the number of rows")
    columns = rows if M is None else static_int(M, "the number of columns")
    row, column = _row_and_column(rows, columns, k)
    return cast(eq(row, column), dtypes.check_user_dtype(float if dtype is None else dtype))


def _row_and_column(rows: int, columns: int, k: Any) -> tuple[Any, Any]:
    """Row + k and column numbers, as two integer matrices."""
    shape = canonical_shape((rows, columns))
    row = iota(dtype=np.dtype("int32"), shape=shape, dimension=0)
    column = iota(dtype=np.dtype("int32"), shape=shape, dimension=1)
    shift = broadcast(cast(k, np.dtype("int32")), shape)
    return add(row, shift), column


def identity(n: int, dtype: Any = None) -> Any:
    """A square matrix with ones on the main diagonal and zeros elsewhere.

    >>> identity(1)
    Array([[1.]], dtype=float32)
    """
    return eye(n, dtype=dtype)


def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Any:
    """A matrix with ones at and below a diagonal and zeros elsewhere.

    >>> tri(2)
    Array([[1., 0.],
           [1., 1.]], dtype=float32)
    """
    rows = static_int(N, "the number of rows")
    columns = rows if M is None else static_int(M, "the number of columns")
    row, column = _row_and_column(rows, columns, k)
    return cast(ge(row, column), dtypes.check_user_dtype(float if dtype is None else dtype))


def mask_below(shape: tuple[int, int], k: int) -> np.ndarray[Any, Any]:
    """Where a matrix lies at or below a diagonal."""
    rows, columns = shape
    return np.arange(columns) <= np.arange(rows)[:, None] + k


def meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> list[Any]:
    """Coordinate arrays of a grid from coordinate vectors.

    Args:
        *xi: 1-d arrays.
        copy: accepted for compatibility.
        sparse: whether to leave the other axes at length 1.
        indexing: ``"xy"`` lets the first vector run along the columns, ``"ij"`` along the rows.

    >>> [x.shape for x in meshgrid(arange(2), arange(3))]
    [(3, 2), (3, 2)]
    """
    if indexing not in ("xy", "ij"):
        raise ArgumentError('expected indexing "xy" or "ij"', repr(indexing))
    lines = [_line(x) for x in xi]
    order = list(range(len(lines)))
    if indexing == "xy" and len(lines) >= 2:
        order[0], order[1] = 1, 0
    lengths = [aval_of(x).shape[0] for x in lines]
    shape = [0] * len(lines)
    for at, n in zip(order, lengths, strict=True):
        shape[at] = n
    out = []
    for at, line, n in zip(order, lines, lengths, strict=True):
        sizes = tuple(n if d == at else 1 for d in range(len(shape))) if sparse else tuple(shape)
        out.append(broadcast_in_dim(line, shape=sizes, broadcast_dimensions=(at,)))
    return out


def _line(x: Any) -> Any:
    aval = aval_of(x)
    if aval.ndim > 1:
        raise ShapeError("expected vectors", f"an array of shape {aval.shape}")
    return reshape(asarray(x), new_sizes=(1,)) if aval.ndim == 0 else x


def indices(dimensions: Sequence[int], dtype: Any = None, sparse: bool = False) -> Any:
    """The index of every element of a shape, one array per axis.

    Args:
        dimensions: the shape.
        dtype: int32 (int64 with `enable_x64`) by default.
        sparse: whether to return a tuple of arrays that broadcast instead of one array.

    >>> indices((2, 2))[0]
    Array([[0, 0],
           [1, 1]], dtype=int32)
    """
    shape = canonical_shape(dimensions)
    wanted = dtypes.check_user_dtype(int if dtype is None else dtype)
    rank = len(shape)
    if sparse:
        return tuple(
            iota(
                dtype=wanted,
                shape=tuple(n if d == at else 1 for d, n in enumerate(shape)),
                dimension=at,
            )
            for at in range(rank)
        )
    if not rank:
        return zeros((0,), wanted)
    grids = [
        reshape(iota(dtype=wanted, shape=shape, dimension=at), new_sizes=(1, *shape))
        for at in range(rank)
    ]
    return concatenate(*grids, dimension=0)


def fromfunction(
    function: Callable[..., Any], shape: Any, *, dtype: Any = float, **kwargs: Any
) -> Any:
    """The values of a function of the indices of a shape.

    Args:
        function: takes one array of indices per axis.
        shape: the shape.
        dtype: the dtype of the indices.
        **kwargs: passed on to the function.

    >>> fromfunction(lambda i, j: i, (2, 2), dtype="int32")
    Array([[0, 0],
           [1, 1]], dtype=int32)
    """
    wanted = dtypes.check_user_dtype(dtype)
    sizes = canonical_shape(shape)
    grids = [iota(dtype=wanted, shape=sizes, dimension=at) for at in range(len(sizes))]
    return function(*grids, **kwargs)


def _grid_lines(key: Any) -> list[Any]:
    slices = key if isinstance(key, tuple) else (key,)
    return [_grid_line(s) for s in slices]


def _grid_line(s: slice) -> Any:
    start = 0 if s.start is None else s.start
    step = 1 if s.step is None else s.step
    if isinstance(step, complex):
        return linspace(start, s.stop, int(abs(step)))
    return arange(start, s.stop, step)


class Grid:
    """`mgrid` and `ogrid`: indexed with slices, a grid of their ranges.

    A complex step is the number of points, the end included.
    """

    def __init__(self, dense: bool) -> None:
        self._dense = dense

    def __getitem__(self, key: Any) -> Any:
        lines = _grid_lines(key)
        dtype = join([aval_of(x) for x in lines])[0]
        lines = [cast(x, dtype) for x in lines]
        if not isinstance(key, tuple):
            return lines[0]
        grids = meshgrid(*lines, sparse=not self._dense, indexing="ij")
        if not self._dense:
            return grids
        return stacked(grids, None)


mgrid = Grid(dense=True)
ogrid = Grid(dense=False)
