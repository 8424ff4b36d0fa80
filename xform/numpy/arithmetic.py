"""Element-wise arithmetic of two numbers: functions that promote and broadcast their arguments."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core import dtypes
from ..core.trace import aval_of
from ..errors import DtypeError
from ..ops import elementwise as rows
from ..ops.structural import add as add_row, select_n
from .promotion import cast, full_like, inexact_operand, is_python_scalar, operand, pair
from .ufuncs import named, to_even

_BOOL = np.dtype(bool)
_INT = np.dtype("int32")


def _real_pair(name: str, apply: Any, says: str, example: str) -> Any:
    """A function of two floating-point numbers; integers and booleans are converted."""

    def function(x1: Any, x2: Any, /) -> Any:
        return apply(*pair(x1, x2, inexact=True))

    return named(function, name, says, example)


def binary(name: str, apply: Any, says: str, example: str, on_bool: Any = None) -> Any:
    """A function of two numbers in their promoted dtype."""
    if on_bool is None:

        def function(x1: Any, x2: Any, /) -> Any:
            return apply(*pair(x1, x2))
    else:

        def function(x1: Any, x2: Any, /) -> Any:
            x, y = pair(x1, x2)
            return on_bool(x, y) if x.dtype == _BOOL else apply(x, y)

    return named(function, name, says, example)


add = binary(
    "add",
    add_row,
    "The sum; of booleans, their disjunction.",
    ">>> add(1, 2.5)\nArray(3.5, dtype=float32, weak_type=True)",
    on_bool=rows.or_,
)
subtract = binary(
    "subtract",
    rows.sub,
    "The difference.",
    ">>> subtract(3, 1)\nArray(2, dtype=int32, weak_type=True)",
)
multiply = binary(
    "multiply",
    rows.mul,
    "The product; of booleans, their conjunction.",
    ">>> multiply(2, 3)\nArray(6, dtype=int32, weak_type=True)",
    on_bool=rows.and_,
)
divide = true_divide = _real_pair(
    "divide",
    rows.div,
    "The quotient, as floating point.",
    ">>> divide(1, 2)\nArray(0.5, dtype=float32, weak_type=True)",
)
maximum = binary(
    "maximum",
    rows.max_,
    "The larger number; NaN where one is.",
    ">>> maximum(1, 2)\nArray(2, dtype=int32, weak_type=True)",
    on_bool=rows.or_,
)
minimum = binary(
    "minimum",
    rows.min_,
    "The smaller number; NaN where one is.",
    ">>> minimum(1, 2)\nArray(1, dtype=int32, weak_type=True)",
    on_bool=rows.and_,
)
arctan2 = atan2 = _real_pair(
    "arctan2",
    rows.atan2,
    "The angle of the point (x2, x1), in radians.",
    ">>> arctan2(1.0, 0.0)\nArray(1.5707964, dtype=float32, weak_type=True)",
)
nextafter = _real_pair(
    "nextafter",
    rows.nextafter,
    "The next number after x1 towards x2.",
    ">>> nextafter(1.0, 2.0)\nArray(1.0000001, dtype=float32, weak_type=True)",
)
copysign = _real_pair(
    "copysign",
    rows.copysign,
    "The magnitude of x1 with the sign of x2.",
    ">>> copysign(2.0, -1.0)\nArray(-2., dtype=float32, weak_type=True)",
)


def _either(x: Any, y: Any, better: Any) -> Any:
    """`x` where it is better than `y` or `y` is NaN, else `y`."""
    return select_n(rows.or_(better(x, y), rows.ne(y, y)), y, x)


fmax = binary(
    "fmax",
    lambda x, y: _either(x, y, rows.gt),
    "The larger number; the other one where one is NaN.",
    ">>> fmax(1.0, math.nan)\nArray(1., dtype=float32, weak_type=True)",
)
fmin = binary(
    "fmin",
    lambda x, y: _either(x, y, rows.lt),
    "The smaller number; the other one where one is NaN.",
    ">>> fmin(1.0, math.nan)\nArray(1., dtype=float32, weak_type=True)",
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
    quotient = to_even(rows.div(rows.sub(x, rest), y))
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
    """x1 to the power of x2, as floating point.

    >>> float_power(2, -1)
    Array(0.5, dtype=float32, weak_type=True)
    """
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


hypot = _real_pair(
    "hypot",
    _hypotenuse,
    "The hypotenuse of a right triangle with sides x1, x2.",
    ">>> hypot(3.0, 4.0)\nArray(5., dtype=float32, weak_type=True)",
)


def _log_add(x: Any, y: Any) -> Any:
    """larger + log1p(exp(smaller - larger)), differentiable where the two are equal."""
    larger, smaller = rows.max_(x, y), rows.min_(x, y)
    gap = rows.sub(smaller, larger)
    # Equal infinities have no difference.
    undefined = rows.ne(gap, gap)
    gap = select_n(undefined, gap, full_like(gap, 0))
    return select_n(undefined, add_row(larger, rows.log1p(rows.exp(gap))), add_row(x, y))


logaddexp = _real_pair(
    "logaddexp",
    _log_add,
    "log(exp(x1) + exp(x2)), without overflow.",
    ">>> logaddexp(0.0, 0.0)\nArray(0.6931472, dtype=float32, weak_type=True)",
)


def _log_add_2(x: Any, y: Any) -> Any:
    scale = full_like(x, math.log(2))
    return rows.div(_log_add(rows.mul(x, scale), rows.mul(y, scale)), scale)


logaddexp2 = _real_pair(
    "logaddexp2",
    _log_add_2,
    "log2(2**x1 + 2**x2), without overflow.",
    ">>> logaddexp2(2.0, 2.0)\nArray(3., dtype=float32, weak_type=True)",
)


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
