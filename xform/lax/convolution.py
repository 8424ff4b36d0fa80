"""Convolutions, under JAX's names in `jax.lax`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.trace import aval_of
from ..errors import ArgumentError, ShapeError
from ..numpy.grids import eye
from ..ops import contraction, convolution, structural
from ..ops.convolution import ConvDimensionNumbers, spread
from .operands import ints, operand, static_int, user_dtype
from .reductions import precision_name

__all__ = [
    "ConvDimensionNumbers",
    "conv",
    "conv_dimension_numbers",
    "conv_general_dilated",
    "conv_general_dilated_local",
    "conv_general_dilated_patches",
    "conv_transpose",
    "conv_with_general_padding",
    "padtype_to_pads",
]


def conv_dimension_numbers(
    lhs_shape: Sequence[int], rhs_shape: Sequence[int], dimension_numbers: Any
) -> ConvDimensionNumbers:
    """Which dimension of the arrays of a convolution is what, from any way to say it.

    Args:
        lhs_shape, rhs_shape: the shapes of the left array and the kernel, of equal lengths.
        dimension_numbers: a `ConvDimensionNumbers`; or three strings with a letter for each
            dimension of the left array, the kernel and the output, where N is the batch, C the
            features, O and I the output and input features, and other letters name spatial
            dimensions; or None for ('NCHW', 'OIHW', 'NCHW'), with as many spatial dimensions as
            there are.

    Returns:
        the dimension numbers; spatial dimensions come in the order of the kernel's string.

    Raises:
        ShapeError: the shapes have different lengths.
        ArgumentError: the strings do not name every dimension once.

    >>> conv_dimension_numbers((1, 8, 8, 3), (3, 3, 3, 4), ("NHWC", "HWIO", "NHWC")).rhs_spec
    (3, 2, 0, 1)
    """
    rank = len(lhs_shape)
    if len(rhs_shape) != rank:
        raise ShapeError(
            "expected a left array and a kernel with equally many dimensions",
            f"{tuple(lhs_shape)} and {tuple(rhs_shape)}",
            instead="x[None] where the batch dimension is missing",
        )
    if dimension_numbers is None:
        every = tuple(range(rank))
        return ConvDimensionNumbers(every, every, every)
    if len(dimension_numbers) != 3:
        raise ArgumentError(
            "expected dimension_numbers for the left array, the kernel and the output",
            repr(dimension_numbers),
            instead="('NHWC', 'HWIO', 'NHWC')",
        )
    if not all(isinstance(spec, str) for spec in dimension_numbers):
        lhs, rhs, out = (ints(spec, "dimension numbers") for spec in dimension_numbers)
        return ConvDimensionNumbers(lhs, rhs, out)
    lhs, rhs, out = dimension_numbers
    space = [letter for letter in rhs if letter not in "OI"]
    if not (rhs.count("O") == rhs.count("I") == 1 and len(set(rhs)) == len(rhs) == rank):
        raise ArgumentError(
            "expected a string with the letters O and I for the output and input features of the "
            f"kernel, and {rank - 2} more for its spatial dimensions",
            repr(rhs),
            instead="('NHWC', 'HWIO', 'NHWC') for two spatial dimensions, H and W",
        )
    specs = [
        _positions(spec, (*pair, *space)) for spec, pair in ((lhs, "NC"), (rhs, "OI"), (out, "NC"))
    ]
    return ConvDimensionNumbers(*specs)


def _positions(spec: str, letters: Sequence[str]) -> tuple[int, ...]:
    """Where in a string the letters stand."""
    if sorted(spec) != sorted(letters):
        raise ArgumentError(
            f"expected a string with each of the letters {''.join(letters)} once, as those of the "
            "kernel's spatial dimensions",
            repr(spec),
            instead="('NHWC', 'HWIO', 'NHWC') for two spatial dimensions, H and W",
        )
    return tuple(spec.index(letter) for letter in letters)


def padtype_to_pads(
    in_shape: Sequence[int],
    window_shape: Sequence[int],
    window_strides: Sequence[int],
    padding: Any,
) -> list[tuple[int, int]]:
    """The padding before and after each dimension that a name stands for.

    Args:
        in_shape: the sizes of the dimensions.
        window_shape: the sizes of the window, with its dilation.
        window_strides: the steps of the window.
        padding: "VALID" for none; "SAME" for as much as makes the output as large as the input
            over the step, with the odd one behind, or in front with "SAME_LOWER". Pairs are
            returned as they are.

    Raises:
        ArgumentError: another name.

    >>> padtype_to_pads((5, 6), (3, 2), (2, 1), "SAME")
    [(1, 1), (0, 1)]
    """
    if not isinstance(padding, str):
        return [(int(low), int(high)) for low, high in padding]
    name = padding.upper()
    if name == "VALID":
        return [(0, 0)] * len(in_shape)
    if name not in ("SAME", "SAME_LOWER"):
        raise ArgumentError(
            "expected a padding 'SAME', 'SAME_LOWER', 'VALID' or pairs (low, high)", repr(padding)
        )
    pads = []
    for n, k, s in zip(in_shape, window_shape, window_strides, strict=True):
        total = max((-(-n // s) - 1) * s + k - n, 0)
        low = total // 2 if name == "SAME" else total - total // 2
        pads.append((low, total - low))
    return pads


def _pairs(padding: Any) -> tuple[tuple[int, int], ...]:
    """Padding given as pairs."""
    try:
        pairs = [tuple(pair) for pair in padding]
    except TypeError:
        pairs = [()]
    if any(len(pair) != 2 for pair in pairs):
        raise ArgumentError(
            "expected a padding 'SAME', 'SAME_LOWER', 'VALID' or pairs (low, high)",
            repr(padding),
            instead="[(1, 1), (1, 1)] for example",
        )
    return tuple(
        (static_int(low, "a padding"), static_int(high, "a padding")) for low, high in pairs
    )


def conv_general_dilated(
    lhs: Any,
    rhs: Any,
    window_strides: Sequence[int],
    padding: Any,
    lhs_dilation: Sequence[int] | None = None,
    rhs_dilation: Sequence[int] | None = None,
    dimension_numbers: Any = None,
    feature_group_count: int = 1,
    batch_group_count: int = 1,
    precision: Any = None,
    preferred_element_type: Any = None,
) -> Any:
    """The convolution of an array with a kernel, in any number of spatial dimensions.

    The kernel is not turned round: what is computed is a correlation, as everywhere in machine
    learning.

    Args:
        lhs: an array with a batch, a feature and the spatial dimensions.
        rhs: the kernel, of equal dtype, with an output feature, an input feature and the spatial
            dimensions.
        window_strides: the step of the window in each spatial dimension.
        padding: "SAME", "SAME_LOWER", "VALID", or a pair (low, high) for each spatial dimension:
            how many zeros come before and after; negative numbers cut off.
        lhs_dilation: the distance at which elements of `lhs` are put in each spatial dimension,
            with zeros between them; 1 by default.
        rhs_dilation: the same of the kernel.
        dimension_numbers: which dimension is what, as `conv_dimension_numbers` takes it; by
            default ('NCHW', 'OIHW', 'NCHW').
        feature_group_count: into how many groups the features are divided, each convolved with
            its own part of the output features; as many as there are features for a depthwise
            convolution.
        batch_group_count: into how many groups the batch is divided, in the same way.
        precision: a `Precision` or its name, or a pair of them.
        preferred_element_type: the dtype of the result; by default that of the operands. 16-bit
            floats are added up in float32.

    Returns:
        an array with the batch, output features and spatial dimensions, in the order that
        `dimension_numbers` gives them for the output.

    Raises:
        ShapeError: features, groups or padding do not fit the shapes.
        DtypeError: the dtypes differ.
        ArgumentError: strides, dilations or a padding not as above; a name of a padding together
            with `lhs_dilation`.

    >>> x = np.arange(5, dtype=np.float32).reshape(1, 1, 5)
    >>> conv_general_dilated(x, np.ones((1, 1, 3), np.float32), (1,), "SAME")
    Array([[[1., 3., 6., 9., 7.]]], dtype=float32)
    """
    x, w = operand(lhs), operand(rhs)
    numbers = conv_dimension_numbers(aval_of(x).shape, aval_of(w).shape, dimension_numbers)
    rank = len(numbers.lhs_spec) - 2
    strides = ints(window_strides, "strides")
    lhs_step = (1,) * rank if lhs_dilation is None else ints(lhs_dilation, "dilations")
    rhs_step = (1,) * rank if rhs_dilation is None else ints(rhs_dilation, "dilations")
    if isinstance(padding, str):
        if any(d != 1 for d in lhs_step):
            raise ArgumentError(
                "expected pairs (low, high) as padding together with lhs_dilation",
                f"{padding!r}, lhs_dilation={lhs_step}",
                instead="conv_transpose, or padding=[(1, 1), (1, 1)] for example",
            )
        _check_steps(rank, window_strides=strides, rhs_dilation=rhs_step)
        space = [aval_of(x).shape[d] for d in numbers.lhs_spec[2:]]
        window = _window(w, numbers, rhs_step)
        padding = padtype_to_pads(space, window, strides, padding)
    wanted = user_dtype(preferred_element_type)
    return convolution.conv_general_dilated(
        x,
        w,
        window_strides=strides,
        padding=_pairs(padding),
        lhs_dilation=lhs_step,
        rhs_dilation=rhs_step,
        dimension_numbers=numbers,
        feature_group_count=static_int(feature_group_count, "feature_group_count"),
        batch_group_count=static_int(batch_group_count, "batch_group_count"),
        precision=precision_name(precision),
        preferred_element_type=None if wanted is None else np.dtype(wanted),
    )


def _check_steps(rank: int, **steps: tuple[int, ...]) -> None:
    """What names of paddings are worked out from."""
    for name, values in steps.items():
        if len(values) != rank or any(v < 1 for v in values):
            raise ArgumentError(
                f"expected {name} of {rank} integers >= 1, one for each spatial dimension",
                str(values),
            )


def _window(rhs: Any, numbers: ConvDimensionNumbers, dilation: Sequence[int]) -> list[int]:
    """The spatial sizes of a kernel with its dilation."""
    shape = aval_of(rhs).shape
    return [spread(shape[d], k) for d, k in zip(numbers.rhs_spec[2:], dilation, strict=True)]


def conv(
    lhs: Any,
    rhs: Any,
    window_strides: Sequence[int],
    padding: Any,
    precision: Any = None,
    preferred_element_type: Any = None,
) -> Any:
    """`conv_general_dilated` without dilations or groups, in the order ('NCHW', 'OIHW', 'NCHW').

    >>> conv(np.ones((1, 2, 3), np.float32), np.ones((1, 2, 2), np.float32), (1,), "VALID")
    Array([[[4., 4.]]], dtype=float32)
    """
    return conv_general_dilated(
        lhs,
        rhs,
        window_strides,
        padding,
        precision=precision,
        preferred_element_type=preferred_element_type,
    )


def conv_with_general_padding(
    lhs: Any,
    rhs: Any,
    window_strides: Sequence[int],
    padding: Any,
    lhs_dilation: Sequence[int] | None,
    rhs_dilation: Sequence[int] | None,
    precision: Any = None,
    preferred_element_type: Any = None,
) -> Any:
    """`conv_general_dilated` without groups, in the order ('NCHW', 'OIHW', 'NCHW').

    >>> x, w = np.ones((1, 1, 2), np.float32), np.ones((1, 1, 2), np.float32)
    >>> conv_with_general_padding(x, w, (1,), [(1, 1)], (2,), None)
    Array([[[1., 1., 1., 1.]]], dtype=float32)
    """
    return conv_general_dilated(
        lhs,
        rhs,
        window_strides,
        padding,
        lhs_dilation,
        rhs_dilation,
        precision=precision,
        preferred_element_type=preferred_element_type,
    )


_FEATURES_LAST = {
    2: ("NC", "IO", "NC"),
    3: ("NHC", "HIO", "NHC"),
    4: ("NHWC", "HWIO", "NHWC"),
    5: ("NHWDC", "HWDIO", "NHWDC"),
}


def conv_transpose(
    lhs: Any,
    rhs: Any,
    strides: Sequence[int],
    padding: Any,
    rhs_dilation: Sequence[int] | None = None,
    dimension_numbers: Any = None,
    transpose_kernel: bool = False,
    precision: Any = None,
    preferred_element_type: Any = None,
    use_consistent_padding: bool = False,
) -> Any:
    """A convolution that makes an array larger: `lhs` is spread out by the strides first.

    With `transpose_kernel` it is the transpose, or gradient, of a convolution of these strides.

    Args:
        lhs: an array with a batch, a feature and the spatial dimensions.
        rhs: the kernel.
        strides: the distances at which elements of `lhs` are put.
        padding: "SAME" for an output as large as the input times the stride; "VALID" for every
            place where the kernel meets an element; or pairs (low, high) of zeros around the
            spread array.
        rhs_dilation: as for `conv_general_dilated`.
        dimension_numbers: as for `conv_general_dilated`; by default ('NHWC', 'HWIO', 'NHWC'), and
            alike for one and three spatial dimensions.
        transpose_kernel: turn the kernel round in space, and exchange its input and output
            features.
        precision, preferred_element_type: as for `conv_general_dilated`.
        use_consistent_padding: pairs are the padding of the convolution that this one transposes.

    Raises:
        ArgumentError: no `dimension_numbers` for more than three spatial dimensions, or another
            name of a padding.
        ShapeError, DtypeError: as for `conv_general_dilated`.

    >>> x = np.float32([1, 2]).reshape(1, 2, 1)
    >>> conv_transpose(x, np.ones((2, 1, 1), np.float32), (2,), "SAME").reshape(-1)
    Array([1., 1., 2., 2.], dtype=float32)
    """
    x, w = operand(lhs), operand(rhs)
    rank = aval_of(x).ndim
    if dimension_numbers is None:
        if rank not in _FEATURES_LAST:
            raise ArgumentError(
                "expected dimension_numbers for an array of other than 2 to 5 dimensions",
                str(aval_of(x)),
            )
        dimension_numbers = _FEATURES_LAST[rank]
    numbers = conv_dimension_numbers(aval_of(x).shape, aval_of(w).shape, dimension_numbers)
    dilation = (1,) * (rank - 2) if rhs_dilation is None else ints(rhs_dilation, "dilations")
    steps = ints(strides, "strides")
    _check_steps(rank - 2, strides=steps, rhs_dilation=dilation)
    window = _window(w, numbers, dilation)
    if isinstance(padding, str):
        pads = [_spread_padding(k, s, padding) for k, s in zip(window, steps, strict=True)]
    else:
        pads = list(_pairs(padding))
        if use_consistent_padding:
            pads = [
                (k - 1 - low, k - 1 - high) for k, (low, high) in zip(window, pads, strict=True)
            ]
    if transpose_kernel:
        out, into, *space = numbers.rhs_spec
        w = structural.rev(w, dimensions=tuple(space))
        numbers = numbers._replace(rhs_spec=(into, out, *space))
    return conv_general_dilated(
        x,
        w,
        (1,) * (rank - 2),
        pads,
        steps,
        dilation,
        numbers,
        precision=precision,
        preferred_element_type=preferred_element_type,
    )


def _spread_padding(window: int, stride: int, name: str) -> tuple[int, int]:
    """The zeros around an array spread out by a stride, for the names of paddings."""
    if name == "SAME":
        total = window + stride - 2
        low = window - 1 if stride > window - 1 else -(-total // 2)
    elif name == "VALID":
        total = window + stride - 2 + max(window - stride, 0)
        low = window - 1
    else:
        raise ArgumentError("expected a padding 'SAME', 'VALID' or pairs (low, high)", repr(name))
    return low, total - low


def conv_general_dilated_patches(
    lhs: Any,
    filter_shape: Sequence[int],
    window_strides: Sequence[int],
    padding: Any,
    lhs_dilation: Sequence[int] | None = None,
    rhs_dilation: Sequence[int] | None = None,
    dimension_numbers: Any = None,
    precision: Any = None,
    preferred_element_type: Any = None,
) -> Any:
    """What a window sees at each of its places, as features.

    Args:
        lhs: an array with a batch, a feature and the spatial dimensions.
        filter_shape: the spatial sizes of the window.
        window_strides, padding, lhs_dilation, rhs_dilation, dimension_numbers, precision,
            preferred_element_type: as for `conv_general_dilated`.

    Returns:
        an array whose features are those of `lhs`, each with all elements of the window.

    Raises:
        ShapeError, ArgumentError: as for `conv_general_dilated`.

    >>> x = np.arange(4, dtype=np.float32).reshape(1, 1, 4)
    >>> conv_general_dilated_patches(x, (2,), (1,), "VALID")
    Array([[[0., 1., 2.],
            [1., 2., 3.]]], dtype=float32)
    """
    x = operand(lhs)
    window = ints(filter_shape, "a filter_shape")
    rank = len(window) + 2
    aval = aval_of(x)
    numbers = conv_dimension_numbers(aval.shape, (1,) * rank, dimension_numbers)
    features = aval.shape[numbers.lhs_spec[1]]
    inner = math.prod(window)
    # The kernel that picks each element of the window, for each feature.
    rows = structural.reshape(eye(inner, dtype=aval.dtype), new_sizes=(inner, 1, *window))
    kernel = structural.broadcast_in_dim(
        rows,
        shape=(features, inner, 1, *window),
        broadcast_dimensions=tuple(range(1, rank + 1)),
    )
    kernel = structural.reshape(kernel, new_sizes=(features * inner, 1, *window))
    return conv_general_dilated(
        x,
        kernel,
        window_strides,
        padding,
        lhs_dilation,
        rhs_dilation,
        ConvDimensionNumbers(numbers.lhs_spec, tuple(range(rank)), numbers.out_spec),
        feature_group_count=max(1, features),
        precision=precision,
        preferred_element_type=preferred_element_type,
    )


def conv_general_dilated_local(
    lhs: Any,
    rhs: Any,
    window_strides: Sequence[int],
    padding: Any,
    filter_shape: Sequence[int],
    lhs_dilation: Sequence[int] | None = None,
    rhs_dilation: Sequence[int] | None = None,
    dimension_numbers: Any = None,
    precision: Any = None,
) -> Any:
    """A convolution with another kernel at each place.

    Args:
        lhs: an array with a batch, a feature and the spatial dimensions.
        rhs: the kernels: output features, input features times the elements of the window (in the
            order of `conv_general_dilated_patches`), and the spatial sizes of the output.
        window_strides, padding, lhs_dilation, rhs_dilation, dimension_numbers, precision: as for
            `conv_general_dilated`.
        filter_shape: the spatial sizes of the window.

    Raises:
        ShapeError, ArgumentError: as for `conv_general_dilated`.

    >>> x = np.arange(3, dtype=np.float32).reshape(1, 1, 3)
    >>> kernels = np.float32([[[1, 10], [0, 1]]])
    >>> conv_general_dilated_local(x, kernels, (1,), "VALID", (2,))
    Array([[[ 0., 12.]]], dtype=float32)
    """
    w = operand(rhs)
    numbers = conv_dimension_numbers(aval_of(lhs).shape, aval_of(w).shape, dimension_numbers)
    patches = conv_general_dilated_patches(
        lhs, filter_shape, window_strides, padding, lhs_dilation, rhs_dilation, numbers, precision
    )
    # (space..., batch, output features)
    product = contraction.dot_general(
        patches,
        w,
        dimension_numbers=(
            ((numbers.out_spec[1],), (numbers.rhs_spec[1],)),
            (tuple(numbers.out_spec[2:]), tuple(numbers.rhs_spec[2:])),
        ),
        precision=precision_name(precision),
        preferred_element_type=None,
    )
    rank = len(numbers.out_spec)
    made = (rank - 2, rank - 1, *range(rank - 2))
    order = [0] * rank
    for at, d in zip(numbers.out_spec, made, strict=True):
        order[at] = d
    return structural.transpose(product, permutation=tuple(order))
