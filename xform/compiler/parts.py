"""What is inside a loop or a branch of a block, and the memory it asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..core.loops import Branch, Parallel
from .collectives import Layout
from .loop_graph import Node, carried
from .memory import ALIGNMENT, Needs

if TYPE_CHECKING:
    from .block import Block
    from .small_loops import Written


@dataclass(frozen=True, eq=False)
class Part:
    """A loop or branch: its function, where it works on registers, else the blocks inside.

    `pairs`: for a branch, an operand and the output that is made in its memory in every case.
    """

    node: Node
    blocks: Mapping[str, Block] = field(default_factory=dict)
    written: Written | None = None
    pairs: tuple[tuple[int, int], ...] = ()

    def shared_bytes(self) -> int:
        """The workspace of the blocks, which run one after another."""
        return _aligned(max((b.memory.workspace_bytes for b in self.blocks.values()), default=0))

    def buffers(self) -> dict[int | str, int]:
        """Offsets in the workspace: of "pred", and of the second buffer of each carried value."""
        if isinstance(self.node.loop, Branch) or self.written is not None:
            return {}
        at = self.shared_bytes()
        found: dict[int | str, int] = {}
        if not self.node.loop.counted:
            found["pred"] = at
            at += _aligned(self.blocks["cond_jaxpr"].program.out_avals[0].nbytes)
        updated = self.body().memory.updated
        for k in range(carried(self.node)[1]):
            if k not in updated:
                found[k] = at
                at += _aligned(self.node.siblings[k].aval.nbytes)
        found["end"] = at
        return found

    def layout(self) -> Layout:
        """The workspace of a program that devices run by themselves."""
        block = self.blocks["jaxpr"]
        return Layout(self.node, block.program, block.memory.workspace_bytes)

    def body(self) -> Block:
        return self.blocks["jaxpr" if self.node.loop.counted else "body_jaxpr"]

    def needs(self) -> Needs:
        if self.written is not None:
            return Needs(0, self.written.pairs)
        if isinstance(self.node.loop, Parallel):
            return Needs(self.layout().total_bytes)
        if isinstance(self.node.loop, Branch):
            return Needs(self.shared_bytes(), self.pairs)
        first, count = carried(self.node)
        pairs = tuple((first + k, k) for k in range(count))
        return Needs(int(self.buffers()["end"]), pairs)


def _aligned(nbytes: int) -> int:
    return -(-nbytes // ALIGNMENT) * ALIGNMENT
