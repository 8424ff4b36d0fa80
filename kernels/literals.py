"""LLVM's spelling of element types and constants."""

from __future__ import annotations

import math
import struct

BITS = {
    "i1": 1,
    "i8": 8,
    "i16": 16,
    "i32": 32,
    "i64": 64,
    "half": 16,
    "bfloat": 16,
    "float": 32,
    "double": 64,
    "ptr": 64,
}
FLOATS = frozenset(("half", "bfloat", "float", "double"))
INTEGER_OF = {"half": "i16", "bfloat": "i16", "float": "i32", "double": "i64"}
SUFFIX = {"half": "f16", "bfloat": "bf16", "float": "f32", "double": "f64", "ptr": "p0"}

Number = bool | int | float


def literal(element: str, number: Number) -> str:
    """The text of a constant: `literal("float", 0.5)` is `"0x3FE0000000000000"`."""
    if element == "ptr":
        return "null"
    if element == "i1":
        return "true" if number else "false"
    if element not in FLOATS:
        bits = int(element[1:])
        value = int(number) & ((1 << bits) - 1)
        return str(value - (1 << bits) if value >> (bits - 1) else value)
    value = float(number)
    if element == "half":
        return "0xH" + struct.pack(">e", _saturate(value, 65504.0)).hex().upper()
    if element == "bfloat":
        return "0xR" + struct.pack(">f", _round_bfloat(value))[:2].hex().upper()
    if element == "float":
        value = _round_float(value)
    return "0x" + struct.pack(">d", value).hex().upper()


def _saturate(value: float, largest: float) -> float:
    return math.copysign(math.inf, value) if abs(value) > largest else value


def _round_float(value: float) -> float:
    try:
        return float(struct.unpack("f", struct.pack("f", value))[0])
    except OverflowError:
        return math.copysign(math.inf, value)


def _round_bfloat(value: float) -> float:
    value = _round_float(value)
    if math.isnan(value) or math.isinf(value):
        return value
    (bits,) = struct.unpack(">I", struct.pack(">f", value))
    bits += 0x7FFF + ((bits >> 16) & 1)
    return float(struct.unpack(">f", struct.pack(">I", bits & 0xFFFF0000))[0])


def vector_type(element: str, lanes: int) -> str:
    """The LLVM type of some lanes of an element type."""
    return element if lanes == 1 else f"<{lanes} x {element}>"
