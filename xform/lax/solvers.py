"""Roots and linear systems whose derivatives do not go through the solver's steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from .. import tree
from ..core.avals import ShapedArray
from ..core.primitive import Zero
from ..core.source import name_of
from ..core.trace import aval_of
from ..errors import ArgumentError, ShapeError, TreeError
from ..higher_order.cond import with_all_constants
from ..higher_order.linear_solve import linear_solve
from ..higher_order.root import root
from ..interpreters.evaluate import evaluate_closed, evaluate_program
from ..interpreters.forward import instantiate
from ..interpreters.reverse import linearize_flat
from ..interpreters.rewrite import Derived, transposed_map
from .stepping import Step, operands, traced

Function = Callable[..., Any]


@dataclass(frozen=True)
class _Space:
    """The vectors of a problem: their structure, and the types of their leaves."""

    structure: tree.TreeDef
    avals: tuple[ShapedArray, ...]

    def trace(self, fun: Function, vectors: int = 1) -> Step:
        """The program of a function of so many vectors."""
        return traced(fun, tree.treedef_tuple([self.structure] * vectors), self.avals * vectors)

    def check(self, step: Step, what: str) -> None:
        """Raises unless a function returned a vector."""
        self._check(step.out_tree, step.out_avals, what)

    def check_solution(self, step: Step, has_aux: bool, what: str) -> tree.TreeDef:
        """The structure of what a solver returned beside a vector, which it must have returned."""
        if not has_aux:
            self.check(step, what)
            return tree.structure(None)
        children = tree.treedef_children(step.out_tree)
        if len(children) != 2 or step.out_tree != tree.treedef_tuple(children):
            raise ArgumentError(
                f"expected {what} as a pair (solution, aux), because of has_aux=True",
                str(step.out_tree),
            )
        head, aux = children
        self._check(head, step.out_avals[: head.num_leaves], what)
        return aux

    def _check(self, found: tree.TreeDef, avals: Sequence[ShapedArray], what: str) -> None:
        if found != self.structure:
            raise TreeError(f"expected {what} of the structure {self.structure}", str(found))
        if tuple(a.strong() for a in avals) != self.avals:
            raise ShapeError(
                f"expected {what} of the shapes and dtypes {list(self.avals)}", str(list(avals))
            )

    def result(self, outs: Sequence[Any], aux: tree.TreeDef, has_aux: bool) -> Any:
        """What the user gets of the outputs of a row."""
        count = len(self.avals)
        solution = self.structure.unflatten(outs[:count])
        return (solution, aux.unflatten(outs[count:])) if has_aux else solution


def _space(x: Any) -> tuple[list[Any], _Space]:
    leaves, structure = operands(x)
    return leaves, _Space(structure, tuple(aval_of(leaf).strong() for leaf in leaves))


def _derived(step: Step) -> Derived:
    return Derived(step.program, step.consts, (True,) * len(step.out_avals))


def custom_root(
    f: Function,
    initial_guess: Any,
    solve: Function,
    tangent_solve: Function,
    has_aux: bool = False,
) -> Any:
    """A root of `f`, differentiated as the implicit function that it is.

    Args:
        f: from a pytree of floating arrays to one of the same structure, shapes and dtypes. It may
            close over values that are differentiated.
        initial_guess: where `solve` starts. The root's derivative does not depend on it.
        solve: `solve(f, initial_guess)` returns a root; with `has_aux`, a pair of it and auxiliary
            data, which have no derivative. Its steps are not differentiated.
        tangent_solve: `tangent_solve(g, y)` returns `x` with `g(x) = y` for a linear function `g`,
            the derivative of `f` at the root. Made of operators that can be transposed if reverse
            mode is wanted, such as `y / g(1.0)` for a scalar, or `custom_linear_solve`.

    Returns:
        the root, or `(root, aux)`.

    Errors:
        TreeError, ShapeError: if `f` or `solve` return anything of another structure or type than
            the guess.

    >>> import xform
    >>> from xform import lax
    >>> def newton(f, x):
    ...     for _ in range(20):
    ...         value, slope = xform.jvp(f, (x,), (1.0,))
    ...         x = x - value / slope
    ...     return x
    >>> def cube_root(c):
    ...     return lax.custom_root(lambda x: x**3 - c, 1.0, newton, lambda g, y: y / g(1.0))
    >>> float(cube_root(8.0)), round(float(xform.grad(cube_root)(8.0)), 6)
    (2.0, 0.083333)
    """
    guess, space = _space(initial_guess)
    function = space.trace(f)
    space.check(function, "a value of f")
    solved = space.trace(lambda x: solve(f, x))
    aux = space.check_solution(solved, has_aux, "a solution from solve")

    def tangent(x: Any, y: Any) -> Any:
        outs, program, has = linearize_flat(
            lambda *xs: evaluate_closed(function.closed, xs), tree.leaves(x), name_of(f)
        )
        nothing = [instantiate(Zero(aval_of(out).tangent())) for out in outs]

        def push(t: Any) -> Any:
            found = iter(evaluate_program(program.jaxpr, program.consts, tree.leaves(t)))
            moved = [next(found) if h else z for h, z in zip(has, nothing, strict=True)]
            return space.structure.unflatten(moved)

        return tangent_solve(push, y)

    tangents = space.trace(tangent, 2)
    space.check(tangents, "a solution from tangent_solve")
    consts, programs = with_all_constants([_derived(step) for step in (function, solved, tangents)])
    outs = root(
        *consts,
        *guess,
        fun=programs[0],
        solve=programs[1],
        tangent_solve=programs[2],
        consts=len(consts),
    )
    return space.result(outs, aux, has_aux)


def custom_linear_solve(
    matvec: Function,
    b: Any,
    solve: Function,
    transpose_solve: Function | None = None,
    symmetric: bool = False,
    has_aux: bool = False,
) -> Any:
    """The solution `x` of `matvec(x) = b`, differentiated as the solution of a linear system.

    Args:
        matvec: a linear function from a pytree of floating or complex arrays to one of the same
            structure, shapes and dtypes. It may close over values that are differentiated.
        b: the right-hand side.
        solve: `solve(matvec, b)` returns the solution; with `has_aux`, a pair of it and auxiliary
            data, which have no derivative. Its steps are not differentiated.
        transpose_solve: `transpose_solve(vecmat, b)` solves the transposed system, for reverse;
            it returns what `solve` does.
        symmetric: whether the system is its own transpose, so that `solve` serves for both.

    Returns:
        the solution, or `(solution, aux)`.

    Errors:
        TreeError, ShapeError: if a function returns anything of another structure or type than
            `b`. GradError: if `matvec` is not linear; in reverse mode, if there is neither
            `transpose_solve` nor `symmetric`.

    >>> import xform, xform.numpy as xnp
    >>> from xform import lax
    >>> def solution(d, b):
    ...     solve = lambda matvec, b: b / matvec(xnp.ones_like(b))
    ...     return lax.custom_linear_solve(lambda x: d * x, b, solve, symmetric=True)
    >>> xform.grad(lambda d: solution(d, xnp.array([1.0, 4.0])).sum())(xnp.array([1.0, 2.0]))
    Array([-1., -1.], dtype=float32)
    """
    right, space = _space(b)
    product = space.trace(matvec)
    space.check(product, "a value of matvec")
    solved = space.trace(lambda y: solve(matvec, y))
    aux = space.check_solution(solved, has_aux, "a solution from solve")
    steps = [product, solved]
    turned = solve if symmetric and transpose_solve is None else transpose_solve
    if turned is not None:
        vecmat = matvec if symmetric else _transposed(product, space)
        steps.append(space.trace(lambda y: turned(vecmat, y)))
        space.check_solution(steps[2], has_aux, "a solution from transpose_solve")
    consts, programs = with_all_constants([_derived(step) for step in steps])
    back = None
    if turned is not None:
        back = programs[2].replace(outvars=programs[2].outvars[: len(right)])
    outs = linear_solve(
        *consts,
        *right,
        matvec=programs[0],
        solve=programs[1],
        transpose_solve=back,
        consts=len(consts),
    )
    return space.result(outs, aux, has_aux)


def _transposed(product: Step, space: _Space) -> Function:
    """The transpose of a traced linear function, as a function of vectors."""

    def vecmat(ct: Any) -> Any:
        back = transposed_map(product.program, len(product.consts))
        inputs = [*back.consts, *product.consts, *operands(ct)[0]]
        return space.structure.unflatten(evaluate_program(back.program, (), inputs))

    return vecmat


__all__ = ["custom_linear_solve", "custom_root"]
