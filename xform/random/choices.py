"""Choices: coins, permutations, elements of arrays, categories."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..core import dtypes
from ..core.trace import aval_of
from ..errors import ArgumentError, DtypeError, ShapeError
from ..lax.elementwise import add, log, mul, sub
from ..lax.logic import bitwise_and, le, lt
from ..lax.reductions import argmax, cumsum, sort_key_val, top_k
from ..lax.shaping import (
    broadcast_in_dim,
    broadcast_shapes,
    convert_element_type,
    expand_dims,
    full,
    iota,
    reshape,
    select,
    squeeze,
    transpose,
)
from ..lax.slicing import GatherDimensionNumbers, gather, slice_in_dim
from ..numpy.promotion import (
    broadcast,
    canonical_axis,
    canonical_shape,
    inexact_operand,
    operand,
    static_int,
)
from .drawing import randint, sample_shape, uniform, unit, words
from .keys import halves, single
from .samples import gumbel


def bernoulli(
    key: Any, p: Any = 0.5, shape: Sequence[int] | int | None = None, mode: str = "low"
) -> Any:
    """Booleans that are true with probability `p`.

    Args:
        key: a single key.
        p: numbers of a floating dtype.
        shape: the shape of the result, to which that of `p` broadcasts; by default that of `p`.
        mode: "low" draws one uniform number for each; "high" draws two, for small `p`.

    >>> from xform.random import key
    >>> bernoulli(key(0), 0.5, (3,))
    Array([False, False,  True], dtype=bool)
    """
    data = single("bernoulli", key)
    dtype = aval_of(p).dtype
    if not dtypes.is_float(dtype):
        raise DtypeError(
            "expected probabilities of a floating dtype for bernoulli", str(aval_of(p))
        )
    if mode not in ("low", "high"):
        raise ArgumentError("expected mode 'low' or 'high' for bernoulli", repr(mode))
    sizes = sample_shape("bernoulli", shape, p)
    chance = broadcast(convert_element_type(p, dtype), sizes)
    if mode == "low":
        return lt(unit(data, sizes, dtype), chance)
    pair = unit(data, (2, *sizes), dtype)
    first, second = (squeeze(slice_in_dim(pair, k, k + 1), (0,)) for k in range(2))
    return lt(mul(second, 2.0 ** -dtypes.finfo(dtype).nmant), sub(chance, first))


def rademacher(key: Any, shape: Sequence[int] | int = (), dtype: Any = None) -> Any:
    """-1 or 1, each with probability 1/2.

    Args:
        key: a single key.
        shape: the shape of the result.
        dtype: a numeric dtype; by default int32, or int64 with x64 on.

    >>> from xform.random import key
    >>> rademacher(key(0), (3,))
    Array([-1, -1,  1], dtype=int32)
    """
    found = dtypes.check_user_dtype(int if dtype is None else dtype)
    drawn = convert_element_type(bernoulli(key, 0.5, canonical_shape(shape)), found)
    return sub(mul(drawn, 2), 1)


def permutation(key: Any, x: Any, axis: int = 0, independent: bool = False) -> Any:
    """The elements of an array in random order, or the first integers.

    Args:
        key: a single key.
        x: an array, or an integer for the integers below it.
        axis: the axis to permute along.
        independent: whether each line along the axis gets an order of its own.

    >>> from xform.random import key
    >>> permutation(key(0), 10)
    Array([0, 1, 8, 5, 6, 4, 3, 2, 7, 9], dtype=int32)
    """
    data = single("permutation", key)
    aval = aval_of(x)
    if not aval.shape:
        if not dtypes.is_integer(aval.dtype):
            raise DtypeError("expected an array or an integer to permute", str(aval))
        return _shuffled(data, iota(dtypes.scalar_dtype(int), static_int(x, "x")), 0)
    at = canonical_axis(axis, aval.ndim)
    if independent or aval.ndim == 1:
        return _shuffled(data, operand(x), at)
    order = _shuffled(data, iota(dtypes.scalar_dtype(int), aval.shape[at]), 0)
    return _take(operand(x), order, at)


def _shuffled(data: Any, x: Any, axis: int) -> Any:
    """An array sorted by random words, often enough that ties do not matter."""
    aval = aval_of(x)
    rounds = math.ceil(3 * math.log(aval.size if aval.size else 1) / math.log(2**32 - 1))
    for _ in range(rounds):
        data, own = halves(data)
        x = sort_key_val(words(own, 4, aval.shape), x, axis)[1]
    return x


def _take(x: Any, indices: Any, axis: int) -> Any:
    """Parts of an array at indices along an axis; the dimensions of the indices replace it."""
    shape = aval_of(x).shape
    rank = aval_of(indices).ndim
    others = (*range(axis), *range(axis + rank, len(shape) + rank - 1))
    numbers = GatherDimensionNumbers(tuple(others), (axis,), (axis,))
    sizes = (*shape[:axis], 1, *shape[axis + 1 :])
    starts = expand_dims(indices, (rank,))
    return gather(x, starts, numbers, sizes, mode="promise_in_bounds")


def choice(
    key: Any,
    a: Any,
    shape: Sequence[int] = (),
    replace: bool = True,
    p: Any = None,
    axis: int = 0,
    mode: str | None = None,
) -> Any:
    """Random elements of an array, or of the first integers.

    Args:
        key: a single key.
        a: an array, or an integer for the integers below it.
        shape: how many to draw, as a shape that takes the place of the axis.
        replace: whether an element may be drawn more than once.
        p: the probability of each element; by default all are equal.
        axis: the axis to choose along.
        mode: as for `gumbel`, which serves to choose with `p` and without replacement.

    Raises:
        ArgumentError: more elements are to be drawn than there are, without replacement.

    >>> from xform.random import key
    >>> choice(key(0), 5, (3,), replace=False).shape
    (3,)
    """
    data = single("choice", key)
    sizes = canonical_shape(shape)
    aval = aval_of(a)
    line = not aval.shape
    at = 0 if line else canonical_axis(axis, aval.ndim)
    population = static_int(a, "a") if line else aval.shape[at]
    count = math.prod(sizes)
    whole = sizes if line else (*aval.shape[:at], *sizes, *aval.shape[at + 1 :])
    if count == 0:
        return full(whole, 0, dtypes.scalar_dtype(int) if line else aval.dtype)
    if population <= 0:
        raise ArgumentError("expected something to choose from", str(population))
    if not replace and count > population:
        raise ArgumentError(
            f"expected at most {population} to choose without replacement", str(count)
        )
    if p is None and not replace:
        mixed = permutation(data, population if line else a, at)
        return reshape(slice_in_dim(mixed, 0, count, 1, at), whole)
    if p is None:
        places = randint(data, sizes, 0, population)
    else:
        places = _weighted(data, sizes, population, p, replace, mode)
    return places if line else _take(operand(a), places, at)


def _weighted(
    data: Any, shape: tuple[int, ...], population: int, p: Any, replace: bool, mode: str | None
) -> Any:
    """Indices drawn with probabilities."""
    chances = inexact_operand(p)
    aval = aval_of(chances)
    if aval.shape != (population,):
        raise ShapeError(f"expected probabilities of shape ({population},)", str(aval.shape))
    index = dtypes.scalar_dtype(int)
    if not replace:
        # The k greatest of Gumbel noise plus the logarithms are k draws without replacement.
        noisy = add(gumbel(data, (population,), aval.dtype, mode), log(chances))
        chosen = top_k(noisy, math.prod(shape))[1]
        return reshape(convert_element_type(chosen, index), shape)
    steps = cumsum(chances)
    total = squeeze(slice_in_dim(steps, population - 1, population), (0,))
    drawn = mul(total, sub(1.0, uniform(data, shape, aval.dtype)))
    return convert_element_type(_count_below(steps, drawn), index)


def _count_below(line: Any, values: Any) -> Any:
    """How many elements of a sorted line are less than each value, by bisection."""
    size = aval_of(line).shape[0]
    shape = aval_of(values).shape
    found = full(shape, 0, "int32")
    for bit in reversed(range(size.bit_length())):
        further = add(found, 1 << bit)
        at = sub(select(le(further, size), further, broadcast_in_dim(size, shape, ())), 1)
        inside = bitwise_and(le(further, size), lt(_take(line, at, 0), values))
        found = select(inside, further, found)
    return found


def categorical(
    key: Any,
    logits: Any,
    axis: int = -1,
    shape: Sequence[int] | int | None = None,
    replace: bool = True,
    mode: str | None = None,
) -> Any:
    """Categories with probabilities proportional to the exponentials of logits.

    Args:
        key: a single key.
        logits: an array of a floating dtype.
        axis: the axis along which the categories lie.
        shape: the shape of the result, to which that of the logits without the axis broadcasts.
        replace: whether a category may be drawn more than once for the same logits.
        mode: as for `gumbel`.

    Returns:
        indices along the axis.

    >>> from xform.random import key
    >>> from xform.lax import iota
    >>> categorical(key(0), iota("float32", 3), shape=(6,))
    Array([1, 1, 2, 1, 2, 2], dtype=int32)
    """
    data = single("categorical", key)
    scores = inexact_operand(logits)
    aval = aval_of(scores)
    at = canonical_axis(axis, aval.ndim)
    batch = (*aval.shape[:at], *aval.shape[at + 1 :])
    sizes = batch if shape is None else canonical_shape(shape)
    if broadcast_shapes(sizes, batch) != sizes:
        raise ShapeError(f"expected a shape to which {batch} broadcasts", str(sizes))
    prefix = sizes[: len(sizes) - len(batch)]
    if replace:
        place = len(prefix) + at
        spread = (*sizes[:place], aval.shape[at], *sizes[place:])
        noise = gumbel(data, spread, aval.dtype, mode)
        return argmax(add(noise, broadcast(scores, spread)), place, dtypes.scalar_dtype(int))
    count = math.prod(prefix)
    if count > aval.shape[at]:
        raise ArgumentError(
            f"expected at most {aval.shape[at]} draws without replacement", str(count)
        )
    noisy = add(scores, gumbel(data, aval.shape, aval.dtype, mode))
    chosen = top_k(noisy, count, axis=at)[1]
    order = (at, *(d for d in range(aval.ndim) if d != at))
    return reshape(transpose(chosen, order), sizes)
