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
from ..core.loops import Inline, Loop, Parallel, View
from ..core.primitive import Primitive, effects_of, infer
from ..core.quiet import quiet
from ..core.trace import BASE, Tracer, active, aval_of, current_trace, leaked
from ..core.values import to_numpy
from . import nans

_MANY_ELEMENTS = 1 << 24  # of arrays whose memory is asked for before it is taken


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
    for aval in out_avals:
        if aval.size >= _MANY_ELEMENTS:
            _require_memory(primitive, aval, arrays)
    debugging = config.debug_nans
    try:
        if debugging and nans.holds_programs(params):
            out = _searched(primitive, arrays, params)
        elif _is_large(primitive, (*avals, *out_avals)):
            out = _compiled(primitive, args, arrays, avals, params)
        else:
            out = _outputs(primitive, arrays, params)
        if not primitive.multiple_results:
            out = _wrap(out, out_avals[0])
        else:
            out = [_wrap(x, aval) for x, aval in zip(out, out_avals, strict=True)]
    except MemoryError as error:
        if isinstance(error, errors.XformError):
            raise
        raise BASE.no_memory(max(out_avals, key=lambda a: a.nbytes)) from None
    if debugging and nans.current_hunt() is None:
        _refuse_nans(primitive, arrays, params, out if primitive.multiple_results else [out])
    return out


def _outputs(primitive: Primitive, arrays: Sequence[Any], params: dict[str, Any]) -> Any:
    eager = primitive.eager
    if eager is not None and not config.disable_jit:
        return eager(*arrays, **params)
    with quiet():
        return primitive.rule("impl")(*arrays, **params)


def _is_large(primitive: Primitive, avals: Sequence[ShapedArray]) -> bool:
    """Whether an operator is better compiled than evaluated by NumPy."""
    least = primitive.compiled_from
    return bool(least) and not config.disable_jit and max(a.size for a in avals) >= least


def _compiled(
    primitive: Primitive,
    args: Sequence[Any],
    arrays: Sequence[Any],
    avals: Sequence[ShapedArray],
    params: dict[str, Any],
) -> Any:
    values = [
        x if type(x) is BASE.array_type else _wrap(array, aval)
        for x, array, aval in zip(args, arrays, avals, strict=True)
    ]
    out = BASE.run_compiled(primitive, values, params)
    return out if primitive.multiple_results else out[0]


def _require_memory(primitive: Primitive, aval: ShapedArray, arrays: Sequence[Any]) -> None:
    """Raises if there is no memory for an output; views of inputs take none."""
    largest = max((x.nbytes for x in arrays), default=0)
    if not isinstance(primitive.lower, View) or aval.nbytes > largest:
        BASE.require_memory(aval)


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


def _searched(primitive: Primitive, arrays: Sequence[Any], params: dict[str, Any]) -> Any:
    """The outputs of an operator that holds programs; a NaN is traced to where it was made."""

    def fails(outputs: Any) -> bool:
        return any(map(nans.has_nan, outputs if primitive.multiple_results else [outputs]))

    hunt = nans.current_hunt()
    if hunt is not None:
        return _interpreted(primitive, arrays, params, hunt)
    once = nans.calls_python(params)
    if not once:
        outputs = _outputs(primitive, arrays, params)
        if not fails(outputs):
            return outputs
    hunt = nans.Hunt(early=not once)
    with nans.hunting(hunt):
        outputs = _interpreted(primitive, arrays, params, hunt)
    if hunt.found is not None and fails(outputs):
        raise hunt.found
    return outputs


def _interpreted(
    primitive: Primitive, arrays: Sequence[Any], params: dict[str, Any], hunt: nans.Hunt
) -> Any:
    """The outputs of an operator that holds programs, evaluated operator by operator."""
    loop = primitive.lower
    if isinstance(loop, Inline):
        return evaluate_arrays(loop.program(params), arrays)
    if isinstance(loop, Parallel):
        return evaluate_arrays(loop.whole(**params), arrays)
    with quiet(), hunt.steps(isinstance(loop, Loop)):
        return primitive.rule("impl")(*arrays, **params)


def _refuse_nans(
    primitive: Primitive, arrays: Sequence[Any], params: dict[str, Any], outputs: Sequence[Any]
) -> None:
    for x in outputs:
        if nans.has_nan(x):
            name = nans.describes(primitive, params)
            raise nans.error_of(name, arrays, x.aval, nans.here())


def evaluate_program(program: Jaxpr, consts: Sequence[Any], args: Sequence[Any]) -> list[Any]:
    """The outputs of a program, each equation bound under the current trace."""
    env: dict[Var, Any] = dict(zip(program.constvars, consts, strict=True))
    env.update(zip(program.invars, args, strict=True))

    def read(atom: Any) -> Any:
        return atom if isinstance(atom, Literal) else env[atom]

    hunt = nans.current_hunt()
    inside: dict[Var, errors.NaNError] = {}
    with source.given() as given:
        for equation in program.equations:
            given.at(equation.source)
            inputs = [read(atom) for atom in equation.inputs]
            out = equation.primitive.bind(*inputs, **equation.params)
            outputs = out if equation.primitive.multiple_results else (out,)
            env.update(zip(equation.outputs, outputs, strict=True))
            if hunt is not None and (found := hunt.take()) is not None:
                inside[equation.outputs[0]] = found
    if hunt is not None and current_trace() is BASE:
        nans.search(hunt, program, read, inside)
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
