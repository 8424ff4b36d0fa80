"""Jacobians and Hessians: a derivative along every basis vector, in one `vmap`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import errors, tree
from ..core import dtypes
from ..core.trace import BASE, aval_of
from ..ops.slicing import slice_
from ..ops.structural import reshape
from .differentiation import check_input, jvp, vjp
from .flat import canonical, fix_others, normalize_argnums
from .mapping import vmap


def _basis(avals: Sequence[Any]) -> list[Any]:
    """Per leaf, the rows of an identity matrix over all leaves together, in the leaf's shape."""
    total = sum(a.size for a in avals)
    parts: list[Any] = []
    start = 0
    for aval in avals:
        block = np.zeros((total, aval.size), aval.dtype)
        block[start + np.arange(aval.size), np.arange(aval.size)] = 1
        shape = (total, *aval.shape)
        parts.append(BASE.wrap(block.reshape(shape), aval.update(shape=shape, weak_type=False)))
        start += aval.size
    return parts


def _chosen(
    fun: Callable[..., Any], argnums: Any, args: Any, kwargs: Any, holomorphic: bool, what: str
) -> tuple[Callable[..., Any], Any, list[Any], tree.TreeDef]:
    """The function of the chosen arguments only, those arguments, their avals and structure."""
    positions = normalize_argnums(argnums, len(args), "argnums")
    leaves, in_tree = tree.flatten(tuple(args[n] for n in positions))
    leaves = [canonical(x) for x in leaves]
    avals = [aval_of(x).strong() for x in leaves]
    for aval in avals:
        check_input(aval, holomorphic=holomorphic, allow_int=False, what=what)
    return fix_others(fun, positions, args, kwargs), in_tree.unflatten(leaves), avals, in_tree


def _blocks(t: Any, avals: Sequence[Any], axis: int) -> list[Any]:
    """A derivative whose `axis` runs over all elements of some leaves, in one block per leaf."""
    shape = aval_of(t).shape
    axis %= len(shape)
    blocks: list[Any] = []
    start = 0
    for aval in avals:
        low = [0] * len(shape)
        high = list(shape)
        low[axis], high[axis] = start, start + aval.size
        part = slice_(t, start_indices=tuple(low), limit_indices=tuple(high), strides=None)
        new = (*shape[:axis], *aval.shape, *shape[axis + 1 :])
        blocks.append(reshape(part, new_sizes=new))
        start += aval.size
    return blocks


def jacfwd(
    fun: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
) -> Callable[..., Any]:
    """The Jacobian of `fun` by forward mode, one input element at a time: for tall Jacobians.

    The result has the structure of the output, with the structure of the inputs at each leaf; a
    leaf has the output's shape followed by the input's. Arguments and errors as for `grad`.

    >>> import xform, xform.numpy as xnp
    >>> xform.jacfwd(lambda x: x * x)(xnp.array([1.0, 2.0]))
    Array([[2., 0.],
           [0., 4.]], dtype=float32)
    """

    @functools.wraps(fun)
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        fixed, given, avals, in_tree = _chosen(fun, argnums, args, kwargs, holomorphic, "jacfwd")

        def push(*tangents: Any) -> Any:
            results = jvp(fixed, given, tangents, has_aux=has_aux)
            return results[1], results[2:]

        slopes, aux = vmap(push, out_axes=(-1, None))(*in_tree.unflatten(_basis(avals)))

        def split(t: Any) -> Any:
            result = in_tree.unflatten(_blocks(t, avals, -1))
            return result[0] if isinstance(argnums, int) else result

        result = tree.map(split, slopes)
        return (result, aux[0]) if has_aux else result

    return jacobian


def jacrev(
    fun: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
    allow_int: bool = False,
) -> Callable[..., Any]:
    """The Jacobian of `fun` by reverse mode, one output element at a time: for wide Jacobians.

    The result is as for `jacfwd`.

    >>> import xform, xform.numpy as xnp
    >>> xform.jacrev(lambda x: x * x)(xnp.array([1.0, 2.0]))
    Array([[2., 0.],
           [0., 4.]], dtype=float32)
    """

    @functools.wraps(fun)
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        positions = normalize_argnums(argnums, len(args), "argnums")
        for x in tree.leaves(tuple(args[n] for n in positions)):
            aval = aval_of(canonical(x))
            check_input(aval, holomorphic=holomorphic, allow_int=allow_int, what="jacrev")
        chosen = tuple(args[n] for n in positions)
        fixed = fix_others(fun, positions, args, kwargs)
        value, pullback, *aux = vjp(fixed, *chosen, has_aux=has_aux)
        leaves, out_tree = tree.flatten(value)
        avals = [aval_of(y).strong() for y in leaves]
        for aval in avals:
            _check_output(aval, holomorphic)
        rows = vmap(pullback)(out_tree.unflatten(_basis(avals)))
        row_leaves, in_tree = tree.flatten(rows)
        per_input = [_blocks(ct, avals, 0) for ct in row_leaves]
        per_output = [
            in_tree.unflatten([blocks[k] for blocks in per_input]) for k in range(len(avals))
        ]
        if isinstance(argnums, int):
            per_output = [p[0] for p in per_output]
        result = out_tree.unflatten(per_output)
        return (result, aux[0]) if has_aux else result

    return jacobian


def _check_output(aval: Any, holomorphic: bool) -> None:
    if not dtypes.is_inexact(aval.dtype):
        raise errors.GradError("expected outputs of a floating dtype for jacrev", str(aval))
    if dtypes.is_complex(aval.dtype) and not holomorphic:
        raise errors.GradError(
            "expected real outputs for jacrev", str(aval), instead="holomorphic=True if they are"
        )


def hessian(
    fun: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
) -> Callable[..., Any]:
    """The matrix of second derivatives of `fun`, forward over reverse. Arguments as for `jacfwd`.

    >>> import xform, xform.numpy as xnp
    >>> xform.hessian(lambda x: (x**3).sum())(xnp.array([1.0, 2.0]))
    Array([[ 6.,  0.],
           [ 0., 12.]], dtype=float32)
    """
    inner = jacrev(fun, argnums, has_aux=has_aux, holomorphic=holomorphic)
    return jacfwd(inner, argnums, has_aux=has_aux, holomorphic=holomorphic)
