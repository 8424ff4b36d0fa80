"""Functions with a derivative of the user's own, as operators.

Before staging they hold Python functions of flat arguments, so that a function may use Python
control flow on known values; staging turns the function into a program.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .. import errors
from ..core.axes import effects_of_rules
from ..core.jaxpr import Jaxpr, hoist_constants
from ..core.loops import Inline
from ..core.primitive import Absent, Custom, Domain, LinearInput, Primitive, Zero, define
from ..core.trace import aval_of
from ..interpreters.batching import batch_flat, place, to_front
from ..interpreters.evaluate import evaluate_program
from ..interpreters.staging import stage
from ..ops.structural import add, reduce_sum

Flat = Callable[..., Sequence[Any]]


class Program:
    """A staged function with its leading constants among the inputs."""

    def __init__(self, jaxpr: Jaxpr) -> None:
        self.jaxpr = jaxpr
        self.__name__ = jaxpr.name

    def __call__(self, *args: Any) -> list[Any]:
        return evaluate_program(self.jaxpr, (), args)


def _avals(*avals: Any, fun: Flat, jaxpr: Jaxpr | None, **params: Any) -> Any:
    if jaxpr is not None:
        return jaxpr.out_avals
    return stage(fun, avals).out_avals


def _evaluate(*arrays: Any, fun: Flat, **params: Any) -> Any:
    return list(fun(*arrays))


def _skipping(rule: Flat, count: int) -> Flat:
    """A derivative rule for a function with `count` more leading arguments."""

    def skipping(*args: Any) -> Sequence[Any]:
        half = len(args) // 2
        return rule(*args[count:half], *args[half + count :])

    return skipping


def _staged(trace: Any, inputs: Sequence[Any], *, fun: Flat, jaxpr: Any, **params: Any) -> Any:
    if jaxpr is not None:
        return trace.write(row_of(params), inputs, {"fun": fun, "jaxpr": jaxpr, **params})
    staged = stage(fun, [aval_of(x) for x in inputs], params["name"])
    program = hoist_constants(staged.jaxpr)
    if staged.consts:
        params = _for_constants(params, staged.consts)
    inputs = [*staged.consts, *inputs]
    return trace.write(
        row_of(params), inputs, {"fun": Program(program), "jaxpr": program, **params}
    )


def row_of(params: dict[str, Any]) -> Any:
    """The operator that has these parameters."""
    return custom_vjp_call if "bwd" in params else custom_jvp_call


def _for_constants(params: dict[str, Any], consts: Sequence[Any]) -> dict[str, Any]:
    count = len(consts)
    nothing = [Zero(aval_of(x).tangent()) for x in consts]
    if "bwd" not in params:
        return {**params, "rule": _skipping(params["rule"], count)}
    fwd, bwd = params["fwd"], params["bwd"]
    return {
        **params,
        "fwd": lambda *args, perturbed: fwd(*args[count:], perturbed=perturbed[count:]),
        "bwd": lambda *args: [*nothing, *bwd(*args)],
    }


# -- custom_jvp ------------------------------------------------------------------------------------


def _jvp_jvp(primals: Sequence[Any], tangents: Sequence[Any], *, rule: Flat, **params: Any) -> Any:
    results = list(rule(*primals, *tangents))
    half = len(results) // 2
    outs, out_tangents = results[:half], results[half:]
    return outs, [
        t if aval_of(y).tangent() is aval_of(y) else Zero(aval_of(y).tangent())
        for y, t in zip(outs, out_tangents, strict=True)
    ]


def _batched(function: Flat, size: int, dims: Sequence[int | None]) -> Flat:
    """A function of batched arguments; every output has its batch dimension in front."""

    def batched(*args: Any) -> list[Any]:
        outs, out_dims = batch_flat(function, size, args, dims)
        return [_fronted(size, y, d) for y, d in zip(outs, out_dims, strict=True)]

    return batched


def _fronted(size: int, y: Any, dim: int | None) -> Any:
    if isinstance(y, Zero):
        return Zero(y.aval.update(shape=(size, *y.aval.shape)))
    return to_front(size, y, dim)


def _jvp_batch(
    size: int, inputs: Sequence[Any], dims: Any, *, fun: Flat, rule: Flat, jaxpr: Any, name: str
) -> Any:
    outs = custom_jvp_call(
        *inputs,
        fun=_batched(fun, size, dims),
        rule=_batched(rule, size, [*dims, *dims]),
        jaxpr=None,
        name=name,
    )
    return outs, [0] * len(outs)


def _draw(rng: Any, dtype: Any) -> Any:
    def double(x: Any) -> list[Any]:
        return [add(x, x)]

    def rule(x: Any, t: Any) -> list[Any]:
        return [add(x, x), add(t, t)]

    params = {"fun": double, "rule": rule, "jaxpr": None, "name": "double"}
    return [rng.uniform(-2, 2, (3,)).astype(dtype)], params


custom_jvp_call = define(
    "custom_jvp_call",
    params=("fun", "rule", "jaxpr", "name"),
    abstract_eval=_avals,
    impl=_evaluate,
    jvp=Custom(_jvp_jvp),
    transpose=Absent("its derivative is linear, the function itself need not be"),
    batch=_jvp_batch,
    lower=Inline("jaxpr"),
    multiple_results=True,
    staged=_staged,
    effects=effects_of_rules,
    domain=Domain(draw=_draw),
)


# -- custom_vjp ------------------------------------------------------------------------------------
#
# `fwd(*primals, perturbed=...)` returns (outputs, residuals), and is told which primals have
# tangents; `bwd(*residuals, *cotangents)` returns one cotangent per primal. `Zero` may be among the
# cotangents in and out.


def _vjp_jvp(
    primals: Sequence[Any], tangents: Sequence[Any], *, fwd: Flat, bwd: Flat, **_: Any
) -> Any:
    """The forward rule now; the tangents through an operator that only knows its transpose."""
    flags = tuple(not isinstance(t, Zero) for t in tangents)
    outs, residuals = fwd(*primals, perturbed=flags)
    given = [t for t in tangents if not isinstance(t, Zero)]
    avals = tuple(aval_of(y).strong() for y in outs)
    found = iter(custom_tangents(*residuals, *given, bwd=bwd, avals=avals, nonzero=flags))
    return list(outs), [next(found) if a.tangent() is a else Zero(a.tangent()) for a in avals]


def _tangents_avals(*inputs: Any, bwd: Flat, avals: Any, nonzero: Any) -> Any:
    return [a for a in avals if a.tangent() is a]


def _refuse_tangents(*inputs: Any, **params: Any) -> Any:
    raise errors.GradError(
        "expected reverse-mode differentiation of a custom_vjp function",
        "forward-mode (jvp, jacfwd, hessian or linearize)",
        why="a custom_vjp function defines its pullback only",
        instead="grad, vjp or jacrev; or define the function with custom_jvp, which serves both "
        "modes",
    )


def _tangents_transpose(
    cts: Sequence[Any], *inputs: Any, bwd: Flat, avals: Any, nonzero: Sequence[bool]
) -> list[Any]:
    residuals = [x for x in inputs if not isinstance(x, LinearInput)]
    given = iter(cts)
    full = [next(given) if a.tangent() is a else Zero(a.tangent()) for a in avals]
    results = bwd(*residuals, *full)
    wanted = [ct for ct, flag in zip(results, nonzero, strict=True) if flag]
    return [*(None for _ in residuals), *wanted]


def _draw_tangents(rng: Any, dtype: Any) -> Any:
    x = rng.uniform(-2, 2, (3,)).astype(dtype)
    params = {"bwd": lambda ct: [add(ct, ct)], "avals": (aval_of(x),), "nonzero": (True,)}
    return [x], params


custom_tangents: Primitive = define(
    "custom_tangents",
    params=("bwd", "avals", "nonzero"),
    abstract_eval=_tangents_avals,
    impl=_refuse_tangents,
    jvp=Absent("a custom_vjp function is differentiated in reverse mode only"),
    transpose=_tangents_transpose,
    batch=Absent("a custom_vjp function is differentiated in reverse mode only"),
    lower=Absent("a custom_vjp function is differentiated in reverse mode only"),
    multiple_results=True,
    partial=lambda trace, inputs, unknown, **params: trace.write(custom_tangents, inputs, params),
    domain=Domain(draw=_draw_tangents),
)


def _batched_fwd(fwd: Flat, size: int, dims: Sequence[int | None]) -> Flat:
    counts: list[int] = []

    def batched(*args: Any, perturbed: Sequence[bool]) -> Any:
        def flat(*xs: Any) -> list[Any]:
            outs, residuals = fwd(*xs, perturbed=perturbed)
            counts[:] = [len(outs)]
            return [*outs, *residuals]

        results = _batched(flat, size, dims)(*args)
        return results[: counts[0]], results[counts[0] :]

    return batched


def _batched_bwd(bwd: Flat, size: int, dims: Sequence[int | None]) -> Flat:
    """Batches are in front; the cotangent of an input without one is summed over the batch."""

    def place_one(ct: Any, at: int | None, dim: int | None) -> Any:
        if isinstance(ct, Zero):
            shape = ct.aval.shape
            return ct if dim is None else Zero(ct.aval.update((*shape[:dim], size, *shape[dim:])))
        if dim is None:
            return reduce_sum(to_front(size, ct, at), axes=(0,))
        return place(size, ct, at, dim)

    def batched(*args: Any) -> list[Any]:
        results, found = batch_flat(bwd, size, args, [0] * len(args))
        return [place_one(*one) for one in zip(results, found, dims, strict=True)]

    return batched


def _vjp_batch(
    size: int, inputs: Sequence[Any], dims: Any, *, fun: Flat, fwd: Flat, bwd: Flat, **rest: Any
) -> Any:
    outs = custom_vjp_call(
        *inputs,
        fun=_batched(fun, size, dims),
        fwd=_batched_fwd(fwd, size, dims),
        bwd=_batched_bwd(bwd, size, dims),
        jaxpr=None,
        name=rest["name"],
    )
    return outs, [0] * len(outs)


def _draw_vjp(rng: Any, dtype: Any) -> Any:
    params: dict[str, Any] = {
        "fun": lambda x: [add(x, x)],
        "fwd": lambda x, *, perturbed: ([add(x, x)], []),
        "bwd": lambda ct: [add(ct, ct)],
        "jaxpr": None,
        "name": "double",
    }
    return [rng.uniform(-2, 2, (3,)).astype(dtype)], params


custom_vjp_call = define(
    "custom_vjp_call",
    params=("fun", "fwd", "bwd", "jaxpr", "name"),
    abstract_eval=_avals,
    impl=_evaluate,
    jvp=Custom(_vjp_jvp),
    transpose=Absent("its derivative is linear, the function itself need not be"),
    batch=_vjp_batch,
    lower=Inline("jaxpr"),
    multiple_results=True,
    staged=_staged,
    effects=effects_of_rules,
    domain=Domain(draw=_draw_vjp),
)
