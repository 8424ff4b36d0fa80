"""Branches that are part of the program: `cond`, `switch`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..config import config
from ..core import dtypes
from ..core.source import name_of
from ..core.trace import aval_of
from ..errors import ArgumentError, DtypeError
from ..higher_order.cond import cond as cond_row, with_all_constants
from ..interpreters.rewrite import Derived
from ..numpy.promotion import concrete
from ..ops.arithmetic import clamp, ne
from ..ops.structural import convert
from .stepping import check_branches, operands, scalar_of, traced

_NOT_GIVEN = object()


def cond(
    pred: Any,
    true_fun: Callable[..., Any],
    false_fun: Callable[..., Any],
    *operands: Any,
    operand: Any = _NOT_GIVEN,
) -> Any:
    """`true_fun(*operands)` where `pred` is true, else `false_fun(*operands)`; only one is run.

    Under `vmap` with a mapped predicate each element runs its own branch, one after the other; to
    compute both and choose elementwise, which is often faster for cheap branches, use
    `xform.numpy.where`.

    Args:
        pred: a boolean scalar, or a number, which is true if it is not zero.
        true_fun, false_fun: functions of the operands that return pytrees of one structure, with
            leaves of equal shapes and dtypes.
        *operands: pytrees of arrays.
        operand: a single operand, instead of `operands`.

    Returns:
        what the chosen function returns.

    Raises:
        ShapeError: the predicate has dimensions, or the outputs differ in shape.
        DtypeError: the outputs differ in dtype.
        TreeError: the outputs differ in structure.

    >>> import xform
    >>> f = xform.jit(lambda x: cond(x > 0, lambda x: x * 2, lambda x: -x, x))
    >>> float(f(3.0)), float(f(-3.0))
    (6.0, 3.0)
    """
    operands = _given(operands, operand, (true_fun, false_fun), "cond")
    pred = scalar_of(
        pred,
        "the predicate of cond",
        "xnp.any(pred) or xnp.all(pred); xnp.where(pred, a, b) or xform.vmap over cond to choose "
        "for each element",
    )
    if config.disable_jit and (known := concrete(pred)) is not None:
        return (true_fun if known else false_fun)(*operands)
    if not dtypes.is_bool(aval_of(pred).dtype):
        pred = ne(pred, convert(np.int32(0), aval_of(pred).dtype))
    index = convert(pred, np.dtype(np.int32))
    labels = [f"true_fun ({name_of(true_fun)})", f"false_fun ({name_of(false_fun)})"]
    return _branched(index, (false_fun, true_fun), labels[::-1], operands)


def switch(
    index: Any,
    branches: Sequence[Callable[..., Any]],
    *operands: Any,
    operand: Any = _NOT_GIVEN,
) -> Any:
    """`branches[index](*operands)`, with the index clamped to the branches; only one is run.

    Args:
        index: an integer scalar.
        branches: functions of the operands that return pytrees of one structure, with leaves of
            equal shapes and dtypes.
        *operands: pytrees of arrays.
        operand: a single operand, instead of `operands`.

    Raises:
        ArgumentError: there are no branches.
        ShapeError: the index has dimensions, or outputs differ in shape.
        DtypeError: the index is no integer, or outputs differ in dtype.
        TreeError: outputs differ in structure.

    >>> import xform
    >>> f = xform.jit(lambda i, x: switch(i, [lambda x: x, lambda x: 10 * x, lambda x: -x], x))
    >>> [float(f(i, 1.5)) for i in (-1, 1, 7)]
    [1.5, 15.0, -1.5]
    """
    branches = tuple(branches)
    if not branches or not all(callable(f) for f in branches):
        raise ArgumentError("expected branches: a sequence of functions", repr(branches))
    operands = _given(operands, operand, branches, "switch")
    index = scalar_of(index, "the index of switch", "xform.vmap over switch for one per element")
    if not dtypes.is_integer(aval_of(index).dtype):
        raise DtypeError(
            "expected an index of switch of an integer dtype",
            f"{aval_of(index)}",
            instead='i.astype("int32"), or lax.cond for a predicate',
        )
    last = len(branches) - 1
    if config.disable_jit and (known := concrete(index)) is not None:
        return branches[min(max(int(known), 0), last)](*operands)
    dtype = aval_of(index).dtype
    bounds = (min(k, int(dtypes.iinfo(dtype).max)) for k in (0, last))
    low, high = (convert(np.asarray(k, dtype), dtype) for k in bounds)
    index = convert(clamp(low, convert(index, dtype), high), np.dtype(np.int32))
    if not last:
        return branches[0](*operands)
    labels = [f"branch {k} ({name_of(f)})" for k, f in enumerate(branches)]
    return _branched(index, branches, labels, operands)


def _given(
    operands: tuple[Any, ...], operand: Any, functions: Sequence[Any], name: str
) -> tuple[Any, ...]:
    for f in functions:
        if not callable(f):
            raise ArgumentError(
                f"expected functions for the branches of {name}", f"{type(f).__name__}: {f!r}",
                instead=f"lax.{name}(..., lambda x: ..., lambda x: ..., x)"
            )  # fmt: skip
    if operand is _NOT_GIVEN:
        return operands
    if operands:
        raise ArgumentError(f"expected operands of {name} by position, or one by operand=", "both")
    return (operand,)


def _branched(
    index: Any,
    functions: Sequence[Callable[..., Any]],
    labels: Sequence[str],
    arguments: tuple[Any, ...],
) -> Any:
    leaves, in_tree = operands(arguments)
    avals = [aval_of(x) for x in leaves]
    steps = [traced(f, in_tree, avals) for f in functions]
    check_branches(labels, steps)
    consts, programs = with_all_constants([Derived(s.program, s.consts, ()) for s in steps])
    outputs = cond_row(index, *consts, *leaves, branches=programs)
    return steps[0].out_tree.unflatten(outputs)
