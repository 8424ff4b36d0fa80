"""Where stored values live: in inputs, outputs, or the workspace, whose places are used again."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..core.loops import Update
from .fuse import Fused
from .loop_graph import Input, Node
from .lower import is_data
from .nests import Expansion, Kernel, Nest, fresh, place_of
from .schedule import NestPlan

ALIGNMENT = 64


@dataclass(frozen=True)
class Buffer:
    """Bytes of an input or output by position, of the workspace by offset, or a node's data."""

    kind: str  # "input", "output", "workspace" or "data"
    position: int

    def __str__(self) -> str:
        return f"{self.kind} {self.position}"


@dataclass(frozen=True)
class Needs:
    """What a loop or a branch asks of the memory around it.

    `pairs`: an input and the output that may take the input's memory, if nothing reads it later.
    """

    workspace_bytes: int
    pairs: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, eq=False)
class MemoryPlan:
    """`of`: the buffer of each stored node. `scratch`: those of values kept between phases.

    `copies`: (node, output) for outputs that are inputs or repeat another output. `aliases`:
    (input, output) where the output may take the memory of the donated input. `in_place`: steps
    that may write what they read. `without_copy`: updates that work in the memory of their operand.
    `inner`: for each loop or branch, its own workspace. `updated`: the owned outputs that are made
    in the memory of their inputs.
    """

    of: dict[Node, Buffer]
    scratch: dict[tuple[int, Node], Buffer]
    workspace_bytes: int
    copies: tuple[tuple[Node, int], ...]
    aliases: tuple[tuple[int, int], ...]
    in_place: frozenset[int]
    without_copy: frozenset[Node]
    inner: dict[Node, Buffer] = field(default_factory=dict)
    updated: frozenset[int] = frozenset()

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


def plan_memory(
    fused: Fused,
    plans: Mapping[int, Sequence[NestPlan]],
    donated: Sequence[bool] = (),
    owned: Sequence[tuple[int, int]] = (),
    needs: Mapping[Node, Needs] | None = None,
) -> MemoryPlan:
    """Gives every stored node a buffer, for as long as some step still reads it.

    Args:
        fused: the steps.
        plans: the loops of the steps that are nests.
        donated: for each input, whether an output may take its memory if the caller allows it.
        owned: pairs of an input and an output; the output may always take the input's memory.
        needs: what the loops and branches among the steps ask for.
    """
    graph = fused.graph
    of: dict[Node, Buffer] = {n: Buffer("input", n.loop.position) for n in graph.inputs}
    of |= {n: Buffer("data", n.id) for n in graph.nodes if is_data(n)}
    last = _last_reads(fused)
    final = {graph.inputs[i]: o for i, o in owned if graph.outputs[o] not in of}
    reuse = _Reuse(fused, last, needs or {})
    updated = _updated_in_place(reuse, final)
    of |= {n: Buffer("input", graph.inputs[i].loop.position) for n, i in updated.items()}
    copies: list[tuple[Node, int]] = []
    in_memory_of_inputs: set[int] = set()
    for position, node in enumerate(graph.outputs):
        if node in updated and final[graph.inputs[updated[node]]] == position:
            in_memory_of_inputs.add(position)
        elif node in of:
            copies.append((node, position))
        else:
            of[node] = Buffer("output", position)
    space = _Workspace()
    held: dict[Node, tuple[int, int]] = {}
    scratch: dict[tuple[int, Node], Buffer] = {}
    inner: dict[Node, Buffer] = {}
    without_copy = {n for n in updated if isinstance(n.loop, Update)}
    for number, step in enumerate(fused.steps):
        for node in sorted(fused.writes[number], key=lambda n: n.id):
            if node in of:
                continue
            operand = reuse.operand(number, node)
            if operand is not None and operand in held:
                held[node] = held.pop(operand)
                if isinstance(node.loop, Update):
                    without_copy.add(node)
            else:
                held[node] = space.take(node.aval.nbytes)
            of[node] = Buffer("workspace", held[node][0])
        if isinstance(step, Nest):
            taken = [(n, space.take(scratch_bytes(plans[number][0], n))) for n in step.kept]
            for n, place in taken:
                scratch[number, n] = Buffer("workspace", place[0])
            for _, place in taken:
                space.give(*place)
        elif needs and step.node in needs:
            place = space.take(needs[step.node].workspace_bytes)
            inner[step.node] = Buffer("workspace", place[0])
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
        inner,
        frozenset(in_memory_of_inputs),
    )


class _Reuse:
    """Which operand's memory a step may change, because nothing reads it afterwards."""

    def __init__(self, fused: Fused, last: Mapping[Node, int], needs: Mapping[Node, Needs]) -> None:
        self.fused = fused
        self.last = last
        self.needs = needs

    def operand(self, number: int, node: Node) -> Node | None:
        """The operand of the step that makes `node` whose memory the node may take."""
        step = self.fused.steps[number]
        if not isinstance(step, Kernel):
            return None
        if isinstance(node.loop, Update):
            pairs: tuple[tuple[int, int], ...] = ((0, 0),)
        elif node.first in self.needs:
            pairs = self.needs[node.first].pairs
        else:
            return None
        for i, o in pairs:
            if o == node.result:
                operand = node.inputs[i]
                alone = node.inputs.count(operand) == 1 and self.last.get(operand) == number
                return operand if alone and not self.is_read_inline(node, operand) else None
        return None

    def is_read_inline(self, node: Node, operand: Node) -> bool:
        """Whether what an update computes while it writes reads its operand."""
        if not isinstance(node.loop, Update):
            return False
        if math.prod(node.inputs[node.loop.updates].shape) == 1:
            return False  # everything is read before the one element is written
        expansion = Expansion(self.fused.stored)
        for x in node.inputs[1:]:
            expansion.visit(x, place_of(fresh(x.shape)))
        return any(n is operand for n, _ in expansion.reads)


def _updated_in_place(reuse: _Reuse, final: Mapping[Node, int]) -> dict[Node, int]:
    """The nodes, from owned inputs to their outputs, that are made in the memory of the input."""
    outputs = reuse.fused.graph.outputs
    writer = {n: k for k, nodes in enumerate(reuse.fused.writes) for n in nodes}
    found: dict[Node, int] = {}
    for x, output in final.items():
        chain: list[Node] = []
        at = outputs[output]
        while x not in outputs and at in writer and at not in found:
            if chain and at in outputs:
                break  # a step on the way is wanted as well
            chain.append(at)
            operand = reuse.operand(writer[at], at)
            if operand is None:
                break
            if operand is x:
                found |= dict.fromkeys(chain, x.loop.position)
                break
            at = operand
    return found


def _last_reads(fused: Fused) -> dict[Node, int]:
    last: dict[Node, int] = {}
    for number, nodes in enumerate(fused.reads):
        for node in nodes:
            last[node] = number
    return last


def scratch_bytes(plan: NestPlan, node: Node) -> int:
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
