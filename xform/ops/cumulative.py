"""Running sums, products, extrema: cumulative reductions along one axis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.avals import ShapedArray
from ..core.loops import Scan
from ..core.primitive import SLOW_IN_NUMPY, Domain, Primitive, along_axis, define, linear
from ..core.trace import aval_of
from .arithmetic import eq, max_, min_, mul, share, sub
from .associative import Parts, delayed, scan_pairs
from .checks import check_axes
from .elementwise import exp
from .rules import NOT_LINEAR, check_kind, in_single
from .structural import add, full_like, rev, select_n, zeros_like

Array = np.ndarray[Any, Any]

_CASES = (
    (((5,),), {"axis": 0, "reverse": False}),
    (((5,),), {"axis": 0, "reverse": True}),
    (((3, 4),), {"axis": 1, "reverse": False}),
    (((6, 2),), {"axis": 0, "reverse": True}),
    (((2, 1, 3),), {"axis": 1, "reverse": False}),
    (((2, 0),), {"axis": 1, "reverse": False}),
    (((37,),), {"axis": 0, "reverse": False}),
)


def _scan_aval(name: str, kind: str) -> Callable[..., ShapedArray]:
    def abstract_eval(x: ShapedArray, *, axis: int, reverse: bool) -> ShapedArray:
        check_kind(name, kind, x)
        check_axes((axis,), x)
        return x

    return abstract_eval


def _scan_impl(ufunc: np.ufunc) -> Callable[..., Array]:
    def impl(x: Array, *, axis: int, reverse: bool) -> Array:
        if reverse:
            x = np.flip(x, axis)
        out = ufunc.accumulate(x, axis=axis, dtype=x.dtype)
        return np.flip(out, axis) if reverse else out

    return in_single(impl)


def _define_scan(name: str, ufunc: np.ufunc, combine: str, kind: str, **rest: Any) -> Primitive:
    law_dtypes = rest.pop("law_dtypes", ("float32", "float64", "int32"))
    interval = rest.pop("interval", (-2.0, 2.0))
    return define(
        name,
        params=("axis", "reverse"),
        abstract_eval=_scan_aval(name, kind),
        impl=_scan_impl(ufunc),
        batch=along_axis("axis"),
        lower=Scan(combine),
        domain=Domain(intervals=(interval,), cases=_CASES, dtypes=law_dtypes),
        compiled_from=SLOW_IN_NUMPY,
        **{"transpose": NOT_LINEAR, "ulp": 0.0, **rest},
    )


cumsum: Primitive = _define_scan(
    "cumsum",
    np.add,
    "add",
    "number",
    jvp=linear,
    law_dtypes=("float32", "float64", "int32", "complex64"),
    transpose=lambda ct, x, *, axis, reverse: cumsum(ct, axis=axis, reverse=not reverse),
    ulp=8,
)


def _recurrence(factor: Any, term: Any, axis: int, reverse: bool) -> Any:
    """The solution of `y[k] = factor[k] y[k-1] + term[k]`, which is linear in the terms."""

    def combine(left: Parts, right: Parts) -> Parts:
        return mul(left[0], right[0]), add(mul(left[1], right[0]), right[1])

    return scan_pairs(combine, (factor, term), axis, reverse)[1]


def _before(y: Any, axis: int, reverse: bool, first: float) -> Any:
    """The running value before each element."""
    if not reverse:
        return delayed(y, axis, first)
    flipped = rev(y, dimensions=(axis,))
    return rev(delayed(flipped, axis, first), dimensions=(axis,))


def _cumprod_jvp(t: Any, y: Any, x: Any, *, axis: int, reverse: bool) -> Any:
    if not aval_of(x).shape[axis]:
        return t
    # The product rule, without a division, so that zeros do no harm.
    return _recurrence(x, mul(_before(y, axis, reverse, 1), t), axis, reverse)


cumprod = _define_scan(
    "cumprod",
    np.multiply,
    "mul",
    "number",
    jvp=(_cumprod_jvp,),
    law_dtypes=("float32", "float64", "int32", "complex64"),
    interval=(0.5, 1.5),
    ulp=16,
)


def _extremum_jvp(extremum: Primitive) -> Callable[..., Any]:
    def rule(t: Any, y: Any, x: Any, *, axis: int, reverse: bool) -> Any:
        def combine(left: Parts, right: Parts) -> Parts:
            (a, ta), (b, tb) = left, right
            best = extremum(a, b)
            return best, add(share(ta, best, a, b), share(tb, best, b, a))

        return scan_pairs(combine, (x, t), axis, reverse)[1]

    return rule


cummax = _define_scan("cummax", np.maximum, "max", "real", jvp=(_extremum_jvp(max_),))
cummin = _define_scan("cummin", np.minimum, "min", "real", jvp=(_extremum_jvp(min_),))


def _weight(x: Any, y: Any) -> Any:
    """exp(x - y) for x <= y; where `y` is infinite, 1 if `x` is too, else 0."""
    infinite = full_like(x, np.inf)
    nothing = zeros_like(x)
    at_infinity = select_n(eq(x, infinite), nothing, full_like(x, 1))
    # The difference is never taken of two infinities: its derivative would be NaN times zero.
    unbounded = eq(y, infinite)
    below = sub(select_n(unbounded, x, nothing), select_n(unbounded, y, nothing))
    return select_n(unbounded, exp(below), at_infinity)


def _cumlogsumexp_jvp(t: Any, y: Any, x: Any, *, axis: int, reverse: bool) -> Any:
    if not aval_of(x).shape[axis]:
        return t
    before = _before(y, axis, reverse, -np.inf)
    return _recurrence(_weight(before, y), mul(_weight(x, y), t), axis, reverse)


cumlogsumexp = _define_scan(
    "cumlogsumexp",
    np.logaddexp,
    "logaddexp",
    "float",
    jvp=(_cumlogsumexp_jvp,),
    law_dtypes=("float32", "float64"),
    ulp=32,
)
