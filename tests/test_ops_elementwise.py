"""Elementwise, special, reducing and cumulative operators: accuracy, derivatives, integers, bits."""

import json
from functools import partial
from pathlib import Path

import ml_dtypes
import mpmath
import numpy as np
import pytest

import xform
from xform import errors
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
