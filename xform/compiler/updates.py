"""Updates of an array: scatters and dynamic_update_slice, after their operand is copied."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Any

from .._kernels import builder as llvm, scalar
from .emit import NestEmitter
from .index import FALSE, TRUE, Condition, Datum, Expr, Index, linear_offset, unwrap
from .loop_graph import Node
from .nests import Nest, Phase, Place, fresh, place_of
from .schedule import NestPlan

Value = llvm.Value


def target_of(node: Node, place: Place) -> tuple[Place, Condition]:
    """Where the update at a place goes, and the condition under which it does."""
    loop = node.loop

    def read(operand: int, index: Sequence[Any]) -> Index:
        return Index(Expr(((Datum(node.inputs[operand], tuple(map(unwrap, index))), 1),), 0))

    avals = [x.aval for x in node.inputs]
    wrapped = tuple(Index(e) for e in place)
    index, condition = loop.target(wrapped, read, *avals, **node.params)
    if condition is None:
        condition = TRUE
    elif isinstance(condition, bool):
        condition = TRUE if condition else FALSE
    return tuple(map(unwrap, index)), condition


def update_plan(node: Node, vector_bytes: int) -> NestPlan:
    """The loops over the updates: in order, and in lanes only where a plain block is replaced."""
    loop = node.loop
    variables = fresh(node.inputs[loop.updates].shape)
    nest = Nest(tuple(v for v in variables if v.extent != 1), [Phase((), [])])
    index, condition = target_of(node, place_of(variables))
    offset = linear_offset(index, node.shape)
    lanes = 1
    vector = nest.outer[-1] if nest.outer else None
    if vector is not None and loop.combine == "set" and condition.is_true:
        alone = not any(
            a is not vector and any(b is vector for b in _inside(a)) for a, _ in offset.terms
        )
        if alone and offset.coefficient(vector) == 1:
            room = vector_bytes // max(1, node.aval.dtype.itemsize)
            lanes = min(room, 1 << (vector.extent - 1).bit_length())
    return NestPlan(nest, nest.outer, vector if lanes > 1 else None, lanes, (), {}, frozenset())


def _inside(atom: Any) -> list[Any]:
    if isinstance(atom, Datum):
        return [b for i in atom.index for b in i.atoms()]
    return list(atom.of.atoms()) if hasattr(atom, "of") else []


class UpdateEmitter(NestEmitter):
    """Goes through the updates in order and combines each into its target."""

    def __init__(
        self,
        plan: NestPlan,
        builder: llvm.Builder,
        pointers: Mapping[Node, Value],
        stored: Container[Node],
        node: Node,
    ) -> None:
        super().__init__(plan, builder, pointers, stored, False)
        self.node = node
        self.made = {node}
        self.variables = fresh(())

    def row(self, carried: Sequence[Value]) -> Sequence[Value]:
        self.memo = {}
        node = self.node
        updates = node.inputs[node.loop.updates]
        loops = iter(self.plan.nest.outer)
        place = tuple(
            Expr(((next(loops), 1),), 0) if extent != 1 else Expr((), 0) for extent in updates.shape
        )
        index, condition = target_of(node, place)
        if condition.is_false:
            return carried
        if condition.is_true:
            self.write(updates, place, index)
            return carried
        with self.b.when(self.condition(condition)):
            self.memo = {}
            self.write(updates, place, index)
        self.memo = {}
        return carried

    def write(self, updates: Node, place: Place, index: Place) -> None:
        node = self.node
        value = self.value(updates, place)
        if node.loop.combine != "set":
            element = scalar.element(node.dtype)
            address, _ = self.address(node, linear_offset(index, node.shape))
            before = self.b.load(element, address)
            value = scalar.apply(self.b, node.loop.combine, node.dtype, [before, value], {})[0]
        self.store(node, index, value)
