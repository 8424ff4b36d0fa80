"""Differences, integrals, interpolation, polynomials and convolution along an axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core import dtypes
from ..core.trace import aval_of
from ..errors import ArgumentError, ShapeError
from ..ops import elementwise as ops
from ..ops.convolution import ConvDimensionNumbers, conv_general_dilated
from ..ops.structural import full, reshape, rev, select_n
from .arithmetic import divide, multiply, remainder, subtract
from .indexing import getitem, take
from .pointwise import choice
from .promotion import (
    broadcast,
    canonical_axes,
    canonical_axis,
    cast,
    full_like,
    inexact_operand,
    operand,
    promoted,
    static_int,
    together,
    user_dtype,
)
from .rearranging import concatenate
from .reductions import cumsum, sum as sum_over
from .searching import searchsorted
from .shaping import moveaxis, part, ravel
from .sorting import argsort

_INT = np.dtype("int32")


def diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    """The n-th differences of neighbours along an axis.

    Args:
        a: an array; of booleans, whether neighbours differ.
        n: how often to take differences.
        axis: the axis.
        prepend: values to put in front along the axis first, an array or a number.
        append: values to put behind.

    >>> diff(np.array([1, 4, 9], np.int32))
    Array([3, 5], dtype=int32)
    """
    x = operand(a)
    rank = aval_of(x).ndim
    if rank == 0:
        raise ShapeError("expected an array with at least one dimension", "a number")
    times = static_int(n, "the number of differences")
    if times < 0:
        raise ArgumentError("expected a number of differences of at least 0", str(times))
    at = canonical_axis(axis, rank)
    x = _extended(x, at, prepend, append)
    for _ in range(times):
        length = aval_of(x).shape[at]
        if length == 0:
            return x
        later, earlier = part(x, at, 1, length), part(x, at, 0, length - 1)
        x = ops.ne(later, earlier) if aval_of(x).dtype == np.bool_ else ops.sub(later, earlier)
    return x


def _extended(x: Any, at: int, before: Any, after: Any) -> Any:
    """An array with values in front and behind, numbers as parts of length 1."""
    parts = []
    for extra in (before, after):
        if extra is None:
            parts.append(None)
            continue
        value = operand(extra)
        if aval_of(value).ndim == 0:
            shape = tuple(1 if d == at else n for d, n in enumerate(aval_of(x).shape))
            value = broadcast(value, shape)
        parts.append(value)
    joined = [p for p in (parts[0], x, parts[1]) if p is not None]
    return concatenate(joined, at) if len(joined) > 1 else x


def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    """The differences of neighbours in the flat array.

    Args:
        ary: an array.
        to_end: values to put behind.
        to_begin: values to put in front.

    >>> ediff1d(np.array([1, 2, 4], np.int32))
    Array([1, 2], dtype=int32)
    """
    x = ravel(ary)
    out = diff(x)
    dtype = aval_of(x).dtype
    ends = [None if v is None else cast(ravel(v), dtype) for v in (to_begin, to_end)]
    parts = [p for p in (ends[0], out, ends[1]) if p is not None]
    return concatenate(parts, 0)


def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int | None = None) -> Any:
    """The derivative of sampled values: central differences, one-sided at the ends.

    Args:
        f: an array.
        *varargs: the distance of neighbours, or their coordinates: one for all axes or one each.
        axis: an axis, several, or None for all.
        edge_order: 1, the only order of one-sided differences there is.

    Returns:
        An array for one axis, a list of them for several.

    >>> gradient(np.array([1, 2, 4], np.float32))
    Array([1. , 1.5, 2. ], dtype=float32)
    """
    if edge_order not in (None, 1):
        raise ArgumentError("expected edge_order=1", str(edge_order))
    x = inexact_operand(f)
    rank = aval_of(x).ndim
    axes = canonical_axes(axis, rank)
    if isinstance(axis, Sequence):
        axes = tuple(canonical_axis(d, rank) for d in axis)
    spacings = list(varargs) if len(varargs) > 1 else [varargs[0] if varargs else 1.0] * len(axes)
    if len(spacings) != len(axes):
        raise ArgumentError(f"expected one spacing, or {len(axes)}", str(len(spacings)))
    out = [_slope(x, d, h) for d, h in zip(axes, spacings, strict=True)]
    return out[0] if len(out) == 1 else out


def _slope(x: Any, at: int, spacing: Any) -> Any:
    shape = aval_of(x).shape
    n = shape[at]
    if n < 2:
        raise ShapeError(
            "expected at least 2 elements along the axis of a gradient", f"shape {shape}"
        )
    steps = diff(x, axis=at)
    if aval_of(spacing).ndim == 0:
        first, last = part(steps, at, 0, 1), part(steps, at, n - 2, n - 1)
        later, earlier = part(x, at, 2, n), part(x, at, 0, n - 2)
        inner = multiply(subtract(later, earlier), 0.5)
        return divide(concatenate([first, inner, last], at), spacing)
    if aval_of(spacing).shape != (n,):
        raise ShapeError(f"expected {n} coordinates", f"shape {aval_of(spacing).shape}")
    sizes = tuple(n - 1 if d == at else 1 for d in range(len(shape)))
    widths = reshape(diff(inexact_operand(spacing)), new_sizes=sizes)
    slopes = divide(steps, widths)
    # The parabola through three points: the slope on each side counts by the other side's width.
    left, right = part(widths, at, 0, n - 2), part(widths, at, 1, n - 1)
    before, after = part(slopes, at, 0, n - 2), part(slopes, at, 1, n - 1)
    a, b = (broadcast(w, aval_of(before).shape) for w in (left, right))
    inner = divide(ops.add(multiply(before, b), multiply(after, a)), ops.add(a, b))
    return concatenate([part(slopes, at, 0, 1), inner, part(slopes, at, n - 2, n - 1)], at)


def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """The integral of sampled values by the trapezoidal rule.

    Args:
        y: the values.
        x: their coordinates, a vector or an array of the shape of `y`.
        dx: the distance of neighbours, where `x` is not given.
        axis: the axis.

    >>> trapezoid(np.array([0.0, 1.0, 2.0], np.float32))
    Array(2., dtype=float32)
    """
    if x is None:
        values = moveaxis(inexact_operand(y), axis, -1)
        widths = dx
    else:
        values, points = promoted(y, x, inexact=True)
        values = moveaxis(values, axis, -1)
        rank = aval_of(points).ndim
        widths = diff(points if rank == 1 else moveaxis(points, axis, -1))
    n = aval_of(values).shape[-1]
    last = aval_of(values).ndim - 1
    sums = ops.add(part(values, last, 1, n), part(values, last, 0, n - 1)) if n else values
    return multiply(sum_over(multiply(sums, widths), -1), 0.5)


def interp(
    x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None
) -> Any:
    """Piecewise linear interpolation.

    Args:
        x: where to interpolate.
        xp: the coordinates of the known points, rising.
        fp: the values there.
        left: the value below the first coordinate, by default the first value.
        right: the value above the last, by default the last value.
        period: a period of the coordinates, which then need not rise.

    >>> interp(1.5, np.arange(3, dtype=np.float32), np.array([0, 10, 20], np.float32))
    Array(15., dtype=float32)
    """
    points, values = operand(xp), operand(fp)
    if aval_of(points).ndim != 1 or aval_of(points).shape != aval_of(values).shape:
        raise ShapeError(
            "expected two vectors of equal length as the known points",
            f"shapes {aval_of(points).shape} and {aval_of(values).shape}",
        )
    if aval_of(points).size == 0:
        raise ShapeError("expected at least one known point", "none")
    where_, points = promoted(x, points, inexact=True)
    values = inexact_operand(values)
    if period is not None:
        where_, points, values = _periodic(where_, points, values, period)
        left = right = None
    n = aval_of(points).size
    if n == 1:
        middle = broadcast(reshape(values, new_sizes=()), aval_of(where_).shape)
    else:
        place = cast(searchsorted(points, where_, "right"), _INT)
        place = ops.min_(ops.max_(place, full_like(place, 1)), full_like(place, n - 1))
        before = ops.sub(place, full_like(place, 1))
        x0, x1 = take(points, before, 0, mode="clip"), take(points, place, 0, mode="clip")
        y0, y1 = take(values, before, 0, mode="clip"), take(values, place, 0, mode="clip")
        width = ops.sub(x1, x0)
        flat = ops.eq(width, full_like(width, 0))
        safe = select_n(flat, width, full_like(width, 1))
        slope = multiply(subtract(y1, y0), divide(subtract(where_, x0), safe))
        middle = choice(flat, y0, ops.add(*together(y0, slope)))
    low = getitem(values, 0) if left is None else left
    high = getitem(values, -1) if right is None else right
    first, last = (broadcast(getitem(points, k), aval_of(where_).shape) for k in (0, -1))
    out = choice(ops.gt(where_, last), high, choice(ops.lt(where_, first), low, middle))
    return cast(out, aval_of(middle).dtype)


def _periodic(x: Any, points: Any, values: Any, period: Any) -> tuple[Any, Any, Any]:
    """Everything within one period, with a point of the neighbouring periods at each end."""
    span = cast(operand(period), aval_of(points).dtype)
    span = ops.abs_(span)
    x = remainder(x, span)
    points = remainder(points, span)
    order = argsort(points)
    points, values = take(points, order, 0), take(values, order, 0)
    before = subtract(getitem(points, slice(-1, None)), span)
    after = ops.add(*together(getitem(points, slice(0, 1)), span))
    points = concatenate([before, points, after], 0)
    values = concatenate(
        [getitem(values, slice(-1, None)), values, getitem(values, slice(0, 1))], 0
    )
    return x, points, values


def unwrap(p: Any, discont: Any = None, axis: int = -1, period: Any = 2 * math.pi) -> Any:
    """Phases with jumps of more than half a period taken out.

    Args:
        p: an array of phases.
        discont: the least jump to take out, half a period by default.
        axis: the axis.
        period: the period.

    >>> unwrap(np.array([0, 350, 10], np.float32), period=360)
    Array([  0., -10.,  10.], dtype=float32)
    """
    x = operand(p)
    at = canonical_axis(axis, aval_of(x).ndim)
    steps = diff(x, axis=at)
    half = divide(period, 2)
    low = ops.neg(operand(half))
    wrapped = subtract(remainder(subtract(steps, low), period), half)
    # A jump by half a period goes the way it went.
    up = ops.and_(*together(ops.eq(*together(wrapped, low)), ops.gt(steps, full_like(steps, 0))))
    wrapped = choice(up, half, wrapped)
    correction = subtract(wrapped, steps)
    least = half if discont is None else discont
    small = ops.lt(*together(ops.abs_(steps), least))
    correction = choice(small, full_like(correction, 0), correction)
    total = cumsum(correction, at)
    n = aval_of(x).shape[at]
    tail = ops.add(*together(part(x, at, 1, n), total))
    return concatenate([part(x, at, 0, 1), tail], at)


def polyval(p: Any, x: Any, *, unroll: int = 16) -> Any:
    """The value of a polynomial, by Horner's rule.

    Args:
        p: the coefficients, that of the highest power first.
        x: where to evaluate.
        unroll: accepted for compatibility.

    >>> polyval(np.array([1, 0, 1], np.int32), 3)
    Array(10, dtype=int32)
    """
    coefficients, values = promoted(p, x)
    out = full_like(values, 0)
    for k in range(aval_of(coefficients).shape[0]):
        term = broadcast(getitem(coefficients, k), aval_of(values).shape)
        out = ops.add(ops.mul(out, values), term)
    return out


def polyadd(a1: Any, a2: Any) -> Any:
    """The sum of two polynomials given by their coefficients, the highest power first.

    >>> polyadd(np.array([1, 2]), np.array([3]))
    Array([1, 5], dtype=int32)
    """
    return _polynomial_sum(a1, a2, ops.add)


def polysub(a1: Any, a2: Any) -> Any:
    """The difference of two polynomials; see `polyadd`.

    >>> polysub(np.array([1, 2]), np.array([3]))
    Array([ 1, -1], dtype=int32)
    """
    return _polynomial_sum(a1, a2, ops.sub)


def _polynomial_sum(a1: Any, a2: Any, combine: Any) -> Any:
    x, y = promoted(a1, a2)
    n = max(aval_of(x).size, aval_of(y).size)
    x, y = (concatenate([full((n - aval_of(v).size,), 0, aval_of(v).dtype), v], 0) for v in (x, y))
    return combine(x, y)


def polymul(a1: Any, a2: Any, *, trim_leading_zeros: bool = False) -> Any:
    """The product of two polynomials; see `polyadd`.

    >>> polymul(np.array([1, 1], np.float32), np.array([1, -1], np.float32))
    Array([ 1.,  0., -1.], dtype=float32)
    """
    if trim_leading_zeros:
        raise ArgumentError("expected trim_leading_zeros=False", "True")
    return convolve(a1, a2)


def polyder(p: Any, m: int = 1) -> Any:
    """The m-th derivative of a polynomial; see `polyadd`.

    >>> polyder(np.array([1, 2, 3], np.float32))
    Array([2., 2.], dtype=float32)
    """
    x = inexact_operand(p)
    times = static_int(m, "the order of the derivative")
    for _ in range(times):
        n = aval_of(x).shape[0]
        powers = operand(np.arange(n - 1, 0, -1, dtype=np.int32))
        x = multiply(part(x, 0, 0, max(n - 1, 0)), powers)
    return x


def polyint(p: Any, m: int = 1, k: Any = None) -> Any:
    """The m-th integral of a polynomial, with constants of integration `k`, 0 by default.

    >>> polyint(np.array([2, 2], np.float32))
    Array([1., 2., 0.], dtype=float32)
    """
    x = inexact_operand(p)
    times = static_int(m, "the order of the integral")
    constants = (
        [0] * times
        if k is None
        else [getitem(broadcast(ravel(k), (times,)), i) for i in range(times)]
    )
    for constant in constants:
        n = aval_of(x).shape[0]
        powers = operand(np.arange(n, 0, -1, dtype=np.int32))
        term = reshape(cast(operand(constant), aval_of(x).dtype), new_sizes=(1,))
        x = concatenate([divide(x, powers), term], 0)
    return x


def convolve(
    a: Any, v: Any, mode: str = "full", *, precision: Any = None, preferred_element_type: Any = None
) -> Any:
    """The convolution of two vectors.

    Args:
        a: a vector.
        v: a vector.
        mode: ``"full"``, ``"same"`` (as long as the longer) or ``"valid"`` (full overlap only).
        precision: accepted for compatibility.
        preferred_element_type: the dtype of the result.

    >>> convolve(np.array([1, 2, 3], np.int32), np.array([0, 1], np.int32))
    Array([0, 1, 2, 3], dtype=int32)
    """
    x, y = _vectors("convolve", a, v)
    if aval_of(x).size < aval_of(y).size:
        x, y = y, x
    return _sliding(x, rev(y, dimensions=(0,)), mode, precision, preferred_element_type)


def correlate(
    a: Any,
    v: Any,
    mode: str = "valid",
    *,
    precision: Any = None,
    preferred_element_type: Any = None,
) -> Any:
    """The correlation of two vectors, the second conjugated; arguments as for `convolve`.

    >>> correlate(np.array([1, 2, 3], np.float32), np.array([1, 1], np.float32))
    Array([3., 5.], dtype=float32)
    """
    x, y = _vectors("correlate", a, v)
    if dtypes.is_complex(aval_of(y).dtype):
        y = ops.complex_(ops.real(y), ops.neg(ops.imag(y)))
    if aval_of(x).size >= aval_of(y).size:
        return _sliding(x, y, mode, precision, preferred_element_type)
    turned = rev(x, dimensions=(0,))
    out = _sliding(rev(y, dimensions=(0,)), turned, mode, precision, preferred_element_type)
    return out


def _vectors(name: str, a: Any, v: Any) -> tuple[Any, Any]:
    x, y = promoted(a, v)
    shapes = aval_of(x).shape, aval_of(y).shape
    if any(len(s) != 1 or s[0] == 0 for s in shapes):
        raise ShapeError(
            f"expected two vectors with elements for {name}", f"{shapes[0]}, {shapes[1]}"
        )
    return x, y


def _sliding(x: Any, window: Any, mode: str, precision: Any, dtype: Any) -> Any:
    """The products of a window with every stretch of a vector at least as long."""
    n, m = aval_of(x).size, aval_of(window).size
    borders = {"valid": (0, 0), "same": (m // 2, m - m // 2 - 1), "full": (m - 1, m - 1)}
    if mode not in borders:
        raise ArgumentError('expected mode "full", "same" or "valid"', repr(mode))
    line = ConvDimensionNumbers((0, 1, 2), (0, 1, 2), (0, 1, 2))
    wanted = user_dtype(dtype)
    out = conv_general_dilated(
        reshape(x, new_sizes=(1, 1, n)),
        reshape(window, new_sizes=(1, 1, m)),
        window_strides=(1,),
        padding=(borders[mode],),
        lhs_dilation=(1,),
        rhs_dilation=(1,),
        dimension_numbers=line,
        feature_group_count=1,
        batch_group_count=1,
        precision=precision,
        preferred_element_type=None if wanted is None else np.dtype(wanted),
    )
    return ravel(out)
