"""xform: composable transformations of NumPy-style functions, compiled to native code.

>>> import xform, xform.numpy as xnp
>>> f = lambda x: xnp.sum(xnp.sin(x) ** 2)
>>> xform.grad(xform.jit(f))(xnp.zeros(3))
Array([0., 0., 0.], dtype=float32)
"""

from __future__ import annotations

import importlib
from typing import Any

from . import numpy  # gives arrays and traced values their operators
from .api import (
    ShapeDtypeStruct,
    block_until_ready,
    checkpoint,
    closure_convert,
    custom_gradient,
    custom_jvp,
    custom_vjp,
    device_get,
    device_put,
    device_put_replicated,
    device_put_sharded,
    disable_jit,
    enable_x64,
    eval_shape,
    fwd_and_bwd,
    grad,
    hessian,
    io_callback,
    jacfwd,
    jacrev,
    jit,
    jvp,
    linear_transpose,
    linearize,
    make_jaxpr,
    named_call,
    named_scope,
    pmap,
    pure_callback,
    shard_map,
    value_and_grad,
    vjp,
    vmap,
)
from .config import config
from .core.dtypes import float0
from .runtime.array import Array
from .runtime.devices import (
    Device,
    default_backend,
    device_count,
    devices,
    local_device_count,
    local_devices,
    process_count,
    process_index,
)
from .runtime.sharding import NamedSharding, PartitionSpec as P, make_mesh
from .runtime.thread_pool import threads

__version__ = "0.1.0"

_SUBMODULES = (
    "ad_checkpoint",
    "checkpoint_policies",
    "custom_derivatives",
    "debug",
    "dtypes",
    "errors",
    "experimental",
    "extend",
    "lax",
    "nn",
    "random",
    "sharding",
    "tree",
    "tree_util",
)

remat = checkpoint
jacobian = jacrev

__all__ = [
    "Array",
    "Device",
    "NamedSharding",
    "P",
    "ShapeDtypeStruct",
    "block_until_ready",
    "checkpoint",
    "closure_convert",
    "config",
    "custom_gradient",
    "custom_jvp",
    "custom_vjp",
    "default_backend",
    "device_count",
    "device_get",
    "device_put",
    "device_put_replicated",
    "device_put_sharded",
    "devices",
    "disable_jit",
    "enable_x64",
    "eval_shape",
    "float0",
    "fwd_and_bwd",
    "grad",
    "hessian",
    "io_callback",
    "jacfwd",
    "jacobian",
    "jacrev",
    "jit",
    "jvp",
    "linear_transpose",
    "linearize",
    "local_device_count",
    "local_devices",
    "make_jaxpr",
    "make_mesh",
    "named_call",
    "named_scope",
    "numpy",
    "pmap",
    "process_count",
    "process_index",
    "pure_callback",
    "remat",
    "shard_map",
    "threads",
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
