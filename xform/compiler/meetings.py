"""Collectives as meetings of devices and ordinary loops around them.

A meeting is a function of `kernels/runtime/devices.c`: `stack` brings the values of some devices
side by side, `fetch` that of one device, `place` a number of this device. A sum is a reduction of
the stack, always in the order of devices:

    c:f32[3] = psum[axes=((i, 2),)] b

is `d:f32[2,3] = stack b` and `c:f32[3] = reduce_sum[axes=(0,)] d`.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.avals import ShapedArray
from ..core.axes import Axes, unknown_axis
from ..core.jaxpr import Equation
from ..core.loops import Piece, Reduce, View
from .loop_graph import Node

Table = tuple[tuple[int, ...], ...]  # numbers for each device

_INDEX = np.dtype(np.int32)
_NONE = -1


@dataclass(frozen=True)
class Meeting:
    """What devices do together: `stack`, `fetch` or `place`, with numbers for each device."""

    kind: str
    table: Table
    name: str


def lowered(builder: Any, equation: Equation, operands: Sequence[Node], devices: Axes) -> Node:
    """The node of a collective in a program of devices along the axes."""
    known = [name for name, _ in devices]
    for name, _ in equation.params["axes"]:
        if name not in known:
            raise unknown_axis(name, equation.primitive.name)
    return _Lowered(builder, equation, operands, devices).node()


class _Lowered:
    """One collective as nodes."""

    def __init__(
        self, builder: Any, equation: Equation, operands: Sequence[Node], devices: Axes
    ) -> None:
        self.builder = builder
        self.equation = equation
        self.operands = operands
        self.out = equation.outputs[0].aval
        self.members = members(equation, devices)
        names = ", ".join(repr(name) for name, _ in equation.params["axes"])
        self.name = f"{equation.primitive.name} along {names}"

    def node(self) -> Node:
        kind = self.equation.primitive.lower.kind
        if kind in ("add", "max", "min"):
            return self.make(Reduce(kind), (self.stack(),), self.out, {"axes": (0,)})
        if kind == "gather":
            return self.make(View(_gathered), (self.stack(),), self.out, self.params("dimension"))
        if kind == "permute":
            origin = {target: source for source, target in self.equation.params["perm"]}
            rows = [
                (group[origin[at]] if at in origin else _NONE,)
                for group, at in zip(self.members, self.places(), strict=True)
            ]
            return self.make(self.meeting("fetch", rows), self.operands, self.out, {})
        if kind == "index":
            return self.place()
        if kind == "scatter_add":
            stack = self.stack()
            total = self.make(Reduce("add"), (stack,), self.operands[0].aval, {"axes": (0,)})
            return self.make(
                View(_own_block),
                (total, self.place()),
                self.out,
                {**self.params("dimension"), "count": len(self.members[0])},
            )
        params = self.params("split_axis", "concat_axis")
        return self.make(View(_exchanged), (self.stack(), self.place()), self.out, params)

    def make(self, loop: Any, inputs: Sequence[Node], aval: ShapedArray, params: Any) -> Node:
        found: Node = self.builder.node(loop, inputs, aval, params, self.equation)
        return found

    def params(self, *names: str) -> dict[str, Any]:
        return {name: self.equation.params[name] for name in names}

    def meeting(self, kind: str, rows: Sequence[Sequence[int]]) -> Meeting:
        return Meeting(kind, tuple(map(tuple, rows)), self.name)

    def stack(self) -> Node:
        """The operands of the devices that communicate, one after the other."""
        x = self.operands[0].aval
        aval = x.update(shape=(len(self.members[0]), *x.shape))
        return self.make(self.meeting("stack", self.members), self.operands, aval, {})

    def places(self) -> list[int]:
        """Where each device stands among those it communicates with."""
        return [group.index(d) for d, group in enumerate(self.members)]

    def place(self) -> Node:
        rows = [(at,) for at in self.places()]
        return self.make(self.meeting("place", rows), (), ShapedArray((), _INDEX), {})


def members(equation: Equation, devices: Axes) -> list[tuple[int, ...]]:
    """For each device, the devices that it communicates with, in order."""
    along = [name for name, _ in equation.params["axes"]]
    groups = equation.params.get("axis_index_groups")
    names = [name for name, _ in devices]
    sizes = [size for _, size in devices]
    numbers = {at: k for k, at in enumerate(itertools.product(*map(range, sizes)))}
    found = []
    for at in numbers:
        here = dict(zip(names, at, strict=True))
        own = here[along[0]]
        if groups is not None:
            group = next(g for g in groups if own in g)
            moves: Any = [(k,) for k in group]
        else:
            moves = itertools.product(*(range(sizes[names.index(n)]) for n in along))
        rows = [{**here, **dict(zip(along, move, strict=True))} for move in moves]
        found.append(tuple(numbers[tuple(row[n] for n in names)] for row in rows))
    return found


def _gathered(
    index: Sequence[Any], read: Any, stack: ShapedArray, *, dimension: int
) -> list[Piece]:
    size = max(1, stack.shape[dimension + 1])
    at = list(index)
    at[dimension] = index[dimension] % size
    return [Piece(0, (index[dimension] // size, *at))]


def _own_block(
    index: Sequence[Any],
    read: Any,
    x: ShapedArray,
    place: ShapedArray,
    *,
    dimension: int,
    count: int,
) -> list[Piece]:
    at = list(index)
    at[dimension] = _mine(read, count) * (x.shape[dimension] // count) + index[dimension]
    return [Piece(0, tuple(at))]


def _exchanged(
    index: Sequence[Any],
    read: Any,
    stack: ShapedArray,
    place: ShapedArray,
    *,
    split_axis: int,
    concat_axis: int,
) -> list[Piece]:
    count, *shape = stack.shape
    block = shape[split_axis] // count
    joined = max(1, block if split_axis == concat_axis else shape[concat_axis])
    at = list(index)
    at[concat_axis] = index[concat_axis] % joined
    at[split_axis] = at[split_axis] + _mine(read, count) * block
    return [Piece(0, (index[concat_axis] // joined, *at))]


def _mine(read: Any, count: int) -> Any:
    """Where this device stands: what the meeting `place` left."""
    return read(1, ()).clamp(0, count - 1)
