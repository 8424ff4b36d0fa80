"""Convolutions against a loop over their definition, with their derivatives, batches and errors."""

import itertools

import numpy as np
import pytest
from hypothesis import given, strategies as st

import xform
import xform.numpy as xnp
from xform import errors, lax
from xform.experimental.jet import jet
from xform.lax import ConvDimensionNumbers, conv_general_dilated

NHWC = ("NHWC", "HWIO", "NHWC")
RNG = np.random.default_rng(0)


def draw(*shape):
    return RNG.normal(size=shape)


def by_definition(x, w, strides, padding, lhs_dilation, rhs_dilation, numbers, groups):
    """The sum over windows, element by element, in float64 or complex128."""
    x, w = x.transpose(numbers.lhs_spec), w.transpose(numbers.rhs_spec)
    wide = np.result_type(x.dtype, np.float64)
    of_features, of_batch = groups
    seen = np.zeros(
        (
            *x.shape[:2],
            *(
                sum(p) + ((n - 1) * d + 1 if n else 0)
                for n, d, p in zip(x.shape[2:], lhs_dilation, padding, strict=True)
            ),
        ),
        wide,
    )
    for at in itertools.product(*map(range, x.shape[2:])):
        to = [i * d + p[0] for i, d, p in zip(at, lhs_dilation, padding, strict=True)]
        if all(0 <= t < n for t, n in zip(to, seen.shape[2:], strict=True)):
            seen[(..., *to)] = x[(..., *at)]
    places = [
        max(0, (n - (k - 1) * d - 1) // s + 1)
        for n, k, d, s in zip(seen.shape[2:], w.shape[2:], rhs_dilation, strides, strict=True)
    ]
    batch, outputs = x.shape[0] // of_batch, w.shape[0]
    out = np.zeros((batch, outputs, *places), wide)
    for n, o in itertools.product(range(batch), range(outputs)):
        group = o // (outputs // (of_features * of_batch))
        row = n + (group * batch if of_batch > 1 else 0)
        first = group * w.shape[1] if of_features > 1 else 0
        part = seen[row, first : first + w.shape[1]]
        for y in itertools.product(*map(range, places)):
            window = tuple(
                slice(i * s, i * s + (k - 1) * d + 1, d)
                for i, s, k, d in zip(y, strides, w.shape[2:], rhs_dilation, strict=True)
            )
            out[(n, o, *y)] = np.sum(part[(..., *window)] * w[o])
    return out.transpose(np.argsort(numbers.out_spec))


@st.composite
def convolutions(draw_one):
    rank = draw_one(st.integers(0, 3))
    size = st.integers(1, 3)

    def each(strategy):
        return tuple(draw_one(strategy) for _ in range(rank))

    groups = draw_one(st.sampled_from([(1, 1), (1, 1), (2, 1), (3, 1), (1, 2), (1, 3)]))
    batch, features, outputs = (draw_one(st.integers(1, 4)) for _ in range(3))
    depthwise = draw_one(st.booleans())
    features = 1 if depthwise else features
    outputs = draw_one(st.sampled_from([outputs, 1, 17]))
    space = each(st.integers(1, 9 - 2 * rank))
    window = each(size)
    params = {
        "window_strides": each(size),
        "lhs_dilation": each(st.sampled_from([1, 1, 2, 3])),
        "rhs_dilation": each(st.sampled_from([1, 1, 2])),
        "feature_group_count": groups[0],
        "batch_group_count": groups[1],
    }
    padding = []
    for n, d in zip(space, params["lhs_dilation"], strict=True):
        room = (n - 1) * d + 1
        low = draw_one(st.integers(-min(2, room), 3))
        padding.append((low, draw_one(st.integers(-min(2, room + low), 3))))
    params["padding"] = tuple(padding)
    specs = [draw_one(st.permutations(range(rank + 2))) for _ in range(3)]
    params["dimension_numbers"] = ConvDimensionNumbers(*map(tuple, specs))
    lhs = (batch * groups[1], features * groups[0], *space)
    rhs = (outputs * groups[0] * groups[1], features, *window)
    numbers = params["dimension_numbers"]
    arrays = [
        draw(*shape).transpose(np.argsort(spec))
        for shape, spec in zip((lhs, rhs), numbers, strict=False)
    ]
    return arrays, params


def wanted_of(arrays, params):
    return by_definition(
        *arrays,
        params["window_strides"],
        params["padding"],
        params["lhs_dilation"],
        params["rhs_dilation"],
        params["dimension_numbers"],
        (params["feature_group_count"], params["batch_group_count"]),
    )


def close(got, wanted, dtype, terms=64):
    eps = float(xnp.finfo(dtype).eps)
    size = 1.0 + np.max(np.abs(wanted), initial=0.0)
    np.testing.assert_allclose(np.asarray(got), wanted, rtol=0, atol=terms * eps * size)


@given(convolutions())
def test_it_is_the_sum_over_windows(case):
    arrays, params = case
    wanted = wanted_of(arrays, params)

    def convolve(x, w):
        return conv_general_dilated(x, w, **params)

    with xform.config.scoped(enable_x64=True):
        for run in (convolve, xform.jit(convolve)):
            got = run(*arrays)
            assert got.shape == wanted.shape
            close(got, wanted, np.float64)


@given(convolutions())
def test_its_transposes_are_adjoint(case):
    arrays, params = case

    def convolve(x, w):
        return conv_general_dilated(x, w, **params)

    with xform.config.scoped(enable_x64=True):
        y, pull = xform.vjp(xform.jit(convolve), *arrays)
        ct = draw(*y.shape)
        tangents = [draw(*x.shape) for x in arrays]
        pulled = xform.jit(pull)(ct)
        for k, (t, p) in enumerate(zip(tangents, pulled, strict=True)):
            moved = list(arrays)
            moved[k] = t
            left = np.sum(ct * np.asarray(convolve(*moved)))
            assert abs(left - np.sum(np.asarray(p) * t)) <= 1e-12 * (1 + np.abs(ct).sum() * 100)


# Sizes at which tiles, their remains, blocks of the sums and copies of panels all occur.
LARGE = {
    "tiles and remains": ((3, 30, 31, 20), (3, 3, 20, 70), NHWC, (1, 1), "SAME", 1),
    "strides": ((2, 40, 41, 3), (7, 7, 3, 40), NHWC, (2, 2), "SAME", 1),
    "strides, many features": ((2, 12, 14, 24), (3, 3, 24, 40), NHWC, (2, 2), "SAME", 1),
    "depthwise strides": ((2, 12, 14, 24), (3, 3, 1, 24), NHWC, (2, 2), "SAME", 24),
    "single elements": ((4, 28, 28, 64), (1, 1, 64, 96), NHWC, (1, 1), "VALID", 1),
    "channels first": ((2, 48, 14, 15), (70, 48, 3, 3), None, (1, 1), "SAME", 1),
    "single elements, channels first": ((2, 48, 14, 15), (70, 48, 1, 1), None, (1, 1), "SAME", 1),
    "many terms": ((2, 6, 7, 600), (3, 3, 600, 33), NHWC, (1, 1), "SAME", 1),
    "depthwise": ((2, 20, 21, 70), (3, 3, 1, 70), NHWC, (1, 1), "SAME", 70),
    "depthwise, two outputs": ((2, 20, 21, 35), (3, 3, 1, 70), NHWC, (2, 1), "SAME", 35),
    "few outputs": ((2, 20, 21, 35), (3, 3, 35, 2), NHWC, (1, 1), "SAME", 1),
    "few terms, many outputs": ((2, 70, 1), (9, 1, 1000), ("NHC", "HIO", "NHC"), (1,), "SAME", 1),
    "few outputs of many features": ((2, 20, 21, 48), (3, 3, 48, 2), NHWC, (1, 1), "SAME", 1),
    "groups": ((2, 12, 13, 64), (3, 3, 16, 72), NHWC, (1, 1), "SAME", 4),
}


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32"])
@pytest.mark.parametrize("name", LARGE)
def test_compiled_code_agrees_with_the_reference(name, dtype):
    lhs, rhs, numbers, strides, padding, groups = LARGE[name]
    x, w = (np.asarray(4 * draw(*shape)).astype(dtype) for shape in (lhs, rhs))

    def convolve(x, w):
        return conv_general_dilated(
            x, w, strides, padding, dimension_numbers=numbers, feature_group_count=groups
        )

    with xform.config.scoped(enable_x64=True):
        wanted = convolve(x, w)
        got = xform.jit(convolve)(x, w)
        if dtype == "int32":
            np.testing.assert_array_equal(got, wanted)
            return
        close(got, np.asarray(wanted), dtype)
        ct = np.asarray(draw(*wanted.shape)).astype(dtype)

        def pulled(x, w, ct):
            return xform.vjp(convolve, x, w)[1](ct)

        for a, b in zip(xform.jit(pulled)(x, w, ct), pulled(x, w, ct), strict=True):
            close(a, np.asarray(b), dtype)


def test_long_sums_are_added_up_in_parts():
    # One sum of 400,000 terms in float32 would be off by a hundred times more.
    x = np.full((2000, 200, 4), 0.1, np.float32)
    w = np.full((1, 4, 20), 1.0, np.float32)

    def total(w):
        return xnp.sum(
            conv_general_dilated(x, w, (1,), "VALID", dimension_numbers=("NHC", "HIO", "NHC"))
        )

    got = xform.jit(xform.grad(total))(w)
    np.testing.assert_allclose(got, np.full(w.shape, 40_000 * 1.0), rtol=2e-5)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_short_floats_are_added_up_in_float32(dtype):
    kind = xnp.zeros((), dtype).dtype
    x, w = (draw(*shape).astype(kind) for shape in ((1, 600, 3), (8, 600, 3)))
    wanted = by_definition(
        x.astype("float64"),
        w.astype("float64"),
        (1,),
        ((1, 1),),
        (1,),
        (1,),
        ConvDimensionNumbers(*[(0, 1, 2)] * 3),
        (1, 1),
    )
    for run in (lambda f: f, xform.jit):
        got = run(lambda x, w: conv_general_dilated(x, w, (1,), [(1, 1)]))(x, w)
        assert got.dtype == kind
        close(np.asarray(got).astype("float64"), wanted, kind, terms=1)


def test_complex_numbers():
    x = draw(2, 3, 6) + 1j * draw(2, 3, 6)
    w = draw(4, 3, 3) + 1j * draw(4, 3, 3)
    numbers = ConvDimensionNumbers(*[(0, 1, 2)] * 3)
    wanted = by_definition(x, w, (2,), ((1, 0),), (1,), (1,), numbers, (1, 1))
    with xform.config.scoped(enable_x64=True):
        for run in (lambda f: f, xform.jit):
            got = run(lambda x, w: conv_general_dilated(x, w, (2,), [(1, 0)]))(x, w)
            close(got, wanted, np.float64)


def test_second_derivatives():
    x, w = draw(1, 2, 5, 4), draw(3, 2, 2, 3)

    def energy(x, w):
        y = conv_general_dilated(x, w, (2, 1), [(1, 0), (1, 1)], (1, 2), (2, 1))
        return xnp.sum(xnp.sin(y) * y)

    with xform.config.scoped(enable_x64=True):
        gradient = xform.grad(energy, (0, 1))
        tangents = draw(*x.shape), draw(*w.shape)
        step = 1e-5
        ahead, behind = (gradient(x + s * tangents[0], w + s * tangents[1]) for s in (step, -step))
        for run in (lambda f: f, xform.jit):
            _, moved = run(lambda *p: xform.jvp(gradient, p, tangents))(x, w)
            for m, a, b in zip(moved, ahead, behind, strict=True):
                wanted = (np.asarray(a) - np.asarray(b)) / (2 * step)
                np.testing.assert_allclose(m, wanted, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("in_axes", [(0, None), (None, 1), (2, 0), (4, 4)])
@pytest.mark.parametrize("groups", [(1, 1), (2, 1), (1, 2)])
@pytest.mark.parametrize("size", [0, 1, 3])
def test_vmap_is_a_loop(in_axes, groups, size):
    shapes = [(4, 4 if groups[0] > 1 else 2, 5, 3), (6, 2, 3, 2)]
    given = [
        draw(*(shape if d is None else (*shape[:d], size, *shape[d:])))
        for shape, d in zip(shapes, in_axes, strict=True)
    ]

    def convolve(x, w):
        return conv_general_dilated(
            x, w, (1, 2), "SAME", feature_group_count=groups[0], batch_group_count=groups[1]
        )

    with xform.config.scoped(enable_x64=True):
        got = xform.jit(xform.vmap(convolve, in_axes))(*given)
        assert got.shape[0] == size
        for k in range(size):
            item = [
                x if d is None else np.take(x, k, d) for x, d in zip(given, in_axes, strict=True)
            ]
            close(got[k], np.asarray(convolve(*item)), np.float64)


def test_derivatives_of_high_order_along_a_curve():
    x, w, dx, dw = draw(1, 2, 6), draw(3, 2, 3), draw(1, 2, 6), draw(3, 2, 3)

    def convolve(x, w):
        return conv_general_dilated(x, w, (2,), "SAME")

    with xform.config.scoped(enable_x64=True):
        zero = [np.zeros_like(x), np.zeros_like(w)]
        y, (first, second) = jet(convolve, (x, w), ([dx, zero[0]], [dw, zero[1]]))
        close(y, np.asarray(convolve(x, w)), np.float64)
        close(first, np.asarray(convolve(dx, w)) + np.asarray(convolve(x, dw)), np.float64)
        close(second, 2 * np.asarray(convolve(dx, dw)), np.float64)


def test_a_checkpoint_keeps_convolutions_with_products():
    x, w = np.ones((1, 2, 6), np.float32), np.ones((2, 2, 3), np.float32)

    def network(w):
        return xnp.sum(xnp.sin(conv_general_dilated(xnp.sin(x * w[0, 0, 0]), w, (1,), "SAME")))

    def convolutions(policy):
        f = xform.checkpoint(network, policy=policy)
        return str(xform.make_jaxpr(xform.value_and_grad(f))(w)).count("conv_general_dilated")

    policies = xform.checkpoint_policies
    again = convolutions(policies.nothing_saveable)
    assert convolutions(policies.dots_saveable) == again - 1


def test_what_feeds_a_convolution_and_what_follows_compile_with_it():
    x, w, b = (draw(*s).astype("float32") for s in ((2, 9, 8, 3), (3, 3, 3, 20), (20,)))

    def layer(x, w, b):
        y = conv_general_dilated(xnp.tanh(x), w, (1, 1), "SAME", dimension_numbers=NHWC)
        return xnp.maximum(y + b, 0)

    wanted = np.maximum(
        np.asarray(conv_general_dilated(np.tanh(x), w, (1, 1), "SAME", dimension_numbers=NHWC)) + b,
        0,
    )
    close(xform.jit(layer)(x, w, b), wanted, np.float32)


def test_inside_loops_and_branches():
    x, w = draw(1, 2, 8).astype("float32"), draw(2, 2, 3).astype("float32") / 4

    def smooth(x):
        return conv_general_dilated(x, w, (1,), "SAME")

    def run(x, n):
        x = lax.fori_loop(0, 5, lambda i, x: smooth(x), x)
        return lax.cond(n > 0, smooth, lambda x: x, x)

    wanted = x
    for _ in range(6):
        wanted = np.asarray(smooth(wanted))
    close(xform.jit(run)(x, 1), wanted, np.float32)


@pytest.mark.parametrize(
    ("padding", "wanted"),
    [("SAME", (3, 3)), ("same_lower", (3, 3)), ("VALID", (2, 2)), ([(0, 0), (2, 1)], (2, 5))],
)
def test_sizes_of_paddings(padding, wanted):
    x, w = np.ones((1, 1, 6, 3), np.float32), np.ones((1, 1, 3, 2), np.float32)
    y = conv_general_dilated(x, w, (2, 1), padding)
    assert y.shape == (1, 1, *wanted)


@pytest.mark.parametrize(
    ("lhs", "rhs", "change", "error", "message"),
    [
        ((1, 3, 5), (4, 2, 3), {}, errors.ShapeError, "input features"),
        ((1, 3, 5), (4, 3, 3, 3), {}, errors.ShapeError, "equally many dimensions"),
        ((1, 3, 5), (4, 3, 0), {}, errors.ShapeError, "spatial sizes >= 1"),
        ((1, 3, 5), (4, 3, 3), {"padding": [(-4, -4)]}, errors.ShapeError, "leaves spatial"),
        ((1, 3, 5), (4, 3, 3), {"padding": [(1, 1)] * 2}, errors.ArgumentError, "1 pairs"),
        ((1, 3, 5), (4, 3, 3), {"padding": [1]}, errors.ArgumentError, "pairs"),
        ((1, 3, 5), (4, 3, 3), {"padding": "FULL"}, errors.ArgumentError, "'SAME'"),
        ((1, 3, 5), (4, 3, 3), {"window_strides": (0,)}, errors.ArgumentError, "window_strides"),
        (
            (1, 3, 5),
            (4, 3, 3),
            {"window_strides": (0,), "padding": [(1, 1)]},
            errors.ArgumentError,
            "window_strides",
        ),
        ((1, 3, 5), (4, 3, 3), {"window_strides": (1, 1)}, errors.ArgumentError, "strides"),
        ((1, 3, 5), (4, 3, 3), {"rhs_dilation": (0,)}, errors.ArgumentError, "rhs_dilation"),
        ((1, 3, 5), (4, 3, 3), {"lhs_dilation": (2,)}, errors.ArgumentError, "lhs_dilation"),
        ((1, 4, 5), (3, 2, 3), {"feature_group_count": 2}, errors.ShapeError, "equal groups"),
        ((3, 4, 5), (4, 4, 3), {"batch_group_count": 2}, errors.ShapeError, "batch in equal"),
        ((2, 4, 5), (4, 4, 3), {"batch_group_count": 0}, errors.ArgumentError, "group counts"),
        (
            (2, 4, 5),
            (4, 2, 3),
            {"batch_group_count": 2, "feature_group_count": 2},
            errors.ArgumentError,
            "group counts",
        ),
        (
            (1, 3, 5),
            (4, 3, 3),
            {"dimension_numbers": ("NCH", "OIH")},
            errors.ArgumentError,
            "output",
        ),
        (
            (1, 3, 5),
            (4, 3, 3),
            {"dimension_numbers": ("NCH", "OIX", "NCH")},
            errors.ArgumentError,
            "letters",
        ),
        (
            (1, 3, 5),
            (4, 3, 3),
            {"dimension_numbers": ((0, 1, 1), (0, 1, 2), (0, 1, 2))},
            errors.AxisError,
            "permutation",
        ),
    ],
)
def test_what_does_not_fit_is_refused(lhs, rhs, change, error, message):
    params = {"window_strides": (1,), "padding": "SAME", **change}
    with pytest.raises(error, match=message):
        conv_general_dilated(np.ones(lhs, np.float32), np.ones(rhs, np.float32), **params)


def test_dtypes_must_agree():
    with pytest.raises(errors.DtypeError, match="equal dtypes"):
        lax.conv(np.ones((1, 1, 3), np.float32), np.ones((1, 1, 3), np.int32), (1,), "SAME")


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("outputs", [2, 24])
def test_a_number_that_is_not_finite_reaches_its_windows_only(value, outputs):
    x, w = np.ones((1, 9, 9, 16), np.float32), np.ones((3, 3, 16, outputs), np.float32)
    x[0, 4, 5, 3] = value

    def up(x, w):
        return lax.conv_transpose(x, w, (2, 2), "SAME")

    wanted = np.asarray(up(x, w))
    assert np.isfinite(wanted).sum() == (18 * 18 - 3 * 3) * outputs
    np.testing.assert_array_equal(xform.jit(up)(x, w), wanted)


def test_a_transposed_convolution_is_the_transpose():
    x, w = draw(2, 6, 3), draw(3, 3, 4)
    numbers = ("NHC", "HIO", "NHC")
    with xform.config.scoped(enable_x64=True):
        y, pull = xform.vjp(
            lambda x: conv_general_dilated(x, w, (2,), "SAME", dimension_numbers=numbers), x
        )
        ct = draw(*y.shape)
        up = lax.conv_transpose(ct, w, (2,), "SAME", transpose_kernel=True)
        close(up, np.asarray(pull(ct)[0]), np.float64)


def test_patches_times_a_kernel_are_the_convolution():
    x, w = draw(2, 3, 6, 5), draw(4, 3, 3, 2)
    with xform.config.scoped(enable_x64=True):
        patches = lax.conv_general_dilated_patches(x, (3, 2), (1, 2), "SAME")
        got = np.einsum("nphw,op->nohw", np.asarray(patches), w.reshape(4, -1))
        close(got, np.asarray(lax.conv(x, w, (1, 2), "SAME")), np.float64)


def test_equal_kernels_at_every_place_are_one_convolution():
    x, w = draw(2, 3, 6, 5), draw(4, 3, 3, 2)
    with xform.config.scoped(enable_x64=True):
        everywhere = np.broadcast_to(w.reshape(4, 18, 1, 1), (4, 18, 6, 5))
        got = lax.conv_general_dilated_local(x, everywhere, (1, 1), "SAME", (3, 2))
        close(got, np.asarray(lax.conv(x, w, (1, 1), "SAME")), np.float64)
