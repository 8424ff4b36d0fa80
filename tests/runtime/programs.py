"""Small kernels for the tests of the runtime, written as LLVM IR."""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable, Sequence

import numpy as np

from xform.compiler.target import host
from xform.core.avals import ShapedArray
from xform.runtime import engine

F32 = np.dtype(np.float32)
VECTOR = ShapedArray((8,), F32)
MATRIX = ShapedArray((3, 4), F32)


def aval(shape, dtype=F32, weak_type=False):
    return ShapedArray(tuple(shape), np.dtype(dtype), weak_type)


def _buffer(index: int) -> str:
    return (
        f"  %p{index} = getelementptr ptr, ptr %buffers, i64 {index}\n"
        f"  %b{index} = load ptr, ptr %p{index}\n"
    )


@functools.cache
def copy(sizes: Sequence[int], skip: int = 0) -> tuple[engine.Library, int]:
    """A kernel that copies each input into the output of the same number.

    The first `skip` buffers are hidden arrays.
    """
    count = len(sizes)
    lines = ["declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)"]
    lines.append("define i32 @copy(ptr %buffers) {")
    lines += [_buffer(skip + index) for index in range(2 * count)]
    for index, size in enumerate(sizes):
        source, target = skip + index, skip + count + index
        lines.append(
            f"  call void @llvm.memcpy.p0.p0.i64(ptr %b{target}, ptr %b{source}, i64 {size}, i1 0)"
        )
    lines += ["  ret i32 0", "}"]
    library = engine.link(host().object_code("\n".join(lines)), ["copy"])
    return library, library["copy"]


_ADD = """
define i32 @add(ptr %buffers) {
{loads}
  br label %loop
loop:
  %i = phi i64 [ 0, %0 ], [ %next, %loop ]
  %x = getelementptr float, ptr %b0, i64 %i
  %y = getelementptr float, ptr %b1, i64 %i
  %z = getelementptr float, ptr %b2, i64 %i
  %u = load float, ptr %x
  %v = load float, ptr %y
  %s = fadd float %u, %v
  store float %s, ptr %z
  %next = add i64 %i, 1
  %done = icmp eq i64 %next, {size}
  br i1 %done, label %end, label %loop
end:
  ret i32 0
}
"""


@functools.cache
def add(size: int) -> tuple[engine.Library, int]:
    """A kernel that adds two float32 inputs of `size` elements."""
    loads = "".join(map(_buffer, range(3)))
    text = _ADD.replace("{loads}", loads).replace("{size}", str(size))
    library = engine.link(host().object_code(text), ["add"])
    return library, library["add"]


_CALL = """
declare i32 @callback(ptr)
define i32 @call(ptr %buffers) {
  %status = call i32 @callback(ptr %buffers)
  ret i32 %status
}
"""


def calling(function: Callable[[int], int], size: int = 0) -> tuple[object, int]:
    """A kernel that runs a Python function of the address of its buffers."""
    entry = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p)(function)
    address = ctypes.cast(entry, ctypes.c_void_p).value
    library = engine.link(host().object_code(_CALL), ["call"], {"callback": address})
    return (library, entry), library["call"]


_FAIL = """
@PyExc_ValueError = external global ptr
@message = private constant [12 x i8] c"from kernel\\00"
declare void @PyErr_SetString(ptr, ptr)
declare i32 @PyGILState_Ensure()
declare void @PyGILState_Release(i32)
define i32 @fail(ptr %buffers) {
  %state = call i32 @PyGILState_Ensure()
  %type = load ptr, ptr @PyExc_ValueError
  call void @PyErr_SetString(ptr %type, ptr @message)
  call void @PyGILState_Release(i32 %state)
  ret i32 -1
}
define i32 @fail_silently(ptr %buffers) {
  ret i32 3
}
"""


@functools.cache
def failing(name: str) -> tuple[engine.Library, int]:
    """A kernel that fails: ``"fail"`` with a ValueError, ``"fail_silently"`` without."""
    names = ("PyErr_SetString", "PyExc_ValueError", "PyGILState_Ensure", "PyGILState_Release")
    symbols = {
        each: ctypes.addressof(ctypes.c_char.in_dll(ctypes.pythonapi, each)) for each in names
    }
    library = engine.link(host().object_code(_FAIL), ["fail", "fail_silently"], symbols)
    return library, library[name]


def words(address: int, count: int) -> list[int]:
    """The first buffers of a kernel."""
    return list((ctypes.c_int64 * count).from_address(address))
