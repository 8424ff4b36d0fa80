"""Looking into running programs and arrays: printing, calls of Python functions, drawings.

>>> import xform
>>> from xform import debug
>>> @xform.jit
... def f(x):
...     debug.print("x = {x}", x=x)
...     return x + 1
>>> y = f(2.0)
x = 2.0
"""

from __future__ import annotations

import builtins
import string
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from . import tree
from .core.jaxpr import Literal
from .core.source import name_of
from .core.trace import BASE, Tracer
from .errors import ArgumentError
from .numpy.promotion import operand
from .ops.callback import debug_callback
from .shard_drawing import visualize_array_sharding, visualize_sharding

__all__ = ["callback", "print", "visualize_array_sharding", "visualize_sharding"]


def callback(
    callback: Callable[..., Any],
    *args: Any,
    ordered: bool = False,
    partitioned: bool = False,
    **kwargs: Any,
) -> None:
    """Calls a Python function with the values of arguments whenever the program runs.

    Under `vmap` it is called for each element; under `grad` and `jvp` once, with the primal values.

    Args:
        callback: a function of NumPy arrays in place of the arrays; what it returns is not used.
        *args, **kwargs: pytrees; leaves that are no arrays are passed on as they are.
        ordered: accepted for JAX's signature; callbacks always run in the order of the program.
        partitioned: accepted for JAX's signature.

    >>> import xform
    >>> seen = []
    >>> f = xform.jit(lambda x: callback(lambda v: seen.append(float(v)), x) or x * 2)
    >>> _ = f(1.0), f(3.0)
    >>> seen
    [1.0, 3.0]
    """
    if not callable(callback):
        raise ArgumentError("expected a function to call", f"{type(callback).__name__}")
    leaves, structure = tree.flatten((args, kwargs))
    dynamic = [_is_array(x) for x in leaves]

    def flat(*arrays: Any) -> list[Any]:
        given = iter(arrays)
        full = [next(given) if d else x for x, d in zip(leaves, dynamic, strict=True)]
        positional, named = structure.unflatten(full)
        callback(*positional, **named)
        return []

    flat.__name__ = name_of(callback)
    debug_callback(*(operand(x) for x, d in zip(leaves, dynamic, strict=True) if d), callback=flat)


def _is_array(x: Any) -> bool:
    if isinstance(x, np.ndarray | np.generic):
        return x.dtype.kind not in "OSUMm"
    return isinstance(x, Tracer | Literal | bool | int | float | complex) or (
        type(x) is BASE.array_type
    )


class _Places(string.Formatter):
    """Formats nothing, but finds out which values a text has places for."""

    def __init__(self) -> None:
        self.used: set[Any] = set()

    def format_field(self, value: Any, format_spec: str) -> str:
        return ""

    def check_unused_args(
        self, used_args: Any, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> None:
        self.used = set(used_args)


def print(
    fmt: str, *args: Any, ordered: bool = False, partitioned: bool = False, **kwargs: Any
) -> None:
    """Prints values whenever the program runs.

    Args:
        fmt: a text with places for the values, as of `str.format`: `"x = {x:.3f}, {}"`.
        *args, **kwargs: the values, pytrees of arrays.
        ordered: accepted for JAX's signature; printing is always in the order of the program.
        partitioned: accepted for JAX's signature.

    Raises:
        ArgumentError: the text has a place without a value, or no place for one.

    >>> import xform, xform.numpy as xnp
    >>> y = xform.vmap(lambda x: print("x = {}", x) or x)(xnp.arange(2))
    x = 0
    x = 1
    """
    try:
        places = _Places()
        places.vformat(fmt, args, kwargs)
    except (IndexError, KeyError) as fault:
        raise ArgumentError(
            f"expected a value for every place in {fmt!r}",
            f"none for {fault}",
            instead='debug.print("x = {x}", x=x); write {{ and }} for braces',
        ) from fault

    unused = [str(k) for k in (*range(len(args)), *kwargs) if k not in places.used]
    if unused:
        raise ArgumentError(
            "expected a place in the text for every value to print",
            f"none for {', '.join(unused)}",
            instead='debug.print("x = {x}", x=x), without f in front of the text',
        )

    def show(*values: Any, **named: Any) -> None:
        builtins.print(fmt.format(*values, **named))

    callback(show, *args, ordered=ordered, **kwargs)
