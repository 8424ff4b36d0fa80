"""Sums of products over windows: `conv_general_dilated`, which every convolution is written with.

With the left array spread out by its dilation and padded, which is `x`, the output is

    out[n, o, y] = sum over c and k of x[n, c, y * stride + k * dilation] * rhs[o, c, k]

It is linear in each operand, and both of its transposes are convolutions again.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..core.avals import ShapedArray
from ..core.loops import Convolve
from ..core.primitive import Domain, LinearInput, define, multilinear
from ..core.trace import aval_of
from .checks import check_permutation, check_same_dtypes, require, require_shape
from .contraction import accumulator, products_aval
from .structural import convert, full, moveaxis, reshape, rev, zeros

Dims = tuple[int, ...]
Padding = tuple[tuple[int, int], ...]


class ConvDimensionNumbers(NamedTuple):
    """Which dimension of the arrays of a convolution is what.

    Args:
        lhs_spec: (batch, feature, spatial dimensions...) of the left array.
        rhs_spec: (output feature, input feature, spatial dimensions...) of the kernel.
        out_spec: (batch, feature, spatial dimensions...) of the output.

    >>> ConvDimensionNumbers((0, 2, 1), (2, 1, 0), (0, 2, 1)).rhs_spec
    (2, 1, 0)
    """

    lhs_spec: Sequence[int]
    rhs_spec: Sequence[int]
    out_spec: Sequence[int]


def spread(size: int, dilation: int) -> int:
    """The size of a dimension with `dilation - 1` gaps between its elements."""
    return 0 if size == 0 else (size - 1) * dilation + 1


def output_size(
    size: int, window: int, stride: int, padding: tuple[int, int], dilations: tuple[int, int]
) -> int:
    """How many places a window has in a dimension; `dilations` are of the dimension and it."""
    room = sum(padding) + spread(size, dilations[0]) - spread(window, dilations[1])
    return max(0, room // stride + 1)


def _check_numbers(numbers: ConvDimensionNumbers, lhs: ShapedArray, rhs: ShapedArray) -> None:
    require_shape(
        lhs.ndim == rhs.ndim >= 2,
        "expected a left array and a kernel with equally many dimensions, at least 2",
        f"{lhs.shape} and {rhs.shape}",
        "x[None] or x.reshape(...) where the batch or feature dimension is missing",
    )
    require(
        len(numbers) == 3,
        "expected dimension_numbers for the left array, the kernel and the output",
        str(numbers),
    )
    for spec, x in zip(numbers, (lhs, rhs, lhs), strict=True):
        check_permutation(spec, x)


def _check_windows(rank: int, padding: Padding, **positive: Dims) -> None:
    for name, values in positive.items():
        require(
            len(values) == rank and all(v >= 1 for v in values),
            f"expected {name} of {rank} integers >= 1, one for each spatial dimension",
            str(values),
        )
    require(
        len(padding) == rank and all(len(p) == 2 for p in padding),
        f"expected a padding of {rank} pairs (low, high), one for each spatial dimension",
        str(padding),
        "[(1, 1), (1, 1)] for example, or 'SAME' or 'VALID'",
    )


def _check_groups(
    batch: int, features: int, outputs: int, window_features: int, groups: tuple[int, int]
) -> None:
    of_features, of_batch = groups
    require(
        of_features >= 1 and of_batch >= 1 and 1 in groups,
        "expected group counts >= 1, and one of them 1",
        f"feature_group_count={of_features} and batch_group_count={of_batch}",
    )
    require_shape(
        features == window_features * of_features,
        "expected as many input features in the left array as in the kernel times "
        "feature_group_count",
        f"{features}, and {window_features} times {of_features}",
        "dimension_numbers=('NHWC', 'HWIO', 'NHWC') if the features are last",
    )
    require_shape(
        outputs % (of_features * of_batch) == 0,
        "expected output features of the kernel in equal groups",
        f"{outputs} features in {of_features * of_batch} groups",
    )
    require_shape(
        batch % of_batch == 0,
        "expected a batch in equal groups",
        f"a batch of {batch} in {of_batch} groups",
    )


def _conv_aval(
    lhs: ShapedArray,
    rhs: ShapedArray,
    *,
    window_strides: Dims,
    padding: Padding,
    lhs_dilation: Dims,
    rhs_dilation: Dims,
    dimension_numbers: ConvDimensionNumbers,
    feature_group_count: int,
    batch_group_count: int,
    precision: Any,
    preferred_element_type: Any,
) -> ShapedArray:
    check_same_dtypes("conv_general_dilated", (lhs, rhs))
    _check_numbers(dimension_numbers, lhs, rhs)
    _check_windows(
        lhs.ndim - 2,
        padding,
        window_strides=window_strides,
        lhs_dilation=lhs_dilation,
        rhs_dilation=rhs_dilation,
    )
    batch, features, *space = (lhs.shape[d] for d in dimension_numbers[0])
    outputs, window_features, *window = (rhs.shape[d] for d in dimension_numbers[1])
    groups = (feature_group_count, batch_group_count)
    _check_groups(batch, features, outputs, window_features, groups)
    require_shape(
        all(k >= 1 for k in window),
        "expected a kernel with spatial sizes >= 1",
        f"{tuple(window)}",
    )
    padded = [
        spread(n, d) + low + high
        for n, d, (low, high) in zip(space, lhs_dilation, padding, strict=True)
    ]
    require_shape(
        all(n >= 0 for n in padded),
        f"expected a padding that leaves spatial sizes >= 0 of {tuple(space)}",
        f"{padding}, which leaves {tuple(padded)}",
    )
    dilations = zip(lhs_dilation, rhs_dilation, strict=True)
    places = [
        output_size(*sizes)
        for sizes in zip(space, window, window_strides, padding, dilations, strict=True)
    ]
    shape = [0] * lhs.ndim
    for d, n in zip(
        dimension_numbers[2], (batch // batch_group_count, outputs, *places), strict=True
    ):
        shape[d] = n
    return products_aval(tuple(shape), lhs, rhs, preferred_element_type)


# -- reference -------------------------------------------------------------------------------------


def _padded(x: np.ndarray[Any, Any], padding: Padding, dilation: Dims) -> np.ndarray[Any, Any]:
    """The last dimensions spread out and padded with zeros; negative padding cuts off."""
    lead = x.ndim - len(padding)
    shape = x.shape[:lead] + tuple(
        spread(n, d) + max(low, 0) + max(high, 0)
        for n, d, (low, high) in zip(x.shape[lead:], dilation, padding, strict=True)
    )
    out = np.zeros(shape, x.dtype)
    inside: Any = tuple(
        slice(max(low, 0), max(low, 0) + spread(n, d), d)
        for n, d, (low, _) in zip(x.shape[lead:], dilation, padding, strict=True)
    )
    out[..., *inside] = x
    cut: Any = tuple(
        slice(max(-low, 0), n - max(-high, 0))
        for n, (low, high) in zip(shape[lead:], padding, strict=True)
    )
    return out[..., *cut]


def _conv_impl(
    lhs: np.ndarray[Any, Any],
    rhs: np.ndarray[Any, Any],
    *,
    window_strides: Dims,
    padding: Padding,
    lhs_dilation: Dims,
    rhs_dilation: Dims,
    dimension_numbers: ConvDimensionNumbers,
    feature_group_count: int,
    batch_group_count: int,
    precision: Any,
    preferred_element_type: Any,
) -> np.ndarray[Any, Any]:
    result = np.dtype(preferred_element_type or lhs.dtype)
    wide = accumulator(lhs.dtype, result)
    x = lhs.transpose(dimension_numbers[0]).astype(wide, copy=False)
    w = rhs.transpose(dimension_numbers[1]).astype(wide, copy=False)
    places = [
        output_size(*sizes)
        for sizes in zip(
            x.shape[2:],
            w.shape[2:],
            window_strides,
            padding,
            zip(lhs_dilation, rhs_dilation, strict=True),
            strict=True,
        )
    ]
    x = _padded(x, padding, lhs_dilation)
    groups = feature_group_count * batch_group_count
    # x[group, batch, feature, space], w[group, output, feature, window]
    if batch_group_count > 1:
        x = x.reshape(groups, x.shape[0] // groups, *x.shape[1:])
    else:
        x = np.moveaxis(x.reshape(x.shape[0], groups, x.shape[1] // groups, *x.shape[2:]), 1, 0)
    w = w.reshape(groups, w.shape[0] // groups, *w.shape[1:])
    shape = (groups, x.shape[1], w.shape[1], *places)
    if math.prod(w.shape[3:]) <= math.prod(places):
        out = _by_elements_of_the_window(x, w, shape, window_strides, rhs_dilation)
    else:
        out = _by_places(x, w, shape, window_strides, rhs_dilation)
    out = np.moveaxis(out, 0, 1).reshape(shape[1], groups * shape[2], *places)
    return out.astype(result, copy=False).transpose(np.argsort(dimension_numbers[2]))


def _by_elements_of_the_window(
    x: np.ndarray[Any, Any], w: np.ndarray[Any, Any], shape: Dims, strides: Dims, dilation: Dims
) -> np.ndarray[Any, Any]:
    """The sum over the elements of the window of products of matrices."""
    places = shape[3:]
    out = np.zeros((*shape[:3], math.prod(places)), x.dtype)
    k: Any
    for k in itertools.product(*map(range, w.shape[3:])):
        where: Any = tuple(
            slice(i * d, i * d + (n - 1) * s + 1, s)
            for i, d, n, s in zip(k, dilation, places, strides, strict=True)
        )
        seen = x[..., *where].reshape(*x.shape[:3], math.prod(places))
        out += np.matmul(w[..., *k][:, None], seen)
    return out.reshape(shape)


def _by_places(
    x: np.ndarray[Any, Any], w: np.ndarray[Any, Any], shape: Dims, strides: Dims, dilation: Dims
) -> np.ndarray[Any, Any]:
    """One product of matrices for each place of the window."""
    out = np.zeros(shape, x.dtype)
    window = w.shape[3:]
    inner = math.prod(w.shape[2:])
    kernel = w.reshape(*w.shape[:2], inner).swapaxes(1, 2)
    y: Any
    for y in itertools.product(*map(range, shape[3:])):
        where: Any = tuple(
            slice(i * s, i * s + (n - 1) * d + 1, d)
            for i, s, n, d in zip(y, strides, window, dilation, strict=True)
        )
        seen = x[..., *where].reshape(*x.shape[:2], inner)
        out[..., *y] = np.matmul(seen, kernel)
    return out


# -- transposes ------------------------------------------------------------------------------------


def _regrouped(x: Any, source: int, destination: int, groups: int) -> Any:
    """`groups` equal parts of a dimension, put beside each other along another one."""
    if groups == 1:
        return x
    return _joined(*_parted(x, source, groups), destination, 1)


def _parted(x: Any, dim: int, groups: int) -> tuple[Any, int]:
    """A dimension as (groups, rest), with the groups moved to the front."""
    shape = aval_of(x).shape
    split = (*shape[:dim], groups, shape[dim] // groups, *shape[dim + 1 :])
    return moveaxis(reshape(x, new_sizes=split), dim, 0), 0


def _joined(x: Any, at: int, dim: int, groups: int) -> Any:
    """The dimension `at` merged into another one, inside each of its `groups` parts.

    `dim` is counted without the dimension `at`.
    """
    x = moveaxis(x, at, 0)
    size, *shape = aval_of(x).shape
    before, inner, after = shape[:dim], shape[dim], shape[dim + 1 :]
    split = (size, *before, groups, inner // groups, *after)
    x = moveaxis(reshape(x, new_sizes=split), 0, dim + 1)
    return reshape(x, new_sizes=(*before, size * inner, *after))


def _left_cotangent(
    ct: Any,
    lhs: LinearInput,
    rhs: Any,
    window_strides: Dims,
    padding: Padding,
    lhs_dilation: Dims,
    rhs_dilation: Dims,
    dimension_numbers: ConvDimensionNumbers,
    feature_group_count: int,
    batch_group_count: int,
    precision: Any,
) -> Any:
    """`ct`, spread out by the strides, convolved with the kernel turned round.

    Inputs and outputs change places in every group: the groups of the kernel's outputs become
    groups of its inputs.
    """
    lhs_spec, rhs_spec, out_spec = dimension_numbers
    groups = feature_group_count * batch_group_count
    kernel = rev(convert(rhs, aval_of(ct).dtype), dimensions=tuple(sorted(rhs_spec[2:])))
    kernel = _regrouped(kernel, rhs_spec[0], rhs_spec[1], groups)
    around = []
    for k, (low, _) in enumerate(padding):
        window = spread(aval_of(rhs).shape[rhs_spec[2 + k]], rhs_dilation[k])
        inside = spread(lhs.shape[lhs_spec[2 + k]], lhs_dilation[k])
        given = spread(aval_of(ct).shape[out_spec[2 + k]], window_strides[k])
        around.append((window - 1 - low, inside + low - given))
    out = conv_general_dilated(
        ct,
        kernel,
        window_strides=lhs_dilation,
        padding=tuple(around),
        lhs_dilation=window_strides,
        rhs_dilation=rhs_dilation,
        dimension_numbers=ConvDimensionNumbers(
            out_spec, (rhs_spec[1], rhs_spec[0], *rhs_spec[2:]), lhs_spec
        ),
        feature_group_count=groups,
        batch_group_count=1,
        precision=precision,
        preferred_element_type=None,
    )
    out = _regrouped(out, lhs_spec[1], lhs_spec[0], batch_group_count)
    return convert(out, lhs.dtype)


def _kernel_cotangent(
    ct: Any,
    lhs: Any,
    rhs: LinearInput,
    window_strides: Dims,
    padding: Padding,
    lhs_dilation: Dims,
    rhs_dilation: Dims,
    dimension_numbers: ConvDimensionNumbers,
    feature_group_count: int,
    batch_group_count: int,
    precision: Any,
) -> Any:
    """`lhs` convolved with `ct` as the kernel: batch and features change places."""
    lhs_spec, rhs_spec, out_spec = dimension_numbers
    around = []
    for k, (low, _) in enumerate(padding):
        window = spread(rhs.shape[rhs_spec[2 + k]], rhs_dilation[k])
        inside = spread(aval_of(lhs).shape[lhs_spec[2 + k]], lhs_dilation[k])
        given = spread(aval_of(ct).shape[out_spec[2 + k]], window_strides[k])
        around.append((low, window + given - 1 - low - inside))
    out = conv_general_dilated(
        convert(lhs, aval_of(ct).dtype),
        ct,
        window_strides=rhs_dilation,
        padding=tuple(around),
        lhs_dilation=lhs_dilation,
        rhs_dilation=window_strides,
        dimension_numbers=ConvDimensionNumbers(
            (lhs_spec[1], lhs_spec[0], *lhs_spec[2:]),
            (out_spec[1], out_spec[0], *out_spec[2:]),
            (rhs_spec[1], rhs_spec[0], *rhs_spec[2:]),
        ),
        feature_group_count=batch_group_count,
        batch_group_count=feature_group_count,
        precision=precision,
        preferred_element_type=None,
    )
    return convert(out, rhs.dtype)


def _conv_transpose(
    ct: Any, lhs: Any, rhs: Any, *, preferred_element_type: Any, **params: Any
) -> list[Any]:
    linear, other = (lhs, rhs) if isinstance(lhs, LinearInput) else (rhs, lhs)
    if 0 in (*aval_of(ct).shape, *aval_of(other).shape, *linear.shape):
        found = zeros(linear.aval)
    elif linear is lhs:
        found = _left_cotangent(ct, lhs, rhs, **params)
    else:
        found = _kernel_cotangent(ct, lhs, rhs, **params)
    return [found, None] if linear is lhs else [None, found]


# -- batching --------------------------------------------------------------------------------------


def _conv_batch(
    size: int, inputs: Sequence[Any], dims: Sequence[int | None], **params: Any
) -> tuple[Any, int]:
    """A batch is more batch of the left array, more output features of the kernel, or groups."""
    lhs, rhs = inputs
    lhs_at, rhs_at = dims
    lhs_spec, rhs_spec, out_spec = params["dimension_numbers"]
    if size == 0:
        avals = [_without(aval_of(x), at) for x, at in zip(inputs, dims, strict=True)]
        out = _conv_aval(*avals, **params)
        return full((0, *out.shape), 0, out.dtype), 0
    groups = params["feature_group_count"] * params["batch_group_count"]
    if lhs_at is not None and rhs_at is not None:
        in_batch = params["batch_group_count"] > 1
        name = "batch_group_count" if in_batch else "feature_group_count"
        lhs = _joined(lhs, lhs_at, lhs_spec[0 if in_batch else 1], 1)
        rhs = _joined(rhs, rhs_at, rhs_spec[0], 1)
        out = conv_general_dilated(lhs, rhs, **{**params, name: params[name] * size})
        return _parted(out, out_spec[1], size)
    if lhs_at is not None:
        lhs = _joined(lhs, lhs_at, lhs_spec[0], params["batch_group_count"])
        return _parted(conv_general_dilated(lhs, rhs, **params), out_spec[0], size)
    assert rhs_at is not None
    rhs = _joined(rhs, rhs_at, rhs_spec[0], groups)
    out = conv_general_dilated(lhs, rhs, **params)
    if groups == 1:
        return _parted(out, out_spec[1], size)
    # (groups, batch, rest) are the output features: the batch comes out from between.
    out, _ = _parted(out, out_spec[1], groups)
    out, _ = _parted(out, out_spec[1] + 1, size)
    return _joined(out, 1, out_spec[1] + 1, 1), 0


def _without(x: ShapedArray, at: int | None) -> ShapedArray:
    return x if at is None else x.update(shape=(*x.shape[:at], *x.shape[at + 1 :]))


_NAMES = ConvDimensionNumbers((0, 1, 2, 3), (0, 1, 2, 3), (0, 1, 2, 3))
_LAST = ConvDimensionNumbers((0, 3, 1, 2), (3, 2, 0, 1), (0, 3, 1, 2))
_ODD = ConvDimensionNumbers((3, 0, 2, 1), (1, 3, 0, 2), (2, 1, 3, 0))
_LINE = ConvDimensionNumbers((0, 2, 1), (2, 1, 0), (0, 2, 1))


def _case(
    lhs: Dims,
    rhs: Dims,
    numbers: ConvDimensionNumbers,
    padding: Padding | None = None,
    strides: Dims | None = None,
    dilations: tuple[Dims, Dims] | None = None,
    groups: tuple[int, int] = (1, 1),
) -> Any:
    ones = (1,) * (len(lhs) - 2)
    lhs_dilation, rhs_dilation = dilations or (ones, ones)
    params = {
        "window_strides": strides or ones,
        "padding": padding or ((0, 0),) * len(ones),
        "lhs_dilation": lhs_dilation,
        "rhs_dilation": rhs_dilation,
        "dimension_numbers": numbers,
        "feature_group_count": groups[0],
        "batch_group_count": groups[1],
        "precision": None,
        "preferred_element_type": None,
    }
    return ((lhs, rhs), params)


conv_general_dilated = define(
    "conv_general_dilated",
    params=(
        "window_strides",
        "padding",
        "lhs_dilation",
        "rhs_dilation",
        "dimension_numbers",
        "feature_group_count",
        "batch_group_count",
        "precision",
        "preferred_element_type",
    ),
    abstract_eval=_conv_aval,
    impl=_conv_impl,
    jvp=multilinear,
    transpose=_conv_transpose,
    batch=_conv_batch,
    lower=Convolve(),
    domain=Domain(
        cases=(
            _case((2, 3, 5, 4), (4, 3, 3, 2), _NAMES, ((1, 1), (0, 1))),
            _case((2, 6, 5, 3), (3, 2, 3, 5), _LAST, ((1, 0), (-1, 2)), (2, 1)),
            _case((2, 3, 4, 2), (2, 3, 2, 2), _ODD, ((2, 1), (1, 1)), (1, 2), ((1, 2), (2, 1))),
            _case((2, 5, 4, 6), (3, 2, 2, 6), _LAST, ((1, 1), (1, 1)), groups=(3, 1)),
            _case((1, 5, 4, 4), (3, 3, 1, 4), _LAST, ((1, 1), (1, 1)), (2, 1), groups=(4, 1)),
            _case((4, 2, 3, 3), (6, 2, 2, 2), _NAMES, ((0, 1), (1, 0)), groups=(1, 2)),
            _case((3, 7, 2), (3, 2, 18), _LINE, ((1, 1),), (3,)),
            _case((2, 3), (4, 3), ConvDimensionNumbers((0, 1), (0, 1), (1, 0))),
            _case((1, 0, 1), (2, 1, 3), _LINE, ((1, 2),)),
            _case((2, 4, 0), (3, 0, 2), _LINE),
        ),
        dtypes=("float32", "float64", "int32", "complex64"),
    ),
    ulp=16,
)

__all__ = [
    "ConvDimensionNumbers",
    "Padding",
    "conv_general_dilated",
    "output_size",
    "spread",
]
