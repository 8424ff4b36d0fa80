"""Arrays from parts of arrays: joined, split, repeated, rolled, padded."""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.trace import aval_of
from ..errors import ArgumentError, ShapeError
from ..ops import elementwise as ops
from ..ops.cumulative import cumsum
from ..ops.slicing import concatenate as concatenate_row, dynamic_slice
from ..ops.structural import reduce_sum
from .creation import asarray, full
from .indexing import getitem, take
from .promotion import (
    broadcast,
    canonical_axis,
    canonical_shape,
    cast,
    concrete,
    literal,
    operand,
    promoted,
    static_int,
    user_dtype,
)
from .shaping import (
    atleast_1d,
    atleast_2d,
    atleast_3d,
    broadcast_to,
    expand_dims,
    moveaxis,
    part,
    ravel,
    reshape,
)

_INT = np.dtype("int32")

# Joining


def _sequence(arrays: Any, name: str) -> list[Any]:
    """The arrays of a sequence, or the rows of an array."""
    if hasattr(arrays, "aval") or isinstance(arrays, np.ndarray):
        x = operand(arrays)
        return [getitem(x, k) for k in range(aval_of(x).shape[0])]
    if not isinstance(arrays, Sequence) or not arrays:
        raise ArgumentError(
            f"expected a sequence of at least one array for {name}", repr(arrays)[:60]
        )
    return list(arrays)


def concatenate(arrays: Any, axis: int | None = 0, dtype: Any = None) -> Any:
    """Arrays joined along an axis they have.

    Args:
        arrays: arrays that agree in all other axes.
        axis: the axis; None joins the flat arrays.
        dtype: by default the promoted dtype.

    Raises:
        ShapeError: the shapes do not agree.

    >>> concatenate([asarray([1, 2]), asarray([3])])
    Array([1, 2, 3], dtype=int32)
    """
    parts = _promote(_sequence(arrays, "concatenate"), dtype)
    if axis is None:
        parts, axis = [ravel(x) for x in parts], 0
    ranks = {aval_of(x).ndim for x in parts}
    if len(ranks) > 1 or 0 in ranks:
        raise ShapeError(
            "expected arrays with equally many dimensions, at least 1",
            ", ".join(str(aval_of(x).shape) for x in parts),
            instead="xnp.stack for a new axis, xnp.atleast_1d for numbers",
        )
    at = canonical_axis(axis, ranks.pop())
    return parts[0] if len(parts) == 1 else concatenate_row(*parts, dimension=at)


def _promote(arrays: Sequence[Any], dtype: Any) -> list[Any]:
    wanted = user_dtype(dtype)
    if wanted is None:
        return promoted(*arrays)
    return [cast(operand(x), wanted) for x in arrays]


def concat(arrays: Any, /, *, axis: int | None = 0) -> Any:
    """Arrays joined along an axis they have; see `concatenate`.

    >>> concat([asarray([1, 2]), asarray([3])])
    Array([1, 2, 3], dtype=int32)
    """
    return concatenate(arrays, axis)


def stack(arrays: Any, axis: int = 0, out: None = None, dtype: Any = None) -> Any:
    """Arrays of equal shapes joined along a new axis.

    Args:
        arrays: the arrays.
        axis: where the new axis stands in the result.
        out: not supported, as arrays are immutable.
        dtype: by default the promoted dtype.

    >>> stack([1, 2])
    Array([1, 2], dtype=int32, weak_type=True)
    """
    if out is not None:
        raise ArgumentError("expected stack without out=", "out=", instead="y = xnp.stack(arrays)")
    parts = _promote(_sequence(arrays, "stack"), dtype)
    shapes = {aval_of(x).shape for x in parts}
    if len(shapes) > 1:
        raise ShapeError(
            "expected arrays of equal shapes to stack", ", ".join(map(str, sorted(shapes)))
        )
    at = canonical_axis(axis, len(shapes.pop()) + 1)
    return concatenate([expand_dims(x, at) for x in parts], at)


def vstack(tup: Any, dtype: Any = None) -> Any:
    """Arrays joined along axis 0; vectors become rows.

    >>> vstack([asarray([1, 2]), asarray([3, 4])])
    Array([[1, 2],
           [3, 4]], dtype=int32)
    """
    return concatenate([atleast_2d(x) for x in _sequence(tup, "vstack")], 0, dtype)


def hstack(tup: Any, dtype: Any = None) -> Any:
    """Arrays joined along axis 1; vectors along their only axis.

    >>> hstack([asarray([1, 2]), asarray([3, 4])])
    Array([1, 2, 3, 4], dtype=int32)
    """
    parts = [atleast_1d(x) for x in _sequence(tup, "hstack")]
    return concatenate(parts, 0 if aval_of(parts[0]).ndim == 1 else 1, dtype)


def dstack(tup: Any, dtype: Any = None) -> Any:
    """Arrays joined along axis 2.

    >>> dstack([asarray([1, 2]), asarray([3, 4])])
    Array([[[1, 3],
            [2, 4]]], dtype=int32)
    """
    return concatenate([atleast_3d(x) for x in _sequence(tup, "dstack")], 2, dtype)


def column_stack(tup: Any) -> Any:
    """Arrays joined along axis 1; vectors become columns.

    >>> column_stack([asarray([1, 2]), asarray([3, 4])])
    Array([[1, 3],
           [2, 4]], dtype=int32)
    """
    parts = [operand(x) for x in _sequence(tup, "column_stack")]
    return concatenate([reshape(x, (-1, 1)) if aval_of(x).ndim < 2 else x for x in parts], 1)


def append(arr: Any, values: Any, axis: int | None = None) -> Any:
    """An array with values joined to its end; without an axis, both are flat.

    >>> append(asarray([1, 2]), 3)
    Array([1, 2, 3], dtype=int32)
    """
    return concatenate([operand(arr), operand(values)], axis)


def block(arrays: Any) -> Any:
    """Nested lists of blocks joined into one array: the innermost lists along the last axis.

    >>> block([[asarray([1, 2]), 3], [asarray([4, 5]), 6]])
    Array([[1, 2, 3],
           [4, 5, 6]], dtype=int32)
    """
    depth = _depth(arrays)
    rank = max(depth, _most_dimensions(arrays))
    return _block(arrays, depth, rank)


def _depth(arrays: Any) -> int:
    if not isinstance(arrays, list):
        return 0
    depths = {_depth(item) for item in arrays}
    if len(depths) != 1:
        raise ArgumentError(
            "expected blocks nested equally deep in non-empty lists", repr(arrays)[:60]
        )
    return 1 + depths.pop()


def _most_dimensions(arrays: Any) -> int:
    if isinstance(arrays, list):
        return max(map(_most_dimensions, arrays))
    return aval_of(arrays).ndim


def _block(arrays: Any, depth: int, rank: int) -> Any:
    if not isinstance(arrays, list):
        x = operand(arrays)
        shape = aval_of(x).shape
        return reshape(x, (1,) * (rank - len(shape)) + shape)
    return concatenate([_block(item, depth - 1, rank) for item in arrays], axis=-depth)


# Splitting


def array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """An array cut along an axis, into parts of nearly equal length or at given places.

    Args:
        ary: an array.
        indices_or_sections: the number of parts, or the places of the cuts.
        axis: the axis.

    >>> array_split(asarray([1, 2, 3]), 2)
    [Array([1, 2], dtype=int32), Array([3], dtype=int32)]
    """
    x = operand(ary)
    at = canonical_axis(axis, aval_of(x).ndim)
    n = aval_of(x).shape[at]
    if isinstance(indices_or_sections, Sequence | np.ndarray) or aval_of(indices_or_sections).ndim:
        known = concrete(asarray(indices_or_sections))
        if known is None:
            raise ArgumentError("expected known places to cut at", repr(indices_or_sections))
        cuts = [slice(int(k)).indices(n)[1] for k in known]
    else:
        count = static_int(indices_or_sections, "the number of parts")
        if count < 1:
            raise ArgumentError("expected at least 1 part", str(count))
        size, more = divmod(n, count)
        cuts = [k * size + min(k, more) for k in range(1, count)]
    bounds = [0, *cuts, n]
    return [part(x, at, low, max(low, high)) for low, high in itertools.pairwise(bounds)]


def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """An array cut along an axis, into parts of equal length or at given places.

    Raises:
        ShapeError: the length is not a multiple of the number of parts.

    >>> split(asarray([1, 2, 3, 4]), 2)
    [Array([1, 2], dtype=int32), Array([3, 4], dtype=int32)]
    """
    if not isinstance(indices_or_sections, Sequence | np.ndarray):
        n = aval_of(ary).shape[canonical_axis(axis, aval_of(ary).ndim)]
        if aval_of(indices_or_sections).ndim == 0 and n % operator.index(indices_or_sections):
            raise ShapeError(
                f"expected a number of parts that divides the length {n} of axis {axis}",
                str(indices_or_sections),
                instead="xnp.array_split(x, n)",
            )
    return array_split(ary, indices_or_sections, axis)


def vsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    """An array cut along axis 0; see `split`.

    >>> vsplit(asarray([[1, 2], [3, 4]]), 2)
    [Array([[1, 2]], dtype=int32), Array([[3, 4]], dtype=int32)]
    """
    return split(ary, indices_or_sections, 0)


def hsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    """An array cut along axis 1, a vector along axis 0; see `split`.

    >>> [x.shape for x in hsplit(asarray([[1, 2], [3, 4]]), 2)]
    [(2, 1), (2, 1)]
    """
    return split(ary, indices_or_sections, 1 if aval_of(ary).ndim > 1 else 0)


def dsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    """An array cut along axis 2; see `split`.

    >>> [x.shape for x in dsplit(np.ones((2, 2, 4), np.float32), 2)]
    [(2, 2, 2), (2, 2, 2)]
    """
    return split(ary, indices_or_sections, 2)


def unstack(x: Any, /, *, axis: int = 0) -> tuple[Any, ...]:
    """The parts of an array along an axis, without that axis.

    >>> unstack(asarray([[1, 2], [3, 4]]))
    (Array([1, 2], dtype=int32), Array([3, 4], dtype=int32))
    """
    moved = moveaxis(x, axis, 0)
    return tuple(getitem(moved, k) for k in range(aval_of(moved).shape[0]))


# Repeating


def tile(A: Any, reps: Any) -> Any:
    """The array repeated as a whole, a number of times along each axis.

    >>> tile(asarray([1, 2]), 2)
    Array([1, 2, 1, 2], dtype=int32)
    """
    x = operand(A)
    times = canonical_shape(reps)
    shape = aval_of(x).shape
    rank = max(len(shape), len(times))
    shape = (1,) * (rank - len(shape)) + shape
    times = (1,) * (rank - len(times)) + times
    pairs = [n for t, s in zip(times, shape, strict=True) for n in (t, s)]
    interleaved = [n for s in shape for n in (1, s)]
    spread = broadcast(reshape(x, interleaved), tuple(pairs))
    return reshape(spread, tuple(t * s for t, s in zip(times, shape, strict=True)))


def repeat(
    a: Any, repeats: Any, axis: int | None = None, *, total_repeat_length: int | None = None
) -> Any:
    """Each element along an axis repeated.

    Args:
        a: an array.
        repeats: how often, one number or one for each element.
        axis: the axis; by default the array is taken as flat.
        total_repeat_length: the length of the result, needed where `repeats` is traced; what is
            beyond is cut off, what is missing is filled with the last element.

    >>> repeat(asarray([1, 2]), 2)
    Array([1, 1, 2, 2], dtype=int32)
    """
    x = operand(a)
    if axis is None:
        x, axis = ravel(x), 0
    at = canonical_axis(axis, aval_of(x).ndim)
    n = aval_of(x).shape[at]
    known = np.asarray(repeats) if isinstance(repeats, Sequence) else concrete(repeats)
    if known is not None and known.size == 1 and total_repeat_length is None:
        shape = aval_of(x).shape
        times = int(known.reshape(()))
        spread = expand_dims(x, at + 1)
        full_shape = (*shape[: at + 1], times, *shape[at + 1 :])
        merged = (*shape[:at], n * times, *shape[at + 1 :])
        return reshape(broadcast(spread, full_shape), merged)
    if known is not None:
        counts = np.broadcast_to(known, (n,))
        places = np.repeat(np.arange(n, dtype=np.int32), counts)
        if total_repeat_length is not None:
            places = np.concatenate([places, np.full(total_repeat_length, max(n - 1, 0), np.int32)])
            places = places[:total_repeat_length]
        return take(x, places.astype(np.int32), at, mode="clip")
    if total_repeat_length is None:
        raise ArgumentError(
            "expected total_repeat_length= where the numbers of repeats are traced",
            repr(repeats),
            instead="xnp.repeat(x, repeats, total_repeat_length=n)",
        )
    ends = cumsum(broadcast(cast(operand(repeats), _INT), (n,)), axis=0, reverse=False)
    line = operand(np.arange(total_repeat_length, dtype=np.int32))
    # Element k belongs to as many elements as end at or before it.
    after = ops.ge(
        broadcast(reshape(line, (-1, 1)), (total_repeat_length, n)),
        broadcast(reshape(ends, (1, -1)), (total_repeat_length, n)),
    )
    places = reduce_sum(cast(after, _INT), axes=(1,))
    return take(x, places, at, mode="clip")


def resize(a: Any, new_shape: Any) -> Any:
    """The elements in another shape, repeated or cut off as needed.

    >>> resize(asarray([1, 2, 3]), (2, 2))
    Array([[1, 2],
           [3, 1]], dtype=int32)
    """
    x = ravel(a)
    shape = canonical_shape(new_shape)
    wanted, have = math.prod(shape), aval_of(x).size
    if have == 0:
        return full(shape, 0, aval_of(x).dtype)
    if wanted > have:
        x = tile(x, -(-wanted // have))
    return reshape(part(x, 0, 0, wanted), shape)


# Moving


def roll(a: Any, shift: Any, axis: Any = None) -> Any:
    """The array with elements moved along axes, those that fall off the end coming in again.

    Args:
        a: an array.
        shift: by how many places, an integer for each axis; may be traced.
        axis: the axes; by default the array is rolled as if it were flat.

    >>> roll(asarray([1, 2, 3]), 1)
    Array([3, 1, 2], dtype=int32)
    """
    x = operand(a)
    if axis is None:
        return reshape(roll(ravel(x), shift, 0), aval_of(x).shape)
    given = list(axis) if isinstance(axis, Sequence) else [axis]
    dims = [canonical_axis(d, aval_of(x).ndim) for d in given]
    if isinstance(shift, Sequence):
        shifts = list(shift) if len(shift) == len(dims) else list(shift) * len(dims)
    elif aval_of(shift).ndim:
        shifts = [getitem(shift, k) for k in range(aval_of(shift).shape[0])]
    else:
        shifts = [shift]
    if len(dims) == 1 and len(shifts) > 1:
        dims = dims * len(shifts)
    if len(shifts) == 1:
        shifts = shifts * len(dims)
    if len(shifts) != len(dims):
        raise ShapeError("expected one shift for each axis", f"{len(shifts)} and {len(dims)}")
    for by, d in zip(shifts, dims, strict=True):
        x = _roll_axis(x, by, d)
    return x


def _roll_axis(x: Any, by: Any, d: int) -> Any:
    shape = aval_of(x).shape
    n = shape[d]
    if n == 0:
        return x
    known = concrete(by)
    if known is not None:
        cut = -int(known) % n
        if cut == 0:
            return x
        return concatenate_row(part(x, d, cut, n), part(x, d, 0, cut), dimension=d)
    # Where the shift is data, a window of two copies in a row.
    rest = ops.rem(cast(by, _INT), literal(n, _INT))
    start = ops.rem(ops.sub(literal(n, _INT), rest), literal(n, _INT))
    starts = [start if k == d else literal(0, _INT) for k in range(len(shape))]
    return dynamic_slice(concatenate_row(x, x, dimension=d), *starts, slice_sizes=shape)


# Inserting


def insert(arr: Any, obj: Any, values: Any, axis: int | None = None) -> Any:
    """An array with values inserted before given places, which must be known.

    Args:
        arr: an array.
        obj: an integer, a slice or a sequence of integers.
        values: what to insert.
        axis: the axis; by default the array is taken as flat.

    >>> insert(asarray([1, 2, 3]), 1, 9)
    Array([1, 9, 2, 3], dtype=int32)
    """
    x = operand(arr)
    if axis is None:
        x, axis = ravel(x), 0
    at = canonical_axis(axis, aval_of(x).ndim)
    n = aval_of(x).shape[at]
    places = _known_places(obj, n)
    single = places.ndim == 0
    inserted = cast(operand(asarray(values)), aval_of(x).dtype)
    flat = np.atleast_1d(places)
    flat = np.where(flat < 0, flat + n, flat)
    shape = aval_of(x).shape
    if single:
        inserted = moveaxis(atleast_nd(inserted, len(shape)), 0, at)
        count = aval_of(inserted).shape[at]
        flat = np.repeat(flat, count)
    wanted = (*shape[:at], len(flat), *shape[at + 1 :])
    inserted = broadcast_to(inserted, wanted)
    # Stable order keeps what is inserted at one place in the order given.
    order = np.argsort(flat, kind="stable")
    new_at = flat[order] + np.arange(len(flat))
    source = np.zeros(n + len(flat), np.int32)
    is_new = np.zeros(n + len(flat), bool)
    is_new[new_at] = True
    source[~is_new] = np.arange(n)
    source[new_at] = n + order
    return take(concatenate_row(x, inserted, dimension=at), source, at, mode="promise_in_bounds")


def atleast_nd(x: Any, rank: int) -> Any:
    """An array with axes of length 1 added in front until it has `rank`."""
    shape = aval_of(x).shape
    return reshape(x, (1,) * (rank - len(shape)) + shape) if len(shape) < rank else x


def _known_places(obj: Any, n: int) -> np.ndarray[Any, Any]:
    if isinstance(obj, slice):
        return np.arange(n)[obj]
    known = np.asarray(obj) if isinstance(obj, Sequence) else concrete(obj)
    if known is None:
        raise ArgumentError(
            "expected known places",
            repr(obj),
            why="the shape of the result would depend on values that come later",
        )
    if known.dtype.kind == "b":
        known = np.flatnonzero(known)
    return known.astype(np.int64)


def delete(
    arr: Any, obj: Any, axis: int | None = None, *, assume_unique_indices: bool = False
) -> Any:
    """An array without the elements at given places, which must be known.

    Args:
        arr: an array.
        obj: an integer, a slice, a sequence of integers, or a mask.
        axis: the axis; by default the array is taken as flat.
        assume_unique_indices: accepted for compatibility.

    >>> delete(asarray([1, 2, 3]), 1)
    Array([1, 3], dtype=int32)
    """
    x = operand(arr)
    if axis is None:
        x, axis = ravel(x), 0
    at = canonical_axis(axis, aval_of(x).ndim)
    n = aval_of(x).shape[at]
    kept = np.delete(np.arange(n, dtype=np.int32), _known_places(obj, n))
    return take(x, kept, at, mode="promise_in_bounds")
