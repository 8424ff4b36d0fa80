"""The exact remainder of a division of floats."""

from __future__ import annotations

from ..builder import Builder, Value
from .precision import any_lane, residual

# Every step takes 52 bits of the quotient: so many steps for the longest quotient of the format.
_STEPS_FLOAT = 6
_STEPS_DOUBLE = 41


def rem(b: Builder, x: Value, y: Value) -> Value:
    """The remainder of the truncating division, with the sign of `x` (C's fmod); exact.

    A quotient below 2**52 takes one step. Vectors with a larger one repeat the step.
    """
    if x.element == "float":
        wide = b.cast("fpext", x, "double"), b.cast("fpext", y, "double")
        return b.copysign(b.cast("fptrunc", _rem(b, *wide, _STEPS_FLOAT), "float"), x)
    if not b.fused:
        # The products of the largest doubles have no parts in range; LLVM calls the C library.
        return b.binary("frem", x, y)
    return b.copysign(_rem(b, x, y, _STEPS_DOUBLE), x)


def _rem(b: Builder, x: Value, y: Value, steps: int) -> Value:
    """The remainder of |x| by |y|."""
    x, y = b.align_lanes(x, y)
    a, c = b.fabs(x), b.fabs(y)
    large = b.compare("ogt", a, c * 2.0**52)
    count = b.select(any_lane(b, large), b.constant("i64", steps), 1)
    multiples = _multiples(b, c) if steps == _STEPS_DOUBLE else ()
    with b.loop(count, carried=(a,)) as loop:
        rest = loop.carried[0]
        size = b.fabs(rest)
        divisor = c
        for multiple in multiples:
            divisor = b.select(b.compare("oge", size, multiple), multiple, divisor)
        # The rounded quotient differs from the true one by at most one in its last place, and so
        # the new rest is exact, though it may have the other sign.
        quotient = b.intrinsic("trunc", rest / divisor)
        loop.carry(residual(b, rest, quotient, divisor))
    rest = loop.results[0]
    rest = b.select(b.compare("olt", rest, 0.0), rest + c, rest)
    return b.select(b.compare("une", c, float("inf")) | b.compare("oeq", a, c), rest, a)


def _multiples(b: Builder, c: Value) -> tuple[Value, Value]:
    """Multiples of the divisor by powers of two, ascending, for quotients that would overflow."""
    tiny = b.compare("olt", c, 2.0**-60)
    first = c * b.select(tiny, b.constant("double", 2.0**1000), 2.0**70)
    second = first * b.select(b.compare("olt", c, 2.0**-900), b.constant("double", 2.0**100), 1.0)
    return first, second
