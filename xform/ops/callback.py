"""Calls of Python functions from programs.

A callback is a function of NumPy arrays that returns a list of NumPy arrays, of the types that the
parameter `avals` names. Under a batch it is called for one element after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import errors
from ..core.avals import ShapedArray
from ..core.effects import Effect
from ..core.loops import Opaque
from ..core.primitive import Absent, Custom, Domain, Primitive, define
from .structural import broadcast_in_dim, moveaxis

Array = np.ndarray[Any, Any]
Callback = Callable[..., Sequence[Any]]

HOST = frozenset([Effect("host")])

_NO_DERIVATIVE = Absent(
    "the derivative of a Python function is not known: give the function that calls it one with "
    "xform.custom_jvp or xform.custom_vjp, or keep its arguments constant with lax.stop_gradient"
)
_NOT_LINEAR = Absent("a Python function is not known to be linear")


def _called(callback: Callback, arrays: Sequence[Any], avals: Sequence[ShapedArray]) -> list[Array]:
    # Copies: compiled code uses the memory of its values again.
    results = callback(*(np.array(x) for x in arrays))
    return [_checked(y, a, callback) for y, a in zip(results, avals, strict=True)]


def _checked(y: Any, aval: ShapedArray, callback: Callback) -> Array:
    array = np.asarray(y)
    if array.shape != aval.shape or not np.can_cast(array.dtype, aval.dtype, "same_kind"):
        raise errors.ShapeError(
            f"expected {getattr(callback, '__name__', 'the callback')} to return an array of the "
            f"type it promised: {aval}",
            f"shape {array.shape}, dtype {array.dtype}",
            instead="result_shape_dtypes=xform.ShapeDtypeStruct(shape, dtype) of what it returns",
        )
    return array.astype(aval.dtype)


def _element(
    callback: Callback, size: int, mapped: Sequence[bool], avals: Sequence[ShapedArray]
) -> Callback:
    """The callback called for each element of the mapped arguments; results are stacked."""

    def each(*arrays: Array) -> list[Array]:
        outs = [np.empty((size, *a.shape), a.dtype) for a in avals]
        for k in range(size):
            args = [np.asarray(x[k]) if m else x for x, m in zip(arrays, mapped, strict=True)]
            for out, y in zip(outs, callback(*args), strict=True):
                out[k] = _checked(y, out_aval(out), callback)
        return outs

    def out_aval(out: Array) -> ShapedArray:
        return ShapedArray(out.shape[1:], out.dtype)

    each.__name__ = getattr(callback, "__name__", "callback")
    return each


def _grown(size: int, avals: Sequence[ShapedArray]) -> tuple[ShapedArray, ...]:
    return tuple(a.update(shape=(size, *a.shape)) for a in avals)


def _fronted(inputs: Sequence[Any], dims: Sequence[int | None]) -> list[Any]:
    return [x if d is None else moveaxis(x, d, 0) for x, d in zip(inputs, dims, strict=True)]


# -- debug_callback --------------------------------------------------------------------------------


def _debug_jvp(
    primals: Sequence[Any], tangents: Sequence[Any], **params: Any
) -> tuple[list[Any], list[Any]]:
    debug_callback(*primals, **params)
    return [], []


def _debug_batch(
    size: int, inputs: Sequence[Any], dims: Sequence[int | None], *, callback: Callback
) -> tuple[list[Any], list[int | None]]:
    each = _element(callback, size, [d is not None for d in dims], ())
    return debug_callback(*_fronted(inputs, dims), callback=each), []


def _draw_debug(rng: Any, dtype: Any) -> Any:
    return [rng.uniform(-2, 2, (3,)).astype(dtype)], {"callback": lambda x: []}


debug_callback: Primitive = define(
    "debug_callback",
    params=("callback",),
    abstract_eval=lambda *avals, callback: [],
    impl=lambda *arrays, callback: _called(callback, arrays, ()),
    jvp=Custom(_debug_jvp),
    transpose=Absent("a callback for debugging was given a tangent; give it the primal value only"),
    batch=_debug_batch,
    lower=Opaque(),
    multiple_results=True,
    effects=HOST,
    domain=Domain(draw=_draw_debug),
)


# -- pure_callback and io_callback -----------------------------------------------------------------

VMAP_METHODS = ("sequential", "sequential_unrolled", "expand_dims", "broadcast_all",
                "legacy_vectorized")  # fmt: skip


def _pure_batch(
    size: int,
    inputs: Sequence[Any],
    dims: Sequence[int | None],
    *,
    callback: Callback,
    avals: tuple[ShapedArray, ...],
    vmap_method: str | None,
) -> tuple[list[Any], list[int | None]]:
    params: dict[str, Any] = {"avals": _grown(size, avals), "vmap_method": vmap_method}
    fronted = _fronted(inputs, dims)
    if vmap_method in (None, "sequential", "sequential_unrolled"):
        callback = _element(callback, size, [d is not None for d in dims], avals)
    elif vmap_method != "legacy_vectorized":
        length = 1 if vmap_method == "expand_dims" else size
        fronted = [
            _repeated(x, length) if d is None else x for x, d in zip(fronted, dims, strict=True)
        ]
    outs = pure_callback(*fronted, callback=callback, **params)
    return outs, [0] * len(outs)


def _repeated(x: Any, size: int) -> Any:
    shape = np.shape(x) if not hasattr(x, "shape") else x.shape
    return broadcast_in_dim(
        x, shape=(size, *shape), broadcast_dimensions=tuple(range(1, len(shape) + 1))
    )


def _draw_pure(rng: Any, dtype: Any) -> Any:
    x, y = rng.uniform(-2, 2, (3,)).astype(dtype), rng.uniform(-2, 2, (2,)).astype(dtype)
    avals = (ShapedArray((2, 3), dtype), ShapedArray((), dtype))
    return [x, y], {"callback": _example, "avals": avals}


def _example(x: Array, y: Array) -> list[Array]:
    return [np.full((2, 3), x.sum(), np.float32), np.asarray(y.sum(), np.float32)]


def _draw_vectorized(rng: Any, dtype: Any) -> Any:
    inputs, params = _draw_pure(rng, dtype)
    return inputs, {**params, "vmap_method": None}


pure_callback: Primitive = define(
    "pure_callback",
    params=("callback", "avals", "vmap_method"),
    abstract_eval=lambda *inputs, callback, avals, vmap_method: list(avals),
    impl=lambda *arrays, callback, avals, vmap_method: _called(callback, arrays, avals),
    jvp=_NO_DERIVATIVE,
    transpose=_NOT_LINEAR,
    batch=_pure_batch,
    lower=Opaque(),
    multiple_results=True,
    domain=Domain(draw=_draw_vectorized),
)


def _io_batch(
    size: int,
    inputs: Sequence[Any],
    dims: Sequence[int | None],
    *,
    callback: Callback,
    avals: tuple[ShapedArray, ...],
) -> tuple[list[Any], list[int | None]]:
    each = _element(callback, size, [d is not None for d in dims], avals)
    outs = io_callback(*_fronted(inputs, dims), callback=each, avals=_grown(size, avals))
    return outs, [0] * len(outs)


io_callback: Primitive = define(
    "io_callback",
    params=("callback", "avals"),
    abstract_eval=lambda *inputs, callback, avals: list(avals),
    impl=lambda *arrays, callback, avals: _called(callback, arrays, avals),
    jvp=_NO_DERIVATIVE,
    transpose=_NOT_LINEAR,
    batch=_io_batch,
    lower=Opaque(),
    multiple_results=True,
    effects=HOST,
    domain=Domain(draw=_draw_pure),
)
