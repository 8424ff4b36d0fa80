"""Policies for `xform.checkpoint`: which values it keeps, as in `jax.checkpoint_policies`.

A policy is a function `(primitive, *input avals, **params) -> bool` that says whether the outputs
of an operator may be kept for the derivative. What may not be kept is computed again.

>>> import xform, xform.numpy as xnp
>>> from xform import checkpoint_policies as policies
>>> f = xform.checkpoint(lambda w, x: xnp.sin(w @ x), policy=policies.dots_saveable)
>>> xform.ad_checkpoint.print_saved_residuals(f, xnp.ones((2, 2)), xnp.ones(2))
f32[2,2] from the argument w
f32[2] from the argument x
f32[2] output of dot_general at ...
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from . import errors
from .core.primitive import Primitive
from .ops.contraction import dot_general
from .ops.convolution import conv_general_dilated
from .ops.naming import name as name_row

Policy = Callable[..., bool]


def everything_saveable(primitive: Primitive, *avals: Any, **params: Any) -> bool:
    """Keeps everything, as without a checkpoint.

    >>> from xform.ops.elementwise import sin
    >>> everything_saveable(sin)
    True
    """
    return True


def nothing_saveable(primitive: Primitive, *avals: Any, **params: Any) -> bool:
    """Keeps nothing but the inputs, as without a policy.

    >>> from xform.ops.elementwise import sin
    >>> nothing_saveable(sin)
    False
    """
    return False


def dots_saveable(primitive: Primitive, *avals: Any, **params: Any) -> bool:
    """Keeps the results of products of matrices and of convolutions.

    >>> from xform.ops.elementwise import sin
    >>> dots_saveable(sin)
    False
    """
    return primitive in (dot_general, conv_general_dilated)


def dots_with_no_batch_dims_saveable(primitive: Primitive, *avals: Any, **params: Any) -> bool:
    """Keeps the results of products of matrices without batch dimensions: those with weights.

    >>> from xform.ops.elementwise import sin
    >>> dots_with_no_batch_dims_saveable(sin)
    False
    """
    if primitive is not dot_general:
        return False
    _, (left, right) = params["dimension_numbers"]
    return not left and not right


checkpoint_dots = dots_saveable
checkpoint_dots_with_no_batch_dims = dots_with_no_batch_dims_saveable


def save_only_these_names(*names_which_can_be_saved: str) -> Policy:
    """Keeps the values that `checkpoint_name` gave one of these names.

    >>> from xform.ops.naming import name
    >>> save_only_these_names("a", "b")(name, name="b")
    True
    """
    names = frozenset(names_which_can_be_saved)
    return lambda primitive, *avals, **params: primitive is name_row and params["name"] in names


def save_any_names_but_these(*names_not_to_save: str) -> Policy:
    """Keeps the values that `checkpoint_name` gave a name, except these names.

    >>> from xform.ops.naming import name
    >>> save_any_names_but_these("a")(name, name="b")
    True
    """
    names = frozenset(names_not_to_save)
    return lambda primitive, *avals, **params: primitive is name_row and params["name"] not in names


def save_anything_except_these_names(*names_not_to_save: str) -> Policy:
    """Keeps everything except the values that `checkpoint_name` gave one of these names.

    >>> from xform.ops.naming import name
    >>> save_anything_except_these_names("a")(name, name="a")
    False
    """
    names = frozenset(names_not_to_save)
    return lambda primitive, *avals, **params: (
        primitive is not name_row or params["name"] not in names
    )


def save_from_both_policies(policy_1: Policy, policy_2: Policy) -> Policy:
    """Keeps what either of two policies keeps.

    >>> from xform.ops.naming import name
    >>> save_from_both_policies(dots_saveable, save_only_these_names("a"))(name, name="a")
    True
    """
    return lambda primitive, *avals, **params: bool(
        policy_1(primitive, *avals, **params) or policy_2(primitive, *avals, **params)
    )


def _refuse_offloading() -> NoReturn:
    raise errors.ArgumentError(
        "expected a policy that keeps values or computes them again",
        "one that moves them to another memory",
        why="on the processor there is one memory",
        instead="dots_with_no_batch_dims_saveable, or save_only_these_names(...)",
    )


def offload_dot_with_no_batch_dims(offload_src: str, offload_dst: str) -> NoReturn:
    """Raises `ArgumentError`: values cannot be moved to another memory.

    >>> offload_dot_with_no_batch_dims("device", "pinned_host")
    Traceback (most recent call last):
    xform.errors.ArgumentError: expected a policy that keeps values or computes them again...
    """
    _refuse_offloading()


def save_and_offload_only_these_names(
    *,
    names_which_can_be_saved: Any,
    names_which_can_be_offloaded: Any,
    offload_src: str,
    offload_dst: str,
) -> NoReturn:
    """Raises `ArgumentError`: values cannot be moved to another memory.

    >>> save_and_offload_only_these_names(names_which_can_be_saved=["a"],
    ...     names_which_can_be_offloaded=["b"], offload_src="device", offload_dst="pinned_host")
    Traceback (most recent call last):
    xform.errors.ArgumentError: expected a policy that keeps values or computes them again...
    """
    _refuse_offloading()


__all__ = [
    "checkpoint_dots",
    "checkpoint_dots_with_no_batch_dims",
    "dots_saveable",
    "dots_with_no_batch_dims_saveable",
    "everything_saveable",
    "nothing_saveable",
    "offload_dot_with_no_batch_dims",
    "save_and_offload_only_these_names",
    "save_any_names_but_these",
    "save_anything_except_these_names",
    "save_from_both_policies",
    "save_only_these_names",
]
