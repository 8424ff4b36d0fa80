"""The operators on the bits of integers and on booleans."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.primitive import constant
from .rules import binary, unary

Array = np.ndarray[Any, Any]

_UNSIGNED = {n: np.dtype(f"uint{8 * n}") for n in (1, 2, 4, 8)}
_SIGNED = {n: np.dtype(f"int{8 * n}") for n in (1, 2, 4, 8)}


def _pattern(x: Array) -> Any:
    """An integer array as unsigned numbers of the same width."""
    return x.view(_UNSIGNED[x.dtype.itemsize])


# An amount is read as unsigned, so that a negative one counts as a large one: all bits leave.


def _shift_left(x: Array, y: Array) -> Any:
    return np.left_shift(_pattern(x), _pattern(y)).view(x.dtype)


def _shift_right_logical(x: Array, y: Array) -> Any:
    return np.right_shift(_pattern(x), _pattern(y)).view(x.dtype)


def _shift_right_arithmetic(x: Array, y: Array) -> Any:
    signed = _SIGNED[x.dtype.itemsize]
    most = 8 * x.dtype.itemsize - 1
    amount = np.minimum(_pattern(y), most).view(signed)
    return np.right_shift(x.view(signed), amount).view(x.dtype)


def _population_count(x: Array) -> Any:
    return np.bitwise_count(_pattern(x)).astype(x.dtype)


def _clz(x: Array) -> Any:
    width = 8 * x.dtype.itemsize
    pattern = _pattern(x)
    if width < 64:
        # The exponent of a double counts the bits: numbers below 2**53 are exact.
        return (width - np.frexp(pattern.astype(np.float64))[1]).astype(x.dtype)
    high, low = pattern >> 32, pattern & 0xFFFFFFFF
    bits = np.where(
        high != 0,
        np.frexp(high.astype(np.float64))[1] + 32,
        np.frexp(low.astype(np.float64))[1],
    )
    return (width - bits).astype(x.dtype)


_INTEGERS = ("int32", "uint8", "int64")
_EDGES = (0.0, 1.0, -1.0)

and_ = binary("and", np.bitwise_and, jvp=constant, accepts="integral", special=_EDGES)
or_ = binary("or", np.bitwise_or, jvp=constant, accepts="integral", special=_EDGES)
xor = binary("xor", np.bitwise_xor, jvp=constant, accepts="integral", special=_EDGES)
not_ = unary("not", np.invert, jvp=constant, accepts="integral", special=_EDGES)

shift_left = binary(
    "shift_left",
    _shift_left,
    jvp=constant,
    accepts="integer",
    domain=((-100.0, 100.0), (0.0, 40.0)),
    law_dtypes=_INTEGERS,
    special=_EDGES,
)
shift_right_logical = binary(
    "shift_right_logical",
    _shift_right_logical,
    jvp=constant,
    accepts="integer",
    domain=((-100.0, 100.0), (0.0, 40.0)),
    law_dtypes=_INTEGERS,
    special=_EDGES,
)
shift_right_arithmetic = binary(
    "shift_right_arithmetic",
    _shift_right_arithmetic,
    jvp=constant,
    accepts="integer",
    domain=((-100.0, 100.0), (0.0, 40.0)),
    law_dtypes=_INTEGERS,
    special=_EDGES,
)
population_count = unary(
    "population_count", _population_count, jvp=constant, accepts="integer", special=_EDGES
)
clz = unary(
    "clz",
    _clz,
    jvp=constant,
    accepts="integer",
    domain=(-100.0, 100.0),
    law_dtypes=_INTEGERS,
    special=_EDGES,
)
