"""The loop graph: a program as values that are defined element by element."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..core.avals import ShapedArray
from ..core.primitive import Primitive
from ..core.source import UNKNOWN, Source


@functools.cache
def dtype_name(dtype: Any) -> str:
    """NumPy works the name of a dtype out each time it is asked."""
    return str(dtype.name)


@dataclass(frozen=True)
class Input:
    """The array at a position of the program's inputs."""

    position: int


@dataclass(frozen=True)
class Scalar:
    """A constant; its array has no dimensions."""

    value: Any


class Node:
    """One value. `loop` defines its elements: a loop shape of `core.loops`, `Input` or `Scalar`.

    An operator with several results has one node per result; `result` says which, and `first` is
    the node of result 0, which the others share their work with.
    """

    __slots__ = (
        "aval",
        "dtype",
        "equation",
        "first",
        "id",
        "inputs",
        "loop",
        "params",
        "primitive",
        "result",
        "siblings",
        "source",
    )

    def __init__(
        self,
        id: int,
        loop: Any,
        inputs: Sequence[Node],
        aval: ShapedArray,
        params: Mapping[str, Any],
        primitive: Primitive | None = None,
        result: int = 0,
        source: Source = UNKNOWN,
        equation: int = -1,
    ) -> None:
        self.id = id
        self.loop = loop
        self.inputs = tuple(inputs)
        self.aval = aval
        self.params = params
        self.primitive = primitive
        self.result = result
        self.first: Node = self
        self.siblings: tuple[Node, ...] = (self,)
        self.source = source
        self.equation = equation  # its position in the simplified program
        self.dtype = dtype_name(aval.dtype)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.aval.shape

    def __repr__(self) -> str:
        return f"%{self.id}"

    def describe(self) -> str:
        kind = type(self.loop).__name__.lower()
        name = self.primitive.name if self.primitive else repr(self.loop)
        inputs = " ".join(map(repr, self.inputs))
        return f"{self!r}:{self.aval} = {kind} {name} {inputs}".rstrip()


@dataclass(frozen=True, eq=False)
class LoopGraph:
    """All nodes in an order in which inputs come first, and the nodes of the outputs."""

    nodes: tuple[Node, ...]
    inputs: tuple[Node, ...]
    outputs: tuple[Node, ...]
    name: str = "f"
    barriers: frozenset[Node] = field(default=frozenset())

    def __str__(self) -> str:
        lines = [f"graph {self.name}"]
        lines += ["  " + n.describe() for n in self.nodes]
        lines.append("  outputs " + " ".join(map(repr, self.outputs)))
        return "\n".join(lines)


def carried(node: Node) -> tuple[int, int]:
    """Of a loop: the position of the first carried value among its inputs, and how many there are.

    The first results are those of the carried values.
    """
    p = node.params
    if node.loop.counted:
        return int(p["consts"]), int(p["carry"])
    return int(p["cond_consts"] + p["body_consts"]), len(node.siblings)


def consumers(nodes: Sequence[Node]) -> dict[Node, list[Node]]:
    """For each node, the nodes that have it as an input."""
    found: dict[Node, list[Node]] = {n: [] for n in nodes}
    for n in nodes:
        for x in dict.fromkeys(n.inputs):
            found[x].append(n)
    return found


def reachable(outputs: Sequence[Node]) -> Iterator[Node]:
    """The nodes the outputs need, inputs before users."""
    seen: set[Node] = set()
    stack: list[tuple[Node, bool]] = [(n, False) for n in reversed(outputs)]
    while stack:
        node, done = stack.pop()
        if done:
            yield node
            continue
        if node in seen:
            continue
        seen.add(node)
        stack.append((node, True))
        stack.extend((x, False) for x in reversed(node.inputs) if x not in seen)
