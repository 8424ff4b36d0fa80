"""The scientific results of examples/kalman.py, fixed_point.py and data_parallel.py."""

from collections.abc import Iterator

import numpy as np
import pytest
from scipy.integrate import solve_bvp
from scipy.optimize import brentq

import xform
import xform.numpy as xnp
from examples import data_parallel, fixed_point, kalman
from xform import random
from xform.config import config


@pytest.fixture(autouse=True)
def _double() -> Iterator[None]:
    with config.scoped(enable_x64=True, num_cpu_devices=data_parallel.DEVICES):
        yield


# The pendulum


@pytest.fixture
def pendulums():
    keys = random.split(random.key(0), kalman.RUNS)
    return xform.jit(xform.vmap(kalman.simulate))(keys)


def test_the_filter_is_nearer_than_the_measurements(pendulums):
    paths, seen = pendulums
    found = xform.jit(xform.vmap(kalman.follow))(seen)
    sines = xnp.sin(paths[..., 0])
    assert kalman.rms(seen - sines) == pytest.approx(kalman.NOISE**0.5, rel=0.02)
    assert kalman.rms(xnp.sin(found.mean[..., 0]) - sines) < 0.2 * kalman.rms(seen - sines)
    # The speed is never measured: all that is known of it follows from the angles.
    assert kalman.rms(found.mean[..., 1] - paths[..., 1]) < 0.12 * kalman.rms(paths[..., 1])


def test_the_filter_knows_its_errors(pendulums):
    paths, seen = pendulums
    found = xform.jit(xform.vmap(kalman.follow))(seen)
    mean, low, high = kalman.consistency(found.surprise)
    assert low < mean < high
    # The errors, too, are as large as the covariances say: their squares are 2 on average, of two
    # numbers. Those of one pendulum depend on each other, so that each pendulum counts once.
    errors = np.asarray(paths - found.mean)
    scaled = np.linalg.solve(found.covariance, errors[..., None])[..., 0]
    squares = (errors * scaled).sum(-1).mean(1)
    assert abs(squares.mean() - 2) < 3 * squares.std(ddof=1) / kalman.RUNS**0.5
    assert squares.std(ddof=1) / kalman.RUNS**0.5 < 0.2


def test_a_filter_with_a_wrong_motion_does_not(pendulums):
    _, seen = pendulums
    wrong = xform.jit(xform.vmap(lambda y: kalman.follow(y, kalman.move_if_small)))(seen)
    mean, _, high = kalman.consistency(wrong.surprise)
    assert mean > 1.1 * high


def test_covariances_are_symmetric_and_positive(pendulums):
    _, seen = pendulums
    p = np.asarray(xform.jit(xform.vmap(kalman.follow))(seen).covariance)
    assert p.shape == (kalman.RUNS, kalman.STEPS, 2, 2)
    np.testing.assert_array_equal(p, np.swapaxes(p, -1, -2))
    assert np.linalg.eigvalsh(p).min() > 0


def test_the_filter_is_the_one_written_by_hand(pendulums):
    seen = np.asarray(pendulums[1][0])
    found = kalman.follow(seen)
    m, p = kalman.START, kalman.SPREAD
    for k, y in enumerate(seen):
        slope = -kalman.STEP * kalman.GRAVITY * np.cos(m[0])
        f = np.array([[1.0, kalman.STEP], [slope, 1.0]])
        m = m + kalman.STEP * np.array([m[1], -kalman.GRAVITY * np.sin(m[0])])
        p = f @ p @ f.T + kalman.Q
        h = np.array([[np.cos(m[0]), 0.0]])
        s = h @ p @ h.T + kalman.NOISE
        gain = p @ h.T / s
        m, p = m + gain[:, 0] * (y - np.sin(m[0])), p - gain @ s @ gain.T
        np.testing.assert_allclose(found.mean[k], m, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(found.covariance[k], p, rtol=1e-9, atol=1e-12)


# Solutions of equations


@pytest.mark.parametrize("eccentricity", [0.0, 0.2, 0.8, 0.97])
def test_anomalies(eccentricity):
    times = np.linspace(0.1, 6.2, 9)
    found = xform.jit(xform.vmap(fixed_point.anomaly, in_axes=(None, 0)))(eccentricity, times)
    wanted = [
        brentq(lambda x, t=t: x - eccentricity * np.sin(x) - t, 0, 7, xtol=1e-14) for t in times
    ]
    np.testing.assert_allclose(found, wanted, rtol=1e-12)
    slopes = xform.jit(xform.vmap(xform.grad(fixed_point.anomaly, (0, 1)), in_axes=(None, 0)))
    by_shape, by_time = slopes(eccentricity, times)
    rate = 1 - eccentricity * np.cos(wanted)
    np.testing.assert_allclose(by_shape, np.sin(wanted) / rate, rtol=1e-10)
    np.testing.assert_allclose(by_time, 1 / rate, rtol=1e-10)


def test_second_derivatives_of_anomalies():
    e, t, h = 0.4, 1.3, 1e-5
    slope = xform.grad(fixed_point.anomaly)
    wanted = (slope(e + h, t) - slope(e - h, t)) / (2 * h)
    np.testing.assert_allclose(xform.grad(slope)(e, t), wanted, rtol=1e-8)


def test_the_rod_is_in_equilibrium():
    u = xform.jit(fixed_point.equilibrium)(fixed_point.SOURCES)
    assert np.abs(fixed_point.heating(u, fixed_point.SOURCES)).max() < 1e-10

    def curve(x, y):
        heat = 8 * np.sin(np.pi * x) ** 2
        return np.stack([y[1], fixed_point.RADIATION * y[0] ** 4 - heat])

    exact = solve_bvp(
        curve, lambda a, b: np.array([a[0], b[0]]), np.linspace(0, 1, 50), np.zeros((2, 50))
    )
    points = fixed_point.SPACING * np.arange(1, fixed_point.POINTS + 1)
    # The differences of second order leave an error of some SPACING^2.
    np.testing.assert_allclose(u, exact.sol(points)[0], rtol=2 * fixed_point.SPACING**2)


def middle_of(rod):
    return xform.jit(lambda sources: fixed_point.middle(rod(sources)))


def test_gradients_of_the_rod():
    sources = fixed_point.SOURCES
    middle = middle_of(fixed_point.equilibrium)
    found = xform.jit(xform.grad(middle))(sources)
    through = xform.jit(xform.grad(middle_of(fixed_point.unrolled)))(sources)
    np.testing.assert_allclose(found, through, rtol=1e-10)
    h = 1e-4
    wanted = [
        (middle(sources + d) - middle(sources - d)) / (2 * h) for d in h * np.eye(len(sources))
    ]
    np.testing.assert_allclose(found, wanted, rtol=1e-7)
    assert np.min(found) > 0  # Heat anywhere makes the middle warmer.


def test_memory_does_not_depend_on_the_steps():
    implicit = {fixed_point.workspace(fixed_point.equilibrium, n) for n in (40, 400, 4000)}
    assert len(implicit) == 1
    short, long = (fixed_point.workspace(fixed_point.unrolled, n) for n in (400, 4000))
    assert long > 9 * short > 9 * implicit.pop()


# Two devices


def test_a_step_on_two_devices_is_the_step_on_one():
    (images, labels), _ = data_parallel.data()
    batch = images[:64], labels[:64]
    params = data_parallel.init(random.key(0))
    found, value = data_parallel.parallel_step(params, *batch)
    wanted, same = data_parallel.single_step(params, *batch)
    assert float(value) == pytest.approx(float(same), rel=1e-12)
    assert data_parallel.difference(found, wanted) < 1e-14
    # Not so the step that one half alone would make.
    half, _ = data_parallel.single_step(params, images[:32], labels[:32])
    assert data_parallel.difference(half, wanted) > 1e-3


def test_training_on_two_devices():
    known, new = data_parallel.data()
    params = data_parallel.init(random.key(0))
    together, losses = data_parallel.train(data_parallel.parallel_step, params, *known)
    alone, others = data_parallel.train(data_parallel.single_step, params, *known)
    assert data_parallel.difference(together, alone) < 1e-12
    np.testing.assert_allclose(losses, others, rtol=1e-10)
    assert data_parallel.accuracy(together, *new) > 0.96


@pytest.mark.parametrize("example", [data_parallel, fixed_point, kalman])
def test_what_is_printed(example, capsys):
    example.main()
    assert {
        data_parallel: "accuracy on 360 images not trained on: 97.5%",
        fixed_point: "Kepler: E = 1.7821913289, dE/de = 0.8372063400, in closed form 0.8372063400",
        kalman: "expected 0.974 to 1.026: not consistent",
    }[example] in capsys.readouterr().out
