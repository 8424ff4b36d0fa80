"""Eager evaluation, and the evaluation of programs under the current trace."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import errors
from ..config import config
from ..core.jaxpr import ClosedJaxpr, Jaxpr, Literal, Var
from ..core.primitive import Primitive, infer
from ..core.trace import BASE, Tracer, aval_of, leaked
from ..core.values import to_numpy


def evaluate(primitive: Primitive, args: Sequence[Any], params: dict[str, Any]) -> Any:
    """Runs an operator's `impl` on arrays that hold numbers; the results are arrays."""
    for x in args:
        if isinstance(x, Tracer):
            raise leaked(x)
    avals = [aval_of(x) for x in args]
    out_avals = infer(primitive, avals, params)
    arrays = [to_numpy(x, aval) for x, aval in zip(args, avals, strict=True)]
    with np.errstate(all="ignore"):
        out = primitive.rule("impl")(*arrays, **params)
    results = list(out) if primitive.multiple_results else [out]
    wrapped = [_wrap(x, aval) for x, aval in zip(results, out_avals, strict=True)]
    if config.debug_nans:
        for x in wrapped:
            _check_nans(primitive, x)
    return wrapped if primitive.multiple_results else wrapped[0]


def _wrap(x: Any, aval: Any) -> Any:
    if type(x) is BASE.array_type:
        return x
    x = np.asarray(x)
    if x.dtype != aval.dtype:
        x = x.astype(aval.dtype)
    return BASE.wrap(x if x.flags.c_contiguous else np.ascontiguousarray(x), aval)


def _check_nans(primitive: Primitive, x: Any) -> None:
    array = BASE.view(x)
    if array.dtype.kind in "fcV" and np.isnan(array).any():
        raise errors.NaNError(
            f"expected numbers from {primitive.name}",
            f"NaN in an array of type {x.aval}",
            why="debug_nans is on",
        )


def evaluate_program(program: Jaxpr, consts: Sequence[Any], args: Sequence[Any]) -> list[Any]:
    """The outputs of a program, each equation bound under the current trace."""
    env: dict[Var, Any] = dict(zip(program.constvars, consts, strict=True))
    env.update(zip(program.invars, args, strict=True))

    def read(atom: Any) -> Any:
        return atom if isinstance(atom, Literal) else env[atom]

    for equation in program.equations:
        inputs = [read(atom) for atom in equation.inputs]
        out = equation.primitive.bind(*inputs, **equation.params)
        outputs = out if equation.primitive.multiple_results else (out,)
        env.update(zip(equation.outputs, outputs, strict=True))
    return [read(atom) for atom in program.outvars]


def evaluate_closed(program: ClosedJaxpr, args: Sequence[Any]) -> list[Any]:
    return evaluate_program(program.jaxpr, program.consts, args)


BASE.evaluate = evaluate
