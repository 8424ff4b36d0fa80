"""Random numbers: equal to those of `jax.random`, in every way of running a program."""

from __future__ import annotations

import json
import pathlib

import numpy as np
import pytest
from scipy import stats

import xform
from xform import errors, random

RECORDED = json.loads((pathlib.Path(__file__).parent / "data" / "random.json").read_text())
SEEDS = [name for name in RECORDED if name.isdigit()]

LOGITS = np.log(np.float32([0.1, 0.2, 0.7]))
WEIGHTS = np.float32([0.1, 0.2, 0.3, 0.4])

# By name in the record. Integers and uniform numbers are equal; the others within 1e-5.
EXACT = {
    "key_data": random.key_data,
    "split3": lambda key: random.key_data(random.split(key, 3)),
    "split_2x2": lambda key: random.key_data(random.split(key, (2, 2))),
    "fold_in_7": lambda key: random.key_data(random.fold_in(key, 7)),
    "bits_uint8_5": lambda key: random.bits(key, (5,), "uint8"),
    "bits_uint16_5": lambda key: random.bits(key, (5,), "uint16"),
    "bits_uint32_5": lambda key: random.bits(key, (5,), "uint32"),
    "bits_uint32_3x3": lambda key: random.bits(key, (3, 3)),
    "uniform_f32_6": lambda key: random.uniform(key, (6,)),
    "uniform_f32_-2_3": lambda key: random.uniform(key, (6,), minval=-2, maxval=3),
    "uniform_bf16_4": lambda key: random.uniform(key, (4,), "bfloat16"),
    "uniform_f16_4": lambda key: random.uniform(key, (4,), "float16"),
    "randint_0_10": lambda key: random.randint(key, (8,), 0, 10),
    "randint_i8": lambda key: random.randint(key, (8,), -100, 100, "int8"),
    "randint_u32_full": lambda key: random.randint(key, (4,), 0, 2**31 - 1, "uint32"),
    "permutation_10": lambda key: random.permutation(key, 10),
    "choice_replace": lambda key: random.choice(key, 7, (5,)),
    "choice_no_replace": lambda key: random.choice(key, 7, (5,), replace=False),
    "choice_p": lambda key: random.choice(key, 4, (6,), p=WEIGHTS),
    "bernoulli_.3": lambda key: random.bernoulli(key, 0.3, (8,)),
    "categorical": lambda key: random.categorical(key, LOGITS, shape=(6,)),
    "rademacher": lambda key: random.rademacher(key, (4,)),
}
NEAR = {
    "normal_f32_6": lambda key: random.normal(key, (6,)),
    "exponential": lambda key: random.exponential(key, (4,)),
    "gumbel": lambda key: random.gumbel(key, (4,)),
    "laplace": lambda key: random.laplace(key, (4,)),
    "logistic": lambda key: random.logistic(key, (4,)),
    "cauchy": lambda key: random.cauchy(key, (4,)),
    "truncated_normal": lambda key: random.truncated_normal(key, -1, 2, (4,)),
}
CALLS = {**EXACT, **NEAR}

WAYS = {
    "eager": lambda call: call,
    "jit": xform.jit,
    "raw key": lambda call: lambda key: call(random.key_data(key)),
    "vmap": lambda call: lambda key: xform.vmap(call)(key.reshape(1))[0],
}


def recorded(seed, name):
    values = RECORDED[seed][name]
    return np.array([float.fromhex(v) if isinstance(v, str) else v for v in values])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", CALLS)
def test_numbers_are_those_recorded(name, way):
    call = WAYS[way](CALLS[name])
    for seed in SEEDS:
        got = np.asarray(call(random.key(int(seed)))).ravel().astype(np.float64)
        if name in EXACT:
            np.testing.assert_array_equal(got, recorded(seed, name))
        else:
            np.testing.assert_allclose(got, recorded(seed, name), rtol=1e-5, atol=1e-5)


def test_numbers_with_x64_are_those_recorded():
    record = RECORDED["x64 seed 0"]
    with xform.config.scoped(enable_x64=True):
        key = random.key(0)
        uniform = random.uniform(key, (4,))
        bits = random.bits(key, (4,))
        normal = random.normal(key, (4,))
        integers = random.randint(key, (4,), -(10**12), 10**12)
    assert [float(v).hex() for v in np.asarray(uniform)] == [
        float.fromhex(v).hex() for v in record["uniform_f64"]
    ]
    assert [str(v) for v in np.asarray(bits)] == record["bits_uint64"]
    np.testing.assert_allclose(np.asarray(normal), record["normal_f64"], rtol=1e-12)
    np.testing.assert_array_equal(np.asarray(integers), record["randint_i64"])


@pytest.mark.parametrize("shape", [(10_007,), (3, 1, 2001), (0, 5)], ids=str)
@pytest.mark.parametrize("name", ["bits", "uniform", "rademacher", "normal"])
def test_compiled_numbers_are_the_eager_ones(name, shape):
    key = random.key(5)
    draw = getattr(random, name)
    eager = np.asarray(draw(key, shape))
    compiled = np.asarray(xform.jit(lambda k: draw(k, shape))(key))
    if name == "normal":
        np.testing.assert_allclose(compiled, eager, rtol=2e-6, atol=1e-7)
    else:
        np.testing.assert_array_equal(compiled, eager)


def test_more_numbers_than_a_word_can_count():
    shape = (2**17, 2**16)
    out = xform.eval_shape(lambda key: random.bits(key, shape), random.key(0))
    assert out.shape == shape


# Keys


def test_a_seed_counts_with_its_low_32_bits():
    assert np.asarray(random.PRNGKey(-1)).tolist() == [0, 2**32 - 1]
    assert np.asarray(random.PRNGKey(2**32 + 5)).tolist() == [0, 5]
    with xform.config.scoped(enable_x64=True):
        assert np.asarray(random.PRNGKey(-1)).tolist() == [2**32 - 1, 2**32 - 1]
        assert np.asarray(random.PRNGKey(2**32 + 5)).tolist() == [1, 5]


@pytest.mark.parametrize("seed", [7, np.int32(-3), np.uint8(200), np.array(12)])
def test_traced_seeds_make_the_same_keys(seed):
    expected = np.asarray(random.PRNGKey(int(seed)))
    np.testing.assert_array_equal(np.asarray(xform.jit(random.PRNGKey)(seed)), expected)
    many = xform.vmap(random.PRNGKey)(np.atleast_1d(seed))
    np.testing.assert_array_equal(np.asarray(many)[0], expected)


def test_keys_are_an_array():
    keys = random.split(random.key(0), (2, 3))
    assert keys.shape == (2, 3)
    assert keys.ndim == 2
    assert keys.size == 6
    assert len(keys) == 2
    assert keys[1].shape == (3,)
    assert keys[1, 2].shape == ()
    assert keys[..., 0].shape == (2,)
    assert keys[:, None].shape == (2, 1, 3)
    assert keys.ravel().shape == (6,)
    assert keys.reshape(3, -1).shape == (3, 2)
    assert [k.shape for k in keys] == [(3,), (3,)]
    assert "key<fry>" in repr(keys)


def test_keys_are_a_pytree_of_words():
    keys = random.split(random.key(0), 3)
    (words,), treedef = xform.tree.flatten(keys)
    assert words.shape == (3, 2)
    assert words.dtype == np.uint32
    assert isinstance(treedef.unflatten([words]), random.KeyArray)
    assert repr(xform.tree.map(lambda x: x.shape, keys)) == "KeyArray((3, 2))"


def test_a_key_of_keys_wraps_and_unwraps():
    key = random.key(3)
    again = random.wrap_key_data(random.key_data(key))
    assert isinstance(again, random.KeyArray)
    assert np.asarray(random.key_data(random.clone(again))).tolist() == [0, 3]
    assert random.key_impl(again) == "threefry2x32"


def test_new_keys_are_of_the_kind_given():
    assert isinstance(random.split(random.key(0)), random.KeyArray)
    assert isinstance(random.fold_in(random.key(0), 1), random.KeyArray)
    assert random.split(random.PRNGKey(0)).shape == (2, 2)
    assert random.fold_in(random.PRNGKey(0), 1).shape == (2,)


def test_fold_in_takes_traced_data():
    key = random.key(0)
    many = xform.vmap(random.fold_in, in_axes=(None, 0))(key, np.arange(4))
    for k in range(4):
        single = random.fold_in(key, k)
        np.testing.assert_array_equal(
            np.asarray(random.key_data(many[k])), np.asarray(random.key_data(single))
        )


@pytest.mark.parametrize(
    "call, error",
    [
        (lambda: random.key(1.5), errors.DtypeError),
        (lambda: random.key(True), errors.DtypeError),
        (lambda: random.key(np.arange(3)), errors.ShapeError),
        (lambda: random.key(2**64), errors.IntegerRangeError),
        (lambda: random.key(random.key(0)), errors.ArgumentError),
        (lambda: random.key(0, impl="rbg"), errors.ArgumentError),
        (lambda: random.uniform(0), errors.ArgumentError),
        (lambda: random.uniform(np.zeros(2, np.float32)), errors.ArgumentError),
        (lambda: random.uniform(random.split(random.key(0))), errors.ShapeError),
        (lambda: random.fold_in(random.key(0), -1), errors.IntegerRangeError),
        (lambda: random.fold_in(random.key(0), np.arange(2)), errors.ShapeError),
        (lambda: random.bits(random.key(0), (), "int32"), errors.DtypeError),
        (lambda: random.uniform(random.key(0), (), "int32"), errors.DtypeError),
        (lambda: random.uniform(random.key(0), (-1,)), errors.ShapeError),
        (lambda: random.uniform(random.key(0), (), maxval=np.ones(3)), errors.ShapeError),
        (lambda: random.normal(random.key(0), (), "int32"), errors.DtypeError),
        (lambda: random.randint(random.key(0), (), 0, 5, "float32"), errors.DtypeError),
        (lambda: random.randint(random.key(0), (), 0, 5.5), errors.ArgumentError),
        (lambda: random.bernoulli(random.key(0), 1), errors.DtypeError),
        (lambda: random.bernoulli(random.key(0), 0.5, (), "middle"), errors.ArgumentError),
        (lambda: random.gumbel(random.key(0), mode="middle"), errors.ArgumentError),
        (lambda: random.choice(random.key(0), 3, (4,), replace=False), errors.ArgumentError),
        (lambda: random.choice(random.key(0), 0, (4,)), errors.ArgumentError),
        (lambda: random.choice(random.key(0), 3, (4,), p=WEIGHTS), errors.ShapeError),
        (lambda: random.permutation(random.key(0), 2.5), errors.DtypeError),
    ],
)
def test_bad_arguments_are_refused(call, error):
    with pytest.raises(error):
        call()


def test_one_key_error_says_to_use_vmap():
    with pytest.raises(errors.ShapeError, match="vmap"):
        random.normal(random.split(random.key(0)))


def test_names_that_come_later_say_so():
    with pytest.raises(AttributeError, match="not available yet"):
        random.gamma  # noqa: B018
    with pytest.raises(AttributeError, match="no attribute"):
        random.nonsense  # noqa: B018


# Integers of bounds that are traced, as of bounds that are known


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "int32", "uint32"])
@pytest.mark.parametrize(
    "low, high", [(0, 10), (-7, 3), (5, 5), (9, 2), (0, 256), (-300, 300), (0, 2**31 - 1)]
)
def test_integers_do_not_depend_on_when_bounds_are_known(dtype, low, high):
    key = random.key(1)
    known = np.asarray(random.randint(key, (6,), low, high, dtype))
    bounds = np.array([low, high], np.int32)
    traced = xform.jit(lambda ends: random.randint(key, (6,), ends[0], ends[1], dtype))(bounds)
    np.testing.assert_array_equal(np.asarray(traced), known)


def test_integers_of_the_whole_range():
    key = random.key(0)
    got = random.randint(key, (1000,), 0, 2**32, "uint32")
    assert np.asarray(got).max() > 2**31
    small = np.asarray(random.randint(key, (4000,), -128, 128, "int8"))
    assert sorted(set(small.tolist())) == list(range(-128, 128))


# Permutations and choices


def test_permutations_keep_the_elements():
    key = random.key(0)
    x = np.arange(12).reshape(3, 4)
    rows = np.asarray(random.permutation(key, x))
    assert sorted(map(tuple, rows)) == sorted(map(tuple, x))
    columns = np.asarray(random.permutation(key, x, axis=1))
    assert sorted(map(tuple, columns.T)) == sorted(map(tuple, x.T))
    mixed = np.asarray(random.permutation(key, x, axis=1, independent=True))
    np.testing.assert_array_equal(np.sort(mixed, axis=1), x)
    assert random.permutation(key, 0).shape == (0,)


@pytest.mark.parametrize("replace", [True, False])
@pytest.mark.parametrize("p", [None, np.float32([0.5, 0.5, 0, 0])], ids=["even", "weighted"])
def test_choices_are_elements(replace, p):
    x = np.arange(8, dtype=np.float32).reshape(2, 4)
    got = np.asarray(random.choice(random.key(0), x, (2,), replace, p, axis=1))
    assert got.shape == (2, 2)
    np.testing.assert_array_equal(got[1], got[0] + 4)
    assert replace or got[0, 0] != got[0, 1]
    assert p is None or got[0].max() <= 1
    assert random.choice(random.key(0), x, (0,), axis=1).shape == (2, 0)


def test_categories_without_replacement_differ():
    got = np.asarray(random.categorical(random.key(0), LOGITS, shape=(3,), replace=False))
    assert sorted(got.tolist()) == [0, 1, 2]
    batch = np.zeros((4, 5), np.float32)
    many = np.asarray(random.categorical(random.key(0), batch, 1, (5, 4), replace=False))
    assert many.shape == (5, 4)
    assert all(sorted(column) == list(range(5)) for column in many.T.tolist())


# Distributions

SAMPLES = {
    "uniform": (lambda k, n, d: random.uniform(k, n, d), stats.uniform()),
    "normal": (lambda k, n, d: random.normal(k, n, d), stats.norm()),
    "exponential": (lambda k, n, d: random.exponential(k, n, d), stats.expon()),
    "gumbel": (lambda k, n, d: random.gumbel(k, n, d), stats.gumbel_r()),
    "gumbel high": (lambda k, n, d: random.gumbel(k, n, d, "high"), stats.gumbel_r()),
    "laplace": (lambda k, n, d: random.laplace(k, n, d), stats.laplace()),
    "logistic": (lambda k, n, d: random.logistic(k, n, d), stats.logistic()),
    "cauchy": (lambda k, n, d: random.cauchy(k, n, d), stats.cauchy()),
    "truncated": (
        lambda k, n, d: random.truncated_normal(k, -1.0, 2.0, n, d),
        stats.truncnorm(-1.0, 2.0),
    ),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", SAMPLES)
def test_samples_follow_their_distribution(name, dtype):
    draw, law = SAMPLES[name]
    got = np.asarray(draw(random.key(11), (20_000,), dtype))
    assert got.dtype == dtype
    assert stats.kstest(got.astype(np.float64), law.cdf).pvalue > 1e-3


def test_complex_normals_have_unit_variance():
    got = np.asarray(random.normal(random.key(0), (20_000,), "complex64"))
    assert got.dtype == np.complex64
    assert abs(np.mean(np.abs(got) ** 2) - 1) < 0.03
    assert abs(np.mean(got**2)) < 0.03


def test_truncated_normals_stay_inside():
    low, high = np.float32([-0.1, 3.0]), np.float32([0.1, 3.001])
    got = np.asarray(random.truncated_normal(random.key(0), low, high, (5000, 2)))
    assert (low < got).all()
    assert (got < high).all()


@pytest.mark.parametrize("mode", ["low", "high"])
def test_coins_come_up_as_often_as_asked(mode):
    p = np.float32([0.0, 0.01, 0.5, 1.0])
    got = np.asarray(random.bernoulli(random.key(0), p, (20_000, 4), mode))
    np.testing.assert_allclose(got.mean(0), p, atol=0.012)


def test_a_sample_has_derivatives_in_its_parameters():
    def spread(scale):
        return random.uniform(random.key(0), (3,), maxval=scale).sum()

    expected = np.asarray(random.uniform(random.key(0), (3,))).sum()
    assert np.asarray(xform.grad(spread)(2.0)) == pytest.approx(expected, rel=1e-6)
