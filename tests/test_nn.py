"""xform.nn: values against NumPy in double precision, derivatives at corners, samples of JAX."""

import math

import numpy as np
import pytest
from scipy import special, stats

import xform
import xform.numpy as xnp
from xform import errors, nn, random
from xform.nn import initializers

POINTS = np.array([-50.0, -6.5, -3.0, -1.0, -0.25, 0.0, 1e-3, 0.5, 1.0, 2.0, 6.0, 40.0])


def sigmoid(x):
    return special.expit(x)


def softplus(x):
    return np.logaddexp(x, 0)


# What each activation is, in plain NumPy.
FORMULAS = {
    "celu": lambda x: np.where(x > 0, x, np.expm1(x)),
    "elu": lambda x: np.where(x > 0, x, np.expm1(x)),
    "gelu": lambda x: x / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
    "hard_sigmoid": lambda x: np.clip((x + 3) / 6, 0, 1),
    "hard_silu": lambda x: x * np.clip((x + 3) / 6, 0, 1),
    "hard_tanh": lambda x: np.clip(x, -1, 1),
    "identity": lambda x: x,
    "leaky_relu": lambda x: np.where(x >= 0, x, 0.01 * x),
    "log_sigmoid": lambda x: -softplus(-x),
    "mish": lambda x: x * np.tanh(softplus(x)),
    "relu": lambda x: np.maximum(x, 0),
    "relu6": lambda x: np.clip(x, 0, 6),
    "selu": lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(x)),
    "sigmoid": sigmoid,
    "silu": lambda x: x * sigmoid(x),
    "soft_sign": lambda x: x / (1 + np.abs(x)),
    "softplus": softplus,
    "sparse_plus": lambda x: np.where(x <= -1, 0, np.where(x >= 1, x, (x + 1) ** 2 / 4)),
    "sparse_sigmoid": lambda x: np.clip((x + 1) / 2, 0, 1),
    "squareplus": lambda x: (x + np.sqrt(x**2 + 4)) / 2,
    "tanh": np.tanh,
}

each_activation = pytest.mark.parametrize("name", sorted(FORMULAS))


@each_activation
def test_values_are_those_of_the_formula(name):
    with xform.config.scoped(enable_x64=True):
        found = getattr(nn, name)(POINTS)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, FORMULAS[name](POINTS), rtol=1e-13, atol=1e-15)


@each_activation
def test_compiled_values_are_the_eager_ones(name):
    x = POINTS.astype(np.float32)
    function = getattr(nn, name)
    eager = function(x)
    # A few ulp; gelu and its like lose some where their factors cancel.
    np.testing.assert_allclose(xform.jit(function)(x), eager, rtol=1e-6, atol=1e-6)


@each_activation
def test_derivatives_are_slopes(name):
    function = getattr(nn, name)
    # Away from the corners.
    x = np.array([-4.1, -2.2, -0.7, 0.3, 0.8, 1.7, 5.2])
    step = 1e-6
    with xform.config.scoped(enable_x64=True):
        slopes = (function(x + step) - function(x - step)) / (2 * step)
        np.testing.assert_allclose(
            xform.vmap(xform.grad(function))(x), slopes, rtol=1e-7, atol=1e-8
        )
        curvature = xform.vmap(xform.grad(xform.grad(function)))(x)
        first = xform.vmap(xform.grad(function))
        seconds = (first(x + step) - first(x - step)) / (2 * step)
        np.testing.assert_allclose(curvature, seconds, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
@each_activation
def test_dtypes_stay(name, dtype):
    assert getattr(nn, name)(xnp.ones(3, dtype)).dtype == dtype


inf, nan = math.inf, math.nan
A = 1.7580993408473766
SELU = 1.0507009873554805
C = 0.7978845608028654

# (value, first, second derivative) at 0, inf, -inf and nan, as `jax.nn` has them.
SINGULAR = {
    "relu": [(0, 0, 0), (inf, 1, 0), (0, 0, 0), (nan, 0, 0)],
    "relu6": [(0, 0, 0), (6, 0, 0), (0, 0, 0), (nan, 0, 0)],
    "leaky_relu": [(0, 1, 0), (inf, 1, 0), (-inf, 0.01, 0), (nan, 0.01, 0)],
    "elu": [(0, 1, 1), (inf, 1, 0), (-1, 0, 0), (nan, nan, nan)],
    "selu": [(0, A, A), (inf, SELU, 0), (-A, 0, 0), (nan, nan, nan)],
    "gelu": [(0, 0.5, C), (inf, nan, nan), (nan, nan, nan), (nan, nan, nan)],
    "silu": [(0, 0.5, 0.5), (inf, nan, nan), (nan, nan, nan), (nan, nan, nan)],
    "softplus": [(math.log(2), 0.5, 0.25), (inf, 1, 0), (0, 0, 0), (nan, nan, nan)],
    "log_sigmoid": [(-math.log(2), 0.5, -0.25), (0, 0, 0), (-inf, 1, 0), (nan, nan, nan)],
    "hard_tanh": [(0, 1, 0), (1, 0, 0), (-1, 0, 0), (nan, 1, 0)],
}


@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "jit"])
@pytest.mark.parametrize("name", sorted(SINGULAR))
def test_singular_points(name, compiled):
    function = getattr(nn, name)
    x = np.array([0.0, inf, -inf, nan])
    orders = [function, xform.grad(function), xform.grad(xform.grad(function))]
    with xform.config.scoped(enable_x64=True):
        for order, derivative in enumerate(orders):
            mapped = xform.vmap(derivative)
            found = (xform.jit(mapped) if compiled else mapped)(x)
            wanted = [row[order] for row in SINGULAR[name]]
            np.testing.assert_allclose(found, wanted, rtol=1e-13, err_msg=f"order {order}")


def test_corners_of_the_limited_activations():
    assert xform.grad(nn.relu6)(6.0) == 0
    assert xform.grad(nn.hard_tanh)(1.0) == 1
    assert xform.grad(nn.hard_tanh)(-1.0) == 1
    assert xform.grad(nn.hard_sigmoid)(3.0) == 0


def test_exact_gelu():
    with xform.config.scoped(enable_x64=True):
        found = nn.gelu(POINTS, approximate=False)
    np.testing.assert_allclose(found, POINTS * stats.norm.cdf(POINTS), rtol=1e-13)


def test_log1mexp():
    x = np.array([1e-10, 0.1, math.log(2), 1.0, 5.0, 40.0])
    with xform.config.scoped(enable_x64=True):
        wanted = np.where(x < 0.5, np.log(-np.expm1(-x)), np.log1p(-np.exp(-x)))
        np.testing.assert_allclose(nn.log1mexp(x), wanted, rtol=1e-14)
        slopes = xform.vmap(xform.grad(nn.log1mexp))(x)
        np.testing.assert_allclose(slopes, 1 / np.expm1(x), rtol=1e-14)


def test_glu():
    x = np.arange(12.0, dtype=np.float32).reshape(2, 6)
    np.testing.assert_allclose(nn.glu(x), x[:, :3] * sigmoid(x[:, 3:]), rtol=1e-6)
    np.testing.assert_allclose(nn.glu(x, axis=0), x[:1] * sigmoid(x[1:]), rtol=1e-6)
    with pytest.raises(errors.ShapeError, match="even length"):
        nn.glu(x[:, :5])


# Along axes

RNG = np.random.default_rng(0)
VALUES = RNG.normal(size=(3, 4, 5))
MASK = RNG.random((3, 4, 5)) > 0.4
MASK[0, 0] = False

each_axis = pytest.mark.parametrize("axis", [-1, 0, (1, 2), None])


@each_axis
def test_softmax_and_its_logarithm(axis):
    with xform.config.scoped(enable_x64=True):
        wanted = special.softmax(VALUES, axis)
        np.testing.assert_allclose(nn.softmax(VALUES, axis), wanted, rtol=1e-13)
        np.testing.assert_allclose(nn.log_softmax(VALUES, axis), np.log(wanted), rtol=1e-13)


@each_axis
def test_masked_softmax(axis):
    with np.errstate(divide="ignore", invalid="ignore"):
        weights = np.where(MASK, np.exp(VALUES), 0)
        wanted = np.where(MASK, weights / weights.sum(axis, keepdims=True), 0)
        logs = np.log(wanted)
    with xform.config.scoped(enable_x64=True):
        np.testing.assert_allclose(nn.softmax(VALUES, axis, where=MASK), wanted, rtol=1e-13)
        np.testing.assert_allclose(nn.log_softmax(VALUES, axis, where=MASK), logs, rtol=1e-12)
        slopes = xform.grad(lambda x: nn.softmax(x, axis, where=MASK)[1, 1].sum())(VALUES)
    assert np.isfinite(slopes).all()
    assert not np.asarray(slopes)[~MASK].any()


@pytest.mark.parametrize("function", [nn.softmax, nn.log_softmax])
def test_the_derivative_of_softmax(function):
    x = VALUES[0]
    with xform.config.scoped(enable_x64=True):
        y = np.asarray(nn.softmax(x))
        products = y[:, :, None] * (np.eye(5) - y[:, None, :])
        wanted = products if function is nn.softmax else products / y[:, :, None]
        for jacobian in (xform.jacfwd, xform.jacrev):
            found = xform.vmap(jacobian(function))(x)
            np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-15)
        second = xform.vmap(xform.hessian(lambda row: function(row)[0]))(x)
    np.testing.assert_allclose(np.asarray(second).sum(-1), 0, atol=1e-14)


def test_softmax_without_a_finite_maximum_is_nan():
    for row in ([inf, 1.0], [-inf, -inf], [nan, 1.0]):
        assert np.isnan(nn.softmax(np.float32(row))).all()
    np.testing.assert_array_equal(nn.softmax(np.float32([-inf, 0.0])), [0, 1])


@each_axis
@pytest.mark.parametrize("keepdims", [False, True])
def test_logsumexp(axis, keepdims):
    with xform.config.scoped(enable_x64=True):
        found = nn.logsumexp(VALUES, axis, keepdims=keepdims)
        wanted = special.logsumexp(VALUES, axis, keepdims=keepdims)
        np.testing.assert_allclose(found, wanted, rtol=1e-13)
        means = nn.logmeanexp(VALUES, axis, keepdims=keepdims)
    np.testing.assert_allclose(means, wanted - np.log(VALUES.size / wanted.size), rtol=1e-12)


def test_logsumexp_with_factors():
    factors = np.array([1.0, -2.0, 0.0, 3.0, -1.0])
    with xform.config.scoped(enable_x64=True):
        found = nn.logsumexp(VALUES, -1, b=factors, return_sign=True)
    wanted = special.logsumexp(VALUES, -1, b=factors, return_sign=True)
    np.testing.assert_allclose(found[0], wanted[0], rtol=1e-12)
    np.testing.assert_array_equal(found[1], wanted[1])
    assert np.isnan(nn.logsumexp(np.float32([1, 2]), b=np.float32([1, -1])))
    assert nn.logsumexp(np.float32([1, inf]), b=np.float32([1, 0])) == 1


def test_logsumexp_of_infinities_and_of_nothing():
    assert nn.logsumexp(np.float32([-inf, -inf])) == -inf
    assert nn.logsumexp(np.float32([0, inf])) == inf
    assert nn.logsumexp(np.zeros(0, np.float32)) == -inf
    assert nn.logsumexp(np.float32([1, 2]), where=np.array([False, False])) == -inf


@pytest.mark.parametrize("algorithm", ["fast", "stable"])
def test_standardize(algorithm):
    with xform.config.scoped(enable_x64=True):
        found = np.asarray(nn.standardize(VALUES, algorithm=algorithm))
    deviation = np.sqrt(VALUES.var(-1, keepdims=True) + 1e-5)
    wanted = (VALUES - VALUES.mean(-1, keepdims=True)) / deviation
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-13)


def test_standardize_with_what_is_known():
    found = nn.standardize(np.float32([1, 2, 3]), mean=1.0, variance=4.0, epsilon=0.0)
    np.testing.assert_array_equal(found, [0, 0.5, 1])
    with pytest.raises(errors.ArgumentError, match="'fast' or 'stable'"):
        nn.standardize(np.ones(3, np.float32), algorithm="quick")


def test_one_hot():
    indices = np.array([[0, 2], [-1, 3]])
    found = np.asarray(nn.one_hot(indices, 3))
    assert found.shape == (2, 2, 3)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, indices[..., None] == np.arange(3))
    first = nn.one_hot(indices, 3, dtype="int8", axis=0)
    np.testing.assert_array_equal(first, np.moveaxis(found, -1, 0))
    assert first.dtype == np.int8
    with pytest.raises(errors.AxisError):
        nn.one_hot(indices, 3, axis=3)


# How weights begin

# The first three numbers that `jax.nn.initializers` gives for key(0) and the shape (2, 3, 4).
SAMPLES = {
    "normal": (0.01622642, 0.02025265, -0.00433594),
    "uniform": (0.00947667, 0.0097858, 0.00332291),
    "truncated_normal": (0.01455959, 0.01714749, -0.00412675),
    "glorot_uniform": (0.5861337, 0.62660813, -0.21958199),
    "glorot_normal": (0.62560797, 0.7368067, -0.17732158),
    "lecun_uniform": (0.63309675, 0.67681414, -0.23717566),
    "lecun_normal": (0.67573386, 0.79584223, -0.19152921),
    "he_uniform": (0.895334, 0.95715976, -0.33541703),
    "he_normal": (0.955632, 1.1254908, -0.27086318),
}


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_samples_are_those_of_jax(name):
    found = getattr(initializers, name)()(random.key(0), (2, 3, 4))
    assert found.dtype == np.float32
    # The recorded numbers have seven or eight digits; the least has six.
    np.testing.assert_allclose(found.ravel()[:3], SAMPLES[name], rtol=1e-6, atol=1e-8)


def test_axes_of_inputs_outputs_and_batch():
    def first(*args, **axes):
        initializer = initializers.variance_scaling(2.0, *args, **axes)
        return np.asarray(initializer(random.key(0), (2, 3, 4))).ravel()[:3]

    found = first("fan_avg", "truncated_normal", in_axis=(0, 1), out_axis=2)
    np.testing.assert_allclose(found, (1.0468423, 1.2329134, -0.29671577), rtol=1e-6)
    found = first("fan_geo_avg", "uniform", in_axis=1, out_axis=2, batch_axis=0)
    np.testing.assert_allclose(found, (1.1783258, 1.259693, -0.44143364), rtol=1e-6)


@pytest.mark.parametrize("distribution", ["normal", "truncated_normal", "uniform"])
@pytest.mark.parametrize(
    ("mode", "fan"), [("fan_in", 400), ("fan_out", 100), ("fan_avg", 250), ("fan_geo_avg", 200)]
)
def test_variance(distribution, mode, fan):
    initializer = initializers.variance_scaling(3.0, mode, distribution)
    weights = np.asarray(initializer(random.key(1), (400, 100)))
    # 40,000 numbers: the variance is known to 1/sqrt(20,000), about 0.7 %.
    assert weights.var() == pytest.approx(3.0 / fan, rel=0.03)
    assert abs(weights.mean()) < 4 * math.sqrt(3.0 / fan / weights.size)


def test_constants():
    key = random.key(0)
    np.testing.assert_array_equal(initializers.zeros(key, (2, 3)), np.zeros((2, 3)))
    np.testing.assert_array_equal(initializers.ones(key, (2,), "int32"), [1, 1])
    rows = initializers.constant(np.float32([1, 2]))(key, (3, 2))
    np.testing.assert_array_equal(rows, np.tile(np.float32([1, 2]), (3, 1)))
    assert initializers.he_normal(dtype="bfloat16")(key, (3, 2)).dtype == "bfloat16"


def test_initializers_refuse():
    with pytest.raises(errors.ArgumentError, match="fan_avg"):
        initializers.variance_scaling(1.0, "fan", "normal")
    with pytest.raises(errors.ArgumentError, match="truncated_normal"):
        initializers.variance_scaling(1.0, "fan_in", "gamma")
    with pytest.raises(errors.ShapeError, match="axis of inputs"):
        initializers.he_normal()(random.key(0), (3,))
    with pytest.raises(errors.DtypeError):
        initializers.he_normal()(random.key(0), (3, 2), "int32")


def test_names_that_come_later_say_so():
    with pytest.raises(AttributeError, match="not available yet"):
        nn.dot_product_attention  # noqa: B018
    assert nn.swish is nn.silu
    assert initializers.xavier_normal is initializers.glorot_normal
