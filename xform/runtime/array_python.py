"""Arrays in pure Python: the fallback of the native array type, and what it is tested against."""

from __future__ import annotations

import sysconfig
from typing import Any, Never

import numpy as np

from xform.core.avals import ShapedArray
from xform.errors import ArgumentError, DonatedBufferError, OutOfMemoryError
from xform.runtime import memory

__all__ = [
    "COUNTS_PINS",
    "Array",
    "address",
    "check_wrappable",
    "contiguous",
    "delete",
    "empty",
    "from_numpy",
    "idle_bytes",
    "is_deleted",
    "make",
    "pool_of",
    "raise_deleted",
    "trim",
    "view",
    "wrap",
    "writable",
]

_ALIGNMENT, _SMALL = 64, 4096
_new: Any = object.__new__

COUNTS_PINS = not sysconfig.get_config_var("Py_GIL_DISABLED")
"""Whether `_pins` can be trusted: without the GIL, threads may miscount it."""
_CLASS_LIMIT = 64 << 20


class Array:
    """An immutable array: an abstract value and memory. Made by the functions of this module."""

    __slots__ = ("__weakref__", "_address", "_block", "_exported", "_owned", "_pins", "aval")

    aval: ShapedArray
    _block: np.ndarray[Any, Any] | None  # the memory, or the array it was wrapped from
    _address: int
    _owned: bool  # whether the memory is a block of the pool, so that an output may take it over
    _exported: bool  # whether somebody may hold a view of the memory
    _pins: int  # running calls that use the memory

    def __new__(cls) -> Never:
        """Refuse: arrays are made by the functions of this module."""
        raise TypeError("cannot create 'xform.Array' instances")

    def __init_subclass__(cls) -> Never:
        raise TypeError("type 'xform.Array' is not an acceptable base type")

    def __del__(self) -> None:
        if self._owned:
            _recycle(self)

    shape = property(lambda self: self.aval.shape)
    dtype = property(lambda self: self.aval.dtype)
    weak_type = property(lambda self: self.aval.weak_type)
    ndim = property(lambda self: self.aval.ndim)
    size = property(lambda self: self.aval.size)
    nbytes = property(lambda self: self.aval.nbytes)
    itemsize = property(lambda self: self.aval.dtype.itemsize)


Array.__module__ = "xform"


class _Pool:
    """Idle blocks of one size, each a 64-byte aligned array of bytes and its address."""

    __slots__ = ("blocks", "limit", "size_bytes")

    def __init__(self, size_bytes: int) -> None:
        self.size_bytes = size_bytes
        self.limit = max(4, min(256, _CLASS_LIMIT // size_bytes))
        self.blocks: list[tuple[np.ndarray[Any, Any], int]] = []

    def take(self) -> tuple[np.ndarray[Any, Any], int]:
        """An idle block, or a new one."""
        try:
            return self.blocks.pop()
        except IndexError:
            _require(self.size_bytes)
            raw = np.empty(self.size_bytes + _ALIGNMENT, np.uint8)
            start = -raw.ctypes.data % _ALIGNMENT
            return raw[start : start + self.size_bytes], raw.ctypes.data + start


_pools: dict[int, _Pool] = {}


def _require(nbytes: int) -> None:
    """Raise unless there is memory of this size; idle blocks may be what is missing."""
    try:
        memory.require(nbytes)
    except OutOfMemoryError:
        if not trim():
            raise
        memory.require(nbytes)


def pool_of(nbytes: int) -> _Pool:
    """The pool of blocks that hold `nbytes`: 64 byte steps, above 4 KiB eight an octave."""
    step = _ALIGNMENT if nbytes <= _SMALL else 1 << ((nbytes - 1).bit_length() - 4)
    size_bytes = max(_ALIGNMENT, -(-nbytes // step) * step)
    return _pools.get(size_bytes) or _pools.setdefault(size_bytes, _Pool(size_bytes))


_pool_by_aval: dict[ShapedArray, _Pool] = {}


def _remember_pool(aval: ShapedArray) -> _Pool:
    """Look the pool of an abstract value up; both live as long as the process."""
    return _pool_by_aval.setdefault(aval, pool_of(aval.nbytes))


def make(aval: ShapedArray, block: np.ndarray[Any, Any], address: int, owned: bool) -> Array:
    """Make an array of memory."""
    array: Array = _new(Array)
    array.aval = aval
    array._block = block
    array._address = address
    array._owned = owned
    array._exported = False
    array._pins = 0
    return array


def check_wrappable(array: np.ndarray[Any, Any], aval: ShapedArray) -> None:
    """Raise unless a NumPy array is C-contiguous and aligned and has this shape and dtype."""
    _check_fits(array, aval, np.ndarray)
    if not (array.flags.c_contiguous and array.flags.aligned):
        raise ArgumentError(
            f"expected a C-contiguous, aligned numpy array {aval}",
            f"one with strides {array.strides}",
            instead="numpy.ascontiguousarray(x)",
        )


def _check_fits(array: Any, aval: ShapedArray, *types: Any) -> None:
    """Raise unless the argument is of one of the types, and of this shape and dtype."""
    if not isinstance(array, types):
        raise ArgumentError(f"expected a numpy array {aval}", type(array).__name__)
    if array.shape != aval.shape or array.dtype != aval.dtype:
        raise ArgumentError(f"expected a numpy array {aval}", f"{array.dtype}{list(array.shape)}")


def contiguous(array: Any, aval: ShapedArray) -> np.ndarray[Any, Any]:
    """Copy a NumPy array or scalar of this shape and dtype in C order."""
    _check_fits(array, aval, np.ndarray, np.generic)
    return np.array(array, order="C")


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
    return make(aval, array, array.__array_interface__["data"][0], owned=False)


def empty(aval: ShapedArray) -> Array:
    """Make an array of uninitialized, 64-byte aligned memory."""
    try:
        block, start = (_pool_by_aval.get(aval) or _remember_pool(aval)).take()
    except OutOfMemoryError:
        raise
    except (MemoryError, ValueError):
        raise memory.refusal(str(aval), aval.nbytes) from None
    return make(aval, block, start, owned=True)


def from_numpy(x: np.ndarray[Any, Any], aval: ShapedArray) -> Array:
    """Make an array by copying a NumPy array or scalar of the same shape and dtype."""
    _check_fits(x, aval, np.ndarray, np.generic)
    array = empty(aval)
    _memory(array)[...] = x
    return array


def _memory(array: Array) -> np.ndarray[Any, Any]:
    """The memory as a NumPy array that can be written to where the memory can."""
    block = array._block
    if block is None:
        raise_deleted(array)
    if array._owned:
        return np.ndarray(array.aval.shape, array.aval.dtype, block)
    return block.view(np.ndarray)


def view(array: Array) -> np.ndarray[Any, Any]:
    """See an array's memory as a read-only NumPy array."""
    shown = writable(array)
    shown.flags.writeable = False
    return shown


def writable(array: Array) -> np.ndarray[Any, Any]:
    """See an array's memory as a NumPy array to fill it; only for an array just made."""
    shown = _memory(array)
    array._exported = True
    return shown


def address(array: Array) -> int:
    """The address of the first element."""
    if array._block is None:
        raise_deleted(array)
    return array._address


def _recycle(array: Array) -> None:
    """Give the block of an array that nobody uses back to its pool."""
    block = array._block
    array._block = None
    if block is not None and not array._exported:
        pool = _pool_by_aval.get(array.aval) or _remember_pool(array.aval)
        if len(pool.blocks) < pool.limit:
            pool.blocks.append((block, array._address))


def delete(array: Array) -> None:
    """Give the memory up; views and running calls keep theirs."""
    if array._owned and not array._pins and COUNTS_PINS:
        _recycle(array)
    else:
        array._block = None


def is_deleted(array: Array) -> bool:
    """Whether the memory was given up."""
    return array._block is None


def idle_bytes() -> int:
    """The memory kept for reuse, in bytes."""
    return sum(len(pool.blocks) * pool.size_bytes for pool in _pools.values())


def trim() -> int:
    """Return the memory kept for reuse to the system; the number of bytes returned."""
    released = idle_bytes()
    for pool in _pools.values():
        pool.blocks.clear()
    return released
