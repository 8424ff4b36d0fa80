"""Compiled programs, ready to run on arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from ..core.jaxpr import Jaxpr
from ..core.trace import BASE
from ..core.values import to_numpy
from .plan import Plan, Spec


class Executable:
    """A program compiled for the host."""

    def __init__(self, program: Jaxpr, donated: Sequence[bool] = ()) -> None:
        self.program = program
        self.used = [True] * len(program.invars)
        self.plannable = False
        self.workspace_bytes = 0

    def run(self, consts: Sequence[Any], values: Sequence[Any]) -> list[Any]:
        """Outputs, as arrays, for values that are arrays, NumPy arrays or numbers."""
        avals = self.program.in_avals
        arrays = [to_numpy(x, a) for x, a in zip((*consts, *values), avals, strict=True)]
        return _interpret(self.program, arrays)

    def plan(
        self, arguments: tuple[Spec, ...], kwnames: Any, result: Spec, hidden: tuple[Any, ...]
    ) -> Plan:
        raise NotImplementedError


def _interpret(program: Jaxpr, arrays: Sequence[np.ndarray[Any, Any]]) -> list[Any]:
    env = dict(zip(program.invars, arrays, strict=True))
    for e in program.equations:
        ins = [np.asarray(a.value) if hasattr(a, "value") else env[a] for a in e.inputs]
        with np.errstate(all="ignore"):
            out = e.primitive.rule("impl")(*ins, **e.params)
        outs = out if e.primitive.multiple_results else [out]
        for v, y in zip(e.outputs, outs, strict=True):
            y = BASE.view(y) if type(y) is BASE.array_type else np.asarray(y)
            env[v] = y.astype(v.aval.dtype, copy=False)
    return [
        BASE.wrap(
            np.array(a.value if hasattr(a, "value") else env[a], order="C", copy=True), a.aval
        )
        for a in program.outvars
    ]


_of_program: WeakKeyDictionary[Jaxpr, Executable] = WeakKeyDictionary()


def run_program(program: Jaxpr, values: Sequence[Any]) -> list[Any]:
    """Outputs of a program without constants, compiled at its first run."""
    found = _of_program.get(program)
    if found is None:
        found = _of_program[program] = Executable(program)
    return found.run((), values)
