"""The array type users hold, `Array`, and the functions that make arrays and look into them.

`Array` is a native type where the native runtime works, and a Python class elsewhere; the two
behave alike. Operators and NumPy-like methods are attached by the layers above, with `setattr`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from xform.core.avals import ShapedArray
from xform.runtime import array_python, native

__all__ = [
    "Array",
    "address",
    "empty",
    "from_numpy",
    "furnish",
    "idle_bytes",
    "is_native",
    "trim",
    "view",
    "wrap",
    "writable",
]

_BACKEND: Any = native.runtime() or array_python

is_native: bool = _BACKEND is not array_python
"""Whether `Array` is the native type."""

Array: Any = _BACKEND.Array
"""The type of arrays."""

wrap = _BACKEND.wrap
"""``wrap(x, aval)``: an array of a C-contiguous NumPy array's memory, which it keeps alive."""

empty = _BACKEND.empty
"""``empty(aval)``: an array of uninitialized memory from the pool, aligned to 64 bytes."""

from_numpy = _BACKEND.from_numpy
"""``from_numpy(x, aval)``: a copy of a NumPy array of that shape and dtype."""

view = _BACKEND.view
"""``view(array)``: its memory as a read-only NumPy array that keeps the memory alive."""

writable = _BACKEND.writable
"""``writable(array)``: the same, to fill an array that `empty` has just made."""

address = _BACKEND.address
"""``address(array)``: the address of its first element."""

idle_bytes = _BACKEND.idle_bytes
"""``idle_bytes()``: the memory the pool keeps for reuse."""

trim = _BACKEND.trim
"""``trim()``: give the pool's idle memory back to the system; the number of bytes."""


def _rebuild(value: np.ndarray[Any, Any], weak_type: bool) -> Any:
    """Make an array again from its pickled parts."""
    return from_numpy(value, ShapedArray(value.shape, value.dtype, weak_type))


def _conversions(backend: Any) -> list[Callable[..., Any]]:
    """The methods that turn an array into other kinds of values."""
    view = backend.view

    def __array__(self: Any, dtype: Any = None, copy: bool | None = None) -> Any:
        same = dtype is None or np.dtype(dtype) == self.dtype
        if same:
            return view(self).copy() if copy else view(self)
        if copy is False:
            raise ValueError(f"an array {self.aval} cannot become {np.dtype(dtype)} uncopied")
        return view(self).astype(dtype)

    def scalar(self: Any) -> Any:
        if self.ndim:
            raise TypeError(
                f"expected an array without dimensions to make a Python scalar of, got {self.aval}"
            )
        return view(self)

    def __float__(self: Any) -> float:
        return float(scalar(self))

    def __int__(self: Any) -> int:
        return int(scalar(self))

    def __complex__(self: Any) -> complex:
        # NumPy's arrays have no __complex__ that every dtype of ml_dtypes supports.
        value = scalar(self)
        return complex(value) if value.dtype.kind in "biufc" else complex(float(value))

    def __index__(self: Any) -> int:
        if self.ndim or self.dtype.kind not in "iu":
            raise TypeError(f"only integer arrays without dimensions are indices, got {self.aval}")
        return int(view(self))

    def __bool__(self: Any) -> bool:
        if self.size != 1:
            kind = "an empty array" if self.size == 0 else "an array with more than one element"
            raise ValueError(
                f"The truth value of {kind} is ambiguous: {self.aval}. Use x.any(), x.all() or"
                " x.size > 0"
            )
        return bool(view(self).reshape(())[()])

    def __len__(self: Any) -> int:
        if not self.ndim:
            raise TypeError("len() of an array without dimensions")
        return int(self.shape[0])

    def item(self: Any, *args: int) -> Any:
        """Copy one element into a Python scalar: the only one, or the one at an index."""
        return view(self).item(*args)

    def tolist(self: Any) -> Any:
        """Copy the array into nested lists of Python scalars."""
        return view(self).tolist()

    def __dlpack__(self: Any, **options: Any) -> Any:
        # Consumers that do not name a version cannot be told that memory is read-only, and NumPy
        # refuses to export it to them. As with other libraries of immutable arrays, they get it
        # on the understanding that they do not write.
        shown = view(self) if options.get("max_version") else backend.writable(self)
        return shown.__dlpack__(**options)

    def __dlpack_device__(self: Any) -> tuple[int, int]:
        return (1, 0)

    def unsafe_buffer_pointer(self: Any) -> int:
        """The address of the first element, valid for as long as the array is."""
        return int(backend.address(self))

    return [
        __array__,
        __float__,
        __int__,
        __complex__,
        __index__,
        __bool__,
        __len__,
        item,
        tolist,
        __dlpack__,
        __dlpack_device__,
        unsafe_buffer_pointer,
    ]


def _texts(backend: Any) -> list[Callable[..., Any]]:
    """The methods that print an array."""
    view = backend.view

    def __repr__(self: Any) -> str:
        if backend.is_deleted(self):
            return f"Array({self.aval}, deleted)"
        width = np.get_printoptions()["linewidth"]
        body = np.array2string(
            view(self),
            prefix="Array(",
            suffix=",",
            separator=", ",
            max_line_width=width,
        )
        weak = ", weak_type=True" if self.weak_type else ""
        tail = f"dtype={self.dtype.name}{weak})"
        if self.size == 0:
            tail = f"shape={self.shape}, {tail}"
        last_line = body.rpartition("\n")[2]
        wraps = len("Array(") * ("\n" not in body) + len(last_line) + 2 + len(tail) > width
        return f"Array({body},\n{' ' * 6}{tail}" if wraps else f"Array({body}, {tail}"

    def __str__(self: Any) -> str:
        return repr(self) if backend.is_deleted(self) else str(view(self))

    def __format__(self: Any, spec: str) -> str:
        value = view(self)
        return format(value if self.ndim else value[()], spec)

    return [
        __repr__,
        __str__,
        __format__,
    ]


def _lifetime(backend: Any) -> list[Callable[..., Any]]:
    """The methods about an array's memory: copies, deletion, pickling."""
    view = backend.view

    def block_until_ready(self: Any) -> Any:
        """Wait until the array is computed, which it is: CPU programs run synchronously."""
        return self

    def copy(self: Any) -> Any:
        """Copy the array into memory of its own."""
        return backend.from_numpy(view(self), self.aval)

    def __copy__(self: Any) -> Any:
        return copy(self)

    def __deepcopy__(self: Any, memo: dict[int, Any]) -> Any:
        return copy(self)

    def delete(self: Any) -> None:
        """Give the memory up now; using the array afterwards raises `DonatedBufferError`."""
        backend.delete(self)

    def is_deleted(self: Any) -> bool:
        """Whether the memory was donated to a jitted function, or deleted."""
        return bool(backend.is_deleted(self))

    def __reduce__(self: Any) -> tuple[Any, ...]:
        return _rebuild, (view(self).copy(), self.weak_type)

    return [
        block_until_ready,
        copy,
        __copy__,
        __deepcopy__,
        delete,
        is_deleted,
        __reduce__,
    ]


_DOC = """An immutable array of numbers: a shape, a dtype, and memory.

Arrays are made by the functions of `xform.numpy`, and have the operators and methods of NumPy's.
`x.at[i].set(v)` gives a changed copy. NumPy reads an array without copying it;
`xform.numpy.asarray` copies one of NumPy's.

>>> import xform.numpy as xnp
>>> x = xnp.array([1.0, 2.0, 3.0])
>>> x.at[0].set(5.0), x.sum()
(Array([5., 2., 3.], dtype=float32), Array(6., dtype=float32))
"""


def furnish(backend: Any) -> None:
    """Attach the methods above to the array type of a module of arrays.

    Args:
        backend: `array_python`, or the native runtime, which has functions of the same names.
    """
    for method in (*_conversions(backend), *_texts(backend), *_lifetime(backend)):
        method.__qualname__ = f"Array.{method.__name__}"
        setattr(backend.Array, method.__name__, method)
    # Equality is elementwise, so arrays cannot be dictionary keys.
    backend.Array.__hash__ = None
    backend.Array.__doc__ = _DOC


furnish(array_python)
if is_native:
    furnish(_BACKEND)
