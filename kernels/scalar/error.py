"""The error function, its complement and its inverse: polynomials on eight intervals, whose
coefficients are read from tables.
"""

from __future__ import annotations

from collections.abc import Callable

from ..builder import Builder, Value
from . import error_coefficients as tables, special_coefficients as inverse_tables
from .exponential import exp_times, log_of_sum
from .lookup import Place, lookup, place_of, polynomial_at
from .precision import at_most, product_error, residual, sum_error


def erf(b: Builder, x: Value) -> Value:
    """Within 1.5 ulp."""
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
    """Within 1.8 ulp: exp(-x**2) times a function of 1 / (x + 3), for x >= 0."""
    single = x.element == "float"
    a = at_most(b, b.fabs(x), 11.0 if single else 28.0)
    divisor = a + 3.0
    divisor_low = sum_error(a, b.constant(x.element, 3.0), divisor)
    u = 1.0 / divisor
    u_low = (residual(b, b.constant(x.element, 1.0), u, divisor) - u * divisor_low) * u
    if single:
        rows, step, first = tables.ERFC_FLOAT, 9 / 256, 0.0859375
    else:
        rows, step, first = tables.ERFC_DOUBLE, 39 / 1024, 0.048828125
    place = place_of(b, u, step, first)
    ratio = polynomial_at(b, Place(place.index, place.rest + u_low), rows)
    factor = u * ratio
    factor_low = b.fma(u_low, ratio, product_error(b, u, ratio, factor))
    square = a * a
    tail = exp_times(b, -square, -product_error(b, a, a, square), factor, factor_low)
    tail = b.select(b.compare("olt", a, 1e-20), 1.0, tail)
    return b.select(b.compare("olt", x, 0.0), 2.0 - tail, tail)


def erf_inv(b: Builder, x: Value) -> Value:
    """Float within 2.5 ulp, double within 2 ulp: x times a function of sqrt(-log(1 - x**2)).

    The variable is that of M. Giles, "Approximating the erfinv function", GPU Computing Gems 2,
    2011.
    """
    a = b.fabs(x)
    square = a * a
    rest = 1.0 - square
    low = sum_error(b.constant(x.element, 1.0), -square, rest) - product_error(b, a, a, square)
    root = b.sqrt(-log_of_sum(b, rest, low))
    if x.element == "float":
        ratio = polynomial_at(b, place_of(b, root, 35 / 64), inverse_tables.ERF_INV_FLOAT)
    else:
        ratio = polynomial_at(b, place_of(b, root, 13 / 16), inverse_tables.ERF_INV_DOUBLE)
    ratio = b.select(b.compare("oeq", a, 1.0), float("inf"), ratio)
    return b.copysign(a * ratio, x)


ERROR: dict[str, Callable[..., Value]] = {"erf": erf, "erfc": erfc, "erf_inv": erf_inv}
