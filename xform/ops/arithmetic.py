"""Arithmetic, comparison, rounding, and the parts of complex numbers, one element at a time.

Derivatives at ties and at singular points are JAX's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core import dtypes
from ..core.avals import ShapedArray
from ..core.loops import Map
from ..core.primitive import (
    LONG,
    SLOW_IN_NUMPY,
    Domain,
    Primitive,
    Zero,
    constant,
    define,
    elementwise,
    linear,
    multilinear,
)
from ..core.trace import aval_of
from .bitwise import and_
from .checks import check_same_dtypes, check_same_shapes, require, require_dtype, require_shape
from .rules import (
    EDGES,
    NOT_LINEAR,
    binary,
    check_kind,
    comparison,
    in_single,
    is_linear,
    linear_unary,
    unary,
)
from .structural import (
    broadcast_in_dim,
    full_like,
    moveaxis,
    select_n,
    zeros_like,
)

Array = np.ndarray[Any, Any]
_NUMBERS = ("float32", "float64", "int32", "uint8", "complex64")
_COMPLEX = ("complex64", "complex128")

# -- the parts of complex numbers -----------------------------------------------------------------
# A cotangent pairs with a tangent as the real part of their product, without a conjugate.

real = unary(
    "real",
    np.real,
    jvp=linear,
    accepts="complex",
    result=dtypes.real_dtype,
    transpose=linear_unary(lambda ct: complex_(ct, zeros_like(ct))),
)
imag = unary(
    "imag",
    np.imag,
    jvp=linear,
    accepts="complex",
    result=dtypes.real_dtype,
    transpose=linear_unary(lambda ct: complex_(zeros_like(ct), neg(ct))),
)
conj: Primitive = unary(
    "conj",
    np.conjugate,
    jvp=linear,
    accepts="complex",
    transpose=linear_unary(lambda ct: conj(ct)),
)


def _complex_aval(x: ShapedArray, y: ShapedArray) -> ShapedArray:
    check_same_shapes("complex", (x, y))
    check_same_dtypes("complex", (x, y))
    require_dtype(
        x.dtype in (np.dtype("float32"), np.dtype("float64")),
        "expected real and imaginary parts of dtype float32 or float64",
        str(x),
        "x.astype('float32')",
    )
    return ShapedArray(x.shape, dtypes.complex_dtype(x.dtype))


def _complex_impl(x: Array, y: Array) -> Array:
    out = np.empty(x.shape, dtypes.complex_dtype(x.dtype))
    # Written in parts: x + 1j * y loses signs of zero and turns infinities into NaN.
    out.real = x
    out.imag = y
    return out


complex_: Primitive = define(
    "complex",
    abstract_eval=_complex_aval,
    impl=_complex_impl,
    jvp=linear,
    transpose=lambda ct, x, y: [
        real(ct) if is_linear(x) else None,
        neg(imag(ct)) if is_linear(y) else None,
    ],
    batch=elementwise,
    lower=Map("complex"),
    domain=Domain(cases=((((7,), (7,)), {}), (((), ()), {}), (((0, 3), (0, 3)), {}))),
    special=EDGES,
)

# -- comparison -----------------------------------------------------------------------------------

eq = comparison("eq", np.equal)
ne = comparison("ne", np.not_equal)
lt = comparison("lt", np.less)
le = comparison("le", np.less_equal)
gt = comparison("gt", np.greater)
ge = comparison("ge", np.greater_equal)

# -- sums and products ----------------------------------------------------------------------------

neg: Primitive = unary(
    "neg",
    np.negative,
    jvp=lambda t, y, x: neg(t),
    accepts="number",
    transpose=linear_unary(lambda ct: neg(ct)),
    law_dtypes=_NUMBERS,
)
sub = binary(
    "sub",
    in_single(np.subtract),
    jvp=(lambda t, z, x, y: t, lambda t, z, x, y: neg(t)),
    transpose=lambda ct, x, y: [
        ct if is_linear(x) else None,
        neg(ct) if is_linear(y) else None,
    ],
    law_dtypes=_NUMBERS,
)
mul: Primitive = binary(
    "mul",
    in_single(np.multiply),
    jvp=multilinear,
    transpose=lambda ct, x, y: [
        mul(ct, y) if is_linear(x) else None,
        mul(x, ct) if is_linear(y) else None,
    ],
    law_dtypes=_NUMBERS,
)


def _div_impl(x: Array, y: Array) -> Array:
    """Division; of integers truncated towards zero, and all bits set where the divisor is zero."""
    if not dtypes.is_integer(x.dtype):
        return np.divide(x, y)
    divisor = np.where(y == 0, np.ones_like(y), y)
    quotient = (x - np.fmod(x, divisor)) // divisor
    return np.where(y == 0, ~np.zeros_like(x), quotient)


div: Primitive = binary(
    "div",
    in_single(_div_impl),
    jvp=(
        lambda t, z, x, y: div(t, y),
        lambda t, z, x, y: mul(mul(neg(t), x), integer_pow(y, y=-2)),
    ),
    transpose=lambda ct, x, y: [div(ct, y) if is_linear(x) else None, None],
    domain=((-2.0, 2.0), (0.5, 2.0)),
    law_dtypes=_NUMBERS,
)


def _rem_impl(x: Array, y: Array) -> Array:
    """The remainder of the truncated quotient, with the sign of `x`; by the integer zero, `x`."""
    if not dtypes.is_integer(x.dtype):
        return np.fmod(x, y)
    return np.where(y == 0, x, np.fmod(x, np.where(y == 0, np.ones_like(y), y)))


def _rem_jvp_divisor(t: Any, z: Any, x: Any, y: Any) -> Any:
    ratio = div(x, y)
    return mul(neg(t), mul(sign(ratio), floor(abs_(ratio))))


rem = binary(
    "rem",
    in_single(_rem_impl),
    accepts="real",
    jvp=(lambda t, z, x, y: t, _rem_jvp_divisor),
    domain=((2.1, 2.9), (0.8, 1.0)),
    compiled_from=SLOW_IN_NUMPY,
)


def _sign_impl(x: Array) -> Array:
    if not dtypes.is_float(x.dtype):
        return np.sign(x)
    # Zeros keep their sign and NaN stays, which np.sign does not promise.
    return np.where((x == 0) | np.isnan(x), x, np.copysign(np.ones_like(x), x))


def _sign_jvp(t: Any, y: Any, x: Any) -> Any:
    """Zero; of a complex number, the part of the change across its direction over its modulus."""
    if not dtypes.is_complex(aval_of(x).dtype):
        return Zero(aval_of(y).tangent())
    along = real(mul(conj(y), t))
    across = sub(t, mul(y, complex_(along, zeros_like(along))))
    modulus = abs_(x)
    return div(across, complex_(modulus, zeros_like(modulus)))


def _abs_jvp(t: Any, y: Any, x: Any) -> Any:
    if not dtypes.is_complex(aval_of(x).dtype):
        return select_n(ge(x, zeros_like(x)), neg(t), t)
    modulus = one_for_zero(y)
    direction = div(x, complex_(modulus, zeros_like(modulus)))
    return real(mul(conj(direction), t))


def one_for_zero(x: Any) -> Any:
    """`x` with ones in the place of zeros, so that a product with zero stays zero."""
    return select_n(eq(x, zeros_like(x)), x, full_like(x, 1))


sign = unary(
    "sign",
    in_single(_sign_impl),
    jvp=_sign_jvp,
    accepts="number",
    domain=(0.1, 2.0),
    law_dtypes=_NUMBERS,
    compiled_from=SLOW_IN_NUMPY,
)
abs_ = unary(
    "abs",
    np.abs,
    jvp=_abs_jvp,
    accepts="number",
    result=dtypes.real_dtype,
    domain=(0.1, 2.0),
    law_dtypes=_NUMBERS,
    ulp=2,
)


def _maximum(x: Array, y: Array) -> Array:
    """`np.maximum` with +0 above -0, an order that NumPy leaves open."""
    out = np.asarray(np.maximum(x, y))
    if not dtypes.is_float(x.dtype) or out.all():
        return out
    return np.where((x == 0) & (y == 0), x + y, out)


def _minimum(x: Array, y: Array) -> Array:
    """`np.minimum` with -0 below +0."""
    out = np.asarray(np.minimum(x, y))
    if not dtypes.is_float(x.dtype) or out.all():
        return out
    return np.where((x == 0) & (y == 0), -(-x - y), out)


def share(t: Any, z: Any, x: Any, y: Any) -> Any:
    """The tangent of `x` where the extremum `z` is `x`, halved where it is `y` too, else zero."""
    chosen = select_n(eq(x, z), zeros_like(t), t)
    return mul(chosen, select_n(eq(y, z), full_like(t, 1), full_like(t, 0.5)))


max_ = binary(
    "max",
    in_single(_maximum),
    accepts="any",
    jvp=(share, lambda t, z, x, y: share(t, z, y, x)),
    domain=((-2.0, 2.0), (-2.0, 2.0)),
    compiled_from=LONG,
)
min_ = binary(
    "min",
    in_single(_minimum),
    accepts="any",
    jvp=(share, lambda t, z, x, y: share(t, z, y, x)),
    domain=((-2.0, 2.0), (-2.0, 2.0)),
    compiled_from=LONG,
)


def _clamp_aval(low: ShapedArray, x: ShapedArray, high: ShapedArray) -> ShapedArray:
    check_same_dtypes("clamp", (low, x, high))
    require_shape(
        all(b.shape in ((), x.shape) for b in (low, high)),
        f"expected bounds for clamp of shape () or {x.shape}",
        f"{low.shape} and {high.shape}",
    )
    return x.update(weak_type=all(a.weak_type for a in (low, x, high)))


def _clamp_impl(low: Array, x: Array, high: Array) -> Array:
    return _minimum(_maximum(x, low), high)


def _spread(bound: Any, x: Any) -> Any:
    """A scalar bound, or its tangent, in the shape of `x`."""
    shape = aval_of(x).shape
    if aval_of(bound).shape == shape:
        return bound
    return broadcast_in_dim(bound, shape=shape, broadcast_dimensions=())


def _where(condition: Any, t: Any) -> Any:
    return select_n(condition, zeros_like(t), t)


def _clamp_jvp_low(t: Any, z: Any, low: Any, x: Any, high: Any) -> Any:
    low, high = _spread(low, x), _spread(high, x)
    return _where(and_(gt(low, x), lt(low, high)), _spread(t, x))


def _clamp_jvp(t: Any, z: Any, low: Any, x: Any, high: Any) -> Any:
    return _where(and_(gt(x, _spread(low, x)), lt(x, _spread(high, x))), t)


def _clamp_jvp_high(t: Any, z: Any, low: Any, x: Any, high: Any) -> Any:
    return _where(lt(_spread(high, x), x), _spread(t, x))


def _clamp_batch(size: int, inputs: Sequence[Any], dims: Sequence[int | None]) -> tuple[Any, int]:
    x, at = inputs[1], dims[1]
    rank = aval_of(x).ndim - (at is not None)
    shape = list(aval_of(x).shape)
    if at is not None:
        shape.pop(at)
    full = (size, *shape)

    def spread(value: Any, dim: int | None) -> Any:
        if dim is not None:
            value = moveaxis(value, dim, 0)
        kept: tuple[int, ...] = () if dim is None else (0,)
        if aval_of(value).ndim > len(kept):
            kept += tuple(range(1, rank + 1))
        if aval_of(value).shape == full:
            return value
        return broadcast_in_dim(value, shape=full, broadcast_dimensions=kept)

    low, high = (
        b if d is None and not aval_of(b).ndim else spread(b, d)
        for b, d in ((inputs[0], dims[0]), (inputs[2], dims[2]))
    )
    return clamp(low, spread(x, at), high), 0


def _draw_clamp(rng: Any, dtype: Any) -> Any:
    shape = ((7,), (), (2, 19), (3, 0))[rng.integers(4)]
    kinds = [shape if rng.integers(2) else () for _ in range(2)]
    low = np.asarray(rng.uniform(-1.0, -0.5, kinds[0]))
    high = np.asarray(rng.uniform(0.5, 1.0, kinds[1]))
    x = np.asarray(rng.uniform(-2.0, 2.0, shape))
    return [low.astype(dtype), x.astype(dtype), high.astype(dtype)], {}


clamp = define(
    "clamp",
    abstract_eval=_clamp_aval,
    impl=in_single(_clamp_impl),
    jvp=(_clamp_jvp_low, _clamp_jvp, _clamp_jvp_high),
    transpose=NOT_LINEAR,
    batch=_clamp_batch,
    lower=Map("clamp"),
    domain=Domain(draw=_draw_clamp),
    special=EDGES,
)

# -- whole powers ---------------------------------------------------------------------------------


def _integer_pow_aval(x: ShapedArray, *, y: int) -> ShapedArray:
    check_kind("integer_pow", "number", x)
    require(isinstance(y, int), "expected an integer exponent y for integer_pow", repr(y))
    require(
        y >= 0 or dtypes.is_inexact(x.dtype),
        "expected an exponent y of 0 or more for integers",
        f"y={y} and {x}",
        "x.astype(float)",
    )
    return x


def _integer_pow_impl(x: Array, *, y: int) -> Array:
    """By repeated squaring, as compiled code does."""
    result = np.ones_like(x)
    remaining, power = abs(y), x
    while remaining:
        if remaining & 1:
            result = result * power
        remaining >>= 1
        if remaining:
            power = power * power
    return np.divide(np.ones_like(x), result) if y < 0 else np.asarray(result)


def _integer_pow_jvp(t: Any, z: Any, x: Any, *, y: int) -> Any:
    if y == 0:
        return Zero(aval_of(z).tangent())
    return mul(t, mul(full_like(x, y), integer_pow(x, y=y - 1)))


integer_pow: Primitive = define(
    "integer_pow",
    params=("y",),
    abstract_eval=_integer_pow_aval,
    impl=in_single(_integer_pow_impl),
    jvp=(_integer_pow_jvp,),
    transpose=NOT_LINEAR,
    batch=elementwise,
    lower=Map("integer_pow", params=("y",)),
    domain=Domain(
        intervals=((0.5, 2.0),),
        cases=tuple((((7,),), {"y": y}) for y in (-3, -1, 0, 1, 2, 7)),
        dtypes=("float32", "float64", "complex64"),
    ),
    ulp=4,
    special=EDGES,
    compiled_from=SLOW_IN_NUMPY,
)

square = unary(
    "square",
    in_single(np.square),
    jvp=lambda t, y, x: mul(t, mul(full_like(x, 2), x)),
    accepts="number",
    law_dtypes=_NUMBERS,
    ulp=1,
)

# -- rounding -------------------------------------------------------------------------------------

_BETWEEN = (0.1, 0.4)  # where the piecewise constant functions have no step

floor = unary("floor", in_single(np.floor), jvp=constant, accepts="float", domain=_BETWEEN)
ceil = unary("ceil", in_single(np.ceil), jvp=constant, accepts="float", domain=_BETWEEN)


def _round_impl(x: Array, *, rounding_method: int) -> Any:
    if rounding_method == 1:
        return np.rint(x)
    # The largest number below a half, so that the sum reaches the next integer from a half on only.
    below_half = np.nextafter(x.dtype.type(0.5), x.dtype.type(0))
    return np.trunc(x + np.copysign(below_half, x))


round_ = unary(
    "round",
    in_single(_round_impl),
    jvp=constant,
    accepts="float",
    params=("rounding_method",),
    cases=({"rounding_method": 0}, {"rounding_method": 1}),
    domain=_BETWEEN,
    special=(*EDGES, 0.5, -0.5, 1.5, 2.5, -2.5),
)
is_finite = unary(
    "is_finite", np.isfinite, jvp=constant, accepts="float", result=lambda d: np.bool_
)
