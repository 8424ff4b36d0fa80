"""Indices as data: flat places and tuples of indices, open grids, key builders."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core import dtypes
from ..core.trace import aval_of
from ..errors import ArgumentError, IndexOutOfBoundsError, ShapeError
from ..ops import elementwise as ops
from ..ops.structural import reshape, select_n
from .arithmetic import remainder
from .promotion import cast, concrete, full_like, operand, together
from .searching import nonzero


def unravel_index(indices: Any, shape: Any) -> tuple[Any, ...]:
    """The indices, one array per axis, of places in the flat array of a shape.

    >>> unravel_index(5, (2, 3))
    (Array(1, dtype=int32), Array(2, dtype=int32))
    """
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    place = operand(indices)
    if not dtypes.is_integer(aval_of(place).dtype):
        raise ArgumentError("expected integers", str(aval_of(place)))
    place = cast(place, aval_of(place).dtype)
    total = math.prod(sizes)
    # As in JAX, places outside are moved to the ends.
    place = select_n(
        ops.lt(place, full_like(place, 0)), place, ops.add(place, full_like(place, total))
    )
    place = ops.min_(ops.max_(place, full_like(place, 0)), full_like(place, max(total - 1, 0)))
    out: list[Any] = []
    for n in reversed(sizes):
        length = full_like(place, max(n, 1))
        out.append(ops.rem(place, length))
        place = ops.div(place, length)
    return tuple(reversed(out))


def ravel_multi_index(
    multi_index: Sequence[Any],
    dims: Sequence[int],
    mode: str = "raise",
    order: str = "C",
    *,
    dtype: Any = None,
) -> Any:
    """The places in the flat array of indices given one array per axis.

    Args:
        multi_index: an array of integers per axis.
        dims: the shape.
        mode: what indices outside do: ``"raise"`` (which needs known ones), ``"clip"``, ``"wrap"``.
        order: ``"C"`` or ``"F"``.
        dtype: the dtype of the result, int32 (int64 with `enable_x64`) by default.

    >>> ravel_multi_index((1, 2), (2, 3))
    Array(5, dtype=int32)
    """
    if mode not in ("raise", "clip", "wrap") or order not in ("C", "F"):
        raise ArgumentError(
            'expected mode "raise", "clip" or "wrap" and order "C" or "F"', f"{mode!r}, {order!r}"
        )
    if len(multi_index) != len(dims):
        raise ShapeError(f"expected {len(dims)} arrays of indices", str(len(multi_index)))
    wanted = dtypes.scalar_dtype(int) if dtype is None else dtypes.check_user_dtype(dtype)
    arrays = [cast(operand(i), wanted) for i in together(*multi_index)]
    strides = np.cumprod([1, *(dims[:0:-1] if order == "C" else dims[:-1])])
    strides = strides[::-1] if order == "C" else strides
    total = full_like(arrays[0], 0)
    for index, n, stride in zip(arrays, dims, strides.tolist(), strict=True):
        inside = _inside(index, n, mode)
        total = ops.add(total, ops.mul(inside, full_like(index, stride)))
    return total


def _inside(index: Any, n: int, mode: str) -> Any:
    if mode == "clip":
        return ops.min_(ops.max_(index, full_like(index, 0)), full_like(index, n - 1))
    if mode == "wrap":
        return remainder(index, n)
    known = concrete(index)
    if known is None:
        raise ArgumentError(
            "expected known indices", str(index), instead='mode="clip" or mode="wrap"'
        )
    if known.size and (known.min() < 0 or known.max() >= n):
        raise IndexOutOfBoundsError(f"expected indices from 0 to {n - 1}", str(known))
    return index


def ix_(*args: Any) -> tuple[Any, ...]:
    """Vectors of indices as arrays that select their outer product; masks as their places.

    >>> [x.shape for x in ix_(np.array([0, 2]), np.array([1, 3, 4]))]
    [(2, 1), (1, 3)]
    """
    out = []
    for k, arg in enumerate(args):
        x = operand(np.asarray(arg)) if isinstance(arg, Sequence) else operand(arg)
        if aval_of(x).ndim != 1:
            raise ShapeError("expected vectors", f"shape {aval_of(x).shape}")
        if dtypes.is_bool(aval_of(x).dtype):
            (x,) = nonzero(x)
        sizes = [1] * len(args)
        sizes[k] = aval_of(x).size
        out.append(reshape(x, new_sizes=tuple(sizes)))
    return tuple(out)


s_ = np.s_
"""``s_[1:3, ::2]`` is the key between the brackets."""

index_exp = np.index_exp
"""``index_exp[1:3]`` is the key between the brackets, always a tuple."""
