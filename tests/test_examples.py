"""The examples give the results that they are about."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import solve_ivp

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
