"""checkpoint, alone for now."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from .. import errors, tree
from ..core.jaxpr import hoist_constants
from ..core.trace import aval_of
from ..higher_order.checkpoint import checkpoint_call
from ..interpreters.staging import stage
from .flat import FlatFunction, as_arrays, canonical, name_of, normalize_argnums


def checkpoint(
    fun: Callable[..., Any] | None = None,
    *,
    prevent_cse: bool = True,
    policy: Callable[..., Any] | None = None,
    static_argnums: int | Sequence[int] = (),
) -> Callable[..., Any]:
    """`fun`, but its intermediate values are computed again in the backward pass instead of kept.

    Args:
        fun: any function of arrays.
        static_argnums: positional arguments that are Python values known while tracing.
        prevent_cse: accepted for JAX's signature; recomputation is always kept.
        policy: which values may be kept; only None (none of them) is supported so far.

    >>> import xform, xform.numpy as xnp
    >>> float(xform.grad(xform.checkpoint(lambda x: xnp.sin(xnp.sin(x))))(0.0))
    1.0
    """
    if fun is None:
        return functools.partial(
            checkpoint, prevent_cse=prevent_cse, policy=policy, static_argnums=static_argnums
        )
    if policy is not None:
        raise errors.ArgumentError("expected policy=None", repr(policy), instead="checkpoint(f)")
    inner = fun

    @functools.wraps(inner)
    def checkpointed(*args: Any, **kwargs: Any) -> Any:
        static = normalize_argnums(static_argnums, len(args), "static_argnums")
        positions = [n for n in range(len(args)) if n not in static]
        leaves, in_tree = tree.flatten((tuple(args[n] for n in positions), kwargs))
        leaves = [canonical(x) for x in leaves]

        def of_dynamic(*given: Any, **named: Any) -> Any:
            full = list(args)
            for n, x in zip(positions, given, strict=True):
                full[n] = x
            return inner(*full, **named)

        flat = FlatFunction(of_dynamic, in_tree, takes_kwargs=True)
        staged = stage(flat, [aval_of(x) for x in leaves], name_of(inner))
        program = hoist_constants(staged.jaxpr)
        outs = checkpoint_call(*staged.consts, *leaves, jaxpr=program, name=name_of(inner))
        return flat.value(as_arrays(outs))

    return checkpointed


