"""Borders around arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core.dtypes import is_integer, to_inexact
from ..core.trace import aval_of
from ..errors import ArgumentError
from ..ops import elementwise as ops
from ..ops.slicing import concatenate, pad as pad_row
from ..ops.structural import reshape
from .indexing import take
from .promotion import as_array, broadcast, cast, concrete, operand
from .reductions import max as max_over, mean, min as min_over
from .shaping import part
from .statistics import median
from .ufuncs import rint

_Widths = list[tuple[int, int]]


def _pairs(given: Any, rank: int, what: str) -> list[tuple[Any, Any]]:
    """A number, a pair, or a pair per axis, as one pair per axis."""
    if isinstance(given, dict):
        out: list[tuple[Any, Any]] = [(0, 0)] * rank
        for axis, value in given.items():
            out[axis] = _pairs(value, 1, what)[0]
        return out
    known = np.asarray(given) if isinstance(given, Sequence | int | float) else concrete(given)
    if known is None:
        raise ArgumentError(f"expected known {what}", repr(given))
    if known.shape == (2,) and rank == 1:
        known = known[None]
    return [tuple(p) for p in np.broadcast_to(known, (rank, 2)).tolist()]


def _values(given: Any, rank: int) -> list[tuple[Any, Any]]:
    """Like `_pairs`, for values that may be traced."""
    if isinstance(given, Sequence):
        items = list(given)
        if len(items) == rank and all(isinstance(i, Sequence) for i in items):
            return [(i[0], i[-1]) for i in items]
        if all(isinstance(i, Sequence) for i in items) and len(items) == 1:
            return [(items[0][0], items[0][-1])] * rank
        if len(items) in (1, 2):
            return [(items[0], items[-1])] * rank
        raise ArgumentError(
            f"expected a value, a pair, or one pair for each of {rank} axes", repr(given)
        )
    return [(given, given)] * rank


def pad(array: Any, pad_width: Any, mode: Any = "constant", **kwargs: Any) -> Any:
    """An array with a border.

    Args:
        array: an array.
        pad_width: the width of the border: a number, a pair (before, after), or a pair per axis;
            or a dictionary of those by axis.
        mode: what the border holds:
            ``"constant"`` the option `constant_values`, ``"empty"`` zeros;
            ``"edge"`` the outermost element, ``"wrap"`` the array over again;
            ``"reflect"`` the mirror image without the outermost element, ``"symmetric"`` with it
            (``reflect_type="odd"`` mirrors about its value too);
            ``"linear_ramp"`` a ramp down to `end_values`;
            ``"maximum"``, ``"minimum"``, ``"mean"``, ``"median"`` that of the `stat_length`
            outermost elements.
        **kwargs: the options of the mode.

    Raises:
        ArgumentError: the mode, an option or a width is none of these.

    >>> pad(np.array([1, 2], np.int32), 1)
    Array([0, 1, 2, 0], dtype=int32)
    """
    x = operand(array)
    rank = aval_of(x).ndim
    widths: _Widths = [(int(a), int(b)) for a, b in _pairs(pad_width, rank, "widths")]
    if any(w < 0 for pair in widths for w in pair):
        raise ArgumentError("expected widths of at least 0", str(widths))
    allowed = _OPTIONS.get(mode) if isinstance(mode, str) else None
    if allowed is None:
        raise ArgumentError(f"expected a mode: {', '.join(sorted(_OPTIONS))}", repr(mode))
    if set(kwargs) - allowed:
        unknown = ", ".join(sorted(set(kwargs) - allowed))
        raise ArgumentError(
            f"expected for mode {mode!r} only {sorted(allowed) or 'no options'}", unknown
        )
    if mode in ("constant", "empty"):
        return _constant(x, widths, kwargs.get("constant_values", 0))
    for axis, (before, after) in enumerate(widths):
        if before or after:
            x = _AXIS_MODES[mode](x, axis, before, after, kwargs)
    return x


def _constant(x: Any, widths: _Widths, values: Any) -> Any:
    aval = aval_of(x)
    pairs = _values(values, aval.ndim)
    first = pairs[0][0] if pairs else 0
    if all(a is first and b is first for a, b in pairs) or not pairs:
        fill = reshape(cast(operand(first), aval.dtype, aval.weak_type), new_sizes=())
        return pad_row(x, fill, padding_config=tuple((a, b, 0) for a, b in widths))
    for axis, ((before, after), (low, high)) in enumerate(zip(widths, pairs, strict=True)):
        x = _joined(x, axis, _strip(x, axis, before, low), _strip(x, axis, after, high))
    return x


def _strip(x: Any, axis: int, width: int, value: Any) -> Any:
    """A border of one value."""
    aval = aval_of(x)
    shape = tuple(width if d == axis else n for d, n in enumerate(aval.shape))
    return broadcast(cast(operand(value), aval.dtype, aval.weak_type), shape)


def _joined(x: Any, axis: int, before: Any, after: Any) -> Any:
    parts = [p for p in (before, x, after) if aval_of(p).shape[axis]]
    return parts[0] if len(parts) == 1 else concatenate(*parts, dimension=axis)


def _indexed(places: Callable[[np.ndarray[Any, Any], int], np.ndarray[Any, Any]]) -> Any:
    """A mode whose border is made of elements of the array."""

    def apply(x: Any, axis: int, before: int, after: int, options: dict[str, Any]) -> Any:
        n = aval_of(x).shape[axis]
        if n == 0:
            raise ArgumentError("expected at least one element to make a border of", "none")
        line = places(np.arange(-before, n + after), n)
        return take(x, line.astype(np.int32), axis, mode="promise_in_bounds")

    return apply


def _mirror(line: np.ndarray[Any, Any], n: int) -> np.ndarray[Any, Any]:
    if n == 1:
        return np.zeros_like(line)
    period = 2 * n - 2
    rest = line % period
    return np.minimum(rest, period - rest)


def _mirror_twice(line: np.ndarray[Any, Any], n: int) -> np.ndarray[Any, Any]:
    rest = line % (2 * n)
    return np.minimum(rest, 2 * n - 1 - rest)


_edge = _indexed(lambda line, n: np.clip(line, 0, n - 1))
_wrap = _indexed(lambda line, n: line % n)


def _mirrored(even: Any, with_edge: bool) -> Any:
    def apply(x: Any, axis: int, before: int, after: int, options: dict[str, Any]) -> Any:
        kind = options.get("reflect_type", "even")
        if kind == "even":
            return even(x, axis, before, after, options)
        if kind != "odd":
            raise ArgumentError('expected reflect_type "even" or "odd"', repr(kind))
        return _odd(x, axis, before, after, with_edge)

    return apply


def _odd(x: Any, axis: int, before: int, after: int, with_edge: bool) -> Any:
    """Mirrored about the value of the edge: 2 edge - x, a piece at a time."""
    skip = 0 if with_edge else 1
    while before or after:
        n = aval_of(x).shape[axis]
        most = n - skip
        if most <= 0:
            return _edge(x, axis, before, after, {})
        low, high = min(before, most), min(after, most)
        left = _reflection(x, axis, 0, np.arange(skip + low - 1, skip - 1, -1))
        right = _reflection(x, axis, n - 1, np.arange(n - 1 - skip, n - 1 - skip - high, -1))
        x = _joined(x, axis, left, right)
        before, after = before - low, after - high
    return x


def _reflection(x: Any, axis: int, edge: int, places: np.ndarray[Any, Any]) -> Any:
    taken = take(x, places.astype(np.int32), axis, mode="promise_in_bounds")
    border = broadcast(part(x, axis, edge, edge + 1), aval_of(taken).shape)
    return ops.sub(ops.add(border, border), taken)


def _ramp(x: Any, axis: int, before: int, after: int, options: dict[str, Any]) -> Any:
    aval = aval_of(x)
    n = aval.shape[axis]
    low, high = _values(options.get("end_values", 0), aval.ndim)[axis]
    inner = cast(x, to_inexact(aval.dtype))

    def run(edge: int, width: int, end: Any, rising: bool) -> Any:
        steps = np.arange(width) if rising else np.arange(width, 0, -1) - 1
        sizes = tuple(width if d == axis else 1 for d in range(aval.ndim))
        dtype = aval_of(inner).dtype
        weight = as_array((steps / max(width, 1)).astype(dtype).reshape(sizes))
        shape = tuple(width if d == axis else m for d, m in enumerate(aval.shape))
        at_edge = broadcast(part(inner, axis, edge, edge + 1), shape)
        at_end = broadcast(cast(operand(end), dtype), shape)
        weight = broadcast(weight, shape)
        gap = ops.sub(at_edge, at_end)
        made = ops.add(at_end, ops.mul(gap, weight))
        return cast(made, aval.dtype)

    return _joined(x, axis, run(0, before, low, True), run(n - 1, after, high, False))


def _statistic(apply: Callable[..., Any]) -> Any:
    """A mode whose border is a statistic of the elements next to it."""

    def border(x: Any, axis: int, before: int, after: int, options: dict[str, Any]) -> Any:
        aval = aval_of(x)
        n = aval.shape[axis]
        lengths = options.get("stat_length")
        pairs = [(n, n)] * aval.ndim if lengths is None else _pairs(lengths, aval.ndim, "lengths")
        low, high = (min(int(v), n) for v in pairs[axis])

        def run(source: Any, width: int) -> Any:
            value = apply(source, axis, keepdims=True)
            if is_integer(aval.dtype):
                value = rint(value)
            shape = tuple(width if d == axis else m for d, m in enumerate(aval.shape))
            return broadcast(cast(value, aval.dtype), shape)

        left = run(part(x, axis, 0, low), before)
        right = run(part(x, axis, n - high, n), after)
        return _joined(x, axis, left, right)

    return border


_AXIS_MODES: dict[str, Any] = {
    "edge": _edge,
    "wrap": _wrap,
    "reflect": _mirrored(_indexed(_mirror), with_edge=False),
    "symmetric": _mirrored(_indexed(_mirror_twice), with_edge=True),
    "linear_ramp": _ramp,
    "maximum": _statistic(max_over),
    "minimum": _statistic(min_over),
    "mean": _statistic(mean),
    "median": _statistic(lambda x, axis, keepdims: median(x, axis, keepdims=keepdims)),
}

_OPTIONS: dict[str, set[str]] = {
    "constant": {"constant_values"},
    "empty": set(),
    "edge": set(),
    "wrap": set(),
    "reflect": {"reflect_type"},
    "symmetric": {"reflect_type"},
    "linear_ramp": {"end_values"},
    "maximum": {"stat_length"},
    "minimum": {"stat_length"},
    "mean": {"stat_length"},
    "median": {"stat_length"},
}
