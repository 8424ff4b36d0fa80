"""Reading and writing where the indices are data: `gather`, and `scatter`, its transpose."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..core import dtypes
from ..core.avals import ShapedArray
from ..core.jaxpr import Literal
from ..core.loops import Piece, Update, View
from ..core.primitive import SLOW_IN_NUMPY, Custom, Domain, LinearInput, Primitive, Zero, define
from ..core.trace import aval_of
from .checks import check_same_dtypes, require_shape
from .rules import check_kind
from .structural import (
    add,
    broadcast_in_dim,
    convert,
    full,
    iota,
    moveaxis,
    reshape,
    rev,
    select_n,
    zeros,
    zeros_like,
)
from .windows import (
    CASES,
    Dims,
    GatherDimensionNumbers,
    GatherScatterMode,
    ScatterDimensionNumbers,
    check_numbers,
    check_readable,
    check_window,
    draw_starts,
    element_index,
    element_places,
    gathered_shape,
    reading,
    shifted,
    update_window,
    window_dimensions,
    writing,
)

FILL = GatherScatterMode.FILL_OR_DROP
CLIP = GatherScatterMode.CLIP
PROMISE = GatherScatterMode.PROMISE_IN_BOUNDS

# -- gather ----------------------------------------------------------------------------------------


def _gather_aval(
    x: ShapedArray,
    indices: ShapedArray,
    *,
    dimension_numbers: GatherDimensionNumbers,
    slice_sizes: Dims,
    **_: Any,
) -> ShapedArray:
    check_numbers(x, indices, dimension_numbers)
    check_window(x, slice_sizes, dimension_numbers)
    shape = gathered_shape(indices.shape, slice_sizes, dimension_numbers)
    check_readable(x, shape, dimension_numbers)
    return x.update(shape=shape)


def fill_default(dtype: np.dtype[Any]) -> Any:
    """What a gather reads outside: NaN, the least signed or greatest unsigned integer, or True."""
    if dtypes.is_inexact(dtype):
        return np.nan
    if dtypes.is_bool(dtype):
        return True
    info = np.iinfo(dtype)
    return info.max if info.min == 0 else info.min


def _gather_impl(
    x: np.ndarray[Any, Any],
    indices: np.ndarray[Any, Any],
    *,
    dimension_numbers: GatherDimensionNumbers,
    slice_sizes: Dims,
    mode: GatherScatterMode,
    fill_value: Any,
    **_: Any,
) -> np.ndarray[Any, Any]:
    shape = gathered_shape(indices.shape, slice_sizes, dimension_numbers)
    fill = fill_default(x.dtype) if fill_value is None else fill_value
    if 0 in shape:
        return np.zeros(shape, x.dtype)
    places, fits = element_places(x.shape, indices, slice_sizes, dimension_numbers)
    found = np.broadcast_to(_read(x, places, slice_sizes, dimension_numbers), shape)
    if mode is not FILL or fits.all():
        return found
    return np.where(fits, found, np.asarray(fill).astype(x.dtype))


def _read(
    x: np.ndarray[Any, Any], places: list[Any], sizes: Dims, numbers: GatherDimensionNumbers
) -> np.ndarray[Any, Any]:
    """The elements at the places; whole lines where windows are as long as the dimension."""
    dims = window_dimensions(x.ndim, numbers)
    whole = [d for d in dims if sizes[d] == x.shape[d]]
    picked = [d for d in range(x.ndim) if d not in whole]
    if not whole or not picked:
        return np.asarray(x[tuple(places)])
    lines = [numbers.offset_dims[dims.index(d)] for d in whole]
    index = tuple(places[d].squeeze(tuple(lines)) for d in picked)
    found: np.ndarray[Any, Any] = x.transpose((*picked, *whole))[index]
    return np.moveaxis(found, range(found.ndim - len(lines), found.ndim), lines)


def _gather_jvp(primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> tuple[Any, Any]:
    out = gather(*primals, **params)
    if isinstance(tangents[0], Zero):
        return out, Zero(aval_of(out).tangent())
    return out, gather(tangents[0], primals[1], **{**params, "fill_value": 0})


def _gather_transpose(
    ct: Any,
    x: Any,
    indices: Any,
    *,
    dimension_numbers: GatherDimensionNumbers,
    mode: GatherScatterMode,
    unique_indices: bool,
    indices_are_sorted: bool,
    **_: Any,
) -> list[Any]:
    back = scatter_add(
        zeros(x.aval.strong()),
        indices,
        ct,
        dimension_numbers=writing(dimension_numbers),
        mode=mode,
        unique_indices=unique_indices,
        indices_are_sorted=indices_are_sorted,
    )
    return [back, None]


def _gather_batch(
    size: int,
    inputs: Sequence[Any],
    dims: Sequence[int | None],
    *,
    dimension_numbers: GatherDimensionNumbers,
    slice_sizes: Dims,
    **rest: Any,
) -> tuple[Any, int]:
    x, indices = inputs
    x_at, indices_at = dims
    old = dimension_numbers
    operand_dims = {
        "collapsed_slice_dims": shifted(old.collapsed_slice_dims),
        "start_index_map": shifted(old.start_index_map),
        "operand_batching_dims": shifted(old.operand_batching_dims),
    }
    indices_dims = {
        "offset_dims": shifted(old.offset_dims),
        "start_indices_batching_dims": shifted(old.start_indices_batching_dims),
    }
    if x_at is not None:
        x = moveaxis(x, x_at, 0)
    if indices_at is not None:
        indices = moveaxis(indices, indices_at, 0)
    if indices_at is None:
        new = replace(old, **operand_dims, offset_dims=(0, *shifted(old.offset_dims)))
        sizes: Dims = (size, *slice_sizes)
    elif x_at is None:
        new = replace(old, **indices_dims)
        sizes = slice_sizes
    else:
        new = replace(old, **operand_dims, **indices_dims)
        new = replace(
            new,
            operand_batching_dims=(0, *new.operand_batching_dims),
            start_indices_batching_dims=(0, *new.start_indices_batching_dims),
        )
        sizes = (min(1, size), *slice_sizes)
    # The order of the indices of one batch says nothing about that of several.
    if indices_at is not None and x_at is None:
        rest = {**rest, "unique_indices": False}
    if indices_at is not None:
        rest = {**rest, "indices_are_sorted": False}
    return gather(x, indices, dimension_numbers=new, slice_sizes=sizes, **rest), 0


def _gather_pieces(
    index: Sequence[Any],
    read: Any,
    x: ShapedArray,
    indices: ShapedArray,
    *,
    dimension_numbers: GatherDimensionNumbers,
    slice_sizes: Dims,
    mode: GatherScatterMode,
    fill_value: Any,
    **_: Any,
) -> list[Piece]:
    where, fits = element_index(
        index, read, x, slice_sizes, dimension_numbers, clip=mode is not FILL
    )
    if fits is None:
        return [Piece(0, where)]
    fill = fill_default(x.dtype) if fill_value is None else fill_value
    return [Piece(0, where, fits), Piece(Literal(fill, ShapedArray((), x.dtype)), ())]


def _draw_gather(rng: Any, dtype: Any) -> Any:
    shape, indices, numbers, sizes = CASES[rng.integers(len(CASES))]
    params = {
        "dimension_numbers": numbers,
        "slice_sizes": sizes,
        "mode": (FILL, CLIP)[rng.integers(2)],
        "fill_value": (0, 1)[rng.integers(2)],
        "unique_indices": False,
        "indices_are_sorted": False,
    }
    x = rng.uniform(-2, 2, shape).astype(dtype)
    return [x, draw_starts(rng, indices, shape, numbers)], params


gather = define(
    "gather",
    params=(
        "dimension_numbers",
        "slice_sizes",
        "mode",
        "fill_value",
        "unique_indices",
        "indices_are_sorted",
    ),
    abstract_eval=_gather_aval,
    impl=_gather_impl,
    jvp=Custom(_gather_jvp),
    transpose=_gather_transpose,
    batch=_gather_batch,
    lower=View(_gather_pieces),
    domain=Domain(draw=_draw_gather),
    compiled_from=SLOW_IN_NUMPY,
)


def take_along(x: Any, positions: Any, dimension: int, unique: bool = False) -> Any:
    """Elements of `x` at positions along one dimension; `positions` has the output's shape.

    The positions must lie inside, and the other dimensions must agree. `unique` says that no
    element is taken twice.
    """
    aval = aval_of(x)
    shape = aval_of(positions).shape
    others = tuple(d for d in range(aval.ndim) if d != dimension)
    numbers = GatherDimensionNumbers((), (dimension,), (dimension,), others, others)
    return gather(
        x,
        reshape(positions, new_sizes=(*shape, 1)),
        dimension_numbers=numbers,
        slice_sizes=tuple(min(1, n) for n in aval.shape),
        mode=PROMISE,
        fill_value=None,
        unique_indices=unique,
        indices_are_sorted=False,
    )


# -- scatter ---------------------------------------------------------------------------------------


def _scatter_aval(
    name: str,
    accepts: str,
    x: ShapedArray,
    indices: ShapedArray,
    updates: ShapedArray,
    dimension_numbers: ScatterDimensionNumbers,
) -> ShapedArray:
    check_same_dtypes(name, (x, updates))
    check_kind(name, accepts, x)
    numbers = reading(dimension_numbers)
    check_numbers(x, indices, numbers)
    require_shape(
        updates.ndim == indices.ndim - 1 + len(numbers.offset_dims),
        f"expected updates of {indices.ndim - 1 + len(numbers.offset_dims)} dimensions",
        str(updates.shape),
    )
    sizes = update_window(x.shape, updates.shape, numbers)
    check_window(x, sizes, numbers)
    expected = gathered_shape(indices.shape, sizes, numbers)
    check_readable(x, expected, numbers)
    require_shape(
        updates.shape == expected,
        f"expected updates of shape {expected} for indices of shape {indices.shape}",
        str(updates.shape),
    )
    return x.update(weak_type=x.weak_type and updates.weak_type)


def _scatter_impl(combine: np.ufunc | None) -> Any:
    def impl(
        x: np.ndarray[Any, Any],
        indices: np.ndarray[Any, Any],
        updates: np.ndarray[Any, Any],
        *,
        dimension_numbers: ScatterDimensionNumbers,
        mode: GatherScatterMode,
        **_: Any,
    ) -> np.ndarray[Any, Any]:
        if not updates.size:
            return x
        numbers = reading(dimension_numbers)
        sizes = update_window(x.shape, updates.shape, numbers)
        places, fits = element_places(x.shape, indices, sizes, numbers)
        position: Any = np.zeros((1,) * updates.ndim, np.intp)
        for place, stride in zip(places, _strides(x.shape), strict=True):
            position = position + place * stride
        position = np.broadcast_to(position, updates.shape).ravel()
        values = updates.ravel()
        if mode is not CLIP and not fits.all():
            kept = np.broadcast_to(fits, updates.shape).ravel()
            position, values = position[kept], values[kept]
        out = x.flatten()
        if combine is None:
            out[position] = values
        else:
            combine.at(out, position, values)
        return out.reshape(x.shape)

    return impl


def _strides(shape: Dims) -> list[int]:
    """Distances, in elements, between neighbours along each dimension of a contiguous array."""
    return [math.prod(shape[d + 1 :]) for d in range(len(shape))]


def _scatter_target(
    index: Sequence[Any],
    read: Any,
    x: ShapedArray,
    indices: ShapedArray,
    updates: ShapedArray,
    *,
    dimension_numbers: ScatterDimensionNumbers,
    mode: GatherScatterMode,
    **_: Any,
) -> tuple[tuple[Any, ...], Any]:
    numbers = reading(dimension_numbers)
    sizes = update_window(x.shape, updates.shape, numbers)
    return element_index(index, read, x, sizes, numbers, clip=mode is CLIP)


def _scatter_batch(
    row: Primitive,
    size: int,
    inputs: Sequence[Any],
    dims: Sequence[int | None],
    numbers: ScatterDimensionNumbers,
    **rest: Any,
) -> tuple[Any, int]:
    """The batch rule of every scatter.

    A batch of indices makes batching dimensions; without one the windows get one more dimension.
    """
    x, indices, updates = inputs
    x = fronted(size, x, dims[0])
    updates = fronted(size, updates, dims[2])
    new = ScatterDimensionNumbers(
        update_window_dims=shifted(numbers.update_window_dims),
        inserted_window_dims=shifted(numbers.inserted_window_dims),
        scatter_dims_to_operand_dims=shifted(numbers.scatter_dims_to_operand_dims),
        operand_batching_dims=shifted(numbers.operand_batching_dims),
        scatter_indices_batching_dims=numbers.scatter_indices_batching_dims,
    )
    if dims[1] is None:
        new = replace(new, update_window_dims=(0, *new.update_window_dims))
    else:
        indices = moveaxis(indices, dims[1], 0)
        rest = {**rest, "indices_are_sorted": False}
        new = replace(
            new,
            operand_batching_dims=(0, *new.operand_batching_dims),
            scatter_indices_batching_dims=(0, *shifted(new.scatter_indices_batching_dims)),
        )
    return row(x, indices, updates, dimension_numbers=new, **rest), 0


def fronted(size: int, x: Any, dim: int | None) -> Any:
    """The value with its batch dimension in front, broadcast if it has none."""
    if dim is not None:
        return moveaxis(x, dim, 0)
    shape = aval_of(x).shape
    kept = tuple(range(1, len(shape) + 1))
    return broadcast_in_dim(x, shape=(size, *shape), broadcast_dimensions=kept)


def read_back(
    x: Any,
    indices: Any,
    updates: ShapedArray,
    *,
    dimension_numbers: ScatterDimensionNumbers,
    mode: GatherScatterMode,
    unique_indices: bool,
    indices_are_sorted: bool,
    fill_value: Any = 0,
) -> Any:
    """What `x` has where a scatter writes; the fill value where the scatter drops an update."""
    numbers = reading(dimension_numbers)
    return gather(
        x,
        indices,
        dimension_numbers=numbers,
        slice_sizes=update_window(aval_of(x).shape, updates.shape, numbers),
        mode=CLIP if mode is CLIP else FILL,
        fill_value=fill_value,
        unique_indices=unique_indices,
        indices_are_sorted=indices_are_sorted,
    )


def instantiated(tangent: Any) -> Any:
    """A tangent that may be `Zero`, as an array."""
    return zeros(tangent.aval.strong()) if isinstance(tangent, Zero) else tangent


def _linear_jvp(
    row: Primitive, primals: Sequence[Any], tangents: Sequence[Any], params: dict[str, Any]
) -> tuple[Any, Any]:
    """The tangent of a scatter that is linear in the operand and the updates together."""
    out = row(*primals, **params)
    if isinstance(tangents[0], Zero) and isinstance(tangents[2], Zero):
        return out, Zero(aval_of(out).tangent())
    t = row(instantiated(tangents[0]), primals[1], instantiated(tangents[2]), **params)
    return out, t


def _overwritten(indices: Any, updates: ShapedArray, operand: ShapedArray, **params: Any) -> Any:
    """Which updates a scatter drops or writes over: of several at one place, the last stays."""
    count = updates.size
    number = iota(dtype=np.dtype(np.int32), shape=(count,), dimension=0)
    least = full((count,), 1 - count, np.int32)
    # Each update writes its number less the greatest one. What is read back, plus the numbers from
    # the other end, is the difference of two numbers: zero for the update that was written last.
    written = reshape(add(number, least), new_sizes=updates.shape)
    last = scatter(full(operand.shape, count, np.int32), indices, written, **params)
    found = read_back(last, indices, updates, **params, fill_value=count)
    opposite = reshape(rev(number, dimensions=(0,)), new_sizes=updates.shape)
    return convert(add(found, opposite), np.bool_)


def _scatter_transpose(ct: Any, x: Any, indices: Any, updates: Any, **params: Any) -> list[Any]:
    aval = _aval_of_input(updates)
    result = [None, None, None]
    if isinstance(x, LinearInput):
        result[0] = scatter(ct, indices, zeros(aval.strong()), **params)
    if isinstance(updates, LinearInput):
        back = read_back(ct, indices, aval, **params)
        if not params["unique_indices"]:
            lost = _overwritten(indices, aval, aval_of(ct), **params)
            back = select_n(lost, back, zeros_like(back))
        result[2] = back
    return result


def _scatter_add_transpose(ct: Any, x: Any, indices: Any, updates: Any, **params: Any) -> list[Any]:
    back = None
    if isinstance(updates, LinearInput):
        back = read_back(ct, indices, updates.aval, **params)
    return [ct if isinstance(x, LinearInput) else None, None, back]


def _aval_of_input(x: Any) -> ShapedArray:
    """The abstract value of an input of a transpose rule."""
    return x.aval if isinstance(x, LinearInput) else aval_of(x)


def _draw_distinct(rng: Any, dtype: Any, *shapes: Dims) -> list[Any]:
    """Arrays of numbers that lie apart: where two meet, the greater is not in doubt."""
    sizes = [math.prod(shape) for shape in shapes]
    values = np.linspace(-2, 2, sum(sizes) + 1)[: sum(sizes)]
    parts = np.split(rng.permutation(values), np.cumsum(sizes)[:-1])
    return [p.reshape(s).astype(dtype) for p, s in zip(parts, shapes, strict=True)]


def _draw_scatter(unique: bool) -> Any:
    """Draws inputs of a scatter; unique ones write every place at most once."""

    def draw(rng: Any, dtype: Any) -> Any:
        shape, indices, numbers, sizes = CASES[rng.integers(3 if unique else len(CASES))]
        x, updates = _draw_distinct(rng, dtype, shape, gathered_shape(indices, sizes, numbers))
        starts = draw_starts(rng, indices, shape, numbers)
        mode = (FILL, CLIP)[rng.integers(2)]
        if unique:
            mode = FILL
            most = shape[numbers.start_index_map[0]]
            drawn = rng.permutation(max(most, math.prod(indices)) + 1)[: math.prod(indices)]
            starts = drawn.reshape(indices).astype(np.int32)
        params = {
            "dimension_numbers": writing(numbers),
            "mode": mode,
            "unique_indices": unique,
            "indices_are_sorted": False,
        }
        return [x, starts, updates], params

    return draw


def define_scatter(
    name: str,
    combine: np.ufunc | None,
    loop: str,
    accepts: str = "any",
    unique: bool = False,
    **fields: Any,
) -> Primitive:
    """The row of a scatter that combines updates with the operand by a ufunc, or replaces it.

    `loop` names the combination for the compiler, `accepts` the kind of dtypes. `unique` restricts
    what laws draw to indices that write every place at most once.
    """

    def abstract_eval(
        x: ShapedArray,
        indices: ShapedArray,
        updates: ShapedArray,
        *,
        dimension_numbers: ScatterDimensionNumbers,
        **_: Any,
    ) -> ShapedArray:
        return _scatter_aval(name, accepts, x, indices, updates, dimension_numbers)

    def batch(
        size: int, inputs: Sequence[Any], dims: Sequence[Any], **params: Any
    ) -> tuple[Any, int]:
        numbers = params.pop("dimension_numbers")
        return _scatter_batch(row, size, inputs, dims, numbers, **params)

    row = define(
        name,
        params=("dimension_numbers", "mode", "unique_indices", "indices_are_sorted"),
        abstract_eval=abstract_eval,
        impl=_scatter_impl(combine),
        batch=batch,
        lower=Update(loop, updates=2, target=_scatter_target),
        domain=Domain(draw=_draw_scatter(unique)),
        compiled_from=SLOW_IN_NUMPY,
        **fields,
    )
    return row


scatter: Primitive = define_scatter(
    "scatter",
    None,
    "set",
    jvp=Custom(lambda primals, tangents, **params: _linear_jvp(scatter, primals, tangents, params)),
    transpose=_scatter_transpose,
)

scatter_add: Primitive = define_scatter(
    "scatter_add",
    np.add,
    "add",
    "number",
    jvp=Custom(
        lambda primals, tangents, **params: _linear_jvp(scatter_add, primals, tangents, params)
    ),
    transpose=_scatter_add_transpose,
    ulp=8,
)
