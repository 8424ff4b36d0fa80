"""The transformations, one file per subject."""

from __future__ import annotations

from .callbacks import io_callback, pure_callback
from .checkpointing import checkpoint
from .custom import closure_convert, custom_gradient, custom_jvp, custom_vjp
from .differentiation import grad, jvp, linearize, value_and_grad, vjp
from .explanation import explain
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
    named_call,
    named_scope,
)
from .transposition import fwd_and_bwd, linear_transpose

__all__ = [
    "ShapeDtypeStruct",
    "block_until_ready",
    "checkpoint",
    "closure_convert",
    "custom_gradient",
    "custom_jvp",
    "custom_vjp",
    "device_get",
    "device_put",
    "device_put_replicated",
    "device_put_sharded",
    "disable_jit",
    "enable_x64",
    "eval_shape",
    "explain",
    "fwd_and_bwd",
    "grad",
    "hessian",
    "io_callback",
    "jacfwd",
    "jacrev",
    "jit",
    "jvp",
    "linear_transpose",
    "linearize",
    "make_jaxpr",
    "named_call",
    "named_scope",
    "pmap",
    "pure_callback",
    "shard_map",
    "value_and_grad",
    "vjp",
    "vmap",
]
