"""The constants of the two formats that formulas are written for, and steps that many formulas
share.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from ..builder import Builder, Value

LN2 = 0.6931471805599453
PI = 3.141592653589793
HALF_PI = 1.5707963267948966
HALF_PI_LOW = 6.123233995736766e-17
PI_LOW = 1.2246467991473532e-16


@dataclass(frozen=True, slots=True)
class Precision:
    """A binary floating-point format.

    `magic` is 1.5 times two to the number of mantissa bits: added to a small number, it leaves the
    nearest integer in the low bits. `ln2_high` has so few bits that its product with an exponent is
    exact.
    """

    element: str
    integer: str
    mantissa: int
    bias: int
    magic: float
    magic_bits: int
    smallest_normal: float
    ln2_high: float
    ln2_low: float
    half_pi_low: float
    pi_low: float
    sqrt_half_bits: int
    exp_low: float
    exp_high: float

    def pattern_of(self, number: float) -> int:
        """The bit pattern of a number that the format has exactly."""
        kinds = (">f", ">I") if self.element == "float" else (">d", ">Q")
        (pattern,) = struct.unpack(kinds[1], struct.pack(kinds[0], number))
        return int(pattern)


SINGLE = Precision(
    element="float",
    integer="i32",
    mantissa=23,
    bias=127,
    magic=1.5 * 2.0**23,
    magic_bits=0x4B400000,
    smallest_normal=2.0**-126,
    ln2_high=0.693359375,
    ln2_low=-0.00021219444005469057,
    half_pi_low=-4.3711390001862426e-08,
    pi_low=-8.742278000372485e-08,
    sqrt_half_bits=0x3F3504F3,
    exp_low=-104.0,
    exp_high=89.0,
)
DOUBLE = Precision(
    element="double",
    integer="i64",
    mantissa=52,
    bias=1023,
    magic=1.5 * 2.0**52,
    magic_bits=0x4338000000000000,
    smallest_normal=2.0**-1022,
    ln2_high=0.6931471803691238,
    ln2_low=1.9082149292705877e-10,
    half_pi_low=HALF_PI_LOW,
    pi_low=PI_LOW,
    sqrt_half_bits=0x3FE6A09E667F3BCD,
    exp_low=-746.0,
    exp_high=710.0,
)


def precision_of(x: Value) -> Precision:
    """The constants of the format of `x`: float or double."""
    return SINGLE if x.element == "float" else DOUBLE


def polynomial(b: Builder, x: Value, single: Sequence[float], double: Sequence[float]) -> Value:
    """The polynomial for the precision of `x`.

    Horner's scheme has the least code and rounding; double tables of medium length, those of the
    commonest functions, are summed by pairs, for the sake of loops that wait for one value.
    """
    if x.element == "float":
        return b.horner(x, single)
    return b.estrin(x, double) if 8 < len(double) < 13 else b.horner(x, double)


def whole_number(b: Builder, n: Value, p: Precision) -> Value:
    """A small integer as a float; before AVX-512, x86 converts no vectors of 64-bit integers."""
    if p.element == "float":
        return b.cast("sitofp", n, "float")
    return b.float_of_bits(n + p.magic_bits, "double") - p.magic


def at_most(b: Builder, x: Value, limit: float) -> Value:
    """min(x, limit), NaN kept; the order of operands is that of the processor's minimum."""
    bound = b.constant(x.element, limit)
    return b.select(b.compare("olt", bound, x), bound, x)


def at_least(b: Builder, x: Value, limit: float) -> Value:
    """max(x, limit), NaN kept."""
    bound = b.constant(x.element, limit)
    return b.select(b.compare("ogt", bound, x), bound, x)


def power_of_two(b: Builder, exponent: Value, p: Precision) -> Value:
    """Two to an integer power within the range of normal numbers."""
    return b.float_of_bits((exponent + p.bias) << p.mantissa, p.element)


def scaled(b: Builder, x: Value, n: Value, p: Precision, extra: int = 0) -> Value:
    """x times 2**(n + extra), in two steps, so that results may be infinite or below the normal
    numbers.
    """
    half = b.shift_right_arithmetic(n, 1)
    rest = n - half
    if extra:
        rest = rest + extra
    return (x * power_of_two(b, half, p)) * power_of_two(b, rest, p)


def sum_error(x: Value, y: Value, total: Value) -> Value:
    """What rounding took from total = x + y, exactly, for any x, y (D. Knuth, TAOCP 2, 4.2.2)."""
    y_part = total - x
    return (x - (total - y_part)) + (y - y_part)


def product_error(b: Builder, x: Value, y: Value, product: Value) -> Value:
    """What rounding took from product = x * y, exactly, if nothing over- or underflows."""
    if b.fused:
        return b.fma(x, y, -product)
    x_high, x_low = _split(x)
    y_high, y_low = _split(y)
    rest = (x_high * y_high - product) + x_high * y_low + x_low * y_high
    return rest + x_low * y_low


def _split(x: Value) -> tuple[Value, Value]:
    """Two halves of the bits (T. J. Dekker, 1971)."""
    factor = 4097.0 if x.element == "float" else 134217729.0
    scaled = x * factor
    high = scaled - (scaled - x)
    return high, x - high


def residual(b: Builder, total: Value, x: Value, y: Value) -> Value:
    """total - x * y, rounded once, where x * y is close to total."""
    if b.fused:
        return b.fma(-x, y, total)
    product = x * y
    return (total - product) - product_error(b, x, y, product)


def any_lane(b: Builder, condition: Value) -> Value:
    """Whether the condition holds in some lane, as a scalar."""
    if condition.lanes == 1:
        return condition
    function = f"llvm.vector.reduce.or.v{condition.lanes}i1"
    b.declarations.add(f"declare i1 @{function}({condition.type})")
    return b.define(
        "i1", 1, f"call i1 @{function}({condition.type} {condition.name})", (condition,)
    )
