"""From what users pass to what operators take: one dtype, one shape.

Operators below this package take arguments of equal shapes and dtypes. Everything here makes the
conversions and broadcasts explicit, and decides each pair of types once.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..config import config
from ..core import dtypes
from ..core.avals import ShapedArray
from ..core.jaxpr import Literal
from ..core.trace import BASE, Tracer, aval_of, current_trace
from ..core.values import narrowed, scalar, to_numpy
from ..errors import ArgumentError, AxisError, ShapeError
from ..ops.structural import broadcast_in_dim, convert_element_type
from ..runtime.array import from_numpy

_SCALARS = (bool, int, float, complex)

_FILLED: dict[tuple[Literal, tuple[int, ...]], Any] = {}
_MOST_FILLED = 512
_MOST_FILLED_ELEMENTS = 4096

_Plan = tuple[Any, bool, tuple[int, ...]]

_PLANS: dict[tuple[Any, ...], _Plan] = {}
_MOST_PLANS = 20_000

_LITERALS: dict[tuple[Any, ...], Literal] = {}
_MOST_LITERALS = 4096


def literal(x: Any, dtype: Any, weak_type: bool = False) -> Literal:
    """A Python scalar as a literal of a dtype; an integer that does not fit raises."""
    kind = type(x)
    # Zeros are left out because 0.0 and -0.0 are equal as keys, NaN because it equals no key.
    key = (kind, x, dtype, weak_type) if x and x == x and kind is not complex else None
    found = _LITERALS.get(key) if key is not None else None
    if found is None:
        found = Literal(scalar(x, dtype), ShapedArray((), dtype, weak_type))
        if key is not None:
            if len(_LITERALS) >= _MOST_LITERALS:
                _LITERALS.clear()
            _LITERALS[key] = found
    return found


def is_python_scalar(x: Any) -> bool:
    """Whether a value is a Python number, whose dtype gives way to the other operands'."""
    return isinstance(x, _SCALARS) and not isinstance(x, np.generic)


def cast(x: Any, dtype: Any, weak_type: bool = False) -> Any:
    """`x` in a dtype; itself when it is an operand of that dtype already."""
    if is_python_scalar(x):
        return _cast_scalar(x, dtype, weak_type)
    aval = aval_of(x)
    if aval.dtype == dtype and aval.weak_type == weak_type:
        return adopt(x) if isinstance(x, np.ndarray | np.generic) else x
    return convert_element_type(x, new_dtype=np.dtype(dtype), weak_type=weak_type)


def _cast_scalar(x: Any, dtype: Any, weak_type: bool) -> Any:
    if isinstance(x, complex) and not dtypes.is_complex(dtype):
        x = x.real
    if dtypes.is_integer(dtype) and isinstance(x, float):
        wide = Literal(x, ShapedArray((), np.dtype("float64")))
        return convert_element_type(wide, new_dtype=np.dtype(dtype), weak_type=weak_type)
    return literal(x, dtype, weak_type)


def broadcast_shapes(*shapes: Sequence[int] | int) -> tuple[int, ...]:
    """The shape that shapes broadcast to.

    Args:
        *shapes: tuples of lengths; an int stands for one dimension.

    Raises:
        ShapeError: two lengths differ and neither is 1.

    >>> broadcast_shapes((2, 1), (3,))
    (2, 3)
    """
    full = [canonical_shape(s) for s in shapes]
    rank = max((len(s) for s in full), default=0)
    out = []
    for at in range(-rank, 0):
        lengths = {s[at] for s in full if len(s) >= -at} - {1}
        if len(lengths) > 1:
            raise ShapeError(
                "expected shapes that broadcast: from the last axis on, lengths equal or 1",
                ", ".join(map(str, full)),
                instead="x[:, None] or xnp.expand_dims(x, axis) to line the axes up",
            )
        out.append(lengths.pop() if lengths else 1)
    return tuple(out)


def broadcast(x: Any, shape: tuple[int, ...]) -> Any:
    """`x` stretched to a shape that it broadcasts to; itself when it has that shape."""
    have: tuple[int, ...] = () if is_python_scalar(x) else aval_of(x).shape
    if have == shape:
        return x if type(x) is Literal else operand(x)
    if type(x) is Literal:
        return _filled(x, shape)
    offset = len(shape) - len(have)
    return broadcast_in_dim(x, shape=shape, broadcast_dimensions=tuple(range(offset, len(shape))))


def _filled(x: Literal, shape: tuple[int, ...]) -> Any:
    """An array of one number, kept where it is small: loops meet the same constants again."""
    if current_trace() is not BASE:
        return broadcast_in_dim(x, shape=shape, broadcast_dimensions=())
    key = (x, shape)
    found = _FILLED.get(key)
    if found is None:
        found = broadcast_in_dim(x, shape=shape, broadcast_dimensions=())
        if found.size <= _MOST_FILLED_ELEMENTS:
            if len(_FILLED) >= _MOST_FILLED:
                _FILLED.clear()
            _FILLED[key] = found
    return found


def full_like(x: Any, value: Any) -> Any:
    """An array of one number, in the shape, dtype and weak type of `x`."""
    aval = aval_of(x)
    return _filled(literal(value, aval.dtype, aval.weak_type), aval.shape)


def _plan(avals: tuple[ShapedArray, ...], inexact: bool) -> _Plan:
    """The dtype, weak type and shape of an operation between abstract values."""
    dtype, weak = join(avals)
    if inexact and not dtypes.is_inexact(dtype):
        dtype = dtypes.to_inexact(dtype)
    return dtype, weak, broadcast_shapes(*(a.shape for a in avals))


def join(avals: Sequence[ShapedArray]) -> tuple[Any, bool]:
    """The promoted dtype of abstract values, and whether it is weak."""
    joined = (avals[0].dtype, avals[0].weak_type)
    for aval in avals[1:]:
        joined = dtypes.lattice_join(joined, (aval.dtype, aval.weak_type))
    return joined


def _decide(avals: tuple[ShapedArray, ...], inexact: bool) -> _Plan:
    key = (avals, inexact, config.enable_x64)
    plan = _PLANS.get(key)
    if plan is None:
        plan = _plan(avals, inexact)
        if len(_PLANS) >= _MOST_PLANS:
            _PLANS.clear()
        _PLANS[key] = plan
    return plan


def together(*xs: Any, inexact: bool = False) -> list[Any]:
    """Values in their promoted dtype and broadcast shape.

    Args:
        *xs: arrays and numbers.
        inexact: whether integers and booleans become floating point.

    Raises:
        ArgumentError: a value is no array or number, such as a list.
        ShapeError: the shapes do not broadcast.
    """
    avals = tuple(aval_of(x) for x in xs)
    dtype, weak, shape = _decide(avals, inexact)
    return [_fit(x, a, dtype, weak, shape) for x, a in zip(xs, avals, strict=True)]


def _fit(x: Any, aval: ShapedArray, dtype: Any, weak: bool, shape: tuple[int, ...]) -> Any:
    if is_python_scalar(x):
        x = _cast_scalar(x, dtype, weak)
    else:
        if isinstance(x, np.ndarray | np.generic):
            x = adopt(x)
        if aval.dtype != dtype:
            x = convert_element_type(x, new_dtype=dtype, weak_type=weak)
    return x if aval.shape == shape else broadcast(x, shape)


def pair(x: Any, y: Any, inexact: bool = False) -> tuple[Any, Any]:
    """`together` for two values, with nothing to do when their types agree."""
    try:
        ax = x.aval
        if ax is y.aval and not (inexact and not dtypes.is_inexact(ax.dtype)):
            return x, y
    except AttributeError:
        # One of them is a number or a NumPy array.
        pass
    ax, ay = aval_of(x), aval_of(y)
    dtype, weak, shape = _decide((ax, ay), inexact)
    return _fit(x, ax, dtype, weak, shape), _fit(y, ay, dtype, weak, shape)


def promoted(*xs: Any, inexact: bool = False) -> list[Any]:
    """Values in their promoted dtype, each in its own shape."""
    avals = [aval_of(x) for x in xs]
    dtype, weak = join(avals)
    if inexact and not dtypes.is_inexact(dtype):
        dtype = dtypes.to_inexact(dtype)
    return [_fit(x, a, dtype, weak, a.shape) for x, a in zip(xs, avals, strict=True)]


def operand(x: Any) -> Any:
    """A value as an array or a tracer: NumPy's values copied, Python numbers weakly typed."""
    if is_python_scalar(x):
        weak = not isinstance(x, bool)
        return _filled(literal(x, dtypes.scalar_dtype(_kind(x)), weak), ())
    if isinstance(x, np.ndarray | np.generic):
        return adopt(x)
    aval_of(x)
    return x


def adopt(x: Any) -> Any:
    """A NumPy array as an array of its own memory, in the dtype it has inside a program."""
    values = np.asarray(x)
    # Nothing is lost of an empty array, so there is nothing to warn of.
    values = narrowed(values) if values.size else values.astype(aval_of(values).dtype)
    return from_numpy(values, ShapedArray(values.shape, values.dtype))


def _kind(x: Any) -> type:
    return next(kind for kind in _SCALARS if isinstance(x, kind))


def inexact_operand(x: Any) -> Any:
    """`operand`, with integers and booleans turned into floating point."""
    aval = aval_of(x)
    if dtypes.is_inexact(aval.dtype):
        return operand(x)
    return cast(x, dtypes.to_inexact(aval.dtype), aval.weak_type)


def strong(x: Any) -> Any:
    """A value without its weak type."""
    aval = aval_of(x)
    return cast(x, aval.dtype) if aval.weak_type else operand(x)


def concrete(x: Any) -> np.ndarray[Any, Any] | None:
    """The numbers of a value as a NumPy array; None for a value that is traced."""
    if isinstance(x, Tracer):
        known = x.concrete()
        return None if known is None else concrete(known)
    return to_numpy(x)


def as_array(x: np.ndarray[Any, Any], weak_type: bool = False) -> Any:
    """An array of the memory of a NumPy array that nobody else holds."""
    return BASE.wrap(np.ascontiguousarray(x), ShapedArray(x.shape, x.dtype, weak_type))


# Arguments


def canonical_shape(shape: Any) -> tuple[int, ...]:
    """A shape given as an int or a sequence, as a tuple of non-negative ints."""
    if isinstance(shape, Tracer) and not shape.shape:
        shape = [shape]
    try:
        if isinstance(shape, np.ndarray) or not hasattr(shape, "__iter__"):
            shape = np.asarray(shape).tolist() if isinstance(shape, np.ndarray) else shape
            shape = shape if isinstance(shape, list) else [shape]
        lengths = tuple(operator.index(n) for n in shape)
    except TypeError as error:
        if isinstance(shape, Tracer) or any(isinstance(n, Tracer) for n in shape):
            raise
        raise ShapeError(
            "expected a shape: an integer or a tuple of integers", repr(shape)
        ) from error
    if any(n < 0 for n in lengths):
        raise ShapeError("expected a shape of non-negative integers", str(lengths))
    return lengths


def canonical_axis(axis: Any, ndim: int) -> int:
    """An axis counted from the front."""
    at = operator.index(axis)
    if not -ndim <= at < ndim:
        raise AxisError(
            f"expected an axis from {-ndim} to {ndim - 1} of an array with {ndim} dimensions",
            str(at),
        )
    return at + ndim if at < 0 else at


def canonical_axes(axis: Any, ndim: int) -> tuple[int, ...]:
    """Axes given as None (all), an int or a sequence, counted from the front, in rising order."""
    if axis is None:
        return tuple(range(ndim))
    given = (axis,) if not isinstance(axis, tuple | list) else axis
    axes = tuple(canonical_axis(a, ndim) for a in given)
    if len(set(axes)) != len(axes):
        raise AxisError("expected axes that differ", str(tuple(given)))
    return tuple(sorted(axes))


def user_dtype(dtype: Any) -> Any:
    """A dtype the user gave, or None."""
    return None if dtype is None else dtypes.check_user_dtype(dtype)


def refuse(name: str, **given: Any) -> None:
    """Raise `ArgumentError` for NumPy's arguments that an immutable array cannot honour."""
    for argument, value in given.items():
        if value is not None:
            raise ArgumentError(
                f"expected {name} without {argument}=",
                f"{argument}={type(value).__name__}",
                why="arrays are immutable, so a result cannot be written into another array",
                instead=f"y = {name}(x)",
            )


def static_int(x: Any, what: str) -> int:
    """An integer that must be known while tracing."""
    try:
        return operator.index(x)
    except TypeError as error:
        if isinstance(x, Tracer):
            raise
        raise ArgumentError(f"expected {what}: an integer", repr(x)) from error
