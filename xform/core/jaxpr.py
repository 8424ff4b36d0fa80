"""The typed intermediate representation: a list of equations between variables.

Everything here is plain frozen data. A `Jaxpr` is a function of `constvars` and `invars`; a
`ClosedJaxpr` carries the values of its `constvars`. Parameters that hold programs hold `Jaxpr`
without `constvars`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from . import effects as fx
from .avals import ShapedArray
from .printing import format_jaxpr
from .source import UNKNOWN, Source

if TYPE_CHECKING:
    from .primitive import Primitive


class Var:
    """A variable, equal only to itself."""

    __slots__ = ("aval",)

    def __init__(self, aval: ShapedArray) -> None:
        self.aval = aval

    def __repr__(self) -> str:
        return f"Var({self.aval})"


class Literal:
    """A scalar constant written into the program; also a value that operators take."""

    __slots__ = ("_key", "aval", "value")

    def __init__(self, value: Any, aval: ShapedArray) -> None:
        self.value = np.asarray(value, dtype=aval.dtype)[()]
        self.aval = aval
        self._key = (np.asarray(self.value).tobytes(), aval)

    @property
    def shape(self) -> tuple[int, ...]:
        return ()

    @property
    def ndim(self) -> int:
        return 0

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.aval.dtype

    def __repr__(self) -> str:
        return f"{self.value}:{self.aval}"

    def __hash__(self) -> int:
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Literal) and self._key == other._key


Atom = Var | Literal


@dataclass(frozen=True, slots=True, eq=False)
class Equation:
    """`outputs = primitive[params] inputs`, made at a line of the user's program."""

    primitive: Primitive
    inputs: tuple[Atom, ...]
    outputs: tuple[Var, ...]
    params: Mapping[str, Any]
    effects: fx.Effects = fx.NONE
    source: Source = UNKNOWN

    def replace(self, **changes: Any) -> Equation:
        return replace(self, **changes)


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Jaxpr:
    """A typed program: `{ lambda constvars ; invars. let equations in outvars }`."""

    constvars: tuple[Var, ...]
    invars: tuple[Var, ...]
    equations: tuple[Equation, ...]
    outvars: tuple[Atom, ...]
    name: str = "f"
    effects: fx.Effects = field(default=fx.NONE)

    @property
    def eqns(self) -> tuple[Equation, ...]:
        return self.equations

    @property
    def in_avals(self) -> tuple[ShapedArray, ...]:
        return tuple(v.aval for v in self.invars)

    @property
    def out_avals(self) -> tuple[ShapedArray, ...]:
        return tuple(v.aval for v in self.outvars)

    def replace(self, **changes: Any) -> Jaxpr:
        return replace(self, **changes)

    def __str__(self) -> str:
        return format_jaxpr(self)

    __repr__ = __str__


@dataclass(frozen=True, slots=True, eq=False)
class ClosedJaxpr:
    """A program with the values of its constants."""

    jaxpr: Jaxpr
    consts: tuple[Any, ...]

    @property
    def eqns(self) -> tuple[Equation, ...]:
        return self.jaxpr.equations

    @property
    def in_avals(self) -> tuple[ShapedArray, ...]:
        return self.jaxpr.in_avals

    @property
    def out_avals(self) -> tuple[ShapedArray, ...]:
        return self.jaxpr.out_avals

    @property
    def effects(self) -> fx.Effects:
        return self.jaxpr.effects

    def __str__(self) -> str:
        return str(self.jaxpr)

    __repr__ = __str__


def make(
    constvars: Sequence[Var],
    invars: Sequence[Var],
    equations: Sequence[Equation],
    outvars: Sequence[Atom],
    name: str = "f",
) -> Jaxpr:
    """A jaxpr whose effects are those of its equations."""
    every = [e.effects for e in equations if e.effects]
    effects = frozenset().union(*every) if every else fx.NONE
    return Jaxpr(tuple(constvars), tuple(invars), tuple(equations), tuple(outvars), name, effects)


def hoist_constants(jaxpr: Jaxpr) -> Jaxpr:
    """The same program with its constants as leading inputs."""
    if not jaxpr.constvars:
        return jaxpr
    return jaxpr.replace(constvars=(), invars=jaxpr.constvars + jaxpr.invars)


def subprograms(params: Mapping[str, Any]) -> Iterator[Jaxpr]:
    """The programs held by an equation's parameters."""
    for value in params.values():
        if isinstance(value, Jaxpr):
            yield value
        elif isinstance(value, ClosedJaxpr):
            yield value.jaxpr
        elif isinstance(value, tuple):
            yield from (v for v in value if isinstance(v, Jaxpr))


def live_equations(jaxpr: Jaxpr, used_outputs: Sequence[bool] | None = None) -> list[Equation]:
    """The equations that some wanted output or effect needs, in order."""
    keep = used_outputs or [True] * len(jaxpr.outvars)
    live = {v for v, used in zip(jaxpr.outvars, keep, strict=True) if used and isinstance(v, Var)}
    kept: list[Equation] = []
    for equation in reversed(jaxpr.equations):
        if fx.pinned(equation.effects) or any(v in live for v in equation.outputs):
            kept.append(equation)
            live.update(v for v in equation.inputs if isinstance(v, Var))
    kept.reverse()
    return kept
