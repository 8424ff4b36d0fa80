"""Circular functions and their inverses."""

from __future__ import annotations

from collections.abc import Callable

from ..builder import Builder, Value
from . import coefficients as table
from .precision import HALF_PI, PI, any_lane, polynomial, precision_of, residual
from .reduction import reduce_quarters


def sin_of_rest(b: Builder, r: Value) -> Value:
    """sin(r); the sign of zero is kept."""
    z = r * r
    cubic = (polynomial(b, z, table.SIN_FLOAT, table.SIN_DOUBLE) * z) * r
    return b.copysign(r + cubic, r)


def cos_of_rest(b: Builder, r: Value) -> Value:
    """cos(r)."""
    z = r * r
    quartic = (z * z) * polynomial(b, z, table.COS_FLOAT, table.COS_DOUBLE)
    return b.fma(z, -0.5, 1.0) + quartic


def _sin_from(b: Builder, x: Value, turn: int) -> Value:
    """sin(x + turn pi/2)."""
    reduced = reduce_quarters(b, x)
    quarters = reduced.quarters + turn if turn else reduced.quarters
    odd = b.compare("ne", quarters & 1, 0)
    value = b.select(odd, cos_of_rest(b, reduced.rest), sin_of_rest(b, reduced.rest))
    sign = (quarters & 2) << (30 if x.element == "float" else 62)
    return b.float_of_bits(b.bits(value) ^ sign, x.element)


def sin(b: Builder, x: Value) -> Value:
    """Within 1.6 ulp for every finite argument."""
    return _sin_from(b, x, 0)


def cos(b: Builder, x: Value) -> Value:
    """Within 1.6 ulp for every finite argument."""
    return _sin_from(b, x, 1)


def tan(b: Builder, x: Value) -> Value:
    """Float within 3 ulp, double within 1.6 ulp: by t = tan(r / 2), tan(r) = 2 t / (1 - t**2)."""
    reduced = reduce_quarters(b, x, wants_low=x.element == "double")
    odd = b.compare("ne", reduced.quarters & 1, 0)
    if x.element == "double":
        return tan_of_rest(b, reduced.rest, reduced.low, odd)
    h = reduced.rest * 0.5
    z = h * h
    t = b.copysign(h + (b.horner(z, table.TAN_HALF_FLOAT) * z) * h, h)
    sine, cosine = t + t, b.fma(-t, t, 1.0)
    return b.select(odd, -cosine, sine) / b.select(odd, sine, cosine)


def tan_of_rest(b: Builder, r: Value, low: Value, odd: Value) -> Value:
    """tan(r + low), or -1 / tan(r + low) where `odd`, of doubles within 1.6 ulp.

    With t = tan(r / 2) in two parts.
    """
    h = r * 0.5
    z = h * h
    cubic = b.fma(b.estrin(z, table.TAN_HALF_DOUBLE) * z, h, low * 0.5)
    t = b.copysign(h + cubic, h)
    t_low = (h - t) + cubic
    sine = t + t
    cosine = b.fma(-t, t, 1.0)
    numerator, denominator = b.select(odd, -cosine, sine), b.select(odd, sine, cosine)
    inverse = 1.0 / denominator
    quotient = numerator * inverse
    error = residual(b, numerator, quotient, denominator)
    # The low part of the sine is in the numerator, or else in the denominator.
    error = b.fma(t_low + t_low, b.select(odd, -quotient, 1.0), error)
    return b.copysign(b.fma(error, inverse, quotient), quotient)


# -- inverses -----------------------------------------------------------------------------------

_TAN_EIGHTH = 0.41421356237309503
_TAN_THREE_EIGHTHS = 2.414213562373095


def _atan_of_ratio(b: Builder, y: Value, x: Value) -> Value:
    """atan(y / x) for y, x >= 0, not both zero or both infinite.

    The angle is taken from 0, pi/4 or pi/2, whichever is nearest, by the tangent of the difference.
    """
    p = precision_of(y)
    steep = b.compare("ogt", y, x * _TAN_THREE_EIGHTHS)
    flat = b.compare("ole", y, x * _TAN_EIGHTH)
    numerator = b.select(steep, -x, b.select(flat, y, y - x))
    denominator = b.select(steep, y, b.select(flat, x, y + x))
    t = numerator / denominator
    z = t * t
    cubic = (polynomial(b, z, table.ATAN_FLOAT, table.ATAN_DOUBLE) * z) * t
    base = b.select(steep, HALF_PI, b.select(flat, b.constant(p.element, 0.0), HALF_PI / 2))
    low = b.select(
        steep, p.half_pi_low, b.select(flat, b.constant(p.element, 0.0), p.half_pi_low / 2)
    )
    return base + (t + (cubic + low))


def atan(b: Builder, x: Value) -> Value:
    """Within 2 ulp."""
    one = b.constant(x.element, 1.0)
    return b.copysign(_atan_of_ratio(b, b.fabs(x), one), x)


def atan2(b: Builder, y: Value, x: Value) -> Value:
    """The angle of the point (x, y) with C's special values, within 2 ulp."""
    y, x = b.align_lanes(y, x)
    p = precision_of(x)
    a, c = b.fabs(y), b.fabs(x)
    # Far from overflow and from numbers with few bits the ratio needs no care.
    larger = b.select(b.compare("ogt", a, c), a, c)
    big, small = 2.0 ** (p.bias - 20), 2.0 ** (60 - p.bias)
    first, count = p.pattern_of(small), p.pattern_of(big) - p.pattern_of(small)
    ordinary = b.compare("ult", b.bits(larger) - first, count)
    with b.when(any_lane(b, ~ordinary), (a, c)) as branch:
        held_y, held_x, held = b.hold(a), b.hold(c), b.hold(larger)
        infinity = float("inf")
        both_infinite = b.compare("oeq", held_y, infinity) & b.compare("oeq", held_x, infinity)
        both_zero = b.compare("oeq", held_y + held_x, 0.0)
        scale = b.select(b.compare("ogt", held, big), b.constant(p.element, 2.0**-30), 1.0)
        scale = b.select(b.compare("olt", held, small), 2.0 ** (p.mantissa + 8), scale)
        scaled_y = b.select(both_infinite, 1.0, held_y * scale)
        branch.give(scaled_y, b.select(both_infinite | both_zero, 1.0, held_x * scale))
    angle_y, angle_x = branch.results
    angle = _atan_of_ratio(b, angle_y, angle_x)
    behind = b.compare("slt", b.bits(x), 0)
    angle = b.select(behind, PI - (angle - p.pi_low), angle)
    return b.copysign(angle, y)


def _asin_parts(b: Builder, a: Value) -> tuple[Value, Value, Value]:
    """(large, p, low) of a = |x|: large tells a > 1/2; asin(a) = p + low, or pi/2 - 2 (p + low) if
    large.
    """
    large = b.compare("ogt", a, 0.5)
    z = b.select(large, b.fma(a, -0.5, 0.5), a * a)
    root = b.sqrt(z)
    s = b.select(large, root, a)
    cubic = (polynomial(b, z, table.ASIN_FLOAT, table.ASIN_DOUBLE) * z) * s
    if a.element == "double":
        # The rounding error of the root counts where pi/2 - 2 p is small.
        error = residual(b, z, root, root) / (root + root)
        correct = large & b.compare("ogt", z, 0.0)
        cubic = cubic + b.select(correct, error, 0.0)
    return large, s, cubic


def asin(b: Builder, x: Value) -> Value:
    """Float within 1.2 ulp, double within 0.7 ulp; NaN outside [-1, 1]."""
    p = precision_of(x)
    large, main, low = _asin_parts(b, b.fabs(x))
    twice = main + main
    away = HALF_PI - twice
    away_low = (HALF_PI - away) - twice
    result = away + (b.fma(low, -2.0, away_low) + p.half_pi_low)
    return b.copysign(b.select(large, result, main + low), x)


def acos(b: Builder, x: Value) -> Value:
    """Within 1.1 ulp; NaN outside [-1, 1]."""
    p = precision_of(x)
    large, main, low = _asin_parts(b, b.fabs(x))
    negative = b.compare("olt", x, 0.0)
    near_one = (main + low) * 2.0
    near_minus_one = PI - (near_one - p.pi_low)
    signed = b.copysign(main, x)
    signed_low = b.copysign(low, x)
    middle = HALF_PI - (signed + (signed_low - p.half_pi_low))
    return b.select(large, b.select(negative, near_minus_one, near_one), middle)


TRIGONOMETRIC: dict[str, Callable[..., Value]] = {
    "sin": sin,
    "cos": cos,
    "tan": tan,
    "asin": asin,
    "acos": acos,
    "atan": atan,
    "atan2": atan2,
}
