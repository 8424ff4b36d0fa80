"""The examples about dynamics and inference find what science says they should."""

import importlib
import operator

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import xform
from examples import meta_learning, neural_ode
from xform import random


@pytest.fixture(scope="module")
def pendulum():
    """What was observed, the time spans, the fitted parameters and the losses of the fit."""
    states, spans = neural_ode.observe(), np.diff(neural_ode.TIMES).astype(np.float32)
    starts, targets = neural_ode.windows(states)
    first = neural_ode.init(random.key(0))
    params, losses = neural_ode.fit(first, starts, spans[: neural_ode.WINDOW], targets)
    return states, spans, params, np.asarray(losses)


def test_the_neural_ode_follows_the_pendulum(pendulum):
    states, spans, params, losses = pendulum
    assert losses[-1] < 1e-3 * losses[0]
    found, _ = neural_ode.trajectory(params, states[0], spans)
    error = np.sqrt(np.mean((np.asarray(found) - states[1:]) ** 2))
    assert error < 0.03 * np.sqrt(np.mean(states**2))


def test_the_neural_ode_is_that_of_the_pendulum_where_it_was_observed(pendulum):
    states, _, params, _ = pendulum
    found = np.asarray(xform.vmap(neural_ode.slope, in_axes=(None, 0))(params, states))
    true = neural_ode.pendulum(0.0, states.T.astype(np.float64)).T
    assert np.sqrt(np.mean((found - true) ** 2)) < 0.05 * np.sqrt(np.mean(true**2))


def test_the_solver_is_as_accurate_as_it_is_asked_to_be(pendulum):
    states, spans, params, _ = pendulum
    hidden, bias, out, shift = (np.asarray(p, np.float64) for p in params)
    times = neural_ode.TIMES

    def slope(_, y):
        return np.tanh(y @ hidden + bias) @ out + shift

    exact = solve_ivp(slope, times[[0, -1]], states[0], "DOP853", times, rtol=1e-10, atol=1e-10)
    errors = []
    for tolerance in (1e-3, 1e-4, 1e-5):
        found, steps = map(np.asarray, neural_ode.trajectory(params, states[0], spans, tolerance))
        errors.append(np.abs(found.T - exact.y[:, 1:]).max())
        assert errors[-1] < tolerance * steps.sum()  # the tolerance is that of each step
        assert steps.min() < steps.max()
    assert errors[1] < errors[0] / 5 and errors[2] < errors[1] / 5


def test_the_gradient_through_the_solver_is_that_of_finite_differences():
    with xform.enable_x64(True):
        params = neural_ode.init(random.key(3))
        params = xform.tree.map(lambda p: np.asarray(p, np.float64) * 1.5, params)
        states = neural_ode.observe()[:8].astype(np.float64)
        targets, spans = states[None, 1:5] + 0.5, np.full(4, 0.4)

        def loss(params):
            return neural_ode.loss(params, states[:1], spans, targets)

        slopes = xform.tree.leaves(xform.grad(loss)(params))
        leaves, treedef = xform.tree.flatten(params)
        rng = np.random.default_rng(0)
        way = [rng.normal(size=leaf.shape) for leaf in leaves]

        def moved(size):
            return xform.tree.unflatten(
                treedef, [leaf + size * w for leaf, w in zip(leaves, way, strict=True)]
            )

        numeric = (loss(moved(1e-4)) - loss(moved(-1e-4))) / 2e-4
        analytic = sum(np.vdot(s, w) for s, w in zip(slopes, way, strict=True))
        assert analytic == pytest.approx(float(numeric), rel=1e-3)


@pytest.fixture(scope="module")
def hmc():
    """The example, which takes its data from scikit-learn."""
    pytest.importorskip("sklearn", reason="the examples take their data from scikit-learn")
    return importlib.import_module("examples.hmc")


@pytest.fixture(scope="module")
def posterior(hmc):
    """Samples float64[chains, n, 10], the acceptance, and the exact mean and covariance."""
    inputs, outcomes = hmc.data()
    samples, accepted = hmc.sample(random.key(0), inputs, outcomes)
    return np.asarray(samples, np.float64), float(accepted), *hmc.exact(inputs, outcomes)


def within_monte_carlo_error(of_chain, exact, scale):
    """Whether means of independent chains, [chains, ...], differ from the exact value by chance."""
    error = of_chain.std(0, ddof=1) / np.sqrt(len(of_chain))
    assert np.all(error < 0.03 * scale)  # so that the next line says something
    return np.all(np.abs(of_chain.mean(0) - exact) < 5 * error)


def test_the_chains_mix(hmc, posterior):
    samples, accepted, *_ = posterior
    assert np.all(hmc.r_hat(samples) < 1.05)
    assert 0.6 < accepted < 0.95


def test_the_chains_have_the_mean_and_covariance_of_the_posterior(posterior):
    samples, _, mean, covariance = posterior
    deviation = np.sqrt(covariance.diagonal())
    assert within_monte_carlo_error(samples.mean(1), mean, deviation)
    away = samples - mean
    products = np.einsum("cni,cnj->cij", away, away) / samples.shape[1]
    assert within_monte_carlo_error(products, covariance, np.outer(deviation, deviation))


def test_r_hat_sees_chains_that_disagree(hmc, posterior):
    samples, *_ = posterior
    apart = samples + 2 * samples.std() * np.arange(len(samples))[:, None, None]
    assert np.all(hmc.r_hat(apart) > 1.5)


def test_the_leapfrog_is_reversible_and_keeps_the_energy(hmc):
    x, p = np.float32([1.0, 0.5]), np.float32([0.3, -1.0])
    new, end = hmc.leapfrog(operator.neg, x, p, 0.1, 30)
    back, start = hmc.leapfrog(operator.neg, new, -end, 0.1, 30)
    assert np.allclose(back, x, atol=1e-5) and np.allclose(-start, p, atol=1e-5)
    assert float(new @ new + end @ end) == pytest.approx(float(x @ x + p @ p), rel=5e-3)
    assert np.abs(new - x).max() > 0.1


def test_meta_learned_weights_adapt_in_a_few_steps():
    plain = meta_learning.init(random.key(0))
    learned, _ = meta_learning.meta_train(plain, random.key(1))
    of_plain, of_learned = (meta_learning.judge(p, random.key(2)) for p in (plain, learned))
    assert 5 * of_learned[-1] < of_plain.min()
    assert 5 * of_learned[-1] < of_learned[0]  # the weights know no wave, they learn fast
    assert of_learned[1] < of_plain.min()


def test_the_meta_gradient_goes_through_the_steps():
    with xform.enable_x64(True):
        params = meta_learning.init(random.key(0))
        params = xform.tree.map(lambda p: np.asarray(p, np.float64), params)
        key = random.key(5)

        def moved(size):
            return meta_learning.adapted_loss(shifted(params, size), key)

        def shifted(params, size):
            (w, b), *rest = params
            return [(w + size, b), *rest]

        numeric = (moved(1e-6) - moved(-1e-6)) / 2e-6
        slope = np.sum(xform.grad(meta_learning.adapted_loss)(params, key)[0][0])
        assert float(slope) == pytest.approx(float(numeric), rel=1e-4)
        seen, unseen = meta_learning.draw_task(key)
        adapted = meta_learning.adapt(params, *seen)
        first_order = np.sum(xform.grad(meta_learning.loss)(adapted, *unseen)[0][0])
        assert abs(float(first_order) - float(numeric)) > 0.01 * abs(float(numeric))
