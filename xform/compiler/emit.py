"""From the plan of a nest to the text of an LLVM function."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence

from .._kernels import builder as llvm, scalar
from ..core.loops import Map
from . import combine
from .costs import own_cost
from .elements import ElementEmitter
from .index import Expr, LoopVar, expr
from .loop_graph import Node
from .nests import Place, Work
from .schedule import NestPlan, PhasePlan

Value = llvm.Value


class NestEmitter(ElementEmitter):
    """Writes one nest into a builder.

    `pointers` has the memory of every stored node the nest touches; `stored` says which nodes have
    memory already, so that they are read instead of computed. With `in_place`, what is read may be
    what is written. With `part`, the first loop runs from that iteration to before that other one.
    """

    def __init__(
        self,
        plan: NestPlan,
        builder: llvm.Builder,
        pointers: Mapping[Node, Value],
        stored: Container[Node],
        in_place: bool,
        part: tuple[Value, Value] | None = None,
    ) -> None:
        made = {w.node for _, w in plan.nest.works()}
        super().__init__(builder, pointers, stored, made, in_place, _used_often(plan, stored))
        self.plan = plan
        self.part = part
        self.registers: dict[Node, Value] = {}
        self.scratched: set[Node] = set()  # kept by an earlier phase
        self.scratching: set[Node] = set()  # being kept by this one
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
        start, stop = self.taken() or (0, extent)
        with self.b.loop(stop, start=start, carried=carried) as loop:
            self.subscripts.env[var] = loop.index
            loop.carry(*inside(loop.carried))
        return loop.results

    def taken(self) -> tuple[Value, Value] | None:
        """The part of the first loop; None for the others."""
        part, self.part = self.part, None
        return part

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
        part = self.taken()
        if part is not None:
            self.vector_part(var, lanes, part, inside)
        elif rest and whole and not carried and not self.in_place:
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

    def vector_part(
        self,
        var: LoopVar,
        lanes: int,
        part: tuple[Value, Value],
        inside: Callable[[Sequence[Value]], Sequence[Value]],
    ) -> None:
        """The vectors of a part; the one that is not full comes with the last of the full ones."""
        start, stop = part
        extent = self.plan.extent(var)
        env = self.subscripts.env
        with self.b.loop(stop * lanes, start=start * lanes, step=lanes) as loop:
            env[var] = loop.index
            inside(())
        if extent % lanes:
            with self.b.when(self.b.compare("eq", stop, extent // lanes)):
                self.memo = {}
                if self.in_place:
                    env[var] = self.b.constant("i64", extent // lanes * lanes)
                    self.tail = self.b.lane_mask(lanes, extent % lanes)
                else:
                    env[var] = self.b.constant("i64", extent - lanes)
                inside(())
                self.tail = None
            self.memo = {}

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

    # -- values --

    def is_ready(self, node: Node) -> bool:
        return node in self.registers or node in self.stored or node in self.scratched

    def fetch(self, node: Node, place: Place) -> Value:
        if node in self.registers:
            return self.registers[node]
        if node in self.scratched:
            return self.unscratch(node, place)
        value = super().fetch(node, place)
        if node in self.plan.nest.kept and node not in self.stored and self.guard is None:
            self.scratch(node, place, value)
        return value

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
