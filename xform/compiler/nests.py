"""Loop nests: what is computed in which loops.

A nest runs its outer loops, and for each of their iterations its phases in order; a phase runs its
inner loops and does its works in each iteration. A reduction's result stays in a register for the
phases after it.

    softmax of rows        outer r      phase 0  inner c   m = max x[r, c]
                                        phase 1  inner c   s = sum exp(x[r, c] - m)
                                        phase 2  inner c   y[r, c] = exp(x[r, c] - m) / s
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..core.jaxpr import Literal
from ..core.loops import Generate, Map, Piece, Reduce, Scan, View
from .index import FALSE, TRUE, Condition, Datum, Expr, Index, LoopVar, expr, unwrap
from .loop_graph import Input, Node, Scalar

Place = tuple[Expr, ...]


@dataclass(eq=False)
class Work:
    """A node computed in a phase: stored (`place` is where), reduced or scanned.

    `domain` is the index of the elements gone through: the node's own for a store, its input's
    otherwise.
    """

    node: Node
    kind: str  # "store", "reduce" or "scan"
    domain: Place
    place: Place

    @property
    def operand(self) -> Node:
        """The node whose elements are gone through."""
        return self.node if self.kind == "store" else self.node.inputs[0]

    def __str__(self) -> str:
        where = ", ".join(map(repr, self.place))
        gone = ", ".join(map(repr, self.domain))
        return f"{self.kind} {self.node!r}[{where}] over {self.operand!r}[{gone}]"


@dataclass(eq=False)
class Phase:
    """Works done side by side, in each iteration of the inner loops."""

    inner: tuple[LoopVar, ...]
    works: list[Work] = field(default_factory=list)


@dataclass(eq=False)
class Nest:
    """Outer loops around phases that run one after another."""

    outer: tuple[LoopVar, ...]
    phases: list[Phase]
    kept: list[Node] = field(default_factory=list)  # values kept in row scratch between phases

    def works(self) -> Iterator[tuple[int, Work]]:
        for k, phase in enumerate(self.phases):
            for work in phase.works:
                yield k, work

    def expansion(self, stored: Container[Node]) -> Expansion:
        """All that the works of the nest involve."""
        found = Expansion(stored)
        for _, work in self.works():
            found.work(work)
        return found

    def __str__(self) -> str:
        lines = (
            ["for " + " ".join(f"{v}<{v.extent}" for v in self.outer)] if self.outer else ["nest"]
        )
        for k, phase in enumerate(self.phases):
            loops = " ".join(f"{v}<{v.extent}" for v in phase.inner)
            lines.append(f"  phase {k}: {loops}")
            lines += [f"    {work}" for work in phase.works]
        if self.kept:
            lines.append("  kept " + " ".join(map(repr, self.kept)))
        return "\n".join(lines)


@dataclass(eq=False)
class Kernel:
    """A step that is no loop nest: a contraction, an update or a call of the host."""

    node: Node
    copy: Nest | None = None

    def __str__(self) -> str:
        return f"kernel {self.node.describe()}"


Step = Nest | Kernel


def pieces_of(node: Node, place: Place) -> list[tuple[Any, Place, Condition]]:
    """(operand, index, condition) of the pieces of a view that can occur at a place."""
    loop = node.loop
    wrapped = tuple(Index(e) for e in place)

    def read(operand: int, index: Sequence[Any]) -> Index:
        return Index(Expr(((Datum(node.inputs[operand], tuple(map(unwrap, index))), 1),), 0))

    avals = [x.aval for x in node.inputs]
    pieces: list[Piece] = loop.pieces(wrapped, read, *avals, **node.params)
    found: list[tuple[Any, Place, Condition]] = []
    for piece in pieces:
        condition = TRUE if piece.condition is None else piece.condition
        if isinstance(condition, bool):
            condition = TRUE if condition else FALSE
        if condition.is_false:
            continue
        operand = (
            piece.operand if isinstance(piece.operand, Literal) else node.inputs[piece.operand]
        )
        index = tuple(map(unwrap, piece.index))
        if isinstance(operand, Node) and not operand.aval.size and not condition.is_true:
            continue
        found.append((operand, index, condition))
        if condition.is_true:
            break
    return found


class Expansion:
    """All that computing some values involves, found by following their definitions.

    `reads`: places of stored nodes and of reductions; `computed`: the inline nodes with the places
    they are computed at; `fixed`: index expressions used other than as offsets; `conditions`: of
    the pieces of views.
    """

    def __init__(self, stored: Container[Node]) -> None:
        self.stored = stored
        self.reads: dict[tuple[Node, Place], None] = {}
        self.computed: dict[Node, dict[Place, None]] = {}
        self.fixed: list[Expr] = []
        self.conditions: list[Condition] = []
        self._seen: set[tuple[Node, Place]] = set()

    def work(self, work: Work) -> Expansion:
        if work.kind == "store":
            self.define(work.node, work.domain)
        else:
            self.visit(work.operand, work.domain)
        return self

    def visit(self, node: Node, place: Place) -> None:
        if isinstance(node.loop, Input | Reduce | Scan) or node in self.stored:
            self.reads[node, place] = None
            self._data(place)
            return
        self.define(node, place)

    def define(self, node: Node, place: Place) -> None:
        """Follows the definition of a node, also of a stored one."""
        todo = [(node, place, True)]
        while todo:
            n, at, top = todo.pop()
            if (n, at) in self._seen:
                continue
            stored = isinstance(n.loop, Input | Reduce | Scan) or n in self.stored
            if stored and not top:
                self.reads[n, at] = None
                self._data(at)
                continue
            self._seen.add((n, at))
            self.computed.setdefault(n, {})[at] = None
            todo.extend((x, p, False) for x, p in self._operands(n, at))

    def _operands(self, node: Node, place: Place) -> list[tuple[Node, Place]]:
        loop = node.loop
        if isinstance(loop, Scalar):
            return []
        if isinstance(loop, Map):
            return [(x, place if x.shape else ()) for x in node.inputs]
        if isinstance(loop, Generate):
            self.fixed.append(generated(node, place))
            return []
        if isinstance(loop, View):
            found = []
            for operand, index, condition in pieces_of(node, place):
                self.fixed.extend(condition.expressions())
                self.conditions.append(condition)
                if isinstance(operand, Node):
                    found.append((operand, index))
            for e in [
                e for _, index, c in pieces_of(node, place) for e in (*index, *c.expressions())
            ]:
                self._data((e,))
            return found
        raise TypeError(f"{node.describe()} has no elementwise definition")

    def _data(self, place: Place) -> None:
        for e in place:
            for atom in e.atoms():
                if isinstance(atom, Datum):
                    self.fixed.append(e)
                    self.visit(atom.node, atom.index)


def generated(node: Node, place: Place) -> Expr:
    """The index expression whose value a `Generate` node has at a place."""
    return unwrap(node.loop.value(tuple(Index(e) for e in place), **node.params))


def fresh(shape: Sequence[int], prefix: str = "i") -> tuple[LoopVar, ...]:
    """A new loop variable for each dimension."""
    return tuple(LoopVar(f"{prefix}{k}", extent) for k, extent in enumerate(shape))


def place_of(variables: Sequence[LoopVar]) -> Place:
    """The index that has these loop variables in its dimensions."""
    return tuple(map(expr, variables))


def substituted(place: Place, mapping: dict[LoopVar, LoopVar]) -> Place:
    """A place with its loop variables replaced; it holds nothing but loop variables."""
    return tuple(
        Expr(((mapping.get(a, a), c) for a, c in e.terms), e.const)  # type: ignore[arg-type]
        for e in place
    )


def is_plain(place: Place) -> bool:
    """Whether an index is made of loops only."""
    return all(isinstance(a, LoopVar) for e in place for a, _ in e.terms)
