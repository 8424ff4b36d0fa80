"""Loops whose iterations threads share.

The first loop of a nest is cut into pieces, where there is work enough to wake a thread for. What a
piece computes does not depend on where it begins and ends: results are the same for any number of
threads.
"""

from __future__ import annotations

import math
from collections.abc import Container, Sequence
from dataclasses import dataclass

from .._kernels import builder as llvm
from .costs import own_cost
from .loop_graph import Node
from .nests import Expansion
from .schedule import NestPlan, PhasePlan

Value = llvm.Value

_NS_PER_OPERATION = 0.014  # an element in a vector register
_NS_PER_BYTE = 0.006
_NS_PER_PRODUCT = 0.01
_LEAST_NS = 30_000  # the work of a nest that is shared
_PIECE_NS = 10_000
_MOST_SCRATCH_BYTES = 1 << 18  # on the stack of a thread


@dataclass(frozen=True)
class Shared:
    """How the first loop is cut: into pieces of at least `grain` of its `count` iterations."""

    count: int
    grain: int


def shared(plan: NestPlan, stored: Container[Node], scratch_bytes: int) -> Shared | None:
    """How to share a nest, None where it is not worth it or cannot be done."""
    count = _iterations(plan)
    if count < 2 or scratch_bytes > _MOST_SCRATCH_BYTES:
        return None
    work = sum(_phase_ns(plan, phase, stored) for phase in plan.phases)
    if work < _LEAST_NS:
        return None
    return Shared(count, max(1, math.ceil(count * _PIECE_NS / work)))


def shared_products(count: int, size: int) -> Shared | None:
    """How to share so many products, each of `size` multiplications."""
    each = max(1.0, size * _NS_PER_PRODUCT)
    if count < 2 or count * each < _LEAST_NS:
        return None
    return Shared(count, math.ceil(_PIECE_NS / each))


def _iterations(plan: NestPlan) -> int:
    """Of the first loop that is more than one iteration; 1 where its iterations are not apart."""
    extents = [plan.extent(v) for v in plan.outer]
    if 0 in extents:
        return 0
    for var, extent in zip(plan.outer, extents, strict=True):
        if extent > 1:
            return iterations(extent, plan.lanes if var is plan.vector else 1)
    works = [w.kind for _, w in plan.nest.works()]
    if len(plan.phases) != 1 or not all(kind in ("store", "copy") for kind in works):
        return 1
    (phase,) = plan.phases
    for var in phase.loops:
        extent = plan.extent(var)
        if extent != 1:
            return iterations(extent, phase.lanes if var is phase.vector else 1)
    return 1


def iterations(extent: int, lanes: int) -> int:
    """How often a loop in lanes goes round; what is left over belongs to the last time."""
    return max(1, extent // lanes) if extent else 0


def _phase_ns(plan: NestPlan, phase: PhasePlan, stored: Container[Node]) -> float:
    """About how long a phase takes."""
    expansion = Expansion(stored)
    for work in phase.phase.works:
        expansion.work(work)
    times = math.prod(plan.extent(v) for v in (*plan.outer, *phase.loops))
    operations = sum(own_cost(n) * len(places) for n, places in expansion.computed.items())
    nodes = [*(n for n, _ in expansion.reads), *(w.node for w in phase.phase.works)]
    nbytes = sum(n.aval.dtype.itemsize for n in nodes)
    return times * (operations * _NS_PER_OPERATION + nbytes * _NS_PER_BYTE)


def pointers_of(b: llvm.Builder, context: Value, count: int) -> Sequence[Value]:
    """The pointers that a context is made of."""
    places = [b.pointer(context, "ptr", k) for k in range(count)]
    return [b.define("ptr", 1, f"load ptr, ptr {p.name}, align 8", (p,)) for p in places]
