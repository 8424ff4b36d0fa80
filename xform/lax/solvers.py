"""Roots and linear systems whose derivatives do not go through the solver's steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from .. import tree
from ..core.avals import ShapedArray
from ..core.jaxpr import ClosedJaxpr, Jaxpr, hoist_constants
from ..core.primitive import Zero
from ..core.trace import aval_of
from ..errors import ArgumentError, ShapeError, TreeError
from ..higher_order.cond import with_all_constants
from ..higher_order.linear_solve import linear_solve
from ..higher_order.root import root
from ..interpreters.evaluate import evaluate_closed, evaluate_program
from ..interpreters.forward import instantiate
from ..interpreters.reverse import linearize_flat
from ..interpreters.rewrite import Derived, transposed_map
from ..interpreters.staging import stage
from .operands import operand

Function = Callable[..., Any]


class _Traced(NamedTuple):
    """A function of vectors, traced, and the structure of what it returned."""

    closed: ClosedJaxpr
    out_tree: tree.TreeDef

    @property
    def derived(self) -> Derived:
        """The program with its constants as leading inputs."""
        program = hoist_constants(self.closed.jaxpr)
        return Derived(program, self.closed.consts, (True,) * len(program.outvars))


def _traced(fun: Function, vectors: int, like: tree.TreeDef, avals: Any, name: str) -> _Traced:
    """Traces a function of so many vectors of one structure."""
    known: list[tree.TreeDef] = []

    def flat(*leaves: Any) -> list[Any]:
        size = len(leaves) // vectors
        parts = [like.unflatten(leaves[k * size : (k + 1) * size]) for k in range(vectors)]
        outputs, out_tree = tree.flatten(fun(*parts))
        known.append(out_tree)
        return [operand(y) for y in outputs]

    closed = stage(flat, [*avals] * vectors, name)
    return _Traced(closed, known[0])


def _check_vector(
    found: _Traced, like: tree.TreeDef, avals: Sequence[ShapedArray], what: str
) -> None:
    """Raises unless a function returns a vector of the structure and types it was given."""
    if found.out_tree != like:
        raise TreeError(f"expected {what} of the structure {like}", str(found.out_tree))
    wanted = [a.strong() for a in avals]
    if [a.strong() for a in found.closed.out_avals] != wanted:
        raise ShapeError(
            f"expected {what} of the shapes and dtypes {wanted}", str(list(found.closed.out_avals))
        )


def _solution(
    solved: _Traced, like: tree.TreeDef, avals: Sequence[ShapedArray], has_aux: bool, what: str
) -> Any:
    """The structure of the auxiliary output, having checked that of the solution."""
    head, aux = solved.out_tree, tree.structure(None)
    if has_aux:
        children = tree.treedef_children(solved.out_tree)
        if len(children) != 2 or solved.out_tree != tree.treedef_tuple(children):
            raise ArgumentError(
                f"expected {what} as a pair (solution, aux), because of has_aux=True",
                str(solved.out_tree),
            )
        head, aux = children
    alone = _without_aux(solved.closed.jaxpr, head.num_leaves)
    _check_vector(_Traced(ClosedJaxpr(alone, ()), head), like, avals, what)
    return aux


def _without_aux(program: Jaxpr, count: int) -> Jaxpr:
    return program.replace(outvars=program.outvars[:count])


def _vector(x: Any) -> tuple[list[Any], tree.TreeDef, list[ShapedArray]]:
    leaves, structure = tree.flatten(x)
    leaves = [operand(leaf) for leaf in leaves]
    return leaves, structure, [aval_of(leaf).strong() for leaf in leaves]


def _result(outs: Sequence[Any], like: tree.TreeDef, aux_tree: tree.TreeDef, has_aux: bool) -> Any:
    count = like.num_leaves
    solution = like.unflatten(outs[:count])
    return (solution, aux_tree.unflatten(outs[count:])) if has_aux else solution


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
    guess, like, avals = _vector(initial_guess)
    function = _traced(f, 1, like, avals, "f")
    _check_vector(function, like, avals, "a value of f")
    solved = _traced(lambda x: solve(f, x), 1, like, avals, "solve")
    aux_tree = _solution(solved, like, avals, has_aux, "a solution from solve")

    def tangent(x: Any, y: Any) -> Any:
        outs, program, has = linearize_flat(
            lambda *xs: evaluate_closed(function.closed, xs), tree.leaves(x), "f"
        )

        def push(t: Any) -> Any:
            found = iter(evaluate_program(program.jaxpr, program.consts, tree.leaves(t)))
            zeros = [instantiate(Zero(aval_of(out).tangent())) for out in outs]
            return like.unflatten(
                [next(found) if h else z for h, z in zip(has, zeros, strict=True)]
            )

        return tangent_solve(push, y)

    moved = _traced(tangent, 2, like, avals, "tangent_solve")
    _check_vector(moved, like, avals, "a solution from tangent_solve")
    consts, programs = with_all_constants([function.derived, solved.derived, moved.derived])
    outs = root(
        *consts,
        *guess,
        fun=programs[0],
        solve=programs[1],
        tangent_solve=programs[2],
        consts=len(consts),
    )
    return _result(outs, like, aux_tree, has_aux)


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
    right, like, avals = _vector(b)
    product = _traced(matvec, 1, like, avals, "matvec")
    _check_vector(product, like, avals, "a value of matvec")
    solved = _traced(lambda y: solve(matvec, y), 1, like, avals, "solve")
    aux_tree = _solution(solved, like, avals, has_aux, "a solution from solve")
    parts = [product.derived, solved.derived]
    turned = solve if symmetric and transpose_solve is None else transpose_solve
    if turned is not None:
        vecmat = matvec if symmetric else _transposed(product, like)
        back = _traced(lambda y: turned(vecmat, y), 1, like, avals, "transpose_solve")
        _solution(back, like, avals, has_aux, "a solution from transpose_solve")
        parts.append(back.derived)
    consts, programs = with_all_constants(parts)
    outs = linear_solve(
        *consts,
        *right,
        matvec=programs[0],
        solve=programs[1],
        transpose_solve=_without_aux(programs[2], len(right)) if turned is not None else None,
        consts=len(consts),
    )
    return _result(outs, like, aux_tree, has_aux)


def _transposed(product: _Traced, like: tree.TreeDef) -> Function:
    """The transpose of a traced linear function, as a function of pytrees."""
    derived = product.derived

    def vecmat(ct: Any) -> Any:
        back = transposed_map(derived.program, len(derived.consts))
        inputs = [*back.consts, *derived.consts, *map(operand, tree.leaves(ct))]
        return like.unflatten(evaluate_program(back.program, (), inputs))

    return vecmat


__all__ = ["custom_linear_solve", "custom_root"]
