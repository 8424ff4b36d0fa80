"""The stages of compilation, in order."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .. import errors
from .._kernels import builder as llvm
from ..config import config
from ..core.jaxpr import Jaxpr
from .block import Block, build
from .module import Module, ModuleWriter
from .request import ENTRY
from .simplify import simplify
from .steps import StepWriter
from .target import Target, host

Value = llvm.Value

STAGES = ("jaxpr", "simplified", "loops", "nests", "schedule", "memory", "llvm", "asm")


@dataclass(frozen=True, eq=False)
class Compilation:
    """A program at every stage."""

    program: Jaxpr
    simplified: Jaxpr
    block: Block
    module: Module
    target: Target

    def text(self, stage: str) -> str:
        """The program at a stage, one of `STAGES`."""
        texts: dict[str, Callable[[], str]] = {
            "jaxpr": lambda: str(self.program),
            "simplified": lambda: str(self.simplified),
            "loops": lambda: self.blocks(lambda b: str(b.graph)),
            "nests": lambda: self.blocks(lambda b: str(b.fused)),
            "memory": lambda: self.blocks(lambda b: str(b.memory)),
            "schedule": lambda: self.blocks(
                lambda b: "\n".join(str(p) for step in b.plans.values() for p in step)
            ),
            "llvm": lambda: self.module.text,
            "asm": lambda: self.target.assembly(self.module.text),
        }
        if stage not in texts:
            raise errors.ArgumentError(f"expected a stage among {STAGES}", repr(stage))
        return texts[stage]()

    def blocks(self, text: Callable[[Block], str]) -> str:
        """The text of every block, those inside loops and branches under their names."""
        parts = [(name, text(block)) for name, block in self.block.inside()]
        return "\n".join(f"inside {name}\n{t}" if name else t for name, t in parts)


def compile_program(
    program: Jaxpr, donated: Sequence[bool] = (), simplified: Jaxpr | None = None
) -> Compilation:
    """Takes a program without constants through all stages up to LLVM's text."""
    simplified = simplify(program) if simplified is None else simplified
    target = host()
    writer = ModuleWriter(target)
    block = build(simplified, writer, donated)
    done = Compilation(program, simplified, block, _module(block, writer), target)
    _dump(done)
    return done


def _module(block: Block, writer: ModuleWriter) -> Module:
    """The module of `int32_t program(void **buffers)`: inputs, outputs, workspace."""
    main = writer.builder()
    buffers = writer.parameters(main, "buffers", 1)[0]
    count = len(block.graph.inputs)

    def slot(position: int) -> Value:
        return main.load("ptr", main.pointer(buffers, "ptr", position), invariant=True)

    steps = StepWriter(
        writer,
        block,
        main,
        slot,
        lambda position: slot(count + position),
        lambda: slot(count + len(block.graph.outputs)),
    )
    steps.run()
    return writer.finish(main, ENTRY)


def _dump(compilation: Compilation) -> None:
    """Shows the stages that `XFORM_DUMP` names, on standard error."""
    wanted = [s.strip() for s in config.dump.split(",") if s.strip()]
    for stage in STAGES if "all" in wanted else wanted:
        name = compilation.program.name
        print(f"--- {name}: {stage} ---\n{compilation.text(stage)}", file=sys.stderr)


def stages(program: Jaxpr, donated: Sequence[bool], stage: str) -> str:
    """The text of a program at a stage."""
    return compile_program(program, donated).text(stage)
