"""custom_root and custom_linear_solve: derivatives that do not go through a solver's steps."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import xform
import xform.numpy as xnp
from xform import errors, lax, tree
from xform.config import config


@pytest.fixture(autouse=True)
def _double() -> Iterator[None]:
    with config.scoped(enable_x64=True, cache_dir=""):
        yield


def assert_close(found: Any, wanted: Any, rtol: float = 1e-10) -> None:
    assert tree.structure(found) == tree.structure(wanted)
    for x, y in zip(tree.leaves(found), tree.leaves(wanted), strict=True):
        np.testing.assert_allclose(np.asarray(x), np.asarray(y), rtol=rtol, atol=1e-11)


RNG = np.random.default_rng(0)
C = np.array([2.0, 3.0, 8.0])

WRAPS = {
    "eager": lambda f: f,
    "jit": xform.jit,
    "checkpoint": xform.checkpoint,
    "jit of jit": lambda f: xform.jit(xform.jit(f)),
}


def newton(f, x, steps=12):
    for _ in range(steps):
        value, slope = xform.jvp(f, (x,), (1.0,))
        x = x - value / slope
    return x


def divide(g, y):
    return y / g(1.0)


def cube_root(c):
    return lax.custom_root(lambda x: x**3 - c, 1.0, newton, divide)


# -- custom_root --------------------------------------------------------------------------------


@pytest.mark.parametrize("wrap", WRAPS)
def test_derivatives_of_a_root(wrap):
    f = WRAPS[wrap](cube_root)
    c = 5.0
    assert_close(f(c), c ** (1 / 3))
    first, second, third = (
        c ** (-2 / 3) / 3,
        -2 / 9 * c ** (-5 / 3),
        10 / 27 * c ** (-8 / 3),
    )
    assert_close(xform.jvp(f, (c,), (2.0,))[1], 2 * first)
    assert_close(xform.grad(f)(c), first)
    assert_close(xform.grad(xform.grad(f))(c), second)
    assert_close(xform.jacfwd(xform.grad(f))(c), second)
    assert_close(xform.grad(xform.jacfwd(f))(c), second)
    assert_close(xform.grad(xform.grad(xform.grad(f)))(c), third)
    assert_close(xform.linearize(f, c)[1](1.0), first)
    assert_close(xform.vmap(f)(C), C ** (1 / 3))
    assert_close(xform.vmap(xform.grad(f))(C), C ** (-2 / 3) / 3)
    assert_close(xform.jit(xform.vmap(xform.grad(f)))(C), C ** (-2 / 3) / 3)
    assert_close(xform.jacrev(xform.vmap(f))(C), np.diag(C ** (-2 / 3) / 3))


def test_the_solver_is_not_differentiated():
    """A solver whose own derivative is wrong, or has none."""

    def broken(f, x):
        return lax.stop_gradient(newton(f, x)) + 0.0 * xnp.floor(x)

    f = lambda c: lax.custom_root(lambda x: x**2 - c, 1.0, broken, divide)  # noqa: E731
    assert_close(xform.grad(f)(9.0), 1 / 6)


def test_the_guess_has_no_derivative():
    f = lambda g: lax.custom_root(lambda x: x**2 - 2.0, g, newton, divide)  # noqa: E731
    assert float(xform.grad(f)(1.0)) == 0.0
    guesses = np.array([1.0, -1.0])
    assert_close(xform.vmap(f)(guesses), np.sqrt(2) * guesses)


def test_roots_of_several_variables_and_pytrees():
    def f(a, b):
        """x * y = a, x / y = b."""

        def fun(p):
            return {"x": p["x"] * p["y"] - a, "y": p["x"] / p["y"] - b}

        def solve(fun, p):
            structure = tree.structure(p)
            flat = lambda v: xnp.stack(tree.leaves(fun(structure.unflatten(list(v)))))  # noqa: E731
            v = xnp.stack(tree.leaves(p))
            for _ in range(12):
                v = v - two_by_two(xform.jacfwd(flat)(v), flat(v))
            return structure.unflatten(list(v))

        def tangent_solve(g, y):
            columns = [g({"x": 1.0, "y": 0.0}), g({"x": 0.0, "y": 1.0})]
            m = xnp.stack([xnp.stack(tree.leaves(c)) for c in columns], axis=1)
            x = two_by_two(m, xnp.stack(tree.leaves(y)))
            return {"x": x[0], "y": x[1]}

        return lax.custom_root(fun, {"x": 1.0, "y": 1.5}, solve, tangent_solve)

    def two_by_two(m, v):
        det = m[0, 0] * m[1, 1] - m[0, 1] * m[1, 0]
        return xnp.stack([m[1, 1] * v[0] - m[0, 1] * v[1], m[0, 0] * v[1] - m[1, 0] * v[0]]) / det

    a, b = 6.0, 1.5
    assert_close(f(a, b), {"x": np.sqrt(a * b), "y": np.sqrt(a / b)})
    found = xform.jacrev(f, (0, 1))(a, b)
    wanted = {
        "x": (np.sqrt(b / a) / 2, np.sqrt(a / b) / 2),
        "y": (1 / np.sqrt(a * b) / 2, -np.sqrt(a / b**3) / 2),
    }
    assert_close(found, wanted)
    assert_close(xform.jit(xform.jacfwd(f, (0, 1)))(a, b), wanted)
    assert_close(xform.hessian(lambda a: f(a, b)["x"])(a), -np.sqrt(b) / 4 * a ** (-1.5), rtol=1e-9)


def test_auxiliary_results_of_roots():
    def solve(f, x):
        return newton(f, x), {"steps": 12, "guess": x}

    def f(c):
        x, aux = lax.custom_root(lambda x: x**2 - c, 1.0, solve, divide, has_aux=True)
        return x, aux

    x, aux = f(4.0)
    assert (float(x), int(aux["steps"]), float(aux["guess"])) == (2.0, 12, 1.0)
    slope, aux = xform.grad(f, has_aux=True)(4.0)
    assert_close((slope, aux["guess"]), (0.25, 1.0))
    mapped, aux = xform.jit(xform.vmap(f))(C)
    assert_close(mapped, np.sqrt(C))
    assert aux["steps"].shape == (3,)


def test_roots_within_roots():
    """The square root of the cube root, solved for inside of the outer equation."""

    def f(c):
        return lax.custom_root(lambda x: x**2 - cube_root(c * 1.0), 1.0, newton, divide)

    assert_close(f(64.0), 2.0)
    assert_close(xform.grad(f)(64.0), 1 / 6 * 64.0 ** (-5 / 6))
    # The constant is also what the inner root is looked for by.
    g = lambda c: lax.custom_root(  # noqa: E731
        lambda x: cube_root(x * c) - 2.0, 1.0, lambda h, x: newton(h, x, 30), divide
    )
    assert_close(xform.grad(g)(2.0), -8 / 4.0)


def test_a_root_that_depends_on_nothing():
    assert_close(lax.custom_root(lambda x: x**2 - 2.0, 1.0, newton, divide), np.sqrt(2))
    f = lambda c: c * lax.custom_root(lambda x: x**2 - 2.0, 1.0, newton, divide)  # noqa: E731
    assert_close(xform.grad(f)(3.0), np.sqrt(2))


def test_the_program_of_a_root_is_one_equation():
    program = xform.make_jaxpr(cube_root)(5.0)
    assert [e.primitive.name for e in program.eqns][-1] == "root"
    assert len(program.eqns) <= 2
    gradient = xform.make_jaxpr(xform.grad(cube_root))(5.0)
    names = [e.primitive.name for e in gradient.eqns]
    assert names.count("root") == 1
    assert len(names) < 20, "the steps of the solver are in the derivative"


def test_wrong_functions_of_roots():
    guess = {"x": 1.0}
    same = lambda f, x: x  # noqa: E731
    with pytest.raises(errors.TreeError, match="value of f"):
        lax.custom_root(lambda p: p["x"], guess, same, same)
    with pytest.raises(errors.ShapeError, match="value of f"):
        lax.custom_root(lambda x: xnp.stack([x, x]), 1.0, same, divide)
    with pytest.raises(errors.TreeError, match="solution from solve"):
        lax.custom_root(lambda p: p, guess, lambda f, p: p["x"], same)
    with pytest.raises(errors.ShapeError, match="solution from tangent_solve"):
        lax.custom_root(lambda x: x, 1.0, same, lambda g, y: xnp.stack([y, y]))
    with pytest.raises(errors.ArgumentError, match="has_aux"):
        lax.custom_root(lambda x: x, 1.0, same, divide, has_aux=True)


# -- custom_linear_solve ------------------------------------------------------------------------

A = RNG.normal(size=(4, 4)) + 4 * np.eye(4)
S = A @ A.T
B = RNG.normal(size=4)


def eliminate(m, b):
    """Gauss without pivoting: the test's matrices are strongly diagonal."""
    n = b.shape[0]
    rows = [xnp.concatenate([m[k], b[k : k + 1]]) for k in range(n)]
    for k in range(n):
        rows[k] = rows[k] / rows[k][k]
        rows = [r if j == k else r - r[k] * rows[k] for j, r in enumerate(rows)]
    return xnp.stack([r[n] for r in rows])


def matrix_of(matvec, like):
    return xform.vmap(matvec, out_axes=1)(xnp.eye(like.shape[0], dtype=like.dtype))


def general(m, b, **options):
    solve = lambda matvec, b: eliminate(matrix_of(matvec, b), b)  # noqa: E731
    return lax.custom_linear_solve(
        lambda x: m @ x, b, solve, **{"transpose_solve": solve, **options}
    )


def symmetric(m, b):
    return general((m + m.T) / 2, b, transpose_solve=None, symmetric=True)


@pytest.mark.parametrize("wrap", WRAPS)
@pytest.mark.parametrize("solver, m", [(general, A), (symmetric, S)], ids=["general", "symmetric"])
def test_derivatives_of_a_solution(solver, m, wrap):
    f = WRAPS[wrap](solver)
    inverse = np.linalg.inv(m)
    x = inverse @ B
    assert_close(f(m, B), x)
    tm, tb = RNG.normal(size=(4, 4)), RNG.normal(size=4)
    tm = (tm + tm.T) / 2 if solver is symmetric else tm
    assert_close(xform.jvp(f, (m, B), (tm, tb))[1], inverse @ (tb - tm @ x))
    ct = RNG.normal(size=4)
    back = inverse.T @ ct
    by_m = -np.outer(back, x)
    by_m = (by_m + by_m.T) / 2 if solver is symmetric else by_m
    assert_close(xform.vjp(f, m, B)[1](ct), (by_m, back))
    assert_close(xform.jacrev(f, 1)(m, B), inverse)
    assert_close(xform.jacfwd(f, 1)(m, B), inverse)
    assert_close(xform.linearize(lambda b: f(m, b), B)[1](tb), inverse @ tb)


def test_second_derivatives_of_a_solution():
    def loss(m, b, solver):
        return xnp.sum(solver(m, b) ** 2)

    plain = lambda m, b: loss(m, b, eliminate)  # noqa: E731
    implicit = lambda m, b: loss(m, b, general)  # noqa: E731
    for arg in (0, 1):
        wanted = xform.hessian(plain, arg)(A, B)
        assert_close(xform.hessian(implicit, arg)(A, B), wanted)
        assert_close(xform.jacrev(xform.jacrev(implicit, arg), arg)(A, B), wanted)
        assert_close(xform.jit(xform.jacrev(xform.jacfwd(implicit, arg), arg))(A, B), wanted)


@pytest.mark.parametrize("axes", [(0, 0), (0, None), (None, 0)])
def test_batches_of_solutions(axes):
    ms = np.stack([A, 2 * A, A.T])
    bs = RNG.normal(size=(3, 4))
    args = [x if a == 0 else x[0] for x, a in zip((ms, bs), axes, strict=True)]
    wanted = np.stack(
        [
            np.linalg.solve(args[0][k] if axes[0] == 0 else A, bs[k] if axes[1] == 0 else bs[0])
            for k in range(3)
        ]
    )
    assert_close(xform.vmap(general, axes)(*args), wanted)
    assert_close(xform.jit(xform.vmap(general, axes))(*args), wanted)
    loss = lambda m, b: xnp.sum(general(m, b) ** 2)  # noqa: E731
    plain = lambda m, b: xnp.sum(eliminate(m, b) ** 2)  # noqa: E731
    for wrap in (lambda f: f, xform.jit):
        found = wrap(xform.vmap(xform.grad(loss, (0, 1)), axes))(*args)
        assert_close(found, xform.vmap(xform.grad(plain, (0, 1)), axes)(*args))
    whole = xform.grad(lambda m, b: xnp.sum(xform.vmap(loss, axes)(m, b)), (0, 1))(*args)
    wanted = xform.grad(lambda m, b: xnp.sum(xform.vmap(plain, axes)(m, b)), (0, 1))(*args)
    assert_close(whole, wanted)


def test_solutions_in_pytrees_with_aux():
    def f(d, b):
        def solve(matvec, b):
            one = {"u": 1.0, "v": xnp.ones(3)}
            scale = matvec(one)
            return tree.map(lambda p, q: p / q, b, scale), 7

        return lax.custom_linear_solve(
            lambda p: {"u": p["u"] * d, "v": p["v"] * d**2},
            b,
            solve,
            symmetric=True,
            has_aux=True,
        )

    b = {"u": 3.0, "v": C}
    x, aux = f(2.0, b)
    assert int(aux) == 7
    assert_close(x, {"u": np.float64(1.5), "v": C / 4})
    total = lambda d: xnp.sum(f(d, b)[0]["v"]) + f(d, b)[0]["u"]  # noqa: E731
    assert_close(xform.grad(total)(2.0), -3 / 4 - 2 * C.sum() / 8)
    assert_close(
        xform.grad(lambda b: xnp.sum(f(2.0, b)[0]["v"]))(b), {"u": 0.0, "v": np.ones(3) / 4}
    )


def test_complex_systems():
    m, b = A + 1j * RNG.normal(size=(4, 4)), B + 1j
    assert_close(general(m, b), np.linalg.solve(m, b))
    ct = RNG.normal(size=4) + 1j * RNG.normal(size=4)
    back = np.linalg.solve(m.T, ct)
    assert_close(xform.vjp(general, m, b)[1](ct), (-np.outer(back, np.linalg.solve(m, b)), back))


def test_forward_mode_needs_no_transposed_solver():
    f = lambda m, b: general(m, b, transpose_solve=None)  # noqa: E731
    assert_close(xform.jacfwd(f, 1)(A, B), np.linalg.inv(A))
    with pytest.raises(errors.GradError, match="transpose_solve"):
        xform.jacrev(f, 1)(A, B)


def test_a_matvec_that_is_not_linear():
    square = lambda x: x * x  # noqa: E731
    with pytest.raises(errors.GradError, match="linear"):
        lax.custom_linear_solve(square, B, lambda f, b: b, lambda g, b: g(b))


def test_wrong_functions_of_linear_systems():
    same = lambda f, x: x  # noqa: E731
    with pytest.raises(errors.ShapeError, match="value of matvec"):
        lax.custom_linear_solve(lambda x: x[:2], B, same)
    with pytest.raises(errors.TreeError, match="solution from solve"):
        lax.custom_linear_solve(lambda x: x, B, lambda f, b: (b, b))
    with pytest.raises(errors.ShapeError, match="solution from transpose_solve"):
        lax.custom_linear_solve(lambda x: x, B, same, lambda f, b: b[:2])
    with pytest.raises(errors.ArgumentError, match="has_aux"):
        lax.custom_linear_solve(lambda x: x, B, same, has_aux=True)


def test_a_linear_solve_within_a_root():
    """Newton's method with matrices: the tangent's system is solved by custom_linear_solve."""

    def f(c):
        def fun(x):
            return A @ x + x**3 - c

        def solve(fun, x):
            for _ in range(20):
                x = x - eliminate(xform.jacfwd(fun)(x), fun(x))
            return x

        def tangent_solve(g, y):
            solver = lambda g, y: eliminate(matrix_of(g, y), y)  # noqa: E731
            return lax.custom_linear_solve(g, y, solver, solver)

        return lax.custom_root(fun, xnp.zeros(4), solve, tangent_solve)

    x = np.asarray(f(B))
    assert_close(A @ x + x**3, B)
    wanted = np.linalg.inv(A + np.diag(3 * x**2))
    assert_close(xform.jacfwd(f)(B), wanted)
    assert_close(xform.jacrev(f)(B), wanted)
    assert_close(xform.jit(xform.jacrev(f))(B), wanted)
    second = xform.jacfwd(xform.jacrev(f))(B)
    assert_close(second, np.einsum("ij,j,jk,jl->ikl", wanted, -6 * x, wanted, wanted), rtol=1e-8)


# -- solvers with loops --------------------------------------------------------------------------


def newton_in_a_loop(f, x):
    def step(state):
        x, _ = state
        value, slope = xform.jvp(f, (x,), (1.0,))
        return x - value / slope, xnp.abs(value)

    return lax.while_loop(lambda state: state[1] > 1e-14, step, (x, xnp.abs(f(x)) + 1.0))[0]


def conjugate_gradients(matvec, b):
    def step(state):
        x, r, p, rr, k = state
        q = matvec(p)
        alpha = rr / xnp.vdot(p, q)
        x, r = x + alpha * p, r - alpha * q
        new = xnp.vdot(r, r)
        return x, r, r + new / rr * p, new, k + 1

    start = (xnp.zeros_like(b), b, b, xnp.vdot(b, b), 0)
    going_on = lambda state: (state[3] > 1e-28) & (state[4] < 50)  # noqa: E731
    return lax.while_loop(going_on, step, start)[0]


def test_roots_that_are_found_in_a_loop():
    f = lambda c: lax.custom_root(  # noqa: E731
        lambda x: x**3 - c, xnp.asarray(1.0), newton_in_a_loop, divide
    )
    for wrap in (lambda g: g, xform.jit):
        assert_close(wrap(f)(5.0), 5 ** (1 / 3))
        assert_close(wrap(xform.grad(f))(5.0), 5 ** (-2 / 3) / 3)
        assert_close(wrap(xform.grad(xform.grad(f)))(5.0), -2 / 9 * 5 ** (-5 / 3))
        assert_close(wrap(xform.vmap(f))(C), C ** (1 / 3))
        assert_close(wrap(xform.vmap(xform.grad(f)))(C), C ** (-2 / 3) / 3)


def test_systems_that_are_solved_in_a_loop():
    m = S / 10

    def f(m, b):
        return lax.custom_linear_solve(
            lambda x: (m + m.T) @ x / 2, b, conjugate_gradients, symmetric=True
        )

    plain = lambda m, b: eliminate((m + m.T) / 2, b)  # noqa: E731
    for wrap in (lambda g: g, xform.jit):
        assert_close(wrap(f)(m, B), np.linalg.solve(m, B))
        assert_close(wrap(xform.jacrev(f, (0, 1)))(m, B), xform.jacrev(plain, (0, 1))(m, B))
        assert_close(wrap(xform.jacfwd(f, (0, 1)))(m, B), xform.jacfwd(plain, (0, 1))(m, B))
        bs = np.stack([B, 2 * B, -B])
        assert_close(wrap(xform.vmap(f, (None, 0)))(m, bs), np.linalg.solve(m, bs.T).T)
    loss = lambda g: lambda b: xnp.sum(g(m, b) ** 3)  # noqa: E731
    assert_close(xform.hessian(loss(f))(B), xform.hessian(loss(plain))(B), rtol=1e-9)
