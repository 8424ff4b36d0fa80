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
        # Only of floats can equal elements differ, in the sign of zero; the others sort faster.
        ordered = dtypes.is_inexact(xs[0].dtype) and is_stable
        return [np.sort(xs[0], axis=dimension, kind="stable" if ordered else "quicksort")]
    if num_keys == 1:
        order = np.argsort(keys[0], axis=dimension, kind="stable")
    else:
        order = np.lexsort(keys[::-1], axis=dimension)
    return [np.take_along_axis(x, order, axis=dimension) for x in xs]


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


def _draw_sort(rng: Any, dtype: Any) -> Any:
    shape = ((7,), (3, 4), (2, 0), (1,), (5, 1))[rng.integers(5)]
    count = int(rng.integers(1, 4))
    # Distinct values: where keys tie, the derivative of the order jumps.
    drawn = [rng.permutation(np.prod(shape, dtype=int)).reshape(shape) for _ in range(count)]
    params = {
        "dimension": int(rng.integers(len(shape))),
        "is_stable": True,
        "num_keys": int(rng.integers(1, count + 1)),
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
