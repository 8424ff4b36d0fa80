"""Asking for a program to be compiled: its simplified form, and a name for its code.

The stages behind it load only when there is something to build.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from .. import compiler
from ..config import config
from ..core.check import check
from ..core.jaxpr import Equation, Jaxpr, Var
from .fingerprint import fingerprint
from .simplify import simplify
from .target import host

# As in `module`, which loads only when there is something to build.
Path = tuple[int | str, ...]

ENTRY = "program"  # the name of the compiled function


@dataclass(frozen=True)
class Facts:
    """What calling compiled code needs to know besides its address.

    `used`: which inputs it reads. `aliases`: (donated input, output that may take its memory).
    `routines`: the library routines it calls. `products`: the element types whose matrices it
    multiplies by our own functions. `host_calls`: for each call back into Python, where
    its equation stands in the simplified program. `progress`: for each loop that says how far it
    is, the label and the number of iterations, -1 if unknown. `long_running`: whether other Python
    threads should run meanwhile. `devices`: whether it runs on several devices. `threads`: whether
    threads share some of its loops.
    """

    used: tuple[bool, ...]
    workspace_bytes: int
    aliases: tuple[tuple[int, int], ...]
    routines: tuple[str, ...]
    products: tuple[str, ...]
    host_calls: tuple[Path, ...]
    progress: tuple[tuple[str, int], ...]
    long_running: bool
    devices: bool
    threads: bool


class Request:
    """A program to compile, and the name its compiled code is kept by."""

    def __init__(self, program: Jaxpr, donated: Sequence[bool] = ()) -> None:
        if config.check:
            check(program)
        self.program = program
        self.donated = tuple(donated)
        self.simplified = simplify(program)
        if config.check:
            check(self.simplified)
        self.target = host()
        self.key = None if config.dump else fingerprint(self.simplified, self.donated)

    def build(self) -> bytes:
        """The facts, as a line of JSON, and the object code."""
        done = compiler.pipeline.compile_program(self.program, self.donated, self.simplified)
        facts = Facts(
            _used(self.simplified),
            done.block.memory.workspace_bytes,
            done.block.memory.aliases,
            done.module.routines,
            done.module.products,
            done.module.host_calls,
            done.module.progress,
            done.module.long_running,
            done.module.devices,
            done.module.threads,
        )
        code = self.target.object_code(done.module.text)
        return json.dumps(asdict(facts)).encode() + b"\n" + code

    def equation(self, path: Path) -> Equation:
        """The equation at a place: a position, or the way into a program within an equation."""
        program = self.simplified
        for k in range(0, len(path) - 1, 3):
            position, name, which = path[k : k + 3]
            assert isinstance(position, int) and isinstance(which, int)
            inside = program.equations[position].params[str(name)]
            program = inside[which] if isinstance(inside, tuple) else inside
        last = path[-1]
        assert isinstance(last, int)
        return program.equations[last]


def opened(built: bytes) -> tuple[Facts, bytes]:
    """The facts and the object code of what `Request.build` returned."""
    head, code = built.split(b"\n", 1)
    found = json.loads(head)
    found["aliases"] = tuple(tuple(pair) for pair in found["aliases"])
    for name in ("host_calls", "progress"):
        found[name] = tuple(tuple(item) for item in found[name])
    for name in ("used", "routines", "products"):
        found[name] = tuple(found[name])
    return Facts(**found), code


def _used(program: Jaxpr) -> tuple[bool, ...]:
    live = {v for e in program.equations for v in e.inputs if isinstance(v, Var)}
    live.update(v for v in program.outvars if isinstance(v, Var))
    return tuple(v in live for v in program.invars)
