"""What is around programs: scopes of options, waiting, moving values to and from the host."""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from .. import errors, tree
from ..config import config
from ..core import source
from ..core.trace import BASE, Tracer
from .flat import name_of


def disable_jit(disable: bool = True) -> AbstractContextManager[None]:
    """Runs jitted functions as plain Python within the block, for debugging.

    >>> import xform
    >>> f = xform.jit(lambda x: print(type(x).__name__) or x)
    >>> with xform.disable_jit():
    ...     _ = f(1.0)
    float
    """
    return config.scoped(disable_jit=disable)


def enable_x64(new_val: bool = True) -> AbstractContextManager[None]:
    """Gives new values NumPy's 64-bit dtypes within the block, in this thread.

    >>> import xform, xform.numpy as xnp
    >>> with xform.enable_x64():
    ...     print(xnp.arange(3).dtype, xnp.zeros(2).dtype)
    int64 float64
    """
    return config.scoped(enable_x64=new_val)


def named_scope(name: str) -> AbstractContextManager[Any]:
    """Names what is traced within the block, or in a function that it decorates.

    The name stands in front of the function's in the source of each equation. Names nest.

    >>> import xform
    >>> def f(x):
    ...     with xform.named_scope("loss"):
    ...         return x * x
    >>> xform.make_jaxpr(f)(1.0).eqns[0].source.function
    'loss/f'
    """
    if not isinstance(name, str):
        raise errors.ArgumentError("expected a name that is a string", repr(name))
    return source.scope(name)


def named_call(fun: Callable[..., Any], *, name: str | None = None) -> Callable[..., Any]:
    """`fun`, all of it within a `named_scope`: of its own name if none is given.

    >>> import xform
    >>> layer = xform.named_call(lambda x: x * x, name="layer")
    >>> xform.make_jaxpr(layer)(1.0).eqns[0].source.function
    'layer/<lambda>'
    """

    @functools.wraps(fun)
    def named(*args: Any, **kwargs: Any) -> Any:
        with named_scope(name_of(fun) if name is None else name):
            return fun(*args, **kwargs)

    return named


def block_until_ready(x: Any) -> Any:
    """Returns the pytree: on the CPU an array is ready when it is returned.

    >>> import xform
    >>> xform.block_until_ready({"a": 1.0})
    {'a': 1.0}
    """
    return x


def device_get(x: Any) -> Any:
    """A pytree of arrays as NumPy arrays, which share their memory and cannot be written.

    >>> import xform, xform.numpy as xnp
    >>> xform.device_get({"a": xnp.arange(3)})
    {'a': array([0, 1, 2], dtype=int32)}
    """

    def get(leaf: Any) -> Any:
        if type(leaf) is BASE.array_type:
            return BASE.view(leaf)
        return leaf if isinstance(leaf, Tracer) else np.asarray(leaf)

    return tree.map(get, x)
