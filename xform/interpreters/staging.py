"""Staging: running a function on tracers to get its program."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..config import config
from ..core import check, source
from ..core.avals import ShapedArray
from ..core.jaxpr import (
    Atom,
    ClosedJaxpr,
    Equation,
    Literal,
    Var,
    live_equations,
    make,
)
from ..core.primitive import Primitive, effects_of, infer
from ..core.trace import Trace, Tracer, active, aval_of, current_trace, is_within, leaked
from ..core.values import scalar, to_numpy


class StagedTracer(Tracer):
    """A variable of the program being written."""

    __slots__ = ("origin_source", "variable")

    def __init__(self, trace: Trace, var: Var, at: source.Source, name: str | None = None) -> None:
        super().__init__(trace, var.aval)
        self.variable = var
        self.origin_source = (name, at)

    def origin(self) -> str:
        name, at = self.origin_source
        made = f"argument {name!r}" if name else f"a value made at {at.text}"
        return f"{made}, of type {self.aval}, traced by {self.owner!r}"


class StagingTrace(Trace):
    """Writes an equation for every operator. Values from outside become constants."""

    __slots__ = ("constants", "equations", "literals", "name", "open")

    def __init__(self, parent: Trace, name: str = "f") -> None:
        super().__init__(parent)
        self.name = name
        self.equations: list[Equation] = []
        self.constants: dict[int, tuple[Var, Any]] = {}
        self.open = True

    def __repr__(self) -> str:
        return f"the staging of {self.name!r}"

    def argument(self, aval: ShapedArray, name: str | None = None) -> StagedTracer:
        return StagedTracer(self, Var(aval), source.UNKNOWN, name or "?")

    def atom(self, x: Any) -> Atom:
        """The variable or literal of an operand; a value from outside becomes a constant."""
        if isinstance(x, Tracer):
            if x.owner is self:
                return x.variable  # type: ignore[attr-defined, no-any-return]
            if not is_within(self, x.owner):
                raise leaked(x)
        if isinstance(x, Literal):
            return x
        found = self.constants.get(id(x))
        if found is not None:
            return found[0]
        aval = aval_of(x)
        if isinstance(x, bool | int | float | complex) and not isinstance(x, np.generic):
            return Literal(scalar(x, aval.dtype), aval)
        if isinstance(x, np.generic) or (isinstance(x, np.ndarray) and x.ndim == 0):
            return Literal(to_numpy(x), aval)
        var = Var(aval)
        self.constants[id(x)] = (var, x)
        return var

    def process(self, primitive: Primitive, args: Sequence[Any], params: dict[str, Any]) -> Any:
        if not self.open:
            raise leaked(next(x for x in args if isinstance(x, Tracer)))
        if primitive.staged is not None:
            return primitive.staged(self, args, **params)
        return self.write(primitive, args, params)

    def write(self, primitive: Primitive, args: Sequence[Any], params: dict[str, Any]) -> Any:
        """Writes one equation and returns tracers of its outputs."""
        return self.stage(primitive, tuple(self.atom(x) for x in args), params)

    def stage(self, primitive: Primitive, atoms: tuple[Atom, ...], params: dict[str, Any]) -> Any:
        """Writes one equation and returns tracers of its outputs."""
        avals = infer(primitive, [a.aval for a in atoms], params)
        at = source.current()
        outputs = tuple(Var(aval) for aval in avals)
        effects = effects_of(primitive, params)
        self.equations.append(Equation(primitive, atoms, outputs, params, effects, at))
        tracers = [StagedTracer(self, var, at) for var in outputs]
        return tracers if primitive.multiple_results else tracers[0]

    def close(self, invars: Sequence[Var], outputs: Sequence[Any]) -> ClosedJaxpr:
        """The program of the equations so far, without those that nothing needs."""
        outvars = tuple(self.atom(x) for x in outputs)
        self.open = False
        pairs = list(self.constants.values())
        jaxpr = make([v for v, _ in pairs], invars, self.equations, outvars, self.name)
        equations = live_equations(jaxpr)
        used = {v for e in equations for v in e.inputs if isinstance(v, Var)}
        used.update(v for v in outvars if isinstance(v, Var))
        pairs = [(v, x) for v, x in pairs if v in used]
        jaxpr = make([v for v, _ in pairs], invars, equations, outvars, self.name)
        self.equations = []
        self.constants = {}
        program = ClosedJaxpr(jaxpr, tuple(x for _, x in pairs))
        if config.check:
            check.check(program)
        return program


def stage(
    function: Callable[..., Sequence[Any]],
    avals: Sequence[ShapedArray],
    name: str = "f",
    arg_names: Sequence[str | None] | None = None,
) -> ClosedJaxpr:
    """The program of a function of flat arguments that returns flat outputs."""
    trace = StagingTrace(current_trace(), name)
    names = arg_names or [None] * len(avals)
    tracers = [trace.argument(aval, n) for aval, n in zip(avals, names, strict=True)]
    with active(trace):
        outputs = function(*tracers)
    return trace.close([t.variable for t in tracers], outputs)
