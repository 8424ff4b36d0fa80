"""Checkpoints and what belongs to them, as in `jax.ad_checkpoint`.

>>> import xform, xform.numpy as xnp
>>> from xform.ad_checkpoint import checkpoint_name, checkpoint_policies
>>> keep_hidden = checkpoint_policies.save_only_these_names("hidden")
>>> @xform.checkpoint(policy=keep_hidden)
... def f(x):
...     return xnp.sin(checkpoint_name(xnp.exp(x), "hidden"))
>>> xform.ad_checkpoint.print_saved_residuals(f, 1.0)
f32[]* from the argument x
f32[]* named 'hidden' at <doctest xform.ad_checkpoint...>:3: return xnp.sin(...
"""

from __future__ import annotations

from . import checkpoint_policies
from .api.checkpointing import checkpoint, checkpoint_name, print_saved_residuals

__all__ = ["checkpoint", "checkpoint_name", "checkpoint_policies", "print_saved_residuals"]
