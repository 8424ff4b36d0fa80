"""Functions of parts applied to whole arrays."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable, Collection, Sequence
from typing import Any

from ..core.trace import aval_of
from ..errors import ArgumentError, ShapeError
from ..interpreters.batching import batch_flat
from ..ops.structural import reshape
from ..tree import flatten, unflatten
from .promotion import broadcast, broadcast_shapes, canonical_axis, operand
from .shaping import expand_dims, moveaxis


def _mapped(function: Callable[..., Any], outer: tuple[int, ...], arrays: Sequence[Any]) -> Any:
    """A function of the parts of arrays that share the axes `outer`, for all of them at once."""
    size = math.prod(outer)
    rank = len(outer)
    flat = [reshape(x, new_sizes=(size, *aval_of(x).shape[rank:])) for x in arrays]
    structure = []

    def part(*parts: Any) -> list[Any]:
        leaves, tree = flatten(function(*parts))
        structure.append(tree)
        return [operand(x) for x in leaves]

    outputs, dims = batch_flat(part, size, flat, [0] * len(flat))
    whole = [_in_front(x, dim, size) for x, dim in zip(outputs, dims, strict=True)]
    shaped = [reshape(x, new_sizes=(*outer, *aval_of(x).shape[1:])) for x in whole]
    return unflatten(structure[0], shaped)


def _in_front(x: Any, dim: int | None, size: int) -> Any:
    """An output with its batch axis first; one that does not depend on the batch, repeated."""
    return broadcast(x, (size, *aval_of(x).shape)) if dim is None else moveaxis(x, dim, 0)


def apply_along_axis(
    func1d: Callable[..., Any], axis: int, arr: Any, *args: Any, **kwargs: Any
) -> Any:
    """A function of vectors applied to every vector along an axis.

    Args:
        func1d: takes a vector and returns an array.
        axis: the axis the vectors lie along; the axes of the result stand in its place.
        arr: an array.
        *args: passed on to the function.
        **kwargs: passed on to the function.

    >>> import numpy as np
    >>> apply_along_axis(lambda v: v[-1] - v[0], 1, np.array([[1, 3], [2, 7]], np.int32))
    Array([2, 5], dtype=int32)
    """
    x = operand(arr)
    at = canonical_axis(axis, aval_of(x).ndim)
    x = moveaxis(x, at, -1)
    outer = aval_of(x).shape[:-1]
    out = _mapped(lambda v: func1d(v, *args, **kwargs), outer, [x])
    added = aval_of(out).ndim - len(outer)
    return moveaxis(out, range(len(outer), len(outer) + added), range(at, at + added))


def apply_over_axes(func: Callable[..., Any], a: Any, axes: Any) -> Any:
    """A function of an array and an axis applied over several axes, one after the other.

    >>> import numpy as np
    >>> apply_over_axes(lambda x, axis: x.sum(axis), np.ones((2, 3), np.float32), (0, 1))
    Array([[6.]], dtype=float32)
    """
    x = operand(a)
    for axis in axes if isinstance(axes, Sequence) else (axes,):
        out = func(x, axis)
        x = out if aval_of(out).ndim == aval_of(x).ndim else expand_dims(out, axis)
    return x


_NAMES = r"\((?:[A-Za-z_]\w*(?:,[A-Za-z_]\w*)*)?\)"
_SIGNATURE = re.compile(rf"{_NAMES}(?:,{_NAMES})*->{_NAMES}(?:,{_NAMES})*")


def _parse(signature: str) -> list[tuple[str, ...]]:
    """The names of the inner axes of each argument."""
    text = signature.replace(" ", "")
    if not _SIGNATURE.fullmatch(text):
        raise ArgumentError("expected a signature such as '(n,m),(m)->(n)'", repr(signature))
    inputs = text.partition("->")[0]
    return [tuple(n for n in group[1:-1].split(",") if n) for group in re.findall(_NAMES, inputs)]


def vectorize(
    pyfunc: Callable[..., Any],
    *,
    excluded: Collection[int | str] = frozenset(),
    signature: str | None = None,
) -> Callable[..., Any]:
    """A function of parts as one that broadcasts over all other axes.

    Args:
        pyfunc: takes numbers, or arrays of the inner axes that `signature` names.
        excluded: the positions and names of arguments to pass on whole.
        signature: the inner axes of arguments and results, such as ``"(n,m),(m)->(n)"``; none by
            default. Axes of one name have one length.

    Returns:
        The function of whole arrays.

    >>> vectorize(lambda a, b: a + b)(broadcast(operand(1), (2,)), 2)
    Array([3, 3], dtype=int32, weak_type=True)
    """

    @functools.wraps(pyfunc)
    def vectorized(*args: Any, **kwargs: Any) -> Any:
        unknown = [k for k in kwargs if k not in excluded]
        if unknown:
            raise ArgumentError("expected mapped arguments by position", f"{unknown[0]}=...")
        mapped = [k for k in range(len(args)) if k not in excluded]
        inner = _parse(signature) if signature is not None else [()] * len(mapped)
        if len(inner) != len(mapped):
            raise ArgumentError(
                f"expected {len(inner)} arguments for {signature!r}", str(len(mapped))
            )
        arrays = [operand(args[k]) for k in mapped]
        sizes: dict[str, int] = {}
        for x, names in zip(arrays, inner, strict=True):
            _check_inner(aval_of(x).shape, names, sizes)
        outer = broadcast_shapes(
            *(
                aval_of(x).shape[: aval_of(x).ndim - len(n)]
                for x, n in zip(arrays, inner, strict=True)
            )
        )
        full = [
            broadcast(x, (*outer, *aval_of(x).shape[aval_of(x).ndim - len(names) :]))
            for x, names in zip(arrays, inner, strict=True)
        ]

        def call(*parts: Any) -> Any:
            whole = list(args)
            for k, value in zip(mapped, parts, strict=True):
                whole[k] = value
            return pyfunc(*whole, **kwargs)

        return _mapped(call, outer, full) if outer else call(*full)

    return vectorized


def _check_inner(shape: tuple[int, ...], names: tuple[str, ...], sizes: dict[str, int]) -> None:
    if len(shape) < len(names):
        raise ShapeError(f"expected the axes {names}", f"shape {shape}")
    for name, n in zip(names, shape[len(shape) - len(names) :], strict=True):
        if sizes.setdefault(name, n) != n:
            raise ShapeError(f"expected one length for {name!r}", f"{sizes[name]} and {n}")
