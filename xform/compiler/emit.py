"""From the plan of a nest to the text of an LLVM function."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any

import numpy as np

from .._kernels import builder as llvm, scalar
from ..core.jaxpr import Literal
from ..core.loops import Generate, Map, View
from . import combine
from .fuse import own_cost
from .index import Condition, Datum, Expr, LoopVar, expr, linear_offset
from .loop_graph import Node, Scalar
from .nests import Place, Work, generated, pieces_of
from .schedule import NestPlan, PhasePlan
from .subscripts import Subscripts

Value = llvm.Value


class NestEmitter:
    """Writes one nest into a builder.

    `pointers` has the memory of every stored node the nest touches; `stored` says which nodes have
    memory already, so that they are read instead of computed. With `in_place`, what is read may be
    what is written.
    """

    def __init__(
        self,
        plan: NestPlan,
        builder: llvm.Builder,
        pointers: Mapping[Node, Value],
        stored: Container[Node],
        in_place: bool,
    ) -> None:
        self.plan = plan
        self.b = builder
        self.pointers = pointers
        self.stored = stored
        self.in_place = in_place
        self.outlined = _used_often(plan, stored)
        self.made = {w.node for _, w in plan.nest.works()}
        self.registers: dict[Node, Value] = {}
        self.scratched: set[Node] = set()  # kept by an earlier phase
        self.scratching: set[Node] = set()  # being kept by this one
        self.memo: dict[Any, Value] = {}
        self.found_pieces: dict[Any, Any] = {}
        self.tail: Value | None = None  # which lanes exist, in the last iteration of a vector loop
        self.guard: Value | None = None  # where a conditional view reads
        self.subscripts = Subscripts(builder, self.data)
        for var in (*plan.absorbed, *(v for v in plan.nest.outer if v.extent == 1)):
            self.subscripts.env[var] = builder.constant("i64", 0)
        self.phase: PhasePlan | None = None

    # -- loops --

    def run(self) -> None:
        if any(self.plan.extent(v) == 0 for v in self.plan.outer):
            return
        self.loops(self.plan.outer, self.plan.vector, self.plan.lanes, (), self.row)

    def row(self, carried: Sequence[Value]) -> Sequence[Value]:
        """One iteration of the outer loops: every phase."""
        self.registers = {}
        self.scratched = set()
        for phase in self.plan.phases:
            self.run_phase(phase)
        return carried

    def run_phase(self, phase: PhasePlan) -> None:
        self.phase = phase
        works = phase.phase.works
        reductions = [w for w in works if w.kind in ("reduce", "scan")]
        rows = self.plan.lanes if self.plan.vector is not None else 1
        lanes = phase.lanes if phase.vector is not None else rows
        start: list[Value] = []
        for work in reductions:
            start.extend(combine.start(self.b, work.node, lanes))
        results: Sequence[Value] = start
        if not any(self.plan.extent(v) == 0 for v in phase.loops):
            outer_tail = self.tail
            results = self.loops(
                phase.loops, phase.vector, phase.lanes, start, lambda c: self.body(phase, works, c)
            )
            self.tail = outer_tail
        self.memo = {}
        at = 0
        for work in reductions:
            width = combine.width(work.node)
            values = results[at : at + width]
            at += width
            if work.kind == "reduce":
                across = lanes if phase.vector is not None else 1
                total = combine.finish(self.b, work.node, values, across)
                self.registers[work.node] = total
                if work.node in self.stored:
                    self.store(work.node, work.place, total)
        self.scratched |= self.scratching
        self.scratching = set()

    def loops(
        self,
        variables: Sequence[LoopVar],
        vector: LoopVar | None,
        lanes: int,
        carried: Sequence[Value],
        body: Callable[[Sequence[Value]], Sequence[Value]],
    ) -> Sequence[Value]:
        if not variables:
            return body(carried)
        var, *rest = variables

        def inside(values: Sequence[Value]) -> Sequence[Value]:
            return self.loops(rest, vector, lanes, values, body)

        if var is vector:
            return self.vector_loop(var, lanes, carried, inside)
        extent = self.plan.extent(var)
        if extent == 1:
            self.subscripts.env[var] = self.b.constant("i64", 0)
            return inside(carried)
        with self.b.loop(extent, carried=carried) as loop:
            self.subscripts.env[var] = loop.index
            loop.carry(*inside(loop.carried))
        return loop.results

    def vector_loop(
        self,
        var: LoopVar,
        lanes: int,
        carried: Sequence[Value],
        inside: Callable[[Sequence[Value]], Sequence[Value]],
    ) -> Sequence[Value]:
        extent = self.plan.extent(var)
        whole = extent // lanes * lanes
        rest = extent - whole
        env = self.subscripts.env
        self.subscripts.lanes = {var: lanes}
        if rest and whole and not carried and not self.in_place:
            # The last vector overlaps the one before: no second body for the rest.
            with self.b.loop(whole // lanes + 1) as loop:
                base = self.b.intrinsic("umin", loop.index * lanes, extent - lanes)
                env[var] = base
                inside(())
        else:
            if whole == lanes:
                env[var] = self.b.constant("i64", 0)
                carried = inside(carried)
            elif whole:
                with self.b.loop(whole, step=lanes, carried=carried) as loop:
                    env[var] = loop.index
                    loop.carry(*inside(loop.carried))
                carried = loop.results
            if rest:
                env[var] = self.b.constant("i64", whole)
                self.tail = self.b.lane_mask(lanes, rest)
                carried = inside(carried)
                self.tail = None
        self.subscripts.lanes = {}
        return carried

    # -- bodies --

    def body(
        self, phase: PhasePlan, works: Sequence[Work], carried: Sequence[Value]
    ) -> Sequence[Value]:
        self.memo = {}
        updated: list[Value] = []
        rest = list(carried)
        for work in works:
            if work.kind in ("store", "copy"):
                value = (
                    self.compute(work.node, work.domain)
                    if work.kind == "store"
                    else self.value(work.operand, work.domain)
                )
                self.memo[work.node, work.domain, None] = value
                self.store(work.node, work.place, value)
                continue
            width = combine.width(work.node)
            before, rest = rest[:width], rest[width:]
            item = self.value(work.operand, work.domain)
            position = self.position(work) if width == 2 else None
            after = combine.step(self.b, work.node, before, item, position)
            if self.tail is not None and phase.vector is not None:
                after = tuple(
                    self.b.select(self.tail, new, old)
                    for new, old in zip(after, before, strict=True)
                )
            if work.kind == "scan":
                self.store(work.node, work.place, combine.leave(self.b, work.node, after[0]))
            updated.extend(after)
        return updated

    def position(self, work: Work) -> Value:
        """The index along the reduced axis, of an argmax."""
        (axis,) = work.node.params["axes"]
        return self.subscripts.value(work.domain[axis], "i64")

    def store(self, node: Node, place: Place, value: Value) -> None:
        offset = linear_offset(place, node.shape)
        address, contiguous = self.address(node, offset)
        mask = self.tail if self.lanes_of(offset) > 1 else None
        if contiguous:
            value = self.b.splat(value, self.lanes_of(offset))
        self.b.store(value, address, mask=mask)

    def lanes_of(self, offset: Expr) -> int:
        return self.subscripts.width(offset)

    def address(self, node: Node, offset: Expr) -> tuple[Value, bool]:
        """The address of an element, or of the first of neighbours, or of one element per lane."""
        element = scalar.element(node.dtype)
        uniform, stride = self.subscripts.split(offset)
        if uniform is None or stride not in (0, 1):
            index = self.subscripts.value(offset, "i64")
            return self.b.pointer(self.pointers[node], element, index), False
        return self.b.pointer(self.pointers[node], element, uniform), stride == 1

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
        return node in self.registers or node in self.stored or node in self.scratched

    def fetch(self, node: Node, place: Place) -> Value:
        if node in self.registers:
            return self.registers[node]
        if node in self.scratched:
            return self.unscratch(node, place)
        if node in self.stored or not isinstance(node.loop, Map | View | Generate | Scalar):
            return self.load(node, place)
        value = self.compute(node, place)
        if node in self.plan.nest.kept and self.guard is None:
            self.scratch(node, place, value)
        return value

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
            here = _both(self.b, holds, None if taken is None else ~taken)
            self.guard = _both(self.b, outer, here) if here is not None else outer
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
        address, contiguous = self.address(node, offset)
        mask = _both(self.b, self.guard, self.tail)
        if contiguous:
            wide = None if mask is None else self.b.splat(mask, lanes)
            return self.b.load(element, address, lanes, invariant=fixed, mask=wide)
        return self.b.load(element, self.b.splat(address, lanes), lanes, invariant=fixed, mask=mask)

    def in_some_lane(self, condition: Value) -> Value:
        """Whether a condition holds in at least one lane."""
        while condition.lanes > 1:
            half = condition.lanes // 2
            low = self.b.shuffle(condition, range(half))
            condition = low | self.b.shuffle(condition, range(half, condition.lanes))
        return condition

    def scratch(self, node: Node, place: Place, value: Value) -> None:
        self.scratching.add(node)
        address, lanes = self.scratch_address(node)
        self.b.store(self.b.splat(value, lanes), address, mask=self.tail if lanes > 1 else None)

    def unscratch(self, node: Node, place: Place) -> Value:
        address, lanes = self.scratch_address(node)
        mask = self.tail if lanes > 1 else None
        return self.b.load(scalar.element(node.dtype), address, lanes, mask=mask)

    def scratch_address(self, node: Node) -> tuple[Value, int]:
        """Scratch holds one value per inner iteration, in the order of the phase's loops."""
        assert self.phase is not None
        rows = self.plan.lanes if self.plan.vector is not None else 1
        offset = expr(0)
        for var in self.phase.loops:
            offset = offset * self.plan.extent(var) + _loop_term(var)
        index = self.subscripts.base(offset)
        index = index * rows if rows > 1 else index
        lanes = max(rows, self.phase.lanes if self.phase.vector is not None else 1)
        return self.b.pointer(self.pointers[node], scalar.element(node.dtype), index), lanes


_MANY = 8  # uses of a formula in one nest after which it is a function of its own
_LONG = frozenset(("sin", "cos", "tan", "lgamma", "digamma", "erfc", "erf_inv", "pow"))
_MANY_LONG = 2
_SHORT_COST = 12


def _used_often(plan: NestPlan, stored: Container[Node]) -> frozenset[tuple[str, str]]:
    """The formulas, by name and dtype, that a nest uses so often that they are compiled once."""
    uses: dict[tuple[str, str], int] = {}
    for node, places in plan.nest.expansion(stored).computed.items():
        if isinstance(node.loop, Map) and len(node.siblings) == 1 and own_cost(node) >= _SHORT_COST:
            key = (node.loop.scalar, node.inputs[0].dtype)
            uses[key] = uses.get(key, 0) + len(places)
    return frozenset(
        key for key, n in uses.items() if n >= (_MANY_LONG if key[0] in _LONG else _MANY)
    )


def _loop_term(var: LoopVar) -> Expr:
    return Expr(((var, 1),), 0)


def _both(b: llvm.Builder, x: Value | None, y: Value | None) -> Value | None:
    if x is None or y is None:
        return y if x is None else x
    return x & y
