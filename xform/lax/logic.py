"""Comparison, bits and the parts of numbers, under JAX's names in `jax.lax`."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.trace import aval_of
from ..ops import elementwise as rows, structural
from .operands import agree, operand, static_int, user_dtype
from .wrapping import ANY, BITS, COMPLEX, INTEGERS, binary, unary

# Comparison

eq = binary("eq", rows.eq, "Whether equal.", ANY, "eq(np.int32(2), 1) -> Array(False, dtype=bool)")
ne = binary(
    "ne", rows.ne, "Whether not equal.", ANY, "ne(np.int32(2), 1) -> Array(True, dtype=bool)"
)
lt = binary("lt", rows.lt, "Whether less.", ANY, "lt(np.int32(2), 1) -> Array(False, dtype=bool)")
le = binary(
    "le", rows.le, "Whether not greater.", ANY, "le(np.int32(2), 1) -> Array(False, dtype=bool)"
)
gt = binary("gt", rows.gt, "Whether greater.", ANY, "gt(np.int32(2), 1) -> Array(True, dtype=bool)")
ge = binary(
    "ge", rows.ge, "Whether not less.", ANY, "ge(np.int32(2), 1) -> Array(True, dtype=bool)"
)


def clamp(min: Any, x: Any, max: Any) -> Any:
    """`x` where it lies between `min` and `max`, else the nearer of them.

    Args:
        min, max: arrays of the dtype of `x`, of its shape or of shape (), or numbers.
        x: an array.

    >>> clamp(0, np.int32(7), 5)
    Array(5, dtype=int32)
    """
    aval = aval_of(x)
    bounds = [
        v if aval_of(v).dtype == aval.dtype and not aval_of(v).weak_type else agree(v, _one(x))[0]
        for v in (min, max)
    ]
    low, high = (operand(v) for v in bounds)
    return rows.clamp(low, operand(x), high)


def _one(x: Any) -> Any:
    """A scalar of the type of `x`, for a number to agree with."""
    aval = aval_of(x)
    if not aval.shape:
        return x
    return structural.full((), 0, aval.dtype)


# Bits

bitwise_not = unary(
    "bitwise_not",
    rows.not_,
    "The other bits.",
    BITS,
    "bitwise_not(np.int32(5)) -> Array(-6, dtype=int32)",
)
bitwise_and = binary(
    "bitwise_and",
    rows.and_,
    "The bits set in both.",
    BITS,
    "bitwise_and(np.int32(6), 3) -> Array(2, dtype=int32)",
)
bitwise_or = binary(
    "bitwise_or",
    rows.or_,
    "The bits set in either.",
    BITS,
    "bitwise_or(np.int32(6), 3) -> Array(7, dtype=int32)",
)
bitwise_xor = binary(
    "bitwise_xor",
    rows.xor,
    "The bits set in one of the two.",
    BITS,
    "bitwise_xor(np.int32(6), 3) -> Array(5, dtype=int32)",
)
shift_left = binary(
    "shift_left",
    rows.shift_left,
    "The bits of `x` moved up by `y` places.",
    INTEGERS,
    "shift_left(np.int32(3), 2) -> Array(12, dtype=int32)",
)
shift_right_logical = binary(
    "shift_right_logical",
    rows.shift_right_logical,
    "The bits of `x` moved down by `y` places, zeros moving in.",
    INTEGERS,
    "shift_right_logical(np.int32(-1), 28) -> Array(15, dtype=int32)",
)
shift_right_arithmetic = binary(
    "shift_right_arithmetic",
    rows.shift_right_arithmetic,
    "The bits of `x` moved down by `y` places, copies of the sign moving in.",
    INTEGERS,
    "shift_right_arithmetic(np.int32(-8), 2) -> Array(-2, dtype=int32)",
)
population_count = unary(
    "population_count",
    rows.population_count,
    "The number of bits set.",
    INTEGERS,
    "population_count(np.int32(7)) -> Array(3, dtype=int32)",
)
clz = unary(
    "clz",
    rows.clz,
    "The number of bits above the highest one set.",
    INTEGERS,
    "clz(np.int32(7)) -> Array(29, dtype=int32)",
)


def bitcast_convert_type(operand: Any, new_dtype: Any) -> Any:
    """The bits of an array read as another dtype of the same width.

    >>> bitcast_convert_type(np.float32(1), "int32")
    Array(1065353216, dtype=int32)
    """
    return rows.bitcast_convert_type(agree(operand)[0], new_dtype=np.dtype(user_dtype(new_dtype)))


# Complex numbers

real = unary(
    "real",
    rows.real,
    "The real part.",
    COMPLEX,
    "real(np.complex64(1 + 2j)) -> Array(1., dtype=float32)",
)
imag = unary(
    "imag",
    rows.imag,
    "The imaginary part.",
    COMPLEX,
    "imag(np.complex64(1 + 2j)) -> Array(2., dtype=float32)",
)
conj = unary(
    "conj",
    rows.conj,
    "The complex conjugate.",
    COMPLEX,
    "conj(np.complex64(1 + 2j)) -> Array(1.-2.j, dtype=complex64)",
)
complex = binary(
    "complex",
    rows.complex_,
    "The complex number with real part `x` and imaginary part `y`.",
    "float32 or float64",
    "complex(np.float32(1), 2) -> Array(1.+2.j, dtype=complex64)",
)


# Formats


def reduce_precision(operand: Any, exponent_bits: int, mantissa_bits: int) -> Any:
    """The array rounded to a format of fewer bits, in the dtype it has.

    >>> reduce_precision(np.float32(1.2345), 8, 7)
    Array(1.234375, dtype=float32)
    """
    return rows.reduce_precision(
        agree(operand)[0],
        exponent_bits=static_int(exponent_bits, "a number of bits"),
        mantissa_bits=static_int(mantissa_bits, "a number of bits"),
    )
