"""The verifier of programs: scope and types."""

from __future__ import annotations

from .. import errors
from . import printing
from .jaxpr import ClosedJaxpr, Jaxpr, Var, subprograms
from .primitive import infer


def check(program: Jaxpr | ClosedJaxpr) -> None:
    """Raises `CheckError`, with the equations around the fault, unless the program is well formed.

    Every variable is defined once and before its use; every equation's outputs have the avals its
    operator infers (up to the weak type); parameters are the row's; programs inside are well
    formed.
    """
    jaxpr = program.jaxpr if isinstance(program, ClosedJaxpr) else program
    if isinstance(program, ClosedJaxpr) and len(program.consts) != len(jaxpr.constvars):
        raise errors.CheckError(
            f"expected {len(jaxpr.constvars)} constants", str(len(program.consts))
        )
    known: set[Var] = set()
    for var in (*jaxpr.constvars, *jaxpr.invars):
        if var in known:
            raise errors.CheckError("expected each input once", f"{var} twice in {jaxpr.name}")
        known.add(var)
    for position in range(len(jaxpr.equations)):
        _check_equation(jaxpr, position, known)
    for atom in jaxpr.outvars:
        if isinstance(atom, Var) and atom not in known:
            raise errors.CheckError(
                f"expected outputs of {jaxpr.name} that are defined", f"{atom}", why=str(jaxpr)
            )


def _check_equation(jaxpr: Jaxpr, position: int, known: set[Var]) -> None:
    equation = jaxpr.equations[position]

    def fault(expected: str, got: str) -> errors.CheckError:
        near = printing.neighbourhood(jaxpr, position)
        return errors.CheckError(expected, f"{got}\n{near}", where=equation.source.text)

    for atom in equation.inputs:
        if isinstance(atom, Var) and atom not in known:
            raise fault("expected inputs that are defined before", f"{atom}")
    unknown = set(equation.params) - set(equation.primitive.params)
    if unknown:
        raise fault(f"expected parameters {equation.primitive.params}", f"also {sorted(unknown)}")
    avals = [atom.aval for atom in equation.inputs]
    inferred = infer(equation.primitive, avals, dict(equation.params))
    if len(inferred) != len(equation.outputs):
        raise fault(f"expected {len(inferred)} outputs", str(len(equation.outputs)))
    for var, aval in zip(equation.outputs, inferred, strict=True):
        if var.aval.strong() is not aval.strong():
            raise fault(f"expected an output of type {aval}", str(var.aval))
        if var in known:
            raise fault("expected a variable to be defined once", f"{var} again")
        known.add(var)
    for program in subprograms(equation.params):
        check(program)
