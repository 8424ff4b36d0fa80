"""One program for many devices: staging with named axes in scope, and running it for all of them.

The program of a device is staged once, with the shapes that one device sees; along the named axes
it communicates by the operators of `ops.collective`. Run as a batch over these axes, it computes
what all devices compute together, which is its meaning.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from ..core.avals import ShapedArray
from ..core.axes import Axes, AxesTrace, named_size
from ..core.jaxpr import ClosedJaxpr, Jaxpr
from ..core.trace import Trace, active, aval_of, current_trace
from ..ops.slicing import slice_
from ..ops.structural import moveaxis, squeeze
from .batching import batch_flat, to_front
from .evaluate import evaluate_program
from .rewrite import remembered
from .staging import stage


def in_scope(axes: Axes, exact: bool = False) -> active:
    """A block in which the named axes are in scope, for staging programs of one device."""
    return active(AxesTrace(current_trace(), axes, exact))


def devices_around() -> int:
    """How many devices the program being staged runs on."""
    count = 1
    at: Trace | None = current_trace()
    while at is not None:
        if isinstance(at, AxesTrace):
            count *= math.prod(size for _, size in at.bound)
        at = at.parent
    return count


def stage_for_devices(
    function: Callable[..., Sequence[Any]],
    avals: Sequence[ShapedArray],
    axes: Axes,
    name: str = "f",
    arg_names: Sequence[str | None] | None = None,
    exact: bool = False,
) -> ClosedJaxpr:
    """The program of one device: `avals` are what it sees of the arguments."""
    with in_scope(axes, exact):
        return stage(function, avals, name, arg_names)


def on_all_devices(
    program: Jaxpr,
    axes: Axes,
    values: Sequence[Any],
    in_axes: Sequence[tuple[int, ...]],
    out_axes: Sequence[tuple[int, ...]],
) -> list[Any]:
    """The outputs of a program without constants, run on every device.

    Args:
        axes: the named axes along which the devices lie, major to minor.
        values: the inputs; those of an input that differs between devices lie in leading
            dimensions, one for each position of `axes` that its `in_axes` names, in order.
        out_axes: the same for outputs. Along an axis that is not named the first device's output
            is taken.
    """

    def run(depth: int, given: Sequence[Any]) -> list[Any]:
        if depth == len(axes):
            return evaluate_program(program, (), given)
        name, size = axes[depth]
        dims = [0 if depth in which else None for which in in_axes]
        outs, found = batch_flat(
            lambda *xs: run(depth + 1, xs), named_size(size, name), given, dims
        )
        return [
            _placed(size, y, d, depth, which)
            for y, d, which in zip(outs, found, out_axes, strict=True)
        ]

    return run(0, values)


def _placed(size: int, y: Any, dim: int | None, depth: int, which: tuple[int, ...]) -> Any:
    """An output with its device dimension in front if it is to have one."""
    if depth in which:
        return to_front(size, y, dim)
    return y if dim is None else _first(moveaxis(y, dim, 0))


def _first(x: Any) -> Any:
    shape = aval_of(x).shape
    row = slice_(
        x,
        start_indices=(0,) * len(shape),
        limit_indices=(1, *shape[1:]),
        strides=None,
    )
    return squeeze(row, dimensions=(0,))


def program_for_all(
    program: Jaxpr,
    axes: Axes,
    in_axes: Sequence[tuple[int, ...]],
    out_axes: Sequence[tuple[int, ...]],
) -> Jaxpr:
    """The program that `on_all_devices` runs, remembered for each program."""

    def build() -> Jaxpr:
        avals = [
            a.update(shape=(*(axes[k][1] for k in which), *a.shape))
            for a, which in zip(program.in_avals, in_axes, strict=True)
        ]
        staged = stage(
            lambda *xs: on_all_devices(program, axes, xs, in_axes, out_axes), avals, program.name
        )
        if staged.consts:
            raise AssertionError(f"program {program.name} must not close over values")
        return staged.jaxpr

    key = ("all devices", axes, tuple(in_axes), tuple(out_axes))
    found: Jaxpr = remembered(program, key, build)
    return found


def varying(
    program: Jaxpr, axes: Axes, in_axes: Sequence[tuple[int, ...]]
) -> list[tuple[int, ...]]:
    """For each output, the positions in `axes` of those along which it may differ."""

    def build() -> list[tuple[int, ...]]:
        found: list[set[int]] = [set() for _ in program.outvars]

        def run(depth: int, given: Sequence[Any]) -> list[Any]:
            if depth == len(axes):
                return evaluate_program(program, (), given)
            name, size = axes[depth]
            dims = [0 if depth in which else None for which in in_axes]
            outs, out_dims = batch_flat(
                lambda *xs: run(depth + 1, xs), named_size(size, name), given, dims
            )
            for place, dim in zip(found, out_dims, strict=True):
                if dim is not None:
                    place.add(depth)
            return [
                y if d is None else _first(moveaxis(y, d, 0))
                for y, d in zip(outs, out_dims, strict=True)
            ]

        avals = [
            a.update(shape=(*(axes[k][1] for k in which), *a.shape))
            for a, which in zip(program.in_avals, in_axes, strict=True)
        ]
        stage(lambda *xs: run(0, xs), avals, program.name)
        return [tuple(sorted(places)) for places in found]

    result: list[tuple[int, ...]] = remembered(program, ("varying", axes, tuple(in_axes)), build)
    return result
