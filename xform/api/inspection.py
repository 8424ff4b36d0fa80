"""Programs without running them: make_jaxpr, eval_shape, ShapeDtypeStruct."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import tree
from ..core import dtypes
from ..core.avals import ShapedArray
from ..core.trace import BASE, Tracer, aval_of
from ..interpreters.staging import stage
from .flat import FlatFunction, argument_names, name_of, normalize_argnums


class ShapeDtypeStruct:
    """The shape and dtype of an array without its numbers.

    >>> import xform
    >>> xform.ShapeDtypeStruct((2, 3), "float32")
    ShapeDtypeStruct(shape=(2, 3), dtype=float32)
    """

    __slots__ = ("dtype", "shape", "weak_type")

    def __init__(
        self, shape: Sequence[int], dtype: Any, *, sharding: Any = None, weak_type: bool = False
    ) -> None:
        self.shape = tuple(int(d) for d in shape)
        self.dtype = np.dtype(dtypes.check_user_dtype(dtype))
        self.weak_type = weak_type

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return ShapedArray(self.shape, self.dtype).size

    def __len__(self) -> int:
        return len(ShapedArray(self.shape, self.dtype))

    def __repr__(self) -> str:
        weak = ", weak_type=True" if self.weak_type else ""
        return f"ShapeDtypeStruct(shape={self.shape}, dtype={self.dtype}{weak})"

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, ShapeDtypeStruct)
            and hash(self) == hash(other)
            and (
                self.shape,
                self.dtype,
                self.weak_type,
            )
            == (other.shape, other.dtype, other.weak_type)
        )

    def __hash__(self) -> int:
        return hash((self.shape, self.dtype, self.weak_type))


def describe(x: Any) -> ShapedArray:
    """The aval of an argument given as a value or as anything with a shape and a dtype."""
    if isinstance(x, Tracer | np.ndarray | np.generic) or type(x) is BASE.array_type:
        return aval_of(x)
    if hasattr(x, "shape") and hasattr(x, "dtype"):
        return ShapedArray(tuple(x.shape), np.dtype(x.dtype), bool(getattr(x, "weak_type", False)))
    return aval_of(x)


def make_jaxpr(
    fun: Callable[..., Any],
    static_argnums: int | Sequence[int] = (),
    return_shape: bool = False,
) -> Callable[..., Any]:
    """A function that returns the program of `fun` for its arguments, without running it.

    Args:
        fun: any function of arrays.
        static_argnums: positional arguments that are Python values known while tracing.
        return_shape: whether to return also the structure of the output, as `ShapeDtypeStruct`s.

    >>> import xform
    >>> xform.make_jaxpr(lambda x: x + x)(1.0)
    { lambda ; a:f32[]*. let
        b:f32[]* = add a a
      in (b,) }
    """

    @functools.wraps(fun)
    def program_of(*args: Any, **kwargs: Any) -> Any:
        static = normalize_argnums(static_argnums, len(args), "static_argnums")
        dynamic = [n for n in range(len(args)) if n not in static]

        def of_dynamic(*given: Any, **named: Any) -> Any:
            full = list(args)
            for n, x in zip(dynamic, given, strict=True):
                full[n] = x
            return fun(*full, **named)

        leaves, in_tree = tree.flatten((tuple(args[n] for n in dynamic), kwargs))
        flat = FlatFunction(of_dynamic, in_tree, takes_kwargs=True)
        names = argument_names(fun, args, kwargs) if not static else None
        program = stage(flat, [describe(x) for x in leaves], name_of(fun), names)
        if not return_shape:
            return program
        shapes = [
            ShapeDtypeStruct(a.shape, a.dtype, weak_type=a.weak_type) for a in program.out_avals
        ]
        return program, flat.value(shapes)

    return program_of


def eval_shape(fun: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """What `fun(*args, **kwargs)` returns, with a `ShapeDtypeStruct` for each array; nothing runs.

    >>> import xform, xform.numpy as xnp
    >>> xform.eval_shape(xnp.matmul, xform.ShapeDtypeStruct((2, 3), "float32"),
    ...                  xform.ShapeDtypeStruct((3, 4), "float32"))
    ShapeDtypeStruct(shape=(2, 4), dtype=float32)
    """
    return make_jaxpr(fun, return_shape=True)(*args, **kwargs)[1]
