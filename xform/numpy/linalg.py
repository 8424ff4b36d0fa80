"""Norms and products of matrices.

Decompositions are not available yet; a norm that needs one raises `AbsentRuleError`.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np

from ..core import dtypes
from ..core.trace import aval_of
from ..errors import AbsentRuleError, ArgumentError, ShapeError
from ..ops import elementwise as ops
from ..ops.structural import reshape
from .contraction import cross, matmul, outer, tensordot, vecdot
from .diagonals import diagonal, trace
from .grids import eye
from .promotion import (
    broadcast,
    canonical_axes,
    cast,
    full_like,
    inexact_operand,
    static_int,
    strong,
)
from .reductions import max as max_over, min as min_over, sum as sum_over
from .shaping import matrix_transpose

__all__ = [
    "cross",
    "diagonal",
    "matmul",
    "matrix_norm",
    "matrix_power",
    "matrix_transpose",
    "multi_dot",
    "norm",
    "outer",
    "tensordot",
    "trace",
    "vecdot",
    "vector_norm",
]


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """The norm of vectors or matrices.

    Args:
        x: an array.
        ord: of vectors any number, 2 by default: the sum of |x|**ord, to the power of 1 / ord; inf
            and -inf are the largest and the smallest |x|, 0 the number of elements other than 0. Of
            matrices ``"fro"`` (the default), 1, -1 (sums of columns), inf, -inf (sums of rows).
        axis: an axis for vectors, a pair of axes for matrices; by default the whole array.
        keepdims: whether to keep the axes at length 1.

    Raises:
        AbsentRuleError: the order needs singular values.
        ArgumentError: there is no such order.

    >>> norm(np.array([3.0, 4.0], np.float32))
    Array(5., dtype=float32)
    """
    values = strong(inexact_operand(x))
    rank = aval_of(values).ndim
    if axis is None and ord is None:
        axes = tuple(range(rank))
        return _euclidean(values, axes, keepdims)
    if axis is None:
        axes = tuple(range(rank))
        if rank not in (1, 2):
            raise ShapeError(
                "expected a vector or a matrix for a norm of that order", f"{rank} axes"
            )
    else:
        # Order matters: the first axis of a matrix is that of its rows.
        given = tuple(axis) if isinstance(axis, Sequence) else (axis,)
        axes = tuple(a + rank if a < 0 else a for a in given)
        canonical_axes(given, rank)
    if len(axes) == 1:
        return _vector_norm(values, 2 if ord is None else ord, axes, keepdims)
    if len(axes) == 2:
        return _matrix_norm(values, "fro" if ord is None else ord, axes, keepdims)
    raise ArgumentError("expected one axis or two for a norm", str(axis))


def _euclidean(x: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    if dtypes.is_complex(aval_of(x).dtype):
        parts = (ops.real(x), ops.imag(x))
        squares = ops.add(*(ops.mul(p, p) for p in parts))
    else:
        squares = ops.mul(x, x)
    return ops.sqrt(sum_over(squares, axes, keepdims=keepdims))


def _vector_norm(x: Any, order: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    if isinstance(order, str):
        raise ArgumentError("expected a number as the order of a norm of vectors", repr(order))
    magnitude = ops.abs_(x)
    if order == 2:
        return _euclidean(x, axes, keepdims)
    if order == math.inf:
        return max_over(magnitude, axes, keepdims=keepdims)
    if order == -math.inf:
        return min_over(magnitude, axes, keepdims=keepdims)
    if order == 0:
        there = cast(ops.ne(magnitude, full_like(magnitude, 0)), aval_of(magnitude).dtype)
        return sum_over(there, axes, keepdims=keepdims)
    if order == 1:
        return sum_over(magnitude, axes, keepdims=keepdims)
    total = sum_over(ops.pow_(magnitude, full_like(magnitude, order)), axes, keepdims=keepdims)
    return ops.pow_(total, full_like(total, 1 / order))


def _matrix_norm(x: Any, order: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    if order == "fro":
        return _euclidean(x, axes, keepdims)
    if order in (2, -2, "nuc"):
        raise AbsentRuleError(
            "expected a norm that needs no singular values",
            f"ord={order!r}",
            why="singular values are not available yet",
            instead='ord="fro", 1, -1, xnp.inf or -xnp.inf',
        )
    if order not in (1, -1, math.inf, -math.inf):
        raise ArgumentError("expected a norm of matrices: 'fro', 1, -1, inf, -inf", repr(order))
    added, kept = axes if abs(order) == 1 else axes[::-1]
    extreme = max_over if order > 0 else min_over
    total = sum_over(ops.abs_(x), added, keepdims=True)
    out = extreme(total, kept, keepdims=True)
    if keepdims:
        return out
    shape = tuple(n for d, n in enumerate(aval_of(out).shape) if d not in axes)
    return reshape(out, new_sizes=shape)


def vector_norm(x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    """The norm of vectors, over the flat array by default; see `norm`.

    >>> vector_norm(np.array([3.0, 4.0], np.float32))
    Array(5., dtype=float32)
    """
    values = strong(inexact_operand(x))
    axes = canonical_axes(axis, aval_of(values).ndim)
    return _vector_norm(values, ord, axes, keepdims)


def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    """The norm of the matrices in the last two axes; see `norm`.

    >>> matrix_norm(np.array([[3.0, 0.0], [0.0, 4.0]], np.float32))
    Array(5., dtype=float32)
    """
    return norm(x, ord, (-2, -1), keepdims)


def matrix_power(a: Any, n: int) -> Any:
    """The n-th power of square matrices, n at least 0.

    >>> matrix_power(np.array([[1.0, 1.0], [0.0, 1.0]], np.float32), 3)
    Array([[1., 3.],
           [0., 1.]], dtype=float32)
    """
    x = strong(a)
    shape = aval_of(x).shape
    if len(shape) < 2 or shape[-1] != shape[-2]:
        raise ShapeError("expected square matrices", f"shape {shape}")
    power = static_int(n, "the exponent")
    if power < 0:
        raise AbsentRuleError(
            "expected an exponent of at least 0", str(power), why="inverses are not available yet"
        )
    if power == 0:
        return _identities(x)
    out, base = None, x
    while power:
        if power & 1:
            out = base if out is None else matmul(out, base)
        power >>= 1
        base = matmul(base, base) if power else base
    return out


def _identities(x: Any) -> Any:
    """Identity matrices of the shape and dtype of an array of square matrices."""
    aval = aval_of(x)
    return broadcast(eye(aval.shape[-1], dtype=aval.dtype), aval.shape)


def multi_dot(arrays: Sequence[Any], *, precision: Any = None) -> Any:
    """The product of several matrices, in the order of multiplication with the least work.

    Args:
        arrays: matrices; the first and the last may be vectors.
        precision: accepted for compatibility.

    >>> a, b = np.ones((2, 3), np.float32), np.ones((3, 4), np.float32)
    >>> multi_dot([a, b, np.ones(4, np.float32)])
    Array([12., 12.], dtype=float32)
    """
    if len(arrays) < 2:
        raise ArgumentError("expected at least 2 arrays", str(len(arrays)))
    shapes = [aval_of(x).shape for x in arrays]
    lengths = [1 if len(shapes[0]) == 1 else shapes[0][0]]
    lengths += [s[0] if len(s) == 1 else s[-2] for s in shapes[1:]]
    lengths.append(1 if len(shapes[-1]) == 1 else shapes[-1][-1])
    best: dict[tuple[int, int], tuple[int, int]] = {}
    count = len(arrays)
    for span in range(1, count):
        for i in range(count - span):
            j = i + span
            best[i, j] = min(
                (
                    best.get((i, k), (0, 0))[0]
                    + best.get((k + 1, j), (0, 0))[0]
                    + lengths[i] * lengths[k + 1] * lengths[j + 1],
                    k,
                )
                for k in range(i, j)
            )

    def product(i: int, j: int) -> Any:
        if i == j:
            return arrays[i]
        k = best[i, j][1]
        return matmul(product(i, k), product(k + 1, j), precision=precision)

    return product(0, count - 1)


def __getattr__(name: str) -> NoReturn:
    near = difflib.get_close_matches(name, __all__, 3)
    hint = f"; near names: {', '.join(near)}" if near else ""
    known = "not available yet" if hasattr(np.linalg, name) else "no such name"
    raise AttributeError(f"xform.numpy.linalg.{name}: {known}{hint}")
