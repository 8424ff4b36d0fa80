"""What is between the brackets of `x[...]`, read against a shape."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core import dtypes
from ..core.trace import Tracer, aval_of
from ..errors import (
    ArgumentError,
    IndexOutOfBoundsError,
    NonConcreteBooleanIndexError,
)
from .promotion import adopt, as_array, broadcast_shapes, concrete


@dataclass(frozen=True)
class Span:
    """A slice of an axis: `length` elements from `start`, `step` apart; both known."""

    start: int
    step: int
    length: int

    def is_whole(self, n: int) -> bool:
        """Whether it takes an axis of length `n` as it is."""
        return self.start == 0 and self.step == 1 and self.length == n


@dataclass(frozen=True)
class Place:
    """An index that takes one element of an axis, or an array of them."""

    value: Any

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the index."""
        return () if isinstance(self.value, int) else aval_of(self.value).shape


@dataclass(frozen=True)
class Selection:
    """A key read against a shape.

    Args:
        axes: for each axis of the array, what is taken of it.
        is_static: whether all places are Python integers, so that the elements form a box.
        shape: the shape of `Place`s broadcast together; empty when `is_static`.
        first: how many spans stand before the broadcast shape in the result.
        new_axes: the axes of length 1 to insert into the result, in its final numbering.
    """

    axes: tuple[Span | Place, ...]
    is_static: bool
    shape: tuple[int, ...]
    first: int
    new_axes: tuple[int, ...]

    @property
    def inner_shape(self) -> tuple[int, ...]:
        """The shape of the result without the new axes."""
        spans = [axis.length for axis in self.axes if isinstance(axis, Span)]
        return (*spans[: self.first], *self.shape, *spans[self.first :])

    @property
    def result_shape(self) -> tuple[int, ...]:
        """The shape of the result."""
        return with_ones(self.inner_shape, self.new_axes)


def with_ones(shape: tuple[int, ...], new_axes: tuple[int, ...]) -> tuple[int, ...]:
    """A shape with axes of length 1 at the given places of the result."""
    rest = iter(shape)
    rank = len(shape) + len(new_axes)
    return tuple(1 if d in new_axes else next(rest) for d in range(rank))


def read_key(key: Any, shape: tuple[int, ...], check_bounds: bool = True) -> Selection:
    """The selection that a key makes of an array.

    Args:
        key: integers, slices, `...`, None, and arrays of integers or booleans, or a tuple of them.
        shape: the shape of the array.
        check_bounds: whether indices that are known must lie inside.

    Raises:
        ArgumentError: the key holds something else, such as a list.
        IndexOutOfBoundsError: there are more indices than axes, or a known one lies outside.
        NonConcreteBooleanIndexError: a mask is traced.
    """
    items = list(key) if isinstance(key, tuple) else [key]
    expanded: list[Any] = []
    for item in items:
        expanded.extend(_expand(item, shape))
    used = sum(1 for item in expanded if item is not None and item is not Ellipsis)
    if used > len(shape):
        raise IndexOutOfBoundsError(
            f"expected at most {len(shape)} indices for an array of shape {shape}", str(used)
        )
    if not any(item is Ellipsis for item in expanded):
        expanded.append(Ellipsis)
    at = next(k for k, item in enumerate(expanded) if item is Ellipsis)
    if any(item is Ellipsis for item in expanded[at + 1 :]):
        raise IndexOutOfBoundsError("expected at most one ellipsis in an index", repr(key)[:80])
    return _place(expanded, at, len(shape) - used, shape, check_bounds)


def _place(
    items: list[Any], ellipsis_at: int, missing: int, shape: tuple[int, ...], check_bounds: bool
) -> Selection:
    """Assign the items of a key to axes."""
    axes: list[Span | Place] = []
    # The result in the order of the key: a span, a new axis, or the number of a place.
    order: list[str] = []
    for k, item in enumerate(items):
        if k == ellipsis_at:
            order.append("...")
            for _ in range(missing):
                axes.append(Span(0, 1, shape[len(axes)]))
                order.append("span")
        elif item is None:
            order.append("new")
        else:
            axes.append(_axis(item, len(axes), shape, check_bounds))
            order.append("span" if isinstance(axes[-1], Span) else "place")
    places = [axis for axis in axes if isinstance(axis, Place)]
    is_static = all(isinstance(axis.value, int) for axis in places)
    if is_static:
        broadcast: tuple[int, ...] = ()
        result = [what for what in order if what in ("span", "new")]
        first = 0
    else:
        broadcast = broadcast_shapes(*(axis.shape for axis in places))
        result, first = _order_result(order, len(broadcast))
    new_axes = tuple(k for k, what in enumerate(result) if what == "new")
    return Selection(tuple(axes), is_static, broadcast, first, new_axes)


def _order_result(order: list[str], rank: int) -> tuple[list[str], int]:
    """Where the broadcast axes stand: at the first place if the places are adjacent, else first."""
    at = [k for k, what in enumerate(order) if what == "place"]
    adjacent = at[-1] - at[0] + 1 == len(at)
    before = [what for what in order[: at[0]] if what in ("span", "new")] if adjacent else []
    others = [what for what in order if what in ("span", "new")]
    result = [*before, *["array"] * rank, *others[len(before) :]]
    return result, before.count("span")


def _expand(item: Any, shape: tuple[int, ...]) -> list[Any]:
    """One item of a key, a mask replaced by the places where it is true."""
    if item is None or item is Ellipsis or isinstance(item, slice):
        return [item]
    if isinstance(item, bool | np.bool_):
        raise ArgumentError(
            "expected an integer, a slice or an array as an index",
            repr(item),
            instead="x[None] for True, x[None][:0] for False",
        )
    if isinstance(item, int | np.integer):
        return [int(item)]
    if isinstance(item, list | tuple):
        raise ArgumentError(
            "expected an integer, a slice or an array as an index",
            f"a {type(item).__name__}",
            why="a sequence of numbers inside a program would be converted at every step",
            instead=f"x[xnp.asarray({item!r})]" if len(repr(item)) < 40 else "x[xnp.asarray(...)]",
        )
    if not hasattr(item, "dtype"):
        return [operator.index(_require_index(item))]
    dtype = aval_of(item).dtype
    if dtypes.is_bool(dtype):
        return _mask_places(item)
    if not dtypes.is_integer(dtype):
        raise ArgumentError(
            "expected integers or booleans as indices", str(aval_of(item)), instead="i.astype(int)"
        )
    return [adopt(item) if isinstance(item, np.ndarray) else item]


def _require_index(item: Any) -> Any:
    if not hasattr(item, "__index__"):
        raise ArgumentError(
            "expected an integer, a slice or an array as an index",
            f"{type(item).__name__}: {item!r}"[:80],
        )
    return item


def _mask_places(mask: Any) -> list[Any]:
    known = concrete(mask)
    if known is None:
        raise NonConcreteBooleanIndexError(
            "expected a mask whose values are known",
            mask.origin() if isinstance(mask, Tracer) else str(aval_of(mask)),
            why="the size of the result would depend on values that come later",
            instead="xnp.where(mask, x, other), or xnp.nonzero(mask, size=n)",
        )
    if known.ndim == 0:
        raise ArgumentError("expected a mask with at least one dimension", "a single boolean")
    found = [as_array(i.astype(np.int32)) for i in np.nonzero(known)]
    return [_Mask(i, d, known.shape) for d, i in enumerate(found)]


@dataclass(frozen=True)
class _Mask:
    """The places along one axis where a mask of a shape is true."""

    value: Any
    axis: int
    shape: tuple[int, ...]


def _axis(item: Any, axis: int, shape: tuple[int, ...], check_bounds: bool) -> Span | Place:
    n = shape[axis]
    if isinstance(item, slice):
        start, stop, step = (None if v is None else operator.index(v) for v in _parts(item))
        if step == 0:
            raise ArgumentError("expected a slice with a step other than 0", repr(item))
        indices = range(*slice(start, stop, step).indices(n))
        return Span(indices.start if len(indices) else 0, indices.step, len(indices))
    if isinstance(item, _Mask):
        if item.shape[item.axis] != n:
            raise IndexOutOfBoundsError(
                f"expected a mask that fits axis {axis} of an array of shape {shape}",
                f"a mask of shape {item.shape}",
            )
        return Place(item.value)
    if isinstance(item, int):
        if check_bounds and not -n <= item < n:
            raise _outside(item, axis, shape)
        return Place(item + n if item < 0 else item)
    known = concrete(item) if check_bounds else None
    if known is not None and known.size:
        low, high = int(known.min()), int(known.max())
        if low < -n or high >= n:
            raise _outside(low if low < -n else high, axis, shape)
    return Place(item)


def _parts(item: slice) -> tuple[Any, Any, Any]:
    return item.start, item.stop, item.step


def _outside(index: int, axis: int, shape: tuple[int, ...]) -> IndexOutOfBoundsError:
    n = shape[axis]
    return IndexOutOfBoundsError(
        f"expected an index from {-n} to {n - 1} along axis {axis} of an array of shape {shape}"
        if n
        else f"expected no index along axis {axis}, which is empty, of an array of shape {shape}",
        str(index),
        instead='x.at[i].get(mode="clip") or mode="fill" for indices that may lie outside',
    )
