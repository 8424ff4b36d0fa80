"""Reductions, cumulative sums, sorting and products, under JAX's names in `jax.lax`."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.primitive import Primitive
from ..core.trace import aval_of
from ..errors import ArgumentError, ShapeError
from ..numpy import promotion
from ..ops import contraction, cumulative, reduction, sorting, structural
from .operands import axis_of, operand, static_int, user_dtype

# Reductions


def _reduction(name: str, row: Primitive, summary: str, shown: str) -> Any:
    def function(operand: Any, axes: Sequence[int]) -> Any:
        x = promotion.operand(operand)
        return row(x, axes=tuple(sorted(axis_of(x, a) for a in axes)))

    call, _, result = shown.partition(" -> ")
    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"""{summary}

    Args:
        operand: an array.
        axes: the axes to reduce, which the result lacks.

    Raises:
        AxisError: an axis outside the array, or twice.

    >>> {call}
    {result}
    """
    return function


reduce_sum = _reduction(
    "reduce_sum",
    structural.reduce_sum,
    "The sum along axes.",
    "reduce_sum(np.float32([1, 2]), (0,)) -> Array(3., dtype=float32)",
)
reduce_prod = _reduction(
    "reduce_prod",
    reduction.reduce_prod,
    "The product along axes.",
    "reduce_prod(np.float32([3, 2]), (0,)) -> Array(6., dtype=float32)",
)
reduce_max = _reduction(
    "reduce_max",
    reduction.reduce_max,
    "The greatest element along axes; NaN if one is NaN.",
    "reduce_max(np.float32([1, 2]), (0,)) -> Array(2., dtype=float32)",
)
reduce_min = _reduction(
    "reduce_min",
    reduction.reduce_min,
    "The least element along axes; NaN if one is NaN.",
    "reduce_min(np.float32([1, 2]), (0,)) -> Array(1., dtype=float32)",
)
reduce_and = _reduction(
    "reduce_and",
    reduction.reduce_and,
    "The bits set in all elements along axes.",
    "reduce_and(np.int32([6, 3]), (0,)) -> Array(2, dtype=int32)",
)
reduce_or = _reduction(
    "reduce_or",
    reduction.reduce_or,
    "The bits set in any element along axes.",
    "reduce_or(np.int32([6, 3]), (0,)) -> Array(7, dtype=int32)",
)
reduce_xor = _reduction(
    "reduce_xor",
    reduction.reduce_xor,
    "The bits set in an odd number of elements along axes.",
    "reduce_xor(np.int32([6, 3]), (0,)) -> Array(5, dtype=int32)",
)


def _arg(row: Primitive, x: Any, axis: int, index_dtype: Any) -> Any:
    x = operand(x)
    at = axis_of(x, axis)
    return row(x, axes=(at,), index_dtype=np.dtype(user_dtype(index_dtype)))


def argmax(operand: Any, axis: int, index_dtype: Any) -> Any:
    """The index of the greatest element along an axis: the first of several, or of NaNs.

    Args:
        operand: an array.
        axis: the axis, which the result lacks.
        index_dtype: the integer dtype of the result.

    >>> argmax(np.float32([1, 5, 5]), 0, "int32")
    Array(1, dtype=int32)
    """
    return _arg(reduction.argmax, operand, axis, index_dtype)


def argmin(operand: Any, axis: int, index_dtype: Any) -> Any:
    """The index of the least element along an axis; arguments are those of `argmax`.

    >>> argmin(np.float32([1, 5, 1]), 0, "int32")
    Array(0, dtype=int32)
    """
    return _arg(reduction.argmin, operand, axis, index_dtype)


# Cumulative reductions


def _cumulative(name: str, row: Primitive, summary: str, shown: str) -> Any:
    def function(operand: Any, axis: int = 0, reverse: bool = False) -> Any:
        x = promotion.operand(operand)
        return row(x, axis=axis_of(x, axis), reverse=bool(reverse))

    call, _, result = shown.partition(" -> ")
    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"""{summary}

    Args:
        operand: an array.
        axis: the axis to go along.
        reverse: whether to go from the end to the start.

    >>> {call}
    {result}
    """
    return function


cumsum = _cumulative(
    "cumsum",
    cumulative.cumsum,
    "The sums of the elements up to each along an axis.",
    "cumsum(np.int32([1, 2, 3])) -> Array([1, 3, 6], dtype=int32)",
)
cumprod = _cumulative(
    "cumprod",
    cumulative.cumprod,
    "The products of the elements up to each along an axis.",
    "cumprod(np.int32([1, 2, 3])) -> Array([1, 2, 6], dtype=int32)",
)
cummax = _cumulative(
    "cummax",
    cumulative.cummax,
    "The greatest of the elements up to each along an axis.",
    "cummax(np.int32([1, 3, 2])) -> Array([1, 3, 3], dtype=int32)",
)
cummin = _cumulative(
    "cummin",
    cumulative.cummin,
    "The least of the elements up to each along an axis.",
    "cummin(np.int32([2, 1, 3])) -> Array([2, 1, 1], dtype=int32)",
)
cumlogsumexp = _cumulative(
    "cumlogsumexp",
    cumulative.cumlogsumexp,
    "The logarithms of the sums of the exponentials of the elements up to each along an axis.",
    "cumlogsumexp(np.float32([-np.inf, 0])) -> Array([-inf,   0.], dtype=float32)",
)

# Sorting


def sort(operand: Any, dimension: int = -1, is_stable: bool = True, num_keys: int = 1) -> Any:
    """Arrays sorted along a dimension, from the least element to the greatest and NaN last.

    Args:
        operand: an array, or a sequence of arrays of equal shapes to put in one order.
        dimension: the dimension.
        is_stable: whether equal elements keep their order.
        num_keys: how many of the arrays decide, the first of them first.

    Returns:
        an array, or a tuple of as many as were given.

    >>> sort(np.int32([3, 1, 2]))
    Array([1, 2, 3], dtype=int32)
    """
    several = isinstance(operand, tuple | list)
    xs = [promotion.operand(x) for x in (operand if several else [operand])]
    if not xs:
        raise ArgumentError("expected at least one array to sort", "none")
    out = sorting.sort(
        *xs,
        dimension=axis_of(xs[0], dimension),
        is_stable=bool(is_stable),
        num_keys=static_int(num_keys, "num_keys"),
    )
    return tuple(out) if several else out[0]


def sort_key_val(keys: Any, values: Any, dimension: int = -1, is_stable: bool = True) -> Any:
    """Keys sorted along a dimension, and values in the same order.

    >>> sort_key_val(np.int32([3, 1, 2]), np.int32([0, 1, 2]))[1]
    Array([1, 2, 0], dtype=int32)
    """
    return sort((keys, values), dimension, is_stable, 1)


def top_k(operand: Any, k: int, *, axis: int = -1) -> tuple[Any, Any]:
    """The greatest elements along an axis, and their indices.

    Args:
        operand: an array of an integer or floating dtype. NaN counts as greatest.
        k: how many.
        axis: the axis.

    Returns:
        the elements from the greatest down, and their int32 indices; of equal elements, the one
        with the lower index comes first.

    >>> top_k(np.int32([3, 1, 2]), 2)
    (Array([3, 2], dtype=int32), Array([0, 2], dtype=int32))
    """
    x = promotion.operand(operand)
    shape = aval_of(x).shape
    at = axis_of(x, axis)
    count = static_int(k, "k")
    if not 0 <= count <= shape[at]:
        raise ArgumentError(f"expected k from 0 to {shape[at]}", str(count))
    values, indices = sorting.top_k(x, k=count, dimension=at)
    return values, indices


# Products


class Precision(enum.Enum):
    """How exact products of matrices are; on a CPU all are exact to the dtype.

    >>> Precision("highest")
    <Precision.HIGHEST: 'highest'>
    """

    DEFAULT = "default"
    HIGH = "high"
    HIGHEST = "highest"


def _precision(given: Any) -> Any:
    """A precision as the operator keeps it: a name, a pair of names, or None."""
    if given is None:
        return None
    if isinstance(given, tuple | list):
        return tuple(_precision(p) for p in given)
    try:
        return Precision(given).value
    except ValueError as error:
        raise ArgumentError(
            "expected a precision: 'default', 'high' or 'highest'", repr(given)
        ) from error


def dot_general(
    lhs: Any,
    rhs: Any,
    dimension_numbers: Any,
    precision: Any = None,
    preferred_element_type: Any = None,
) -> Any:
    """Sums of products over contracted dimensions, for each element of batch dimensions.

    Args:
        lhs, rhs: arrays of equal dtypes.
        dimension_numbers: ((contracted of lhs, contracted of rhs), (batch of lhs, batch of rhs)).
        precision: a `Precision` or its name, or a pair of them.
        preferred_element_type: the dtype of the result; by default that of the operands.

    Returns:
        an array with the batch dimensions, the other dimensions of lhs, and those of rhs.

    Raises:
        ShapeError: paired dimensions differ in size.

    >>> dot_general(np.float32([[1, 2]]), np.float32([3, 4]), (((1,), (0,)), ((), ())))
    Array([11.], dtype=float32)
    """
    (x_contract, y_contract), (x_batch, y_batch) = dimension_numbers
    x, y = operand(lhs), operand(rhs)
    wanted = user_dtype(preferred_element_type)
    return contraction.dot_general(
        x,
        y,
        dimension_numbers=(
            (_axes(x, x_contract), _axes(y, y_contract)),
            (_axes(x, x_batch), _axes(y, y_batch)),
        ),
        precision=_precision(precision),
        preferred_element_type=None if wanted is None else np.dtype(wanted),
    )


def _axes(x: Any, dims: Sequence[int]) -> tuple[int, ...]:
    return tuple(axis_of(x, d) for d in dims)


def dot(
    lhs: Any,
    rhs: Any,
    *,
    dimension_numbers: Any = None,
    precision: Any = None,
    preferred_element_type: Any = None,
) -> Any:
    """The product of vectors or matrices, or `dot_general` with `dimension_numbers`.

    Args:
        lhs, rhs: arrays of one or two dimensions and equal dtypes.
        dimension_numbers, precision, preferred_element_type: as for `dot_general`.

    >>> dot(np.float32([1, 2]), np.float32([3, 4]))
    Array(11., dtype=float32)
    """
    if dimension_numbers is None:
        ranks = (aval_of(lhs).ndim, aval_of(rhs).ndim)
        if not all(r in (1, 2) for r in ranks):
            raise ShapeError(
                "expected arrays of one or two dimensions for dot",
                f"{aval_of(lhs)} and {aval_of(rhs)}",
                instead="xform.numpy.matmul, or dimension_numbers=...",
            )
        dimension_numbers = (((ranks[0] - 1,), (0,)), ((), ()))
    return dot_general(lhs, rhs, dimension_numbers, precision, preferred_element_type)


def batch_matmul(lhs: Any, rhs: Any, precision: Any = None) -> Any:
    """Products of matrices, for each element of equal leading dimensions.

    Args:
        lhs, rhs: arrays of shapes (..., n, k) and (..., k, m), of equal dtypes.
        precision: as for `dot_general`.

    >>> batch_matmul(np.ones((2, 1, 3), np.float32), np.ones((2, 3, 1), np.float32)).shape
    (2, 1, 1)
    """
    rank = aval_of(lhs).ndim
    if rank < 2 or aval_of(rhs).ndim != rank:
        raise ShapeError(
            "expected arrays of equal numbers of dimensions, at least two",
            f"{aval_of(lhs)} and {aval_of(rhs)}",
        )
    batch = tuple(range(rank - 2))
    return dot_general(lhs, rhs, (((rank - 1,), (rank - 2,)), (batch, batch)), precision)
