"""Sums over the steps of a loop of arrays that are zero but for a part.

A loop that reads `x[i]` has, when it is reversed, a cotangent of x in each step that is zero except
at i. To add up such arrays takes time in the square of their size; here only the part that is not
zero is added, in place.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..core.jaxpr import Atom, Equation, Jaxpr, Literal, live_equations, make
from ..core.trace import aval_of
from ..interpreters import rewrite
from ..interpreters.evaluate import evaluate_program
from ..ops.indexing import scatter_add
from ..ops.slicing import dynamic_slice, dynamic_update_slice
from ..ops.structural import add


class _Piece(NamedTuple):
    """Something to add: atoms of a program, and how their values are added to a total."""

    atoms: Sequence[Atom]
    into: Callable[..., Any]


class Sums(NamedTuple):
    """A program whose first results were to be added to totals, and how its new ones are."""

    program: Jaxpr
    pieces: tuple[tuple[_Piece, ...], ...]

    def add(self, totals: Sequence[Any], inputs: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        """The totals after the first results are added, and the other results."""
        results = iter(evaluate_program(self.program, (), inputs))
        sums = []
        for total, pieces in zip(totals, self.pieces, strict=True):
            for piece in pieces:
                total = piece.into(total, *(next(results) for _ in piece.atoms))
            sums.append(total)
        return sums, list(results)


def sums_of(program: Jaxpr, count: int) -> Sums:
    """How to add the first `count` results of a program, those of large sparse arrays by parts."""

    def build() -> Sums:
        made = {v: e for e in program.equations for v in e.outputs}
        uses = Counter([*program.outvars, *(x for e in program.equations for x in e.inputs)])
        pieces = tuple(tuple(_pieces(v, made, uses)) for v in program.outvars[:count])
        atoms = [a for several in pieces for piece in several for a in piece.atoms]
        outvars = [*atoms, *program.outvars[count:]]
        whole = make((), program.invars, program.equations, outvars, program.name)
        return Sums(make((), program.invars, live_equations(whole), outvars, program.name), pieces)

    found: Sums = rewrite.remembered(program, ("sums", count), build)
    return found


def _pieces(atom: Atom, made: dict[Any, Equation], uses: Counter[Atom]) -> list[_Piece]:
    """What a result is the sum of; itself, where no part of it is known to be zero.

    A sum that is used elsewhere is needed whole, and not taken apart.
    """
    found: list[_Piece] = []
    todo = [atom]
    while todo:
        x = todo.pop()
        e = None if isinstance(x, Literal) else made.get(x)
        if e is not None and e.primitive.name == "add" and uses[x] == 1:
            todo += reversed(e.inputs)
        else:
            found.append(_piece(x, e, made))
    return found if any(p.into is not add for p in found) else [_Piece([atom], add)]


def _piece(atom: Atom, e: Equation | None, made: dict[Any, Equation]) -> _Piece:
    name = None if e is None else e.primitive.name
    if e is None:
        return _Piece([atom], add)
    if name == "dynamic_update_slice" and _is_zero(e.inputs[0], made):
        return _Piece(e.inputs[1:], _slice_into)
    if name == "scatter_add" and _is_zero(e.inputs[0], made):
        params = e.params
        return _Piece(e.inputs[1:], lambda total, *xs: scatter_add(total, *xs, **params))
    if name == "pad" and _is_zero(e.inputs[1], made):
        config = e.params["padding_config"]
        if all(low >= 0 and high >= 0 and inside == 0 for low, high, inside in config):
            starts = [np.int32(low) for low, _, _ in config]
            return _Piece(e.inputs[:1], lambda total, x: _slice_into(total, x, *starts))
    return _Piece([atom], add)


def _is_zero(atom: Atom, made: dict[Any, Equation]) -> bool:
    while not isinstance(atom, Literal):
        e = made.get(atom)
        if e is None or e.primitive.name not in ("broadcast_in_dim", "convert_element_type"):
            return False
        atom = e.inputs[0]
    return bool(np.all(atom.value == 0))


def _slice_into(total: Any, part: Any, *starts: Any) -> Any:
    old = dynamic_slice(total, *starts, slice_sizes=aval_of(part).shape)
    return dynamic_update_slice(total, add(old, part), *starts)


__all__ = ["Sums", "sums_of"]
