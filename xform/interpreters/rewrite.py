"""Transformations of programs: the derivative, the batch, the linear part of a `Jaxpr`.

Each is the interpreter of the same name run under staging, remembered for each program.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from .. import errors
from ..config import config
from ..core.avals import ShapedArray
from ..core.axes import axis_name
from ..core.jaxpr import (
    Atom,
    ClosedJaxpr,
    Equation,
    Jaxpr,
    Var,
    hoist_constants,
    live_equations,
    make,
)
from ..core.loops import Inline
from ..core.primitive import Zero
from ..core.timing import measured
from ..core.trace import Tracer
from .batching import batch_flat, to_front
from .evaluate import evaluate_program
from .forward import instantiate, jvp_flat
from .partial import Split, compute_again, split_program
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
    key = (config.code_key(), *key)
    if key in found:
        return found[key]
    with measured("transform"):
        made = build()
    # Values of a transformation that is running now are of no use later.
    if not (isinstance(made, Derived) and any(isinstance(c, Tracer) for c in made.consts)):
        found[key] = made
    return made


def jvp_program(
    program: Jaxpr, nonzero: Sequence[bool], wanted: Sequence[bool] | None = None
) -> Derived:
    """The program (primals, nonzero tangents) -> (outputs, nonzero tangents), and which are so.

    `wanted` are the outputs whose tangent is an array even if it is zero.
    """
    forced = _flags(wanted, program.outvars)

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
            some = [instantiate(t) if f else t for t, f in zip(out_tangents, forced, strict=True)]
            flags.extend(not isinstance(t, Zero) for t in some)
            return [*outs, *(t for t in some if not isinstance(t, Zero))]

        extra = [a.strong() for a, nz in zip(avals, nonzero, strict=True) if nz]
        staged = stage(function, [*avals, *extra], program.name)
        return _derived(staged, flags)

    found: Derived = remembered(program, ("jvp", tuple(nonzero), forced), build)
    return found


def batch_program(
    program: Jaxpr,
    size: int,
    batched: Sequence[bool],
    wanted: Sequence[bool] | None = None,
) -> Derived:
    """The program over a leading axis of the batched inputs, and which outputs have it.

    The size is a `NamedSize` where the axis has a name. `wanted` are the outputs that get the axis
    also where all its elements are equal.
    """
    forced = _flags(wanted, program.outvars)

    def build() -> Derived:
        flags: list[bool] = []

        def function(*args: Any) -> list[Any]:
            dims = [0 if b else None for b in batched]
            outs, out_dims = batch_flat(
                lambda *xs: evaluate_program(program, (), xs), size, args, dims
            )
            flags.extend(d is not None or f for d, f in zip(out_dims, forced, strict=True))
            return [
                to_front(size, y, d) if f else y
                for y, d, f in zip(outs, out_dims, flags, strict=True)
            ]

        avals = [
            a.update(shape=(int(size), *a.shape)) if b else a
            for a, b in zip(program.in_avals, batched, strict=True)
        ]
        return _derived(stage(function, avals, program.name), flags)

    key = ("batch", int(size), axis_name(size), tuple(batched), forced)
    found: Derived = remembered(program, key, build)
    return found


def split(program: Jaxpr, unknown: Sequence[bool], wanted: Sequence[bool] | None = None) -> Split:
    """`split_program`, remembered. `wanted` are the outputs that count as unknown in any case."""
    forced = _flags(wanted, program.outvars)
    found: Split = remembered(
        program, ("split", tuple(unknown), forced), lambda: split_program(program, unknown, forced)
    )
    return found


def split_again(
    program: Jaxpr, unknown: Sequence[bool], policy: Callable[..., Any] | None
) -> Split:
    """The split of a program that computes again what the policy does not keep, remembered."""

    def keeps(equation: Equation) -> bool:
        if policy is None:
            return False
        avals = [a.aval for a in equation.inputs]
        answer = policy(equation.primitive, *avals, **equation.params)
        if answer not in (True, False):
            raise errors.ArgumentError(
                "expected a checkpoint policy to return True or False",
                repr(answer),
                instead="a policy of xform.checkpoint_policies",
            )
        return bool(answer)

    def build() -> Split:
        found = split(program, unknown)
        return compute_again(replace(found, known=without_calls(found.known)), keeps)

    again: Split = remembered(program, ("split again", tuple(unknown), policy), build)
    return again


def without_calls(program: Jaxpr) -> Jaxpr:
    """The program with the programs of plain calls in their places."""
    equations: list[Equation] = []

    def run(inner: Jaxpr, env: dict[Atom, Atom]) -> list[Atom]:
        for equation in inner.equations:
            inputs = tuple(env.get(a, a) for a in equation.inputs)
            row = equation.primitive
            if row.lower == Inline("jaxpr") and row.staged is None:
                called: Jaxpr = equation.params["jaxpr"]
                outs = run(called, dict(zip(called.invars, inputs, strict=True)))
            else:
                outs = [Var(v.aval) for v in equation.outputs]
                equations.append(equation.replace(inputs=inputs, outputs=tuple(outs)))
            env.update(zip(equation.outputs, outs, strict=True))
        return [env.get(a, a) for a in inner.outvars]

    outvars = run(program, {})
    return make(program.constvars, program.invars, equations, outvars, program.name)


def transpose_program(
    program: Jaxpr,
    linear: Sequence[bool],
    nonzero: Sequence[bool],
    wanted: Sequence[bool] | None = None,
) -> Derived:
    """The program (other inputs, nonzero cotangents) -> nonzero cotangents of linear inputs.

    `wanted` are the linear inputs whose cotangent is an array even if it is zero.
    """
    forced = _flags(wanted, [flag for flag in linear if flag])

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
            result = [
                instantiate(ct) if f else ct
                for ct, f in zip(transpose_flat(program, linear, inputs, cts), forced, strict=True)
            ]
            flags.extend(not isinstance(ct, Zero) for ct in result)
            return [ct for ct in result if not isinstance(ct, Zero)]

        staged = stage(function, [*others, *ct_avals], program.name)
        return _derived(staged, flags)

    key = ("transpose", tuple(linear), tuple(nonzero), forced)
    found: Derived = remembered(program, key, build)
    return found


def transposed_map(program: Jaxpr, fixed: int) -> Derived:
    """The transpose of a program that is linear in all inputs together but the first `fixed`.

    It maps the fixed inputs and one cotangent per output to one cotangent per linear input. Raises
    `GradError` if the program is not linear.
    """

    def build() -> Derived:
        count = len(program.invars)
        derived = jvp_program(program, [k >= fixed for k in range(count)])
        start = len(derived.consts)
        unknown = [k >= start + count for k in range(len(derived.program.invars))]
        found = split(derived.program, unknown)
        known = _at_any_point(program, found, start + fixed)
        linear = [
            k >= len(found.forwarded) + found.residuals for k in range(len(found.later.invars))
        ]

        def function(*args: Any) -> list[Any]:
            given = [*derived.consts, *args[:fixed]]
            residuals = evaluate_program(known, (), given)
            inputs = [*(given[k] for k in found.forwarded), *residuals]
            inputs += [None] * (count - fixed)
            cts = [ct for ct, f in zip(args[fixed:], derived.flags, strict=True) if f]
            cts = [
                ct
                for ct, u in zip(cts, found.out_unknown[len(program.outvars) :], strict=True)
                if u
            ]
            return [instantiate(ct) for ct in transpose_flat(found.later, linear, inputs, cts)]

        avals = [*program.in_avals[:fixed], *(a.strong() for a in program.out_avals)]
        return _derived(stage(function, avals, program.name), [True] * (count - fixed))

    found: Derived = remembered(program, ("transposed", fixed), build)
    return found


def _at_any_point(program: Jaxpr, found: Split, primals: int) -> Jaxpr:
    """The residuals of the derivative of a linear program, from its inputs before `primals`.

    Raises `GradError` if one depends on a primal.
    """
    known = found.known
    moving = set(known.invars[primals:])
    for equation in known.equations:
        if any(v in moving for v in equation.inputs):
            moving.update(equation.outputs)
    residuals = known.outvars[len(known.outvars) - found.residuals :]
    needed = [*(known.invars[k] for k in found.forwarded), *residuals]
    for atom, var in zip(needed, found.later.invars, strict=False):
        if atom in moving:
            user = next(e for e in found.later.equations if var in e.inputs)
            raise errors.GradError(
                f"expected a linear function to transpose, and {program.name} is none",
                f"a derivative by {user.primitive}, at {user.source.text}",
                why="its derivative depends on the point at which it is taken",
                instead="xform.vjp, which transposes the derivative at a point",
            )
    kept = make((), known.invars[:primals], known.equations, residuals, known.name)
    return kept.replace(equations=tuple(live_equations(kept)))


def keep_outputs(program: Jaxpr, wanted: Sequence[bool]) -> Jaxpr:
    """The program with some of its outputs, and without what only the others need."""

    def build() -> Jaxpr:
        outvars = [v for v, w in zip(program.outvars, wanted, strict=True) if w]
        equations = live_equations(program, wanted)
        return make(program.constvars, program.invars, equations, outvars, program.name)

    found: Jaxpr = remembered(program, ("keep", tuple(wanted)), build)
    return found


def rearranged(
    program: Jaxpr, inputs: Sequence[int | ShapedArray], outputs: Sequence[int] | None = None
) -> Jaxpr:
    """The program with other inputs and outputs.

    Args:
        inputs: for each input of the new program the position it had, or the type of one that is
            not used. Inputs that are left out must not be needed.
        outputs: the positions of the outputs, all of them if not given.
    """
    kept = range(len(program.outvars)) if outputs is None else outputs

    def build() -> Jaxpr:
        invars = [program.invars[p] if isinstance(p, int) else Var(p) for p in inputs]
        outvars = [program.outvars[p] for p in kept]
        whole = make((), program.invars, program.equations, outvars, program.name)
        return make((), invars, live_equations(whole), outvars, program.name)

    found: Jaxpr = remembered(program, ("rearranged", tuple(inputs), tuple(kept)), build)
    return found


def _flags(wanted: Sequence[bool] | None, of: Sequence[Any]) -> tuple[bool, ...]:
    return (False,) * len(of) if wanted is None else tuple(wanted)


__all__ = [
    "batch_program",
    "instantiate",
    "jvp_program",
    "keep_outputs",
    "rearranged",
    "remembered",
    "split",
    "split_again",
    "transpose_program",
    "transposed_map",
]
