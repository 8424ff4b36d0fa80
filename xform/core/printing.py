"""The text form of programs.

{ lambda ; a:f32[3] b:f32[]. let
    c:f32[3] = broadcast_in_dim[broadcast_dimensions=() shape=(3,)] b
    d:f32[3] = mul a c
  in (d,) }
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from .jaxpr import Atom, Equation, Jaxpr, Var

_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def _names() -> Iterator[str]:
    """a, b, ..., z, ba, bb, ...: base 26 with letters for digits."""
    number = 0
    while True:
        digits, rest = [], number
        while True:
            rest, digit = divmod(rest, 26)
            digits.append(_LETTERS[digit])
            if not rest:
                break
        yield "".join(reversed(digits))
        number += 1


class Namer:
    """Gives each variable a short name, in the order of first use."""

    def __init__(self) -> None:
        self._fresh = _names()
        self._of: dict[Var, str] = {}

    def __call__(self, atom: Atom) -> str:
        value = getattr(atom, "value", self)
        if value is not self:
            return f"{format_scalar(value)}:{atom.aval}"
        return self.name(atom)  # type: ignore[arg-type]

    def name(self, var: Var) -> str:
        if var not in self._of:
            self._of[var] = next(self._fresh)
        return self._of[var]

    def typed(self, var: Var) -> str:
        return f"{self.name(var)}:{var.aval}"


def format_scalar(value: Any) -> str:
    """A scalar as Python would write it: `1.0`, `True`, `(1+2j)`."""
    item = value.item() if isinstance(value, np.generic | np.ndarray) else value
    return str(item)


def format_param(value: Any) -> str:
    """A parameter on one line; programs by their name."""
    if hasattr(value, "name") and hasattr(value, "equations"):
        return value.name  # type: ignore[no-any-return]
    if isinstance(value, np.dtype):
        return str(value)
    if isinstance(value, tuple):
        items = ", ".join(map(format_param, value))
        return f"({items},)" if len(value) == 1 else f"({items})"
    if callable(value):
        return getattr(value, "__name__", type(value).__name__)
    return str(value)


def format_params(params: Mapping[str, Any]) -> str:
    """The parameters that are no programs, in brackets; nothing if there are none."""
    shown = [
        (k, v) for k, v in sorted(params.items()) if v is not None and not list(_programs(k, v))
    ]
    return "[" + " ".join(f"{k}={format_param(v)}" for k, v in shown) + "]" if shown else ""


def format_equation(equation: Equation, name: Namer, indent: str = "") -> str:
    """One line, and the programs in its parameters below it, indented."""
    left = " ".join(map(name.typed, equation.outputs)) or "_"
    right = " ".join(map(name, equation.inputs))
    line = f"{indent}{left} = {equation.primitive.name}{format_params(equation.params)} {right}"
    programs = [pair for k, v in sorted(equation.params.items()) for pair in _programs(k, v)]
    for key, program in programs:
        line += f"\n{indent}  {key}=" + format_jaxpr(program, indent=indent + "    ").lstrip()
    return line.rstrip()


def format_jaxpr(jaxpr: Jaxpr, *, indent: str = "", most: int | None = None) -> str:
    """The whole program; with `most`, only the first and last equations of a long one."""
    name = Namer()
    consts = " ".join(map(name.typed, jaxpr.constvars))
    inputs = " ".join(map(name.typed, jaxpr.invars))
    head = f"{indent}{{ lambda {consts + ' ' if consts else ''}; {inputs}. let"
    lines = [format_equation(e, name, indent + "    ") for e in jaxpr.equations]
    if most is not None and len(lines) > most:
        first = most - most // 2
        cut = len(lines) - most
        lines = [
            *lines[:first],
            f"{indent}    ... {cut} more equations ...",
            *lines[-(most // 2) :],
        ]
    outputs = ", ".join(map(name, jaxpr.outvars))
    comma = "," if len(jaxpr.outvars) == 1 else ""
    return "\n".join([head, *lines, f"{indent}  in ({outputs}{comma}) }}"])


def neighbourhood(jaxpr: Jaxpr, position: int, radius: int = 3) -> str:
    """The equations around a position, the one at it marked: what the verifier shows."""
    name = Namer()
    for var in (*jaxpr.constvars, *jaxpr.invars):
        name.name(var)
    lines = [format_equation(e, name) for e in jaxpr.equations]
    low = max(0, position - radius)
    near = lines[low : position + radius + 1]
    return "\n".join(("> " if low + k == position else "  ") + line for k, line in enumerate(near))


def _programs(key: str, value: Any) -> Iterator[tuple[str, Jaxpr]]:
    """The programs that a parameter holds, with names: one, or those of a tuple."""
    if _is_program(value):
        yield key, value
    elif isinstance(value, tuple):
        yield from ((f"{key}[{k}]", v) for k, v in enumerate(value) if _is_program(v))


def _is_program(value: Any) -> bool:
    return hasattr(value, "equations") and hasattr(value, "invars")
