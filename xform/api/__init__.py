"""The transformations, one file per subject."""

from __future__ import annotations

from .custom import checkpoint, custom_jvp, custom_vjp
from .differentiation import grad, jvp, linearize, value_and_grad, vjp
from .inspection import ShapeDtypeStruct, eval_shape, make_jaxpr
from .jacobians import hessian, jacfwd, jacrev
from .jit import jit
from .mapping import vmap
from .parallel import pmap
from .placement import device_put, device_put_replicated, device_put_sharded
from .shard_map import shard_map
from .surroundings import (
    block_until_ready,
    device_get,
    disable_jit,
    enable_x64,
)

__all__ = [
    "ShapeDtypeStruct",
    "block_until_ready",
    "checkpoint",
    "custom_jvp",
    "custom_vjp",
    "device_get",
    "device_put",
    "device_put_replicated",
    "device_put_sharded",
    "disable_jit",
    "enable_x64",
    "eval_shape",
    "grad",
    "hessian",
    "jacfwd",
    "jacrev",
    "jit",
    "jvp",
    "linearize",
    "make_jaxpr",
    "pmap",
    "shard_map",
    "value_and_grad",
    "vjp",
    "vmap",
]
