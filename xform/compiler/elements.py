"""The elements of nodes as machine values: read where they are stored, else computed."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Any

import numpy as np

from .._kernels import builder as llvm, scalar
from ..core.jaxpr import Literal
from ..core.loops import Generate, Map, View
from .index import Condition, Datum, Expr, linear_offset
from .loop_graph import Node, Scalar
from .nests import Place, generated, pieces_of
from .subscripts import Subscripts

Value = llvm.Value


class ElementEmitter:
    """Writes the value of a node at a place.

    `pointers` has the memory of stored nodes; `stored` says which nodes have memory, so that they
    are read instead of computed; `made` which of them change while this code runs. With `in_place`,
    what is read may be what is written.
    """

    def __init__(
        self,
        builder: llvm.Builder,
        pointers: Mapping[Node, Value],
        stored: Container[Node],
        made: Container[Node] = (),
        in_place: bool = False,
        outlined: Container[tuple[str, str]] = (),
    ) -> None:
        self.b = builder
        self.pointers = pointers
        self.stored = stored
        self.made = made
        self.in_place = in_place
        self.outlined = outlined
        self.memo: dict[Any, Value] = {}
        self.found_pieces: dict[Any, Any] = {}
        self.tail: Value | None = None  # which lanes exist, in the last iteration of a vector loop
        self.guard: Value | None = None  # where a conditional view reads
        self.subscripts = Subscripts(builder, self.data)

    # -- values --

    def value(self, node: Node, place: Place) -> Value:
        """The value of a node at a place, computed if it is not stored; chains do not recurse."""
        stack = [(node, place)]
        while stack:
            n, at = stack[-1]
            key = (n, at, self.guard)
            if key in self.memo:
                stack.pop()
                continue
            missing = [
                (x, p)
                for x, p in self.simple_operands(n, at)
                if (x, p, self.guard) not in self.memo
            ]
            if missing:
                stack.extend(missing)
                continue
            self.memo[key] = self.fetch(n, at)
            stack.pop()
        return self.memo[node, place, self.guard]

    def simple_operands(self, node: Node, place: Place) -> list[tuple[Node, Place]]:
        if self.is_ready(node):
            return []
        if isinstance(node.loop, Map):
            return [(x, place if x.shape else ()) for x in node.inputs]
        if isinstance(node.loop, View):
            pieces = self.pieces(node, place)
            if len(pieces) == 1 and isinstance(pieces[0][0], Node):
                return [pieces[0][:2]]
        return []

    def pieces(self, node: Node, place: Place) -> Any:
        """`pieces_of`, worked out once for each place."""
        key = (node, place)
        if key not in self.found_pieces:
            self.found_pieces[key] = pieces_of(node, place)
        return self.found_pieces[key]

    def is_ready(self, node: Node) -> bool:
        """Whether a node has its elements somewhere already."""
        return node in self.stored

    def fetch(self, node: Node, place: Place) -> Value:
        """An element from where it is, or computed from operands that are in the memo."""
        if node in self.stored or not isinstance(node.loop, Map | View | Generate | Scalar):
            return self.load(node, place)
        return self.compute(node, place)

    def compute(self, node: Node, place: Place) -> Value:
        """The value of a node by its definition."""
        loop = node.loop
        if isinstance(loop, Scalar):
            return self.constant(loop.value, node.dtype)
        if isinstance(loop, Map):
            operands = [self.value(x, place if x.shape else ()) for x in node.inputs]
            data = node.inputs[1 if loop.scalar == "select_n" else 0]
            params = {k: node.params[k] for k in loop.params}
            often = (loop.scalar, data.dtype) in self.outlined
            apply = scalar.apply_by_call if often else scalar.apply
            return apply(self.b, loop.scalar, data.dtype, operands, params)[node.result]
        if isinstance(loop, Generate):
            return self.generate(node, place)
        return self.view(node, place)

    def constant(self, value: Any, dtype: str) -> Value:
        return self.b.constant(scalar.element(dtype), np.asarray(value).item())

    def generate(self, node: Node, place: Place) -> Value:
        e = generated(node, place)
        wide = not -(2**31) <= e.low <= e.high < 2**31
        index = self.subscripts.value(e, "i64" if wide else "i32")
        source = "int64" if wide else "int32"
        if node.dtype == source:
            return index
        params = {"new_dtype": node.dtype}
        return scalar.apply(self.b, "convert_element_type", source, [index], params)[0]

    def view(self, node: Node, place: Place) -> Value:
        pieces = self.pieces(node, place)
        outer = self.guard
        values: list[tuple[Value | None, Value]] = []
        taken: Value | None = None  # where an earlier piece was taken
        for operand, index, condition in pieces:
            self.guard = outer  # conditions are read wherever the view itself is
            holds = None if condition.is_true else self.condition(condition)
            here = both(self.b, holds, None if taken is None else ~taken)
            self.guard = both(self.b, outer, here) if here is not None else outer
            if isinstance(operand, Literal):
                values.append((holds, self.constant(operand.value, operand.aval.dtype.name)))
            else:
                values.append((holds, self.value(operand, index)))
            if holds is not None:
                taken = holds if taken is None else taken | holds
        self.guard = outer
        result = values[-1][1]
        for holds, value in reversed(values[:-1]):
            assert holds is not None
            result = self.b.select(holds, value, result)
        return result

    def condition(self, condition: Condition) -> Value:
        result: Value | None = None
        for clause in condition.clauses:
            either: Value | None = None
            for e in clause:
                test = self.b.compare("sge", self.subscripts.value(e, "i64"), 0)
                either = test if either is None else either | test
            assert either is not None
            result = either if result is None else result & either
        assert result is not None
        return result

    def data(self, datum: Datum) -> Value:
        """An index that comes from an array, as an i64."""
        value = self.value(datum.node, datum.index)
        if value.element == "i64":
            return value
        signed = datum.node.aval.dtype.kind == "i"
        return self.b.cast("sext" if signed else "zext", value, "i64")

    # -- memory --

    def load(self, node: Node, place: Place) -> Value:
        offset = linear_offset(place, node.shape)
        element = scalar.element(node.dtype)
        lanes = self.lanes_of(offset)
        fixed = node not in self.made and not self.in_place
        if lanes == 1:
            if self.guard is None:
                address, _ = self.address(node, offset)
                return self.b.load(element, address, invariant=fixed)
            # Where the guard is false in all lanes, the first element is read instead: it exists.
            guard = self.guard
            if guard.lanes > 1:
                guard = self.in_some_lane(guard if self.tail is None else guard & self.tail)
            index = self.b.select(guard, self.subscripts.value(offset, "i64"), 0)
            address = self.b.pointer(self.pointers[node], element, index)
            return self.b.load(element, address, invariant=fixed)
        address, step = self.address(node, offset, (1, -1))
        mask = both(self.b, self.guard, self.tail)
        if step:
            wide = None if mask is None else self.b.splat(mask, lanes)
            backwards = range(lanes - 1, -1, -1)
            if step < 0:
                address = self.b.pointer(address, element, 1 - lanes)
                wide = None if wide is None else self.b.shuffle(wide, backwards)
            if self.guard is not None:
                # A masked read of memory that does not exist is right, but slow as a fault.
                some = self.in_some_lane(self.guard)
                address = self.b.select(some, address, self.pointers[node])
            value = self.b.load(element, address, lanes, invariant=fixed, mask=wide)
            return value if step > 0 else self.b.shuffle(value, backwards)
        return self.b.load(element, self.b.splat(address, lanes), lanes, invariant=fixed, mask=mask)

    def in_some_lane(self, condition: Value) -> Value:
        """Whether a condition holds in at least one lane."""
        if condition.lanes == 1:
            return condition
        bits = f"i{condition.lanes}"
        text = f"bitcast {condition.type} {condition.name} to {bits}"
        return self.b.compare("ne", self.b.define(bits, 1, text, (condition,)), 0)

    def store(self, node: Node, place: Place, value: Value) -> None:
        offset = linear_offset(place, node.shape)
        address, contiguous = self.address(node, offset)
        mask = self.tail if self.lanes_of(offset) > 1 else None
        if contiguous:
            value = self.b.splat(value, self.lanes_of(offset))
        self.b.store(value, address, mask=mask)

    def lanes_of(self, offset: Expr) -> int:
        return self.subscripts.width(offset)

    def address(self, node: Node, offset: Expr, steps: Sequence[int] = (1,)) -> tuple[Value, int]:
        """The address of an element, or of that of the first lane and the step to the next one, if
        it is among `steps`, or of one element per lane and 0."""
        element = scalar.element(node.dtype)
        uniform, stride = self.subscripts.split(offset)
        if uniform is None or stride not in (0, *steps):
            index = self.subscripts.value(offset, "i64")
            return self.b.pointer(self.pointers[node], element, index), 0
        return self.b.pointer(self.pointers[node], element, uniform), stride


def both(b: llvm.Builder, x: Value | None, y: Value | None) -> Value | None:
    """The conjunction of conditions, where None is always true."""
    if x is None or y is None:
        return y if x is None else x
    return x & y
