"""Programs with loops and branches, each written once for xform and JAX.

A case is a function and its arguments in NumPy; `forward` is measured, and `gradient` of its sum by
the first `moving` arguments where that is not 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from cases import Library

STEPS = 1000


@dataclass(frozen=True)
class LoopCase:
    """A program with a loop; `least` is how many times JAX's speed is wanted."""

    title: str
    make: Callable[[Library], Callable]
    arguments: tuple[Any, ...]
    moving: int = 0
    least: float = 1.0
    least_gradient: float = 1.0


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def matrix_scan(library: Library) -> Callable:
    """A 3 x 3 matrix carried along."""
    lax, xp = library.lax, library.np

    def function(a, b):
        def step(x, _):
            return a @ x + b, None

        return lax.scan(step, xp.eye(3, dtype=a.dtype), None, length=STEPS)[0]

    return function


def reaction(xp: Any, y: Any) -> Any:
    """Three species, of which two react and one decays: smooth, and not stiff at these rates."""
    a, b, c = y
    return xp.stack([1 - a - 0.5 * a * b, a * b - 0.8 * b + 0.1 * c, 0.3 * b * c - c + 0.2])


def runge_kutta(xp: Any, y: Any, h: float) -> Any:
    k1 = reaction(xp, y)
    k2 = reaction(xp, y + h / 2 * k1)
    k3 = reaction(xp, y + h / 2 * k2)
    k4 = reaction(xp, y + h * k3)
    return y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


def integration(steps: int) -> Callable:
    def make(library: Library) -> Callable:
        def function(y):
            def step(y, _):
                return runge_kutta(library.np, y, 0.01), None

            return library.lax.scan(step, y, None, length=steps)[0]

        return function

    return make


def integration_of_lanes(library: Library) -> Callable:
    one = integration(STEPS)(library)
    return library.root.vmap(one)


def kalman_filter(library: Library) -> Callable:
    """State of 4, observations of 2: position and velocity in the plane."""
    xp, lax = library.np, library.lax
    dt = 0.1
    move = np.eye(4) + dt * np.eye(4, k=2)
    noise = 0.01 * np.eye(4)
    see = np.eye(2, 4)
    error = 0.1 * np.eye(2)

    def function(observed):
        def step(state, z):
            mean, cov = state
            mean = move @ mean
            cov = move @ cov @ move.T + noise
            s = see @ cov @ see.T + error
            det = s[0, 0] * s[1, 1] - s[0, 1] * s[1, 0]
            inverse = xp.array([[s[1, 1], -s[0, 1]], [-s[1, 0], s[0, 0]]]) / det
            gain = cov @ see.T @ inverse
            mean = mean + gain @ (z - see @ mean)
            cov = cov - gain @ see @ cov
            return (mean, cov), mean

        return lax.scan(step, (xp.zeros(4), xp.eye(4)), observed)[1]

    return function


def recurrence(library: Library) -> Callable:
    def function(a, b):
        def step(x, ab):
            x = ab[0] * x + ab[1]
            return x, x

        return library.lax.scan(step, library.np.zeros((), a.dtype), (a, b))[1]

    return function


def scalar_loop(library: Library) -> Callable:
    def function(x):
        return library.lax.fori_loop(0, 1_000_000, lambda i, x: 0.999 * x + 1e-6 * i, x)

    return function


def newton(library: Library) -> Callable:
    """Cube roots, each until its own step is small."""
    xp = library.np

    def root(a):
        def goes_on(state):
            x, step, count = state
            return (xp.abs(step) > 1e-12 * x) & (count < 60)

        def improve(state):
            x, _, count = state
            step = (x * x * x - a) / (3 * x * x)
            return x - step, step, count + 1

        return library.lax.while_loop(goes_on, improve, (1 + 0 * a, 1 + 0 * a, 0))[0]

    return library.root.vmap(root)


def branches(library: Library) -> Callable:
    """A walk that takes one of two branches at each of its steps."""
    xp, lax = library.np, library.lax

    def function(x, choices):
        def step(x, choice):
            def up(x):
                return xp.sin(x) * 1.5 + 0.1

            def down(x):
                return x * 0.5 - 1.0

            x = lax.cond(choice, up, down, x)
            return x, x

        return lax.scan(step, x, choices)[1]

    return function


def rnn(library: Library) -> Callable:
    xp = library.np

    def function(w, u, b, xs):
        def step(h, x):
            h = xp.tanh(w @ h + u @ x + b)
            return h, h

        return library.lax.scan(step, xp.zeros_like(b), xs)[1]

    return function


def lstm(library: Library) -> Callable:
    xp, nn = library.np, library.nn

    def function(w, u, b, xs):
        size = b.shape[0] // 4

        def step(state, x):
            h, c = state
            z = w @ h + u @ x + b
            i, f, g, o = (z[k * size : (k + 1) * size] for k in range(4))
            c = nn.sigmoid(f) * c + nn.sigmoid(i) * xp.tanh(g)
            h = nn.sigmoid(o) * xp.tanh(c)
            return (h, c), h

        zero = xp.zeros(size, b.dtype)
        return library.lax.scan(step, (zero, zero), xs)[1]

    return function


def cell(size: int, gates: int) -> tuple[np.ndarray, ...]:
    draws = rng()
    shapes = ((gates * size, size), (gates * size, size), (gates * size,), (STEPS, size))
    scale = (1 / size**0.5, 1 / size**0.5, 0.1, 1.0)
    return tuple(
        (draws.normal(size=s) * k).astype(np.float32) for s, k in zip(shapes, scale, strict=True)
    )


MATRICES = (np.linalg.qr(rng().normal(size=(3, 3)))[0] * 0.9, rng().normal(size=(3, 3)))
START = np.array([0.5, 0.4, 0.3])
LANES = rng().uniform(0.1, 1, (1000, 3))
SERIES = (rng().uniform(-1, 1, 1_000_000), rng().normal(size=1_000_000))
CHOICES = rng().integers(0, 2, 100_000).astype(bool)

CASES = (
    LoopCase("scan, 1000 steps, 3 x 3 matrix", matrix_scan, MATRICES, 2, 3.0),
    LoopCase("Runge-Kutta, 1e5 steps, 3 variables", integration(100_000), (START,), 1),
    LoopCase("Runge-Kutta, 1000 steps, 1000 lanes", integration_of_lanes, (LANES,), 1),
    LoopCase("Kalman filter, 2000 steps", kalman_filter, (rng().normal(size=(2000, 2)),), 1, 3.0),
    LoopCase("linear recurrence over 1e6", recurrence, SERIES, 2, 3.0),
    LoopCase("fori_loop of scalars, 1e6", scalar_loop, (np.float64(0.5),), 1),
    LoopCase("Newton while_loop, 64 lanes", newton, (rng().uniform(0.5, 50, 64),)),
    LoopCase("Newton while_loop, 1e5 lanes", newton, (rng().uniform(0.5, 50, 100_000),)),
    LoopCase("cond in scan, 1e5 steps", branches, (np.float64(0.3), CHOICES), 1),
    LoopCase("RNN, hidden 32, 1000 steps", rnn, cell(32, 1), 3),
    LoopCase("RNN, hidden 256, 1000 steps", rnn, cell(256, 1), 3),
    LoopCase("LSTM, hidden 32, 1000 steps", lstm, cell(32, 4), 3),
    LoopCase("LSTM, hidden 256, 1000 steps", lstm, cell(256, 4), 3),
)


def gradient(library: Library, function: Callable, moving: int) -> Callable:
    """The gradient of the mean square of what a function returns."""

    def loss(*arguments):
        y = function(*arguments)
        return library.np.mean(y * y)

    return library.root.grad(loss, tuple(range(moving)))
