"""Elementwise operators: roots, powers, exponentials, circular functions, bit patterns.

The family's other rows are in `arithmetic` and `bitwise`, and are named here too.
Derivatives at singular points are JAX's.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core import dtypes
from ..core.avals import ShapedArray
from ..core.loops import Map, Piece, View
from ..core.primitive import (
    LONG,
    SLOW_IN_NUMPY,
    Absent,
    Domain,
    Primitive,
    constant,
    define,
    elementwise,
)
from ..core.trace import aval_of
from .arithmetic import (
    abs_,
    ceil,
    clamp,
    complex_,
    conj,
    div,
    eq,
    floor,
    ge,
    gt,
    imag,
    integer_pow,
    is_finite,
    le,
    lt,
    max_,
    min_,
    mul,
    ne,
    neg,
    one_for_zero,
    real,
    rem,
    round_,
    sign,
    square,
    sub,
)
from .bitwise import (
    and_,
    clz,
    not_,
    or_,
    population_count,
    shift_left,
    shift_right_arithmetic,
    shift_right_logical,
    xor,
)
from .checks import check_same_shapes, require, require_dtype
from .rules import (
    EDGES,
    NOT_LINEAR,
    binary,
    check_kind,
    in_single,
    unary,
)
from .structural import add, convert, full_like, select_n, zeros_like

__all__ = [
    "abs_",
    "acos",
    "acosh",
    "and_",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "bitcast_convert_type",
    "cbrt",
    "ceil",
    "clamp",
    "clz",
    "complex_",
    "conj",
    "copysign",
    "cos",
    "cosh",
    "div",
    "eq",
    "exp",
    "exp2",
    "expm1",
    "floor",
    "ge",
    "gt",
    "imag",
    "integer_pow",
    "is_finite",
    "le",
    "log",
    "log1p",
    "log2",
    "logistic",
    "lt",
    "max_",
    "min_",
    "mul",
    "ne",
    "neg",
    "nextafter",
    "not_",
    "or_",
    "population_count",
    "pow_",
    "real",
    "reduce_precision",
    "rem",
    "round_",
    "rsqrt",
    "shift_left",
    "shift_right_arithmetic",
    "shift_right_logical",
    "sign",
    "sin",
    "sinh",
    "sqrt",
    "square",
    "stop_gradient",
    "sub",
    "tan",
    "tanh",
    "xor",
]

Array = np.ndarray[Any, Any]
_INEXACT = ("float32", "float64", "complex64", "complex128")

# -- powers and roots -----------------------------------------------------------------------------


def _pow_aval(x: ShapedArray, y: ShapedArray) -> ShapedArray:
    check_same_shapes("pow", (x, y))
    check_kind("pow", "inexact", x, "integer_pow(x, y=...), or xform.numpy.power(x, y)")
    require_dtype(
        x.dtype == y.dtype or (dtypes.is_integer(y.dtype) and dtypes.is_inexact(x.dtype)),
        "expected an exponent for pow of the dtype of the base, or integers",
        f"{x} and {y}",
        "xform.numpy.power, which promotes",
    )
    return x.update(weak_type=x.weak_type and y.weak_type)


def _pow_impl(x: Array, y: Array) -> Any:
    return np.power(x, y.astype(x.dtype))


def _pow_jvp_base(t: Any, z: Any, x: Any, y: Any) -> Any:
    dtype = aval_of(x).dtype
    less = pow_(x, sub(y, full_like(y, 1)))
    if dtypes.is_inexact(aval_of(y).dtype):
        return mul(t, mul(y, less))
    # x**0 is constant even at x = 0, where x**-1 is infinite.
    factor = mul(convert(one_for_zero(y), dtype), less)
    return mul(t, select_n(eq(y, zeros_like(y)), factor, zeros_like(factor)))


def _pow_jvp_exponent(t: Any, z: Any, x: Any, y: Any) -> Any:
    return mul(t, mul(log(one_for_zero(x)), z))


def _draw_pow(rng: Any, dtype: Any) -> Any:
    shape = ((7,), (), (3, 0), (2, 19))[rng.integers(4)]
    x = np.asarray(rng.uniform(0.5, 2.0, shape)).astype(dtype)
    if rng.integers(2):
        return [x, np.asarray(rng.integers(-3, 4, shape)).astype(np.int32)], {}
    return [x, np.asarray(rng.uniform(-2.0, 2.0, shape)).astype(dtype)], {}


pow_ = define(
    "pow",
    abstract_eval=_pow_aval,
    impl=in_single(_pow_impl),
    jvp=(_pow_jvp_base, _pow_jvp_exponent),
    transpose=NOT_LINEAR,
    batch=elementwise,
    lower=Map("pow"),
    domain=Domain(draw=_draw_pow, dtypes=_INEXACT),
    ulp=4,
    special=(*EDGES, 1.0, -1.0, 0.5, 2.0, 3.0, -2.0),
    compiled_from=LONG,
)


sqrt = unary(
    "sqrt",
    in_single(np.sqrt),
    jvp=lambda t, y, x: mul(t, div(full_like(x, 0.5), y)),
    domain=(0.1, 4.0),
    law_dtypes=_INEXACT,
    ulp=1,
    compiled_from=LONG,
)
rsqrt = unary(
    "rsqrt",
    in_single(lambda x: np.divide(np.ones_like(x), np.sqrt(x))),
    jvp=lambda t, y, x: mul(t, mul(full_like(x, -0.5), div(y, x))),
    domain=(0.1, 4.0),
    law_dtypes=_INEXACT,
    ulp=2,
    compiled_from=LONG,
)
cbrt = unary(
    "cbrt",
    in_single(np.cbrt),
    accepts="float",
    jvp=lambda t, y, x: mul(t, mul(full_like(x, 1 / 3), integer_pow(y, y=-2))),
    domain=(0.1, 4.0),
    ulp=2,
    compiled_from=LONG,
)

# -- exponentials and logarithms ------------------------------------------------------------------

exp = unary(
    "exp",
    in_single(np.exp),
    jvp=lambda t, y, x: mul(t, y),
    domain=(-3.0, 3.0),
    law_dtypes=_INEXACT,
    ulp=2,
    compiled_from=LONG,
)
exp2 = unary(
    "exp2",
    in_single(np.exp2),
    jvp=lambda t, y, x: mul(full_like(x, math.log(2.0)), mul(t, y)),
    domain=(-3.0, 3.0),
    law_dtypes=_INEXACT,
    ulp=2,
    compiled_from=LONG,
)
expm1 = unary(
    "expm1",
    in_single(np.expm1),
    jvp=lambda t, y, x: mul(t, add(y, full_like(y, 1))),
    law_dtypes=_INEXACT,
    ulp=2,
    compiled_from=LONG,
)
log = unary(
    "log",
    in_single(np.log),
    jvp=lambda t, y, x: div(t, x),
    domain=(0.1, 4.0),
    law_dtypes=_INEXACT,
    ulp=2,
    compiled_from=LONG,
)
log2 = unary(
    "log2",
    in_single(np.log2),
    jvp=lambda t, y, x: div(t, mul(x, full_like(x, math.log(2.0)))),
    domain=(0.1, 4.0),
    law_dtypes=_INEXACT,
    ulp=2,
    compiled_from=LONG,
)
log1p = unary(
    "log1p",
    in_single(np.log1p),
    jvp=lambda t, y, x: div(t, add(x, full_like(x, 1))),
    domain=(-0.5, 2.0),
    law_dtypes=_INEXACT,
    ulp=2,
    compiled_from=LONG,
)


def _logistic_impl(x: Array) -> Any:
    if dtypes.is_complex(x.dtype):
        return 1 / (1 + np.exp(-x))
    # The exponential of -|x| does not overflow, so small results keep their digits.
    small = np.exp(-np.abs(x))
    return np.where(x < 0, small, np.ones_like(x)) / (1 + small)


logistic = unary(
    "logistic",
    in_single(_logistic_impl),
    jvp=lambda t, y, x: mul(t, mul(y, sub(full_like(y, 1), y))),
    law_dtypes=_INEXACT,
    ulp=3,
    compiled_from=SLOW_IN_NUMPY,
)

# -- circular and hyperbolic functions ------------------------------------------------------------


def _one_minus_square(x: Any) -> Any:
    return sub(full_like(x, 1), square(x))


sin = unary(
    "sin",
    in_single(np.sin),
    jvp=lambda t, y, x: mul(t, cos(x)),
    domain=(-4.0, 4.0),
    law_dtypes=_INEXACT,
    ulp=2,
    compiled_from=LONG,
)
cos: Primitive = unary(
    "cos",
    in_single(np.cos),
    jvp=lambda t, y, x: neg(mul(t, sin(x))),
    domain=(-4.0, 4.0),
    law_dtypes=_INEXACT,
    ulp=2,
    compiled_from=LONG,
)
tan = unary(
    "tan",
    in_single(np.tan),
    jvp=lambda t, y, x: mul(t, add(full_like(y, 1), square(y))),
    domain=(-1.2, 1.2),
    law_dtypes=_INEXACT,
    ulp=3,
    compiled_from=LONG,
)
asin = unary(
    "asin",
    in_single(np.arcsin),
    jvp=lambda t, y, x: mul(t, rsqrt(_one_minus_square(x))),
    domain=(-0.9, 0.9),
    law_dtypes=_INEXACT,
    ulp=3,
    compiled_from=LONG,
)
acos = unary(
    "acos",
    in_single(np.arccos),
    jvp=lambda t, y, x: mul(t, neg(rsqrt(_one_minus_square(x)))),
    domain=(-0.9, 0.9),
    law_dtypes=_INEXACT,
    ulp=3,
    compiled_from=LONG,
)
atan = unary(
    "atan",
    in_single(np.arctan),
    jvp=lambda t, y, x: div(t, add(full_like(x, 1), square(x))),
    domain=(-4.0, 4.0),
    law_dtypes=_INEXACT,
    ulp=3,
    compiled_from=LONG,
)
atan2 = binary(
    "atan2",
    in_single(np.arctan2),
    accepts="float",
    jvp=(
        lambda t, z, x, y: mul(t, div(y, add(square(x), square(y)))),
        lambda t, z, x, y: mul(t, div(neg(x), add(square(x), square(y)))),
    ),
    domain=((0.5, 2.0), (-2.0, 2.0)),
    ulp=3,
    compiled_from=LONG,
)
sinh = unary(
    "sinh",
    in_single(np.sinh),
    jvp=lambda t, y, x: mul(t, cosh(x)),
    law_dtypes=_INEXACT,
    ulp=3,
    compiled_from=LONG,
)
cosh: Primitive = unary(
    "cosh",
    in_single(np.cosh),
    jvp=lambda t, y, x: mul(t, sinh(x)),
    law_dtypes=_INEXACT,
    ulp=3,
    compiled_from=LONG,
)
tanh = unary(
    "tanh",
    in_single(np.tanh),
    # 1 - y**2 as (1 + y) (1 - y), which keeps the digits where y is near 1.
    jvp=lambda t, y, x: mul(add(t, mul(t, y)), sub(full_like(y, 1), y)),
    law_dtypes=_INEXACT,
    ulp=3,
    compiled_from=LONG,
)
asinh = unary(
    "asinh",
    in_single(np.arcsinh),
    jvp=lambda t, y, x: mul(t, rsqrt(add(square(x), full_like(x, 1)))),
    domain=(-4.0, 4.0),
    law_dtypes=_INEXACT,
    ulp=3,
    compiled_from=LONG,
)
acosh = unary(
    "acosh",
    in_single(np.arccosh),
    jvp=lambda t, y, x: mul(t, rsqrt(sub(square(x), full_like(x, 1)))),
    domain=(1.5, 4.0),
    law_dtypes=_INEXACT,
    ulp=3,
    compiled_from=LONG,
)
atanh = unary(
    "atanh",
    in_single(np.arctanh),
    jvp=lambda t, y, x: mul(
        integer_pow(add(full_like(x, 1), x), y=-1), div(t, sub(full_like(x, 1), x))
    ),
    domain=(-0.9, 0.9),
    law_dtypes=_INEXACT,
    ulp=3,
    compiled_from=LONG,
)

# -- bit patterns ---------------------------------------------------------------------------------

nextafter = binary(
    "nextafter",
    np.nextafter,
    accepts="float",
    jvp=Absent("the neighbour of a number is no smooth function of it"),
)
copysign: Primitive = binary(
    "copysign",
    in_single(np.copysign),
    accepts="float",
    jvp=(
        lambda t, z, x, y: mul(
            select_n(ge(x, zeros_like(x)), neg(t), t), copysign(full_like(y, 1), y)
        ),
        None,
    ),
    domain=((0.1, 2.0), (0.1, 2.0)),
)


def _bitcast_aval(x: ShapedArray, *, new_dtype: Any) -> ShapedArray:
    new = dtypes.check_user_dtype(new_dtype)
    plain = [not (dtypes.is_bool(d) or dtypes.is_complex(d)) for d in (x.dtype, new)]
    require_dtype(
        all(plain) and new.itemsize == x.dtype.itemsize,
        "expected dtypes of equal widths, neither bool nor complex, for bitcast_convert_type",
        f"{x} to {new}",
    )
    return ShapedArray(x.shape, new)


bitcast_convert_type = define(
    "bitcast_convert_type",
    params=("new_dtype",),
    abstract_eval=_bitcast_aval,
    impl=lambda x, *, new_dtype: x.view(new_dtype),
    jvp=constant,
    transpose=NOT_LINEAR,
    batch=elementwise,
    lower=Map("bitcast_convert_type", params=("new_dtype",)),
    domain=Domain(
        cases=tuple((((7,),), {"new_dtype": np.dtype(d)}) for d in ("int32", "uint32", "float32")),
        dtypes=("float32", "int32"),
    ),
    special=EDGES,
)


def _reduce_precision_aval(
    x: ShapedArray, *, exponent_bits: int, mantissa_bits: int
) -> ShapedArray:
    check_kind("reduce_precision", "float", x)
    require(
        exponent_bits >= 1 and mantissa_bits >= 0,
        "expected at least 1 exponent bit and 0 mantissa bits for reduce_precision",
        f"exponent_bits={exponent_bits}, mantissa_bits={mantissa_bits}",
    )
    return x


def _reduce_precision_impl(x: Array, *, exponent_bits: int, mantissa_bits: int) -> Array:
    """Rounds the pattern to nearest even; too large becomes infinite, below normal becomes zero."""
    info = dtypes.finfo(x.dtype)  # type: ignore[no-untyped-call]
    integer = np.dtype(f"uint{info.bits}")
    pattern = x.view(integer)
    sign_bit = integer.type(1 << (info.bits - 1))
    if mantissa_bits < info.nmant:
        cut = info.nmant - mantissa_bits
        last = (pattern >> integer.type(cut)) & integer.type(1)
        half = integer.type((1 << (cut - 1)) - 1)
        kept = integer.type((1 << info.bits) - (1 << cut))
        pattern = (pattern + half + last) & kept
    signs, size = pattern & sign_bit, pattern & ~sign_bit
    if exponent_bits < info.iexp:
        bias, small = (1 << (info.iexp - 1)) - 1, (1 << (exponent_bits - 1)) - 1
        above = integer.type((bias + small + 1) << info.nmant)
        smallest = integer.type((bias - small + 1) << info.nmant)
        infinite = integer.type(((1 << info.iexp) - 1) << info.nmant)
        size = np.where(size >= above, infinite, np.where(size < smallest, 0, size))
    return np.where(np.isnan(x), x, (signs | size.astype(integer)).view(x.dtype))


reduce_precision: Primitive = define(
    "reduce_precision",
    params=("exponent_bits", "mantissa_bits"),
    abstract_eval=_reduce_precision_aval,
    impl=in_single(_reduce_precision_impl),
    # Rounding is a staircase; its derivative is that of the line it follows, rounded alike.
    jvp=(lambda t, y, x, **bits: reduce_precision(t, **bits),),
    transpose=lambda ct, x, **bits: reduce_precision(ct, **bits),
    batch=elementwise,
    lower=Map("reduce_precision", params=("exponent_bits", "mantissa_bits")),
    domain=Domain(
        cases=((((7,),), {"exponent_bits": 11, "mantissa_bits": 52}),),
    ),
    special=(*EDGES, 1e-30, 3.14159, 1e30),
)


stop_gradient = define(
    "stop_gradient",
    abstract_eval=lambda x: x,
    impl=lambda x: x,
    jvp=constant,
    transpose=Absent("it has no derivative, so there is nothing to transpose"),
    batch=elementwise,
    lower=View(lambda index, read, x: [Piece(0, tuple(index))]),
    domain=Domain(cases=((((7,),), {}), (((2, 0),), {}))),
)
