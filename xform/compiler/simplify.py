"""From a program to a smaller one: calls inlined, equal work done once, constants folded.

{ lambda ; a:f32[3]. let                       { lambda ; a:f32[3]. let
    b:f32[3] = jit[name=square] a        ->        b:f32[3] = mul a a
    c:f32[3] = mul a a                              c:f32[3] = add b b
    d:f32[3] = add b c                            in (c,) }
  in (d,) }
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from ..core.jaxpr import Atom, Equation, Jaxpr, Literal, Var, make
from ..core.loops import Branch, Inline, Loop, Opaque, Parallel
from .simplify_loops import pruned, smaller_scan, smaller_while

_FOLD_NEVER = (Inline, Opaque)


def simplify(program: Jaxpr) -> Jaxpr:
    """The program with calls inlined, equal work shared, scalar constants folded, dead code gone.

    Equations of a call whose loop shape has a `barrier` are shared among themselves only, so that
    what a checkpoint computes again stays computed again.
    """
    rewriter = _Rewriter()
    inputs = {v: v for v in (*program.constvars, *program.invars)}
    outputs = rewriter.run(program, dict(inputs), scope=0)
    live = _turned_products(pruned(rewriter.equations, outputs), outputs)
    return make(program.constvars, program.invars, pruned(live, outputs), outputs, program.name)


def _turned_products(equations: Sequence[Equation], outputs: Sequence[Atom]) -> list[Equation]:
    """(x y)' = y' x': a transposed product that nothing else uses is made in that order."""
    uses: dict[Var, int] = {}
    for atom in (*(a for e in equations for a in e.inputs), *outputs):
        if isinstance(atom, Var):
            uses[atom] = uses.get(atom, 0) + 1
    made = {v: e for e in equations for v in e.outputs}
    result: list[Equation] = []
    for equation in equations:
        source = equation.inputs[0] if equation.inputs else None
        product = made.get(source) if isinstance(source, Var) else None
        if (
            equation.primitive.name == "transpose"
            and product is not None
            and product.primitive.name == "dot_general"
            and uses[product.outputs[0]] == 1
        ):
            turned = _turned(product, equation)
            equation = equation if turned is None else turned
        result.append(equation)
    return result


def _turned(product: Equation, transpose: Equation) -> Equation | None:
    """The product with its operands exchanged, where that is what the transposition asks for."""
    (lc, rc), (lb, rb) = product.params["dimension_numbers"]
    batch = len(lb)
    left = product.inputs[0].aval.ndim - batch - len(lc)
    right = product.inputs[1].aval.ndim - batch - len(rc)
    rank = batch + left + right
    exchanged = (*range(batch), *range(batch + left, rank), *range(batch, batch + left))
    if transpose.params["permutation"] != exchanged:
        return None
    params = {**product.params, "dimension_numbers": ((rc, lc), (rb, lb))}
    x, y = product.inputs
    return product.replace(inputs=(y, x), outputs=transpose.outputs, params=params)


class _Rewriter:
    """Writes simplified equations, and remembers what is already computed."""

    def __init__(self) -> None:
        self.equations: list[Equation] = []
        self.known: dict[Hashable, tuple[Atom, ...]] = {}
        self.definition: dict[Var, Equation] = {}
        self.scopes = 0

    def run(self, program: Jaxpr, env: dict[Var, Atom], scope: int) -> list[Atom]:
        def read(atom: Atom) -> Atom:
            return atom if isinstance(atom, Literal) else env[atom]

        for equation in program.equations:
            inputs = tuple(read(a) for a in equation.inputs)
            outputs = self.equation(equation, inputs, scope)
            env.update(zip(equation.outputs, outputs, strict=True))
        return [read(a) for a in program.outvars]

    def equation(self, equation: Equation, inputs: tuple[Atom, ...], scope: int) -> Sequence[Atom]:
        loop = equation.primitive.lower
        if isinstance(loop, Parallel):
            return self.parallel(equation, inputs, scope)
        if isinstance(loop, Inline):
            inner = loop.program(equation.params)
            if loop.barrier:
                self.scopes += 1
                scope = self.scopes
            return self.run(inner, dict(zip(inner.invars, inputs, strict=True)), scope)
        if isinstance(loop, Loop | Branch):
            return self.structured(equation, inputs, scope)
        simpler = self.identity(equation, inputs)
        if simpler is not None:
            return (simpler,)
        key = None if equation.effects else _key(equation, inputs, scope)
        if key is not None and key in self.known:
            return self.known[key]
        outputs = self.write(equation, inputs)
        if key is not None:
            self.known[key] = outputs
        return outputs

    def write(self, equation: Equation, inputs: tuple[Atom, ...]) -> tuple[Atom, ...]:
        outputs = tuple(Var(v.aval) for v in equation.outputs)
        written = equation.replace(inputs=inputs, outputs=outputs)
        self.equations.append(written)
        for var in outputs:
            self.definition[var] = written
        return outputs

    def parallel(self, equation: Equation, inputs: tuple[Atom, ...], scope: int) -> Sequence[Atom]:
        """A program that devices run by themselves, or that of all of them in its place."""
        loop = equation.primitive.lower
        if loop.apart(**equation.params):
            params = {k: _simplified(v) for k, v in equation.params.items()}
            return self.write(equation.replace(params=params), inputs)
        whole: Jaxpr = loop.whole(**equation.params)
        return self.run(whole, dict(zip(whole.invars, inputs, strict=True)), scope)

    def structured(
        self, equation: Equation, inputs: tuple[Atom, ...], scope: int
    ) -> Sequence[Atom]:
        """A loop or a branch with what is inside simplified, and made smaller if it can be."""
        loop = equation.primitive.lower
        params = {k: _simplified(v) for k, v in equation.params.items()}
        equation = equation.replace(params=params)

        def emit(e: Equation) -> Sequence[Atom]:
            if isinstance(e.primitive.lower, Loop):
                return self.write(e, e.inputs)
            return self.equation(e, e.inputs, scope)

        if isinstance(loop, Branch):
            index = inputs[0]
            if not isinstance(index, Literal):
                return self.write(equation, inputs)
            branches = params["branches"]
            chosen: Jaxpr = branches[min(max(int(index.value), 0), len(branches) - 1)]
            return self.run(chosen, dict(zip(chosen.invars, inputs[1:], strict=True)), scope)
        smaller = smaller_scan if loop.counted else smaller_while
        return smaller(equation, inputs, emit, self.made_as)

    def made_as(self, atom: Atom) -> Equation | None:
        return self.definition.get(atom) if isinstance(atom, Var) else None

    def identity(self, equation: Equation, inputs: tuple[Atom, ...]) -> Atom | None:
        """What the equation is equal to without computing, if anything."""
        if not equation.effects and inputs and all(isinstance(a, Literal) for a in inputs):
            folded = _folded(equation, inputs)
            if folded is not None:
                return folded
        rule = _IDENTITIES.get(equation.primitive.name)
        found = rule(self, equation, inputs) if rule else None
        if found is None or found.aval.strong() is not equation.outputs[0].aval.strong():
            return None
        return found

    def constant_of(self, atom: Atom) -> Any:
        """The number that all elements of an atom are, if that is known."""
        if isinstance(atom, Literal):
            return atom.value
        made = self.definition.get(atom)
        if made is not None and made.primitive.name == "broadcast_in_dim":
            return self.constant_of(made.inputs[0])
        return None

    def made_by(self, atom: Atom, name: str) -> Equation | None:
        made = self.definition.get(atom) if isinstance(atom, Var) else None
        return made if made is not None and made.primitive.name == name else None


_inner: WeakKeyDictionary[Jaxpr, Jaxpr] = WeakKeyDictionary()


def _simplified(value: Any) -> Any:
    """A parameter, if it holds programs with these simplified."""
    if isinstance(value, tuple) and value and isinstance(value[0], Jaxpr):
        return tuple(map(_simplified, value))
    if not isinstance(value, Jaxpr):
        return value
    found = _inner.get(value)
    if found is None:
        found = _inner[value] = simplify(value)
    return found


def _key(equation: Equation, inputs: tuple[Atom, ...], scope: int) -> Hashable | None:
    key = (equation.primitive, inputs, tuple(sorted(equation.params.items())), scope)
    try:
        hash(key)
    except TypeError:
        return None
    return key


def _folded(equation: Equation, inputs: tuple[Atom, ...]) -> Literal | None:
    """The value of an operator on scalar constants."""
    if len(equation.outputs) != 1 or equation.outputs[0].aval.shape:
        return None
    if isinstance(equation.primitive.lower, _FOLD_NEVER):
        return None
    values = [np.asarray(a.value) for a in inputs if isinstance(a, Literal)]
    with np.errstate(all="ignore"):
        result = np.asarray(equation.primitive.impl(*values, **equation.params))
    aval = equation.outputs[0].aval
    return Literal(result.astype(aval.dtype), aval)


Rule = Callable[[_Rewriter, Equation, tuple[Atom, ...]], Atom | None]


def _same_dtype(r: _Rewriter, e: Equation, inputs: tuple[Atom, ...]) -> Atom | None:
    return inputs[0] if inputs[0].aval.dtype == e.outputs[0].aval.dtype else None


def _same_shape(r: _Rewriter, e: Equation, inputs: tuple[Atom, ...]) -> Atom | None:
    return inputs[0] if inputs[0].aval.shape == e.outputs[0].aval.shape else None


def _times_one(r: _Rewriter, e: Equation, inputs: tuple[Atom, ...]) -> Atom | None:
    x, y = inputs
    if _is(r.constant_of(y), 1):
        return x
    return y if _is(r.constant_of(x), 1) else None


def _over_one(r: _Rewriter, e: Equation, inputs: tuple[Atom, ...]) -> Atom | None:
    return inputs[0] if _is(r.constant_of(inputs[1]), 1) else None


def _minus_zero(r: _Rewriter, e: Equation, inputs: tuple[Atom, ...]) -> Atom | None:
    number = r.constant_of(inputs[1])
    return inputs[0] if _is(number, 0) and not np.signbit(number) else None


def _integer_plus_zero(r: _Rewriter, e: Equation, inputs: tuple[Atom, ...]) -> Atom | None:
    # For floats x + 0 is not x: it turns -0 into 0.
    if inputs[0].aval.dtype.kind not in "iu":
        return None
    if _is(r.constant_of(inputs[1]), 0):
        return inputs[0]
    return inputs[1] if _is(r.constant_of(inputs[0]), 0) else None


def _twice(r: _Rewriter, e: Equation, inputs: tuple[Atom, ...]) -> Atom | None:
    made = r.made_by(inputs[0], e.primitive.name)
    return made.inputs[0] if made else None


def _transposed_back(r: _Rewriter, e: Equation, inputs: tuple[Atom, ...]) -> Atom | None:
    order = e.params["permutation"]
    if order == tuple(range(len(order))):
        return inputs[0]
    made = r.made_by(inputs[0], "transpose")
    if made and tuple(made.params["permutation"][p] for p in order) == tuple(range(len(order))):
        return made.inputs[0]
    return None


def _is(constant: Any, number: int) -> bool:
    return constant is not None and bool(constant == number)


# What algebra knows of single operators; everything here holds bit for bit.
_IDENTITIES: dict[str, Rule] = {
    "convert_element_type": _same_dtype,
    "broadcast_in_dim": _same_shape,
    "reshape": _same_shape,
    "mul": _times_one,
    "div": _over_one,
    "sub": _minus_zero,
    "add": _integer_plus_zero,
    "neg": _twice,
    "transpose": _transposed_back,
}
