"""checkpoint and its policies: what the derivative keeps, and what it computes again."""

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import xform
import xform.numpy as xnp
from xform import checkpoint_policies as policies, errors, lax, tree
from xform.ad_checkpoint import checkpoint_name, print_saved_residuals
from xform.config import config
from xform.core.jaxpr import Jaxpr, subprograms


@pytest.fixture(autouse=True)
def _double() -> Iterator[None]:
    with config.scoped(enable_x64=True, cache_dir=""):
        yield


RNG = np.random.default_rng(0)
W, V = RNG.uniform(-1, 1, (3, 4)), RNG.uniform(-1, 1, (4, 3))
X = RNG.uniform(-1, 1, (5, 3))


def block(w, v, x):
    hidden = checkpoint_name(xnp.tanh(x @ w), "hidden")
    return checkpoint_name(xnp.sin(hidden @ v), "out")


def names_of(program: Jaxpr) -> list[str]:
    """The operators of a program, those of programs in it included."""
    found: list[str] = []
    for equation in program.equations:
        inner = list(subprograms(equation.params))
        found += [name for p in inner for name in names_of(p)] or [equation.primitive.name]
    return found


def counts(policy: Any, f: Any = block) -> dict[str, int]:
    """How often each operator runs in the pullback of a checkpoint."""
    wrapped = xform.checkpoint(f, policy=policy)
    _, pullback = xform.vjp(wrapped, W, V, X)
    ops = names_of(xform.make_jaxpr(pullback)(np.ones((5, 3))).jaxpr)
    return {name: ops.count(name) for name in ("tanh", "sin", "cos", "dot_general", "name")}


def residuals(f: Any, *args: Any) -> list[tuple[int, ...]]:
    """The shapes of what the pullback keeps."""
    return sorted(np.shape(x) for x in tree.leaves(xform.vjp(f, *args)[1]))


# The backward pass itself has four products and no nonlinear operator.
POLICIES = {
    "none": (None, {"tanh": 1, "cos": 1, "dot_general": 6}),
    "nothing": (policies.nothing_saveable, {"tanh": 1, "cos": 1, "dot_general": 6}),
    "everything": (policies.everything_saveable, {"tanh": 0, "cos": 0, "dot_general": 4}),
    "dots": (policies.dots_saveable, {"tanh": 1, "cos": 1, "dot_general": 4}),
    "checkpoint_dots": (policies.checkpoint_dots, {"tanh": 1, "cos": 1, "dot_general": 4}),
    "dots without batch": (
        policies.dots_with_no_batch_dims_saveable,
        {"tanh": 1, "cos": 1, "dot_general": 4},
    ),
    # The product before tanh is wanted by the derivative of tanh only through its result.
    "hidden": (policies.save_only_these_names("hidden"), {"dot_general": 6, "cos": 1}),
    "but out": (policies.save_any_names_but_these("out"), {"dot_general": 6, "cos": 1}),
    "except hidden": (policies.save_anything_except_these_names("hidden"), {"tanh": 0, "cos": 0}),
    "dots or hidden": (
        policies.save_from_both_policies(
            policies.dots_saveable, policies.save_only_these_names("hidden")
        ),
        {"dot_general": 4, "cos": 1},
    ),
}


@pytest.mark.parametrize("name", POLICIES)
def test_what_a_policy_computes_again(name):
    policy, wanted = POLICIES[name]
    found = counts(policy)
    assert {k: found[k] for k in wanted} == wanted


@pytest.mark.parametrize("name", POLICIES)
@pytest.mark.parametrize("wrap", [lambda f: f, xform.jit], ids=["eager", "jit"])
def test_policies_change_no_gradient(name, wrap):
    def loss(f):
        return lambda w, v, x: xnp.sum(f(w, v, x) ** 2)

    plain = xform.grad(loss(block), (0, 1, 2))(W, V, X)
    again = wrap(xform.grad(loss(xform.checkpoint(block, policy=POLICIES[name][0])), (0, 1, 2)))
    for x, y in zip(plain, again(W, V, X), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("policy", [None, policies.dots_saveable, policies.everything_saveable])
def test_orders_and_batches_of_checkpoints(policy):
    f = lambda x: xnp.sum(block(W, V, x) ** 2)  # noqa: E731
    g = xform.checkpoint(f, policy=policy)
    np.testing.assert_allclose(xform.hessian(g)(X), xform.hessian(f)(X), rtol=1e-11, atol=1e-13)
    xs = np.stack([X, 2 * X])
    for wrap in (
        xform.vmap,
        lambda h: xform.jit(xform.vmap(h)),
        lambda h: xform.vmap(xform.jit(h)),
    ):
        found = wrap(xform.grad(g))(xs)
        np.testing.assert_allclose(found, xform.vmap(xform.grad(f))(xs), rtol=1e-12, atol=1e-14)
    twice = xform.grad(lambda x: xnp.sum(xform.grad(g)(x) ** 2))(X)
    wanted = xform.grad(lambda x: xnp.sum(xform.grad(f)(x) ** 2))(X)
    np.testing.assert_allclose(twice, wanted, rtol=1e-11, atol=1e-13)


def test_policies_see_what_jitted_functions_do():
    """A policy that keeps products was not asked about those within a jitted function."""
    inner = xform.jit(block)
    again = counts(policies.dots_saveable, lambda w, v, x: inner(w, v, x) * 2.0)
    assert again["dot_general"] == 4
    assert counts(None, lambda w, v, x: inner(w, v, x) * 2.0)["dot_general"] == 6


def test_batched_products_are_told_from_others():
    f = lambda x, y: xnp.sin(xform.lax.dot_general(x, y, (((2,), (1,)), ((0,), (0,)))))  # noqa: E731
    x, y = RNG.uniform(size=(2, 3, 4)), RNG.uniform(size=(2, 4, 3))

    def products(policy):
        _, pullback = xform.vjp(xform.checkpoint(f, policy=policy), x, y)
        return names_of(xform.make_jaxpr(pullback)(np.ones((2, 3, 3))).jaxpr).count("dot_general")

    assert products(policies.dots_saveable) == 2
    assert products(policies.dots_with_no_batch_dims_saveable) == 3


def test_a_checkpoint_keeps_its_inputs():
    assert residuals(xform.checkpoint(block), W, V, X) == [(3, 4), (4, 3), (5, 3)]
    kept = residuals(xform.checkpoint(block, policy=policies.dots_saveable), W, V, X)
    assert kept == [(3, 4), (4, 3), (5, 3), (5, 3), (5, 4)]


def test_checkpoints_keep_less():
    def chain(f):
        def loss(weights, x):
            for w, v in weights:
                x = x + f(w, v, x)
            return xnp.sum(x * x)

        return loss

    weights = [(RNG.normal(size=(8, 64)), RNG.normal(size=(64, 8))) for _ in range(6)]
    x = RNG.normal(size=(16, 8))

    def kept(f):
        _, pullback = xform.vjp(chain(f), weights, x)
        shared = {id(w) for pair in weights for w in pair}
        return sum(
            r.nbytes for r in tree.leaves(pullback) if r.shape[0] == 16 and id(r) not in shared
        )

    assert kept(xform.checkpoint(block)) <= 0.2 * kept(block)


def test_what_is_computed_again_is_computed_late():
    """In the program of a gradient each layer is computed again right before its derivative."""
    layer = xform.checkpoint(lambda x: xnp.tanh(xnp.sin(x)))

    def loss(x):
        for _ in range(4):
            x = layer(x)
        return xnp.sum(x)

    program = xform.make_jaxpr(xform.grad(loss))(X).jaxpr
    layers = [e for e in program.equations if e.primitive.name == "checkpoint"]
    assert len(layers) == 3 + 4  # The value of the last layer is not wanted.
    later = layers[3:]
    for before, after in itertools.pairwise(later):
        assert before.outputs[-1] in after.inputs


def test_nothing_is_kept_for_outputs_that_are_known():
    """The forward half of a checkpoint had the values that its derivative needs as outputs."""
    program = xform.make_jaxpr(lambda x: xform.vjp(xform.checkpoint(xnp.sin), x)[0])(X)
    (equation,) = program.eqns
    assert len(equation.outputs) == 1
    kept = xform.make_jaxpr(lambda x: tree.leaves(xform.vjp(xform.checkpoint(xnp.sin), x)[1]))(X)
    assert [e.primitive.name for e in kept.eqns] == []


def test_names_are_the_identity():
    p = {"a": X, "b": (1.0, None)}
    found = checkpoint_name(p, "n")
    assert tree.structure(found) == tree.structure(p)
    np.testing.assert_array_equal(found["a"], X)
    assert float(xform.grad(lambda x: checkpoint_name(x, "n") ** 2)(3.0)) == 6.0
    assert "name" not in xform.jit(lambda x: checkpoint_name(x, "n") * 2).lower(X).as_text("nests")


def test_saved_residuals_are_printed(capsys):
    f = xform.checkpoint(block, policy=policies.save_only_these_names("hidden"))
    print_saved_residuals(f, W, V, X)
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == [
        "f64[3,4] from the argument w",
        "f64[4,3] from the argument v",
        "f64[5,3] from the argument x",
    ]
    assert lines[3].startswith("f64[5,4] named 'hidden' at ")
    assert 'checkpoint_name(xnp.tanh(x @ w), "hidden")' in lines[3]
    assert len(lines) == 4
    scale = xnp.asarray(X)
    print_saved_residuals(lambda x: xnp.sum(x * scale), X)
    assert capsys.readouterr().out == "f64[5,3] from a constant\n"


def test_static_arguments():
    f = xform.checkpoint(
        lambda x, n, *, power: x**power if n else x, static_argnums=1, static_argnames="power"
    )
    assert float(xform.grad(f)(2.0, 3, power=3)) == 12.0
    g = xform.checkpoint(lambda x, n: x**n, static_argnames=("n",))
    assert float(xform.grad(g)(2.0, 3)) == 12.0
    assert float(xform.grad(g)(2.0, n=3)) == 12.0
    with pytest.raises(errors.TracerBoolConversionError):
        xform.checkpoint(lambda x, n: x if n else -x)(2.0, 1)


def test_a_policy_is_asked_about_operators_their_inputs_and_parameters():
    asked = []

    def policy(primitive, *avals, **params):
        asked.append((primitive.name, [a.shape for a in avals], sorted(params)))
        return False

    xform.vjp(xform.checkpoint(lambda x: xnp.sum(xnp.sin(x), axis=0), policy=policy), X)
    assert ("cos", [(5, 3)], []) in asked
    assert xform.remat is xform.checkpoint


def test_checkpoints_of_the_steps_of_a_loop():
    """The loop keeps what it carries, not what its step computes."""

    def loss(step):
        return lambda x: xnp.sum(lax.scan(lambda c, _: (step(c), None), x, None, length=7)[0])

    def step(c):
        hidden = xnp.tanh(c @ W)
        return c + xnp.sin(hidden @ V)

    f, g = loss(step), loss(xform.checkpoint(step))
    for wrap in (lambda h: h, xform.jit):
        np.testing.assert_allclose(wrap(xform.grad(g))(X), xform.grad(f)(X), rtol=1e-12)
    kept = residuals(g, X)
    assert (7, 5, 3) in kept
    assert (7, 5, 4) not in kept
    assert (7, 5, 4) in residuals(f, X)
    named = xform.checkpoint(
        lambda c: c + xnp.sin(checkpoint_name(xnp.tanh(c @ W), "h") @ V),
        policy=policies.save_only_these_names("h"),
    )
    assert (7, 5, 4) in residuals(loss(named), X)
    np.testing.assert_allclose(xform.grad(loss(named))(X), xform.grad(f)(X), rtol=1e-12)


def test_checkpoints_lower_the_peak():
    """At most 60 % of the memory of the same gradient without them; policies are in between."""

    def workspace(wrap):
        f = wrap(lambda w, v, x: x + xnp.tanh(x @ w) @ v)

        def loss(weights, x):
            for w, v in weights:
                x = f(w, v, x)
            return xnp.sum(x * x)

        w, v, x = (xform.ShapeDtypeStruct(s, "float32") for s in ((32, 128), (128, 32), (256, 32)))
        lowered = xform.jit(xform.grad(loss)).lower([(w, v)] * 16, x)
        return lowered.compile().memory_analysis()["workspace"]

    plain = workspace(lambda f: f)
    again = workspace(xform.checkpoint)
    dots = workspace(lambda f: xform.checkpoint(f, policy=policies.dots_saveable))
    assert again <= 0.6 * plain
    assert again < dots
