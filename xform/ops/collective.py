"""Communication along named axes. Inside a batch over its axis, an operator moves the batch.

Below, devices are the positions along the named axes in `axes`, pairs of a name and a size, and
operands are those of one device. In `impl`, which all others are measured by, arrays have one
leading dimension for each axis. Axes of arrays are always split and joined in blocks (`tiled`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core.avals import ShapedArray
from ..core.axes import Axes, axis_name
from ..core.effects import Effects, NamedAxis
from ..core.loops import Collective
from ..core.primitive import Absent, Domain, Primitive, define, linear
from ..core.trace import aval_of
from .arithmetic import mul
from .checks import check_axes, require, require_shape
from .device_groups import (
    Groups,
    check_groups,
    device_count,
    for_each_device,
    for_each_member,
    group_of_each,
    in_groups,
    is_own,
    join_blocks,
    law_cases,
    out_of_groups,
    pick_rows,
    split_blocks,
)
from .reduction import reduce_max, reduce_min
from .rules import NOT_LINEAR, check_kind
from .structural import (
    full_like,
    iota,
    moveaxis,
    reduce_sum,
)

Array = np.ndarray[Any, Any]


def _effects(inner: Effects, *, axes: Axes, **params: Any) -> Effects:
    return inner | {NamedAxis(name) for name, _ in axes}


# -- sums and extrema ------------------------------------------------------------------------------


def _define_reduction(
    name: str, row: Primitive, kind: str, combine: str, repeated: Callable[..., Any], **rest: Any
) -> Primitive:
    def abstract_eval(x: ShapedArray, *, axes: Axes, axis_index_groups: Groups) -> ShapedArray:
        check_groups(axis_index_groups, axes)
        check_kind(name, kind, x, "x.astype(...)")
        return x

    def impl(x: Array, *, axes: Axes, axis_index_groups: Groups) -> Array:
        if axis_index_groups is not None:
            members = group_of_each(axes, axis_index_groups)
            return np.stack([row.impl(x[list(group)], axes=(0,)) for group in members])
        total = row.impl(x, axes=tuple(range(len(axes))))
        return np.broadcast_to(total, x.shape)

    def batch(
        size: int,
        inputs: Sequence[Any],
        dims: Sequence[int | None],
        *,
        axes: Axes,
        axis_index_groups: Groups,
    ) -> tuple[Any, int | None]:
        x, dim = inputs[0], dims[0]
        params = {"axes": axes, "axis_index_groups": axis_index_groups}
        if not is_own(size, axes):
            return collective(x, **params), dim
        rest = tuple(a for a in axes if a[0] != axis_name(size))
        if dim is None:
            y = repeated(x, device_count(((None, size),), axis_index_groups))
        elif axis_index_groups is None:
            y, dim = row(x, axes=(dim,)), None
        else:
            totals = row(in_groups(size, x, dim, axis_index_groups), axes=(1,))
            y = for_each_member(totals, device_count(axes, axis_index_groups))
            y, dim = out_of_groups(size, y, axis_index_groups), 0
        if rest:
            y = collective(y, axes=rest, axis_index_groups=None)
        return y, dim

    two = {"axes": (("i", 2), ("j", 3)), "axis_index_groups": None}
    collective: Primitive = define(
        name,
        params=("axes", "axis_index_groups"),
        abstract_eval=abstract_eval,
        impl=impl,
        batch=batch,
        lower=Collective(combine),
        effects=_effects,
        domain=Domain(
            cases=(*law_cases(((), {}), ((3, 2), {})), (((2, 3, 5),), two)),
            dtypes=("float32", "float64", "int32"),
            devices=True,
        ),
        **rest,
    )
    return collective


def _times(x: Any, count: int) -> Any:
    """The sum of `count` equal values; integers wrap around."""
    return mul(x, full_like(x, np.asarray(count).astype(aval_of(x).dtype)))


_NOT_DIFFERENTIATED = Absent(
    "the extremum over devices has no derivative rule; take it of stop_gradient(x), or reduce what "
    "all_gather returns"
)

psum: Primitive = _define_reduction(
    "psum",
    reduce_sum,
    "number",
    "add",
    _times,
    jvp=linear,
    transpose=lambda ct, x, **params: psum(ct, **params),
    ulp=8,
)
pmax = _define_reduction(
    "pmax",
    reduce_max,
    "real",
    "max",
    lambda x, count: x,
    jvp=_NOT_DIFFERENTIATED,
    transpose=NOT_LINEAR,
)
pmin = _define_reduction(
    "pmin",
    reduce_min,
    "real",
    "min",
    lambda x, count: x,
    jvp=_NOT_DIFFERENTIATED,
    transpose=NOT_LINEAR,
)

# -- gathering and its transpose, the scattered sum ------------------------------------------------


def _one_axis(name: str, axes: Axes) -> None:
    require(len(axes) == 1, f"expected one named axis for {name}", str(axes))


def _gather_aval(
    x: ShapedArray, *, dimension: int, axes: Axes, axis_index_groups: Groups
) -> ShapedArray:
    _one_axis("all_gather", axes)
    check_groups(axis_index_groups, axes)
    check_axes((dimension,), x)
    shape = list(x.shape)
    shape[dimension] *= device_count(axes, axis_index_groups)
    return x.update(shape=tuple(shape))


def _gather_impl(x: Array, *, dimension: int, axes: Axes, axis_index_groups: Groups) -> Array:
    members = group_of_each(axes, axis_index_groups)
    return np.stack([np.concatenate([x[m] for m in group], dimension) for group in members])


def _gather_batch(
    size: int,
    inputs: Sequence[Any],
    dims: Sequence[int | None],
    *,
    dimension: int,
    axes: Axes,
    axis_index_groups: Groups,
) -> tuple[Any, int | None]:
    x, dim = inputs[0], dims[0]
    params = {"axes": axes, "axis_index_groups": axis_index_groups}
    if not is_own(size, axes):
        assert dim is not None
        return all_gather(moveaxis(x, dim, 0), dimension=dimension + 1, **params), 0
    if dim is None:
        blocks = for_each_device(device_count(axes, axis_index_groups), x)
        return join_blocks(moveaxis(blocks, 0, dimension), dimension), None
    if axis_index_groups is None:
        return join_blocks(moveaxis(x, dim, dimension), dimension), None
    x = in_groups(size, x, dim, axis_index_groups)
    x = join_blocks(moveaxis(x, 1, dimension + 1), dimension + 1)
    x = for_each_member(x, device_count(axes, axis_index_groups))
    return out_of_groups(size, x, axis_index_groups), 0


all_gather: Primitive = define(
    "all_gather",
    params=("dimension", "axes", "axis_index_groups"),
    abstract_eval=_gather_aval,
    impl=_gather_impl,
    jvp=linear,
    transpose=lambda ct, x, **params: psum_scatter(ct, **params),
    batch=_gather_batch,
    lower=Collective("gather"),
    effects=_effects,
    domain=Domain(
        cases=law_cases(((1,), {"dimension": 0}), ((2, 3), {"dimension": 1})),
        dtypes=("float32", "float64", "int32", "bool"),
        devices=True,
    ),
)


def _check_divides(x: ShapedArray, axis: int, count: int) -> None:
    require_shape(
        x.shape[axis] % count == 0,
        f"expected the size of axis {axis} to be a multiple of the {count} devices",
        str(x.shape),
    )


def _scatter_aval(
    x: ShapedArray, *, dimension: int, axes: Axes, axis_index_groups: Groups
) -> ShapedArray:
    _one_axis("psum_scatter", axes)
    check_groups(axis_index_groups, axes)
    check_axes((dimension,), x)
    check_kind("psum_scatter", "number", x, "x.astype(...)")
    count = device_count(axes, axis_index_groups)
    _check_divides(x, dimension, count)
    shape = list(x.shape)
    shape[dimension] //= count
    return x.update(shape=tuple(shape))


def _scatter_impl(x: Array, *, dimension: int, axes: Axes, axis_index_groups: Groups) -> Array:
    found = []
    for device, group in enumerate(group_of_each(axes, axis_index_groups)):
        total = reduce_sum.impl(x[list(group)], axes=(0,))
        found.append(np.split(total, len(group), dimension)[group.index(device)])
    return np.stack(found)


def _scatter_batch(
    size: int,
    inputs: Sequence[Any],
    dims: Sequence[int | None],
    *,
    dimension: int,
    axes: Axes,
    axis_index_groups: Groups,
) -> tuple[Any, int]:
    x, dim = inputs[0], dims[0]
    params = {"axes": axes, "axis_index_groups": axis_index_groups}
    if not is_own(size, axes):
        assert dim is not None
        return psum_scatter(moveaxis(x, dim, 0), dimension=dimension + 1, **params), 0
    count = device_count(axes, axis_index_groups)
    if dim is not None and axis_index_groups is None:
        return moveaxis(split_blocks(reduce_sum(x, axes=(dim,)), dimension, count), dimension, 0), 0
    x = reduce_sum(in_groups(size, x, dim, axis_index_groups), axes=(1,))
    x = moveaxis(split_blocks(x, dimension + 1, count), dimension + 1, 1)
    return out_of_groups(size, x, axis_index_groups), 0


psum_scatter: Primitive = define(
    "psum_scatter",
    params=("dimension", "axes", "axis_index_groups"),
    abstract_eval=_scatter_aval,
    impl=_scatter_impl,
    jvp=linear,
    transpose=lambda ct, x, **params: all_gather(ct, **params),
    batch=_scatter_batch,
    lower=Collective("scatter_add"),
    effects=_effects,
    domain=Domain(
        cases=law_cases(((4,), {"dimension": 0}), ((3, 8), {"dimension": 1})),
        dtypes=("float32", "float64", "int32"),
        devices=True,
    ),
    ulp=8,
)

# -- exchanges -------------------------------------------------------------------------------------


def _exchange_aval(
    x: ShapedArray, *, split_axis: int, concat_axis: int, axes: Axes, axis_index_groups: Groups
) -> ShapedArray:
    _one_axis("all_to_all", axes)
    check_groups(axis_index_groups, axes)
    check_axes((split_axis,), x)
    check_axes((concat_axis,), x)
    count = device_count(axes, axis_index_groups)
    _check_divides(x, split_axis, count)
    shape = list(x.shape)
    shape[split_axis] //= count
    shape[concat_axis] *= count
    return x.update(shape=tuple(shape))


def _exchange_impl(
    x: Array, *, split_axis: int, concat_axis: int, axes: Axes, axis_index_groups: Groups
) -> Array:
    found = []
    for device, group in enumerate(group_of_each(axes, axis_index_groups)):
        mine = group.index(device)
        parts = [np.split(x[m], len(group), split_axis)[mine] for m in group]
        found.append(np.concatenate(parts, concat_axis))
    return np.stack(found)


def _exchange_batch(
    size: int,
    inputs: Sequence[Any],
    dims: Sequence[int | None],
    *,
    split_axis: int,
    concat_axis: int,
    axes: Axes,
    axis_index_groups: Groups,
) -> tuple[Any, int]:
    x, dim = inputs[0], dims[0]
    if not is_own(size, axes):
        assert dim is not None
        out = all_to_all(
            moveaxis(x, dim, 0),
            split_axis=split_axis + 1,
            concat_axis=concat_axis + 1,
            axes=axes,
            axis_index_groups=axis_index_groups,
        )
        return out, 0
    x = in_groups(size, x, dim, axis_index_groups)
    # groups, senders, ..., receivers and their blocks at split_axis, ...
    x = split_blocks(x, split_axis + 2, device_count(axes, axis_index_groups))
    x = moveaxis(x, split_axis + 2, 1)
    # groups, receivers, senders, the dimensions of one device
    x = join_blocks(moveaxis(x, 2, concat_axis + 2), concat_axis + 2)
    return out_of_groups(size, x, axis_index_groups), 0


all_to_all: Primitive = define(
    "all_to_all",
    params=("split_axis", "concat_axis", "axes", "axis_index_groups"),
    abstract_eval=_exchange_aval,
    impl=_exchange_impl,
    jvp=linear,
    transpose=lambda ct, x, *, split_axis, concat_axis, **params: all_to_all(
        ct, split_axis=concat_axis, concat_axis=split_axis, **params
    ),
    batch=_exchange_batch,
    lower=Collective("exchange"),
    effects=_effects,
    domain=Domain(
        cases=law_cases(
            ((4,), {"split_axis": 0, "concat_axis": 0}),
            ((4, 3), {"split_axis": 0, "concat_axis": 1}),
            ((3, 2, 8), {"split_axis": 2, "concat_axis": 0}),
        ),
        dtypes=("float32", "float64", "int32", "bool"),
        devices=True,
    ),
)


def _sources(axes: Axes, perm: tuple[tuple[int, int], ...]) -> list[int | None]:
    """For each device, the one it receives from, or None."""
    origin = {target: source for source, target in perm}
    return [origin.get(i) for i in range(axes[0][1])]


def _permute_aval(x: ShapedArray, *, axes: Axes, perm: tuple[tuple[int, int], ...]) -> ShapedArray:
    _one_axis("ppermute", axes)
    size = axes[0][1]
    for what, ends in (("sources", [s for s, _ in perm]), ("destinations", [t for _, t in perm])):
        require(
            all(0 <= i < size for i in ends) and len(set(ends)) == len(ends),
            f"expected {what} in perm that differ, and are from 0 to {size - 1}",
            str(list(perm)),
            "perm=[(source, destination), ...]",
        )
    return x


def _permute_impl(x: Array, *, axes: Axes, perm: tuple[tuple[int, int], ...]) -> Array:
    out = np.zeros_like(x)
    for source, target in perm:
        out[target] = x[source]
    return out


def _permute_batch(
    size: int,
    inputs: Sequence[Any],
    dims: Sequence[int | None],
    *,
    axes: Axes,
    perm: tuple[tuple[int, int], ...],
) -> tuple[Any, int | None]:
    x, dim = inputs[0], dims[0]
    if not is_own(size, axes):
        return ppermute(x, axes=axes, perm=perm), dim
    if dim is None and len(perm) == size:
        return x, None
    x = for_each_device(size, x) if dim is None else moveaxis(x, dim, 0)
    return pick_rows(x, _sources(axes, perm)), 0


_PERMUTATIONS = (
    ((0, 1), (1, 2), (2, 3), (3, 0)),
    ((0, 3), (1, 1)),
    ((3, 0), (0, 3), (2, 1), (1, 2)),
    (),
)

ppermute: Primitive = define(
    "ppermute",
    params=("axes", "perm"),
    abstract_eval=_permute_aval,
    impl=_permute_impl,
    jvp=linear,
    transpose=lambda ct, x, *, axes, perm: ppermute(
        ct, axes=axes, perm=tuple((target, source) for source, target in perm)
    ),
    batch=_permute_batch,
    lower=Collective("permute"),
    effects=_effects,
    domain=Domain(
        cases=tuple(
            ((shape,), {"axes": (("i", 4),), "perm": perm})
            for perm in _PERMUTATIONS
            for shape in ((4,), (4, 2, 3))
        ),
        dtypes=("float32", "float64", "int32", "bool"),
        devices=True,
    ),
)

# -- the place -------------------------------------------------------------------------------------

_INDEX = np.dtype(np.int32)


def _index_aval(*, axes: Axes) -> ShapedArray:
    _one_axis("axis_index", axes)
    return ShapedArray((), _INDEX)


def _index_batch(size: int, inputs: Any, dims: Any, *, axes: Axes) -> tuple[Any, int | None]:
    if not is_own(size, axes):
        return axis_index(axes=axes), None
    return iota(dtype=_INDEX, shape=(int(size),), dimension=0), 0


axis_index: Primitive = define(
    "axis_index",
    params=("axes",),
    abstract_eval=_index_aval,
    impl=lambda *, axes: np.arange(axes[0][1], dtype=_INDEX),
    jvp=Absent("it has no inputs"),
    transpose=Absent("it has no inputs"),
    batch=_index_batch,
    lower=Collective("index"),
    effects=_effects,
    domain=Domain(cases=(((), {"axes": (("i", 4),)}),), dtypes=("int32",), devices=True),
)
