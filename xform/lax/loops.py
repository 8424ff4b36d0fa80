"""Loops that are part of the program: `while_loop`, `scan`, `fori_loop`, `map`."""

from __future__ import annotations

import operator as python_operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import tree
from ..config import config
from ..core import dtypes
from ..core.avals import ShapedArray
from ..core.source import name_of
from ..core.trace import aval_of
from ..errors import ArgumentError, DtypeError, ShapeError
from ..higher_order.scan import scan as scan_row
from ..higher_order.while_loop import while_loop as while_row
from ..interpreters.batching import batch_flat, to_front
from ..numpy.promotion import concrete
from ..ops.structural import convert
from .elementwise import add
from .logic import lt
from .operands import operand
from .shaping import concatenate, reshape, stack
from .slicing import index_in_dim, slice_in_dim
from .stepping import (
    Step,
    check_carry,
    check_predicate,
    check_structure,
    label_of,
    operands,
    paths,
    scalar_of,
    settled,
    traced,
)


def while_loop(
    cond_fun: Callable[[Any], Any],
    body_fun: Callable[[Any], Any],
    init_val: Any,
    *,
    max_steps: int | None = None,
    progress: bool | str | None = None,
) -> Any:
    """Replaces a value by `body_fun(value)` as long as `cond_fun(value)` is true.

    Forward mode and, unlike in JAX, reverse mode go through it. Reverse mode records the carried
    values that the derivative needs on a tape of at most 1024 slots. Steps of a longer loop are run
    again from at most 64 snapshots: up to 2,000 steps twice, up to 50,000 three times, ten million
    five times. Memory does not grow with the number of steps; the option `tape_bytes` limits it.

    Args:
        cond_fun: a function of the value that returns a boolean scalar.
        body_fun: a function of the value that returns one of its structure, shapes and dtypes.
        init_val: the first value: a pytree of arrays.
        max_steps: stop after so many steps, also if the condition still holds; the value at that
            point is returned. Reverse mode then keeps about sqrt(2 max_steps) values instead, and
            runs each step again twice at most.
        progress: True or a label to show how many steps were taken while the loop runs.

    Returns:
        the first value for which the condition is false.

    Raises:
        DtypeError, ShapeError, TreeError: the body changes the type of the value, or the condition
            does not return a boolean scalar.
        MemoryLimitError: in reverse mode, if so few values fit within `tape_bytes` that steps would
            be run again more than 18 times, or if `vmap` of the gradient makes them too large.

    >>> import xform
    >>> root = lambda a: while_loop(lambda x: abs(x * x - a) > 1e-5, lambda x: (x + a / x) / 2, a)
    >>> f"{root(2.0):.4f} {xform.grad(root)(4.0):.4f}"
    '1.4142 0.2500'
    """
    if max_steps is not None:
        return _bounded(cond_fun, body_fun, init_val, max_steps, progress)
    return _while(cond_fun, body_fun, init_val, paths(init_val, "carry"), None, progress)


def _while(
    cond_fun: Callable[[Any], Any],
    body_fun: Callable[[Any], Any],
    init_val: Any,
    names: Sequence[str],
    max_steps: int | None,
    progress: bool | str | None,
) -> Any:
    """The loop; errors call the leaves of the value by these names."""
    if config.disable_jit:
        value = tree.map(operand, init_val)
        while True:
            known = concrete(operand(cond_fun(value)))
            if known is None:
                break
            if not known:
                return value
            value = body_fun(value)
        init_val = value
    values, in_tree = operands(init_val)
    arguments = tree.structure((init_val,))
    values, step = settled(
        lambda avals: traced(body_fun, arguments, avals, names), values, len(values)
    )
    avals = [aval_of(x) for x in values]
    check_structure(body_fun, in_tree, step.out_tree)
    check_carry(body_fun, names, avals, step.out_avals)
    test = traced(cond_fun, arguments, avals, names)
    check_predicate(cond_fun, test)
    outputs = while_row(
        *test.consts,
        *step.consts,
        *values,
        cond_jaxpr=test.program,
        body_jaxpr=step.program,
        cond_consts=len(test.consts),
        body_consts=len(step.consts),
        max_steps=max_steps,
        progress=label_of(progress, body_fun),
    )
    return in_tree.unflatten(outputs)


def _bounded(
    cond_fun: Callable[[Any], Any],
    body_fun: Callable[[Any], Any],
    init_val: Any,
    max_steps: Any,
    progress: bool | str | None,
) -> Any:
    """The loop with a counter beside its value."""
    most = _static_int(max_steps, "max_steps")
    if most is None or most < 0:
        raise ArgumentError("expected max_steps: a number of steps known while tracing",
                            repr(max_steps))  # fmt: skip

    def test(state: Any) -> Any:
        count, value = state
        holds = cond_fun(value)
        step = traced(lambda: holds, tree.structure(()), [])
        check_predicate(cond_fun, step)
        return lt(count, most) & holds

    def body(state: Any) -> Any:
        count, value = state
        new = body_fun(value)
        check_structure(body_fun, tree.structure(value), tree.structure(new))
        return add(count, 1), new

    body.__name__ = name_of(body_fun)
    names = ["the count", *paths(init_val, "carry")]
    return _while(test, body, (np.int32(0), init_val), names, most, progress)[1]


def scan(
    f: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: int | bool = 1,
    _split_transpose: bool = False,
    *,
    progress: bool | str | None = None,
) -> tuple[Any, Any]:
    """Runs `carry, y = f(carry, x)` for each slice `x` of the arrays, and stacks the `y`.

    Args:
        f: a function of a carried value and a slice, that returns the next carried value and an
            output. The carried value keeps its structure, shapes and dtypes.
        init: the first carried value: a pytree of arrays.
        xs: a pytree of arrays of one leading length, or None.
        length: the number of steps, needed if there are no `xs`.
        reverse: go from the last slice to the first; outputs keep the places of their slices.
        unroll: how many steps to write out in one iteration of the compiled loop; True for all.
        _split_transpose: accepted for JAX's signature.
        progress: True or a label to show how far the loop is while it runs.

    Returns:
        (the last carried value, the outputs stacked along a new leading axis).

    Raises:
        ShapeError: lengths of `xs` that disagree, or a carried value that changes its shape.
        DtypeError: a carried value that changes its dtype.
        TreeError: `f` returns no pair, or a carried value of another structure.
        ArgumentError: neither `xs` nor `length`.

    >>> import xform.numpy as xnp
    >>> scan(lambda total, x: (total + x, total), 0.0, xnp.array([1.0, 2.0, 3.0]))
    (Array(6., dtype=float32), Array([0., 1., 3.], dtype=float32))
    """
    names = paths(init, "carry")
    return _scan(f, init, xs, length, reverse, unroll, names, progress)


def _scan(
    f: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    xs: Any,
    length: int | None,
    reverse: bool,
    unroll: int | bool,
    names: Sequence[str],
    progress: bool | str | None,
) -> tuple[Any, Any]:
    """The loop; errors call the leaves of the carried value by these names."""
    slices, xs_tree = operands(xs)
    count = _length(slices, xs, length)
    unrolled = _unrolled(unroll, count)
    if config.disable_jit and count:
        return _scan_in_python(f, init, slices, xs_tree, count, reverse)
    values, in_tree = operands(init)
    arguments = tree.structure((init, xs))
    x_avals = [_sliced(aval_of(x)) for x in slices]
    every = [*names, *paths(xs, "x")]
    values, step = settled(
        lambda avals: traced(f, arguments, [*avals, *x_avals], every), values, len(values)
    )
    carry_tree, y_tree = _pair(f, step)
    check_structure(f, in_tree, carry_tree)
    check_carry(f, names, [aval_of(x) for x in values], step.out_avals[: len(values)])
    outputs = scan_row(
        *step.consts,
        *values,
        *slices,
        jaxpr=step.program,
        consts=len(step.consts),
        carry=len(values),
        length=count,
        reverse=bool(reverse),
        unroll=unrolled,
        progress=label_of(progress, f),
    )
    return (in_tree.unflatten(outputs[: len(values)]), y_tree.unflatten(outputs[len(values) :]))


def _sliced(aval: ShapedArray) -> ShapedArray:
    return aval.update(shape=aval.shape[1:])


def _length(slices: Sequence[Any], xs: Any, length: Any) -> int:
    """The number of steps, which the arrays and `length` must agree on."""
    given = None
    if length is not None:
        given = _static_int(length, "length")
        if given is None or given < 0:
            raise ArgumentError("expected length: a number of steps known while tracing",
                                repr(length))  # fmt: skip
    names = paths(xs, "xs")
    flat = [n for n, x in zip(names, slices, strict=True) if not aval_of(x).shape]
    if flat:
        raise ShapeError(
            "expected xs with a leading axis to scan over",
            f"{flat[0]} of shape ()",
            instead="close over the value, or put it into the carry",
        )
    sizes = [aval_of(x).shape[0] for x in slices]
    if len(set(sizes)) > 1:
        listed = [f"{n}: {s}" for n, s in zip(names, sizes, strict=True)]
        shown = ", ".join(listed[:8]) + (", ..." if len(listed) > 8 else "")
        raise ShapeError("expected xs of one leading length", shown)
    if given is None and not sizes:
        raise ArgumentError(
            "expected xs to scan over, or a length", "neither",
            instead="lax.scan(f, init, None, length=n)",
        )  # fmt: skip
    if given is not None and sizes and given != sizes[0]:
        raise ShapeError(
            "expected a length that agrees with xs",
            f"length={given}, and {names[0]} with a leading axis of {sizes[0]}",
            instead="leave length away",
        )
    return sizes[0] if given is None else given


def _static_int(x: Any, what: str) -> int | None:
    """An integer, None for what is not known or none."""
    try:
        return python_operator.index(x)
    except TypeError:
        return None


def _unrolled(unroll: Any, count: int) -> int:
    if unroll is True:
        return max(count, 1)
    steps = 1 if unroll is False else _static_int(unroll, "unroll")
    if steps is None or steps < 1:
        raise ArgumentError("expected unroll: a number of steps, at least 1, or True for all",
                            repr(unroll))  # fmt: skip
    return steps


def _pair(f: Callable[..., Any], step: Step) -> tuple[tree.TreeDef, tree.TreeDef]:
    """The structures of the carried value and of the output."""
    children = tree.treedef_children(step.out_tree)
    result = step.out_tree.unflatten(range(step.out_tree.num_leaves))
    if not isinstance(result, tuple | list) or len(children) != 2:
        raise ArgumentError(
            f"expected {name_of(f)} to return a pair (carry, y)",
            f"{step.out_tree}",
            instead="return carry, None where there is no output",
        )
    return children[0], children[1]


def _scan_in_python(
    f: Callable[..., Any],
    init: Any,
    slices: Sequence[Any],
    xs_tree: tree.TreeDef,
    count: int,
    reverse: bool,
) -> tuple[Any, Any]:
    """One step after the other, as `disable_jit` asks: the function sees numbers."""
    carry = tree.map(operand, init)
    ys: list[Any] = []
    for k in reversed(range(count)) if reverse else range(count):
        x = xs_tree.unflatten([index_in_dim(s, k, 0, keepdims=False) for s in slices])
        carry, y = f(carry, x)
        ys.append(tree.map(operand, y))
    if reverse:
        ys.reverse()
    return tree.map(operand, carry), tree.map(lambda *parts: stack(parts), *ys)


def fori_loop(
    lower: Any,
    upper: Any,
    body_fun: Callable[[Any, Any], Any],
    init_val: Any,
    *,
    unroll: int | bool | None = None,
    progress: bool | str | None = None,
) -> Any:
    """Replaces a value by `body_fun(i, value)` for each `i` from `lower` up to `upper`.

    With bounds that are known while tracing it is a `scan`, else a `while_loop`; both have forward
    and reverse mode.

    Args:
        lower, upper: integer scalars of one dtype.
        body_fun: a function of the index and the value that returns a value of the same structure,
            shapes and dtypes.
        init_val: the first value: a pytree of arrays.
        unroll: how many steps to write out in one iteration of the compiled loop, for known bounds.
        progress: True or a label to show how far the loop is while it runs.

    Raises:
        DtypeError: bounds that are no integers, or of two dtypes, or a value that changes its
            dtype.
        ShapeError: bounds with dimensions, or a value that changes its shape.
        TreeError: a value that changes its structure.
        ArgumentError: `unroll` for bounds that are not known.

    >>> fori_loop(1, 5, lambda i, x: x * i, 1)
    Array(24, dtype=int32, weak_type=True)
    """
    low, high = _bounds(lower, upper)
    start, stop = concrete(lower), concrete(upper)
    label = label_of(progress, body_fun) or False

    def counting(state: Any) -> Any:
        i, value = state
        new = body_fun(i, value)
        check_structure(body_fun, tree.structure(value), tree.structure(new), "value")
        return add(i, 1), new

    counting.__name__ = name_of(body_fun)
    names = ["the index", *paths(init_val, "value")]
    if start is None or stop is None:
        if unroll not in (None, False, 1):
            raise ArgumentError(
                "expected no unroll= for bounds that are not known while tracing", repr(unroll)
            )
        test = lambda state: lt(state[0], high)  # noqa: E731
        return _while(test, counting, (low, init_val), names, None, label)[1]
    count = max(int(stop) - int(start), 0)
    steps = 1 if unroll is None else unroll

    def body(state: Any, _: Any) -> Any:
        return counting(state), None

    body.__name__ = name_of(body_fun)
    (_, value), _ = _scan(body, (low, init_val), None, count, False, steps, names, label)
    return value


def _bounds(lower: Any, upper: Any) -> tuple[Any, Any]:
    low, high = (scalar_of(x, "the bounds of fori_loop", "one loop per element by xform.vmap")
                 for x in (lower, upper))  # fmt: skip
    a, b = aval_of(low), aval_of(high)
    if not all(dtypes.is_integer(x.dtype) for x in (a, b)):
        raise DtypeError("expected integers for the bounds of fori_loop", f"{a} and {b}",
                         instead="int(n), or xnp.floor(n).astype(int)")  # fmt: skip
    if a.dtype != b.dtype:
        if a.weak_type:
            return convert(low, b.dtype), high
        if b.weak_type:
            return low, convert(high, a.dtype)
        raise DtypeError("expected bounds of fori_loop of one dtype", f"{a} and {b}",
                         instead=f'upper.astype("{a.dtype}")')  # fmt: skip
    return low, high


def map(f: Callable[[Any], Any], xs: Any, *, batch_size: int | None = None) -> Any:
    """Applies a function to each slice of arrays, one after the other, and stacks the results.

    Args:
        f: a function of one slice.
        xs: a pytree of arrays of one leading length.
        batch_size: how many slices to compute at a time, as `xform.vmap` does; what is left over is
            computed in a last, smaller batch.

    Returns:
        the results stacked along a new leading axis.

    Raises:
        ShapeError: lengths that disagree.

    >>> import xform.numpy as xnp
    >>> map(lambda x: x * x, xnp.arange(5), batch_size=2)
    Array([ 0,  1,  4,  9, 16], dtype=int32)
    """
    if batch_size is None:
        return scan(lambda _, x: (None, f(x)), None, xs)[1]
    size = _static_int(batch_size, "batch_size")
    if size is None or size < 1:
        raise ArgumentError("expected batch_size: a number of slices, at least 1", repr(batch_size))
    slices, xs_tree = operands(xs)
    count = _length(slices, xs, None)
    whole = count // size
    groups = [
        reshape(slice_in_dim(x, 0, whole * size), (whole, size, *aval_of(x).shape[1:]))
        for x in slices
    ]
    several = _vectorized(f, size)
    _, ys = scan(lambda _, x: (None, several(x)), None, xs_tree.unflatten(groups))
    ys = tree.map(lambda y: reshape(y, (whole * size, *aval_of(y).shape[2:])), ys)
    if whole * size == count:
        return ys
    rest = xs_tree.unflatten([slice_in_dim(x, whole * size, count) for x in slices])
    tail = _vectorized(f, count - whole * size)(rest)
    return tree.map(lambda a, b: concatenate([a, b], 0), ys, tail)


def _vectorized(f: Callable[[Any], Any], size: int) -> Callable[[Any], Any]:
    """The function over a leading axis of all leaves of its argument."""

    def several(x: Any) -> Any:
        leaves, in_tree = operands(x)
        structure = []

        def one(*parts: Any) -> list[Any]:
            outputs, out_tree = operands(f(in_tree.unflatten(parts)))
            structure.append(out_tree)
            return outputs

        outs, dims = batch_flat(one, size, leaves, [0] * len(leaves))
        fronted = [to_front(size, y, d) for y, d in zip(outs, dims, strict=True)]
        return structure[0].unflatten(fronted)

    return several
