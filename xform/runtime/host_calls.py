"""Calls from compiled code back into the `impl` of rows."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.avals import ShapedArray
from ..core.jaxpr import Equation
from ..core.quiet import quiet

_Callback = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.POINTER(ctypes.c_void_p))


class HostCalls:
    """The host functions of one program, and the error the last failed one left."""

    def __init__(self, calls: Sequence[Equation]) -> None:
        self.count = len(calls)
        self.callbacks = [_Callback(self._function(call)) for call in calls]
        # Type and value of the error, for compiled code to raise; `error` keeps them alive.
        self.pointers = (ctypes.c_void_p * 2)()
        self.error: BaseException | None = None

    def symbols(self) -> dict[str, int]:
        """The addresses that compiled code refers to."""
        if not self.count:
            return {}
        found = {
            f"host_{k}": ctypes.cast(c, ctypes.c_void_p).value or 0
            for k, c in enumerate(self.callbacks)
        }
        found["host_error"] = ctypes.addressof(self.pointers)
        set_object = ctypes.cast(ctypes.pythonapi.PyErr_SetObject, ctypes.c_void_p)
        found["PyErr_SetObject"] = set_object.value or 0
        return found

    def _function(self, call: Equation) -> Any:
        def host(pointers: Any) -> int:
            try:
                _run(call, pointers)
            except BaseException as error:  # Compiled code raises it again.
                self.error = error
                self.pointers[0] = id(type(error))
                self.pointers[1] = id(error)
                return -1
            return 0

        return host


def _run(call: Equation, pointers: Any) -> None:
    count = len(call.inputs)
    arrays = [_array(pointers[k], a.aval) for k, a in enumerate(call.inputs)]
    for x in arrays:
        x.flags.writeable = False
    with quiet():
        out = call.primitive.impl(*arrays, **call.params)
    outs = out if call.primitive.multiple_results else [out]
    for k, (y, var) in enumerate(zip(outs, call.outputs, strict=True)):
        if pointers[count + k]:
            _array(pointers[count + k], var.aval)[...] = np.asarray(y)


def _array(pointer: int | None, aval: ShapedArray) -> np.ndarray[Any, Any]:
    """The memory at a pointer as an array of an abstract value."""
    if not pointer or not aval.size:
        return np.empty(aval.shape, aval.dtype)
    block = (ctypes.c_char * aval.nbytes).from_address(pointer)
    return np.frombuffer(block, aval.dtype).reshape(aval.shape)
