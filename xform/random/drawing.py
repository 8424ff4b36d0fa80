"""Random bits, and what comes from them by exact steps: uniform numbers and integers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core import dtypes
from ..core.trace import aval_of
from ..errors import ArgumentError, DtypeError, ShapeError
from ..lax.elementwise import add, max as maximum, min as minimum, mul, rem, sub
from ..lax.logic import (
    bitcast_convert_type,
    bitwise_and,
    bitwise_or,
    bitwise_xor,
    gt,
    le,
    shift_left,
    shift_right_logical,
)
from ..lax.shaping import broadcast_shapes, convert_element_type, select
from ..numpy.promotion import broadcast, canonical_shape, concrete, is_python_scalar, literal
from .keys import counters, halves, hashed, single

UNSIGNED = {n: np.dtype(f"uint{8 * n}") for n in (1, 2, 4, 8)}


def real_dtype(name: str, dtype: Any) -> np.dtype[Any]:
    """The floating dtype a function was asked for; by default that of Python's floats."""
    found = dtypes.check_user_dtype(float if dtype is None else dtype)
    if not dtypes.is_float(found):
        raise DtypeError(f"expected a floating dtype for {name}", str(found))
    return found


def integer_dtype(name: str, dtype: Any) -> np.dtype[Any]:
    """The integer dtype a function was asked for; by default that of Python's integers."""
    found = dtypes.check_user_dtype(int if dtype is None else dtype)
    if not dtypes.is_integer(found):
        raise DtypeError(f"expected an integer dtype for {name}", str(found))
    return found


def sample_shape(name: str, shape: Any, *parameters: Any) -> tuple[int, ...]:
    """The shape of a sample, to which the shapes of its parameters must broadcast.

    Without a shape it is the one that the parameters broadcast to.
    """
    shapes = [aval_of(p).shape for p in parameters]
    if shape is None:
        return broadcast_shapes(*shapes)
    wanted = canonical_shape(shape)
    if shapes and broadcast_shapes(wanted, *shapes) != wanted:
        raise ShapeError(
            f"expected parameters of {name} whose shapes broadcast to shape={wanted}",
            ", ".join(map(str, shapes)),
        )
    return wanted


def constant(value: Any, dtype: Any) -> Any:
    """A number in a dtype, as an operand."""
    return literal(value, np.dtype(dtype))


def words(data: Any, width: int, shape: tuple[int, ...]) -> Any:
    """Unsigned integers of `width` bytes, all bits of them random."""
    first, second = hashed(data, *counters(shape))
    dtype = UNSIGNED[width]
    if width == 8:
        high = convert_element_type(first, dtype)
        return bitwise_or(shift_left(high, 32), convert_element_type(second, dtype))
    mixed = bitwise_xor(first, second)
    return mixed if width == 4 else convert_element_type(mixed, dtype)


def bits(key: Any, shape: Sequence[int] | int = (), dtype: Any = None) -> Any:
    """Random bits, as unsigned integers.

    Args:
        key: a single key.
        shape: the shape of the result.
        dtype: an unsigned integer dtype; by default uint32, or uint64 with x64 on.

    >>> from xform.random import key
    >>> bits(key(0), (2,))
    Array([4070199207, 4202968722], dtype=uint32)
    """
    default = UNSIGNED[dtypes.scalar_dtype(int).itemsize]
    found = default if dtype is None else integer_dtype("bits", dtype)
    if not dtypes.is_unsigned(found):
        raise DtypeError("expected an unsigned integer dtype for bits", str(found))
    return words(single("bits", key), found.itemsize, canonical_shape(shape))


def unit(data: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Any:
    """Numbers from 0 up to, and without, 1: random mantissas of numbers from 1 to 2, less 1."""
    limits = dtypes.finfo(dtype)
    unsigned = UNSIGNED[dtype.itemsize]
    width = 1 if limits.nmant < 8 else dtype.itemsize
    drawn = words(data, width, shape)
    if width != dtype.itemsize:
        drawn = convert_element_type(drawn, unsigned)
    mantissa = shift_right_logical(drawn, 8 * width - limits.nmant)
    one = int(np.ones((), dtype).view(unsigned))
    return sub(bitcast_convert_type(bitwise_or(mantissa, one), dtype), 1.0)


def between(data: Any, shape: tuple[int, ...], dtype: np.dtype[Any], low: Any, high: Any) -> Any:
    """Uniform numbers from `low` up to `high`."""
    drawn = unit(data, shape, dtype)
    if _is_number(low, 0) and _is_number(high, 1):
        return drawn
    least = broadcast(_as(low, dtype), shape)
    greatest = broadcast(_as(high, dtype), shape)
    span = sub(greatest, least)
    if dtype != np.float32 or _is_power_of_two(span):
        return maximum(least, add(mul(drawn, span), least))
    # The product and the sum are rounded once, as a fused multiply-add does. In float64 the product
    # is exact, so that eager and compiled programs agree to the bit.
    wide = [convert_element_type(x, "float64") for x in (drawn, span, least)]
    scaled = convert_element_type(add(mul(wide[0], wide[1]), wide[2]), dtype)
    return maximum(least, scaled)


def _as(x: Any, dtype: np.dtype[Any]) -> Any:
    return constant(x, dtype) if is_python_scalar(x) else convert_element_type(x, dtype)


def _is_number(x: Any, value: float) -> bool:
    return isinstance(x, int | float | np.floating | np.integer) and x == value


def _is_power_of_two(x: Any) -> bool:
    """Whether all numbers of an array are known to be powers of two, whose products are exact."""
    known = concrete(x)
    return known is not None and bool(np.all(np.frexp(known)[0] == 0.5))


def uniform(
    key: Any,
    shape: Sequence[int] | int = (),
    dtype: Any = None,
    minval: Any = 0.0,
    maxval: Any = 1.0,
) -> Any:
    """Uniform numbers from `minval` up to, and without, `maxval`.

    Args:
        key: a single key.
        shape: the shape of the result.
        dtype: a floating dtype; by default float32, or float64 with x64 on.
        minval, maxval: numbers, or arrays that broadcast to the shape.

    Returns:
        an array, the same bits for the same key on every target; for float64 and bounds other than
        0 and 1, the same within a rounding.

    >>> from xform.random import key
    >>> uniform(key(0), (2,))
    Array([0.947667 , 0.9785799], dtype=float32)
    """
    found = real_dtype("uniform", dtype)
    sizes = sample_shape("uniform", shape, minval, maxval)
    return between(single("uniform", key), sizes, found, minval, maxval)


def randint(
    key: Any, shape: Sequence[int] | int, minval: Any, maxval: Any, dtype: Any = None
) -> Any:
    """Integers from `minval` up to, and without, `maxval`.

    Args:
        key: a single key.
        shape: the shape of the result.
        minval, maxval: integers, or integer arrays that broadcast to the shape; those that do not
            fit the dtype count as the nearest that do. Where `maxval` is not greater, the result is
            `minval`.
        dtype: an integer dtype; by default int32, or int64 with x64 on.

    Returns:
        an array. Numbers are uniform up to a bias of the square of the range over 2 to the power of
        twice the width.

    >>> from xform.random import key
    >>> randint(key(0), (3,), 0, 10)
    Array([9, 0, 2], dtype=int32)
    """
    found = integer_dtype("randint", dtype)
    sizes = sample_shape("randint", shape, minval, maxval)
    bounds = (minval, maxval)
    wide = found
    info = dtypes.iinfo(found)
    if found.itemsize < 4:
        # Fewer bits would make the bias large; the bounds are clipped as the narrow dtype needs.
        wide = np.dtype(np.int32)
        limits = ((info.min, info.max), (info.min, info.max + 1))
        bounds = tuple(_clipped(b, *ends) for b, ends in zip(bounds, limits, strict=True))
    data = single("randint", key)
    if all(isinstance(b, int | np.integer) for b in bounds):
        drawn = _known_range(data, int(bounds[0]), int(bounds[1]), wide, sizes)
    else:
        drawn = _any_range(data, *bounds, wide, sizes)
    return drawn if wide == found else convert_element_type(drawn, found)


def _clipped(x: Any, low: int, high: int) -> Any:
    if isinstance(x, int | np.integer):
        return _moved(int(x), low, high)
    return minimum(maximum(convert_element_type(x, "int32"), low), high)


def _moved(x: int, low: int, high: int) -> int:
    """An integer moved into a range."""
    if x < low:
        return low
    return high if x > high else x


def _known_range(
    data: Any, low: int, high: int, dtype: np.dtype[Any], shape: tuple[int, ...]
) -> Any:
    """Integers of a range that is known: all but the last steps are done beforehand."""
    info = dtypes.iinfo(dtype)
    width = dtype.itemsize
    modulus = 2 ** (8 * width)
    whole = high > info.max
    low, high = _moved(low, info.min, info.max), _moved(high, info.min, info.max)
    span = high - low + whole if high > low else 1
    first, second = halves(data)
    offset = words(second, width, shape)
    if span < modulus:
        offset = rem(offset, span)
        # 2 to the power of the width, modulo the span; beyond a span of half the width the
        # square wraps to zero, and the first word does not matter.
        root = 2 ** (4 * width) % span
        factor = root * root % modulus % span
        if factor:
            upper = rem(words(first, width, shape), span)
            offset = rem(add(mul(upper, factor), offset), span)
    return add(convert_element_type(offset, dtype), low)


def _any_range(data: Any, low: Any, high: Any, dtype: np.dtype[Any], shape: tuple[int, ...]) -> Any:
    first, second = (words(half, dtype.itemsize, shape) for half in halves(data))
    info = dtypes.iinfo(dtype)
    unsigned = UNSIGNED[dtype.itemsize]
    low, high = _integer_operand(low), _integer_operand(high)
    beyond = _beyond(high, info.max)
    least = broadcast(_saturated(low, dtype), shape)
    greatest = broadcast(_saturated(high, dtype), shape)
    span = convert_element_type(sub(greatest, least), unsigned)
    empty = le(greatest, least)
    span = select(empty, _constant_like(span, 1), span)
    more = bitwise_and(broadcast(beyond, shape), gt(greatest, least))
    span = select(more, add(span, 1), span)
    root = rem(_constant_like(span, 2 ** (4 * dtype.itemsize)), span)
    factor = rem(mul(root, root), span)
    offset = rem(add(mul(rem(first, span), factor), rem(second, span)), span)
    return add(least, convert_element_type(offset, dtype))


def _constant_like(x: Any, value: int) -> Any:
    """A number in the shape and dtype of an array."""
    aval = aval_of(x)
    return broadcast(constant(value, aval.dtype), aval.shape)


def _integer_operand(x: Any) -> Any:
    aval = aval_of(x)
    if isinstance(x, int | np.integer):
        return constant(int(x), "int64" if not -(2**31) <= int(x) < 2**31 else "int32")
    if not dtypes.is_integer(aval.dtype):
        raise ArgumentError("expected integer bounds for randint", str(aval))
    return x


def _beyond(x: Any, most: int) -> Any:
    """Whether integers are greater than a bound, which may not fit their dtype."""
    if most >= dtypes.iinfo(aval_of(x).dtype).max:
        return broadcast(constant(False, np.bool_), aval_of(x).shape)
    return gt(x, most)


def _saturated(x: Any, dtype: np.dtype[Any]) -> Any:
    """Integers in another dtype, those that do not fit moved to its bounds."""
    own, target = dtypes.iinfo(aval_of(x).dtype), dtypes.iinfo(dtype)
    if own.min < target.min:
        x = maximum(x, target.min)
    if own.max > target.max:
        x = minimum(x, target.max)
    return convert_element_type(x, dtype)
