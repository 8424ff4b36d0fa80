"""Convolutions as sums of products over axes: how their operands lie in memory.

A convolution becomes a kernel that goes through its operands by steps. Where they do not lie in
memory as it wants them, they are copied first: the left array with its padding, the kernel with
what runs in lanes last.
"""

from __future__ import annotations

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
# each spatial dimension yk (places), kk (elements of the window) and rk (phases).
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
class Space:
    """A spatial dimension, with the left array's dilation dealt with.

    Either the left array is copied with `gaps` between its elements, or the output is made in so
    many interleaved `phases`, each with every so manieth element of the window:
    out[q * phases + r] is the sum over j of x[q + j - low] * window[j * phases + shift - r].

    `size` is of the array, `low` how much of what the windows see comes before it; `stride` is
    between windows, `step` between their elements.
    """

    size: int
    window: int
    places: int
    stride: int
    step: int
    low: int
    gaps: int
    phases: int
    shift: int

    @property
    def taps(self) -> int:
        """The elements of the window for one phase."""
        return (self.window - 1 - self.shift + self.phases - 1) // self.phases + 1

    @property
    def rounds(self) -> int:
        """The places of the window for one phase."""
        return -(-self.places // self.phases)

    @property
    def padded(self) -> int:
        return (self.rounds - 1) * self.stride + (self.taps - 1) * self.step + 1

    @property
    def is_plain(self) -> bool:
        """Whether the windows can look at the array where it is."""
        return self.low == 0 and self.gaps == 1 and self.padded <= self.size


def _space(
    size: int,
    window: int,
    places: int,
    steps: tuple[int, int],
    dilation: int,
    low: int,
) -> Space:
    stride, step = steps
    if dilation > 1 and stride == step == 1:
        whole, shift = divmod(low, dilation)
        return Space(size, window, places, 1, 1, whole, 1, dilation, shift)
    return Space(size, window, places, stride, step, low, dilation, 1, 0)


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


def planned(node: Node, target: Target) -> tiling.Plan:
    """How the kernel of a convolution goes through its operands."""
    machine = tiling.Machine(target.vector_bytes, target.registers)
    size = node.aval.dtype.itemsize
    return tiling.plan(node.params["axes"], size, machine, node.params["frame"])


def _zero(dtype: np.dtype[Any]) -> Literal:
    return Literal(dtype.type(0), ShapedArray((), dtype))


_LANES = 16  # features that make lanes of their own
_MANY = 16  # outputs, with those of the phases beside each other
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
        self.spaces = [
            _space(
                lhs.shape[lhs_spec[2 + k]],
                rhs.shape[rhs_spec[2 + k]],
                self.out.shape[out_spec[2 + k]],
                (p["window_strides"][k], p["rhs_dilation"][k]),
                p["lhs_dilation"][k],
                p["padding"][k][0],
            )
            for k in range(self.rank)
        ]
        places = tuple(f"y{k}" for k in range(self.rank))
        window = tuple(f"k{k}" for k in range(self.rank))
        # The dimensions of the three arrays as they lie in memory; go are groups and outputs.
        self.lhs_dims = _named(lhs_spec, ("n", "c", *places))
        self.rhs_dims = _named(rhs_spec, ("go", "c", *window))
        self.out_dims = _named(out_spec, ("n", "go", *places))
        self.phases = tuple(f"r{k}" for k, s in enumerate(self.spaces) if s.phases > 1)
        # With one input feature to a group, groups run in lanes.
        self.depthwise = self.features == 1 and self.groups > 1
        self.inner = ("o", "g") if self.depthwise else ("g", "o")

    def output(self) -> Node:
        left_order, right_order, out_order = self.orders()
        frame = self.frame(left_order)
        left = self.lhs if frame else self.left(left_order)
        right = self.right(right_order)
        whole = out_order == _split(self.out_dims)
        shape = tuple(self.extent(name, whole) for name in out_order)
        sizes = (1, *(room for _, room, _ in frame.dims)) if frame else left.shape
        left_steps = _steps(left_order, sizes)
        if frame:
            left_steps[left_order[0]] = math.prod(left.shape[1:])
        axes = self.axes(
            left_order[0],
            left_steps,
            _steps(right_order, tuple(self.extent(name) for name in right_order)),
            _steps(out_order, shape),
        )
        made = self.out if whole else ShapedArray(shape, self.out.dtype)
        params = {"axes": axes, "frame": frame}
        node = self.nodes.node(Convolve(), (left, right), made, params, self.equation)
        return node if whole else self.arranged(node, out_order)

    def extent(self, name: str, whole: bool = False) -> int:
        """The size of a dimension of what the kernel makes, or of the window.

        `whole` says that phases are not apart.
        """
        if name[0] in "ykr":
            s = self.spaces[int(name[1:])]
            places = s.places if whole else s.rounds
            return {"y": places, "k": s.taps, "r": s.phases}[name[0]]
        return {"n": self.batch, "c": self.features, "g": self.groups, "o": self.outputs}[name]

    # -- orders of dimensions, outermost first --

    def orders(self) -> tuple[Names, Names, Names]:
        """Of the left array, the window and the output."""
        places = tuple(name for name in self.lhs_dims if name[0] == "y")
        first, second = (name for name in self.lhs_dims if name[0] in "nc")
        window = tuple(f"k{name[1:]}" for name in places)
        right: Names = (*window, "c") if second == "c" else ("c", *window)
        right = (*right, *self.phases, *self.inner)
        if self.is_product_along(places):
            return self.lhs_dims, _split(self.rhs_dims), _split(self.out_dims)
        if self.has_few_outputs(places):
            if self.lhs_dims[-1] == "c" and self.features % _LANES == 0:
                # Features, which are summed over, run in lanes.
                rest = tuple(name for name in self.lhs_dims if name != "c")
                apart = (*self.phases, *self.inner)
                return self.lhs_dims, (*apart, *window, "c"), (*apart, *rest)
            out: Names = ("n", *self.phases, *self.inner, *places)
            return (first, second, *places), right, out
        left = self.lhs_dims if self.lhs_dims[-1] == second else (first, *places, second)
        out = (*(name for name in left if name != "c"), *self.phases, *self.inner)
        if self.is_in_order(self.rhs_dims) and not self.phases:
            right = _split(self.rhs_dims)
        # Tiles are transposed where the output's last dimension is one of space, and not small.
        along = first == "n" and self.out_dims[-1:] == places[-1:] and not self.phases
        if along or (self.is_in_order(self.out_dims) and self.are_phases_in_place()):
            out = _split(self.out_dims)
        return left, right, out

    def is_in_order(self, dims: Names) -> bool:
        """Whether an array that lies in memory like this has last what runs in lanes."""
        alike = not self.depthwise or self.outputs == 1
        return dims[-1] == "go" and alike

    def are_phases_in_place(self) -> bool:
        """Whether phases can be written where they belong in the output: they have equal sizes.

        Then those along a line and the outputs run in lanes, which must not be too few.
        """
        if not self.phases:
            return True
        lanes = self.outputs if self.groups > 1 else self.outputs * self.spaces[-1].phases
        lanes = self.groups if self.depthwise else lanes
        return lanes >= _MANY and all(s.places % s.phases == 0 for s in self.spaces)

    def is_product_along(self, places: Names) -> bool:
        """Whether windows are single elements, and places lie side by side in both arrays."""
        alike = self.lhs_dims[2:] == self.out_dims[2:] == places != ()
        single = all(s.taps == s.stride == s.phases == 1 and s.is_plain for s in self.spaces)
        return alike and single and self.out_dims[:2] == ("n", "go") and not self.depthwise

    def has_few_outputs(self, places: Names) -> bool:
        """Whether there are too few outputs for lanes, and enough places of the window."""
        if not places or self.depthwise:
            return False
        last = self.spaces[int(places[-1][1:])]
        outputs = self.outputs * math.prod(s.phases for s in self.spaces)
        return last.stride == 1 and outputs < _FEW and last.rounds >= _FEW

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
                where = at[f"y{k}"] - s.low
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
        if all(s.taps == 1 for s in self.spaces) or any(s.gaps > 1 for s in self.spaces):
            return None
        sizes = dict(zip(self.lhs_dims, self.lhs.shape, strict=True))
        dims = {name: (sizes[name], sizes[name], 0) for name in rest}
        dims |= {f"y{k}": (s.size, s.padded, s.low) for k, s in enumerate(self.spaces)}
        return tiling.Frame(tuple(dims[name] for name in rest))

    def right(self, order: Names) -> Node:
        """The window in an order of its dimensions, one for each phase."""
        if order == _split(self.rhs_dims):
            return self.rhs

        def pieces(index: Sequence[Any], read: Any, x: ShapedArray) -> list[Piece]:
            at = dict(zip(order, index, strict=True))
            inside: Any = True
            for k, s in enumerate(self.spaces):
                if s.phases > 1:
                    where = at[f"k{k}"] * s.phases + s.shift - at[f"r{k}"]
                    inside = inside & (where >= 0) & (where < s.window)
                    at[f"k{k}"] = where
            at["go"] = at["g"] * self.outputs + at["o"]
            found = tuple(at[name] for name in self.rhs_dims)
            return [Piece(0, found, inside), self.zero()]

        return self.view(self.rhs, [self.extent(name) for name in order], pieces)

    def arranged(self, made: Node, order: Names) -> Node:
        """The output from what the kernel makes."""

        def pieces(index: Sequence[Any], read: Any, x: ShapedArray) -> list[Piece]:
            at = dict(zip(self.out_dims, index, strict=True))
            for k, s in enumerate(self.spaces):
                if s.phases > 1:
                    at[f"r{k}"] = at[f"y{k}"] % s.phases
                    at[f"y{k}"] = at[f"y{k}"] // s.phases
            at["g"], at["o"] = at["go"] // self.outputs, at["go"] % self.outputs
            return [Piece(0, tuple(at[name] for name in order))]

        return self.view(made, self.out.shape, pieces)

    # -- axes --

    def axes(
        self, first: str, left: dict[str, int], right: dict[str, int], out: dict[str, int]
    ) -> tuple[tiling.Axis, ...]:
        """The loops, and their steps in the three arrays; that of the first dimension is first."""
        size = self.batch if self.grouped == "n" else self.features
        batch = tiling.Axis(self.batch, left["n"], 0, out["n"])
        features = tiling.Axis(self.features, left["c"], right["c"], 0)
        found = [features, batch] if first == "c" else [batch, features]
        found += [
            tiling.Axis(self.groups, left[self.grouped] * size, right["g"], out["g"]),
            tiling.Axis(self.outputs, 0, right["o"], out["o"]),
        ]
        for k, s in enumerate(self.spaces):
            seen, made = left[f"y{k}"], out[f"y{k}"]
            apart = out.get(f"r{k}")  # None where phases are interleaved in the output
            between = made if apart else made * s.phases
            found.append(tiling.Axis(s.rounds, seen * s.stride, 0, between))
            found.append(tiling.Axis(s.taps, seen * s.step, right[f"k{k}"], 0))
            if s.phases > 1:
                found.append(tiling.Axis(s.phases, 0, right[f"r{k}"], apart or made))
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
