"""Sums of products: `dot_general`, which every matrix product is written with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core import dtypes
from ..core.avals import ShapedArray
from ..core.loops import Contract
from ..core.primitive import SLOW_IN_NUMPY, Domain, LinearInput, define, multilinear
from ..core.trace import aval_of
from .checks import check_axes, check_same_dtypes, require, require_dtype, require_shape
from .structural import convert, transpose

Dims = tuple[int, ...]
DotDimensionNumbers = tuple[tuple[Dims, Dims], tuple[Dims, Dims]]


def kept_dimensions(rank: int, *used: Sequence[int]) -> Dims:
    """The dimensions of an array of that rank that are in none of the lists."""
    gone = {d for dims in used for d in dims}
    return tuple(d for d in range(rank) if d not in gone)


def _dot_aval(
    x: ShapedArray,
    y: ShapedArray,
    *,
    dimension_numbers: DotDimensionNumbers,
    precision: Any,
    preferred_element_type: Any,
) -> ShapedArray:
    (x_contract, y_contract), (x_batch, y_batch) = dimension_numbers
    check_same_dtypes("dot_general", (x, y))
    check_axes((*x_contract, *x_batch), x)
    check_axes((*y_contract, *y_batch), y)
    for word, mine, other in (
        ("contracting", x_contract, y_contract),
        ("batch", x_batch, y_batch),
    ):
        require(
            len(mine) == len(other),
            f"expected as many {word} dimensions on the left as on the right",
            f"{mine} and {other}",
        )
        require_shape(
            all(x.shape[a] == y.shape[b] for a, b in zip(mine, other, strict=True)),
            f"expected equal sizes in the {word} dimensions {mine} and {other}",
            f"{x.shape} and {y.shape}",
            "x.T or y.T where a matrix is the wrong way round",
        )
    shape = (
        *(x.shape[d] for d in x_batch),
        *(x.shape[d] for d in kept_dimensions(x.ndim, x_contract, x_batch)),
        *(y.shape[d] for d in kept_dimensions(y.ndim, y_contract, y_batch)),
    )
    if preferred_element_type is None:
        return ShapedArray(shape, x.dtype, x.weak_type and y.weak_type)
    wanted = dtypes.check_user_dtype(preferred_element_type)
    fits = (
        (dtypes.is_integer(x.dtype) and not dtypes.is_bool(wanted))
        or (dtypes.is_float(x.dtype) and dtypes.is_inexact(wanted))
        or (dtypes.is_complex(x.dtype) and dtypes.is_complex(wanted))
        or x.dtype == wanted
    )
    require_dtype(
        fits and (wanted.itemsize >= x.dtype.itemsize or not dtypes.is_integer(x.dtype)),
        f"expected a preferred_element_type that holds products of {x.dtype}",
        str(wanted),
    )
    return ShapedArray(shape, wanted, x.weak_type and y.weak_type and wanted == x.dtype)


def _accumulator(dtype: np.dtype[Any], out: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype that products are added in: 16-bit and narrower floats in float32."""
    changed = dtypes.is_integer(dtype) and not dtypes.is_integer(out)
    wide = out if changed or out.itemsize > dtype.itemsize else dtype
    narrow = dtypes.is_float(wide) and wide.itemsize < 4
    return np.dtype(np.float32) if narrow else wide


def _dot_impl(
    x: np.ndarray[Any, Any],
    y: np.ndarray[Any, Any],
    *,
    dimension_numbers: DotDimensionNumbers,
    precision: Any,
    preferred_element_type: Any,
) -> np.ndarray[Any, Any]:
    (x_contract, y_contract), (x_batch, y_batch) = dimension_numbers
    out = np.dtype(preferred_element_type or x.dtype)
    wide = _accumulator(x.dtype, out)
    x_kept = kept_dimensions(x.ndim, x_contract, x_batch)
    y_kept = kept_dimensions(y.ndim, y_contract, y_batch)
    batch = tuple(x.shape[d] for d in x_batch)
    rows = tuple(x.shape[d] for d in x_kept)
    columns = tuple(y.shape[d] for d in y_kept)
    inner = math.prod(x.shape[d] for d in x_contract)
    left = x.astype(wide, copy=False).transpose((*x_batch, *x_kept, *x_contract))
    right = y.astype(wide, copy=False).transpose((*y_batch, *y_contract, *y_kept))
    product: np.ndarray[Any, Any] = np.matmul(
        left.reshape((*batch, math.prod(rows), inner)),
        right.reshape((*batch, inner, math.prod(columns))),
    )
    return product.reshape((*batch, *rows, *columns)).astype(out, copy=False)


def _left_cotangent(
    ct: Any,
    x: LinearInput,
    y: Any,
    dimension_numbers: DotDimensionNumbers,
    precision: Any,
    y_first: bool,
) -> Any:
    """The cotangent of `x`: `ct` contracted with `y` over the dimensions that only `y` brought.

    `y_first` says that the output has the dimensions of `y` before those of `x`.
    """
    (x_contract, y_contract), (x_batch, y_batch) = dimension_numbers
    x_kept = kept_dimensions(len(x.shape), x_contract, x_batch)
    y_kept = kept_dimensions(aval_of(y).ndim, y_contract, y_batch)
    before_y = len(x_batch) + (0 if y_first else len(x_kept))
    ct_y = tuple(range(before_y, before_y + len(y_kept)))
    ct_batch = tuple(range(len(x_batch)))
    wide = aval_of(ct).dtype
    product = dot_general(
        ct,
        convert(y, wide),
        dimension_numbers=((ct_y, y_kept), (ct_batch, y_batch)),
        precision=precision,
        preferred_element_type=None,
    )
    # What is left of y are its contracted dimensions in their order in y; each is one of x's.
    order = sorted(range(len(y_contract)), key=lambda k: y_contract[k])
    places = (*x_batch, *x_kept, *(x_contract[k] for k in order))
    permutation = tuple(places.index(d) for d in range(len(places)))
    if permutation != tuple(range(len(places))):
        product = transpose(product, permutation=permutation)
    return convert(product, x.dtype)


def _dot_transpose(
    ct: Any,
    x: Any,
    y: Any,
    *,
    dimension_numbers: DotDimensionNumbers,
    precision: Any,
    preferred_element_type: Any,
) -> list[Any]:
    if isinstance(x, LinearInput):
        return [_left_cotangent(ct, x, y, dimension_numbers, precision, False), None]
    (x_contract, y_contract), (x_batch, y_batch) = dimension_numbers
    swapped = ((y_contract, x_contract), (y_batch, x_batch))
    return [None, _left_cotangent(ct, y, x, swapped, precision, True)]


def _dot_batch(
    size: int,
    inputs: Sequence[Any],
    dims: Sequence[int | None],
    *,
    dimension_numbers: DotDimensionNumbers,
    precision: Any,
    preferred_element_type: Any,
) -> tuple[Any, int]:
    (x_contract, y_contract), (x_batch, y_batch) = dimension_numbers
    x, y = inputs
    x_at, y_at = dims
    x_contract, x_batch = _around(x_contract, x_at), _around(x_batch, x_at)
    y_contract, y_batch = _around(y_contract, y_at), _around(y_batch, y_at)
    x_kept = kept_dimensions(aval_of(x).ndim, x_contract, x_batch)
    y_kept = kept_dimensions(aval_of(y).ndim, y_contract, y_batch)
    if x_at is not None and y_at is not None:
        x_batch, y_batch = (x_at, *x_batch), (y_at, *y_batch)
        out_at = 0
    elif x_at is not None:
        out_at = len(x_batch) + x_kept.index(x_at)
    else:
        assert y_at is not None
        out_at = len(x_batch) + len(x_kept) + y_kept.index(y_at)
    out = dot_general(
        x,
        y,
        dimension_numbers=((x_contract, y_contract), (x_batch, y_batch)),
        precision=precision,
        preferred_element_type=preferred_element_type,
    )
    return out, out_at


def _around(dims: Dims, at: int | None) -> Dims:
    """Dimensions counted anew after one more has come in at `at`."""
    return dims if at is None else tuple(d if d < at else d + 1 for d in dims)


def _dot_case(x: Dims, y: Dims, contract: tuple[Dims, Dims], batch: tuple[Dims, Dims]) -> Any:
    params = {
        "dimension_numbers": (contract, batch),
        "precision": None,
        "preferred_element_type": None,
    }
    return ((x, y), params)


_NONE: tuple[Dims, Dims] = ((), ())

dot_general = define(
    "dot_general",
    params=("dimension_numbers", "precision", "preferred_element_type"),
    abstract_eval=_dot_aval,
    impl=_dot_impl,
    jvp=multilinear,
    transpose=_dot_transpose,
    batch=_dot_batch,
    lower=Contract(),
    domain=Domain(
        cases=(
            _dot_case((3, 4), (4, 5), ((1,), (0,)), _NONE),
            _dot_case((4,), (4,), ((0,), (0,)), _NONE),
            _dot_case((3, 4), (4,), ((1,), (0,)), _NONE),
            _dot_case((3,), (2,), _NONE, _NONE),
            _dot_case((2, 3, 4), (2, 4, 5), ((2,), (1,)), ((0,), (0,))),
            _dot_case((3, 2, 4, 5), (5, 6, 4, 2), ((2, 3), (2, 0)), ((1,), (3,))),
            _dot_case((2, 3), (3, 2), _NONE, ((0, 1), (1, 0))),
            _dot_case((17, 33), (9, 33), ((1,), (1,)), _NONE),
            _dot_case((3, 0), (0, 2), ((1,), (0,)), _NONE),
            _dot_case((1, 0), (0, 1), _NONE, ((1,), (0,))),
        ),
        dtypes=("float32", "float64", "int32", "complex64"),
    ),
    ulp=16,
    compiled_from=SLOW_IN_NUMPY,
)

__all__ = ["DotDimensionNumbers", "dot_general", "kept_dimensions"]
