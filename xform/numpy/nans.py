"""Reductions that leave NaN out."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core import dtypes
from ..core.trace import aval_of
from ..ops import elementwise as ops
from ..ops.structural import select_n
from .logic import isnan
from .promotion import broadcast, canonical_axes, cast, full_like, operand, strong, user_dtype
from .reductions import (
    all as all_of,
    argmax,
    argmin,
    cumprod,
    cumsum,
    max as max_over,
    mean,
    min as min_over,
    prod,
    sum as sum_over,
    var,
)

_BOOL = np.dtype(bool)


def _replaced(a: Any, fill: Any) -> Any:
    """An array with a number in place of NaN."""
    x = strong(a)
    if not dtypes.is_inexact(aval_of(x).dtype):
        return x
    return select_n(isnan(x), x, full_like(x, fill))


def nansum(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: None = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = None,
) -> Any:
    """`sum` of the elements that are not NaN.

    >>> nansum(np.array([1, np.nan], np.float32))
    Array(1., dtype=float32)
    """
    return sum_over(_replaced(a, 0), axis, dtype, out, keepdims, initial, where)


def nanprod(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: None = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = None,
) -> Any:
    """`prod` of the elements that are not NaN.

    >>> nanprod(np.array([1, np.nan, 3], np.float32))
    Array(3., dtype=float32)
    """
    return prod(_replaced(a, 1), axis, dtype, out, keepdims, initial, where)


def _nan_extremum(
    reduce: Any, fill: float, a: Any, axis: Any, out: Any, keepdims: bool, initial: Any, where: Any
) -> Any:
    x = strong(a)
    result = reduce(_replaced(x, fill), axis, out, keepdims, initial, where)
    if not dtypes.is_inexact(aval_of(x).dtype) or initial is not None:
        return result
    return select_n(all_of(isnan(x), axis, keepdims=keepdims), result, full_like(result, math.nan))


def nanmax(
    a: Any,
    axis: Any = None,
    out: None = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = None,
) -> Any:
    """`max` of the elements that are not NaN; NaN where there are none.

    >>> nanmax(np.array([1, np.nan, 3], np.float32))
    Array(3., dtype=float32)
    """
    return _nan_extremum(max_over, -math.inf, a, axis, out, keepdims, initial, where)


def nanmin(
    a: Any,
    axis: Any = None,
    out: None = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = None,
) -> Any:
    """`min` of the elements that are not NaN; NaN where there are none.

    >>> nanmin(np.array([1, np.nan, 3], np.float32))
    Array(1., dtype=float32)
    """
    return _nan_extremum(min_over, math.inf, a, axis, out, keepdims, initial, where)


def _nan_place(find: Any, fill: float, a: Any, axis: Any, out: Any, keepdims: bool) -> Any:
    x = strong(a)
    place = find(_replaced(x, fill), axis, out, keepdims)
    if not dtypes.is_inexact(aval_of(x).dtype):
        return place
    return select_n(all_of(isnan(x), axis, keepdims=keepdims), place, full_like(place, -1))


def nanargmax(a: Any, axis: int | None = None, out: None = None, keepdims: bool = False) -> Any:
    """`argmax` of the elements that are not NaN; -1 where there are none.

    >>> nanargmax(np.array([1, np.nan, 3], np.float32))
    Array(2, dtype=int32)
    """
    return _nan_place(argmax, -math.inf, a, axis, out, keepdims)


def nanargmin(a: Any, axis: int | None = None, out: None = None, keepdims: bool = False) -> Any:
    """`argmin` of the elements that are not NaN; -1 where there are none.

    >>> nanargmin(np.array([1, np.nan, 3], np.float32))
    Array(0, dtype=int32)
    """
    return _nan_place(argmin, math.inf, a, axis, out, keepdims)


def nancumsum(a: Any, axis: int | None = None, dtype: Any = None, out: None = None) -> Any:
    """`cumsum` with NaN counted as 0.

    >>> nancumsum(np.array([1, np.nan, 3], np.float32))
    Array([1., 1., 4.], dtype=float32)
    """
    return cumsum(_replaced(a, 0), axis, dtype, out)


def nancumprod(a: Any, axis: int | None = None, dtype: Any = None, out: None = None) -> Any:
    """`cumprod` with NaN counted as 1.

    >>> nancumprod(np.array([1, np.nan, 3], np.float32))
    Array([1., 1., 3.], dtype=float32)
    """
    return cumprod(_replaced(a, 1), axis, dtype, out)


def _present(x: Any, where: Any) -> Any:
    """The elements that are not NaN and not masked out."""
    there = ops.not_(isnan(x))
    if where is None:
        return there
    return ops.and_(there, broadcast(cast(operand(where), _BOOL), aval_of(x).shape))


def nanmean(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: None = None,
    keepdims: bool = False,
    where: Any = None,
) -> Any:
    """`mean` of the elements that are not NaN; NaN where there are none.

    >>> nanmean(np.array([1, np.nan, 3], np.float32))
    Array(2., dtype=float32)
    """
    x = strong(a)
    return mean(x, axis, dtype, out, keepdims, where=_present(x, where))


def nanvar(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: None = None,
    ddof: int = 0,
    keepdims: bool = False,
    where: Any = None,
    mean: Any = None,
) -> Any:
    """`var` of the elements that are not NaN; NaN where there are too few.

    >>> nanvar(np.array([1, np.nan, 3], np.float32))
    Array(1., dtype=float32)
    """
    x = strong(a)
    there = _present(x, where)
    result = var(_replaced(x, 0), axis, dtype, out, ddof, keepdims, where=there, mean=mean)
    axes = canonical_axes(axis, aval_of(x).ndim)
    count = sum_over(there, axes, keepdims=keepdims)
    few = ops.le(count, full_like(count, ddof))
    return select_n(few, result, full_like(result, math.nan))


def nanstd(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: None = None,
    ddof: int = 0,
    keepdims: bool = False,
    where: Any = None,
    mean: Any = None,
) -> Any:
    """`std` of the elements that are not NaN; NaN where there are too few.

    >>> nanstd(np.array([1, np.nan, 3], np.float32))
    Array(1., dtype=float32)
    """
    return ops.sqrt(nanvar(a, axis, user_dtype(dtype), out, ddof, keepdims, where, mean))
