"""Reductions along axes: products, extrema, their places, bits. The sum is in `structural`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core import dtypes
from ..core.avals import ShapedArray
from ..core.loops import Reduce
from ..core.primitive import SLOW_IN_NUMPY, Domain, Primitive, Zero, along_axis, constant, define
from ..core.trace import aval_of
from .arithmetic import div, eq, mul
from .associative import Parts, fold_pairs
from .checks import check_axes, require, require_dtype, require_shape
from .rules import NOT_LINEAR, check_kind, in_single
from .structural import (
    REDUCTION_CASES,
    add,
    broadcast_in_dim,
    convert,
    reduce_sum,
    reshape,
    select_n,
    transpose,
    zeros_like,
)

Array = np.ndarray[Any, Any]
Axes = tuple[int, ...]

_EMPTY = (((0, 3),), {"axes": (0,)})


def _reduced_aval(name: str, kind: str) -> Callable[..., ShapedArray]:
    def abstract_eval(x: ShapedArray, *, axes: Axes) -> ShapedArray:
        check_kind(name, kind, x)
        check_axes(axes, x)
        return x.update(shape=tuple(d for k, d in enumerate(x.shape) if k not in axes))

    return abstract_eval


def _define_reduction(
    name: str, impl: Callable[..., Any], combine: str, kind: str, **rest: Any
) -> Primitive:
    law_dtypes = rest.pop("law_dtypes", ("float32", "float64", "int32"))
    interval = rest.pop("interval", (-2.0, 2.0))
    return define(
        name,
        params=("axes",),
        abstract_eval=_reduced_aval(name, kind),
        impl=impl,
        transpose=NOT_LINEAR,
        batch=along_axis("axes"),
        lower=Reduce(combine),
        domain=Domain(intervals=(interval,), cases=(*REDUCTION_CASES, _EMPTY), dtypes=law_dtypes),
        **rest,
    )


def _spread(y: Any, x: ShapedArray, axes: Axes) -> Any:
    """A reduced array in the shape it was reduced from."""
    kept = tuple(k for k in range(x.ndim) if k not in axes)
    return broadcast_in_dim(y, shape=x.shape, broadcast_dimensions=kept)


def _axes_last(x: Any, axes: Axes) -> Any:
    """The reduced axes as one, behind the others."""
    shape = aval_of(x).shape
    kept = tuple(k for k in range(len(shape)) if k not in axes)
    moved = transpose(x, permutation=(*kept, *axes))
    size = math.prod(shape[k] for k in axes)
    return reshape(moved, new_sizes=(*(shape[k] for k in kept), size))


# -- product --------------------------------------------------------------------------------------


def _product_rule(left: Parts, right: Parts) -> Parts:
    (a, ta), (b, tb) = left, right
    return mul(a, b), add(mul(ta, b), mul(a, tb))


def _prod_jvp(t: Any, y: Any, x: Any, *, axes: Axes) -> Any:
    """Products of the other factors by a tree, without a division, so that zeros do no harm."""
    aval = aval_of(y)
    last = aval.ndim
    factors = _axes_last(x, axes)
    if not aval_of(factors).shape[last]:
        return Zero(aval.tangent())
    _, tangent = fold_pairs(_product_rule, (factors, _axes_last(t, axes)), last)
    return reshape(tangent, new_sizes=aval.shape)


reduce_prod = _define_reduction(
    "reduce_prod",
    in_single(lambda x, *, axes: np.prod(x, axis=axes, dtype=x.dtype)),
    "mul",
    "number",
    jvp=(_prod_jvp,),
    law_dtypes=("float32", "float64", "int32", "complex64"),
    interval=(0.5, 1.5),
    ulp=32,
    compiled_from=SLOW_IN_NUMPY,
)

# -- extrema --------------------------------------------------------------------------------------


def _lowest(dtype: np.dtype[Any]) -> Any:
    """What the maximum of nothing is."""
    if dtypes.is_bool(dtype):
        return False
    return -np.inf if dtypes.is_float(dtype) else np.iinfo(dtype).min


def _highest(dtype: np.dtype[Any]) -> Any:
    """What the minimum of nothing is."""
    if dtypes.is_bool(dtype):
        return True
    return np.inf if dtypes.is_float(dtype) else np.iinfo(dtype).max


def _extremum_aval(name: str) -> Callable[..., ShapedArray]:
    reduced = _reduced_aval(name, "any")

    def abstract_eval(x: ShapedArray, *, axes: Axes) -> ShapedArray:
        _check_ordered(name, x)
        return reduced(x, axes=axes)

    return abstract_eval


def _check_ordered(name: str, x: ShapedArray) -> None:
    require_dtype(
        not dtypes.is_complex(x.dtype),
        f"expected a real dtype for {name}",
        str(x),
        "xform.numpy.abs(x), or x.real",
    )


def _extremum_jvp(t: Any, y: Any, x: Any, *, axes: Axes) -> Any:
    """The mean of the tangents of the elements that attain the extremum."""
    aval = aval_of(x)
    if not math.prod(aval.shape[k] for k in axes):
        return Zero(aval_of(y).tangent())
    attained = eq(x, _spread(y, aval, axes))
    chosen = select_n(attained, zeros_like(t), t)
    count = reduce_sum(convert(attained, aval.dtype), axes=axes)
    return div(reduce_sum(chosen, axes=axes), count)


def _define_extremum(
    name: str, ufunc: np.ufunc, combine: str, identity: Callable[[Any], Any]
) -> Primitive:
    def impl(x: Array, *, axes: Axes) -> Array:
        return np.asarray(ufunc.reduce(x, axis=axes, initial=identity(x.dtype)))

    return define(
        name,
        params=("axes",),
        abstract_eval=_extremum_aval(name),
        impl=in_single(impl),
        jvp=(_extremum_jvp,),
        transpose=NOT_LINEAR,
        batch=along_axis("axes"),
        lower=Reduce(combine),
        domain=Domain(
            cases=(*REDUCTION_CASES, _EMPTY),
            dtypes=("float32", "float64", "int32", "uint8", "bool"),
        ),
    )


reduce_max = _define_extremum("reduce_max", np.maximum, "max", _lowest)
reduce_min = _define_extremum("reduce_min", np.minimum, "min", _highest)

# -- places of extrema ----------------------------------------------------------------------------


def _place_aval(name: str) -> Callable[..., ShapedArray]:
    def abstract_eval(x: ShapedArray, *, axes: Axes, index_dtype: Any) -> ShapedArray:
        _check_ordered(name, x)
        require(len(axes) == 1, f"expected one axis for {name}", str(axes))
        check_axes(axes, x)
        axis = axes[0]
        require_shape(x.shape[axis] > 0, f"expected an axis that is not empty for {name}", str(x))
        index = dtypes.check_user_dtype(index_dtype)
        require_dtype(
            dtypes.is_integer(index), f"expected an integer index_dtype for {name}", str(index)
        )
        return ShapedArray((*x.shape[:axis], *x.shape[axis + 1 :]), index)

    return abstract_eval


def _define_place(name: str, function: Callable[..., Any]) -> Primitive:
    def impl(x: Array, *, axes: Axes, index_dtype: Any) -> Array:
        return np.asarray(function(x, axis=axes[0])).astype(index_dtype)

    index = np.dtype(np.int32)
    cases = (((5,), 0), ((3, 4), 1), ((3, 4), 0), ((2, 1, 3), 1), ((4, 37), 1), ((0, 2), 1))
    return define(
        name,
        params=("axes", "index_dtype"),
        abstract_eval=_place_aval(name),
        impl=in_single(impl),
        jvp=constant,
        transpose=NOT_LINEAR,
        batch=along_axis("axes"),
        lower=Reduce(name),
        domain=Domain(
            cases=tuple(
                ((shape,), {"axes": (axis,), "index_dtype": index}) for shape, axis in cases
            ),
            dtypes=("float32", "float64", "int32", "bool"),
        ),
    )


argmax = _define_place("argmax", np.argmax)
argmin = _define_place("argmin", np.argmin)

# -- bits -----------------------------------------------------------------------------------------


def _bits_impl(ufunc: np.ufunc) -> Callable[..., Array]:
    return lambda x, *, axes: np.asarray(ufunc.reduce(x, axis=axes))


_BITS = {"jvp": constant, "law_dtypes": ("int32", "uint8", "bool")}

reduce_and = _define_reduction("reduce_and", _bits_impl(np.bitwise_and), "and", "integral", **_BITS)
reduce_or = _define_reduction("reduce_or", _bits_impl(np.bitwise_or), "or", "integral", **_BITS)
reduce_xor = _define_reduction("reduce_xor", _bits_impl(np.bitwise_xor), "xor", "integral", **_BITS)
