"""Reverse mode through `while`: the values of a loop on a tape, read again from its end.

While a loop runs, the values that its derivative needs are recorded on a tape of a fixed number of
slots. A loop of more steps than slots is run again in parts: the tape then holds snapshots at equal
distances, and between two of them a second tape is filled, from the last part to the first. So the
memory is that of two tapes for any number of steps, and for up to slots^2 steps each is computed
three times at most. (Griewank and Walther, Evaluating Derivatives, chapter 12: checkpointing, here
of two levels.)

The functions get the row `while` as an argument: its rules are made of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import errors
from ..config import config
from ..core import effects as fx
from ..core.avals import ShapedArray
from ..core.jaxpr import Jaxpr, Var, hoist_constants, live_equations, make
from ..core.primitive import Primitive, Zero
from ..core.trace import aval_of
from ..interpreters import rewrite
from ..interpreters.evaluate import evaluate_program
from ..interpreters.partial import Split
from ..interpreters.staging import stage
from ..ops.arithmetic import div, lt, max_, min_, mul, sub
from ..ops.reduction import reduce_max, reduce_or
from ..ops.slicing import dynamic_slice, dynamic_update_slice
from ..ops.structural import add, broadcast_in_dim, convert, reshape, select_n, zeros
from .call import split_by
from .cond import choose
from .scan import three

FEWEST_SLOTS = 16
MOST_SLOTS = 1024
_TAPES = 3  # alive together at most: the recorded one, the snapshots, the part being reversed

_0, _1 = np.int32(0), np.int32(1)


def bind_while(
    row: Primitive,
    condition: Callable[..., Any],
    body: Callable[..., Sequence[Any]],
    init: Sequence[Any],
    progress: str | None = None,
) -> list[Any]:
    """Binds the row `while` with functions of the carried values, which may close over others."""
    avals = [aval_of(x) for x in init]
    cond = stage(lambda *xs: [condition(*xs)], avals, "condition")
    step = stage(body, avals, "body")
    return row(  # type: ignore[no-any-return]
        *cond.consts, *step.consts, *init,
        cond_jaxpr=hoist_constants(cond.jaxpr),
        body_jaxpr=hoist_constants(step.jaxpr),
        cond_consts=len(cond.consts),
        body_consts=len(step.consts),
        progress=progress,
    )  # fmt: skip


def slots_for(avals: Sequence[ShapedArray]) -> int:
    """How many times values of these types fit on a tape."""
    size = max(1, sum(a.nbytes for a in avals))
    slots = config.tape_bytes // (_TAPES * size)
    if slots < FEWEST_SLOTS:
        raise errors.MemoryLimitError(
            "expected the values that a reversed while_loop keeps of each step to fit on its tape "
            f"{FEWEST_SLOTS} times",
            f"{size} bytes a step, for tape_bytes={config.tape_bytes}",
            why="reverse mode reads the carried values again from the last step to the first",
            instead='xform.config.update("tape_bytes", '
            f"{_TAPES * FEWEST_SLOTS * size}), or fori_loop with a known number of steps",
        )
    return min(slots, MOST_SLOTS)


# -- lanes -----------------------------------------------------------------------------------------


def _any(pred: Any) -> Any:
    rank = aval_of(pred).ndim
    return reduce_or(pred, axes=tuple(range(rank))) if rank else pred


def _chosen(pred: Any, yes: Any, no: Any) -> Any:
    """`yes` in the lanes of a predicate, `no` in the others."""
    aval, rank = aval_of(yes), aval_of(pred).ndim
    if 0 < rank < aval.ndim:
        pred = broadcast_in_dim(pred, shape=aval.shape, broadcast_dimensions=tuple(range(rank)))
    return select_n(pred, no, yes)


def _spread(k: Any, n: Any) -> Any:
    """A number for every lane of `n`."""
    shape = aval_of(n).shape
    return broadcast_in_dim(k, shape=shape, broadcast_dimensions=()) if shape else k


# -- tapes -----------------------------------------------------------------------------------------


def _blank(avals: Sequence[ShapedArray], slots: int) -> list[Any]:
    return [zeros(a.strong().update(shape=(slots, *a.shape))) for a in avals]


def _written(tapes: Sequence[Any], values: Sequence[Any], slot: Any) -> list[Any]:
    return [
        dynamic_update_slice(
            tape, reshape(x, new_sizes=(1, *aval_of(x).shape)), slot, *[_0] * aval_of(x).ndim
        )
        for tape, x in zip(tapes, values, strict=True)
    ]


def _read(tapes: Sequence[Any], slot: Any) -> list[Any]:
    values = []
    for tape in tapes:
        shape = aval_of(tape).shape[1:]
        row = dynamic_slice(tape, slot, *[_0] * len(shape), slice_sizes=(1, *shape))
        values.append(reshape(row, new_sizes=shape))
    return values


def taped_program(
    row: Primitive,
    cond_jaxpr: Jaxpr,
    body_jaxpr: Jaxpr,
    cond_consts: int,
    body_consts: int,
    taped: Sequence[bool],
    slots: int,
    progress: str | None,
) -> Jaxpr:
    """The loop that also counts its steps and records some of its carried values at each.

    (constants, carried values) -> (carried values, steps of each lane, tapes). A lane that has
    ended records again the values of its last step: what is computed from them is finite wherever
    that step was. What does not fit on the tape overwrites its last slot.
    """
    lanes = cond_jaxpr.out_avals[0].shape

    def function(*args: Any) -> list[Any]:
        of_cond, of_body, carry = three(args, cond_consts, body_consts)
        count = len(carry)

        def test(state: Sequence[Any]) -> Any:
            return evaluate_program(cond_jaxpr, (), [*of_cond, *state])[0]

        def chosen(state: Sequence[Any]) -> list[Any]:
            return split_by(taped, state)[1]

        def body(k: Any, steps: Any, pred: Any, *rest: Any) -> list[Any]:
            state = rest[:count]
            tapes: Sequence[Any] = rest[len(rest) - width :]
            kept = rest[count : count + width] if lanes else chosen(state)
            tapes = _written(tapes, kept, min_(k, np.int32(slots - 1)))
            new = evaluate_program(body_jaxpr, (), [*of_body, *state])
            if lanes:
                new = [_chosen(pred, y, x) for y, x in zip(new, state, strict=True)]
            after = test(new)
            last = (
                [_chosen(after, y, x) for y, x in zip(chosen(new), kept, strict=True)]
                if lanes
                else []
            )
            return [add(k, _1), add(steps, convert(pred, np.int32)), after, *new, *last, *tapes]

        first = chosen(carry)
        width = len(first)
        steps = zeros(ShapedArray(lanes, np.int32))
        blank = _blank([aval_of(x) for x in first], slots)
        init = [zeros(ShapedArray((), np.int32)), steps, test(carry), *carry]
        init += [*(first if lanes else []), *blank]
        results = bind_while(row, lambda k, steps, pred, *_: _any(pred), body, init, progress)
        _, steps, _, *rest = results
        return [*rest[:count], steps, *rest[len(rest) - width :]]

    given = three(body_jaxpr.in_avals, body_consts, len(taped))
    avals = [*cond_jaxpr.in_avals[:cond_consts], *given[0], *given[1]]
    return stage(function, avals, body_jaxpr.name).jaxpr


# -- the linear part -------------------------------------------------------------------------------


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
            return [add(k, _spread(_1, k)), *evaluate_program(body, (), inputs)]

        start = zeros(ShapedArray(aval_of(steps).shape, np.int32))
        init = [start, *state, *moving]
        results = bind_while(row, lambda k, *_: lt(k, steps), step, init)
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

        def back(k: Any, state: Sequence[Any], values: Sequence[Any]) -> list[Any]:
            """One step backward, from the cotangents after step k to those before it."""
            active = lt(_spread(k, self.steps), self.steps)
            after = values[len(sums) :]
            masked = [_chosen(active, ct, zeros(aval_of(ct).strong())) for ct in after]
            found = evaluate_program(
                derived.program, (), [*derived.consts, *self.fixed, *state, *masked]
            )
            more = [add(a, b) for a, b in zip(values, found, strict=False)]
            before = found[len(sums) :]
            return [
                *more[: len(sums)],
                *(_chosen(active, new, ct) for new, ct in zip(before, after, strict=True)),
            ]

        count = self._count()
        slots = aval_of(self.tapes[0]).shape[0] if self.tapes else None
        if slots is None:
            results = self._from_tape(back, (), count, start)
        else:
            long = convert(lt(np.int32(slots), count), np.int32)
            results = choose(
                long,
                [
                    lambda *values: self._from_tape(back, self.tapes, count, values),
                    lambda *values: self._in_parts(back, slots, count, values),
                ],
                start,
            )
        rest = iter(results)
        constants = [
            next(rest) if f else Zero(a.strong()) for a, f in zip(avals, summed, strict=False)
        ]
        return [*constants, *rest]

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
            return [sub(k, _1), *back(k, _read(tapes, k), values)]

        init = [sub(count, _1), *start]
        return bind_while(self.row, lambda k, *_: lt(np.int32(-1), k), body, init)[1:]

    def _in_parts(
        self, back: Callable[..., list[Any]], slots: int, count: Any, start: Sequence[Any]
    ) -> list[Any]:
        """Backward in parts: each is run again, from a snapshot, to fill a tape with its steps."""
        size = np.int32(slots)
        stride = _ceil(count, size)
        inner = _ceil(stride, size)
        snapshots = self._filled(self.state, _0, count, stride, slots)

        def part(j: Any, *values: Any) -> list[Any]:
            base = mul(j, stride)
            length = min_(stride, sub(count, base))
            tapes = self._filled(_read(snapshots, j), base, length, inner, slots)

            def step(i: Any, *values: Any) -> list[Any]:
                slot = div(i, inner)
                at = mul(slot, inner)
                state = self._advanced(_read(tapes, slot), add(base, at), sub(i, at))
                return [sub(i, _1), *back(add(base, i), state, values)]

            init = [sub(length, _1), *values]
            results = bind_while(self.row, lambda i, *_: lt(np.int32(-1), i), step, init)
            return [sub(j, _1), *results[1:]]

        init = [sub(_ceil(count, stride), _1), *start]
        return bind_while(self.row, lambda j, *_: lt(np.int32(-1), j), part, init)[1:]

    def _filled(
        self, state: Sequence[Any], base: Any, length: Any, stride: Any, slots: int
    ) -> list[Any]:
        """A tape with the values of every `stride`th of the `length` steps from `base` on.

        Every step writes the slot of the next multiple, which the step of that multiple writes
        last; the values after the last multiple go to a slot behind all.
        """
        known = len(self.state)

        def body(k: Any, *values: Any) -> list[Any]:
            now = values[:known]
            tapes = _written(values[known:], now, _ceil(k, stride))
            return [add(k, _1), *self._next(now, add(base, k)), *tapes]

        init = [_zero(), *state, *_blank([aval_of(x) for x in state], slots + 1)]
        results = bind_while(self.row, lambda k, *_: lt(k, length), body, init)
        return results[1 + known :]

    def _next(self, state: Sequence[Any], k: Any) -> list[Any]:
        """The values after step `k`, from those before it."""
        known = len(state)
        only = rewrite.rearranged(self.body, range(len(self.fixed) + known), range(known))
        new = evaluate_program(only, (), [*self.fixed, *state])
        if not aval_of(self.steps).shape:
            return new
        active = lt(_spread(add(k, _1), self.steps), self.steps)
        return [_chosen(active, y, x) for y, x in zip(new, state, strict=True)]

    def _advanced(self, state: Sequence[Any], base: Any, count: Any) -> list[Any]:
        """The values `count` steps later than those of step `base`."""

        def body(i: Any, *values: Any) -> list[Any]:
            return [add(i, _1), *self._next(values, add(base, i))]

        return bind_while(self.row, lambda i, *_: lt(i, count), body, [_zero(), *state])[1:]


def _zero() -> Any:
    return zeros(ShapedArray((), np.int32))


def _ceil(x: Any, y: Any) -> Any:
    return div(sub(add(x, y), _1), y)
