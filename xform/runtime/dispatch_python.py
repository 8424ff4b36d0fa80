"""The dispatcher in pure Python: the fallback of the native one, and what it is tested against."""

from __future__ import annotations

import ctypes
import math
import threading
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from xform.config import config
from xform.core.avals import ShapedArray
from xform.errors import ArgumentError
from xform.runtime import array_python
from xform.runtime.plan import (
    ArrayLeaf,
    DictSpec,
    ListSpec,
    NumpyLeaf,
    Plan,
    ScalarLeaf,
    Spec,
    StaticLeaf,
    TupleSpec,
)

__all__ = ["MAX_PLANS", "JitFunction", "guard", "guard_enter", "guard_exit", "scoped"]

MAX_PLANS = 256
"""Plans a function keeps; adding one more drops the one that was used longest ago."""

MAX_DEPTH = 4
"""Plans found deeper than this are moved to the front of the chain."""

guard = ctypes.c_int64(0)
"""While this is not 0, every call of every jitted function takes its slow path."""

scoped = ctypes.c_int64(0)
"""Not 0 after the first `config.scoped` block that set an option calls depend on."""

_guard_lock = threading.Lock()


def guard_enter() -> None:
    """Send every call to the slow path until as many `guard_exit` have followed."""
    with _guard_lock:
        guard.value += 1


def guard_exit() -> None:
    """End one `guard_enter`."""
    with _guard_lock:
        guard.value -= 1


# A call in progress: the addresses of the inputs, the array of each input that is one, and
# whatever must stay alive until the kernel returns.
_Call = tuple[list[int], "list[array_python.Array | None]", list[object]]
_Matcher = Callable[[Any, _Call], bool]

_MISS = object()

_SCALARS: dict[str, tuple[Any, int]] = {
    "?": (ctypes.c_bool, 1),
    **{char: (getattr(ctypes, f"c_int{8 * np.dtype(char).itemsize}"), 1) for char in "bhilq"},
    **{char: (getattr(ctypes, f"c_uint{8 * np.dtype(char).itemsize}"), 1) for char in "BHILQ"},
    "f": (ctypes.c_float, 1),
    "d": (ctypes.c_double, 1),
    "F": (ctypes.c_float, 2),
    "D": (ctypes.c_double, 2),
}
_PYTHON_TYPES: dict[str, Any] = {"bool": bool, "int": int, "float": float, "complex": complex}
# The native dispatcher reads Python ints as 64-bit signed ones; larger ones take the slow path.
_INT64_MAX = 2**63 - 1


def _array_matcher(spec: ArrayLeaf) -> _Matcher:
    aval, index, array_type = spec.aval, spec.index, array_python.Array

    def match(value: Any, call: _Call) -> bool:
        if type(value) is not array_type or value.aval is not aval or value._block is None:
            return False
        if index >= 0:
            call[0][index] = value._address
            call[1][index] = value
            call[2].append(value._block)
        return True

    return match


def _numpy_matcher(spec: NumpyLeaf) -> _Matcher:
    dtype, shape, index = spec.dtype, spec.shape, spec.index

    def match(value: Any, call: _Call) -> bool:
        if type(value) is not np.ndarray or value.dtype != dtype or value.shape != shape:
            return False
        flags = value.flags
        if not (flags.c_contiguous and flags.aligned):
            return False
        if index >= 0:
            call[0][index] = value.__array_interface__["data"][0]
            call[2].append(value)
        return True

    return match


def _scalar_matcher(spec: ScalarLeaf) -> _Matcher:
    index, expected = spec.index, _PYTHON_TYPES[spec.kind]
    element, components = _SCALARS[spec.dtype.char]
    low, high = 0, 0
    if spec.kind == "int":
        limits = np.iinfo(spec.dtype)
        low, high = int(limits.min), min(int(limits.max), _INT64_MAX)

    def match(value: Any, call: _Call) -> bool:
        if type(value) is not expected or (expected is int and not low <= value <= high):
            return False
        if index >= 0:
            parts = (value.real, value.imag) if components == 2 else (value,)
            scratch = (element * components)(*parts)
            call[0][index] = ctypes.addressof(scratch)
            call[2].append(scratch)
        return True

    return match


def _static_matcher(spec: StaticLeaf) -> _Matcher:
    expected: Any = spec.value

    def match(value: Any, call: _Call) -> bool:
        if value is expected:
            return True
        if type(value) is not type(expected):
            return False
        try:
            equal = bool(expected == value)
        except Exception:  # Whatever a user's comparison raises, it is no match.
            return False
        if equal and type(value) is float:
            return math.copysign(1.0, value) == math.copysign(1.0, expected)
        return equal

    return match


def _sequence_matcher(spec: TupleSpec | ListSpec) -> _Matcher:
    expected = tuple if isinstance(spec, TupleSpec) else list
    children = [_matcher(child) for child in spec.children]

    def match(value: Any, call: _Call) -> bool:
        if type(value) is not expected:
            return False
        # Comparing the children may run code that changes the list: walk a copy of it.
        elements = tuple(value)
        if len(elements) != len(children):
            return False
        return all(child(element, call) for child, element in zip(children, elements, strict=True))

    return match


def _dict_matcher(spec: DictSpec) -> _Matcher:
    children = [_matcher(child) for child in spec.children]
    items = list(zip(spec.keys, children, strict=True))

    def match(value: Any, call: _Call) -> bool:
        if type(value) is not dict or len(value) != len(items):
            return False
        for key, child in items:
            try:
                element = value[key]
            except Exception:  # The comparison of two keys may raise anything.
                return False
            if not child(element, call):
                return False
        return True

    return match


def _matcher(spec: Spec) -> _Matcher:
    """A function that checks one argument and records its inputs."""
    match spec:
        case ArrayLeaf():
            return _array_matcher(spec)
        case NumpyLeaf():
            return _numpy_matcher(spec)
        case ScalarLeaf():
            return _scalar_matcher(spec)
        case StaticLeaf():
            return _static_matcher(spec)
        case TupleSpec() | ListSpec():
            return _sequence_matcher(spec)
        case DictSpec():
            return _dict_matcher(spec)
    return lambda value, call: value is None


def _build(spec: Spec, outputs: list[array_python.Array]) -> Any:
    """Arrange the outputs as the function returns them."""
    match spec:
        case ArrayLeaf():
            return outputs[spec.index]
        case StaticLeaf():
            return spec.value
        case TupleSpec():
            return tuple([_build(child, outputs) for child in spec.children])
        case ListSpec():
            return [_build(child, outputs) for child in spec.children]
        case DictSpec():
            values = [_build(child, outputs) for child in spec.children]
            return dict(zip(spec.keys, values, strict=True))
    return None


def _take_over(array: array_python.Array, aval: ShapedArray) -> array_python.Array | None:
    """Give the memory of a donated input to a new array, where nothing else can see it."""
    block = array._block
    if block is None or not array._owned or array._exported or array._pins != 1:
        return None
    if not array_python.COUNTS_PINS:
        return None
    if array_python.pool_of(array.aval.nbytes) is not array_python.pool_of(aval.nbytes):
        return None
    # Before the kernel runs, so that no other thread reads what it writes.
    array._block = None
    return array_python.make(aval, block, array._address, owned=True)


class _Compiled:
    """A plan, its matchers, and the foreign function of its kernel."""

    __slots__ = ("_aliases", "_buffers", "_kernel", "_matchers", "_single", "flat", "plan")

    flat: tuple[ShapedArray, ...]  # the arguments, when nothing but arrays goes in, in order

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        plain = not (plan.kwnames or plan.hidden or plan.donated or plan.workspace_bytes)
        flat = tuple(
            [
                spec.aval
                for position, spec in enumerate(plan.arguments)
                if isinstance(spec, ArrayLeaf) and spec.index == position
            ]
        )
        self.flat = flat if plain and len(flat) == len(plan.arguments) else ()
        self._matchers = [_matcher(spec) for spec in plan.arguments]
        self._aliases = {output: source for source, output in plan.aliases}
        self._single = len(plan.out_avals) == 1 and isinstance(plan.result, ArrayLeaf)
        count = len(plan.hidden) + plan.inputs + len(plan.out_avals) + bool(plan.workspace_bytes)
        self._buffers = ctypes.c_void_p * count
        # PYFUNCTYPE holds the GIL and raises what the kernel leaves set; CFUNCTYPE lets go of it.
        prototype = ctypes.CFUNCTYPE if plan.release_gil else ctypes.PYFUNCTYPE
        self._kernel = prototype(ctypes.c_int32, ctypes.c_void_p)(plan.kernel)

    def match(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Call | None:
        """Check the arguments against the plan; None when they do not match."""
        plan = self.plan
        if len(args) + len(kwargs) != len(plan.arguments) or tuple(kwargs) != plan.kwnames:
            return None
        if kwargs:
            args = (*args, *kwargs.values())
        call: _Call = ([0] * plan.inputs, [None] * plan.inputs, [])
        for matcher, value in zip(self._matchers, args, strict=False):
            if not matcher(value, call):
                return None
        for array in (*call[1], *plan.hidden):
            # A comparison may have run code that deleted an array matched before.
            if array is not None and array._block is None:
                return None
        return call

    def run_flat(self, args: tuple[Any, ...]) -> Any:
        """Match and run a plan of arrays only; `_MISS` when the arguments do not match."""
        addresses, kept = [], []
        for value, aval in zip(args, self.flat, strict=False):
            if type(value) is not array_python.Array or value.aval is not aval:
                return _MISS
            block = value._block
            if block is None:
                return _MISS
            addresses.append(value._address)
            kept.append(block)
        for value in args:
            value._pins += 1
        try:
            outputs = [array_python.empty(aval) for aval in self.plan.out_avals]
            for output in outputs:
                addresses.append(output._address)
            self._call_kernel(self._buffers(*addresses))
        finally:
            for value in args:
                value._pins -= 1
        return outputs[0] if self._single else _build(self.plan.result, outputs)

    def run(self, call: _Call) -> Any:
        """Run the kernel on the inputs of a call and arrange its outputs."""
        plan = self.plan
        inputs, arrays, kept = call
        pinned = [*arrays, *plan.hidden]
        for array in pinned:
            if array is not None:
                array._pins += 1
        try:
            outputs = [self._output(index, arrays) for index in range(len(plan.out_avals))]
            buffers = [*inputs, *[output._address for output in outputs]]
            if plan.hidden:
                buffers[:0] = [array_python.address(array) for array in plan.hidden]
            if plan.workspace_bytes:
                block, start = array_python.pool_of(plan.workspace_bytes).take()
                kept.append(block)
                buffers.append(start)
            self._call_kernel(self._buffers(*buffers))
            for index in plan.donated:
                donated = arrays[index]
                if donated is not None and donated._pins == 1:
                    array_python.delete(donated)
        finally:
            for array in pinned:
                if array is not None:
                    array._pins -= 1
        return outputs[0] if self._single else _build(plan.result, outputs)

    def _output(self, index: int, arrays: list[array_python.Array | None]) -> array_python.Array:
        """The array of an output: the memory of a donated input, or new memory."""
        aval = self.plan.out_avals[index]
        source = arrays[self._aliases[index]] if index in self._aliases else None
        taken = _take_over(source, aval) if source is not None else None
        return array_python.empty(aval) if taken is None else taken

    def _call_kernel(self, buffers: ctypes.Array[ctypes.c_void_p]) -> None:
        try:
            status = self._kernel(buffers)
        except SystemError as error:
            # With the GIL released, ctypes returns with the kernel's exception still set, which
            # the interpreter reports as the cause of a SystemError.
            raise (error.__cause__ or error) from None
        if status:
            raise RuntimeError("a kernel failed without saying why")


class JitFunction:
    """A callable that tries its plans before it calls `slow`.

    Args:
        slow: called with the arguments when no plan matches them.
    """

    __slots__ = ("__dict__", "__weakref__", "_plans", "_slow")

    def __init__(self, slow: Callable[..., Any], /) -> None:
        if not callable(slow):
            raise TypeError(f"JitFunction expects a callable, got {type(slow).__name__}")
        self._slow = slow
        self._plans: tuple[_Compiled, ...] = ()

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        return self if instance is None else types.MethodType(self, instance)

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        """Run the first plan that fits, or else call `slow`."""
        if not guard.value:
            settings = config.settings
            for depth, compiled in enumerate(self._plans):
                if compiled.plan.settings is not None and compiled.plan.settings is not settings:
                    continue
                if compiled.flat:
                    if kwargs or len(args) != len(compiled.flat):
                        continue
                    result = compiled.run_flat(args)
                else:
                    call = compiled.match(args, kwargs)
                    result = _MISS if call is None else compiled.run(call)
                if result is not _MISS:
                    if depth >= MAX_DEPTH and compiled in self._plans:
                        self._to_front(compiled)
                    return result
        return self._slow(*args, **kwargs)

    def _to_front(self, compiled: _Compiled) -> None:
        others = [other for other in self._plans if other.plan is not compiled.plan]
        self._plans = (compiled, *others)[:MAX_PLANS]

    def _add_plan(self, plan: Plan) -> None:
        for array in plan.hidden:
            if type(array) is not array_python.Array:
                raise ArgumentError("expected hidden arrays of xform", type(array).__name__)
        self._to_front(_Compiled(plan))

    def _clear_plans(self) -> None:
        self._plans = ()

    def _plan_count(self) -> int:
        return len(self._plans)


JitFunction.__module__ = "xform"
