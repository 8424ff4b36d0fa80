"""custom_jvp, custom_vjp and checkpoint, alone and under every transformation."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import xform
import xform.numpy as xnp
from xform import errors, tree
from xform.config import config


@pytest.fixture(autouse=True)
def _double() -> Iterator[None]:
    with config.scoped(enable_x64=True, cache_dir=""):
        yield


def assert_close(found: Any, wanted: Any) -> None:
    assert tree.structure(found) == tree.structure(wanted)
    for x, y in zip(tree.leaves(found), tree.leaves(wanted), strict=True):
        np.testing.assert_allclose(np.asarray(x), np.asarray(y), rtol=1e-12, atol=1e-12)


X = np.array([0.5, -1.0, 2.0])


# -- custom_jvp: derivatives ten times too large show that the rule is used ----------------------


def ten_times():
    @xform.custom_jvp
    def f(x, y):
        return xnp.sin(x) * y

    @f.defjvp
    def rule(primals, tangents):
        (x, y), (tx, ty) = primals, tangents
        return f(x, y), 10 * (xnp.cos(x) * y * tx + xnp.sin(x) * ty)

    return f


def test_the_rule_of_custom_jvp_is_used():
    f = ten_times()
    assert_close(f(0.5, 2.0), np.sin(0.5) * 2)
    assert_close(xform.jvp(f, (0.5, 2.0), (1.0, 0.0))[1], 20 * np.cos(0.5))
    assert_close(xform.grad(f, (0, 1))(0.5, 2.0), (20 * np.cos(0.5), 10 * np.sin(0.5)))


def doubled_rules():
    """(name, the transformation, what it gives for the function and its rule)."""
    slope = 10 * np.cos(X) * 2
    f = ten_times()
    one = lambda x: f(x, 2.0)  # noqa: E731
    return {
        "jit": (lambda: xform.jit(one)(X), np.sin(X) * 2),
        "vmap": (lambda: xform.vmap(one)(X), np.sin(X) * 2),
        "jit(vmap)": (lambda: xform.jit(xform.vmap(one))(X), np.sin(X) * 2),
        "vmap(grad)": (lambda: xform.vmap(xform.grad(one))(X), slope),
        "grad(vmap)": (lambda: xform.grad(lambda x: xform.vmap(one)(x).sum())(X), slope),
        "grad(jit)": (lambda: xform.grad(lambda x: xform.jit(one)(x).sum())(X), slope),
        "jit(grad)": (lambda: xform.jit(xform.grad(lambda x: one(x).sum()))(X), slope),
        "jit(vmap(grad))": (lambda: xform.jit(xform.vmap(xform.grad(one)))(X), slope),
        "vmap(grad(jit))": (lambda: xform.vmap(xform.grad(xform.jit(one)))(X), slope),
        "checkpoint": (
            lambda: xform.grad(lambda x: xform.checkpoint(one)(x).sum())(X),
            slope,
        ),
        "jvp(jit(vmap))": (
            lambda: xform.jvp(xform.jit(xform.vmap(one)), (X,), (np.ones(3),))[1],
            slope,
        ),
        "jacfwd": (lambda: xform.jacfwd(one)(X), np.diag(slope)),
        "jacrev": (lambda: xform.jacrev(one)(X), np.diag(slope)),
        "linearize": (lambda: xform.linearize(one, X)[1](np.ones(3)), slope),
        # The rule's own derivative: of 10 cos(x) y, by the ordinary rules.
        "grad(grad)": (
            lambda: xform.vmap(xform.grad(xform.grad(one)))(X),
            -10 * np.sin(X) * 2,
        ),
    }


@pytest.mark.parametrize("name", list(doubled_rules()))
def test_custom_jvp_under(name):
    run, wanted = doubled_rules()[name]
    assert_close(run(), wanted)


def test_custom_jvp_of_pytrees_and_nondiff_arguments():
    def apply(g, p, n):
        return {"out": g(p["a"]) * n}

    f = xform.custom_jvp(apply, nondiff_argnums=(0, 2))

    @f.defjvp
    def rule(g, n, primals, tangents):
        (p,), (t,) = primals, tangents
        assert n == 3
        return f(g, p, n), {"out": 7.0 * t["a"] + t["b"]}

    p = {"a": 2.0, "b": 1.0}
    assert float(f(xnp.sin, p, 3)["out"]) == pytest.approx(np.sin(2.0) * 3)
    for wrap in (lambda h: h, xform.jit):
        found = wrap(xform.grad(lambda q: f(xnp.sin, q, 3)["out"]))(p)
        assert_close(found, {"a": np.float64(7.0), "b": np.float64(1.0)})


def test_defjvps_and_keywords():
    @xform.custom_jvp
    def f(x, y=3.0):
        return x * y

    f.defjvps(lambda t, out, x, y: 100 * t * y, None)
    assert float(f(2.0)) == 6.0
    assert float(f(2.0, y=4.0)) == 8.0
    assert float(xform.grad(f)(2.0)) == 300.0
    assert float(xform.grad(lambda x: f(x, y=x))(2.0)) == 200.0


def test_defjvps_without_any_rule():
    """Zero times an infinite output was taken for the tangent."""
    f = xform.custom_jvp(lambda x, y: x * y)
    f.defjvps(None, None)
    assert float(xform.grad(f)(np.inf, 5.0)) == 0.0
    f.defjvps(None)
    with pytest.raises(errors.ArgumentError, match="one rule for each of the 2"):
        xform.grad(f)(1.0, 5.0)


def test_keywords_of_a_function_without_a_signature():
    """Keywords of a function whose signature is not known were dropped."""

    class Opaque:
        __signature__ = "none"
        __name__ = "opaque"

        def __call__(self, x, y=1.0):
            return x * y

    f = xform.custom_jvp(Opaque())
    f.defjvp(lambda p, t: (f(*p), t[0]))
    assert float(f(2.0, 3.0)) == 6.0
    with pytest.raises(errors.ArgumentError, match="signature"):
        f(2.0, y=3.0)


def test_custom_jvp_needs_a_rule_and_a_right_one():
    f = xform.custom_jvp(lambda x: x)
    with pytest.raises(errors.GradError, match="derivative rule"):
        f(1.0)
    f.defjvp(lambda p, t: p[0])
    with pytest.raises(errors.ArgumentError, match="pair"):
        xform.grad(f)(1.0)
    f.defjvp(lambda p, t: (p[0], (t[0],)))
    with pytest.raises(errors.TreeError, match="one structure"):
        xform.grad(f)(1.0)
    f.defjvp(lambda p, t: (p[0], xnp.ones(3)))
    with pytest.raises(errors.ShapeError, match="shape of its output"):
        xform.grad(f)(1.0)


def test_custom_jvp_closes_over_traced_values():
    def outer(scale, x):
        @xform.custom_jvp
        def f(z):
            return scale * z

        f.defjvp(lambda p, t: (f(p[0]), 5.0 * scale * t[0]))
        return f(x)

    assert float(xform.grad(outer, 1)(2.0, 3.0)) == 10.0
    assert float(xform.jit(xform.grad(outer, 1))(2.0, 3.0)) == 10.0
    found = xform.vmap(xform.grad(outer, 1), (0, None))(X, 3.0)
    assert_close(found, 5 * X)
    # The rule runs when the program is differentiated: the value that it closes over is gone.
    with pytest.raises(errors.UnexpectedTracerError):
        xform.grad(xform.jit(outer), 1)(2.0, 3.0)


def test_rules_may_close_over_arrays():
    """Arrays that a rule makes were lost when the function was inside of another program."""
    weights = np.array([1.0, 10.0, 100.0])
    f = xform.custom_jvp(lambda x: x * 1.0)
    f.defjvp(lambda p, t: (f(p[0]), t[0] * xnp.asarray(weights)))
    g = xform.custom_vjp(lambda x: x * 1.0)
    g.defvjp(lambda x: (g(x), 2.0), lambda kept, ct: (ct * weights * kept / 2,))
    for h in (f, g):
        for wrap in (xform.jit, xform.checkpoint, lambda k: xform.jit(xform.checkpoint(k))):
            loss = wrap(lambda x, h=h: h(x).sum())
            assert_close(xform.grad(loss)(X), weights)
            assert_close(xform.jit(xform.grad(loss))(X), weights)
            mapped = xform.vmap(xform.grad(loss))(np.stack([X, X]))
            assert_close(mapped, np.stack([weights, weights]))


def test_control_flow_of_python_in_custom_functions():
    @xform.custom_jvp
    def f(x):
        return x * 2 if x > 0 else x

    f.defjvp(lambda p, t: (f(p[0]), t[0] * (20 if p[0] > 0 else 10)))
    assert float(f(1.0)) == 2.0
    assert float(xform.grad(f)(1.0)) == 20.0
    assert float(xform.grad(f)(-1.0)) == 10.0


def test_methods_with_custom_derivatives():
    class Layer:
        scale = 3.0

        @xform.custom_jvp
        def double(x):
            return 2 * x

        double.defjvp(lambda p, t: (2 * p[0], 9.0 * t[0]))

    assert float(xform.grad(Layer.double)(1.0)) == 9.0


# -- custom_vjp ---------------------------------------------------------------------------------


def clipped():
    @xform.custom_vjp
    def f(x, limit):
        return x * limit

    f.defvjp(
        lambda x, limit: (f(x, limit), (x, limit)),
        lambda kept, ct: (xnp.clip(ct * kept[1], -1.0, 1.0), 7.0 * xnp.sum(kept[0] * ct)),
    )
    return f


def test_the_pullback_of_custom_vjp_is_used():
    f = clipped()
    assert float(f(2.0, 3.0)) == 6.0
    assert_close(xform.grad(f, (0, 1))(2.0, 3.0), (np.float64(1.0), np.float64(14.0)))


def pullback_cases():
    f = clipped()
    one = lambda x: f(x, 3.0)  # noqa: E731
    ones = np.ones(3)
    return {
        "jit": (lambda: xform.jit(one)(X), X * 3),
        "vmap": (lambda: xform.vmap(one)(X), X * 3),
        "jit(grad)": (lambda: xform.jit(xform.vmap(xform.grad(one)))(X), ones),
        "vmap(grad)": (lambda: xform.vmap(xform.grad(one))(X), ones),
        "grad(vmap)": (lambda: xform.grad(lambda x: xform.vmap(one)(x).sum())(X), ones),
        "grad(jit)": (lambda: xform.grad(lambda x: xform.jit(one)(x).sum())(X), ones),
        "grad(jit(vmap))": (
            lambda: xform.grad(lambda x: xform.jit(xform.vmap(one))(x).sum())(X),
            ones,
        ),
        "checkpoint": (lambda: xform.grad(lambda x: xform.checkpoint(one)(x).sum())(X), ones),
        "jacrev": (lambda: xform.jacrev(one)(X), np.eye(3)),
        "vjp": (lambda: xform.vjp(one, X)[1](ones)[0], ones),
        "shared argument": (
            lambda: xform.grad(lambda k: xform.vmap(f, (0, None))(X, k).sum())(3.0),
            np.float64(7 * X.sum()),
        ),
        "shared argument under jit": (
            lambda: xform.jit(xform.grad(lambda k: xform.vmap(f, (0, None))(X, k).sum()))(3.0),
            np.float64(7 * X.sum()),
        ),
        "grad(grad)": (
            lambda: xform.grad(lambda k: xform.grad(lambda x: f(x, k), 0)(2.0))(0.25),
            np.float64(1.0),
        ),
    }


@pytest.mark.parametrize("name", list(pullback_cases()))
def test_custom_vjp_under(name):
    run, wanted = pullback_cases()[name]
    assert_close(run(), wanted)


@pytest.mark.parametrize(
    "forward",
    [
        lambda f: xform.jvp(f, (1.0,), (1.0,)),
        lambda f: xform.jacfwd(f)(1.0),
        lambda f: xform.linearize(f, 1.0)[1](1.0),
        lambda f: xform.jvp(xform.jit(f), (1.0,), (1.0,)),
        lambda f: xform.jit(lambda x: xform.jvp(f, (x,), (1.0,)))(1.0),
    ],
)
def test_custom_vjp_in_forward_mode_raises(forward):
    f = clipped()
    kinds = (errors.GradError, errors.AbsentRuleError, errors.CompileError)
    with pytest.raises(kinds, match="reverse"):
        forward(lambda x: f(x, 3.0))


def test_custom_vjp_of_pytrees_with_none_and_nondiff():
    def scale(g, p, i):
        return {"y": g(p["a"]) * p["b"]}

    f = xform.custom_vjp(scale, nondiff_argnums=0)
    f.defvjp(
        lambda g, p, i: (f(g, p, i), p["b"]),
        lambda g, b, ct: ({"a": ct["y"] * b * 10, "b": None}, None),
    )
    p = {"a": 2.0, "b": 3.0}
    for wrap in (lambda h: h, xform.jit):
        found = wrap(xform.grad(lambda q: f(xnp.square, q, 4)["y"]))(p)
        assert_close(found, {"a": np.float64(30.0), "b": np.float64(0.0)})


@pytest.mark.parametrize(
    "fwd, bwd, kind, match",
    [
        (lambda x: x, lambda r, ct: (ct,), errors.ArgumentError, "pair"),
        (lambda x: (x, None), lambda r, ct: ct, errors.TreeError, "tuple"),
        (lambda x: (x, None), lambda r, ct: (ct, ct), errors.TreeError, "1 cotangents"),
        (lambda x: (x, None), lambda r, ct: ((ct, ct),), errors.TreeError, "structure"),
        (lambda x: (x, None), lambda r, ct: (xnp.ones(3),), errors.ShapeError, "shape"),
    ],
)
def test_wrong_rules_of_custom_vjp(fwd, bwd, kind, match):
    f = xform.custom_vjp(lambda x: x)
    f.defvjp(fwd, bwd)
    with pytest.raises(kind, match=match):
        xform.grad(f)(1.0)


def test_custom_vjp_closes_over_traced_values():
    def outer(scale, x):
        @xform.custom_vjp
        def f(z):
            return scale * z

        f.defvjp(lambda z: (f(z), None), lambda _, ct: (5.0 * ct,))
        return f(x)

    assert float(xform.jit(xform.grad(outer, 1))(2.0, 3.0)) == 5.0
    assert_close(xform.vmap(outer, (0, None))(X, 2.0), X * 2)


def test_integer_arguments_of_custom_vjp():
    f = xform.custom_vjp(lambda x, i: x * i)
    f.defvjp(lambda x, i: (x * i, i), lambda i, ct: (ct * i * 2.0, None))
    assert float(xform.grad(f)(2.0, 3)) == 6.0
    assert_close(xform.vmap(xform.grad(f))(X, np.array([1, 2, 3])), np.array([2.0, 4.0, 6.0]))


# -- checkpoint ---------------------------------------------------------------------------------


def deep(x):
    return xnp.sin(xnp.sin(xnp.sin(x)))


def count(text: str, word: str) -> int:
    return text.split().count(word)


def test_checkpoint_computes_again():
    def both(f):
        return xform.jit(xform.value_and_grad(lambda x: f(x).sum()))

    plain = both(deep).lower(X).as_text("simplified")
    again = both(xform.checkpoint(deep)).lower(X).as_text("simplified")
    assert count(plain, "sin") == 3
    assert count(again, "sin") == 5  # The last sine's value is not needed for its derivative.
    assert_close(both(xform.checkpoint(deep))(X), both(deep)(X))


def test_checkpoint_keeps_inputs_only():
    _, pullback = xform.vjp(xform.checkpoint(deep), X)
    assert_close(pullback(np.ones(3))[0], xform.vjp(deep, X)[1](np.ones(3))[0])
    program = xform.make_jaxpr(lambda x: xform.linearize(xform.checkpoint(deep), x)[1](x))(X)
    assert "checkpoint" in str(program)


def test_checkpoint_arguments():
    f = xform.checkpoint(lambda x, n, *, y: x**n * y, static_argnums=1)
    assert float(f(2.0, 3, y=2.0)) == 16.0
    assert float(xform.grad(f)(2.0, 3, y=2.0)) == 24.0
    g = xform.checkpoint(prevent_cse=False)(lambda p: {"out": p["a"] * 2, "none": None})
    assert float(xform.grad(lambda p: g(p)["out"])({"a": 1.0})["a"]) == 2.0
    assert xform.checkpoint(deep).__name__ == "deep"


def test_checkpoint_nests_and_maps():
    f = xform.checkpoint(lambda x: xform.checkpoint(deep)(x) * x)
    wanted = xform.vmap(xform.grad(lambda x: deep(x) * x))(X)
    assert_close(xform.vmap(xform.grad(f))(X), wanted)
    assert_close(xform.jit(xform.vmap(xform.grad(f)))(X), wanted)
    assert_close(xform.jacfwd(xform.grad(lambda x: f(x).sum()))(X),
                 xform.jacfwd(xform.grad(lambda x: (deep(x) * x).sum()))(X))  # fmt: skip


def test_checkpoint_closes_over_traced_values():
    def f(w, x):
        return xform.checkpoint(lambda z: xnp.sin(w * z))(x)

    assert_close(xform.grad(f)(2.0, 3.0), np.cos(6.0) * 3.0)
    assert_close(xform.jit(xform.grad(f, 1))(2.0, 3.0), np.cos(6.0) * 2.0)
