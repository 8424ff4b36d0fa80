"""Plans as the native dispatcher reads them: 64-bit words, laid out as in `match.c`."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from typing import Any

import numpy as np

from xform.core.avals import ShapedArray
from xform.errors import ArgumentError
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
    leaves,
)

__all__ = ["EncodedPlan", "check_hidden", "encode"]

_ARRAY, _NUMPY, _SCALAR, _STATIC, _NONE, _TUPLE, _LIST, _DICT = range(8)
_KINDS = {"b": 0, "i": 1, "u": 2, "f": 3, "c": 4}


class EncodedPlan:
    """A plan's words, and a reference to everything they point to.

    Args:
        plan: the plan.
    """

    __slots__ = ("address", "kept")

    address: int
    kept: list[object]

    def __init__(self, plan: Plan) -> None:
        self.kept = [plan]
        self.address = 0

    @property
    def owner(self) -> tuple[object, ...]:
        """What the dispatcher holds the plan by.

        A tuple, because the collector of cycles empties lists and instances in any order, and the
        function reads its plans when its turn comes.
        """
        return tuple(self.kept)

    def words(self, values: list[int]) -> int:
        """Keep an array of words; its address, or 0 for an empty one."""
        if not values:
            return 0
        # No array of ctypes: the collector of cycles frees those before who still reads them.
        words = array("q", values)
        self.kept.append(words)
        return words.buffer_info()[0]

    def reference(self, value: object) -> int:
        """Keep an object; its address."""
        self.kept.append(value)
        return id(value)


def check_hidden(value: Any, array_type: type) -> None:
    """Raise unless a hidden input is an array of the native type."""
    if type(value) is not array_type:
        raise ArgumentError("expected hidden arrays of xform", type(value).__name__)


def _program(spec: Spec, made: EncodedPlan, describe: Callable[[ShapedArray], int]) -> list[int]:
    """The words of a pattern."""
    match spec:
        case ArrayLeaf(aval, index):
            return [_ARRAY, describe(aval), index]
        case NumpyLeaf(dtype, shape, index):
            return [_NUMPY, made.reference(np.dtype(dtype)), index, len(shape), *shape]
        case ScalarLeaf(_, dtype, index):
            width = dtype.itemsize // 2 if dtype.kind == "c" else dtype.itemsize
            return [_SCALAR, _KINDS[dtype.kind], width, index]
        case StaticLeaf(value):
            return [_STATIC, made.reference(value)]
        case NoneLeaf():
            return [_NONE]
        case DictSpec(keys, children):
            words = [_DICT, len(keys)]
            for key, child in zip(keys, children, strict=True):
                words += [made.reference(key), *_program(child, made, describe)]
            return words
        case TupleSpec(children) | ListSpec(children):
            words = [_TUPLE if isinstance(spec, TupleSpec) else _LIST, len(children)]
            for child in children:
                words += _program(child, made, describe)
            return words
    raise ArgumentError("expected a pattern", repr(spec))


def encode(
    plan: Plan, describe: Callable[[ShapedArray], int], pool_class: Callable[[int], int]
) -> EncodedPlan:
    """Lay a plan out for the native dispatcher.

    Args:
        plan: the plan.
        describe: the address of an abstract value's descriptor.
        pool_class: the address of the pool class for a number of bytes.

    Returns:
        The words at `address`, alive as long as the `owner`.
    """
    made = EncodedPlan(plan)
    scalars = sum(isinstance(leaf, ScalarLeaf) for spec in plan.arguments for leaf in leaves(spec))
    pattern = [word for spec in plan.arguments for word in _program(spec, made, describe)]
    aliases = [-1] * len(plan.out_avals) if plan.aliases else []
    for source, output in plan.aliases:
        aliases[output] = source
    made.address = made.words(
        [
            0,  # the next plan
            0,  # the owner, which the dispatcher fills in
            id(plan),
            len(plan.arguments),
            len(plan.kwnames),
            made.reference(plan.kwnames),
            made.words([*pattern, _NONE]),
            made.words(_program(plan.result, made, describe)),
            len(plan.hidden),
            plan.inputs,
            len(plan.out_avals),
            scalars,
            made.words([made.reference(x) for x in plan.hidden]),
            made.words([describe(aval) for aval in plan.out_avals]),
            made.words(aliases),
            len(plan.donated),
            made.words(list(plan.donated)),
            pool_class(plan.workspace_bytes) if plan.workspace_bytes else 0,
            plan.kernel,
            int(plan.release_gil),
            0 if plan.settings is None else made.reference(plan.settings),
        ]
    )
    return made
