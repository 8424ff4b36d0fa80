"""The examples give the results that they are about."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.stats import chi2

import xform
import xform.numpy as xnp

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = {path.stem: path for path in sorted((ROOT / "examples").glob("*.py"))}


def load(name):
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES[name])
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_are_short_and_tested(name):
    text = EXAMPLES[name].read_text(encoding="utf-8")
    assert text.startswith('"""')
    assert text.count("\n") <= 200
    assert any(test.startswith(f"test_{name}") for test in globals())


# The network for digits


def test_digits_runs_as_a_script():
    pytest.importorskip("sklearn", reason="the data come from scikit-learn")
    done = subprocess.run(
        [sys.executable, str(EXAMPLES["digits"])],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_digits_compares_equal_steps():
    pytest.importorskip("sklearn", reason="the data come from scikit-learn")
    demo = load("digits")
    params = demo.init(xform.random.key(0))
    speeds = xform.tree.map(lambda w: w / 100, params)
    rng = np.random.default_rng(0)
    images = rng.random((16, 64), np.float32)
    labels = rng.integers(0, 10, 16).astype(np.int32)
    found = demo.step(params, speeds, images, labels)
    arrays = xform.tree.map(np.asarray, (params, speeds))
    wanted = demo.numpy_step(*arrays, images, labels)
    for ours, theirs in zip(xform.tree.leaves(found), xform.tree.leaves(wanted), strict=True):
        # Sums over at most 128 numbers near 1, in another order.
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


# The neural differential equation


def test_neural_ode_learns_how_the_pendulum_moves():
    error, size = load("neural_ode").main()
    assert error < 0.03 * size


def test_neural_ode_solver_keeps_its_tolerance():
    ode = load("neural_ode")
    start = np.float32([1.2, 0.4])

    def swing(y):
        return xnp.stack(ode.pendulum(0, y))

    path, coarse = ode.solve(swing, start, ode.TIMES, 1e-3)
    np.testing.assert_allclose(path, ode.swings([start])[0], atol=0.02)
    path, fine = ode.solve(swing, start, ode.TIMES, 1e-6)
    np.testing.assert_allclose(path, ode.swings([start])[0], atol=3e-5)
    # The error of a step falls with the cube of its size.
    assert 4 < fine / coarse < 15


def test_neural_ode_gradient_goes_through_the_solver():
    """The end of a swing depends on friction and start as in a solution by another method."""
    ode = load("neural_ode")
    inputs = np.float32([0.25, 1.2, 0.4])

    def end(inputs):
        friction, *start = inputs
        f = lambda y: xnp.stack([y[1], -xnp.sin(y[0]) - friction * y[1]])  # noqa: E731
        return ode.solve(f, xnp.stack(start), ode.TIMES, 1e-6)[0][-1]

    def accurate(inputs):
        f = lambda t, y: [y[1], -np.sin(y[0]) - inputs[0] * y[1]]  # noqa: E731
        return solve_ivp(f, (0, 8), inputs[1:], method="DOP853", rtol=1e-12, atol=1e-12).y[:, -1]

    wanted = [(accurate(inputs + 1e-4 * e) - accurate(inputs - 1e-4 * e)) / 2e-4 for e in np.eye(3)]
    found = xform.jit(xform.jacrev(end))(inputs)
    np.testing.assert_allclose(found, np.transpose(wanted), atol=5e-4)
    np.testing.assert_allclose(found, xform.jit(xform.jacfwd(end))(inputs), atol=1e-5)


# Hamiltonian Monte Carlo


def test_hmc_recovers_the_posterior():
    pytest.importorskip("sklearn", reason="the data come from scikit-learn")
    hmc = load("hmc")
    chains, rates = hmc.main()
    mean, covariance = hmc.exact_posterior(*hmc.standardized_data())
    assert hmc.split_r_hat(chains).max() < 1.01
    assert 0.6 < rates.min() <= rates.max() < 0.98
    # The chains are independent: how their means differ is the error of the mean of all.
    means = chains.astype(float).mean(1)
    error = means.std(0, ddof=1) / len(means) ** 0.5
    deviation = np.sqrt(np.diag(covariance))
    assert np.all(error < 0.02 * deviation)
    assert np.all(abs(means.mean(0) - mean) < 4 * error)
    off = chains - mean
    products = np.einsum("csi,csj->cij", off, off) / off.shape[1]
    error = products.std(0, ddof=1) / len(products) ** 0.5
    scale = np.outer(deviation, deviation)
    assert np.all(error < 0.05 * scale)
    assert np.all(abs(products.mean(0) - covariance) < 4 * error)


def test_hmc_leapfrog_conserves_energy_and_returns():
    """The error of the energy falls with the square of the step; backward is the way back."""
    hmc = load("hmc")
    w, p = np.float32([1.0, -0.5]), np.float32([0.3, 0.8])
    potential = lambda w: xnp.sum(w**4) / 4 + w[0] * w[1]  # noqa: E731
    slope = xform.grad(lambda w: -potential(w))

    def loss_of_energy(size, steps):
        v, q = hmc.leapfrog(slope, w, p, size, steps)
        back, turned = hmc.leapfrog(slope, v, -q, size, steps)
        np.testing.assert_allclose(back, w, atol=1e-5)
        np.testing.assert_allclose(turned, -p, atol=1e-5)
        return abs(potential(v) + q @ q / 2 - potential(w) - p @ p / 2)

    assert 3 < loss_of_energy(0.1, 20) / loss_of_energy(0.05, 40) < 5


def test_hmc_r_hat_tells_chains_that_have_not_mixed():
    hmc = load("hmc")
    chains = np.random.default_rng(0).normal(size=(8, 1000, 1))
    assert hmc.split_r_hat(chains).max() < 1.01
    chains[0] += 1
    assert hmc.split_r_hat(chains).max() > 1.05


# Meta-learning


def test_meta_learning_adapts_in_few_steps():
    plain, meta = load("meta_learning").main()
    assert meta[3] < plain[3] / 6
    assert meta[1] < plain.min() / 3
    # More steps than were trained for help, too.
    assert meta[10] < meta[3] < meta[1] < meta[0]


def test_meta_learning_gradient_is_that_of_steps_written_out():
    """The gradient through the scan, of second order, against differences in double precision."""
    maml = load("meta_learning")
    with xform.config.scoped(enable_x64=True):
        rng = np.random.default_rng(0)
        params = xform.tree.map(
            lambda p: np.asarray(p) + 0.1 * rng.normal(size=p.shape), maml.init(xform.random.key(0))
        )
        points = tuple(rng.normal(size=(2, 10)))
        direction = xform.tree.map(lambda p: rng.normal(size=p.shape), params)

        def adapted(size):
            start = xform.tree.map(lambda p, d: p + size * d, params, direction)
            path = maml.adapt(start, points, 3, 0.03)
            return maml.loss(xform.tree.map(lambda p: p[-1], path), points)

        slope = xform.jit(xform.grad(adapted))(0.0)
        difference = (adapted(1e-5) - adapted(-1e-5)) / 2e-5
        assert slope.dtype == np.float64
        np.testing.assert_allclose(slope, difference, rtol=1e-7)

        def first_order(size):
            path = maml.adapt(xform.lax.stop_gradient(params), points, 3, 0.03)
            end = xform.tree.map(lambda p, d: p[-1] + size * d, path, direction)
            return maml.loss(end, points)

        assert abs(xform.grad(first_order)(0.0) - slope) > 1e-3 * abs(slope)


# The Kalman filter


def test_kalman_filter_is_accurate_and_knows_how_much():
    raw, filtered, innovations, errors, covariances = load("kalman").main()
    assert filtered < raw / 2
    # Innovations are independent of each other; errors only from one target to another.
    for squares, freedom in ((innovations, 2), (errors[:, -1], 5)):
        low, high = chi2.ppf([0.005, 0.995], freedom * squares.size) / squares.size
        assert low < squares.mean() < high
    np.testing.assert_array_equal(covariances, np.swapaxes(covariances, -1, -2))
    assert np.linalg.eigvalsh(covariances.astype(float)).min() > 0


def test_kalman_filter_is_exact_for_a_linear_target(monkeypatch):
    """Then the estimate is the mean of a Gaussian under the condition of all measurements."""
    kalman = load("kalman")
    f = np.eye(5, dtype=np.float32) + np.float32(0.1) * np.eye(5, k=1, dtype=np.float32)
    h = np.float32([[1, 0, 0.5, 0, 0], [0, 1, 0, 0, 0.2]])
    monkeypatch.setattr(kalman, "move", lambda state: f @ state)
    monkeypatch.setattr(kalman, "measure", lambda state: h @ state)
    p0, q, r = np.diag([1.0, 2, 1, 0.5, 1]), 0.01 * np.eye(5), np.diag([0.1, 0.2])
    for name, value in (("P0", p0), ("Q", q), ("R", r)):
        monkeypatch.setattr(kalman, name, value.astype(np.float32))
    # What is measured in three steps is a matrix times the start and the shocks, plus noise.
    motion, seen, now = f.astype(float), [], np.eye(5, 20)
    for k in range(3):
        now = motion @ now + np.eye(5, 20, k=5 * (k + 1))
        seen.append(h @ now)
    prior, noise, rows = np.kron(np.eye(4), q), np.kron(np.eye(3), r), np.concatenate(seen)
    prior[:5, :5] = p0
    gain = now @ prior @ rows.T @ np.linalg.inv(rows @ prior @ rows.T + noise)
    measurements = np.float32([[0.3, -0.2], [0.5, 0.1], [0.4, 0.4]])
    means, covariances, _ = kalman.track(np.zeros(5, np.float32), measurements)
    np.testing.assert_allclose(means[-1], gain @ measurements.ravel(), atol=1e-5)
    wanted = (now - gain @ rows) @ prior @ now.T
    np.testing.assert_allclose(covariances[-1], wanted, atol=1e-5)


# Fixed points


@pytest.fixture
def x64():
    with xform.config.scoped(enable_x64=True):
        yield


def test_fixed_point_of_the_orbit_is_found_within_its_error():
    found, errors, true = load("fixed_point").main()
    assert np.all(abs(found - true) < 4 * errors)
    # The eccentricity, by no more than three parts in a hundred.
    assert errors[4] < 0.03 * true[4]


def test_fixed_point_gradient_is_that_of_differences_and_of_all_steps(x64):
    points = load("fixed_point")
    e, mean = 0.6, 1.1

    def by_steps(e):
        return xform.lax.fori_loop(0, 200, lambda _, x: mean + e * xnp.sin(x), mean)

    anomaly = lambda e: points.anomaly(e, xnp.float64(mean))  # noqa: E731
    np.testing.assert_allclose(anomaly(e) - e * np.sin(anomaly(e)), mean, rtol=1e-14)
    for derivative in (xform.grad, xform.jacfwd, lambda f: xform.jit(xform.grad(f))):
        slope = derivative(anomaly)
        np.testing.assert_allclose(slope(e), xform.grad(by_steps)(e), rtol=1e-12)
        difference = (anomaly(e + 1e-5) - anomaly(e - 1e-5)) / 2e-5
        np.testing.assert_allclose(slope(e), difference, rtol=1e-8)
        curvature = (slope(e + 1e-5) - slope(e - 1e-5)) / 2e-5
        np.testing.assert_allclose(xform.grad(slope)(e), curvature, rtol=1e-8)


def test_fixed_point_gradient_of_the_rod_and_its_memory(x64):
    points = load("fixed_point")
    k = 1 + 0.3 * np.cos(np.arange(12))

    def mean(k):
        return xnp.mean(points.temperatures(k))

    slope = xform.jit(xform.grad(mean))(k)
    by_steps = xform.grad(lambda k: xnp.mean(points.temperatures_by_steps(k, 4000)))
    np.testing.assert_allclose(slope, xform.jit(by_steps)(k), rtol=1e-9, atol=1e-13)
    differences = [(mean(k + 1e-5 * d) - mean(k - 1e-5 * d)) / 2e-5 for d in np.eye(12)]
    np.testing.assert_allclose(slope, differences, rtol=1e-6, atol=1e-9)

    def by(steps):
        return points.memory_of_gradient(lambda k: points.temperatures_by_steps(k, steps), k)

    implicit = points.memory_of_gradient(points.temperatures, k)
    assert implicit < 20 * k.nbytes
    assert by(4000) > 3.9 * by(1000) > 100 * implicit
