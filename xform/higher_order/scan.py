"""`scan`: a program run once for each slice of its inputs, with values carried along."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import runtime
from ..core import effects as fx
from ..core.avals import ShapedArray
from ..core.jaxpr import Jaxpr, Var, live_equations, make
from ..core.loops import Loop
from ..core.primitive import Custom, Domain, LinearInput, Primitive, Zero, define
from ..core.trace import active, aval_of
from ..interpreters import rewrite
from ..interpreters.batching import place, to_front
from ..interpreters.evaluate import evaluate_arrays, evaluate_program
from ..interpreters.forward import instantiate
from ..interpreters.partial import partial_flat
from ..interpreters.reverse import backward
from ..interpreters.staging import stage
from ..ops.arithmetic import mul
from ..ops.checks import require, require_shape
from ..ops.elementwise import sin
from ..ops.structural import add, zeros
from .call import merge_by, nonzero, split_by
from .sums import sums_of

Flags = Sequence[bool]


def three(values: Sequence[Any], consts: int, carry: int) -> tuple[list[Any], list[Any], list[Any]]:
    """(constants, carried values, the rest)."""
    values = list(values)
    return values[:consts], values[consts : consts + carry], values[consts + carry :]


def unsliced(aval: ShapedArray, length: int) -> ShapedArray:
    """What is stacked from `length` values of an aval."""
    return aval.update(shape=(length, *aval.shape))


def _avals(
    *avals: ShapedArray,
    jaxpr: Jaxpr,
    consts: int,
    carry: int,
    length: int,
    reverse: bool,
    unroll: int,
    progress: str | None,
) -> list[ShapedArray]:
    inputs, outputs = jaxpr.in_avals, jaxpr.out_avals
    require(
        min(consts, carry) >= 0 and carry <= len(outputs) and consts + carry <= len(inputs),
        f"expected counts of constants and carried values that fit the program {jaxpr.name}",
        f"consts={consts}, carry={carry}",
    )
    require(length >= 0 and unroll >= 1, "expected length >= 0 and unroll >= 1",
            f"length={length}, unroll={unroll}")  # fmt: skip
    fixed, state, slices = three(inputs, consts, carry)
    expected = [*fixed, *state, *(unsliced(a, length) for a in slices)]
    require_shape(
        len(avals) == len(expected)
        and all(a.strong() is b.strong() for a, b in zip(avals, expected, strict=True)),
        f"expected inputs of types {expected} to scan {jaxpr.name}",
        f"{list(avals)}",
    )
    require_shape(
        all(a.strong() is b.strong() for a, b in zip(state, outputs, strict=False)),
        f"expected carried values that keep their types {state} in {jaxpr.name}",
        f"{list(outputs[:carry])}",
    )
    pairs = zip(state, outputs, strict=False)
    kept = [a.update(weak_type=a.weak_type and b.weak_type) for a, b in pairs]
    return [*kept, *(unsliced(a, length) for a in outputs[carry:])]


def _evaluate(
    *arrays: Any,
    jaxpr: Jaxpr,
    consts: int,
    carry: int,
    length: int,
    reverse: bool,
    unroll: int,
    progress: str | None,
) -> list[np.ndarray[Any, Any]]:
    fixed, state, xs = three(arrays, consts, carry)
    stacks = [np.empty((length, *a.shape), a.dtype) for a in jaxpr.out_avals[carry:]]
    for k in reversed(range(length)) if reverse else range(length):
        results = evaluate_arrays(jaxpr, [*fixed, *state, *(x[k] for x in xs)])
        state = results[:carry]
        for stack, y in zip(stacks, results[carry:], strict=True):
            stack[k] = y
    return [*state, *stacks]


# -- jvp -------------------------------------------------------------------------------------------


def _jvp(
    primals: Sequence[Any],
    tangents: Sequence[Any],
    *,
    jaxpr: Jaxpr,
    consts: int,
    carry: int,
    **rest: Any,
) -> tuple[list[Any], list[Any]]:
    moving = three(nonzero(tangents), consts, carry)
    others = [False] * (len(jaxpr.outvars) - carry)
    while True:
        flags = [*moving[0], *moving[1], *moving[2]]
        derived = rewrite.jvp_program(jaxpr, flags, [*moving[1], *others])
        if list(derived.flags[:carry]) == moving[1]:
            break
        moving = (moving[0], list(derived.flags[:carry]), moving[2])
    given = [instantiate(t) if f else t for t, f in zip(tangents, flags, strict=True)]
    ts = [[t for t, f in zip(part, on, strict=True) if f]
          for part, on in zip(three(given, consts, carry), moving, strict=True)]  # fmt: skip
    ps = three(primals, consts, carry)
    extra = len(derived.consts)
    program = rewrite.rearranged(
        derived.program,
        _interleaved(extra, [len(p) for p in ps], [len(t) for t in ts]),
        _interleaved(0, [carry, len(others)], [len(ts[1]), sum(derived.flags[carry:])]),
    )
    results = scan(
        *derived.consts, *ps[0], *ts[0], *ps[1], *ts[1], *ps[2], *ts[2],
        jaxpr=program,
        consts=extra + consts + len(ts[0]),
        carry=carry + len(ts[1]),
        **rest,
    )  # fmt: skip
    mine = [True] * carry + [False] * len(ts[1]) + [True] * len(others)
    mine += [False] * (len(results) - len(mine))
    out_tangents, outs = split_by(mine, results)
    nothing = [
        Zero(aval_of(y).tangent()) for y, f in zip(outs, derived.flags, strict=True) if not f
    ]
    return outs, merge_by(derived.flags, nothing, out_tangents)


def _interleaved(skip: int, first: Sequence[int], second: Sequence[int]) -> list[int]:
    """Positions in two lists, one behind the other, of their parts taken in turns."""
    order = list(range(skip))
    at, after = skip, skip + sum(first)
    for a, b in zip(first, second, strict=True):
        order += [*range(at, at + a), *range(after, after + b)]
        at += a
        after += b
    return order


# -- batch -----------------------------------------------------------------------------------------


def _batch(
    size: int,
    inputs: Sequence[Any],
    dims: Sequence[int | None],
    *,
    jaxpr: Jaxpr,
    consts: int,
    carry: int,
    **rest: Any,
) -> tuple[list[Any], list[int | None]]:
    fixed, state, slices = three([d is not None for d in dims], consts, carry)
    others = [False] * (len(jaxpr.outvars) - carry)
    while True:
        flags = [*fixed, *state, *slices]
        derived = rewrite.batch_program(jaxpr, size, flags, [*state, *others])
        if list(derived.flags[:carry]) == state:
            break
        state = list(derived.flags[:carry])
    placed = [
        (place(size, x, d, 1) if k >= consts + carry else to_front(size, x, d)) if f else x
        for k, (x, d, f) in enumerate(zip(inputs, dims, flags, strict=True))
    ]
    count = len(derived.consts) + consts
    outs = scan(*derived.consts, *placed, jaxpr=derived.program, consts=count, carry=carry, **rest)
    where = [0] * carry + [1] * len(others)
    return outs, [d if f else None for d, f in zip(where, derived.flags, strict=True)]


def each(
    function: Callable[..., Sequence[Any]],
    size: int,
    inputs: Sequence[Any],
    mapped: Flags,
    name: str,
) -> list[Any]:
    """A function of the elements of the mapped inputs, one element after the other."""
    shared, slices = split_by(mapped, inputs)
    avals = [aval_of(x) for x in shared]
    avals += [aval_of(x).update(shape=aval_of(x).shape[1:]) for x in slices]

    def body(*args: Any) -> Sequence[Any]:
        return function(*merge_by(mapped, args[: len(shared)], args[len(shared) :]))

    staged = stage(body, avals, name)
    params = _params(staged.jaxpr, len(shared), 0, size)
    return scan(*shared, *slices, **params)  # type: ignore[no-any-return]


# -- partial evaluation ----------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Halves:
    """A scanned program in two: what is known, and what is staged for later.

    `once` maps the known constants to residuals that are equal in all iterations; `known` is
    scanned first and returns, behind the known outputs, residuals that `later` gets slice by slice.
    The inputs of `later` come from: `consts` and `xs` among the known inputs, `once`, and `known`.
    """

    once: Jaxpr
    known: Jaxpr
    later: Jaxpr
    out_unknown: tuple[bool, ...]
    carry_unknown: tuple[bool, ...]
    consts: tuple[int, ...]
    xs: tuple[int, ...]


def _halves(jaxpr: Jaxpr, unknown: Flags, consts: int, carry: int) -> _Halves:
    key = ("scanned halves", tuple(unknown), consts, carry)
    found: _Halves = rewrite.remembered(jaxpr, key, lambda: _split(jaxpr, unknown, consts, carry))
    return found


def _split(jaxpr: Jaxpr, unknown: Flags, consts: int, carry: int) -> _Halves:
    fixed, state, slices = three(unknown, consts, carry)
    others = [False] * (len(jaxpr.outvars) - carry)
    while True:
        flags = [*fixed, *state, *slices]
        split = rewrite.split(jaxpr, flags, [*state, *others])
        if list(split.out_unknown[:carry]) == state:
            break
        state = list(split.out_unknown[:carry])
    known = split.known
    counts = [part.count(False) for part in (fixed, state, slices)]
    ends = (counts[0], counts[0] + counts[1])
    outs = len(known.outvars) - split.residuals
    residuals = known.outvars[outs:]
    varying = _varying(known, counts[0])
    each = [k for k, v in enumerate(residuals) if v in varying]
    equal = [k for k, v in enumerate(residuals) if v not in varying]
    carried = [p for p in split.forwarded if ends[0] <= p < ends[1]]
    stacked = (*(residuals[k] for k in each), *(known.invars[p] for p in carried))
    outvars = (*known.outvars[:outs], *stacked)
    whole = make((), known.invars, known.equations, outvars, known.name)
    first = make((), known.invars, live_equations(whole), outvars, known.name)
    pure = [e for e in known.equations if not fx.pinned(e.effects)]
    whole = make((), known.invars[: ends[0]], pure, [residuals[k] for k in equal], known.name)
    once = make((), whole.invars, live_equations(whole), whole.outvars, known.name)
    passed = {p: k for k, p in enumerate(split.forwarded)}
    shift = len(split.forwarded)
    own = shift + split.residuals
    amounts = [sum(part) for part in (fixed, state, slices)]
    as_const = [p for p in split.forwarded if p < ends[0]]
    as_xs = [p for p in split.forwarded if p >= ends[1]]
    order = [
        *(passed[p] for p in as_const),
        *(shift + k for k in equal),
        *range(own, own + amounts[0] + amounts[1]),
        *(passed[p] for p in as_xs),
        *(shift + k for k in each),
        *(passed[p] for p in carried),
        *range(own + amounts[0] + amounts[1], own + sum(amounts)),
    ]
    later = rewrite.rearranged(split.later, order)
    return _Halves(
        once, first, later, split.out_unknown, tuple(state), tuple(as_const), tuple(as_xs)
    )


def _varying(known: Jaxpr, consts: int) -> set[Any]:
    """The variables that may differ between iterations."""
    found = set(known.invars[consts:])
    for e in known.equations:
        if fx.pinned(e.effects) or any(v in found for v in e.inputs if isinstance(v, Var)):
            found.update(e.outputs)
    return found


def _partial(
    trace: Any,
    inputs: Sequence[Any],
    unknown: Flags,
    *,
    jaxpr: Jaxpr,
    consts: int,
    carry: int,
    progress: str | None,
    **rest: Any,
) -> list[Any]:
    """What is known is scanned now, and its residuals are stacked for the scan that is staged."""
    halves = _halves(jaxpr, unknown, consts, carry)
    flags = [*unknown[:consts], *halves.carry_unknown, *unknown[consts + carry :]]
    known, given = split_by(flags, inputs)
    counts = [part.count(False) for part in three(flags, consts, carry)]
    params = {"jaxpr": halves.known, "consts": counts[0], "carry": counts[1]}
    outs = halves.out_unknown.count(False)
    results: list[Any] = []
    if halves.known.outvars or fx.pinned(halves.known.effects):
        results = trace.evaluate_known(scan, known, {**params, "progress": progress, **rest})
    if not any(halves.out_unknown) and not fx.pinned(halves.later.effects):
        return results[:outs]
    with active(trace.parent):
        once = evaluate_program(halves.once, (), known[: counts[0]])
    fixed, state, slices = three(given, sum(unknown[:consts]), sum(halves.carry_unknown))
    fixed = [*(known[p] for p in halves.consts), *once, *fixed]
    slices = [*(known[p] for p in halves.xs), *results[outs:], *slices]
    params = {"jaxpr": halves.later, "consts": len(fixed), "carry": len(state)}
    rows = trace.write(scan, [*fixed, *state, *slices], {**params, "progress": None, **rest})
    return merge_by(halves.out_unknown, results[:outs], rows)


# -- transposition ---------------------------------------------------------------------------------


def _transpose(
    cts: Sequence[Any],
    *inputs: Any,
    jaxpr: Jaxpr,
    consts: int,
    carry: int,
    length: int,
    reverse: bool,
    **rest: Any,
) -> list[Any]:
    """A scan the other way: cotangents of the carried values are carried, those of constants
    summed, those of slices stacked."""
    params = {"jaxpr": jaxpr, "consts": consts, "carry": carry, "length": length,
              "reverse": reverse, **rest}  # fmt: skip
    linear = [isinstance(x, LinearInput) for x in inputs]
    state = _linear_carries(jaxpr, linear, consts, carry)
    if not all(state):
        return _transpose_in_parts(cts, inputs, linear, params)
    fixed, _, slices = three(linear, consts, carry)
    flags = [*fixed, *state, *slices]
    ct_state, ct_ys = list(cts[:carry]), list(cts[carry:])
    on, on_ys = nonzero(ct_state), nonzero(ct_ys)
    while True:
        derived = rewrite.transpose_program(jaxpr, flags, [*on, *on_ys], [
            *(False for f in fixed if f), *on, *(False for f in slices if f)])  # fmt: skip
        summed, found, mapped = three(derived.flags, sum(fixed), carry)
        if found == on:
            break
        on = found
    body = _accumulating(derived, sum(summed), sum(on), fixed, slices)
    moving = [instantiate(ct) for ct, f in zip(ct_state, on, strict=True) if f]
    others = [x for x, f in zip(inputs[:consts], fixed, strict=True) if not f]
    xs = [x for x, f in zip(inputs[consts + carry :], slices, strict=True) if not f]
    avals = [a for a, f in zip(jaxpr.in_avals[:consts], fixed, strict=True) if f]
    totals = [zeros(a.strong()) for a, f in zip(avals, summed, strict=True) if f]
    given = [ct for ct, f in zip(ct_ys, on_ys, strict=True) if f]
    results = scan(
        *derived.consts, *others, *totals, *moving, *xs, *given,
        jaxpr=body,
        consts=len(derived.consts) + len(others),
        carry=len(totals) + len(moving),
        length=length,
        reverse=not reverse,
        **{**rest, "progress": None},
    )  # fmt: skip
    rows = iter(results)
    kinds = [*summed, *on, *mapped]
    sources = [
        a for a, f in zip(_whole_avals(jaxpr, consts + carry, length), flags, strict=True) if f
    ]
    full = iter([next(rows) if f else Zero(a) for f, a in zip(kinds, sources, strict=True)])
    outs = [next(full) if f else None for f in flags]
    return [ct if f else None for ct, f in zip(outs, linear, strict=True)]


def _whole_avals(jaxpr: Jaxpr, whole: int, length: int) -> list[ShapedArray]:
    avals = jaxpr.in_avals
    return [*avals[:whole], *(unsliced(a, length) for a in avals[whole:])]


def _linear_carries(jaxpr: Jaxpr, linear: Flags, consts: int, carry: int) -> list[bool]:
    """Which carried values depend on a linear input, in some iteration."""
    fixed, state, slices = three(linear, consts, carry)
    while True:
        found = {v for v, f in zip(jaxpr.invars, [*fixed, *state, *slices], strict=True) if f}
        for e in jaxpr.equations:
            if any(v in found for v in e.inputs if isinstance(v, Var)):
                found.update(e.outputs)
        after = [f or v in found for f, v in zip(state, jaxpr.outvars[:carry], strict=True)]
        if after == state:
            return state
        state = after


def _transpose_in_parts(
    cts: Sequence[Any], inputs: Sequence[Any], linear: Flags, params: dict[str, Any]
) -> list[Any]:
    """The same where some carried values are not linear: those are computed first."""
    unknown = [x.aval if isinstance(x, LinearInput) else None for x in inputs]
    _, out_unknown, rest = partial_flat(lambda *xs: scan(*xs, **params), inputs, unknown)
    needed = [ct for ct, u in zip(cts, out_unknown, strict=True) if u]
    found = iter(backward(rest.jaxpr, rest.consts, needed))
    return [next(found) if f else None for f in linear]


def _accumulating(
    derived: rewrite.Derived, summed: int, state: int, fixed: Flags, slices: Flags
) -> Jaxpr:
    """The transposed program that also adds up the cotangents of constants.

    (constants, sums, cotangents of carried values, slices, cotangents of slices) -> (sums,
    cotangents of carried values, cotangents of slices).
    """
    program = derived.program
    extra, others, rest = len(derived.consts), fixed.count(False), slices.count(False)

    def build() -> Jaxpr:
        def function(*args: Any) -> list[Any]:
            values = list(args)
            constants, totals, values = three(values, extra + others, summed)
            moving, values = values[:state], values[state:]
            inputs = [*constants, *values[:rest], *moving, *values[rest:]]
            after, found = sums_of(program, summed).add(totals, inputs)
            return [*after, *found]

        avals = program.in_avals
        constants, xs, cts = three(avals, extra + others, rest)
        sums = [a.strong() for a in program.out_avals[:summed]]
        given = [*constants, *sums, *cts[:state], *xs, *cts[state:]]
        return stage(function, given, program.name).jaxpr

    key = ("accumulating", extra, others, rest, summed, state)
    found: Jaxpr = rewrite.remembered(program, key, build)
    return found


# -- examples for the laws -------------------------------------------------------------------------


def _params(jaxpr: Jaxpr, consts: int, carry: int, length: int, **rest: Any) -> dict[str, Any]:
    return {"jaxpr": jaxpr, "consts": consts, "carry": carry, "length": length, "reverse": False,
            "unroll": 1, "progress": None, **rest}  # fmt: skip


def _draw(rng: Any, dtype: Any) -> Any:
    """A recurrence with a constant, an unused one, a counter, and nested in some examples."""
    row, number = ShapedArray((2,), dtype), ShapedArray((), dtype)
    count = ShapedArray((), np.dtype(np.int32))
    length = int(rng.integers(0, 4))
    reverse = bool(rng.integers(2))

    def body(w: Any, s: Any, i: Any, x: Any) -> list[Any]:
        new = add(mul(w, s), sin(x))
        return [new, add(i, np.int32(1)), mul(new, s), i]

    program = stage(body, [row, row, count, row], "body").jaxpr
    w, s = (rng.uniform(-1, 1, (2,)).astype(dtype) for _ in range(2))
    if rng.integers(2):
        xs = rng.uniform(-1, 1, (length, 2)).astype(dtype)
        inputs = [w, s, np.int32(3), xs]
        return inputs, _params(program, 1, 2, length, reverse=reverse)

    def outer(scale: Any, s: Any, xs: Any) -> list[Any]:
        params = _params(program, 1, 2, 2, reverse=reverse)
        last, _, ys, _ = scan(s, s, np.int32(0), xs, **params)
        return [last, mul(scale, scale), ys]

    nested = stage(outer, [number, row, ShapedArray((2, 2), dtype)], "outer").jaxpr
    xs = rng.uniform(-1, 1, (length, 2, 2)).astype(dtype)
    scale = np.asarray(rng.uniform(-1, 1), dtype)
    return [scale, s, xs], _params(nested, 1, 1, length, reverse=not reverse)


scan: Primitive = define(
    "scan",
    params=("jaxpr", "consts", "carry", "length", "reverse", "unroll", "progress"),
    abstract_eval=_avals,
    impl=_evaluate,
    jvp=Custom(_jvp),
    transpose=_transpose,
    batch=_batch,
    lower=Loop(counted=True),
    multiple_results=True,
    partial=_partial,
    eager=lambda *arrays, **params: runtime.executable.run_equation(scan, arrays, params),
    domain=Domain(draw=_draw),
    ulp=8,
)
