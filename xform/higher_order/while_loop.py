"""`while`: a program run as long as another says so.

The predicate may have leading dimensions, the lanes: then every carried value has them too, the
loop goes on while any lane does, and a lane whose predicate is false keeps its values. `vmap` makes
such loops.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import errors, runtime
from ..core import dtypes, effects as fx
from ..core.avals import ShapedArray
from ..core.jaxpr import Jaxpr, live_equations
from ..core.loops import Inline, Loop
from ..core.primitive import Absent, Custom, Domain, LinearInput, Primitive, Zero, define
from ..core.trace import aval_of
from ..interpreters import rewrite
from ..interpreters.batching import to_front
from ..interpreters.evaluate import evaluate_arrays, evaluate_program
from ..interpreters.forward import instantiate
from ..interpreters.partial import partial_flat
from ..interpreters.reverse import backward
from ..interpreters.staging import stage
from ..ops.arithmetic import lt, mul
from ..ops.checks import require, require_dtype, require_shape
from ..ops.elementwise import sin
from ..ops.structural import add, broadcast_in_dim, full, zeros
from . import reversal, tape
from .call import merge_by, nonzero, program_avals, program_batch, program_jvp, split_by
from .scan import each, three

Flags = Sequence[bool]


def _avals(
    *avals: ShapedArray,
    cond_jaxpr: Jaxpr,
    body_jaxpr: Jaxpr,
    cond_consts: int,
    body_consts: int,
    **rest: Any,
) -> list[ShapedArray]:
    require(
        min(cond_consts, body_consts) >= 0 and cond_consts + body_consts <= len(avals),
        f"expected counts of constants that fit the {len(avals)} inputs",
        f"cond_consts={cond_consts}, body_consts={body_consts}",
    )
    of_cond, of_body, carry = three(avals, cond_consts, body_consts)
    for program, given in ((cond_jaxpr, [*of_cond, *carry]), (body_jaxpr, [*of_body, *carry])):
        require_shape(
            _same(given, program.in_avals),
            f"expected inputs of the types of {program.name}: {list(program.in_avals)}",
            f"{given}",
        )
    outputs = body_jaxpr.out_avals
    require_shape(
        _same(carry, outputs),
        f"expected carried values that keep their types {carry} in {body_jaxpr.name}",
        f"{list(outputs)}",
    )
    pred = cond_jaxpr.out_avals
    require_dtype(
        len(pred) == 1 and dtypes.is_bool(pred[0].dtype),
        f"expected one output of dtype bool from {cond_jaxpr.name}",
        f"{list(pred)}",
    )
    lanes = pred[0].shape
    require_shape(
        all(a.shape[: len(lanes)] == lanes for a in carry),
        f"expected carried values with the leading dimensions {lanes} of the predicate",
        f"{carry}",
    )
    pairs = zip(body_jaxpr.in_avals[body_consts:], outputs, strict=True)
    weak = [a.weak_type and b.weak_type for a, b in pairs]
    return [a.update(weak_type=w) for a, w in zip(carry, weak, strict=True)]


def _same(given: Sequence[ShapedArray], wanted: Sequence[ShapedArray]) -> bool:
    return [a.strong() for a in given] == [a.strong() for a in wanted]


def _evaluate(
    *arrays: Any,
    cond_jaxpr: Jaxpr,
    body_jaxpr: Jaxpr,
    cond_consts: int,
    body_consts: int,
    **rest: Any,
) -> list[np.ndarray[Any, Any]]:
    of_cond, of_body, state = three(arrays, cond_consts, body_consts)
    while True:
        (pred,) = evaluate_arrays(cond_jaxpr, [*of_cond, *state])
        if not pred.any():
            return [np.asarray(x) for x in state]
        new = evaluate_arrays(body_jaxpr, [*of_body, *state])
        state = [_chosen(pred, y, x) for y, x in zip(new, state, strict=True)]


def _chosen(pred: Any, new: Any, old: Any) -> Any:
    if not pred.ndim:
        return new
    return np.where(pred.reshape(pred.shape + (1,) * (new.ndim - pred.ndim)), new, old)


# -- jvp -------------------------------------------------------------------------------------------


def _jvp(
    primals: Sequence[Any],
    tangents: Sequence[Any],
    *,
    cond_jaxpr: Jaxpr,
    body_jaxpr: Jaxpr,
    cond_consts: int,
    body_consts: int,
    **rest: Any,
) -> tuple[list[Any], list[Any]]:
    """The predicate needs the primal values only; the body carries their tangents along."""
    _, fixed, state = three(nonzero(tangents), cond_consts, body_consts)
    while True:
        derived = rewrite.jvp_program(body_jaxpr, [*fixed, *state], state)
        if list(derived.flags) == state:
            break
        state = list(derived.flags)
    _, t_fixed, t_state = three(tangents, cond_consts, body_consts)
    t_fixed = [t for t, f in zip(t_fixed, fixed, strict=True) if f]
    t_state = [instantiate(t) for t, f in zip(t_state, state, strict=True) if f]
    of_cond, of_body, carry = three(primals, cond_consts, body_consts)
    extra, moving = len(derived.consts), len(t_state)
    inner = extra + body_consts
    order = [
        *range(inner),
        *range(inner + len(carry), inner + len(carry) + len(t_fixed)),
        *range(inner, inner + len(carry)),
        *range(inner + len(carry) + len(t_fixed), len(derived.program.invars)),
    ]
    unused = derived.program.in_avals[inner + len(carry) + len(t_fixed) :]
    results = while_loop(
        *of_cond, *derived.consts, *of_body, *t_fixed, *carry, *t_state,
        cond_jaxpr=rewrite.rearranged(cond_jaxpr, [*range(len(cond_jaxpr.invars)), *unused]),
        body_jaxpr=rewrite.rearranged(derived.program, order),
        cond_consts=cond_consts,
        body_consts=inner + len(t_fixed),
        **rest,
    )  # fmt: skip
    outs, found = results[: len(carry)], results[len(carry) :]
    assert len(found) == moving
    nothing = [Zero(aval_of(y).tangent()) for y, f in zip(outs, state, strict=True) if not f]
    return outs, merge_by(state, nothing, found)


# -- batch -----------------------------------------------------------------------------------------


def _batched(
    size: int,
    flags: Flags,
    cond_jaxpr: Jaxpr,
    body_jaxpr: Jaxpr,
    cond_consts: int,
    body_consts: int,
) -> tuple[rewrite.Derived, rewrite.Derived, list[bool]]:
    """The batched condition and body, and which carried values have the batch dimension.

    Where the predicate has it, all have. A loop that has lanes already gets it everywhere.
    """
    of_cond, of_body, state = three(flags, cond_consts, body_consts)
    lanes = bool(cond_jaxpr.out_avals[0].shape)
    while True:
        body = rewrite.batch_program(body_jaxpr, size, [*of_body, *state], state)
        cond = rewrite.batch_program(cond_jaxpr, size, [*of_cond, *state], [lanes])
        after = [True] * len(state) if cond.flags[0] else list(body.flags)
        if after == state:
            return cond, body, state
        state = after


def _fronted(
    size: int, inputs: Sequence[Any], dims: Sequence[int | None], state: Flags
) -> list[Any]:
    """The inputs with the batch dimension in front; the last ones have it where `state` says."""
    flags = [*(d is not None for d in dims[: len(dims) - len(state)]), *state]
    return [to_front(size, x, d) if f else x for x, d, f in zip(inputs, dims, flags, strict=True)]


def _in_turn(
    row: Primitive, size: int, inputs: Sequence[Any], dims: Sequence[int | None], params: Any
) -> tuple[list[Any], list[int | None]]:
    """One loop after the other: the effects of a loop happen as often as it runs its body."""
    fronted = [x if d is None else to_front(size, x, d) for x, d in zip(inputs, dims, strict=True)]
    flags = [d is not None for d in dims]
    outs = each(lambda *xs: row(*xs, **params), size, fronted, flags, params["body_jaxpr"].name)
    return outs, [0] * len(outs)


def _batch(
    size: int,
    inputs: Sequence[Any],
    dims: Sequence[int | None],
    *,
    cond_jaxpr: Jaxpr,
    body_jaxpr: Jaxpr,
    cond_consts: int,
    body_consts: int,
    **rest: Any,
) -> tuple[list[Any], list[int | None]]:
    flags = [d is not None for d in dims]
    cond, body, state = _batched(size, flags, cond_jaxpr, body_jaxpr, cond_consts, body_consts)
    if cond.flags[0] and fx.pinned(cond_jaxpr.effects | body_jaxpr.effects):
        params = {"cond_jaxpr": cond_jaxpr, "body_jaxpr": body_jaxpr, "cond_consts": cond_consts,
                  "body_consts": body_consts, **rest}  # fmt: skip
        return _in_turn(while_loop, size, inputs, dims, params)
    of_cond, of_body, carry = three(_fronted(size, inputs, dims, state), cond_consts, body_consts)
    outs = while_loop(
        *cond.consts, *of_cond, *body.consts, *of_body, *carry,
        cond_jaxpr=cond.program,
        body_jaxpr=body.program,
        cond_consts=cond_consts + len(cond.consts),
        body_consts=body_consts + len(body.consts),
        **rest,
    )  # fmt: skip
    return outs, [0 if f else None for f in state]


# -- partial evaluation and transposition ----------------------------------------------------------


def _partial(
    trace: Any,
    inputs: Sequence[Any],
    unknown: Flags,
    *,
    cond_jaxpr: Jaxpr,
    body_jaxpr: Jaxpr,
    cond_consts: int,
    body_consts: int,
    **rest: Any,
) -> list[Any]:
    """The known values are computed now, and recorded for the unknown ones."""
    params = {"cond_jaxpr": cond_jaxpr, "body_jaxpr": body_jaxpr, "cond_consts": cond_consts,
              "body_consts": body_consts, **rest}  # fmt: skip
    of_cond, of_body, state = three(unknown, cond_consts, body_consts)
    while True:
        split = rewrite.split(body_jaxpr, [*of_body, *state], state)
        if list(split.out_unknown) == state:
            break
        state = list(split.out_unknown)
    if _uses(cond_jaxpr, [*of_cond, *state]):
        # How often the loop runs is unknown, and so is everything.
        return trace.write(while_loop, inputs, params)  # type: ignore[no-any-return]
    known_cond, _ = split_by(of_cond, inputs[:cond_consts])
    known_body, unknown_body = split_by(of_body, inputs[cond_consts:][:body_consts])
    known, moving = split_by(state, inputs[cond_consts + body_consts :])
    condition = rewrite.rearranged(
        cond_jaxpr, [k for k, u in enumerate([*of_cond, *state]) if not u]
    )
    first: dict[str, Any] = {
        "cond_jaxpr": condition,
        "body_jaxpr": rewrite.rearranged(
            split.known,
            range(len(split.known.invars)),
            range(len(split.known.outvars) - split.residuals),
        ),
        "cond_consts": len(known_cond),
        "body_consts": len(known_body),
        **rest,
    }
    operands = [*known_cond, *known_body, *known]
    if not any(state):
        return trace.evaluate_known(while_loop, operands, first)  # type: ignore[no-any-return]
    linear = reversal.linear_body(split, len(known_body), len(known), len(unknown_body))
    taped = tuple(k in linear.known for k in range(len(known)))
    kept = [a for a, f in zip(map(aval_of, known), taped, strict=True) if f]
    room = tape.room_for(kept, rest["max_steps"])
    program = tape.taped_program(while_loop, taped=taped, room=room, **first)
    results = trace.evaluate_known(
        taped_while, operands, {**first, "jaxpr": program, "taped": taped, "room": room}
    )
    outs, recorded = results[: len(known)], results[len(known) :]
    started = [x for x, f in zip(known, taped, strict=True) if f]
    given = [*known_body, *started, *recorded, *unknown_body, *moving]
    pushed = {
        "body_jaxpr": linear.body,
        "consts": len(known_body),
        "known": len(started),
        "linear_consts": len(unknown_body),
        "room": room,
        "max_steps": rest["max_steps"],
    }
    avals = [aval_of(x) for x in given]
    pushed["jaxpr"] = reversal.pushing_program(while_loop, pushed, avals)
    return merge_by(state, outs, trace.write(linear_while, given, pushed))


def _uses(program: Jaxpr, inputs: Flags) -> bool:
    """Whether the outputs or effects of a program need one of these inputs."""
    wanted = {v for v, f in zip(program.invars, inputs, strict=True) if f}
    used = [*program.outvars, *(v for e in live_equations(program) for v in e.inputs)]
    return any(v in wanted for v in used)


def _transpose(cts: Sequence[Any], *inputs: Any, **params: Any) -> list[Any]:
    """Of a loop that is linear in some inputs: what does not depend on them is computed first."""
    unknown = [x.aval if isinstance(x, LinearInput) else None for x in inputs]
    _, out_unknown, rest = partial_flat(lambda *xs: while_loop(*xs, **params), inputs, unknown)
    if any(e.primitive is while_loop for e in rest.jaxpr.equations):
        raise errors.GradError(
            "expected a while_loop whose number of steps does not depend on its linear inputs",
            "a condition that does",
        )
    needed = [ct for ct, u in zip(cts, out_unknown, strict=True) if u]
    found = iter(backward(rest.jaxpr, rest.consts, needed))
    return [None if u is None else next(found) for u in unknown]


# -- examples for the laws -------------------------------------------------------------------------


def _counted(rng: Any, dtype: Any) -> tuple[list[Any], dict[str, Any]]:
    """A loop of as many steps as its counter says, with a constant and values carried along."""
    row, count = ShapedArray((2,), dtype), ShapedArray((), np.dtype(np.int32))

    def condition(limit: Any, i: Any, x: Any, y: Any) -> list[Any]:
        return [lt(i, limit)]

    def body(w: Any, i: Any, x: Any, y: Any) -> list[Any]:
        return [add(i, np.int32(1)), add(mul(w, x), sin(y)), mul(x, y)]

    params = {
        "cond_jaxpr": stage(condition, [count, count, row, row], "condition").jaxpr,
        "body_jaxpr": stage(body, [row, count, row, row], "body").jaxpr,
        "cond_consts": 1,
        "body_consts": 1,
        "max_steps": None,
        "progress": None,
    }
    w, x, y = (rng.uniform(-1, 1, (2,)).astype(dtype) for _ in range(3))
    limit = np.int32(rng.integers(0, 4))
    return [limit, w, np.int32(0), x, y], params


def _lanes(rng: Any, dtype: Any) -> tuple[list[Any], dict[str, Any]]:
    """A loop of two lanes that share a constant and end after different numbers of steps."""
    row, count = ShapedArray((2, 3), dtype), ShapedArray((2,), np.dtype(np.int32))
    shared = ShapedArray((3,), dtype)

    def condition(n: Any, x: Any) -> list[Any]:
        return [lt(zeros(count), n)]

    def body(w: Any, n: Any, x: Any) -> list[Any]:
        wide = broadcast_in_dim(w, shape=(2, 3), broadcast_dimensions=(1,))
        return [add(n, full((2,), -1, np.int32)), mul(sin(x), wide)]

    params = {
        "cond_jaxpr": stage(condition, [count, row], "condition").jaxpr,
        "body_jaxpr": stage(body, [shared, count, row], "body").jaxpr,
        "cond_consts": 0,
        "body_consts": 1,
        "max_steps": None,
        "progress": None,
    }
    w, x = rng.uniform(-1, 1, (3,)).astype(dtype), rng.uniform(-1, 1, (2, 3)).astype(dtype)
    return [w, rng.integers(0, 4, (2,)).astype(np.int32), x], params


def _draw(rng: Any, dtype: Any) -> Any:
    return (_lanes if rng.integers(2) else _counted)(rng, dtype)


while_loop: Primitive = define(
    "while",
    params=("cond_jaxpr", "body_jaxpr", "cond_consts", "body_consts", "max_steps", "progress"),
    abstract_eval=_avals,
    impl=_evaluate,
    jvp=Custom(_jvp),
    transpose=_transpose,
    batch=_batch,
    lower=Loop(counted=False),
    multiple_results=True,
    partial=_partial,
    eager=lambda *arrays, **params: runtime.executable.run_equation(while_loop, arrays, params),
    domain=Domain(draw=_draw),
    ulp=8,
)


# -- the loop that records, and the linear loop that reads the record ------------------------------


def _run(*arrays: Any, jaxpr: Jaxpr, **_: Any) -> list[np.ndarray[Any, Any]]:
    return evaluate_arrays(jaxpr, arrays)


def _inline_jvp(primals: Sequence[Any], tangents: Sequence[Any], *, jaxpr: Jaxpr, **_: Any) -> Any:
    return program_jvp(lambda p, xs: evaluate_program(p, (), xs), jaxpr, primals, tangents)


def _inline_batch(
    size: int, inputs: Sequence[Any], dims: Sequence[int | None], *, jaxpr: Jaxpr, **_: Any
) -> Any:
    return program_batch(lambda p, xs: evaluate_program(p, (), xs), jaxpr, size, inputs, dims)


def _inline_partial(
    trace: Any, inputs: Sequence[Any], unknown: Flags, *, jaxpr: Jaxpr, **_: Any
) -> list[Any]:
    return evaluate_program(jaxpr, (), inputs)


def _taped_batch(
    size: int,
    inputs: Sequence[Any],
    dims: Sequence[int | None],
    *,
    jaxpr: Jaxpr,
    cond_jaxpr: Jaxpr,
    body_jaxpr: Jaxpr,
    cond_consts: int,
    body_consts: int,
    taped: Sequence[bool],
    room: tape.Room,
    **rest: Any,
) -> tuple[list[Any], list[int | None]]:
    """One loop for all lanes, that writes one slot of the tapes at each step."""
    flags = [d is not None for d in dims]
    cond, body, state = _batched(size, flags, cond_jaxpr, body_jaxpr, cond_consts, body_consts)
    if cond.flags[0] and fx.pinned(cond_jaxpr.effects | body_jaxpr.effects):
        params = {"jaxpr": jaxpr, "cond_jaxpr": cond_jaxpr, "body_jaxpr": body_jaxpr,
                  "cond_consts": cond_consts, "body_consts": body_consts, "taped": taped,
                  "room": room, **rest}  # fmt: skip
        return _in_turn(taped_while, size, inputs, dims, params)
    of_cond, of_body, carry = three(_fronted(size, inputs, dims, state), cond_consts, body_consts)
    params = {
        "cond_jaxpr": cond.program,
        "body_jaxpr": body.program,
        "cond_consts": cond_consts + len(cond.consts),
        "body_consts": body_consts + len(body.consts),
        "taped": taped,
        "room": room,
        **rest,
    }
    written = zip(carry, taped, strict=True)
    room.check([aval_of(x) for x, f in written if f])
    program = tape.taped_program(while_loop, **params)
    inputs = [*cond.consts, *of_cond, *body.consts, *of_body, *carry]
    outs = taped_while(*inputs, jaxpr=program, **params)
    where = [0 if f else None for f in state]
    recorded = [1 if f else None for f, t in zip(state, taped, strict=True) if t]
    return outs, [*where, 0 if cond.flags[0] else None, *recorded]


def _draw_taped(rng: Any, dtype: Any) -> Any:
    inputs, params = _draw(rng, dtype)
    taped = tuple(k > 0 for k in range(len(params["body_jaxpr"].outvars)))
    params |= {"taped": taped, "room": tape.Room(3, 3)}
    return inputs, {"jaxpr": tape.taped_program(while_loop, **params), **params}


taped_while: Primitive = define(
    "taped_while",
    params=("jaxpr", "cond_jaxpr", "body_jaxpr", "cond_consts", "body_consts", "taped", "room",
            "max_steps", "progress"),
    abstract_eval=program_avals,
    impl=_run,
    jvp=Custom(_inline_jvp),
    transpose=Absent("the values that are recorded are not linear in those it starts from"),
    batch=_taped_batch,
    lower=Inline("jaxpr"),
    multiple_results=True,
    partial=_inline_partial,
    domain=Domain(draw=_draw_taped),
    ulp=8,
)  # fmt: skip


def _linear_partial(trace: Any, inputs: Sequence[Any], unknown: Flags, **params: Any) -> list[Any]:
    """It is what partial evaluation made of a loop for later, and stays as it is."""
    return trace.write(linear_while, inputs, params)  # type: ignore[no-any-return]


def _linear_transpose(
    cts: Sequence[Any],
    *inputs: Any,
    jaxpr: Jaxpr,
    body_jaxpr: Jaxpr,
    consts: int,
    known: int,
    linear_consts: int,
    room: tape.Room,
    max_steps: int | None,
) -> list[Any]:
    fixed, state, (steps, *rest) = three(inputs, consts, known)
    plan = reversal.Reversal(
        while_loop, body_jaxpr, fixed, state, steps, rest[:known], linear_consts, room, max_steps
    )
    found = plan.run([instantiate(ct) for ct in cts])
    linear = [isinstance(x, LinearInput) for x in rest[known:]]
    before = [None] * (len(inputs) - len(found))
    return [*before, *(ct if f else None for ct, f in zip(found, linear, strict=True))]


def _draw_linear(rng: Any, dtype: Any) -> Any:
    """y <- w y + u x, with x <- w x known; as many steps as the tape has slots, more, and fewer."""
    number = ShapedArray((), dtype)

    def body(w: Any, x: Any, u: Any, y: Any) -> list[Any]:
        return [mul(w, x), add(mul(w, y), mul(u, x))]

    program = stage(body, [number, number, number, number], "body").jaxpr
    slots = 2
    steps = int(rng.integers(0, 8))
    w, x, u, y = (np.asarray(rng.uniform(0.5, 1), dtype) for _ in range(4))
    values = [x * w**k for k in range(max(steps, slots))]
    record = np.asarray(values[:slots], dtype)
    if steps > slots:
        record[-1] = values[steps - 1]
    params = {"body_jaxpr": program, "consts": 1, "known": 1, "linear_consts": 1,
              "room": tape.Room(slots, int(rng.integers(1, 4))), "max_steps": 8}  # fmt: skip
    inputs = [w, x, np.int32(steps), record, u, y]
    avals = [aval_of(x) for x in inputs]
    return inputs, {**params, "jaxpr": reversal.pushing_program(while_loop, params, avals)}


linear_while: Primitive = define(
    "linear_while",
    params=("jaxpr", "body_jaxpr", "consts", "known", "linear_consts", "room", "max_steps"),
    abstract_eval=program_avals,
    impl=_run,
    jvp=Custom(_inline_jvp),
    transpose=_linear_transpose,
    batch=_inline_batch,
    lower=Inline("jaxpr"),
    multiple_results=True,
    partial=_linear_partial,
    domain=Domain(draw=_draw_linear),
    ulp=8,
)
