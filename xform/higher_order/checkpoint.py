"""`checkpoint` as an operator: a program whose inner values the derivative computes again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..core.jaxpr import Jaxpr
from ..core.loops import Inline
from ..core.primitive import Custom, Domain, define
from ..interpreters import rewrite
from ..interpreters.evaluate import evaluate_program
from .call import (
    _example,
    merge_by,
    program_avals,
    program_batch,
    program_jvp,
    program_transpose,
    split_by,
)


def _bind(name: str) -> Any:
    return lambda program, inputs: checkpoint_call(*inputs, jaxpr=program, name=name)


def _jvp(primals: Sequence[Any], tangents: Sequence[Any], *, jaxpr: Jaxpr, name: str) -> Any:
    return program_jvp(_bind(name), jaxpr, primals, tangents)


def _batch(
    size: int, inputs: Sequence[Any], dims: Sequence[int | None], *, jaxpr: Jaxpr, name: str
) -> Any:
    return program_batch(_bind(name), jaxpr, size, inputs, dims)


def _transpose(cts: Sequence[Any], *inputs: Any, jaxpr: Jaxpr, name: str) -> Any:
    return program_transpose(_bind(name), jaxpr, cts, inputs)


def _partial(
    trace: Any, inputs: Sequence[Any], unknown: Sequence[bool], *, jaxpr: Jaxpr, name: str
) -> list[Any]:
    """Known outputs are computed now; the whole program is staged for the others."""
    split = rewrite.split(jaxpr, unknown)
    known, _ = split_by(unknown, inputs)
    params = {"jaxpr": split.known, "name": name}
    results = trace.evaluate_known(checkpoint_call, known, params)
    outs = results[: len(results) - split.residuals]
    wanted = rewrite.keep_outputs(jaxpr, split.out_unknown)
    rest = trace.write(checkpoint_call, inputs, {"jaxpr": wanted, "name": name})
    return merge_by(split.out_unknown, outs, rest)


checkpoint_call = define(
    "checkpoint",
    params=("jaxpr", "name"),
    abstract_eval=program_avals,
    impl=lambda *arrays, jaxpr, name: evaluate_program(jaxpr, (), arrays),
    jvp=Custom(_jvp),
    transpose=_transpose,
    batch=_batch,
    lower=Inline("jaxpr", barrier=True),
    multiple_results=True,
    partial=_partial,
    domain=Domain(draw=_example),
)
