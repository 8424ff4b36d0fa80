"""Operators of your own: a row that the transformations and the compiler treat like xform's.

A row says everything about an operator: types, eager evaluation, derivative, batching, and what it
is to the compiler. `Opaque()` calls `impl` back from compiled code; `Map("name")` is a formula of
`kernels.scalar`.

>>> import numpy as np, xform, xform.numpy as xnp
>>> from xform import extend
>>> from xform.core.primitive import elementwise
>>> softsign = extend.Primitive(
...     name="softsign",
...     params=(),
...     abstract_eval=lambda x: x,
...     impl=lambda x: x / (1 + np.abs(x)),
...     jvp=(lambda t, y, x: t * (1 - abs(y)) ** 2,),
...     transpose=extend.Absent("not linear"),
...     batch=elementwise,
...     lower=extend.Opaque(),
... )
>>> float(xform.jit(xform.grad(softsign))(1.0))
0.25
"""

from __future__ import annotations

from .core.avals import ShapedArray
from .core.loops import Generate, Map, Opaque, Piece, Reduce, Scan, Update, View
from .core.primitive import (
    Absent,
    Custom,
    Domain,
    LinearInput,
    Primitive,
    Zero,
    along_axis,
    constant,
    elementwise,
    linear,
    multilinear,
)

__all__ = [
    "Absent",
    "Custom",
    "Domain",
    "Generate",
    "LinearInput",
    "Map",
    "Opaque",
    "Piece",
    "Primitive",
    "Reduce",
    "Scan",
    "ShapedArray",
    "Update",
    "View",
    "Zero",
    "along_axis",
    "constant",
    "elementwise",
    "linear",
    "multilinear",
]
