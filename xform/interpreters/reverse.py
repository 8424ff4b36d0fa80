"""Reverse mode: linearize, then transpose the linear program."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .. import errors
from ..core import effects as fx, source
from ..core.avals import ShapedArray
from ..core.axes import require_local_gradients
from ..core.jaxpr import ClosedJaxpr, Equation, Jaxpr, Literal, Var
from ..core.primitive import LinearInput, Zero
from ..core.trace import aval_of
from ..ops.structural import add_tangents
from .evaluate import evaluate_program
from .forward import instantiate, jvp_flat
from .partial import partial_flat


def linearize_flat(
    function: Callable[..., Sequence[Any]], primals: Sequence[Any], name: str = "f"
) -> tuple[list[Any], ClosedJaxpr, list[bool]]:
    """Outputs of a function and its linear approximation there.

    Returns:
        the outputs; the linear program from the tangents of the inexact inputs to the tangents of
        those outputs that depend on them; and for each output whether it has a tangent in that
        program.
    """
    avals = [aval_of(p) for p in primals]
    wanted = [aval.tangent() is aval for aval in avals]
    count = len(primals)

    def tangent_function(*args: Any) -> list[Any]:
        tangents = [
            t if w else Zero(aval.tangent())
            for t, w, aval in zip(args[count:], wanted, avals, strict=True)
        ]
        outs, out_tangents = jvp_flat(function, args[:count], tangents)
        return [*outs, *out_tangents]

    nothing = [None] * count
    unknown: list[ShapedArray | None] = [*nothing]
    unknown += [aval.strong() if w else None for aval, w in zip(avals, wanted, strict=True)]
    marks: list[bool] = []

    def with_zeros_marked(*args: Any) -> list[Any]:
        results = tangent_function(*args)
        half = len(results) // 2
        marks.extend(not isinstance(t, Zero) for t in results[half:])
        return results[:half] + [t for t in results[half:] if not isinstance(t, Zero)]

    outs, _, program = partial_flat(with_zeros_marked, [*primals, *nothing], unknown, name)
    values = outs[: len(marks)]
    # A tangent that came out known is zero times something: it has no path to the inputs.
    known_tangents = outs[len(marks) :]
    depends = iter(known_tangents)
    has = [mark and next(depends) is None for mark in marks]
    return values, program, has


def vjp_flat(
    function: Callable[..., Sequence[Any]], primals: Sequence[Any], name: str = "f"
) -> tuple[list[Any], Callable[[Sequence[Any]], list[Any]]]:
    """Outputs of a function, and its pullback from their cotangents to those of the inputs.

    The pullback takes one cotangent per output (`Zero` allowed) and returns one per input, `Zero`
    where the output does not depend on it or the input is not inexact.
    """
    require_local_gradients()
    outs, program, has = linearize_flat(function, primals, name)
    avals = [aval_of(p) for p in primals]

    def pullback(cotangents: Sequence[Any]) -> list[Any]:
        needed = [ct for ct, h in zip(cotangents, has, strict=True) if h]
        flat = iter(backward(program.jaxpr, program.consts, needed))
        return [next(flat) if a.tangent() is a else Zero(a.tangent()) for a in avals]

    return outs, pullback


def backward(program: Jaxpr, consts: Sequence[Any], cotangents: Sequence[Any]) -> list[Any]:
    """Cotangents of a linear program's inputs, given those of its outputs (`Zero` allowed)."""
    linear = _depends_on(program, program.invars)
    env: dict[Var, Any] = dict(zip(program.constvars, consts, strict=True))
    _evaluate_nonlinear(program, linear, env)
    pending: dict[Var, Any] = {}

    def accumulate(atom: Any, ct: Any) -> None:
        if not isinstance(atom, Var) or atom not in linear or ct is None or isinstance(ct, Zero):
            return
        pending[atom] = add_tangents(pending[atom], ct) if atom in pending else ct

    for atom, ct in zip(program.outvars, cotangents, strict=True):
        accumulate(atom, ct)
    with source.given() as given:
        for equation in reversed(program.equations):
            cts = [pending.pop(v, None) for v in equation.outputs]
            if all(ct is None for ct in cts) and not _acts_on(equation, linear):
                continue
            given.at(equation.source)
            found = _transpose(equation, cts, linear, env)
            for atom, ct in zip(equation.inputs, found, strict=True):
                accumulate(atom, ct)
    return [pending.pop(v, Zero(v.aval)) for v in program.invars]


def _depends_on(program: Jaxpr, sources: Sequence[Var]) -> set[Var]:
    found = set(sources)
    for equation in program.equations:
        if any(isinstance(a, Var) and a in found for a in equation.inputs):
            found.update(equation.outputs)
    return found


def _acts_on(equation: Equation, linear: set[Var]) -> bool:
    """Whether an equation has an effect that needs a linear value: its rule must have a say."""
    return fx.pinned(equation.effects) and any(v in linear for v in equation.inputs)


def _evaluate_nonlinear(program: Jaxpr, linear: set[Var], env: dict[Var, Any]) -> None:
    for equation in program.equations:
        if any(v in linear for v in (*equation.outputs, *equation.inputs)):
            continue
        inputs = [_read(atom, env) for atom in equation.inputs]
        out = equation.primitive.bind(*inputs, **equation.params)
        outs = out if equation.primitive.multiple_results else (out,)
        env.update(zip(equation.outputs, outs, strict=True))


def _read(atom: Any, env: dict[Var, Any]) -> Any:
    return atom if isinstance(atom, Literal) else env[atom]


def _transpose(
    equation: Equation, cts: Sequence[Any], linear: set[Var], env: dict[Var, Any]
) -> Sequence[Any]:
    primitive = equation.primitive
    inputs = [
        LinearInput(a.aval) if isinstance(a, Var) and a in linear else _read(a, env)
        for a in equation.inputs
    ]
    rule = primitive.rule("transpose")
    if primitive.multiple_results:
        given = [
            Zero(v.aval) if ct is None else ct for v, ct in zip(equation.outputs, cts, strict=True)
        ]
        return rule(given, *inputs, **equation.params)  # type: ignore[no-any-return]
    out = rule(cts[0], *inputs, **equation.params)
    return (out,) if len(inputs) == 1 and not isinstance(out, tuple | list) else out


def transpose_flat(
    program: Jaxpr, linear: Sequence[bool], inputs: Sequence[Any], cts: Sequence[Any]
) -> list[Any]:
    """Cotangents of a program's linear inputs; it may compute with the others, which are given.

    What does not depend on the linear inputs is evaluated, the rest is transposed.
    """
    unknown = [a if flag else None for a, flag in zip(program.in_avals, linear, strict=True)]
    _, out_unknown, rest = partial_flat(
        lambda *xs: evaluate_program(program, (), xs), inputs, unknown, program.name
    )
    needed = [ct for ct, u in zip(cts, out_unknown, strict=True) if u]
    return backward(rest.jaxpr, rest.consts, needed)


def require_inexact(aval: ShapedArray, what: str) -> None:
    """Raises `GradError` for a dtype that has no derivative."""
    if aval.tangent() is not aval:
        raise errors.GradError(
            f"expected {what} of a floating or complex dtype",
            str(aval),
            why="integers and booleans have no derivatives",
            instead="x.astype(float), or differentiate another argument with argnums=...",
        )


__all__ = [
    "backward",
    "instantiate",
    "linearize_flat",
    "require_inexact",
    "transpose_flat",
    "vjp_flat",
]
