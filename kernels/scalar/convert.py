"""Conversions between dtypes, and the rounding to fewer bits."""

from __future__ import annotations

from ..builder import Builder, Value
from ..literals import BITS, INTEGER_OF
from .formats import Format, format_of, narrow, widen


def convert(b: Builder, x: Value, old: str, new: str) -> Value:
    """`x` of dtype `old` as dtype `new`.

    Floats become integers by truncation, saturated, NaN as 0; anything becomes a boolean by `!= 0`;
    integers wrap around; floats round to nearest even.
    """
    source = format_of(old)
    target = format_of(new)
    if source == target:
        return x
    if target.kind == "b":
        wide = widen(b, x)
        return b.compare("une" if wide.is_float else "ne", wide, 0)
    if source.kind == "f":
        return _from_float(b, x, target)
    if target.kind == "f":
        return _float_from_integer(b, x, source, target)
    return _resize(b, x, source, target)


def _resize(b: Builder, x: Value, source: Format, target: Format) -> Value:
    before, after = BITS[source.element], BITS[target.element]
    if before == after:
        return x
    if before > after:
        return b.cast("trunc", x, target.element)
    return b.cast("sext" if source.signed else "zext", x, target.element)


def _float_from_integer(b: Builder, x: Value, source: Format, target: Format) -> Value:
    op = "sitofp" if source.signed else "uitofp"
    if target.element in ("float", "double"):
        return b.cast(op, x, target.element)
    if BITS[source.element] < 32:
        return narrow(b, b.cast(op, x, "float"), target.element)
    if target.element == "bfloat":
        return narrow(b, b.cast(op, x, "float"), "bfloat")
    return _float_from_float(b, b.cast(op, x, "double"), "half")


def _from_float(b: Builder, x: Value, target: Format) -> Value:
    if target.kind == "f":
        return _float_from_float(b, x, target.element)
    return _saturate(b, widen(b, x), target)


def _float_from_float(b: Builder, x: Value, element: str) -> Value:
    if x.element == element:
        return x
    x = widen(b, x)
    if element == "double":
        return b.cast("fpext", x, "double")
    if x.element == "double":
        shorter = b.cast("fptrunc", x, "float")
        x = _round_to_odd(b, x, shorter) if element == "half" else shorter
    return x if element == "float" else narrow(b, x, element)


def _round_to_odd(b: Builder, exact: Value, rounded: Value) -> Value:
    """`exact` (double) cut to float with the last bit set where something was cut.

    A second rounding then gives what one rounding would have given (S. Boldo and G. Melquiond,
    "Emulation of FMA and correctly rounded sums", 2008).
    """
    back = b.cast("fpext", rounded, "double")
    pattern = b.bits(rounded)
    grew = b.cast("zext", b.compare("ogt", b.fabs(back), b.fabs(exact)), "i32")
    cut = (pattern - grew) | b.cast("zext", b.compare("one", back, exact), "i32")
    overflowed = b.compare("oeq", b.fabs(back), float("inf"))
    return b.float_of_bits(b.select(overflowed, pattern, cut), "float")


def _saturate(b: Builder, x: Value, target: Format) -> Value:
    """Truncated to the nearest number of the integer format; NaN gives 0."""
    op = "fptosi" if target.signed else "fptoui"
    x_suffix, suffix = (
        b.suffix(x),
        target.element if x.lanes == 1 else f"v{x.lanes}{target.element}",
    )
    kind = target.element if x.lanes == 1 else f"<{x.lanes} x {target.element}>"
    function = f"llvm.{op}.sat.{suffix}.{x_suffix}"
    b.declarations.add(f"declare {kind} @{function}({x.type})")
    text = f"call {kind} @{function}({x.type} {x.name})"
    return b.define(target.element, x.lanes, text, (x,))


def bitcast(b: Builder, x: Value, new: str) -> Value:
    """The same bits as another dtype of the same width."""
    target = format_of(new)
    if target.element == x.element:
        return x
    if BITS[target.element] != BITS[x.element]:
        raise ValueError(f"cannot take the bits of {x!r} as {new}: the widths differ")
    return b.cast("bitcast", x, target.element)


_SHAPE = {"float": (8, 23), "double": (11, 52)}


def reduce_precision(b: Builder, x: Value, exponent_bits: int, mantissa_bits: int) -> Value:
    """`x` rounded to nearest even to fewer bits, in its own type.

    Numbers above the range of the shorter exponent become infinite, those below its normal numbers
    zero.
    """
    exponent, mantissa = _SHAPE[x.element]
    integer = INTEGER_OF[x.element]
    sign = 1 << (exponent + mantissa)
    pattern = b.bits(x)
    if mantissa_bits < mantissa:
        cut = mantissa - mantissa_bits
        last = b.shift_right(pattern, cut) & 1
        pattern = (pattern + (last + ((1 << (cut - 1)) - 1))) & ~((1 << cut) - 1)
    if exponent_bits < exponent:
        bias = (1 << (exponent - 1)) - 1
        small_bias = (1 << (exponent_bits - 1)) - 1
        largest = ((bias + small_bias) << mantissa) | ((1 << mantissa) - 1)
        smallest = (bias - small_bias + 1) << mantissa
        signs = pattern & sign
        size = pattern & (sign - 1)
        infinite = signs | (((1 << exponent) - 1) << mantissa)
        pattern = b.select(b.compare("ugt", size, largest), infinite, pattern)
        pattern = b.select(b.compare("ult", size, smallest), signs, pattern)
    if pattern.element != integer:
        raise ValueError(f"reduce_precision of {x!r}")
    return b.select(b.compare("uno", x, x), x, b.float_of_bits(pattern, x.element))
