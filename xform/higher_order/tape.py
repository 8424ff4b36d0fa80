"""The tape of `while`: what reverse mode will need of each step is recorded while the loop runs.

The tape has a fixed number of slots. A loop of no more steps is reversed by reading it from its
end. Of a longer one steps are run again, from snapshots (see `reversal`): its memory does not
depend on how many steps it takes.

The functions get the row `while` as an argument: its rules are made of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from .. import errors
from ..config import config
from ..core.avals import ShapedArray
from ..core.jaxpr import Jaxpr, hoist_constants
from ..core.primitive import Primitive
from ..core.trace import aval_of
from ..interpreters.evaluate import evaluate_program
from ..interpreters.staging import stage
from ..ops.arithmetic import min_
from ..ops.reduction import reduce_or
from ..ops.slicing import dynamic_slice, dynamic_update_slice
from ..ops.structural import add, broadcast_in_dim, convert, reshape, select_n, zeros
from . import binomial
from .call import split_by
from .scan import three

MOST_SLOTS = 1024
MOST_SNAPSHOTS = 64  # 50,000 steps are run again three times, ten million five times
_FEWEST_WANTED = 16  # slots or snapshots, wherever there is memory for them
_MOST_REPEATS = 18  # how often steps are run again, at most, before it is an error
_SHARE = 256  # snapshots take this part of the memory: second derivatives record them, too

_0, _1 = np.int32(0), np.int32(1)


def bind_while(
    row: Primitive,
    condition: Callable[..., Any],
    body: Callable[..., Sequence[Any]],
    init: Sequence[Any],
    max_steps: int | None,
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
        max_steps=max_steps,
        progress=progress,
    )  # fmt: skip


class Room(NamedTuple):
    """How much is kept to reverse a loop: slots of the tape, and snapshots for longer loops."""

    slots: int
    snapshots: int

    def check(self, avals: Sequence[ShapedArray]) -> None:
        """Raises an error if values of these types take more memory than they may."""
        size = sum(a.nbytes for a in avals)
        needed = (self.slots + self.snapshots + 1) * size
        if needed > config.tape_bytes:
            enough = max(needed, (MOST_SLOTS + MOST_SNAPSHOTS + 1) * size)
            raise errors.MemoryLimitError(
                "expected the tapes of the mapped while_loops to fit in memory together",
                f"{self.slots} slots and {self.snapshots + 1} snapshots of {size} bytes, for "
                f"tape_bytes={config.tape_bytes}",
                why="reverse mode reads the carried values again from the last step to the first, "
                "and vmap was applied after the number of slots had been chosen",
                instead=f'xform.config.update("tape_bytes", {enough}), the gradient of the vmapped '
                "loop, max_steps= for the loop, or lax.map with a batch_size",
            )


def room_for(avals: Sequence[ShapedArray], max_steps: int | None) -> Room:
    """How often values of these types are kept, for a loop of at most so many steps.

    A loop without a bound has slots for many steps, because most loops are short. With a bound, as
    many slots and snapshots are kept as reverse all steps with two repetitions of each, about
    sqrt(2 max_steps): a scan around the loop keeps its tape at each of its steps.
    """
    size = max(1, sum(a.nbytes for a in avals))
    most = config.tape_bytes // size
    if max_steps is None:
        slots, snapshots = MOST_SLOTS, min(MOST_SNAPSHOTS, max(_FEWEST_WANTED, most // _SHARE))
    else:
        slots = snapshots = max(_FEWEST_WANTED, binomial.fewest_snapshots(max_steps, 2))
        if max_steps <= min(slots, most):
            return Room(max(1, max_steps), 0)
    fewest = binomial.fewest_snapshots(max_steps or binomial.UNBOUNDED, _MOST_REPEATS)
    snapshots = min(snapshots, most // 2 - 1)
    if snapshots < fewest:
        raise errors.MemoryLimitError(
            f"expected memory for {fewest} snapshots of the values that a reversed loop needs",
            f"{size} bytes a step, for tape_bytes={config.tape_bytes}",
            why="reverse mode reads the carried values again from the last step to the first",
            instead=f'xform.config.update("tape_bytes", {2 * (fewest + 1) * size}), max_steps= for '
            "the loop, or fori_loop with a known number of steps",
        )
    return Room(min(slots, most - snapshots - 1), snapshots)


# -- lanes -----------------------------------------------------------------------------------------


def any_lane(pred: Any) -> Any:
    """Whether a predicate holds in any lane."""
    rank = aval_of(pred).ndim
    return reduce_or(pred, axes=tuple(range(rank))) if rank else pred


def in_lanes(pred: Any, yes: Any, no: Any) -> Any:
    """`yes` in the lanes of a predicate, `no` in the others."""
    aval, rank = aval_of(yes), aval_of(pred).ndim
    if 0 < rank < aval.ndim:
        pred = broadcast_in_dim(pred, shape=aval.shape, broadcast_dimensions=tuple(range(rank)))
    return select_n(pred, no, yes)


def spread(k: Any, n: Any) -> Any:
    """A number for every lane of `n`."""
    shape = aval_of(n).shape
    return broadcast_in_dim(k, shape=shape, broadcast_dimensions=()) if shape else k


# -- tapes -----------------------------------------------------------------------------------------


def blank(avals: Sequence[ShapedArray], slots: int) -> list[Any]:
    """Arrays of so many values of these types."""
    return [zeros(a.strong().update(shape=(slots, *a.shape))) for a in avals]


def written(tapes: Sequence[Any], values: Sequence[Any], slot: Any) -> list[Any]:
    """The arrays with these values in a slot."""
    return [
        dynamic_update_slice(
            tape, reshape(x, new_sizes=(1, *aval_of(x).shape)), slot, *[_0] * aval_of(x).ndim
        )
        for tape, x in zip(tapes, values, strict=True)
    ]


def read(tapes: Sequence[Any], slot: Any) -> list[Any]:
    """The values in a slot."""
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
    room: Room,
    **rest: Any,
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

        def recorded(state: Sequence[Any]) -> list[Any]:
            return split_by(taped, state)[1]

        def body(k: Any, steps: Any, pred: Any, *rest: Any) -> list[Any]:
            state = rest[:count]
            tapes: Sequence[Any] = rest[len(rest) - width :]
            kept = rest[count : count + width] if lanes else recorded(state)
            tapes = written(tapes, kept, min_(k, np.int32(room.slots - 1)))
            new = evaluate_program(body_jaxpr, (), [*of_body, *state])
            if lanes:
                new = [in_lanes(pred, y, x) for y, x in zip(new, state, strict=True)]
            after = test(new)
            last = (
                [in_lanes(after, y, x) for y, x in zip(recorded(new), kept, strict=True)]
                if lanes
                else []
            )
            return [add(k, _1), add(steps, convert(pred, np.int32)), after, *new, *last, *tapes]

        first = recorded(carry)
        width = len(first)
        steps = zeros(ShapedArray(lanes, np.int32))
        tapes = blank([aval_of(x) for x in first], room.slots)
        init = [zeros(ShapedArray((), np.int32)), steps, test(carry), *carry]
        init += [*(first if lanes else []), *tapes]
        results = bind_while(row, lambda k, steps, pred, *_: any_lane(pred), body, init, **rest)
        _, steps, _, *values = results
        return [*values[:count], steps, *values[len(values) - width :]]

    given = three(body_jaxpr.in_avals, body_consts, len(taped))
    avals = [*cond_jaxpr.in_avals[:cond_consts], *given[0], *given[1]]
    return stage(function, avals, body_jaxpr.name).jaxpr
