"""The logarithm of the gamma function, and its derivative.

Both are worked out in double: polynomials on eight intervals, whose coefficients are read from
tables, Stirling's series beyond them, and the recurrence below. Where a float is wanted, the
polynomials are shorter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..builder import Builder, Value
from . import digamma_coefficients as digamma_table, lgamma_coefficients as lgamma_table
from .exponential import log
from .lookup import Place, half_octave_of, lookup, polynomial_at, polynomial_in_two_parts
from .power import log_in_two_parts
from .precision import DOUBLE, PI, PI_LOW, any_lane, product_error, residual, sum_error
from .trigonometric import cos_of_rest, sin_of_rest, tan_of_rest

_HALF_LOG_TWO_PI = 0.9189385332046728
_LOG_PI, _LOG_PI_LOW = 1.1447298858494002, 1.0265951162707826e-17
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


def _half_turns(b: Builder, x: Value) -> tuple[Value, Value, Value]:
    """(angle, low, inner) of x >= 0 and its distance r from the nearest whole number: pi |r| where
    `inner`, else pi (1/2 - |r|), in two parts.
    """
    size = b.fabs(x - b.intrinsic("roundeven", x))
    inner = b.compare("ole", size, 0.25)
    turns = b.select(inner, size, 0.5 - size)
    angle = turns * PI
    low = b.fma(turns, PI_LOW, product_error(b, turns, b.constant("double", PI), angle))
    return angle, low, inner


def _place(b: Builder, a: Value, below: Value, index: Value, centres: Sequence[float]) -> Place:
    """The place of `a`, or where it is `below`, of 1 + a, which would be rounded."""
    middle = lookup(b, "double", centres, index)
    return Place(index, a - b.select(below, middle - 1.0, middle))


def _product(
    b: Builder, x: tuple[Value, Value], y: tuple[Value, Value | None]
) -> tuple[Value, Value]:
    """The product of two sums of two, as one."""
    main = x[0] * y[0]
    low = b.fma(x[1], y[0], product_error(b, x[0], y[0], main))
    return main, low if y[1] is None else b.fma(x[0], y[1], low)


def lgamma(b: Builder, x: Value) -> Value:
    """log |Gamma(x)|: a float within 1 ulp; a double above 0 within 1.7 ulp, below 0 within 3 ulp
    of the larger of 1 and the result.
    """
    return _in_double(b, x, _lgamma)


@dataclass(frozen=True, slots=True)
class _Positive:
    """A function of a positive number in two parts, and its polynomial in two, which is that of the
    number, or below the polynomials of the number more 1.
    """

    main: Value
    low: Value
    inner: Value
    inner_low: Value
    below: Value


def _lgamma(b: Builder, x: Value, short: bool) -> Value:
    a = b.fabs(x)
    size = _lgamma_of_positive(b, a, short)
    positive = size.main + size.low
    negative = b.compare("olt", x, 0.0)
    with b.when(any_lane(b, negative), (positive,)) as branch:
        held = b.hold(a)
        size = _lgamma_of_positive(b, held, False) if short else size
        branch.give(b.select(negative, _lgamma_reflected(b, held, size), positive))
    return branch.results[0]


def _lgamma_reflected(b: Builder, a: Value, size: _Positive) -> Value:
    """lgamma(-a) = log(pi / (a s)) - lgamma(a) = log(pi / s) - lgamma(1 + a), s = |sin(pi a)|."""
    angle, angle_low, inner = _half_turns(b, a)
    sine = b.select(inner, sin_of_rest(b, angle), cos_of_rest(b, angle))
    slope = b.select(inner, cos_of_rest(b, angle), -sin_of_rest(b, angle))
    sine = b.fma(angle_low, slope, sine)
    high, low = log_in_two_parts(b, b.select(size.below, sine, sine * a), DOUBLE)
    main = b.select(size.below, size.inner, size.main)
    main_low = b.select(size.below, size.inner_low, size.low)
    total = high + main
    total_low = sum_error(high, main, total) + (low + main_low)
    rest = _LOG_PI - total
    rest_low = ((_LOG_PI - rest) - total) - (total_low - _LOG_PI_LOW)
    result = rest + rest_low
    # At whole numbers, which all large ones are, the sine is 0.
    return b.select(b.compare("ogt", sine, 0.0), result, b.select(_is_nan(b, a), a, _INFINITY))


def _is_nan(b: Builder, x: Value) -> Value:
    return b.compare("uno", x, x)


def _lgamma_of_positive(b: Builder, a: Value, short: bool) -> _Positive:
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
        inner_low = b.constant("double", 0.0, inner.lanes)
    else:
        zeros_low = b.select(has_zeros, product_error(b, from_one, from_two, zeros), 0.0)
        rows, low_row = lgamma_table.LGAMMA_DOUBLE, lgamma_table.LGAMMA_DOUBLE_LOW
        polynomial = polynomial_in_two_parts(b, place, rows, low_row)
        inner, inner_low = _product(b, polynomial, (zeros, zeros_low))
    ordinary = b.compare("ult", b.bits(a) - _HALF, _EIGHT - _HALF)
    with b.when(any_lane(b, ~ordinary), (inner, inner_low)) as branch:
        held = b.hold(a)
        far, far_low, logarithm, logarithm_low = _lgamma_far(b, held, short)
        main = b.select(beyond, far, inner)
        low = b.select(beyond, far_low, inner_low)
        # Below 1/2 the logarithm is at least six times the polynomial.
        near = inner - logarithm
        near_low = (inner - (logarithm + near)) + (inner_low - logarithm_low)
        main, low = b.select(below, near, main), b.select(below, near_low, low)
        infinite = b.compare("oeq", held, 0.0) | b.compare("oeq", b.fabs(main), _INFINITY)
        branch.give(b.select(infinite, _INFINITY, main), b.select(infinite, 0.0, low))
    return _Positive(*branch.results, inner, inner_low, below)


def _lgamma_far(b: Builder, a: Value, short: bool) -> tuple[Value, Value, Value, Value]:
    """lgamma(a) by Stirling's series, which is for a >= 8, and log(a), each in two parts."""
    if short:
        high, low = log(b, a), b.constant("double", 0.0)
    else:
        high, low = log_in_two_parts(b, a, DOUBLE)
    inverse = 1.0 / a
    series = b.horner(inverse * inverse, lgamma_table.STIRLING_DOUBLE) * inverse
    shifted, factor = a - 0.5, high - 1.0
    product = shifted * factor
    rest = product_error(b, shifted, factor, product) + (_HALF_LOG_TWO_PI - 0.5)
    return product, b.fma(shifted, low, series) + rest, high, low


def digamma(b: Builder, x: Value) -> Value:
    """The derivative of lgamma: a float within 1 ulp; a double above 0 within 1.7 ulp, below 0
    within 4 ulp of the largest of 1, the result and digamma(|x|); NaN at 0 and below at integers.
    """
    return _in_double(b, x, _digamma)


def _digamma(b: Builder, x: Value, short: bool) -> Value:
    a = b.fabs(x)
    positive, inner, below = _digamma_of_positive(b, a, short)
    negative = b.compare("olt", x, 0.0)
    with b.when(any_lane(b, ~b.compare("ogt", x, 0.0)), (positive,)) as branch:
        # digamma(-a) = digamma(1 + a) + pi cot(pi a)
        held = b.hold(a)
        size, inner, below = (
            _digamma_of_positive(b, held, False) if short else (positive, inner, below)
        )
        angle, angle_low, odd = _half_turns(b, held)
        tangent = tan_of_rest(b, angle, angle_low, odd)
        rest = held - b.intrinsic("roundeven", held)
        cotangent = b.copysign(tangent, rest)
        above = b.select(below, inner, size + 1.0 / held)
        reflected = b.fma(cotangent, PI, above)
        defined = b.compare("one", rest, 0.0)
        reflected = b.select(defined, reflected, float("nan"))
        result = b.select(negative, reflected, positive)
        branch.give(b.select(b.compare("oeq", held, 0.0), float("nan"), result))
    return branch.results[0]


def _digamma_of_positive(b: Builder, a: Value, short: bool) -> tuple[Value, Value, Value]:
    """(digamma(a), the polynomial, below): below 1 the polynomial is digamma(1 + a)."""
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
        polynomial = polynomial_in_two_parts(b, place, rows, low_row)
        main, low = _product(b, polynomial, (factor, None))
        inner = main + low
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
    return branch.results[0], inner, below


GAMMA: dict[str, Callable[..., Value]] = {"lgamma": lgamma, "digamma": digamma}
