"""Elementwise, special, reducing, cumulative operators: accuracy, derivatives, integers, bits."""

import json
import subprocess
import sys
from functools import partial
from pathlib import Path

import ml_dtypes
import mpmath
import numpy as np
import pytest

import xform
from xform import errors
from xform.core.primitive import catalogue
from xform.core.values import to_numpy
from xform.ops import cumulative, elementwise as ew, reduction, special
from xform.ops.structural import reduce_sum

TABLE = json.loads((Path(__file__).parent / "data" / "derivatives.json").read_text())


@pytest.fixture(autouse=True)
def double():
    with xform.config.scoped(enable_x64=True):
        yield


# -- derivatives at ties and singular points ------------------------------------------------------

UNARY = {
    "abs": ew.abs_,
    "sign": ew.sign,
    "sqrt": ew.sqrt,
    "cbrt": ew.cbrt,
    "rsqrt": ew.rsqrt,
    "log": ew.log,
    "log1p": ew.log1p,
    "exp": ew.exp,
    "expm1": ew.expm1,
    "tanh": ew.tanh,
    "logistic": ew.logistic,
    "arcsin": ew.asin,
    "arccos": ew.acos,
    "arccosh": ew.acosh,
    "arctanh": ew.atanh,
    "floor": ew.floor,
    "round": partial(ew.round_, rounding_method=1),
    "square": ew.square,
    "reciprocal": partial(ew.integer_pow, y=-1),
    "ipow2": partial(ew.integer_pow, y=2),
    "erf": special.erf,
    "erfinv": special.erf_inv,
    "lgamma": special.lgamma,
    "digamma": special.digamma,
}
BINARY = {
    "maximum": ew.max_,
    "minimum": ew.min_,
    "power": ew.pow_,
    "arctan2": ew.atan2,
    "fmod": ew.rem,
    "divide": ew.div,
    "copysign": ew.copysign,
}
# Where JAX gives NaN and there is a limit, xform gives the limit.
LIMITS = {
    ("lgamma", "inf", 2): 0.0,
    ("digamma", "inf", 1): 0.0,
    ("digamma", "inf", 2): 0.0,
    ("digamma", "0.0", 2): -np.inf,
    ("digamma", "-0.0", 2): -np.inf,
    ("digamma", "-1.0", 2): -np.inf,
    ("digamma", "-inf", 2): -np.inf,
}


def derivative(f):
    return lambda x: xform.jvp(f, (x,), (np.ones_like(x),))[1]


def same(got, wanted):
    got, wanted = float(got), float(wanted)
    if np.isnan(wanted) or np.isinf(wanted) or wanted == 0:
        return got == wanted or (np.isnan(got) and np.isnan(wanted))
    return abs(got - wanted) <= 8 * np.finfo(float).eps * abs(wanted)


@pytest.mark.parametrize("name", UNARY)
def test_value_and_derivatives_at_singular_points(name):
    f = UNARY[name]
    for at, wanted in TABLE[name]["value, first, second derivative at"].items():
        x = np.float64(at)
        got = [float(g(x)) for g in (f, derivative(f), derivative(derivative(f)))]
        for order, (y, z) in enumerate(zip(got, wanted, strict=True)):
            limit = LIMITS.get((name, at, order), z)
            assert same(y, limit), f"derivative {order} at {at}: {y}, wanted {limit}"


@pytest.mark.parametrize("name", BINARY)
def test_partial_derivatives_at_ties(name):
    f = BINARY[name]
    for at, wanted in TABLE[name]["value, d/dx, d/dy at"].items():
        x, y = (np.float64(v) for v in at.strip("()").split(", "))
        got = [
            f(x, y),
            derivative(lambda x, y=y: f(x, y))(x),
            derivative(lambda y, x=x: f(x, y))(y),
        ]
        for k, (g, w) in enumerate(zip(got, wanted, strict=True)):
            assert same(g, w), f"{name}{at}, {k}: {float(g)}, wanted {w}"


REDUCED = {
    "max": lambda x: reduction.reduce_max(x, axes=(0,)),
    "min": lambda x: reduction.reduce_min(x, axes=(0,)),
    "prod": lambda x: reduction.reduce_prod(x, axes=(0,)),
    "prod_two_zeros": lambda x: reduction.reduce_prod(x, axes=(0,)),
    "cumprod": lambda x: total(cumulative.cumprod(x, axis=0, reverse=False)),
    "cummax": lambda x: total(cumulative.cummax(x, axis=0, reverse=False)),
    "lax_clamp": lambda x: total(ew.clamp(np.float64(0), x, np.float64(1))),
}


def total(x):
    return reduce_sum(x, axes=(0,))


@pytest.mark.parametrize("name", REDUCED)
def test_gradients_of_reductions(name):
    case = TABLE[name]
    value, gradient = xform.value_and_grad(REDUCED[name])(np.array(case["input"]))
    assert same(value, case["value"])
    assert np.array_equal(gradient, case["gradient"])


def test_nextafter_has_no_derivative():
    one = np.float64(1)
    with pytest.raises(errors.AbsentRuleError):
        xform.jvp(ew.nextafter, (one, one), (one, one))


# The gradients of a weighted sum of running extrema of ties, as JAX shares them.
TIES = (
    ("cummax", [1.0] * 5, False, [4.375, 3.375, 3.125, 1.625, 2.5]),
    ("cummax", [1.0] * 5, True, [0.5, 0.625, 2.125, 3.375, 8.375]),
    ("cummax", [2.0, 2.0, 1.0, 3.0, 3.0, 3.0], False, [3.5, 2.5, 0.0, 9.5, 4.0, 1.5]),
    ("cummax", [0.0] * 7, False, [5.5625, 4.5625, 4.3125, 2.8125, 4.875, 2.375, 3.5]),
    ("cummin", [2.0, 2.0, 1.0, 3.0, 3.0, 3.0], True, [0.0, 0.0, 6.0, 2.0, 3.5, 9.5]),
    ("cummin", [0.0] * 7, True, [0.5, 0.625, 2.125, 1.6875, 4.1875, 5.9375, 12.9375]),
)


@pytest.mark.parametrize(("name", "x", "reverse", "wanted"), TIES)
def test_running_extrema_share_ties(name, x, reverse, wanted):
    scan = getattr(cumulative, name)
    weights = np.arange(1.0, len(x) + 1)
    gradient = xform.grad(lambda x: total(ew.mul(scan(x, axis=0, reverse=reverse), weights)))
    assert np.array_equal(gradient(np.array(x)), wanted)


def test_second_derivatives_of_products_with_zeros():
    x = np.array([2.0, 0.0, 3.0, 0.0, 1.5])
    wanted = np.zeros((5, 5))
    wanted[1, 3] = wanted[3, 1] = 2.0 * 3.0 * 1.5
    product = partial(reduction.reduce_prod, axes=(0,))
    assert np.array_equal(xform.hessian(product)(x), wanted)
    wanted[0, 1] = wanted[1, 0] = 1.0 + 3.0
    wanted[1, 2] = wanted[2, 1] = 2.0
    wanted[1, 3] = wanted[3, 1] = 2.0 * 3.0 * (1.0 + 1.5)
    running = xform.hessian(lambda x: total(cumulative.cumprod(x, axis=0, reverse=False)))
    assert np.array_equal(running(x), wanted)


def test_gradient_of_cumlogsumexp_at_infinity():
    last = xform.grad(lambda x: total(cumulative.cumlogsumexp(x, axis=0, reverse=False)))
    x = np.array([1.0, np.inf, 2.0])
    assert np.array_equal(last(x), [1.0, 2.0, 0.0])


# -- accuracy -------------------------------------------------------------------------------------

MPMATH = {
    "sqrt": mpmath.sqrt,
    "rsqrt": lambda x: 1 / mpmath.sqrt(x),
    "cbrt": mpmath.cbrt,
    "exp": mpmath.exp,
    "exp2": lambda x: mpmath.mpf(2) ** x,
    "expm1": mpmath.expm1,
    "log": mpmath.log,
    "log1p": mpmath.log1p,
    "sin": mpmath.sin,
    "cos": mpmath.cos,
    "tan": mpmath.tan,
    "asin": mpmath.asin,
    "acos": mpmath.acos,
    "atan": mpmath.atan,
    "sinh": mpmath.sinh,
    "cosh": mpmath.cosh,
    "tanh": mpmath.tanh,
    "asinh": mpmath.asinh,
    "acosh": mpmath.acosh,
    "atanh": mpmath.atanh,
    "logistic": lambda x: 1 / (1 + mpmath.exp(-x)),
    "erf": mpmath.erf,
    "erfc": mpmath.erfc,
    "erf_inv": mpmath.erfinv,
    "lgamma": mpmath.loggamma,
    "digamma": mpmath.digamma,
    "square": lambda x: x * x,
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", MPMATH)
def test_accuracy(name, dtype):
    row = catalogue[name]
    low, high = row.domain.intervals[0]
    x = np.linspace(low, high, 97).astype(dtype)
    eps = np.finfo(dtype).eps
    with mpmath.workdps(40):
        exact = [MPMATH[name](mpmath.mpf(float(v))) for v in x]
        for how in (row, xform.jit(row)):
            got = to_numpy(how(x))
            for v, y, z in zip(x, got, exact, strict=True):
                error = abs(mpmath.mpf(float(y)) - z)
                assert error <= row.ulp * eps * max(abs(z), eps), f"{name}({v!r}) = {y!r}"


def test_logistic_keeps_digits_far_out():
    x = np.float32(-100.0)
    assert to_numpy(ew.logistic(x)) == np.float32(np.exp(-100.0))


# -- integers -------------------------------------------------------------------------------------

LOWEST = np.iinfo(np.int32).min
NUMBERS = np.array([7, -7, 5, -5, LOWEST, 0], np.int32)


@pytest.mark.parametrize(
    ("divisor", "quotients", "remainders"),
    [
        (0, [-1] * 6, NUMBERS),
        (-1, [-7, 7, -5, 5, LOWEST, 0], [0] * 6),
        (2, [3, -3, 2, -2, LOWEST // 2, 0], [1, -1, 1, -1, 0, 0]),
    ],
)
@pytest.mark.parametrize("transform", [lambda f: f, xform.jit], ids=["eager", "jit"])
def test_integer_division(transform, divisor, quotients, remainders):
    y = np.full(6, divisor, np.int32)
    assert np.array_equal(transform(ew.div)(NUMBERS, y), quotients)
    assert np.array_equal(transform(ew.rem)(NUMBERS, y), remainders)


def test_unsigned_division_by_zero():
    x, y = np.array([3], np.uint8), np.array([0], np.uint8)
    assert np.array_equal(ew.div(x, y), [255])
    assert np.array_equal(ew.rem(x, y), [3])


@pytest.mark.parametrize("transform", [lambda f: f, xform.jit], ids=["eager", "jit"])
def test_shifts_by_any_amount(transform):
    x, amounts = np.full(5, -7, np.int32), np.array([-1, 0, 31, 32, 33], np.int32)
    assert np.array_equal(transform(ew.shift_left)(x, amounts), [0, -7, LOWEST, 0, 0])
    assert np.array_equal(transform(ew.shift_right_arithmetic)(x, amounts), [-1, -7, -1, -1, -1])
    assert np.array_equal(transform(ew.shift_right_logical)(x, amounts), [0, -7, 1, 0, 0])
    unsigned = np.array([200], np.uint8), np.array([1], np.uint8)
    assert np.array_equal(transform(ew.shift_right_arithmetic)(*unsigned), [228])


@pytest.mark.parametrize("transform", [lambda f: f, xform.jit], ids=["eager", "jit"])
@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64", "uint8", "uint64"])
def test_counts_of_bits(transform, dtype):
    width = 8 * np.dtype(dtype).itemsize
    x = np.array([0, 1, 6, np.iinfo(dtype).max], dtype)
    top = width if np.iinfo(dtype).min == 0 else width - 1
    assert np.array_equal(transform(ew.population_count)(x), [0, 1, 2, top])
    assert np.array_equal(transform(ew.clz)(x), [width, width - 1, width - 3, width - top])


def test_clz_counts_each_half_of_64_bits():
    x = np.array([1 << k for k in range(64)], np.uint64)
    assert np.array_equal(ew.clz(x), np.arange(63, -1, -1))
    assert np.array_equal(ew.clz(x - np.uint64(1)), np.arange(64, 0, -1))


# -- bits of floats -------------------------------------------------------------------------------


@pytest.mark.parametrize("transform", [lambda f: f, xform.jit], ids=["eager", "jit"])
@pytest.mark.parametrize(("short", "bits"), [(np.float16, (5, 10)), (ml_dtypes.bfloat16, (8, 7))])
def test_reduce_precision_is_a_cast_there_and_back(transform, short, bits):
    rng = np.random.default_rng(0)
    x = (rng.uniform(-2, 2, 500) * 2.0 ** rng.integers(-4, 14, 500)).astype(np.float32)
    x = np.concatenate([x, np.float32([0.0, -0.0, np.inf, -np.inf, np.nan, 65519, 65520, 1e30])])
    reduce = partial(ew.reduce_precision, exponent_bits=bits[0], mantissa_bits=bits[1])
    with np.errstate(over="ignore"):
        wanted = x.astype(short).astype(np.float32)
    got = to_numpy(transform(reduce)(x))
    assert np.array_equal(got.view(np.uint32), wanted.view(np.uint32))


def test_reduce_precision_drops_numbers_below_normal():
    x = np.float32([-1e-7, -1e-40, 2.0**-14, 2.0**-15])
    got = to_numpy(ew.reduce_precision(x, exponent_bits=5, mantissa_bits=10))
    assert np.array_equal(got, [-0.0, -0.0, 2.0**-14, 0.0])
    assert np.signbit(got[:2]).all()


def test_extrema_order_zeros_and_keep_nan():
    x, y = np.float32([0.0, -0.0, np.nan, 1.0]), np.float32([-0.0, 0.0, 1.0, np.nan])
    for transform in (lambda f: f, xform.jit):
        high, low = to_numpy(transform(ew.max_)(x, y)), to_numpy(transform(ew.min_)(x, y))
        assert not np.signbit(high[:2]).any()
        assert np.signbit(low[:2]).all()
        assert np.isnan(high[2:]).all()
        assert np.isnan(low[2:]).all()


def test_argmax_finds_the_first_nan():
    x = np.float32([1.0, np.nan, 3.0, np.nan])
    for transform in (lambda f: f, xform.jit):
        for row in (reduction.argmax, reduction.argmin):
            assert int(transform(partial(row, axes=(0,), index_dtype=np.dtype("int32")))(x)) == 1


def test_extrema_of_nothing_are_identities():
    x = np.zeros((0, 2), np.float32)
    assert np.array_equal(reduction.reduce_max(x, axes=(0,)), [-np.inf, -np.inf])
    assert np.array_equal(reduction.reduce_min(x.astype(np.int32), axes=(0,)), [2**31 - 1] * 2)


# -- types and refusals ---------------------------------------------------------------------------


def test_results_of_weak_operands_are_weak():
    assert ew.mul(2.0, 3.0).weak_type
    assert not ew.mul(np.float64(2.0), 3.0).weak_type
    assert not ew.lt(2.0, 3.0).weak_type


REFUSED = (
    (lambda: ew.sin(np.int32(1)), errors.DtypeError),
    (lambda: ew.sub(np.float32(1), np.float64(1)), errors.DtypeError),
    (lambda: ew.mul(np.ones(2), np.ones(3)), errors.ShapeError),
    (lambda: ew.mul(True, True), errors.DtypeError),
    (lambda: ew.and_(np.float32(1), np.float32(1)), errors.DtypeError),
    (lambda: special.erf(np.complex64(1)), errors.DtypeError),
    (lambda: ew.integer_pow(np.int32(2), y=-1), errors.ArgumentError),
    (lambda: ew.pow_(np.float32(2), np.float64(1)), errors.DtypeError),
    (lambda: ew.pow_(np.int32(2), np.int32(1)), errors.DtypeError),
    (lambda: ew.clamp(np.zeros(3), np.zeros(2), np.float64(1)), errors.ShapeError),
    (lambda: ew.complex_(np.float16(1), np.float16(1)), errors.DtypeError),
    (lambda: ew.bitcast_convert_type(np.float32(1), new_dtype="int64"), errors.DtypeError),
    (lambda: reduction.reduce_max(np.complex64(1), axes=()), errors.DtypeError),
    (lambda: reduction.argmax(np.ones((0,)), axes=(0,), index_dtype="int32"), errors.ShapeError),
    (
        lambda: reduction.argmax(np.ones((2, 2)), axes=(0, 1), index_dtype="int32"),
        errors.ArgumentError,
    ),
    (lambda: reduction.reduce_prod(np.ones(2), axes=(1,)), errors.AxisError),
    (lambda: cumulative.cumsum(np.ones(2), axis=-1, reverse=False), errors.AxisError),
)


@pytest.mark.parametrize(("call", "error"), REFUSED)
def test_refusals(call, error):
    with pytest.raises(error):
        call()


def test_the_order_of_polygamma_has_no_derivative():
    one = np.float64(1)
    with pytest.raises(errors.GradError):
        xform.grad(lambda m: special.polygamma(m, one))(one)


def test_scipy_is_imported_at_first_use():
    program = "import sys, xform.ops.special; print('scipy.special' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr


@pytest.mark.parametrize("row", [ew.sin, ew.is_finite, ew.mul, ew.max_], ids=str)
def test_compiled_on_nothing(row):
    x = np.zeros((0, 3), np.float32)
    arity = 2 if row in (ew.mul, ew.max_) else 1
    assert xform.jit(row)(*[x] * arity).shape == (0, 3)
