"""A straight-line program at every stage up to its memory, with the programs inside its loops."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..core.axes import Axes
from ..core.jaxpr import Jaxpr
from ..core.loops import Branch, Loop, Parallel
from .fuse import Fused, fuse
from .loop_graph import Input, LoopGraph, Node
from .lower import lower
from .memory import MemoryPlan, plan_memory
from .module import ModuleWriter
from .nests import Nest
from .parts import Part
from .ranges import cut
from .schedule import NestPlan, schedule
from .small_loops import in_registers


@dataclass(frozen=True, eq=False)
class Block:
    """A simplified program, its loop graph, its steps, their loops, and where values live.

    `parts` has what is inside the loops and branches among the nodes.
    """

    program: Jaxpr
    graph: LoopGraph
    fused: Fused
    plans: Mapping[int, Sequence[NestPlan]]
    memory: MemoryPlan
    parts: Mapping[Node, Part]

    def inside(self) -> Iterator[tuple[str, Block]]:
        """This block and all within it, each with a name that says where it stands."""
        yield "", self
        for node, part in self.parts.items():
            for name, block in part.blocks.items():
                for rest, inner in block.inside():
                    yield f"{node!r}.{name}{'.' + rest if rest else ''}", inner


def build(
    program: Jaxpr,
    module: ModuleWriter,
    donated: Sequence[bool] = (),
    owned: Sequence[tuple[int, int]] = (),
    devices: Axes = (),
) -> Block:
    """Takes a simplified program without constants through all stages up to its memory.

    Loops and branches that fit into registers are written into the module on the way.
    `donated` inputs may lend their memory to outputs. `owned` are pairs of an input and an output
    for which the output's memory may be the input's: what a loop carries. `devices` are the axes
    of the devices that run the program, if several do.
    """
    graph = lower(program, devices)
    structured = [n.first for n in graph.nodes if isinstance(n.loop, Loop | Branch | Parallel)]
    parts = {n: _part(n, module, devices) for n in dict.fromkeys(structured)}
    fused = fuse(graph, [graph.inputs[i] for i, _ in owned])
    plans = schedules(fused, module.target.vector_bytes)
    needs = {n: part.needs() for n, part in parts.items()}
    memory = plan_memory(fused, plans, donated, owned, needs)
    return Block(program, graph, fused, plans, memory, parts)


def schedules(fused: Fused, vector_bytes: int) -> dict[int, list[NestPlan]]:
    """The loops of every nest by its step, one plan for each range it is cut into; of an update,
    those of the copy before it."""
    nests = {k: s if isinstance(s, Nest) else s.copy for k, s in enumerate(fused.steps)}
    return {
        k: [schedule(part, fused.stored, vector_bytes) for part in cut(nest, fused.stored)]
        for k, nest in nests.items()
        if nest is not None
    }


def _part(node: Node, module: ModuleWriter, devices: Axes) -> Part:
    """What a loop or branch becomes: code on registers where it is small, else steps in memory."""
    if isinstance(node.loop, Parallel):
        inside = build(node.params["jaxpr"], module, devices=node.params["axes"])
        return Part(node, {"jaxpr": inside})
    written = in_registers(node, module)
    if written is not None:
        return Part(node, written=written)
    p = node.params
    if isinstance(node.loop, Branch):
        return _branch_part(node, module, devices)
    if node.loop.counted:
        pairs = [(p["consts"] + k, k) for k in range(p["carry"])]
        return Part(node, {"jaxpr": build(p["jaxpr"], module, owned=pairs, devices=devices)})
    # Where elements stop one by one, those that have stopped keep what is in the old buffer.
    alone = not p["cond_jaxpr"].out_avals[0].shape
    pairs = [(p["body_consts"] + k, k) for k in range(len(node.siblings))] if alone else []
    cond = build(p["cond_jaxpr"], module, devices=devices)
    return Part(
        node,
        {
            "cond_jaxpr": cond,
            "body_jaxpr": build(p["body_jaxpr"], module, owned=pairs, devices=devices),
        },
    )


def _branch_part(node: Node, module: ModuleWriter, devices: Axes) -> Part:
    """Branches, with the outputs that each of them can make in the memory of an operand."""
    branches: Sequence[Jaxpr] = node.params["branches"]
    pairs: list[tuple[int, int]] = []
    for o, aval in enumerate(branches[0].out_avals):
        passed = {b.outvars[o] for b in branches}
        for b in branches:
            pairs += [
                (k, o)
                for k, v in enumerate(b.invars)
                if v in passed and v.aval.strong() is aval.strong()
            ][:1]
    pairs = [p for p in dict.fromkeys(pairs) if [o for _, o in pairs].count(p[1]) == 1]
    blocks = [build(b, module, owned=pairs, devices=devices) for b in branches]
    kept = tuple((i, o) for i, o in pairs if all(_is_made_from(b, i, o) for b in blocks))
    if kept != tuple(pairs):
        blocks = [build(b, module, owned=kept, devices=devices) for b in branches]
    named = {str(k): block for k, block in enumerate(blocks)}
    return Part(node, named, pairs=tuple((i + 1, o) for i, o in kept))


def _is_made_from(block: Block, i: int, o: int) -> bool:
    """Whether an output is an input, or is made in its memory."""
    node = block.graph.outputs[o]
    passed = isinstance(node.loop, Input) and node.loop.position == i
    alone = sum(n is block.graph.inputs[i] for n in block.graph.outputs) == 1
    return (passed and alone) or o in block.memory.updated
