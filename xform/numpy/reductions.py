"""Reductions: sums, products, extrema, truth, and running sums."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core import dtypes
from ..core.trace import aval_of
from ..errors import ArgumentError, ShapeError
from ..ops import cumulative, elementwise as ops, reduction
from ..ops.structural import reduce_sum, reshape, select_n
from .logic import truth
from .promotion import (
    broadcast,
    canonical_axes,
    canonical_axis,
    cast,
    full_like,
    operand,
    promoted,
    refuse,
    strong,
    together,
    user_dtype,
)

_BOOL = np.dtype(bool)
_INT = np.dtype("int32")


def kept(x: Any, shape: tuple[int, ...], axes: tuple[int, ...], keepdims: bool) -> Any:
    """The result of a reduction, with its axes kept at length 1 where asked."""
    if not keepdims:
        return x
    return reshape(x, new_sizes=tuple(1 if d in axes else n for d, n in enumerate(shape)))


def _integer_result(dtype: Any) -> Any:
    """The dtype a sum of integers or booleans has: at least the default integer's width."""
    default = dtypes.scalar_dtype(int)
    if dtypes.is_bool(dtype):
        return default
    if dtypes.is_integer(dtype) and dtype.itemsize < default.itemsize:
        unsigned = np.dtype("uint64" if default.itemsize == 8 else "uint32")
        return unsigned if dtypes.is_unsigned(dtype) else default
    return dtype


def masked(x: Any, where: Any, fill: Any) -> Any:
    """`x` where a mask holds, elsewhere a number."""
    if where is None:
        return x
    mask = broadcast(cast(operand(where), _BOOL), aval_of(x).shape)
    return select_n(mask, full_like(x, fill), x)


def _folded(
    name: str,
    apply: Any,
    combine: Any,
    identity: int,
    a: Any,
    axis: Any,
    dtype: Any,
    out: Any,
    keepdims: bool,
    initial: Any,
    where: Any,
    promote_integers: bool,
) -> Any:
    refuse(name, out=out)
    x = operand(a)
    aval = aval_of(x)
    wanted = user_dtype(dtype)
    if wanted is None:
        wanted = _integer_result(aval.dtype) if promote_integers else aval.dtype
        if dtypes.is_bool(wanted):
            wanted = dtypes.scalar_dtype(int)
    x = masked(cast(x, wanted), where, identity)
    axes = canonical_axes(axis, aval.ndim)
    result = kept(apply(x, axes=axes), aval.shape, axes, keepdims)
    if initial is None:
        return result
    return combine(result, broadcast(cast(operand(initial), wanted), aval_of(result).shape))


def sum(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: None = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = None,
    promote_integers: bool = True,
) -> Any:
    """The sum over axes, all by default.

    Args:
        a: an array.
        axis: an axis, a tuple of them, or None for all.
        dtype: the dtype to sum in; by default that of `a`, small integers widened.
        out: not supported, as arrays are immutable.
        keepdims: whether to keep the axes at length 1.
        initial: a number to start from.
        where: a mask of the elements to include.
        promote_integers: whether small integers are widened.

    >>> sum(np.ones((2, 3), np.float32), axis=1)
    Array([3., 3.], dtype=float32)
    """
    return _folded(
        "sum",
        reduce_sum,
        ops.add,
        0,
        a,
        axis,
        dtype,
        out,
        keepdims,
        initial,
        where,
        promote_integers,
    )


def prod(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: None = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = None,
    promote_integers: bool = True,
) -> Any:
    """The product over axes, all by default; arguments as for `sum`.

    >>> prod(np.array([2, 1, 3], np.int32))
    Array(6, dtype=int32)
    """
    return _folded(
        "prod",
        reduction.reduce_prod,
        ops.mul,
        1,
        a,
        axis,
        dtype,
        out,
        keepdims,
        initial,
        where,
        promote_integers,
    )


def _least(dtype: Any) -> Any:
    if dtypes.is_bool(dtype):
        return False
    return dtypes.iinfo(dtype).min if dtypes.is_integer(dtype) else -math.inf


def _greatest(dtype: Any) -> Any:
    if dtypes.is_bool(dtype):
        return True
    return dtypes.iinfo(dtype).max if dtypes.is_integer(dtype) else math.inf


def _extremum(
    name: str,
    is_max: bool,
    a: Any,
    axis: Any,
    out: Any,
    keepdims: bool,
    initial: Any,
    where: Any,
) -> Any:
    refuse(name, out=out)
    x = strong(a)
    aval = aval_of(x)
    axes = canonical_axes(axis, aval.ndim)
    if initial is None and math.prod(aval.shape[d] for d in axes) == 0:
        raise ShapeError(
            f"expected at least one element to take the {name} of",
            f"shape {aval.shape} over axes {axes}",
            instead=f"xnp.{name}(x, initial=...)",
        )
    if where is not None:
        if initial is None:
            raise ArgumentError(
                f"expected initial= for {name} with where=",
                "None",
                why="the mask may leave no element",
                instead=f"xnp.{name}(x, where=mask, initial={'-' if is_max else ''}xnp.inf)",
            )
        x = masked(x, where, (_least if is_max else _greatest)(aval.dtype))
    if dtypes.is_bool(aval.dtype):
        apply = reduction.reduce_or if is_max else reduction.reduce_and
        combine = ops.or_ if is_max else ops.and_
    else:
        apply = reduction.reduce_max if is_max else reduction.reduce_min
        combine = ops.max_ if is_max else ops.min_
    result = kept(apply(x, axes=axes), aval.shape, axes, keepdims)
    return result if initial is None else combine(*together(result, initial))


def max(
    a: Any,
    axis: Any = None,
    out: None = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = None,
) -> Any:
    """The largest element over axes; NaN where there is one. Arguments as for `sum`.

    Raises:
        ShapeError: there are no elements, and no `initial`.

    >>> max(np.arange(3, dtype=np.int32))
    Array(2, dtype=int32)
    """
    return _extremum("max", True, a, axis, out, keepdims, initial, where)


def min(
    a: Any,
    axis: Any = None,
    out: None = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = None,
) -> Any:
    """The smallest element over axes; NaN where there is one. Arguments as for `sum`.

    Raises:
        ShapeError: there are no elements, and no `initial`.

    >>> min(np.array([2, 1, 3], np.int32))
    Array(1, dtype=int32)
    """
    return _extremum("min", False, a, axis, out, keepdims, initial, where)


amax, amin = max, min


def any(
    a: Any, axis: Any = None, out: None = None, keepdims: bool = False, *, where: Any = None
) -> Any:
    """Whether an element over axes is true; numbers count as x != 0.

    >>> any(np.array([0, 1], np.int32))
    Array(True, dtype=bool)
    """
    refuse("any", out=out)
    x = truth(a)
    axes = canonical_axes(axis, aval_of(x).ndim)
    found = reduction.reduce_or(masked(x, where, False), axes=axes)
    return kept(found, aval_of(x).shape, axes, keepdims)


def all(
    a: Any, axis: Any = None, out: None = None, keepdims: bool = False, *, where: Any = None
) -> Any:
    """Whether all elements over axes are true; numbers count as x != 0.

    >>> all(np.array([0, 1], np.int32))
    Array(False, dtype=bool)
    """
    refuse("all", out=out)
    x = truth(a)
    axes = canonical_axes(axis, aval_of(x).ndim)
    found = reduction.reduce_and(masked(x, where, True), axes=axes)
    return kept(found, aval_of(x).shape, axes, keepdims)


def _extreme_place(name: str, row: Any, a: Any, axis: Any, out: Any, keepdims: bool) -> Any:
    refuse(name, out=out)
    x = operand(a)
    shape = aval_of(x).shape
    if axis is None:
        flat, at = reshape(x, new_sizes=(aval_of(x).size,)), 0
        axes = tuple(range(len(shape)))
    else:
        flat, at = x, canonical_axis(axis, len(shape))
        axes = (at,)
    if aval_of(flat).shape[at] == 0:
        raise ShapeError(f"expected at least one element to take the {name} of", f"shape {shape}")
    index_dtype = dtypes.scalar_dtype(int)
    found = row(flat, axes=(at,), index_dtype=index_dtype)
    return kept(found, shape, axes, keepdims)


def argmax(a: Any, axis: int | None = None, out: None = None, keepdims: bool = False) -> Any:
    """The place of the largest element along an axis; the first of several, and of NaN.

    Args:
        a: an array.
        axis: the axis; by default the place in the flat array.
        out: not supported, as arrays are immutable.
        keepdims: whether to keep the axis at length 1.

    >>> argmax(np.array([1, 3, 2], np.int32))
    Array(1, dtype=int32)
    """
    return _extreme_place("argmax", reduction.argmax, a, axis, out, keepdims)


def argmin(a: Any, axis: int | None = None, out: None = None, keepdims: bool = False) -> Any:
    """The place of the smallest element along an axis; arguments as for `argmax`.

    >>> argmin(np.array([2, 1, 3], np.int32))
    Array(1, dtype=int32)
    """
    return _extreme_place("argmin", reduction.argmin, a, axis, out, keepdims)


def ptp(a: Any, axis: Any = None, out: None = None, keepdims: bool = False) -> Any:
    """The largest element minus the smallest, over axes.

    >>> ptp(np.array([2, 1, 3], np.int32))
    Array(2, dtype=int32)
    """
    refuse("ptp", out=out)
    return ops.sub(max(a, axis, keepdims=keepdims), min(a, axis, keepdims=keepdims))


def count_nonzero(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The number of elements other than 0, over axes.

    >>> count_nonzero(np.array([0, 1, 2], np.int32))
    Array(2, dtype=int32)
    """
    return sum(truth(a), axis, dtypes.scalar_dtype(int), keepdims=keepdims)


# Averages


def count_of(aval: Any, axes: tuple[int, ...]) -> int:
    """The number of elements over axes."""
    return math.prod(aval.shape[d] for d in axes)


def wide_enough(dtype: Any) -> Any:
    """The dtype in which averages of a floating dtype are computed: at least float32."""
    if dtypes.is_float(dtype) and dtype.itemsize < 4:
        return np.dtype("float32")
    return dtype


def mean(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: None = None,
    keepdims: bool = False,
    *,
    where: Any = None,
) -> Any:
    """The arithmetic mean over axes, all by default; NaN of no elements.

    Args:
        a: an array.
        axis: an axis, a tuple of them, or None for all.
        dtype: the dtype of the result; by default that of `a`, integers as floating point.
        out: not supported, as arrays are immutable.
        keepdims: whether to keep the axes at length 1.
        where: a mask of the elements to include.

    >>> mean(np.arange(4, dtype=np.float32))
    Array(1.5, dtype=float32)
    """
    refuse("mean", out=out)
    x = operand(a)
    aval = aval_of(x)
    wanted = user_dtype(dtype) or dtypes.to_inexact(aval.dtype)
    inner = wide_enough(dtypes.to_inexact(wanted))
    axes = canonical_axes(axis, aval.ndim)
    total = sum(cast(x, inner), axes, keepdims=keepdims, where=where)
    count = _count(aval, axes, keepdims, where, inner)
    result = ops.div(
        total, full_like(total, count) if where is None else broadcast(count, total.shape)
    )
    return cast(result, wanted)


def _count(aval: Any, axes: tuple[int, ...], keepdims: bool, where: Any, dtype: Any) -> Any:
    if where is None:
        return count_of(aval, axes)
    mask = broadcast(cast(operand(where), _BOOL), aval.shape)
    return sum(cast(mask, dtype), axes, keepdims=keepdims)


def var(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: None = None,
    ddof: int = 0,
    keepdims: bool = False,
    *,
    where: Any = None,
    mean: Any = None,
    correction: float | None = None,
) -> Any:
    """The variance over axes, all by default: the mean of |x - mean|².

    Args:
        a: an array.
        axis: an axis, a tuple of them, or None for all.
        dtype: the dtype of the result; by default that of `a`, integers as floating point.
        out: not supported, as arrays are immutable.
        ddof: what to take off the number of elements in the denominator.
        keepdims: whether to keep the axes at length 1.
        where: a mask of the elements to include.
        mean: the mean, with the axes kept, where it is known already.
        correction: another name of `ddof`.

    >>> var(np.arange(4, dtype=np.float32))
    Array(1.25, dtype=float32)
    """
    refuse("var", out=out)
    if correction is not None:
        if ddof != 0:
            raise ArgumentError("expected one of ddof and correction", "both")
        ddof = correction  # type: ignore[assignment]
    x = operand(a)
    aval = aval_of(x)
    wanted = user_dtype(dtype) or dtypes.real_dtype(dtypes.to_inexact(aval.dtype))
    inner = wide_enough(dtypes.to_inexact(aval.dtype))
    if user_dtype(dtype) is not None:
        inner = wide_enough(dtypes.promote_types(inner, dtypes.to_inexact(wanted)))
    x = cast(x, inner)
    axes = canonical_axes(axis, aval.ndim)
    center = (
        _mean(x, axes, keepdims=True, where=where) if mean is None else cast(operand(mean), inner)
    )
    residual = ops.sub(x, broadcast(center, aval.shape))
    if dtypes.is_complex(inner):
        parts = (ops.real(residual), ops.imag(residual))
        squares = ops.add(*(ops.mul(p, p) for p in parts))
    else:
        squares = ops.mul(residual, residual)
    total = sum(squares, axes, keepdims=keepdims, where=where)
    real = aval_of(total).dtype
    count = _count(aval, axes, keepdims, where, real)
    if where is None:
        divisor = full_like(total, count - ddof if count > ddof else 0)
    else:
        count = broadcast(count, aval_of(total).shape)
        divisor = ops.max_(ops.sub(count, full_like(count, ddof)), full_like(count, 0))
    return cast(ops.div(total, divisor), wanted)


_mean = mean


def std(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: None = None,
    ddof: int = 0,
    keepdims: bool = False,
    *,
    where: Any = None,
    mean: Any = None,
    correction: float | None = None,
) -> Any:
    """The standard deviation over axes: the square root of `var`, with its arguments.

    >>> std(np.array([1, 3], np.float32))
    Array(1., dtype=float32)
    """
    refuse("std", out=out)
    wanted = user_dtype(dtype)
    return ops.sqrt(
        var(a, axis, wanted, None, ddof, keepdims, where=where, mean=mean, correction=correction)
    )


def average(
    a: Any, axis: Any = None, weights: Any = None, returned: bool = False, keepdims: bool = False
) -> Any:
    """The weighted mean over axes.

    Args:
        a: an array.
        axis: an axis, a tuple of them, or None for all.
        weights: weights of the shape of `a`, or of its length along the axis.
        returned: whether to return the sum of the weights too.
        keepdims: whether to keep the axes at length 1.

    >>> average(np.array([1, 2], np.float32), weights=np.array([3, 1], np.float32))
    Array(1.25, dtype=float32)
    """
    x = operand(a)
    axes = canonical_axes(axis, aval_of(x).ndim)
    if weights is None:
        out = mean(x, axis, keepdims=keepdims)
        if returned:
            return out, full_like(out, count_of(aval_of(x), axes))
        return out
    x, w = promoted(x, weights, inexact=True)
    shape, have = aval_of(x).shape, aval_of(w).shape
    if have != shape:
        if have != tuple(shape[d] for d in axes):
            raise ShapeError(
                f"expected weights of shape {shape} or its lengths along {axes}", str(have)
            )
        w = reshape(w, new_sizes=tuple(n if d in axes else 1 for d, n in enumerate(shape)))
        w = broadcast(w, shape)
    total = sum(w, axes, keepdims=keepdims)
    out = ops.div(sum(ops.mul(x, w), axes, keepdims=keepdims), total)
    return (out, total) if returned else out


# Running sums and products


def _running(row: Any, name: str, a: Any, axis: int | None, dtype: Any, out: Any) -> Any:
    refuse(name, out=out)
    x = operand(a)
    if axis is None or aval_of(x).ndim == 0:
        x, axis = reshape(x, new_sizes=(aval_of(x).size,)), 0
    at = canonical_axis(axis, aval_of(x).ndim)
    wanted = user_dtype(dtype) or aval_of(x).dtype
    if dtypes.is_bool(wanted):
        wanted = dtypes.scalar_dtype(int)
    return row(cast(x, wanted), axis=at, reverse=False)


def cumsum(a: Any, axis: int | None = None, dtype: Any = None, out: None = None) -> Any:
    """The running sums along an axis; by default of the flat array.

    >>> cumsum(np.arange(4, dtype=np.int32))
    Array([0, 1, 3, 6], dtype=int32)
    """
    return _running(cumulative.cumsum, "cumsum", a, axis, dtype, out)


def cumprod(a: Any, axis: int | None = None, dtype: Any = None, out: None = None) -> Any:
    """The running products along an axis; by default of the flat array.

    >>> cumprod(np.array([2, 1, 3], np.int32))
    Array([2, 2, 6], dtype=int32)
    """
    return _running(cumulative.cumprod, "cumprod", a, axis, dtype, out)
