"""`checkpoint` as an operator: a program whose inner values the derivative computes again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..core.jaxpr import Jaxpr
from ..core.loops import Inline
from ..core.primitive import Custom, Domain, define
from ..interpreters import rewrite
from ..interpreters.evaluate import evaluate_program
from .call import (
    _example,
    program_avals,
    program_batch,
    program_jvp,
    program_partial,
    program_transpose,
)

Policy = Callable[..., bool] | None


def _bind(name: str, policy: Policy) -> Any:
    return lambda program, inputs: checkpoint_call(*inputs, jaxpr=program, name=name, policy=policy)


def _jvp(
    primals: Sequence[Any], tangents: Sequence[Any], *, jaxpr: Jaxpr, name: str, policy: Policy
) -> Any:
    return program_jvp(_bind(name, policy), jaxpr, primals, tangents)


def _batch(
    size: int,
    inputs: Sequence[Any],
    dims: Sequence[int | None],
    *,
    jaxpr: Jaxpr,
    name: str,
    policy: Policy,
) -> Any:
    return program_batch(_bind(name, policy), jaxpr, size, inputs, dims)


def _transpose(cts: Sequence[Any], *inputs: Any, jaxpr: Jaxpr, name: str, policy: Policy) -> Any:
    return program_transpose(_bind(name, policy), jaxpr, cts, inputs)


def _partial(
    trace: Any,
    inputs: Sequence[Any],
    unknown: Sequence[bool],
    *,
    jaxpr: Jaxpr,
    name: str,
    policy: Policy,
) -> list[Any]:
    """The unknown outputs are computed from the inputs, and from what the policy keeps."""
    split = rewrite.split_again(jaxpr, unknown, policy)
    params = {"name": name, "policy": policy}
    return program_partial(checkpoint_call, split, trace, inputs, unknown, params)


def _draw(rng: Any, dtype: Any) -> Any:
    inputs, params = _example(rng, dtype)
    return inputs, {**params, "policy": None}


checkpoint_call = define(
    "checkpoint",
    params=("jaxpr", "name", "policy"),
    abstract_eval=program_avals,
    impl=lambda *arrays, jaxpr, name, policy: evaluate_program(jaxpr, (), arrays),
    jvp=Custom(_jvp),
    transpose=_transpose,
    batch=_batch,
    lower=Inline("jaxpr", barrier=True),
    multiple_results=True,
    partial=_partial,
    domain=Domain(draw=_draw),
)
