"""Order statistics, correlation and histograms."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core import dtypes
from ..core.trace import aval_of
from ..errors import ArgumentError, ShapeError
from ..ops import elementwise as ops
from ..ops.structural import full, reduce_sum, reshape, select_n
from .at import IndexUpdate
from .contraction import matmul
from .creation import asarray, linspace
from .diagonals import diagonal
from .indexing import getitem
from .logic import isnan
from .pointwise import choice, clip
from .promotion import (
    broadcast,
    canonical_axes,
    cast,
    full_like,
    inexact_operand,
    operand,
    promoted,
    refuse,
    static_int,
    strong,
    user_dtype,
)
from .rearranging import concatenate
from .reductions import any as any_of, average, max as max_over, min as min_over
from .searching import searchsorted
from .shaping import atleast_2d, expand_dims, ravel, transpose
from .sorting import sort
from .ufuncs import conjugate, sqrt

_INT = np.dtype("int32")
_METHODS = ("linear", "lower", "higher", "midpoint", "nearest")


def _last_axis(x: Any, axis: Any) -> tuple[Any, tuple[int, ...], tuple[int, ...]]:
    """The axes to reduce merged into the last; the axes, and the shape with them at length 1."""
    shape = aval_of(x).shape
    axes = canonical_axes(axis, len(shape))
    rest = tuple(d for d in range(len(shape)) if d not in axes)
    count = math.prod(shape[d] for d in axes)
    merged = reshape(transpose(x, (*rest, *axes)), new_sizes=(*(shape[d] for d in rest), count))
    kept = tuple(1 if d in axes else n for d, n in enumerate(shape))
    return merged, axes, kept


def quantile(
    a: Any,
    q: Any,
    axis: Any = None,
    out: None = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
    *,
    weights: None = None,
) -> Any:
    """The values below which given fractions of the elements lie; NaN where there is one.

    Args:
        a: an array of real numbers.
        q: fractions from 0 to 1; may be traced. Their axes come first in the result.
        axis: an axis, a tuple of them, or None for all.
        out: not supported, as arrays are immutable.
        overwrite_input: accepted for compatibility.
        method: what to take between two elements: ``"linear"``, ``"lower"``, ``"higher"``,
            ``"midpoint"`` or ``"nearest"``.
        keepdims: whether to keep the axes at length 1.
        weights: not supported.

    >>> quantile(np.arange(5, dtype=np.float32), 0.25)
    Array(1., dtype=float32)
    """
    return _quantile("quantile", a, q, axis, out, method, keepdims, weights, squash_nans=False)


def nanquantile(
    a: Any,
    q: Any,
    axis: Any = None,
    out: None = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
    *,
    weights: None = None,
) -> Any:
    """`quantile` of the elements that are not NaN; NaN where there are none.

    >>> nanquantile(np.array([1, np.nan, 3], np.float32), 0.5)
    Array(2., dtype=float32)
    """
    return _quantile("nanquantile", a, q, axis, out, method, keepdims, weights, squash_nans=True)


def _quantile(
    name: str,
    a: Any,
    q: Any,
    axis: Any,
    out: Any,
    method: str,
    keepdims: bool,
    weights: Any,
    squash_nans: bool,
) -> Any:
    refuse(name, out=out)
    if weights is not None or method not in _METHODS:
        raise ArgumentError(
            f"expected for {name} no weights, and a method: {', '.join(_METHODS)}",
            f"method={method!r}" + ("" if weights is None else ", weights="),
        )
    x, fraction = strong(inexact_operand(a)), strong(inexact_operand(asarray(q)))
    dtype = aval_of(x).dtype
    if dtypes.is_complex(dtype):
        raise ArgumentError(f"expected real numbers for {name}", str(dtype))
    line, _, kept_shape = _last_axis(x, axis)
    n = aval_of(line).shape[-1]
    if n == 0:
        raise ShapeError(f"expected at least one element for {name}", f"shape {aval_of(x).shape}")
    ordered = sort(line, -1)
    nans = isnan(line)
    q_shape = aval_of(fraction).shape
    outer = aval_of(ordered).shape[:-1]
    full_shape = (*q_shape, *outer)
    levels = broadcast(reshape(fraction, new_sizes=(*q_shape, *(1,) * len(outer))), full_shape)
    # Positions need more digits than 16-bit floats have.
    inner = np.dtype("float32") if dtype.itemsize < 4 else dtype
    levels = cast(levels, inner)
    if squash_nans:
        counts = reduce_sum(cast(ops.not_(nans), inner), axes=(len(outer),))
        last = broadcast(ops.sub(counts, full_like(counts, 1)), full_shape)
    else:
        last = full_like(levels, n - 1)
    position = ops.mul(levels, last)
    low, high = ops.floor(position), ops.ceil(position)
    weight = ops.sub(position, low)
    top = ops.max_(last, full_like(last, 0))
    low = ops.min_(ops.max_(low, full_like(low, 0)), top)
    high = ops.min_(ops.max_(high, full_like(high, 0)), top)
    below = _at_positions(ordered, low, len(q_shape))
    above = _at_positions(ordered, high, len(q_shape))
    result = _between(below, above, cast(weight, dtype), position, method)
    empty = ops.lt(last, full_like(last, 0)) if squash_nans else None
    spoilt = empty if squash_nans else broadcast(any_of(nans, -1), full_shape)
    result = select_n(spoilt, result, full_like(result, math.nan))
    if keepdims:
        result = reshape(result, new_sizes=(*q_shape, *kept_shape))
    return result


def _at_positions(ordered: Any, position: Any, q_rank: int) -> Any:
    """The elements of the last axis at positions whose first axes are those of the fractions."""
    shape = aval_of(position).shape
    places = cast(position, _INT)
    outer = shape[q_rank:]
    key: list[Any] = []
    for d, n in enumerate(outer):
        sizes = tuple(n if k == d else 1 for k in range(len(outer)))
        key.append(operand(np.arange(n, dtype=np.int32).reshape(sizes)))
    return getitem(ordered, (*key, places))


def _between(below: Any, above: Any, weight: Any, position: Any, method: str) -> Any:
    if method == "lower":
        return below
    if method == "higher":
        return above
    half = full_like(weight, 0.5)
    if method == "nearest":
        even = ops.eq(ops.rem(ops.floor(position), full_like(position, 2)), full_like(position, 0))
        up = ops.or_(ops.gt(weight, half), ops.and_(ops.eq(weight, half), ops.not_(even)))
        return select_n(up, below, above)
    rest = ops.sub(full_like(weight, 1), weight)
    if method == "midpoint":
        middle = ops.mul(ops.add(below, above), half)
        return select_n(ops.eq(weight, full_like(weight, 0)), middle, below)
    mixed = ops.add(ops.mul(below, rest), ops.mul(above, weight))
    # Between equal elements, also infinite ones, there is nothing to mix.
    return select_n(ops.eq(below, above), mixed, below)


def percentile(
    a: Any,
    q: Any,
    axis: Any = None,
    out: None = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
    *,
    weights: None = None,
) -> Any:
    """`quantile` with fractions from 0 to 100.

    >>> percentile(np.array([1, 2, 3], np.float32), 50)
    Array(2., dtype=float32)
    """
    return quantile(a, _hundredth(q), axis, out, overwrite_input, method, keepdims, weights=weights)


def nanpercentile(
    a: Any,
    q: Any,
    axis: Any = None,
    out: None = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
    *,
    weights: None = None,
) -> Any:
    """`nanquantile` with fractions from 0 to 100.

    >>> nanpercentile(np.array([1, np.nan, 3], np.float32), 50)
    Array(2., dtype=float32)
    """
    return nanquantile(
        a, _hundredth(q), axis, out, overwrite_input, method, keepdims, weights=weights
    )


def _hundredth(q: Any) -> Any:
    x = inexact_operand(asarray(q))
    return ops.div(x, full_like(x, 100))


def median(
    a: Any,
    axis: Any = None,
    out: None = None,
    overwrite_input: bool = False,
    keepdims: bool = False,
) -> Any:
    """The middle element in order over axes, or the mean of the two middle ones.

    >>> median(np.array([3, 1, 2], np.int32))
    Array(2., dtype=float32)
    """
    return quantile(a, 0.5, axis, out, overwrite_input, "midpoint", keepdims)


def nanmedian(
    a: Any,
    axis: Any = None,
    out: None = None,
    overwrite_input: bool = False,
    keepdims: bool = False,
) -> Any:
    """`median` of the elements that are not NaN.

    >>> nanmedian(np.array([1, np.nan, 3], np.float32))
    Array(2., dtype=float32)
    """
    return nanquantile(a, 0.5, axis, out, overwrite_input, "midpoint", keepdims)


def cov(
    m: Any,
    y: Any = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: int | None = None,
    fweights: Any = None,
    aweights: Any = None,
    dtype: Any = None,
) -> Any:
    """The covariance matrix of variables.

    Args:
        m: a vector of observations of one variable, or a matrix with one variable per row.
        y: more variables.
        rowvar: whether rows, not columns, are variables.
        bias: whether to divide by the number of observations instead of one less.
        ddof: what to take off the number of observations instead.
        fweights: how often each observation counts, integers.
        aweights: the weights of the observations.
        dtype: the dtype of the result.

    >>> cov(np.array([1, 2, 3], np.float32))
    Array(1., dtype=float32)
    """
    x = _variables(m, rowvar, dtype)
    if y is not None:
        x, other = promoted(x, _variables(y, rowvar, dtype))
        x = concatenate([x, other], 0)
    ddof = (0 if bias else 1) if ddof is None else ddof
    inner = aval_of(x).dtype
    real = dtypes.real_dtype(inner)
    n = aval_of(x).shape[1]
    weights = None
    for given in (fweights, aweights):
        if given is not None:
            w = cast(operand(given), real)
            if aval_of(w).shape != (n,):
                raise ShapeError(f"expected {n} weights", f"shape {aval_of(w).shape}")
            weights = w if weights is None else ops.mul(weights, w)
    center = average(x, 1, weights)
    residual = ops.sub(
        x, broadcast(reshape(center, new_sizes=(aval_of(center).size, 1)), aval_of(x).shape)
    )
    if weights is None:
        factor = full((), n - ddof, real)
        weighted = residual
    else:
        total = reduce_sum(weights, axes=(0,))
        if aweights is None:
            factor = ops.sub(total, full_like(total, ddof))
        else:
            again = ops.mul(weights, cast(operand(aweights), real))
            lost = ops.div(reduce_sum(again, axes=(0,)), total)
            factor = ops.sub(total, ops.mul(full_like(total, ddof), lost))
        weighted = ops.mul(residual, broadcast(cast(weights, inner), aval_of(x).shape))
    products = matmul(weighted, conjugate(transpose(residual)))
    factor = ops.max_(factor, full_like(factor, 0))
    out = ops.div(products, broadcast(cast(factor, inner), aval_of(products).shape))
    return reshape(out, new_sizes=()) if aval_of(out).size == 1 else out


def _variables(m: Any, rowvar: bool, dtype: Any) -> Any:
    x = strong(inexact_operand(m))
    if aval_of(x).ndim > 2:
        raise ShapeError("expected a vector or a matrix", f"shape {aval_of(x).shape}")
    wanted = user_dtype(dtype)
    x = x if wanted is None else cast(x, wanted)
    rows = atleast_2d(x)
    return rows if rowvar or aval_of(x).ndim < 2 else transpose(rows)


def corrcoef(x: Any, y: Any = None, rowvar: bool = True, dtype: Any = None) -> Any:
    """The correlation matrix of variables; arguments as for `cov`.

    >>> corrcoef(np.array([[1, 2, 3], [3, 2, 1]], np.float32))
    Array([[ 1., -1.],
           [-1.,  1.]], dtype=float32)
    """
    c = cov(x, y, rowvar, dtype=dtype)
    if aval_of(c).ndim == 0:
        return ops.div(c, c)
    spread = sqrt(ops.real(diagonal(c)) if dtypes.is_complex(aval_of(c).dtype) else diagonal(c))
    shape = aval_of(c).shape
    inner = aval_of(c).dtype
    rows = broadcast(cast(expand_dims(spread, 1), inner), shape)
    columns = broadcast(cast(expand_dims(spread, 0), inner), shape)
    out = ops.div(ops.div(c, rows), columns)
    if dtypes.is_complex(inner):
        return ops.complex_(clip(ops.real(out), -1, 1), clip(ops.imag(out), -1, 1))
    return clip(out, -1, 1)


def histogram_bin_edges(a: Any, bins: Any = 10, range: Any = None, weights: Any = None) -> Any:
    """The edges of the bins of `histogram`.

    >>> histogram_bin_edges(np.array([0, 4], np.float32), 4)
    Array([0., 1., 2., 3., 4.], dtype=float32)
    """
    values = ravel(a)
    dtype = dtypes.to_inexact(aval_of(values).dtype)
    if isinstance(bins, str):
        raise ArgumentError("expected a number of bins or their edges", repr(bins))
    if not isinstance(bins, int | np.integer):
        edges = asarray(bins)
        if aval_of(edges).ndim == 1:
            return edges
    count = static_int(bins, "the number of bins")
    if range is not None:
        low, high = (cast(operand(v), dtype) for v in range)
    elif aval_of(values).size == 0:
        low, high = full((), 0, dtype), full((), 1, dtype)
    else:
        low, high = (cast(f(values), dtype) for f in (min_over, max_over))
    flat = ops.eq(low, high)
    half = full_like(low, 0.5)
    low, high = choice(flat, ops.sub(low, half), low), choice(flat, ops.add(high, half), high)
    return linspace(low, high, count + 1, dtype=dtype)


def histogram(
    a: Any, bins: Any = 10, range: Any = None, weights: Any = None, density: bool | None = None
) -> tuple[Any, Any]:
    """How many elements lie in each bin; the last bin includes its right edge.

    Args:
        a: an array, taken as flat.
        bins: the number of bins of equal width, or a vector of their edges.
        range: the outer edges; by default the least and the largest element.
        weights: what each element counts, instead of 1.
        density: whether to divide by the total and the widths of the bins.

    Returns:
        The counts and the edges.

    >>> histogram(np.array([0, 1, 1, 4], np.float32), 2)
    (Array([3., 1.], dtype=float32), Array([0., 2., 4.], dtype=float32))
    """
    values = ravel(strong(a))
    edges = histogram_bin_edges(values, bins, range, weights)
    n = aval_of(edges).size - 1
    inner = dtypes.to_inexact(aval_of(values).dtype)
    amounts = full(aval_of(values).shape, 1, inner) if weights is None else ravel(strong(weights))
    place = ops.sub(
        cast(searchsorted(edges, values, "right"), _INT), full(aval_of(values).shape, 1, _INT)
    )
    x, last, first = promoted(values, getitem(edges, -1), getitem(edges, 0))
    shape = aval_of(x).shape
    last, first = broadcast(last, shape), broadcast(first, shape)
    place = select_n(ops.eq(x, last), place, full_like(place, n - 1))
    inside = ops.and_(ops.ge(x, first), ops.le(x, last))
    place = select_n(inside, full_like(place, n), place)
    counts = IndexUpdate(full((n,), 0, aval_of(amounts).dtype), place).add(amounts, mode="drop")
    if not density:
        return counts, edges
    widths = ops.sub(getitem(edges, slice(1, None)), getitem(edges, slice(None, -1)))
    counts, widths = promoted(counts, widths, inexact=True)
    total = broadcast(reduce_sum(counts, axes=(0,)), (n,))
    return ops.div(ops.div(counts, widths), total), edges
