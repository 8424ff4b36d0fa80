"""Functions of loops and branches that fit into registers: what they read, keep and write.

What is carried and small lives in registers. A large carried array that the body only reads by
element and updates by element stays in memory, in the output: all of an iteration's reads come
before its writes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from .._kernels import builder as llvm
from ..core.jaxpr import subprograms
from ..core.loops import Branch, Update
from .index import LoopVar, expr, linear_offset
from .loop_graph import Node, Scalar
from .lower import is_stored, lower
from .module import ModuleWriter
from .polling import Meter
from .registers import MOST_WORK, Registers, Unfit, places, weight
from .updates import target_of

Value = llvm.Value

_MOST_HELD = 64  # elements of one carried array in registers
_MOST_UPDATED = 64  # elements that an update of an array in memory writes
_FEWEST_LANES = 8
_LEAST_BATCH = 3
_LEAST_WORK_OF_LANES = 2  # operations for each element of the batch
_NS_PER_OPERATION = 0.12
_NS_PER_STEP = 15
_FEW_CARRIED = 8  # values; with more, one vector of each is enough to keep the processor busy


@dataclass(frozen=True, eq=False)
class Written:
    """A function that is written: its name, and what `Needs.pairs` it allows."""

    name: str
    pairs: tuple[tuple[int, int], ...] = ()


def in_registers(node: Node, module: ModuleWriter) -> Written | None:
    """Writes the function of a loop or branch whose body fits into registers; None for others."""
    if not all(is_stored(x.aval.dtype) for x in (*node.inputs, *node.siblings)):
        return None
    if any(p.effects for p in subprograms(node.params)):
        return None
    reported = len(module.progress)
    for lanes in _lanes(node, module):
        try:
            return _Function(module, node, *lanes).write()
        except Unfit:
            del module.progress[reported:]
    return None


def _lanes(node: Node, module: ModuleWriter) -> list[tuple[LoopVar | None, int, bool]]:
    """The ways to try: with the batch in lanes, then one element after another."""
    graphs = [lower(program) for program in subprograms(node.params)]
    work = sum(weight(g)[0] for g in graphs)
    steps = sum(weight(g)[1] for g in graphs)
    found: list[tuple[LoopVar | None, int, bool]] = []
    size = _batch_size(node)
    if size is not None and work / size <= MOST_WORK and work >= _LEAST_WORK_OF_LANES * size:
        widest = max(n.aval.dtype.itemsize for n in node.siblings if n.shape)
        lanes = module.target.vector_bytes // max(1, widest)
        carried = sum(n.aval.size // size for n in node.siblings if size in n.shape)
        if carried <= _FEW_CARRIED and size >= 4 * lanes:
            lanes *= 2
        # Of a small batch all lanes are one vector, the last ones of which are empty.
        fitting = 1 << ((size - 1).bit_length() if size < _FEWEST_LANES else size.bit_length() - 1)
        if size >= _FEWEST_LANES or fitting <= lanes:
            lane = LoopVar("lane", size)
            found += [(lane, min(lanes, fitting), False), (lane, min(lanes, fitting), True)]
    if work <= MOST_WORK and work * _NS_PER_OPERATION <= steps * _NS_PER_STEP:
        found.append((None, 1, False))
    return found


def _batch_size(node: Node) -> int | None:
    """The largest dimension that everything has that a loop carries, but for scalars."""
    if isinstance(node.loop, Branch):
        return None
    carried = node.siblings[: node.params["carry"]] if node.loop.counted else node.siblings
    shapes = [set(n.shape) for n in carried if n.shape]
    shared = set.intersection(*shapes) if shapes else set()
    return max((size for size in shared if size >= _LEAST_BATCH), default=None)


class _Function:
    """Writes one function of the pointers of inputs, outputs and a workspace it does not use."""

    def __init__(
        self,
        module: ModuleWriter,
        node: Node,
        lane: LoopVar | None,
        lanes: int,
        last: bool,
    ) -> None:
        self.module = module
        self.node = node
        self.lane = lane
        self.lanes = lanes
        self.b = module.builder()
        self.ins = module.parameters(self.b, "a", len(node.inputs))
        self.outs = module.parameters(self.b, "o", len(node.siblings))
        self.r = Registers(self.b, lane, last)
        for x, pointer in zip(node.inputs, self.ins, strict=True):
            if not isinstance(x.loop, Scalar):
                self.r.in_memory(x, pointer)
        for n, pointer in zip(node.siblings, self.outs, strict=True):
            self.r.pointers[n] = pointer

    def write(self) -> Written:
        pairs: tuple[tuple[int, int], ...] = ()
        if isinstance(self.node.loop, Branch):
            self.branch()
        else:
            body = self.counted if self.node.loop.counted else self.repeated
            self.over_lanes(body)
            first = self.first_carry()
            # The last lanes may go over elements that were written before: not in place, then.
            overlap = (
                self.lane is not None
                and self.lane.extent > self.lanes
                and self.lane.extent % self.lanes
            )
            count = self.carries()
            pairs = () if overlap else tuple((first + k, k) for k in range(count))
        (workspace,) = self.module.parameters(self.b, "w", 1)
        parameters = [*self.ins, *self.outs, workspace]
        return Written(self.module.function("part", parameters, self.b, status=True), pairs)

    def first_carry(self) -> int:
        p = self.node.params
        return int(p["consts"] if self.node.loop.counted else p["cond_consts"] + p["body_consts"])

    def carries(self) -> int:
        return int(self.node.params["carry"]) if self.node.loop.counted else len(self.node.siblings)

    def over_lanes(self, body: Callable[[], None]) -> None:
        if self.lane is None:
            body()
            return
        extent, lanes = self.lane.extent, self.lanes
        self.r.subscripts.lanes = {self.lane: lanes}
        if extent <= lanes:
            if extent < lanes:
                self.r.tail = self.b.lane_mask(lanes, extent)
            self.r.subscripts.env[self.lane] = self.b.constant("i64", 0)
            with self.r.block():
                body()
            return
        with self.b.loop(-(-extent // lanes)) as loop, self.r.block():
            first = self.b.intrinsic("umin", loop.index * lanes, extent - lanes)
            self.r.subscripts.env[self.lane] = first
            body()

    # -- branches --

    def branch(self) -> None:
        node, r = self.node, self.r
        index = r.value(node.inputs[0], ())

        def case(program: Any) -> Callable[[], Sequence[Value]]:
            def write() -> Sequence[Value]:
                with r.block():
                    graph = r.graph(program)
                    for inner, outer in zip(graph.inputs, node.inputs[1:], strict=True):
                        r.same_as(inner, outer)
                    r.run(graph)
                    found = [r.elements(n) for n in graph.outputs]
                    for n, values in zip(node.siblings, found, strict=True):
                        self.store(n, values)
                return ()

            return write

        self.b.choose(index, [case(p) for p in node.params["branches"]])

    # -- loops --

    def counted(self) -> None:
        node, r, b = self.node, self.r, self.b
        p = node.params
        length, consts, carries = p["length"], p["consts"], p["carry"]
        graph = r.graph(p["jaxpr"])
        initial = node.inputs[consts : consts + carries]
        kept = [k for k in range(carries) if self.is_held(graph.inputs[consts + k])]
        large = [k for k in range(carries) if k not in kept]
        for k in large:
            nbytes = node.siblings[k].aval.nbytes
            self.module.copy_unless_same(b, self.ins[consts + k], self.outs[k], nbytes)
        values = r.initial([initial[k] for k in kept])
        if not length:
            self.leave([node.siblings[k] for k in kept], values)
            return
        meter = Meter(self.module, node, length, weight(graph)[0] * _NS_PER_OPERATION)
        meter.begin(b)
        at = LoopVar("t", length)
        where = length - 1 - expr(at) if p["reverse"] else expr(at)
        wide = self.widened([node.siblings[k] for k in kept], values)
        with b.loop(length, carried=wide) as loop, r.block():
            r.subscripts.env[at] = loop.index
            for k, (inner, outer) in enumerate(zip(graph.inputs, node.inputs, strict=True)):
                if k < consts:
                    r.same_as(inner, outer)
                elif k >= consts + carries:
                    r.sliced(inner, outer, where)
            r.carry([graph.inputs[consts + k] for k in kept], loop.carried)
            for k in large:
                r.in_memory(graph.inputs[consts + k], self.outs[k], changes=True)
            r.run(graph)
            new = r.initial([graph.outputs[k] for k in kept])
            stacked = [r.elements(n) for n in graph.outputs[carries:]]
            writes = [
                self.update(graph.inputs[consts + k], graph.outputs[k], node.siblings[k])
                for k in large
            ]
            for n, row, row_values in zip(
                node.siblings[carries:], graph.outputs[carries:], stacked, strict=True
            ):
                for place, value in zip(self.r.places(row), row_values, strict=True):
                    r.store(n, (where, *place), value)
            for write in writes:
                write()
            meter.poll(b, loop.index)
            loop.carry(*new)
        meter.end(b)
        self.leave([node.siblings[k] for k in kept], loop.results)

    def repeated(self) -> None:
        node, r, b = self.node, self.r, self.b
        first = self.first_carry()
        if not all(map(self.is_held, node.siblings)):
            raise Unfit("a large array is carried")
        work = sum(weight(lower(q))[0] for q in subprograms(node.params))
        meter = Meter(self.module, node, None, work * _NS_PER_OPERATION)
        meter.begin(b)
        initial = r.initial(node.inputs[first:])
        counts: list[Value] = []

        def poll(loop: Any) -> None:
            counts.append(loop)
            meter.poll(b, loop.index)

        results = r.repeat(node, initial, poll)
        meter.end(b, counts[0].index)
        self.leave(node.siblings, results)

    def is_held(self, node: Node) -> bool:
        """Whether a carried value lives in registers."""
        size = self.r.count(node)
        if size > _MOST_HELD and self.lane is not None:
            raise Unfit("much is carried for each element of the batch")
        return size <= _MOST_HELD

    def widened(self, nodes: Sequence[Node], values: Sequence[Value]) -> list[Value]:
        return [
            self.b.splat(v, self.lanes) if held.lane_axis is not None else v
            for held in self.r.packed(nodes, values)
            for v in held.values
        ]

    # -- memory --

    def store(self, node: Node, values: Sequence[Value]) -> None:
        for place, value in zip(self.r.places(node), values, strict=True):
            self.r.store(node, place, value)

    def leave(self, nodes: Sequence[Node], values: Sequence[Value]) -> None:
        """What was carried last, into the outputs."""
        for held, n in zip(self.r.packed(nodes, values), nodes, strict=True):
            self.store(n, held.values)

    def update(self, before: Node, after: Node, memory: Node) -> Callable[[], None]:
        """Works out an update of a large array; the function that is returned writes it."""
        chain: list[Node] = []
        at = after
        while at is not before:
            if not isinstance(at.loop, Update):
                raise Unfit("a large array is computed anew")
            if math.prod(at.inputs[at.loop.updates].shape) > _MOST_UPDATED:
                raise Unfit("a large part of an array is written")
            chain.append(at)
            at = at.inputs[0]
        r = self.r
        writes: list[tuple[Node, Value | None, Value, Value]] = []
        for step in reversed(chain):
            updates = step.inputs[step.loop.updates]
            for place in places(updates.shape):
                target, condition = target_of(step, place)
                if condition.is_false:
                    continue
                holds = None if condition.is_true else r.condition(condition)
                index = r.subscripts.value(linear_offset(target, step.shape), "i64")
                writes.append((step, holds, index, r.value(updates, place)))

        def write() -> None:
            for step, holds, index, value in writes:
                if holds is None:
                    self.write_one(step, memory, index, value)
                    continue
                with self.b.when(holds):
                    self.write_one(step, memory, index, value)

        return write

    def write_one(self, step: Node, memory: Node, index: Value, value: Value) -> None:
        element = value.element
        address = self.b.pointer(self.r.pointers[memory], element, index)
        if step.loop.combine != "set":
            value = self.r.combined(step, self.b.load(element, address), value)
        self.b.store(value, address)
