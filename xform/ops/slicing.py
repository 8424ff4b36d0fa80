"""Parts of arrays and arrays from parts: slices, padding, concatenation, dynamic slices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core import dtypes
from ..core.avals import ShapedArray
from ..core.jaxpr import Literal
from ..core.loops import Piece, Update, View
from ..core.primitive import Custom, Domain, LinearInput, Zero, along_axis, define, linear
from ..core.trace import aval_of
from .checks import check_axes, check_same_dtypes, require, require_dtype, require_shape
from .indexing import CLIP, fronted, gather, instantiated, scatter
from .structural import (
    broadcast_in_dim,
    convert,
    full,
    reduce_sum,
    reshape,
    select_n,
    zeros,
    zeros_like,
)
from .windows import GatherDimensionNumbers, ScatterDimensionNumbers

PaddingConfig = tuple[tuple[int, int, int], ...]

# -- slice -----------------------------------------------------------------------------------------


def _slice_aval(
    x: ShapedArray,
    *,
    start_indices: tuple[int, ...],
    limit_indices: tuple[int, ...],
    strides: tuple[int, ...] | None,
) -> ShapedArray:
    steps = (1,) * x.ndim if strides is None else strides
    require(
        len(start_indices) == len(limit_indices) == len(steps) == x.ndim,
        f"expected {x.ndim} starts, limits and strides to slice {x}",
        f"{start_indices}, {limit_indices}, {strides}",
    )
    require(
        all(
            0 <= a <= b <= n for a, b, n in zip(start_indices, limit_indices, x.shape, strict=True)
        ),
        f"expected 0 <= start <= limit <= size in each dimension of {x.shape}",
        f"starts {start_indices}, limits {limit_indices}",
    )
    require(all(s > 0 for s in steps), "expected positive strides", str(strides))
    spans = zip(start_indices, limit_indices, steps, strict=True)
    return x.update(shape=tuple(-(-(b - a) // s) for a, b, s in spans))


def _slice_impl(
    x: np.ndarray[Any, Any],
    *,
    start_indices: tuple[int, ...],
    limit_indices: tuple[int, ...],
    strides: tuple[int, ...] | None,
) -> np.ndarray[Any, Any]:
    steps = (1,) * x.ndim if strides is None else strides
    return x[tuple(map(slice, start_indices, limit_indices, steps))]


def _slice_transpose(
    ct: Any,
    x: LinearInput,
    *,
    start_indices: tuple[int, ...],
    limit_indices: tuple[int, ...],
    strides: tuple[int, ...] | None,
) -> Any:
    steps = (1,) * len(x.shape) if strides is None else strides
    config = []
    for n, size, start, step in zip(x.shape, aval_of(ct).shape, start_indices, steps, strict=True):
        used = start + ((size - 1) * step + 1 if size else 0)
        config.append((start, n - used, step - 1))
    return pad(ct, full((), 0, x.dtype), padding_config=tuple(config))


def _slice_batch(
    size: int,
    inputs: Sequence[Any],
    dims: Sequence[int],
    *,
    start_indices: tuple[int, ...],
    limit_indices: tuple[int, ...],
    strides: tuple[int, ...] | None,
) -> tuple[Any, int]:
    at = dims[0]
    out = slice_(
        inputs[0],
        start_indices=(*start_indices[:at], 0, *start_indices[at:]),
        limit_indices=(*limit_indices[:at], size, *limit_indices[at:]),
        strides=None if strides is None else (*strides[:at], 1, *strides[at:]),
    )
    return out, at


def _slice_pieces(
    index: Sequence[Any],
    read: Any,
    x: ShapedArray,
    *,
    start_indices: tuple[int, ...],
    limit_indices: tuple[int, ...],
    strides: tuple[int, ...] | None,
) -> list[Piece]:
    steps = (1,) * x.ndim if strides is None else strides
    where = [i * s + a for i, a, s in zip(index, start_indices, steps, strict=True)]
    return [Piece(0, tuple(where))]


def _slice_case(
    shape: tuple[int, ...],
    starts: tuple[int, ...],
    limits: tuple[int, ...],
    strides: tuple[int, ...] | None,
) -> Any:
    params = {"start_indices": starts, "limit_indices": limits, "strides": strides}
    return ((shape,), params)


slice_ = define(
    "slice",
    params=("start_indices", "limit_indices", "strides"),
    abstract_eval=_slice_aval,
    impl=_slice_impl,
    jvp=linear,
    transpose=_slice_transpose,
    batch=_slice_batch,
    lower=View(_slice_pieces),
    domain=Domain(
        cases=(
            _slice_case((5,), (1,), (4,), None),
            _slice_case((7, 3), (1, 0), (7, 2), (3, 1)),
            _slice_case((4, 37), (0, 2), (4, 36), (1, 2)),
            _slice_case((6,), (0,), (6,), (4,)),
            _slice_case((3, 2), (2, 1), (2, 2), (2, 1)),
            _slice_case((), (), (), None),
        )
    ),
)

# -- pad -------------------------------------------------------------------------------------------


def _padded(n: int, low: int, high: int, interior: int) -> int:
    return low + n + max(n - 1, 0) * interior + high


def _pad_aval(x: ShapedArray, value: ShapedArray, *, padding_config: PaddingConfig) -> ShapedArray:
    check_same_dtypes("pad", (x, value))
    require_shape(value.shape == (), "expected a padding value of shape ()", str(value.shape))
    require(
        len(padding_config) == x.ndim and all(c[2] >= 0 for c in padding_config),
        f"expected {x.ndim} triples (low, high, interior) with interior >= 0",
        str(padding_config),
    )
    shape = tuple(_padded(n, *c) for n, c in zip(x.shape, padding_config, strict=True))
    require_shape(
        all(n >= 0 for n in shape),
        f"expected a padding_config that leaves sizes >= 0 of {x.shape}",
        f"{padding_config}, which leaves {shape}",
    )
    return ShapedArray(shape, x.dtype, x.weak_type and value.weak_type)


def _pad_impl(
    x: np.ndarray[Any, Any], value: np.ndarray[Any, Any], *, padding_config: PaddingConfig
) -> np.ndarray[Any, Any]:
    grown = [(max(lo, 0), max(hi, 0), step) for lo, hi, step in padding_config]
    shape = [_padded(n, *c) for n, c in zip(x.shape, grown, strict=True)]
    out = np.full(shape, value, x.dtype)
    inside = [
        slice(lo, lo + (n - 1) * (step + 1) + 1 if n else lo, step + 1)
        for n, (lo, _, step) in zip(x.shape, grown, strict=True)
    ]
    out[tuple(inside)] = x
    # Negative padding cuts off; the size is taken first, as a slice that ends at -0 would be empty.
    kept = [
        slice(max(-lo, 0), n - max(-hi, 0))
        for n, (lo, hi, _) in zip(shape, padding_config, strict=True)
    ]
    return out[tuple(kept)]


def _inside(shape: tuple[int, ...], padding_config: PaddingConfig) -> Any:
    """True where a padded array has elements of the operand, False where it has padding."""
    whole = full(shape, True, np.bool_)
    return pad(whole, full((), False, np.bool_), padding_config=padding_config)


def _pad_transpose(ct: Any, x: Any, value: Any, *, padding_config: PaddingConfig) -> list[Any]:
    zero = full((), 0, aval_of(ct).dtype)
    shape = aval_of(x).shape if not isinstance(x, LinearInput) else x.shape
    result = [None, None]
    if isinstance(x, LinearInput):
        cut = tuple((-lo, -hi, 0) for lo, hi, _ in padding_config)
        spread = pad(ct, zero, padding_config=cut)
        result[0] = slice_(
            spread,
            start_indices=(0,) * len(shape),
            limit_indices=aval_of(spread).shape,
            strides=tuple(step + 1 for _, _, step in padding_config),
        )
    if isinstance(value, LinearInput):
        outside = select_n(_inside(shape, padding_config), ct, zeros_like(ct))
        result[1] = reduce_sum(outside, axes=tuple(range(len(shape))))
    return result


def _pad_batch(
    size: int,
    inputs: Sequence[Any],
    dims: Sequence[int | None],
    *,
    padding_config: PaddingConfig,
) -> tuple[Any, int]:
    x, value = inputs
    at, value_at = dims
    if at is not None and value_at is None:
        config = (*padding_config[:at], (0, 0, 0), *padding_config[at:])
        return pad(x, value, padding_config=config), at
    x = fronted(size, x, at)
    inner = aval_of(x).shape[1:]
    dtype = aval_of(x).dtype
    out = pad(x, full((), 0, dtype), padding_config=((0, 0, 0), *padding_config))
    shape = aval_of(out).shape
    where = broadcast_in_dim(
        _inside(inner, padding_config),
        shape=shape,
        broadcast_dimensions=tuple(range(1, len(shape))),
    )
    values = broadcast_in_dim(value, shape=shape, broadcast_dimensions=(0,))
    return select_n(where, values, out), 0


def _pad_pieces(
    index: Sequence[Any],
    read: Any,
    x: ShapedArray,
    value: ShapedArray,
    *,
    padding_config: PaddingConfig,
) -> list[Piece]:
    if 0 in x.shape:
        return [Piece(1, ())]
    condition: Any = None
    where = []
    for i, n, (low, high, interior) in zip(index, x.shape, padding_config, strict=True):
        shifted = i - low
        tests = []
        if low > 0:
            tests.append(shifted >= 0)
        if high > 0:
            tests.append(shifted <= (n - 1) * (interior + 1))
        if interior:
            tests.append(shifted % (interior + 1) == 0)
        for test in tests:
            condition = test if condition is None else condition & test
        where.append(shifted // (interior + 1) if interior else shifted)
    inside = Piece(0, tuple(where), condition)
    return [inside] if condition is None else [inside, Piece(1, ())]


def _pad_case(shape: tuple[int, ...], *config: tuple[int, int, int]) -> Any:
    return ((shape, ()), {"padding_config": config})


pad = define(
    "pad",
    params=("padding_config",),
    abstract_eval=_pad_aval,
    impl=_pad_impl,
    jvp=linear,
    transpose=_pad_transpose,
    batch=_pad_batch,
    lower=View(_pad_pieces),
    domain=Domain(
        cases=(
            _pad_case((3,), (1, 2, 0)),
            _pad_case((4,), (-1, 3, 0)),
            _pad_case((5,), (-2, -1, 0)),
            _pad_case((3, 4), (0, 1, 2), (2, -1, 1)),
            _pad_case((2, 19), (1, 1, 0), (0, 17, 0)),
            _pad_case((0, 2), (1, 2, 3), (0, 0, 1)),
            _pad_case((3,), (-1, 0, 1)),
            _pad_case((1,), (0, -1, 0)),
            _pad_case(()),
        )
    ),
)

# -- concatenate -----------------------------------------------------------------------------------


def _concatenate_aval(*xs: ShapedArray, dimension: int) -> ShapedArray:
    require(bool(xs), "expected at least one array to concatenate", "none")
    check_same_dtypes("concatenate", xs)
    check_axes((dimension,), xs[0])
    outer = [(*x.shape[:dimension], *x.shape[dimension + 1 :]) for x in xs]
    require_shape(
        all(x.ndim == xs[0].ndim for x in xs) and all(s == outer[0] for s in outer),
        f"expected arrays to concatenate that differ in dimension {dimension} only",
        ", ".join(str(x.shape) for x in xs),
    )
    shape = list(xs[0].shape)
    shape[dimension] = sum(x.shape[dimension] for x in xs)
    return ShapedArray(tuple(shape), xs[0].dtype, all(x.weak_type for x in xs))


def _concatenate_transpose(ct: Any, *xs: Any, dimension: int) -> list[Any]:
    shape = aval_of(ct).shape
    result: list[Any] = []
    start = 0
    for x in xs:
        size = (x.shape if isinstance(x, LinearInput) else aval_of(x).shape)[dimension]
        lows = [0] * len(shape)
        highs = list(shape)
        lows[dimension] = start
        highs[dimension] = start = start + size
        part = None
        if isinstance(x, LinearInput):
            part = slice_(ct, start_indices=tuple(lows), limit_indices=tuple(highs), strides=None)
        result.append(part)
    return result


def _concatenate_pieces(
    index: Sequence[Any], read: Any, *xs: ShapedArray, dimension: int
) -> list[Piece]:
    pieces: list[Piece] = []
    start = 0
    filled = [k for k, x in enumerate(xs) if x.shape[dimension]] or [0]
    for k in filled:
        where = list(index)
        where[dimension] = index[dimension] - start
        start += xs[k].shape[dimension]
        last = k == filled[-1]
        pieces.append(Piece(k, tuple(where), None if last else index[dimension] < start))
    return pieces


concatenate = define(
    "concatenate",
    params=("dimension",),
    abstract_eval=_concatenate_aval,
    impl=lambda *xs, dimension: np.concatenate(xs, axis=dimension),
    jvp=linear,
    transpose=_concatenate_transpose,
    batch=along_axis("dimension"),
    lower=View(_concatenate_pieces),
    domain=Domain(
        cases=(
            (((3,),), {"dimension": 0}),
            (((3,), (2,)), {"dimension": 0}),
            (((2, 3), (2, 1), (2, 4)), {"dimension": 1}),
            (((2, 19), (0, 19), (3, 19)), {"dimension": 0}),
            (((0, 2), (0, 2)), {"dimension": 0}),
        )
    ),
)

# -- slices whose start is data --------------------------------------------------------------------


def _check_starts(x: ShapedArray, starts: Sequence[ShapedArray], sizes: tuple[int, ...]) -> None:
    require(
        len(starts) == x.ndim,
        f"expected {x.ndim} starts, one for each dimension of {x}",
        str(len(starts)),
    )
    for start in starts:
        require_shape(start.shape == (), "expected starts of shape ()", str(start))
        require_dtype(dtypes.is_integer(start.dtype), "expected integer starts", str(start))
    require_shape(
        len(sizes) == x.ndim and all(0 <= s <= n for s, n in zip(sizes, x.shape, strict=True)),
        f"expected sizes that fit in {x.shape}",
        str(sizes),
    )


def _dynamic_slice_aval(
    x: ShapedArray, *starts: ShapedArray, slice_sizes: tuple[int, ...]
) -> ShapedArray:
    _check_starts(x, starts, slice_sizes)
    return x.update(shape=slice_sizes)


def _window(
    shape: tuple[int, ...], starts: Sequence[Any], sizes: Sequence[int]
) -> tuple[slice, ...]:
    """The part of those sizes at the starts, moved inside where it would stick out."""
    lows = [min(max(int(a), 0), n - s) for a, n, s in zip(starts, shape, sizes, strict=True)]
    return tuple(slice(low, low + s) for low, s in zip(lows, sizes, strict=True))


def _dynamic_slice_jvp(
    primals: Sequence[Any], tangents: Sequence[Any], *, slice_sizes: tuple[int, ...]
) -> tuple[Any, Any]:
    x, *starts = primals
    out = dynamic_slice(x, *starts, slice_sizes=slice_sizes)
    if isinstance(tangents[0], Zero):
        return out, Zero(aval_of(out).tangent())
    return out, dynamic_slice(tangents[0], *starts, slice_sizes=slice_sizes)


def _dynamic_slice_transpose(
    ct: Any, x: LinearInput, *starts: Any, slice_sizes: tuple[int, ...]
) -> list[Any]:
    back = dynamic_update_slice(zeros(x.aval.strong()), ct, *starts)
    return [back, *(None for _ in starts)]


def _starts_together(size: int, starts: Sequence[Any], dims: Sequence[int | None]) -> Any:
    """Starts of which some are batched, as one array of indices with the batch in front."""
    wide = np.result_type(*(aval_of(s).dtype for s in starts))
    dtype = wide if dtypes.is_integer(wide) else np.dtype(np.int64)
    columns = []
    for start, dim in zip(starts, dims, strict=True):
        column = convert(start, dtype)
        if dim is None:
            column = broadcast_in_dim(column, shape=(size,), broadcast_dimensions=())
        columns.append(reshape(column, new_sizes=(size, 1)))
    return concatenate(*columns, dimension=1)


def _zero_start() -> Literal:
    return Literal(0, ShapedArray((), np.dtype(np.int32)))


def _dynamic_slice_batch(
    size: int,
    inputs: Sequence[Any],
    dims: Sequence[int | None],
    *,
    slice_sizes: tuple[int, ...],
) -> tuple[Any, int]:
    x, *starts = inputs
    at = dims[0]
    if at is not None and all(d is None for d in dims[1:]):
        starts.insert(at, _zero_start())
        sizes = (*slice_sizes[:at], size, *slice_sizes[at:])
        return dynamic_slice(x, *starts, slice_sizes=sizes), at
    every = tuple(range(len(starts)))
    return gather.batch(  # type: ignore[no-any-return]
        size,
        (x, _starts_together(size, starts, dims[1:])),
        (at, 0),
        dimension_numbers=GatherDimensionNumbers(every, (), every),
        slice_sizes=slice_sizes,
        mode=CLIP,
        fill_value=None,
        unique_indices=True,
        indices_are_sorted=True,
    )


def _dynamic_slice_pieces(
    index: Sequence[Any],
    read: Any,
    x: ShapedArray,
    *starts: ShapedArray,
    slice_sizes: tuple[int, ...],
) -> list[Piece]:
    where = [
        read(d + 1, ()).clamp(0, n - s) + index[d]
        for d, (n, s) in enumerate(zip(x.shape, slice_sizes, strict=True))
    ]
    return [Piece(0, tuple(where))]


_WINDOWS = (
    ((5,), (2,)),
    ((5,), (5,)),
    ((3, 19), (2, 17)),
    ((3, 4), (0, 2)),
    ((1, 4), (1, 1)),
    ((), ()),
)


def _draw_starts(rng: Any, dtype: Any) -> tuple[Any, tuple[int, ...], list[Any]]:
    shape, sizes = _WINDOWS[rng.integers(len(_WINDOWS))]
    starts = [np.asarray(rng.integers(-2, n + 2), np.int32) for n in shape]
    return rng.uniform(-2, 2, shape).astype(dtype), sizes, starts


def _draw_dynamic_slice(rng: Any, dtype: Any) -> Any:
    x, sizes, starts = _draw_starts(rng, dtype)
    return [x, *starts], {"slice_sizes": sizes}


dynamic_slice = define(
    "dynamic_slice",
    params=("slice_sizes",),
    abstract_eval=_dynamic_slice_aval,
    impl=lambda x, *starts, slice_sizes: x[_window(x.shape, starts, slice_sizes)],
    jvp=Custom(_dynamic_slice_jvp),
    transpose=_dynamic_slice_transpose,
    batch=_dynamic_slice_batch,
    lower=View(_dynamic_slice_pieces),
    domain=Domain(draw=_draw_dynamic_slice),
)


def _update_aval(x: ShapedArray, update: ShapedArray, *starts: ShapedArray) -> ShapedArray:
    check_same_dtypes("dynamic_update_slice", (x, update))
    _check_starts(x, starts, update.shape)
    return x.update(weak_type=x.weak_type and update.weak_type)


def _update_impl(
    x: np.ndarray[Any, Any], update: np.ndarray[Any, Any], *starts: np.ndarray[Any, Any]
) -> np.ndarray[Any, Any]:
    out = x.copy()
    out[_window(x.shape, starts, update.shape)] = update
    return out


def _update_jvp(primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    starts = primals[2:]
    out = dynamic_update_slice(*primals)
    x_t, update_t = tangents[:2]
    if isinstance(x_t, Zero) and isinstance(update_t, Zero):
        return out, Zero(aval_of(out).tangent())
    return out, dynamic_update_slice(instantiated(x_t), instantiated(update_t), *starts)


def _update_transpose(ct: Any, x: Any, update: Any, *starts: Any) -> list[Any]:
    result: list[Any] = [None, None, *(None for _ in starts)]
    aval = update.aval if isinstance(update, LinearInput) else aval_of(update)
    if isinstance(x, LinearInput):
        result[0] = dynamic_update_slice(ct, zeros(aval.strong()), *starts)
    if isinstance(update, LinearInput):
        result[1] = dynamic_slice(ct, *starts, slice_sizes=aval.shape)
    return result


def _update_batch(size: int, inputs: Sequence[Any], dims: Sequence[int | None]) -> tuple[Any, int]:
    x, update, *starts = inputs
    if any(d is not None for d in dims[2:]):
        every = tuple(range(len(starts)))
        return scatter.batch(  # type: ignore[no-any-return]
            size,
            (x, _starts_together(size, starts, dims[2:]), update),
            (dims[0], 0, dims[1]),
            dimension_numbers=ScatterDimensionNumbers(every, (), every),
            mode=CLIP,
            unique_indices=True,
            indices_are_sorted=True,
        )
    x = fronted(size, x, dims[0])
    update = fronted(size, update, dims[1])
    return dynamic_update_slice(x, update, _zero_start(), *starts), 0


def _update_target(
    index: Sequence[Any], read: Any, x: ShapedArray, update: ShapedArray, *starts: ShapedArray
) -> tuple[tuple[Any, ...], None]:
    where = [
        read(d + 2, ()).clamp(0, n - s) + index[d]
        for d, (n, s) in enumerate(zip(x.shape, update.shape, strict=True))
    ]
    return tuple(where), None


def _draw_update(rng: Any, dtype: Any) -> Any:
    x, sizes, starts = _draw_starts(rng, dtype)
    return [x, rng.uniform(-2, 2, sizes).astype(dtype), *starts], {}


dynamic_update_slice = define(
    "dynamic_update_slice",
    abstract_eval=_update_aval,
    impl=_update_impl,
    jvp=Custom(_update_jvp),
    transpose=_update_transpose,
    batch=_update_batch,
    lower=Update("set", updates=1, target=_update_target),
    domain=Domain(draw=_draw_update),
)
