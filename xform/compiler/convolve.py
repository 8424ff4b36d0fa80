"""Convolutions as sums of products over axes: how their operands lie in memory.

A convolution becomes a kernel that goes through its operands by steps. Where they do not lie in
memory as it wants them, they are copied first: the left array with its padding, the kernel with
what runs in lanes last.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from .._kernels import tiling
from ..core.avals import ShapedArray
from ..core.jaxpr import Equation, Literal
from ..core.loops import Convolve, Generate, Map, Piece, View
from .loop_graph import Node, Scalar
from .target import Target

# Dimensions are called n, c (input features), g (groups), o (output features of a group), and for
# each spatial dimension yk (places) and kk (elements of the window).
Names = tuple[str, ...]


class Nodes(Protocol):
    """What makes the nodes of an equation."""

    def node(
        self,
        loop: Any,
        inputs: Sequence[Node],
        aval: ShapedArray,
        params: Any,
        equation: Equation | None = None,
    ) -> Node: ...

    def converted(self, x: Node, dtype: np.dtype[Any], equation: Equation) -> Node: ...


@dataclass(frozen=True)
class Phase:
    """Places of a window, every so manieth from `first` on, which see the same elements of it.

    Those are as far apart, from `element` on. The first place looks at the array from `start` on,
    counted from where the first place of all phases does.
    """

    first: int
    places: int
    element: int
    taps: int
    start: int


@dataclass(frozen=True)
class Space:
    """A spatial dimension.

    `size` is of the array, `low` its padding in front; `stride` is between windows, `step` between
    their elements. The array's dilation is either `gaps`, with which it is copied, or `apart`, the
    distance of the places that see the same elements of the window.
    """

    size: int
    window: int
    places: int
    low: int
    stride: int
    step: int
    gaps: int
    apart: int

    @property
    def before(self) -> int:
        """How many elements of what the windows see come before the array."""
        return self.low // self.apart

    @property
    def phases(self) -> list[Phase]:
        """The parts that the output is made in.

        out[q * apart + first] is the sum over j of window[j * apart + element] times the array,
        with what is before it, at q + j + start.
        """
        found = []
        for r in range(min(self.apart, self.places)):
            before, element = divmod(self.low - r, self.apart)
            places = -(-(self.places - r) // self.apart)
            taps = max(0, -(-(self.window - element) // self.apart))
            found.append(Phase(r, places, element, taps, self.before - before))
        return found

    @property
    def padded(self) -> int:
        """How much of the array and the zeros around it the windows see."""
        ends = [
            p.start + (p.places - 1) * self.stride + (p.taps - 1) * self.step + 1
            for p in self.phases
            if p.taps
        ]
        return max(ends, default=1)

    @property
    def is_plain(self) -> bool:
        """Whether the windows can look at the array where it is."""
        return self.before == 0 and self.gaps == 1 and self.padded <= self.size


def convolution(nodes: Nodes, equation: Equation, operands: Sequence[Node], dtype: Any) -> Node:
    """The node of a convolution's output; sums are in `dtype`."""
    lhs, rhs = (nodes.converted(x, dtype, equation) for x in operands)
    out = equation.outputs[0].aval
    if 0 in (*lhs.shape, *rhs.shape, *out.shape):
        whole = View(lambda index, read, x: [Piece(_zero(dtype), ())])
        found = nodes.node(whole, (lhs,), ShapedArray(out.shape, dtype), {}, equation)
    else:
        found = _Convolution(nodes, equation, lhs, rhs, dtype).output()
    return nodes.converted(found, out.dtype, equation)


def planned(node: Node, target: Target) -> list[tiling.Plan]:
    """How the kernel of a convolution goes through its operands, for each part of its output."""
    machine = tiling.Machine(target.vector_bytes, target.registers)
    size, frame = node.aval.dtype.itemsize, node.params["frame"]
    return [tiling.plan(part, size, machine, frame) for part in node.params["parts"]]


def _zero(dtype: np.dtype[Any]) -> Literal:
    return Literal(dtype.type(0), ShapedArray((), dtype))


_LANES = 16  # features that make lanes of their own
_FEW = 8  # outputs that are too few for lanes, and places that are enough


class _Convolution:
    """One equation. `features` and `outputs` are those of a group."""

    def __init__(
        self, nodes: Nodes, equation: Equation, lhs: Node, rhs: Node, dtype: np.dtype[Any]
    ) -> None:
        p = equation.params
        lhs_spec, rhs_spec, out_spec = p["dimension_numbers"]
        self.nodes, self.equation, self.lhs, self.rhs = nodes, equation, lhs, rhs
        self.out = ShapedArray(equation.outputs[0].aval.shape, dtype)
        self.rank = len(lhs_spec) - 2
        self.grouped = "n" if p["batch_group_count"] > 1 else "c"
        self.groups = p["feature_group_count"] * p["batch_group_count"]
        self.features = rhs.shape[rhs_spec[1]]
        self.outputs = rhs.shape[rhs_spec[0]] // self.groups
        self.batch = self.out.shape[out_spec[0]]
        self.spaces = []
        for k in range(self.rank):
            stride, step = p["window_strides"][k], p["rhs_dilation"][k]
            dilation = p["lhs_dilation"][k]
            gaps, apart = (1, dilation) if stride == step == 1 else (dilation, 1)
            sizes = (lhs.shape[lhs_spec[2 + k]], rhs.shape[rhs_spec[2 + k]])
            places = self.out.shape[out_spec[2 + k]]
            low = p["padding"][k][0]
            self.spaces.append(Space(*sizes, places, low, stride, step, gaps, apart))
        space = tuple(f"y{k}" for k in range(self.rank))
        window = tuple(f"k{k}" for k in range(self.rank))
        # The dimensions of the three arrays as they lie in memory; go are groups and outputs.
        self.lhs_dims = _named(lhs_spec, ("n", "c", *space))
        self.rhs_dims = _named(rhs_spec, ("go", "c", *window))
        self.out_dims = _named(out_spec, ("n", "go", *space))
        self.in_phases = any(s.apart > 1 for s in self.spaces)
        # With one input feature to a group, groups run in lanes.
        self.depthwise = self.features == 1 and self.groups > 1
        self.inner = ("o", "g") if self.depthwise else ("g", "o")

    def output(self) -> Node:
        left_order, right_order, out_order = self.orders()
        frame = self.frame(left_order)
        left = self.lhs if frame else self.left(left_order)
        right = self.right(right_order)
        shape = tuple(self.extent(name) for name in out_order)
        sizes = (1, *(room for _, room, _ in frame.dims)) if frame else left.shape
        left_steps = _steps(left_order, sizes)
        if frame:
            left_steps[left_order[0]] = math.prod(left.shape[1:])
        right_steps = _steps(right_order, tuple(self.extent(name) for name in right_order))
        parts = self.parts(left_order[0], left_steps, right_steps, _steps(out_order, shape))
        whole = out_order == _split(self.out_dims)
        made = self.out if whole else ShapedArray(shape, self.out.dtype)
        params = {"parts": parts, "frame": frame}
        node = self.nodes.node(Convolve(), (left, right), made, params, self.equation)
        return node if whole else self.arranged(node, out_order)

    def extent(self, name: str) -> int:
        """The size of a dimension of the output or the window."""
        if name[0] in "yk":
            s = self.spaces[int(name[1:])]
            return s.places if name[0] == "y" else s.window
        return {"n": self.batch, "c": self.features, "g": self.groups, "o": self.outputs}[name]

    # -- orders of dimensions, outermost first --

    def orders(self) -> tuple[Names, Names, Names]:
        """Of the left array, the window and the output."""
        places = tuple(name for name in self.lhs_dims if name[0] == "y")
        first, second = (name for name in self.lhs_dims if name[0] in "nc")
        window = tuple(f"k{name[1:]}" for name in places)
        right: Names = (*window, "c") if second == "c" else ("c", *window)
        left = self.lhs_dims if self.lhs_dims[-1] == second else (first, *places, second)
        rest = tuple(name for name in left if name != "c")
        out: Names = (*rest, *self.inner)
        if self.is_product_along(places):
            return self.lhs_dims, _split(self.rhs_dims), _split(self.out_dims)
        if self.has_few_outputs(places):
            if (
                second == "c"
                and self.features % _LANES == 0
                and (self.in_phases or left == self.lhs_dims)
            ):
                # Features, which are summed over, run in lanes.
                return left, (*self.inner, *window, "c"), (*self.inner, *rest)
            if not self.in_phases:
                return (first, second, *places), (*right, *self.inner), ("n", *self.inner, *places)
        right = (*right, *self.inner)
        if self.is_in_order(self.rhs_dims):
            right = _split(self.rhs_dims)
        # Tiles are transposed where the output's last dimension is one of space, and not small.
        along = first == "n" and self.out_dims[-1:] == places[-1:] and not self.in_phases
        if along or self.is_in_order(self.out_dims):
            out = _split(self.out_dims)
        return left, right, out

    def is_in_order(self, dims: Names) -> bool:
        """Whether an array that lies in memory like this has last what runs in lanes."""
        alike = not self.depthwise or self.outputs == 1
        return dims[-1] == "go" and alike

    def is_product_along(self, places: Names) -> bool:
        """Whether windows are single elements, and places lie side by side in both arrays."""
        alike = self.lhs_dims[2:] == self.out_dims[2:] == places != ()
        single = all(s.window == s.stride == s.apart == 1 and s.is_plain for s in self.spaces)
        return alike and single and self.out_dims[:2] == ("n", "go") and not self.depthwise

    def has_few_outputs(self, places: Names) -> bool:
        """Whether there are too few outputs for lanes, and enough places of the window."""
        if not places or self.depthwise:
            return False
        last = self.spaces[int(places[-1][1:])]
        return last.stride == 1 and self.outputs < _FEW and last.places >= _FEW

    # -- arrays --

    def view(self, x: Node, shape: Sequence[int], pieces: Any) -> Node:
        aval = ShapedArray(tuple(shape), x.aval.dtype)
        return self.nodes.node(View(pieces), (x,), aval, {}, self.equation)

    def zero(self) -> Piece:
        return Piece(_zero(self.out.dtype), ())

    def left(self, order: Names) -> Node:
        """The left array in an order of its dimensions, with what the windows see around it."""
        plain = all(s.is_plain for s in self.spaces)
        if plain and order == self.lhs_dims:
            return self.lhs
        sizes = dict(zip(self.lhs_dims, self.lhs.shape, strict=True))
        if not plain:
            sizes |= {f"y{k}": s.padded for k, s in enumerate(self.spaces)}

        def pieces(index: Sequence[Any], read: Any, x: ShapedArray) -> list[Piece]:
            at = dict(zip(order, index, strict=True))
            inside: Any = True
            for k, s in enumerate(self.spaces):
                where = at[f"y{k}"] - s.before
                inside = inside & (where >= 0) & (where <= (s.size - 1) * s.gaps)
                if s.gaps > 1:
                    inside = inside & (where % s.gaps == 0)
                at[f"y{k}"] = where // s.gaps
            found = tuple(at[name] for name in self.lhs_dims)
            return [Piece(0, found, inside), self.zero()]

        return self.view(self.lhs, [sizes[name] for name in order], pieces)

    def frame(self, order: Names) -> tiling.Frame | None:
        """The room for one part of the left array after the other, instead of a copy of it all.

        None if the array is read where it is, or has to be put in another order, or if it is made
        on the way to the copy.
        """
        first, *rest = order
        made = isinstance(self.lhs.loop, View | Map | Generate | Scalar)
        if made or order != self.lhs_dims or first not in "nc" or self.lhs.shape[0] == 1:
            return None
        if self.groups > 1 and first == self.grouped:
            return None
        if first == "c" and self.out.size > math.prod(self.lhs.shape[1:]):
            return None  # the output would be gone through for each part
        if all(s.window == 1 for s in self.spaces) or any(s.gaps > 1 for s in self.spaces):
            return None
        sizes = dict(zip(self.lhs_dims, self.lhs.shape, strict=True))
        dims = {name: (sizes[name], sizes[name], 0) for name in rest}
        dims |= {f"y{k}": (s.size, s.padded, s.before) for k, s in enumerate(self.spaces)}
        return tiling.Frame(tuple(dims[name] for name in rest))

    def right(self, order: Names) -> Node:
        """The window in an order of its dimensions."""
        if order == _split(self.rhs_dims):
            return self.rhs

        def pieces(index: Sequence[Any], read: Any, x: ShapedArray) -> list[Piece]:
            at = dict(zip(order, index, strict=True))
            at["go"] = at["g"] * self.outputs + at["o"]
            return [Piece(0, tuple(at[name] for name in self.rhs_dims))]

        return self.view(self.rhs, [self.extent(name) for name in order], pieces)

    def arranged(self, made: Node, order: Names) -> Node:
        """The output from what the kernel makes."""

        def pieces(index: Sequence[Any], read: Any, x: ShapedArray) -> list[Piece]:
            at = dict(zip(self.out_dims, index, strict=True))
            at["g"], at["o"] = at["go"] // self.outputs, at["go"] % self.outputs
            return [Piece(0, tuple(at[name] for name in order))]

        return self.view(made, self.out.shape, pieces)

    # -- axes --

    def parts(
        self, first: str, left: dict[str, int], right: dict[str, int], out: dict[str, int]
    ) -> tuple[tiling.Part, ...]:
        """The loops, and their steps in the three arrays, for each choice of phases.

        The axis of the first dimension of the left array is first.
        """
        size = self.batch if self.grouped == "n" else self.features
        batch = tiling.Axis(self.batch, left["n"], 0, out["n"])
        features = tiling.Axis(self.features, left["c"], right["c"], 0)
        common = [features, batch] if first == "c" else [batch, features]
        common += [
            tiling.Axis(self.groups, left[self.grouped] * size, right["g"], out["g"]),
            tiling.Axis(self.outputs, 0, right["o"], out["o"]),
        ]
        found = []
        for phases in itertools.product(*(s.phases for s in self.spaces)):
            if not all(p.taps for p in phases):
                continue
            axes = list(common)
            start = [0, 0, 0]
            for k, (s, p) in enumerate(zip(self.spaces, phases, strict=True)):
                steps = left[f"y{k}"], right[f"k{k}"], out[f"y{k}"]
                axes.append(tiling.Axis(p.places, steps[0] * s.stride, 0, steps[2] * s.apart))
                axes.append(tiling.Axis(p.taps, steps[0] * s.step, steps[1] * s.apart, 0))
                moved = zip(start, (p.start, p.element, p.first), steps, strict=True)
                start = [at + by * step for at, by, step in moved]
            found.append(tiling.Part(tuple(axes), (start[0], start[1], start[2])))
        return tuple(found)


def _named(spec: Sequence[int], names: Names) -> Names:
    """The names of dimensions in the order in which they lie in memory."""
    return tuple(name for _, name in sorted(zip(spec, names, strict=True)))


def _split(dims: Names) -> Names:
    """With the groups of the output features as a dimension."""
    return tuple(part for name in dims for part in (("g", "o") if name == "go" else (name,)))


def _steps(order: Names, shape: Sequence[int]) -> dict[str, int]:
    """By how many elements each dimension of an array moves."""
    found = {}
    step = 1
    for name, extent in zip(reversed(order), reversed(shape), strict=True):
        found[name] = step
        step *= extent
    return found
