"""The patterns by which the native dispatcher recognises a call, made from one example of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core import dtypes
from ..core.avals import ShapedArray
from ..core.trace import BASE, aval_of
from ..runtime.plan import (
    ArrayLeaf,
    DictSpec,
    ListSpec,
    NoneLeaf,
    NumpyLeaf,
    ScalarLeaf,
    Spec,
    StaticLeaf,
    TupleSpec,
)
from .flat import FlatFunction


class _Unknown(Exception):
    """A part of a call that has no pattern."""


class _Leaves:
    """Counts leaves in the order of pytrees: dictionaries by sorted key."""

    def __init__(self) -> None:
        self.next = 0

    def take(self) -> int:
        self.next += 1
        return self.next - 1


def argument_specs(
    jitted: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Spec, ...] | None:
    """A pattern per positional argument, then per keyword as called; None if there is none."""
    leaves = _Leaves()
    static = {n % len(args) for n in jitted.static_argnums if -len(args) <= n < len(args)}
    try:
        positional = [
            StaticLeaf(x) if n in static else _spec(x, leaves) for n, x in enumerate(args)
        ]
        named = {
            k: _spec(kwargs[k], leaves) for k in sorted(kwargs) if k not in jitted.static_argnames
        }
    except _Unknown:
        return None
    rest = [named[k] if k in named else StaticLeaf(kwargs[k]) for k in kwargs]
    return (*positional, *rest)


def _spec(x: Any, leaves: _Leaves) -> Spec:
    kind = type(x)
    if x is None:
        return NoneLeaf()
    if kind is BASE.array_type:
        return ArrayLeaf(x.aval, leaves.take())
    if kind is tuple:
        return TupleSpec(tuple(_spec(child, leaves) for child in x))
    if kind is list:
        return ListSpec(tuple(_spec(child, leaves) for child in x))
    if kind is dict:
        return _dict_spec(x, leaves)
    if kind is np.ndarray:
        return _numpy_spec(x, leaves)
    if kind in (bool, int, float, complex):
        return ScalarLeaf(kind.__name__, aval_of(x).dtype, leaves.take())
    raise _Unknown


def _dict_spec(x: dict[Any, Any], leaves: _Leaves) -> DictSpec:
    children = {k: _spec(x[k], leaves) for k in sorted(x)}
    return DictSpec(tuple(x), tuple(children[k] for k in x))


def _numpy_spec(x: np.ndarray[Any, Any], leaves: _Leaves) -> NumpyLeaf:
    if not x.dtype.isnative or dtypes.canonicalize(x.dtype) != x.dtype:
        raise _Unknown  # narrowing is the slow path's work
    return NumpyLeaf(x.dtype, x.shape, leaves.take())


def result_spec(flat: FlatFunction, avals: Sequence[ShapedArray]) -> Spec | None:
    """The pattern of a result; None where it has containers the dispatcher cannot build."""
    try:
        return _result(flat.value(list(range(len(avals)))), avals)
    except _Unknown:
        return None


def _result(x: Any, avals: Sequence[ShapedArray]) -> Spec:
    kind = type(x)
    if x is None:
        return NoneLeaf()
    if kind is int:
        return ArrayLeaf(avals[x], x)
    if kind is tuple:
        return TupleSpec(tuple(_result(child, avals) for child in x))
    if kind is list:
        return ListSpec(tuple(_result(child, avals) for child in x))
    if kind is dict:
        return DictSpec(tuple(x), tuple(_result(child, avals) for child in x.values()))
    raise _Unknown
