"""The logarithm of the gamma function, and its derivative."""

from __future__ import annotations

from collections.abc import Callable

from ..builder import Builder, Value
from . import special_coefficients as table
from .exponential import log
from .precision import PI, any_lane
from .trigonometric import cos_of_rest, sin_of_rest

_STIRLING_FROM = 8
_HALF_LOG_TWO_PI = 0.9189385332046728


def _in_double(b: Builder, x: Value, formula: Callable[[Builder, Value], Value]) -> Value:
    if x.element == "double":
        return formula(b, x)
    result = b.cast("fptrunc", formula(b, b.cast("fpext", x, "double")), "float")
    # The choice keeps LLVM from merging this rounding with one to half, for which it would call a
    # library.
    return b.select(b.compare("uno", x, x), x, result)


def _sin_cos_of_half_turns(b: Builder, x: Value) -> tuple[Value, Value]:
    """|sin(pi x)| and cos(pi x) with the sign of sin(pi x) cot(pi x), for x >= 0."""
    rest = x - b.intrinsic("roundeven", x)
    size = b.fabs(rest)
    inner = b.compare("ole", size, 0.25)
    angle = b.select(inner, size, 0.5 - size) * PI
    sine, cosine = sin_of_rest(b, angle), cos_of_rest(b, angle)
    return b.select(inner, sine, cosine), b.copysign(b.select(inner, cosine, sine), rest)


def lgamma(b: Builder, x: Value) -> Value:
    """log |Gamma(x)|: for x > 0 within 4 ulp; below 0 within 8 ulp of the larger of 1 and the
    result.

    Down to [1, 2.25) by Gamma(x) = (x - 1) Gamma(x - 1), from 8 on by Stirling's series, below 0 by
    reflection.
    """
    return _in_double(b, x, _lgamma)


def _lgamma(b: Builder, x: Value) -> Value:
    a = b.fabs(x)
    y = a
    product = b.constant("double", 1.0)
    for _ in range(_STIRLING_FROM - 2):
        above = b.compare("oge", y, 2.25)
        lower = y - 1.0
        product = b.select(above, product * lower, product)
        y = b.select(above, lower, y)
    below_one = b.compare("olt", a, 1.0)
    # Below 1 the polynomial is that of 1 + a; the places are exact.
    place = y - b.select(below_one, b.constant("double", 0.625), 1.625)
    near = (place + 0.625) * ((place - 0.375) * b.horner(place, table.LGAMMA_DOUBLE))
    large = b.compare("oge", a, float(_STIRLING_FROM))
    logarithm = log(b, b.select(below_one | large, a, product))
    inverse = 1.0 / a
    series = b.horner(inverse * inverse, table.STIRLING_DOUBLE) * inverse
    far = b.fma(a - 0.5, logarithm - 1.0, series + (_HALF_LOG_TWO_PI - 0.5))
    positive = near + b.select(below_one, -logarithm, logarithm)
    positive = b.select(large, far, positive)
    positive = b.select(b.compare("oeq", a, float("inf")), float("inf"), positive)
    negative = b.compare("olt", x, 0.0)
    with b.when(any_lane(b, negative), (positive,)) as branch:
        # lgamma(-a) = log(pi / (a |sin(pi a)|)) - lgamma(a) = log(pi / |sin(pi a)|) - lgamma(1 + a)
        held = b.hold(a)
        sine, _ = _sin_cos_of_half_turns(b, held)
        ratio = PI / b.select(below_one, sine, sine * held)
        reflected = log(b, ratio) - b.select(below_one, near, positive)
        infinite = b.compare("oeq", held, float("inf"))
        reflected = b.select(infinite, float("inf"), reflected)
        branch.give(b.select(negative, reflected, positive))
    return branch.results[0]


def digamma(b: Builder, x: Value) -> Value:
    """The derivative of lgamma: within 6 ulp of the larger of 1 and the result; NaN at 0 and below
    at integers.

    Up to 8 by digamma(x) = digamma(x + 1) - 1 / x, then the asymptotic series; below 0 by
    reflection.
    """
    return _in_double(b, x, _digamma)


def _digamma(b: Builder, x: Value) -> Value:
    a = b.fabs(x)
    negative = b.compare("olt", x, 0.0)
    y = b.select(negative, a + 1.0, a)
    numerator, denominator = b.constant("double", 0.0), b.constant("double", 1.0)
    for _ in range(_STIRLING_FROM):
        below = b.compare("olt", y, float(_STIRLING_FROM))
        numerator = b.select(below, b.fma(numerator, y, denominator), numerator)
        denominator = b.select(below, denominator * y, denominator)
        y = b.select(below, y + 1.0, y)
    inverse = 1.0 / y
    z = inverse * inverse
    series = b.fma(z, b.estrin(z, table.DIGAMMA_DOUBLE), inverse * 0.5)
    positive = log(b, y) - (series + numerator / denominator)
    with b.when(any_lane(b, negative), (positive,)) as branch:
        # digamma(-a) = digamma(1 + a) + pi cot(pi a)
        held = b.hold(a)
        sine, cosine = _sin_cos_of_half_turns(b, held)
        reflected = b.fma(cosine / sine, PI, positive)
        undefined = ~b.compare("ogt", sine, 0.0)
        reflected = b.select(undefined, float("nan"), reflected)
        branch.give(b.select(negative, reflected, positive))
    return b.select(b.compare("oeq", x, 0.0), float("nan"), branch.results[0])


GAMMA: dict[str, Callable[..., Value]] = {
    "lgamma": lgamma,
    "digamma": digamma,
}
