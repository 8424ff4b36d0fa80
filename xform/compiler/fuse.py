"""Which values are stored, and which are computed in the loops of their users.

Every value is defined element by element, so any can be computed where it is used. Stored are the
outputs, what library kernels read, and what would be computed more often than it costs to store.
The works that remain are grouped into nests: a value joins a nest that goes through the same
elements, or that makes a reduction it needs at the nest's own row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..core.loops import (
    Branch,
    Contract,
    Loop,
    Map,
    Opaque,
    Parallel,
    Reduce,
    Scan,
    Update,
    View,
)
from .costs import TRANSCENDENTAL, own_cost
from .index import Expr, LoopVar
from .loop_graph import Input, LoopGraph, Node
from .lower import is_data
from .meetings import Meeting
from .nests import (
    Expansion,
    Kernel,
    Nest,
    Phase,
    Place,
    Step,
    Work,
    fresh,
    is_plain,
    place_of,
    substituted,
)
from .operands import bases_of
from .storing import kept_between_phases, kernel_expansion, read_before_updates, worth_storing

_MOST_WORKS = 12
_MOST_READS = 24
_LOOK_BACK = 12
_ROUNDS = 8
_LONGEST_BODY = 256  # operators


_CALLED = Opaque | Loop | Branch | Parallel | Meeting  # kernels that read and write memory only


def has_own_memory(node: Node) -> bool:
    """Inputs, and constants of dtypes that compiled code cannot write, which are module data."""
    return isinstance(node.loop, Input) or is_data(node)


@dataclass(frozen=True, eq=False)
class Fused:
    """The steps of a graph in order, the nodes that have memory, and what each reads and writes."""

    graph: LoopGraph
    steps: tuple[Step, ...]
    stored: frozenset[Node]
    reads: tuple[frozenset[Node], ...]
    writes: tuple[frozenset[Node], ...]

    def __str__(self) -> str:
        return "\n".join(f"step {k}: {step}" for k, step in enumerate(self.steps))


def fuse(graph: LoopGraph, owned: Sequence[Node] = ()) -> Fused:
    """Decides what is stored, and groups the work into nests.

    `owned` are inputs that an update may change in place; what is read of them is read before.
    """
    stored = _stored_from_the_start(graph)
    for _ in range(_ROUNDS):
        grouping = _Grouping(graph, stored)
        more = worth_storing(graph, grouping.steps, stored)
        more |= read_before_updates(grouping.steps, owned, stored)
        if not more:
            break
        stored |= more
    else:
        grouping = _Grouping(graph, stored)
    steps = grouping.steps
    reads = [_read_by(step, stored) for step in steps]
    made = [
        {w.node for _, w in s.works()} if isinstance(s, Nest) else set(s.node.siblings)
        for s in steps
    ]
    # A reduction has memory if something outside of its nest, or nothing but the caller, reads it.
    for step_reads, step_made in zip(reads, made, strict=True):
        stored |= {n for n in step_reads - step_made if isinstance(n.loop, Reduce)}
    for step in steps:
        if isinstance(step, Nest):
            step.kept = kept_between_phases(step, stored)
    return Fused(
        graph,
        tuple(steps),
        frozenset(stored),
        tuple(frozenset(r) for r in reads),
        tuple(frozenset(m & stored) for m in made),
    )


def _read_by(step: Step, stored: set[Node]) -> set[Node]:
    if isinstance(step, Nest):
        return {n for n, _ in step.expansion(stored).reads}
    node = step.node
    if isinstance(node.loop, Contract):
        return set(bases_of(node))
    if isinstance(node.loop, _CALLED):
        return set(node.inputs)
    return {n for n, _ in kernel_expansion(step, stored).reads}


def _stored_from_the_start(graph: LoopGraph) -> set[Node]:
    stored = set(graph.outputs)
    for node in graph.nodes:
        if isinstance(node.loop, Contract | Update | Scan):
            stored.add(node)
        if isinstance(node.loop, Contract):
            stored.update(bases_of(node))
        elif isinstance(node.loop, _CALLED):
            stored.update(node.inputs)
            stored.update(node.siblings)
    stored |= _cuts(graph, stored)
    return {n for n in stored if not has_own_memory(n)}


def _cuts(graph: LoopGraph, stored: set[Node]) -> set[Node]:
    """Values stored to keep loop bodies short: LLVM's time grows faster than a block."""
    cuts: set[Node] = set()
    position = {n: k for k, n in enumerate(graph.nodes)}
    inside: dict[Node, int] = {}  # the nodes computed with a node, as a set of bits
    for node in graph.nodes:
        bits = 0
        if isinstance(node.loop, Map | View):
            for x in dict.fromkeys(node.inputs):
                if x not in stored and x not in cuts:
                    bits |= inside.get(x, 0)
            if isinstance(node.loop, Map):
                bits |= 1 << position[node]
        inside[node] = bits
        if bits.bit_count() > _LONGEST_BODY:
            cuts.add(node)
    return cuts


# -- grouping --------------------------------------------------------------------------------------


class _Grouping:
    """Puts every work into a nest, in the order of the graph."""

    def __init__(self, graph: LoopGraph, stored: set[Node]) -> None:
        self.stored = stored
        self.steps: list[Step] = []
        self.made_in: dict[Node, int] = {}  # the step that makes a node
        self.reads: dict[int, set[Node]] = {}
        for node in graph.nodes:
            self.place_node(node)

    def place_node(self, node: Node) -> None:
        loop = node.loop
        if has_own_memory(node):
            return
        if isinstance(loop, Contract | _CALLED):
            if node.first not in self.made_in:
                self.made_in[node.first] = self.append(Kernel(node.first))
            self.made_in[node] = self.made_in[node.first]
        elif isinstance(loop, Update):
            self.append(Kernel(node, _copy_nest(node)))
            self.made_in[node] = len(self.steps) - 1
        elif isinstance(loop, Scan):
            self.append(_scan_nest(node))
            self.made_in[node] = len(self.steps) - 1
        elif isinstance(loop, Reduce):
            self.add(_reduce_work(node))
        elif node in self.stored:
            self.add(_store_work(node))

    def append(self, step: Step) -> int:
        self.steps.append(step)
        self.reads[len(self.steps) - 1] = set()
        return len(self.steps) - 1

    def add(self, work: Work) -> None:
        expansion = Expansion(self.stored).work(work)
        sources = {n for n, _ in expansion.reads}
        made = [self.made_in[n] for n in sources if n in self.made_in]
        # A work may use results of its nest or of earlier steps only.
        first = max(made, default=0)
        for at in range(len(self.steps) - 1, max(first, len(self.steps) - _LOOK_BACK) - 1, -1):
            step = self.steps[at]
            if at < first or not isinstance(step, Nest):
                continue
            if _join(step, work, expansion, self.reads[at], self.stored):
                self.reads[at] |= sources
                self.made_in[work.node] = at
                return
        outer, inner = _loops_of(work)
        at = self.append(Nest(outer, [Phase(inner, [work])]))
        self.reads[at] = sources
        self.made_in[work.node] = at


def _store_work(node: Node) -> Work:
    place = place_of(fresh(node.shape))
    return Work(node, "store", place, place)


def _reduce_work(node: Node) -> Work:
    variables = fresh(node.inputs[0].shape)
    axes = node.params["axes"]
    kept = tuple(v for d, v in enumerate(variables) if d not in axes)
    return Work(node, "reduce", place_of(variables), place_of(kept))


def _variables(place: Place, shape: Sequence[int]) -> list[LoopVar | None]:
    """The loop variable of each dimension; None for dimensions of size 1, which have no loop."""
    return [e.terms[0][0] if e.terms else None for e in place]  # type: ignore[misc]


def _loops_of(work: Work) -> tuple[tuple[LoopVar, ...], tuple[LoopVar, ...]]:
    """(outer, inner) loops of a work by itself: a store has inner loops only."""
    every = tuple(v for v in _variables(work.domain, work.operand.shape) if v is not None)
    if work.kind == "store":
        return (), every
    outer = tuple(v for v in _variables(work.place, work.node.shape) if v is not None)
    return outer, tuple(v for v in every if v not in outer)


def _scan_nest(node: Node) -> Nest:
    variables = fresh(node.shape)
    axis = node.params["axis"]
    place = place_of(variables)
    domain = place
    if node.params.get("reverse"):
        last = node.shape[axis] - 1
        domain = tuple(last - e if d == axis else e for d, e in enumerate(place))
    outer = tuple(v for d, v in enumerate(variables) if d != axis and v.extent != 1)
    inner = (variables[axis],)
    return Nest(outer, [Phase(inner, [Work(node, "scan", domain, domain)])])


def _copy_nest(node: Node) -> Nest:
    """Operand 0 of an update, stored into the update's own memory."""
    variables = fresh(node.shape)
    place = place_of(variables)
    work = Work(node, "copy", place, place)
    inner = tuple(v for v in variables if v.extent != 1)
    return Nest((), [Phase(inner, [work])])


def _join(
    nest: Nest, work: Work, expansion: Expansion, nest_reads: set[Node], stored: set[Node]
) -> bool:
    """Adds the work to the nest if it goes through the same rows; says whether it did."""
    if sum(len(p.works) for p in nest.phases) >= _MOST_WORKS or len(nest_reads) >= _MOST_READS:
        return False
    if any(w.kind in ("scan", "copy") for _, w in nest.works()):
        return False
    made = {w.node: (k, w) for k, w in nest.works()}
    needs = [(n, at) for n, at in expansion.reads if n in made]
    dear = work.kind == "store" and any(own_cost(n) >= TRANSCENDENTAL for n in expansion.computed)
    for mapping in _mappings(nest, work, needs, made, expansion, nest_reads, stored):
        if _place_in(nest, work, mapping, needs, made, dear):
            return True
    return False


Mapping = dict[LoopVar, LoopVar]


def _mappings(
    nest: Nest,
    work: Work,
    needs: Sequence[tuple[Node, Place]],
    made: dict[Node, tuple[int, Work]],
    expansion: Expansion,
    nest_reads: set[Node],
    stored: set[Node],
) -> list[Mapping]:
    """Ways in which the work's loops may be the nest's: its variables for the nest's outer ones."""
    rows = [(n, at) for n, at in needs if made[n][1].kind == "reduce"]
    if rows:
        mapping: Mapping = {}
        for n, at in rows:
            for mine, theirs in zip(at, made[n][1].place, strict=True):
                pair = _single(mine), _single(theirs)
                if pair == (None, None):
                    continue
                if (
                    pair[0] is None
                    or pair[1] is None
                    or mapping.get(pair[0], pair[1]) is not pair[1]
                ):
                    return []
                mapping[pair[0]] = pair[1]
        return [mapping] if len(set(mapping.values())) == len(mapping) else []
    sources = {n for n, _ in expansion.reads}
    if not needs and not sources & nest_reads:
        return []
    found: list[Mapping] = []
    for _, other in nest.works():
        if other.operand.shape != work.operand.shape:
            continue
        pairs = zip(_variables(work.domain, ()), _variables(other.domain, ()), strict=True)
        mapping = {m: t for m, t in pairs if m is not None and t is not None}
        alike = work.kind == "store" or needs or _read_alike(expansion, other, mapping, stored)
        if alike and mapping not in found:
            found.append(mapping)
    return found


def _read_alike(mine: Expansion, other: Work, mapping: Mapping, stored: set[Node]) -> bool:
    """Whether two reductions load an element once for both: not a matrix and its transpose."""
    theirs = Expansion(stored).work(other).reads
    return any(
        (n, substituted(at, mapping)) in theirs if is_plain(at) else n in {m for m, _ in theirs}
        for n, at in mine.reads
    )


def _single(e: Expr) -> LoopVar | None:
    """The loop variable that an expression is, if it is one."""
    if len(e.terms) == 1 and not e.const and e.terms[0][1] == 1:
        atom = e.terms[0][0]
        return atom if isinstance(atom, LoopVar) else None
    return None


def _place_in(
    nest: Nest,
    work: Work,
    mapping: Mapping,
    needs: Sequence[tuple[Node, Place]],
    made: dict[Node, tuple[int, Work]],
    dear: bool,
) -> bool:
    mine = [v for v in _variables(work.domain, ()) if v is not None]
    outer_mine = [v for v in mine if mapping.get(v) in nest.outer]
    own_outer, _ = _loops_of(work)
    if work.kind == "reduce":
        if not nest.outer and own_outer and _is_pure(nest) and all(v in mapping for v in mine):
            # A nest of stores has no rows yet: it takes the reduction's.
            phase = nest.phases[0]
            nest.outer = tuple(mapping[v] for v in own_outer)
            phase.inner = tuple(v for v in phase.inner if v not in nest.outer)
            return _place_in(nest, work, mapping, needs, made, dear)
        if set(outer_mine) != set(own_outer):
            return False
    if len(outer_mine) != len(nest.outer) or any(v.extent != mapping[v].extent for v in outer_mine):
        return False
    rows = {v: mapping[v] for v in outer_mine}
    inner = [v for v in mine if v not in rows]
    if dear and not inner:
        return False  # once for each row it would not run in lanes
    least = 0
    for n, at in needs:
        k, maker = made[n]
        seen = substituted(at, {**mapping}) if is_plain(at) else None
        if maker.kind == "reduce":
            moved = substituted(at, rows) if is_plain(at) else None
            if moved != maker.place:
                return False
            least = max(least, k + 1)
        elif seen == maker.place:
            least = max(least, k)
        else:
            if not _same_row(at, maker, rows):
                return False
            least = max(least, k + 1)
    for k in range(least, len(nest.phases)):
        phase = nest.phases[k]
        full = _inner_mapping(inner, phase, mapping)
        if full is not None and _keeps_places(work, needs, made, k, {**rows, **full}):
            phase.works.append(_renamed(work, {**rows, **full}))
            return True
    own = {v: LoopVar(v.name, v.extent) for v in inner}
    new = _renamed(work, {**rows, **own})
    nest.phases.append(Phase(tuple(own.values()), [new]))
    return True


def _is_pure(nest: Nest) -> bool:
    return len(nest.phases) == 1 and all(w.kind == "store" for w in nest.phases[0].works)


def _same_row(at: Place, maker: Work, rows: Mapping) -> bool:
    """Whether a read at `at` of a stored value stays within the row it was stored in."""
    outer = set(rows.values())
    for mine, theirs in zip(at, maker.place, strict=True):
        var = _single(theirs)
        if var in outer:
            own = _single(mine)
            if own is None or rows.get(own) is not var:
                return False
    stored_rows = {_single(e) for e in maker.place}
    return outer <= stored_rows


def _inner_mapping(inner: Sequence[LoopVar], phase: Phase, mapping: Mapping) -> Mapping | None:
    """Inner variables of the work for those of the phase: as in the mapping, else by order."""
    if [v.extent for v in inner] != [v.extent for v in phase.inner]:
        if {mapping.get(v) for v in inner} == set(phase.inner) and len(inner) == len(phase.inner):
            return {v: mapping[v] for v in inner}
        return None
    if all(mapping.get(v) in phase.inner for v in inner):
        return {v: mapping[v] for v in inner}
    return dict(zip(inner, phase.inner, strict=True))


def _keeps_places(
    work: Work,
    needs: Sequence[tuple[Node, Place]],
    made: dict[Node, tuple[int, Work]],
    k: int,
    mapping: Mapping,
) -> bool:
    """In the phase that stores a value, it may be used at the very place it is stored at only."""
    for n, at in needs:
        made_at, maker = made[n]
        if made_at == k and (not is_plain(at) or substituted(at, mapping) != maker.place):
            return False
    return True


def _renamed(work: Work, mapping: Mapping) -> Work:
    return Work(
        work.node, work.kind, substituted(work.domain, mapping), substituted(work.place, mapping)
    )
