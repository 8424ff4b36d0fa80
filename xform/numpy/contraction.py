"""Products of matrices and vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.trace import aval_of
from ..errors import ArgumentError, ShapeError
from ..ops import elementwise as ops
from ..ops.contraction import dot_general
from ..ops.structural import reshape
from .arithmetic import multiply, subtract
from .indexing import getitem
from .promotion import (
    broadcast,
    broadcast_shapes,
    canonical_axis,
    cast,
    full_like,
    promoted,
    refuse,
    strong,
    user_dtype,
)
from .rearranging import concatenate
from .shaping import expand_dims, moveaxis, part, ravel
from .ufuncs import conjugate

_BOOL = np.dtype(bool)
_INT = np.dtype("int32")


def contract(
    x: Any,
    y: Any,
    contracting: tuple[Sequence[int], Sequence[int]],
    batch: tuple[Sequence[int], Sequence[int]] = ((), ()),
    precision: Any = None,
    preferred_element_type: Any = None,
) -> Any:
    """The sum of products over pairs of axes.

    Args:
        x: an array.
        y: an array of the same dtype.
        contracting: the axes of `x` and of `y` to sum over, pair by pair.
        batch: the axes of `x` and of `y` to run along together; they come first in the result.
        precision: accepted for compatibility; products have full precision.
        preferred_element_type: the dtype of the result.
    """
    numbers = (
        (tuple(contracting[0]), tuple(contracting[1])),
        (tuple(batch[0]), tuple(batch[1])),
    )
    is_bool = aval_of(x).dtype == _BOOL
    if is_bool:
        x, y = cast(x, _INT), cast(y, _INT)
    out = dot_general(
        x,
        y,
        dimension_numbers=numbers,
        precision=precision,
        preferred_element_type=user_dtype(preferred_element_type),
    )
    return ops.ne(out, full_like(out, 0)) if is_bool and preferred_element_type is None else out


def dot(a: Any, b: Any, *, precision: Any = None, preferred_element_type: Any = None) -> Any:
    """The product over the last axis of `a` and the last but one of `b`.

    Args:
        a: an array.
        b: an array; of a vector, its only axis counts.
        precision: accepted for compatibility.
        preferred_element_type: the dtype of the result.

    Raises:
        ShapeError: the lengths of the axes differ.

    >>> dot(np.array([1, 2], np.int32), np.array([3, 4], np.int32))
    Array(11, dtype=int32)
    """
    x, y = promoted(a, b)
    one, two = aval_of(x).ndim, aval_of(y).ndim
    if one == 0 or two == 0:
        return multiply(x, y)
    last = max(two - 2, 0)
    _check_lengths("dot", x, y, one - 1, last)
    return contract(x, y, ((one - 1,), (last,)), ((), ()), precision, preferred_element_type)


def _check_lengths(name: str, x: Any, y: Any, one: int, two: int) -> None:
    first, second = aval_of(x).shape, aval_of(y).shape
    if first[one] != second[two]:
        raise ShapeError(
            f"expected axis {one} of the first argument of {name} as long as axis {two} of the "
            "second",
            f"shapes {first} and {second}",
            instead="a transposed argument, such as x.T, or xnp.einsum with named axes",
        )


def matmul(a: Any, b: Any, *, precision: Any = None, preferred_element_type: Any = None) -> Any:
    """The matrix product of the last two axes; the others broadcast.

    Args:
        a: an array with at least one dimension; a vector counts as a row.
        b: an array with at least one dimension; a vector counts as a column.
        precision: accepted for compatibility.
        preferred_element_type: the dtype of the result.

    Raises:
        ShapeError: the inner lengths differ, or an argument is a number.

    >>> matmul(np.ones((1, 2), np.float32), np.ones(2, np.float32))
    Array([2.], dtype=float32)
    """
    x, y = promoted(a, b)
    one, two = aval_of(x).shape, aval_of(y).shape
    if not one or not two:
        raise ShapeError(
            "expected arrays with at least one dimension for a matrix product",
            f"shapes {one} and {two}",
            instead="a * b",
        )
    _check_lengths("matmul", x, y, len(one) - 1, max(len(two) - 2, 0))
    options = (precision, preferred_element_type)
    if len(one) <= 2 and len(two) <= 2:
        return contract(x, y, ((len(one) - 1,), (max(len(two) - 2, 0),)), ((), ()), *options)
    if len(two) <= 2:
        # One matrix for the whole stack: no batch is needed.
        return contract(x, y, ((len(one) - 1,), (max(len(two) - 2, 0),)), ((), ()), *options)
    if len(one) == 1:
        out = contract(x, y, ((0,), (len(two) - 2,)), ((), ()), *options)
        return out
    shape = broadcast_shapes(one[:-2], two[:-2])
    x, y = broadcast(x, (*shape, *one[-2:])), broadcast(y, (*shape, *two[-2:]))
    stack = tuple(range(len(shape)))
    rank = len(shape)
    return contract(x, y, ((rank + 1,), (rank,)), (stack, stack), *options)


def vdot(a: Any, b: Any, *, precision: Any = None, preferred_element_type: Any = None) -> Any:
    """The inner product of two flat arrays, the first conjugated.

    >>> vdot(1j, 1j)
    Array(1.+0.j, dtype=complex64)
    """
    x, y = promoted(ravel(a), ravel(b))
    _check_lengths("vdot", x, y, 0, 0)
    return strong(
        contract(conjugate(x), y, ((0,), (0,)), ((), ()), precision, preferred_element_type)
    )


def vecdot(
    x1: Any,
    x2: Any,
    /,
    *,
    axis: int = -1,
    precision: Any = None,
    preferred_element_type: Any = None,
) -> Any:
    """The inner products along an axis, the first argument conjugated; the others broadcast.

    >>> vecdot(np.array([1, 2], np.float32), np.array([1, 2], np.float32))
    Array(5., dtype=float32)
    """
    x, y = promoted(x1, x2)
    x = moveaxis(x, canonical_axis(axis, aval_of(x).ndim), -1)
    y = moveaxis(y, canonical_axis(axis, aval_of(y).ndim), -1)
    _check_lengths("vecdot", x, y, aval_of(x).ndim - 1, aval_of(y).ndim - 1)
    shape = broadcast_shapes(aval_of(x).shape, aval_of(y).shape)
    stack = tuple(range(len(shape) - 1))
    last = (len(shape) - 1,)
    return contract(
        broadcast(conjugate(x), shape),
        broadcast(y, shape),
        (last, last),
        (stack, stack),
        precision,
        preferred_element_type,
    )


def matvec(x1: Any, x2: Any, /) -> Any:
    """Matrices times vectors; the other axes broadcast.

    >>> matvec(np.ones((2, 2), np.float32), np.array([1, 2], np.float32))
    Array([3., 3.], dtype=float32)
    """
    return getitem(matmul(x1, expand_dims(x2, -1)), (..., 0))


def vecmat(x1: Any, x2: Any, /) -> Any:
    """Conjugated vectors times matrices; the other axes broadcast.

    >>> vecmat(np.array([1, 2], np.float32), np.ones((2, 2), np.float32))
    Array([3., 3.], dtype=float32)
    """
    return getitem(matmul(expand_dims(conjugate(x1), -2), x2), (..., 0, slice(None)))


def inner(a: Any, b: Any, *, precision: Any = None, preferred_element_type: Any = None) -> Any:
    """The product over the last axes of both arrays.

    >>> inner(np.array([1, 2], np.float32), np.array([1, 2], np.float32))
    Array(5., dtype=float32)
    """
    x, y = promoted(a, b)
    one, two = aval_of(x).ndim, aval_of(y).ndim
    if one == 0 or two == 0:
        return multiply(x, y)
    _check_lengths("inner", x, y, one - 1, two - 1)
    return contract(x, y, ((one - 1,), (two - 1,)), ((), ()), precision, preferred_element_type)


def outer(a: Any, b: Any, out: None = None) -> Any:
    """The products of each element of one flat array with each of another.

    >>> outer(np.array([1, 2], np.int32), np.array([3, 4], np.int32))
    Array([[3, 4],
           [6, 8]], dtype=int32)
    """
    refuse("outer", out=out)
    return multiply(expand_dims(ravel(a), 1), expand_dims(ravel(b), 0))


def tensordot(
    a: Any, b: Any, axes: Any = 2, *, precision: Any = None, preferred_element_type: Any = None
) -> Any:
    """The product over several pairs of axes.

    Args:
        a: an array.
        b: an array.
        axes: a number n, for the last n axes of `a` and the first n of `b`; or a pair of axes or
            of sequences of axes.
        precision: accepted for compatibility.
        preferred_element_type: the dtype of the result.

    >>> tensordot(np.ones((2, 3), np.float32), np.ones((3, 2), np.float32), 1)
    Array([[3., 3.],
           [3., 3.]], dtype=float32)
    """
    x, y = promoted(a, b)
    one, two = aval_of(x).ndim, aval_of(y).ndim
    if isinstance(axes, Sequence):
        first, second = (list(s) if isinstance(s, Sequence) else [s] for s in axes)
    else:
        count = int(axes)
        if count > min(one, two):
            raise ShapeError(f"expected at most {min(one, two)} axes to sum over", str(count))
        first, second = list(range(one - count, one)), list(range(count))
    if len(first) != len(second):
        raise ArgumentError("expected as many axes of a as of b", f"{first} and {second}")
    left = [canonical_axis(d, one) for d in first]
    right = [canonical_axis(d, two) for d in second]
    for i, j in zip(left, right, strict=True):
        _check_lengths("tensordot", x, y, i, j)
    return contract(x, y, (left, right), ((), ()), precision, preferred_element_type)


def kron(a: Any, b: Any) -> Any:
    """The Kronecker product: blocks of `b`, each times an element of `a`.

    >>> kron(np.array([1, 10], np.int32), np.array([1, 2], np.int32))
    Array([ 1,  2, 10, 20], dtype=int32)
    """
    x, y = promoted(a, b)
    rank = max(aval_of(x).ndim, aval_of(y).ndim)
    shapes = []
    for v in (x, y):
        shape = aval_of(v).shape
        shapes.append((1,) * (rank - len(shape)) + shape)
    one, two = shapes
    left = reshape(x, new_sizes=tuple(n for s in one for n in (s, 1)))
    right = reshape(y, new_sizes=tuple(n for s in two for n in (1, s)))
    out = multiply(left, right)
    return reshape(out, new_sizes=tuple(m * n for m, n in zip(one, two, strict=True)))


def cross(
    a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Any:
    """The cross product of vectors of 3 elements; of 2, the element along the third axis.

    Args:
        a: an array of vectors.
        b: an array of vectors.
        axisa: the axis of `a` along which its vectors lie.
        axisb: the axis of `b` along which its vectors lie.
        axisc: the axis of the result along which its vectors lie.
        axis: all three at once.

    >>> cross(np.array([1, 0, 0], np.int32), np.array([0, 1, 0], np.int32))
    Array([0, 0, 1], dtype=int32)
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    x, y = promoted(a, b)
    x, y = moveaxis(x, axisa, -1), moveaxis(y, axisb, -1)
    sizes = aval_of(x).shape[-1], aval_of(y).shape[-1]
    if not set(sizes) <= {2, 3}:
        raise ShapeError("expected vectors of 2 or 3 elements", f"{sizes[0]} and {sizes[1]}")
    u = [_component(x, k) for k in range(sizes[0])]
    v = [_component(y, k) for k in range(sizes[1])]
    last = _difference(u[0], v[1], u[1], v[0])
    if sizes == (2, 2):
        return last
    zero = full_like(u[0], 0)
    u, v = [*u, zero][:3], [*v, full_like(v[0], 0)][:3]
    parts = [_difference(u[1], v[2], u[2], v[1]), _difference(u[2], v[0], u[0], v[2]), last]
    return moveaxis(concatenate([expand_dims(p, -1) for p in parts], -1), -1, axisc)


def _component(x: Any, k: int) -> Any:
    shape = aval_of(x).shape
    return reshape(part(x, len(shape) - 1, k, k + 1), new_sizes=shape[:-1])


def _difference(a: Any, b: Any, c: Any, d: Any) -> Any:
    return subtract(multiply(a, b), multiply(c, d))
