"""Calls from compiled code back into the `impl` of rows.

Several threads may run one program at once, so each finds the error of its own calls.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.avals import ShapedArray
from ..core.jaxpr import Equation
from ..core.quiet import quiet

_Callback = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.POINTER(ctypes.c_void_p))


class HostCalls:
    """The host functions of one program, and the errors that those which failed have left."""

    def __init__(self, calls: Sequence[Equation]) -> None:
        self.count = len(calls)
        self.callbacks = [_Callback(self._function(call)) for call in calls]
        self.errors: dict[int, BaseException] = {}  # by thread
        self.raising = self._raise
        self.pointer = ctypes.c_void_p(id(self.raising))  # for compiled code

    def symbols(self) -> dict[str, int]:
        """The addresses that compiled code refers to."""
        if not self.count:
            return {}
        found = {
            f"host_{k}": ctypes.cast(c, ctypes.c_void_p).value or 0
            for k, c in enumerate(self.callbacks)
        }
        found["host_error"] = ctypes.addressof(self.pointer)
        call = ctypes.cast(ctypes.pythonapi.PyObject_CallNoArgs, ctypes.c_void_p)
        found["PyObject_CallNoArgs"] = call.value or 0
        return found

    def _raise(self) -> None:
        """Raises the error of this thread, or the latest: devices run in threads of their own."""
        error = self.errors.pop(threading.get_ident(), None)
        raise self.errors.popitem()[1] if error is None else error

    def _function(self, call: Equation) -> Any:
        def host(pointers: Any) -> int:
            try:
                _run(call, pointers)
            except BaseException as error:  # Compiled code raises it again.
                self.errors.pop(threading.get_ident(), None)  # The latest comes last.
                self.errors[threading.get_ident()] = error
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
