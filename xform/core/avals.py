"""Abstract values: what a traced program knows of an array before it has numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from . import dtypes


class ShapedArray:
    """The shape, dtype and weak type of an array.

    Abstract values are interned: equal ones are the same object, so they are compared with `is`,
    and the runtime compares one pointer to check a whole argument. They live as long as the
    process.

    >>> ShapedArray((2, 3), "float32") is ShapedArray((2, 3), "float32")
    True
    >>> ShapedArray((2, 3), "float32")
    f32[2,3]
    """

    __slots__ = ("__weakref__", "descriptor", "dtype", "ndim", "shape", "size", "weak_type")

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    weak_type: bool
    ndim: int
    size: int
    descriptor: int  # the runtime's native record of this abstract value; 0 until it makes one

    def __new__(cls, shape: tuple[int, ...], dtype: Any, weak_type: bool = False) -> ShapedArray:
        key = (shape, dtype, weak_type)
        found = _interned.get(key)
        if found is not None:
            return found
        shape = tuple(int(d) for d in shape)
        dtype = np.dtype(dtype)
        weak_type = bool(weak_type)
        found = _interned.get((shape, dtype, weak_type))
        if found is None:
            found = super().__new__(cls)
            found.shape = shape
            found.dtype = dtype
            found.weak_type = weak_type
            found.ndim = len(shape)
            found.size = math.prod(shape)
            found.descriptor = 0
            found = _interned.setdefault((shape, dtype, weak_type), found)
        return found

    def update(
        self,
        shape: tuple[int, ...] | None = None,
        dtype: Any = None,
        weak_type: bool | None = None,
    ) -> ShapedArray:
        """This abstract value with some fields replaced."""
        return ShapedArray(
            self.shape if shape is None else shape,
            self.dtype if dtype is None else dtype,
            self.weak_type if weak_type is None else weak_type,
        )

    def strong(self) -> ShapedArray:
        """This abstract value without the weak type."""
        return ShapedArray(self.shape, self.dtype, False) if self.weak_type else self

    def tangent(self) -> ShapedArray:
        """The abstract value of a tangent: itself for inexact dtypes, else `float0`."""
        if dtypes.is_inexact(self.dtype):
            return self
        return ShapedArray(self.shape, dtypes.float0, False)

    @property
    def nbytes(self) -> int:
        return self.size * self.dtype.itemsize

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of an array without dimensions")
        return self.shape[0]

    def __repr__(self) -> str:
        dims = ",".join(map(str, self.shape))
        return f"{dtypes.short_name(self.dtype)}[{dims}]" + ("*" if self.weak_type else "")

    def __reduce__(self) -> tuple[Any, ...]:
        return ShapedArray, (self.shape, self.dtype, self.weak_type)


_interned: dict[tuple[Any, ...], ShapedArray] = {}
