"""Forward mode: pushes tangents along with primals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..core.avals import ShapedArray
from ..core.primitive import Constant, Custom, Linear, Multilinear, Primitive, Zero, infer
from ..core.trace import Trace, Tracer, active, aval_of, current_trace
from ..ops.structural import add_tangents, zeros


class JVPTracer(Tracer):
    """A primal value with its tangent."""

    __slots__ = ("primal", "tangent")

    def __init__(self, trace: Trace, primal: Any, tangent: Any) -> None:
        super().__init__(trace, aval_of(primal))
        self.primal = primal
        self.tangent = tangent

    def concrete(self) -> Any:
        return self.primal.concrete() if isinstance(self.primal, Tracer) else self.primal

    def origin(self) -> str:
        inner = (
            self.primal.origin()
            if isinstance(self.primal, Tracer)
            else f"a value of type {self.aval}"
        )
        return f"{inner}, being differentiated"


class JVPTrace(Trace):
    """Applies each operator's jvp rule; its identity keeps nested perturbations apart."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "forward-mode differentiation"

    def unpack(self, x: Any) -> tuple[Any, Any]:
        if isinstance(x, JVPTracer) and x.owner is self:
            return x.primal, x.tangent
        return x, None

    def process(self, primitive: Primitive, args: Sequence[Any], params: dict[str, Any]) -> Any:
        pairs = [self.unpack(x) for x in args]
        primals = [p for p, _ in pairs]
        assert self.parent is not None
        with active(self.parent):
            if all(t is None for _, t in pairs):
                return primitive.bind(*primals, **params)
            tangents = [Zero(aval_of(p).tangent()) if t is None else t for p, t in pairs]
            outs, out_tangents = jvp_primitive(primitive, primals, tangents, params)
        wrapped = [self.pack(y, t) for y, t in zip(outs, out_tangents, strict=True)]
        return wrapped if primitive.multiple_results else wrapped[0]

    def pack(self, primal: Any, tangent: Any) -> Any:
        return primal if isinstance(tangent, Zero) else JVPTracer(self, primal, tangent)


def instantiate(tangent: Any) -> Any:
    """A symbolic zero as an array of zeros; any other tangent as it is."""
    return zeros(tangent.aval) if isinstance(tangent, Zero) else tangent


def jvp_primitive(
    primitive: Primitive, primals: Sequence[Any], tangents: Sequence[Any], params: dict[str, Any]
) -> tuple[Sequence[Any], Sequence[Any]]:
    """Outputs and output tangents of one operator, under the current trace."""
    rule = primitive.rule("jvp")
    if isinstance(rule, Custom):
        outs, out_tangents = rule.rule(primals, tangents, **params)
        return (outs, out_tangents) if primitive.multiple_results else ([outs], [out_tangents])
    out = primitive.bind(*primals, **params)
    outs = out if primitive.multiple_results else [out]
    if isinstance(rule, Constant) or all(isinstance(t, Zero) for t in tangents):
        return outs, [Zero(aval_of(y).tangent()) for y in outs]
    if isinstance(rule, Linear):
        t = primitive.bind(*map(instantiate, tangents), **params)
        return outs, (t if primitive.multiple_results else [t])
    terms = (
        _multilinear_terms(primitive, primals, tangents, params)
        if isinstance(rule, Multilinear)
        else [
            r(t, out, *primals, **params)
            for r, t in zip(rule, tangents, strict=True)
            if r is not None and not isinstance(t, Zero)
        ]
    )
    avals = infer(primitive, [aval_of(p) for p in primals], params)
    return outs, [_sum(terms, avals[0])]


def _multilinear_terms(
    primitive: Primitive, primals: Sequence[Any], tangents: Sequence[Any], params: dict[str, Any]
) -> list[Any]:
    return [
        primitive.bind(*primals[:i], t, *primals[i + 1 :], **params)
        for i, t in enumerate(tangents)
        if not isinstance(t, Zero)
    ]


def _sum(terms: Sequence[Any], aval: ShapedArray) -> Any:
    total: Any = Zero(aval.tangent())
    for term in terms:
        if isinstance(term, Zero):
            continue
        total = term if isinstance(total, Zero) else add_tangents(total, term)
    return total


def jvp_flat(
    function: Callable[..., Sequence[Any]], primals: Sequence[Any], tangents: Sequence[Any]
) -> tuple[list[Any], list[Any]]:
    """Outputs and tangents of a function of flat arguments; tangents may be `Zero`."""
    trace = JVPTrace(current_trace())
    tracers = [trace.pack(p, t) for p, t in zip(primals, tangents, strict=True)]
    with active(trace):
        outputs = function(*tracers)
    pairs = [trace.unpack(y) for y in outputs]
    return (
        [p for p, _ in pairs],
        [Zero(aval_of(p).tangent()) if t is None else t for p, t in pairs],
    )
