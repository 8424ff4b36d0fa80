"""Batches as devices in groups: how the rules of collectives rearrange them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..core.axes import Axes, axis_name
from ..core.trace import aval_of
from .checks import require
from .slicing import concatenate, slice_
from .structural import broadcast_in_dim, moveaxis, reshape, zeros

Groups = tuple[tuple[int, ...], ...] | None
"""Positions along the one axis there is, in groups that communicate; None for all together."""


def device_count(axes: Axes, groups: Groups) -> int:
    """How many devices communicate with each other along the one axis there is."""
    return len(groups[0]) if groups else axes[0][1]


def check_groups(groups: Groups, axes: Axes) -> None:
    """Groups must be of one size, and hold each position along the one axis once."""
    if groups is None:
        return
    require(
        len(axes) == 1,
        "expected one axis name with axis_index_groups",
        f"{len(axes)} names: {[name for name, _ in axes]}",
    )
    size = axes[0][1]
    members = sorted(i for group in groups for i in group)
    require(
        members == list(range(size)) and len({len(g) for g in groups}) == 1,
        f"expected axis_index_groups of equal sizes with each index from 0 to {size - 1} once",
        str([list(g) for g in groups]),
    )


def is_own(size: int, axes: Axes) -> bool:
    """Whether the batch is over an axis that the operator communicates along."""
    return axis_name(size) in [name for name, _ in axes] and axis_name(size) is not None


def pick_rows(x: Any, order: Sequence[int | None]) -> Any:
    """The rows of `x` in another order, zeros for None: slices of it, one for each run."""
    aval = aval_of(x)
    if list(order) == list(range(aval.shape[0])):
        return x
    pieces: list[Any] = []
    for rows in _runs(order):
        rest = aval.shape[1:]
        if rows[0] is None:
            pieces.append(zeros(aval.update(shape=(len(rows), *rest)).strong()))
            continue
        step = rows[1] - rows[0] if len(rows) > 1 else 1
        pieces.append(
            slice_(
                x,
                start_indices=(rows[0], *(0 for _ in rest)),
                limit_indices=(rows[-1] + 1, *rest),
                strides=(step, *(1 for _ in rest)),
            )
        )
    if not pieces:
        return x
    return pieces[0] if len(pieces) == 1 else concatenate(*pieces, dimension=0)


def _runs(order: Sequence[int | None]) -> list[list[Any]]:
    """The order cut into pieces that are all None, or go up in equal steps."""
    runs: list[list[Any]] = []
    for row in order:
        if runs and _continues(runs[-1], row):
            runs[-1].append(row)
        else:
            runs.append([row])
    return runs


def _continues(run: list[Any], row: int | None) -> bool:
    if row is None or run[-1] is None:
        return row is None and run[-1] is None
    step: int = row - run[-1]
    before: int = run[-1] - run[-2] if len(run) > 1 else step
    return step > 0 and step == before


def in_groups(size: int, x: Any, dim: int | None, groups: Groups) -> Any:
    """The batch in front as two dimensions: the groups, and the devices of each."""
    x = for_each_device(size, x) if dim is None else moveaxis(x, dim, 0)
    members = groups or (tuple(range(size)),)
    x = pick_rows(x, [i for group in members for i in group])
    return reshape(x, new_sizes=(len(members), len(members[0]), *aval_of(x).shape[1:]))


def out_of_groups(size: int, x: Any, groups: Groups) -> Any:
    """The inverse of `in_groups`: one batch dimension in front."""
    x = reshape(x, new_sizes=(int(size), *aval_of(x).shape[2:]))
    if groups is None:
        return x
    order = [i for group in groups for i in group]
    return pick_rows(x, [order.index(i) for i in range(size)])


def for_each_device(size: int, x: Any) -> Any:
    """`x` for each of `size` devices, in front."""
    shape = aval_of(x).shape
    kept = tuple(range(1, len(shape) + 1))
    return broadcast_in_dim(x, shape=(int(size), *shape), broadcast_dimensions=kept)


def for_each_member(x: Any, count: int) -> Any:
    """What each group has, for each of its devices: a new dimension 1."""
    shape = aval_of(x).shape
    kept = (0, *range(2, len(shape) + 1))
    full = (shape[0], count, *shape[1:])
    return broadcast_in_dim(x, shape=full, broadcast_dimensions=kept)


def split_blocks(x: Any, axis: int, count: int) -> Any:
    """An axis as two: `count` blocks, and what is in each."""
    shape = aval_of(x).shape
    return reshape(x, new_sizes=(*shape[:axis], count, shape[axis] // count, *shape[axis + 1 :]))


def join_blocks(x: Any, axis: int) -> Any:
    """An axis and the next one as one."""
    shape = aval_of(x).shape
    joined = shape[axis] * shape[axis + 1]
    return reshape(x, new_sizes=(*shape[:axis], joined, *shape[axis + 2 :]))


def group_of_each(axes: Axes, groups: Groups) -> list[tuple[int, ...]]:
    """For each device of the one axis, those of its group."""
    size = axes[0][1]
    every = groups or (tuple(range(size)),)
    return [next(g for g in every if i in g) for i in range(size)]


def law_cases(*cases: Any) -> Any:
    """Cases for laws on four devices in one group and in two, or with no groups in the parameters.

    The shapes are those of one device.
    """
    axes = (("i", 4),)
    found = []
    for shape, params in cases:
        for groups in (None, ((0, 1), (2, 3)), ((3, 1), (0, 2))):
            given = {"axes": axes, "axis_index_groups": groups, **params}
            found.append((((4, *shape),), given))
    return tuple(found)
