"""Operators on the bits of integers."""

from __future__ import annotations

from collections.abc import Callable

from ..builder import Builder, Value
from ..literals import BITS


def _shift(b: Builder, op: str, x: Value, y: Value) -> Value:
    """A shift that drops bits; an amount of the width or more (taken as unsigned) gives 0."""
    width = BITS[x.element]
    if y.number is not None:
        inside = 0 <= y.number < width
        return b.binary(op, x, y) if inside else b.constant(x.element, 0, x.lanes)
    return b.select(b.compare("ult", y, width), b.binary(op, x, y), b.constant(x.element, 0))


def shift_left(b: Builder, x: Value, y: Value) -> Value:
    """x << y; an amount of the width or more gives 0."""
    return _shift(b, "shl", x, y)


def shift_right_logical(b: Builder, x: Value, y: Value) -> Value:
    """x >> y with zeros from the left; an amount of the width or more gives 0."""
    return _shift(b, "lshr", x, y)


def shift_right_arithmetic(b: Builder, x: Value, y: Value) -> Value:
    """A shift that copies the sign; an amount of the width or more gives the sign in every bit."""
    width = BITS[x.element]
    if y.number is not None:
        amount = int(y.number) if 0 <= y.number < width else width - 1
        return b.shift_right_arithmetic(x, amount)
    return b.shift_right_arithmetic(x, b.intrinsic("umin", y, width - 1))


BITWISE: dict[str, Callable[..., Value]] = {
    "and": lambda b, x, y: x & y,
    "or": lambda b, x, y: x | y,
    "xor": lambda b, x, y: x ^ y,
    "not": lambda b, x: ~x,
    "shift_left": shift_left,
    "shift_right_logical": shift_right_logical,
    "shift_right_arithmetic": shift_right_arithmetic,
    "population_count": lambda b, x: b.intrinsic("ctpop", x),
    "clz": lambda b, x: b.intrinsic("ctlz", x, immediate="i1 false"),
}
