"""Associative combinations as programs of a few large operations.

A combination takes two tuples of arrays, the left and the right operand, and returns a tuple. The
rules of reductions and scans are written with these where their derivative has no shorter form. The
order of combination in `scan_pairs` is that of `jax.lax.associative_scan`, which decides how ties
share a derivative.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..core.jaxpr import Literal
from ..core.trace import aval_of
from .slicing import concatenate, pad, slice_
from .structural import add, rev

Parts = tuple[Any, ...]
Combine = Callable[[Parts, Parts], Parts]


def part(x: Any, axis: int, start: int, stop: int, step: int = 1) -> Any:
    """`x[start:stop:step]` along an axis."""
    shape = aval_of(x).shape
    starts, stops, steps = [0] * len(shape), list(shape), [1] * len(shape)
    starts[axis], stops[axis], steps[axis] = start, stop, step
    return slice_(
        x,
        start_indices=tuple(starts),
        limit_indices=tuple(stops),
        strides=None if step == 1 else tuple(steps),
    )


def padded(x: Any, axis: int, low: int, high: int, between: int = 0, value: Any = 0) -> Any:
    """`x` with a value before, behind and between its elements along an axis."""
    aval = aval_of(x)
    config = [(0, 0, 0)] * aval.ndim
    config[axis] = (low, high, between)
    return pad(x, Literal(value, aval.strong().update(shape=())), padding_config=tuple(config))


def delayed(x: Any, axis: int, first: Any) -> Any:
    """`x` one step later along an axis, with a value in the place that becomes free."""
    return padded(part(x, axis, 0, aval_of(x).shape[axis] - 1), axis, 1, 0, value=first)


def _interleave(even: Any, odd: Any, axis: int) -> Any:
    """`even[0], odd[0], even[1], ...`: each spread with zeros between, and added."""
    more = aval_of(even).shape[axis] - aval_of(odd).shape[axis]
    return add(padded(even, axis, 0, 1 - more, 1), padded(odd, axis, 1, more, 1))


def scan_pairs(combine: Combine, parts: Parts, axis: int, reverse: bool = False) -> Parts:
    """All prefixes along an axis combined, in about twice the logarithm of its size steps.

    Args:
        combine: the combination; it works on each element along the axis by itself.
        parts: arrays of equal shapes; the axis may be empty.
        axis: the axis, counted from the front.
        reverse: whether suffixes are combined instead, with the element nearer the end on the left.

    Returns:
        arrays of the shapes of `parts`; element k combines the elements 0 to k.
    """
    if not reverse:
        return _scan(combine, parts, axis)
    flipped = tuple(rev(x, dimensions=(axis,)) for x in parts)
    return tuple(rev(x, dimensions=(axis,)) for x in _scan(combine, flipped, axis))


def _scan(combine: Combine, parts: Parts, axis: int) -> Parts:
    size = aval_of(parts[0]).shape[axis]
    if size < 2:
        return parts

    def every(xs: Sequence[Any], start: int, stop: int, step: int) -> Parts:
        return tuple(part(x, axis, start, stop, step) for x in xs)

    paired = combine(every(parts, 0, size - 1, 2), every(parts, 1, size, 2))
    odd = _scan(combine, paired, axis)
    before = every(odd, 0, (size - 1) // 2, 1)
    first = every(parts, 0, 1, 1)
    if size == 2:
        return tuple(concatenate(f, o, dimension=axis) for f, o in zip(first, odd, strict=True))
    rest = combine(before, every(parts, 2, size, 2))
    even = [concatenate(f, r, dimension=axis) for f, r in zip(first, rest, strict=True)]
    return tuple(_interleave(e, o, axis) for e, o in zip(even, odd, strict=True))


def fold_pairs(combine: Combine, parts: Parts, axis: int) -> Parts:
    """All elements along an axis combined, halving the axis at each step.

    The combination must be commutative too; the axis must not be empty, and is kept with size 1.
    """
    size = aval_of(parts[0]).shape[axis]
    left_over: list[Parts] = []
    while size > 1:
        half = size // 2
        if size % 2:
            left_over.append(tuple(part(x, axis, size - 1, size) for x in parts))
        parts = combine(
            tuple(part(x, axis, 0, half) for x in parts),
            tuple(part(x, axis, half, 2 * half) for x in parts),
        )
        size = half
    for rest in left_over:
        parts = combine(parts, rest)
    return parts
