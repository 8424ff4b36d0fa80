"""Operators that work on each element by itself, under JAX's names in `jax.lax`.

Operands are arrays of equal shapes and dtypes. Numbers, and weakly typed arrays without dimensions,
follow the other operand; nothing else is broadcast or promoted: `xform.numpy` does that.
"""

from __future__ import annotations

import enum
from typing import Any

import numpy as np

from .. import tree
from ..core import dtypes
from ..core.trace import aval_of
from ..ops import elementwise as rows, special, structural
from .operands import agree, operand, static_int, user_dtype
from .wrapping import ANY, FLOATS, INEXACT, NUMBERS, REALS, accurate, binary, unary

# Arithmetic

neg = unary(
    "neg", rows.neg, "The negative.", NUMBERS, "neg(np.float32(2)) -> Array(-2., dtype=float32)"
)
abs = unary(
    "abs",
    rows.abs_,
    "The absolute value; of a complex number its magnitude.",
    NUMBERS,
    "abs(np.float32(-2)) -> Array(2., dtype=float32)",
)
sign = unary(
    "sign",
    rows.sign,
    "-1, 0 or 1; of a complex number the number of magnitude 1 in its direction.",
    NUMBERS,
    "sign(np.float32(-2)) -> Array(-1., dtype=float32)",
)
add = binary(
    "add",
    structural.add,
    "The sum.",
    NUMBERS,
    "add(np.float32(2), 1) -> Array(3., dtype=float32)",
)
sub = binary(
    "sub",
    rows.sub,
    "The difference.",
    NUMBERS,
    "sub(np.float32(2), 1) -> Array(1., dtype=float32)",
)
div = binary(
    "div",
    rows.div,
    "The quotient; of integers it is rounded towards zero.",
    NUMBERS,
    "div(np.int32(-7), 2) -> Array(-3, dtype=int32)",
)
rem = binary(
    "rem",
    rows.rem,
    "The remainder of a division rounded towards zero; it has the sign of `x`.",
    REALS,
    "rem(np.int32(-7), 2) -> Array(-1, dtype=int32)",
)
max = binary(
    "max",
    rows.max_,
    "The greater; NaN where either is NaN.",
    ANY,
    "max(np.float32(2), 1) -> Array(2., dtype=float32)",
)
min = binary(
    "min",
    rows.min_,
    "The lesser; NaN where either is NaN.",
    ANY,
    "min(np.float32(2), 1) -> Array(1., dtype=float32)",
)
square = unary(
    "square", rows.square, "The square.", NUMBERS, "square(np.int32(3)) -> Array(9, dtype=int32)"
)


def nextafter(x1: Any, x2: Any) -> Any:
    """The floating-point number next to `x1` in the direction of `x2`.

    Args:
        x1, x2: arrays of equal shapes and dtypes, of a floating dtype; one may be a number.

    Raises:
        DtypeError: the dtype is another, or the dtypes differ.

    >>> nextafter(np.float32(1), 2)
    Array(1.0000001, dtype=float32)
    """
    return rows.nextafter(*agree(x1, x2))


def mul(x: Any, y: Any, *, out_dtype: Any = None) -> Any:
    """The product.

    Args:
        x, y: arrays of equal shapes and dtypes, of a numeric dtype; one may be a number.
        out_dtype: a dtype to convert both to before.

    Raises:
        DtypeError: the dtypes differ.

    >>> mul(np.float32(2), 3)
    Array(6., dtype=float32)
    """
    pair = agree(x, y)
    if out_dtype is not None:
        wanted = user_dtype(out_dtype)
        pair = [structural.convert(v, wanted) for v in pair]
    return rows.mul(*pair)


def reciprocal(x: Any) -> Any:
    """One over `x`.

    Args:
        x: an array of a floating or complex dtype, or a number.

    >>> reciprocal(np.float32(4))
    Array(0.25, dtype=float32)
    """
    return div(1, x)


def pow(x: Any, y: Any) -> Any:
    """`x` to the power `y`.

    Args:
        x: an array of a floating or complex dtype, or a number.
        y: an array of the same shape, of the same dtype or of integers, or a number.

    >>> pow(np.float32(2), 3)
    Array(8., dtype=float32)
    """
    if isinstance(y, int | np.integer) and not isinstance(y, bool):
        return integer_pow(x, int(y))
    if not dtypes.is_integer(aval_of(y).dtype):
        return rows.pow_(*agree(x, y))
    base, exponent = operand(x), operand(y)
    shape = aval_of(base).shape or aval_of(exponent).shape
    spread = [
        v
        if aval_of(v).shape
        else structural.broadcast_in_dim(v, shape=shape, broadcast_dimensions=())
        for v in (base, exponent)
    ]
    return rows.pow_(*(spread if shape else (base, exponent)))


def integer_pow(x: Any, y: int) -> Any:
    """`x` to the power of an integer that is known while tracing.

    Args:
        x: an array of a numeric dtype, or a number.
        y: the exponent; negative for floating and complex dtypes only.

    >>> integer_pow(np.int32(3), 4)
    Array(81, dtype=int32)
    """
    return rows.integer_pow(operand(x), y=static_int(y, "an exponent"))


# Powers, exponentials, logarithms

sqrt = accurate(
    "sqrt",
    rows.sqrt,
    "The square root.",
    INEXACT,
    "sqrt(np.float32(4)) -> Array(2., dtype=float32)",
)
rsqrt = accurate(
    "rsqrt",
    rows.rsqrt,
    "One over the square root.",
    INEXACT,
    "rsqrt(np.float32(4)) -> Array(0.5, dtype=float32)",
)
cbrt = accurate(
    "cbrt", rows.cbrt, "The cube root.", FLOATS, "cbrt(np.float32(8)) -> Array(2., dtype=float32)"
)
exp = accurate(
    "exp",
    rows.exp,
    "e to the power `x`.",
    INEXACT,
    "exp(np.float32(0)) -> Array(1., dtype=float32)",
)
exp2 = accurate(
    "exp2",
    rows.exp2,
    "2 to the power `x`.",
    INEXACT,
    "exp2(np.float32(3)) -> Array(8., dtype=float32)",
)
expm1 = accurate(
    "expm1",
    rows.expm1,
    "exp(x) - 1, exact for small `x`.",
    INEXACT,
    "expm1(np.float32(1e-9)) -> Array(1.e-09, dtype=float32)",
)
log = accurate(
    "log",
    rows.log,
    "The natural logarithm.",
    INEXACT,
    "log(np.float32(1)) -> Array(0., dtype=float32)",
)
log1p = accurate(
    "log1p",
    rows.log1p,
    "log(1 + x), exact for small `x`.",
    INEXACT,
    "log1p(np.float32(1e-9)) -> Array(1.e-09, dtype=float32)",
)
logistic = accurate(
    "logistic",
    rows.logistic,
    "1 / (1 + exp(-x)).",
    INEXACT,
    "logistic(np.float32(0)) -> Array(0.5, dtype=float32)",
)

# Trigonometry

sin = accurate(
    "sin", rows.sin, "The sine.", INEXACT, "sin(np.float32(0)) -> Array(0., dtype=float32)"
)
cos = accurate(
    "cos", rows.cos, "The cosine.", INEXACT, "cos(np.float32(0)) -> Array(1., dtype=float32)"
)
tan = accurate(
    "tan", rows.tan, "The tangent.", INEXACT, "tan(np.float32(0)) -> Array(0., dtype=float32)"
)
asin = unary(
    "asin",
    rows.asin,
    "The inverse sine.",
    INEXACT,
    "asin(np.float32(0)) -> Array(0., dtype=float32)",
)
acos = unary(
    "acos",
    rows.acos,
    "The inverse cosine.",
    INEXACT,
    "acos(np.float32(1)) -> Array(0., dtype=float32)",
)
atan = unary(
    "atan",
    rows.atan,
    "The inverse tangent.",
    INEXACT,
    "atan(np.float32(0)) -> Array(0., dtype=float32)",
)
atan2 = binary(
    "atan2",
    rows.atan2,
    "The angle of the point with abscissa `y` and ordinate `x`.",
    FLOATS,
    "atan2(np.float32(0), 1) -> Array(0., dtype=float32)",
)
sinh = unary(
    "sinh",
    rows.sinh,
    "The hyperbolic sine.",
    INEXACT,
    "sinh(np.float32(0)) -> Array(0., dtype=float32)",
)
cosh = unary(
    "cosh",
    rows.cosh,
    "The hyperbolic cosine.",
    INEXACT,
    "cosh(np.float32(0)) -> Array(1., dtype=float32)",
)
tanh = accurate(
    "tanh",
    rows.tanh,
    "The hyperbolic tangent.",
    INEXACT,
    "tanh(np.float32(0)) -> Array(0., dtype=float32)",
)
asinh = unary(
    "asinh",
    rows.asinh,
    "The inverse hyperbolic sine.",
    INEXACT,
    "asinh(np.float32(0)) -> Array(0., dtype=float32)",
)
acosh = unary(
    "acosh",
    rows.acosh,
    "The inverse hyperbolic cosine.",
    INEXACT,
    "acosh(np.float32(1)) -> Array(0., dtype=float32)",
)
atanh = unary(
    "atanh",
    rows.atanh,
    "The inverse hyperbolic tangent.",
    INEXACT,
    "atanh(np.float32(0)) -> Array(0., dtype=float32)",
)

# Special functions

erf = unary(
    "erf",
    special.erf,
    "The error function.",
    FLOATS,
    "erf(np.float32(0)) -> Array(0., dtype=float32)",
)
erfc = unary(
    "erfc",
    special.erfc,
    "1 - erf(x), exact for large `x`.",
    FLOATS,
    "erfc(np.float32(0)) -> Array(1., dtype=float32)",
)
erf_inv = unary(
    "erf_inv",
    special.erf_inv,
    "The inverse of the error function.",
    FLOATS,
    "erf_inv(np.float32(0)) -> Array(0., dtype=float32)",
)
lgamma = unary(
    "lgamma",
    special.lgamma,
    "The logarithm of the absolute value of the gamma function.",
    FLOATS,
    "lgamma(np.float32(1)) -> Array(0., dtype=float32)",
)
digamma = unary(
    "digamma",
    special.digamma,
    "The derivative of `lgamma`.",
    FLOATS,
    "digamma(np.float32(1)) -> Array(-0.5772157, dtype=float32)",
)

# Rounding


class RoundingMethod(enum.IntEnum):
    """What becomes of numbers halfway between two integers.

    >>> RoundingMethod.TO_NEAREST_EVEN.name
    'TO_NEAREST_EVEN'
    """

    AWAY_FROM_ZERO = 0
    TO_NEAREST_EVEN = 1


floor = unary(
    "floor",
    rows.floor,
    "The greatest integer that is not greater.",
    FLOATS,
    "floor(np.float32(1.5)) -> Array(1., dtype=float32)",
)
ceil = unary(
    "ceil",
    rows.ceil,
    "The least integer that is not less.",
    FLOATS,
    "ceil(np.float32(1.5)) -> Array(2., dtype=float32)",
)
is_finite = unary(
    "is_finite",
    rows.is_finite,
    "Whether numbers are neither infinite nor NaN.",
    FLOATS,
    "is_finite(np.float32(1)) -> Array(True, dtype=bool)",
)


def round(x: Any, rounding_method: RoundingMethod = RoundingMethod.AWAY_FROM_ZERO) -> Any:
    """The nearest integer.

    Args:
        x: an array of a floating dtype, or a number.
        rounding_method: what becomes of numbers halfway between two integers.

    >>> round(np.float32(2.5)), round(np.float32(2.5), RoundingMethod.TO_NEAREST_EVEN)
    (Array(3., dtype=float32), Array(2., dtype=float32))
    """
    return rows.round_(operand(x), rounding_method=int(RoundingMethod(rounding_method)))


def stop_gradient(x: Any) -> Any:
    """The values of a pytree of arrays, with derivatives that are zero.

    >>> stop_gradient(np.float32(2))
    Array(2., dtype=float32)
    """
    return tree.map(_stopped, x)


def _stopped(x: Any) -> Any:
    aval = aval_of(x)
    return rows.stop_gradient(operand(x)) if dtypes.is_inexact(aval.dtype) else x
