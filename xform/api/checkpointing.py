"""checkpoint: which values a derivative keeps, and which it computes again."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from .. import errors, tree
from ..core.jaxpr import Equation, Jaxpr, Literal, Var, hoist_constants
from ..core.trace import aval_of
from ..higher_order.checkpoint import checkpoint_call
from ..interpreters.reverse import linearize_flat
from ..interpreters.staging import stage
from ..ops.naming import name as name_row
from .flat import FlatFunction, argument_names, as_arrays, canonical, name_of, normalize_argnums


def checkpoint(
    fun: Callable[..., Any] | None = None,
    *,
    prevent_cse: bool | Sequence[bool] = True,
    policy: Callable[..., bool] | None = None,
    static_argnums: int | Sequence[int] = (),
    static_argnames: str | Iterable[str] = (),
    concrete: bool = False,
) -> Callable[..., Any]:
    """`fun`, but its intermediate values are computed again in the backward pass instead of kept.

    Args:
        fun: any function of arrays.
        prevent_cse: accepted for JAX's signature; what is computed again is never shared with what
            was computed before.
        policy: which values are kept all the same: a function `(primitive, *input avals, **params)
            -> bool`, of which `checkpoint_policies` has several. None keeps the inputs only.
        static_argnums, static_argnames: arguments that are Python values known while tracing.
        concrete: not supported; static arguments take its place.

    >>> import xform, xform.numpy as xnp
    >>> float(xform.grad(xform.checkpoint(lambda x: xnp.sin(xnp.sin(x))))(0.0))
    1.0
    """
    if concrete:
        raise errors.ArgumentError(
            "expected concrete=False",
            "concrete=True",
            why="values are known while tracing only if they are static",
            instead="checkpoint(f, static_argnums=...)",
        )
    if fun is None:
        return functools.partial(
            checkpoint,
            prevent_cse=prevent_cse,
            policy=policy,
            static_argnums=static_argnums,
            static_argnames=static_argnames,
        )
    if policy is not None and not callable(policy):
        raise errors.ArgumentError(
            "expected a policy that is a function or None",
            repr(policy),
            instead="a policy of xform.checkpoint_policies",
        )
    inner = fun
    names = (static_argnames,) if isinstance(static_argnames, str) else tuple(static_argnames)

    @functools.wraps(inner)
    def checkpointed(*args: Any, **kwargs: Any) -> Any:
        static = normalize_argnums(static_argnums, len(args), "static_argnums")
        static += _named_positions(inner, names, len(args))
        positions = [n for n in range(len(args)) if n not in static]
        fixed = {k: v for k, v in kwargs.items() if k in names}
        named = {k: v for k, v in kwargs.items() if k not in names}
        leaves, in_tree = tree.flatten((tuple(args[n] for n in positions), named))
        leaves = [canonical(x) for x in leaves]

        def of_dynamic(*given: Any, **moving: Any) -> Any:
            full = list(args)
            for n, x in zip(positions, given, strict=True):
                full[n] = x
            return inner(*full, **moving, **fixed)

        flat = FlatFunction(of_dynamic, in_tree, takes_kwargs=True)
        staged = stage(flat, [aval_of(x) for x in leaves], name_of(inner))
        outs = checkpoint_call(
            *staged.consts,
            *leaves,
            jaxpr=hoist_constants(staged.jaxpr),
            name=name_of(inner),
            policy=policy,
        )
        return flat.value(as_arrays(outs))

    return checkpointed


def _named_positions(fun: Callable[..., Any], names: Sequence[str], count: int) -> tuple[int, ...]:
    """The positions at which arguments of these names are given."""
    if not names:
        return ()
    order = list(inspect.signature(fun).parameters)
    return tuple(order.index(n) for n in names if n in order[:count])


def checkpoint_name(x: Any, name: str) -> Any:
    """The pytree `x`, whose arrays a checkpoint's policy knows by a name.

    >>> import xform
    >>> xform.make_jaxpr(lambda x: xform.ad_checkpoint.checkpoint_name(x, "hidden"))(1.0)
    { lambda ; a:f32[]*. let
        b:f32[]* = name[name=hidden] a
      in (b,) }
    """
    return tree.map(lambda leaf: name_row(canonical(leaf), name=name), x)


def print_saved_residuals(fun: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
    """Prints, a line for each, the values that the derivative of `fun` keeps for its backward pass.

    >>> import xform, xform.numpy as xnp
    >>> xform.ad_checkpoint.print_saved_residuals(lambda x, y: xnp.exp(x) * y, 1.0, 2.0)
    f32[]* output of exp at ...
    f32[]* from the argument y
    """
    leaves, in_tree = tree.flatten((args, kwargs))
    flat = FlatFunction(fun, in_tree, takes_kwargs=True)

    def residuals(*xs: Any) -> Sequence[Any]:
        return linearize_flat(flat, xs, name_of(fun))[1].consts

    program = stage(residuals, [aval_of(canonical(x)) for x in leaves], name_of(fun)).jaxpr
    names = argument_names(fun, args, kwargs)
    for line in dict.fromkeys(_origins(program, names)):
        print(line)


def _origins(program: Jaxpr, names: Sequence[str]) -> Iterable[str]:
    arguments = dict(zip(program.invars, names, strict=True))
    made = {v: e for e in program.equations for v in e.outputs}
    for atom in program.outvars:
        if isinstance(atom, Literal) or atom in program.constvars:
            yield f"{atom.aval} from a constant"
        elif atom in arguments:
            yield f"{atom.aval} from the argument {arguments[atom]}"
        else:
            yield f"{atom.aval} {_how(made[atom], atom)}"


def _how(equation: Equation, var: Var) -> str:
    """Which operator made a value and where; inside of a call, which one there."""
    program = equation.params.get("jaxpr")
    if isinstance(program, Jaxpr):
        inner = program.outvars[equation.outputs.index(var)]
        for e in program.equations:
            if inner in e.outputs:
                assert isinstance(inner, Var)
                return _how(e, inner)
    if equation.primitive is name_row:
        return f"named {equation.params['name']!r} at {equation.source.text}"
    return f"output of {equation.primitive} at {equation.source.text}"
