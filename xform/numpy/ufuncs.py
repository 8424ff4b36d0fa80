"""Element-wise arithmetic: functions that promote and broadcast, then apply one operator."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core import dtypes
from ..core.trace import aval_of
from ..errors import ArgumentError, DtypeError
from ..ops.structural import add as add_row, select_n
from . import operators as rows
from .promotion import (
    cast,
    full_like,
    inexact_operand,
    is_python_scalar,
    operand,
    pair,
    strong,
)

_BOOL = np.dtype(bool)
_INT = np.dtype("int32")


def named(function: Callable[..., Any], name: str, says: str, example: str = "") -> Any:
    """Give a function made here its public name and its text."""
    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"{says}\n\n{example}" if example else says
    return function


def _real(name: str, apply: Any, says: str, example: str = "") -> Any:
    """A function of floating-point numbers; integers and booleans are converted."""

    def function(x: Any, /) -> Any:
        return apply(inexact_operand(x))

    return named(function, name, says, example)


def _real_pair(name: str, apply: Any, says: str, example: str = "") -> Any:
    """A function of two floating-point numbers; integers and booleans are converted."""

    def function(x1: Any, x2: Any, /) -> Any:
        return apply(*pair(x1, x2, inexact=True))

    return named(function, name, says, example)


def binary(name: str, apply: Any, says: str, example: str = "", on_bool: Any = None) -> Any:
    """A function of two numbers in their promoted dtype."""
    if on_bool is None:

        def function(x1: Any, x2: Any, /) -> Any:
            return apply(*pair(x1, x2))
    else:

        def function(x1: Any, x2: Any, /) -> Any:
            x, y = pair(x1, x2)
            return on_bool(x, y) if x.dtype == _BOOL else apply(x, y)

    return named(function, name, says, example)


def _rounding(name: str, apply: Any, says: str, example: str = "") -> Any:
    """A function that leaves integers and booleans as they are."""

    def function(x: Any, /) -> Any:
        x = operand(x)
        return apply(x) if dtypes.is_inexact(aval_of(x).dtype) else x

    return named(function, name, says, example)


# Functions of one number

sin = _real("sin", rows.sin, "The sine of angles in radians.")
cos = _real("cos", rows.cos, "The cosine of angles in radians.")
tan = _real("tan", rows.tan, "The tangent of angles in radians.")
arcsin = _real("arcsin", rows.asin, "The inverse sine, in radians; NaN outside [-1, 1].")
arccos = _real("arccos", rows.acos, "The inverse cosine, in radians; NaN outside [-1, 1].")
arctan = _real("arctan", rows.atan, "The inverse tangent, in radians.")
sinh = _real("sinh", rows.sinh, "The hyperbolic sine.")
cosh = _real("cosh", rows.cosh, "The hyperbolic cosine.")
tanh = _real("tanh", rows.tanh, "The hyperbolic tangent.")
arcsinh = _real("arcsinh", rows.asinh, "The inverse hyperbolic sine.")
arccosh = _real("arccosh", rows.acosh, "The inverse hyperbolic cosine; NaN below 1.")
arctanh = _real("arctanh", rows.atanh, "The inverse hyperbolic tangent; NaN outside [-1, 1].")
exp = _real(
    "exp", rows.exp, "The exponential.", ">>> exp(0.0)\nArray(1., dtype=float32, weak_type=True)"
)
exp2 = _real("exp2", rows.exp2, "Two to the power of the argument.")
expm1 = _real("expm1", rows.expm1, "exp(x) - 1, accurate near 0.")
log = _real("log", rows.log, "The natural logarithm; NaN below 0.")
log1p = _real("log1p", rows.log1p, "log(1 + x), accurate near 0.")
sqrt = _real("sqrt", rows.sqrt, "The non-negative square root; NaN below 0.")
cbrt = _real("cbrt", rows.cbrt, "The real cube root.")

asin, acos, atan, asinh, acosh, atanh = arcsin, arccos, arctan, arcsinh, arccosh, arctanh


def _over_log(base: float) -> Callable[[Any], Any]:
    def apply(x: Any) -> Any:
        return rows.div(rows.log(x), full_like(x, math.log(base)))

    return apply


log2 = _real("log2", _over_log(2.0), "The logarithm to base 2.")
log10 = _real("log10", _over_log(10.0), "The logarithm to base 10.")


def _scaled(factor: float) -> Callable[[Any], Any]:
    def apply(x: Any) -> Any:
        return rows.mul(x, full_like(x, factor))

    return apply


deg2rad = radians = _real("deg2rad", _scaled(math.pi / 180), "Degrees to radians.")
rad2deg = degrees = _real("rad2deg", _scaled(180 / math.pi), "Radians to degrees.")


def _truncate(x: Any) -> Any:
    return select_n(rows.lt(x, full_like(x, 0)), rows.floor(x), rows.ceil(x))


def _to_even(x: Any) -> Any:
    return rows.round_(x, rounding_method=1)


floor = _rounding("floor", rows.floor, "The largest integer not above, in the argument's dtype.")
ceil = _rounding("ceil", rows.ceil, "The smallest integer not below, in the argument's dtype.")
trunc = _rounding("trunc", _truncate, "The integer part, in the argument's dtype.")
fix = trunc


def rint(x: Any, /) -> Any:
    """The nearest integer as a floating-point number; of two equally near, the even one.

    >>> rint(2.5)
    Array(2., dtype=float32, weak_type=True)
    """
    return _on_parts(_to_even, inexact_operand(x))


def _on_parts(apply: Callable[[Any], Any], x: Any) -> Any:
    """A function of real numbers, on the parts of complex ones."""
    if dtypes.is_complex(aval_of(x).dtype):
        return rows.complex_(apply(rows.real(x)), apply(rows.imag(x)))
    return apply(x)


def round(a: Any, decimals: int = 0, out: None = None) -> Any:
    """Numbers rounded to a count of decimals; of two equally near, the even one.

    Args:
        a: numbers; integers stay as they are unless `decimals` is negative.
        decimals: how many digits to keep after the point; negative counts before it.
        out: not supported, as arrays are immutable.

    >>> round(2.345, 1)
    Array(2.3, dtype=float32, weak_type=True)
    """
    if out is not None:
        raise ArgumentError("expected round without out=", repr(out), instead="y = round(x)")
    x = operand(a)
    dtype = aval_of(x).dtype
    places = operator.index(decimals)
    if not dtypes.is_inexact(dtype):
        if places >= 0 or dtypes.is_bool(dtype):
            return x
        tens = full_like(x, 10**-places)
        half_even = _to_even(
            rows.div(cast(x, np.dtype("float64")), cast(tens, np.dtype("float64")))
        )
        return rows.mul(cast(half_even, dtype), tens)
    if places == 0:
        return _on_parts(_to_even, x)
    narrow = dtype if dtype.itemsize >= 4 else np.dtype("float32")
    wide = cast(x, narrow, aval_of(x).weak_type)
    factor = 10.0 ** (places if places > 0 else -places)

    def apply(part: Any) -> Any:
        scale = full_like(part, factor)
        up, down = (rows.mul, rows.div) if places > 0 else (rows.div, rows.mul)
        return down(_to_even(up(part, scale)), scale)

    return cast(_on_parts(apply, wide), dtype, aval_of(x).weak_type)


around = round


def absolute(x: Any, /) -> Any:
    """The absolute value; of complex numbers, the modulus.

    >>> absolute(-2)
    Array(2, dtype=int32, weak_type=True)
    """
    x = operand(x)
    dtype = aval_of(x).dtype
    return x if dtypes.is_bool(dtype) or dtypes.is_unsigned(dtype) else rows.abs_(x)


abs = absolute


def fabs(x: Any, /) -> Any:
    """The absolute value of real numbers, as floating point."""
    return rows.abs_(inexact_operand(x))


def negative(x: Any, /) -> Any:
    """The negated numbers.

    >>> negative(1.0)
    Array(-1., dtype=float32, weak_type=True)
    """
    return rows.neg(operand(x))


def positive(x: Any, /) -> Any:
    """The numbers as they are."""
    return operand(x)


def sign(x: Any, /) -> Any:
    """-1, 0 or 1 by the sign; of complex numbers, the number of modulus 1 in its direction.

    >>> sign(-3.0)
    Array(-1., dtype=float32, weak_type=True)
    """
    return rows.sign(operand(x))


def square(x: Any, /) -> Any:
    """The square.

    >>> square(3)
    Array(9, dtype=int32, weak_type=True)
    """
    x = operand(x)
    return rows.square(cast(x, _INT) if x.dtype == _BOOL else x)


def reciprocal(x: Any, /) -> Any:
    """One divided by the numbers, as floating point.

    >>> reciprocal(4.0)
    Array(0.25, dtype=float32, weak_type=True)
    """
    x = inexact_operand(x)
    return rows.div(full_like(x, 1), x)


def conjugate(x: Any, /) -> Any:
    """The complex conjugate; real numbers stay as they are."""
    x = operand(x)
    if not dtypes.is_complex(aval_of(x).dtype):
        return x
    return rows.complex_(rows.real(x), rows.neg(rows.imag(x)))


conj = conjugate


def real(val: Any, /) -> Any:
    """The real part.

    >>> real(1 + 2j)
    Array(1., dtype=float32)
    """
    x = operand(val)
    return rows.real(x) if dtypes.is_complex(aval_of(x).dtype) else x


def imag(val: Any, /) -> Any:
    """The imaginary part; zeros for real numbers.

    >>> imag(1 + 2j)
    Array(2., dtype=float32)
    """
    x = operand(val)
    return rows.imag(x) if dtypes.is_complex(aval_of(x).dtype) else full_like(x, 0)


def angle(z: Any, deg: bool = False) -> Any:
    """The angle of complex numbers from the positive real axis.

    Args:
        z: numbers.
        deg: whether to return degrees instead of radians.

    >>> angle(1j)
    Array(1.5707964, dtype=float32)
    """
    x = strong(inexact_operand(z))
    out = rows.atan2(imag(x), real(x))
    return rad2deg(out) if deg else out


# Arithmetic of two numbers

add = binary(
    "add",
    add_row,
    "The sum; of booleans, their disjunction.",
    ">>> add(1, 2.5)\nArray(3.5, dtype=float32, weak_type=True)",
    on_bool=rows.or_,
)
subtract = binary("subtract", rows.sub, "The difference.")
multiply = binary(
    "multiply", rows.mul, "The product; of booleans, their conjunction.", on_bool=rows.and_
)
divide = true_divide = _real_pair(
    "divide",
    rows.div,
    "The quotient, as floating point.",
    ">>> divide(1, 2)\nArray(0.5, dtype=float32, weak_type=True)",
)
maximum = binary("maximum", rows.max_, "The larger number; NaN where one is.", on_bool=rows.or_)
minimum = binary("minimum", rows.min_, "The smaller number; NaN where one is.", on_bool=rows.and_)
arctan2 = atan2 = _real_pair("arctan2", rows.atan2, "The angle of the point (x2, x1), in radians.")
nextafter = _real_pair("nextafter", rows.nextafter, "The next number after x1 towards x2.")
copysign = _real_pair("copysign", rows.copysign, "The magnitude of x1 with the sign of x2.")


def _either(x: Any, y: Any, better: Any) -> Any:
    """`x` where it is better than `y` or `y` is NaN, else `y`."""
    return select_n(rows.or_(better(x, y), rows.ne(y, y)), y, x)


fmax = binary(
    "fmax",
    lambda x, y: _either(x, y, rows.gt),
    "The larger number; the other one where one is NaN.",
)
fmin = binary(
    "fmin",
    lambda x, y: _either(x, y, rows.lt),
    "The smaller number; the other one where one is NaN.",
)


def _remainder(x: Any, y: Any) -> Any:
    """The remainder with the sign of the divisor."""
    zero = full_like(x, 0)
    rest = rows.rem(x, y)
    opposite = rows.ne(rows.lt(rest, zero), rows.lt(y, zero))
    shifted = rows.and_(opposite, rows.ne(rest, zero))
    return select_n(shifted, rest, add_row(rest, y))


def _floor_quotient(x: Any, y: Any) -> Any:
    dtype = aval_of(x).dtype
    zero = full_like(x, 0)
    if dtypes.is_unsigned(dtype):
        return rows.div(x, y)
    if dtypes.is_integer(dtype):
        quotient = rows.div(x, y)
        inexact = rows.ne(rows.rem(x, y), zero)
        opposite = rows.ne(rows.lt(x, zero), rows.lt(y, zero))
        return select_n(rows.and_(inexact, opposite), quotient, rows.sub(quotient, full_like(x, 1)))
    rest = _remainder(x, y)
    quotient = _to_even(rows.div(rows.sub(x, rest), y))
    # Division by zero has no remainder to take off.
    return select_n(rows.eq(y, zero), quotient, rows.div(x, y))


def _without_bool(name: str, x1: Any, x2: Any) -> tuple[Any, Any]:
    """A promoted pair, of integers where both are boolean; complex numbers have no order."""
    x, y = pair(x1, x2)
    dtype = aval_of(x).dtype
    if dtypes.is_complex(dtype):
        raise DtypeError(f"expected real numbers for {name}", str(dtype))
    if dtypes.is_bool(dtype):
        x, y = (cast(v, _INT) for v in (x, y))
    return x, y


def floor_divide(x1: Any, x2: Any, /) -> Any:
    """The largest integer not above the quotient, in the promoted dtype.

    >>> floor_divide(-7, 2)
    Array(-4, dtype=int32, weak_type=True)
    """
    return _floor_quotient(*_without_bool("floor_divide", x1, x2))


def remainder(x1: Any, x2: Any, /) -> Any:
    """The remainder of `floor_divide`: it has the sign of x2.

    >>> remainder(-7, 3)
    Array(2, dtype=int32, weak_type=True)
    """
    return _remainder(*_without_bool("remainder", x1, x2))


mod = remainder


def fmod(x1: Any, x2: Any, /) -> Any:
    """The remainder of division towards zero: it has the sign of x1.

    >>> fmod(-7, 3)
    Array(-1, dtype=int32, weak_type=True)
    """
    return rows.rem(*_without_bool("fmod", x1, x2))


def divmod(x1: Any, x2: Any, /) -> tuple[Any, Any]:
    """`floor_divide` and `remainder`.

    >>> divmod(7, 2)
    (Array(3, dtype=int32, weak_type=True), Array(1, dtype=int32, weak_type=True))
    """
    x, y = _without_bool("divmod", x1, x2)
    return _floor_quotient(x, y), _remainder(x, y)


def power(x1: Any, x2: Any, /) -> Any:
    """x1 to the power of x2.

    A Python integer as exponent multiplies, so that it is exact and differentiable everywhere;
    integers to the power of an array of integers count negative exponents as 0 except for 1, -1.

    Raises:
        DtypeError: an integer to the power of a negative Python integer.

    >>> power(2, 10)
    Array(1024, dtype=int32, weak_type=True)
    """
    if is_python_scalar(x2) and isinstance(x2, int) and not isinstance(x2, bool):
        base = operand(x1)
        dtype = aval_of(base).dtype
        if dtypes.is_bool(dtype):
            base = cast(base, _INT)
        elif x2 < 0 and dtypes.is_integer(dtype):
            raise DtypeError(
                "expected a non-negative exponent of integers",
                str(x2),
                instead=f"x.astype(float) ** {x2}",
            )
        return rows.square(base) if x2 == 2 else rows.integer_pow(base, y=x2)
    x, y = pair(x1, x2)
    dtype = aval_of(x).dtype
    if dtypes.is_bool(dtype):
        x, y = (cast(v, _INT) for v in (x, y))
        dtype = _INT
    return _integer_power(x, y) if dtypes.is_integer(dtype) else rows.pow_(x, y)


pow = power


def _integer_power(x: Any, y: Any) -> Any:
    """Repeated squaring, one step for each bit an exponent below 64 can have."""
    zero, one = full_like(x, 0), full_like(x, 1)
    out, base, rest = one, x, y
    for _ in range(6):
        odd = rows.ne(rows.and_(rest, one), zero)
        out = select_n(odd, out, rows.mul(out, base))
        base = rows.mul(base, base)
        rest = rows.shift_right_logical(rest, one)
    if dtypes.is_unsigned(aval_of(x).dtype):
        return out
    # Here x ** -n = 1 // x ** n: 0 but for 1 and -1, which are their own inverses.
    unit = rows.eq(rows.abs_(x), one)
    return select_n(rows.lt(y, zero), out, select_n(unit, zero, out))


def float_power(x1: Any, x2: Any, /) -> Any:
    """x1 to the power of x2, as floating point."""
    return rows.pow_(*pair(x1, x2, inexact=True))


def _hypotenuse(x: Any, y: Any) -> Any:
    """sqrt(x² + y²) by the larger side, so that the squares do not overflow."""
    x, y = rows.abs_(x), rows.abs_(y)
    larger, smaller = rows.max_(x, y), rows.min_(x, y)
    one = full_like(x, 1)
    divisor = select_n(rows.eq(larger, full_like(x, 0)), larger, one)
    ratio = rows.div(smaller, divisor)
    out = rows.mul(larger, rows.sqrt(add_row(one, rows.mul(ratio, ratio))))
    infinite = full_like(x, math.inf)
    return select_n(rows.or_(rows.eq(x, infinite), rows.eq(y, infinite)), out, infinite)


hypot = _real_pair("hypot", _hypotenuse, "The hypotenuse of a right triangle with sides x1, x2.")


def _log_add(x: Any, y: Any) -> Any:
    """larger + log1p(exp(smaller - larger)), differentiable where the two are equal."""
    larger, smaller = rows.max_(x, y), rows.min_(x, y)
    gap = rows.sub(smaller, larger)
    # Equal infinities have no difference.
    undefined = rows.ne(gap, gap)
    gap = select_n(undefined, gap, full_like(gap, 0))
    return select_n(undefined, add_row(larger, rows.log1p(rows.exp(gap))), add_row(x, y))


logaddexp = _real_pair("logaddexp", _log_add, "log(exp(x1) + exp(x2)), without overflow.")


def _log_add_2(x: Any, y: Any) -> Any:
    scale = full_like(x, math.log(2))
    return rows.div(_log_add(rows.mul(x, scale), rows.mul(y, scale)), scale)


logaddexp2 = _real_pair("logaddexp2", _log_add_2, "log2(2**x1 + 2**x2), without overflow.")


def heaviside(x1: Any, x2: Any, /) -> Any:
    """The step function: 0 below 0, x2 at 0, 1 above.

    >>> heaviside(0.0, 0.5)
    Array(0.5, dtype=float32, weak_type=True)
    """
    x, y = pair(x1, x2, inexact=True)
    zero = full_like(x, 0)
    step = select_n(rows.eq(x, zero), select_n(rows.lt(x, zero), full_like(x, 1), zero), y)
    return select_n(rows.ne(x, x), step, x)


def ldexp(x1: Any, x2: Any, /) -> Any:
    """x1 times 2 to the power of the integers x2.

    >>> ldexp(1.5, 3)
    Array(12., dtype=float32, weak_type=True)
    """
    if dtypes.is_inexact(aval_of(x2).dtype):
        raise DtypeError("expected integers as the second argument of ldexp", str(aval_of(x2)))
    x, y = pair(inexact_operand(x1), x2)
    # In two halves, so that no intermediate overflows where the result does not.
    half = rows.floor(rows.div(y, full_like(y, 2)))
    return rows.mul(rows.mul(x, rows.exp2(half)), rows.exp2(rows.sub(y, half)))
