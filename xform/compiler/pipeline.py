"""The stages of compilation, in order."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from .. import errors
from ..config import config
from ..core.jaxpr import Jaxpr
from .assemble import Module, assemble
from .fuse import Fused, fuse
from .loop_graph import LoopGraph
from .lower import lower
from .memory import MemoryPlan, plan_memory
from .nests import Nest
from .schedule import NestPlan, schedule
from .simplify import simplify
from .target import Target, host

STAGES = ("jaxpr", "simplified", "loops", "nests", "schedule", "memory", "llvm", "asm")


@dataclass(frozen=True, eq=False)
class Compilation:
    """A program at every stage."""

    program: Jaxpr
    simplified: Jaxpr
    graph: LoopGraph
    fused: Fused
    plans: Mapping[int, NestPlan]
    memory: MemoryPlan
    module: Module
    target: Target

    def text(self, stage: str) -> str:
        """The program at a stage, one of `STAGES`."""
        texts: dict[str, Callable[[], str]] = {
            "jaxpr": lambda: str(self.program),
            "simplified": lambda: str(self.simplified),
            "loops": lambda: str(self.graph),
            "nests": lambda: str(self.fused),
            "memory": lambda: str(self.memory),
            "schedule": lambda: "\n".join(map(str, self.plans.values())),
            "llvm": lambda: self.module.text,
            "asm": lambda: self.target.assembly(self.module.text),
        }
        if stage not in texts:
            raise errors.ArgumentError(f"expected a stage among {STAGES}", repr(stage))
        return texts[stage]()


def compile_program(
    program: Jaxpr, donated: Sequence[bool] = (), simplified: Jaxpr | None = None
) -> Compilation:
    """Takes a program without constants through all stages up to LLVM's text."""
    simplified = simplify(program) if simplified is None else simplified
    graph = lower(simplified)
    fused = fuse(graph)
    target = host()
    plans = schedules(fused, target.vector_bytes)
    memory = plan_memory(fused, plans, donated)
    module = assemble(fused, plans, memory, target.vector_bytes, target.has_fma)
    done = Compilation(program, simplified, graph, fused, plans, memory, module, target)
    _dump(done)
    return done


def schedules(fused: Fused, vector_bytes: int) -> dict[int, NestPlan]:
    """The loops of every nest by its step; of an update, those of the copy before it."""
    nests = {k: s if isinstance(s, Nest) else s.copy for k, s in enumerate(fused.steps)}
    return {
        k: schedule(nest, fused.stored, vector_bytes)
        for k, nest in nests.items()
        if nest is not None
    }


def _dump(compilation: Compilation) -> None:
    """Shows the stages that `XFORM_DUMP` names, on standard error."""
    wanted = [s.strip() for s in config.dump.split(",") if s.strip()]
    for stage in STAGES if "all" in wanted else wanted:
        name = compilation.program.name
        print(f"--- {name}: {stage} ---\n{compilation.text(stage)}", file=sys.stderr)


def stages(program: Jaxpr, donated: Sequence[bool], stage: str) -> str:
    """The text of a program at a stage."""
    return compile_program(program, donated).text(stage)
