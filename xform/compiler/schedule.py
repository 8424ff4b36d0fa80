"""The order of a nest's loops, which of them run in vector lanes, and which become one."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass, field

from ..core.loops import Reduce
from .costs import own_cost
from .index import Expr, LoopVar, linear_offset
from .loop_graph import Node, Scalar
from .nests import Expansion, Nest, Phase, Work


@dataclass(frozen=True, eq=False)
class PhasePlan:
    """The loops of a phase, outermost first, and the one that runs in lanes."""

    phase: Phase
    loops: tuple[LoopVar, ...]
    vector: LoopVar | None
    lanes: int


@dataclass(frozen=True, eq=False)
class NestPlan:
    """A nest with its loops in order.

    `vector` is an outer loop that runs in lanes, so that every phase does; then the phases have
    none of their own. `extents` holds the loops that stand for several; `absorbed` those that are
    gone into them.
    """

    nest: Nest
    outer: tuple[LoopVar, ...]
    vector: LoopVar | None
    lanes: int
    phases: tuple[PhasePlan, ...]
    extents: dict[LoopVar, int] = field(default_factory=dict)
    absorbed: frozenset[LoopVar] = frozenset()

    def extent(self, var: LoopVar) -> int:
        return self.extents.get(var, var.extent)

    def __str__(self) -> str:
        def show(loops: Sequence[LoopVar], vector: LoopVar | None, lanes: int) -> str:
            return " ".join(
                f"{v}<{self.extent(v)}" + (f" by {lanes}" if v is vector else "") for v in loops
            )

        lines = [f"for {show(self.outer, self.vector, self.lanes)}".rstrip()]
        for plan in self.phases:
            lines.append(f"  phase {show(plan.loops, plan.vector, plan.lanes)}".rstrip())
            lines += [f"    {work}" for work in plan.phase.works]
        return "\n".join(lines)


_ROW_VECTORS = 4  # vectors side by side where rows run in lanes
_LIGHT = 24
_SELDOM = 0.1  # weight of an access that the inner loops do not repeat


@dataclass
class _Accesses:
    """Offsets read and written in a phase, and index expressions used otherwise.

    `inner` are the loops of the phase. `results` are the offsets that reductions are stored at,
    once for each of the outer iterations.
    """

    reads: list[Expr]
    writes: list[Expr]
    inner: tuple[LoopVar, ...]
    results: list[Expr]
    fixed: list[Expr]
    item_bytes: int
    cost: int

    @property
    def offsets(self) -> list[Expr]:
        return [*self.reads, *self.writes, *self.results]


def schedule(nest: Nest, stored: Container[Node], vector_bytes: int) -> NestPlan:
    """Decides the loops of a nest for a target with vectors of the given size."""
    registers = {w.node for _, w in nest.works() if w.kind == "reduce"}
    accesses = [_accesses(p, stored, registers) for p in nest.phases]
    outer_vector = _best([*nest.outer], accesses)
    inner_vectors = [_best(p.inner, [a]) for p, a in zip(nest.phases, accesses, strict=True)]
    sequential = any(w.kind == "scan" for _, w in nest.works())
    use_outer = sequential or _prefers_outer(outer_vector, inner_vectors, accesses)
    vector = outer_vector[0] if use_outer else None
    outer = _ordered(nest.outer, accesses, vector)
    extents: dict[LoopVar, int] = {}
    absorbed: set[LoopVar] = set()
    outer = _merged(outer, accesses, extents, absorbed)
    phases = []
    orders: dict[tuple[int, ...], list[int]] = {}  # by the extents of the inner loops
    for phase, access, (inner_vector, _) in zip(nest.phases, accesses, inner_vectors, strict=True):
        own = None if use_outer else inner_vector
        extent = tuple(v.extent for v in phase.inner)
        if nest.kept and extent in orders:
            # What is kept lies in the order in which the first of these phases goes.
            loops: Sequence[LoopVar] = [phase.inner[k] for k in orders[extent]]
            own = own and loops[-1]
        else:
            loops = phase.inner if sequential else _ordered(phase.inner, [access], own)
            orders[extent] = [phase.inner.index(v) for v in loops]
        loops = _merged(loops, [access], extents, absorbed)
        lanes = _lanes(own, extents, access, vector_bytes, phase) if own else 1
        phases.append(PhasePlan(phase, loops, own if lanes > 1 else None, lanes))
    lanes = 1
    if vector is not None:
        widest = max(a.item_bytes for a in accesses)
        extent = extents.get(vector, vector.extent)
        wider = _ROW_VECTORS if sum(a.cost for a in accesses) <= _LIGHT else 1
        while wider > 1 and extent < 2 * wider * vector_bytes // widest:
            wider //= 2
        lanes = _fitted(wider * vector_bytes // widest, extent)
    return NestPlan(
        nest,
        outer,
        vector if lanes > 1 else None,
        lanes,
        tuple(phases),
        extents,
        frozenset(absorbed),
    )


def _accesses(phase: Phase, stored: Container[Node], registers: Container[Node]) -> _Accesses:
    expansion = Expansion(stored)
    writes: list[Expr] = []
    results: list[Expr] = []
    sizes = [1]
    for work in phase.works:
        expansion.work(work)
        if work.kind != "reduce":
            writes.append(linear_offset(work.place, work.node.shape))
        elif work.node in stored:
            results.append(linear_offset(work.place, work.node.shape))
        sizes.append(_register_bytes(work.node))
        sizes.append(_register_bytes(work.operand))
    reads = [
        linear_offset(place, node.shape) for node, place in expansion.reads if node not in registers
    ]
    fixed = list(expansion.fixed)
    for offset in (*reads, *writes):
        fixed.extend(a.of for a, _ in offset.terms if hasattr(a, "of"))
    for node in expansion.computed:
        if not isinstance(node.loop, Scalar):
            sizes.append(_register_bytes(node))
    cost = sum(own_cost(n) for n in expansion.computed)
    return _Accesses(reads, writes, phase.inner, results, fixed, max(sizes), cost)


def _register_bytes(node: Node) -> int:
    """16-bit floats are computed in 32 bits; a Boolean takes no lanes of its own."""
    dtype = node.aval.dtype
    if dtype.name in ("float16", "bfloat16"):
        return 4
    return dtype.itemsize


def _best(
    variables: Sequence[LoopVar], accesses: Sequence[_Accesses]
) -> tuple[LoopVar | None, float]:
    """The loop along which most memory is contiguous, and how good it is."""
    best: tuple[LoopVar | None, float] = (None, float("-inf"))
    for var in variables:
        if var.extent < 2:
            continue
        score = sum(_score(var, a) for a in accesses)
        if var.extent < 8:
            score -= 1
        if score >= best[1]:
            best = (var, score)
    return best


def _score(var: LoopVar, accesses: _Accesses) -> float:
    total = 0.0
    for offset, weight in (
        *((o, 1.0) for o in accesses.reads),
        *((o, 1.5) for o in accesses.writes),
    ):
        if accesses.inner and not any(offset.depends_on(v) for v in accesses.inner):
            weight *= _SELDOM
        stride = abs(offset.coefficient(var))
        if _buried(offset, var):
            total -= 2 * weight
        elif stride == 1:
            total += 2 * weight
        elif stride:
            total -= 2 * weight
    return total


def _gathered(var: LoopVar, accesses: _Accesses) -> bool:
    """Whether the loop in lanes would read memory element by element."""
    return any(abs(o.coefficient(var)) > 1 or _buried(o, var) for o in accesses.reads)


def _buried(offset: Expr, var: LoopVar) -> bool:
    """Whether an offset depends on a loop through a quotient, or through data."""
    return any(a is not var and _inside(a, var) for a, _ in offset.terms)


def _inside(atom: object, var: LoopVar) -> bool:
    if hasattr(atom, "of"):
        return bool(atom.of.depends_on(var))
    return any(i.depends_on(var) for i in getattr(atom, "index", ()))


def _prefers_outer(
    outer: tuple[LoopVar | None, float],
    inner: Sequence[tuple[LoopVar | None, float]],
    accesses: Sequence[_Accesses],
) -> bool:
    if outer[0] is None:
        return False
    usable = [(v, s) for v, s in inner if v is not None]
    if not usable:
        return True
    # A gather costs as many loads as there are lanes. What else is contiguous does not make up for
    # it: with the other loop in lanes that is the same in all of them, and as cheap.
    gathers = any(_gathered(v, a) for (v, _), a in zip(inner, accesses, strict=True) if v)
    if gathers and outer[0].extent >= 8 and not any(_gathered(outer[0], a) for a in accesses):
        return True
    total = sum(s for _, s in usable)
    # Lanes along a row need no horizontal sums; lanes along the elements of a row read it in order.
    small = all(v.extent < 8 for v, _ in usable)
    return outer[1] > total or (small and outer[1] >= 0)


def _ordered(
    variables: Sequence[LoopVar], accesses: Sequence[_Accesses], vector: LoopVar | None
) -> tuple[LoopVar, ...]:
    """Loops by falling stride of what they write, or read; the vector loop last."""
    leading = next((a.writes or a.reads for a in accesses if a.writes or a.reads), [])

    def key(item: tuple[int, LoopVar]) -> tuple[int, int, int]:
        position, var = item
        stride = abs(leading[0].coefficient(var)) if leading else 0
        return (var is vector, -stride, position)

    order = [v for _, v in sorted(enumerate(variables), key=key) if v.extent != 1]
    return tuple(_inside_of_gathers(order, accesses, vector))


def _inside_of_gathers(
    order: list[LoopVar], accesses: Sequence[_Accesses], vector: LoopVar | None
) -> list[LoopVar]:
    """Loops that scattered reads do not depend on go inside the vector loop: those read once."""
    if vector is None:
        return order
    scattered = [o for a in accesses for o in a.reads if abs(o.coefficient(vector)) > 1]
    if not scattered:
        return order
    inner = [v for v in order if v is not vector and not any(o.depends_on(v) for o in scattered)]
    return [v for v in order if v not in inner] + inner


def _merged(
    loops: Sequence[LoopVar],
    accesses: Sequence[_Accesses],
    extents: dict[LoopVar, int],
    absorbed: set[LoopVar],
) -> tuple[LoopVar, ...]:
    """Neighbouring loops over memory that is contiguous through both become one."""
    kept: list[LoopVar] = []
    for var in reversed(loops):
        if kept and _joins(var, kept[-1], extents, accesses):
            inner = kept[-1]
            extents[inner] = extents.get(inner, inner.extent) * var.extent
            absorbed.add(var)
        else:
            kept.append(var)
    return tuple(reversed(kept))


def _joins(
    outer: LoopVar, inner: LoopVar, extents: dict[LoopVar, int], accesses: Sequence[_Accesses]
) -> bool:
    run = extents.get(inner, inner.extent)
    for access in accesses:
        if any(e.depends_on(outer) or e.depends_on(inner) for e in access.fixed):
            return False
        for offset in access.offsets:
            if any(_inside(a, v) for a, _ in offset.terms for v in (outer, inner)):
                return False
            if offset.coefficient(outer) != offset.coefficient(inner) * run:
                return False
    return True


def _lanes(
    var: LoopVar,
    extents: dict[LoopVar, int],
    access: _Accesses,
    vector_bytes: int,
    phase: Phase,
) -> int:
    extent = extents.get(var, var.extent)
    lanes = max(1, vector_bytes // access.item_bytes)
    if any(_is_reduction(w) for w in phase.works):
        # Several sums side by side hide the latency of one.
        wider = 4 if access.cost <= 12 else 2 if access.cost <= 40 else 1
        while wider > 1 and extent < 2 * lanes * wider:
            wider //= 2
        lanes *= wider
    return _fitted(lanes, extent)


def _is_reduction(work: Work) -> bool:
    return isinstance(work.node.loop, Reduce) and work.kind == "reduce"


def _fitted(lanes: int, extent: int) -> int:
    """No more lanes than the next power of two from the extent."""
    return min(lanes, 1 << (extent - 1).bit_length()) if extent > 1 else 1
