"""Parts of arrays and arrays from parts: static slices, padding, concatenation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.avals import ShapedArray
from ..core.loops import Piece, View
from ..core.primitive import Domain, LinearInput, along_axis, define, linear
from ..core.trace import aval_of
from .checks import check_axes, check_same_dtypes, require, require_shape
from .structural import broadcast_in_dim, full, moveaxis, reduce_sum, select_n, zeros_like

PaddingConfig = tuple[tuple[int, int, int], ...]

# -- slice ------------------------------------------------------------------------------------------


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
            0 <= a <= b <= n
            for a, b, n in zip(start_indices, limit_indices, x.shape, strict=True)
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

# -- pad --------------------------------------------------------------------------------------------


def _padded(n: int, low: int, high: int, interior: int) -> int:
    return low + n + max(n - 1, 0) * interior + high


def _pad_aval(
    x: ShapedArray, value: ShapedArray, *, padding_config: PaddingConfig
) -> ShapedArray:
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
        slice(max(-lo, 0), n - max(-hi, 0)) for n, (lo, hi, _) in zip(shape, padding_config, strict=True)
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
    inner = aval_of(x).shape
    if at is not None:
        x = moveaxis(x, at, 0)
        inner = aval_of(x).shape[1:]
    else:
        kept = tuple(range(1, len(inner) + 1))
        x = broadcast_in_dim(x, shape=(size, *inner), broadcast_dimensions=kept)
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

# -- concatenate ------------------------------------------------------------------------------------


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
            part = slice_(
                ct, start_indices=tuple(lows), limit_indices=tuple(highs), strides=None
            )
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

__all__ = ["PaddingConfig", "concatenate", "pad", "slice_"]
