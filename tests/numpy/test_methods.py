"""Operators and methods, on arrays and on traced values; NumPy's functions on both."""

import operator

import numpy as np
import pytest

import xform
import xform.numpy as xnp
from xform.core.trace import Tracer
from xform.errors import ArgumentError

F = np.array([[1.5, -2.0], [0.5, 4.0]], np.float32)
I = np.array([[1, -2], [5, 4]], np.int32)  # noqa: E741

BINARY = [
    operator.add,
    operator.sub,
    operator.mul,
    operator.truediv,
    operator.floordiv,
    operator.mod,
    operator.eq,
    operator.ne,
    operator.lt,
    operator.le,
    operator.gt,
    operator.ge,
    operator.matmul,
]
INTEGER = [operator.and_, operator.or_, operator.xor, operator.lshift, operator.rshift, divmod]


@pytest.mark.parametrize("op", BINARY)
def test_binary_operators(op):
    x, other = xnp.asarray(F), np.asarray(F.T + 1)
    expected = op(F, other)
    for got in (
        op(x, xnp.asarray(other)),
        op(x, other),
        op(F, xnp.asarray(other)),
        xform.jit(op)(x, other),
        xform.jit(lambda y: op(F, y))(other),
    ):
        assert isinstance(got, xnp.ndarray)
        np.testing.assert_allclose(got, expected, rtol=1e-6)
    if op is not operator.matmul:
        np.testing.assert_allclose(op(x, 2), op(F, 2), rtol=1e-6)
        np.testing.assert_allclose(op(2, x), op(2, F), rtol=1e-6)


@pytest.mark.parametrize("op", INTEGER)
def test_integer_operators(op):
    x = xnp.asarray(I)
    for got, expected in ((op(x, 2), op(I, 2)), (op(x, abs(x)), op(I, abs(I)))):
        for a, b in zip(np.atleast_1d(got), np.atleast_1d(expected), strict=True):
            np.testing.assert_array_equal(a, b)


def test_powers():
    x = xnp.asarray(F)
    np.testing.assert_allclose(x**2, F**2)
    np.testing.assert_allclose(x**-1, F**-1.0)
    np.testing.assert_allclose(2**x, 2**F, rtol=1e-6)
    np.testing.assert_array_equal(xnp.asarray(I) ** 3, I**3)


@pytest.mark.parametrize("op", [operator.neg, operator.pos, abs, operator.invert, round])
def test_unary_operators(op):
    np.testing.assert_array_equal(op(xnp.asarray(I)), op(I) if op is not round else I)


CALLS = [
    "sum()",
    "sum(axis=0, keepdims=True)",
    "mean(1)",
    "max(0)",
    "min()",
    "any()",
    "all(axis=1)",
    "argmax(1)",
    "argmin()",
    "prod(0)",
    "std()",
    "var(axis=1)",
    "cumsum(0)",
    "cumprod(1)",
    "dot(2)",
    "reshape(4)",
    "reshape(1, 4)",
    "reshape((4, 1))",
    "reshape(-1)",
    "ravel()",
    "flatten()",
    "transpose()",
    "transpose(1, 0)",
    "transpose((0, 1))",
    "T",
    "mT",
    "real",
    "imag",
    "swapaxes(0, 1)",
    "squeeze()",
    "astype('int32')",
    "clip(0, 1)",
    "round(1)",
    "take(1, axis=0)",
    "repeat(2, axis=1)",
    "conj()",
    "diagonal()",
    "shape",
    "ndim",
    "size",
]


@pytest.mark.parametrize("call", CALLS)
def test_methods(call):
    code = compile(f"x.{call}", "<test>", "eval")
    expected = eval(code, {"x": F})
    if call == "dot(2)":
        expected = F * 2
    np.testing.assert_allclose(eval(code, {"x": xnp.asarray(F)}), expected, rtol=1e-6)
    if call not in ("shape", "ndim", "size"):
        traced = xform.jit(lambda x: eval(code, {"x": x}))(F)
        np.testing.assert_allclose(traced, expected, rtol=1e-6)


def test_methods_of_known_values():
    x = xnp.asarray(F)
    np.testing.assert_array_equal(x.nonzero()[0], F.nonzero()[0])
    np.testing.assert_array_equal(x.argsort(), F.argsort())
    np.testing.assert_array_equal(x.sort(), np.sort(F))
    np.testing.assert_array_equal(xnp.arange(3).searchsorted(1), 1)
    assert x.trace() == F.trace()
    assert x.ptp() == np.ptp(F)
    assert x.tolist() == F.tolist()
    assert x[0, 0].item() == 1.5
    assert x.view("int32").dtype == np.int32


def test_arrays_and_tracers_are_ndarrays():
    seen = []
    xform.jit(lambda x: seen.append(x) or x)(F)
    assert isinstance(seen[0], Tracer)
    assert isinstance(seen[0], xnp.ndarray)
    assert isinstance(xnp.ones(2), xnp.ndarray)
    assert not isinstance(F, xnp.ndarray)


def test_iteration_unrolls():
    rows = list(xnp.asarray(F))
    assert len(rows) == 2
    a, b = xform.jit(lambda x: tuple(row * 2 for row in x))(F)
    np.testing.assert_array_equal(a, F[0] * 2)
    np.testing.assert_array_equal(b, F[1] * 2)
    with pytest.raises(TypeError):
        iter(xnp.asarray(1.0))


def test_comparison_with_other_types():
    x = xnp.ones(2)
    assert (x == None) is False  # noqa: E711
    assert (x != "a") is True
    with pytest.raises(TypeError):
        x + "a"
    with pytest.raises(TypeError):
        hash(x)


@pytest.mark.parametrize(
    "function",
    [
        np.sin,
        np.add.reduce,
        np.add.accumulate,
        lambda x: np.multiply.outer(x, x),
        lambda x: np.add(x, F),
        lambda x: np.sum(x, axis=1),
        lambda x: np.concatenate([x, F]),
        lambda x: np.stack([F, x]),
        lambda x: np.where(x > 0, x, 0),
        lambda x: np.einsum("ij,kj->ik", x, F),
        lambda x: np.linalg.norm(x, axis=0),
        lambda x: np.maximum(F, x.T),
        lambda x: F * x,
        lambda x: np.float32(2) * x,
        np.mean,
        np.transpose,
    ],
)
def test_numpy_functions_trace(function):
    expected = function(F)
    np.testing.assert_allclose(function(xnp.asarray(F)), expected, rtol=1e-6)
    traced = []
    np.testing.assert_allclose(
        xform.jit(lambda x: traced.append(function(x)) or traced[0])(F), expected, rtol=1e-6
    )
    assert isinstance(traced[0], Tracer)


def test_ufuncs_of_arrays_give_arrays():
    x = xnp.asarray(F)
    for got in (np.sin(x), np.add(F, x), F * x, np.float32(2) * x, np.maximum(F, x)):
        assert isinstance(got, xnp.ndarray)


@pytest.mark.parametrize(
    ("function", "match"),
    [
        (lambda x: np.add(x, 1, out=np.zeros_like(F)), "immutable"),
        (lambda x: np.busday_count(x, x), "xform"),
        (lambda x: np.add.at(x, 0, 1), "at"),
        (lambda x: np.linalg.svd(x), "linalg.svd"),
    ],
)
def test_numpy_function_refuses_a_traced_value(function, match):
    with pytest.raises(ArgumentError, match=match):
        xform.jit(function)(F)
