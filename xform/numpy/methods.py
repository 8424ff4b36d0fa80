"""The operators and methods of arrays: one table, attached to arrays and to tracers alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import numpy as np

from ..core.trace import Tracer, aval_of
from ..errors import MutationError, ShapeError
from ..runtime.array import Array
from . import (
    arithmetic,
    contraction,
    diagonals,
    indexing,
    logic,
    pointwise,
    rearranging,
    reductions,
    searching,
    shaping,
    sorting,
    ufuncs,
)
from .at import IndexUpdater

_OPERANDS = (Tracer, Array, np.ndarray, np.generic, bool, int, float, complex)
_ARRAYS = (Array, Tracer)


def _operator(function: Callable[[Any, Any], Any], name: str) -> Callable[[Any, Any], Any]:
    def method(self: Any, other: Any) -> Any:
        if isinstance(other, _OPERANDS):
            return function(self, other)
        return NotImplemented

    method.__name__ = name
    return method


def _reflected(function: Callable[[Any, Any], Any], name: str) -> Callable[[Any, Any], Any]:
    def method(self: Any, other: Any) -> Any:
        if isinstance(other, _OPERANDS):
            return function(other, self)
        return NotImplemented

    method.__name__ = name
    return method


_BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "add": arithmetic.add,
    "sub": arithmetic.subtract,
    "mul": arithmetic.multiply,
    "truediv": arithmetic.divide,
    "floordiv": arithmetic.floor_divide,
    "mod": arithmetic.remainder,
    "divmod": arithmetic.divmod,
    "pow": arithmetic.power,
    "matmul": contraction.matmul,
    "and": logic.bitwise_and,
    "or": logic.bitwise_or,
    "xor": logic.bitwise_xor,
    "lshift": logic.left_shift,
    "rshift": logic.right_shift,
}

_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "eq": logic.equal,
    "ne": logic.not_equal,
    "lt": logic.less,
    "le": logic.less_equal,
    "gt": logic.greater,
    "ge": logic.greater_equal,
}

_UNARY: dict[str, Callable[[Any], Any]] = {
    "neg": ufuncs.negative,
    "pos": ufuncs.positive,
    "abs": ufuncs.absolute,
    "invert": logic.invert,
}


def _unary(function: Callable[[Any], Any], name: str) -> Callable[[Any], Any]:
    def method(self: Any) -> Any:
        return function(self)

    method.__name__ = name
    return method


def _iterate(self: Any) -> Iterator[Any]:
    """The parts along the first axis, one after the other."""
    shape = aval_of(self).shape
    if not shape:
        raise ShapeError(
            "expected an array with a dimension to iterate over",
            f"one of type {aval_of(self)}, which has none",
            instead="the array itself, or xnp.atleast_1d(x)",
        )
    return (indexing.getitem(self, k) for k in range(shape[0]))


def _assign(self: Any, key: Any, value: Any) -> NoReturn:
    """Refuse assignment, with what to write instead."""
    shown = _show_key(key)
    raise MutationError(
        "expected no assignment into an array: arrays are immutable",
        f"x[{shown}] = ...",
        instead=f"x = x.at[{shown}].set(...)",
    )


def _show_key(key: Any) -> str:
    if isinstance(key, tuple):
        return ", ".join(map(_show_key, key))
    if isinstance(key, slice):
        parts = ["" if v is None else _show_key(v) for v in (key.start, key.stop)]
        step = "" if key.step is None else f":{_show_key(key.step)}"
        return ":".join(parts) + step
    if key is Ellipsis:
        return "..."
    return repr(key) if key is None or isinstance(key, int) else "i"


def _round(self: Any, ndigits: int | None = None) -> Any:
    return ufuncs.round(self, ndigits or 0)


def _power(self: Any, other: Any, modulo: Any = None) -> Any:
    if modulo is not None or not isinstance(other, _OPERANDS):
        return NotImplemented
    return arithmetic.power(self, other)


def _method_reshape(self: Any, *args: Any, order: str = "C") -> Any:
    """The elements in another shape, given as one tuple or as several integers."""
    sizes = args[0] if len(args) == 1 else args
    return shaping.reshape(self, sizes, order)


def _method_transpose(self: Any, *args: Any) -> Any:
    """The array with its axes in another order, given as one tuple or as several integers."""
    if not args or args == (None,):
        return shaping.transpose(self)
    return shaping.transpose(self, args[0] if hasattr(args[0], "__iter__") else args)


def _method_clip(self: Any, min: Any = None, max: Any = None) -> Any:
    """The numbers limited to an interval."""
    return pointwise.clip(self, min, max)


def _method_item(self: Any, *args: int) -> Any:
    """The element as a Python number; of a traced array, the error that says how to go on."""
    return complex(self) if np.iscomplexobj(self.dtype.type()) else float(self)


def _method_tolist(self: Any) -> Any:
    """The numbers in nested lists; of a traced array, the error that says how to go on."""
    return np.asarray(self).tolist()


def _method_copy(self: Any) -> Any:
    """The array itself: a traced array has no memory to copy."""
    return self


def _method_flatten(self: Any, order: str = "C") -> Any:
    """The elements as a 1-d array."""
    return shaping.ravel(self, order)


def _method_astype(self: Any, dtype: Any, copy: bool = False) -> Any:
    """The array in another dtype, honoured as given."""
    return shaping.astype(self, dtype)


def _method_view(self: Any, dtype: Any = None) -> Any:
    """The same bits as elements of another dtype of the same width."""
    return pointwise.view(self, dtype)


_METHODS: dict[str, Callable[..., Any]] = {
    "all": reductions.all,
    "any": reductions.any,
    "argmax": reductions.argmax,
    "argmin": reductions.argmin,
    "argpartition": sorting.argpartition,
    "argsort": sorting.argsort,
    "astype": _method_astype,
    "choose": indexing.choose,
    "clip": _method_clip,
    "compress": searching.compress_method,
    "conj": ufuncs.conjugate,
    "conjugate": ufuncs.conjugate,
    "cumprod": reductions.cumprod,
    "cumsum": reductions.cumsum,
    "diagonal": diagonals.diagonal,
    "dot": contraction.dot,
    "flatten": _method_flatten,
    "max": reductions.max,
    "mean": reductions.mean,
    "min": reductions.min,
    "nonzero": searching.nonzero,
    "prod": reductions.prod,
    "ptp": reductions.ptp,
    "ravel": shaping.ravel,
    "repeat": rearranging.repeat,
    "reshape": _method_reshape,
    "round": ufuncs.round,
    "searchsorted": searching.searchsorted,
    "sort": sorting.sort,
    "squeeze": shaping.squeeze,
    "std": reductions.std,
    "sum": reductions.sum,
    "swapaxes": shaping.swapaxes,
    "take": indexing.take,
    "trace": diagonals.trace,
    "transpose": _method_transpose,
    "var": reductions.var,
    "view": _method_view,
}

_TRACER_METHODS: dict[str, Callable[..., Any]] = {
    "copy": _method_copy,
    "item": _method_item,
    "tolist": _method_tolist,
    "block_until_ready": _method_copy,
}

_PROPERTIES: dict[str, Callable[[Any], Any]] = {
    "T": shaping.transpose,
    "mT": shaping.matrix_transpose,
    "real": ufuncs.real,
    "imag": ufuncs.imag,
    "at": IndexUpdater,
}


def _table() -> dict[str, Any]:
    """Every attribute to attach, by name."""
    table: dict[str, Any] = {}
    for name, function in _BINARY.items():
        table[f"__{name}__"] = _operator(function, f"__{name}__")
        table[f"__r{name}__"] = _reflected(function, f"__r{name}__")
    table["__pow__"] = _power
    for name, function in _COMPARISONS.items():
        table[f"__{name}__"] = _operator(function, f"__{name}__")
    for name, unary in _UNARY.items():
        table[f"__{name}__"] = _unary(unary, f"__{name}__")
    table["__getitem__"] = indexing.getitem
    table["__setitem__"] = _assign
    table["__iter__"] = _iterate
    table["__round__"] = _round
    table["__array_priority__"] = 1000
    table.update(_METHODS)
    for name, function in _PROPERTIES.items():
        # The examples are the function's own; they use its bare name.
        summary = (function.__doc__ or "").partition("\n")[0]
        table[name] = property(function, doc=summary)
    return table


def attach() -> None:
    """Give arrays and tracers their operators and methods."""
    for name, attribute in _table().items():
        for kind in _ARRAYS:
            setattr(kind, name, attribute)
    for name, attribute in _TRACER_METHODS.items():
        setattr(Tracer, name, attribute)
    for kind in _ARRAYS:
        # Equality is element-wise, so arrays cannot be keys of dictionaries.
        kind.__hash__ = None  # type: ignore[method-assign,assignment]


class ArrayMeta(type):
    """The type of `ndarray`: arrays and tracers are its instances."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, _ARRAYS)

    def __subclasscheck__(cls, subclass: type) -> bool:
        return cls is subclass or issubclass(subclass, _ARRAYS)


class ndarray(metaclass=ArrayMeta):
    """What arrays and traced values have in common: ``isinstance(x, xnp.ndarray)``.

    >>> isinstance(ufuncs.sin(np.float32(1)), ndarray)
    True
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        raise TypeError("make arrays with xnp.array(...), xnp.zeros(shape) and the like")
