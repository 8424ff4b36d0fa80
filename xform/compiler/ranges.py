"""Loops cut where conditions on their index change, so that none is left inside.

A concatenation, a padding or a roll reads one operand in one range of an index and another one in
the next. In a loop for each range the conditions are known, reads are plain, and vectors need no
masks.
"""

from __future__ import annotations

import math
from collections.abc import Container, Sequence

from .index import Expr, LoopVar, expr
from .loop_graph import Node
from .nests import Expansion, Nest, Phase, Place, Work

_LEAST_ELEMENTS = 256
_MOST_CODE = 128  # operators, in all ranges together


def cut(nest: Nest, stored: Container[Node]) -> list[Nest]:
    """The nest as nests of ranges, one after the other; by itself where there is nothing to cut."""
    if nest.outer or len(nest.phases) != 1 or nest.kept:
        return [nest]
    (phase,) = nest.phases
    if any(w.kind != "store" for w in phase.works):
        return [nest]
    if math.prod(v.extent for v in phase.inner) < _LEAST_ELEMENTS:
        return [nest]
    done: list[Phase] = []
    todo = [phase]
    code = 0
    while todo:
        part = todo.pop()
        expansion = _expansion(part, stored)
        code += sum(map(len, expansion.computed.values()))
        if code > _MOST_CODE:
            return [nest]
        found = _boundaries(part, expansion)
        if found is None:
            done.append(part)
        else:
            todo += reversed(_ranges(part, *found))
    return [Nest((), [part]) for part in done] if len(done) > 1 else [nest]


def _expansion(phase: Phase, stored: Container[Node]) -> Expansion:
    expansion = Expansion(stored)
    for work in phase.works:
        expansion.work(work)
    return expansion


def _boundaries(phase: Phase, expansion: Expansion) -> tuple[LoopVar, Sequence[int]] | None:
    """The outermost loop with conditions on its index alone, and where they change."""
    points: dict[LoopVar, set[int]] = {}
    for condition in expansion.conditions:
        for e in condition.expressions():
            if len(e.terms) != 1:
                continue
            ((atom, c),) = e.terms
            if isinstance(atom, LoopVar) and abs(c) == 1:
                at = -e.const if c > 0 else e.const + 1  # the first index at which it changes
                if 0 < at < atom.extent:
                    points.setdefault(atom, set()).add(at)
    for var in phase.inner:
        if var in points:
            return var, sorted(points[var])
    return None


def _ranges(phase: Phase, var: LoopVar, points: Sequence[int]) -> list[Phase]:
    parts = []
    for start, stop in zip((0, *points), (*points, var.extent), strict=True):
        own = LoopVar(var.name, stop - start)
        moved = expr(start) if own.extent == 1 else Expr(((own, 1),), start)
        inner = tuple(own if v is var else v for v in phase.inner)
        works = [
            Work(w.node, w.kind, _moved(w.domain, var, moved), _moved(w.place, var, moved))
            for w in phase.works
        ]
        parts.append(Phase(inner, works))
    return parts


def _moved(place: Place, var: LoopVar, by: Expr) -> Place:
    """A place with a loop variable replaced by an expression."""
    found = []
    for e in place:
        c = e.coefficient(var)
        rest = Expr(tuple((a, k) for a, k in e.terms if a is not var), e.const)
        found.append(rest + by * c)
    return tuple(found)
