"""Python functions within programs: pure_callback, io_callback."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import errors, tree
from ..core.avals import ShapedArray
from ..core.source import name_of
from ..ops import callback as rows
from .flat import as_array, canonical
from .inspection import describe


def pure_callback(
    callback: Callable[..., Any],
    result_shape_dtypes: Any,
    *args: Any,
    sharding: Any = None,
    vmap_method: str | None = None,
    **kwargs: Any,
) -> Any:
    """The result of a Python function without side effects, as part of a program.

    It is called when the program runs, as often as the program needs: not at all if nothing uses
    the result. It has no derivative; `custom_jvp` and `custom_vjp` give it one.

    Args:
        callback: a function of NumPy arrays that returns arrays of the promised types.
        result_shape_dtypes: a pytree of arrays or `ShapeDtypeStruct`s like the result.
        *args, **kwargs: pytrees of arrays.
        sharding: accepted for JAX's signature.
        vmap_method: what `vmap` does. None, "sequential", "sequential_unrolled": one call for each
            element. Otherwise one call with a leading axis on the mapped arguments, and on the
            others: "expand_dims" one of size 1, "broadcast_all" one of full size,
            "legacy_vectorized" none.

    Raises:
        ShapeError: when it runs, if the result is not as promised. AbsentRuleError: when it is
            differentiated. ArgumentError: another `vmap_method`.

    >>> import numpy as np, xform
    >>> like = xform.ShapeDtypeStruct((), "float32")
    >>> f = xform.jit(lambda x: pure_callback(np.cbrt, like, x) + 1)
    >>> float(f(8.0))
    3.0
    """
    if vmap_method is not None and vmap_method not in rows.VMAP_METHODS:
        raise errors.ArgumentError(
            f"expected vmap_method: None or one of {', '.join(rows.VMAP_METHODS)}",
            repr(vmap_method),
        )
    return _bound(rows.pure_callback, callback, result_shape_dtypes, args, kwargs,
                  vmap_method=vmap_method)  # fmt: skip


def io_callback(
    callback: Callable[..., Any],
    result_shape_dtypes: Any,
    *args: Any,
    sharding: Any = None,
    ordered: bool = False,
    **kwargs: Any,
) -> Any:
    """The result of a Python function with side effects, as part of a program.

    It is called exactly once each time the program comes to it, in the order of the program, also
    if nothing uses the result. Under `vmap` it is called for each element.

    Args:
        callback: a function of NumPy arrays that returns arrays of the promised types.
        result_shape_dtypes: a pytree of arrays or `ShapeDtypeStruct`s like the result; None for no
            result.
        *args, **kwargs: pytrees of arrays.
        sharding: accepted for JAX's signature.
        ordered: accepted for JAX's signature; callbacks always run in the order of the program.

    Raises:
        ShapeError: when it runs, if the result is not as promised. AbsentRuleError: when it is
            differentiated.

    >>> import numpy as np, xform
    >>> counter = iter(range(10))
    >>> like = xform.ShapeDtypeStruct((), "int32")
    >>> f = xform.jit(lambda: io_callback(lambda: np.int32(next(counter)), like))
    >>> int(f()), int(f())
    (0, 1)
    """
    return _bound(rows.io_callback, callback, result_shape_dtypes, args, kwargs)


def _bound(
    row: Any,
    callback: Callable[..., Any],
    like: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    **params: Any,
) -> Any:
    name = name_of(callback)
    leaves, structure = tree.flatten((args, kwargs))
    wanted, out_tree = tree.flatten(like)
    avals: tuple[ShapedArray, ...] = tuple(describe(x).strong() for x in wanted)

    def flat(*arrays: Any) -> list[Any]:
        positional, named = structure.unflatten(arrays)
        results, found = tree.flatten(callback(*positional, **named))
        if found != out_tree:
            raise errors.TreeError(
                f"expected {name} to return the structure it promised: {out_tree}", f"{found}"
            )
        return [np.asarray(y) for y in results]

    flat.__name__ = name
    inputs = [as_array(canonical(x)) for x in leaves]
    return out_tree.unflatten(row(*inputs, callback=flat, avals=avals, **params))
