"""Activations: functions of each element, and the gated linear unit."""

from __future__ import annotations

import math
from typing import Any

from .. import lax, numpy as xnp
from ..core.trace import aval_of
from ..errors import ShapeError
from ..numpy.promotion import canonical_axis, inexact_operand
from .derivatives import custom_derivative

# With these, sums of many activations keep mean 0 and variance 1: Klambauer et al.,
# "Self-normalizing neural networks" (2017), equation 14.
_SELU_ALPHA = 1.6732632423543772848170429916717
_SELU_SCALE = 1.0507009873554804934193349852946


def _inexact(x: Any) -> Any:
    """An array of floating-point numbers."""
    return inexact_operand(xnp.asarray(x))


def identity(x: Any) -> Any:
    """The array itself.

    >>> identity(2.0)
    Array(2., dtype=float32, weak_type=True)
    """
    return xnp.asarray(x)


# Linear pieces


def relu(x: Any) -> Any:
    """max(x, 0), with derivative 0 at 0.

    Args:
        x: real numbers.

    >>> import xform
    >>> relu(xform.numpy.array([-1.0, 0.0, 2.0]))
    Array([0., 0., 2.], dtype=float32)
    >>> float(xform.grad(relu)(0.0))
    0.0
    """
    return _relu(xnp.asarray(x))


@custom_derivative(lambda t, y, x: xnp.where(x > 0, t, 0))
def _relu(x: Any) -> Any:
    return xnp.maximum(x, 0)


def relu6(x: Any) -> Any:
    """min(max(x, 0), 6), with derivative 0 at 0 and at 6.

    Args:
        x: real numbers.

    >>> import xform.numpy as xnp
    >>> relu6(xnp.array([-1.0, 2.0, 8.0]))
    Array([0., 2., 6.], dtype=float32)
    """
    return _relu6(_inexact(x))


@custom_derivative(lambda t, y, x: xnp.where((x > 0) & (x < 6), t, 0))
def _relu6(x: Any) -> Any:
    return xnp.minimum(xnp.maximum(x, 0), 6)


def leaky_relu(x: Any, negative_slope: Any = 0.01) -> Any:
    """`x` where it is 0 or more, elsewhere `negative_slope * x`; the derivative at 0 is 1.

    Args:
        x: real numbers.
        negative_slope: the derivative below 0.

    >>> import xform.numpy as xnp
    >>> leaky_relu(xnp.array([-2.0, 3.0]))
    Array([-0.02,  3.  ], dtype=float32)
    """
    x = _inexact(x)
    return xnp.where(x >= 0, x, negative_slope * x)


def hard_tanh(x: Any) -> Any:
    """`x` limited to [-1, 1]; the derivative at the ends is 1.

    Args:
        x: real numbers.

    >>> import xform.numpy as xnp
    >>> hard_tanh(xnp.array([-2.0, 0.5, 2.0]))
    Array([-1. ,  0.5,  1. ], dtype=float32)
    """
    x = xnp.asarray(x)
    return xnp.where(x > 1, 1, xnp.where(x < -1, -1, x))


def hard_sigmoid(x: Any) -> Any:
    """relu6(x + 3) / 6.

    Args:
        x: real numbers.

    >>> import xform.numpy as xnp
    >>> hard_sigmoid(xnp.array([-4.0, 0.0, 4.0]))
    Array([0. , 0.5, 1. ], dtype=float32)
    """
    return relu6(_inexact(x) + 3) / 6


def hard_silu(x: Any) -> Any:
    """x hard_sigmoid(x), also called `hard_swish`.

    Args:
        x: real numbers.

    >>> import xform.numpy as xnp
    >>> hard_silu(xnp.array([-4.0, 0.0, 4.0]))
    Array([-0.,  0.,  4.], dtype=float32)
    """
    x = _inexact(x)
    return x * hard_sigmoid(x)


def sparse_plus(x: Any) -> Any:
    """0 up to -1, (x + 1)^2 / 4 from -1 to 1, `x` beyond.

    Args:
        x: real numbers.

    >>> import xform.numpy as xnp
    >>> sparse_plus(xnp.array([-2.0, 0.0, 2.0]))
    Array([0.  , 0.25, 2.  ], dtype=float32)
    """
    x = _inexact(x)
    return xnp.where(x <= -1, 0, xnp.where(x >= 1, x, (x + 1) ** 2 / 4))


def sparse_sigmoid(x: Any) -> Any:
    """(x + 1) / 2 limited to [0, 1]: the derivative of `sparse_plus`.

    Args:
        x: real numbers.

    >>> import xform.numpy as xnp
    >>> sparse_sigmoid(xnp.array([-2.0, 0.0, 2.0]))
    Array([0. , 0.5, 1. ], dtype=float32)
    """
    return xnp.clip(_inexact(x) + 1, 0, 2) / 2


# Smooth functions


def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x)).

    Args:
        x: real or complex numbers.

    >>> sigmoid(0.0)
    Array(0.5, dtype=float32, weak_type=True)
    """
    return lax.logistic(_inexact(x))


def log_sigmoid(x: Any) -> Any:
    """log(sigmoid(x)), without overflow.

    Args:
        x: real numbers.

    >>> import xform.numpy as xnp
    >>> log_sigmoid(xnp.array([-200.0, 200.0]))
    Array([-200.,   -0.], dtype=float32)
    """
    return -softplus(-_inexact(x))


def softplus(x: Any) -> Any:
    """log(1 + exp(x)), without overflow.

    Args:
        x: real numbers.

    >>> import xform.numpy as xnp
    >>> softplus(xnp.array([-200.0, 200.0]))
    Array([  0., 200.], dtype=float32)
    """
    return _softplus(_inexact(x))


@custom_derivative(lambda t, y, x: t * lax.logistic(x))
def _softplus(x: Any) -> Any:
    return xnp.maximum(x, 0) + xnp.log1p(xnp.exp(-xnp.abs(x)))


def squareplus(x: Any, b: Any = 4) -> Any:
    """(x + sqrt(x^2 + b)) / 2.

    Args:
        x: real numbers.
        b: how smooth the corner at 0 is: squareplus(0) = sqrt(b) / 2.

    >>> squareplus(0.0)
    Array(1., dtype=float32, weak_type=True)
    """
    x = _inexact(x)
    return (x + xnp.sqrt(x * x + b)) / 2


def soft_sign(x: Any) -> Any:
    """x / (1 + |x|).

    Args:
        x: real numbers.

    >>> import xform.numpy as xnp
    >>> soft_sign(xnp.array([-1.0, 3.0]))
    Array([-0.5 ,  0.75], dtype=float32)
    """
    x = _inexact(x)
    return x / (xnp.abs(x) + 1)


def silu(x: Any) -> Any:
    """x sigmoid(x), also called `swish`.

    Args:
        x: real numbers.

    >>> silu(0.0)
    Array(0., dtype=float32, weak_type=True)
    """
    x = _inexact(x)
    return x * lax.logistic(x)


def mish(x: Any) -> Any:
    """x tanh(softplus(x)).

    Args:
        x: real numbers.

    >>> mish(0.0)
    Array(0., dtype=float32, weak_type=True)
    """
    x = _inexact(x)
    return x * xnp.tanh(softplus(x))


def elu(x: Any, alpha: Any = 1.0) -> Any:
    """`x` above 0, elsewhere alpha (exp(x) - 1).

    Args:
        x: real numbers.
        alpha: minus the limit at -inf.

    >>> import xform.numpy as xnp
    >>> elu(xnp.array([-200.0, 2.0]))
    Array([-1.,  2.], dtype=float32)
    """
    x = _inexact(x)
    # The exponential sees no large argument: its derivative, times 0, would be NaN.
    return xnp.where(x > 0, x, alpha * xnp.expm1(xnp.where(x > 0, 0, x)))


def celu(x: Any, alpha: Any = 1.0) -> Any:
    """`x` above 0, elsewhere alpha (exp(x / alpha) - 1); continuously differentiable.

    Args:
        x: real numbers.
        alpha: minus the limit at -inf.

    >>> import xform.numpy as xnp
    >>> celu(xnp.array([-200.0, 2.0]), 0.5)
    Array([-0.5,  2. ], dtype=float32)
    """
    x = _inexact(x)
    return xnp.where(x > 0, x, alpha * xnp.expm1(xnp.where(x > 0, 0, x) / alpha))


def selu(x: Any) -> Any:
    """1.0507 elu(x, 1.6733): sums of such activations keep mean 0 and variance 1.

    Args:
        x: real numbers.

    Source: Klambauer et al., "Self-normalizing neural networks" (2017), equation 2.

    >>> import xform.numpy as xnp
    >>> selu(xnp.array([0.0, 1.0]))
    Array([0.      , 1.050701], dtype=float32)
    """
    return _SELU_SCALE * elu(x, _SELU_ALPHA)


def gelu(x: Any, approximate: bool = True) -> Any:
    """x P(X <= x) for a normal variable X.

    Args:
        x: real numbers.
        approximate: whether to take x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) / 2, which is
            within 0.0005; otherwise x erfc(-x / sqrt(2)) / 2, which is exact.

    Source: Hendrycks and Gimpel, "Gaussian error linear units" (2016), section 2.

    >>> import xform.numpy as xnp
    >>> gelu(xnp.array([-100.0, 0.0, 100.0]))
    Array([ -0.,   0., 100.], dtype=float32)
    """
    x = _inexact(x)
    if not approximate:
        return x * lax.erfc(x * -math.sqrt(0.5)) / 2
    inner = math.sqrt(2 / math.pi) * (x + 0.044715 * (x * x * x))
    return x * (0.5 * (1 + xnp.tanh(inner)))


def log1mexp(x: Any) -> Any:
    """log(1 - exp(-x)) for x > 0, accurate near 0 and for large x.

    Args:
        x: real numbers; NaN below 0.

    Source: Mächler, "Accurately computing log(1 - exp(-|a|))" (2012), equation 7.

    >>> import xform.numpy as xnp
    >>> log1mexp(xnp.log(2.0)) == xnp.log(0.5)
    Array(True, dtype=bool)
    """
    return _log1mexp(_inexact(x))


@custom_derivative(lambda t, y, x: t / xnp.expm1(x))
def _log1mexp(x: Any) -> Any:
    return xnp.where(x < math.log(2), xnp.log(-xnp.expm1(-x)), xnp.log1p(-xnp.exp(-x)))


def glu(x: Any, axis: int = -1) -> Any:
    """The first half of an array times the sigmoid of the second half.

    Args:
        x: real numbers, of even length along `axis`.
        axis: the axis to halve.

    Raises:
        ShapeError: the length is odd.

    >>> import xform.numpy as xnp
    >>> glu(xnp.array([1.0, 2.0, 0.0, 0.0]))
    Array([0.5, 1. ], dtype=float32)
    """
    x = _inexact(x)
    length = aval_of(x).shape[canonical_axis(axis, aval_of(x).ndim)]
    if length % 2:
        raise ShapeError(f"expected an even length along axis {axis} for glu", str(aval_of(x)))
    values, gates = xnp.split(x, 2, axis=axis)
    return values * lax.logistic(gates)


swish = silu
hard_swish = hard_silu
