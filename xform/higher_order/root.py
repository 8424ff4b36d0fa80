"""`root`: a root of a function, whose derivative is that of the implicit function.

All programs take the constants first. From f(c, x) = 0 follows f_x dx = -f_c dc.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.avals import ShapedArray
from ..core.jaxpr import Jaxpr
from ..core.loops import Inline
from ..core.primitive import Absent, Custom, Domain, Primitive, Zero, define
from ..core.trace import aval_of
from ..interpreters import rewrite
from ..interpreters.batching import to_front
from ..interpreters.evaluate import evaluate_arrays, evaluate_program
from ..interpreters.forward import instantiate
from ..interpreters.staging import stage
from ..ops.arithmetic import div, mul, neg, sub
from ..ops.checks import require_shape
from ..ops.elementwise import sqrt
from ..ops.structural import add
from .call import nonzero
from .cond import with_all_constants
from .linear_solve import tangent_of_image


def _avals(
    *avals: ShapedArray, fun: Jaxpr, solve: Jaxpr, tangent_solve: Jaxpr, consts: int
) -> tuple[ShapedArray, ...]:
    found = [a.strong() for a in avals]
    guess = found[consts:]
    for program, inputs in ((fun, found), (solve, found), (tangent_solve, [*found, *guess])):
        require_shape(
            [a.strong() for a in program.in_avals] == inputs
            and [a.strong() for a in program.out_avals[: len(guess)]] == guess,
            f"expected {program.name} to take constants and guesses, and to return a guess",
            f"{program.in_avals} -> {program.out_avals} for {found}",
        )
    return solve.out_avals


def _jvp(
    primals: Sequence[Any],
    tangents: Sequence[Any],
    *,
    fun: Jaxpr,
    solve: Jaxpr,
    tangent_solve: Jaxpr,
    consts: int,
) -> tuple[list[Any], list[Any]]:
    outs = root(*primals, fun=fun, solve=solve, tangent_solve=tangent_solve, consts=consts)
    count = len(primals) - consts
    fixed, solution = primals[:consts], outs[:count]
    nothing = [Zero(aval_of(y).tangent()) for y in outs]
    moved = tangent_of_image(fun, fixed, tangents[:consts], solution)
    if not any(nonzero(moved)):
        return outs, nothing
    right = [neg(instantiate(t)) for t in moved]
    found = evaluate_program(tangent_solve, (), [*fixed, *solution, *right])
    return outs, [*found, *nothing[count:]]


def _batch(
    size: int,
    inputs: Sequence[Any],
    dims: Sequence[int | None],
    *,
    fun: Jaxpr,
    solve: Jaxpr,
    tangent_solve: Jaxpr,
    consts: int,
) -> tuple[list[Any], list[int]]:
    flags = [d is not None for d in dims[:consts]]
    given = [
        to_front(size, x, d) if k >= consts or d is not None else x
        for k, (x, d) in enumerate(zip(inputs, dims, strict=True))
    ]
    extra, batched = with_all_constants(
        [
            rewrite.batch_program(
                p,
                size,
                [*flags, *(True for _ in p.invars[consts:])],
                wanted=[True] * len(p.outvars),
            )
            for p in (fun, solve, tangent_solve)
        ]
    )
    outs = root(
        *extra,
        *given,
        fun=batched[0],
        solve=batched[1],
        tangent_solve=batched[2],
        consts=len(extra) + consts,
    )
    return outs, [0] * len(outs)


def _draw(rng: Any, dtype: Any) -> Any:
    """The square root of the constant."""
    aval = ShapedArray((4,), dtype)
    fun = stage(lambda c, x: [sub(mul(x, x), c)], [aval, aval], "fun").jaxpr
    solve = stage(lambda c, x: [sqrt(c)], [aval, aval], "solve").jaxpr
    tangent_solve = stage(
        lambda c, x, b: [div(b, add(x, x))], [aval, aval, aval], "tangent_solve"
    ).jaxpr
    inputs = [np.asarray(rng.uniform(1, 2, (4,))).astype(dtype) for _ in range(2)]
    return inputs, {"fun": fun, "solve": solve, "tangent_solve": tangent_solve, "consts": 1}


root: Primitive = define(
    "root",
    params=("fun", "solve", "tangent_solve", "consts"),
    abstract_eval=_avals,
    impl=lambda *arrays, solve, **_: evaluate_arrays(solve, arrays),
    jvp=Custom(_jvp),
    transpose=Absent("a root is not linear in anything"),
    batch=_batch,
    lower=Inline("solve"),
    multiple_results=True,
    partial=lambda trace, inputs, unknown, **params: trace.write(root, inputs, params),
    domain=Domain(draw=_draw),
    ulp=1,
)
