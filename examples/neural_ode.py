"""A neural ordinary differential equation: a network learns how a pendulum moves.

The pendulum swings with friction: y' = f(y) for its angle and speed. A network takes the place of
f and is fitted to a few observed swings. The loss compares the solution of y' = network(y) with the
observations, and its gradient goes through the solver.

The solver chooses its steps by the estimated error, so nobody knows beforehand how many there are:
it is a `while_loop`, and reverse mode goes through it. (Chen, Rubanova, Bettencourt and Duvenaud,
Neural Ordinary Differential Equations, NeurIPS 2018. The method is the pair of orders 3 and 2 of
Bogacki and Shampine, Applied Mathematics Letters 2, 1989.)
"""

import time

import numpy as np
from scipy.integrate import solve_ivp

import xform
import xform.numpy as xnp
from xform import lax, random

WIDTH, STEPS, RATE = 32, 1500, 0.01
TIMES = np.linspace(0, 8, 17, dtype=np.float32)


def pendulum(t, y):
    return [y[1], -np.sin(y[0]) - 0.25 * y[1]]


def swings(starts):
    """The solutions by a method of order 8, to ten digits: an array (start, time, 2)."""
    accurate = {"method": "DOP853", "rtol": 1e-10, "atol": 1e-10, "t_eval": TIMES}
    paths = [solve_ivp(pendulum, (0, TIMES[-1]), y, **accurate).y.T for y in starts]
    return np.array(paths, np.float32)


def try_step(f, y, h):
    """One step from y: the new value, and an estimate of its error."""
    k1 = f(y)
    k2 = f(y + h * k1 / 2)
    k3 = f(y + h * 3 / 4 * k2)
    new = y + h * (2 * k1 + 3 * k2 + 4 * k3) / 9
    return new, h * (-5 * k1 + 6 * k2 + 8 * k3 - 9 * f(new)) / 72


def advance(f, y, h, duration, tolerance):
    """The value after a time, a good size of the next step, and how many were tried.

    h is the size of the first step; the error of each is within the tolerance, relative to 1 + |y|.
    """

    def unfinished(state):
        t, _, _, _ = state
        return t < duration

    def attempt(state):
        t, y, h, count = state
        last = t + h >= duration
        step = xnp.where(last, duration - t, h)
        new, error = try_step(f, y, step)
        size = tolerance * (1 + xnp.maximum(abs(y), abs(new)))
        # Steps are chosen, not differentiated: the solution hardly depends on them.
        ratio = lax.stop_gradient(xnp.max(abs(error) / size))
        good = ratio <= 1
        better = step * xnp.clip(0.9 * xnp.maximum(ratio, 1e-9) ** (-1 / 3), 0.2, 5)
        # That the last step was short is no reason to make the next one short.
        h = xnp.where(good & last, xnp.maximum(h, better), better)
        t = xnp.where(good, xnp.where(last, duration, t + step), t)
        return t, xnp.where(good, new, y), h, count + 1

    _, y, h, count = lax.while_loop(unfinished, attempt, (xnp.float32(0), y, h, 0))
    return y, h, count


def solve(f, start, times, tolerance=1e-5):
    """The values at the times, and the number of steps that were tried."""

    def between(carry, duration):
        y, h, total = carry
        y, h, count = advance(f, y, h, duration, tolerance)
        return (y, h, total + count), y

    (_, _, total), path = lax.scan(between, (start, xnp.float32(0.1), 0), xnp.diff(times))
    return xnp.concatenate([start[None], path]), total


def init(key):
    shapes = [(2, WIDTH), (WIDTH, 2)]
    keys = random.split(key, len(shapes))
    return [
        (random.normal(k, s) / s[0] ** 0.5, xnp.zeros(s[1]))
        for k, s in zip(keys, shapes, strict=True)
    ]


def network(params, y):
    (v, b), (w, c) = params
    return xnp.tanh(y @ v + b) @ w + c


def predict(params, starts, times=TIMES):
    return xform.vmap(lambda y: solve(lambda y: network(params, y), y, times)[0])(starts)


def loss(params, paths):
    return xnp.mean((predict(params, paths[:, 0]) - paths) ** 2)


@xform.jit
def step(params, means, count, paths):
    """One step of Adam (Kingma and Ba, ICLR 2015)."""
    value, slopes = xform.value_and_grad(loss)(params, paths)
    first = xform.tree.map(lambda m, g: 0.9 * m + 0.1 * g, means[0], slopes)
    second = xform.tree.map(lambda v, g: 0.99 * v + 0.01 * g**2, means[1], slopes)
    rate = RATE * (1 - count / STEPS) / (1 - 0.9**count)

    def moved(p, m, v):
        return p - rate * m / (xnp.sqrt(v / (1 - 0.99**count)) + 1e-8)

    return xform.tree.map(moved, params, first, second), (first, second), value


def fit(paths, steps=STEPS):
    params = init(random.key(0))
    zeros = xform.tree.map(xnp.zeros_like, params)
    means = (zeros, zeros)
    for count in range(1, steps + 1):
        params, means, value = step(params, means, xnp.float32(count), paths)
    return params, float(value)


def error_of(params, starts):
    """The root of the mean squared error, and that of a path that stays where it began."""
    truth = swings(starts)
    error = np.asarray(predict(params, truth[:, 0])) - truth
    return np.sqrt(np.mean(error**2)), np.sqrt(np.mean((truth - truth[:, :1]) ** 2))


def main():
    rng = np.random.default_rng(0)
    train, test = rng.uniform(-1.4, 1.4, (16, 2)), rng.uniform(-1.2, 1.2, (20, 2))
    start = time.perf_counter()
    params, value = fit(swings(train))
    print(f"Fitted in {time.perf_counter() - start:.1f} s; mean squared error {value:.1e}.")
    error, size = error_of(params, test)
    print(f"Swings not seen before, of size {size:.2f}, are predicted with error {error:.4f}.")
    return error, size


if __name__ == "__main__":
    main()
