"""What functions of `xform.lax` accept: arrays that agree, and numbers that follow them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..core import dtypes
from ..core.trace import aval_of
from ..numpy.promotion import (
    broadcast,
    canonical_axis,
    canonical_shape,
    cast,
    is_python_scalar,
    join,
    operand,
    static_int,
    user_dtype,
)

__all__ = [
    "agree",
    "axis_of",
    "broadcast",
    "canonical_axis",
    "canonical_shape",
    "cast",
    "ints",
    "is_python_scalar",
    "like",
    "operand",
    "static_int",
    "user_dtype",
]


def agree(*xs: Any) -> list[Any]:
    """Operands of one shape and dtype, where numbers and weakly typed values can follow.

    Values without dimensions take the shape of the others; weakly typed values take the dtype of
    the others, unless that would lose something. What still differs, the operator refuses.
    """
    avals = [aval_of(x) for x in xs]
    shape = next((a.shape for a in avals if a.shape), ())
    strong = [a for a in avals if not a.weak_type]
    dtype, weak = (strong[0].dtype, False) if strong else join(avals)
    out = []
    for x, aval in zip(xs, avals, strict=True):
        if aval.weak_type and (aval.dtype != dtype or is_python_scalar(x)):
            fits = not strong or join((strong[0], aval))[0] == dtype
            x = cast(x, dtype, weak) if fits else operand(x)
        else:
            x = operand(x)
        out.append(x if aval.shape else broadcast(x, shape))
    return out


def like(x: Any, array: Any) -> Any:
    """A number or weakly typed value without dimensions in the dtype of an array."""
    aval = aval_of(x)
    target = aval_of(array)
    weak = aval.weak_type or is_python_scalar(x)
    joined, _ = dtypes.lattice_join((target.dtype, False), (aval.dtype, weak))
    if weak and joined == target.dtype:
        return cast(x, target.dtype)
    return operand(x)


def ints(values: Sequence[Any] | Any, what: str) -> tuple[int, ...]:
    """Integers that must be known while tracing."""
    if not hasattr(values, "__iter__"):
        values = (values,)
    return tuple(static_int(v, what) for v in values)


def axis_of(x: Any, axis: Any) -> int:
    """An axis of an array, counted from the front."""
    return canonical_axis(static_int(axis, "an axis"), aval_of(x).ndim)
