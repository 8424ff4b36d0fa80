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
from .loop_graph import Node, Scalar, carried
from .lower import is_stored, lower
from .module import ModuleWriter
from .polling import Meter
from .registers import (
    MOST_WORK,
    NO_BATCH,
    Batch,
    Outside,
    Registers,
    Unfit,
    places,
    weight,
)
from .updates import target_of

Value = llvm.Value

_MOST_HELD = 64  # elements of one carried array in registers
_MOST_UPDATED = 64  # elements that an update of an array in memory writes
_FEWEST_LANES = 8
_LEAST_BATCH = 3
_LEAST_WORK_OF_LANES = 2  # operations for each element of the batch
_MOST_UPDATES = 32  # an element of the last one is chosen among what all of them wrote
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
    graphs = [lower(program) for program in subprograms(node.params)]
    if sum(isinstance(n.loop, Update) for g in graphs for n in g.nodes) > _MOST_UPDATES:
        return None
    weights = [weight(g) for g in graphs]
    work, steps = (sum(amounts) for amounts in zip(*weights, strict=True))
    for batch in _batches(node, module, work, steps):
        try:
            return _Function(module, node, batch, work * _NS_PER_OPERATION).write()
        except Unfit:
            del module.progress[reported:]
    return None


def _batches(node: Node, module: ModuleWriter, work: int, steps: int) -> list[Batch]:
    """The ways to try: with a batch around the loop, then one element after another."""
    found: list[Batch] = []
    count = 0 if isinstance(node.loop, Branch) else carried(node)[1]
    arrays = [n for n in node.siblings[:count] if n.shape]
    if arrays:
        widest = max(n.aval.dtype.itemsize for n in arrays)
        room = module.target.vector_bytes // max(1, widest)
        for extents in _extents(arrays):
            size = math.prod(extents)
            if not size or not _LEAST_WORK_OF_LANES * size <= work <= MOST_WORK * size:
                continue
            lanes = _fitting(extents[-1], room, sum(n.aval.size for n in arrays) // size)
            if lanes:
                loops = tuple(LoopVar(f"lane{k}", extent) for k, extent in enumerate(extents))
                found += [Batch(loops, lanes, last) for last in (False, True)[: 3 - len(loops)]]
    if work <= MOST_WORK and work * _NS_PER_OPERATION <= steps * _NS_PER_STEP:
        found.append(NO_BATCH)
    return found


def _extents(nodes: Sequence[Node]) -> list[tuple[int, ...]]:
    """Dimensions that a batch may have: leading ones that all share, or the largest shared one."""
    first, *others = (n.shape for n in nodes)
    prefix = first
    while any(shape[: len(prefix)] != prefix for shape in others):
        prefix = prefix[:-1]
    found = [prefix[:k] for k in range(len(prefix), 1, -1)]
    shared = set.intersection(*(set(n.shape) for n in nodes))
    largest = max((size for size in shared if size >= _LEAST_BATCH), default=None)
    return found if largest is None else [*found, (largest,)]


def _fitting(extent: int, room: int, values: int) -> int:
    """How many lanes a batch has that carries so many values for each element; 0 if too few."""
    if extent < _FEWEST_LANES:
        # All lanes are one vector, the last ones of which are empty.
        lanes = 1 << (extent - 1).bit_length()
        return lanes if lanes <= room and extent >= _LEAST_BATCH else 0
    lanes = 2 * room if values <= _FEW_CARRIED and extent >= 4 * room else room
    return min(lanes, 1 << (extent.bit_length() - 1))


class _Function:
    """Writes one function of the pointers of inputs, outputs and a workspace it does not use."""

    def __init__(self, module: ModuleWriter, node: Node, batch: Batch, ns: float) -> None:
        self.module = module
        self.node = node
        self.batch = batch
        self.ns = ns  # about what an iteration takes
        self.b = module.builder()
        self.ins = module.parameters(self.b, "a", len(node.inputs))
        self.outs = module.parameters(self.b, "o", len(node.siblings))
        self.r = Registers(self.b, batch)
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
            first, count = carried(self.node)
            # The last lanes may go over elements that were written before: not in place, then.
            extent = self.batch.loops[-1].extent if self.batch.loops else 0
            overlap = extent > self.batch.lanes and extent % self.batch.lanes
            pairs = () if overlap else tuple((first + k, k) for k in range(count))
        (workspace,) = self.module.parameters(self.b, "w", 1)
        parameters = [*self.ins, *self.outs, workspace]
        return Written(self.module.function("part", parameters, self.b, status=True), pairs)

    def over_lanes(self, body: Callable[[], None]) -> None:
        if self.batch.loops:
            self.r.subscripts.lanes = {self.batch.loops[-1]: self.batch.lanes}
        self.over(self.batch.loops, body)

    def over(self, loops: Sequence[LoopVar], body: Callable[[], None]) -> None:
        """The loops of the batch, the last one in steps of so many lanes."""
        env = self.r.subscripts.env
        if not loops:
            body()
            return
        var, *rest = loops
        if rest:
            with self.b.loop(var.extent) as loop, self.r.block():
                env[var] = loop.index
                self.over(rest, body)
            return
        extent, lanes = var.extent, self.batch.lanes
        if extent <= lanes:
            if extent < lanes:
                self.r.tail = self.b.lane_mask(lanes, extent)
            env[var] = self.b.constant("i64", 0)
            with self.r.block():
                body()
            return
        with self.b.loop(-(-extent // lanes)) as loop, self.r.block():
            env[var] = self.b.intrinsic("umin", loop.index * lanes, extent - lanes)
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
        memory = _InMemory(self, Meter(self.module, node, length, self.ns))
        kept = [k for k in range(carries) if k not in memory.large]
        siblings = [node.siblings[k] for k in kept]
        values = r.initial([node.inputs[consts + k] for k in kept])
        if not length:
            self.leave(siblings, values)
            return
        memory.meter.begin(b)
        at = LoopVar("t", length)
        where = length - 1 - expr(at) if p["reverse"] else expr(at)
        with b.loop(length, carried=r.widened(siblings, values)) as loop, r.block():
            r.subscripts.env[at] = loop.index
            for k, (inner, outer) in enumerate(zip(graph.inputs, node.inputs, strict=True)):
                if k < consts:
                    r.same_as(inner, outer)
                elif k >= consts + carries:
                    r.sliced(inner, outer, where)
            states = graph.inputs[consts : consts + carries]
            r.carry([states[k] for k in kept], loop.carried)
            memory.bind(states)
            r.run(graph)
            new = r.initial([graph.outputs[k] for k in kept])
            rows = graph.outputs[carries:]
            stacked = [r.elements(n) for n in rows]
            write = memory.updates(states, graph.outputs)
            for n, row, elements in zip(node.siblings[carries:], rows, stacked, strict=True):
                for place, value in zip(r.places(row), elements, strict=True):
                    r.store(n, (where, *place), value)
            write()
            memory.poll(b, loop.index)
            loop.carry(*new)
        memory.end(b, b.constant("i64", length))
        self.leave(siblings, loop.results)

    def repeated(self) -> None:
        node, r = self.node, self.r
        first, _ = carried(node)
        memory = _InMemory(self, Meter(self.module, node, None, self.ns))
        kept = [k for k in range(len(node.siblings)) if k not in memory.large]
        memory.meter.begin(self.b)
        initial = r.initial([node.inputs[first + k] for k in kept])
        results = r.repeat(node, initial, memory)
        self.leave([node.siblings[k] for k in kept], results)

    def is_held(self, node: Node) -> bool:
        """Whether a carried value lives in registers."""
        size = self.r.count(node)
        if size > _MOST_HELD and self.batch.loops:
            raise Unfit("much is carried for each element of the batch")
        return size <= _MOST_HELD

    # -- memory --

    def store(self, node: Node, values: Sequence[Value]) -> None:
        for place, value in zip(self.r.places(node), values, strict=True):
            self.r.store(node, place, value)

    def leave(self, nodes: Sequence[Node], values: Sequence[Value]) -> None:
        """What was carried last, into the outputs."""
        for held, n in zip(self.r.packed(nodes, values), nodes, strict=True):
            self.store(n, held.values)


class _InMemory(Outside):
    """The large arrays that a loop carries: in the outputs, into which they are copied first."""

    def __init__(self, function: _Function, meter: Meter) -> None:
        self.function = function
        self.r = function.r
        self.meter = meter
        node = function.node
        first, count = carried(node)
        self.large = [k for k, n in enumerate(node.siblings[:count]) if not function.is_held(n)]
        for k in self.large:
            source, target = function.ins[first + k], function.outs[k]
            nbytes = node.siblings[k].aval.nbytes
            function.module.copy_unless_same(function.b, source, target, nbytes)

    def bind(self, inputs: Sequence[Node]) -> None:
        for k in self.large:
            self.r.in_memory(inputs[k], self.function.outs[k], changes=True)

    def write(self, inputs: Sequence[Node], outputs: Sequence[Node]) -> None:
        self.updates(inputs, outputs)()

    def poll(self, b: llvm.Builder, index: Value) -> None:
        self.meter.poll(b, index)

    def end(self, b: llvm.Builder, count: Value) -> None:
        self.meter.end(b, count)

    def updates(self, inputs: Sequence[Node], outputs: Sequence[Node]) -> Callable[[], None]:
        """Works out the updates of all arrays; the function that is returned writes them."""
        writes = [self.update(inputs[k], outputs[k], self.function.outs[k]) for k in self.large]

        def write() -> None:
            for one in writes:
                one()

        return write

    def update(self, before: Node, after: Node, memory: Value) -> Callable[[], None]:
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
                with r.b.when(holds):
                    self.write_one(step, memory, index, value)

        return write

    def write_one(self, step: Node, memory: Value, index: Value, value: Value) -> None:
        b, element = self.r.b, value.element
        address = b.pointer(memory, element, index)
        if step.loop.combine != "set":
            value = self.r.combined(step, b.load(element, address), value)
        b.store(value, address)
