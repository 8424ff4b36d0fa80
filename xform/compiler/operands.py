"""The operands of contractions: which views of stored arrays BLAS can read in place."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ..core.loops import View
from .index import Expr, LoopVar, linear_offset
from .loop_graph import Node
from .nests import pieces_of, place_of

Dims = tuple[int, ...]


@dataclass(frozen=True)
class Shape:
    """A contraction as a batch of matrix products, m x k times k x n."""

    batch: Dims
    m: int
    n: int
    k: int

    @property
    def count(self) -> int:
        return math.prod(self.batch)


@dataclass(frozen=True, eq=False)
class Matrix:
    """A batch of matrices in the memory of a node: element (b, f, c) at offset + sum of strides.

    `free` is the stride of the dimension that stays, `contracted` of the one that is summed over.
    """

    base: Node
    offset: int
    batch: Dims
    free: int
    contracted: int


def dimensions(node: Node) -> tuple[Dims, Dims, Dims, Dims]:
    """(left contracting, right contracting, left batch, right batch)."""
    (lc, rc), (lb, rb) = node.params["dimension_numbers"]
    return tuple(lc), tuple(rc), tuple(lb), tuple(rb)


def shape_of(node: Node) -> Shape:
    """The sizes of a contraction."""
    lc, rc, lb, rb = dimensions(node)
    x, y = node.inputs
    m = math.prod(d for k, d in enumerate(x.shape) if k not in (*lc, *lb))
    n = math.prod(d for k, d in enumerate(y.shape) if k not in (*rc, *rb))
    return Shape(tuple(x.shape[d] for d in lb), m, n, math.prod(x.shape[d] for d in lc))


def matrix(node: Node, side: int) -> Matrix | None:
    """An operand of a contraction as a matrix in memory, if one of its strides is 1.

    It is read through its views if it is one there, else where it is stored itself.
    """
    x = node.inputs[side]
    variables = [LoopVar(f"d{k}", extent) for k, extent in enumerate(x.shape)]
    seen = resolve(x, variables)
    found = None if seen is None else _matrix_at(node, side, variables, *seen)
    if found is None:
        found = _matrix_at(node, side, variables, x, linear_offset(place_of(variables), x.shape))
    return found


def _matrix_at(
    node: Node, side: int, variables: Sequence[LoopVar], base: Node, offset: Expr
) -> Matrix | None:
    lc, rc, lb, rb = dimensions(node)
    contract, batch = ((lc, lb), (rc, rb))[side]
    x = node.inputs[side]
    if any(not isinstance(a, LoopVar) for a, _ in offset.terms):
        return None
    free = [variables[d] for d in range(len(x.shape)) if d not in (*contract, *batch)]
    free_stride = _joined(free, offset)
    contracted = _joined([variables[d] for d in contract], offset)
    if free_stride is None or contracted is None:
        return None
    extents = (math.prod(v.extent for v in free), math.prod(x.shape[d] for d in contract))
    if not _is_blas(free_stride, contracted, extents):
        return None
    strides = tuple(offset.coefficient(variables[d]) for d in batch)
    return Matrix(base, offset.const, strides, free_stride, contracted)


def bases_of(node: Node) -> list[Node]:
    """The nodes whose memory a contraction reads."""
    found = [matrix(node, side) for side in range(len(node.inputs))]
    return [x if m is None else m.base for x, m in zip(node.inputs, found, strict=True)]


def resolve(x: Node, variables: Sequence[LoopVar]) -> tuple[Node, Expr] | None:
    """The node under the pure views above it, and the offset in it of an element of `x`."""
    place = place_of(variables)
    while isinstance(x.loop, View):
        pieces = pieces_of(x, place)
        if len(pieces) != 1 or not pieces[0][2].is_true or not isinstance(pieces[0][0], Node):
            return None
        x, place = pieces[0][0], pieces[0][1]
    return x, linear_offset(place, x.shape)


def _joined(variables: Sequence[LoopVar], offset: Expr) -> int | None:
    """The stride of several dimensions taken as one, row-major; None if they do not join."""
    stride: int | None = None
    run = 1
    for v in reversed(variables):
        if v.extent == 1:
            continue
        own = offset.coefficient(v)
        if stride is None:
            stride = own
        elif own != stride * run:
            return None
        run *= v.extent
    return 1 if stride is None else stride


def _is_blas(free: int, contracted: int, extents: tuple[int, int]) -> bool:
    """One stride is 1, and the other is a leading dimension that rows do not overlap in."""
    if contracted == 1 and free >= max(1, extents[1]):
        return True
    if free == 1 and contracted >= max(1, extents[0]):
        return True
    return (extents[0] == 1 and contracted == 1) or (extents[1] == 1 and free == 1)


__all__ = ["Matrix", "Shape", "bases_of", "dimensions", "matrix", "shape_of"]
