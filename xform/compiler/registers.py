"""Small programs on registers: every element of every value is an SSA value of its own.

A loop whose body is a few hundred scalar operations spends its time on calls and memory when the
body runs as steps. Here the body is one stretch of code, what it carries stays in registers, and
loops and branches inside are blocks of the same function. Elements are computed on demand, so that
of a large constant only those are read that are used.

With a `Batch`, some dimensions of what is carried are loops around the function's own, the last one
in the lanes of vectors: a loop over a batch becomes a loop of each few elements of it.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from .._kernels import builder as llvm, scalar
from ..core.jaxpr import subprograms
from ..core.loops import Branch, Contract, Generate, Loop, Map, Opaque, Reduce, Scan, Update, View
from . import combine
from .costs import own_cost
from .elements import ElementEmitter
from .index import Condition, Expr, LoopVar, expr
from .loop_graph import LoopGraph, Node, Scalar
from .lower import is_stored, lower
from .nests import Place
from .updates import target_of

Value = llvm.Value

MOST_WORK = 2500  # scalar operations in one function
_MOST_ELEMENTS = 256  # of one value
_MOST_CHOICES = 16  # elements that an index not known in advance chooses from
_MOST_UNROLLED = 16
_MAPS_PER_STEP = 16
_CHEAP = 8  # branches of fewer operations are computed both


class Unfit(Exception):
    """The program is better off, or only possible, as steps in memory."""


@dataclass(frozen=True, eq=False)
class Held:
    """An array in registers: its elements in row-major order.

    The dimensions of a batch are not counted among the elements.
    """

    shape: tuple[int, ...]
    values: tuple[Value, ...]
    batched: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class Batch:
    """Dimensions that are loops around a program, and which dimensions of its values they are.

    With one variable, that is the first dimension of its size, or the last one if `last`; with
    several they are the leading ones.
    """

    loops: tuple[LoopVar, ...] = ()
    lanes: int = 1
    last: bool = False

    def axes(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The dimensions of a value that are the batch's; none of those that all of it share."""
        extents = tuple(v.extent for v in self.loops)
        if len(extents) == 1:
            where = [d for d, extent in enumerate(shape) if extent == extents[0]]
            return (where[-1 if self.last else 0],) if where else ()
        count = len(extents)
        return tuple(range(count)) if count and shape[:count] == extents else ()

    @property
    def size(self) -> int:
        return math.prod(v.extent for v in self.loops)


NO_BATCH = Batch()
Source = Callable[[Place], Value]


def places(shape: Sequence[int], batch: Batch = NO_BATCH) -> Iterator[Place]:
    """Every index of an array; in the dimensions of the batch, its loops everywhere."""
    axes = batch.axes(tuple(shape))
    fixed = {d: expr(v) for d, v in zip(axes, batch.loops, strict=False)}
    for at in itertools.product(*(range(1 if d in fixed else n) for d, n in enumerate(shape))):
        yield tuple(fixed[d] if d in fixed else expr(i) for d, i in enumerate(at))


class Outside:
    """What a loop does besides computing on registers: nothing, for a loop within a program.

    `large` are the positions of carried arrays that stay in memory. `bind` makes the inputs of a
    program read them, `write` updates them at the end of an iteration.
    """

    large: Sequence[int] = ()

    def bind(self, inputs: Sequence[Node]) -> None:
        """Says where the carried arrays in memory are read."""

    def write(self, inputs: Sequence[Node], outputs: Sequence[Node]) -> None:
        """Writes the new elements of the carried arrays in memory."""

    def poll(self, b: llvm.Builder, index: Value) -> None:
        """Looks for signals."""

    def end(self, b: llvm.Builder, count: Value) -> None:
        """Follows the last iteration."""


class Registers(ElementEmitter):
    """Emits programs by elements.

    `sources` says how the inputs of the programs are read. All programs of one function share this
    emitter; what it remembers lasts as long as the block it was computed in.
    """

    def __init__(self, builder: llvm.Builder, batch: Batch) -> None:
        super().__init__(builder, {}, set(), set())
        self.pointers: dict[Node, Value] = {}
        self.made: set[Node] = set()
        self.batch = batch
        self.sources: dict[Node, Source] = {}
        self.work = 0

    # -- sources --

    def in_memory(self, node: Node, pointer: Value, *, changes: bool = False) -> None:
        """An input that is read where it lies."""
        self.pointers[node] = pointer
        if changes:
            self.made.add(node)
        self.sources[node] = lambda place: self.load(node, place)

    def in_registers(self, node: Node, held: Held) -> None:
        self.sources[node] = lambda place: self.pick(held, place)

    def same_as(self, node: Node, outer: Node, hold: bool = False) -> None:
        """An input that is a value of the program around."""

        def read(place: Place) -> Value:
            value = self.value(outer, place)
            return self.b.hold(value) if hold and value.number is None else value

        self.sources[node] = read

    def sliced(self, node: Node, outer: Node, at: Expr) -> None:
        """An input that is one slice of a value of the program around."""
        self.sources[node] = lambda place: self.value(outer, (at, *place))

    def pick(self, held: Held, place: Place) -> Value:
        """An element of an array in registers: by a chain of choices where the index is unknown."""
        shape = held.shape
        if held.batched:
            for axis, v in zip(held.batched, self.batch.loops, strict=True):
                if place[axis] != expr(v):
                    raise Unfit("an element of the batch reads another one")
            place = tuple(e for d, e in enumerate(place) if d not in held.batched)
            shape = tuple(n for d, n in enumerate(shape) if d not in held.batched)
        if all(e.is_constant for e in place):
            offset = 0
            for e, extent in zip(place, shape, strict=True):
                offset = offset * extent + min(max(e.const, 0), extent - 1)
            return held.values[offset]
        if len(held.values) > _MOST_CHOICES:
            raise Unfit("an index into many registers")
        options = []
        for at, value in zip(places(shape), held.values, strict=True):
            equal = [e.equals(a) for e, a in zip(place, at, strict=True)]
            options.append((_all(equal), value))
        result = options[-1][1]
        for condition, value in reversed(options[:-1]):
            if condition.is_true:
                result = value
            elif not condition.is_false:
                result = self.b.select(self.condition(condition), value, result)
        return result

    # -- values --

    def elements(self, node: Node) -> list[Value]:
        """All elements of a node; of a batched one, with an element of the batch in each lane."""
        if self.count(node) > _MOST_ELEMENTS:
            raise Unfit(f"{self.count(node)} elements of {node!r}")
        return [self.value(node, place) for place in self.places(node)]

    def places(self, node: Node) -> Iterator[Place]:
        return places(node.shape, self.batch)

    def is_ready(self, node: Node) -> bool:
        return node in self.sources or isinstance(node.loop, Loop | Branch)

    def simple_operands(self, node: Node, place: Place) -> list[tuple[Node, Place]]:
        if isinstance(node.loop, Reduce) and not self.is_ready(node):
            return [(node.inputs[0], p) for p in self.domain(node, place)]
        return super().simple_operands(node, place)

    def fetch(self, node: Node, place: Place) -> Value:
        loop = node.loop
        if node in self.sources:
            return self.sources[node](place)
        if isinstance(loop, Loop | Branch):
            return self.pick(self.results(node.first)[node.result], place)
        self.spend(1 + own_cost(node) if isinstance(loop, Map) else 1)
        if isinstance(loop, Reduce):
            return self.reduce(node, place)
        if isinstance(loop, Scan):
            return self.scan(node, place)
        if isinstance(loop, Update):
            return self.update(node, place)
        if isinstance(loop, Map | View | Generate | Scalar):
            return self.compute(node, place)
        raise Unfit(f"{node.describe()} has no elements")

    def spend(self, work: int) -> None:
        self.work += work
        if self.work > MOST_WORK:
            raise Unfit("too much work for registers")

    def domain(self, node: Node, place: Place) -> list[Place]:
        """The places of the operand that a reduction combines."""
        operand, axes = node.inputs[0], node.params["axes"]
        every = [range(e) if d in axes else range(1) for d, e in enumerate(operand.shape)]
        kept = iter(place)
        outer = {d: next(kept) for d in range(operand.aval.ndim) if d not in axes}
        return [
            tuple(outer[d] if d in outer else expr(i) for d, i in enumerate(at))
            for at in itertools.product(*every)
        ]

    def reduce(self, node: Node, place: Place) -> Value:
        domain = self.domain(node, place)
        if not domain:
            return combine.finish(self.b, node, combine.start(self.b, node, 1), 1)
        carried: tuple[Value, ...] | None = None
        for at in domain:
            item = self.value(node.inputs[0], at)
            self.spend(1)
            position = None
            if combine.width(node) == 2:
                (axis,) = node.params["axes"]
                position = self.subscripts.value(at[axis], "i64")
            if carried is None:
                carried = combine.first(self.b, node, item, position)
            else:
                carried = combine.step(self.b, node, carried, item, position)
        assert carried is not None
        return combine.finish(self.b, node, carried, 1)

    def scan(self, node: Node, place: Place) -> Value:
        """A cumulative reduction, from the element before."""
        axis, reverse = node.params["axis"], node.params.get("reverse", False)
        at = place[axis]
        if node.dtype in ("float16", "bfloat16"):
            raise Unfit("sums that are rounded in memory only")
        if not at.is_constant:
            if node.aval.size > _MOST_CHOICES or self.is_batched(node):
                raise Unfit("a cumulative reduction at an unknown place")
            return self.pick(Held(node.shape, tuple(self.elements(node))), place)
        last = node.shape[axis] - 1
        order = range(last, at.const - 1, -1) if reverse else range(at.const + 1)
        carried: tuple[Value, ...] | None = None
        for k in order:
            item = self.value(node.inputs[0], (*place[:axis], expr(k), *place[axis + 1 :]))
            self.spend(1)
            if carried is None:
                carried = combine.first(self.b, node, item, None)
            else:
                carried = combine.step(self.b, node, carried, item, None)
        assert carried is not None
        return carried[0]

    def update(self, node: Node, place: Place) -> Value:
        """An element of an updated array: the old one, or what the updates make of it."""
        updates = node.inputs[node.loop.updates]
        value = self.value(node.inputs[0], place)
        for at in places(updates.shape):
            target, condition = target_of(node, at)
            equal = [condition, *(t.equals(p) for t, p in zip(target, place, strict=True))]
            hit = _all(equal)
            if hit.is_false:
                continue
            self.spend(1)
            new = self.combined(node, value, self.value(updates, at))
            value = new if hit.is_true else self.b.select(self.condition(hit), new, value)
        return value

    def combined(self, node: Node, old: Value, new: Value) -> Value:
        if node.loop.combine == "set":
            return new
        return scalar.apply(self.b, node.loop.combine, node.dtype, [old, new], {})[0]

    # -- programs --

    def graph(self, program: Any) -> LoopGraph:
        """The loop graph of a program inside, lowered anew: its nodes stand for one use of it."""
        graph = lower(program)
        require_fit(graph)
        return graph

    def run(self, graph: LoopGraph) -> None:
        """Writes the loops and branches of a program, in its order."""
        for node in graph.nodes:
            if isinstance(node.loop, Loop | Branch):
                self.results(node.first)

    @contextmanager
    def block(self) -> Iterator[None]:
        """What is remembered inside is forgotten afterwards."""
        before = self.memo
        self.memo = dict(before)
        yield
        self.memo = before

    def results(self, node: Node) -> list[Held]:
        """The results of a loop or branch, written where it is first asked for."""
        key = (node, "results")
        if key not in self.memo:
            with self.unguarded():
                self.memo[key] = self.part(node)  # type: ignore[assignment]
        return self.memo[key]  # type: ignore[return-value]

    @contextmanager
    def unguarded(self) -> Iterator[None]:
        before, self.guard = self.guard, None
        yield
        self.guard = before

    def is_batched(self, node: Node) -> bool:
        return bool(self.batch.axes(node.shape))

    def count(self, node: Node) -> int:
        """How many values a node is in registers."""
        return node.aval.size // (self.batch.size if self.is_batched(node) else 1)

    def part(self, node: Node) -> list[Held]:
        if isinstance(node.loop, Branch):
            return self.branch(node)
        if node.loop.counted:
            return self.counted(node)
        return self.repeated(node)

    def branch(self, node: Node) -> list[Held]:
        graphs = [self.graph(program) for program in node.params["branches"]]
        index = self.value(node.inputs[0], ())
        cheap = sum(weight(g)[0] for g in graphs) <= _CHEAP and not any(
            isinstance(n.loop, Loop | Branch) for g in graphs for n in g.nodes
        )
        if not cheap and index.lanes > 1:
            raise Unfit("lanes that take different branches")

        def write(graph: LoopGraph, hold: bool) -> list[Value]:
            with self.block():
                for inner, outer in zip(graph.inputs, node.inputs[1:], strict=True):
                    self.same_as(inner, outer, hold)
                self.run(graph)
                return [v for n in graph.outputs for v in self.elements(n)]

        if cheap:
            values = self.selected(index, [write(g, False) for g in graphs])
        else:
            values = self.b.choose(index, [lambda g=g: write(g, True) for g in graphs])
        return self.packed(node.siblings, values)

    def selected(self, index: Value, options: Sequence[Sequence[Value]]) -> list[Value]:
        result = list(options[-1])
        for k in range(len(options) - 2, -1, -1):
            here = self.b.compare("eq", index, k)
            result = [
                new if new is old else self.b.select(here, new, old)
                for new, old in zip(options[k], result, strict=True)
            ]
        return result

    def packed(self, nodes: Sequence[Node], values: Sequence[Value]) -> list[Held]:
        """Values one after another, as arrays of the types of nodes."""
        found = []
        rest = iter(values)
        for n in nodes:
            values = tuple(next(rest) for _ in range(self.count(n)))
            found.append(Held(n.shape, values, self.batch.axes(n.shape)))
        return found

    def initial(self, nodes: Sequence[Node]) -> list[Value]:
        """The elements of some nodes, those of batched ones in lanes."""
        values: list[Value] = []
        for n in nodes:
            found = self.elements(n)
            if not self.is_batched(n) and any(v.lanes > 1 for v in found):
                raise Unfit("a value for all of the batch that differs between its elements")
            values += found
        return values

    def carry(self, inputs: Sequence[Node], values: Sequence[Value]) -> None:
        """Makes values the carried inputs of a program."""
        for n, held in zip(inputs, self.packed(inputs, values), strict=True):
            self.in_registers(n, held)

    def counted(self, node: Node) -> list[Held]:
        """A `scan` within a program."""
        p = node.params
        length, consts, carries = p["length"], p["consts"], p["carry"]
        graph = self.graph(p["jaxpr"])
        sliced = len(node.inputs) > consts + carries or len(graph.outputs) > carries
        values = self.initial(node.inputs[consts : consts + carries])
        if length <= 2 or (sliced and length <= _MOST_UNROLLED):
            return self.unrolled(node, values)
        if len(graph.outputs) > carries:
            raise Unfit("a loop inside that stacks its results")
        if p["progress"] is not None:
            raise Unfit("a loop that reports its progress")
        at = LoopVar("t", length)
        where = length - 1 - expr(at) if p["reverse"] else expr(at)
        with (
            self.b.loop(length, carried=self.widened(node.siblings[:carries], values)) as loop,
            self.block(),
        ):
            self.subscripts.env[at] = loop.index
            self.bind(graph, node, where, loop.carried)
            self.run(graph)
            loop.carry(*self.initial(graph.outputs))
        return self.packed(node.siblings, loop.results)

    def bind(self, graph: LoopGraph, node: Node, at: Expr, carried: Sequence[Value]) -> None:
        """The inputs of one iteration of a `scan` within a program."""
        consts, carries = node.params["consts"], node.params["carry"]
        for k, (inner, outer) in enumerate(zip(graph.inputs, node.inputs, strict=True)):
            if k < consts:
                self.same_as(inner, outer)
            elif k >= consts + carries:
                self.sliced(inner, outer, at)
        self.carry(graph.inputs[consts : consts + carries], carried)

    def unrolled(self, node: Node, values: Sequence[Value]) -> list[Held]:
        """The iterations one after another, where the index must be a number."""
        p = node.params
        length, carries = p["length"], p["carry"]
        stacked: dict[int, list[Value]] = {}
        if self.batch.loops and len(node.siblings) > carries:
            raise Unfit("a batch that is stacked")
        for step in range(length):
            at = length - 1 - step if p["reverse"] else step
            graph = self.graph(p["jaxpr"])
            self.bind(graph, node, expr(at), values)
            self.run(graph)
            values = self.initial(graph.outputs[:carries])
            stacked[at] = [v for n in graph.outputs[carries:] for v in self.elements(n)]
        first = self.packed(node.siblings[:carries], values)
        return [*first, *self.stacked(node.siblings[carries:], stacked)]

    def stacked(self, nodes: Sequence[Node], rows: Mapping[int, Sequence[Value]]) -> list[Held]:
        found = []
        start = 0
        for n in nodes:
            count = n.aval.size // max(1, n.shape[0])
            values = [v for at in sorted(rows) for v in rows[at][start : start + count]]
            found.append(Held(n.shape, tuple(values)))
            start += count
        return found

    def repeated(self, node: Node) -> list[Held]:
        """A `while_loop` within a program, or of a whole function."""
        p = node.params
        if p["progress"] is not None:
            raise Unfit("a loop that reports its progress")
        initial = self.initial(node.inputs[p["cond_consts"] + p["body_consts"] :])
        return self.packed(node.siblings, self.repeat(node, initial, Outside()))

    def repeat(self, node: Node, initial: Sequence[Value], outside: Outside) -> Sequence[Value]:
        """A `while_loop` from the initial values of what it keeps in registers to the last."""
        p = node.params
        first, consts = p["cond_consts"], p["body_consts"]
        kept = [k for k in range(len(node.siblings)) if k not in outside.large]
        siblings = [node.siblings[k] for k in kept]
        cond, body = self.graph(p["cond_jaxpr"]), self.graph(p["body_jaxpr"])
        condition = cond.outputs[0]
        if condition.shape and (
            outside.large
            or self.count(condition) != 1
            or not all(map(self.is_batched, node.siblings))
        ):
            raise Unfit("elements that stop one by one")
        with self.b.repeat(self.widened(siblings, initial)) as loop, self.block():
            for inner, outer in zip(cond.inputs[:first], node.inputs[:first], strict=True):
                self.same_as(inner, outer)
            self.carry([cond.inputs[first + k] for k in kept], loop.carried)
            outside.bind(cond.inputs[first:])
            self.run(cond)
            (goes_on,) = self.elements(condition)
            if self.tail is not None and goes_on.lanes > 1:
                goes_on = goes_on & self.tail
            loop.leave_unless(self.in_some_lane(goes_on))
            outers = node.inputs[first : first + consts]
            for inner, outer in zip(body.inputs[:consts], outers, strict=True):
                self.same_as(inner, outer)
            self.carry([body.inputs[consts + k] for k in kept], loop.carried)
            outside.bind(body.inputs[consts:])
            self.run(body)
            new = self.initial([body.outputs[k] for k in kept])
            if condition.shape:
                new = [self.b.select(goes_on, a, c) for a, c in zip(new, loop.carried, strict=True)]
            outside.write(body.inputs[consts:], body.outputs)
            outside.poll(self.b, loop.index)
            loop.carry(*new)
        outside.end(self.b, loop.index)
        return loop.results

    def widened(self, nodes: Sequence[Node], values: Sequence[Value]) -> list[Value]:
        """Carried values in as many lanes as they will have: those of the batch in all."""
        return [
            self.b.splat(v, self.batch.lanes) if held.batched else v
            for held in self.packed(nodes, values)
            for v in held.values
        ]


def _all(conditions: Sequence[Condition]) -> Condition:
    result = conditions[0]
    for condition in conditions[1:]:
        result = result & condition
    return result


def require_fit(graph: LoopGraph) -> None:
    """Raises `Unfit` for a program with values or operators that have no registers."""
    for node in graph.nodes:
        if isinstance(node.loop, Opaque | Contract):
            raise Unfit(f"{node.describe()} is called")
        if not is_stored(node.aval.dtype):
            raise Unfit(f"no register holds {node.aval}")


def weight(graph: LoopGraph) -> tuple[int, int]:
    """About how many scalar operations a program is, and how many steps it would be in memory.

    What loops repeat counts once.
    """
    work, steps, maps = 0, len(graph.outputs), 0
    for node in graph.nodes:
        if isinstance(node.loop, Map):
            work += max(1, own_cost(node)) * node.aval.size
            maps += 1
        elif isinstance(node.loop, Reduce):
            work += node.inputs[0].aval.size
        elif isinstance(node.loop, Update):
            work += node.inputs[node.loop.updates].aval.size
        elif isinstance(node.loop, Scan):
            work += node.aval.size
        elif isinstance(node.loop, Loop | Branch) and node.first is node:
            for program in subprograms(node.params):
                inner = weight(lower(program))
                work, steps = work + inner[0], steps + inner[1]
        steps += isinstance(node.loop, Reduce | Update | Scan | Loop | Branch)
    return work, steps + maps // _MAPS_PER_STEP


__all__ = [
    "MOST_WORK",
    "NO_BATCH",
    "Batch",
    "Held",
    "Outside",
    "Registers",
    "Unfit",
    "places",
    "require_fit",
    "weight",
]
