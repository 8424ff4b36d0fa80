"""Taylor mode: against forward mode for every operator, against closed forms, and its cost."""

import importlib
import math
import pkgutil
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import xform
import xform.numpy as xnp
from tests import laws
from tests.law_examples import double_examples, floats
from xform import errors, higher_order, lax, nn, ops, tree
from xform.config import config
from xform.core.primitive import Zero, catalogue
from xform.experimental.jet import jet
from xform.interpreters.forward import instantiate, jvp_flat
from xform.interpreters.taylor import jet_flat

for _package in (ops, higher_order):
    for _module in pkgutil.iter_modules(_package.__path__, _package.__name__ + "."):
        importlib.import_module(_module.name)


@pytest.fixture(autouse=True)
def _double() -> Iterator[None]:
    with config.scoped(enable_x64=True, cache_dir=""):
        yield


RNG = np.random.default_rng(0)


def assert_close(found: Any, wanted: Any, rtol: float = 1e-11) -> None:
    found, wanted = np.asarray(found), np.asarray(wanted)
    size = max(1.0, float(np.max(np.abs(wanted), initial=0.0)))
    np.testing.assert_allclose(found, wanted, rtol=rtol, atol=rtol * size)


def nested(function, primals, series, order):
    """Derivatives of orders 0 to `order` along the curve, by forward mode of forward mode."""

    def curve(s):
        moved = [
            p + sum(t * s**k * (1 / math.factorial(k)) for k, t in enumerate(terms, 1))
            for p, terms in zip(primals, series, strict=True)
        ]
        return function(*moved)

    results = [curve]
    for _ in range(order):
        results.append(lambda s, f=results[-1]: derivative(f, s))
    return [r(xnp.asarray(0.0)) for r in results]


def derivative(f, s):
    outs, tangents = jvp_flat(lambda z: f(z), (s,), (xnp.asarray(1.0),))
    return [
        instantiate(t) if floats(y) else np.zeros(np.shape(y))
        for y, t in zip(outs, tangents, strict=True)
    ]


# -- every operator -----------------------------------------------------------------------------

# Forward mode of these is refused, so series are.
REVERSE_ONLY = {"custom_vjp_call", "custom_tangents"}
ROWS = sorted(
    (r for r in catalogue if laws.differentiable(r) and r.name not in REVERSE_ONLY),
    key=lambda row: row.name,
)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_every_operator(row):
    order = 3
    for example in double_examples(row):
        if any(np.iscomplexobj(x) for x in example.inputs):
            continue
        rng = np.random.default_rng(1)
        at = [example.inputs[k] for k in example.movable()]
        series = [[laws.random_like(rng, x) for _ in range(order)] for x in at]

        def function(*moving: Any, example: Any = example) -> list[Any]:
            return laws.on_inexact(example, moving)

        try:
            wanted = nested(function, at, series, order)
        except errors.GradError as error:
            with pytest.raises(type(error)):
                jet_flat(function, at, series, order)
            continue
        outs, terms = jet_flat(function, at, series, order)
        for j, y in enumerate(outs):
            np.testing.assert_array_equal(np.asarray(y), np.asarray(wanted[0][j]))
            for k, t in enumerate(terms[j], 1):
                if isinstance(t, Zero):
                    t = np.zeros(np.shape(y))
                assert_close(t, wanted[k][j], rtol=1e-9)


# -- functions, to order six, against forward mode -----------------------------------------------

X = np.array([0.3, 0.7, 1.2])
M = RNG.uniform(-1, 1, (3, 3))

FUNCTIONS = {
    "sin": (xnp.sin, (X,)),
    "exp": (xnp.exp, (X,)),
    "tanh": (xnp.tanh, (X,)),
    "logistic": (nn.sigmoid, (X,)),
    "power": (lambda x, y: x**y, (X, X[::-1])),
    "integer power": (lambda x: x**5 + x**-3, (X,)),
    "division": (lambda x, y: xnp.sin(x) / (1 + y * y), (X, X[::-1])),
    "matmul": (lambda x, y: x @ y @ x, (M, M.T)),
    "softmax": (nn.softmax, (X,)),
    "logsumexp": (nn.logsumexp, (X,)),
    "reductions": (lambda x: (xnp.prod(x), xnp.max(x), xnp.mean(x), xnp.var(x)), (X,)),
    "cumulative": (lambda x: (xnp.cumsum(x), xnp.cumprod(x)), (X,)),
    "gather": (lambda x: xnp.exp(x[np.array([2, 0, 2])]) * x[1], (X,)),
    "scatter": (lambda x: x.at[np.array([0, 0])].add(x[:2] ** 2), (X,)),
    "where": (lambda x: xnp.where(x > 0.5, xnp.sin(x), x * x), (X,)),
    "sort": (lambda x: xnp.sort(x * x - x), (X,)),
    "arctan2": (xnp.arctan2, (X, X[::-1])),
    "erf": (lax.erf, (X,)),
    "sqrt of log": (lambda x: xnp.sqrt(xnp.log(2 + x)), (X,)),
    "jit": (xform.jit(lambda x: xnp.sin(x) * x), (X,)),
    "checkpoint": (xform.checkpoint(lambda x: xnp.sin(x) * x), (X,)),
    "gradient": (xform.grad(lambda x: xnp.sum(xnp.tanh(x) ** 2)), (X,)),
    "vmap": (xform.vmap(lambda x: xnp.exp(x) / x), (X,)),
    "relu": (lambda x: nn.relu(x - 0.5), (X,)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_to_order_six(name):
    function, primals = FUNCTIONS[name]
    order = 6
    series = [[RNG.uniform(-1, 1, np.shape(p)) for _ in range(order)] for p in primals]
    value, terms = jet(function, primals, [list(s) for s in series])
    wanted = nested(lambda *xs: tree.leaves(function(*xs)), primals, series, order)
    leaves = tree.leaves(value)
    flat = [terms] if len(leaves) == 1 else list(terms)
    for j, (y, ts) in enumerate(zip(leaves, flat, strict=True)):
        assert_close(y, wanted[0][j])
        assert len(ts) == order
        for k, t in enumerate(ts, 1):
            assert_close(t, wanted[k][j], rtol=1e-10)
    jitted_value, jitted = xform.jit(lambda p, s: jet(function, p, s))(primals, series)
    for x, y in zip(tree.leaves((jitted_value, jitted)), tree.leaves((value, terms)), strict=True):
        assert_close(x, y, rtol=1e-10)


# -- closed forms --------------------------------------------------------------------------------


def along_a_line(function, x, order, direction=1.0):
    terms = [np.asarray(direction)] + [np.zeros(())] * (order - 1)
    return jet(function, (x,), (terms,))[1]


CLOSED = {
    "exp": (xnp.exp, 0.5, lambda k, x: math.exp(x)),
    "sin": (xnp.sin, 0.5, lambda k, x: math.sin(x + k * math.pi / 2)),
    "reciprocal": (lambda x: 1 / x, 2.0, lambda k, x: (-1) ** k * math.factorial(k) / x ** (k + 1)),
    "log": (xnp.log, 2.0, lambda k, x: (-1) ** (k - 1) * math.factorial(k - 1) / x**k),
    "geometric": (lambda x: 1 / (1 - x), 0.0, lambda k, x: math.factorial(k)),
    "sqrt": (
        lambda x: xnp.sqrt(x),
        1.0,
        lambda k, x: math.prod(0.5 - j for j in range(k)),
    ),
    "power": (lambda x: x**2.5, 1.0, lambda k, x: math.prod(2.5 - j for j in range(k))),
}


@pytest.mark.parametrize("name", CLOSED)
def test_closed_forms_to_order_ten(name):
    function, x, wanted = CLOSED[name]
    for k, t in enumerate(along_a_line(function, x, 10), 1):
        np.testing.assert_allclose(t, wanted(k, x), rtol=1e-12)


def test_polynomials_end():
    terms = along_a_line(lambda x: x**3 - 2 * x, 2.0, 6)
    assert [float(t) for t in terms] == [10.0, 12.0, 6.0, 0.0, 0.0, 0.0]


def test_coefficients_instead_of_derivatives():
    value, terms = jet(xnp.exp, (0.0,), ([1.0, 0.0, 0.0, 0.0],), factorial_scaled=False)
    assert float(value) == 1.0
    np.testing.assert_allclose(terms, [1 / math.factorial(k) for k in range(1, 5)], rtol=1e-15)
    curve = [0.5, -1.0, 2.0]
    scaled = [t * math.factorial(k) for k, t in enumerate(curve, 1)]
    _, wanted = jet(xnp.sin, (0.3,), (scaled,))
    _, found = jet(xnp.sin, (0.3,), (curve,), factorial_scaled=False)
    for k, (x, y) in enumerate(zip(found, wanted, strict=True), 1):
        np.testing.assert_allclose(x, y / math.factorial(k), rtol=1e-14)


# -- composition, control flow -------------------------------------------------------------------


def test_series_under_other_transformations():
    def third(x):
        return along_a_line(xnp.sin, x, 3)[2]

    assert_close(third(0.4), -np.cos(0.4))
    assert_close(xform.grad(third)(0.4), np.sin(0.4))
    assert_close(xform.vmap(third)(X), -np.cos(X))
    assert_close(xform.jit(xform.vmap(xform.grad(third)))(X), np.sin(X))
    # A series of series: the second derivative of the third one.
    assert_close(along_a_line(third, 0.4, 2)[1], np.cos(0.4))


def test_perturbations_of_series_are_not_confused():
    def inner(x):
        return x * along_a_line(lambda y: x * y * y, 1.0, 2)[1]  # x * 2 x

    assert_close(along_a_line(inner, 3.0, 2), [12.0, 4.0])


def test_control_flow_of_python_in_series():
    f = lambda x: x**3 if x > 0 else x  # noqa: E731
    assert [float(t) for t in along_a_line(f, 2.0, 3)] == [12.0, 12.0, 6.0]
    assert [float(t) for t in along_a_line(f, -2.0, 3)] == [1.0, 0.0, 0.0]


def test_custom_derivatives_are_used_in_series():
    f = xform.custom_jvp(xnp.sin)
    f.defjvp(lambda p, t: (f(*p), 10 * xnp.cos(p[0]) * t[0]))
    for wrap in (lambda g: g, xform.jit):
        terms = along_a_line(wrap(f), 0.3, 3)
        assert_close(terms[0], 10 * np.cos(0.3))
        assert_close(terms[1], -10 * np.sin(0.3))
    g = xform.custom_vjp(xnp.sin)
    g.defvjp(lambda x: (g(x), x), lambda x, ct: (ct,))
    with pytest.raises(errors.GradError, match="reverse"):
        along_a_line(g, 0.3, 2)


def test_roots_have_series():
    def halve(f, x):
        for _ in range(12):
            value, slope = xform.jvp(f, (x,), (1.0,))
            x = x - value / slope
        return x

    f = lambda c: lax.custom_root(lambda x: x**2 - c, 1.0, halve, lambda g, y: y / g(1.0))  # noqa: E731
    found = along_a_line(f, 2.0, 4)
    wanted = [math.prod(0.5 - j for j in range(k)) * 2.0 ** (0.5 - k) for k in range(1, 5)]
    np.testing.assert_allclose(found, wanted, rtol=1e-10)


def test_results_that_do_not_move():
    value, terms = jet(lambda x: {"n": xnp.argmax(x), "c": 3.0, "x": x}, (X,), ([X, X],))
    assert int(value["n"]) == 2
    assert float(terms["c"][0]) == 0.0
    assert_close(terms["x"][1], X)


def test_long_programs_need_no_deep_stack():
    def f(x):
        for _ in range(3000):
            x = x + 1e-3 * x * (1 - x)
        return x

    assert_close(along_a_line(f, 0.5, 1)[0], xform.jvp(f, (0.5,), (1.0,))[1])


# -- cost ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["tanh", "logistic", "division", "softmax", "power", "where", "erf", "arctan2"]
)
def test_the_cost_is_a_polynomial_in_the_order(name):
    """Doubling the order multiplies the program by at most 2^4, where forward mode squares it."""
    function, primals = FUNCTIONS[name]

    def size(order):
        series = [[np.ones(np.shape(p))] * order for p in primals]
        return len(xform.make_jaxpr(lambda p, s: jet(function, p, s))(primals, series).eqns)

    sizes = [size(k) for k in (4, 8, 16)]
    assert sizes[1] <= 16 * sizes[0]
    assert sizes[2] <= 16 * sizes[1]


def test_the_cost_is_linear_in_the_length_of_the_program():
    def size(n):
        def f(x):
            for _ in range(n):
                x = xnp.sin(x) * x
            return x

        return len(xform.make_jaxpr(lambda x: along_a_line(f, x, 5))(0.5).eqns)

    assert size(8) - size(4) == 2 * (size(4) - size(2))


# -- wrong arguments -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "primals, series, kind",
    [
        (1.0, ([1.0],), errors.ArgumentError),
        ((1.0,), ([1.0], [1.0]), errors.ArgumentError),
        ((1.0, 2.0), ([1.0], [1.0, 0.0]), errors.ArgumentError),
        ((X,), ([1.0],), errors.ShapeError),
        ((1.0,), ([1.0j],), errors.DtypeError),
        ((X,), ([X.astype(np.float32)],), errors.DtypeError),
        ((1,), ([1.0],), errors.GradError),
    ],
)
def test_wrong_series(primals, series, kind):
    with pytest.raises(kind):
        jet(lambda *x: x[0], primals, series)


# -- loops and branches ---------------------------------------------------------------------------


def test_series_through_scan():
    f = lambda x: lax.scan(lambda c, _: (xnp.sin(c) * x + c, c), x, None, length=4)  # noqa: E731

    def unrolled(x):
        c, out = x, []
        for _ in range(4):
            out.append(c)
            c = xnp.sin(c) * x + c
        return c, xnp.stack(out)

    for order in (1, 3):
        terms = [np.ones(())] + [np.full((), 0.3)] * (order - 1)
        found, wanted = jet(f, (0.5,), (terms,)), jet(unrolled, (0.5,), (terms,))
        for x, y in zip(tree.leaves(found), tree.leaves(wanted), strict=True):
            assert_close(x, y, rtol=1e-11)


def test_series_through_while_and_cond():
    def f(x):
        y = lax.while_loop(lambda s: s[0] < 3, lambda s: (s[0] + 1, s[1] * x), (0, x))[1]
        return lax.cond(y > 0, lambda y: y * y, lambda y: -y, y)

    found = along_a_line(f, 1.5, 3)
    assert_close(found, [8 * 1.5**7, 56 * 1.5**6, 336 * 1.5**5])
    assert_close(along_a_line(xform.jit(f), 1.5, 3), found)
