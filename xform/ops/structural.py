"""Shape, dtype and selection: the operators every other family's rules are written with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core import dtypes
from ..core.avals import ShapedArray
from ..core.jaxpr import Literal
from ..core.loops import Generate, Map, Piece, Reduce, View
from ..core.primitive import (
    LONG,
    SLOW_IN_NUMPY,
    Absent,
    Custom,
    Domain,
    LinearInput,
    Primitive,
    Zero,
    along_axis,
    define,
    elementwise,
    linear,
)
from ..core.trace import aval_of
from .checks import (
    check_axes,
    check_permutation,
    check_same_dtypes,
    check_same_shapes,
    require,
    require_shape,
)

# -- broadcasting and its transpose, summation -----------------------------------------------------


def _broadcast_aval(
    x: ShapedArray, *, shape: tuple[int, ...], broadcast_dimensions: tuple[int, ...]
) -> ShapedArray:
    dims = broadcast_dimensions
    require(
        len(dims) == x.ndim
        and all(0 <= d < len(shape) for d in dims)
        and list(dims) == sorted(set(dims)),
        f"expected broadcast_dimensions: {x.ndim} increasing positions in {shape}",
        str(dims),
    )
    require_shape(
        all(x.shape[k] in (1, shape[d]) for k, d in enumerate(dims)),
        f"expected a shape that broadcasts to {shape} along dimensions {dims}",
        str(x.shape),
    )
    return ShapedArray(shape, x.dtype, x.weak_type)


def _broadcast_impl(
    x: np.ndarray[Any, Any], *, shape: tuple[int, ...], broadcast_dimensions: tuple[int, ...]
) -> np.ndarray[Any, Any]:
    inner = [1] * len(shape)
    for k, d in enumerate(broadcast_dimensions):
        inner[d] = x.shape[k]
    return np.broadcast_to(x.reshape(inner), shape)


def _broadcast_transpose(
    ct: Any, x: LinearInput, *, shape: tuple[int, ...], broadcast_dimensions: tuple[int, ...]
) -> Any:
    new = [d for d in range(len(shape)) if d not in broadcast_dimensions]
    stretched = [d for k, d in enumerate(broadcast_dimensions) if x.shape[k] == 1 and shape[d] != 1]
    summed = reduce_sum(ct, axes=tuple(sorted(new + stretched)))
    return reshape(summed, new_sizes=x.shape)


def _broadcast_batch(
    size: int,
    inputs: Sequence[Any],
    dims: Sequence[int],
    *,
    shape: tuple[int, ...],
    broadcast_dimensions: tuple[int, ...],
) -> tuple[Any, int]:
    x = moveaxis(inputs[0], dims[0], 0)
    outer = (0, *(d + 1 for d in broadcast_dimensions))
    return broadcast_in_dim(x, shape=(size, *shape), broadcast_dimensions=outer), 0


def _broadcast_pieces(
    index: Sequence[Any],
    read: Any,
    x: ShapedArray,
    *,
    shape: tuple[int, ...],
    broadcast_dimensions: tuple[int, ...],
) -> list[Piece]:
    where = tuple(0 if x.shape[k] == 1 else index[d] for k, d in enumerate(broadcast_dimensions))
    return [Piece(0, where)]


broadcast_in_dim = define(
    "broadcast_in_dim",
    params=("shape", "broadcast_dimensions"),
    abstract_eval=_broadcast_aval,
    impl=_broadcast_impl,
    jvp=linear,
    transpose=_broadcast_transpose,
    batch=_broadcast_batch,
    lower=View(_broadcast_pieces),
    domain=Domain(
        cases=(
            (((),), {"shape": (3,), "broadcast_dimensions": ()}),
            (((3,),), {"shape": (2, 3), "broadcast_dimensions": (1,)}),
            (((3,),), {"shape": (3, 2), "broadcast_dimensions": (0,)}),
            (((2, 1),), {"shape": (2, 4, 3), "broadcast_dimensions": (0, 1)}),
            (((1, 1),), {"shape": (1, 0), "broadcast_dimensions": (0, 1)}),
        )
    ),
)


def _reduced_aval(x: ShapedArray, *, axes: tuple[int, ...]) -> ShapedArray:
    check_axes(axes, x)
    shape = tuple(d for k, d in enumerate(x.shape) if k not in axes)
    return ShapedArray(shape, x.dtype, x.weak_type)


def _sum_impl(x: np.ndarray[Any, Any], *, axes: tuple[int, ...]) -> np.ndarray[Any, Any]:
    wide = np.float32 if x.dtype.itemsize == 2 and dtypes.is_float(x.dtype) else x.dtype
    return np.asarray(np.sum(x, axis=axes, dtype=wide)).astype(x.dtype)


def _sum_transpose(ct: Any, x: LinearInput, *, axes: tuple[int, ...]) -> Any:
    kept = tuple(k for k in range(len(x.shape)) if k not in axes)
    return broadcast_in_dim(ct, shape=x.shape, broadcast_dimensions=kept)


REDUCTION_CASES = (
    (((5,),), {"axes": (0,)}),
    (((3, 4),), {"axes": (1,)}),
    (((3, 4),), {"axes": (0,)}),
    (((2, 3, 4),), {"axes": (0, 2)}),
    (((2, 3, 4),), {"axes": (0, 1, 2)}),
    (((3, 1, 37),), {"axes": (1, 2)}),
    (((3, 2),), {"axes": ()}),
)

reduce_sum = define(
    "reduce_sum",
    params=("axes",),
    abstract_eval=_reduced_aval,
    impl=_sum_impl,
    jvp=linear,
    transpose=_sum_transpose,
    batch=along_axis("axes"),
    lower=Reduce("add"),
    domain=Domain(cases=(*REDUCTION_CASES, (((0, 3),), {"axes": (0,)}))),
    ulp=8,
    compiled_from=LONG,
)


# -- reshape, transpose, squeeze, rev --------------------------------------------------------------


def _reshape_aval(x: ShapedArray, *, new_sizes: tuple[int, ...]) -> ShapedArray:
    require_shape(
        math.prod(new_sizes) == x.size,
        f"expected a shape of {x.size} elements to reshape {x}",
        f"{new_sizes}, which has {math.prod(new_sizes)}",
    )
    return ShapedArray(new_sizes, x.dtype, x.weak_type)


def _reshape_batch(
    size: int, inputs: Sequence[Any], dims: Sequence[int], *, new_sizes: tuple[int, ...]
) -> tuple[Any, int]:
    return reshape(moveaxis(inputs[0], dims[0], 0), new_sizes=(size, *new_sizes)), 0


def _reshape_pieces(
    index: Sequence[Any], read: Any, x: ShapedArray, *, new_sizes: tuple[int, ...]
) -> list[Piece]:
    linear_index: Any = 0
    for extent, i in zip(new_sizes, index, strict=True):
        linear_index = linear_index * extent + i
    where: list[Any] = []
    for extent in reversed(x.shape):
        where.append(linear_index % extent if len(where) < x.ndim - 1 else linear_index)
        linear_index = linear_index // extent
    return [Piece(0, tuple(reversed(where)))]


reshape: Primitive = define(
    "reshape",
    params=("new_sizes",),
    abstract_eval=_reshape_aval,
    impl=lambda x, *, new_sizes: x.reshape(new_sizes),
    jvp=linear,
    transpose=lambda ct, x, *, new_sizes: reshape(ct, new_sizes=x.shape),
    batch=_reshape_batch,
    lower=View(_reshape_pieces),
    domain=Domain(
        cases=(
            (((6,),), {"new_sizes": (2, 3)}),
            (((2, 3),), {"new_sizes": (3, 2)}),
            (((2, 3, 4),), {"new_sizes": (6, 4)}),
            (((1,),), {"new_sizes": ()}),
            (((0, 2),), {"new_sizes": (2, 0)}),
            (((4, 6),), {"new_sizes": (3, 8)}),
        )
    ),
)


def _transpose_aval(x: ShapedArray, *, permutation: tuple[int, ...]) -> ShapedArray:
    check_permutation(permutation, x)
    return ShapedArray(tuple(x.shape[p] for p in permutation), x.dtype, x.weak_type)


def _transpose_batch(
    size: int, inputs: Sequence[Any], dims: Sequence[int], *, permutation: tuple[int, ...]
) -> tuple[Any, int]:
    # The batch dimension goes to the front, and the others keep their order behind it.
    at = dims[0]
    others = tuple(p if p < at else p + 1 for p in permutation)
    return transpose(inputs[0], permutation=(at, *others)), 0


def _transpose_pieces(
    index: Sequence[Any], read: Any, x: ShapedArray, *, permutation: tuple[int, ...]
) -> list[Piece]:
    return [Piece(0, tuple(index[permutation.index(d)] for d in range(x.ndim)))]


transpose: Primitive = define(
    "transpose",
    params=("permutation",),
    abstract_eval=_transpose_aval,
    impl=lambda x, *, permutation: np.transpose(x, permutation),
    jvp=linear,
    transpose=lambda ct, x, *, permutation: transpose(
        ct, permutation=tuple(int(i) for i in np.argsort(permutation))
    ),
    batch=_transpose_batch,
    lower=View(_transpose_pieces),
    domain=Domain(
        cases=(
            (((2, 3),), {"permutation": (1, 0)}),
            (((2, 3, 4),), {"permutation": (2, 0, 1)}),
            (((),), {"permutation": ()}),
            (((19, 17),), {"permutation": (1, 0)}),
        )
    ),
    compiled_from=SLOW_IN_NUMPY,
)


def _squeeze_aval(x: ShapedArray, *, dimensions: tuple[int, ...]) -> ShapedArray:
    check_axes(dimensions, x)
    require_shape(
        all(x.shape[d] == 1 for d in dimensions),
        f"expected dimensions {dimensions} of size 1 to squeeze",
        str(x.shape),
    )
    shape = tuple(n for k, n in enumerate(x.shape) if k not in dimensions)
    return ShapedArray(shape, x.dtype, x.weak_type)


def _squeeze_batch(
    size: int, inputs: Sequence[Any], dims: Sequence[int], *, dimensions: tuple[int, ...]
) -> tuple[Any, int]:
    x = moveaxis(inputs[0], dims[0], 0)
    return squeeze(x, dimensions=tuple(d + 1 for d in dimensions)), 0


def _squeeze_pieces(
    index: Sequence[Any], read: Any, x: ShapedArray, *, dimensions: tuple[int, ...]
) -> list[Piece]:
    rest = iter(index)
    return [Piece(0, tuple(0 if d in dimensions else next(rest) for d in range(x.ndim)))]


squeeze = define(
    "squeeze",
    params=("dimensions",),
    abstract_eval=_squeeze_aval,
    impl=lambda x, *, dimensions: np.squeeze(x, axis=dimensions),
    jvp=linear,
    transpose=lambda ct, x, *, dimensions: reshape(ct, new_sizes=x.shape),
    batch=_squeeze_batch,
    lower=View(_squeeze_pieces),
    domain=Domain(
        cases=(
            (((1, 3),), {"dimensions": (0,)}),
            (((2, 1, 3, 1),), {"dimensions": (1, 3)}),
            (((1,),), {"dimensions": (0,)}),
        )
    ),
)


def _rev_aval(x: ShapedArray, *, dimensions: tuple[int, ...]) -> ShapedArray:
    check_axes(dimensions, x)
    return x


def _rev_pieces(
    index: Sequence[Any], read: Any, x: ShapedArray, *, dimensions: tuple[int, ...]
) -> list[Piece]:
    where = [x.shape[d] - 1 - i if d in dimensions else i for d, i in enumerate(index)]
    return [Piece(0, tuple(where))]


rev: Primitive = define(
    "rev",
    params=("dimensions",),
    abstract_eval=_rev_aval,
    impl=lambda x, *, dimensions: np.flip(x, axis=dimensions),
    jvp=linear,
    transpose=lambda ct, x, *, dimensions: rev(ct, dimensions=dimensions),
    batch=along_axis("dimensions"),
    lower=View(_rev_pieces),
    domain=Domain(
        cases=(
            (((5,),), {"dimensions": (0,)}),
            (((2, 3),), {"dimensions": (0, 1)}),
            (((2, 19),), {"dimensions": (1,)}),
        )
    ),
)

# -- dtype -----------------------------------------------------------------------------------------


def _convert_aval(x: ShapedArray, *, new_dtype: Any, weak_type: bool) -> ShapedArray:
    return ShapedArray(x.shape, dtypes.check_user_dtype(new_dtype), weak_type)


def _convert_impl(
    x: np.ndarray[Any, Any], *, new_dtype: Any, weak_type: bool
) -> np.ndarray[Any, Any]:
    if dtypes.is_integer(new_dtype) and dtypes.is_inexact(x.dtype):
        return _saturate(x.real, np.dtype(new_dtype))
    if dtypes.is_bool(new_dtype):
        return x != 0  # type: ignore[no-any-return]
    if dtypes.is_complex(x.dtype) and not dtypes.is_complex(new_dtype):
        x = x.real
    return x.astype(new_dtype)


def _saturate(x: np.ndarray[Any, Any], dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """Float to integer: towards zero, NaN to 0, what does not fit to the nearest bound."""
    info = np.iinfo(dtype)
    wide = np.trunc(x.astype(np.float64))
    low, high = wide <= float(info.min), wide >= float(info.max)
    inside = np.where(low | high | np.isnan(wide), 0.0, wide).astype(dtype)
    return np.where(low, info.min, np.where(high, info.max, inside)).astype(dtype)


def _convert_jvp(t: Any, y: Any, x: Any, *, new_dtype: Any, weak_type: bool) -> Any:
    if not dtypes.is_inexact(new_dtype):
        return Zero(aval_of(y).tangent())
    return convert_element_type(t, new_dtype=new_dtype, weak_type=False)


convert_element_type: Primitive = define(
    "convert_element_type",
    params=("new_dtype", "weak_type"),
    abstract_eval=_convert_aval,
    impl=_convert_impl,
    jvp=(_convert_jvp,),
    transpose=lambda ct, x, *, new_dtype, weak_type: convert_element_type(
        ct, new_dtype=x.dtype, weak_type=False
    ),
    batch=elementwise,
    lower=Map("convert_element_type", params=("new_dtype",)),
    domain=Domain(
        cases=tuple(
            (((7,),), {"new_dtype": np.dtype(d), "weak_type": False})
            for d in ("float32", "float64", "int32", "bool", "int8")
        ),
        dtypes=("float32", "float64", "int32", "bool"),
    ),
    special=(0.0, -0.0, np.inf, -np.inf, np.nan, 1e10, -1e10, 0.5),
    compiled_from=SLOW_IN_NUMPY,
)


def convert(x: Any, dtype: Any, weak_type: bool = False) -> Any:
    """`x` in another dtype; itself when it has that dtype already."""
    aval = aval_of(x)
    if aval.dtype == dtype and aval.weak_type == weak_type and not _is_raw(x):
        return x
    return convert_element_type(x, new_dtype=np.dtype(dtype), weak_type=weak_type)


def _is_raw(x: Any) -> bool:
    return isinstance(x, bool | int | float | complex | np.ndarray | np.generic)


# -- selection and generation ----------------------------------------------------------------------


def _select_aval(which: ShapedArray, *cases: ShapedArray) -> ShapedArray:
    require(bool(cases), "expected at least one case to select from", "none")
    check_same_shapes("select_n", cases)
    check_same_dtypes("select_n", cases)
    require(
        dtypes.is_bool(which.dtype) or which.dtype == np.int32,
        "expected a predicate of dtype bool or int32",
        str(which),
    )
    require(
        not dtypes.is_bool(which.dtype) or len(cases) <= 2,
        "expected at most two cases for a boolean predicate",
        str(len(cases)),
    )
    require_shape(
        which.shape in ((), cases[0].shape),
        f"expected a predicate of shape () or {cases[0].shape}",
        str(which.shape),
    )
    return cases[0].update(weak_type=all(c.weak_type for c in cases))


def _select_impl(which: np.ndarray[Any, Any], *cases: np.ndarray[Any, Any]) -> Any:
    if len(cases) == 2:
        return np.where(which.astype(bool), cases[1], cases[0])
    return np.choose(
        np.broadcast_to(which, cases[0].shape).astype(np.intp), list(cases), mode="clip"
    )


def _select_jvp(primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    out = select_n(*primals)
    ts = tangents[1:]
    if all(isinstance(t, Zero) for t in ts):
        return out, Zero(aval_of(out).tangent())
    filled = [zeros(t.aval) if isinstance(t, Zero) else t for t in ts]
    return out, select_n(primals[0], *filled)


def _select_transpose(ct: Any, which: Any, *cases: Any) -> list[Any]:
    nothing = zeros(aval_of(ct))
    result: list[Any] = [None]
    for k, case in enumerate(cases):
        choices = [ct if j == k else nothing for j in range(len(cases))]
        result.append(select_n(which, *choices) if isinstance(case, LinearInput) else None)
    return result


def _select_batch(size: int, inputs: Sequence[Any], dims: Sequence[int | None]) -> tuple[Any, int]:
    which, *cases = inputs
    which_dim, *case_dims = dims
    scalar = aval_of(which).ndim == (0 if which_dim is None else 1)
    rank = max(aval_of(c).ndim - (d is not None) for c, d in zip(cases, case_dims, strict=True))
    fronted = [_front(size, c, d) for c, d in zip(cases, case_dims, strict=True)]
    if which_dim is None and scalar:
        return select_n(which, *fronted), 0
    which = _front(size, which, which_dim)
    if scalar and rank:
        which = broadcast_in_dim(which, shape=aval_of(fronted[0]).shape, broadcast_dimensions=(0,))
    return select_n(which, *fronted), 0


def _front(size: int, x: Any, dim: int | None) -> Any:
    if dim is not None:
        return moveaxis(x, dim, 0)
    shape = aval_of(x).shape
    kept = tuple(range(1, len(shape) + 1))
    return broadcast_in_dim(x, shape=(size, *shape), broadcast_dimensions=kept)


def _draw_select(rng: Any, dtype: Any) -> Any:
    cases = [rng.uniform(-2, 2, (3, 4)).astype(dtype) for _ in range(2)]
    which = rng.integers(0, 2, (3, 4) if rng.integers(2) else ()).astype(bool)
    return [which, *cases], {}


select_n = define(
    "select_n",
    abstract_eval=_select_aval,
    impl=_select_impl,
    jvp=Custom(_select_jvp),
    transpose=_select_transpose,
    batch=_select_batch,
    lower=Map("select_n"),
    domain=Domain(draw=_draw_select),
    compiled_from=SLOW_IN_NUMPY,
)


def _iota_aval(*, dtype: Any, shape: tuple[int, ...], dimension: int) -> ShapedArray:
    require(0 <= dimension < len(shape), f"expected a dimension of {shape}", str(dimension))
    return ShapedArray(shape, dtypes.check_user_dtype(dtype))


def _iota_impl(*, dtype: Any, shape: tuple[int, ...], dimension: int) -> np.ndarray[Any, Any]:
    line = np.arange(shape[dimension]).astype(dtype)
    inner = [1] * len(shape)
    inner[dimension] = shape[dimension]
    return np.broadcast_to(line.reshape(inner), shape)


iota = define(
    "iota",
    params=("dtype", "shape", "dimension"),
    abstract_eval=_iota_aval,
    impl=_iota_impl,
    jvp=Absent("it has no inputs"),
    transpose=Absent("it has no inputs"),
    batch=Absent("it has no inputs"),
    lower=Generate(lambda index, *, dtype, shape, dimension: index[dimension]),
    domain=Domain(
        cases=(
            ((), {"dtype": np.dtype("int32"), "shape": (5,), "dimension": 0}),
            ((), {"dtype": np.dtype("float32"), "shape": (3, 40), "dimension": 1}),
            ((), {"dtype": np.dtype("float64"), "shape": (3, 2), "dimension": 0}),
        )
    ),
)


def _add_aval(x: ShapedArray, y: ShapedArray) -> ShapedArray:
    check_same_shapes("add", (x, y))
    check_same_dtypes("add", (x, y))
    return x.update(weak_type=x.weak_type and y.weak_type)


add = define(
    "add",
    abstract_eval=_add_aval,
    impl=np.add,
    jvp=(lambda t, y, a, b: t, lambda t, y, a, b: t),
    transpose=lambda ct, a, b: [ct if isinstance(v, LinearInput) else None for v in (a, b)],
    batch=elementwise,
    lower=Map("add"),
    domain=Domain(dtypes=("float32", "float64", "int32", "uint8", "complex64")),
    special=(0.0, -0.0, np.inf, -np.inf, np.nan),
)

# -- composites that rules use ---------------------------------------------------------------------


def full(shape: tuple[int, ...], value: Any, dtype: Any) -> Any:
    """An array of one value."""
    item = Literal(value, ShapedArray((), np.dtype(dtype)))
    if not shape:
        return convert_element_type(item, new_dtype=np.dtype(dtype), weak_type=False)
    return broadcast_in_dim(item, shape=shape, broadcast_dimensions=())


def zeros(aval: ShapedArray) -> Any:
    """Zeros of an abstract value; of a `float0` one, NumPy's zeros of that dtype."""
    if aval.dtype == dtypes.float0:
        return np.zeros(aval.shape, dtypes.float0)
    return full(aval.shape, 0, aval.dtype)


def ones(aval: ShapedArray) -> Any:
    """Ones of an abstract value."""
    return full(aval.shape, 1, aval.dtype)


def zeros_like(x: Any) -> Any:
    """Zeros of the shape and dtype of `x`."""
    return zeros(aval_of(x).strong())


def full_like(x: Any, value: Any) -> Any:
    """A number in every element, of the shape and dtype of `x`."""
    aval = aval_of(x)
    return full(aval.shape, value, aval.dtype)


def add_tangents(x: Any, y: Any) -> Any:
    """The sum of two tangents or cotangents of one value."""
    return add(x, y)


def moveaxis(x: Any, source: int, destination: int) -> Any:
    """`x` with one dimension moved; itself when it is there already."""
    if source == destination:
        return x
    order = [d for d in range(aval_of(x).ndim) if d != source]
    order.insert(destination, source)
    return transpose(x, permutation=tuple(order))
