"""Arithmetic, comparison and choice: the exact operators, one formula per operator and kind of
dtype.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..builder import Builder, Value
from ..literals import BITS
from .formats import widen
from .remainder import rem

# -- floats (float and double; 16-bit floats arrive widened) ------------------------------------


def float_sign(b: Builder, x: Value) -> Value:
    """-1, 0 or 1; zeros keep their sign, and NaN stays NaN."""
    # Unordered or equal to zero: NaN, +0 and -0 are their own signs.
    return b.select(b.compare("ueq", x, 0.0), x, b.copysign(1.0, x))


def float_clamp(b: Builder, low: Value, x: Value, high: Value) -> Value:
    """min(max(x, low), high); NaN if any of them is."""
    return b.intrinsic("minimum", b.intrinsic("maximum", x, low), high)


def nextafter(b: Builder, x: Value, y: Value) -> Value:
    """The neighbour of `x` towards `y`, in the format of `x`; `y` where they are equal."""
    wide_x, wide_y = widen(b, x), widen(b, y)
    pattern, towards = b.bits(x), b.bits(y)
    sign = 1 << (BITS[pattern.element] - 1)
    # Away from zero the pattern grows, towards zero it shrinks.
    grows = b.compare("olt", wide_x, wide_y) ^ b.compare("slt", pattern, 0)
    moved = pattern + b.select(grows, b.constant(pattern.element, 1), -1)
    smallest = b.select(b.compare("slt", towards, 0), b.constant(pattern.element, sign | 1), 1)
    moved = b.select(b.compare("oeq", wide_x, 0.0), smallest, moved)
    moved = b.select(b.compare("oeq", wide_x, wide_y), towards, moved)
    moved = b.select(b.compare("uno", wide_y, wide_y), towards, moved)
    moved = b.select(b.compare("uno", wide_x, wide_x), pattern, moved)
    return b.float_of_bits(moved, x.element)


def round_away(b: Builder, x: Value) -> Value:
    """To the nearest integer, ties away from zero: truncation after adding the largest number below
    1/2.
    """
    below_half = 0.49999997 if x.element == "float" else 0.49999999999999994
    return b.intrinsic("trunc", x + b.copysign(below_half, x))


def is_finite(b: Builder, x: Value) -> Value:
    """Neither infinite nor NaN."""
    return b.compare("olt", b.fabs(x), float("inf"))


def integer_power(b: Builder, x: Value, exponent: int) -> Value:
    """`x` to a whole power by repeated squaring; a negative power is the reciprocal of the positive
    one.
    """
    if exponent == 0:
        return b.constant(x.element, 1, x.lanes)
    remaining = abs(exponent)
    square = x
    result: Value | None = None
    while remaining:
        if remaining & 1:
            result = square if result is None else result * square
        remaining >>= 1
        if remaining:
            square = square * square
    assert result is not None
    return 1.0 / result if exponent < 0 else result


FLOAT: dict[str, Callable[..., Value]] = {
    # A program's own products and sums may be fused; those inside of formulas are exactly as
    # written.
    "add": lambda b, x, y: b.binary("fadd", x, y, "contract"),
    "sub": lambda b, x, y: b.binary("fsub", x, y, "contract"),
    "mul": lambda b, x, y: b.binary("fmul", x, y, "contract"),
    "div": lambda b, x, y: x / y,
    "rem": rem,
    "neg": lambda b, x: -x,
    "abs": lambda b, x: b.fabs(x),
    "sign": float_sign,
    "max": lambda b, x, y: b.intrinsic("maximum", x, y),
    "min": lambda b, x, y: b.intrinsic("minimum", x, y),
    "square": lambda b, x: b.binary("fmul", x, x, "contract"),
    "sqrt": lambda b, x: b.sqrt(x),
    "rsqrt": lambda b, x: 1.0 / b.sqrt(x),
    "reciprocal": lambda b, x: 1.0 / x,
    "floor": lambda b, x: b.intrinsic("floor", x),
    "ceil": lambda b, x: b.intrinsic("ceil", x),
    "is_finite": is_finite,
    "copysign": lambda b, x, y: b.copysign(x, y),
    "clamp": float_clamp,
    "eq": lambda b, x, y: b.compare("oeq", x, y),
    "ne": lambda b, x, y: b.compare("une", x, y),
    "lt": lambda b, x, y: b.compare("olt", x, y),
    "le": lambda b, x, y: b.compare("ole", x, y),
    "gt": lambda b, x, y: b.compare("ogt", x, y),
    "ge": lambda b, x, y: b.compare("oge", x, y),
}

# -- integers -------------------------------------------------------------------------------------


def _prefix(signed: bool) -> str:
    return "s" if signed else "u"


def _safe_divisor(b: Builder, signed: bool, x: Value, y: Value) -> Value:
    """`y`, or 1 where the division would trap: by zero, and the lowest number by -1."""
    unsafe = b.compare("eq", y, 0)
    if signed:
        lowest = -(1 << (BITS[x.element] - 1))
        unsafe = unsafe | (b.compare("eq", x, lowest) & b.compare("eq", y, -1))
    return b.select(unsafe, b.constant(y.element, 1), y)


def _quotient(b: Builder, signed: bool, x: Value, y: Value) -> Value:
    """The truncated quotient by a divisor that does not trap.

    Processors have no vector division of integers. A quotient of 32-bit numbers is exact after
    truncation in double, of 16-bit numbers in float: the distance of x / y to the next integer is
    at least 1 / |y|, more than the rounding error |x / y| 2**-p.
    """
    width = BITS[x.element]
    if max(x.lanes, y.lanes) == 1 or width == 64:
        return b.binary("sdiv" if signed else "udiv", x, y)
    element = "double" if width == 32 else "float"
    convert, back = ("sitofp", "fptosi") if signed else ("uitofp", "fptoui")
    ratio = b.cast(convert, x, element) / b.cast(convert, y, element)
    return b.cast(back, ratio, x.element)


def _constant_divisor(y: Value) -> bool:
    return y.number is not None and y.number not in (0, -1)


def _half(b: Builder, x: Value) -> Value:
    """The truncated half of a signed number.

    LLVM 22 takes `sdiv x, 2` for x where x is a vector of products of 64-bit numbers that it knows
    not to be positive.
    """
    return b.binary("ashr", b.select(b.compare("slt", x, 0), x + 1, x), 1)


def integer_div(b: Builder, signed: bool, x: Value, y: Value) -> Value:
    """C's truncating division; by zero it is -1 (all bits); the lowest number by -1 is itself."""
    if _constant_divisor(y):
        if signed and abs(int(y.number)) == 2:
            half = _half(b, x)
            return half if y.number == 2 else 0 - half
        return b.binary("sdiv" if signed else "udiv", x, y)
    quotient = _quotient(b, signed, x, _safe_divisor(b, signed, x, y))
    return b.select(b.compare("eq", y, 0), b.constant(x.element, -1), quotient)


def integer_rem(b: Builder, signed: bool, x: Value, y: Value) -> Value:
    """The remainder of the truncating division, with the sign of `x`; by zero it is `x`."""
    if _constant_divisor(y):
        return b.binary("srem" if signed else "urem", x, y)
    # Where the divisor is zero the product is zero too, whatever the quotient.
    return x - _quotient(b, signed, x, _safe_divisor(b, signed, x, y)) * y


def integer_abs(b: Builder, signed: bool, x: Value) -> Value:
    """The absolute value; the lowest number stays as it is."""
    return b.intrinsic("abs", x, immediate="i1 false") if signed else x


def integer_sign(b: Builder, signed: bool, x: Value) -> Value:
    """-1, 0 or 1."""
    positive = b.cast("zext", b.compare("sgt" if signed else "ne", x, 0), x.element)
    return b.shift_right_arithmetic(x, BITS[x.element] - 1) | positive if signed else positive


def integer_clamp(b: Builder, signed: bool, low: Value, x: Value, high: Value) -> Value:
    """min(max(x, low), high)."""
    kind = _prefix(signed)
    return b.intrinsic(kind + "min", b.intrinsic(kind + "max", x, low), high)


INTEGER: dict[str, Callable[..., Value]] = {
    "add": lambda b, signed, x, y: x + y,
    "sub": lambda b, signed, x, y: x - y,
    "mul": lambda b, signed, x, y: x * y,
    "div": integer_div,
    "rem": integer_rem,
    "neg": lambda b, signed, x: -x,
    "abs": integer_abs,
    "sign": integer_sign,
    "square": lambda b, signed, x: x * x,
    "max": lambda b, signed, x, y: b.intrinsic(_prefix(signed) + "max", x, y),
    "min": lambda b, signed, x, y: b.intrinsic(_prefix(signed) + "min", x, y),
    "clamp": integer_clamp,
    "eq": lambda b, signed, x, y: b.compare("eq", x, y),
    "ne": lambda b, signed, x, y: b.compare("ne", x, y),
    "lt": lambda b, signed, x, y: b.compare(_prefix(signed) + "lt", x, y),
    "le": lambda b, signed, x, y: b.compare(_prefix(signed) + "le", x, y),
    "gt": lambda b, signed, x, y: b.compare(_prefix(signed) + "gt", x, y),
    "ge": lambda b, signed, x, y: b.compare(_prefix(signed) + "ge", x, y),
}

# -- booleans: addition is "or", multiplication is "and" ------------------------------------------

BOOLEAN: dict[str, Callable[..., Value]] = {
    "add": lambda b, x, y: x | y,
    "max": lambda b, x, y: x | y,
    "or": lambda b, x, y: x | y,
    "mul": lambda b, x, y: x & y,
    "min": lambda b, x, y: x & y,
    "and": lambda b, x, y: x & y,
    "xor": lambda b, x, y: x ^ y,
    "not": lambda b, x: ~x,
    "eq": lambda b, x, y: ~(x ^ y),
    "ne": lambda b, x, y: x ^ y,
    "lt": lambda b, x, y: ~x & y,
    "le": lambda b, x, y: ~x | y,
    "gt": lambda b, x, y: x & ~y,
    "ge": lambda b, x, y: x | ~y,
    "clamp": lambda b, low, x, high: (x | low) & high,
}

# -- choice, the same for every dtype ------------------------------------------------------------


def select_n(b: Builder, which: Value, cases: Sequence[Value]) -> Value:
    """The case that `which` names: false, true for a boolean, 0, 1, 2, ... for an int32.

    An integer below 0 chooses the first case, one past the end the last.
    """
    if which.element == "i1":
        no, yes = cases if len(cases) == 2 else (cases[0], cases[0])
        return b.select(which, yes, no)
    result = cases[-1]
    for index in range(len(cases) - 2, -1, -1):
        result = b.select(b.compare("slt", which, index + 1), cases[index], result)
    return result
