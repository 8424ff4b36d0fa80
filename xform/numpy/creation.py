"""Arrays from Python values, and arrays of a pattern."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core import dtypes
from ..core.avals import ShapedArray
from ..core.jaxpr import Literal
from ..core.trace import BASE, Tracer, aval_of
from ..core.values import narrowed, scalar
from ..errors import ArgumentError, DtypeError, IntegerRangeError, ShapeError
from ..ops.elementwise import exp, log, mul, pow_, sub
from ..ops.slicing import concatenate
from ..ops.structural import add, broadcast_in_dim, iota, reshape
from ..runtime import memory
from ..runtime.array import from_numpy
from .promotion import (
    broadcast,
    canonical_axis,
    canonical_shape,
    cast,
    concrete,
    is_python_scalar,
    join,
    static_int,
    user_dtype,
)

# From values


def array(
    object: Any,
    dtype: Any = None,
    copy: bool = True,
    order: str | None = "K",
    ndmin: int = 0,
) -> Any:
    """An array of a number, a nested sequence, a NumPy array or an array.

    Args:
        object: what to make the array of; may hold traced values.
        dtype: the dtype, honoured as given, 64 bits included; by default that of the values, with
            64 bits narrowed to 32 unless `enable_x64` is on.
        copy: accepted for compatibility; arrays are immutable.
        order: accepted for compatibility; arrays have C order.
        ndmin: the least number of dimensions; new ones are added in front.

    Raises:
        DtypeError: the values are no numbers.
        ShapeError: the nested sequences are ragged.
        IntegerRangeError: an integer does not fit the dtype.

    >>> array([1, 2, 3])
    Array([1, 2, 3], dtype=int32)
    """
    out = asarray(object, dtype)
    shape = aval_of(out).shape
    if len(shape) < ndmin:
        return reshape(out, new_sizes=(1,) * (ndmin - len(shape)) + shape)
    return out


def asarray(
    a: Any, dtype: Any = None, order: str | None = None, *, copy: bool | None = None
) -> Any:
    """An array of a number, a nested sequence, a NumPy array or an array.

    Arguments, result and errors are those of `array`.

    >>> asarray(1.5, dtype="float64")
    Array(1.5, dtype=float64)
    """
    wanted = user_dtype(dtype)
    if isinstance(a, Tracer | Literal) or type(a) is BASE.array_type:
        if wanted is None:
            return a
        return cast(a, wanted)
    if is_python_scalar(a):
        found = dtypes.scalar_dtype(_scalar_kind(a)) if wanted is None else wanted
        weak = wanted is None and not isinstance(a, bool)
        return _own(_scalar_value(a, found), weak)
    if isinstance(a, np.ndarray | np.generic):
        return _from_numpy(np.asarray(a), wanted)
    if isinstance(a, list | tuple):
        return _from_sequence(a, wanted)
    if isinstance(a, set | frozenset | dict | str | bytes) or a is None:
        raise DtypeError(
            "expected a number, a nested sequence of numbers, or an array",
            f"{type(a).__name__}: {a!r}"[:80],
            instead="xnp.asarray(list(x))" if isinstance(a, set | frozenset) else None,
        )
    own = getattr(a, "dtype", None)
    if hasattr(a, "__array__") or hasattr(a, "__array_interface__"):
        return _from_numpy(np.asarray(a), wanted)
    if hasattr(a, "__dlpack__"):
        return _from_numpy(np.from_dlpack(a), wanted)
    if isinstance(a, memoryview | bytearray | range) or hasattr(a, "__buffer__"):
        values = np.asarray(a)
        return (
            _from_sequence(values.tolist(), wanted)
            if isinstance(a, range)
            else _from_numpy(values, wanted)
        )
    raise DtypeError(
        "expected a number, a nested sequence of numbers, or an array",
        f"{type(a).__name__}" + (f" of {own}" if own is not None else ""),
    )


def _scalar_kind(x: Any) -> type:
    return next(kind for kind in (bool, int, float, complex) if isinstance(x, kind))


def _scalar_value(x: Any, dtype: Any) -> np.ndarray[Any, Any]:
    if isinstance(x, complex) and not dtypes.is_complex(dtype):
        raise DtypeError(f"expected a real number to make {dtype} of", repr(x), instead="x.real")
    if dtypes.is_integer(dtype) and isinstance(x, float):
        _check_finite(np.asarray(x), dtype)
        return scalar(int(x), dtype)
    return scalar(x, dtype)


def _check_finite(x: np.ndarray[Any, Any], dtype: Any) -> None:
    """Raises `ArgumentError` for numbers that no integer stands for."""
    wrong = ~np.isfinite(x)
    if wrong.any():
        raise ArgumentError(
            f"expected numbers that {dtype} can hold",
            str(x[wrong].flat[0]),
            why="NaN and infinity are no integers",
            instead="xnp.nan_to_num(x).astype(...), or a floating dtype",
        )


def _own(x: np.ndarray[Any, Any], weak_type: bool = False) -> Any:
    """An array of a NumPy array's numbers, in memory of its own."""
    return from_numpy(x, ShapedArray(x.shape, x.dtype, weak_type))


def _from_numpy(x: np.ndarray[Any, Any], wanted: Any) -> Any:
    if wanted is None:
        return _own(narrowed(x))
    given = dtypes.check_user_dtype(x.dtype)
    if given == wanted:
        return _own(x.astype(wanted))
    with np.errstate(all="ignore"):
        if dtypes.is_integer(wanted) and dtypes.is_integer(given):
            _check_range(x, wanted)
        elif dtypes.is_complex(given) and not dtypes.is_complex(wanted):
            x = x.real
        if dtypes.is_integer(wanted) and dtypes.is_inexact(given):
            _check_finite(x, wanted)
        return _own(x.astype(wanted))


def _check_range(x: np.ndarray[Any, Any], dtype: Any) -> None:
    if not x.size:
        return
    info = np.iinfo(dtype)
    low, high = int(x.min()), int(x.max())
    if low < info.min or high > info.max:
        raise IntegerRangeError(
            f"expected integers that fit {dtype}",
            f"a {x.dtype} array with {low if low < info.min else high}",
            instead=f'x.astype("{dtype}") on the NumPy array to wrap around, or a wider dtype',
        )


def _from_sequence(items: Sequence[Any], wanted: Any) -> Any:
    leaves: list[Any] = []
    shape = _collect(items, leaves)
    if any(isinstance(x, Tracer) or type(x) is BASE.array_type for x in leaves):
        return stacked(items, wanted)
    if not leaves:
        return _own(np.zeros(shape, dtypes.scalar_dtype(float) if wanted is None else wanted))
    if wanted is None:
        wanted = join([_leaf_aval(x) for x in leaves])[0]
    if any(isinstance(x, np.ndarray) and x.ndim for x in leaves):
        return _own(np.asarray(items).astype(wanted))
    values = np.asarray(items) if dtypes.is_integer(wanted) else np.asarray(items, _wide(wanted))
    if dtypes.is_integer(wanted):
        if values.dtype == object:
            raise IntegerRangeError(
                f"expected integers that fit {wanted}", repr(max(leaves, key=abs))
            )
        if values.dtype.kind in "iu":
            _check_range(values, wanted)
        elif dtypes.is_inexact(values.dtype):
            _check_finite(values, wanted)
    with np.errstate(over="ignore"):
        return _own(values.astype(wanted).reshape(shape))


def _wide(dtype: Any) -> Any:
    """The dtype NumPy reads Python numbers in before they are cast; extended dtypes via float64."""
    return np.float64 if dtypes.is_float(dtype) and dtype.kind != "f" else dtype


def _leaf_aval(x: Any) -> ShapedArray:
    try:
        return aval_of(x).update(shape=()).strong() if is_python_scalar(x) is False else aval_of(x)
    except ArgumentError:
        raise DtypeError(
            "expected a nested sequence of numbers", f"an element {x!r}"[:80]
        ) from None


def _collect(items: Any, leaves: list[Any]) -> tuple[int, ...]:
    """The shape of a nested sequence; its leaves are appended to `leaves`."""
    if not isinstance(items, list | tuple):
        leaves.append(items)
        return (
            np.shape(items) if isinstance(items, np.ndarray) else tuple(getattr(items, "shape", ()))
        )
    shapes = {_collect(item, leaves) for item in items}
    if len(shapes) > 1:
        raise ShapeError(
            "expected nested sequences of equal lengths",
            f"elements of shapes {', '.join(map(str, sorted(shapes)))}",
        )
    return (len(items), *(shapes.pop() if shapes else ()))


def stacked(items: Any, wanted: Any) -> Any:
    """A nested sequence with arrays in it, joined one level at a time."""
    if not isinstance(items, list | tuple):
        return asarray(items, wanted)
    parts = [stacked(item, wanted) for item in items]
    avals = [aval_of(x) for x in parts]
    dtype, weak = join(avals)
    rows = [
        reshape(cast(x, dtype, weak), new_sizes=(1, *aval.shape))
        for x, aval in zip(parts, avals, strict=True)
    ]
    joined = rows[0] if len(rows) == 1 else concatenate(*rows, dimension=0)
    return cast(joined, dtype)


def copy(a: Any, order: str | None = None) -> Any:
    """A copy of an array, in memory of its own.

    >>> copy(array([1.0]))
    Array([1.], dtype=float32)
    """
    made = asarray(a)
    return made if isinstance(made, Tracer) else made.copy()


def frombuffer(buffer: Any, dtype: Any = float, count: int = -1, offset: int = 0) -> Any:
    """A 1-d array of the bytes of a buffer.

    >>> frombuffer(b"abc", dtype="uint8")
    Array([97, 98, 99], dtype=uint8)
    """
    wanted = dtypes.check_user_dtype(dtype)
    return _own(np.frombuffer(buffer, wanted, count, offset))


def from_dlpack(x: Any) -> Any:
    """An array of the numbers of an object of another library, by DLPack.

    >>> from_dlpack(np.array([1, 2], np.int32))
    Array([1, 2], dtype=int32)
    """
    return _from_numpy(np.from_dlpack(x), None)


# Of one value


def zeros(shape: Any, dtype: Any = None) -> Any:
    """An array of zeros, of dtype float32 (float64 with `enable_x64`) by default.

    >>> zeros((2,))
    Array([0., 0.], dtype=float32)
    """
    return full(shape, 0, float if dtype is None else dtype)


def ones(shape: Any, dtype: Any = None) -> Any:
    """An array of ones, of dtype float32 (float64 with `enable_x64`) by default.

    >>> ones(2, "int32")
    Array([1, 1], dtype=int32)
    """
    return full(shape, 1, float if dtype is None else dtype)


def empty(shape: Any, dtype: Any = None) -> Any:
    """An array to be replaced: zeros, as memory is never shown uninitialized.

    >>> empty(2)
    Array([0., 0.], dtype=float32)
    """
    return zeros(shape, dtype)


def full(shape: Any, fill_value: Any, dtype: Any = None) -> Any:
    """An array of one value, or of one array broadcast to a shape.

    Args:
        shape: the shape.
        fill_value: a number or an array that broadcasts to the shape.
        dtype: the dtype; by default that of `fill_value`.

    >>> full((2,), 1.5)
    Array([1.5, 1.5], dtype=float32, weak_type=True)
    """
    sizes = canonical_shape(shape)
    aval = aval_of(fill_value)
    wanted = aval.dtype if dtype is None else dtypes.check_user_dtype(dtype)
    if isinstance(fill_value, float) and dtypes.is_integer(wanted):
        _check_finite(np.asarray(fill_value), wanted)
    value = cast(fill_value, wanted, dtype is None and aval.weak_type)
    if isinstance(value, Literal):
        return broadcast_in_dim(value, shape=sizes, broadcast_dimensions=())
    return broadcast(value, sizes)


def zeros_like(a: Any, dtype: Any = None, shape: Any = None) -> Any:
    """Zeros of the shape and dtype of an array.

    >>> zeros_like(array([1, 2]))
    Array([0, 0], dtype=int32)
    """
    return full_like(a, 0, dtype, shape)


def ones_like(a: Any, dtype: Any = None, shape: Any = None) -> Any:
    """Ones of the shape and dtype of an array.

    >>> ones_like(array([1, 2]))
    Array([1, 1], dtype=int32)
    """
    return full_like(a, 1, dtype, shape)


def empty_like(prototype: Any, dtype: Any = None, shape: Any = None) -> Any:
    """Zeros of the shape and dtype of an array; see `empty`.

    >>> empty_like(array([1, 2]))
    Array([0, 0], dtype=int32)
    """
    return full_like(prototype, 0, dtype, shape)


def full_like(a: Any, fill_value: Any, dtype: Any = None, shape: Any = None) -> Any:
    """One value in the shape and dtype of an array.

    >>> full_like(array([1, 2]), 7)
    Array([7, 7], dtype=int32)
    """
    aval = aval_of(a)
    return full(
        aval.shape if shape is None else shape, fill_value, aval.dtype if dtype is None else dtype
    )


# Ranges


def arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None) -> Any:
    """Evenly spaced numbers in the half-open interval from start to stop.

    Args:
        start: the first number; with no other argument the end, and the first is 0.
        stop: the end, not included.
        step: the spacing, 1 by default.
        dtype: by default the promoted dtype of the arguments.

    Raises:
        ConcretizationTypeError: an argument is traced; the size must be known.

    >>> arange(3)
    Array([0, 1, 2], dtype=int32)
    """
    given = [_known_scalar(x, "arange") for x in (start, stop, step) if x is not None]
    if dtype is None:
        wanted = join([aval_of(x) for x in (start, stop, step) if x is not None])[0]
    else:
        wanted = dtypes.check_user_dtype(dtype)
    low, high = (0, given[0]) if stop is None else (given[0], given[1])
    if step is None and low == 0 and dtypes.is_integer(wanted) and isinstance(high, int):
        return iota(dtype=wanted, shape=(max(high, 0),), dimension=0)
    stride = 1 if step is None else given[-1]
    if stride == 0:
        raise ArgumentError("expected a step other than 0", "0")
    exact = all(isinstance(x, int) for x in (low, high, stride))
    steps = float(abs((high - low) / stride))
    if math.isfinite(steps):
        memory.require(8 * int(steps), "a range")
    values = np.arange(
        low,
        high,
        stride,
        None if exact else _wide(np.promote_types(np.float64, np.asarray(low).dtype)),
    )
    if exact and dtypes.is_integer(wanted):
        _check_range(values, wanted)
    return _own(values.astype(wanted))


def _known_scalar(x: Any, name: str) -> Any:
    known = concrete(x)
    if known is None:
        return float(x)  # Raises the tracer's own error.
    if known.ndim:
        raise ShapeError(f"expected numbers as the arguments of {name}", f"shape {known.shape}")
    return x if is_python_scalar(x) else known.item()


def linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """Evenly spaced numbers over an interval.

    Args:
        start: the first number, or an array of them.
        stop: the last number, or an array of them.
        num: how many numbers.
        endpoint: whether `stop` is the last number.
        retstep: whether to return the spacing too.
        dtype: the dtype, floating point by default.
        axis: where the new axis goes, for arrays of starts and stops.

    >>> linspace(0, 1, 3)
    Array([0. , 0.5, 1. ], dtype=float32)
    """
    count = static_int(num, "the number of samples")
    if count < 0:
        raise ArgumentError("expected a number of samples of at least 0", str(count))
    natural = dtypes.to_inexact(join([aval_of(start), aval_of(stop)])[0])
    wanted = natural if dtype is None else dtypes.check_user_dtype(dtype)
    low, high = concrete(start), concrete(stop)
    if low is None or high is None:
        out, step = _traced_linspace(start, stop, count, endpoint, natural, axis)
        out = cast(out, wanted)
        return (out, step) if retstep else out
    wide = np.complex128 if dtypes.is_complex(natural) else np.float64
    values, spacing = np.linspace(
        low.astype(wide), high.astype(wide), count, endpoint, retstep=True, axis=axis
    )
    if dtypes.is_integer(wanted):
        values = np.floor(values)
    made = _own(values.astype(wanted))
    return (made, _own(np.asarray(spacing).astype(natural))) if retstep else made


def _traced_linspace(
    start: Any, stop: Any, count: int, endpoint: bool, dtype: Any, axis: int
) -> tuple[Any, Any]:
    """`linspace` of traced ends: (1 - s) start + s stop, exact at both ends."""
    shape = np.broadcast_shapes(aval_of(start).shape, aval_of(stop).shape)
    at = canonical_axis(axis, len(shape) + 1)
    low, high = (broadcast(cast(x, dtype), shape) for x in (start, stop))
    parts = count - 1 if endpoint else count
    real = dtypes.real_dtype(dtype)
    line = np.arange(count, dtype=np.float64) / max(parts, 1)
    full_shape = (*shape[:at], count, *shape[at:])
    others = tuple(d for d in range(len(full_shape)) if d != at)

    def along(values: np.ndarray[Any, Any]) -> Any:
        weights = cast(_own(values.astype(real)), dtype)
        return broadcast_in_dim(weights, shape=full_shape, broadcast_dimensions=(at,))

    spread = [
        broadcast_in_dim(x, shape=full_shape, broadcast_dimensions=others) for x in (low, high)
    ]
    out = add(mul(spread[0], along(1 - line)), mul(spread[1], along(line)))
    step = mul(sub(high, low), broadcast(cast(1 / parts if parts else math.nan, dtype), shape))
    return out, step


def logspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    base: Any = 10.0,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """Numbers spaced evenly on a logarithmic scale: `base` to the power of `linspace`.

    >>> logspace(0, 2, 3)
    Array([  1.,  10., 100.], dtype=float32)
    """
    known = [concrete(x) for x in (start, stop, base)]
    natural = dtypes.to_inexact(join([aval_of(x) for x in (start, stop, base)])[0])
    wanted = natural if dtype is None else dtypes.check_user_dtype(dtype)
    if all(x is not None for x in known):
        low, high, radix = (np.asarray(x, np.float64) for x in known)
        values = np.logspace(low, high, num, endpoint, radix, axis=axis)
        return _own(values.astype(wanted))
    exponents = linspace(start, stop, num, endpoint, dtype=natural, axis=axis)
    radix = broadcast(cast(base, natural), aval_of(exponents).shape)
    return cast(pow_(radix, exponents), wanted)


def geomspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """Numbers spaced evenly on a logarithmic scale: a geometric progression.

    >>> geomspace(1, 100, 3)
    Array([  1.,  10., 100.], dtype=float32)
    """
    low, high = concrete(start), concrete(stop)
    natural = dtypes.to_inexact(join([aval_of(start), aval_of(stop)])[0])
    wanted = natural if dtype is None else dtypes.check_user_dtype(dtype)
    if low is not None and high is not None:
        wide = np.complex128 if dtypes.is_complex(natural) else np.float64
        values = np.geomspace(low.astype(wide), high.astype(wide), num, endpoint, axis=axis)
        return _own(values.astype(wanted))
    ends = [log(cast(x, natural)) for x in (start, stop)]
    return cast(exp(linspace(*ends, num, endpoint, axis=axis)), wanted)
