"""Eager evaluation, and the evaluation of programs under the current trace."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import errors
from ..config import config
from ..core import source
from ..core.avals import ShapedArray
from ..core.axes import unknown_axis
from ..core.effects import NamedAxis
from ..core.jaxpr import ClosedJaxpr, Jaxpr, Literal, Var
from ..core.primitive import Primitive, effects_of, infer
from ..core.quiet import quiet
from ..core.trace import BASE, Tracer, active, aval_of, leaked
from ..core.values import to_numpy


def evaluate(primitive: Primitive, args: Sequence[Any], params: dict[str, Any]) -> Any:
    """Runs an operator's `impl` on arrays that hold numbers; the results are arrays."""
    avals: list[ShapedArray] = []
    arrays: list[Any] = []
    array_type, view = BASE.array_type, BASE.view
    for x in args:
        if type(x) is array_type:
            avals.append(x.aval)
            arrays.append(view(x))
        elif isinstance(x, Tracer):
            raise leaked(x)
        else:
            avals.append(aval_of(x))
            arrays.append(to_numpy(x, avals[-1]))
    out_avals = infer(primitive, avals, params)
    if callable(primitive.effects):
        _refuse_unbound_axes(primitive, params)
    eager, least = primitive.eager, primitive.compiled_from
    if eager is not None and not config.disable_jit:
        out = eager(*arrays, **params)
    elif least and not config.disable_jit and _largest(avals, out_avals) >= least:
        values = [
            x if type(x) is array_type else _wrap(array, aval)
            for x, array, aval in zip(args, arrays, avals, strict=True)
        ]
        out = BASE.run_compiled(primitive, values, params)
        out = out if primitive.multiple_results else out[0]
    else:
        with quiet():
            out = primitive.rule("impl")(*arrays, **params)
    if not primitive.multiple_results:
        result = _wrap(out, out_avals[0])
        if config.debug_nans:
            _check_nans(primitive, result)
        return result
    results = [_wrap(x, aval) for x, aval in zip(out, out_avals, strict=True)]
    if config.debug_nans:
        for x in results:
            _check_nans(primitive, x)
    return results


def _largest(inputs: Sequence[ShapedArray], outputs: Sequence[ShapedArray]) -> int:
    return max(a.size for a in (*inputs, *outputs))


def _refuse_unbound_axes(primitive: Primitive, params: dict[str, Any]) -> None:
    for effect in effects_of(primitive, params):
        if isinstance(effect, NamedAxis):
            raise unknown_axis(effect.name, primitive.name)


def _wrap(x: Any, aval: Any) -> Any:
    if type(x) is BASE.array_type:
        return x
    if type(x) is not np.ndarray:
        x = np.asarray(x)
    if x.dtype is not aval.dtype and x.dtype != aval.dtype:
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

    with source.given() as given:
        for equation in program.equations:
            given.at(equation.source)
            inputs = [read(atom) for atom in equation.inputs]
            out = equation.primitive.bind(*inputs, **equation.params)
            outputs = out if equation.primitive.multiple_results else (out,)
            env.update(zip(equation.outputs, outputs, strict=True))
    return [read(atom) for atom in program.outvars]


def evaluate_arrays(program: Jaxpr, arrays: Sequence[Any]) -> list[np.ndarray[Any, Any]]:
    """The outputs of a program without constants on NumPy arrays, as NumPy arrays.

    Every equation is evaluated eagerly, whatever trace is current: this is what rows that hold
    programs mean.
    """
    inputs = [_wrap(_in_order(x), a) for x, a in zip(arrays, program.in_avals, strict=True)]
    with active(BASE):
        outputs = evaluate_program(program, (), inputs)
    return [to_numpy(y) for y in outputs]


def _in_order(x: Any) -> np.ndarray[Any, Any]:
    array: np.ndarray[Any, Any] = np.asarray(x, order="C")
    return array if array.flags.aligned else array.copy()


def evaluate_closed(program: ClosedJaxpr, args: Sequence[Any]) -> list[Any]:
    """The outputs of a program with its constants."""
    return evaluate_program(program.jaxpr, program.consts, args)


BASE.evaluate = evaluate
