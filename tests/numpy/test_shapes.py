"""Reductions and shape functions over dtypes, axis forms, and lengths 0 and 1."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

import xform
import xform.numpy as xnp
from xform.core import dtypes
from xform.errors import AxisError, ShapeError

DTYPES = ("float32", "int32", "bool", "complex64", "uint8", "float16")
SHAPES = ((), (1,), (0,), (3,), (2, 3), (0, 2), (1, 1), (2, 1, 3), (2, 0, 3))
REDUCTIONS = ("sum", "prod", "any", "all", "mean", "count_nonzero")
NEED_ELEMENTS = ("max", "min", "argmax", "argmin", "ptp", "std", "var", "median")


def _array(shape, dtype, seed=0):
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 4, shape)
    return values.astype(dtype)


def _axes(ndim):
    forms = [None, tuple(range(ndim))]
    for axis in range(ndim):
        forms += [axis, axis - ndim]
    if ndim > 1:
        forms += [(0, -1), (-2,), ()]
    return forms


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions(name, dtype):
    for shape in SHAPES:
        x = _array(shape, dtype)
        for axis in _axes(len(shape)):
            for keepdims in (False, True):
                got = getattr(xnp, name)(xnp.asarray(x), axis, keepdims=keepdims)
                expected = np.asarray(getattr(np, name)(x, axis=axis, keepdims=keepdims))
                assert got.shape == expected.shape
                np.testing.assert_allclose(
                    np.asarray(got), expected, rtol=2e-3 if dtype == "float16" else 1e-5
                )


@pytest.mark.parametrize("name", NEED_ELEMENTS)
def test_reductions_that_need_elements(name):
    function, reference = getattr(xnp, name), getattr(np, name)
    for shape in SHAPES:
        x = _array(shape, "float32")
        for axis in _axes(len(shape)):
            if axis == () or (name.startswith("arg") and isinstance(axis, tuple)):
                continue
            lengths = [shape[d] for d in np.atleast_1d(axis)] if axis is not None else shape
            if 0 in lengths and name not in ("std", "var"):
                with pytest.raises(ShapeError):
                    function(xnp.asarray(x), axis)
                continue
            if 0 in shape:
                assert function(xnp.asarray(x), axis).size == 0 or name in ("std", "var")
                continue
            got = function(xnp.asarray(x), axis)
            np.testing.assert_allclose(np.asarray(got), reference(x, axis=axis), rtol=1e-5)


def test_axes_that_do_not_exist_raise():
    x = xnp.ones((2, 3))
    for axis in (2, -3, (0, 0), (0, -2)):
        with pytest.raises(AxisError):
            xnp.sum(x, axis)
    with pytest.raises(AxisError):
        xnp.transpose(x, (0, 0))
    with pytest.raises(ShapeError):
        xnp.reshape(x, (4, 2))
    with pytest.raises(ShapeError):
        xnp.squeeze(x, 0)
    with pytest.raises(ShapeError):
        xnp.concatenate([x, xnp.ones(3)])


small = st.lists(st.integers(0, 3), max_size=3).map(tuple)


@given(small, st.data())
def test_broadcasting(shape, data):
    """Any two shapes that broadcast add up as in NumPy."""
    other = tuple(data.draw(st.sampled_from((n, 1))) for n in shape)
    other = other[data.draw(st.integers(0, len(other))) :]
    x, y = _array(shape, "float32"), _array(other, "int32", 1)
    np.testing.assert_array_equal(xnp.asarray(x) + y, x + y)
    np.testing.assert_array_equal(y + xnp.asarray(x), x + y)
    assert xnp.broadcast_shapes(shape, other) == np.broadcast_shapes(shape, other)


@given(small, st.data())
def test_slices(shape, data):
    """Any tuple of slices selects and replaces as in NumPy."""
    bound = st.none() | st.integers(-4, 4)
    key = tuple(
        slice(data.draw(bound), data.draw(bound), data.draw(st.sampled_from((None, 1, -1, 2, -2))))
        for _ in shape
    )
    x = _array(shape, "float32")
    np.testing.assert_array_equal(xnp.asarray(x)[key], x[key])
    expected = x.copy()
    expected[key] = 9
    np.testing.assert_array_equal(xnp.asarray(x).at[key].set(9), expected)


LETTERS = "abc"


@given(st.data())
def test_einsum(data):
    """Any product of up to three operands equals NumPy's."""
    sizes = {"a": 2, "b": 3, "c": 1}
    letters = st.lists(st.sampled_from(LETTERS), max_size=3).map("".join)
    terms = data.draw(st.lists(letters, min_size=1, max_size=3))
    known = sorted(set("".join(terms)))
    result = "".join(data.draw(st.permutations(known)))[: data.draw(st.integers(0, 3))]
    arrays = [
        _array(tuple(sizes[k] for k in term), "float32", seed) for seed, term in enumerate(terms)
    ]
    equation = f"{','.join(terms)}->{result}"
    expected = np.einsum(equation, *arrays)
    np.testing.assert_allclose(xnp.einsum(equation, *map(xnp.asarray, arrays)), expected, rtol=1e-5)


@given(st.integers(-10, 10), st.integers(-10, 10), st.sampled_from((-3, -2, -1, 1, 2, 3)))
def test_arange(start, stop, step):
    np.testing.assert_array_equal(xnp.arange(start, stop, step), np.arange(start, stop, step))
    floats = np.arange(start, stop, step / 4)
    np.testing.assert_array_equal(xnp.arange(start, stop, step / 4), floats.astype(np.float32))


GRADIENTS = {
    "sum": lambda x: xnp.sum(x * x),
    "mean": lambda x: xnp.mean(x) * 3,
    "std": xnp.std,
    "max": xnp.max,
    "median": xnp.median,
    "sort": lambda x: xnp.sum(xnp.sort(x, axis=1) * xnp.arange(4)),
    "norm": xnp.linalg.norm,
    "cumsum": lambda x: xnp.sum(xnp.cumsum(x, 1) ** 2),
    "matmul": lambda x: xnp.sum((x @ x.T) ** 2),
    "einsum": lambda x: xnp.einsum("ij,kj,ik->", x, x, x @ x.T),
    "pad": lambda x: xnp.sum(xnp.pad(x, 2, mode="reflect") ** 2),
    "interp": lambda x: xnp.sum(xnp.interp(x, xnp.linspace(-3, 3, 9), xnp.linspace(0, 1, 9) ** 2)),
    "where": lambda x: xnp.sum(xnp.where(x > 0, x, x * x)),
    "roll": lambda x: xnp.sum(xnp.roll(x, 1, 1) * x),
    "hypot": lambda x: xnp.sum(xnp.hypot(x, x + 1)),
    "logaddexp": lambda x: xnp.sum(xnp.logaddexp(x, 2 * x)),
    "quantile": lambda x: xnp.quantile(x, 0.3),
    "take": lambda x: xnp.sum(xnp.take(x, xnp.asarray([0, 2, 2]), axis=1) ** 2),
    "cov": lambda x: xnp.sum(xnp.cov(x) ** 2),
    "sinc": lambda x: xnp.sum(xnp.sinc(x)),
    "trapezoid": lambda x: xnp.sum(xnp.trapezoid(x**2, axis=1)),
}


@pytest.mark.parametrize("name", GRADIENTS)
def test_gradients_equal_differences(name):
    """Reverse-mode gradients against central differences in float64."""
    function = GRADIENTS[name]
    x = np.random.default_rng(3).normal(size=(3, 4))
    with xform.config.scoped(enable_x64=True):
        got = np.asarray(xform.grad(function)(xnp.asarray(x)))
        step = 1e-6
        for index in np.ndindex(x.shape):
            high, low = x.copy(), x.copy()
            high[index] += step
            low[index] -= step
            difference = (
                float(function(xnp.asarray(high))) - float(function(xnp.asarray(low)))
            ) / (2 * step)
            assert got[index] == pytest.approx(difference, rel=2e-6, abs=2e-7)
    assert got.dtype == dtypes.canonicalize(np.dtype("float64")) or got.dtype == np.float64


TIES = {
    "logaddexp": (lambda x: xnp.logaddexp(x, 1.0), 1.0, 0.5),
    "logaddexp of itself": (lambda x: xnp.logaddexp(x, x), np.inf, 2.0),
    "maximum": (lambda x: xnp.maximum(x, 0.0), 0.0, 0.5),
    "clip": (lambda x: xnp.clip(x, 0.0, 1.0), 2.0, 0.0),
    "sinc": (xnp.sinc, 0.0, 0.0),
    "modf": (lambda x: xnp.modf(x)[0], -2.0, 1.0),
    "square of zero": (lambda x: x**2, 0.0, 0.0),
    "nan_to_num": (xnp.nan_to_num, np.nan, 0.0),
    "where": (lambda x: xnp.where(x > 0, x, 0.0), 0.0, 0.0),
    "std": (lambda x: xnp.std(xnp.stack([x, x + 2])), 1.0, 0.0),
}


@pytest.mark.parametrize("name", TIES)
def test_gradients_at_ties(name):
    function, point, slope = TIES[name]
    assert float(xform.grad(function)(np.float32(point))) == slope


def test_cross_of_vectors_in_the_plane():
    # NumPy has them in 3 dimensions only since 2.5, so that it cannot be asked.
    u, v = np.float32([1, 2]), np.float32([3, 5])
    assert float(xnp.cross(u, v)) == 1 * 5 - 2 * 3
    space = xnp.cross(np.float32([[1, 2, 3]]), v[None])
    np.testing.assert_array_equal(space, np.cross(np.float32([[1, 2, 3]]), [[3, 5, 0]]))
