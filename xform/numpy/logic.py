"""Comparison, logic and bits, element by element."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core import dtypes
from ..core.trace import aval_of
from ..ops import elementwise as rows
from ..ops.structural import add as add_row
from .arithmetic import binary
from .promotion import cast, full_like, operand, pair, together
from .ufuncs import named

_BOOL = np.dtype(bool)
_INT = np.dtype("int32")

# Comparison

equal = binary("equal", rows.eq, "Whether x1 = x2.", ">>> equal(1, 1.0)\nArray(True, dtype=bool)")
not_equal = binary(
    "not_equal",
    rows.ne,
    "Whether x1 and x2 differ.",
    ">>> not_equal(1, 2)\nArray(True, dtype=bool)",
)
less = binary("less", rows.lt, "Whether x1 < x2.", ">>> less(1, 2)\nArray(True, dtype=bool)")
less_equal = binary(
    "less_equal", rows.le, "Whether x1 <= x2.", ">>> less_equal(2, 2)\nArray(True, dtype=bool)"
)
greater = binary(
    "greater", rows.gt, "Whether x1 > x2.", ">>> greater(2, 1)\nArray(True, dtype=bool)"
)
greater_equal = binary(
    "greater_equal",
    rows.ge,
    "Whether x1 >= x2.",
    ">>> greater_equal(1, 2)\nArray(False, dtype=bool)",
)

# Logic and bits


def truth(x: Any) -> Any:
    """Whether numbers are other than zero, as booleans."""
    x = operand(x)
    if aval_of(x).dtype == np.bool_:
        return cast(x, np.dtype(bool))
    return rows.ne(x, full_like(x, 0))


def _logical(name: str, apply: Any, says: str, example: str) -> Any:
    def function(x1: Any, x2: Any, /) -> Any:
        return apply(*pair(truth(x1), truth(x2)))

    return named(function, name, says, example)


logical_and = _logical(
    "logical_and",
    rows.and_,
    "Whether both are true; numbers count as x != 0.",
    ">>> logical_and(2, 0)\nArray(False, dtype=bool)",
)
logical_or = _logical(
    "logical_or",
    rows.or_,
    "Whether one is true; numbers count as x != 0.",
    ">>> logical_or(2, 0)\nArray(True, dtype=bool)",
)
logical_xor = _logical(
    "logical_xor",
    rows.xor,
    "Whether just one is true; numbers count as x != 0.",
    ">>> logical_xor(2, 0)\nArray(True, dtype=bool)",
)


def logical_not(x: Any, /) -> Any:
    """Whether x is false; numbers count as x != 0.

    >>> logical_not(0)
    Array(True, dtype=bool)
    """
    return rows.not_(truth(x))


bitwise_and = binary(
    "bitwise_and",
    rows.and_,
    "The conjunction, bit by bit.",
    ">>> bitwise_and(6, 3)\nArray(2, dtype=int32, weak_type=True)",
)
bitwise_or = binary(
    "bitwise_or",
    rows.or_,
    "The disjunction, bit by bit.",
    ">>> bitwise_or(6, 3)\nArray(7, dtype=int32, weak_type=True)",
)
bitwise_xor = binary(
    "bitwise_xor",
    rows.xor,
    "The exclusive disjunction, bit by bit.",
    ">>> bitwise_xor(6, 3)\nArray(5, dtype=int32, weak_type=True)",
)


def invert(x: Any, /) -> Any:
    """The complement, bit by bit.

    >>> invert(0)
    Array(-1, dtype=int32, weak_type=True)
    """
    return rows.not_(operand(x))


bitwise_not = bitwise_invert = invert


def _shift(name: str, apply: Any, says: str, example: str) -> Any:
    def function(x1: Any, x2: Any, /) -> Any:
        x, y = pair(x1, x2)
        if x.dtype == _BOOL:
            x, y = (cast(v, _INT) for v in (x, y))
        return apply(x, y)

    return named(function, name, says, example)


def _shift_right(x: Any, y: Any) -> Any:
    if dtypes.is_unsigned(aval_of(x).dtype):
        return rows.shift_right_logical(x, y)
    return rows.shift_right_arithmetic(x, y)


left_shift = bitwise_left_shift = _shift(
    "left_shift",
    rows.shift_left,
    "x1 times 2 to the power of x2.",
    ">>> left_shift(3, 2)\nArray(12, dtype=int32, weak_type=True)",
)
right_shift = bitwise_right_shift = _shift(
    "right_shift",
    _shift_right,
    "x1 divided by 2 to the power of x2, rounded down.",
    ">>> right_shift(-5, 1)\nArray(-3, dtype=int32, weak_type=True)",
)


def bitwise_count(x: Any, /) -> Any:
    """The number of one bits in the absolute value, as uint8.

    >>> bitwise_count(7)
    Array(3, dtype=uint8)
    """
    x = operand(x)
    if aval_of(x).dtype == _BOOL:
        return cast(x, np.dtype("uint8"))
    signed = dtypes.is_signed(aval_of(x).dtype)
    return cast(rows.population_count(rows.abs_(x) if signed else x), np.dtype("uint8"))


# Tests


def _real_test(name: str, test: Any, on_exact: bool, says: str, example: str) -> Any:
    """A test of real or complex numbers, with one answer for integers and booleans."""

    def function(x: Any, /) -> Any:
        x = operand(x)
        dtype = aval_of(x).dtype
        if not dtypes.is_inexact(dtype):
            return full_like(cast(x, _BOOL), on_exact)
        if dtypes.is_complex(dtype):
            combine = rows.and_ if on_exact else rows.or_
            return combine(test(rows.real(x)), test(rows.imag(x)))
        return test(x)

    return named(function, name, says, example)


def _is_infinite(x: Any) -> Any:
    return rows.eq(rows.abs_(x), full_like(x, np.inf))


isnan = _real_test(
    "isnan",
    lambda x: rows.ne(x, x),
    False,
    "Whether numbers are NaN.",
    ">>> isnan(np.nan)\nArray(True, dtype=bool)",
)
isinf = _real_test(
    "isinf",
    _is_infinite,
    False,
    "Whether numbers are infinite.",
    ">>> isinf(-np.inf)\nArray(True, dtype=bool)",
)
isfinite = _real_test(
    "isfinite",
    rows.is_finite,
    True,
    "Whether numbers are finite.",
    ">>> isfinite(1.0)\nArray(True, dtype=bool)",
)
isposinf = _real_test(
    "isposinf",
    lambda x: rows.eq(x, full_like(x, np.inf)),
    False,
    "Whether numbers are +inf.",
    ">>> isposinf(np.inf)\nArray(True, dtype=bool)",
)
isneginf = _real_test(
    "isneginf",
    lambda x: rows.eq(x, full_like(x, -np.inf)),
    False,
    "Whether numbers are -inf.",
    ">>> isneginf(-np.inf)\nArray(True, dtype=bool)",
)


def signbit(x: Any, /) -> Any:
    """Whether the sign bit is set: below zero, -0.0 included.

    >>> signbit(-0.0)
    Array(True, dtype=bool)
    """
    x = operand(x)
    dtype = aval_of(x).dtype
    if dtypes.is_bool(dtype) or dtypes.is_unsigned(dtype):
        return full_like(cast(x, _BOOL), False)
    if dtypes.is_integer(dtype):
        return rows.lt(x, full_like(x, 0))
    return rows.lt(rows.copysign(full_like(x, 1), x), full_like(x, 0))


def isreal(x: Any) -> Any:
    """Whether the imaginary part is 0.

    >>> isreal(1.0)
    Array(True, dtype=bool)
    """
    return logical_not(iscomplex(x))


def iscomplex(x: Any) -> Any:
    """Whether the imaginary part is other than 0.

    >>> iscomplex(1j)
    Array(True, dtype=bool)
    """
    x = operand(x)
    if dtypes.is_complex(aval_of(x).dtype):
        return truth(rows.imag(x))
    return full_like(cast(x, _BOOL), False)


def iscomplexobj(x: Any) -> bool:
    """Whether the dtype is complex.

    >>> iscomplexobj(1j)
    True
    """
    return dtypes.is_complex(aval_of(x).dtype)


def isrealobj(x: Any) -> bool:
    """Whether the dtype is not complex.

    >>> isrealobj(1.0)
    True
    """
    return not iscomplexobj(x)


def isscalar(element: Any) -> bool:
    """Whether a value is a number, or an array without dimensions.

    >>> isscalar(1.0)
    True
    """
    return np.isscalar(element) or (hasattr(element, "aval") and element.ndim == 0)


def isclose(a: Any, b: Any, rtol: Any = 1e-05, atol: Any = 1e-08, equal_nan: bool = False) -> Any:
    """Whether |a - b| <= atol + rtol |b|.

    Args:
        a: numbers.
        b: numbers.
        rtol: the relative tolerance.
        atol: the absolute tolerance.
        equal_nan: whether two NaNs are close.

    >>> isclose(1.0, 1.0 + 1e-7)
    Array(True, dtype=bool)
    """
    x, y = pair(a, b)
    dtype = aval_of(x).dtype
    if not dtypes.is_inexact(dtype):
        x, y = (cast(v, dtypes.to_inexact(dtype)) for v in (x, y))
    real = dtypes.real_dtype(aval_of(x).dtype)
    magnitude = rows.abs_(y)
    rtol, atol, _ = together(cast(rtol, real), cast(atol, real), magnitude)
    bound = rows.mul(rtol, magnitude)
    within = rows.le(rows.abs_(rows.sub(x, y)), add_row(atol, bound))
    # An infinite bound would let everything pass, and infinities have no difference.
    finite = rows.and_(isfinite(x), isfinite(y))
    out = rows.or_(rows.and_(finite, within), rows.eq(x, y))
    if equal_nan:
        out = rows.or_(out, rows.and_(rows.ne(x, x), rows.ne(y, y)))
    return out
