"""Reading elements: `x[...]`, and the functions that take elements by index."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from ..core import dtypes
from ..core.trace import aval_of
from ..errors import ArgumentError, ShapeError
from ..ops import elementwise as ops
from ..ops.indexing import fill_default, gather
from ..ops.slicing import concatenate, dynamic_slice, slice_
from ..ops.structural import add, reshape, rev, select_n
from ..ops.windows import GatherDimensionNumbers, GatherScatterMode
from .promotion import (
    broadcast,
    broadcast_shapes,
    canonical_axis,
    cast,
    concrete,
    full_like,
    literal,
    operand,
    promoted,
    refuse,
)
from .selection import Place, Selection, Span, read_key

_INT = np.dtype("int32")


def getitem(x: Any, key: Any) -> Any:
    """The elements that a key selects: `x[key]`.

    Indices that are known must lie inside; those that are traced are clamped.
    """
    x = operand(x)
    shape = aval_of(x).shape
    if type(key) is int and shape:
        box, rest = _row(key, shape)
        return reshape(slice_(x, **box), new_sizes=rest)
    return select_elements(x, read_key(key, shape))


@lru_cache(maxsize=4096)
def _row(key: int, shape: tuple[int, ...]) -> tuple[dict[str, tuple[int, ...]], tuple[int, ...]]:
    """Where a single integer lies, and the shape there: loops over rows ask again and again."""
    (place, *_) = read_key(key, shape).axes
    rest = shape[1:]
    box = {
        "start_indices": (place.value, *(0 for _ in rest)),
        "limit_indices": (place.value + 1, *rest),
        "strides": (1,) * len(shape),
    }
    return box, rest


def select_elements(
    x: Any,
    selection: Selection,
    mode: GatherScatterMode = GatherScatterMode.CLIP,
    fill_value: Any = None,
    unique_indices: bool = False,
    indices_are_sorted: bool = False,
) -> Any:
    """The elements of a selection."""
    box = _take_spans(x, selection)
    if selection.is_static:
        have = aval_of(box).shape
        wanted = selection.result_shape
        return box if have == wanted else reshape(box, new_sizes=wanted)
    at = [d for d, axis in enumerate(selection.axes) if isinstance(axis, Place)]
    lengths = aval_of(x).shape
    if any(lengths[d] == 0 for d in at):
        # Nothing can be read: the result is empty, or holds what stands for elements outside.
        value = fill_default(aval_of(x).dtype) if fill_value is None else fill_value
        return broadcast(cast(operand(value), aval_of(x).dtype), selection.result_shape)
    values = [wrapped(axis.value, lengths[d]) for d, axis in _places(selection)]
    sizes = tuple(1 if d in at else n for d, n in enumerate(aval_of(box).shape))
    if not selection.shape and mode is GatherScatterMode.CLIP:
        starts = [literal(0, _INT)] * len(sizes)
        for d, value in zip(at, values, strict=True):
            starts[d] = cast(value, _INT)
        out = dynamic_slice(box, *starts, slice_sizes=sizes)
        return reshape(out, new_sizes=selection.result_shape)
    rank = len(selection.shape)
    kept = len(sizes) - len(at)
    first = selection.first
    out = gather(
        box,
        stacked_indices(values, selection.shape),
        dimension_numbers=GatherDimensionNumbers(
            offset_dims=tuple(k if k < first else k + rank for k in range(kept)),
            collapsed_slice_dims=tuple(at),
            start_index_map=tuple(at),
        ),
        slice_sizes=sizes,
        mode=mode,
        fill_value=fill_value,
        unique_indices=unique_indices,
        indices_are_sorted=indices_are_sorted,
    )
    if not selection.new_axes:
        return out
    return reshape(out, new_sizes=selection.result_shape)


def _places(selection: Selection) -> list[tuple[int, Place]]:
    return [(d, axis) for d, axis in enumerate(selection.axes) if isinstance(axis, Place)]


def _take_spans(x: Any, selection: Selection) -> Any:
    """The box of a selection's spans; in a static selection, of its places too."""
    lengths = aval_of(x).shape
    spans = []
    for axis, n in zip(selection.axes, lengths, strict=True):
        if isinstance(axis, Span):
            spans.append(axis)
        elif selection.is_static:
            spans.append(Span(axis.value, 1, 1))
        else:
            spans.append(Span(0, 1, n))
    if all(span.is_whole(n) for span, n in zip(spans, lengths, strict=True)):
        return x
    # A slice counts upwards: one with a negative step starts at its last element.
    low = [min(s.start, s.start + (s.length - 1) * s.step) if s.length else 0 for s in spans]
    strides = tuple(abs(s.step) if s.length > 1 else 1 for s in spans)
    stops = tuple(
        start + (s.length - 1) * by + 1 if s.length else start
        for start, s, by in zip(low, spans, strides, strict=True)
    )
    reverse = tuple(d for d, s in enumerate(spans) if s.step < 0 and s.length > 1)
    if tuple(low) != (0,) * len(low) or stops != lengths or any(by != 1 for by in strides):
        x = slice_(x, start_indices=tuple(low), limit_indices=stops, strides=strides)
    return rev(x, dimensions=reverse) if reverse else x


def wrapped(index: Any, n: int) -> Any:
    """Indices with negative ones counted from the end."""
    if isinstance(index, int):
        return index
    dtype = aval_of(index).dtype
    if dtypes.is_unsigned(dtype):
        return index
    known = concrete(index)
    if known is not None and not (known < 0).any():
        return index
    # Sums in a narrow dtype could overflow.
    wide = cast(index, _INT) if dtype.itemsize < _INT.itemsize else index
    end = full_like(wide, n)
    return select_n(ops.lt(wide, full_like(wide, 0)), wide, add(wide, end))


def stacked_indices(values: Sequence[Any], shape: tuple[int, ...]) -> Any:
    """Indices broadcast to a shape and laid side by side along a new last axis."""
    wide = any(not isinstance(v, int) and aval_of(v).dtype.itemsize > 4 for v in values)
    dtype = np.dtype("int64") if wide else _INT
    columns = [reshape(broadcast(cast(v, dtype), shape), new_sizes=(*shape, 1)) for v in values]
    if len(columns) == 1:
        return columns[0]
    return concatenate(*columns, dimension=len(shape))


def read_mode(mode: Any, default: GatherScatterMode) -> GatherScatterMode:
    """A mode as users name it."""
    return default if mode is None else GatherScatterMode.from_any(mode)


def take(
    a: Any,
    indices: Any,
    axis: int | None = None,
    out: None = None,
    mode: str | None = None,
    unique_indices: bool = False,
    indices_are_sorted: bool = False,
    fill_value: Any = None,
) -> Any:
    """Elements along an axis.

    Args:
        a: an array.
        indices: integers; negative ones count from the end.
        axis: the axis; by default the array is taken as flat.
        out: not supported, as arrays are immutable.
        mode: what indices outside do: ``"fill"`` (the default for traced ones) reads `fill_value`,
            ``"clip"`` moves them inside, ``"wrap"`` counts them around; by default those that are
            known raise.
        unique_indices: a promise that no index occurs twice.
        indices_are_sorted: a promise that the indices rise.
        fill_value: what ``"fill"`` reads; by default NaN, or the least integer.

    Raises:
        IndexOutOfBoundsError: a known index lies outside, and no mode is given.

    >>> take(np.array([5, 6, 7], np.int32), np.array([2, 0]))
    Array([7, 5], dtype=int32)
    """
    refuse("take", out=out)
    x = operand(a)
    if axis is None:
        x, axis = reshape(x, new_sizes=(aval_of(x).size,)), 0
    shape = aval_of(x).shape
    at = canonical_axis(axis, len(shape))
    index = _index_array(indices)
    if mode == "wrap":
        index, mode = _modulo(index, shape[at]), "promise_in_bounds"
    key = (slice(None),) * at + (index,)
    selection = read_key(key, shape, check_bounds=mode is None)
    if selection.is_static:
        selection = read_key((slice(None),) * at + (cast(index, _INT),), shape, mode is None)
    return select_elements(
        x,
        selection,
        read_mode(mode, GatherScatterMode.FILL_OR_DROP),
        fill_value,
        unique_indices,
        indices_are_sorted,
    )


def _index_array(indices: Any) -> Any:
    index = operand(indices)
    dtype = aval_of(index).dtype
    if not dtypes.is_integer(dtype):
        raise ArgumentError(
            "expected integers as indices", str(aval_of(index)), instead="i.astype(int)"
        )
    return cast(index, dtype)


def _modulo(index: Any, n: int) -> Any:
    if n == 0:
        return index
    if n > dtypes.iinfo(aval_of(index).dtype).max:
        index = cast(index, _INT)
    size = full_like(index, n)
    rest = ops.rem(index, size)
    return select_n(ops.lt(rest, full_like(rest, 0)), rest, add(rest, size))


def take_along_axis(
    arr: Any,
    indices: Any,
    axis: int | None = -1,
    mode: Any = None,
    fill_value: Any = None,
    *,
    wrap_negative_indices: bool = True,
) -> Any:
    """Elements along one axis, by an array of indices with as many dimensions as the array.

    Args:
        arr: an array.
        indices: integers; the other axes broadcast against those of `arr`.
        axis: the axis; None takes both arrays as flat.
        mode: as in `take`.
        fill_value: as in `take`.
        wrap_negative_indices: must be True: negative indices count from the end.

    >>> x = np.array([[1, 2], [3, 4]], np.int32)
    >>> take_along_axis(x, np.array([[1], [0]], np.int32), axis=1)
    Array([[2],
           [3]], dtype=int32)
    """
    if not wrap_negative_indices:
        raise ArgumentError("expected wrap_negative_indices=True", "False")
    x, index = operand(arr), _index_array(indices)
    if axis is None:
        x, index = (reshape(v, new_sizes=(aval_of(v).size,)) for v in (x, index))
        axis = 0
    keys = along_axis_key(x, index, axis)
    selection = read_key(keys, aval_of(x).shape, check_bounds=mode is None)
    return select_elements(
        x, selection, read_mode(mode, GatherScatterMode.FILL_OR_DROP), fill_value
    )


def along_axis_key(x: Any, index: Any, axis: int) -> tuple[Any, ...]:
    """The key that takes `index` along one axis and runs along the others."""
    shape, wanted = aval_of(x).shape, aval_of(index).shape
    if len(shape) != len(wanted):
        raise ShapeError(
            f"expected indices with {len(shape)} dimensions for an array of shape {shape}",
            f"shape {wanted}",
        )
    at = canonical_axis(axis, len(shape))
    full = broadcast_shapes(
        *(tuple(1 if d == at else n for d, n in enumerate(s)) for s in (shape, wanted))
    )
    shape_of_index = tuple(wanted[at] if d == at else n for d, n in enumerate(full))
    key: list[Any] = []
    for d, n in enumerate(shape):
        if d == at:
            key.append(broadcast(index, shape_of_index))
        elif n == 1:
            key.append(0)
        else:
            sizes = tuple(n if k == d else 1 for k in range(len(shape)))
            key.append(_counting(n, sizes))
    return tuple(key)


def _counting(n: int, sizes: tuple[int, ...]) -> Any:
    return operand(np.arange(n, dtype=np.int32).reshape(sizes))


def select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Any:
    """For each element, the choice of the first condition that holds.

    Args:
        condlist: boolean arrays.
        choicelist: as many arrays.
        default: where no condition holds.

    >>> x = np.array([1, 5, 9], np.int32)
    >>> select([x < 3, x > 7], [x, -x])
    Array([ 1,  0, -9], dtype=int32)
    """
    if len(condlist) != len(choicelist) or not condlist:
        raise ArgumentError(
            "expected as many choices as conditions, and at least one",
            f"{len(condlist)} conditions and {len(choicelist)} choices",
        )
    *choices, out = promoted(*choicelist, default)
    shape = broadcast_shapes(*(aval_of(v).shape for v in (*condlist, *choices, out)))
    out = broadcast(out, shape)
    for condition, choice in zip(reversed(condlist), reversed(choices), strict=True):
        mask = broadcast(cast(operand(condition), np.dtype(bool)), shape)
        out = select_n(mask, out, broadcast(choice, shape))
    return out


def choose(a: Any, choices: Any, out: None = None, mode: str = "raise") -> Any:
    """For each element of `a`, that element of the choice it numbers.

    Args:
        a: integers.
        choices: arrays that broadcast together with `a`.
        out: not supported, as arrays are immutable.
        mode: ``"clip"``, ``"wrap"``, or ``"raise"``, which needs numbers that are known.

    >>> cases = [np.array([1, 2], np.int32), np.array([3, 4], np.int32)]
    >>> choose(np.array([1, 0], np.int32), cases)
    Array([3, 2], dtype=int32)
    """
    refuse("choose", out=out)
    cases = promoted(*(choices if isinstance(choices, Sequence) else list(choices)))
    index = cast(_index_array(a), _INT)
    if mode == "wrap":
        index = _modulo(index, len(cases))
    elif mode == "clip":
        index = ops.clamp(literal(0, _INT), index, literal(len(cases) - 1, _INT))
    elif mode == "raise":
        known = concrete(index)
        if known is None or ((known < 0) | (known >= len(cases))).any():
            raise ArgumentError(
                f"expected known numbers from 0 to {len(cases) - 1} of choices",
                str(index),
                instead='mode="clip" or mode="wrap"',
            )
    else:
        raise ArgumentError('expected mode "raise", "clip" or "wrap"', repr(mode))
    shape = broadcast_shapes(*(aval_of(v).shape for v in (index, *cases)))
    full = [broadcast(v, shape) for v in cases]
    return full[0] if len(full) == 1 else select_n(broadcast(index, shape), *full)
