"""Where gather and scatter look: windows of an operand whose corners are data.

An array of indices holds one start per window, along its last dimension. Elements of the gathered
(or updating) array are numbered by batch dimensions, which say which window, and offset dimensions,
which say where in it.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import errors
from ..core import dtypes
from ..core.avals import ShapedArray
from .checks import check_axes, require, require_dtype, require_shape

Dims = tuple[int, ...]


class GatherScatterMode(enum.Enum):
    """What happens to windows that do not lie inside the operand.

    `CLIP` moves them inside; `FILL_OR_DROP` reads a fill value, or writes nothing;
    `PROMISE_IN_BOUNDS` says that there are none: where the promise is broken, a gather clips and a
    scatter drops.

    >>> GatherScatterMode.from_any("clip")
    GatherScatterMode.CLIP
    """

    CLIP = 0
    FILL_OR_DROP = 1
    PROMISE_IN_BOUNDS = 2

    @staticmethod
    def from_any(mode: str | GatherScatterMode | None) -> GatherScatterMode:
        """The mode of a name as JAX spells it; None means `FILL_OR_DROP`."""
        if isinstance(mode, GatherScatterMode):
            return mode
        found = _MODES.get(mode)
        if found is None:
            raise errors.ArgumentError(
                "expected a mode 'clip', 'fill', 'drop' or 'promise_in_bounds'", repr(mode)
            )
        return found

    def __repr__(self) -> str:
        return f"GatherScatterMode.{self.name}"

    __str__ = __repr__


_MODES: dict[Any, GatherScatterMode] = {
    None: GatherScatterMode.FILL_OR_DROP,
    "fill": GatherScatterMode.FILL_OR_DROP,
    "drop": GatherScatterMode.FILL_OR_DROP,
    "clip": GatherScatterMode.CLIP,
    "promise_in_bounds": GatherScatterMode.PROMISE_IN_BOUNDS,
}


@dataclass(frozen=True)
class GatherDimensionNumbers:
    """Which dimension is what in a gather.

    Args:
        offset_dims: the dimensions of the output inside a window; the others number the windows.
        collapsed_slice_dims: dimensions of the operand of window size 1 that the output lacks.
        start_index_map: the dimension of the operand for each element of a start.
        operand_batching_dims: dimensions of the operand, of window size 1, that run along with
        start_indices_batching_dims: dimensions of the indices of the same sizes.
    """

    offset_dims: Dims
    collapsed_slice_dims: Dims
    start_index_map: Dims
    operand_batching_dims: Dims = ()
    start_indices_batching_dims: Dims = ()

    def __post_init__(self) -> None:
        _freeze(self)


@dataclass(frozen=True)
class ScatterDimensionNumbers:
    """Which dimension is what in a scatter: the mirror image of `GatherDimensionNumbers`.

    Args:
        update_window_dims: the dimensions of the updates that run inside a window.
        inserted_window_dims: dimensions of the operand of window size 1 that the updates lack.
        scatter_dims_to_operand_dims: the dimension of the operand for each element of a start.
        operand_batching_dims: dimensions of the operand, of window size 1, that run along with
        scatter_indices_batching_dims: dimensions of the indices of the same sizes.
    """

    update_window_dims: Dims
    inserted_window_dims: Dims
    scatter_dims_to_operand_dims: Dims
    operand_batching_dims: Dims = ()
    scatter_indices_batching_dims: Dims = ()

    def __post_init__(self) -> None:
        _freeze(self)


def _freeze(numbers: Any) -> None:
    for name in numbers.__dataclass_fields__:
        object.__setattr__(numbers, name, tuple(int(d) for d in getattr(numbers, name)))


def reading(numbers: ScatterDimensionNumbers) -> GatherDimensionNumbers:
    """The gather that reads what the scatter writes."""
    return GatherDimensionNumbers(
        offset_dims=numbers.update_window_dims,
        collapsed_slice_dims=numbers.inserted_window_dims,
        start_index_map=numbers.scatter_dims_to_operand_dims,
        operand_batching_dims=numbers.operand_batching_dims,
        start_indices_batching_dims=numbers.scatter_indices_batching_dims,
    )


def writing(numbers: GatherDimensionNumbers) -> ScatterDimensionNumbers:
    """The scatter that writes what the gather reads."""
    return ScatterDimensionNumbers(
        update_window_dims=numbers.offset_dims,
        inserted_window_dims=numbers.collapsed_slice_dims,
        scatter_dims_to_operand_dims=numbers.start_index_map,
        operand_batching_dims=numbers.operand_batching_dims,
        scatter_indices_batching_dims=numbers.start_indices_batching_dims,
    )


def window_dimensions(rank: int, numbers: GatherDimensionNumbers) -> Dims:
    """The dimensions of the operand that the offset dimensions run along, in order."""
    absent = (*numbers.collapsed_slice_dims, *numbers.operand_batching_dims)
    return tuple(d for d in range(rank) if d not in absent)


def check_numbers(
    operand: ShapedArray, indices: ShapedArray, numbers: GatherDimensionNumbers
) -> None:
    """Raises unless the numbers name dimensions of the operand, the indices and the output."""
    require_dtype(
        dtypes.is_integer(indices.dtype), "expected indices of an integer dtype", str(indices)
    )
    require(indices.ndim >= 1, "expected indices of at least one dimension", str(indices))
    operand_dims = (*numbers.collapsed_slice_dims, *numbers.operand_batching_dims)
    check_axes(operand_dims, operand)
    check_axes(numbers.start_index_map, operand)
    require(
        not set(numbers.start_index_map) & set(numbers.operand_batching_dims),
        "expected indexed dimensions that are not batching dimensions",
        str(numbers),
    )
    require_shape(
        len(numbers.start_index_map) == indices.shape[-1],
        f"expected indices whose last dimension has size {len(numbers.start_index_map)}, one "
        "for each dimension indexed",
        str(indices.shape),
    )
    rank = indices.ndim - 1 + operand.ndim - len(operand_dims)
    offsets = numbers.offset_dims
    require(
        len(offsets) == operand.ndim - len(operand_dims)
        and list(offsets) == sorted(set(offsets))
        and all(0 <= d < rank for d in offsets),
        f"expected {operand.ndim - len(operand_dims)} increasing window dimensions below {rank}",
        str(offsets),
    )
    batching = numbers.start_indices_batching_dims
    require_shape(
        len(batching) == len(numbers.operand_batching_dims)
        and all(0 <= d < indices.ndim - 1 for d in batching)
        and all(
            operand.shape[a] == indices.shape[b]
            for a, b in zip(numbers.operand_batching_dims, batching, strict=True)
        ),
        "expected batching dimensions of equal sizes in the operand and the indices",
        f"{operand.shape} and {indices.shape}, with {numbers}",
    )


def check_window(operand: ShapedArray, sizes: Dims, numbers: GatherDimensionNumbers) -> None:
    """Raises unless a window of those sizes fits into the operand and is 1 where it must be."""
    require_shape(
        len(sizes) == operand.ndim
        and all(0 <= s <= n for s, n in zip(sizes, operand.shape, strict=True)),
        f"expected window sizes that fit in {operand.shape}",
        str(sizes),
    )
    thin = (*numbers.collapsed_slice_dims, *numbers.operand_batching_dims)
    require_shape(
        all(sizes[d] == min(1, operand.shape[d]) for d in thin),
        f"expected window size 1 in dimensions {thin} of the operand",
        str(sizes),
    )


def check_readable(operand: ShapedArray, out: Dims, numbers: GatherDimensionNumbers) -> None:
    """Raises if there are elements to gather from a dimension of no elements."""
    require_shape(
        0 in out or all(operand.shape[d] for d in numbers.collapsed_slice_dims),
        f"expected at least one element to index in dimensions {numbers.collapsed_slice_dims}",
        str(operand.shape),
    )


def gathered_shape(indices: Dims, sizes: Dims, numbers: GatherDimensionNumbers) -> Dims:
    """The shape of the output of a gather."""
    windows = iter(indices[:-1])
    inside = iter(sizes[d] for d in window_dimensions(len(sizes), numbers))
    rank = len(indices) - 1 + len(numbers.offset_dims)
    return tuple(next(inside) if d in numbers.offset_dims else next(windows) for d in range(rank))


def update_window(operand: Dims, updates: Dims, numbers: GatherDimensionNumbers) -> Dims:
    """The window sizes of a scatter, from the shape of its updates."""
    sizes = [min(1, n) for n in operand]
    for d, o in zip(window_dimensions(len(operand), numbers), numbers.offset_dims, strict=True):
        sizes[d] = updates[o]
    return tuple(sizes)


def element_places(
    shape: Dims, indices: np.ndarray[Any, Any], sizes: Dims, numbers: GatherDimensionNumbers
) -> tuple[list[Any], Any]:
    """Where in the operand each element of a gather's output lies, windows moved inside.

    Returns:
        one integer array per dimension of the operand, and a boolean array that says which windows
        did not have to be moved; all broadcast against the output.
    """
    rank = indices.ndim - 1 + len(numbers.offset_dims)
    windows = [d for d in range(rank) if d not in numbers.offset_dims]
    spread = [1] * rank
    for d, n in zip(windows, indices.shape[:-1], strict=True):
        spread[d] = n
    places: list[Any] = [np.zeros((1,) * rank, np.intp) for _ in shape]
    fits: Any = np.ones((1,) * rank, bool)
    for k, d in enumerate(numbers.start_index_map):
        start = indices[..., k].reshape(spread)
        # Compared before they become intp, so that large unsigned starts do not turn negative.
        most = shape[d] - sizes[d]
        fits = fits & (start >= 0) & (start <= most)
        places[d] = np.clip(start, 0, most).astype(np.intp)
    for d, b in zip(
        numbers.operand_batching_dims, numbers.start_indices_batching_dims, strict=True
    ):
        places[d] = _along(windows[b], rank, shape[d])
    for d, o in zip(window_dimensions(len(shape), numbers), numbers.offset_dims, strict=True):
        places[d] = places[d] + _along(o, rank, sizes[d])
    return places, fits


def _along(dimension: int, rank: int, size: int) -> np.ndarray[Any, Any]:
    inner = [1] * rank
    inner[dimension] = size
    return np.arange(size).reshape(inner)


def element_index(
    index: Sequence[Any],
    read: Any,
    operand: ShapedArray,
    sizes: Dims,
    numbers: GatherDimensionNumbers,
    clip: bool,
) -> tuple[tuple[Any, ...], Any]:
    """`element_places` for one symbolic index: the place, and the condition that it is inside.

    Operand 1 holds the indices. With `clip` the windows are moved inside and the condition is None.
    """
    windows = [i for d, i in enumerate(index) if d not in numbers.offset_dims]
    places: list[Any] = [0] * operand.ndim
    fits: Any = None
    for k, d in enumerate(numbers.start_index_map):
        start = read(1, (*windows, k))
        most = operand.shape[d] - sizes[d]
        if clip:
            places[d] = start.clamp(0, most)
            continue
        places[d] = start
        inside = (start >= 0) & (start <= most)
        fits = inside if fits is None else fits & inside
    for d, b in zip(
        numbers.operand_batching_dims, numbers.start_indices_batching_dims, strict=True
    ):
        places[d] = windows[b]
    for d, o in zip(window_dimensions(operand.ndim, numbers), numbers.offset_dims, strict=True):
        places[d] = places[d] + index[o]
    return tuple(places), fits


def shifted(dims: Dims) -> Dims:
    """Dimensions counted anew after one more has come in at the front."""
    return tuple(d + 1 for d in dims)


# Shapes of the operand and the indices, the numbers and the window: elements of a vector, rows,
# columns, elements at two coordinates, blocks, batching dimensions, one block, and nothing.
CASES: tuple[tuple[Dims, Dims, GatherDimensionNumbers, Dims], ...] = (
    ((5,), (4, 1), GatherDimensionNumbers((), (0,), (0,)), (1,)),
    ((5, 3), (4, 1), GatherDimensionNumbers((1,), (0,), (0,)), (1, 3)),
    ((5, 3), (2, 2, 1), GatherDimensionNumbers((0,), (1,), (1,)), (5, 1)),
    ((4, 5), (6, 2), GatherDimensionNumbers((), (0, 1), (1, 0)), (1, 1)),
    ((6, 5), (3, 2), GatherDimensionNumbers((0, 2), (), (0, 1)), (2, 3)),
    ((3, 5, 4), (2, 3, 1), GatherDimensionNumbers((2,), (1,), (1,), (0,), (1,)), (1, 1, 4)),
    ((7,), (1,), GatherDimensionNumbers((0,), (), (0,)), (3,)),
    ((3, 2), (0, 1), GatherDimensionNumbers((1,), (0,), (0,)), (1, 2)),
    ((), (3, 0), GatherDimensionNumbers((), (), ()), ()),
)


def draw_starts(rng: Any, shape: Dims, limits: Dims, numbers: GatherDimensionNumbers) -> Any:
    """Starts of which some lie just outside."""
    columns = [
        rng.integers(-1, limits[d] + 1, shape[:-1]).astype(np.int32)
        for d in numbers.start_index_map
    ]
    return np.stack(columns, -1) if columns else np.zeros(shape, np.int32)
