"""Exponentials, logarithms and powers.

The arguments are reduced by powers of two: exp(x) = 2**n exp(r) with |r| <= log(2) / 2, and
log(2**k m) = k log(2) + log(m) with m within a factor of sqrt(2) of 1 (W. J. Cody and W. Waite,
"Software Manual for the Elementary Functions", 1980). Bounds hold where the target has a fused
multiply-add; elsewhere the tests allow twice as much.
"""

from __future__ import annotations

from collections.abc import Callable

from ..builder import Builder, Value
from . import coefficients as table
from .precision import (
    DOUBLE,
    LN2,
    Precision,
    any_lane,
    at_least,
    at_most,
    polynomial,
    power_of_two,
    precision_of,
    product_error,
    scaled,
    sum_error,
    whole_number,
)

_LOG2_E, _LOG2_E_LOW = 1.4426950408889634, 2.0355273740931033e-17
_LOG2_E_FLOAT, _LOG2_E_FLOAT_LOW = 1.4426950216293335, 1.9259629911266175e-08


def _reduce(b: Builder, x: Value, p: Precision) -> tuple[Value, Value]:
    """(n, r) with x = n log(2) + r; n is an integer value."""
    shifted = b.fma(x, 1 / LN2, p.magic)
    whole = shifted - p.magic
    rest = b.fma(whole, -p.ln2_low, b.fma(whole, -p.ln2_high, x))
    return b.bits(shifted) - p.magic_bits, rest


def _exp_of_rest(b: Builder, r: Value) -> Value:
    """exp(r) for |r| <= log(2) / 2."""
    return b.fma(polynomial(b, r, table.EXP_FLOAT, table.EXP_DOUBLE), r * r, r) + 1.0


def exp_scaled(b: Builder, x: Value, extra: int = 0) -> Value:
    """exp(x) times 2**extra."""
    p = precision_of(x)
    x = at_least(b, at_most(b, x, p.exp_high + 1.0), p.exp_low)
    n, r = _reduce(b, x, p)
    return scaled(b, _exp_of_rest(b, r), n, p, extra)


def exp_times(
    b: Builder, x: Value, low: Value | None, factor: Value, factor_low: Value | None = None
) -> Value:
    """exp(x + low) times factor + factor_low, with less rounding than by a product."""
    p = precision_of(x)
    n, r = _reduce(b, at_least(b, at_most(b, x, p.exp_high + 1.0), p.exp_low), p)
    if low is not None:
        r = r + low
    beyond = b.fma(polynomial(b, r, table.EXP_FLOAT, table.EXP_DOUBLE), r * r, r)
    main = beyond + 1.0
    rest = (1.0 - main) + beyond
    product_low = rest * factor if factor_low is None else b.fma(rest, factor, main * factor_low)
    return scaled(b, b.fma(main, factor, product_low), n, p)


def exp_in_range(b: Builder, x: Value) -> Value:
    """exp(x) where x is known to be far from overflow and underflow."""
    p = precision_of(x)
    n, r = _reduce(b, x, p)
    return _exp_of_rest(b, r) * power_of_two(b, n, p)


def exp(b: Builder, x: Value) -> Value:
    """Within 1.1 ulp."""
    return exp_scaled(b, x)


def exp2(b: Builder, x: Value) -> Value:
    """2**x, within 1.4 ulp."""
    p = precision_of(x)
    x = at_least(b, at_most(b, x, p.bias + 2.0), -(p.bias + p.mantissa + 2.0))
    shifted = x + p.magic
    r = x - (shifted - p.magic)
    q = polynomial(b, r, table.EXP2_FLOAT, table.EXP2_DOUBLE)
    return scaled(b, b.fma(q, r, 1.0), b.bits(shifted) - p.magic_bits, p)


def expm1(b: Builder, x: Value) -> Value:
    """exp(x) - 1, within 1.9 ulp."""
    p = precision_of(x)
    limited = at_least(b, at_most(b, x, p.exp_high), -40.0)
    n, r = _reduce(b, limited, p)
    q = polynomial(b, r, table.EXPM1_FLOAT, table.EXPM1_DOUBLE)
    # Half of the result, because 2**n alone may overflow where the result does not.
    half = power_of_two(b, n - 1, p)
    result = b.fma(b.fma(q, r * r, r), half, half - 0.5) * 2.0
    return b.copysign(result, x)


def log_of_sum(
    b: Builder, x: Value, low: Value | None = None, doublings: Value | None = None
) -> Value:
    """log((x + low) 2**doublings) for a `low` of at most about an ulp of `x`, which must be normal
    if it is given.

    `doublings` is a whole number in the format of `x`.
    """
    return _logarithm(b, x, _log_near_one, low, doublings)


def _logarithm(
    b: Builder,
    x: Value,
    near_one: Callable[[Builder, Value, Value, Precision], Value],
    low: Value | None = None,
    doublings: Value | None = None,
) -> Value:
    """A logarithm by that of 2**k (1 + f), and the special values of all of them."""
    p = precision_of(x)
    smallest, infinite = p.pattern_of(p.smallest_normal), p.pattern_of(float("inf"))
    ordinary = b.compare("ult", b.bits(x) - smallest, infinite - smallest)
    unusual = any_lane(b, ~ordinary)
    f, exponent = _parted(b, x, p)
    k = whole_number(b, exponent, p)
    if low is None:
        with b.when(unusual, (f, k)) as branch:
            held = b.hold(x)
            small = b.compare("olt", held, p.smallest_normal)
            larger = b.select(small, held * 2.0**p.mantissa, held)
            f_of_larger, exponent = _parted(b, larger, p)
            k_of_larger = whole_number(b, exponent, p)
            k_of_larger = b.select(small, k_of_larger - float(p.mantissa), k_of_larger)
            branch.give(f_of_larger, k_of_larger)
        f, k = branch.results
    else:
        inverse = b.float_of_bits(
            (p.bias - b.intrinsic("smin", exponent, p.bias)) << p.mantissa, p.element
        )
        f = b.fma(low, inverse, f)
    if doublings is not None:
        k = k + doublings
    result = near_one(b, f, k, p)
    with b.when(unusual, (result,)) as branch:
        held = b.hold(x)
        infinity = float("inf")
        special = b.select(b.compare("oeq", held, infinity), infinity, result)
        special = b.select(b.compare("oeq", held, 0.0), -infinity, special)
        branch.give(b.select(b.compare("ult", held, 0.0), float("nan"), special))
    return branch.results[0]


def minus_log_of_normal(b: Builder, x: Value) -> Value:
    """-log(x) of a normal number below 1; of others, some number or NaN.

    A float is within an ulp of the larger of 1 and the result.
    """
    p = precision_of(x)
    f, exponent = _parted(b, x, p)
    k = whole_number(b, exponent, p)
    if p is DOUBLE:
        return -_log_near_one_double(b, f, k, p)
    return b.fma(f, -b.estrin(f, table.LOG_RATIO_FLOAT), k * -LN2)


def _log_near_one(b: Builder, f: Value, k: Value, p: Precision) -> Value:
    """k log(2) + log(1 + f)."""
    return _log_near_one_double(b, f, k, p) if p is DOUBLE else _log_near_one_single(b, f, k, p)


def _parted(b: Builder, x: Value, p: Precision) -> tuple[Value, Value]:
    """(f, k) of a normal x = 2**k (1 + f), with 1 + f within a factor of sqrt(2) of 1."""
    pattern = b.bits(x)
    k = b.shift_right_arithmetic(pattern - p.sqrt_half_bits, p.mantissa)
    return b.float_of_bits(pattern - (k << p.mantissa), p.element) - 1.0, k


def _log_near_one_single(b: Builder, f: Value, k: Value, p: Precision) -> Value:
    """k log(2) + log(1 + f)."""
    square = f * f
    rest = (f * square) * b.estrin(f, table.LOG_FLOAT)
    rest = b.fma(square, -0.5, b.fma(k, p.ln2_low, rest))
    return b.fma(k, p.ln2_high, f + rest)


def _log_near_one_double(b: Builder, f: Value, k: Value, p: Precision) -> Value:
    """k log(2) + log(1 + f), by log(1 + f) = 2 atanh(s), s = f / (2 + f)."""
    s, rest, half_square = _log_by_atanh(b, f)
    correction = b.fma(s, half_square + rest, k * p.ln2_low)
    return b.fma(k, p.ln2_high, f - (half_square - correction))


def _log_by_atanh(b: Builder, f: Value) -> tuple[Value, Value, Value]:
    """(s, rest, half) with log(1 + f) = f - (half - s (half + rest)), half = f**2 / 2."""
    s = f / (f + 2.0)
    z = s * s
    return s, b.estrin(z, table.LOG_BY_ATANH_DOUBLE) * z, (f * f) * 0.5


def _log2_near_one(b: Builder, f: Value, k: Value, p: Precision) -> Value:
    """k + log2(1 + f), exact where f is 0: log(1 + f) = f + tail, and log2(e) in two parts."""
    if p is DOUBLE:
        s, rest, half_square = _log_by_atanh(b, f)
        tail = b.fma(s, half_square + rest, -half_square)
    else:
        square = f * f
        tail = b.fma(square, -0.5, (f * square) * b.estrin(f, table.LOG_FLOAT))
    high, low = (_LOG2_E, _LOG2_E_LOW) if p is DOUBLE else (_LOG2_E_FLOAT, _LOG2_E_FLOAT_LOW)
    main = f * high
    main_low = b.fma(f, low, product_error(b, f, b.constant(p.element, high), main))
    total = k + main
    total_low = (k - total) + main
    return total + (total_low + b.fma(tail, high, main_low))


def log(b: Builder, x: Value) -> Value:
    """The natural logarithm, within 1 ulp; NaN below 0."""
    return log_of_sum(b, x)


def log2(b: Builder, x: Value) -> Value:
    """The logarithm to base 2, within 1.1 ulp and exact for powers of two; NaN below 0."""
    return _logarithm(b, x, _log2_near_one)


def log1p(b: Builder, x: Value) -> Value:
    """log(1 + x), within 1.5 ulp; NaN below -1."""
    total = x + 1.0
    low = sum_error(b.constant(x.element, 1.0), x, total)
    return b.copysign(log_of_sum(b, total, low), x)


# -- functions of exp ---------------------------------------------------------------------------


def tanh(b: Builder, x: Value) -> Value:
    """Within 1.6 ulp: an odd polynomial below 0.6, else 1 - 2 / (exp(2 x) + 1)."""
    single = x.element == "float"
    a = b.fabs(x)
    limited = at_most(b, a, 9.2 if single else 19.5)
    large = 1.0 - 2.0 / (exp_in_range(b, limited + limited) + 1.0)
    z = a * a
    small = b.fma(polynomial(b, z, table.TANH_FLOAT, table.TANH_DOUBLE) * z, a, a)
    return b.copysign(b.select(b.compare("olt", a, 0.6), small, large), x)


def logistic(b: Builder, x: Value) -> Value:
    """1 / (1 + exp(-x)), by exp(-|x|), which cannot overflow; float within 2.3 ulp, double within 2
    ulp.
    """
    size = -b.fabs(x)
    e = exp_scaled(b, size)
    negative = b.compare("olt", x, 0.0)
    if x.element == "float":
        return b.select(negative, e, 1.0) / (e + 1.0)
    positive = 1.0 / (e + 1.0)
    return b.select(negative, exp_times(b, size, None, positive), positive)


EXPONENTIAL: dict[str, Callable[..., Value]] = {
    "exp": exp,
    "exp2": exp2,
    "expm1": expm1,
    "log": log,
    "log2": log2,
    "log1p": log1p,
    "tanh": tanh,
    "logistic": logistic,
}
