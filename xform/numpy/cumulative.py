"""The array API's running sums and products."""

from __future__ import annotations

from typing import Any

from ..core.trace import aval_of
from ..errors import ArgumentError
from ..ops.structural import reshape
from .creation import full
from .promotion import canonical_axis, operand
from .rearranging import concatenate
from .reductions import cumprod, cumsum


def _with_initial(
    function: Any, first: int, x: Any, axis: int | None, dtype: Any, include_initial: bool
) -> Any:
    values = operand(x)
    rank = aval_of(values).ndim
    if rank == 0:
        values, rank = reshape(values, new_sizes=(1,)), 1
    if axis is None:
        if rank > 1:
            raise ArgumentError("expected axis= for an array with several axes", "None")
        axis = 0
    at = canonical_axis(axis, rank)
    out = function(values, at, dtype)
    if not include_initial:
        return out
    shape = tuple(1 if d == at else n for d, n in enumerate(aval_of(out).shape))
    return concatenate([full(shape, first, aval_of(out).dtype), out], at)


def cumulative_sum(
    x: Any, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False
) -> Any:
    """The running sums along an axis, with a 0 in front where asked.

    Args:
        x: an array.
        axis: the axis; may be left out for vectors.
        dtype: the dtype of the result.
        include_initial: whether to put the empty sum in front.

    >>> cumulative_sum(full((3,), 2), include_initial=True)
    Array([0, 2, 4, 6], dtype=int32)
    """
    return _with_initial(cumsum, 0, x, axis, dtype, include_initial)


def cumulative_prod(
    x: Any, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False
) -> Any:
    """The running products along an axis, with a 1 in front where asked; see `cumulative_sum`.

    >>> cumulative_prod(full((3,), 2), include_initial=True)
    Array([1, 2, 4, 8], dtype=int32)
    """
    return _with_initial(cumprod, 1, x, axis, dtype, include_initial)
