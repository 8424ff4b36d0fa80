"""Functions with derivatives of the user's own: custom_jvp, custom_vjp; and checkpoint."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

from .. import errors, tree
from ..core.jaxpr import hoist_constants
from ..core.primitive import Zero
from ..core.trace import Tracer, aval_of
from ..higher_order.checkpoint import checkpoint_call
from ..higher_order.custom import custom_jvp_call, custom_vjp_call
from ..interpreters.staging import stage
from ..ops.structural import convert
from .flat import (
    FlatFunction,
    as_arrays,
    canonical,
    name_of,
    normalize_argnums,
    without_literals,
)


def _signature(fun: Callable[..., Any]) -> inspect.Signature | None:
    """The signature of a function, None where it cannot be known."""
    try:
        return inspect.signature(fun)
    except (TypeError, ValueError):
        return None


def _bound(
    fun: Callable[..., Any],
    signature: inspect.Signature | None,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> tuple[Any, ...]:
    """All arguments by position, keywords and defaults in their places."""
    if signature is None or (not kwargs and len(args) == len(signature.parameters)):
        return args
    bound = signature.bind(*args, **kwargs)
    bound.apply_defaults()
    if bound.kwargs:
        raise errors.ArgumentError(
            f"expected arguments of {name_of(fun)} that can be given by position",
            f"keyword-only {sorted(bound.kwargs)}",
        )
    return bound.args


def _is_plain(leaves: Sequence[Any]) -> bool:
    """Whether no transformation sees the call, so that the function may use the numbers freely."""
    return not any(isinstance(x, Tracer) for x in leaves)


class custom_jvp:
    """A function with its own forward derivative, from which reverse mode follows.

    `defjvp(rule)`: `rule(primals, tangents)` returns `(output, output tangent)`; with
    `nondiff_argnums`, those arguments come first, then the two tuples. `defjvps(*rules)`: one rule
    `(t, output, *primals)` per argument.

    >>> import xform, xform.numpy as xnp
    >>> @xform.custom_jvp
    ... def safe_sqrt(x):
    ...     return xnp.sqrt(x)
    >>> @safe_sqrt.defjvp
    ... def safe_sqrt_jvp(primals, tangents):
    ...     (x,), (t,) = primals, tangents
    ...     y = safe_sqrt(x)
    ...     return y, t / (2 * xnp.where(x > 0, y, xnp.inf))
    >>> float(xform.grad(safe_sqrt)(0.0))
    0.0
    """

    def __init__(
        self,
        fun: Callable[..., Any],
        nondiff_argnums: int | Sequence[int] = (),
        nondiff_argnames: Sequence[str] = (),
    ) -> None:
        functools.update_wrapper(self, fun)
        self.fun = fun
        self.signature = _signature(fun)
        self.nondiff_argnums = _argnums(fun, nondiff_argnums, nondiff_argnames)
        self.rule: Callable[..., Any] | None = None

    def defjvp(self, rule: Callable[..., Any], symbolic_zeros: bool = False) -> Callable[..., Any]:
        """Sets the derivative rule and returns it."""
        self.rule = rule
        return rule

    def defjvps(self, *rules: Callable[..., Any] | None) -> None:
        """Sets the derivative from one rule per argument; None where an argument has none."""

        def rule(primals: Any, tangents: Any) -> Any:
            y = self(*primals)
            terms = [
                r(t, y, *primals) for r, t in zip(rules, tangents, strict=True) if r is not None
            ]
            total = terms[0] if terms else tree.map(lambda a: 0 * a, y)
            for term in terms[1:]:
                total = tree.map(lambda a, b: a + b, total, term)
            return y, total

        self.rule = rule

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.rule is None:
            raise errors.GradError(
                f"expected a derivative rule for the custom_jvp function {name_of(self.fun)}",
                "none",
                instead=f"@{name_of(self.fun)}.defjvp",
            )
        args = _bound(self.fun, self.signature, args, kwargs)
        fixed, positions = _nondiff(self.nondiff_argnums, args)
        given = tuple(args[n] for n in positions)
        leaves, in_tree = tree.flatten(given)
        leaves = [canonical(x) for x in leaves]
        flat = FlatFunction(_placing(self.fun, args, positions), in_tree)
        if _is_plain(leaves):
            return flat.value(as_arrays(flat(*leaves)))
        rule = self.rule

        def flat_rule(*given: Any) -> list[Any]:
            both = without_literals(given)
            half = len(both) // 2
            result = rule(*fixed, in_tree.unflatten(both[:half]), in_tree.unflatten(both[half:]))
            pair = _checked_pair(result, name_of(self.fun))
            flat.returned(tree.structure(result[0]))
            return pair

        outs = custom_jvp_call(
            *leaves, fun=flat, rule=flat_rule, jaxpr=None, name=name_of(self.fun)
        )
        return flat.value(outs)


def _argnums(fun: Any, nums: Any, names: Sequence[str]) -> tuple[int, ...]:
    given = (nums,) if isinstance(nums, int) else tuple(nums)
    if names:
        order = list(inspect.signature(fun).parameters)
        given += tuple(order.index(n) for n in ((names,) if isinstance(names, str) else names))
    return tuple(sorted(set(given)))


def _nondiff(nums: Sequence[int], args: tuple[Any, ...]) -> tuple[list[Any], list[int]]:
    static = normalize_argnums(nums, len(args), "nondiff_argnums") if nums else ()
    return [args[n] for n in static], [n for n in range(len(args)) if n not in static]


def _placing(fun: Any, args: Sequence[Any], positions: Sequence[int]) -> Callable[..., Any]:
    def placed(*given: Any) -> Any:
        full = list(args)
        for n, x in zip(positions, given, strict=True):
            full[n] = x
        return fun(*full)

    placed.__name__ = name_of(fun)
    return placed


def _checked_pair(result: Any, name: str) -> list[Any]:
    if not isinstance(result, tuple) or len(result) != 2:
        raise errors.ArgumentError(
            f"expected the derivative rule of {name} to return a pair (output, tangent)",
            type(result).__name__,
        )
    outs, out_tree = tree.flatten(result[0])
    tangents, t_tree = tree.flatten(result[1])
    if out_tree != t_tree:
        raise errors.TreeError(
            f"expected the derivative rule of {name} to return output and tangent of one structure",
            f"{out_tree} and {t_tree}",
        )
    for y, t in zip(outs, tangents, strict=True):
        want, have = aval_of(y), aval_of(t)
        if want.shape != have.shape:
            raise errors.ShapeError(
                f"expected a tangent of {name} of the shape of its output", f"{have} for {want}"
            )
    return [*outs, *(_as_tangent(y, t) for y, t in zip(outs, tangents, strict=True))]


def _as_tangent(y: Any, t: Any) -> Any:
    aval = aval_of(y)
    return t if aval.tangent() is not aval else convert(t, aval.dtype)


class custom_vjp:
    """A function with its own pullback, for reverse mode only.

    `defvjp(fwd, bwd)`: `fwd(*args)` returns `(output, residuals)`; `bwd(residuals, ct)` returns a
    tuple with one cotangent per argument (None for zero). With `nondiff_argnums`, `bwd` gets those
    arguments first.

    >>> import xform, xform.numpy as xnp
    >>> @xform.custom_vjp
    ... def clip_gradient(x):
    ...     return x
    >>> clip_gradient.defvjp(lambda x: (x, None), lambda _, ct: (xnp.clip(ct, -1.0, 1.0),))
    >>> float(xform.grad(lambda x: 10.0 * clip_gradient(x))(2.0))
    1.0
    """

    def __init__(
        self,
        fun: Callable[..., Any],
        nondiff_argnums: int | Sequence[int] = (),
        nondiff_argnames: Sequence[str] = (),
    ) -> None:
        functools.update_wrapper(self, fun)
        self.fun = fun
        self.signature = _signature(fun)
        self.nondiff_argnums = _argnums(fun, nondiff_argnums, nondiff_argnames)
        self.fwd: Callable[..., Any] | None = None
        self.bwd: Callable[..., Any] | None = None

    def defvjp(
        self, fwd: Callable[..., Any], bwd: Callable[..., Any], symbolic_zeros: bool = False
    ) -> None:
        """Sets the forward rule and the pullback."""
        self.fwd = fwd
        self.bwd = bwd

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        name = name_of(self.fun)
        if self.fwd is None or self.bwd is None:
            raise errors.GradError(
                f"expected rules for the custom_vjp function {name}",
                "none",
                instead=f"{name}.defvjp(fwd, bwd)",
            )
        args = _bound(self.fun, self.signature, args, kwargs)
        fixed, positions = _nondiff(self.nondiff_argnums, args)
        given = tuple(args[n] for n in positions)
        leaves, in_tree = tree.flatten(given)
        leaves = [canonical(x) for x in leaves]
        flat = FlatFunction(_placing(self.fun, args, positions), in_tree)
        if _is_plain(leaves):
            return flat.value(as_arrays(flat(*leaves)))
        fwd, bwd = _placing(self.fwd, args, positions), self.bwd
        known: list[Any] = []

        def flat_fwd(*xs: Any) -> Any:
            result = fwd(*in_tree.unflatten(without_literals(xs)))
            if not isinstance(result, tuple) or len(result) != 2:
                raise errors.ArgumentError(
                    f"expected the forward rule of {name} to return a pair (output, residuals)",
                    type(result).__name__,
                )
            outs, out_tree = tree.flatten(result[0])
            residuals, res_tree = tree.flatten(result[1])
            known[:] = [out_tree, res_tree, len(residuals)]
            flat.returned(out_tree)
            return outs, residuals

        in_avals = [aval_of(x) for x in leaves]

        def flat_bwd(*values: Any) -> list[Any]:
            out_tree, res_tree, count = known
            xs = without_literals(values)
            cts = bwd(*fixed, res_tree.unflatten(xs[:count]), out_tree.unflatten(xs[count:]))
            return _flat_cotangents(cts, given, in_avals, name)

        outs = custom_vjp_call(*leaves, fun=flat, fwd=flat_fwd, bwd=flat_bwd, jaxpr=None, name=name)
        return flat.value(outs)


def _flat_cotangents(cts: Any, given: Any, avals: Sequence[Any], name: str) -> list[Any]:
    """One cotangent per leaf of the arguments; None, for a leaf or a whole argument, is zero."""
    cts = tuple(cts) if isinstance(cts, list) else cts
    if not isinstance(cts, tuple) or len(cts) != len(given):
        raise errors.TreeError(
            f"expected the pullback of {name} to return a tuple with {len(given)} cotangents",
            f"{type(cts).__name__}" + (f" of {len(cts)}" if isinstance(cts, tuple) else ""),
            instead=f"return ({'ct, ' * len(given)}), with None for arguments without a cotangent",
        )
    flat: list[Any] = []
    for ct, arg in zip(cts, given, strict=True):
        structure = tree.structure(arg)
        if ct is None:
            flat.extend([None] * structure.num_leaves)
            continue
        leaves, found = tree.flatten(ct, is_leaf=lambda x: x is None)
        if found.num_leaves != structure.num_leaves:
            raise errors.TreeError(
                f"expected the pullback of {name} to return cotangents of the structure "
                "of the arguments",
                f"{tree.structure(ct)} for {structure}",
            )
        flat.extend(leaves)
    return [_checked_cotangent(ct, aval, name) for ct, aval in zip(flat, avals, strict=True)]


def _checked_cotangent(ct: Any, aval: Any, name: str) -> Any:
    if ct is None or aval.tangent() is not aval:
        return Zero(aval.tangent())
    have = aval_of(ct)
    if have.shape != aval.shape:
        raise errors.ShapeError(
            f"expected a cotangent of the shape of the argument from the pullback of {name}",
            f"{have} for {aval}",
        )
    return convert(ct, aval.dtype)


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


__all__ = ["checkpoint", "custom_jvp", "custom_vjp"]
