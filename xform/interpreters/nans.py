"""Where a NaN came from: the search that `debug_nans` makes in programs.

A compiled program only tells that its outputs have a NaN. It is then evaluated operator by
operator, within a `Hunt`: every program that gives a NaN, among those inside calls, loops and
branches too, is followed from that output backwards, from NaN to NaN, to the first operator that
made one of numbers. NaNs that no output depends on, such as those of a `where` that chose the other
side, are passed by. Programs that call Python functions are evaluated within a hunt from the start,
so that these functions are called once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar, Token
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import errors
from ..core import effects, source
from ..core.avals import ShapedArray
from ..core.jaxpr import Atom, Equation, Jaxpr, Literal, Var, subprograms
from ..core.primitive import Primitive
from ..core.trace import BASE

Array = np.ndarray[Any, Any]

_WHY = "debug_nans is on"


@dataclass
class Hunt:
    """A search in progress.

    `found` is the error for the first NaN inside the equation that is evaluated now. With `early`
    the search is over with the first NaN that a step of a loop gives; `loops` counts those around.
    """

    early: bool
    found: errors.NaNError | None = None
    loops: int = 0

    def report(self, error: errors.NaNError) -> None:
        if self.found is None:
            self.found = error
        if self.early and self.loops:
            raise self.found

    @contextmanager
    def steps(self, of_a_loop: bool) -> Iterator[None]:
        """Within the block, the steps of a loop are evaluated."""
        self.loops += of_a_loop
        try:
            yield
        finally:
            self.loops -= of_a_loop

    def take(self) -> errors.NaNError | None:
        """What was found since the last time."""
        found, self.found = self.found, None
        return found


_current: ContextVar[Hunt | None] = ContextVar("xform_hunt", default=None)

current_hunt: Callable[[], Hunt | None] = _current.get


class hunting:
    """Within the block, programs are evaluated operator by operator, and searched."""

    __slots__ = ("hunt", "token")

    def __init__(self, hunt: Hunt) -> None:
        self.hunt = hunt

    def __enter__(self) -> None:
        self.token: Token[Hunt | None] = _current.set(self.hunt)

    def __exit__(self, *exc: object) -> None:
        _current.reset(self.token)


def holds_programs(params: Mapping[str, Any]) -> bool:
    """Whether parameters of an operator are programs."""
    return any(True for _ in subprograms(params))


def calls_python(params: Mapping[str, Any]) -> bool:
    """Whether programs among the parameters have effects, or call a function of the user's."""
    return any(
        effects.pinned(e.effects) or "callback" in e.params or calls_python(e.params)
        for program in subprograms(params)
        for e in program.equations
    )


def _numbers(x: Any) -> Array | None:
    """A value whose elements may be NaN, as a NumPy array; None for others."""
    if type(x) is BASE.array_type:
        x = BASE.view(x)
    elif isinstance(x, Literal):
        x = np.asarray(x.value)
    elif not isinstance(x, np.ndarray):
        x = np.asarray(x)
    if x.dtype.names is None and x.dtype.kind in "fcV":
        array: Array = x
        return array
    return None


def has_nan(x: Any) -> bool:
    """Whether a value has a NaN."""
    array = _numbers(x)
    return array is not None and bool(np.isnan(array).any())


def _passes(x: Any, y: Any) -> bool:
    """Whether a NaN of an input may be that of an output: where shapes agree, at the same place."""
    first, second = _numbers(x), _numbers(y)
    if first is None or second is None:
        return False
    nans = np.isnan(first)
    return bool((nans & np.isnan(second)).any() if first.shape == second.shape else nans.any())


def error_of(
    name: str, inputs: Sequence[Any], aval: ShapedArray, where: str | None
) -> errors.NaNError:
    """The error for an operator that made a NaN.

    Args:
        name: of the operator.
        inputs: its arguments, with numbers.
        aval: the type of the output.
        where: the user's line.
    """
    why = _WHY
    if any(has_nan(x) for x in inputs):
        why += "; the NaN was there before, in an argument"
    return errors.NaNError(
        f"expected numbers from {name}",
        f"NaN in an array of type {aval}{_ranges(inputs)}",
        why=why,
        where=where,
    )


def _ranges(inputs: Sequence[Any]) -> str:
    """Between what numbers the arguments of an operator lie."""
    texts = []
    for x in inputs:
        array = _numbers(x)
        if array is None or array.dtype.kind == "c" or not array.size or np.isnan(array).any():
            continue
        low, high = float(array.min()), float(array.max())
        texts.append(f"{low:g}" if low == high else f"{low:g} to {high:g}")
    return f", of {' and '.join(texts)}" if texts else ""


def search(
    hunt: Hunt,
    program: Jaxpr,
    read: Callable[[Atom], Any],
    inside: dict[Var, errors.NaNError],
) -> None:
    """Report the operator that made a NaN of a program's outputs out of numbers, if there is one.

    Args:
        hunt: the search.
        program: a program that was evaluated.
        read: the value of each of its atoms.
        inside: what was found inside the equations, by their first output.
    """
    made = {v: e for e in program.equations for v in e.outputs}
    for atom in program.outvars:
        if not isinstance(atom, Var) or not has_nan(read(atom)):
            continue
        found = _origin(atom, made, read)
        if found is not None:
            equation, output = found
            error = inside.get(equation.outputs[0])
            hunt.report(error or _error(equation, output, read))
            return


def _origin(
    atom: Var, made: dict[Var, Equation], read: Callable[[Atom], Any]
) -> tuple[Equation, Var] | None:
    """The equation that made a NaN out of numbers; None where it came in with the arguments."""
    while atom in made:
        equation = made[atom]
        sources = [x for x in equation.inputs if _passes(read(x), read(atom))]
        variables = [x for x in sources if isinstance(x, Var)]
        if not variables:
            return equation, atom
        atom = variables[0]
    return None


def _error(equation: Equation, output: Var, read: Callable[[Atom], Any]) -> errors.NaNError:
    at = equation.source
    where = None if at is source.UNKNOWN else at.text
    inputs = [read(x) for x in equation.inputs]
    return error_of(equation.primitive.name, inputs, output.aval, where)


def here() -> str | None:
    """The user's line of the operator that is evaluated now."""
    at = source.current()
    return None if at is source.UNKNOWN else at.text


def describes(primitive: Primitive, params: Mapping[str, Any]) -> str:
    """An operator's name, with that of the function that it calls."""
    name = params.get("name")
    return f"{primitive.name} {name}" if isinstance(name, str) and name else primitive.name
