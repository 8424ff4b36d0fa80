"""Compositions of transformations against JAX, in double precision, where JAX is installed."""

from dataclasses import dataclass
from types import ModuleType

import numpy as np
import pytest

import xform
import xform.lax
import xform.nn
import xform.numpy

jax = pytest.importorskip("jax", reason="compares with JAX, which is not installed")


@dataclass(frozen=True)
class Library:
    """What the functions below use of xform or JAX."""

    root: ModuleType
    np: ModuleType
    lax: ModuleType
    nn: ModuleType


XFORM = Library(xform, xform.numpy, xform.lax, xform.nn)
JAX = Library(jax, jax.numpy, jax.lax, jax.nn)

RNG = np.random.default_rng(0)
INNER, OUTER = RNG.normal(size=(6, 4)), RNG.normal(size=6)
POINT = np.array([0.3, -0.7, 1.1, 0.4])
POINTS = np.stack([POINT, POINT[::-1] + 0.05, 1.3 * POINT])
RTOL = 1e-10


@pytest.fixture(autouse=True)
def double_precision():
    with xform.config.scoped(enable_x64=True), jax.enable_x64(True):
        yield


# Functions of a vector of four numbers, each of another kind.


def elementwise(x, lib):
    return lib.np.sum(lib.np.sin(x) * lib.np.exp(-(x**2)) + lib.np.arctan2(x, 2 + lib.np.cos(x)))


def network(x, lib):
    return OUTER @ lib.np.tanh(INNER @ x) + lib.np.sum(lib.nn.gelu(x))


def entropy(x, lib):
    p = lib.nn.softmax(3 * x)
    return lib.nn.logsumexp(x) - lib.np.sum(p * lib.nn.log_softmax(3 * x))


def reductions(x, lib):
    return lib.np.prod(x) + lib.np.var(x) * lib.np.max(x) + lib.np.mean(x**3) - lib.np.min(x) ** 2


def order(x, lib):
    running = lib.np.cumsum(lib.np.sort(x) * lib.np.arange(1.0, 5.0))
    return lib.np.sum(running**2) + lib.np.sum(lib.np.cumprod(1 + x**2))


def indices(x, lib):
    y = lib.np.zeros(6).at[np.array([0, 2, 2, 5])].add(x**2)
    return lib.np.sum(lib.np.sin(y[np.array([5, 2, 0, 2])] * x[::-1])) + x[1] ** 3


def shapes(x, lib):
    square = lib.np.concatenate([x, 2 * x**2]).reshape(2, 4).T
    wide = lib.np.where(square > 0, square**2, lib.np.sin(square))
    return lib.np.sum(wide @ wide.T) + lib.np.sum(lib.np.roll(x, 1) * lib.np.flip(x) ** 2)


def special(x, lib):
    y = lib.lax.erf(x) + lib.lax.logistic(2 * x) + lib.np.expm1(x / 3)
    return lib.np.sum(y * lib.np.log1p(x**2)) + lib.np.sum(lib.nn.softplus(x) ** 2)


def custom(x, lib):
    @lib.root.custom_jvp
    def cube(y):
        return y**3

    @cube.defjvp
    def rule(primals, tangents):
        (y,), (t,) = primals, tangents
        # Not the true derivative, so that nothing else can give the same.
        return cube(y), lib.np.cos(y) * t

    return lib.np.sum(cube(x) * x)


def repeated(x, lib):
    def body(y):
        return lib.np.sin(y @ np.diag([1.0, 2, 3, 4]) + lib.np.sum(y**2))

    return lib.np.sum(lib.root.checkpoint(body)(lib.root.checkpoint(body)(x)) ** 2)


FUNCTIONS = (
    elementwise,
    network,
    entropy,
    reductions,
    order,
    indices,
    shapes,
    special,
    custom,
    repeated,
)

each_function = pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)


# Compositions, as functions of a library and a function of a vector.


def grad_jit_vmap(lib, f):
    batched = lib.root.jit(lib.root.vmap(f))
    return lib.root.grad(lambda x: lib.np.sum(batched(x) ** 2))(POINTS)


def jit_grad_vmap(lib, f):
    return lib.root.jit(lib.root.grad(lambda x: lib.np.sum(lib.root.vmap(f)(x) ** 2)))(POINTS)


def vmap_grad_jit(lib, f):
    return lib.root.vmap(lib.root.grad(lib.root.jit(f)))(POINTS)


def hessian_jit(lib, f):
    return lib.root.hessian(lib.root.jit(f))(POINT)


def grad_grad_grad_jit(lib, f):
    along = lib.root.jit(lambda s: f(s * POINT))
    return lib.root.grad(lib.root.grad(lib.root.grad(along)))(0.8)


COMPOSITIONS = (grad_jit_vmap, jit_grad_vmap, vmap_grad_jit, hessian_jit, grad_grad_grad_jit)


@pytest.mark.parametrize("composition", COMPOSITIONS, ids=lambda c: c.__name__)
@each_function
def test_compositions(function, composition):
    found, wanted = (
        np.asarray(composition(lib, lambda x, lib=lib: function(x, lib))) for lib in (XFORM, JAX)
    )
    assert found.dtype == wanted.dtype == np.float64
    # Relative to the largest number: sums of products cancel in the others.
    scale = np.abs(wanted).max()
    np.testing.assert_allclose(found, wanted, rtol=RTOL, atol=RTOL * scale)


@each_function
def test_values(function):
    found = xform.jit(lambda x: function(x, XFORM))(POINT)
    np.testing.assert_allclose(found, np.asarray(function(POINT, JAX)), rtol=RTOL)
