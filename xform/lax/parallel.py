"""Communication between the positions along named axes, under the names of `jax.lax`.

A named axis is one that `vmap` or `pmap` was given an `axis_name` for, or an axis of the mesh of
`shard_map`. The functions here are called inside, on values of one position.

>>> import xform, xform.numpy as xnp
>>> from xform import lax
>>> xform.vmap(lambda x: x / lax.psum(x, "i"), axis_name="i")(xnp.array([1.0, 3.0]))
Array([0.25, 0.75], dtype=float32)
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from .. import tree
from ..core import dtypes
from ..core.axes import Axes, size_of_axis
from ..core.primitive import Primitive
from ..core.trace import aval_of
from ..errors import ArgumentError, AxisError, ShapeError
from ..numpy.promotion import canonical_axis
from ..ops import collective, reduction, structural
from ..ops.device_groups import check_groups
from .elementwise import div
from .operands import axis_of, cast, is_python_scalar, operand, static_int
from .shaping import concatenate, expand_dims, full, reshape, squeeze
from .slicing import dynamic_index_in_dim, index_in_dim

Groups = Sequence[Sequence[int]] | None


def _names(axis_name: Any) -> tuple[Hashable, ...]:
    names = tuple(axis_name) if isinstance(axis_name, tuple | list) else (axis_name,)
    if len(set(names)) != len(names):
        raise ArgumentError("expected axis names that differ", repr(axis_name))
    return names


def _named(axis_name: Any, what: str) -> Axes:
    """The named axes, major to minor, with their sizes."""
    return tuple((name, size_of_axis(name, what)) for name in _names(axis_name))


def _groups(groups: Groups, axes: Axes) -> Any:
    if groups is None:
        return None
    found = tuple(tuple(static_int(i, "an index in a group") for i in g) for g in groups)
    if not found:
        raise ArgumentError("expected at least one group in axis_index_groups", repr(groups))
    check_groups(found, axes)
    return found


def _reduced(x: Any, axis_name: Any, groups: Groups, row: Primitive, positional: Primitive) -> Any:
    """Every leaf reduced over named axes, and over the array's own that integers name."""
    names = _names(axis_name)
    ints = tuple(n for n in names if isinstance(n, int))
    axes = _named(tuple(n for n in names if not isinstance(n, int)), row.name)
    found = _groups(groups, axes)
    if found is not None and ints:
        raise ArgumentError("expected only named axes with axis_index_groups", repr(axis_name))

    def leaf(x: Any) -> Any:
        x = operand(x)
        if ints:
            ndim = aval_of(x).ndim
            x = positional(x, axes=tuple(sorted(canonical_axis(i, ndim) for i in ints)))
        return row(x, axes=axes, axis_index_groups=found) if axes else x

    return tree.map(leaf, x)


def _count(axis_name: Any, groups: Groups, what: str) -> int:
    if groups is not None:
        return len(_groups(groups, _named(axis_name, what))[0])
    return math.prod(size for _, size in _named(axis_name, what))


def psum(x: Any, axis_name: Any, *, axis_index_groups: Groups = None) -> Any:
    """The sum over a named axis, at every position along it.

    Args:
        x: a pytree of arrays of a numeric dtype; booleans are counted. The sum of a Python number
            is one: `psum(1, name)` is the size of the axis.
        axis_name: a name, or several; integers among them are axes of the arrays.
        axis_index_groups: positions along the axis, in lists of equal length; sums are taken within
            each list.

    Errors:
        UnknownAxisError: a name that nothing around binds. ArgumentError: groups that are not
            equal, or do not hold each position once.

    >>> import xform, xform.numpy as xnp
    >>> xform.vmap(lambda x: x / psum(x, "i"), axis_name="i")(xnp.array([1.0, 3.0]))
    Array([0.25, 0.75], dtype=float32)
    """
    if is_python_scalar(x) and not any(isinstance(n, int) for n in _names(axis_name)):
        return x * _count(axis_name, axis_index_groups, "psum")

    def counted(leaf: Any) -> Any:
        return cast(leaf, np.int32) if dtypes.is_bool(aval_of(leaf).dtype) else leaf

    x = tree.map(counted, x)
    return _reduced(x, axis_name, axis_index_groups, collective.psum, structural.reduce_sum)


def pmean(x: Any, axis_name: Any, *, axis_index_groups: Groups = None) -> Any:
    """The mean over a named axis, at every position along it.

    Args:
        x: a pytree of arrays of a numeric dtype.
        axis_name, axis_index_groups: as for `psum`.

    >>> import xform, xform.numpy as xnp
    >>> xform.vmap(lambda x: x - pmean(x, "i"), axis_name="i")(xnp.array([1.0, 3.0]))
    Array([-1.,  1.], dtype=float32)
    """
    totals = psum(x, axis_name, axis_index_groups=axis_index_groups)
    names = _names(axis_name)
    named = tuple(n for n in names if not isinstance(n, int))

    def mean(leaf: Any, total: Any) -> Any:
        shape = aval_of(leaf).shape
        inside = math.prod(shape[n] for n in names if isinstance(n, int))
        count = inside * (_count(named, axis_index_groups, "pmean") if named else 1)
        if is_python_scalar(total):
            return total / count
        dtype = aval_of(total).dtype
        return div(total if dtypes.is_inexact(dtype) else cast(total, np.float32), count)

    return tree.map(mean, x, totals)


def pmax(x: Any, axis_name: Any, *, axis_index_groups: Groups = None) -> Any:
    """The greatest value over a named axis, at every position along it; NaN if one is NaN.

    Args:
        x: a pytree of arrays of an integer or floating dtype.
        axis_name, axis_index_groups: as for `psum`.

    Errors:
        AbsentRuleError: when it is differentiated; take it of `stop_gradient(x)`.

    >>> import xform, xform.numpy as xnp
    >>> xform.vmap(lambda x: x / pmax(x, "i"), axis_name="i")(xnp.array([1.0, 4.0]))
    Array([0.25, 1.  ], dtype=float32)
    """
    return _reduced(x, axis_name, axis_index_groups, collective.pmax, reduction.reduce_max)


def pmin(x: Any, axis_name: Any, *, axis_index_groups: Groups = None) -> Any:
    """The least value over a named axis, at every position along it; NaN if one is NaN.

    Args:
        x: a pytree of arrays of an integer or floating dtype.
        axis_name, axis_index_groups: as for `psum`.

    Errors:
        AbsentRuleError: when it is differentiated; take it of `stop_gradient(x)`.

    >>> import xform, xform.numpy as xnp
    >>> xform.vmap(lambda x: x - pmin(x, "i"), axis_name="i")(xnp.array([1.0, 4.0]))
    Array([0., 3.], dtype=float32)
    """
    return _reduced(x, axis_name, axis_index_groups, collective.pmin, reduction.reduce_min)


# Gathering and scattering


def all_gather(
    x: Any,
    axis_name: Any,
    *,
    axis_index_groups: Groups = None,
    axis: int = 0,
    tiled: bool = False,
    to: str = "varying",
) -> Any:
    """The values of all positions along a named axis, at every one of them.

    Args:
        x: a pytree of arrays.
        axis_name: a name, or several, major to minor.
        axis_index_groups: as for `psum`: each position gets the values of its group.
        axis: where the new axis goes.
        tiled: joins the values along the axis that there is, instead of making a new one.
        to: "varying"; accepted for JAX's signature.

    >>> import xform, xform.numpy as xnp
    >>> xform.vmap(lambda x: all_gather(x, "i"), axis_name="i")(xnp.array([1.0, 2.0]))
    Array([[1., 2.],
           [1., 2.]], dtype=float32)
    """
    if to != "varying":
        raise ArgumentError('expected to="varying"', repr(to))
    axes = _named(axis_name, "all_gather")
    groups = _groups(axis_index_groups, axes)

    def leaf(x: Any) -> Any:
        x = operand(x)
        at = canonical_axis(static_int(axis, "an axis"), aval_of(x).ndim + (not tiled))
        if not tiled:
            x = expand_dims(x, (at,))
        for one in reversed(axes):  # the minor axis is within the blocks of the major one
            x = collective.all_gather(x, dimension=at, axes=(one,), axis_index_groups=groups)
        return x

    return tree.map(leaf, x)


def psum_scatter(
    x: Any,
    axis_name: Any,
    *,
    scatter_dimension: int = 0,
    axis_index_groups: Groups = None,
    tiled: bool = False,
) -> Any:
    """The sum over a named axis, of which each position along it gets its part.

    Args:
        x: a pytree of arrays of a numeric dtype.
        axis_name: a name, or several, major to minor.
        scatter_dimension: the axis of the arrays that is divided among the positions. It has as
            many elements as there are positions, and the result lacks it.
        axis_index_groups: as for `psum`.
        tiled: the axis is divided into blocks, and the result has a block.

    Errors:
        ShapeError: an axis that does not divide among the positions.

    >>> import xform, xform.numpy as xnp
    >>> x = xnp.array([[1.0, 2.0], [3.0, 4.0]])
    >>> xform.vmap(lambda x: psum_scatter(x, "i"), axis_name="i")(x)
    Array([4., 6.], dtype=float32)
    """
    axes = _named(axis_name, "psum_scatter")
    groups = _groups(axis_index_groups, axes)
    count = _count(axis_name, axis_index_groups, "psum_scatter")

    def leaf(x: Any) -> Any:
        x = operand(x)
        at = axis_of(x, scatter_dimension)
        if not tiled:
            _check_positions("psum_scatter", x, at, count)
        for one in axes:
            x = collective.psum_scatter(x, dimension=at, axes=(one,), axis_index_groups=groups)
        return x if tiled else squeeze(x, (at,))

    return tree.map(leaf, x)


def _check_positions(name: str, x: Any, axis: int, count: int) -> None:
    if aval_of(x).shape[axis] != count:
        raise ShapeError(
            f"expected axis {axis} to have an element for each of the {count} positions, for "
            f"{name} with tiled=False",
            f"shape {aval_of(x).shape}",
            instead=f"{name}(..., tiled=True), which divides the axis into blocks",
        )


def all_to_all(
    x: Any,
    axis_name: Any,
    split_axis: int,
    concat_axis: int,
    *,
    axis_index_groups: Groups = None,
    tiled: bool = False,
) -> Any:
    """Each position sends a part of its value to every other one, and joins what it receives.

    Args:
        x: a pytree of arrays.
        axis_name: a name, or several, major to minor.
        split_axis: the axis of the arrays that is divided: its element k goes to position k. The
            result lacks it.
        concat_axis: where the result has a new axis, whose element k came from position k.
        axis_index_groups: as for `psum`.
        tiled: the axis split is divided into blocks and stays, and what is received is joined
            along the other one.

    Errors:
        ShapeError: an axis that does not divide among the positions.

    >>> import xform, xform.numpy as xnp
    >>> x = xnp.array([[1.0, 2.0], [3.0, 4.0]])
    >>> xform.vmap(lambda x: all_to_all(x, "i", 0, 0), axis_name="i")(x)
    Array([[1., 3.],
           [2., 4.]], dtype=float32)
    """
    axes = _named(axis_name, "all_to_all")
    groups = _groups(axis_index_groups, axes)
    count = _count(axis_name, axis_index_groups, "all_to_all")

    def leaf(x: Any) -> Any:
        x = operand(x)
        source, target = axis_of(x, split_axis), axis_of(x, concat_axis)
        if tiled:
            return _exchange(x, source, target, axes, groups)
        _check_positions("all_to_all", x, source, count)
        target += source < target
        source += target <= source
        x = expand_dims(x, (target,))
        return squeeze(_exchange(x, source, target, axes, groups), (source,))

    return tree.map(leaf, x)


def _exchange(x: Any, source: int, target: int, axes: Axes, groups: Any) -> Any:
    if len(axes) == 1:
        return collective.all_to_all(
            x, split_axis=source, concat_axis=target, axes=axes, axis_index_groups=groups
        )
    # Blocks are numbered major to minor: divide them into a dimension for each axis, exchange along
    # each, and join what came from the axes with the dimension it goes before.
    count = math.prod(size for _, size in axes)
    shape = aval_of(x).shape
    if shape[source] % count:
        raise ShapeError(
            f"expected the size of axis {source} to be a multiple of the {count} positions",
            str(shape),
        )
    sizes = tuple(size for _, size in axes)
    parts = reshape(x, (*shape[:source], *sizes, shape[source] // count, *shape[source + 1 :]))
    for k, one in enumerate(axes):
        parts = collective.all_to_all(
            parts,
            split_axis=source + k,
            concat_axis=source + k,
            axes=(one,),
            axis_index_groups=None,
        )
    order = list(range(aval_of(parts).ndim))
    senders = order[source : source + len(axes)]
    del order[source : source + len(axes)]
    order[target:target] = senders
    moved = structural.transpose(parts, permutation=tuple(order))
    rest = list(shape)
    rest[source] //= count
    rest[target] *= count
    return reshape(moved, tuple(rest))


def pswapaxes(x: Any, axis_name: Any, axis: int, *, axis_index_groups: Groups = None) -> Any:
    """Exchanges a named axis with one of the arrays.

    Args:
        x: a pytree of arrays.
        axis_name: a name, or several, major to minor.
        axis: an axis of the arrays, with an element for each position.
        axis_index_groups: as for `psum`.

    >>> import xform, xform.numpy as xnp
    >>> x = xnp.array([[1.0, 2.0], [3.0, 4.0]])
    >>> xform.vmap(lambda x: pswapaxes(x, "i", 0), axis_name="i")(x)
    Array([[1., 3.],
           [2., 4.]], dtype=float32)
    """
    return all_to_all(x, axis_name, axis, axis, axis_index_groups=axis_index_groups)


# Permutations


def ppermute(x: Any, axis_name: Any, perm: Sequence[tuple[int, int]]) -> Any:
    """Sends values along a named axis from one position to another.

    Args:
        x: a pytree of arrays.
        axis_name: a name, or several, whose positions are counted major to minor.
        perm: pairs (source, destination). A position that receives nothing gets zeros.

    Errors:
        ArgumentError: a source or destination that is there twice, or outside the axis.

    >>> import xform, xform.numpy as xnp
    >>> ring = [(0, 1), (1, 2), (2, 0)]
    >>> xform.vmap(lambda x: ppermute(x, "i", ring), axis_name="i")(xnp.array([1.0, 2.0, 3.0]))
    Array([3., 1., 2.], dtype=float32)
    """
    axes = _named(axis_name, "ppermute")
    pairs = tuple((static_int(s, "a source"), static_int(t, "a destination")) for s, t in perm)
    if len(axes) == 1:
        return tree.map(lambda leaf: collective.ppermute(operand(leaf), axes=axes, perm=pairs), x)
    return tree.map(lambda leaf: _permuted_jointly(operand(leaf), axes, pairs), x)


def _permuted_jointly(x: Any, axes: Axes, perm: tuple[tuple[int, int], ...]) -> Any:
    """A permutation of the positions along several axes: gathered, and each takes its own."""
    names = tuple(name for name, _ in axes)
    count = math.prod(size for _, size in axes)
    aval = aval_of(x)
    collective.ppermute.abstract_eval(aval, axes=((names, count),), perm=perm)
    everyone = all_gather(x, names)
    origin = {target: source for source, target in perm}
    nothing = full((1, *aval.shape), 0, aval.dtype)
    rows = [index_in_dim(everyone, origin[k], 0) if k in origin else nothing for k in range(count)]
    return dynamic_index_in_dim(concatenate(rows, 0), axis_index(names), 0, keepdims=False)


def pshuffle(x: Any, axis_name: Any, perm: Sequence[int]) -> Any:
    """Takes values from other positions along a named axis: position k takes that of `perm[k]`.

    Args:
        x: a pytree of arrays.
        axis_name: a name, or several, whose positions are counted major to minor.
        perm: each position once.

    Errors:
        ArgumentError: a list that is no permutation of the positions.

    >>> import xform, xform.numpy as xnp
    >>> xform.vmap(lambda x: pshuffle(x, "i", [2, 0, 1]), axis_name="i")(xnp.array([1.0, 2.0, 3.0]))
    Array([3., 1., 2.], dtype=float32)
    """
    count = _count(axis_name, None, "pshuffle")
    order = [static_int(i, "a position") for i in perm]
    if sorted(order) != list(range(count)):
        raise ArgumentError(
            f"expected perm to be a permutation of the {count} positions, 0 to {count - 1}",
            str(order),
            instead="ppermute, where some positions send or receive nothing",
        )
    return ppermute(x, axis_name, [(source, k) for k, source in enumerate(order)])


def pbroadcast(x: Any, axis_name: Any, source: int) -> Any:
    """The value that one position along a named axis has, at every one of them.

    Args:
        x: a pytree of arrays.
        axis_name: a name, or several, whose positions are counted major to minor.
        source: the position.

    Errors:
        AxisError: a position outside the axis.

    >>> import xform, xform.numpy as xnp
    >>> xform.vmap(lambda x: pbroadcast(x, "i", 1), axis_name="i")(xnp.array([1.0, 2.0]))
    Array([2., 2.], dtype=float32)
    """
    count = _count(axis_name, None, "pbroadcast")
    if not 0 <= static_int(source, "a position") < count:
        raise AxisError(f"expected a source from 0 to {count - 1} for pbroadcast", str(source))
    return tree.map(
        lambda leaf: index_in_dim(all_gather(leaf, axis_name), source, 0, keepdims=False), x
    )


# Places


def axis_index(axis_name: Any) -> Any:
    """The position along a named axis, an int32.

    Args:
        axis_name: a name, or several, whose positions are counted major to minor.

    >>> import xform, xform.numpy as xnp
    >>> xform.vmap(lambda x: x * axis_index("i"), axis_name="i")(xnp.array([1.0, 1.0, 1.0]))
    Array([0., 1., 2.], dtype=float32)
    """
    found: Any = None
    for one in _named(axis_name, "axis_index"):
        place = collective.axis_index(axes=(one,))
        found = place if found is None else found * one[1] + place
    return cast(0, np.int32) if found is None else found


def axis_size(axis_name: Any) -> int:
    """The size of a named axis, or of several together: a Python integer.

    >>> import xform, xform.numpy as xnp
    >>> xform.vmap(lambda x: x + axis_size("i"), axis_name="i")(xnp.array([1.0, 2.0]))
    Array([3., 4.], dtype=float32)
    """
    return _count(axis_name, None, "axis_size")
