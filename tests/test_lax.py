"""xform.lax: JAX's names and arguments, strict about shapes and dtypes, easy about numbers."""

from __future__ import annotations

import inspect
import json
import pathlib

import numpy as np
import pytest

import xform
from xform import errors, lax, random

SIGNATURES = json.loads(
    (pathlib.Path(__file__).parent / "data" / "signatures_lax_random.json").read_text()
)
MODULES = {"lax": lax, "random": random}

# Arguments about the placement of arrays on several devices.
LEFT_OUT = {"out_sharding", "sharding"}


@pytest.mark.parametrize(
    "module, name", [(m, n) for m, functions in SIGNATURES.items() for n in functions]
)
def test_arguments_are_jaxs(module, name):
    function = getattr(MODULES[module], name)
    own = [(p.name, p.kind.name) for p in inspect.signature(function).parameters.values()]
    assert own == [tuple(p) for p in SIGNATURES[module][name] if p[0] not in LEFT_OUT]


@pytest.mark.parametrize("name", lax.__all__)
def test_every_function_says_what_it_does(name):
    value = getattr(lax, name)
    assert value.__doc__
    assert ">>>" in value.__doc__ or inspect.isclass(value)


def test_names_that_come_later_say_so():
    with pytest.raises(AttributeError, match="not available yet"):
        lax.pcast  # noqa: B018
    with pytest.raises(AttributeError, match="no attribute"):
        lax.nonsense  # noqa: B018
    assert not hasattr(lax, "igamma")


# Numbers follow arrays


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64", "complex64"])
def test_numbers_take_the_dtype_and_shape_of_the_array(dtype):
    x = lax.full((2, 3), 2, dtype)
    for out in (lax.mul(x, 3), lax.mul(3, x), lax.mul(x, 3.0)):
        assert out.dtype == dtype
        assert out.shape == (2, 3)
        assert not out.weak_type
        np.testing.assert_array_equal(np.asarray(out).astype("complex64"), 6)


def test_numbers_alone_stay_weak():
    assert lax.add(1, 2).weak_type
    assert lax.add(1, 2.5).dtype == np.float32


def test_scalar_arrays_spread_too():
    out = lax.add(np.ones(3, np.float32), np.float32(2))
    np.testing.assert_array_equal(np.asarray(out), [3, 3, 3])


@pytest.mark.parametrize(
    "call, error",
    [
        (lambda: lax.add(np.ones(3, np.float32), np.ones(3, np.int32)), errors.DtypeError),
        (lambda: lax.add(np.ones(3, np.int32), 1.5), errors.DtypeError),
        (lambda: lax.add(np.ones(3, np.float32), np.ones(4, np.float32)), errors.ShapeError),
        (lambda: lax.add(np.ones((1, 3), np.float32), np.ones(3, np.float32)), errors.ShapeError),
        (lambda: lax.add([1, 2], 1), errors.ArgumentError),
        (lambda: lax.sin(np.ones(3, np.int32)), errors.DtypeError),
        (lambda: lax.exp(1.0, accuracy="high"), errors.ArgumentError),
        (lambda: lax.reshape(np.ones(6), (4,)), errors.ShapeError),
        (lambda: lax.reshape(np.ones(6), (-1, -1)), errors.ShapeError),
        (lambda: lax.squeeze(np.ones((2, 1)), (0,)), errors.ShapeError),
        (lambda: lax.expand_dims(np.ones(2), (0, 0)), errors.ArgumentError),
        (lambda: lax.transpose(np.ones((2, 3)), (0, 0)), errors.AxisError),
        (lambda: lax.collapse(np.ones((2, 3)), 1, 1), errors.ArgumentError),
        (lambda: lax.concatenate([], 0), errors.ArgumentError),
        (lambda: lax.split(np.ones(3), (1, 1)), errors.ShapeError),
        (lambda: lax.tile(np.ones(3), (1, 1)), errors.ArgumentError),
        (lambda: lax.pad(np.ones(3, np.float32), 0, [(1, 1)]), errors.ArgumentError),
        (lambda: lax.full((2,), np.ones(2)), errors.ShapeError),
        (lambda: lax.index_in_dim(np.ones(3), 3), errors.IndexOutOfBoundsError),
        (lambda: lax.slice(np.ones(3), (2,), (5,)), errors.ArgumentError),
        (lambda: lax.dynamic_slice(np.ones(3), (0, 0), (1,)), errors.ArgumentError),
        (lambda: lax.reduce_sum(np.ones(3), (1,)), errors.AxisError),
        (lambda: lax.cumsum(np.ones(3), 1), errors.AxisError),
        (lambda: lax.sort([]), errors.ArgumentError),
        (lambda: lax.top_k(np.ones(3), 4), errors.ArgumentError),
        (lambda: lax.dot(np.ones(3, np.float32), np.ones(4, np.float32)), errors.ShapeError),
        (lambda: lax.dot(np.float32(1), np.ones(4, np.float32)), errors.ShapeError),
        (lambda: lax.batch_matmul(np.ones(3), np.ones(3)), errors.ShapeError),
        (lambda: lax.dot(np.ones(3), np.ones(3), precision="best"), errors.ArgumentError),
        (lambda: lax.round(1.5, 7), ValueError),
    ],
)
@pytest.mark.filterwarnings("ignore::xform.errors.NarrowingWarning")
def test_bad_arguments_are_refused(call, error):
    with pytest.raises(error):
        call()


# Functions made of several operators, against NumPy


def same(got, wanted):
    np.testing.assert_array_equal(np.asarray(got), wanted)


X = np.arange(24, dtype=np.float32).reshape(2, 3, 4)


def test_shapes():
    same(lax.broadcast(X, (5,)), np.broadcast_to(X, (5, 2, 3, 4)))
    same(lax.broadcast_to_rank(X, 5), X[None, None])
    same(lax.reshape(X, (4, -1), (2, 0, 1)), X.transpose(2, 0, 1).reshape(4, 6))
    same(lax.collapse(X, 0, 2), X.reshape(6, 4))
    same(lax.collapse(X, -2), X.reshape(2, 12))
    same(lax.expand_dims(X, (0, -1)), X[None, ..., None])
    same(lax.tile(X, (2, 1, 3)), np.tile(X, (2, 1, 3)))
    same(lax.stack([X, X], -1), np.stack([X, X], -1))
    same(lax.rev(X, (0, -1)), X[::-1, :, ::-1])
    for got, wanted in zip(lax.split(X, (1, 3), 2), np.split(X, [1], 2), strict=True):
        same(got, wanted)
    for got, wanted in zip(lax.unstack(X, 1), np.moveaxis(X, 1, 0), strict=True):
        same(got, wanted)


def test_slices():
    same(lax.slice(X, (0, 1, 0), (2, 3, 4), (1, 1, 3)), X[:, 1:3, ::3])
    same(lax.slice_in_dim(X, -2, None, axis=2), X[..., -2:])
    same(lax.slice_in_dim(X, 3, 1, axis=2), X[..., 3:1])
    same(lax.index_in_dim(X, -1, 1), X[:, -1:])
    same(lax.dynamic_slice(X, (1, -1, np.int32(9)), (1, 1, 2)), X[1:, -1:, 2:])
    same(lax.dynamic_slice(X, np.array([1, 0, 1]), (1, 2, 2)), X[1:, :2, 1:3])
    same(lax.dynamic_slice(X, (-1, 0, 0), (1, 3, 4), allow_negative_indices=False), X[:1])
    same(lax.dynamic_index_in_dim(X, 2, 1, keepdims=False), X[:, 2])
    same(lax.index_take(X, (np.array([1, 0]), np.array([2, 2])), (0, 1)), X[[1, 0], [2, 2]])
    wanted = X.copy()
    wanted[:, 1] = 5
    same(lax.dynamic_update_index_in_dim(X, np.full((2, 4), 5, np.float32), 1, 1), wanted)
    same(lax.dynamic_update_slice(X, np.full((2, 1, 4), 5, np.float32), (0, 1, 0)), wanted)


def test_traced_starts():
    f = xform.vmap(lambda start: lax.dynamic_slice_in_dim(X, start, 2, 2))
    same(f(np.array([0, -1, 7])), np.stack([X[..., :2], X[..., 2:], X[..., 2:]]))
    g = xform.vmap(lambda k: lax.dynamic_update_index_in_dim(X[0, 0], -1, k, 0))
    same(g(np.arange(4)), np.where(np.eye(4, dtype=bool), -1, X[0, 0]))


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("k", [0, 1, 3])
def test_top_k_takes_the_first_of_equals(axis, k):
    x = np.array([[3, 1, 3, 2], [2, 2, 9, 2], [3, 0, 1, 2]], np.int32)
    order = np.argsort(-x, axis=axis, kind="stable").take(range(k), axis=axis)
    values, places = lax.top_k(x, k, axis=axis)
    same(places, order)
    same(values, np.take_along_axis(x, order, axis))


def test_sort_of_several_arrays():
    keys, values = np.int32([[3, 1, 2], [1, 1, 0]]), np.arange(6, dtype=np.int32).reshape(2, 3)
    got_keys, got_values = lax.sort_key_val(keys, values)
    same(got_keys, [[1, 2, 3], [0, 1, 1]])
    same(got_values, [[1, 2, 0], [5, 3, 4]])
    same(lax.sort((keys, values), 0, num_keys=2)[1], [[3, 1, 5], [0, 4, 2]])


def test_products():
    a, b = X[0], X[1]
    same(lax.dot(a, b.T), a @ b.T)
    same(lax.dot(a[0], b.T), a[0] @ b.T)
    same(lax.dot(a, b, dimension_numbers=(((0,), (0,)), ((), ()))), a.T @ b)
    same(lax.batch_matmul(X, X.transpose(0, 2, 1), lax.Precision.HIGHEST), X @ X.transpose(0, 2, 1))
    half = X.astype(np.float16)
    assert lax.dot(half[0], half[1].T, preferred_element_type="float32").dtype == np.float32


def test_powers():
    same(lax.pow(np.float32([2, 3]), np.int32([3, 2])), [8, 9])
    same(lax.pow(np.float32([2, 3]), 2), [4, 9])
    same(lax.pow(np.float32([4, 9]), 0.5), [2, 3])
    same(lax.pow(np.float32([2, 3]), np.int32(-1)), np.float32([2, 3]) ** -1)
    same(lax.reciprocal(np.float32([2, 4])), [0.5, 0.25])


def test_clamp_takes_numbers_and_arrays():
    x = np.float32([-1, 0.5, 9])
    same(lax.clamp(0, x, 1), [0, 0.5, 1])
    same(lax.clamp(np.float32(0), x, np.float32([1, 1, 2])), [0, 0.5, 2])
    with pytest.raises(errors.XformError):
        lax.clamp(0, np.int32([1, 2]), 1.5)


def test_selection():
    same(lax.select(np.array([True, False]), np.int32([1, 2]), 0), [1, 0])
    same(lax.select_n(np.int32([2, 0, 1]), *np.eye(3, dtype=np.float32)), [0, 0, 0])


def test_dtypes_asked_for_by_pythons_types():
    assert lax.convert_element_type(np.int32(1), float).dtype == np.float32
    assert lax.convert_element_type(np.int32(1), np.float64).dtype == np.float64
    with xform.config.scoped(enable_x64=True):
        assert lax.convert_element_type(np.int32(1), float).dtype == np.float64


def test_stop_gradient_of_a_pytree():
    def f(x):
        kept = lax.stop_gradient({"a": x, "n": 3})
        return x * kept["a"] * kept["n"]

    assert float(xform.grad(f)(2.0)) == 6.0


EXTREMES = np.array([0.0, -0.0, np.nan, -np.nan, np.inf, -np.inf, 1.5, -1.5, 1e-40], np.float32)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16", "int8", "uint32"])
@pytest.mark.parametrize("size", [1, 9, 3000])
def test_sorting_is_stable_for_all_values(dtype, size):
    """Zeros of both signs are equal, and so are all NaNs, which come last."""
    rng = np.random.default_rng(size)
    drawn = rng.choice(EXTREMES, size) if "float" in dtype else rng.integers(0, 99, size)
    x = drawn.astype(dtype)
    numbers = x.astype(np.float64)
    nan = np.isnan(numbers)
    rising = sorted(range(size), key=lambda k: (nan[k], 0 if nan[k] else numbers[k]))
    falling = sorted(range(size), key=lambda k: (not nan[k], 0 if nan[k] else -numbers[k]))
    with xform.enable_x64():
        _, order = lax.sort((x, np.arange(size)))
        np.testing.assert_array_equal(order, rising)
        found = np.asarray(lax.sort(x))
        finite = ~nan[rising]
        assert found[finite].tobytes() == x[rising][finite].tobytes()
        assert np.isnan(found[~finite].astype(np.float64)).all()
        values, order = lax.top_k(x, min(size, 7))
        np.testing.assert_array_equal(order, falling[:7])
        assert np.asarray(values).tobytes() == x[falling[:7]].tobytes()
