"""How the array dtypes look in registers: element types, sizes, and the way to and from 16-bit
floats.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..builder import Builder, Value


@dataclass(frozen=True, slots=True)
class Format:
    """The register form of one dtype. `kind` is NumPy's letter: b(ool) i(nt) u(nsigned) f(loat)."""

    element: str
    size_bytes: int
    kind: str

    @property
    def signed(self) -> bool:
        return self.kind == "i"


FORMATS = {
    "bool": Format("i1", 1, "b"),
    "int8": Format("i8", 1, "i"),
    "int16": Format("i16", 2, "i"),
    "int32": Format("i32", 4, "i"),
    "int64": Format("i64", 8, "i"),
    "uint8": Format("i8", 1, "u"),
    "uint16": Format("i16", 2, "u"),
    "uint32": Format("i32", 4, "u"),
    "uint64": Format("i64", 8, "u"),
    "float16": Format("half", 2, "f"),
    "bfloat16": Format("bfloat", 2, "f"),
    "float32": Format("float", 4, "f"),
    "float64": Format("double", 8, "f"),
}


def format_of(dtype: str) -> Format:
    """The format of a dtype name; a name without one (complex, float8) raises KeyError."""
    if dtype not in FORMATS:
        raise KeyError(f"no register format for dtype {dtype!r}; known: {', '.join(FORMATS)}")
    return FORMATS[dtype]


def widen(b: Builder, x: Value) -> Value:
    """A 16-bit float as `float`, exactly; other values as they are."""
    if x.element == "half":
        return b.cast("fpext", x, "float") if b.fused else _widen_half(b, x)
    if x.element == "bfloat":
        pattern = b.cast("zext", b.bits(x), "i32") << 16
        return b.float_of_bits(pattern, "float")
    return x


def narrow(b: Builder, x: Value, element: str) -> Value:
    """A `float` as `half` or `bfloat`, rounded to nearest even; NaN stays NaN."""
    if element == "half":
        return b.cast("fptrunc", x, "half") if b.fused else _narrow_half(b, x)
    pattern = b.bits(x)
    high = b.shift_right(pattern, 16)
    rounded = b.shift_right(pattern + ((high & 1) + 0x7FFF), 16)
    kept = b.select(b.compare("uno", x, x), high | 0x40, rounded)
    return b.float_of_bits(b.cast("trunc", kept, "i16"), "bfloat")


# Processors without a fused multiply-add have no half conversion either; LLVM would call a library.


def _widen_half(b: Builder, x: Value) -> Value:
    pattern = b.cast("zext", b.bits(x), "i32")
    # The half's exponent and mantissa in a float's places: short of the right value by the biases.
    size = b.float_of_bits((pattern & 0x7FFF) << 13, "float") * 2.0**112
    special = b.compare("eq", pattern & 0x7C00, 0x7C00)
    size_bits = b.bits(size)
    size_bits = b.select(special, size_bits | 0x7F800000, size_bits)
    return b.float_of_bits(size_bits | ((pattern & 0x8000) << 16), "float")


def _narrow_half(b: Builder, x: Value) -> Value:
    pattern = b.bits(x)
    size = pattern & 0x7FFFFFFF
    last = b.shift_right(size, 13) & 1
    normal = b.shift_right(size + (last + (0xFFF - (112 << 23))), 13)
    # Below the normal halves, adding 1/2 lets the processor round at the place of the last half
    # bit.
    small = b.bits(b.float_of_bits(size, "float") + 0.5) - 0x3F000000
    result = b.select(b.compare("ult", size, 113 << 23), small, normal)
    result = b.select(b.compare("uge", size, 0x477FF000), b.constant("i32", 0x7C00), result)
    result = b.select(b.compare("ugt", size, 0x7F800000), b.constant("i32", 0x7E00), result)
    result = result | (b.shift_right(pattern, 16) & 0x8000)
    return b.float_of_bits(b.cast("trunc", result, "i16"), "half")
