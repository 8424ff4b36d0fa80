"""Arguments of circular functions, reduced by multiples of a quarter turn.

Up to a limit the product with pi/2 in three parts is exact enough (W. J. Cody and W. Waite,
"Software Manual for the Elementary Functions", 1980); vectors with an argument beyond it take a
branch that multiplies by the bits of 2/pi that matter (M. Payne and R. Hanek, "Radian reduction for
trigonometric functions", 1983).
"""

from __future__ import annotations

from dataclasses import dataclass

from ..builder import Builder, Value
from .precision import HALF_PI, HALF_PI_LOW, any_lane, precision_of, product_error, sum_error

# pi/2 in parts, each cut downwards: with positive parts a negative zero stays one. The product of
# the first with a whole number is exact together with the subtraction.
_FLOAT_PARTS = (1.570796251296997, 7.549789415861596e-08, 5.390302529957765e-15)
_FLOAT_LIMIT = 3e4
_DOUBLE_PARTS = (1.5707963267948966, 6.123233995736765e-17, 1.0828566739219139e-32)
_DOUBLE_LIMIT = 2.0**30
# Without a fused multiply-add: 30 bits in each of the first two, so that their products are exact.
_SHORT_PARTS = (1.570796325802803, 9.920935791635221e-10, 5.170182981794105e-19)
_SHORT_LIMIT = 2.0**22

# 2/pi = sum of word k 2**(-64 k).
_TWO_OVER_PI = (
    0x0000000000000000,
    0xA2F9836E4E441529,
    0xFC2757D1F534DDC0,
    0xDB6295993C439041,
    0xFE5163ABDEBBC561,
    0xB7246E3A424DD2E0,
    0x06492EEA09D1921C,
    0xFE1DEB1CB129A73E,
    0xE88235F52EBB4484,
    0xE99C7026B45F7E41,
    0x3991D639835339F4,
    0x9C845F8BBDF9283B,
    0x1FF897FFDE05980F,
    0xEF2F118B5A0A6D1F,
    0x6D367ECF27CB09B7,
    0x4F463F669E5FEA2D,
    0x7527BAC7EBE5F17B,
    0x3D0739F78A5292EA,
    0x6BFB5FB11F8D5D08,
    0x56033046FC7B6BAB,
)


@dataclass(frozen=True, slots=True)
class Reduced:
    """x = quarters pi/2 + rest + low with |rest| <= pi/4 and a little; `quarters` is right modulo
    4.
    """

    quarters: Value
    rest: Value
    low: Value


def reduce_quarters(b: Builder, x: Value, wants_low: bool = False) -> Reduced:
    """Reduces any finite argument; an infinite one and NaN give NaN.

    Without `wants_low` the low part is 0 for usual arguments, and the rest is within an ulp.
    """
    if x.element == "double":
        return _reduce_double(b, x, wants_low)
    if not b.fused:
        return _as_single(b, _reduce_double(b, b.cast("fpext", x, "double"), False))
    usual = _by_parts(b, x, _FLOAT_PARTS, wants_low)
    large = b.compare("ogt", b.fabs(x), _FLOAT_LIMIT)
    otherwise = (usual.quarters, usual.rest, usual.low)
    with b.when(any_lane(b, large), otherwise) as branch:
        inside = b.cast("fpext", b.hold(x), "double")
        branch.give(*_choose(b, large, _as_single(b, _reduce_double(b, inside, False)), usual))
    return Reduced(*branch.results)


def _choose(b: Builder, condition: Value, x: Reduced, y: Reduced) -> tuple[Value, Value, Value]:
    return (
        b.select(condition, x.quarters, y.quarters),
        b.select(condition, x.rest, y.rest),
        b.select(condition, x.low, y.low),
    )


def _as_single(b: Builder, x: Reduced) -> Reduced:
    rest = b.cast("fptrunc", x.rest, "float")
    low = b.cast("fptrunc", x.rest - b.cast("fpext", rest, "double"), "float")
    return Reduced(b.cast("trunc", x.quarters, "i32"), rest, low)


def _reduce_double(b: Builder, x: Value, wants_low: bool) -> Reduced:
    limit = _DOUBLE_LIMIT if b.fused else _SHORT_LIMIT
    usual = _by_parts(b, x, _DOUBLE_PARTS if b.fused else _SHORT_PARTS, wants_low)
    large = b.compare("ogt", b.fabs(x), limit)
    otherwise = (usual.quarters, usual.rest, usual.low)
    with b.when(any_lane(b, large), otherwise) as branch:
        inside = b.hold(x)
        any_size = _any_size(b, inside)
        infinite = b.compare("oeq", b.fabs(inside), float("inf"))
        rest = b.select(infinite, float("nan"), any_size.rest)
        branch.give(*_choose(b, large, Reduced(any_size.quarters, rest, any_size.low), usual))
    return Reduced(*branch.results)


def _by_parts(b: Builder, x: Value, parts: tuple[float, float, float], wants_low: bool) -> Reduced:
    p = precision_of(x)
    first, second, third = parts
    shifted = b.fma(x, 1 / HALF_PI, p.magic)
    n = shifted - p.magic
    r = b.fma(n, -first, x)
    quarters = b.bits(shifted)
    if not wants_low:
        rest = b.fma(n, -third, b.fma(n, -second, r))
        return Reduced(quarters, rest, b.constant(p.element, 0.0, x.lanes))
    rest = r - n * second
    # The remainder `r` is a multiple of the ulp of the product, so that r - rest is exact.
    low = b.fma(n, -third, b.fma(n, -second, r - rest))
    if b.fused:
        return Reduced(quarters, rest, low)
    # The short parts leave so much to the third that it may be more than the rest.
    total = rest + low
    return Reduced(quarters, total, sum_error(rest, low, total))


def _any_size(b: Builder, x: Value) -> Reduced:
    """Doubles above the limit, lane by lane in integers."""
    if x.lanes == 1:
        return _one_of_any_size(b, x)
    zero = b.constant("double", 0.0, x.lanes)
    start = (b.constant("i64", 0, x.lanes), zero, zero)
    with b.loop(x.lanes, carried=start) as loop:
        lane = f"i64 {loop.index.name}"
        text = f"extractelement {x.type} {x.name}, {lane}"
        one = _one_of_any_size(b, b.define("double", 1, text, (x, loop.index)))
        following = []
        for old, new in zip(loop.carried, (one.quarters, one.rest, one.low), strict=True):
            text = f"insertelement {old.type} {old.name}, {new.type} {new.name}, {lane}"
            following.append(b.define(old.element, old.lanes, text, (old, new, loop.index)))
        loop.carry(*following)
    return Reduced(*loop.results)


def _one_of_any_size(b: Builder, x: Value) -> Reduced:
    """x = m 2**e with a whole m of 53 bits, times 192 bits of 2/pi.

    The bits of 2/pi of weight 2**(2 - e) and more make multiples of four quarter turns with any m.
    So the product with the bits after them, cut to its own 192 bits, is a fraction of four quarter
    turns.
    """
    pattern = b.bits(x)
    biased = b.shift_right(pattern, 52) & 0x7FF
    m = (pattern & ((1 << 52) - 1)) | (1 << 52)
    # e = biased - 1075, and the table starts 64 bits before the point. Lanes with a small argument
    # come here too; their result is not used, but they must not read before the table.
    first_bit = b.intrinsic("smax", biased - (1075 + 2 - 64), 0)
    index = b.shift_right(first_bit, 6)
    offset = first_bit & 63
    table = _words(b)
    words = [b.load("i64", b.pointer(table, "i64", index + k)) for k in range(4)]
    high, middle, low = (b.intrinsic("fshl", words[k], words[k + 1], offset) for k in range(3))
    from_low = _high_product(b, m, low)
    from_middle = m * middle
    below = from_middle + from_low
    carry = b.cast("zext", b.compare("ult", below, from_low), "i64")
    top = m * high + _high_product(b, m, middle) + carry
    quarters = b.shift_right(top + (1 << 61), 62)
    signed = top - (quarters << 62)
    # (signed 2**64 + below) 2**-126 quarter turns, as a sum of two doubles.
    first = b.cast("sitofp", signed & -2048, "double")
    second = ((signed & 2047) << 52) | b.shift_right(below, 12)
    second_float = b.cast("sitofp", second, "double") * 2.0**-52
    total = first + second_float
    rest_of_total = (first - total) + second_float
    unit, unit_low = HALF_PI * 2.0**-62, HALF_PI_LOW * 2.0**-62
    product = total * unit
    product_low = product_error(b, total, b.constant("double", unit), product)
    product_low = b.fma(total, unit_low, b.fma(rest_of_total, unit, product_low))
    rest = product + product_low
    rest_low = (product - rest) + product_low
    negative = b.compare("slt", pattern, 0)
    return Reduced(
        b.select(negative, -quarters, quarters),
        b.select(negative, -rest, rest),
        b.select(negative, -rest_low, rest_low),
    )


def _words(b: Builder) -> Value:
    """The address of the table, which is written once into the module."""
    words = ", ".join(f"i64 {b.constant('i64', word).name}" for word in _TWO_OVER_PI)
    count = len(_TWO_OVER_PI)
    name = "@xform_two_over_pi"
    b.declarations.add(f"{name} = private unnamed_addr constant [{count} x i64] [{words}]")
    return Value(b, name, "ptr", 1, 0)


def _high_product(b: Builder, x: Value, y: Value) -> Value:
    """The upper 64 bits of the product of two unsigned 64-bit numbers, by halves."""
    mask = (1 << 32) - 1
    x_low, x_high = x & mask, b.shift_right(x, 32)
    y_low, y_high = y & mask, b.shift_right(y, 32)
    first = x_high * y_low + b.shift_right(x_low * y_low, 32)
    second = x_low * y_high + (first & mask)
    return x_high * y_high + (b.shift_right(first, 32) + b.shift_right(second, 32))
