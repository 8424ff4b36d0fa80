"""Finding: places of elements, sets of elements, sorted search, counts."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core import dtypes
from ..core.trace import Tracer, aval_of
from ..errors import ArgumentError, ConcretizationTypeError, ShapeError
from ..ops import elementwise as ops
from ..ops.structural import full, reshape, select_n
from .at import IndexUpdate
from .indexing import getitem, take
from .logic import truth
from .pointwise import choice
from .promotion import (
    as_array,
    broadcast,
    canonical_axis,
    cast,
    concrete,
    full_like,
    operand,
    promoted,
    refuse,
    static_int,
    strong,
)
from .rearranging import stack
from .reductions import cumsum
from .shaping import ravel

_INT = np.dtype("int32")


def _index_dtype() -> Any:
    return dtypes.scalar_dtype(int)


def _known(x: Any, name: str, instead: str) -> np.ndarray[Any, Any]:
    """The numbers of an array; the error for a traced one, whose result has no known size."""
    found = concrete(x)
    if found is None:
        raise ConcretizationTypeError(
            f"expected known values for {name} without size=",
            x.origin() if isinstance(x, Tracer) else str(aval_of(x)),
            why="the size of the result would depend on values that come later",
            instead=instead,
        )
    return found


def nonzero(a: Any, *, size: int | None = None, fill_value: Any = None) -> tuple[Any, ...]:
    """The indices of the elements other than 0, one array per axis.

    Args:
        a: an array.
        size: the length of the result, needed where `a` is traced; indices beyond are cut off.
        fill_value: what stands for missing indices, a number or one per axis; 0 by default.

    >>> nonzero(np.array([0, 5, 6], np.int32))
    (Array([1, 2], dtype=int32),)
    """
    x = truth(a)
    shape = aval_of(x).shape
    if not shape:
        raise ShapeError(
            "expected an array with at least one dimension for nonzero",
            "a number",
            instead="xnp.nonzero(xnp.atleast_1d(x))",
        )
    if size is None:
        found = np.nonzero(_known(x, "nonzero", "xnp.nonzero(x, size=n)"))
        return tuple(as_array(i.astype(_index_dtype())) for i in found)
    count = static_int(size, "the size of the result")
    flat = ravel(x)
    total = aval_of(flat).size
    fills = fill_value if isinstance(fill_value, tuple) else (fill_value,) * len(shape)
    if total == 0 or count == 0:
        return tuple(full((count,), 0 if f is None else f, _index_dtype()) for f in fills)
    # The n-th true element goes to place n; those beyond the end are dropped.
    rank = cumsum(cast(flat, _INT))
    target = select_n(flat, full_like(rank, count), ops.sub(rank, full_like(rank, 1)))
    line = operand(np.arange(total, dtype=np.int32))
    places = IndexUpdate(full((count,), 0, _INT), target).set(line, mode="drop")
    beyond = ops.ge(
        operand(np.arange(count, dtype=np.int32)),
        broadcast(getitem(rank, -1), (count,)),
    )
    out = []
    for index, fill in zip(_unraveled(places, shape), fills, strict=True):
        filler = cast(operand(0 if fill is None else fill), _INT)
        out.append(cast(select_n(beyond, index, broadcast(filler, (count,))), _index_dtype()))
    return tuple(out)


def _unraveled(places: Any, shape: tuple[int, ...]) -> list[Any]:
    out: list[Any] = []
    rest = places
    for n in reversed(shape):
        size = full_like(rest, max(n, 1))
        out.append(ops.rem(rest, size))
        rest = ops.div(rest, size)
    return out[::-1]


def flatnonzero(a: Any, *, size: int | None = None, fill_value: Any = None) -> Any:
    """The places of the elements other than 0 in the flat array; see `nonzero`.

    >>> flatnonzero(np.array([[0, 5], [6, 0]], np.int32))
    Array([1, 2], dtype=int32)
    """
    return nonzero(ravel(a), size=size, fill_value=fill_value)[0]


def argwhere(a: Any, *, size: int | None = None, fill_value: Any = None) -> Any:
    """The indices of the elements other than 0, one row each; see `nonzero`.

    >>> argwhere(np.array([[0, 5], [6, 0]], np.int32))
    Array([[0, 1],
           [1, 0]], dtype=int32)
    """
    x = operand(a)
    if aval_of(x).ndim == 0:
        found = nonzero(reshape(x, new_sizes=(1,)), size=size, fill_value=fill_value)[0]
        return full((aval_of(found).size, 0), 0, _index_dtype())
    return stack(nonzero(x, size=size, fill_value=fill_value), axis=1)


def where(
    condition: Any,
    x: Any = None,
    y: Any = None,
    /,
    *,
    size: int | None = None,
    fill_value: Any = None,
) -> Any:
    """`x` where a condition holds, elsewhere `y`; with a condition alone, `nonzero`.

    Args:
        condition: booleans; numbers count as x != 0.
        x: values, promoted and broadcast together with the others.
        y: values.
        size: as for `nonzero`.
        fill_value: as for `nonzero`.

    >>> where(np.array([True, False]), 1.0, 0.0)
    Array([1., 0.], dtype=float32, weak_type=True)
    """
    if x is None and y is None:
        return nonzero(condition, size=size, fill_value=fill_value)
    if x is None or y is None:
        raise ArgumentError("expected both x and y for where, or neither", "one of them")
    return choice(condition, x, y)


def extract(condition: Any, arr: Any, *, size: int | None = None, fill_value: Any = 0) -> Any:
    """The elements of the flat array where a condition holds.

    >>> extract(np.array([True, False, True]), np.array([1, 2, 3], np.int32))
    Array([1, 3], dtype=int32)
    """
    return compress(ravel(condition), ravel(arr), size=size, fill_value=fill_value)


def compress(
    condition: Any,
    a: Any,
    axis: int | None = None,
    *,
    size: int | None = None,
    fill_value: Any = 0,
    out: None = None,
) -> Any:
    """The parts of an array along an axis where a condition holds.

    Args:
        condition: a vector of booleans.
        a: an array.
        axis: the axis; by default the array is taken as flat.
        size: the length of the result, needed where the condition is traced.
        fill_value: what stands in missing parts.
        out: not supported, as arrays are immutable.

    >>> compress(np.array([False, True]), np.array([[1, 2], [3, 4]], np.int32), axis=0)
    Array([[3, 4]], dtype=int32)
    """
    refuse("compress", out=out)
    x = operand(a)
    if axis is None:
        x, axis = ravel(x), 0
    at = canonical_axis(axis, aval_of(x).ndim)
    mask = truth(condition)
    if aval_of(mask).ndim != 1:
        raise ShapeError("expected a vector as the condition", f"shape {aval_of(mask).shape}")
    n = aval_of(x).shape[at]
    if aval_of(mask).size > n:
        mask = getitem(mask, slice(n))
    (places,) = nonzero(mask, size=size, fill_value=n)
    mode = "promise_in_bounds" if size is None else "fill"
    return take(x, places, at, mode=mode, fill_value=fill_value)


def compress_method(
    self: Any,
    condition: Any,
    axis: int | None = None,
    *,
    size: int | None = None,
    fill_value: Any = 0,
) -> Any:
    """The parts of the array along an axis where a condition holds; see `compress`."""
    return compress(condition, self, axis, size=size, fill_value=fill_value)


# Sorted search


def searchsorted(
    a: Any, v: Any, side: str = "left", sorter: Any = None, *, method: str = "scan"
) -> Any:
    """Where to insert values into a sorted vector so that it stays sorted.

    Args:
        a: a vector in rising order.
        v: the values.
        side: ``"left"`` for the first such place, ``"right"`` for the last.
        sorter: the places that sort `a`, where it is not sorted.
        method: accepted for compatibility; a binary search is made for all values at once.

    >>> searchsorted(np.array([1, 2, 3], np.int32), 2)
    Array(1, dtype=int32)
    """
    if side not in ("left", "right"):
        raise ArgumentError('expected side "left" or "right"', repr(side))
    line, values = promoted(a, v)
    if aval_of(line).ndim != 1:
        raise ShapeError("expected a vector to search in", f"shape {aval_of(line).shape}")
    if sorter is not None:
        line = take(line, sorter, 0)
    n = aval_of(line).size
    shape = aval_of(values).shape
    low = full(shape, 0, _INT)
    if n == 0:
        return cast(low, _index_dtype())
    high = full(shape, n, _INT)
    for _ in range(n.bit_length()):
        middle = ops.div(ops.add(low, high), full_like(low, 2))
        found = take(line, middle, 0, mode="clip")
        right = _precedes(found, values, side == "right")
        # Where the interval is empty already, it stays so.
        open_ = ops.lt(low, high)
        low = select_n(ops.and_(open_, right), low, ops.add(middle, full_like(middle, 1)))
        high = select_n(ops.and_(open_, ops.not_(right)), high, middle)
    return cast(low, _index_dtype())


def _precedes(x: Any, y: Any, or_equal: bool) -> Any:
    """Whether x comes before y in sorted order, NaN being the last of all."""
    if not dtypes.is_inexact(aval_of(x).dtype):
        return ops.le(x, y) if or_equal else ops.lt(x, y)
    x_nan, y_nan = ops.ne(x, x), ops.ne(y, y)
    if or_equal:
        return ops.or_(ops.le(x, y), y_nan)
    return ops.or_(ops.lt(x, y), ops.and_(y_nan, ops.not_(x_nan)))


def digitize(x: Any, bins: Any, right: bool = False, *, method: str | None = None) -> Any:
    """The number of the bin each value falls in.

    Args:
        x: values.
        bins: a vector of edges, rising or falling.
        right: whether a bin includes its right edge instead of its left.
        method: accepted for compatibility.

    >>> digitize(np.array([0.5, 2.5], np.float32), np.array([0, 1, 2], np.float32))
    Array([1, 3], dtype=int32)
    """
    edges = operand(bins)
    n = aval_of(edges).size
    if aval_of(edges).ndim != 1:
        raise ShapeError("expected a vector of edges", f"shape {aval_of(edges).shape}")
    if n == 0:
        return full(aval_of(x).shape, 0, _index_dtype())
    side = "left" if right else "right"
    rising = searchsorted(edges, x, side)
    other = "right" if right else "left"
    falling = ops.sub(
        full_like(rising, n), searchsorted(getitem(edges, slice(None, None, -1)), x, other)
    )
    is_rising = ops.ge(getitem(edges, -1), getitem(edges, 0))
    return select_n(broadcast(is_rising, aval_of(rising).shape), falling, rising)


def bincount(x: Any, weights: Any = None, minlength: int = 0, *, length: int | None = None) -> Any:
    """How often each integer from 0 on occurs.

    Args:
        x: a vector of non-negative integers; negative ones count as 0.
        weights: what to add for each occurrence, instead of 1.
        minlength: the least length of the result.
        length: the length of the result, needed where `x` is traced; larger integers are dropped.

    >>> bincount(np.array([0, 2, 2], np.int32))
    Array([1, 0, 2], dtype=int32)
    """
    values = operand(x)
    aval = aval_of(values)
    if aval.ndim != 1 or not (dtypes.is_integer(aval.dtype) or dtypes.is_bool(aval.dtype)):
        raise ArgumentError("expected a vector of integers", str(aval))
    values = cast(values, _INT)
    if length is None:
        known = _known(values, "bincount", "xnp.bincount(x, length=n)")
        length = max(int(known.max(initial=-1)) + 1, minlength)
    else:
        length = max(static_int(length, "the length"), minlength)
    values = ops.max_(values, full_like(values, 0))
    amounts = full(aval.shape, 1, _index_dtype()) if weights is None else strong(weights)
    counts = full((length,), 0, aval_of(amounts).dtype)
    return IndexUpdate(counts, values).add(amounts, mode="drop")
