"""Element-wise composites: choices, limits, special values and functions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core import dtypes
from ..core.trace import aval_of
from ..errors import ArgumentError, DtypeError, ShapeError
from ..ops import elementwise as ops
from ..ops.structural import select_n
from .logic import isclose, isfinite, signbit, truth
from .promotion import (
    broadcast,
    broadcast_shapes,
    cast,
    full_like,
    inexact_operand,
    operand,
    pair,
    promoted,
    strong,
    user_dtype,
)
from .reductions import all as all_of

_BOOL = np.dtype(bool)
_INT = np.dtype("int32")


def choice(condition: Any, x: Any, y: Any) -> Any:
    """`x` where a condition holds, elsewhere `y`; promoted and broadcast together."""
    first, second = promoted(x, y)
    mask = truth(condition)
    shape = broadcast_shapes(*(aval_of(v).shape for v in (mask, first, second)))
    return select_n(broadcast(mask, shape), broadcast(second, shape), broadcast(first, shape))


def clip(arr: Any, /, min: Any = None, max: Any = None) -> Any:
    """The numbers limited to an interval; NaN stays.

    Args:
        arr: real numbers.
        min: the lower bound, or None.
        max: the upper bound, or None; it wins over a lower bound above it.

    >>> clip(3.5, 0, 1)
    Array(1., dtype=float32, weak_type=True)
    """
    x = operand(arr)
    if dtypes.is_complex(aval_of(x).dtype):
        raise DtypeError("expected real numbers to clip", str(aval_of(x)))
    if min is not None:
        x = ops.max_(*_numbers(*pair(x, min)))
    if max is not None:
        x = ops.min_(*_numbers(*pair(x, max)))
    return x


def _numbers(x: Any, y: Any) -> tuple[Any, Any]:
    if aval_of(x).dtype == _BOOL:
        return cast(x, _INT), cast(y, _INT)
    return x, y


def nan_to_num(
    x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None
) -> Any:
    """The numbers with NaN and infinities replaced.

    Args:
        x: numbers.
        copy: accepted for compatibility.
        nan: what replaces NaN.
        posinf: what replaces +inf; by default the largest number of the dtype.
        neginf: what replaces -inf; by default the least.

    >>> nan_to_num(np.array([1, np.nan], np.float32))
    Array([1., 0.], dtype=float32)
    """
    values = operand(x)
    dtype = aval_of(values).dtype
    if not dtypes.is_inexact(dtype):
        return values
    if dtypes.is_complex(dtype):
        parts = (ops.real(values), ops.imag(values))
        return ops.complex_(*(nan_to_num(p, copy, nan, posinf, neginf) for p in parts))
    limits = dtypes.finfo(dtype)
    high = float(limits.max) if posinf is None else posinf
    low = float(limits.min) if neginf is None else neginf
    shape = aval_of(values).shape
    high, low, nan = (broadcast(cast(operand(v), dtype), shape) for v in (high, low, nan))
    values = select_n(ops.ne(values, values), values, nan)
    values = select_n(ops.eq(values, full_like(values, math.inf)), values, high)
    return select_n(ops.eq(values, full_like(values, -math.inf)), values, low)


def sinc(x: Any, /) -> Any:
    """sin(pi x) / (pi x), with 1 at 0; differentiable there.

    >>> sinc(0.0)
    Array(1., dtype=float32, weak_type=True)
    """
    values = inexact_operand(x)
    angle = ops.mul(values, full_like(values, math.pi))
    zero = ops.eq(angle, full_like(angle, 0))
    one = full_like(angle, 1)
    safe = select_n(zero, angle, one)
    # The first terms of the series around 0, for the derivatives.
    square = ops.mul(angle, angle)
    series = ops.sub(one, ops.div(square, full_like(angle, 6)))
    series = ops.add(series, ops.div(ops.mul(square, square), full_like(angle, 120)))
    return select_n(zero, ops.div(ops.sin(safe), safe), series)


def frexp(x: Any, /) -> tuple[Any, Any]:
    """The mantissa in [0.5, 1) and the exponent of 2, so that x = mantissa * 2**exponent.

    >>> frexp(8.0)
    (Array(0.5, dtype=float32), Array(4, dtype=int32))
    """
    values = strong(inexact_operand(x))
    if dtypes.is_complex(aval_of(values).dtype):
        raise DtypeError("expected real numbers", str(aval_of(values)))
    dtype = aval_of(values).dtype
    wide = cast(values, np.dtype("float32")) if dtype.itemsize < 4 else values
    word, bits, bias = (
        (np.dtype("int32"), 23, 127)
        if aval_of(wide).dtype.itemsize == 4
        else (np.dtype("int64"), 52, 1023)
    )
    tiny = float(np.finfo(aval_of(wide).dtype).tiny)
    subnormal = ops.lt(ops.abs_(wide), full_like(wide, tiny))
    scaled = select_n(subnormal, wide, ops.mul(wide, full_like(wide, 2.0**bits)))
    pattern = ops.bitcast_convert_type(scaled, new_dtype=word)
    field = (1 << (word.itemsize * 8 - 1 - bits)) - 1
    raw = ops.and_(
        ops.shift_right_logical(pattern, full_like(pattern, bits)), full_like(pattern, field)
    )
    exponent = ops.sub(raw, full_like(raw, bias - 1))
    exponent = select_n(subnormal, exponent, ops.sub(exponent, full_like(exponent, bits)))
    keep = full_like(pattern, ~(field << bits))
    half = full_like(pattern, (bias - 1) << bits)
    mantissa = ops.bitcast_convert_type(
        ops.or_(ops.and_(pattern, keep), half), new_dtype=aval_of(wide).dtype
    )
    special = ops.or_(ops.eq(wide, full_like(wide, 0)), ops.not_(isfinite(wide)))
    mantissa = select_n(special, mantissa, wide)
    exponent = select_n(special, exponent, full_like(exponent, 0))
    return cast(mantissa, dtype), cast(exponent, _INT)


def modf(x: Any, /, out: None = None) -> tuple[Any, Any]:
    """The fractional and the integer part, both with the sign of x.

    >>> modf(-1.5)
    (Array(-0.5, dtype=float32, weak_type=True), Array(-1., dtype=float32, weak_type=True))
    """
    values = inexact_operand(x)
    negative = signbit(values)
    whole = select_n(negative, ops.floor(values), ops.ceil(values))
    # The difference taken the other way round has the sign of x where it is 0.
    rest = select_n(negative, ops.sub(values, whole), ops.neg(ops.sub(whole, values)))
    infinite = ops.eq(ops.abs_(values), full_like(values, math.inf))
    return select_n(infinite, rest, ops.copysign(full_like(values, 0), values)), whole


def gcd(x1: Any, x2: Any) -> Any:
    """The greatest common divisor of integers.

    >>> gcd(12, 18)
    Array(6, dtype=int32, weak_type=True)
    """
    x, y = _magnitudes("gcd", x1, x2)
    # Euclid's algorithm on w-bit integers ends after fewer than 1.4405 w + 2 steps.
    for _ in range(_steps(aval_of(x).dtype)):
        done = ops.eq(y, full_like(y, 0))
        x, y = (
            select_n(done, y, x),
            select_n(done, ops.rem(x, select_n(done, y, full_like(y, 1))), y),
        )
    return x


def _steps(dtype: Any) -> int:
    return math.ceil(1.4405 * 8 * dtype.itemsize) + 2


def _magnitudes(name: str, x1: Any, x2: Any) -> tuple[Any, Any]:
    x, y = pair(x1, x2)
    dtype = aval_of(x).dtype
    if not dtypes.is_integer(dtype):
        raise DtypeError(f"expected integers for {name}", str(dtype))
    if dtypes.is_unsigned(dtype):
        return x, y
    return ops.abs_(x), ops.abs_(y)


def lcm(x1: Any, x2: Any) -> Any:
    """The least common multiple of integers.

    >>> lcm(4, 6)
    Array(12, dtype=int32, weak_type=True)
    """
    x, y = _magnitudes("lcm", x1, x2)
    divisor = gcd(x, y)
    zero = ops.eq(divisor, full_like(divisor, 0))
    return ops.mul(x, ops.div(y, select_n(zero, divisor, full_like(divisor, 1))))


def allclose(a: Any, b: Any, rtol: Any = 1e-05, atol: Any = 1e-08, equal_nan: bool = False) -> Any:
    """Whether all |a - b| <= atol + rtol |b|; see `isclose`.

    >>> allclose(1.0, 1.0)
    Array(True, dtype=bool)
    """
    return all_of(isclose(a, b, rtol, atol, equal_nan))


def array_equal(a1: Any, a2: Any, equal_nan: bool = False) -> Any:
    """Whether two arrays have one shape and equal elements.

    >>> array_equal(1, 1.0)
    Array(True, dtype=bool)
    """
    if aval_of(a1).shape != aval_of(a2).shape:
        return operand(np.asarray(False))
    x, y = pair(a1, a2)
    same = ops.eq(x, y)
    if equal_nan:
        same = ops.or_(same, ops.and_(ops.ne(x, x), ops.ne(y, y)))
    return all_of(same)


def array_equiv(a1: Any, a2: Any) -> Any:
    """Whether two arrays are equal once broadcast together.

    >>> array_equiv(1, np.array([1, 1], np.int32))
    Array(True, dtype=bool)
    """
    try:
        x, y = pair(a1, a2)
    except ShapeError:
        return operand(np.asarray(False))
    return all_of(ops.eq(x, y))


def view(x: Any, dtype: Any = None) -> Any:
    """The same bits as elements of another dtype of the same width.

    Raises:
        DtypeError: the widths differ.
    """
    values = operand(x)
    wanted = user_dtype(dtype)
    if wanted is None or wanted == aval_of(values).dtype:
        return values
    return ops.bitcast_convert_type(values, new_dtype=wanted)


def piecewise(x: Any, condlist: Any, funclist: Sequence[Any], *args: Any, **kw: Any) -> Any:
    """For each element, the function of the first condition that holds.

    Args:
        x: an array.
        condlist: boolean arrays of its shape.
        funclist: a function or a number for each condition, and one more for where none holds.
        *args: passed on to the functions.
        **kw: passed on to the functions.

    >>> x = np.array([-2.0, 3.0], np.float32)
    >>> piecewise(x, [x < 0], [lambda x: -x, 10])
    Array([ 2., 10.], dtype=float32)
    """
    values = operand(x)
    conditions = list(condlist) if isinstance(condlist, Sequence) else [condlist]
    if len(funclist) not in (len(conditions), len(conditions) + 1):
        raise ArgumentError(
            f"expected {len(conditions)} or {len(conditions) + 1} functions", str(len(funclist))
        )
    dtype = aval_of(values).dtype
    shape = aval_of(values).shape

    def value(function: Any) -> Any:
        out = function(values, *args, **kw) if callable(function) else function
        return broadcast(cast(operand(out), dtype), shape)

    default = funclist[-1] if len(funclist) > len(conditions) else 0
    out = value(default)
    for condition, function in reversed(list(zip(conditions, funclist, strict=False))):
        out = select_n(broadcast(truth(condition), shape), out, value(function))
    return out
