"""Arrays in pure Python: the fallback of the native array type, and what it is tested against."""

from __future__ import annotations

from typing import Any, Never

import numpy as np

from xform.core.avals import ShapedArray
from xform.errors import ArgumentError, DonatedBufferError

__all__ = [
    "Array",
    "address",
    "check_wrappable",
    "delete",
    "empty",
    "from_numpy",
    "idle_bytes",
    "is_deleted",
    "raise_deleted",
    "scratch",
    "trim",
    "view",
    "wrap",
    "writable",
]

_ALIGNMENT = 64


class Array:
    """An immutable array: an abstract value and memory. Made by the functions of this module."""

    __slots__ = (
        "__weakref__",
        "_address",
        "_exported",
        "_memory",
        "_owned",
        "_pins",
        "aval",
    )

    aval: ShapedArray
    _memory: np.ndarray[Any, Any] | None  # None once deleted
    _address: int
    _owned: bool  # whether the memory was allocated here, so that an output may take it over
    _exported: bool  # whether somebody may hold a view of the memory
    _pins: int  # running calls that use the memory

    def __new__(cls) -> Never:
        raise TypeError("cannot create 'xform.Array' instances")

    def __init_subclass__(cls) -> Never:
        raise TypeError("type 'xform.Array' is not an acceptable base type")

    shape = property(lambda self: self.aval.shape)
    dtype = property(lambda self: self.aval.dtype)
    weak_type = property(lambda self: self.aval.weak_type)
    ndim = property(lambda self: self.aval.ndim)
    size = property(lambda self: self.aval.size)
    nbytes = property(lambda self: self.aval.nbytes)
    itemsize = property(lambda self: self.aval.dtype.itemsize)


Array.__module__ = "xform"


def _make(memory: np.ndarray[Any, Any], aval: ShapedArray, owned: bool) -> Array:
    array = object.__new__(Array)
    array.aval = aval
    array._memory = memory
    array._address = memory.__array_interface__["data"][0]
    array._owned = owned
    array._exported = False
    array._pins = 0
    return array


def check_wrappable(array: np.ndarray[Any, Any], aval: ShapedArray) -> None:
    """Raise unless a NumPy array is C-contiguous and aligned and has this shape and dtype."""
    flags = array.flags
    fits = array.shape == aval.shape and array.dtype == aval.dtype
    if not (fits and flags.c_contiguous and flags.aligned):
        layout = (
            "contiguous"
            if flags.c_contiguous and flags.aligned
            else "strided or misaligned"
        )
        raise ArgumentError(
            f"expected a C-contiguous numpy array {aval}",
            f"{array.dtype}{list(array.shape)}, {layout}",
            instead="numpy.ascontiguousarray(x)",
        )


def raise_deleted(array: Any) -> Never:
    """Raise the error of using an array after its memory was given away."""
    raise DonatedBufferError(
        "expected an array that still has its memory",
        f"an array {array.aval} that was donated to a jitted function, or deleted",
        why="the function reuses the memory of the arguments in donate_argnums for its results",
        instead="x = f(x): use the array that f returns in place of the one it was given",
    )


def wrap(array: np.ndarray[Any, Any], aval: ShapedArray) -> Array:
    """Make an array of a NumPy array's memory, without copying; the NumPy array is kept alive."""
    check_wrappable(array, aval)
    return _make(array, aval, owned=False)


def empty(aval: ShapedArray) -> Array:
    """Make an array of new, uninitialized, 64-byte aligned memory."""
    try:
        memory = np.ndarray(aval.shape, aval.dtype, scratch(aval.nbytes))
    except (MemoryError, ValueError):
        raise MemoryError(f"cannot allocate {aval.nbytes} bytes for {aval}") from None
    return _make(memory, aval, owned=True)


def scratch(size_bytes: int) -> np.ndarray[Any, Any]:
    """Make 64-byte aligned memory, as bytes."""
    raw = np.empty(size_bytes + _ALIGNMENT, np.uint8)
    start = -raw.__array_interface__["data"][0] % _ALIGNMENT
    return raw[start : start + size_bytes]


def from_numpy(x: np.ndarray[Any, Any], aval: ShapedArray) -> Array:
    """Make an array by copying a NumPy array of the same shape and dtype."""
    if x.shape != aval.shape or x.dtype != aval.dtype:
        raise ArgumentError(
            f"expected a numpy array {aval}", f"{x.dtype}{list(x.shape)}"
        )
    array = empty(aval)
    memory = array._memory
    assert memory is not None
    memory[...] = x
    return array


def view(array: Array) -> np.ndarray[Any, Any]:
    """See an array's memory as a read-only NumPy array."""
    shown = writable(array).view()
    shown.flags.writeable = False
    return shown


def writable(array: Array) -> np.ndarray[Any, Any]:
    """See an array's memory as a NumPy array to fill it; only for an array just made."""
    memory = array._memory
    if memory is None:
        raise_deleted(array)
    array._exported = True
    return memory


def address(array: Array) -> int:
    """The address of the first element."""
    if array._memory is None:
        raise_deleted(array)
    return array._address


def delete(array: Array) -> None:
    """Give the memory up; views and running calls keep theirs."""
    array._memory = None


def is_deleted(array: Array) -> bool:
    """Whether the memory was given up."""
    return array._memory is None


def idle_bytes() -> int:
    """The memory kept for reuse: none, NumPy keeps its own."""
    return 0


def trim() -> int:
    """Return the memory kept for reuse to the system; the number of bytes returned."""
    return 0
