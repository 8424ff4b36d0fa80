"""What is worth storing, beyond what has to be: dear values that are computed often."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..core.loops import Branch, Generate, Loop, Map, Update, View
from .costs import TRANSCENDENTAL, Costs, own_cost
from .loop_graph import Input, LoopGraph, Node, Scalar, consumers
from .nests import (
    Expansion,
    Kernel,
    Nest,
    Phase,
    Place,
    Step,
    fresh,
    is_plain,
    place_of,
    substituted,
)

_FEW = 32
_SHARE = 6  # a value this dear is stored rather than computed in two nests


def worth_storing(graph: LoopGraph, steps: Sequence[Step], stored: set[Node]) -> set[Node]:
    """Values that steps would compute more often than it costs to store them."""
    cost = Costs(stored)
    users: dict[Node, set[int]] = {}
    chosen: set[Node] = set()
    for number, step in enumerate(steps):
        for size, expansion in _expansions(step, stored):
            for node, places in expansion.computed.items():
                if node in stored or isinstance(node.loop, Scalar | Generate):
                    continue
                users.setdefault(node, set()).add(number)
                dear = cost(node)
                # How often each element is computed, beyond once.
                again = len(places) - max(1, node.aval.size / max(1, size))
                if len(places) > 1 and dear * again >= _SHARE:
                    chosen.add(_base(node))
                elif own_cost(node) >= TRANSCENDENTAL and node.aval.size * 2 <= size:
                    chosen.add(node)
        if isinstance(step, Kernel) and isinstance(step.node.loop, Update):
            chosen.update(_base(x) for x in _dear_inputs(step.node, cost))
    # Of values that several nests compute, those are stored that something else is made of.
    shared = {n for n, where in users.items() if len(where) > 1}
    for node, using in consumers(graph.nodes).items():
        if node in shared and cost(node) >= _SHARE and not shared.issuperset(using):
            chosen.add(_base(node))
    return {n for n in chosen if n not in stored and not isinstance(n.loop, Input | Scalar)}


def _dear_inputs(node: Node, cost: Costs) -> list[Node]:
    """What an update would compute element by element, where loops do it in vectors."""
    if node.loop.combine == "set" and not any(x.shape for x in node.inputs[2:]):
        return []  # a block, which is written in vectors
    return [
        x
        for x in node.inputs[1:]
        if x.aval.size >= _FEW and not isinstance(x.loop, Input) and cost(x) >= _SHARE
    ]


def read_before_updates(
    steps: Sequence[Step], owned: Sequence[Node], stored: set[Node]
) -> set[Node]:
    """What reads an owned input inline after the step that updates it: it is stored before."""
    chosen: set[Node] = set()
    for x in owned:
        users = [
            k
            for k, s in enumerate(steps)
            if isinstance(s, Kernel)
            and isinstance(s.node.loop, Update | Loop | Branch)
            and x in s.node.inputs
        ]
        if not users:
            continue
        for step in steps[users[0] :]:
            for _, expansion in _expansions(step, stored):
                chosen.update(n for n in expansion.computed if x in n.inputs)
    return {n for n in chosen if n not in stored and not isinstance(n.loop, Update)}


def _base(node: Node) -> Node:
    """A view costs nothing: what it looks at is stored instead."""
    while (
        isinstance(node.loop, View)
        and len(node.inputs) == 1
        and isinstance(node.inputs[0].loop, Map)
    ):
        node = node.inputs[0]
    return node


def _expansions(step: Step, stored: set[Node]) -> list[tuple[int, Expansion]]:
    """Per phase of a step, the number of elements it goes through and what it computes."""
    if isinstance(step, Kernel):
        return [(1, kernel_expansion(step, stored))]
    found = []
    for phase in step.phases:
        expansion = Expansion(stored)
        for work in phase.works:
            expansion.work(work)
        size = math.prod(v.extent for v in (*step.outer, *phase.inner))
        found.append((size, expansion))
    return found


def kernel_expansion(step: Kernel, stored: set[Node]) -> Expansion:
    """What an update computes inline; other kernels compute nothing inline."""
    expansion = Expansion(stored)
    node = step.node
    if isinstance(node.loop, Update):
        for x in node.inputs:
            expansion.visit(x, place_of(fresh(x.shape)))
    return expansion


def kept_between_phases(nest: Nest, stored: set[Node]) -> list[Node]:
    """Dear values of a row that several phases compute: kept in scratch memory by the first."""
    if len(nest.phases) < 2:
        return []
    found: dict[Node, list[tuple[Phase, Sequence[Place]]]] = {}
    for phase in nest.phases:
        expansion = Expansion(stored)
        for work in phase.works:
            expansion.work(work)
        for node, places in expansion.computed.items():
            found.setdefault(node, []).append((phase, list(places)))
    cost = Costs(stored)
    return [
        node
        for node, uses in found.items()
        if len(uses) > 1
        and node not in stored
        and own_cost(node) >= TRANSCENDENTAL
        and cost(node) >= _SHARE
        and _go_together(uses)
    ]


def _go_together(uses: Sequence[tuple[Phase, Sequence[Place]]]) -> bool:
    """Whether phases use a value at one place each, the same in all as their loops go on."""
    (first, places), *others = uses
    for phase, where in others:
        if len(places) != 1 or len(where) != 1:
            return False
        if [v.extent for v in phase.inner] != [v.extent for v in first.inner]:
            return False
        place = where[0]
        if phase.inner != first.inner:
            if not is_plain(place):
                return False
            place = substituted(place, dict(zip(phase.inner, first.inner, strict=True)))
        if place != places[0]:
            return False
    return True
