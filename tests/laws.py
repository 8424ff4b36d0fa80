"""The laws every operator obeys. Each is a function of a row; AssertionError where it is broken."""

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tests.law_examples import (
    DOUBLE,
    Example,
    accepted,
    all_examples,
    assert_close,
    assert_equal_within_ulp,
    compiled_ulp,
    double_examples,
    draw_array,
    examples,
    floats,
    on_devices,
    precision,
    short_examples,
    widened,
)
from xform import errors
from xform.api import jit
from xform.core import dtypes
from xform.core.primitive import Absent, Constant, Linear, Multilinear, Primitive, Zero
from xform.core.trace import aval_of
from xform.core.values import to_numpy
from xform.interpreters.batching import batch_flat, to_front
from xform.interpreters.forward import instantiate, jvp_flat
from xform.interpreters.reverse import vjp_flat

MOST_PATTERNS = 12  # patterns of mapped axes tried for each example

# -- types ----------------------------------------------------------------------------------------


def check_types(row: Primitive) -> None:
    """`abstract_eval` tells the shape and dtype of what `impl` returns."""
    if not runs(row):
        return
    for example in (*all_examples(row), *short_examples(row)):
        check_types_of(example)


def runs(row: Primitive) -> bool:
    """Whether the operator is ever run; a few are only rewritten by transformations."""
    return not isinstance(row.lower, Absent)


def check_types_of(example: Example) -> None:
    with np.errstate(all="ignore"):
        out = example.row.rule("impl")(*example.inputs, **example.params)
    results = out if example.row.multiple_results else [out]
    avals = example.outputs
    assert len(results) == len(avals), example
    for x, aval in zip(results, avals, strict=True):
        x = to_numpy(x)
        assert (x.shape, x.dtype) == (aval.shape, aval.dtype), f"{example}: {x.shape} {x.dtype}"


# -- derivatives ----------------------------------------------------------------------------------


def differentiable(row: Primitive) -> bool:
    return not isinstance(row.jvp, Absent | Constant)


def check_forward(row: Primitive) -> None:
    """The jvp, and the jvp of the jvp, are central differences."""
    if not differentiable(row):
        return
    for example in double_examples(row):
        check_forward_of(example)


def check_forward_of(example: Example) -> None:
    rng = np.random.default_rng(1)
    tangents = [random_like(rng, example.inputs[k]) for k in example.movable()]

    def first(*moving: Any) -> list[Any]:
        return on_inexact(example, moving)

    def second(*moving: Any) -> list[Any]:
        outs, out_tangents = jvp_flat(first, moving, tangents)
        return [instantiate(t) for y, t in zip(outs, out_tangents, strict=True) if floats(y)]

    at = [example.inputs[k] for k in example.movable()]
    for order, function in enumerate((first, second), 1):
        compare_with_difference(function, at, tangents, f"order {order} of {example}")


def on_inexact(example: Example, moving: Sequence[Any]) -> list[Any]:
    """The operator as a function of the inputs it differentiates."""
    inputs = list(example.inputs)
    for k, x in zip(example.movable(), moving, strict=True):
        inputs[k] = x
    return example.flat(*inputs)


def random_like(rng: Any, x: Any) -> np.ndarray[Any, Any]:
    return draw_array(rng, x.shape, x.dtype, -1.0, 1.0)


STEP = 2.0**-16  # the error of the formula below is its fourth power times a fifth derivative


def compare_with_difference(
    function: Any, at: Sequence[Any], tangents: Sequence[Any], what: str
) -> None:
    """jvp against a five-point central difference, in 64 bits."""
    outs, got = jvp_flat(function, at, tangents)
    moved = [
        [
            widened(y)
            for y in function(*(x + k * STEP * t for x, t in zip(at, tangents, strict=True)))
        ]
        for k in (-2, -1, 1, 2)
    ]
    for y, t, a, b, c, d in zip(outs, got, *moved, strict=True):
        if not floats(y):
            assert isinstance(t, Zero), f"{what}: a tangent of {aval_of(y)}"
            continue
        with np.errstate(all="ignore"):
            wanted = (8 * (c - b) - (d - a)) / (12 * STEP)
        # The first bound is the formula's own error, the second that of rounding the results.
        rtol = max(1e-8, 8 * precision(aval_of(y).dtype) / STEP)
        finite = np.isfinite(widened(y))  # the difference of two infinities says nothing
        assert_close(widened(instantiate(t))[finite], wanted[finite], rtol, 1.0, what)


def check_adjoint(row: Primitive) -> None:
    """<ct, J t> = <J^T ct, t>: the pullback is the transpose of the pushforward."""
    if not differentiable(row):
        return
    for example in all_examples(row):
        if example.movable():
            check_adjoint_of(example)


def check_adjoint_of(example: Example) -> None:
    rng = np.random.default_rng(2)
    at = [example.inputs[k] for k in example.movable()]
    tangents = [random_like(rng, x) for x in at]

    def function(*moving: Any) -> list[Any]:
        return [y for y in on_inexact(example, moving) if floats(y)]

    outs, pushed = jvp_flat(function, at, tangents)
    cts = [random_like(rng, to_numpy(y)) for y in outs]
    if not cts:
        return
    _, pullback = vjp_flat(function, at)
    pulled = pullback(cts)
    left, size_left = inner(cts, pushed)
    right, size_right = inner(pulled, tangents)
    eps = max(precision(aval_of(x).dtype) for x in (*at, *outs))
    rounding = 32 * eps * (size_left + size_right)
    assert abs(left - right) <= rounding, f"{example}: {left} and {right}"


def inner(xs: Sequence[Any], ys: Sequence[Any]) -> tuple[float, float]:
    """The real part of the sum of products, and the sum of their sizes."""
    total = size = 0.0
    for x, y in zip(xs, ys, strict=True):
        if isinstance(x, Zero) or isinstance(y, Zero):
            continue
        product = double(x) * double(y)
        total += float(product.real.sum())
        size += float(np.abs(product).sum())
    return total, size


def double(x: Any) -> np.ndarray[Any, Any]:
    x = to_numpy(x)
    return x.astype(np.complex128 if dtypes.is_complex(x.dtype) else np.float64)


def check_linearity(row: Primitive) -> None:
    """f(a x + b y) = a f(x) + b f(y): in all inputs together, or in each by itself."""
    if not isinstance(row.jvp, Linear | Multilinear):
        return
    for example in double_examples(row):
        places = example.movable()
        groups = [places] if isinstance(row.jvp, Linear) else [[k] for k in places]
        for group in groups:
            rng = np.random.default_rng(3)
            others = [random_like(rng, x) for x in example.inputs]
            mixed, second = list(example.inputs), list(example.inputs)
            for k in group:
                mixed[k] = 0.75 * example.inputs[k] - 0.5 * others[k]
                second[k] = others[k]
            whole = example.flat(*mixed)
            first = example.flat(*example.inputs)
            for z, x, y in zip(whole, first, example.flat(*second), strict=True):
                wanted = 0.75 * to_numpy(x) - 0.5 * to_numpy(y)
                eps = precision(wanted.dtype)
                assert_close(z, wanted, (8 + row.ulp) * eps, 16.0, f"linearity of {example}")


# -- batching -------------------------------------------------------------------------------------


def check_batching(row: Primitive) -> None:
    """vmap is a loop: for every pattern of mapped axes, and batches of 0, 1 and 3."""
    if isinstance(row.batch, Absent):
        return
    for example in all_examples(row):
        if not example.inputs:
            continue
        for dims in patterns(example):
            for size in (3, 1, 0):
                check_batch(example, dims, size)


def patterns(example: Example) -> list[tuple[int | None, ...]]:
    """The places of the mapped axis in each input: none, first, or last, but not none in all."""
    choices = [dict.fromkeys((0, x.ndim, None)) for x in example.inputs]
    every = [p for p in itertools.product(*choices) if any(d is not None for d in p)]
    step = max(1, len(every) // MOST_PATTERNS)
    return every[::step]


def varied(x: np.ndarray[Any, Any], k: int) -> np.ndarray[Any, Any]:
    """Element k of a batch: the numbers of `x` in another order, which stay in the domain."""
    return np.roll(x.reshape(-1), k).reshape(x.shape)


def check_batch(example: Example, dims: Sequence[int | None], size: int) -> None:
    items = [[varied(x, k) for k in range(size)] for x in example.inputs]
    values = [
        x if d is None else stacked(xs, x, d)
        for x, xs, d in zip(example.inputs, items, dims, strict=True)
    ]
    outs, out_dims = batch_flat(example.flat, size, values, dims)
    alone = [
        example.with_inputs(
            [
                x if d is None else xs[k]
                for x, xs, d in zip(example.inputs, items, dims, strict=True)
            ]
        )
        for k in range(size)
    ]
    rows = [(e.flat(*e.inputs), e.magnitudes()) for e in alone]
    what = f"in_axes {dims}, batch of {size}, of {example}"
    for j, (y, d, aval) in enumerate(zip(outs, out_dims, example.outputs, strict=True)):
        got = to_numpy(y if d is None else to_front(size, y, d))
        assert got.dtype == aval.dtype, what
        if d is None:
            got = np.broadcast_to(got, (size, *got.shape))
        assert got.shape == (size, *aval.shape), f"{what}: {got.shape}"
        for k in range(size):
            wanted, sizes = rows[k]
            assert_equal_within_ulp(got[k], wanted[j], compiled_ulp(example), what, sizes[j])


def stacked(xs: Sequence[Any], x: np.ndarray[Any, Any], axis: int) -> np.ndarray[Any, Any]:
    if not xs:
        shape = (*x.shape[:axis], 0, *x.shape[axis:])
        return np.zeros(shape, x.dtype)
    return np.stack(xs, axis)


# -- devices --------------------------------------------------------------------------------------


def check_devices(row: Primitive) -> None:
    """Inside a named axis an operator is its `impl` over all devices; its transpose is theirs."""
    if not row.domain.devices:
        return
    for example in (*all_examples(row), *short_examples(row)):
        wanted = [np.asarray(example.row.rule("impl")(*example.inputs, **example.params))]
        check_results(example.flat(*example.inputs), wanted, example, "the batch rule")
        check_inner_batch(example)
    for example in all_examples(row):
        if isinstance(row.jvp, Linear) and example.movable():
            check_adjoint_over_devices(example)


def check_inner_batch(example: Example) -> None:
    """A batch within the devices, at every place, is a loop."""
    count = len(example.devices)
    for x in example.inputs:
        items = [varied(x, k) for k in range(3)]
        alone = [example.with_inputs([y]) for y in items]
        for at in range(x.ndim - count + 1):

            def batched(y: Any, at: int = at) -> list[Any]:
                outs, dims = batch_flat(example.on_one_device, 3, [y], [at])
                return [to_front(3, y, d) for y, d in zip(outs, dims, strict=True)]

            stack = np.stack(items, count + at)
            (found,) = on_devices(batched, example.params["axes"], [stack])
            for k, one in enumerate(alone):
                got = np.take(to_numpy(found), k, count)
                check_results([got], one.flat(*one.inputs), one, f"a batch at {at} inside")


def check_adjoint_over_devices(example: Example) -> None:
    """<ct, f t> = <f^T ct, t>, summed over devices, with the transpose taken on each device."""
    rng = np.random.default_rng(4)
    cts = [random_like(rng, to_numpy(y)) for y in example.flat(*example.inputs)]

    def pullback(x: Any, ct: Any) -> list[Any]:
        return vjp_flat(example.on_one_device, [x])[1]([ct])

    pulled = on_devices(pullback, example.params["axes"], [*example.inputs, *cts])
    left, size_left = inner(cts, example.flat(*example.inputs))
    right, size_right = inner(pulled, example.inputs)
    eps = max(precision(aval_of(x).dtype) for x in example.inputs)
    assert abs(left - right) <= 32 * eps * (size_left + size_right), f"{example}: {left}, {right}"


# -- compiled -------------------------------------------------------------------------------------


def strided(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    wide = np.zeros((*x.shape, 2), x.dtype)
    wide[..., 1] = x
    return wide[..., 1]


def offset(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    flat = np.zeros(x.size + 1, x.dtype)
    flat[1:] = x.reshape(-1)
    return flat[1:].reshape(x.shape)


def misaligned(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    buffer = np.zeros(x.nbytes + 1, np.uint8)
    out = buffer[1:].view(x.dtype).reshape(x.shape)
    out[...] = x
    return out


def backwards(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    every = (slice(None, None, -1),) * x.ndim
    return np.ascontiguousarray(x[every])[every].reshape(x.shape)


def byte_swapped(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    # The dtypes of ml_dtypes have no other byte order.
    return x if x.dtype.kind == "V" else x.astype(x.dtype.newbyteorder())


def column_major(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.array(x, order="F")


LAYOUTS = (strided, offset, misaligned, backwards, column_major, byte_swapped)


def check_compiled(row: Primitive) -> None:
    """jit(f) is f, however its inputs lie in memory."""
    if not runs(row):
        return
    for example in (*all_examples(row), *short_examples(row, 2)):
        wanted = example.flat(*example.inputs)
        function = jit(example.flat)
        check_results(function(*example.inputs), wanted, example, "jit")
        for layout in LAYOUTS:
            given = [layout(x) for x in example.inputs]
            check_results(function(*given), wanted, example, layout.__name__)


def check_results(got: Sequence[Any], wanted: Sequence[Any], example: Example, how: str) -> None:
    for y, z, size in zip(got, wanted, example.magnitudes(), strict=True):
        assert_equal_within_ulp(y, z, compiled_ulp(example), f"{how} of {example}", size)


# -- special values -------------------------------------------------------------------------------


def special_examples(row: Primitive, dtype: str) -> Iterator[Example]:
    """The row's special values, every one with every other for rows of two inputs or more."""
    for example in examples(row, dtype):
        places = [k for k, a in enumerate(example.avals) if a.dtype == np.dtype(dtype)]
        if len(places) > 3 or not places:
            continue
        grid = np.meshgrid(*([np.array(row.special)] * len(places)), indexing="ij")
        inputs = list(example.inputs)
        for k, values in zip(places, grid, strict=True):
            inputs[k] = values.reshape(-1).astype(dtype)
        changed = example.with_inputs(inputs)
        if accepted(changed):
            yield changed


def check_special(row: Primitive) -> None:
    """Signs of zero, infinities and NaN are as in twice the precision, and as compiled."""
    for dtype in row.domain.dtypes if runs(row) else ():
        if not row.special or not np.issubdtype(np.dtype(dtype), np.floating):
            continue
        for example in special_examples(row, dtype):
            eager = example.flat(*example.inputs)
            if dtype in DOUBLE and row.ulp:
                wide = [x.astype(DOUBLE[dtype]) if x.dtype == dtype else x for x in example.inputs]
                for y, z in zip(eager, example.with_inputs(wide).flat(*wide), strict=True):
                    with np.errstate(all="ignore"):
                        narrow = to_numpy(z).astype(to_numpy(y).dtype)
                    assert_same_special(y, narrow, row.ulp, f"{example} against {DOUBLE[dtype]}")
            for y, z in zip(jit(example.flat)(*example.inputs), eager, strict=True):
                assert_same_special(y, z, compiled_ulp(example), f"jit of {example}")


def assert_same_special(got: Any, wanted: Any, ulp: float, what: str) -> None:
    got, wanted = to_numpy(got), to_numpy(wanted)
    assert_equal_within_ulp(got, wanted, ulp, what)
    if np.issubdtype(wanted.dtype, np.floating):
        at = ~np.isnan(wanted)
        same = np.signbit(got[at]) == np.signbit(wanted[at])
        assert same.all(), f"{what}: signs of {got[at][~same]}, wanted {wanted[at][~same]}"


# -- refusal --------------------------------------------------------------------------------------


def check_refusal(row: Primitive) -> None:
    """Bad shapes, dtypes, parameters raise an error of ours; an absent rule raises its reason."""
    for name in ("abstract_eval", "impl", "jvp", "transpose", "batch", "lower"):
        if isinstance(getattr(row, name), Absent):
            check_absent(row, name)
    for example in itertools.islice(all_examples(row), 8):
        for inputs in changed_inputs(example):
            check_refused_or_sound(example.with_inputs(inputs))
        for params in changed_params(example):
            check_refused_or_sound(Example(row, example.inputs, params))


def check_absent(row: Primitive, name: str) -> None:
    reason = getattr(row, name).reason
    try:
        row.rule(name)
    except errors.AbsentRuleError as error:
        assert reason in str(error), f"{row}: {error} does not say {reason!r}"
    else:
        raise AssertionError(f"the absent {name} of {row} raises nothing")


def changed_inputs(example: Example) -> Iterator[list[Any]]:
    """The inputs with one of another shape or dtype."""
    for k, x in enumerate(example.inputs):
        others = [
            np.zeros((*x.shape, 5), x.dtype),
            np.zeros((3, 0, *x.shape), x.dtype),
            *(x.astype(d) for d in ("bool", "int16", "float32") if x.dtype != d and floatable(x)),
        ]
        for other in others:
            yield [*example.inputs[:k], other, *example.inputs[k + 1 :]]


def floatable(x: np.ndarray[Any, Any]) -> bool:
    """Whether a cast to a real dtype loses nothing that NumPy warns of."""
    return not np.issubdtype(x.dtype, np.complexfloating)


def changed_params(example: Example) -> Iterator[dict[str, Any]]:
    """The parameters with one number, or all numbers of one tuple, out of range."""
    for name, value in example.params.items():
        if isinstance(value, bool):
            continue
        if isinstance(value, int):
            yield {**example.params, name: 99}
            yield {**example.params, name: -99}
        elif isinstance(value, tuple) and value and all(type(v) is int for v in value):
            yield {**example.params, name: tuple(v + 99 for v in value)}
            yield {**example.params, name: (*value, value[0])}


def check_refused_or_sound(example: Example) -> None:
    """Either `abstract_eval` refuses with an error of ours, or it tells the truth."""
    try:
        avals = example.outputs
    except errors.XformError:
        return
    if runs(example.row) and sum(a.size for a in avals) < 10_000:
        check_types_of(example)


LAWS = {
    "types": check_types,
    "forward": check_forward,
    "adjoint": check_adjoint,
    "linearity": check_linearity,
    "batching": check_batching,
    "devices": check_devices,
    "compiled": check_compiled,
    "special": check_special,
    "refusal": check_refusal,
}
