"""NumPy's own functions, applied to arrays and traced values.

A traced value makes them those of this package. On arrays with numbers, ufuncs do so too, so that
operators between NumPy's arrays and xform's give xform's; NumPy's other functions just read the
numbers, and return what they return for NumPy's arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..core.trace import Tracer
from ..errors import ArgumentError
from ..runtime.array import Array

_FACE: dict[str, Any] = {}
"""The functions of this package by NumPy's names; filled once, when the package is imported."""

# NumPy's ufuncs whose name here differs, or that stand for an operator.
_UFUNC_NAMES = {
    "absolute": "abs",
    "bitwise_count": "bitwise_count",
    "matvec": "matvec",
}

_REDUCTIONS = {
    "add": "sum",
    "multiply": "prod",
    "maximum": "max",
    "minimum": "min",
    "logical_and": "all",
    "logical_or": "any",
}

_ACCUMULATIONS = {"add": "cumsum", "multiply": "cumprod"}


def _has_tracer(x: Any) -> bool:
    """Whether a traced value is among the arguments, however deep in lists."""
    if isinstance(x, tuple | list):
        return any(map(_has_tracer, x))
    if isinstance(x, Mapping):
        return any(map(_has_tracer, x.values()))
    return isinstance(x, Tracer)


def _numbers(x: Any) -> Any:
    """The arguments with NumPy's arrays in the place of xform's."""
    if isinstance(x, tuple | list):
        return type(x)(map(_numbers, x)) if type(x) in (tuple, list) else x
    if type(x) is dict:
        return {k: _numbers(v) for k, v in x.items()}
    return np.asarray(x) if isinstance(x, Array) else x


def _missing(name: str) -> ArgumentError:
    return ArgumentError(
        "expected a NumPy function that xform.numpy has too",
        f"np.{name}",
        why="NumPy's own code needs the numbers of an array",
        instead=f"np.{name}(np.asarray(x)) where the numbers are known",
    )


def _array_ufunc(self: Any, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
    """Apply the function of a ufunc's name."""
    name = ufunc.__name__
    if not _has_tracer((inputs, kwargs)) and (kwargs or method != "__call__" or name not in _FACE):
        return getattr(ufunc, method)(*_numbers(inputs), **_numbers(kwargs))
    for argument in ("out", "where"):
        if kwargs.get(argument) is not None and kwargs[argument] is not True:
            raise ArgumentError(
                f"expected np.{name} without {argument}=",
                f"{argument}=",
                why="arrays are immutable",
                instead=f"y = np.{name}(x)",
            )
        kwargs.pop(argument, None)
    if method == "__call__":
        function = _FACE.get(_UFUNC_NAMES.get(name, name))
    elif method == "reduce":
        # NumPy reduces over the first axis by default here, and over all in `np.sum`.
        kwargs.setdefault("axis", 0)
        function = _FACE.get(_REDUCTIONS.get(name, ""))
    elif method == "accumulate":
        kwargs.setdefault("axis", 0)
        function = _FACE.get(_ACCUMULATIONS.get(name, ""))
    elif method == "outer":
        function = _outer(_FACE.get(_UFUNC_NAMES.get(name, name)))
    else:
        function = None
    if function is None:
        raise _missing(name if method == "__call__" else f"{name}.{method}")
    return function(*inputs, **kwargs)


def _outer(function: Callable[..., Any] | None) -> Callable[..., Any] | None:
    if function is None:
        return None

    def outer(x: Any, y: Any) -> Any:
        rank = _FACE["ndim"](y)
        return function(_FACE["expand_dims"](x, tuple(range(-rank, 0))) if rank else x, y)

    return outer


def _array_function(
    self: Any,
    func: Callable[..., Any],
    types: Sequence[type],
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
) -> Any:
    """Apply the function of a NumPy function's name."""
    if not _has_tracer((args, kwargs)):
        return func(*_numbers(args), **_numbers(kwargs))
    module = getattr(func, "__module__", "") or ""
    name = func.__name__
    if module.startswith("numpy.linalg"):
        function = getattr(_FACE["linalg"], name, None)
    else:
        function = _FACE.get(name)
    if function is None:
        raise _missing(f"linalg.{name}" if module.startswith("numpy.linalg") else name)
    return function(*args, **kwargs)


def attach(face: Mapping[str, Any]) -> None:
    """Let NumPy hand arrays and tracers to the functions of a namespace."""
    _FACE.update({name: value for name, value in face.items() if not name.startswith("_")})
    for kind in (Array, Tracer):
        kind.__array_ufunc__ = _array_ufunc
        kind.__array_function__ = _array_function
