"""Taylor mode: pushes truncated power series through a function.

A series holds the derivatives of a curve x(s) at s = 0: x, x', x'', ... The rules are those of
forward mode. For y = f(x), the curve of the tangent is y' = jvp(f)(x, x'), an expression in rows
again; as x' is x shifted by one, coefficient k of y is coefficient k - 1 of that expression, which
needs coefficients of y below k only. So coefficients are computed when they are asked for, and an
expression may refer to the series that it defines, as exp' = x' exp does.

Equal applications are one object: cos in the rule of sin, and sin in the rule of cos, are each
other's. The cost grows as a polynomial in the order, where nested forward mode doubles with each.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any

from ..core.avals import ShapedArray
from ..core.jaxpr import ClosedJaxpr, Literal
from ..core.loops import Inline
from ..core.primitive import Constant, Custom, Linear, Multilinear, Primitive, Zero
from ..core.trace import Trace, Tracer, active, aval_of, current_trace
from ..ops.arithmetic import div, mul, sub
from ..ops.structural import add_tangents, full_like
from .evaluate import evaluate_closed, evaluate_program
from .forward import instantiate, jvp_primitive
from .staging import stage


class Series:
    """Derivatives of a curve, each computed when it is first asked for; `Zero` where known so."""

    __slots__ = ("_known", "_next", "aval")

    def __init__(self, aval: ShapedArray, following: Callable[[int], Any]) -> None:
        self.aval = aval
        self._known: list[Any] = []
        self._next = following

    def __getitem__(self, k: int) -> Any:
        while len(self._known) <= k:
            self._known.append(self._next(len(self._known)))
        return self._known[k]


class TaylorTracer(Tracer):
    """The value of a curve at zero, with its derivatives."""

    __slots__ = ("series",)

    def __init__(self, trace: Trace, series: Series) -> None:
        super().__init__(trace, series.aval)
        self.series = series

    def concrete(self) -> Any:
        value = self.series[0]
        return value.concrete() if isinstance(value, Tracer) else value

    def origin(self) -> str:
        return f"a value of type {self.aval}, being expanded in a Taylor series"


class TaylorTrace(Trace):
    """Applies each operator to series, up to an order."""

    __slots__ = ("applied", "order", "within_rule")

    def __init__(self, parent: Trace, order: int) -> None:
        super().__init__(parent)
        self.order = order
        self.applied: dict[Hashable, _Application] = {}
        self.within_rule = False

    def __repr__(self) -> str:
        return f"a Taylor expansion of order {self.order}"

    def is_moving(self, x: Any) -> bool:
        return isinstance(x, TaylorTracer) and x.owner is self

    def process(self, primitive: Primitive, args: Sequence[Any], params: dict[str, Any]) -> Any:
        assert self.parent is not None
        if not any(map(self.is_moving, args)):
            with active(self.parent):
                return primitive.bind(*args, **params)
        if isinstance(primitive.jvp, Constant):
            with active(self.parent):
                return primitive.bind(*(self.value(x) for x in args), **params)
        if _is_call(primitive):
            return evaluate_program(params["jaxpr"], (), args)
        inputs = [x.series if self.is_moving(x) else x for x in args]
        key = _key(primitive, inputs, params)
        application = self.applied.get(key) if key is not None else None
        if application is None:
            application = _Application(self, primitive, inputs, params)
            if key is not None:
                self.applied[key] = application
        outs = [self.output(s) for s in application.outputs]
        return outs if primitive.multiple_results else outs[0]

    def output(self, series: Series) -> Any:
        """The tracer of a series, or its value if it is known not to move.

        Outside of rules all derivatives are found at once, in the order of the program, so that no
        chain of questions is as long as the program.
        """
        if not self.within_rule:
            terms = [series[k] for k in range(1, self.order + 1)]
            if all(isinstance(t, Zero) for t in terms):
                return series[0]
        return TaylorTracer(self, series)

    def shifted(self, x: Series) -> Series:
        """The series of the curve's derivative."""

        def following(k: int) -> Any:
            if k > 0:
                return x[k + 1]
            assert self.parent is not None
            with active(self.parent):
                return instantiate(x[1])

        return Series(x.aval.strong(), following)

    def value(self, x: Any) -> Any:
        return x.series[0] if self.is_moving(x) else x

    def series_of(self, x: Any) -> Series:
        """The series of what a rule returned: a tracer, a value that does not move, or a zero."""
        if isinstance(x, TaylorTracer) and x.owner is self:
            return x.series
        aval = x.aval if isinstance(x, Zero) else aval_of(x)
        return Series(aval, lambda k: x if k == 0 else Zero(aval.tangent()))


def _is_call(primitive: Primitive) -> bool:
    """Whether an operator is the program in its parameter and nothing more: jit, checkpoint."""
    lower = primitive.lower
    return isinstance(lower, Inline) and lower.param == "jaxpr" and primitive.staged is None


def _key(primitive: Primitive, inputs: Sequence[Any], params: dict[str, Any]) -> Hashable:
    """What equal applications have in common, None if that is not known.

    The application that is kept under the key keeps alive what is told by its address here.
    """
    parts = tuple(x if isinstance(x, Literal) else id(x) for x in inputs)
    key = (primitive, parts, tuple(sorted(params.items())))
    try:
        hash(key)
    except TypeError:
        return None
    return key


class _Application:
    """One operator applied to series, or to values that do not move."""

    def __init__(
        self, trace: TaylorTrace, primitive: Primitive, inputs: list[Any], params: dict[str, Any]
    ) -> None:
        self.trace = trace
        self.primitive = primitive
        self.inputs = inputs
        self.params = params
        self.values = self._apply([x[0] if isinstance(x, Series) else x for x in inputs])
        self._tangents: list[Series] | None = None
        self._following = self._rule()
        self.outputs = [
            Series(aval_of(y), functools.partial(self._derivative, j))
            for j, y in enumerate(self.values)
        ]

    def _derivative(self, j: int, k: int) -> Any:
        return self.values[j] if k == 0 else self._following(j, k)

    def _apply(self, args: Sequence[Any]) -> list[Any]:
        assert self.trace.parent is not None
        with active(self.trace.parent):
            out = self.primitive.bind(*args, **self.params)
        return list(out) if self.primitive.multiple_results else [out]

    def _rule(self) -> Callable[[int, int], Any]:
        """How derivative k of output j is found, for k from 1 on."""
        rule = self.primitive.rule("jvp")
        if isinstance(rule, Linear):
            return _by_order(self._linear)
        if isinstance(rule, Multilinear):
            return lambda j, k: self._product(k)
        if self.primitive is div:
            return lambda j, k: self._quotient(k)
        jacobian = self._constant_jacobian()
        if jacobian is not None:
            return _by_order(functools.partial(self._apply_jacobian, jacobian))
        return lambda j, k: self.tangents()[j][k - 1]

    # -- operators of which more is known than their jvp --

    def _terms(self, k: int) -> list[Any]:
        return [x[k] if isinstance(x, Series) else Zero(aval_of(x).tangent()) for x in self.inputs]

    def _linear(self, k: int) -> list[Any]:
        terms = self._terms(k)
        if all(isinstance(t, Zero) for t in terms):
            return [Zero(aval_of(y).tangent()) for y in self.values]
        with self._outside():
            filled = [instantiate(t) for t in terms]
        return self._apply(filled)

    def _product(self, k: int) -> Any:
        """Leibniz: the sum over all ways to share k derivatives among the factors."""
        moving = [n for n, x in enumerate(self.inputs) if isinstance(x, Series)]
        total: Any = Zero(aval_of(self.values[0]).tangent())
        for shares in _shares(k, len(moving)):
            factors = list(self.inputs)
            for n, share in zip(moving, shares, strict=True):
                factors[n] = self.inputs[n][share]
            if any(isinstance(x, Zero) for x in factors):
                continue
            (term,) = self._apply(factors)
            ways = math.factorial(k) // math.prod(map(math.factorial, shares))
            with self._outside():
                total = _plus(total, _times(term, ways))
        return total

    def _quotient(self, k: int) -> Any:
        """z y = x gives z_k y_0 = x_k - sum over i > 0 of binomial(k, i) y_i z_(k-i)."""
        z = self.outputs[0]
        x_k, _ = self._terms(k)
        y = self.inputs[1]
        with self._outside():
            left = x_k
            for i in range(1, k + 1) if isinstance(y, Series) else ():
                y_i, z_i = y[i], z[k - i]
                if not isinstance(y_i, Zero) and not isinstance(z_i, Zero):
                    term = _times(mul(y_i, z_i), math.comb(k, i))
                    left = sub(instantiate(left), term)
            if isinstance(left, Zero):
                return left
            return div(left, y[0] if isinstance(y, Series) else y)

    def _constant_jacobian(self) -> ClosedJaxpr | None:
        """The tangents as a program of the tangents, if they depend on nothing else that moves."""
        moving = [n for n, x in enumerate(self.inputs) if isinstance(x, Series)]
        avals = [self.inputs[n].aval for n in moving]
        if any(a.tangent() is not a for a in avals):
            return None
        count = len(moving)

        def function(*args: Any) -> list[Any]:
            primals = list(self.inputs)
            tangents: list[Any] = [
                None if isinstance(x, Series) else Zero(aval_of(x).tangent()) for x in primals
            ]
            for n, p, t in zip(moving, args[:count], args[count:], strict=True):
                primals[n], tangents[n] = p, t
            found = jvp_primitive(self.primitive, primals, tangents, self.params)[1]
            return [instantiate(t) for t in found if t.aval.dtype.names is None]

        if any(aval_of(y).tangent() is not aval_of(y) for y in self.values):
            return None
        with self._outside():
            program = stage(function, [*avals, *(a.strong() for a in avals)])
        primals = set(program.jaxpr.invars[:count])
        used = {a for e in program.eqns for a in e.inputs} | set(program.jaxpr.outvars)
        if primals & used:
            return None
        rest = program.jaxpr.replace(invars=program.jaxpr.invars[count:])
        return ClosedJaxpr(rest, program.consts)

    def _apply_jacobian(self, jacobian: ClosedJaxpr, k: int) -> list[Any]:
        terms = [x[k] for x in self.inputs if isinstance(x, Series)]
        if all(isinstance(t, Zero) for t in terms):
            return [Zero(aval_of(y).tangent()) for y in self.values]
        with self._outside():
            return evaluate_closed(jacobian, [instantiate(t) for t in terms])

    def _outside(self) -> active:
        assert self.trace.parent is not None
        return active(self.trace.parent)

    # -- all others --

    def tangents(self) -> list[Series]:
        """The series of the outputs' derivatives: the jvp rule, applied to series."""
        if self._tangents is None:
            before, self.trace.within_rule = self.trace.within_rule, True
            try:
                with active(self.trace):
                    self._tangents = [self.trace.series_of(t) for t in self._jvp()]
            finally:
                self.trace.within_rule = before
        return self._tangents

    def _jvp(self) -> Sequence[Any]:
        wrap = self.trace
        primals = [TaylorTracer(wrap, x) if isinstance(x, Series) else x for x in self.inputs]
        tangents = [
            TaylorTracer(wrap, wrap.shifted(x))
            if isinstance(x, Series) and x.aval.tangent() is x.aval
            else Zero(aval_of(p).tangent())
            for x, p in zip(self.inputs, primals, strict=True)
        ]
        rule = self.primitive.rule("jvp")
        if isinstance(rule, Custom):
            _, found = rule.rule(primals, tangents, **self.params)
            return found if self.primitive.multiple_results else [found]
        y = TaylorTracer(wrap, self.outputs[0])
        total: Any = Zero(y.aval.tangent())
        for r, t in zip(rule, tangents, strict=True):
            if r is not None and not isinstance(t, Zero):
                total = _plus(total, r(t, y, *primals, **self.params))
        return [total]


def _by_order(rule: Callable[[int], list[Any]]) -> Callable[[int, int], Any]:
    """A rule that finds derivative k of all outputs at once, for one output at a time."""
    found: dict[int, list[Any]] = {}

    def following(j: int, k: int) -> Any:
        if k not in found:
            found[k] = rule(k)
        return found[k][j]

    return following


def _shares(total: int, parts: int) -> Iterator[tuple[int, ...]]:
    """All ways to write a number as an ordered sum of so many numbers from 0 on."""
    if parts == 1:
        yield (total,)
        return
    for first in range(total + 1):
        for rest in _shares(total - first, parts - 1):
            yield (first, *rest)


def _plus(x: Any, y: Any) -> Any:
    if isinstance(x, Zero):
        return y
    return x if isinstance(y, Zero) else add_tangents(x, y)


def _times(x: Any, number: int) -> Any:
    return x if number == 1 else mul(x, full_like(x, number))


def jet_flat(
    function: Callable[..., Sequence[Any]],
    primals: Sequence[Any],
    series: Sequence[Sequence[Any]],
    order: int,
) -> tuple[list[Any], list[list[Any]]]:
    """Outputs and their derivatives of orders 1 to `order`, of a function of flat arguments.

    `series` has as many derivatives for each argument, or none for one that does not move. `Zero`
    may be among the derivatives in and out.
    """
    trace = TaylorTrace(current_trace(), order)

    def start(primal: Any, terms: Sequence[Any]) -> Any:
        if all(isinstance(t, Zero) for t in terms):
            return primal
        return TaylorTracer(trace, Series(aval_of(primal), lambda k: [primal, *terms][k]))

    tracers = [start(p, terms) for p, terms in zip(primals, series, strict=True)]
    with active(trace):
        outputs = function(*tracers)
    found = [trace.series_of(y) for y in outputs]
    return [s[0] for s in found], [[s[k] for k in range(1, order + 1)] for s in found]
