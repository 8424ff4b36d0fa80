"""Derivatives of one's own, and the values that their rules meet, as in `jax.custom_derivatives`.

>>> import xform, xform.numpy as xnp
>>> from xform.custom_derivatives import SymbolicZero
>>> @xform.custom_jvp
... def scaled(x, y):
...     return x * y
>>> def rule(primals, tangents):
...     print([type(t) is SymbolicZero for t in tangents])
...     return scaled(*primals), tangents[0] * primals[1]
>>> _ = scaled.defjvp(rule, symbolic_zeros=True)
>>> float(xform.grad(scaled)(2.0, 3.0))
[False, True]
3.0
"""

from __future__ import annotations

from .api.custom import (
    CustomVJPPrimal,
    closure_convert,
    custom_gradient,
    custom_jvp,
    custom_vjp,
)
from .core.primitive import Zero as SymbolicZero

__all__ = [
    "CustomVJPPrimal",
    "SymbolicZero",
    "closure_convert",
    "custom_gradient",
    "custom_jvp",
    "custom_vjp",
]
