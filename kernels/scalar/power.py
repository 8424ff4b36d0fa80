"""Powers, by a logarithm in two parts, and the cube root.

x = 2**k z, z = c (1 + r) with a c from a short table, so that |r| < 0.06 (P.-T. P. Tang,
"Table-driven implementation of the logarithm function in IEEE floating-point arithmetic", ACM TOMS
16, 1990); the sum k log(2) + log(c) + r - r**2 / 2 + ... is carried in two parts.
"""

from __future__ import annotations

from collections.abc import Callable

from ..builder import Builder, Value
from ..literals import BITS
from . import coefficients as table
from .lookup import lookup
from .precision import (
    LN2,
    Precision,
    any_lane,
    polynomial,
    power_of_two,
    precision_of,
    product_error,
    residual,
    scaled,
    whole_number,
)

_PARTS_BITS = 3
_THIRD = 1 / 3


def log_in_two_parts(b: Builder, x: Value, p: Precision) -> tuple[Value, Value]:
    """log(x) of a positive number as a sum of two, within 2**-9 ulp of the first."""
    single = p.element == "float"
    small = b.compare("olt", x, p.smallest_normal)
    start = p.pattern_of(table.LOG_START)
    pattern = b.bits(b.select(small, x * 2.0**p.mantissa, x))
    place = pattern - start
    exponent = b.shift_right_arithmetic(place, p.mantissa)
    index = b.shift_right(place, p.mantissa - _PARTS_BITS) & ((1 << _PARTS_BITS) - 1)
    z = b.float_of_bits(pattern - (exponent << p.mantissa), p.element)
    k = whole_number(b, exponent, p)
    k = b.select(small, k - float(p.mantissa), k)
    inverse = lookup(b, p.element, table.LOG_INVERSES, index)
    high_table = table.LOG_HIGH_FLOAT if single else table.LOG_HIGH_DOUBLE
    low_table = table.LOG_LOW_FLOAT if single else table.LOG_LOW_DOUBLE
    # Exact: k log(2) and log(c) have few bits, and z / c is near 1.
    main = b.fma(k, p.ln2_high, lookup(b, p.element, high_table, index))
    ratio = z * inverse
    r = ratio - 1.0
    r_low = product_error(b, z, inverse, ratio)
    square = r * r
    half = square * -0.5
    first = main + r
    high = first + half
    low = ((main - first) + r) + ((first - high) + half)
    series = polynomial(b, r, table.LOG_SHORT_FLOAT, table.LOG_SHORT_DOUBLE)
    low = low + b.fma(k, p.ln2_low, lookup(b, p.element, low_table, index))
    # The error of r times 1 / (1 + r), which is near (1 - r) (1 + r**2).
    slope = square - r if single else b.fma(square, 1.0 - r, -r)
    low = low + b.fma(slope, r_low, r_low)
    low = b.fma(product_error(b, r, r, square), -0.5, low)
    low = b.fma(square * square, series, low)
    cube = square * r
    if not single:
        low = b.fma(product_error(b, square, r, cube), _THIRD, low)
    low = b.fma(cube, _THIRD, low)
    total = high + low
    return total, (high - total) + low


def _parts_of_exponent(b: Builder, y: Value, p: Precision) -> tuple[Value, Value | None]:
    """An exponent in the format of the base; of an integer with more bits, the rest too."""
    if y.is_float:
        return y, None
    cut = BITS[y.element] - (p.mantissa + 1)
    if cut <= 0:
        return b.cast("sitofp", y, p.element), None
    if cut > p.mantissa:
        wide = b.cast("sitofp", y, "double")
        total = b.cast("fptrunc", wide, p.element)
        return total, b.cast("fptrunc", wide - b.cast("fpext", total, "double"), p.element)
    mask = (1 << cut) - 1
    head, tail = b.cast("sitofp", y & ~mask, p.element), b.cast("sitofp", y & mask, p.element)
    total = head + tail
    return total, (head - total) + tail


def _exp_single(b: Builder, x: Value, low: Value, p: Precision) -> tuple[Value, Value]:
    """(y, n) with exp(x + low) = y 2**n: y = 1 + r + ..., with the error of 1 + r."""
    shifted = b.fma(x, 1 / LN2, p.magic)
    whole = shifted - p.magic
    r_high = b.fma(whole, -p.ln2_high, x)
    low = b.fma(whole, -p.ln2_low, low)
    r = r_high + low
    r_low = (r_high - r) + low
    beyond = b.fma(b.horner(r, table.EXP_FLOAT), r * r, r_low)
    main = r + 1.0
    return main + (((1.0 - main) + r) + beyond), b.bits(shifted) - p.magic_bits


def _exp_double(b: Builder, x: Value, low: Value, p: Precision) -> tuple[Value, Value]:
    """(y, n) with exp(x + low) = y 2**n: y = 2**(k / 8) exp(r), from a table in two parts."""
    shifted = b.fma(x, 8 / LN2, p.magic)
    whole = shifted - p.magic
    r_high = b.fma(whole, -p.ln2_high / 8, x)
    r = r_high + b.fma(whole, -p.ln2_low / 8, low)
    beyond = b.fma(b.estrin(r, table.EXP_SHORT_DOUBLE), r * r, r)
    eighths = b.bits(shifted) - p.magic_bits
    index = eighths & 7
    main = lookup(b, "double", table.EIGHTH_POWERS, index)
    main_low = lookup(b, "double", table.EIGHTH_POWERS_LOW, index)
    return main + b.fma(main, beyond, main_low), b.shift_right_arithmetic(eighths, 3)


def pow(b: Builder, x: Value, y: Value) -> Value:
    """x**y with C's special values; float within 0.9 ulp, double within 1.5 ulp.

    The exponent may be a signed integer; then it is not rounded to the format of `x`.
    """
    x, y = b.align_lanes(x, y)
    p = precision_of(x)
    a = b.fabs(x)
    high, low = log_in_two_parts(b, a, p)
    exponent, rest = _parts_of_exponent(b, y, p)
    product = exponent * high
    product_low = b.fma(exponent, low, product_error(b, exponent, high, product))
    if rest is not None:
        product_low = b.fma(rest, high, product_low)
    exponential = _exp_single if p.element == "float" else _exp_double
    fraction, n = exponential(b, product, product_low, p)
    usual = fraction * power_of_two(b, n, p)
    positive = b.compare("ult", b.bits(x) - 1, p.pattern_of(float("inf")) - 1)
    ordinary = positive & b.compare("olt", b.fabs(product), (p.bias - 2) * LN2)
    with b.when(any_lane(b, ~ordinary), (usual,)) as branch:
        held = b.hold(product)
        size = scaled(b, fraction, b.hold(n), p)
        size = b.select(b.compare("ogt", held, p.exp_high + 1.0), float("inf"), size)
        size = b.select(b.compare("olt", held, p.exp_low), 0.0, size)
        branch.give(_with_special_values(b, b.hold(x), y, size))
    return branch.results[0]


def _with_special_values(b: Builder, x: Value, y: Value, size: Value) -> Value:
    """x**y, by the size that it has for a finite `x` other than 0, and a finite `y`."""
    infinity = float("inf")
    a = b.fabs(x)
    # Where x is 0 or infinite, or y infinite, the result is 0 or infinite.
    edge = b.compare("oeq", a, infinity) | b.compare("oeq", x, 0.0)
    if y.is_float:
        whole = b.compare("oeq", b.intrinsic("trunc", y), y)
        half = y * 0.5
        odd = whole & b.compare("one", b.intrinsic("trunc", half), half)
        endless = b.compare("oeq", b.fabs(y), infinity)
        edge = edge | endless
        undefined = (b.compare("olt", x, 0.0) & ~whole & ~edge) | b.compare("uno", x, y)
        one = b.compare("oeq", x, 1.0) | (b.compare("oeq", a, 1.0) & endless)
        one = one | b.compare("oeq", y, 0.0)
        rises = b.compare("ogt", y, 0.0)
    else:
        odd = b.compare("ne", y & 1, 0)
        undefined = b.compare("uno", x, x)
        one = b.compare("oeq", x, 1.0) | b.compare("eq", y, 0)
        rises = b.compare("sgt", y, 0)
    grows = ~(b.compare("ogt", a, 1.0) ^ rises)
    extreme = b.select(grows, b.constant(x.element, infinity), 0.0)
    size = b.select(edge, extreme, size)
    result = b.select(odd, b.copysign(size, x), size)
    return b.select(one, 1.0, b.select(undefined, float("nan"), result))


_CUBE_SERIES = (1 / 3, 2 / 9, 14 / 81)


def cbrt(b: Builder, x: Value) -> Value:
    """Within 0.6 ulp, without a division: y = x**(-1/3) by its series in 1 - x y**3, then x y**2
    with one step of Newton by an exact cube.
    """
    p = precision_of(x)
    single = x.element == "float"
    scale_bits = 48 if single else 108
    # Below the error of the cube would have few bits.
    lowest = p.smallest_normal * 2.0 ** (scale_bits // 2)
    a = b.fabs(x)
    smallest, infinite = p.pattern_of(lowest), p.pattern_of(float("inf"))
    ordinary = b.compare("ult", b.bits(a) - smallest, infinite - smallest)
    unusual = any_lane(b, ~ordinary)
    with b.when(unusual, (a,)) as branch:
        held = b.hold(a)
        small = b.compare("olt", held, lowest)
        branch.give(b.select(small, held * 2.0**scale_bits, held))
    size = branch.results[0]
    y = _inverse_root_estimate(b, size, p)
    for terms in (3,) if single else (3, 2):
        h = b.fma(-(size * y), y * y, 1.0)
        y = b.fma(y * h, b.horner(h, _CUBE_SERIES[:terms]), y)
    y_square = y * y
    t = size * y_square
    square = t * t
    square_low = product_error(b, t, t, square)
    error = b.fma(-square_low, t, residual(b, size, square, t))
    t = b.copysign(b.fma(error * _THIRD, y_square, t), x)
    with b.when(unusual, (t,)) as branch:
        held = b.hold(a)
        small = b.compare("olt", held, lowest)
        result = b.select(small, t * 2.0 ** (-scale_bits // 3), t)
        special = ~(b.compare("ogt", held, 0.0) & b.compare("olt", held, float("inf")))
        branch.give(b.select(special, x + x, result))
    return branch.results[0]


def _inverse_root_estimate(b: Builder, x: Value, p: Precision) -> Value:
    """x**(-1/3) of a normal number within a thirtieth, by a third of the bit pattern."""
    # Four thirds of the pattern of 1, less a little that balances the error over three octaves.
    start = (4 / 3) * (p.bias - 0.05)
    pattern = b.bits(x)
    if p.element == "float":
        third = b.cast("sitofp", pattern, "float") * _THIRD
        return b.float_of_bits(b.cast("fptosi", start * 2.0**23 - third, "i32"), "float")
    # The upper halves suffice; a third of 31 bits by a product of two numbers of 32.
    third = b.shift_right(b.shift_right(pattern, 32) * 0x55555556, 32)
    return b.float_of_bits((int(start * 2**20) - third) << 32, "double")


POWERS: dict[str, Callable[..., Value]] = {"pow": pow, "cbrt": cbrt}
