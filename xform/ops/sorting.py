"""Sorting by one key or several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core import dtypes
from ..core.avals import ShapedArray
from ..core.loops import Opaque
from ..core.primitive import Absent, Custom, Domain, Zero, along_axis, define
from ..core.trace import aval_of
from .checks import check_axes, check_same_shapes, require
from .indexing import take_along
from .structural import iota


def _sort_aval(
    *xs: ShapedArray, dimension: int, is_stable: bool, num_keys: int
) -> list[ShapedArray]:
    require(bool(xs), "expected at least one array to sort", "none")
    check_same_shapes("sort", xs)
    check_axes((dimension,), xs[0])
    require(1 <= num_keys <= len(xs), f"expected num_keys from 1 to {len(xs)}", str(num_keys))
    return list(xs)


def _comparable(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """A key in a dtype whose order NumPy knows: extended floats as float32, which holds them."""
    return x.astype(np.float32) if dtypes.is_float(x.dtype) and x.dtype.kind == "V" else x


def _sort_impl(
    *xs: np.ndarray[Any, Any], dimension: int, is_stable: bool, num_keys: int
) -> list[np.ndarray[Any, Any]]:
    keys = [_comparable(x) for x in xs[:num_keys]]
    if len(xs) == 1 and keys[0] is xs[0]:
        return [_sorted(xs[0], dimension, is_stable)]
    order = _order(keys[0], dimension) if num_keys == 1 else np.lexsort(keys[::-1], axis=dimension)
    return [np.take_along_axis(x, order, axis=dimension) for x in xs]


def _sorted(x: np.ndarray[Any, Any], axis: int, is_stable: bool) -> np.ndarray[Any, Any]:
    """NumPy's sort that is not stable is many times as fast, for dtypes it has vectors for.

    Equal elements can differ in the sign of zero only; zeros of both signs are put in order then.
    """
    if x.dtype.kind not in "fc" or not is_stable:
        return np.sort(x, axis=axis)
    zero = x == 0
    if x.dtype.kind == "c" or (np.signbit(x) & zero).any():
        return np.sort(x, axis=axis, kind="stable")
    return np.sort(x, axis=axis)


def _order(key: np.ndarray[Any, Any], axis: int) -> np.ndarray[Any, Any]:
    """The places of the elements in stable order.

    Of up to 32 bits a key and its place are one integer of 64, which NumPy sorts in vectors.
    """
    count = key.shape[axis]
    if key.dtype.itemsize > 4 or key.dtype.kind not in "fiub" or not 1 < count < 2**32:
        return np.argsort(key, axis=axis, kind="stable")
    shape = [1] * key.ndim
    shape[axis] = count
    places = np.arange(count, dtype=np.uint64).reshape(shape)
    packed = np.sort(_rank(key).astype(np.uint64) << np.uint64(32) | places, axis=axis)
    return (packed & np.uint64(0xFFFFFFFF)).astype(np.int64)


def _rank(key: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Unsigned integers of 32 bits in the order of the keys: zeros are equal, NaNs come last."""
    sign = np.uint32(0x80000000)
    if key.dtype.kind in "ub":
        return key.astype(np.uint32)
    if key.dtype.kind == "i":
        return key.astype(np.int32).view(np.uint32) ^ sign
    single = key.astype(np.float32) + np.float32(0)  # -0 becomes 0
    bits = np.where(np.isnan(single), np.float32(np.nan), single).view(np.uint32)
    return np.where(bits & sign, ~bits, bits | sign)


def _sort_jvp(
    primals: Sequence[Any],
    tangents: Sequence[Any],
    *,
    dimension: int,
    is_stable: bool,
    num_keys: int,
) -> tuple[list[Any], list[Any]]:
    shape = aval_of(primals[0]).shape
    places = iota(dtype=np.dtype(np.int32), shape=shape, dimension=dimension)
    *outs, order = sort(
        *primals, places, dimension=dimension, is_stable=is_stable, num_keys=num_keys
    )
    moved = [
        Zero(aval_of(y).tangent()) if isinstance(t, Zero) else take_along(t, order, dimension, True)
        for y, t in zip(outs, tangents, strict=True)
    ]
    return outs, moved


def _draw_distinct(rng: Any, count: int) -> list[np.ndarray[Any, Any]]:
    """Arrays of one shape: where elements are equal, the derivative of their order jumps."""
    shape = ((7,), (3, 4), (2, 0), (1,), (5, 1))[rng.integers(5)]
    return [rng.permutation(np.prod(shape, dtype=int)).reshape(shape) for _ in range(count)]


def _draw_sort(rng: Any, dtype: Any) -> Any:
    drawn = _draw_distinct(rng, int(rng.integers(1, 4)))
    params = {
        "dimension": int(rng.integers(drawn[0].ndim)),
        "is_stable": True,
        "num_keys": int(rng.integers(1, len(drawn) + 1)),
    }
    return [x.astype(dtype) for x in drawn], params


sort = define(
    "sort",
    params=("dimension", "is_stable", "num_keys"),
    abstract_eval=_sort_aval,
    impl=_sort_impl,
    jvp=Custom(_sort_jvp),
    transpose=Absent("the operator is not linear: its derivative is a gather along the order"),
    batch=along_axis("dimension"),
    lower=Opaque(),
    domain=Domain(draw=_draw_sort, dtypes=("float32", "float64", "int32")),
    special=(0.0, -0.0, np.inf, -np.inf, np.nan),
    multiple_results=True,
)


# -- the greatest elements -------------------------------------------------------------------------


def _top_k_aval(x: ShapedArray, *, k: int, dimension: int) -> list[ShapedArray]:
    check_axes((dimension,), x)
    size = x.shape[dimension]
    require(0 <= k <= size, f"expected k from 0 to {size}", str(k))
    shape = (*x.shape[:dimension], k, *x.shape[dimension + 1 :])
    return [x.update(shape=shape), ShapedArray(shape, np.dtype(np.int32))]


_LONG = 1024  # elements of which it pays to choose before they are sorted


def _top_k_impl(x: np.ndarray[Any, Any], *, k: int, dimension: int) -> list[np.ndarray[Any, Any]]:
    rows = np.moveaxis(_comparable(x), dimension, -1)
    size = rows.shape[-1]
    if size >= _LONG and 8 * k <= size:
        places = np.empty((*rows.shape[:-1], k), np.int64)
        for at in np.ndindex(rows.shape[:-1]):
            places[at] = _greatest(rows[at], k)
    else:
        places = _falling(rows)[..., :k]
    places = np.moveaxis(places, -1, dimension)
    return [np.take_along_axis(x, places, axis=dimension), places.astype(np.int32)]


def _falling(rows: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The places from the greatest element down; equal ones keep their order."""
    backwards = _order(rows[..., ::-1], rows.ndim - 1)
    return np.asarray(rows.shape[-1] - 1 - backwards[..., ::-1])


def _greatest(row: np.ndarray[Any, Any], k: int) -> np.ndarray[Any, Any]:
    """The places of the k greatest elements of a vector, NaN being the greatest of all."""
    if not k:
        return np.empty(0, np.int64)
    least = np.partition(row, row.size - k)[row.size - k]
    nan = row != row
    greater = np.flatnonzero((row > least) | (nan & (least == least)))
    equal = np.flatnonzero(nan if least != least else row == least)
    return np.concatenate([greater[_falling(row[greater])], equal[: k - greater.size]])


def _top_k_jvp(
    primals: Sequence[Any], tangents: Sequence[Any], *, k: int, dimension: int
) -> tuple[list[Any], list[Any]]:
    values, places = top_k(*primals, k=k, dimension=dimension)
    moved = take_along(tangents[0], places, dimension, True)
    return [values, places], [moved, Zero(aval_of(places).tangent())]


def _draw_top_k(rng: Any, dtype: Any) -> Any:
    (x,) = _draw_distinct(rng, 1)
    dimension = int(rng.integers(x.ndim))
    k = int(rng.integers(0, x.shape[dimension] + 1))
    return [x.astype(dtype)], {"k": k, "dimension": dimension}


top_k = define(
    "top_k",
    params=("k", "dimension"),
    abstract_eval=_top_k_aval,
    impl=_top_k_impl,
    jvp=Custom(_top_k_jvp),
    transpose=Absent("the operator is not linear: its derivative is a gather of the greatest"),
    batch=along_axis("dimension"),
    lower=Opaque(),
    domain=Domain(draw=_draw_top_k, dtypes=("float32", "float64", "int32")),
    special=(0.0, -0.0, np.inf, -np.inf, np.nan),
    multiple_results=True,
)
