"""Names for the types that public signatures speak of."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np

__all__ = [
    "ArrayLike",
    "Axes",
    "AxisName",
    "Dtype",
    "DtypeLike",
    "HasDtype",
    "IsLeaf",
    "PyTree",
    "Shape",
]


@runtime_checkable
class HasDtype(Protocol):
    """Anything with a shape and a dtype: arrays, tracers, abstract values, NumPy's arrays."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of its axes."""
        ...

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of its elements."""
        ...


PyTree: TypeAlias = Any
"""A leaf, or a container of pytrees; see `xform.tree`."""

ArrayLike: TypeAlias = HasDtype | bool | int | float | complex
"""What an operation takes for an array: arrays, tracers, NumPy's arrays, Python scalars."""

Dtype: TypeAlias = np.dtype[Any]
"""The type of an array's elements."""

DtypeLike: TypeAlias = str | type | np.dtype[Any] | HasDtype
"""A dtype in any of NumPy's spellings."""

Shape: TypeAlias = tuple[int, ...]
"""The lengths of an array's axes."""

Axes: TypeAlias = int | Sequence[int] | None
"""One axis, several, or None for all."""

AxisName: TypeAlias = Hashable
"""The name of an axis that `vmap` or `pmap` binds."""

IsLeaf: TypeAlias = Callable[[Any], bool]
"""Says of a node that it counts as a leaf."""
