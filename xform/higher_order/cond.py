"""`cond`: one of several programs, chosen by a number."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import runtime
from ..core import effects as fx
from ..core.avals import ShapedArray
from ..core.axes import axis_name
from ..core.effects import NamedAxis
from ..core.jaxpr import Jaxpr, hoist_constants
from ..core.loops import Branch
from ..core.primitive import Custom, Domain, LinearInput, Primitive, Zero, define
from ..core.trace import aval_of
from ..interpreters import rewrite
from ..interpreters.batching import to_front
from ..interpreters.evaluate import evaluate_arrays, evaluate_program
from ..interpreters.staging import stage
from ..ops.arithmetic import clamp, mul
from ..ops.checks import require, require_dtype, require_shape
from ..ops.elementwise import sin
from ..ops.structural import add, broadcast_in_dim, full_like, select_n, zeros
from .call import merge_by, nonzero, split_by
from .scan import each

Flags = Sequence[bool]


def _avals(
    index: ShapedArray, *operands: ShapedArray, branches: tuple[Jaxpr, ...]
) -> list[ShapedArray]:
    require(bool(branches), "expected at least one branch", "none")
    require_dtype(index.dtype == np.int32, "expected an index of dtype int32", str(index))
    require_shape(index.shape == (), "expected an index of shape ()", str(index.shape))
    first, outs = branches[0], _strong(branches[0].out_avals)
    for branch in branches:
        require_shape(
            _strong(branch.in_avals) == _strong(operands),
            f"expected operands of the types of branch {branch.name}: {list(branch.in_avals)}",
            f"{list(operands)}",
        )
        require_shape(
            _strong(branch.out_avals) == outs,
            f"expected branches with outputs of equal types: {list(first.out_avals)}",
            f"{list(branch.out_avals)} from {branch.name}",
        )
    weak = [
        all(a.weak_type for a in avals)
        for avals in zip(*(b.out_avals for b in branches), strict=True)
    ]
    return [a.update(weak_type=w) for a, w in zip(outs, weak, strict=True)]


def _strong(avals: Sequence[ShapedArray]) -> list[ShapedArray]:
    return [a.strong() for a in avals]


def _evaluate(
    index: Any, *operands: Any, branches: tuple[Jaxpr, ...]
) -> list[np.ndarray[Any, Any]]:
    return evaluate_arrays(branches[min(max(int(index), 0), len(branches) - 1)], operands)


def with_all_constants(derived: Sequence[rewrite.Derived]) -> tuple[list[Any], tuple[Jaxpr, ...]]:
    """The constants of all programs, each once, and the programs with all as leading inputs."""
    slots: dict[int, int] = {}
    values: list[Any] = []
    for c in (c for d in derived for c in d.consts):
        if slots.setdefault(id(c), len(values)) == len(values):
            values.append(c)
    if not values:
        return [], tuple(d.program for d in derived)
    programs = []
    for d in derived:
        own = {slots[id(c)]: k for k, c in enumerate(d.consts)}
        lead = [own.get(slot, aval_of(c)) for slot, c in enumerate(values)]
        rest = range(len(d.consts), len(d.program.invars))
        programs.append(rewrite.rearranged(d.program, [*lead, *rest]))
    return values, tuple(programs)


def _jvp(
    primals: Sequence[Any], tangents: Sequence[Any], *, branches: tuple[Jaxpr, ...]
) -> tuple[list[Any], list[Any]]:
    index, *operands = primals
    flags = nonzero(tangents[1:])
    some = _union([rewrite.jvp_program(b, flags).flags for b in branches])
    derived = [rewrite.jvp_program(b, flags, some) for b in branches]
    consts, programs = with_all_constants(derived)
    moving = [t for t, f in zip(tangents[1:], flags, strict=True) if f]
    results = cond(index, *consts, *operands, *moving, branches=programs)
    outs, found = results[: len(some)], results[len(some) :]
    nothing = [Zero(aval_of(y).tangent()) for y, f in zip(outs, some, strict=True) if not f]
    return outs, merge_by(some, nothing, found)


def _union(flags: Sequence[Flags]) -> list[bool]:
    return [any(f) for f in zip(*flags, strict=True)]


def choose(
    index: Any, functions: Sequence[Callable[..., Sequence[Any]]], operands: Sequence[Any]
) -> list[Any]:
    """Binds `cond` with functions of the operands, which may close over other values."""
    avals = [aval_of(x) for x in operands]
    staged = [stage(f, avals, f.__name__) for f in functions]
    consts, programs = with_all_constants(
        [rewrite.Derived(hoist_constants(s.jaxpr), s.consts, ()) for s in staged]
    )
    return cond(index, *consts, *operands, branches=programs)  # type: ignore[no-any-return]


# -- batch -----------------------------------------------------------------------------------------


def _batch(
    size: int, inputs: Sequence[Any], dims: Sequence[int | None], *, branches: tuple[Jaxpr, ...]
) -> tuple[list[Any], list[int | None]]:
    fronted = [x if d is None else to_front(size, x, d) for x, d in zip(inputs, dims, strict=True)]
    flags = [d is not None for d in dims]
    if flags[0] and NamedAxis(axis_name(size)) in fx.NONE.union(*(b.effects for b in branches)):
        return _select(size, fronted, flags, branches)
    if flags[0]:
        # What an element does not choose is not run for it.
        name = branches[0].name
        outs = each(lambda *xs: cond(*xs, branches=branches), size, fronted, flags, name)
        return outs, [0] * len(outs)
    some = _union([rewrite.batch_program(b, size, flags[1:]).flags for b in branches])
    derived = [rewrite.batch_program(b, size, flags[1:], some) for b in branches]
    consts, programs = with_all_constants(derived)
    index, *operands = fronted
    outs = cond(index, *consts, *operands, branches=programs)
    return outs, [0 if f else None for f in some]


def _select(
    size: int, inputs: Sequence[Any], flags: Flags, branches: tuple[Jaxpr, ...]
) -> tuple[list[Any], list[int | None]]:
    """All branches are run, for their elements communicate, and each element takes its own."""
    index, *operands = inputs
    index = clamp(full_like(index, 0), index, full_like(index, len(branches) - 1))
    found = []
    for b in branches:
        derived = rewrite.batch_program(b, size, flags[1:], [True] * len(b.outvars))
        found.append(evaluate_program(derived.program, (), [*derived.consts, *operands]))
    outs = []
    for cases in zip(*found, strict=True):
        shape = aval_of(cases[0]).shape
        which = broadcast_in_dim(index, shape=shape, broadcast_dimensions=(0,))
        outs.append(_chosen(which, cases))
    return outs, [0] * len(outs)


def _chosen(which: Any, cases: Sequence[Any]) -> Any:
    """The case of that number, element by element."""
    if len(cases) == 1:
        return cases[0]
    return select_n(which, *cases)


# -- partial evaluation ----------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Halves:
    """The branches in two: `known` for now, `later` with the residuals of whichever was run.

    `known` returns the known outputs and the residuals, `later` gets (known operands at the
    positions `forwarded`, residuals, unknown operands).
    """

    known: tuple[Jaxpr, ...]
    later: tuple[Jaxpr, ...]
    out_unknown: tuple[bool, ...]
    forwarded: tuple[int, ...]


def _split(branches: tuple[Jaxpr, ...], unknown: Flags) -> _Halves:
    some = _union([rewrite.split(b, unknown).out_unknown for b in branches])
    splits = [rewrite.split(b, unknown, some) for b in branches]
    forwarded = tuple(sorted({p for s in splits for p in s.forwarded}))
    outs = some.count(False)
    slots: list[ShapedArray] = []
    places = []
    for s in splits:
        free = list(range(len(slots)))
        mine: list[int] = []
        for v in s.known.outvars[outs:]:
            aval = v.aval.strong()
            at = next((k for k in free if slots[k] is aval), None)
            if at is None:
                at = len(slots)
                slots.append(aval)
            else:
                free.remove(at)
            mine.append(at)
        places.append(tuple(mine))
    operands = splits[0].known.in_avals
    passed = [operands[p] for p in forwarded]
    known, later = [], []
    for s, taken in zip(splits, places, strict=True):
        known.append(_filled(s.known, outs, taken, tuple(slots)))
        own = {p: k for k, p in enumerate(s.forwarded)}
        shift = len(s.forwarded)
        from_slot = {at: shift + k for k, at in enumerate(taken)}
        rest = range(shift + s.residuals, len(s.later.invars))
        order = [
            *(own.get(p, a) for p, a in zip(forwarded, passed, strict=True)),
            *(from_slot.get(k, a) for k, a in enumerate(slots)),
            *rest,
        ]
        later.append(rewrite.rearranged(s.later, order))
    return _Halves(tuple(known), tuple(later), tuple(some), forwarded)


def _filled(
    program: Jaxpr, outs: int, places: tuple[int, ...], slots: tuple[ShapedArray, ...]
) -> Jaxpr:
    """The program with a residual for each slot, zeros in those that are of other branches."""

    def build() -> Jaxpr:
        def function(*args: Any) -> list[Any]:
            results = evaluate_program(program, (), args)
            mine = dict(zip(places, results[outs:], strict=True))
            return [
                *results[:outs],
                *(mine[k] if k in mine else zeros(a) for k, a in enumerate(slots)),
            ]

        return stage(function, program.in_avals, program.name).jaxpr

    found: Jaxpr = rewrite.remembered(program, ("filled", outs, places, slots), build)
    return found


def _partial(
    trace: Any, inputs: Sequence[Any], unknown: Flags, *, branches: tuple[Jaxpr, ...]
) -> list[Any]:
    """The known part of the branch is run now; the rest is staged as another cond."""
    if unknown[0]:
        return trace.write(cond, inputs, {"branches": branches})  # type: ignore[no-any-return]
    halves = _split(branches, unknown[1:])
    index, *operands = inputs
    known, given = split_by(unknown[1:], operands)
    outs = halves.out_unknown.count(False)
    results: list[Any] = []
    if any(b.outvars or fx.pinned(b.effects) for b in halves.known):
        results = trace.evaluate_known(cond, [index, *known], {"branches": halves.known})
    if not any(halves.out_unknown) and not any(fx.pinned(b.effects) for b in halves.later):
        return results[:outs]
    passed = [known[p] for p in halves.forwarded]
    inputs = [index, *passed, *results[outs:], *given]
    rest = trace.write(cond, inputs, {"branches": halves.later})
    return merge_by(halves.out_unknown, results[:outs], rest)


def _transpose(
    cts: Sequence[Any], index: Any, *operands: Any, branches: tuple[Jaxpr, ...]
) -> list[Any]:
    linear = [isinstance(x, LinearInput) for x in operands]
    flags = nonzero(cts)
    some = _union([rewrite.transpose_program(b, linear, flags).flags for b in branches])
    derived = [rewrite.transpose_program(b, linear, flags, some) for b in branches]
    consts, programs = with_all_constants(derived)
    others = [x for x, f in zip(operands, linear, strict=True) if not f]
    given = [ct for ct, f in zip(cts, flags, strict=True) if f]
    results = cond(index, *consts, *others, *given, branches=programs)
    avals = [x.aval for x in operands if isinstance(x, LinearInput)]
    nothing = [Zero(a) for a, f in zip(avals, some, strict=True) if not f]
    found = merge_by(some, nothing, results)
    return [None, *merge_by(linear, [None] * len(others), found)]


# -- examples for the laws -------------------------------------------------------------------------


def _draw(rng: Any, dtype: Any) -> Any:
    row, count = ShapedArray((3,), dtype), ShapedArray((), np.dtype(np.int32))

    def first(x: Any, y: Any, n: Any) -> list[Any]:
        return [mul(sin(x), y), add(n, n), x]

    def second(x: Any, y: Any, n: Any) -> list[Any]:
        return [add(x, x), n, zeros(row)]

    def third(x: Any, y: Any, n: Any) -> list[Any]:
        inner = cond(n, y, x, n, branches=tuple(programs[:2]))
        return [mul(x, inner[0]), inner[1], mul(y, y)]

    programs: list[Jaxpr] = []
    for function in (first, second, third):
        programs.append(stage(function, [row, row, count], function.__name__).jaxpr)
    index = np.int32(rng.integers(0, 3))
    x, y = (rng.uniform(-2, 2, (3,)).astype(dtype) for _ in range(2))
    return [index, x, y, np.int32(rng.integers(0, 2))], {"branches": tuple(programs)}


cond: Primitive = define(
    "cond",
    params=("branches",),
    abstract_eval=_avals,
    impl=_evaluate,
    jvp=Custom(_jvp),
    transpose=_transpose,
    batch=_batch,
    lower=Branch(),
    multiple_results=True,
    partial=_partial,
    eager=lambda *arrays, **params: runtime.executable.run_equation(cond, arrays, params),
    domain=Domain(draw=_draw),
    ulp=8,
)
