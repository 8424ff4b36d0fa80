"""Activations: functions of each element, and the gated linear unit."""

from __future__ import annotations

import math
from typing import Any

from ..errors import ShapeError
from ..lax.elementwise import erfc, logistic
from ..numpy import operators as ops
from ..numpy.creation import asarray
from ..numpy.pointwise import clip
from ..numpy.promotion import canonical_axis, inexact_operand
from ..numpy.rearranging import split
from ..numpy.searching import where
from ..numpy.ufuncs import (
    abs as magnitude,
    add,
    cos,
    divide,
    exp,
    expm1,
    log,
    log1p,
    logaddexp,
    maximum,
    minimum,
    multiply,
    negative,
    sin,
    sqrt,
    square,
    subtract,
    tanh,
)
from .derivatives import custom_derivative

# The parameters for which activations of mean 0 and variance 1 keep them; from the paper.
_SELU_ALPHA = 1.6732632423543772848170429916717
_SELU_SCALE = 1.0507009873554804934193349852946


def identity(x: Any) -> Any:
    """The array itself.

    >>> identity(2.0)
    Array(2., dtype=float32, weak_type=True)
    """
    return asarray(x)


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
    return _relu(asarray(x))


@custom_derivative(lambda t, y, x: where(x > 0, t, 0))
def _relu(x: Any) -> Any:
    return maximum(x, 0)


def relu6(x: Any) -> Any:
    """min(max(x, 0), 6), with derivative 0 at 0 and at 6.

    Args:
        x: real numbers.

    >>> import xform.numpy as xnp
    >>> relu6(xnp.array([-1.0, 2.0, 8.0]))
    Array([0., 2., 6.], dtype=float32)
    """
    return _relu6(inexact_operand(x))


@custom_derivative(lambda t, y, x: where((x > 0) & (x < 6), t, 0))
def _relu6(x: Any) -> Any:
    return minimum(maximum(x, 0), 6)


def leaky_relu(x: Any, negative_slope: Any = 0.01) -> Any:
    """`x` where it is 0 or more, elsewhere `negative_slope * x`; the derivative at 0 is 1.

    Args:
        x: real numbers.
        negative_slope: the derivative below 0.

    >>> import xform.numpy as xnp
    >>> leaky_relu(xnp.array([-2.0, 3.0]))
    Array([-0.02,  3.  ], dtype=float32)
    """
    x = inexact_operand(x)
    return where(ops.ge(x, _zero(x)), x, multiply(negative_slope, x))


def _zero(x: Any) -> Any:
    return multiply(x, 0)
