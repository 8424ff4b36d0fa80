"""The logarithm of the gamma function, and its derivative.

Both are worked out in double: polynomials on eight intervals, whose coefficients are read from
tables, Stirling's series beyond them, and the recurrence below. Where a float is wanted, the
polynomials are shorter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..builder import Builder, Value
from . import digamma_coefficients as digamma_table, lgamma_coefficients as lgamma_table
from .exponential import log
from .lookup import Place, half_octave_of, lookup, polynomial_at, polynomial_in_two_parts
from .power import log_in_two_parts
from .precision import DOUBLE, PI, any_lane, product_error, residual
from .trigonometric import cos_of_rest, sin_of_rest

_HALF_LOG_TWO_PI = 0.9189385332046728
_INFINITY = float("inf")
_HALF, _EIGHT = DOUBLE.pattern_of(0.5), DOUBLE.pattern_of(8.0)
_ONE, _SIXTEEN = DOUBLE.pattern_of(1.0), DOUBLE.pattern_of(16.0)


def _in_double(b: Builder, x: Value, formula: Callable[[Builder, Value, bool], Value]) -> Value:
    if x.element == "double":
        return formula(b, x, False)
    result = b.cast("fptrunc", formula(b, b.cast("fpext", x, "double"), True), "float")
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


def _place(b: Builder, a: Value, below: Value, index: Value, centres: Sequence[float]) -> Place:
    """The place of `a`, or where it is `below`, of 1 + a, which would be rounded."""
    middle = lookup(b, "double", centres, index)
    return Place(index, a - b.select(below, middle - 1.0, middle))


def _product(b: Builder, x: tuple[Value, Value], y: tuple[Value, Value | None]) -> Value:
    """The product of two sums of two."""
    main = x[0] * y[0]
    low = b.fma(x[1], y[0], product_error(b, x[0], y[0], main))
    return main + (low if y[1] is None else b.fma(x[0], y[1], low))


def lgamma(b: Builder, x: Value) -> Value:
    """log |Gamma(x)|: for x > 0 float within 1 ulp, double within 2 ulp; below 0 within 4 ulp of
    the larger of 1 and the result.
    """
    return _in_double(b, x, _lgamma)


def _lgamma(b: Builder, x: Value, short: bool) -> Value:
    a = b.fabs(x)
    below, beyond = b.compare("olt", a, 0.5), b.compare("oge", a, 8.0)
    # lgamma(a) = lgamma(1 + a) - log(a).
    y = b.select(below, a + 1.0, a)
    index = half_octave_of(b, y, 0.5)
    place = _place(b, a, below, index, lgamma_table.LGAMMA_DOUBLE_CENTRES)
    # The first polynomials leave out the zeros at 1 and 2.
    from_one = b.select(below, a, y - 1.0)
    from_two = from_one - 1.0
    has_zeros = b.compare("olt", y, 3.0)
    zeros = b.select(has_zeros, from_one * from_two, 1.0)
    if short:
        inner = polynomial_at(b, place, lgamma_table.LGAMMA_SHORT) * zeros
    else:
        zeros_low = b.select(has_zeros, product_error(b, from_one, from_two, zeros), 0.0)
        rows, low_row = lgamma_table.LGAMMA_DOUBLE, lgamma_table.LGAMMA_DOUBLE_LOW
        inner = _product(b, polynomial_in_two_parts(b, place, rows, low_row), (zeros, zeros_low))
    ordinary = b.compare("ult", b.bits(a) - _HALF, _EIGHT - _HALF)
    with b.when(any_lane(b, ~ordinary), (inner,)) as branch:
        branch.give(_lgamma_outside(b, b.hold(a), inner, below, beyond, short))
    positive = branch.results[0]
    negative = b.compare("olt", x, 0.0)
    with b.when(any_lane(b, negative), (positive,)) as branch:
        # lgamma(-a) = log(pi / (a |sin(pi a)|)) - lgamma(a) = log(pi / |sin(pi a)|) - lgamma(1 + a)
        held = b.hold(a)
        sine, _ = _sin_cos_of_half_turns(b, held)
        ratio = PI / b.select(below, sine, sine * held)
        reflected = log(b, ratio) - b.select(below, inner, positive)
        infinite = b.compare("oeq", held, _INFINITY)
        reflected = b.select(infinite, _INFINITY, reflected)
        branch.give(b.select(negative, reflected, positive))
    return branch.results[0]


def _lgamma_outside(
    b: Builder, a: Value, inner: Value, below: Value, beyond: Value, short: bool
) -> Value:
    """lgamma below 1/2, where `inner` is lgamma(1 + a), and from 8 on by Stirling's series; between
    them it is `inner`.
    """
    if short:
        high, low = log(b, a), b.constant("double", 0.0)
    else:
        high, low = log_in_two_parts(b, a, DOUBLE)
    inverse = 1.0 / a
    series = b.horner(inverse * inverse, lgamma_table.STIRLING_DOUBLE) * inverse
    shifted, factor = a - 0.5, high - 1.0
    product = shifted * factor
    rest = product_error(b, shifted, factor, product) + (_HALF_LOG_TWO_PI - 0.5)
    far = product + (b.fma(shifted, low, series) + rest)
    # Where the product overflows, or the argument is infinite, the rest is none.
    far = b.select(b.compare("olt", product, _INFINITY), far, product)
    result = b.select(beyond, far, inner)
    result = b.select(below, (inner - low) - high, result)
    return b.select(b.compare("oeq", a, 0.0), _INFINITY, result)


def digamma(b: Builder, x: Value) -> Value:
    """The derivative of lgamma: for x > 0 float within 1 ulp, double within 2 ulp; below 0 within 4
    ulp of the larger of 1 and the result; NaN at 0 and below at integers.
    """
    return _in_double(b, x, _digamma)


def _digamma(b: Builder, x: Value, short: bool) -> Value:
    a = b.fabs(x)
    below, beyond = b.compare("olt", a, 1.0), b.compare("oge", a, 16.0)
    # digamma(a) = digamma(1 + a) - 1 / a.
    y = b.select(below, a + 1.0, a)
    index = half_octave_of(b, y, 1.0)
    place = _place(b, a, below, index, digamma_table.DIGAMMA_DOUBLE_CENTRES)
    # The first polynomials leave out the zero.
    zero = digamma_table.DIGAMMA_ZERO
    from_zero = a - b.select(below, b.constant("double", zero - 1.0), zero)
    from_zero = from_zero - digamma_table.DIGAMMA_ZERO_LOW
    factor = b.select(b.compare("olt", y, 2.0), from_zero, 1.0)
    if short:
        inner = polynomial_at(b, place, digamma_table.DIGAMMA_SHORT) * factor
    else:
        rows, low_row = digamma_table.DIGAMMA_DOUBLE, digamma_table.DIGAMMA_DOUBLE_LOW
        inner = _product(b, polynomial_in_two_parts(b, place, rows, low_row), (factor, None))
    ordinary = b.compare("ult", b.bits(a) - _ONE, _SIXTEEN - _ONE)
    with b.when(any_lane(b, ~ordinary), (inner,)) as branch:
        held = b.hold(a)
        inverse = 1.0 / held
        inverse_low = residual(b, b.constant("double", 1.0), inverse, held) * inverse
        inverse_low = b.select(b.compare("olt", held, 1e-290), 0.0, inverse_low)
        lower = (inner - inverse) - inverse_low
        z = inverse * inverse
        series = b.fma(z, b.horner(z, digamma_table.DIGAMMA_FAR_DOUBLE), inverse * 0.5)
        result = b.select(beyond, log(b, held) - series, inner)
        branch.give(b.select(below, lower, result))
    positive = branch.results[0]
    negative = b.compare("olt", x, 0.0)
    with b.when(any_lane(b, ~b.compare("ogt", x, 0.0)), (positive,)) as branch:
        # digamma(-a) = digamma(1 + a) + pi cot(pi a)
        held = b.hold(a)
        sine, cosine = _sin_cos_of_half_turns(b, held)
        above = b.select(below, inner, positive + 1.0 / held)
        reflected = b.fma(cosine / sine, PI, above)
        undefined = ~b.compare("ogt", sine, 0.0)
        reflected = b.select(undefined, float("nan"), reflected)
        result = b.select(negative, reflected, positive)
        branch.give(b.select(b.compare("oeq", held, 0.0), float("nan"), result))
    return branch.results[0]


GAMMA: dict[str, Callable[..., Value]] = {"lgamma": lgamma, "digamma": digamma}
