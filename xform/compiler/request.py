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

ENTRY = "program"  # the name of the compiled function


@dataclass(frozen=True)
class Facts:
    """What calling compiled code needs to know besides its address.

    `used`: which inputs it reads. `aliases`: (donated input, output that may take its memory).
    `routines`: the library routines it calls. `host_calls`: for each call back into Python, the
    position of its equation in the simplified program.
    """

    used: tuple[bool, ...]
    workspace_bytes: int
    aliases: tuple[tuple[int, int], ...]
    routines: tuple[str, ...]
    host_calls: tuple[int, ...]


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
            done.memory.workspace_bytes,
            done.memory.aliases,
            done.module.routines,
            done.module.host_calls,
        )
        code = self.target.object_code(done.module.text)
        return json.dumps(asdict(facts)).encode() + b"\n" + code

    def equation(self, position: int) -> Equation:
        return self.simplified.equations[position]


def opened(built: bytes) -> tuple[Facts, bytes]:
    """The facts and the object code of what `Request.build` returned."""
    head, code = built.split(b"\n", 1)
    found = json.loads(head)
    found["aliases"] = tuple(tuple(pair) for pair in found["aliases"])
    for name in ("used", "routines", "host_calls"):
        found[name] = tuple(found[name])
    return Facts(**found), code


def _used(program: Jaxpr) -> tuple[bool, ...]:
    live = {v for e in program.equations for v in e.inputs if isinstance(v, Var)}
    live.update(v for v in program.outvars if isinstance(v, Var))
    return tuple(v in live for v in program.invars)
