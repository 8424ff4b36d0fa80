"""Operators that work on each element by itself, under JAX's names in `jax.lax`.

Operands are arrays of equal shapes and dtypes. Numbers, and weakly typed arrays without dimensions,
follow the other operand; nothing else is broadcast or promoted: `xform.numpy` does that.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import tree
from ..core import dtypes
from ..core.primitive import Primitive
from ..core.trace import aval_of
from ..errors import ArgumentError
from ..ops import elementwise as rows, special, structural
from .operands import agree, operand, static_int, user_dtype

_ARGS_ONE = """

Args:
    x: an array of {accepts}, or a number.
"""

_ARGS_TWO = """

Args:
    x, y: arrays of equal shapes and dtypes, of {accepts}; one may be a number.
"""

_RAISES = """
Raises:
    DtypeError: the dtype is another{or_differ}.
"""


def _document(
    function: Callable[..., Any], name: str, arguments: str, summary: str, accepts: str, shown: str
) -> Callable[..., Any]:
    call, _, result = shown.partition(" -> ")
    differ = ", or the dtypes differ" if arguments is _ARGS_TWO else ""
    function.__name__ = function.__qualname__ = name
    function.__doc__ = (
        summary
        + arguments.format(accepts=accepts)
        + _RAISES.format(or_differ=differ)
        + f"\n>>> {call}\n{result}\n"
    )
    return function


def _unary(name: str, row: Primitive, summary: str, accepts: str, shown: str) -> Any:
    def function(x: Any) -> Any:
        return row(operand(x))

    return _document(function, name, _ARGS_ONE, summary, accepts, shown)


def _accurate(name: str, row: Primitive, summary: str, accepts: str, shown: str) -> Any:
    """A function of one operand for which JAX lets the accuracy be chosen; here there is one."""

    def function(x: Any, *, accuracy: Any = None) -> Any:
        if accuracy is not None:
            raise ArgumentError(
                f"expected {name} without accuracy=, for there is one implementation",
                repr(accuracy),
            )
        return row(operand(x))

    return _document(function, name, _ARGS_ONE, summary, accepts, shown)


def _binary(name: str, row: Primitive, summary: str, accepts: str, shown: str) -> Any:
    def function(x: Any, y: Any) -> Any:
        return row(*agree(x, y))

    return _document(function, name, _ARGS_TWO, summary, accepts, shown)


_NUMBERS = "a numeric dtype"
_REALS = "an integer or floating dtype"
_FLOATS = "a floating dtype"
_INEXACT = "a floating or complex dtype"
_COMPLEX = "a complex dtype"
_INTEGERS = "an integer dtype"
_BITS = "an integer or boolean dtype"
_ANY = "any dtype"

# Arithmetic

neg = _unary(
    "neg", rows.neg, "The negative.", _NUMBERS, "neg(np.float32(2)) -> Array(-2., dtype=float32)"
)
abs = _unary(
    "abs",
    rows.abs_,
    "The absolute value; of a complex number its magnitude.",
    _NUMBERS,
    "abs(np.float32(-2)) -> Array(2., dtype=float32)",
)
sign = _unary(
    "sign",
    rows.sign,
    "-1, 0 or 1; of a complex number the number of magnitude 1 in its direction.",
    _NUMBERS,
    "sign(np.float32(-2)) -> Array(-1., dtype=float32)",
)
add = _binary(
    "add",
    structural.add,
    "The sum.",
    _NUMBERS,
    "add(np.float32(2), 1) -> Array(3., dtype=float32)",
)
sub = _binary(
    "sub",
    rows.sub,
    "The difference.",
    _NUMBERS,
    "sub(np.float32(2), 1) -> Array(1., dtype=float32)",
)
div = _binary(
    "div",
    rows.div,
    "The quotient; of integers it is rounded towards zero.",
    _NUMBERS,
    "div(np.int32(-7), 2) -> Array(-3, dtype=int32)",
)
rem = _binary(
    "rem",
    rows.rem,
    "The remainder of a division rounded towards zero; it has the sign of `x`.",
    _REALS,
    "rem(np.int32(-7), 2) -> Array(-1, dtype=int32)",
)
max = _binary(
    "max",
    rows.max_,
    "The greater; NaN where either is NaN.",
    _ANY,
    "max(np.float32(2), 1) -> Array(2., dtype=float32)",
)
min = _binary(
    "min",
    rows.min_,
    "The lesser; NaN where either is NaN.",
    _ANY,
    "min(np.float32(2), 1) -> Array(1., dtype=float32)",
)
square = _unary(
    "square", rows.square, "The square.", _NUMBERS, "square(np.int32(3)) -> Array(9, dtype=int32)"
)
nextafter = _binary(
    "nextafter",
    rows.nextafter,
    "The floating-point number next to `x` in the direction of `y`.",
    _FLOATS,
    "nextafter(np.float32(1), 2) -> Array(1.0000001, dtype=float32)",
)


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

sqrt = _accurate(
    "sqrt",
    rows.sqrt,
    "The square root.",
    _INEXACT,
    "sqrt(np.float32(4)) -> Array(2., dtype=float32)",
)
rsqrt = _accurate(
    "rsqrt",
    rows.rsqrt,
    "One over the square root.",
    _INEXACT,
    "rsqrt(np.float32(4)) -> Array(0.5, dtype=float32)",
)
cbrt = _accurate(
    "cbrt", rows.cbrt, "The cube root.", _FLOATS, "cbrt(np.float32(8)) -> Array(2., dtype=float32)"
)
exp = _accurate(
    "exp",
    rows.exp,
    "e to the power `x`.",
    _INEXACT,
    "exp(np.float32(0)) -> Array(1., dtype=float32)",
)
exp2 = _accurate(
    "exp2",
    rows.exp2,
    "2 to the power `x`.",
    _INEXACT,
    "exp2(np.float32(3)) -> Array(8., dtype=float32)",
)
expm1 = _accurate(
    "expm1",
    rows.expm1,
    "exp(x) - 1, exact for small `x`.",
    _INEXACT,
    "expm1(np.float32(1e-9)) -> Array(1.e-09, dtype=float32)",
)
log = _accurate(
    "log",
    rows.log,
    "The natural logarithm.",
    _INEXACT,
    "log(np.float32(1)) -> Array(0., dtype=float32)",
)
log1p = _accurate(
    "log1p",
    rows.log1p,
    "log(1 + x), exact for small `x`.",
    _INEXACT,
    "log1p(np.float32(1e-9)) -> Array(1.e-09, dtype=float32)",
)
logistic = _accurate(
    "logistic",
    rows.logistic,
    "1 / (1 + exp(-x)).",
    _INEXACT,
    "logistic(np.float32(0)) -> Array(0.5, dtype=float32)",
)

# Trigonometry

sin = _accurate(
    "sin", rows.sin, "The sine.", _INEXACT, "sin(np.float32(0)) -> Array(0., dtype=float32)"
)
cos = _accurate(
    "cos", rows.cos, "The cosine.", _INEXACT, "cos(np.float32(0)) -> Array(1., dtype=float32)"
)
tan = _accurate(
    "tan", rows.tan, "The tangent.", _INEXACT, "tan(np.float32(0)) -> Array(0., dtype=float32)"
)
asin = _unary(
    "asin",
    rows.asin,
    "The inverse sine.",
    _INEXACT,
    "asin(np.float32(0)) -> Array(0., dtype=float32)",
)
acos = _unary(
    "acos",
    rows.acos,
    "The inverse cosine.",
    _INEXACT,
    "acos(np.float32(1)) -> Array(0., dtype=float32)",
)
atan = _unary(
    "atan",
    rows.atan,
    "The inverse tangent.",
    _INEXACT,
    "atan(np.float32(0)) -> Array(0., dtype=float32)",
)
atan2 = _binary(
    "atan2",
    rows.atan2,
    "The angle of the point with abscissa `y` and ordinate `x`.",
    _FLOATS,
    "atan2(np.float32(0), 1) -> Array(0., dtype=float32)",
)
sinh = _unary(
    "sinh",
    rows.sinh,
    "The hyperbolic sine.",
    _INEXACT,
    "sinh(np.float32(0)) -> Array(0., dtype=float32)",
)
cosh = _unary(
    "cosh",
    rows.cosh,
    "The hyperbolic cosine.",
    _INEXACT,
    "cosh(np.float32(0)) -> Array(1., dtype=float32)",
)
tanh = _accurate(
    "tanh",
    rows.tanh,
    "The hyperbolic tangent.",
    _INEXACT,
    "tanh(np.float32(0)) -> Array(0., dtype=float32)",
)
asinh = _unary(
    "asinh",
    rows.asinh,
    "The inverse hyperbolic sine.",
    _INEXACT,
    "asinh(np.float32(0)) -> Array(0., dtype=float32)",
)
acosh = _unary(
    "acosh",
    rows.acosh,
    "The inverse hyperbolic cosine.",
    _INEXACT,
    "acosh(np.float32(1)) -> Array(0., dtype=float32)",
)
atanh = _unary(
    "atanh",
    rows.atanh,
    "The inverse hyperbolic tangent.",
    _INEXACT,
    "atanh(np.float32(0)) -> Array(0., dtype=float32)",
)

# Special functions

erf = _unary(
    "erf",
    special.erf,
    "The error function.",
    _FLOATS,
    "erf(np.float32(0)) -> Array(0., dtype=float32)",
)
erfc = _unary(
    "erfc",
    special.erfc,
    "1 - erf(x), exact for large `x`.",
    _FLOATS,
    "erfc(np.float32(0)) -> Array(1., dtype=float32)",
)
erf_inv = _unary(
    "erf_inv",
    special.erf_inv,
    "The inverse of the error function.",
    _FLOATS,
    "erf_inv(np.float32(0)) -> Array(0., dtype=float32)",
)
lgamma = _unary(
    "lgamma",
    special.lgamma,
    "The logarithm of the absolute value of the gamma function.",
    _FLOATS,
    "lgamma(np.float32(1)) -> Array(0., dtype=float32)",
)
digamma = _unary(
    "digamma",
    special.digamma,
    "The derivative of `lgamma`.",
    _FLOATS,
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


floor = _unary(
    "floor",
    rows.floor,
    "The greatest integer that is not greater.",
    _FLOATS,
    "floor(np.float32(1.5)) -> Array(1., dtype=float32)",
)
ceil = _unary(
    "ceil",
    rows.ceil,
    "The least integer that is not less.",
    _FLOATS,
    "ceil(np.float32(1.5)) -> Array(2., dtype=float32)",
)
is_finite = _unary(
    "is_finite",
    rows.is_finite,
    "Whether numbers are neither infinite nor NaN.",
    _FLOATS,
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


def reduce_precision(operand: Any, exponent_bits: int, mantissa_bits: int) -> Any:
    """The array rounded to a format of fewer bits, in the dtype it has.

    >>> reduce_precision(np.float32(1.2345), 8, 7)
    Array(1.234375, dtype=float32)
    """
    return rows.reduce_precision(
        agree(operand)[0],
        exponent_bits=static_int(exponent_bits, "a number of bits"),
        mantissa_bits=static_int(mantissa_bits, "a number of bits"),
    )


# Comparison

eq = _binary(
    "eq", rows.eq, "Whether equal.", _ANY, "eq(np.int32(2), 1) -> Array(False, dtype=bool)"
)
ne = _binary(
    "ne", rows.ne, "Whether not equal.", _ANY, "ne(np.int32(2), 1) -> Array(True, dtype=bool)"
)
lt = _binary("lt", rows.lt, "Whether less.", _ANY, "lt(np.int32(2), 1) -> Array(False, dtype=bool)")
le = _binary(
    "le", rows.le, "Whether not greater.", _ANY, "le(np.int32(2), 1) -> Array(False, dtype=bool)"
)
gt = _binary(
    "gt", rows.gt, "Whether greater.", _ANY, "gt(np.int32(2), 1) -> Array(True, dtype=bool)"
)
ge = _binary(
    "ge", rows.ge, "Whether not less.", _ANY, "ge(np.int32(2), 1) -> Array(True, dtype=bool)"
)


def clamp(min: Any, x: Any, max: Any) -> Any:
    """`x` where it lies between `min` and `max`, else the nearer of them.

    Args:
        min, max: arrays of the dtype of `x`, of its shape or of shape (), or numbers.
        x: an array.

    >>> clamp(0, np.int32(7), 5)
    Array(5, dtype=int32)
    """
    aval = aval_of(x)
    bounds = [
        v if aval_of(v).dtype == aval.dtype and not aval_of(v).weak_type else agree(v, _one(x))[0]
        for v in (min, max)
    ]
    low, high = (operand(v) for v in bounds)
    return rows.clamp(low, operand(x), high)


def _one(x: Any) -> Any:
    """A scalar of the type of `x`, for a number to agree with."""
    aval = aval_of(x)
    if not aval.shape:
        return x
    return structural.full((), 0, aval.dtype)


# Bits

bitwise_not = _unary(
    "bitwise_not",
    rows.not_,
    "The other bits.",
    _BITS,
    "bitwise_not(np.int32(5)) -> Array(-6, dtype=int32)",
)
bitwise_and = _binary(
    "bitwise_and",
    rows.and_,
    "The bits set in both.",
    _BITS,
    "bitwise_and(np.int32(6), 3) -> Array(2, dtype=int32)",
)
bitwise_or = _binary(
    "bitwise_or",
    rows.or_,
    "The bits set in either.",
    _BITS,
    "bitwise_or(np.int32(6), 3) -> Array(7, dtype=int32)",
)
bitwise_xor = _binary(
    "bitwise_xor",
    rows.xor,
    "The bits set in one of the two.",
    _BITS,
    "bitwise_xor(np.int32(6), 3) -> Array(5, dtype=int32)",
)
shift_left = _binary(
    "shift_left",
    rows.shift_left,
    "The bits of `x` moved up by `y` places.",
    _INTEGERS,
    "shift_left(np.int32(3), 2) -> Array(12, dtype=int32)",
)
shift_right_logical = _binary(
    "shift_right_logical",
    rows.shift_right_logical,
    "The bits of `x` moved down by `y` places, zeros moving in.",
    _INTEGERS,
    "shift_right_logical(np.int32(-1), 28) -> Array(15, dtype=int32)",
)
shift_right_arithmetic = _binary(
    "shift_right_arithmetic",
    rows.shift_right_arithmetic,
    "The bits of `x` moved down by `y` places, copies of the sign moving in.",
    _INTEGERS,
    "shift_right_arithmetic(np.int32(-8), 2) -> Array(-2, dtype=int32)",
)
population_count = _unary(
    "population_count",
    rows.population_count,
    "The number of bits set.",
    _INTEGERS,
    "population_count(np.int32(7)) -> Array(3, dtype=int32)",
)
clz = _unary(
    "clz",
    rows.clz,
    "The number of bits above the highest one set.",
    _INTEGERS,
    "clz(np.int32(7)) -> Array(29, dtype=int32)",
)


def bitcast_convert_type(operand: Any, new_dtype: Any) -> Any:
    """The bits of an array read as another dtype of the same width.

    >>> bitcast_convert_type(np.float32(1), "int32")
    Array(1065353216, dtype=int32)
    """
    return rows.bitcast_convert_type(agree(operand)[0], new_dtype=np.dtype(user_dtype(new_dtype)))


# Complex numbers

real = _unary(
    "real",
    rows.real,
    "The real part.",
    _COMPLEX,
    "real(np.complex64(1 + 2j)) -> Array(1., dtype=float32)",
)
imag = _unary(
    "imag",
    rows.imag,
    "The imaginary part.",
    _COMPLEX,
    "imag(np.complex64(1 + 2j)) -> Array(2., dtype=float32)",
)
conj = _unary(
    "conj",
    rows.conj,
    "The complex conjugate.",
    _COMPLEX,
    "conj(np.complex64(1 + 2j)) -> Array(1.-2.j, dtype=complex64)",
)
complex = _binary(
    "complex",
    rows.complex_,
    "The complex number with real part `x` and imaginary part `y`.",
    "float32 or float64",
    "complex(np.float32(1), 2) -> Array(1.+2.j, dtype=complex64)",
)


def stop_gradient(x: Any) -> Any:
    """The values of a pytree of arrays, with derivatives that are zero.

    >>> stop_gradient(np.float32(2))
    Array(2., dtype=float32)
    """
    return tree.map(_stopped, x)


def _stopped(x: Any) -> Any:
    aval = aval_of(x)
    return rows.stop_gradient(operand(x)) if dtypes.is_inexact(aval.dtype) else x
