"""What a jitted function may be called with, and what to do then: plain data for both dispatchers.

A `Plan` pairs a pattern of arguments with a compiled kernel. The patterns are trees of `Spec`:
each leaf says what an argument must be and which kernel input it is; containers must match
exactly. An index of -1 means that the leaf is checked but not passed to the kernel.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from xform.config import Settings
from xform.core.avals import ShapedArray
from xform.errors import ArgumentError

__all__ = [
    "ArrayLeaf",
    "DictSpec",
    "ListSpec",
    "NoneLeaf",
    "NumpyLeaf",
    "Plan",
    "ScalarLeaf",
    "Spec",
    "StaticLeaf",
    "TupleSpec",
    "leaves",
]

_SCALAR_KINDS = {"bool": "b", "int": "iu", "float": "f", "complex": "c"}


@dataclass(frozen=True, eq=False)
class ArrayLeaf:
    """An xform array of one abstract value; in a result, one of the kernel's outputs."""

    aval: ShapedArray
    index: int


@dataclass(frozen=True, eq=False)
class NumpyLeaf:
    """A C-contiguous, aligned `numpy.ndarray` (no subclass) in native byte order."""

    dtype: np.dtype
    shape: tuple[int, ...]
    index: int


@dataclass(frozen=True, eq=False)
class ScalarLeaf:
    """A Python number of exactly one type, passed to the kernel as one element of `dtype`.

    Args:
        kind: ``"bool"``, ``"int"``, ``"float"`` or ``"complex"``.
        dtype: a NumPy dtype of that kind, of at most 64 bits a component. An int that does not
            fit it makes the plan miss; a float that does not fit becomes infinite.
        index: the kernel's input.
    """

    kind: str
    dtype: np.dtype
    index: int

    def __post_init__(self) -> None:
        dtype = np.dtype(self.dtype)
        kinds = _SCALAR_KINDS.get(self.kind)
        narrowest = 4 if kinds == "f" else 1
        if kinds is None or dtype.kind not in kinds or not narrowest <= dtype.itemsize <= 16:
            raise ArgumentError(
                "expected a kind among bool, int, float, complex and a dtype of that kind",
                f"{self.kind!r} and {dtype}",
            )
        if kinds in ("f", "c") and dtype.char not in "fdFD":
            raise ArgumentError("expected a component of 32 or 64 bits", str(dtype))


@dataclass(frozen=True, eq=False)
class StaticLeaf:
    """A value known when the plan was made: the same object, or one of equal type and value.

    Floats must also agree in sign, so that 0.0 does not match -0.0. In a result, the object to
    return.
    """

    value: object


@dataclass(frozen=True, eq=False)
class NoneLeaf:
    """The object None."""


@dataclass(frozen=True, eq=False)
class TupleSpec:
    """A tuple (no subclass) of these children."""

    children: tuple[Spec, ...]


@dataclass(frozen=True, eq=False)
class ListSpec:
    """A list (no subclass) of these children."""

    children: tuple[Spec, ...]


@dataclass(frozen=True, eq=False)
class DictSpec:
    """A dict (no subclass) of exactly these keys, in any order; a result has them in this order."""

    keys: tuple[Hashable, ...]
    children: tuple[Spec, ...]

    def __post_init__(self) -> None:
        if len(self.keys) != len(self.children):
            raise ArgumentError(f"expected {len(self.keys)} children", f"{len(self.children)}")


Spec = ArrayLeaf | NumpyLeaf | ScalarLeaf | StaticLeaf | NoneLeaf | TupleSpec | ListSpec | DictSpec


def leaves(spec: Spec) -> Iterator[Spec]:
    """The leaves of a pattern, left to right.

    Args:
        spec: any pattern.

    Yields:
        Its array, NumPy, scalar, static and None leaves.

    >>> [type(leaf).__name__ for leaf in leaves(TupleSpec((NoneLeaf(), StaticLeaf(3))))]
    ['NoneLeaf', 'StaticLeaf']
    """
    if isinstance(spec, TupleSpec | ListSpec | DictSpec):
        for child in spec.children:
            yield from leaves(child)
    else:
        yield spec


@dataclass(frozen=True, eq=False)
class Plan:
    """One way of calling a jitted function without running its Python code.

    The kernel is ``int32_t kernel(void **buffers)``. The buffers are the hidden arrays, the inputs
    by index, the outputs by index, and one 64-byte aligned workspace when `workspace_bytes` is
    not 0. It returns 0, or anything else with a Python exception set. Inputs may be aligned to no
    more than their elements, outputs and workspace are aligned to 64 bytes.

    Args:
        arguments: one pattern per positional argument, then one per name in `kwnames`.
        kwnames: the keywords, in the order of the call.
        result: the pattern of the value to return; its array leaves are outputs.
        out_avals: the outputs.
        kernel: the address of the kernel.
        hidden: arrays the kernel reads that are not arguments.
        workspace_bytes: scratch memory the kernel needs.
        release_gil: whether other Python threads may run during the kernel.
        donated: inputs, all array leaves, whose arrays are deleted by the call.
        aliases: pairs of a donated input and an output that may take over its memory. The kernel
            must be right whether or not the two buffers are the same.
        keepalive: whatever owns the kernel.
        settings: the plan matches where `config.settings` is this object; None: everywhere.
    """

    arguments: tuple[Spec, ...]
    kwnames: tuple[str, ...]
    result: Spec
    out_avals: tuple[ShapedArray, ...]
    kernel: int
    hidden: tuple[Any, ...] = ()
    workspace_bytes: int = 0
    release_gil: bool = False
    donated: tuple[int, ...] = ()
    aliases: tuple[tuple[int, int], ...] = ()
    keepalive: object = None
    settings: Settings | None = None
    inputs: int = field(init=False)

    def __post_init__(self) -> None:
        found: dict[int, Spec] = {}
        counts: Counter[int] = Counter()
        for argument in self.arguments:
            for leaf in leaves(argument):
                if isinstance(leaf, ArrayLeaf | NumpyLeaf | ScalarLeaf) and leaf.index >= 0:
                    found[leaf.index] = leaf
                    counts[leaf.index] += 1
        object.__setattr__(self, "inputs", len(found))
        if sorted(counts.elements()) != list(range(len(found))):
            raise ArgumentError(
                f"expected the inputs 0 to {len(found) - 1}, each once",
                f"{sorted(counts)}",
            )
        if len(self.kwnames) > len(self.arguments):
            raise ArgumentError(
                f"expected a pattern for each keyword in {self.kwnames}",
                f"{len(self.arguments)} patterns",
            )
        self._check_result()
        self._check_donation(found)

    def _check_result(self) -> None:
        for leaf in leaves(self.result):
            if isinstance(leaf, NumpyLeaf | ScalarLeaf):
                raise ArgumentError("expected array, static and None leaves in a result", f"{leaf}")
            if isinstance(leaf, ArrayLeaf) and not 0 <= leaf.index < len(self.out_avals):
                raise ArgumentError(f"expected an output below {len(self.out_avals)}", f"{leaf}")

    def _check_donation(self, found: dict[int, Spec]) -> None:
        for index in self.donated:
            if not isinstance(found.get(index), ArrayLeaf):
                raise ArgumentError("expected donated inputs to be array leaves", f"input {index}")
        sources = [source for source, _ in self.aliases]
        outputs = [output for _, output in self.aliases]
        if len(set(sources)) < len(sources) or len(set(outputs)) < len(outputs):
            raise ArgumentError(
                "expected each input and output in one alias at most", f"{self.aliases}"
            )
        if not set(sources) <= set(self.donated):
            raise ArgumentError(f"expected aliases of {self.donated}", f"{self.aliases}")
        if any(not 0 <= output < len(self.out_avals) for output in outputs):
            raise ArgumentError(f"expected outputs below {len(self.out_avals)}", f"{self.aliases}")
