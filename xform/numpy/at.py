"""Writing elements: `x.at[...].set(v)` and its like, which return a new array."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core import dtypes
from ..core.trace import Tracer, aval_of
from ..errors import ArgumentError, IndexOutOfBoundsError, MutationError, ShapeError
from ..ops import elementwise as ops
from ..ops.indexing import scatter, scatter_add
from ..ops.scattering import scatter_max, scatter_min, scatter_mul
from ..ops.slicing import dynamic_update_slice
from ..ops.structural import broadcast_in_dim, reshape, rev, select_n
from ..ops.windows import GatherScatterMode, ScatterDimensionNumbers
from .arithmetic import divide, power, remainder
from .indexing import along_axis_key, read_mode, select_elements, stacked_indices, wrapped
from .promotion import (
    broadcast,
    broadcast_shapes,
    canonical_axis,
    cast,
    concrete,
    full_like,
    literal,
    operand,
)
from .rearranging import resize
from .selection import Place, Selection, Span, read_key

_INT = np.dtype("int32")


class IndexUpdater:
    """`x.at`: indexed, it names the elements to read or to write.

    >>> repr(IndexUpdater(None))
    'x.at'
    """

    __slots__ = ("_array",)

    def __init__(self, array: Any) -> None:
        self._array = array

    def __getitem__(self, key: Any) -> IndexUpdate:
        return IndexUpdate(self._array, key)

    def __repr__(self) -> str:
        return "x.at"


class IndexUpdate:
    """`x.at[key]`: the elements that a key selects, to be read or replaced in a copy.

    Every method takes `indices_are_sorted` and `unique_indices`, promises about the key, and
    `mode`, what indices outside do: ``"drop"`` leaves them out (the default for traced ones),
    ``"clip"`` moves them inside, ``"promise_in_bounds"`` says there are none. Without a mode,
    indices that are known must lie inside. Where an element occurs twice, `add` and `multiply`
    count it twice; which value `set` keeps is not specified. A traced mask as the whole key takes
    one number.
    """

    __slots__ = ("_array", "_key")

    def __init__(self, array: Any, key: Any) -> None:
        self._array = array
        self._key = key

    def _read(self, mode: Any) -> Selection:
        return read_key(self._key, aval_of(self._array).shape, check_bounds=mode is None)

    def get(
        self,
        *,
        indices_are_sorted: bool = False,
        unique_indices: bool = False,
        mode: Any = None,
        fill_value: Any = None,
    ) -> Any:
        """The elements: `x[key]` with a choice of what indices outside do.

        Args:
            indices_are_sorted: a promise.
            unique_indices: a promise.
            mode: ``"clip"``, ``"fill"`` or ``"promise_in_bounds"``.
            fill_value: what ``"fill"`` reads; by default NaN, or the least integer.
        """
        x = operand(self._array)
        selection = self._read(mode)
        if selection.is_static and mode is not None:
            selection = _as_places(selection)
        return select_elements(
            x,
            selection,
            read_mode(mode, GatherScatterMode.CLIP),
            fill_value,
            unique_indices,
            indices_are_sorted,
        )

    def set(self, values: Any, **options: Any) -> Any:
        """A copy with the elements replaced."""
        return self._write(scatter, values, **options)

    def add(self, values: Any, **options: Any) -> Any:
        """A copy with values added to the elements."""
        return self._write(scatter_add, values, **options)

    def subtract(self, values: Any, **options: Any) -> Any:
        """A copy with values subtracted from the elements."""
        return self._write(scatter_add, ops.neg(operand(values)), **options)

    def multiply(self, values: Any, **options: Any) -> Any:
        """A copy with the elements multiplied by values."""
        return self._write(scatter_mul, values, **options)

    mul = multiply
    sub = subtract

    def divide(self, values: Any, **options: Any) -> Any:
        """A copy with the elements divided by values."""
        factor = IndexUpdate(full_like(self._array, 1), self._key).multiply(values, **options)
        return divide(self._array, factor)

    def power(self, values: Any, **options: Any) -> Any:
        """A copy with the elements raised to powers."""
        exponent = IndexUpdate(full_like(self._array, 1), self._key).multiply(values, **options)
        return power(self._array, exponent)

    def min(self, values: Any, **options: Any) -> Any:
        """A copy with the elements that are larger replaced by values."""
        return self._write(scatter_min, values, **options)

    def max(self, values: Any, **options: Any) -> Any:
        """A copy with the elements that are smaller replaced by values."""
        return self._write(scatter_max, values, **options)

    def apply(self, ufunc: Callable[[Any], Any], **options: Any) -> Any:
        """A copy with a function applied to the elements, once to each."""
        return self.set(ufunc(self.get()), **options)

    def _write(
        self,
        row: Any,
        values: Any,
        *,
        indices_are_sorted: bool = False,
        unique_indices: bool = False,
        mode: Any = None,
    ) -> Any:
        x = operand(self._array)
        if _is_traced_mask(self._key) and aval_of(values).ndim == 0:
            return _write_masked(row, x, self._key, values)
        selection = self._read(mode)
        updates = _updates(x, selection, values)
        if 0 in (aval_of(x).size, aval_of(updates).size):
            return x
        if selection.is_static and mode is not None:
            selection = _as_places(selection)
        if row is scatter and _is_box(selection):
            return _replace_box(x, selection, updates)
        return _scatter(
            row,
            x,
            selection,
            updates,
            read_mode(mode, GatherScatterMode.FILL_OR_DROP),
            unique_indices,
            indices_are_sorted,
        )


def _is_traced_mask(key: Any) -> bool:
    """Whether a key is a single mask whose values are not known."""
    if not isinstance(key, Tracer) or not dtypes.is_bool(key.dtype):
        return False
    return concrete(key) is None


_COMBINE = {
    scatter: lambda x, v: v,
    scatter_add: ops.add,
    scatter_mul: ops.mul,
    scatter_min: ops.min_,
    scatter_max: ops.max_,
}


def _write_masked(row: Any, x: Any, mask: Any, value: Any) -> Any:
    """One number written where a mask holds: where it holds need not be known for that."""
    shape, covered = aval_of(x).shape, aval_of(mask).shape
    if covered != shape[: len(covered)]:
        raise IndexOutOfBoundsError(
            f"expected a mask that fits an array of shape {shape}", f"a mask of shape {covered}"
        )
    full_mask = broadcast_in_dim(mask, shape=shape, broadcast_dimensions=tuple(range(len(covered))))
    number = broadcast(cast(operand(value), aval_of(x).dtype), shape)
    return select_n(full_mask, x, _COMBINE[row](x, number))


def _as_places(selection: Selection) -> Selection:
    """A static selection whose integers may lie outside, as one with indices that are data."""
    if not any(isinstance(axis, Place) for axis in selection.axes):
        return selection
    axes = tuple(
        Place(literal(axis.value, _INT)) if isinstance(axis, Place) else axis
        for axis in selection.axes
    )
    return Selection(axes, False, (), 0, selection.new_axes)


def _updates(x: Any, selection: Selection, values: Any) -> Any:
    """The values in the array's dtype and the selection's shape, without its new axes."""
    updates = cast(operand(values), aval_of(x).dtype)
    wanted = selection.result_shape
    have = aval_of(updates).shape
    extra = len(have) - len(wanted)
    if extra > 0 and have[:extra] == (1,) * extra:
        updates = reshape(updates, new_sizes=have[extra:])
        have = have[extra:]
    if len(have) > len(wanted) or broadcast_shapes(have, wanted) != wanted:
        raise ShapeError(
            f"expected values that broadcast to the {wanted} elements selected of {aval_of(x)}",
            f"shape {have}",
        )
    updates = broadcast(updates, wanted)
    inner = selection.inner_shape
    return updates if inner == wanted else reshape(updates, new_sizes=inner)


def _is_box(selection: Selection) -> bool:
    """Whether the elements are neighbours, at a place that is known."""
    return selection.is_static and all(
        isinstance(axis, Place) or abs(axis.step) == 1 or axis.length <= 1
        for axis in selection.axes
    )


def _replace_box(x: Any, selection: Selection, updates: Any) -> Any:
    sizes = tuple(axis.length if isinstance(axis, Span) else 1 for axis in selection.axes)
    if 0 in sizes:
        return x
    box = reshape(updates, new_sizes=sizes)
    reverse = tuple(
        d
        for d, axis in enumerate(selection.axes)
        if isinstance(axis, Span) and axis.step < 0 and axis.length > 1
    )
    if reverse:
        box = rev(box, dimensions=reverse)
    if sizes == aval_of(x).shape:
        return box
    starts = [
        literal(_lowest(axis) if isinstance(axis, Span) else axis.value, _INT)
        for axis in selection.axes
    ]
    return dynamic_update_slice(x, box, *starts)


def _lowest(span: Span) -> int:
    return min(span.start, span.start + (span.length - 1) * span.step) if span.length else 0


def _scatter(
    row: Any,
    x: Any,
    selection: Selection,
    updates: Any,
    mode: GatherScatterMode,
    unique_indices: bool,
    indices_are_sorted: bool,
) -> Any:
    """A scatter of windows: neighbours lie in windows, all else in the indices."""
    lengths = aval_of(x).shape
    rank = len(selection.shape)
    # Dimensions of the updates: those of the spans in order, the broadcast ones at `first`.
    window: list[int] = []
    counted: list[tuple[int, Span, int]] = []
    at = 0
    seen = 0
    for d, axis in enumerate(selection.axes):
        if isinstance(axis, Place):
            continue
        at = seen if seen < selection.first else seen + rank
        if axis.step == 1 or axis.length <= 1:
            window.append(at)
        else:
            counted.append((d, axis, at))
        seen += 1
    update_shape = aval_of(updates).shape
    batch = [k for k in range(len(update_shape)) if k not in window]
    batch_shape = tuple(update_shape[k] for k in batch)
    components: dict[int, Any] = {}
    for d, axis in enumerate(selection.axes):
        if isinstance(axis, Place):
            value = wrapped(axis.value, lengths[d])
            components[d] = _over_batch(value, selection.shape, selection.first, batch)
        elif (axis.step == 1 or axis.length <= 1) and axis.length != lengths[d]:
            components[d] = axis.start if axis.length else 0
    for d, axis, k in counted:
        line = np.arange(axis.length, dtype=np.int32) * axis.step + axis.start
        sizes = [1] * len(batch)
        sizes[batch.index(k)] = axis.length
        components[d] = operand(line.astype(np.int32).reshape(sizes))
    dims = tuple(sorted(components))
    if not dims:
        # Everything is selected; one window at the origin.
        dims = (0,) if lengths else ()
        components = {0: 0}
    inserted = [d for d, axis in enumerate(selection.axes) if isinstance(axis, Place)]
    inserted += [d for d, _, _ in counted]
    numbers = ScatterDimensionNumbers(
        update_window_dims=tuple(window),
        inserted_window_dims=tuple(sorted(inserted)),
        scatter_dims_to_operand_dims=dims,
    )
    if dims:
        indices = stacked_indices([components[d] for d in dims], batch_shape)
    else:
        indices = operand(np.zeros((0,), np.int32))
    return row(
        x,
        indices,
        updates,
        dimension_numbers=numbers,
        mode=mode,
        unique_indices=unique_indices,
        indices_are_sorted=indices_are_sorted,
    )


def _over_batch(value: Any, shape: tuple[int, ...], first: int, batch: list[int]) -> Any:
    """An index laid out over the batch dimensions: its own stand together, the others are 1."""
    if isinstance(value, int):
        return value
    own = aval_of(value).shape
    full = (1,) * (len(shape) - len(own)) + own
    sizes = [1] * len(batch)
    for offset, n in enumerate(full):
        sizes[batch.index(first + offset)] = n
    return reshape(value, new_sizes=tuple(sizes)) if tuple(sizes) != own else value


def put_along_axis(
    arr: Any,
    indices: Any,
    values: Any,
    axis: int | None,
    inplace: bool = False,
    *,
    mode: str | None = None,
) -> Any:
    """A copy with elements replaced along one axis; the counterpart of `take_along_axis`.

    Args:
        arr: an array.
        indices: integers with as many dimensions as `arr`; the other axes broadcast.
        values: what to write; broadcast to the indices.
        axis: the axis; None takes the array as flat.
        inplace: must be False, as arrays are immutable.
        mode: as for `x.at[...]`.

    >>> x = np.array([[1, 2], [3, 4]], np.int32)
    >>> put_along_axis(x, np.array([[1], [0]], np.int32), 9, axis=1)
    Array([[1, 9],
           [9, 4]], dtype=int32)
    """
    _refuse_inplace("put_along_axis", inplace)
    x, index = operand(arr), operand(indices)
    shape = aval_of(x).shape
    if axis is None:
        flat = reshape(x, new_sizes=(aval_of(x).size,))
        index = reshape(index, new_sizes=(aval_of(index).size,))
        return reshape(IndexUpdate(flat, index).set(values, mode=mode), new_sizes=shape)
    key = along_axis_key(x, index, canonical_axis(axis, len(shape)))
    return IndexUpdate(x, key).set(values, mode=mode)


def _refuse_inplace(name: str, inplace: bool) -> None:
    if inplace:
        raise MutationError(
            f"expected {name} with inplace=False",
            "inplace=True",
            why="arrays are immutable",
            instead=f"x = {name}(x, ..., inplace=False)",
        )


def put(a: Any, ind: Any, v: Any, mode: str | None = None, *, inplace: bool = False) -> Any:
    """A copy with elements replaced, by their places in the flat array.

    Args:
        a: an array.
        ind: integers.
        v: the values, repeated as often as needed.
        mode: ``"clip"``, ``"wrap"``, or None.
        inplace: must be False, as arrays are immutable.

    >>> put(np.array([1, 2, 3], np.int32), np.array([0, 2]), 9)
    Array([9, 2, 9], dtype=int32)
    """
    _refuse_inplace("put", inplace)
    x, index = operand(a), operand(ind)
    aval = aval_of(x)
    index = reshape(index, new_sizes=(aval_of(index).size,))
    if mode == "wrap":
        index, mode = remainder(index, aval.size), "promise_in_bounds"
    elif mode == "clip":
        index = ops.clamp(full_like(index, 0), index, full_like(index, aval.size - 1))
    flat = reshape(x, new_sizes=(aval.size,))
    values = resize(v, (aval_of(index).size,))
    return reshape(IndexUpdate(flat, index).set(values, mode=mode), new_sizes=aval.shape)


def fill_diagonal(a: Any, val: Any, wrap: bool = False, *, inplace: bool = False) -> Any:
    """A copy with the main diagonal replaced.

    Args:
        a: an array with at least two dimensions, all equal where there are more.
        val: the values, repeated as often as needed.
        wrap: must be False.
        inplace: must be False, as arrays are immutable.

    >>> fill_diagonal(np.array([[1, 2], [3, 4]], np.int32), 0)
    Array([[0, 2],
           [3, 0]], dtype=int32)
    """
    _refuse_inplace("fill_diagonal", inplace)
    x = operand(a)
    shape = aval_of(x).shape
    if wrap or len(shape) < 2 or (len(shape) > 2 and len(set(shape)) > 1):
        raise ArgumentError(
            "expected an array with at least 2 dimensions, all equal where there are more than 2",
            f"shape {shape}" + (", wrap=True" if wrap else ""),
        )
    line = operand(np.arange(min(shape), dtype=np.int32))
    return IndexUpdate(x, (line,) * len(shape)).set(resize(val, (min(shape),)))
