"""How weights begin: functions `initializer(key, shape, dtype)` of a random key.

Those for layers scale with how many numbers go in or out ("fan"), so that the variance of
activations or gradients stays near 1 through many layers.

>>> from xform import random
>>> from xform.nn import initializers
>>> initializers.he_normal()(random.key(0), (784, 512)).shape
(784, 512)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from .. import numpy as xnp, random
from ..core import dtypes
from ..errors import ArgumentError, DtypeError, ShapeError
from ..numpy.promotion import canonical_axes, canonical_shape

__all__ = [
    "Initializer",
    "constant",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "kaiming_normal",
    "kaiming_uniform",
    "lecun_normal",
    "lecun_uniform",
    "normal",
    "ones",
    "truncated_normal",
    "uniform",
    "variance_scaling",
    "xavier_normal",
    "xavier_uniform",
    "zeros",
]

Axes = int | Sequence[int]


class Initializer(Protocol):
    """A function that makes an array of a shape from a random key."""

    def __call__(self, key: Any, shape: Any, dtype: Any = None) -> Any:
        """The array; without `dtype` in the one the initializer was made with."""
        ...


def _dtype(*given: Any) -> Any:
    """The first dtype that was given; by default that of Python's floats."""
    found = next((d for d in given if d is not None), None)
    if found is None:
        return dtypes.scalar_dtype(float)
    return np.dtype(dtypes.check_user_dtype(found))


def zeros(key: Any, shape: Any, dtype: Any = None) -> Any:
    """Zeros; the key is not used.

    >>> zeros(None, (2,))
    Array([0., 0.], dtype=float32)
    """
    return xnp.zeros(shape, _dtype(dtype))


def ones(key: Any, shape: Any, dtype: Any = None) -> Any:
    """Ones; the key is not used.

    >>> ones(None, (2,))
    Array([1., 1.], dtype=float32)
    """
    return xnp.ones(shape, _dtype(dtype))


def constant(value: Any, dtype: Any = None) -> Initializer:
    """An initializer that gives one value, or an array that broadcasts to the shape.

    >>> constant(0.5)(None, (2,))
    Array([0.5, 0.5], dtype=float32)
    """

    def init(key: Any, shape: Any, dtype: Any = dtype) -> Any:
        return xnp.full(shape, value, _dtype(dtype))

    return init


def uniform(scale: Any = 0.01, dtype: Any = None) -> Initializer:
    """An initializer with uniform numbers in [0, scale).

    >>> from xform.random import key
    >>> uniform(1.0)(key(0), (3,)).max() < 1
    Array(True, dtype=bool)
    """

    def init(key: Any, shape: Any, dtype: Any = dtype) -> Any:
        found = _dtype(dtype)
        return random.uniform(key, shape, found) * xnp.array(scale, found)

    return init


def normal(stddev: Any = 0.01, dtype: Any = None) -> Initializer:
    """An initializer with normal numbers of mean 0 and the given standard deviation.

    >>> from xform.random import key
    >>> normal()(key(0), (2, 3)).shape
    (2, 3)
    """

    def init(key: Any, shape: Any, dtype: Any = dtype) -> Any:
        found = _dtype(dtype)
        return random.normal(key, shape, found) * xnp.array(stddev, found)

    return init


def truncated_normal(
    stddev: Any = 0.01, dtype: Any = None, lower: Any = -2.0, upper: Any = 2.0
) -> Initializer:
    """An initializer with normal numbers limited to (lower, upper), then scaled by `stddev`.

    The limits make the standard deviation smaller: with the default ones it is 0.88 `stddev`.

    >>> from xform.random import key
    >>> abs(truncated_normal()(key(0), (100,))).max() < 0.02
    Array(True, dtype=bool)
    """

    def init(key: Any, shape: Any, dtype: Any = dtype) -> Any:
        found = _dtype(dtype)
        drawn = random.truncated_normal(key, lower, upper, canonical_shape(shape), found)
        return drawn * xnp.array(stddev, found)

    return init


def _fans(shape: tuple[int, ...], in_axis: Axes, out_axis: Axes, batch_axis: Axes) -> Any:
    """How many numbers feed one output, and how many outputs one number feeds."""
    if len(shape) < 2 and not isinstance(in_axis, Sequence):
        raise ShapeError(
            "expected weights with an axis of inputs and an axis of outputs",
            f"shape {shape}",
            instead="initializers.normal(stddev) for weights of one dimension",
        )
    sizes = []
    for axes in (in_axis, out_axis, batch_axis):
        found = canonical_axes(tuple(axes) if isinstance(axes, Sequence) else axes, len(shape))
        sizes.append(math.prod(shape[d] for d in found))
    inputs, outputs, batch = sizes
    # What is left is the receptive field of a convolution, which every output sees.
    field = math.prod(shape) / max(1, inputs * outputs * batch)
    return inputs * field, outputs * field


# The standard deviation of normal numbers limited to two standard deviations:
# sqrt(1 - 4 phi(2) / (2 Phi(2) - 1)), for the density phi and distribution function Phi.
_LIMITED = math.sqrt(1 - 4 * math.exp(-2) / math.sqrt(2 * math.pi) / math.erf(math.sqrt(2)))


def variance_scaling(
    scale: Any,
    mode: str,
    distribution: str,
    in_axis: Axes = -2,
    out_axis: Axes = -1,
    batch_axis: Axes = (),
    dtype: Any = None,
) -> Initializer:
    """An initializer with numbers of mean 0 and variance scale / fan.

    Args:
        scale: the variance of the sum of `fan` such numbers.
        mode: what the fan is: "fan_in", the numbers that feed an output; "fan_out", the outputs
            that a number feeds; "fan_avg", their mean; "fan_geo_avg", their geometric mean.
        distribution: "normal"; "truncated_normal", limited to two standard deviations of the
            distribution that is limited; or "uniform".
        in_axis, out_axis: the axes of inputs and of outputs; the remaining axes are the receptive
            field of a convolution and count in both fans.
        batch_axis: axes of independent weights, which count in neither.
        dtype: the dtype where the call gives none; by default float32, or float64 with x64 on.

    Raises:
        ArgumentError: another mode or distribution.
        ShapeError: when called with a shape of less than two dimensions.

    >>> from xform.random import key
    >>> variance_scaling(3.0, "fan_in", "uniform")(key(0), (9, 100)).max() < 1
    Array(True, dtype=bool)
    """
    if mode not in ("fan_in", "fan_out", "fan_avg", "fan_geo_avg"):
        raise ArgumentError(
            "expected mode 'fan_in', 'fan_out', 'fan_avg' or 'fan_geo_avg'", repr(mode)
        )
    if distribution not in ("truncated_normal", "normal", "uniform"):
        raise ArgumentError(
            "expected distribution 'truncated_normal', 'normal' or 'uniform'", repr(distribution)
        )

    def init(key: Any, shape: Any, dtype: Any = dtype) -> Any:
        found = _dtype(dtype)
        sizes = canonical_shape(shape)
        inputs, outputs = _fans(sizes, in_axis, out_axis, batch_axis)
        fan = {
            "fan_in": inputs,
            "fan_out": outputs,
            "fan_avg": (inputs + outputs) / 2,
            "fan_geo_avg": math.sqrt(inputs * outputs),
        }[mode]
        # Where there are no weights there is nothing to scale.
        variance = scale / max(fan, math.ulp(0.0)) if math.prod(sizes) else 0.0
        return _drawn(distribution, key, sizes, found, variance)

    return init


def _drawn(name: str, key: Any, shape: tuple[int, ...], dtype: Any, variance: float) -> Any:
    if name == "normal":
        return random.normal(key, shape, dtype) * xnp.array(math.sqrt(variance), dtype)
    if not dtypes.is_float(dtype):
        raise DtypeError(f"expected a floating dtype for the distribution {name!r}", str(dtype))
    if name == "uniform":
        limit = xnp.array(math.sqrt(3 * variance), dtype)
        return random.uniform(key, shape, dtype, -1) * limit
    stddev = xnp.array(math.sqrt(variance) / _LIMITED, dtype)
    return random.truncated_normal(key, -2, 2, shape, dtype) * stddev


def glorot_uniform(
    in_axis: Axes = -2, out_axis: Axes = -1, batch_axis: Axes = (), dtype: Any = None
) -> Initializer:
    """`variance_scaling(1, "fan_avg", "uniform")`, also called `xavier_uniform`.

    Source: Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural
    networks" (2010), equation 16.

    >>> from xform.random import key
    >>> glorot_uniform()(key(0), (3, 2)).shape
    (3, 2)
    """
    return variance_scaling(1.0, "fan_avg", "uniform", in_axis, out_axis, batch_axis, dtype)


def glorot_normal(
    in_axis: Axes = -2, out_axis: Axes = -1, batch_axis: Axes = (), dtype: Any = None
) -> Initializer:
    """`variance_scaling(1, "fan_avg", "truncated_normal")`, also called `xavier_normal`.

    >>> from xform.random import key
    >>> glorot_normal()(key(0), (3, 2)).shape
    (3, 2)
    """
    return variance_scaling(
        1.0, "fan_avg", "truncated_normal", in_axis, out_axis, batch_axis, dtype
    )


def lecun_uniform(
    in_axis: Axes = -2, out_axis: Axes = -1, batch_axis: Axes = (), dtype: Any = None
) -> Initializer:
    """`variance_scaling(1, "fan_in", "uniform")`.

    >>> from xform.random import key
    >>> lecun_uniform()(key(0), (3, 2)).shape
    (3, 2)
    """
    return variance_scaling(1.0, "fan_in", "uniform", in_axis, out_axis, batch_axis, dtype)


def lecun_normal(
    in_axis: Axes = -2, out_axis: Axes = -1, batch_axis: Axes = (), dtype: Any = None
) -> Initializer:
    """`variance_scaling(1, "fan_in", "truncated_normal")`.

    Source: LeCun et al., "Efficient BackProp" (1998), section 4.6.

    >>> from xform.random import key
    >>> lecun_normal()(key(0), (3, 2)).shape
    (3, 2)
    """
    return variance_scaling(1.0, "fan_in", "truncated_normal", in_axis, out_axis, batch_axis, dtype)


def he_uniform(
    in_axis: Axes = -2, out_axis: Axes = -1, batch_axis: Axes = (), dtype: Any = None
) -> Initializer:
    """`variance_scaling(2, "fan_in", "uniform")`, also called `kaiming_uniform`.

    >>> from xform.random import key
    >>> he_uniform()(key(0), (3, 2)).shape
    (3, 2)
    """
    return variance_scaling(2.0, "fan_in", "uniform", in_axis, out_axis, batch_axis, dtype)


def he_normal(
    in_axis: Axes = -2, out_axis: Axes = -1, batch_axis: Axes = (), dtype: Any = None
) -> Initializer:
    """`variance_scaling(2, "fan_in", "truncated_normal")`, also called `kaiming_normal`.

    Source: He et al., "Delving deep into rectifiers" (2015), equation 10: relu halves the variance.

    >>> from xform.random import key
    >>> he_normal()(key(0), (3, 2)).shape
    (3, 2)
    """
    return variance_scaling(2.0, "fan_in", "truncated_normal", in_axis, out_axis, batch_axis, dtype)


xavier_uniform = glorot_uniform
xavier_normal = glorot_normal
kaiming_uniform = he_uniform
kaiming_normal = he_normal
