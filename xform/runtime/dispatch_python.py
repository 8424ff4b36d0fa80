"""The dispatcher in pure Python: the fallback of the native one, and what it is tested against."""

from __future__ import annotations

import ctypes
import math
import threading
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from xform.errors import ArgumentError
from xform.runtime import array_python
from xform.runtime.plan import (
    ArrayLeaf,
    DictSpec,
    ListSpec,
    NoneLeaf,
    NumpyLeaf,
    Plan,
    ScalarLeaf,
    Spec,
    StaticLeaf,
    TupleSpec,
)

__all__ = ["MAX_PLANS", "JitFunction", "guard", "guard_enter", "guard_exit"]

MAX_PLANS = 256
"""Plans a function keeps; adding one more drops the one that was used longest ago."""

MAX_DEPTH = 4
"""Plans found deeper than this are moved to the front of the chain."""

guard = ctypes.c_int64(0)
"""While this is not 0, every call of every jitted function takes its slow path."""

_guard_lock = threading.Lock()


def guard_enter() -> None:
    """Send every call to the slow path until as many `guard_exit` have followed."""
    with _guard_lock:
        guard.value += 1


def guard_exit() -> None:
    """End one `guard_enter`."""
    with _guard_lock:
        guard.value -= 1


class _Miss(Exception):
    """The arguments do not match the plan."""


class _Call:
    """The inputs of one call, as they are found in the arguments."""

    __slots__ = ("arrays", "buffers", "kept")

    def __init__(self, plan: Plan) -> None:
        self.buffers = [0] * plan.inputs
        self.arrays: dict[int, array_python.Array] = {}
        self.kept: list[object] = []


_SCALARS: dict[str, tuple[type, int]] = {
    "?": (ctypes.c_bool, 1),
    **{
        char: (getattr(ctypes, f"c_int{8 * np.dtype(char).itemsize}"), 1)
        for char in "bhilq"
    },
    **{
        char: (getattr(ctypes, f"c_uint{8 * np.dtype(char).itemsize}"), 1)
        for char in "BHILQ"
    },
    "f": (ctypes.c_float, 1),
    "d": (ctypes.c_double, 1),
    "F": (ctypes.c_float, 2),
    "D": (ctypes.c_double, 2),
}
_PYTHON_TYPES = {"bool": bool, "int": int, "float": float, "complex": complex}
# The native dispatcher reads Python ints as 64-bit signed ones; larger ones take the slow path.
_INT64_MAX = 2**63 - 1


def _match(spec: Spec, value: Any, call: _Call) -> None:
    """Check one argument and record its inputs, or raise `_Miss`."""
    match spec:
        case ArrayLeaf():
            if type(value) is not array_python.Array or value.aval is not spec.aval:
                raise _Miss
            memory = value._memory
            if memory is None:
                raise _Miss
            if spec.index >= 0:
                call.buffers[spec.index] = value._address
                call.arrays[spec.index] = value
                call.kept.append(memory)
        case NumpyLeaf():
            _match_numpy(spec, value, call)
        case ScalarLeaf():
            _match_scalar(spec, value, call)
        case StaticLeaf():
            if not _same(spec.value, value):
                raise _Miss
        case NoneLeaf():
            if value is not None:
                raise _Miss
        case TupleSpec() | ListSpec():
            expected = tuple if isinstance(spec, TupleSpec) else list
            if type(value) is not expected or len(value) != len(spec.children):
                raise _Miss
            for child, element in zip(spec.children, value, strict=True):
                _match(child, element, call)
        case DictSpec():
            if type(value) is not dict or len(value) != len(spec.keys):
                raise _Miss
            for key, child in zip(spec.keys, spec.children, strict=True):
                try:
                    element = value[key]
                except Exception:
                    raise _Miss from None
                _match(child, element, call)


def _match_numpy(spec: NumpyLeaf, value: Any, call: _Call) -> None:
    if (
        type(value) is not np.ndarray
        or value.dtype != spec.dtype
        or value.shape != spec.shape
    ):
        raise _Miss
    flags = value.flags
    if not (flags.c_contiguous and flags.aligned):
        raise _Miss
    if spec.index >= 0:
        call.buffers[spec.index] = value.__array_interface__["data"][0]
        call.kept.append(value)


def _match_scalar(spec: ScalarLeaf, value: Any, call: _Call) -> None:
    if type(value) is not _PYTHON_TYPES[spec.kind]:
        raise _Miss
    element, components = _SCALARS[spec.dtype.char]
    if spec.kind == "int":
        limits = np.iinfo(spec.dtype)
        if not int(limits.min) <= value <= min(int(limits.max), _INT64_MAX):
            raise _Miss
    if spec.index >= 0:
        parts = (value.real, value.imag) if components == 2 else (value,)
        scratch = (element * components)(*parts)
        call.buffers[spec.index] = ctypes.addressof(scratch)
        call.kept.append(scratch)


def _same(expected: Any, value: Any) -> bool:
    """Whether a static argument is the one the plan was made for."""
    if value is expected:
        return True
    if type(value) is not type(expected):
        return False
    try:
        equal = bool(expected == value)
    except Exception:
        return False
    if equal and type(value) is float:
        return math.copysign(1.0, value) == math.copysign(1.0, expected)
    return equal


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


def _take_over(
    plan: Plan, arrays: dict[int, array_python.Array]
) -> dict[int, array_python.Array]:
    """Give the memory of aliased inputs to new arrays, where nothing else can see it."""
    taken: dict[int, array_python.Array] = {}
    for source, output in plan.aliases:
        array, aval = arrays[source], plan.out_avals[output]
        free = array._owned and not array._exported and array._pins == 1
        if free and array.aval.nbytes == aval.nbytes and array._memory is not None:
            flat = array._memory.reshape(-1).view(np.uint8)
            memory = np.ndarray(aval.shape, aval.dtype, flat)
            taken[output] = array_python._make(memory, aval, owned=True)
            array_python.delete(array)
    return taken


class _Compiled:
    """A plan and the foreign function of its kernel."""

    __slots__ = ("kernel", "plan")

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        # PYFUNCTYPE holds the GIL and raises what the kernel leaves set; CFUNCTYPE lets go of it.
        prototype = ctypes.CFUNCTYPE if plan.release_gil else ctypes.PYFUNCTYPE
        self.kernel = prototype(ctypes.c_int32, ctypes.c_void_p)(plan.kernel)

    def match(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Call:
        """Check the arguments against the plan, or raise `_Miss`."""
        plan = self.plan
        if tuple(kwargs) != plan.kwnames or len(args) + len(kwargs) != len(
            plan.arguments
        ):
            raise _Miss
        call = _Call(plan)
        for spec, value in zip(plan.arguments, (*args, *kwargs.values()), strict=True):
            _match(spec, value, call)
        return call

    def run(self, call: _Call) -> Any:
        """Run the kernel on the inputs of a call and arrange its outputs."""
        plan = self.plan
        hidden = [array_python.address(array) for array in plan.hidden]
        pinned = [*call.arrays.values(), *plan.hidden]
        for array in pinned:
            array._pins += 1
        try:
            taken = _take_over(plan, call.arrays)
            outputs = [
                taken.get(index) or array_python.empty(aval)
                for index, aval in enumerate(plan.out_avals)
            ]
            buffers = [*hidden, *call.buffers, *(output._address for output in outputs)]
            if plan.workspace_bytes:
                workspace = array_python.scratch(plan.workspace_bytes)
                call.kept.append(workspace)
                buffers.append(workspace.__array_interface__["data"][0])
            self._call_kernel((ctypes.c_void_p * len(buffers))(*buffers))
            for index in plan.donated:
                array = call.arrays[index]
                if array._pins == 1:
                    array_python.delete(array)
        finally:
            for array in pinned:
                array._pins -= 1
        return _build(plan.result, outputs)

    def _call_kernel(self, buffers: ctypes.Array[ctypes.c_void_p]) -> None:
        try:
            status = self.kernel(ctypes.addressof(buffers))
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
            raise TypeError(
                f"JitFunction expects a callable, got {type(slow).__name__}"
            )
        self._slow = slow
        self._plans: tuple[_Compiled, ...] = ()

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        return self if instance is None else types.MethodType(self, instance)

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        if not guard.value:
            for depth, compiled in enumerate(self._plans):
                try:
                    call = compiled.match(args, kwargs)
                except _Miss:
                    continue
                if any(
                    array_python.is_deleted(array) for array in compiled.plan.hidden
                ):
                    continue
                if depth >= MAX_DEPTH:
                    self._to_front(compiled)
                return compiled.run(call)
        return self._slow(*args, **kwargs)

    def _to_front(self, compiled: _Compiled) -> None:
        others = [other for other in self._plans if other.plan is not compiled.plan]
        self._plans = (compiled, *others)[:MAX_PLANS]

    def _add_plan(self, plan: Plan) -> None:
        for array in plan.hidden:
            if type(array) is not array_python.Array:
                raise ArgumentError(
                    "expected hidden arrays of xform", type(array).__name__
                )
        self._to_front(_Compiled(plan))

    def _clear_plans(self) -> None:
        self._plans = ()

    def _plan_count(self) -> int:
        return len(self._plans)


JitFunction.__module__ = "xform"
