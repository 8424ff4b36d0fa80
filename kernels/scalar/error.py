"""The error function, its complement and its inverse: polynomials on eight intervals, whose
coefficients are read from tables.
"""

from __future__ import annotations

from collections.abc import Callable

from ..builder import Builder, Value
from . import error_coefficients as tables, inverse_coefficients as inverse_tables
from .exponential import exp_times, minus_log_of_normal
from .lookup import (
    Place,
    half_octave_of,
    lookup,
    place_of,
    polynomial_at,
    polynomial_in_two_parts,
)
from .precision import any_lane, at_most, product_error, residual, sum_error


def erf(b: Builder, x: Value) -> Value:
    """Float within 1.2 ulp, double within 1.6 ulp."""
    a = b.fabs(x)
    if x.element == "float":
        rows, step, last = tables.ERF_FLOAT, 17 / 32, 3.97
    else:
        rows, step, last = tables.ERF_DOUBLE, 51 / 64, 5.97
    place = place_of(b, at_most(b, a, last), step)
    slope = polynomial_at(b, place, rows[1:])
    first = b.compare("eq", place.index, 0)
    start = b.select(first, a, lookup(b, x.element, rows[0], place.index))
    return b.copysign(b.fma(slope, place.rest, start), x)


def erfc(b: Builder, x: Value) -> Value:
    """Float within 2.7 ulp, double within 1.5 ulp: for x >= 0, exp(-x**2) times a function of
    1 / (x + 3).
    """
    single = x.element == "float"
    a = at_most(b, b.fabs(x), 11.0 if single else 28.0)
    divisor = a + 3.0
    divisor_low = sum_error(a, b.constant(x.element, 3.0), divisor)
    u = 1.0 / divisor
    u_low = (residual(b, b.constant(x.element, 1.0), u, divisor) - u * divisor_low) * u
    if single:
        place = place_of(b, u, 9 / 256, 0.0859375)
        ratio = polynomial_at(b, Place(place.index, place.rest + u_low), tables.ERFC_FLOAT)
        ratio_low = None
    else:
        place = place_of(b, u, 39 / 1024, 0.048828125)
        place = Place(place.index, place.rest + u_low)
        rows, low_row = tables.ERFC_DOUBLE, tables.ERFC_DOUBLE_LOW
        ratio, ratio_low = polynomial_in_two_parts(b, place, rows, low_row)
    factor = u * ratio
    factor_low = b.fma(u_low, ratio, product_error(b, u, ratio, factor))
    if ratio_low is not None:
        factor_low = b.fma(u, ratio_low, factor_low)
    square = a * a
    tail = exp_times(b, -square, -product_error(b, a, a, square), factor, factor_low)
    tail = b.select(b.compare("olt", a, 1e-20), 1.0, tail)
    return b.select(b.compare("olt", x, 0.0), 2.0 - tail, tail)


def erf_inv(b: Builder, x: Value) -> Value:
    """Float within 2.5 ulp, double within 1.3 ulp: x times a function of -log(1 - x**2).

    The variable is that of M. Giles, "Approximating the erfinv function", GPU Computing Gems 2,
    2011.
    """
    a = b.fabs(x)
    # Where x is small the function hardly depends on the logarithm, elsewhere 1 - x is exact.
    w = minus_log_of_normal(b, (1.0 - a) * (1.0 + a))
    if x.element == "float":
        index = half_octave_of(b, w + 17 / 16, 17 / 16)
        middle = lookup(b, x.element, inverse_tables.ERF_INV_FLOAT_CENTRES, index)
        size = a * polynomial_at(b, Place(index, w - middle), inverse_tables.ERF_INV_FLOAT)
    else:
        index = half_octave_of(b, w + 39 / 16, 39 / 16)
        middle = lookup(b, x.element, inverse_tables.ERF_INV_DOUBLE_CENTRES, index)
        rows, low_row = inverse_tables.ERF_INV_DOUBLE, inverse_tables.ERF_INV_DOUBLE_LOW
        ratio, ratio_low = polynomial_in_two_parts(b, Place(index, w - middle), rows, low_row)
        size = a * ratio
        size = size + b.fma(a, ratio_low, product_error(b, a, ratio, size))
    inside = b.compare("olt", a, 1.0)
    with b.when(any_lane(b, ~inside), (size,)) as branch:
        held = b.hold(a)
        outside = b.select(
            b.compare("oeq", held, 1.0), float("inf"), b.constant(x.element, float("nan"))
        )
        branch.give(b.select(inside, size, outside))
    return b.copysign(branch.results[0], x)


ERROR: dict[str, Callable[..., Value]] = {"erf": erf, "erfc": erfc, "erf_inv": erf_inv}
