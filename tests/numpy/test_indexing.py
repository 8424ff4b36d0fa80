"""`x[...]` and `x.at[...]` against NumPy, eagerly, staged, compiled and differentiated."""

import numpy as np
import pytest

import xform
import xform.numpy as xnp
from xform.errors import (
    ArgumentError,
    IndexOutOfBoundsError,
    MutationError,
    NonConcreteBooleanIndexError,
)

X = np.arange(60, dtype=np.float32).reshape(3, 4, 5)
MASK = X[:, :, 0] > 12

KEYS = {
    "int": 1,
    "negative int": -1,
    "slice": np.s_[1:],
    "reversed": np.s_[::-1],
    "strided": np.s_[::2, ::-3],
    "negative stride": np.s_[:, 3:0:-2],
    "empty slice": np.s_[2:1],
    "slice beyond": np.s_[1:99],
    "new axis": np.s_[None],
    "ellipsis": np.s_[...],
    "ellipsis int": np.s_[..., 1],
    "int ellipsis": np.s_[1, ..., 2],
    "new axes": np.s_[None, 1, None, :, None],
    "all ints": np.s_[1, 2, 3],
    "array": np.array([0, 2]),
    "negative array": np.array([-1, 0, -3]),
    "two arrays": (np.array([0, 2]), np.array([1, 1])),
    "matrix": np.array([[0, 2], [1, 1]]),
    "slice array": np.s_[:, np.array([0, 2])],
    "array slice": np.s_[np.array([0, 2]), ::-1],
    "array slice array": np.s_[np.array([0, 2]), 1:3, np.array([1, 4])],
    "int array": np.s_[1, np.array([0, 2])],
    "int slice array": np.s_[1, :, np.array([0, 2])],
    "array new int": np.s_[np.array([0, 2]), None, 1],
    "new array new": np.s_[None, np.array([0, 2]), None],
    "slice array array": np.s_[1:, np.array([0, 2]), np.array([3, 3])],
    "strided array": np.s_[::2, np.array([0, 2]), ::2],
    "outer": (np.array([0, 1])[:, None], np.array([0, 1, 3])),
    "array ellipsis array": np.s_[np.array([0, 1]), ..., np.array([2, 3])],
    "empty array": np.zeros(0, int),
    "small dtype": np.array([-1, 2], np.int8),
    "unsigned": np.array([0, 2], np.uint8),
    "mask": MASK,
    "full mask": X % 2 == 0,
    "mask slice": np.s_[MASK, 1:3],
    "slice mask": np.s_[:, np.array([True, False, True, True])],
    "mask of one axis": np.array([True, False, True]),
    "new mask": np.s_[None, MASK],
}


@pytest.fixture(params=KEYS, ids=str)
def key(request):
    return KEYS[request.param]


def test_getitem(key):
    x = xnp.asarray(X)
    np.testing.assert_array_equal(x[key], X[key])
    np.testing.assert_array_equal(xform.jit(lambda x: x[key])(x), X[key])


def _values(key):
    return np.random.default_rng(1).normal(size=X[key].shape).astype(np.float32)


def test_set(key):
    values = _values(key)
    expected = X.copy()
    expected[key] = values
    x = xnp.asarray(X)
    np.testing.assert_array_equal(x.at[key].set(values), expected)
    np.testing.assert_array_equal(xform.jit(lambda x, v: x.at[key].set(v))(x + 0, values), expected)
    np.testing.assert_array_equal(x, X)


def test_set_number(key):
    expected = X.copy()
    expected[key] = 7
    np.testing.assert_array_equal(xnp.asarray(X).at[key].set(7), expected)


@pytest.mark.parametrize(
    ("method", "ufunc"),
    [
        ("add", np.add),
        ("subtract", np.subtract),
        ("multiply", np.multiply),
        ("min", np.minimum),
        ("max", np.maximum),
    ],
)
def test_combine(key, method, ufunc):
    values = _values(key) * 30
    expected = X.copy()
    ufunc.at(expected, key, values)
    got = getattr(xnp.asarray(X).at[key], method)(values)
    np.testing.assert_allclose(got, expected, rtol=1e-6)


def test_divide_power_apply(key):
    x = xnp.asarray(X) + 1
    expected = X + 1
    np.divide.at(expected, key, np.float32(2))
    np.testing.assert_allclose(x.at[key].divide(2.0), expected, rtol=2e-6)
    expected = X + 1
    np.power.at(expected, key, np.float32(2))
    np.testing.assert_allclose(x.at[key].power(2), expected, rtol=2e-6)
    expected = X + 1
    expected[key] = np.sqrt(expected[key])
    np.testing.assert_allclose(x.at[key].apply(xnp.sqrt), expected, rtol=2e-6)


def test_gradient_of_getitem(key):
    weights = _values(key)
    got = xform.grad(lambda x: xnp.sum(x[key] * weights))(xnp.asarray(X))
    expected = np.zeros_like(X)
    np.add.at(expected, key, weights)
    np.testing.assert_allclose(got, expected, rtol=1e-6)


def test_batched(key):
    x = np.stack([X, X + 1])
    got = xform.vmap(lambda x: x[key])(xnp.asarray(x))
    np.testing.assert_array_equal(got, np.stack([X[key], (X + 1)[key]]))
    got = xform.vmap(lambda x: x.at[key].add(1))(xnp.asarray(x))
    expected = np.stack([X, X + 1])
    for part in expected:
        np.add.at(part, key, 1)
    np.testing.assert_array_equal(got, expected)


def test_traced_index_wraps_and_clamps():
    x = xnp.arange(5) * 10
    read = xform.jit(lambda x, i: x[i])
    assert [int(read(x, i)) for i in (0, 4, -1, 9, -9)] == [0, 40, 40, 40, 0]
    many = xform.jit(lambda x, i: x[i])(x, xnp.asarray([0, -1, 9]))
    np.testing.assert_array_equal(many, [0, 40, 40])


def test_traced_write_drops():
    x = xnp.zeros(3)
    write = xform.jit(lambda x, i: x.at[i].set(1.0))
    np.testing.assert_array_equal(write(x, xnp.asarray([0, 7])), [1, 0, 0])
    np.testing.assert_array_equal(write(x, -1), [0, 0, 1])


@pytest.mark.parametrize(("mode", "expected"), [("clip", [10, 0, 20]), ("fill", [10, -1, -1])])
def test_get_modes(mode, expected):
    x = xnp.arange(3) * 10
    index = xnp.asarray([1, -7, 7])
    np.testing.assert_array_equal(x.at[index].get(mode=mode, fill_value=-1), expected)


def test_set_modes():
    x = xnp.zeros(3)
    index = xnp.asarray([0, 7])
    np.testing.assert_array_equal(x.at[index].set(1.0, mode="drop"), [1, 0, 0])
    np.testing.assert_array_equal(x.at[index].set(1.0, mode="clip"), [1, 0, 1])
    np.testing.assert_array_equal(x.at[7].set(1.0, mode="drop"), [0, 0, 0])
    np.testing.assert_array_equal(x.at[7].get(mode="fill", fill_value=5), 5)


@pytest.mark.parametrize("index", [3, -4, np.array([0, 3]), (0, 4), (0, 0, 0, 0)])
def test_known_index_outside_raises(index):
    x = xnp.asarray(X)
    with pytest.raises(IndexOutOfBoundsError):
        x[index]
    with pytest.raises(IndexOutOfBoundsError):
        x.at[index].set(0)


@pytest.mark.parametrize("index", [[0, 1], 1.5, "a", np.array([0.5]), True])
def test_what_is_no_index_raises(index):
    with pytest.raises(ArgumentError):
        xnp.asarray(X)[index]


def test_traced_mask_raises():
    with pytest.raises(NonConcreteBooleanIndexError, match=r"xnp\.where"):
        xform.jit(lambda x: x[x > 0])(xnp.asarray(X))


def test_assignment_shows_what_to_write():
    x = xnp.zeros((3, 3))
    with pytest.raises(MutationError, match=r"x\.at\[1, :\]\.set"):
        x[1, :] = 0


def test_in_place_operator_rebinds():
    x = y = xnp.zeros(2)
    x += 1
    np.testing.assert_array_equal(x, [1, 1])
    np.testing.assert_array_equal(y, [0, 0])


def test_take_and_put_along_axis():
    rng = np.random.default_rng(0)
    for axis in (0, 1, 2, -1):
        order = np.argsort(rng.normal(size=X.shape), axis)
        x = xnp.asarray(X)
        taken = xnp.take_along_axis(x, order, axis)
        np.testing.assert_array_equal(taken, np.take_along_axis(X, order, axis))
        back = xnp.put_along_axis(xnp.zeros_like(x), order, taken, axis, inplace=False)
        np.testing.assert_array_equal(back, X)


def test_sizes_make_searches_traceable():
    x = xnp.asarray([0, 3, 0, 4, 5])

    @xform.jit
    def search(x):
        return (
            xnp.nonzero(x, size=2)[0],
            xnp.nonzero(x, size=4, fill_value=-1)[0],
            xnp.unique(x, size=5, fill_value=9),
            xnp.unique(x, size=2),
            xnp.bincount(x, length=4),
            xnp.repeat(x, x, total_repeat_length=8),
            xnp.argwhere(x, size=3),
        )

    expected = (
        [1, 3],
        [1, 3, 4, -1],
        [0, 3, 4, 5, 9],
        [0, 3],
        [2, 0, 0, 1],
        [3, 3, 3, 4, 4, 4, 4, 5],
        [[1], [3], [4]],
    )
    for got, wanted in zip(search(x), expected, strict=True):
        np.testing.assert_array_equal(got, wanted)


def test_roll_by_a_traced_shift():
    roll = xform.jit(lambda x, k: xnp.roll(x, k, 1))
    for k in (0, 1, -2, 11):
        np.testing.assert_array_equal(roll(xnp.asarray(X), k), np.roll(X, k, 1))


@pytest.mark.parametrize("mask", [X % 2 == 0, MASK], ids=("full", "leading"))
def test_traced_mask_takes_one_number(mask):
    x = xnp.asarray(X)
    replaced = X.copy()
    replaced[mask] = 0
    np.testing.assert_array_equal(xform.jit(lambda x, m: x.at[m].set(0))(x, mask), replaced)
    doubled = X.copy()
    doubled[mask] *= 2
    np.testing.assert_array_equal(xform.jit(lambda x, m: x.at[m].multiply(2))(x, mask), doubled)
    with pytest.raises(NonConcreteBooleanIndexError):
        xform.jit(lambda x, m: x.at[m].set(xnp.ones(3)))(x, mask)


@pytest.mark.parametrize("dtype", ["uint8", "int8"])
def test_wrapped_indices_of_few_bits(dtype):
    """The size need not fit the dtype of the index."""
    index = np.array([0, -1, 100]).astype(dtype)
    found = xnp.take(np.arange(300), index, mode="wrap")
    np.testing.assert_array_equal(found, index.astype(int) % 300)
