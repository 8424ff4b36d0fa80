"""`linear_solve`: the solution of a linear system, whose derivatives are solutions too.

All programs take the constants first, then vectors. From A x = b follows A dx = db - dA x, and for
the cotangents A^T b' = x'.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import errors
from ..core.avals import ShapedArray
from ..core.jaxpr import Jaxpr
from ..core.loops import Inline
from ..core.primitive import Custom, Domain, LinearInput, Primitive, Zero, define
from ..core.trace import aval_of
from ..interpreters import rewrite
from ..interpreters.batching import to_front
from ..interpreters.evaluate import evaluate_arrays, evaluate_program
from ..interpreters.forward import instantiate
from ..interpreters.rewrite import Derived
from ..interpreters.staging import stage
from ..ops.arithmetic import div, mul, neg, sub
from ..ops.checks import require_shape
from .call import merge_by, nonzero
from .cond import with_all_constants


def _avals(
    *avals: ShapedArray,
    matvec: Jaxpr,
    solve: Jaxpr,
    transpose_solve: Jaxpr | None,
    consts: int,
) -> tuple[ShapedArray, ...]:
    vector = [a.strong() for a in avals[consts:]]
    found = [a.strong() for a in avals]
    for program in (matvec, solve, transpose_solve):
        if program is None:
            continue
        require_shape(
            [a.strong() for a in program.in_avals] == found
            and [a.strong() for a in program.out_avals[: len(vector)]] == vector,
            f"expected {program.name} to take constants and a vector, and to return a vector",
            f"{program.in_avals} -> {program.out_avals} for {found}",
        )
    return solve.out_avals


def _solution_only(solve: Jaxpr, count: int) -> Jaxpr:
    """The program without its auxiliary outputs."""
    return rewrite.keep_outputs(solve, [k < count for k in range(len(solve.outvars))])


def tangent_of_image(
    program: Jaxpr, consts: Sequence[Any], tangents: Sequence[Any], vector: Sequence[Any]
) -> list[Any]:
    """The tangent of `program(consts, vector)` where only the constants move; `Zero` for none."""
    flags = [*nonzero(tangents), *(False for _ in vector)]
    derived, extra, out_flags = rewrite.jvp_program(program, flags)
    moving = [t for t in tangents if not isinstance(t, Zero)]
    results = evaluate_program(derived, (), [*extra, *consts, *vector, *moving])
    nothing = [
        Zero(a.tangent()) for a, f in zip(program.out_avals, out_flags, strict=True) if not f
    ]
    return merge_by(out_flags, nothing, results[len(program.outvars) :])


def _minus(x: Any, y: Any) -> Any:
    if isinstance(y, Zero):
        return x
    return neg(y) if isinstance(x, Zero) else sub(x, y)


def _jvp(
    primals: Sequence[Any],
    tangents: Sequence[Any],
    *,
    matvec: Jaxpr,
    solve: Jaxpr,
    transpose_solve: Jaxpr | None,
    consts: int,
) -> tuple[list[Any], list[Any]]:
    outs = linear_solve(
        *primals, matvec=matvec, solve=solve, transpose_solve=transpose_solve, consts=consts
    )
    count = len(primals) - consts
    fixed, solution = primals[:consts], outs[:count]
    moved = tangent_of_image(matvec, fixed, tangents[:consts], solution)
    right = [_minus(t, dy) for t, dy in zip(tangents[consts:], moved, strict=True)]
    aux = [Zero(aval_of(y).tangent()) for y in outs[count:]]
    if not any(nonzero(right)):
        return outs, [*(Zero(aval_of(x).tangent()) for x in solution), *aux]
    found = linear_solve(
        *fixed,
        *map(instantiate, right),
        matvec=matvec,
        solve=_solution_only(solve, count),
        transpose_solve=transpose_solve,
        consts=consts,
    )
    return outs, [*found, *aux]


def _transpose(
    cts: Sequence[Any],
    *inputs: Any,
    matvec: Jaxpr,
    solve: Jaxpr,
    transpose_solve: Jaxpr | None,
    consts: int,
) -> list[Any]:
    if transpose_solve is None:
        raise errors.GradError(
            "expected transpose_solve for reverse mode through custom_linear_solve",
            "None",
            why="the cotangent of b solves the transposed system",
            instead="transpose_solve=lambda vecmat, ct: ..., or symmetric=True",
        )
    fixed = inputs[:consts]
    if any(isinstance(x, LinearInput) for x in fixed):
        raise errors.GradError(
            "expected the transpose of a linear solve by its right-hand side only",
            "a matrix that is linear in what is differentiated",
            why="the solution is not linear in the matrix",
        )
    count = len(inputs) - consts
    given = cts[:count]
    if not any(nonzero(given)):
        return [*(None for _ in fixed), *(Zero(x.aval) for x in inputs[consts:])]
    back = rewrite.transposed_map(matvec, consts)
    extra, programs = with_all_constants(
        [back, _plain(transpose_solve), _plain(_solution_only(solve, count))]
    )
    found = linear_solve(
        *extra,
        *fixed,
        *map(instantiate, given),
        matvec=programs[0],
        solve=programs[1],
        transpose_solve=programs[2],
        consts=len(extra) + consts,
    )
    return [*(None for _ in fixed), *found]


def _plain(program: Jaxpr) -> Derived:
    return Derived(program, (), (True,) * len(program.outvars))


def _batch(
    size: int,
    inputs: Sequence[Any],
    dims: Sequence[int | None],
    *,
    matvec: Jaxpr,
    solve: Jaxpr,
    transpose_solve: Jaxpr | None,
    consts: int,
) -> tuple[list[Any], list[int]]:
    flags = [d is not None or k >= consts for k, d in enumerate(dims)]
    given = [x if d is None else to_front(size, x, d) for x, d in zip(inputs, dims, strict=True)]
    vector = [to_front(size, x, d) for x, d in zip(inputs[consts:], dims[consts:], strict=True)]
    programs = [p for p in (matvec, solve, transpose_solve) if p is not None]
    extra, batched = with_all_constants(
        [rewrite.batch_program(p, size, flags, wanted=[True] * len(p.outvars)) for p in programs]
    )
    outs = linear_solve(
        *extra,
        *given[:consts],
        *vector,
        matvec=batched[0],
        solve=batched[1],
        transpose_solve=batched[2] if transpose_solve is not None else None,
        consts=len(extra) + consts,
    )
    return outs, [0] * len(outs)


def _draw(rng: Any, dtype: Any) -> Any:
    """A diagonal system."""
    aval = ShapedArray((4,), dtype)
    matvec = stage(lambda d, x: [mul(d, x)], [aval, aval], "matvec").jaxpr
    solve = stage(lambda d, b: [div(b, d)], [aval, aval], "solve").jaxpr
    inputs = [np.asarray(rng.uniform(1, 2, (4,))).astype(dtype) for _ in range(2)]
    params = {"matvec": matvec, "solve": solve, "transpose_solve": solve, "consts": 1}
    return inputs, params


linear_solve: Primitive = define(
    "linear_solve",
    params=("matvec", "solve", "transpose_solve", "consts"),
    abstract_eval=_avals,
    impl=lambda *arrays, solve, **_: evaluate_arrays(solve, arrays),
    jvp=Custom(_jvp),
    transpose=_transpose,
    batch=_batch,
    lower=Inline("solve"),
    multiple_results=True,
    partial=lambda trace, inputs, unknown, **params: trace.write(linear_solve, inputs, params),
    domain=Domain(draw=_draw),
    ulp=2,
)
