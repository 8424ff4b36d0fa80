"""Element-wise functions of one number: they promote, then apply one operator."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core import dtypes
from ..core.trace import aval_of
from ..errors import ArgumentError
from ..ops import elementwise as rows
from ..ops.structural import select_n
from .promotion import (
    cast,
    full_like,
    inexact_operand,
    operand,
    strong,
)

_BOOL = np.dtype(bool)
_INT = np.dtype("int32")


def named(function: Callable[..., Any], name: str, says: str, example: str) -> Any:
    """Give a function made here its public name and its text."""
    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"{says}\n\n{example}"
    return function


def _real(name: str, apply: Any, says: str, example: str) -> Any:
    """A function of floating-point numbers; integers and booleans are converted."""

    def function(x: Any, /) -> Any:
        return apply(inexact_operand(x))

    return named(function, name, says, example)


def _rounding(name: str, apply: Any, says: str, example: str) -> Any:
    """A function that leaves integers and booleans as they are."""

    def function(x: Any, /) -> Any:
        x = operand(x)
        return apply(x) if dtypes.is_inexact(aval_of(x).dtype) else x

    return named(function, name, says, example)


# Functions of one number

sin = _real(
    "sin",
    rows.sin,
    "The sine of angles in radians.",
    ">>> sin(0.0)\nArray(0., dtype=float32, weak_type=True)",
)
cos = _real(
    "cos",
    rows.cos,
    "The cosine of angles in radians.",
    ">>> cos(0.0)\nArray(1., dtype=float32, weak_type=True)",
)
tan = _real(
    "tan",
    rows.tan,
    "The tangent of angles in radians.",
    ">>> tan(0.0)\nArray(0., dtype=float32, weak_type=True)",
)
arcsin = _real(
    "arcsin",
    rows.asin,
    "The inverse sine, in radians; NaN outside [-1, 1].",
    ">>> arcsin(1.0)\nArray(1.5707964, dtype=float32, weak_type=True)",
)
arccos = _real(
    "arccos",
    rows.acos,
    "The inverse cosine, in radians; NaN outside [-1, 1].",
    ">>> arccos(0.0)\nArray(1.5707964, dtype=float32, weak_type=True)",
)
arctan = _real(
    "arctan",
    rows.atan,
    "The inverse tangent, in radians.",
    ">>> arctan(1.0)\nArray(0.7853982, dtype=float32, weak_type=True)",
)
sinh = _real(
    "sinh",
    rows.sinh,
    "The hyperbolic sine.",
    ">>> sinh(0.0)\nArray(0., dtype=float32, weak_type=True)",
)
cosh = _real(
    "cosh",
    rows.cosh,
    "The hyperbolic cosine.",
    ">>> cosh(0.0)\nArray(1., dtype=float32, weak_type=True)",
)
tanh = _real(
    "tanh",
    rows.tanh,
    "The hyperbolic tangent.",
    ">>> tanh(0.0)\nArray(0., dtype=float32, weak_type=True)",
)
arcsinh = _real(
    "arcsinh",
    rows.asinh,
    "The inverse hyperbolic sine.",
    ">>> arcsinh(0.0)\nArray(0., dtype=float32, weak_type=True)",
)
arccosh = _real(
    "arccosh",
    rows.acosh,
    "The inverse hyperbolic cosine; NaN below 1.",
    ">>> arccosh(1.0)\nArray(0., dtype=float32, weak_type=True)",
)
arctanh = _real(
    "arctanh",
    rows.atanh,
    "The inverse hyperbolic tangent; NaN outside [-1, 1].",
    ">>> arctanh(0.0)\nArray(0., dtype=float32, weak_type=True)",
)
exp = _real(
    "exp", rows.exp, "The exponential.", ">>> exp(0.0)\nArray(1., dtype=float32, weak_type=True)"
)
exp2 = _real(
    "exp2",
    rows.exp2,
    "Two to the power of the argument.",
    ">>> exp2(3.0)\nArray(8., dtype=float32, weak_type=True)",
)
expm1 = _real(
    "expm1",
    rows.expm1,
    "exp(x) - 1, accurate near 0.",
    ">>> expm1(1e-6)\nArray(1.0000005e-06, dtype=float32, weak_type=True)",
)
log = _real(
    "log",
    rows.log,
    "The natural logarithm; NaN below 0.",
    ">>> log(1.0)\nArray(0., dtype=float32, weak_type=True)",
)
log1p = _real(
    "log1p",
    rows.log1p,
    "log(1 + x), accurate near 0.",
    ">>> log1p(1e-6)\nArray(9.999995e-07, dtype=float32, weak_type=True)",
)
sqrt = _real(
    "sqrt",
    rows.sqrt,
    "The non-negative square root; NaN below 0.",
    ">>> sqrt(9.0)\nArray(3., dtype=float32, weak_type=True)",
)
cbrt = _real(
    "cbrt",
    rows.cbrt,
    "The real cube root.",
    ">>> cbrt(-8.0)\nArray(-2., dtype=float32, weak_type=True)",
)

asin, acos, atan, asinh, acosh, atanh = arcsin, arccos, arctan, arcsinh, arccosh, arctanh


def _log10(x: Any) -> Any:
    return rows.div(rows.log(x), full_like(x, math.log(10.0)))


log2 = _real(
    "log2",
    rows.log2,
    "The logarithm to base 2, exact for powers of two; NaN below 0.",
    ">>> log2(8.0)\nArray(3., dtype=float32, weak_type=True)",
)
log10 = _real(
    "log10",
    _log10,
    "The logarithm to base 10.",
    ">>> log10(100.0)\nArray(2., dtype=float32, weak_type=True)",
)


def _scaled(factor: float) -> Callable[[Any], Any]:
    def apply(x: Any) -> Any:
        return rows.mul(x, full_like(x, factor))

    return apply


deg2rad = radians = _real(
    "deg2rad",
    _scaled(math.pi / 180),
    "Degrees to radians.",
    ">>> deg2rad(180.0)\nArray(3.1415927, dtype=float32, weak_type=True)",
)
rad2deg = degrees = _real(
    "rad2deg",
    _scaled(180 / math.pi),
    "Radians to degrees.",
    ">>> rad2deg(3.1415927)\nArray(180., dtype=float32, weak_type=True)",
)


def _truncate(x: Any) -> Any:
    return select_n(rows.lt(x, full_like(x, 0)), rows.floor(x), rows.ceil(x))


def to_even(x: Any) -> Any:
    """The nearest integer; of two equally near, the even one."""
    return rows.round_(x, rounding_method=1)


floor = _rounding(
    "floor",
    rows.floor,
    "The largest integer not above, in the argument's dtype.",
    ">>> floor(-1.5)\nArray(-2., dtype=float32, weak_type=True)",
)
ceil = _rounding(
    "ceil",
    rows.ceil,
    "The smallest integer not below, in the argument's dtype.",
    ">>> ceil(-1.5)\nArray(-1., dtype=float32, weak_type=True)",
)
trunc = _rounding(
    "trunc",
    _truncate,
    "The integer part, in the argument's dtype.",
    ">>> trunc(-1.5)\nArray(-1., dtype=float32, weak_type=True)",
)
fix = trunc


def rint(x: Any, /) -> Any:
    """The nearest integer as a floating-point number; of two equally near, the even one.

    >>> rint(2.5)
    Array(2., dtype=float32, weak_type=True)
    """
    return _on_parts(to_even, inexact_operand(x))


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
        half_even = to_even(rows.div(cast(x, np.dtype("float64")), cast(tens, np.dtype("float64"))))
        return rows.mul(cast(half_even, dtype), tens)
    if places == 0:
        return _on_parts(to_even, x)
    narrow = dtype if dtype.itemsize >= 4 else np.dtype("float32")
    wide = cast(x, narrow, aval_of(x).weak_type)
    factor = 10.0 ** (places if places > 0 else -places)

    def apply(part: Any) -> Any:
        scale = full_like(part, factor)
        up, down = (rows.mul, rows.div) if places > 0 else (rows.div, rows.mul)
        return down(to_even(up(part, scale)), scale)

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
    """The absolute value of real numbers, as floating point.

    >>> fabs(-2)
    Array(2., dtype=float32, weak_type=True)
    """
    return rows.abs_(inexact_operand(x))


def negative(x: Any, /) -> Any:
    """The negated numbers.

    >>> negative(1.0)
    Array(-1., dtype=float32, weak_type=True)
    """
    return rows.neg(operand(x))


def positive(x: Any, /) -> Any:
    """The numbers as they are.

    >>> positive(-2)
    Array(-2, dtype=int32, weak_type=True)
    """
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
    """The complex conjugate; real numbers stay as they are.

    >>> conjugate(1 + 2j)
    Array(1.-2.j, dtype=complex64)
    """
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
