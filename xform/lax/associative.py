"""`associative_scan`: all prefixes of an associative combination."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import tree
from ..core.source import name_of
from ..core.trace import aval_of
from ..errors import ArgumentError, ShapeError, TreeError
from ..ops.associative import Parts, scan_pairs
from .operands import axis_of, operand
from .stepping import operands, paths


def associative_scan(
    fn: Callable[[Any, Any], Any], elems: Any, reverse: bool = False, axis: int = 0
) -> Any:
    """All prefixes of arrays combined by an associative function.

    The combinations of a level are computed together, in about twice the logarithm of the length
    levels; the order is that of JAX. For a function that is not associative, use `scan`.

    Args:
        fn: a function of two pytrees of the structure of `elems`, a left and a right one, that
            combines them elementwise along the axis.
        elems: a pytree of arrays of one length along the axis.
        reverse: combine suffixes instead of prefixes.
        axis: the axis to go along; a negative one counts from the end of the first array.

    Returns:
        a pytree as `elems`; element k combines the elements 0 to k.

    Raises:
        ShapeError: lengths that disagree. TreeError: `fn` returns another structure.
            ArgumentError: `fn` is no function.

    >>> import xform.numpy as xnp
    >>> associative_scan(xnp.multiply, xnp.array([1, 2, 3, 4]))
    Array([ 1,  2,  6, 24], dtype=int32)
    """
    if not callable(fn):
        raise ArgumentError("expected a function to combine elements", repr(fn))
    leaves, structure = operands(elems)
    if not leaves:
        return elems
    names = paths(elems, "elems")
    along = axis_of(leaves[0], axis)
    sizes = [aval_of(x).shape[axis_of(x, along)] for x in leaves]
    if len(set(sizes)) > 1:
        shown = ", ".join(f"{n}: {s}" for n, s in zip(names, sizes, strict=True))
        raise ShapeError("expected elems of one length along the axis", shown)

    def combine(left: Parts, right: Parts) -> Parts:
        out = fn(structure.unflatten(left), structure.unflatten(right))
        parts, found = tree.flatten(out)
        if found != structure:
            raise TreeError(
                f"expected {name_of(fn)} to return the structure of its arguments: {structure}",
                f"{found}",
            )
        return tuple(operand(x) for x in parts)

    return structure.unflatten(scan_pairs(combine, tuple(leaves), along, reverse))
