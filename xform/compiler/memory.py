"""Where stored values live: in inputs, outputs, or the workspace, whose places are used again."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..core.loops import Update
from .fuse import Fused
from .loop_graph import Input, Node
from .lower import is_data
from .nests import Kernel, Nest, Step
from .schedule import NestPlan

ALIGNMENT = 64


@dataclass(frozen=True)
class Buffer:
    """Bytes of an input or output by position, of the workspace by offset, or a node's data."""

    kind: str  # "input", "output", "workspace" or "data"
    position: int

    def __str__(self) -> str:
        return f"{self.kind} {self.position}"


@dataclass(frozen=True, eq=False)
class MemoryPlan:
    """`of`: the buffer of each stored node. `scratch`: those of values kept between phases.

    `copies`: (node, output) for outputs that are inputs or repeat another output. `aliases`:
    (input, output) where the output may take the memory of the donated input. `in_place`: steps
    that may write what they read. `without_copy`: updates that work in the memory of their operand.
    """

    of: dict[Node, Buffer]
    scratch: dict[tuple[int, Node], Buffer]
    workspace_bytes: int
    copies: tuple[tuple[Node, int], ...]
    aliases: tuple[tuple[int, int], ...]
    in_place: frozenset[int]
    without_copy: frozenset[Node]

    def __str__(self) -> str:
        lines = [f"  {n!r}:{n.aval} in {b}" for n, b in self.of.items()]
        lines.append(f"  workspace of {self.workspace_bytes} bytes")
        lines += [f"  output {o} may take the memory of input {i}" for i, o in self.aliases]
        return "\n".join(lines)


class _Workspace:
    """Offsets in the workspace: first fit among the free ranges, neighbours joined again."""

    def __init__(self) -> None:
        self.free: list[tuple[int, int]] = []
        self.size = 0

    def take(self, nbytes: int) -> tuple[int, int]:
        size = max(ALIGNMENT, -(-nbytes // ALIGNMENT) * ALIGNMENT)
        fitting = [(length, start) for start, length in self.free if length >= size]
        if fitting:
            length, start = min(fitting)
            self.free.remove((start, length))
            if length > size:
                self.free.append((start + size, length - size))
            return start, size
        start = self.size
        if self.free:
            last = max(self.free)
            if sum(last) == self.size:
                self.free.remove(last)
                start = last[0]
        self.size = start + size
        return start, size

    def give(self, start: int, size: int) -> None:
        self.free.append((start, size))
        self.free.sort()
        joined: list[tuple[int, int]] = []
        for begin, length in self.free:
            if joined and sum(joined[-1]) == begin:
                joined[-1] = (joined[-1][0], joined[-1][1] + length)
            else:
                joined.append((begin, length))
        self.free = joined


def plan_memory(fused: Fused, plans: Mapping[int, NestPlan], donated: Sequence[bool]) -> MemoryPlan:
    """Gives every stored node a buffer, for as long as some step still reads it."""
    graph = fused.graph
    of: dict[Node, Buffer] = {n: Buffer("input", n.loop.position) for n in graph.inputs}
    of |= {n: Buffer("data", n.id) for n in graph.nodes if is_data(n)}
    copies: list[tuple[Node, int]] = []
    for position, node in enumerate(graph.outputs):
        if node in of:
            copies.append((node, position))
        else:
            of[node] = Buffer("output", position)
    last = _last_reads(fused)
    space = _Workspace()
    held: dict[Node, tuple[int, int]] = {}
    scratch: dict[tuple[int, Node], Buffer] = {}
    without_copy: set[Node] = set()
    for number, step in enumerate(fused.steps):
        for node in sorted(fused.writes[number], key=lambda n: n.id):
            if node in of:
                continue
            operand = _reusable(step, node, number, held, last)
            if operand is not None:
                held[node] = held.pop(operand)
                without_copy.add(node)
            else:
                held[node] = space.take(node.aval.nbytes)
            of[node] = Buffer("workspace", held[node][0])
        if isinstance(step, Nest):
            taken = [(n, space.take(_scratch_bytes(plans[number], n))) for n in step.kept]
            for n, place in taken:
                scratch[number, n] = Buffer("workspace", place[0])
            for _, place in taken:
                space.give(*place)
        for node in [n for n in held if last.get(n, -1) <= number]:
            space.give(*held.pop(node))
    aliases, in_place = _aliases(fused, of, donated, last, {n for n, _ in copies})
    return MemoryPlan(
        of,
        scratch,
        space.size,
        tuple(copies),
        tuple(aliases),
        frozenset(in_place),
        frozenset(without_copy),
    )


def _last_reads(fused: Fused) -> dict[Node, int]:
    last: dict[Node, int] = {}
    for number, nodes in enumerate(fused.reads):
        for node in nodes:
            last[node] = number
    return last


def _reusable(
    step: Step,
    node: Node,
    number: int,
    held: dict[Node, tuple[int, int]],
    last: dict[Node, int],
) -> Node | None:
    """The operand whose memory an update may change, because nothing reads it afterwards."""
    if not isinstance(step, Kernel) or not isinstance(node.loop, Update):
        return None
    operand = node.inputs[0]
    others = node.inputs[1:]
    if operand in held and last.get(operand) == number and operand not in others:
        return operand
    return None


def _scratch_bytes(plan: NestPlan, node: Node) -> int:
    """Room for the value at every inner iteration, of every lane where rows run in lanes."""
    items = max(math.prod(v.extent for v in p.phase.inner) for p in plan.phases)
    rows = plan.lanes if plan.vector is not None else 1
    return items * rows * node.aval.dtype.itemsize


def _aliases(
    fused: Fused,
    of: dict[Node, Buffer],
    donated: Sequence[bool],
    last: dict[Node, int],
    copied: set[Node],
) -> tuple[list[tuple[int, int]], set[int]]:
    """Donated inputs whose memory an output may take: nothing reads them once it is written."""
    found: list[tuple[int, int]] = []
    steps: set[int] = set()
    taken: set[Node] = set()
    writer = {n: k for k, nodes in enumerate(fused.writes) for n in nodes}
    for x in fused.graph.inputs:
        assert isinstance(x.loop, Input)
        if x in copied or not (x.loop.position < len(donated) and donated[x.loop.position]):
            continue
        for node, buffer in of.items():
            if buffer.kind != "output" or node in taken or node not in writer:
                continue
            if node.aval.strong() is not x.aval.strong():
                continue
            when, read = writer[node], last.get(x, -1)
            if read < when or (read == when and _same_places(fused, when, x, node)):
                found.append((x.loop.position, buffer.position))
                taken.add(node)
                if read == when:
                    steps.add(when)
                break
    return found, steps


def _same_places(fused: Fused, number: int, x: Node, node: Node) -> bool:
    """Whether a nest reads `x` only at the place at which it then writes `node`."""
    step = fused.steps[number]
    if not isinstance(step, Nest) or len(step.phases) != 1:
        return False
    works = step.phases[0].works
    writes = [w.place for w in works if w.node is node and w.kind == "store"]
    if len(writes) != 1:
        return False
    expansion = step.expansion(fused.stored)
    return all(place == writes[0] for n, place in expansion.reads if n is x)
