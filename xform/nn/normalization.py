"""Functions along axes: softmax and its logarithm, sums of exponentials, standard scores."""

from __future__ import annotations

import functools
from typing import Any

from .. import lax, numpy as xnp
from ..core.dtypes import scalar_dtype
from ..core.trace import aval_of
from ..errors import ArgumentError, AxisError
from ..numpy.promotion import canonical_axes, inexact_operand, promoted, static_int, user_dtype
from .derivatives import custom_derivative


def _inexact(x: Any) -> Any:
    return inexact_operand(xnp.asarray(x))


def _shift(x: Any, axes: tuple[int, ...]) -> Any:
    """The maximum, or 0 where it is infinite: without it, exponentials do not overflow."""
    most = lax.stop_gradient(xnp.max(x, axes, keepdims=True, initial=-xnp.inf))
    return xnp.where(xnp.isfinite(most), most, 0)


def softmax(x: Any, axis: Any = -1, where: Any = None) -> Any:
    """exp(x) / sum(exp(x)), without overflow.

    Args:
        x: real numbers.
        axis: the axis that sums to 1, a tuple of axes, or None for all.
        where: a mask of the elements to include; the others get 0.

    Returns:
        an array of the shape of `x`; NaN where a sum has a NaN or +inf, or nothing but -inf.

    >>> import xform.numpy as xnp
    >>> softmax(xnp.array([1000.0, 1000.0]))
    Array([0.5, 0.5], dtype=float32)
    >>> softmax(xnp.array([1.0, 1.0, 7.0]), where=xnp.array([True, True, False]))
    Array([0.5, 0.5, 0. ], dtype=float32)
    """
    x = _inexact(x)
    axes = canonical_axes(axis, aval_of(x).ndim)
    if where is None:
        return _softmax_over(axes)(x)
    shifted, some = _masked_shifted(x, axes, where)
    weights = xnp.exp(shifted)
    sums = xnp.sum(weights, axes, keepdims=True)
    return xnp.where(where, weights / xnp.where(some, sums, 1), 0)


def _masked_shifted(x: Any, axes: tuple[int, ...], where: Any) -> tuple[Any, Any]:
    """`x` less its maximum, -inf outside the mask; and whether the mask has an element at all."""
    mask = xnp.broadcast_to(where, aval_of(x).shape)
    some = xnp.any(mask, axes, keepdims=True)
    x = xnp.where(mask, x, -xnp.inf)
    most = lax.stop_gradient(xnp.max(x, axes, keepdims=True))
    return x - xnp.where(some, most, 0), some


@functools.cache
def _softmax_over(axes: tuple[int, ...]) -> Any:
    def rule(t: Any, y: Any, x: Any) -> Any:
        return y * (t - xnp.sum(y * t, axes, keepdims=True))

    @custom_derivative(rule)
    def softmax(x: Any) -> Any:
        weights = xnp.exp(x - xnp.max(x, axes, keepdims=True))
        return weights / xnp.sum(weights, axes, keepdims=True)

    return softmax


def log_softmax(x: Any, axis: Any = -1, where: Any = None) -> Any:
    """log(softmax(x)), accurate where softmax is small.

    Args:
        x: real numbers.
        axis: the axis over which exp(result) sums to 1, a tuple of axes, or None for all.
        where: a mask of the elements to include; the others get -inf.

    >>> import xform.numpy as xnp
    >>> log_softmax(xnp.array([0.0, 200.0]))
    Array([-200.,    0.], dtype=float32)
    """
    x = _inexact(x)
    axes = canonical_axes(axis, aval_of(x).ndim)
    if where is None:
        shifted = x - lax.stop_gradient(xnp.max(x, axes, keepdims=True))
        return shifted - xnp.log(xnp.sum(xnp.exp(shifted), axes, keepdims=True))
    shifted, some = _masked_shifted(x, axes, where)
    sums = xnp.sum(xnp.exp(shifted), axes, keepdims=True)
    return xnp.where(where, shifted - xnp.log(xnp.where(some, sums, 1)), -xnp.inf)


def logsumexp(
    a: Any,
    axis: Any = None,
    b: Any = None,
    keepdims: bool = False,
    return_sign: bool = False,
    where: Any = None,
) -> Any:
    """log(sum(b exp(a))), without overflow.

    Args:
        a: real numbers.
        axis: an axis, a tuple of them, or None for all.
        b: factors of the exponentials; 1 by default.
        keepdims: whether to keep the axes at length 1.
        return_sign: whether the sum may be negative, and its sign is returned.
        where: a mask of the elements to include.

    Returns:
        the logarithm, NaN of a negative sum; with `return_sign` the logarithm of its magnitude, and
        its sign: -1, 0 or 1.

    >>> import xform.numpy as xnp
    >>> logsumexp(xnp.array([1000.0, -xnp.inf]))
    Array(1000., dtype=float32)
    """
    if b is None:
        x = _inexact(a)
        factor = None
    else:
        x, factor = (xnp.asarray(v) for v in promoted(a, b, inexact=True))
        # An infinite exponential times no weight counts nothing.
        x = xnp.where(factor == 0, -xnp.inf, x)
    if where is not None:
        x = xnp.where(where, x, -xnp.inf)
    axes = canonical_axes(axis, aval_of(x).ndim)
    shift = _shift(x, axes)
    terms = xnp.exp(x - shift)
    sums = xnp.sum(terms if factor is None else factor * terms, axes, keepdims=True)
    result = xnp.log(xnp.abs(sums) if return_sign else sums) + shift
    if not keepdims:
        result = result.squeeze(axes)
        sums = sums.squeeze(axes)
    return (result, xnp.sign(sums)) if return_sign else result


def logmeanexp(x: Any, axis: Any = None, where: Any = None, keepdims: bool = False) -> Any:
    """log(mean(exp(x))), without overflow.

    Args:
        x: real numbers.
        axis: an axis, a tuple of them, or None for all.
        where: a mask of the elements to include; NaN where there is none.
        keepdims: whether to keep the axes at length 1.

    >>> import xform.numpy as xnp
    >>> logmeanexp(xnp.array([1000.0, 1000.0]))
    Array(1000., dtype=float32)
    """
    x = _inexact(x)
    aval = aval_of(x)
    sums = logsumexp(x, axis, keepdims=keepdims, where=where)
    mask = xnp.broadcast_to(True if where is None else where, aval.shape)
    return sums - xnp.log(xnp.sum(mask, axis, dtype=aval.dtype, keepdims=keepdims))


def standardize(
    x: Any,
    axis: Any = -1,
    mean: Any = None,
    variance: Any = None,
    epsilon: Any = 1e-5,
    where: Any = None,
    *,
    algorithm: str = "fast",
) -> Any:
    """(x - mean) / sqrt(variance + epsilon).

    Args:
        x: real numbers.
        axis: the axis to take mean and variance over, a tuple of axes, or None for all.
        mean: the mean, where it is known; it broadcasts with `x`.
        variance: the variance, where it is known.
        epsilon: what keeps the denominator from 0.
        where: a mask of the elements that count in mean and variance.
        algorithm: "fast", the mean of squares less the square of the mean; or "stable", the mean
            of squared distances, which keeps its accuracy where the mean is large.

    Raises:
        ArgumentError: another algorithm.

    >>> import xform.numpy as xnp
    >>> standardize(xnp.array([1.0, 3.0]), epsilon=0.0)
    Array([-1.,  1.], dtype=float32)
    """
    if algorithm not in ("fast", "stable"):
        raise ArgumentError(
            "expected algorithm 'fast' or 'stable' for standardize", repr(algorithm)
        )
    x = _inexact(x)
    if mean is None:
        mean = xnp.mean(x, axis, keepdims=True, where=where)
    if variance is None and algorithm == "stable":
        variance = xnp.var(x, axis, keepdims=True, where=where, mean=mean)
    elif variance is None:
        variance = xnp.mean(xnp.square(x), axis, keepdims=True, where=where) - xnp.square(mean)
        # Rounding can make it negative.
        variance = xnp.where(variance < 0, 0, variance)
    return (x - mean) * lax.rsqrt(_inexact(variance) + epsilon)


def one_hot(x: Any, num_classes: int, *, dtype: Any = None, axis: int = -1) -> Any:
    """Vectors that are 1 at an index, elsewhere 0; all 0 for an index outside.

    Args:
        x: indices, of any shape.
        num_classes: the length of the vectors, known while tracing.
        dtype: the dtype of the result; by default float32, or float64 with x64 on.
        axis: the place of the new axis in the result.

    Raises:
        AxisError: no such place.

    >>> import xform.numpy as xnp
    >>> one_hot(xnp.array([0, 2, 3]), 3)
    Array([[1., 0., 0.],
           [0., 0., 1.],
           [0., 0., 0.]], dtype=float32)
    """
    x = xnp.asarray(x)
    count = static_int(num_classes, "num_classes")
    rank = aval_of(x).ndim + 1
    if not -rank <= axis < rank:
        raise AxisError(f"expected an axis from {-rank} to {rank - 1} for one_hot", str(axis))
    lengths = [1] * rank
    lengths[axis] = count
    matches = xnp.expand_dims(x, axis) == xnp.arange(count).reshape(lengths)
    return xnp.astype(matches, scalar_dtype(float) if dtype is None else user_dtype(dtype))
