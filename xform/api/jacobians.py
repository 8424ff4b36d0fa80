"""Jacobians and Hessians: a derivative along every basis vector, in one `vmap`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import errors, tree
from ..core import dtypes
from ..core.trace import BASE, aval_of
from ..ops.slicing import concatenate, slice_
from ..ops.structural import reshape, zeros
from .differentiation import check_arguments, check_input, chosen_positions, jvp, vjp
from .flat import canonical, fix_others
from .mapping import vmap


def _basis(avals: Sequence[Any], start: int, stop: int) -> list[Any]:
    """Per leaf, rows of an identity matrix over all leaves together, in the leaf's shape."""
    parts: list[Any] = []
    first = 0
    for aval in avals:
        block = np.zeros((stop - start, aval.size), aval.dtype)
        rows = np.arange(max(start, first), min(stop, first + aval.size))
        block[rows - start, rows - first] = 1
        shape = (stop - start, *aval.shape)
        parts.append(BASE.wrap(block.reshape(shape), aval.update(shape=shape, weak_type=False)))
        first += aval.size
    return parts


def _along_basis(
    function: Callable[..., Any], avals: Sequence[Any], chunk_size: int | None
) -> list[list[Any]]:
    """For each chunk of basis vectors, the flat results of `function` of those vectors."""
    total = sum(a.size for a in avals)
    size = total if chunk_size is None else chunk_size
    starts = range(0, total, size) if total else (0,)
    return [function(_basis(avals, k, min(k + size, total))) for k in starts]


def _joined(chunks: Sequence[Sequence[Any]], axis: int) -> list[Any]:
    """The chunks of each leaf as one array."""
    return [
        parts[0]
        if len(parts) == 1
        else concatenate(*parts, dimension=axis % aval_of(parts[0]).ndim)
        for parts in zip(*chunks, strict=True)
    ]


def _check_chunk_size(chunk_size: int | None) -> None:
    if chunk_size is not None and (not isinstance(chunk_size, int) or chunk_size < 1):
        raise errors.ArgumentError(
            "expected chunk_size to be a positive int, or None", repr(chunk_size)
        )


def _chosen(
    fun: Callable[..., Any], argnums: Any, args: Any, kwargs: Any, holomorphic: bool, what: str
) -> tuple[Callable[..., Any], Any, list[Any], tree.TreeDef]:
    """The function of the chosen arguments only, those arguments, their avals and structure."""
    positions = chosen_positions(argnums, len(args))
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
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """The Jacobian of `fun` by forward mode, one input element at a time: for tall Jacobians.

    The result has the structure of the output, with the structure of the inputs at each leaf; a
    leaf has the output's shape followed by the input's. Arguments and errors as for `grad`, and

    Args:
        chunk_size: how many input elements are taken at once; None takes all. `fun` runs once for
            each chunk, and the memory for intermediate values is that of one chunk.

    >>> import xform, xform.numpy as xnp
    >>> xform.jacfwd(lambda x: x * x)(xnp.array([1.0, 2.0]))
    Array([[2., 0.],
           [0., 4.]], dtype=float32)
    """
    check_arguments(fun, argnums, "jacfwd")
    _check_chunk_size(chunk_size)

    @functools.wraps(fun)
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        fixed, given, avals, in_tree = _chosen(fun, argnums, args, kwargs, holomorphic, "jacfwd")
        known: list[Any] = []

        def push(*tangents: Any) -> Any:
            value, slope, *aux = jvp(fixed, given, tangents, has_aux=has_aux)
            leaves, out_tree = tree.flatten(value)
            known[:] = [out_tree, [aval_of(y) for y in leaves]]
            return tree.leaves(slope), aux

        def push_all(basis: Sequence[Any]) -> Any:
            mapped = vmap(push, out_axes=(-1, None))
            return mapped(*in_tree.unflatten(basis))

        chunks = _along_basis(push_all, avals, chunk_size)
        out_tree, out_avals = known
        if holomorphic:
            for aval in out_avals:
                _check_holomorphic_output(aval, "jacfwd")
        slopes = _joined([ts for ts, _ in chunks], -1)
        results = [
            in_tree.unflatten(_blocks(_real_zeros(t, a), avals, -1))
            for t, a in zip(slopes, out_avals, strict=True)
        ]
        result = out_tree.unflatten(
            [r[0] for r in results] if isinstance(argnums, int) else results
        )
        return (result, chunks[0][1][0]) if has_aux else result

    return jacobian


def _real_zeros(t: Any, aval: Any) -> Any:
    """A block of a Jacobian; for integers, whose tangents are `float0`, zeros of their dtype."""
    found = aval_of(t)
    return zeros(found.update(dtype=aval.dtype)) if found.dtype == dtypes.float0 else t


def jacrev(
    fun: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
    allow_int: bool = False,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """The Jacobian of `fun` by reverse mode, one output element at a time: for wide Jacobians.

    The result is as for `jacfwd`; with `allow_int` it is zero for integer inputs. The inputs of a
    function with real outputs may be complex.

    Args:
        chunk_size: how many output elements are taken at once; None takes all. `fun` runs once, and
            its backward pass once for each chunk.

    >>> import xform, xform.numpy as xnp
    >>> xform.jacrev(lambda x: x * x)(xnp.array([1.0, 2.0]))
    Array([[2., 0.],
           [0., 4.]], dtype=float32)
    """
    check_arguments(fun, argnums, "jacrev")
    _check_chunk_size(chunk_size)

    @functools.wraps(fun)
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        positions = chosen_positions(argnums, len(args))
        chosen = tuple(args[n] for n in positions)
        in_leaves, in_tree = tree.flatten(chosen)
        in_avals = [aval_of(canonical(x)) for x in in_leaves]
        for aval in in_avals:
            check_input(aval, holomorphic=holomorphic, allow_int=allow_int, what="jacrev")
        fixed = fix_others(fun, positions, args, kwargs)
        value, pullback, *aux = vjp(fixed, *chosen, has_aux=has_aux)
        leaves, out_tree = tree.flatten(value)
        avals = [aval_of(y).strong() for y in leaves]
        for aval in avals:
            _check_output(aval, holomorphic)

        def pull_all(basis: Sequence[Any]) -> list[Any]:
            return tree.leaves(vmap(pullback)(out_tree.unflatten(basis)))

        rows = _joined(_along_basis(pull_all, avals, chunk_size), 0)
        per_input = [
            _blocks(_real_zeros(ct, a), avals, 0) for ct, a in zip(rows, in_avals, strict=True)
        ]
        per_output = [
            in_tree.unflatten([blocks[k] for blocks in per_input]) for k in range(len(avals))
        ]
        if isinstance(argnums, int):
            per_output = [p[0] for p in per_output]
        result = out_tree.unflatten(per_output)
        return (result, aux[0]) if has_aux else result

    return jacobian


def _check_holomorphic_output(aval: Any, what: str) -> None:
    if not dtypes.is_complex(aval.dtype):
        raise errors.GradError(f"expected complex outputs for a holomorphic {what}", str(aval))


def _check_output(aval: Any, holomorphic: bool) -> None:
    if holomorphic:
        _check_holomorphic_output(aval, "jacrev")
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
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """The matrix of second derivatives of `fun`, forward over reverse. Arguments as for `jacfwd`.

    >>> import xform, xform.numpy as xnp
    >>> xform.hessian(lambda x: (x**3).sum())(xnp.array([1.0, 2.0]))
    Array([[ 6.,  0.],
           [ 0., 12.]], dtype=float32)
    """
    check_arguments(fun, argnums, "hessian")
    inner = jacrev(fun, argnums, has_aux=has_aux, holomorphic=holomorphic, chunk_size=chunk_size)
    return jacfwd(inner, argnums, has_aux=has_aux, holomorphic=holomorphic, chunk_size=chunk_size)
