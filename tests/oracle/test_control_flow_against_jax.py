"""Loops and branches against JAX, in double precision, where JAX is installed."""

from dataclasses import dataclass
from types import ModuleType

import numpy as np
import pytest

import xform
import xform.lax
import xform.numpy

jax = pytest.importorskip("jax", reason="compares with JAX, which is not installed")


@dataclass(frozen=True)
class Library:
    """What the functions below use of xform or JAX."""

    root: ModuleType
    np: ModuleType
    lax: ModuleType


XFORM = Library(xform, xform.numpy, xform.lax)
JAX = Library(jax, jax.numpy, jax.lax)

RNG = np.random.default_rng(0)
X = RNG.uniform(0.2, 1.0, 3)
XS = RNG.uniform(0.2, 1.0, (4, 3))
ROWS = RNG.normal(size=(5, 3))
RTOL = 1e-11


@pytest.fixture(autouse=True)
def double_precision():
    with xform.config.scoped(enable_x64=True), jax.enable_x64(True):
        yield


def recurrence(x, lib):
    def step(carry, row):
        y, count = carry
        new = lib.np.tanh(y * x + row) * (count + 1)
        return (new, count + 1), (new, y @ row)

    (y, _), (ys, dots) = lib.lax.scan(step, (x, 0), ROWS, reverse=True)
    return lib.np.sum(y) + lib.np.sum(ys**2) + lib.np.sum(lib.np.sin(dots))


def unrolled(x, lib):
    y, ys = lib.lax.scan(
        lambda c, r: (c * lib.np.cos(x) + r, c[0] * c), x, ROWS, length=5, unroll=2
    )
    return lib.np.sum(y * ys[2])


def counted(x, lib):
    rows = lib.np.asarray(ROWS)
    return lib.np.sum(lib.lax.fori_loop(1, 5, lambda i, y: lib.np.sin(y * i) + rows[i] * x, x))


def branches(x, lib):
    def step(y, row):
        index = lib.np.floor(3 * lib.np.abs(row[0])).astype(int)
        choices = [lambda y: y * x, lambda y: lib.np.exp(-y) + row, lambda y: lib.np.sum(y) * row]
        y = lib.lax.switch(index, choices, y)
        return lib.lax.cond(y[1] > 0.3, lambda y: lib.np.sqrt(y * y + 1), lambda y: y, y), y[2]

    y, seconds = lib.lax.scan(step, x, ROWS)
    return lib.np.sum(y) * lib.np.sum(seconds)


def mapped(x, lib):
    ys = lib.lax.map(lambda row: {"y": lib.np.tanh(row * x)}, ROWS, batch_size=2)
    return lib.np.sum(ys["y"] ** 3)


def associative(x, lib):
    def combine(f, g):
        return f[0] * g[0], f[1] * g[0] + g[1]

    a, b = lib.lax.associative_scan(combine, (lib.np.sin(ROWS * x), ROWS + x), reverse=True)
    return lib.np.sum(a * b)


SCALARS = (recurrence, unrolled, counted, branches, mapped, associative)

WAYS = {
    "value": lambda lib, f: f,
    "grad": lambda lib, f: lib.root.grad(f),
    "jit of grad": lambda lib, f: lib.root.jit(lib.root.grad(f)),
    "hessian": lambda lib, f: lib.root.hessian(f),
    "jvp": lambda lib, f: lambda x: lib.root.jvp(f, (x,), (x[::-1],)),
    "grad of jvp": lambda lib, f: lib.root.grad(lambda x: lib.root.jvp(f, (x,), (x[::-1],))[1]),
}


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("f", SCALARS, ids=lambda f: f.__name__)
def test_a_transformation_of_a_loop(f, how):
    found, wanted = (WAYS[how](lib, lambda x, lib=lib: f(x, lib))(X) for lib in (XFORM, JAX))
    for a, b in zip(xform.tree.leaves(found), jax.tree.leaves(wanted), strict=True):
        np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=RTOL, atol=RTOL)


@pytest.mark.parametrize("how", ["value", "grad", "jvp"])
@pytest.mark.parametrize("f", SCALARS, ids=lambda f: f.__name__)
def test_a_loop_under_vmap(f, how):
    found, wanted = (
        lib.root.vmap(WAYS[how](lib, lambda x, lib=lib: f(x, lib)))(XS) for lib in (XFORM, JAX)
    )
    for a, b in zip(xform.tree.leaves(found), jax.tree.leaves(wanted), strict=True):
        np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=RTOL, atol=RTOL)


def newton(x, lib):
    """JAX has forward mode only for this one."""

    def going(state):
        return lib.np.sum(lib.np.abs(state[0] ** 2 - x)) > 1e-9

    def step(state):
        return (state[0] + x / state[0]) / 2, state[1] + 1

    y, count = lib.lax.while_loop(going, step, (x, 0))
    return lib.np.sum(y * count)


@pytest.mark.parametrize("how", ["value", "jvp"])
def test_while_loop_forward_and_mapped(how):
    for inputs, outer in ((X, lambda lib, f: f), (XS, lambda lib, f: lib.root.vmap(f))):
        found, wanted = (
            outer(lib, WAYS[how](lib, lambda x, lib=lib: newton(x, lib)))(inputs)
            for lib in (XFORM, JAX)
        )
        for a, b in zip(xform.tree.leaves(found), jax.tree.leaves(wanted), strict=True):
            np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=RTOL, atol=RTOL)


def test_reverse_mode_of_while_loop_is_its_forward_mode():
    found = xform.grad(lambda x: newton(x, XFORM))(X)
    wanted = jax.jacfwd(lambda x: newton(x, JAX))(X)
    np.testing.assert_allclose(found, wanted, rtol=RTOL)


def one(lib, dtype):
    return lib.np.ones((), dtype)


TYPES = {
    "weak carry of another dtype": lambda lib: lib.lax.scan(
        lambda c, x: (c * x, None), 1, lib.np.ones(3)
    )[0],
    "weak carry": lambda lib: lib.lax.while_loop(lambda x: x < 3, lambda x: x + 1, 0.0),
    "weak carry that becomes strong": lambda lib: lib.lax.while_loop(
        lambda x: x < 3, lambda x: x + one(lib, "float32"), 0
    ),
    "index that follows": lambda lib: lib.lax.fori_loop(0, 3, lambda i, x: x + i, one(lib, "int8")),
    "index of its own": lambda lib: lib.lax.fori_loop(
        one(lib, "int32"), 3, lambda i, x: x + i, one(lib, "int32")
    ),
    "index that is carried": lambda lib: lib.lax.fori_loop(0, 3, lambda i, x: i, 0),
    "weak and strong branches": lambda lib: lib.lax.cond(
        True, lambda: 1.0, lambda: lib.np.ones(())
    ),
    "weak branches": lambda lib: lib.lax.cond(False, lambda: 1.0, lambda: 2.0),
    "map of numbers": lambda lib: lib.lax.map(lambda x: 1, lib.np.ones(3)),
}


@pytest.mark.parametrize("x64", [False, True])
@pytest.mark.parametrize("name", TYPES)
def test_dtypes_and_weak_types(name, x64):
    with xform.config.scoped(enable_x64=x64), jax.enable_x64(x64):
        found, wanted = TYPES[name](XFORM), TYPES[name](JAX)
    assert (found.dtype, found.weak_type) == (wanted.dtype, wanted.weak_type)
    np.testing.assert_array_equal(np.asarray(found), np.asarray(wanted))
