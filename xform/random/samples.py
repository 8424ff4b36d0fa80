"""Samples of continuous distributions, by the inverse of the distribution function."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core import dtypes
from ..errors import ArgumentError, DtypeError
from ..lax.elementwise import (
    abs as magnitude,
    add,
    div,
    erf,
    erf_inv,
    log,
    log1p,
    mul,
    neg,
    nextafter,
    sign,
    stop_gradient,
    sub,
    tan,
)
from ..lax.logic import clamp, complex as complex_, ge
from ..lax.shaping import convert_element_type, select, squeeze
from ..lax.slicing import slice_in_dim
from ..numpy.promotion import broadcast, canonical_shape, is_python_scalar
from .drawing import between, constant, real_dtype, sample_shape, unit
from .keys import halves, single


def _just_above(value: float, dtype: np.dtype[Any]) -> Any:
    """The number of a dtype next to `value` on the way to 0."""
    return np.nextafter(np.asarray(value, dtype), np.asarray(0.0, dtype))


def normal(key: Any, shape: Sequence[int] | int = (), dtype: Any = None) -> Any:
    """Numbers of the normal distribution with mean 0 and variance 1.

    Args:
        key: a single key.
        shape: the shape of the result.
        dtype: a floating dtype, by default float32 or with x64 float64; or a complex one, for which
            the real and imaginary parts each have variance 1/2.

    Returns:
        sqrt(2) erf_inv(u) of uniform u between -1 and 1.

    >>> from xform.random import key
    >>> [f"{x:.4f}" for x in normal(key(0), (2,)).tolist()]
    ['1.6226', '2.0253']
    """
    data = single("normal", key)
    wanted = dtypes.check_user_dtype(float if dtype is None else dtype)
    sizes = canonical_shape(shape)
    if not dtypes.is_complex(wanted):
        if not dtypes.is_float(wanted):
            raise DtypeError("expected a floating or complex dtype for normal", str(wanted))
        return _normal(data, sizes, wanted)
    parts = dtypes.real_dtype(wanted)
    pair = complex_(*(_normal(half, sizes, parts) for half in halves(data)))
    return div(pair, constant(math.sqrt(2), wanted))


def _normal(data: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Any:
    low = _just_above(-1.0, dtype)
    drawn = between(data, shape, dtype, low, np.asarray(1.0, dtype))
    return mul(constant(math.sqrt(2), dtype), erf_inv(drawn))


def truncated_normal(
    key: Any, lower: Any, upper: Any, shape: Sequence[int] | int | None = None, dtype: Any = None
) -> Any:
    """Numbers of the normal distribution between two bounds, without them.

    Args:
        key: a single key.
        lower, upper: numbers, or arrays that broadcast to the shape.
        shape: the shape of the result; by default that of the bounds.
        dtype: a floating dtype; by default float32, or float64 with x64 on.

    >>> from xform.random import key
    >>> [f"{x:.4f}" for x in truncated_normal(key(0), -2, 2, (2,)).tolist()]
    ['1.4560', '1.7147']
    """
    found = real_dtype("truncated_normal", dtype)
    sizes = sample_shape("truncated_normal", shape, lower, upper)
    root = constant(math.sqrt(2), found)
    low, high = (
        constant(float(v), found) if is_python_scalar(v) else convert_element_type(v, found)
        for v in (lower, upper)
    )
    ends = [erf(div(v, root)) for v in (low, high)]
    drawn = between(single("truncated_normal", key), sizes, found, *ends)
    out = mul(root, erf_inv(drawn))
    # Rounding must not lead out of the open interval.
    least = nextafter(stop_gradient(low), constant(np.inf, found))
    most = nextafter(stop_gradient(high), constant(-np.inf, found))
    return clamp(broadcast(least, sizes), out, broadcast(most, sizes))


def exponential(key: Any, shape: Sequence[int] | int = (), dtype: Any = None) -> Any:
    """Numbers of the exponential distribution with mean 1.

    Args:
        key: a single key.
        shape: the shape of the result.
        dtype: a floating dtype; by default float32, or float64 with x64 on.

    >>> from xform.random import key
    >>> [f"{x:.4f}" for x in exponential(key(0), (2,)).tolist()]
    ['2.9501', '3.8434']
    """
    found = real_dtype("exponential", dtype)
    drawn = unit(single("exponential", key), canonical_shape(shape), found)
    return neg(log1p(neg(drawn)))


def gumbel(
    key: Any, shape: Sequence[int] | int = (), dtype: Any = None, mode: str | None = None
) -> Any:
    """Numbers of the standard Gumbel distribution, with distribution function exp(-exp(-x)).

    Args:
        key: a single key.
        shape: the shape of the result.
        dtype: a floating dtype; by default float32, or float64 with x64 on.
        mode: "low", the default, draws one uniform number for each; "high" draws two, and reaches
            further into the tail.

    >>> from xform.random import key
    >>> [f"{x:.4f}" for x in gumbel(key(0), (2,)).tolist()]
    ['2.9234', '3.8326']
    """
    found = real_dtype("gumbel", dtype)
    sizes = canonical_shape(shape)
    data = single("gumbel", key)
    limits = dtypes.finfo(found)
    if mode in (None, "low"):
        tiny = np.asarray(limits.tiny, found)
        drawn = between(data, sizes, found, tiny, np.asarray(1.0, found))
        return neg(log(neg(log(drawn))))
    if mode != "high":
        raise ArgumentError("expected mode 'low' or 'high' for gumbel", repr(mode))
    pair = unit(data, (2, *sizes), found)
    high, low = (squeeze(slice_in_dim(pair, k, k + 1), (0,)) for k in range(2))
    # Below one half there are bits left for what the first number cannot say.
    fine = add(mul(low, 2.0**-limits.nmant), float(limits.tiny))
    return neg(log(neg(log1p(neg(select(ge(high, 0.5), high, add(high, fine)))))))


def laplace(key: Any, shape: Sequence[int] | int = (), dtype: Any = None) -> Any:
    """Numbers of the Laplace distribution with mean 0 and scale 1.

    Args:
        key: a single key.
        shape: the shape of the result.
        dtype: a floating dtype; by default float32, or float64 with x64 on.

    >>> from xform.random import key
    >>> [f"{x:.4f}" for x in laplace(key(0), (2,)).tolist()]
    ['-2.2570', '-3.1503']
    """
    found = real_dtype("laplace", dtype)
    data = single("laplace", key)
    low = np.asarray(-1.0 + float(dtypes.finfo(found).epsneg), found)
    drawn = between(data, canonical_shape(shape), found, low, np.asarray(1.0, found))
    return mul(sign(drawn), log1p(neg(magnitude(drawn))))


def logistic(key: Any, shape: Sequence[int] | int = (), dtype: Any = None) -> Any:
    """Numbers of the logistic distribution with mean 0 and scale 1.

    Args:
        key: a single key.
        shape: the shape of the result.
        dtype: a floating dtype; by default float32, or float64 with x64 on.

    >>> from xform.random import key
    >>> [f"{x:.4f}" for x in logistic(key(0), (2,)).tolist()]
    ['2.8964', '3.8218']
    """
    found = real_dtype("logistic", dtype)
    data = single("logistic", key)
    tiny = np.asarray(dtypes.finfo(found).tiny, found)
    drawn = between(data, canonical_shape(shape), found, tiny, np.asarray(1.0, found))
    return sub(log(drawn), log1p(neg(drawn)))


def cauchy(key: Any, shape: Sequence[int] | int = (), dtype: Any = None) -> Any:
    """Numbers of the Cauchy distribution with median 0 and scale 1.

    Args:
        key: a single key.
        shape: the shape of the result.
        dtype: a floating dtype; by default float32, or float64 with x64 on.

    >>> from xform.random import key
    >>> [f"{x:.4f}" for x in cauchy(key(0), (2,)).tolist()]
    ['6.0275', '14.8379']
    """
    found = real_dtype("cauchy", dtype)
    data = single("cauchy", key)
    least = np.asarray(dtypes.finfo(found).eps, found)
    drawn = between(data, canonical_shape(shape), found, least, np.asarray(1.0, found))
    return tan(mul(constant(math.pi, found), sub(drawn, 0.5)))
