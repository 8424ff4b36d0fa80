"""Derivatives of integers, of complex numbers, by part of the arguments; Jacobians in chunks."""

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import xform
import xform.numpy as xnp
from tests import laws
from tests.law_examples import accepted, examples
from xform import errors, higher_order, lax, ops, tree
from xform.config import config
from xform.core.primitive import catalogue

for _package in (ops, higher_order):
    for _module in pkgutil.iter_modules(_package.__path__, _package.__name__ + "."):
        importlib.import_module(_module.name)


@pytest.fixture(autouse=True)
def _double() -> Iterator[None]:
    with config.scoped(enable_x64=True, cache_dir=""):
        yield


def assert_close(found: Any, wanted: Any) -> None:
    assert tree.structure(found) == tree.structure(wanted)
    for x, y in zip(tree.leaves(found), tree.leaves(wanted), strict=True):
        np.testing.assert_allclose(np.asarray(x), np.asarray(y), rtol=1e-12, atol=1e-12)


X = np.array([0.5, -1.0, 2.0])
NO_TANGENT = np.zeros((), xform.float0)


# -- complex numbers ----------------------------------------------------------------------------


def complex_examples(row):
    for example in examples(row, "complex128"):
        if not any(np.iscomplexobj(x) for x in example.inputs):
            continue
        # Rows that draw their own draw real numbers.
        inputs = [
            x + 0.25j * np.roll(x.reshape(-1), 1).reshape(x.shape)
            if np.iscomplexobj(x) and not x.imag.any()
            else x
            for x in example.inputs
        ]
        changed = example.with_inputs(inputs)
        if accepted(changed) and changed.movable():
            yield changed


def complex_rows():
    with config.scoped(enable_x64=True):
        for row in sorted(catalogue, key=lambda row: row.name):
            if laws.differentiable(row) and any(True for _ in complex_examples(row)):
                yield row


COMPLEX_ROWS = list(complex_rows())


@pytest.mark.parametrize("row", COMPLEX_ROWS, ids=str)
def test_derivatives_of_complex_operators(row):
    """In every real direction of the complex plane; the pullback is their transpose."""
    for example in complex_examples(row):
        laws.check_forward_of(example)
        laws.check_adjoint_of(example)


def test_many_operators_are_complex():
    assert {"abs", "div", "dot_general", "pow", "real", "sort", "tanh"} <= {
        row.name for row in COMPLEX_ROWS
    }


# The real part of a function is differentiated; the gradient is that of JAX: du/dx - i du/dy.
CONVENTIONS = {
    "abs": (
        xnp.abs,
        {1 + 2j: 0.4472135954999579 - 0.8944271909999159j, 0j: 0j, -1 + 0j: -1 + 0j},
    ),
    "real": (xnp.real, {1 + 2j: 1 + 0j, 0j: 1 + 0j, -1 + 0j: 1 + 0j}),
    "imag": (xnp.imag, {1 + 2j: -1j, 0j: -1j, -1 + 0j: -1j}),
    "conj_real": (
        lambda z: xnp.real(z * xnp.conj(z)),
        {1 + 2j: 2 - 4j, 0j: 0j, -1 + 0j: -2 + 0j},
    ),
    "angle": (xnp.angle, {1 + 2j: -0.4 - 0.2j, -1 + 0j: 1j}),
    "sin_real": (
        lambda z: xnp.real(xnp.sin(z)),
        {1 + 2j: 2.0327230070196656 - 3.0518977991518j, 0j: 1 + 0j, -1 + 0j: 0.5403023058681398},
    ),
}


@pytest.mark.parametrize("name", CONVENTIONS)
@pytest.mark.parametrize("wrap", [lambda f: f, xform.jit], ids=["eager", "jit"])
def test_gradients_of_real_functions_of_complex_numbers(name, wrap):
    function, points = CONVENTIONS[name]
    for z, wanted in points.items():
        found = wrap(xform.grad(function))(np.complex128(z))
        np.testing.assert_allclose(found, wanted, rtol=1e-13, atol=1e-15)


def test_holomorphic_derivatives_agree_in_both_modes():
    z = np.array([0.5 + 1.5j, -1 + 0.25j])
    f = lambda w: xnp.sin(w) * w**3  # noqa: E731
    wanted = np.diag(np.cos(z) * z**3 + np.sin(z) * 3 * z**2)
    for jacobian in (xform.jacfwd, xform.jacrev):
        assert_close(jacobian(f, holomorphic=True)(z), wanted)
        with pytest.raises(errors.GradError, match="complex outputs"):
            jacobian(xnp.real, holomorphic=True)(z)
    second = xform.hessian(lambda w: xnp.sum(w**3), holomorphic=True)(z)
    assert_close(second, np.diag(6 * z))
    assert_close(xform.grad(lambda w: xnp.sum(f(w)), holomorphic=True)(z), wanted.sum(0))


def test_jacrev_takes_complex_inputs_of_real_functions():
    z = np.array([0.5 + 1.5j, -1 + 0.25j])
    assert_close(xform.jacrev(lambda w: xnp.abs(w) ** 2)(z), np.diag(2 * np.conj(z)))
    with pytest.raises(errors.GradError, match="real inputs"):
        xform.jacfwd(lambda w: xnp.abs(w) ** 2)(z)


def test_steepest_ascent_of_a_complex_function():
    """The conjugate of the gradient points uphill."""
    f = lambda z: xnp.abs(z - (1 + 2j)) ** 2  # noqa: E731
    z = np.complex128(3 - 1j)
    for _ in range(60):
        z = z - 0.25 * np.conj(np.asarray(xform.grad(f)(z)))
    np.testing.assert_allclose(z, 1 + 2j, rtol=1e-12)


# -- integers and booleans ----------------------------------------------------------------------


def test_integers_have_tangents_of_float0():
    f = lambda x, i, b: (xnp.where(b, x * i, x), i + 1)  # noqa: E731
    value, slope = xform.jvp(f, (2.0, 3, True), (1.0, NO_TANGENT, NO_TANGENT))
    assert_close((value[0], slope[0]), (np.float64(6.0), np.float64(3.0)))
    assert slope[1].dtype == xform.float0
    value, pullback = xform.vjp(f, 2.0, 3, True)
    cts = pullback((1.0, NO_TANGENT))
    assert float(cts[0]) == 3.0
    assert [np.asarray(ct).dtype for ct in cts[1:]] == [xform.float0] * 2


def test_integers_in_pytrees_with_allow_int():
    params = {"w": X, "n": np.int32(2), "mask": np.array([True, False, True])}
    loss = lambda p: xnp.sum(p["w"] ** p["n"] * p["mask"])  # noqa: E731
    for wrap in (lambda f: f, xform.jit):
        found = wrap(xform.grad(loss, allow_int=True))(params)
        assert_close(found["w"], 2 * X * params["mask"])
        assert found["n"].dtype == found["mask"].dtype == xform.float0
        assert found["mask"].shape == (3,)
    with pytest.raises(errors.GradError, match="allow_int"):
        xform.grad(loss)(params)


@pytest.mark.parametrize("tangent", [0, 1, 1.0, np.float64(0)])
def test_tangents_of_integers_are_not_numbers(tangent):
    """A tangent of one for an integer was taken for zero."""
    with pytest.raises(errors.DtypeError, match="float0"):
        xform.jvp(lambda x, i: x * i, (2.0, 3), (1.0, tangent))
    with pytest.raises(errors.DtypeError, match="float0"):
        xform.linearize(lambda x, i: x * i, 2.0, 3)[1](1.0, tangent)


def test_jacobians_of_integers_are_zero():
    i = np.arange(3)
    found = xform.jacrev(lambda x, i: x * i, argnums=(0, 1), allow_int=True)(X, i)
    assert_close(found, (np.diag(i.astype(float)), np.zeros((3, 3), int)))
    assert found[1].dtype == i.dtype
    assert xform.jacfwd(lambda x: x.astype("int32"))(X).dtype == np.int32


def test_float0_goes_through_transformations():
    f = xform.jit(lambda x, i: x * i)
    both = xform.jit(lambda x, i: xform.jvp(f, (x, i), (1.0, NO_TANGENT))[1])
    assert float(both(2.0, 3)) == 3.0
    mapped = xform.vmap(xform.grad(f, (0, 1), allow_int=True))(X, np.arange(3))
    assert_close(mapped[0], np.arange(3.0))
    assert mapped[1].dtype == xform.float0
    assert mapped[1].shape == (3,)


# -- what is not asked for costs nothing --------------------------------------------------------


def operators(program: Any) -> list[str]:
    return [e.primitive.name for e in program.eqns]


def test_gradients_by_one_argument_know_nothing_of_the_others():
    def f(x, y, z):
        return xnp.sum(xnp.sin(x) * xnp.exp(xnp.cos(y)) + xnp.tanh(z))

    by_x = operators(xform.make_jaxpr(xform.grad(f, 0))(X, X, X))
    assert "sin" not in by_x, "the derivative of cos"
    assert "tanh" not in by_x
    alone = operators(xform.make_jaxpr(xform.grad(lambda x: f(x, X, X)))(X))
    assert len(alone) <= len(by_x)
    by_z = operators(xform.make_jaxpr(xform.grad(f, 2))(X, X, X))
    assert not {"sin", "cos", "exp"} & set(by_z)


def test_a_zero_tangent_writes_nothing():
    def tangent_only(x, y):
        return xform.jvp(lambda x: xnp.sum(x * y) + xnp.sum(xnp.exp(y)), (x,), (x,))[1]

    found = operators(xform.make_jaxpr(tangent_only)(X, X))
    assert found == ["mul", "reduce_sum"]
    unused = xform.make_jaxpr(lambda x, y: xform.jvp(lambda x, y: x * 2.0, (x, y), (x, y))[1])
    assert operators(unused(X, X)).count("mul") == 1


@pytest.mark.parametrize("wrap", [xform.jit, xform.checkpoint, lambda f: xform.vmap(f)])
def test_zeros_stay_zeros_within_calls(wrap):
    inner = wrap(lambda x, y: (x * 2.0, xnp.exp(y)))
    program = xform.make_jaxpr(xform.grad(lambda x, y: xnp.sum(inner(x, y)[0]), 0))(X, X)
    assert "exp" not in str(program)


# -- Jacobians in chunks ------------------------------------------------------------------------


def field(p):
    return {"a": xnp.outer(p["x"], p["y"]), "b": xnp.sum(p["x"]) * p["y"] ** 2}


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7])
@pytest.mark.parametrize("jacobian", [xform.jacfwd, xform.jacrev])
def test_chunks_change_nothing(jacobian, size):
    p = {"x": X, "y": X[:2]}
    wanted = jacobian(field)(p)
    assert_close(jacobian(field, chunk_size=size)(p), wanted)
    assert_close(xform.jit(jacobian(field, chunk_size=size))(p), wanted)
    pairs = (lambda x, y: xnp.outer(x, y), lambda x: (x * x, {"n": x[0]}))
    assert_close(
        jacobian(pairs[0], (0, 1), chunk_size=size)(X, X[:2]), jacobian(pairs[0], (0, 1))(X, X[:2])
    )
    found, aux = jacobian(pairs[1], has_aux=True, chunk_size=size)(X)
    assert_close((found, aux["n"]), (np.diag(2 * X), X[0]))


def test_a_chunk_bounds_what_is_batched():
    seen = []

    def f(x):
        seen.append(1)
        return xnp.sin(x) * x

    x = np.linspace(0, 1, 10)
    program = xform.make_jaxpr(xform.jacfwd(f, chunk_size=4))(x)
    assert len(seen) == 3
    sizes = {v.aval.size for e in program.eqns for v in e.outputs if e.primitive.name == "mul"}
    assert max(sizes) == 40
    seen.clear()
    xform.jacrev(f, chunk_size=4)(x)
    assert len(seen) == 1


def test_hessians_in_chunks():
    f = lambda x, y: xnp.sum(xnp.sin(x) * x) * y**2  # noqa: E731
    wanted = xform.hessian(f, (0, 1))(X, 2.0)
    for size in (1, 2, 3):
        assert_close(xform.hessian(f, (0, 1), chunk_size=size)(X, 2.0), wanted)
    second, aux = xform.hessian(lambda x: (f(x, 1.0), x[0]), has_aux=True, chunk_size=2)(X)
    assert_close((second, aux), (wanted[0][0] / 4, X[0]))


@pytest.mark.parametrize("size", [0, -1, 1.5, "all"])
def test_wrong_chunk_sizes(size):
    for jacobian in (xform.jacfwd, xform.jacrev, xform.hessian):
        with pytest.raises(errors.ArgumentError, match="chunk_size"):
            jacobian(xnp.sin, chunk_size=size)


# -- arguments ----------------------------------------------------------------------------------

EVERY = (xform.grad, xform.value_and_grad, xform.jacfwd, xform.jacrev, xform.hessian)


@pytest.mark.parametrize("transform", EVERY)
@pytest.mark.parametrize("argnums", [(), "x", 1.0, (0, "x"), None])
def test_wrong_argnums(transform, argnums):
    with pytest.raises(errors.ArgumentError, match="argnums"):
        transform(lambda x: x, argnums)


@pytest.mark.parametrize("transform", EVERY)
def test_argnums_name_arguments_once(transform):
    for argnums in ((0, 0), (0, -2)):
        with pytest.raises(errors.ArgumentError, match="once"):
            transform(lambda x, y: x, argnums)(1.0, 2.0)
    with pytest.raises(errors.ArgumentError, match="function"):
        transform(3.0)


# -- pullbacks are values -----------------------------------------------------------------------


def test_pullbacks_and_pushforwards_are_pytrees():
    scale = xform.jit(lambda pull, ct: pull(ct))
    forward = xform.jit(lambda x: xform.vjp(lambda x: xnp.sin(x) * x, x))
    value, pullback = forward(X)
    assert_close(value, np.sin(X) * X)
    wanted = np.cos(X) * X + np.sin(X)
    assert_close(scale(pullback, np.ones(3)), (wanted,))
    _, push = xform.jit(lambda x: xform.linearize(lambda x: xnp.sin(x) * x, x))(X)
    assert_close(xform.jit(lambda p, t: p(t))(push, np.ones(3)), wanted)
    assert all(leaf.shape == (3,) for leaf in tree.leaves(pullback))


@pytest.mark.parametrize("jitted", [True, False])
def test_fwd_and_bwd(jitted):
    def f(w, x, scale=1.0):
        return {"y": xnp.sin(x @ w) * scale}, x.shape[0]

    w, x = np.outer(X, X), np.stack([X, 2 * X])
    fwd, bwd = xform.fwd_and_bwd(f, argnums=(0, 1), has_aux=True, jitted=jitted)
    value, kept, aux = fwd(w, x, scale=2.0)
    assert int(aux) == 2
    ct = {"y": np.ones((2, 3))}
    wanted_value, pullback, _ = xform.vjp(lambda w, x: f(w, x, 2.0), w, x, has_aux=True)
    assert_close(value, wanted_value)
    assert_close(bwd(kept, ct), pullback(ct))
    _, single = xform.fwd_and_bwd(lambda x: x * x, argnums=0, jitted=jitted)
    _y, kept = xform.fwd_and_bwd(lambda x: x * x, argnums=0, jitted=jitted)[0](3.0)
    assert float(single(kept, 1.0)) == 6.0


# -- linear_transpose ---------------------------------------------------------------------------


@pytest.mark.parametrize("wrap", [lambda f: f, xform.jit])
def test_linear_transpose(wrap):
    m = np.arange(12.0).reshape(4, 3)
    f = wrap(lambda p: {"out": m @ p["x"] + 2 * xnp.pad(p["y"], (1, 0)), "sum": xnp.sum(p["x"])})
    shapes = {"x": xform.ShapeDtypeStruct((3,), "float64"), "y": np.zeros(3)}
    back = xform.linear_transpose(f, shapes)
    ct = {"out": np.array([1.0, -1.0, 2.0, 0.5]), "sum": 3.0}
    (found,) = wrap(back)(ct)
    assert_close(found, {"x": m.T @ ct["out"] + 3.0, "y": 2 * ct["out"][1:]})
    assert_close(xform.vmap(back)({"out": np.eye(4), "sum": np.zeros(4)})[0]["x"], m)


def test_linear_transpose_differentiates_what_it_closes_over():
    def f(w):
        (ct,) = xform.linear_transpose(lambda x: w * x, 1.0)(5.0)
        return ct

    assert float(xform.grad(f)(3.0)) == 5.0
    (zero,) = xform.linear_transpose(lambda x: 0.0 * X, 1.0)(np.ones(3))
    assert float(zero) == 0.0
    assert float(xform.linear_transpose(lambda x: x + 1.0, 1.0)(2.0)[0]) == 2.0


@pytest.mark.parametrize(
    "fun",
    [lambda x: x * x, lambda x: 1 / x, xnp.abs, lambda x: x * xnp.sin(x), xform.jit(xnp.exp)],
)
def test_linear_transpose_refuses_other_functions(fun):
    with pytest.raises(errors.GradError, match="linear"):
        xform.linear_transpose(fun, 1.0)


def test_wrong_cotangents_of_linear_transpose():
    back = xform.linear_transpose(lambda x: 2.0 * x, X)
    with pytest.raises(errors.TreeError):
        back((X,))
    with pytest.raises(errors.ShapeError):
        back(X[:2])
    with pytest.raises(errors.GradError, match="inputs and outputs"):
        xform.linear_transpose(lambda x: lax.convert_element_type(x, "int32"), 1.0)


def test_linear_transpose_of_loops_and_branches():
    def f(x):
        y, ys = lax.scan(lambda c, v: (c * 0.5 + v, c), 0.0, x)
        return lax.cond(True, lambda z: 2.0 * z, lambda z: z, y) + xnp.sum(ys)

    m = xform.jacfwd(f)(X)
    for wrap in (lambda g: g, xform.jit):
        (found,) = xform.linear_transpose(wrap(f), X)(3.0)
        assert_close(found, 3.0 * np.asarray(m))
    with pytest.raises(errors.GradError, match="linear"):
        xform.linear_transpose(lambda x: lax.scan(lambda c, v: (c * v, None), 1.0, x)[0], X)
