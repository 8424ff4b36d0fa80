"""linear_transpose, and the two halves of a derivative: fwd_and_bwd."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from .. import errors, tree
from ..core.jaxpr import hoist_constants
from ..interpreters.evaluate import evaluate_program
from ..interpreters.rewrite import transposed_map
from ..interpreters.staging import stage
from .differentiation import canonical_tangent, check_cotangents, vjp
from .flat import FlatFunction, as_arrays, fix_others, name_of, normalize_argnums
from .inspection import describe
from .jit import jit


def linear_transpose(fun: Callable[..., Any], *primals: Any, reduce_axes: Any = ()) -> Any:
    """The transpose of a function that is linear in all of its arguments together.

    No value of `fun` is computed: `primals` may be arrays or `ShapeDtypeStruct`s.

    Args:
        fun: a linear function of pytrees of floating or complex arrays.
        primals: arguments, of which structure, shapes and dtypes are used.
        reduce_axes: accepted for JAX's signature.

    Returns:
        a function from a cotangent of the structure of the output to a tuple of cotangents, one per
        argument.

    Errors:
        GradError: if `fun` is not linear, or an input or output is not floating or complex.

    >>> import xform
    >>> halves = xform.linear_transpose(lambda x, y: 0.5 * x - y, 1.0, 1.0)
    >>> [float(ct) for ct in halves(4.0)]
    [2.0, -4.0]
    """
    leaves, in_tree = tree.flatten(primals)
    avals = [describe(x).strong() for x in leaves]
    name = name_of(fun)
    flat = FlatFunction(fun, in_tree)
    program = stage(flat, avals, name)
    for aval in (*avals, *program.out_avals):
        if aval.tangent() is not aval:
            raise errors.GradError(
                f"expected floating or complex inputs and outputs of {name} to transpose it",
                str(aval),
            )
    back = transposed_map(hoist_constants(program.jaxpr), len(program.consts))
    out_avals = [a.strong() for a in program.out_avals]

    def transposed(ct: Any) -> Any:
        cts, ct_tree = tree.flatten(ct)
        if ct_tree != flat.out_tree:
            raise errors.TreeError(
                f"expected a cotangent of the structure of the output of {name}",
                f"{ct_tree} for {flat.out_tree}",
            )
        given = check_cotangents(out_avals, [canonical_tangent(x) for x in cts])
        results = evaluate_program(back.program, (), [*back.consts, *program.consts, *given])
        return in_tree.unflatten(as_arrays(results))

    return transposed


def fwd_and_bwd(
    fun: Callable[..., Any],
    argnums: int | Sequence[int],
    has_aux: bool = False,
    jitted: bool = True,
) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """The forward and the backward half of a derivative, as two functions that can be compiled.

    Args:
        fun: any function of arrays.
        argnums: which positional arguments to differentiate.
        has_aux: whether `fun` returns `(value, aux)`.
        jitted: whether the halves are jitted.

    Returns:
        `(fwd, bwd)`: `fwd(*args)` returns what `vjp` does, `(value, pullback)`, and `aux` as a
        third; `bwd(pullback, ct)` returns the cotangents of the arguments in `argnums`. The
        pullback is a pytree, whose leaves are the residuals.

    >>> import xform, xform.numpy as xnp
    >>> fwd, bwd = xform.fwd_and_bwd(lambda w, x: xnp.sin(w * x), argnums=0)
    >>> y, kept = fwd(2.0, 0.0)
    >>> float(bwd(kept, 1.0))
    0.0
    """

    def fwd(*args: Any, **kwargs: Any) -> Any:
        positions = normalize_argnums(argnums, len(args), "argnums")
        fixed = fix_others(fun, positions, args, kwargs)
        return vjp(fixed, *(args[n] for n in positions), has_aux=has_aux)

    def bwd(pullback: Callable[..., Any], ct: Any) -> Any:
        cts = pullback(ct)
        return cts[0] if isinstance(argnums, int) else cts

    functools.update_wrapper(fwd, fun)
    return (jit(fwd), jit(bwd)) if jitted else (fwd, bwd)
