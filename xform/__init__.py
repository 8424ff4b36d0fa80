"""xform: composable transformations of NumPy-style functions, compiled to native code.

>>> import xform, xform.numpy as xnp
>>> f = lambda x: xnp.sum(xnp.sin(x) ** 2)
>>> xform.grad(xform.jit(f))(xnp.zeros(3))
Array([0., 0., 0.], dtype=float32)
"""

from __future__ import annotations

import importlib
from typing import Any

from .api import (
    ShapeDtypeStruct,
    checkpoint,
    custom_jvp,
    custom_vjp,
    eval_shape,
    grad,
    hessian,
    jacfwd,
    jacrev,
    jit,
    jvp,
    linearize,
    make_jaxpr,
    value_and_grad,
    vjp,
    vmap,
)
from .config import config
from .runtime import eager as _eager  # noqa: F401 - hands the array type to the interpreters

__version__ = "0.1.0"

_SUBMODULES = (
    "errors",
    "lax",
    "nn",
    "numpy",
    "random",
    "tree",
    "tree_util",
)

remat = checkpoint

__all__ = [
    "ShapeDtypeStruct",
    "checkpoint",
    "config",
    "custom_jvp",
    "custom_vjp",
    "eval_shape",
    "grad",
    "hessian",
    "jacfwd",
    "jacrev",
    "jit",
    "jvp",
    "linearize",
    "make_jaxpr",
    "remat",
    "value_and_grad",
    "vjp",
    "vmap",
]


def __getattr__(name: str) -> Any:
    if name in _SUBMODULES:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_SUBMODULES])
