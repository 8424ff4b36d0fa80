"""Functions of neural networks: activations, normalizations, and how weights begin.

Names, arguments, defaults and derivatives are those of `jax.nn`.

>>> import xform.numpy as xnp
>>> from xform import nn
>>> nn.softmax(xnp.array([1.0, 1.0, 1.0, 1.0]))
Array([0.25, 0.25, 0.25, 0.25], dtype=float32)
"""

from __future__ import annotations

from typing import NoReturn

from ..numpy.ufuncs import tanh
from . import initializers
from .activations import (
    celu,
    elu,
    gelu,
    glu,
    hard_sigmoid,
    hard_silu,
    hard_swish,
    hard_tanh,
    identity,
    leaky_relu,
    log1mexp,
    log_sigmoid,
    mish,
    relu,
    relu6,
    selu,
    sigmoid,
    silu,
    soft_sign,
    softplus,
    sparse_plus,
    sparse_sigmoid,
    squareplus,
    swish,
)
from .normalization import (
    log_softmax,
    logmeanexp,
    logsumexp,
    one_hot,
    softmax,
    standardize,
)

__all__ = [
    "celu",
    "elu",
    "gelu",
    "glu",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "identity",
    "initializers",
    "leaky_relu",
    "log1mexp",
    "log_sigmoid",
    "log_softmax",
    "logmeanexp",
    "logsumexp",
    "mish",
    "one_hot",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "soft_sign",
    "softmax",
    "softplus",
    "sparse_plus",
    "sparse_sigmoid",
    "squareplus",
    "standardize",
    "swish",
    "tanh",
]

# Names of jax.nn that later releases bring.
_AWAITED = frozenset(
    [
        "dot_product_attention",
        "get_scaled_dot_general_config",
        "scaled_dot_general",
        "scaled_matmul",
    ]
)


def __getattr__(name: str) -> NoReturn:
    if name in _AWAITED:
        raise AttributeError(f"xform.nn.{name} is not available yet")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
