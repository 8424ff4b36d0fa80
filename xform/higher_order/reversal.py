"""Reverse mode through `while`: the linear part of its body, and how it runs from the last step.

Where the loop took no more steps than the tape has slots, the values of each step are read from it.
Otherwise the steps are run again: snapshots, placed by binomial checkpointing, shorten the way to
the step that is reversed next. Memory is that of the tape and of the snapshots for any number of
steps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import errors
from ..core import effects as fx
from ..core.avals import ShapedArray
from ..core.jaxpr import Jaxpr, Var, live_equations, make
from ..core.primitive import Primitive, Zero
from ..core.trace import aval_of
from ..interpreters import rewrite
from ..interpreters.evaluate import evaluate_program
from ..interpreters.partial import Split
from ..interpreters.staging import stage
from ..ops.arithmetic import lt, max_, sub
from ..ops.reduction import reduce_max
from ..ops.slicing import dynamic_slice, dynamic_update_slice
from ..ops.structural import add, convert, reshape, zeros
from . import binomial, tape
from .cond import choose
from .scan import three
from .sums import sums_of

_0, _1 = np.int32(0), np.int32(1)


@dataclass(frozen=True, eq=False)
class LinearBody:
    """The part of a loop's body that moves the unknown, linear values.

    `body` maps (known constants, known values, unknown constants, unknown values) to the next
    (known values, unknown values). `known` are the positions, among the loop's known carried
    values, of those that it needs.
    """

    body: Jaxpr
    known: tuple[int, ...]


def linear_body(split: Split, consts: int, carry: int, linear_consts: int) -> LinearBody:
    """From the split of a body with that many known constants, known and unknown constants."""

    def build() -> LinearBody:
        known, later = without_effects(split.known), split.later
        count = consts + carry

        def function(*args: Any) -> list[Any]:
            results = evaluate_program(known, (), args[:count])
            passed = [args[p] for p in split.forwarded]
            moved = evaluate_program(later, (), [*passed, *results[carry:], *args[count:]])
            return [*results[:carry], *moved]

        shift = len(split.forwarded) + split.residuals
        avals = [*split.known.in_avals, *later.in_avals[shift:]]
        whole = stage(function, avals, later.name).jaxpr
        needed = _needed(whole, consts, carry)
        inputs = [*range(consts), *(consts + k for k in needed), *range(count, len(avals))]
        outputs = [*needed, *range(carry, len(whole.outvars))]
        return LinearBody(rewrite.rearranged(whole, inputs, outputs), needed)

    key = ("linear body", split.out_unknown, consts, carry, linear_consts, split.forwarded)
    found: LinearBody = rewrite.remembered(split.later, key, build)
    return found


def _needed(whole: Jaxpr, consts: int, carry: int) -> tuple[int, ...]:
    """The known carried values that the unknown ones are computed from, in any number of steps."""
    wanted = [False] * carry + [True] * (len(whole.outvars) - carry)
    own = whole.invars[consts : consts + carry]
    while True:
        used = {v for e in live_equations(whole, wanted) for v in e.inputs}
        used.update(v for v, w in zip(whole.outvars, wanted, strict=True) if w)
        after = [v in used or w for v, w in zip(own, wanted, strict=False)]
        if after == wanted[:carry]:
            return tuple(k for k, w in enumerate(after) if w)
        wanted[:carry] = after


def without_effects(program: Jaxpr) -> Jaxpr:
    """The program for computing its results again, when its effects have taken place already."""
    equations = []
    for e in program.equations:
        if not callable(e.primitive.effects) and e.primitive.effects:
            continue
        if fx.pinned(e.effects):
            params = {k: _each_program(v) for k, v in e.params.items()}
            e = e.replace(params=params, effects=fx.free(e.effects))
        equations.append(e)
    shorter = make((), program.invars, equations, program.outvars, program.name)
    live = live_equations(shorter)
    made = {*program.invars, *(v for e in live for v in e.outputs)}
    used = [*(v for e in live for v in e.inputs), *program.outvars]
    if any(isinstance(v, Var) and v not in made for v in used):
        raise errors.GradError(
            "expected a loop whose derivative can compute its steps again",
            f"the body {program.name}, which uses a result of a callback with side effects",
            why="reverse mode through while_loop runs the steps again without their effects",
            instead="pure_callback, or a scan, which keeps what the derivative needs",
        )
    return make((), program.invars, live, program.outvars, program.name)


def _each_program(value: Any) -> Any:
    if isinstance(value, Jaxpr):
        return without_effects(value)
    if isinstance(value, tuple):
        return tuple(_each_program(v) for v in value)
    return value


def pushing_program(row: Primitive, params: dict[str, Any], avals: Sequence[ShapedArray]) -> Jaxpr:
    """The linear part run forward, the known values computed again along with it.

    (known constants, known values, steps, tapes, unknown constants, unknown values) -> unknown
    values.
    """
    body: Jaxpr = params["body_jaxpr"]
    consts, known, linear_consts = (params[k] for k in ("consts", "known", "linear_consts"))

    def function(*args: Any) -> list[Any]:
        fixed, state, (steps, *rest) = three(args, consts, known)
        linear, moving = rest[known : known + linear_consts], rest[known + linear_consts :]

        def step(k: Any, *values: Any) -> list[Any]:
            inputs = [*fixed, *values[:known], *linear, *values[known:]]
            return [add(k, tape.spread(_1, k)), *evaluate_program(body, (), inputs)]

        start = zeros(ShapedArray(aval_of(steps).shape, np.int32))
        init = [start, *state, *moving]
        results = tape.bind_while(row, lambda k, *_: lt(k, steps), step, init, params["max_steps"])
        return results[1 + known :]

    return stage(function, avals, body.name).jaxpr


@dataclass(frozen=True, eq=False)
class Reversal:
    """The linear part of a loop about to be transposed, with the values it was computed at."""

    row: Primitive
    body: Jaxpr
    fixed: Sequence[Any]
    state: Sequence[Any]
    steps: Any
    tapes: Sequence[Any]
    linear_consts: int
    room: tape.Room
    max_steps: int | None

    def run(self, cts: Sequence[Any]) -> list[Any]:
        """Cotangents of the unknown constants (`Zero` where there is none) and unknown values."""
        known, moving = len(self.state), len(cts)
        total = self.linear_consts
        flags = [False] * (len(self.fixed) + known) + [True] * (total + moving)
        derived = rewrite.transpose_program(
            self.body,
            flags,
            [*[False] * known, *[True] * moving],
            [*[False] * total, *[True] * moving],
        )
        summed = derived.flags[:total]
        avals = self.body.in_avals[len(self.fixed) + known :]
        sums = [zeros(a.strong()) for a, f in zip(avals, summed, strict=False) if f]
        start = [*sums, *cts]
        lanes = aval_of(self.steps).shape

        def back(k: Any, state: Sequence[Any], values: Sequence[Any]) -> list[Any]:
            """One step backward, from the cotangents after step k to those before it."""
            after = values[len(sums) :]
            active = lt(tape.spread(k, self.steps), self.steps) if lanes else None
            if lanes:
                nothing = [zeros(aval_of(ct).strong()) for ct in after]
                after = _chosen(active, after, nothing)
            more, before = sums_of(derived.program, len(sums)).add(
                values[: len(sums)], [*derived.consts, *self.fixed, *state, *after]
            )
            if lanes:
                before = _chosen(active, before, values[len(sums) :])
            return [*more, *before]

        count = self._count()
        if not self.tapes or not self.room.snapshots:
            results = self._from_tape(back, self.tapes, count, start)
        else:
            long = convert(lt(np.int32(self.room.slots), count), np.int32)
            results = choose(
                long,
                [
                    lambda *values: self._from_tape(back, self.tapes, count, values),
                    lambda *values: self._from_snapshots(back, count, values),
                ],
                start,
            )
        rest = iter(results)
        constants = [
            next(rest) if f else Zero(a.strong()) for a, f in zip(avals, summed, strict=False)
        ]
        return [*constants, *rest]

    def _loop(
        self, condition: Callable[..., Any], body: Callable[..., Any], init: Any
    ) -> list[Any]:
        return tape.bind_while(self.row, condition, body, init, self.max_steps)

    def _count(self) -> Any:
        """The number of steps of the lane that took most."""
        rank = aval_of(self.steps).ndim
        if not rank:
            return self.steps
        return max_(reduce_max(self.steps, axes=tuple(range(rank))), _0)

    def _from_tape(
        self, back: Callable[..., list[Any]], tapes: Sequence[Any], count: Any, start: Sequence[Any]
    ) -> list[Any]:
        """Backward through all steps, whose values are on the tape."""

        def body(k: Any, *values: Any) -> list[Any]:
            return [sub(k, _1), *back(k, tape.read(tapes, k), values)]

        init = [sub(count, _1), *start]
        return self._loop(lambda k, *_: lt(np.int32(-1), k), body, init)[1:]

    def _from_snapshots(
        self, back: Callable[..., list[Any]], count: Any, start: Sequence[Any]
    ) -> list[Any]:
        """Backward through steps that are run again, each from the last snapshot before it.

        The snapshots are a stack; the one behind all is that of the step to reverse.
        """
        known, snapshots = len(self.state), self.room.snapshots
        betas = binomial.table(snapshots, self.max_steps or binomial.UNBOUNDED)

        def reversed_step(k: Any, top: Any, places: Any, *values: Any) -> list[Any]:
            stack = values[:known]

            def forward(at: Any, top: Any, places: Any, *values: Any) -> list[Any]:
                left = sub(add(k, _1), at)
                steps = binomial.distance(betas, left, sub(np.int32(snapshots), top))
                state = self._advanced(values[:known], at, steps)
                at, top = add(at, steps), add(top, _1)
                return [at, top, _replaced(places, at, top), *state,
                        *tape.written(values[known:], state, top)]  # fmt: skip

            init = [_element(places, top), top, places, *tape.read(stack, top), *stack]
            _, top, places, *rest = self._loop(lambda at, *_: lt(at, k), forward, init)
            cts = back(k, rest[:known], values[known:])
            return [sub(k, _1), sub(top, _1), places, *rest[known:], *cts]

        stack = tape.blank([aval_of(x) for x in self.state], snapshots + 1)
        places = zeros(ShapedArray((snapshots + 1,), np.int32))
        init = [sub(count, _1), _zero(), places, *tape.written(stack, self.state, _0), *start]
        results = self._loop(lambda k, *_: lt(np.int32(-1), k), reversed_step, init)
        return results[3 + known :]

    def _next(self, state: Sequence[Any], k: Any) -> list[Any]:
        """The values after step `k`, from those before it."""
        known = len(state)
        only = rewrite.rearranged(self.body, range(len(self.fixed) + known), range(known))
        new = evaluate_program(only, (), [*self.fixed, *state])
        if not aval_of(self.steps).shape:
            return new
        active = lt(tape.spread(add(k, _1), self.steps), self.steps)
        return _chosen(active, new, state)

    def _advanced(self, state: Sequence[Any], base: Any, count: Any) -> list[Any]:
        """The values `count` steps later than those of step `base`."""

        def body(i: Any, *values: Any) -> list[Any]:
            return [add(i, _1), *self._next(values, add(base, i))]

        return self._loop(lambda i, *_: lt(i, count), body, [_zero(), *state])[1:]


def _chosen(pred: Any, yes: Sequence[Any], no: Sequence[Any]) -> list[Any]:
    return [tape.in_lanes(pred, y, n) for y, n in zip(yes, no, strict=True)]


def _zero() -> Any:
    return zeros(ShapedArray((), np.int32))


def _element(x: Any, k: Any) -> Any:
    return reshape(dynamic_slice(x, k, slice_sizes=(1,)), new_sizes=())


def _replaced(x: Any, value: Any, k: Any) -> Any:
    return dynamic_update_slice(x, reshape(value, new_sizes=(1,)), k)
