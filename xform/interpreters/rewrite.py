"""Transformations of programs: the derivative, the batch, the linear part of a `Jaxpr`.

Each is the interpreter of the same name run under staging, remembered for each program.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from ..core.axes import axis_name
from ..core.jaxpr import ClosedJaxpr, Jaxpr, hoist_constants, live_equations, make
from ..core.primitive import Zero
from ..core.trace import Tracer
from .batching import batch_flat, to_front
from .evaluate import evaluate_program
from .forward import instantiate, jvp_flat
from .partial import Split, split_program
from .reverse import transpose_flat
from .staging import stage


class Derived(NamedTuple):
    """A program made from another.

    `consts` are the values of its leading inputs: arrays that rules of the user's own close over.
    `flags` say of each result of the other program whether it has a counterpart in this one.
    """

    program: Jaxpr
    consts: tuple[Any, ...]
    flags: tuple[bool, ...]


def _derived(staged: ClosedJaxpr, flags: Sequence[bool]) -> Derived:
    return Derived(hoist_constants(staged.jaxpr), staged.consts, tuple(flags))


_memory: WeakKeyDictionary[Any, dict[Any, Any]] = WeakKeyDictionary()


def remembered(program: Jaxpr, key: tuple[Any, ...], build: Callable[[], Any]) -> Any:
    """The result of `build`, kept as long as the program lives. Keys must not hold the program."""
    found = _memory.setdefault(program, {})
    if key in found:
        return found[key]
    made = build()
    # Values of a transformation that is running now are of no use later.
    if not (isinstance(made, Derived) and any(isinstance(c, Tracer) for c in made.consts)):
        found[key] = made
    return made


def jvp_program(program: Jaxpr, nonzero: Sequence[bool]) -> Derived:
    """The program (primals, nonzero tangents) -> (outputs, nonzero tangents), and which are so."""

    def build() -> Derived:
        avals = program.in_avals
        count = len(avals)
        flags: list[bool] = []

        def function(*args: Any) -> list[Any]:
            given = iter(args[count:])
            tangents = [
                next(given) if nz else Zero(a.tangent())
                for a, nz in zip(avals, nonzero, strict=True)
            ]
            outs, out_tangents = jvp_flat(
                lambda *xs: evaluate_program(program, (), xs), args[:count], tangents
            )
            flags.extend(not isinstance(t, Zero) for t in out_tangents)
            return [*outs, *(t for t in out_tangents if not isinstance(t, Zero))]

        extra = [a.strong() for a, nz in zip(avals, nonzero, strict=True) if nz]
        staged = stage(function, [*avals, *extra], program.name)
        return _derived(staged, flags)

    found: Derived = remembered(program, ("jvp", tuple(nonzero)), build)
    return found


def batch_program(program: Jaxpr, size: int, batched: Sequence[bool]) -> Derived:
    """The program over a leading axis of the batched inputs, and which outputs have it.

    The size is a `NamedSize` where the axis has a name.
    """

    def build() -> Derived:
        flags: list[bool] = []

        def function(*args: Any) -> list[Any]:
            dims = [0 if b else None for b in batched]
            outs, out_dims = batch_flat(
                lambda *xs: evaluate_program(program, (), xs), size, args, dims
            )
            flags.extend(d is not None for d in out_dims)
            return [
                y if d is None else to_front(size, y, d)
                for y, d in zip(outs, out_dims, strict=True)
            ]

        avals = [
            a.update(shape=(int(size), *a.shape)) if b else a
            for a, b in zip(program.in_avals, batched, strict=True)
        ]
        return _derived(stage(function, avals, program.name), flags)

    key = ("batch", int(size), axis_name(size), tuple(batched))
    found: Derived = remembered(program, key, build)
    return found


def split(program: Jaxpr, unknown: Sequence[bool]) -> Split:
    """`split_program`, remembered."""
    found: Split = remembered(
        program, ("split", tuple(unknown)), lambda: split_program(program, unknown)
    )
    return found


def transpose_program(program: Jaxpr, linear: Sequence[bool], nonzero: Sequence[bool]) -> Derived:
    """The program (other inputs, nonzero cotangents) -> nonzero cotangents of linear inputs."""

    def build() -> Derived:
        avals = program.in_avals
        others = [a for a, flag in zip(avals, linear, strict=True) if not flag]
        ct_avals = [a.strong() for a, nz in zip(program.out_avals, nonzero, strict=True) if nz]
        flags: list[bool] = []

        def function(*args: Any) -> list[Any]:
            rest = iter(args[: len(others)])
            given = iter(args[len(others) :])
            inputs = [None if flag else next(rest) for flag in linear]
            cts = [
                next(given) if nz else Zero(a)
                for a, nz in zip(program.out_avals, nonzero, strict=True)
            ]
            result = transpose_flat(program, linear, inputs, cts)
            flags.extend(not isinstance(ct, Zero) for ct in result)
            return [ct for ct in result if not isinstance(ct, Zero)]

        staged = stage(function, [*others, *ct_avals], program.name)
        return _derived(staged, flags)

    key = ("transpose", tuple(linear), tuple(nonzero))
    found: Derived = remembered(program, key, build)
    return found


def keep_outputs(program: Jaxpr, wanted: Sequence[bool]) -> Jaxpr:
    """The program with some of its outputs, and without what only the others need."""

    def build() -> Jaxpr:
        outvars = [v for v, w in zip(program.outvars, wanted, strict=True) if w]
        equations = live_equations(program, wanted)
        return make(program.constvars, program.invars, equations, outvars, program.name)

    found: Jaxpr = remembered(program, ("keep", tuple(wanted)), build)
    return found


__all__ = [
    "batch_program",
    "instantiate",
    "jvp_program",
    "keep_outputs",
    "remembered",
    "split",
    "transpose_program",
]
