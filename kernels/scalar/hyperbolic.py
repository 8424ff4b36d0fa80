"""Hyperbolic functions and their inverses."""

from __future__ import annotations

from collections.abc import Callable

from ..builder import Builder, Value
from . import coefficients as table
from .exponential import exp_scaled, log_of_sum
from .precision import any_lane, polynomial, product_error, residual, sum_error


def sinh(b: Builder, x: Value) -> Value:
    """Within 1.8 ulp: an odd polynomial below 1, else (exp(x) - exp(-x)) / 2."""
    a = b.fabs(x)
    half = exp_scaled(b, a, -1)
    z = a * a
    small = b.fma(polynomial(b, z, table.SINH_FLOAT, table.SINH_DOUBLE) * z, a, a)
    large = half - 0.25 / half
    return b.copysign(b.select(b.compare("olt", a, 1.0), small, large), x)


def cosh(b: Builder, x: Value) -> Value:
    """Within 1.6 ulp."""
    half = exp_scaled(b, b.fabs(x), -1)
    return half + 0.25 / half


def _root_in_two_parts(b: Builder, square: Value, low: Value) -> tuple[Value, Value]:
    """sqrt(square + low) as a sum of two, for a `low` far below `square`."""
    root = b.sqrt(square)
    error = (residual(b, square, root, root) + low) / (root + root)
    return root, b.select(b.compare("ogt", root, 0.0), error, 0.0)


def asinh(b: Builder, x: Value) -> Value:
    """Within 1.6 ulp: log(|x| + sqrt(x**2 + 1)) with the sum in two parts."""
    a = b.fabs(x)
    far = b.compare("ogt", a, 2.0**30)
    near = b.select(far, 1.0, a)
    square = near * near
    total = square + 1.0
    one = b.constant(x.element, 1.0)
    low = sum_error(one, square, total) + product_error(b, near, near, square)
    root, root_low = _root_in_two_parts(b, total, low)
    outer = root + near
    outer_low = ((root - outer) + near) + root_low
    argument = b.select(far, a, outer)
    argument_low = b.select(far, 0.0, outer_low)
    doublings = b.select(far, one, 0.0)
    return b.copysign(log_of_sum(b, argument, argument_low, doublings), x)


def acosh(b: Builder, x: Value) -> Value:
    """Within 1.6 ulp: log(x + sqrt(x**2 - 1)) with the sum in two parts; NaN below 1."""
    far = b.compare("ogt", x, 2.0**30)
    near = b.select(far, 1.0, x)
    # x**2 - 1 = t (2 + t) with t = x - 1, which is exact where it matters.
    t = near - 1.0
    twice = t + t
    square = t * t
    total = twice + square
    low = sum_error(twice, square, total) + product_error(b, t, t, square)
    root, root_low = _root_in_two_parts(b, total, low)
    outer = near + root
    outer_low = ((near - outer) + root) + root_low
    argument = b.select(far, x, outer)
    argument_low = b.select(far, 0.0, outer_low)
    doublings = b.select(far, b.constant(x.element, 1.0), 0.0)
    result = log_of_sum(b, argument, argument_low, doublings)
    less = b.compare("olt", x, 1.0)
    with b.when(any_lane(b, less), (result,)) as branch:
        branch.give(b.select(less, float("nan"), b.hold(result)))
    return branch.results[0]


def atanh(b: Builder, x: Value) -> Value:
    """Within 1.6 ulp: log((1 + x) / (1 - x)) / 2 with the quotient in two parts."""
    a = b.fabs(x)
    one = b.constant(x.element, 1.0)
    above, below = a + 1.0, 1.0 - a
    above_low, below_low = sum_error(one, a, above), sum_error(one, -a, below)
    inverse = 1.0 / below
    ratio = above * inverse
    error = residual(b, above, ratio, below) + (above_low - ratio * below_low)
    low = error * inverse
    result = log_of_sum(b, ratio, low) * 0.5
    return b.copysign(result, x)


HYPERBOLIC: dict[str, Callable[..., Value]] = {
    "sinh": sinh,
    "cosh": cosh,
    "asinh": asinh,
    "acosh": acosh,
    "atanh": atanh,
}
