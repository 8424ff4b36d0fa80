"""Partial evaluation: what is known is computed now, the rest is staged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..core import effects as fx
from ..core.avals import ShapedArray
from ..core.jaxpr import Atom, ClosedJaxpr, Equation, Jaxpr, Var, live_equations, make
from ..core.primitive import Primitive
from ..core.trace import active, current_trace, leaked
from .evaluate import evaluate_program
from .staging import StagedTracer, StagingTrace, stage


class PartialTrace(StagingTrace):
    """Stages the operators that depend on an unknown; evaluates the others under its parent."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"the linearization of {self.name!r}"

    def is_unknown(self, x: Any) -> bool:
        return isinstance(x, StagedTracer) and x.owner is self

    def evaluate_known(
        self, primitive: Primitive, args: Sequence[Any], params: dict[str, Any]
    ) -> Any:
        """Binds an operator under the parent, where all its inputs are known."""
        assert self.parent is not None
        with active(self.parent):
            return primitive.bind(*args, **params)

    def process(self, primitive: Primitive, args: Sequence[Any], params: dict[str, Any]) -> Any:
        unknown = [self.is_unknown(x) for x in args]
        if not any(unknown):
            return self.evaluate_known(primitive, args, params)
        if not self.open:
            raise leaked(next(x for x in args if self.is_unknown(x)))
        if primitive.partial is not None:
            return primitive.partial(self, args, unknown, **params)
        return self.write(primitive, args, params)


def partial_flat(
    function: Callable[..., Sequence[Any]],
    args: Sequence[Any],
    unknown: Sequence[ShapedArray | None],
    name: str = "f",
    wanted: Sequence[bool] | None = None,
) -> tuple[list[Any], list[bool], ClosedJaxpr]:
    """Runs a function with some arguments unknown.

    Args:
        args: one value per argument; ignored where unknown.
        unknown: the aval of an unknown argument, None for a known one.
        wanted: the outputs that count as unknown also where they are known.

    Returns:
        the outputs (None where unknown), which outputs are unknown, and the program from the
        unknown arguments to the unknown outputs. Its constants are the residuals.
    """
    trace = PartialTrace(current_trace(), name)
    given = [
        x if aval is None else trace.argument(aval) for x, aval in zip(args, unknown, strict=True)
    ]
    with active(trace):
        outputs = list(function(*given))
    forced = [False] * len(outputs) if wanted is None else wanted
    out_unknown = [trace.is_unknown(y) or f for y, f in zip(outputs, forced, strict=True)]
    invars = [t.variable for t, aval in zip(given, unknown, strict=True) if aval is not None]
    program = trace.close(invars, [y for y, u in zip(outputs, out_unknown, strict=True) if u])
    known = [None if u else y for y, u in zip(outputs, out_unknown, strict=True)]
    return known, out_unknown, program


@dataclass(frozen=True, eq=False)
class Split:
    """A program in two: `known` computes known outputs and residuals, `later` the other outputs.

    `known` maps the known inputs to (known outputs, residuals); `later` maps (forwarded known
    inputs, residuals, unknown inputs) to the unknown outputs. `forwarded` are the positions, among
    the known inputs, of those that `later` needs as they are.
    """

    known: Jaxpr
    later: Jaxpr
    out_unknown: tuple[bool, ...]
    residuals: int
    forwarded: tuple[int, ...]


def split_program(
    program: Jaxpr, unknown: Sequence[bool], wanted: Sequence[bool] | None = None
) -> Split:
    """Splits a program without constants by which of its inputs are unknown.

    `wanted` are the outputs that count as unknown in any case.
    """
    avals = program.in_avals
    later: list[ClosedJaxpr] = []
    flags: list[list[bool]] = []

    def known_part(*args: Any) -> list[Any]:
        rest = iter(args)
        full = [None if u else next(rest) for u in unknown]
        outs, out_unknown, tail = partial_flat(
            lambda *xs: evaluate_program(program, (), xs),
            full,
            [aval if u else None for aval, u in zip(avals, unknown, strict=True)],
            program.name,
            wanted,
        )
        later.append(tail)
        flags.append(out_unknown)
        known = [y for y, u in zip(outs, out_unknown, strict=True) if not u]
        return [*known, *tail.consts]

    staged = stage(
        known_part, [a for a, u in zip(avals, unknown, strict=True) if not u], program.name
    )
    if staged.consts:
        raise AssertionError(f"program {program.name} must not close over values")
    return _with_residuals(staged.jaxpr, later[0].jaxpr, tuple(flags[0]))


def compute_again(split: Split, keeps: Callable[[Equation], bool]) -> Split:
    """The split whose `later` computes the residuals again instead of taking them.

    It starts from the known inputs, and from the outputs of those equations of `known` that `keeps`
    is true of: the ones it needs of them are the new residuals.
    """
    known, later = split.known, split.later
    count = len(known.outvars) - split.residuals
    kept = [v for e in known.equations if keeps(e) for v in e.outputs]
    again = [e for e in known.equations if not set(e.outputs) <= set(kept)]
    sources: list[Atom] = [known.invars[k] for k in split.forwarded]
    sources += known.outvars[count:]
    names: dict[Atom, Atom] = dict(zip(later.invars, sources, strict=False))
    rest = [e.replace(inputs=tuple(names.get(a, a) for a in e.inputs)) for e in later.equations]
    outvars = [names.get(a, a) for a in later.outvars]
    unknown = later.invars[len(sources) :]
    whole = make((), (*known.invars, *kept, *unknown), [*again, *rest], outvars, later.name)
    live = live_equations(whole)
    needed = {a for e in live for a in e.inputs} | set(outvars)
    forwarded = tuple(k for k, v in enumerate(known.invars) if v in needed)
    residuals = [v for v in kept if v in needed]
    first = make(
        (), known.invars, known.equations, (*known.outvars[:count], *residuals), known.name
    )
    invars = (*(known.invars[k] for k in forwarded), *residuals, *unknown)
    return Split(
        first.replace(equations=tuple(live_equations(first))),
        make((), invars, live, outvars, later.name),
        split.out_unknown,
        len(residuals),
        forwarded,
    )


def _with_residuals(known: Jaxpr, tail: Jaxpr, out_unknown: tuple[bool, ...]) -> Split:
    """Decides how each value that `tail` needs from `known` gets there.

    An input of `known` is passed on; what depends on no input is computed again in `tail`; the rest
    are residuals, outputs of `known`. What has an effect happens once, in `known`.
    """
    count = len(known.outvars) - len(tail.constvars)
    depends = set(known.invars)
    for e in known.equations:
        if fx.pinned(e.effects) or any(v in depends for v in e.inputs if isinstance(v, Var)):
            depends.update(e.outputs)
    forwarded: list[tuple[int, Var]] = []
    residuals: list[tuple[Atom, Var]] = []
    constant: list[tuple[Atom, Var]] = []
    positions = {v: k for k, v in enumerate(known.invars)}
    for atom, var in zip(known.outvars[count:], tail.constvars, strict=True):
        if isinstance(atom, Var) and atom in positions:
            forwarded.append((positions[atom], var))
        elif isinstance(atom, Var) and atom in depends:
            residuals.append((atom, var))
        else:
            constant.append((atom, var))
    outvars = (*known.outvars[:count], *(atom for atom, _ in residuals))
    shorter = make((), known.invars, known.equations, outvars, known.name)
    shorter = shorter.replace(equations=tuple(live_equations(shorter)))
    moved, renamed = _moved_constants(known, constant)
    invars = (*(v for _, v in forwarded), *(v for _, v in residuals), *tail.invars)
    equations = [e.replace(inputs=tuple(map(renamed, e.inputs))) for e in tail.equations]
    later = make((), invars, [*moved, *equations], [renamed(v) for v in tail.outvars], tail.name)
    return Split(shorter, later, out_unknown, len(residuals), tuple(k for k, _ in forwarded))


def _moved_constants(
    known: Jaxpr, constant: Sequence[tuple[Atom, Var]]
) -> tuple[list[Equation], Callable[[Atom], Atom]]:
    """The equations that make some constants, and their names in the program they move to."""
    pure = [e for e in known.equations if not fx.pinned(e.effects)]
    wanted = make((), known.invars, pure, [atom for atom, _ in constant])
    names: dict[Atom, Atom] = {var: atom for atom, var in constant}
    return live_equations(wanted), lambda atom: names.get(atom, atom)
