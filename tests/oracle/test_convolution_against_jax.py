"""Convolutions and their derivatives against JAX, where JAX is installed."""

import numpy as np
import pytest

import xform
import xform.lax
import xform.numpy

jax = pytest.importorskip("jax", reason="compares with JAX, which is not installed")

RNG = np.random.default_rng(0)
NHWC = ("NHWC", "HWIO", "NHWC")


@pytest.fixture(autouse=True)
def double_precision():
    with xform.config.scoped(enable_x64=True), jax.enable_x64(True):
        yield


def draw(*shape):
    return RNG.normal(size=shape)


# Shapes of the operands, strides, padding, and other arguments.
CASES = {
    "names": ((2, 3, 7, 6), (4, 3, 3, 2), (1, 1), "SAME", {}),
    "lower": ((2, 3, 7, 6), (4, 3, 4, 2), (2, 3), "SAME_LOWER", {}),
    "valid": ((2, 3, 7, 6), (4, 3, 3, 2), (2, 1), "VALID", {}),
    "features last": ((2, 7, 6, 3), (3, 2, 3, 4), (2, 2), "SAME", {"dimension_numbers": NHWC}),
    "kernel's order": (
        (2, 7, 6, 3),
        (3, 2, 3, 4),
        (2, 1),
        [(1, 0), (2, 1)],
        {"dimension_numbers": ("NHWC", "WHIO", "CWHN")},
    ),
    "dilated": ((1, 2, 9, 8), (3, 2, 3, 2), (2, 1), "SAME", {"rhs_dilation": (2, 3)}),
    "spread": (
        (1, 2, 4, 5),
        (3, 2, 3, 2),
        (2, 1),
        [(2, 1), (-1, 3)],
        {"lhs_dilation": (2, 3), "rhs_dilation": (1, 2)},
    ),
    "cut": ((1, 2, 9, 8), (3, 2, 3, 2), (1, 2), [(-2, 1), (-1, -2)], {}),
    "feature groups": ((2, 6, 5, 5), (9, 2, 3, 3), (1, 2), "SAME", {"feature_group_count": 3}),
    "depthwise": (
        (2, 5, 5, 4),
        (3, 3, 1, 8),
        (2, 1),
        "SAME",
        {"feature_group_count": 4, "dimension_numbers": NHWC},
    ),
    "batch groups": ((6, 3, 5, 5), (9, 3, 3, 3), (1, 2), "SAME", {"batch_group_count": 3}),
    "line": ((2, 3, 9), (4, 3, 3), (2,), "SAME", {}),
    "cube": ((1, 2, 4, 3, 5), (3, 2, 2, 3, 2), (1, 2, 1), "SAME", {}),
    "no space": ((2, 3), (4, 3), (), "SAME", {}),
    "window larger than the array": ((1, 1, 3), (1, 1, 5), (1,), "VALID", {}),
    "no features": ((2, 0, 3), (4, 0, 2), (1,), "VALID", {}),
}


@pytest.mark.parametrize("name", CASES)
def test_values_and_both_gradients(name):
    lhs, rhs, strides, padding, rest = CASES[name]
    x, w = draw(*lhs), draw(*rhs)

    def function(lib):
        return lambda x, w: lib.lax.conv_general_dilated(x, w, strides, padding, **rest)

    wanted, pull_wanted = jax.vjp(function(jax), x, w)
    ct = draw(*wanted.shape)
    for run in (lambda f: f, xform.jit):
        got, pull = xform.vjp(run(function(xform)), x, w)
        np.testing.assert_allclose(got, wanted, rtol=1e-12, atol=1e-12)
        for a, b in zip(pull(ct), pull_wanted(ct), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("in_axes", [(0, None), (None, 2), (1, 0), (3, 3)])
@pytest.mark.parametrize("groups", [(1, 1), (2, 1), (1, 2)])
def test_batches(in_axes, groups):
    shapes = [(4, 4 if groups[0] > 1 else 2, 5), (6, 2, 3)]
    given = [
        draw(*(shape if d is None else (*shape[:d], 3, *shape[d:])))
        for shape, d in zip(shapes, in_axes, strict=True)
    ]

    def mapped(lib):
        def function(x, w):
            return lib.lax.conv_general_dilated(
                x, w, (1,), "SAME", feature_group_count=groups[0], batch_group_count=groups[1]
            )

        return lib.vmap(function, in_axes)(*given)

    np.testing.assert_allclose(mapped(xform), mapped(jax), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("padding", ["SAME", "VALID", [(1, 2), (0, 1)]])
@pytest.mark.parametrize("strides", [(1, 1), (2, 3), (4, 1)])
@pytest.mark.parametrize("dilation", [None, (1, 2)])
@pytest.mark.parametrize("options", [{}, {"transpose_kernel": True}])
def test_conv_transpose(padding, strides, dilation, options):
    x, w = draw(1, 4, 5, 2), draw(3, 2, 2, 2)

    def made(lib, **more):
        return lib.lax.conv_transpose(x, w, strides, padding, dilation, **options, **more)

    np.testing.assert_allclose(made(xform), made(jax), rtol=1e-12, atol=1e-12)
    consistent = {"use_consistent_padding": True}
    np.testing.assert_allclose(
        made(xform, **consistent), made(jax, **consistent), rtol=1e-12, atol=1e-12
    )


@pytest.mark.parametrize("rank", [0, 1, 3])
def test_conv_transpose_in_other_ranks(rank):
    space, window = (4, 3, 5)[:rank], (2, 3, 2)[:rank]
    x, w = draw(2, *space, 3), draw(*window, 3, 4)
    strides = (2, 1, 3)[:rank]
    got, wanted = (lib.lax.conv_transpose(x, w, strides, "SAME") for lib in (xform, jax))
    np.testing.assert_allclose(got, wanted, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("numbers", [None, NHWC, ("NHWC", "OIHW", "NCHW")])
def test_patches_and_local(numbers):
    x = draw(2, 3, 5, 4) if numbers is None else draw(2, 5, 4, 3)

    def patches(lib):
        return lib.lax.conv_general_dilated_patches(
            x, (3, 2), (2, 1), "SAME", rhs_dilation=(1, 2), dimension_numbers=numbers
        )

    np.testing.assert_allclose(patches(xform), patches(jax), rtol=1e-12)
    w = draw(3, 4, 18, 6) if numbers == NHWC else draw(6, 18, 3, 4)

    def local(lib):
        return lib.lax.conv_general_dilated_local(
            x, w, (2, 1), "SAME", (3, 2), dimension_numbers=numbers
        )

    np.testing.assert_allclose(local(xform), local(jax), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32", "int8", "complex64"])
@pytest.mark.parametrize("preferred", [None, "wider"])
@pytest.mark.parametrize("compiled", [False, True])
def test_dtypes(dtype, preferred, compiled):
    kind = jax.numpy.zeros((), dtype).dtype
    wide = {"int8": "int32", "complex64": "complex128", "float32": "float64"}.get(dtype, "float32")
    preferred = wide if preferred else None
    x = (4 * draw(2, 3, 6)).astype(kind)
    w = (4 * draw(2, 3, 3)).astype(kind)

    def made(lib):
        def function(x, w):
            return lib.lax.conv_general_dilated(
                x, w, (1,), "SAME", preferred_element_type=preferred
            )

        return lib.jit(function)(x, w) if compiled else function(x, w)

    got, wanted = made(xform), made(jax)
    assert got.dtype == wanted.dtype
    as_wide = "complex128" if dtype == "complex64" else "float64"
    eps = 0.0 if dtype == "int8" else float(jax.numpy.finfo(got.dtype).eps)
    np.testing.assert_allclose(
        np.asarray(got).astype(as_wide),
        np.asarray(wanted).astype(as_wide),
        rtol=8 * eps,
        atol=64 * eps,
    )


@pytest.mark.parametrize(
    "numbers",
    [None, NHWC, ("HNWC", "IWHO", "CNHW"), jax.lax.ConvDimensionNumbers(*[(0, 1, 3, 2)] * 3)],
)
def test_dimension_numbers(numbers):
    shapes = (2, 3, 4, 5), (3, 3, 3, 4)
    got = xform.lax.conv_dimension_numbers(*shapes, numbers)
    assert tuple(got) == tuple(jax.lax.conv_dimension_numbers(*shapes, numbers))


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize("sizes", [(7, 3), (3, 7), (4, 4), (1, 5)])
@pytest.mark.parametrize("name", ["convolve", "correlate"])
def test_vectors(name, sizes, mode):
    a, v = draw(sizes[0]), draw(sizes[1])
    got, wanted = (getattr(lib.numpy, name)(a, v, mode) for lib in (xform, jax))
    np.testing.assert_allclose(got, wanted, rtol=1e-12, atol=1e-12)
