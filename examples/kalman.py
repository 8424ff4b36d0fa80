"""Follows a noisy pendulum with an extended Kalman filter whose Jacobians are `jacfwd`'s.

A pendulum is pushed at random, and only the sine of its angle is seen, with noise. The filter keeps
a Gaussian belief about angle and speed, and linearises motion and measurement where it believes the
pendulum to be. All steps are one `scan`, and all pendulums one `vmap` of it.

Whether a filter knows how wrong it is shows in its innovations, the measurements less their
predictions: divided by the deviations that the filter expects, their squares have mean one. The
same filter with a motion that is wrong, small angles assumed, fails that test.

Sources: S. Särkkä, Bayesian Filtering and Smoothing, Cambridge University Press 2013, chapter 5
(the pendulum and the filter); Y. Bar-Shalom, X. R. Li, T. Kirubarajan, Estimation with Applications
to Tracking and Navigation, Wiley 2001, section 5.4 (the test of consistency).
"""

from typing import NamedTuple

import numpy as np
from scipy.stats import chi2

import xform
import xform.numpy as xnp
from xform import lax, random

GRAVITY, STEP = 9.81, 0.01
PUSHES, NOISE = 0.1, 0.1  # Variance of the speed per unit of time; variance of a measurement.
RUNS, STEPS = 40, 500

Q = PUSHES * np.array([[STEP**3 / 3, STEP**2 / 2], [STEP**2 / 2, STEP]])
START, SPREAD = np.array([1.2, 0.0]), 0.05 * np.eye(2)


class Filtered(NamedTuple):
    """What the filter believes after each measurement."""

    mean: xform.Array
    covariance: xform.Array
    surprise: xform.Array  # The normalised innovation, squared.


def move(x):
    """The pendulum one step later, unless it is pushed."""
    angle, speed = x
    return xnp.stack([angle + STEP * speed, speed - STEP * GRAVITY * xnp.sin(angle)])


def move_if_small(x):
    """The same for a pendulum that hardly swings."""
    angle, speed = x
    return xnp.stack([angle + STEP * speed, speed - STEP * GRAVITY * angle])


def measure(x):
    """What is seen of a pendulum, without noise."""
    return xnp.sin(x[0])


def simulate(key, steps=STEPS):
    """The path of a pendulum, of shape (steps, 2), and its measurements, of shape (steps,)."""
    first, pushes, noise = random.split(key, 3)
    x = START + np.linalg.cholesky(SPREAD) @ random.normal(first, (2,))

    def step(x, push):
        x = move(x) + np.linalg.cholesky(Q) @ push
        return x, x

    _, path = lax.scan(step, x, random.normal(pushes, (steps, 2)))
    errors = NOISE**0.5 * random.normal(noise, (steps,))
    return path, xform.vmap(measure)(path) + errors


def follow(seen, motion=move):
    """The beliefs of the filter after each of the measurements `seen`, of shape (steps,)."""

    def step(belief, y):
        m, p = belief
        f = xform.jacfwd(motion)(m)
        m, p = motion(m), f @ p @ f.T + Q

        h = xform.jacfwd(measure)(m)
        innovation, variance = y - measure(m), h @ p @ h + NOISE
        gain = p @ h / variance
        m = m + gain * innovation
        # Joseph's form: a sum of squares, so that rounding leaves it symmetric and positive.
        rest = xnp.eye(2) - xnp.outer(gain, h)
        p = rest @ p @ rest.T + NOISE * xnp.outer(gain, gain)
        p = (p + p.T) / 2
        return (m, p), Filtered(m, p, innovation**2 / variance)

    _, filtered = lax.scan(step, (xnp.asarray(START), xnp.asarray(SPREAD)), seen)
    return filtered


def consistency(surprises, confidence=0.99):
    """The mean of the squared innovations, and the band that it is in for a consistent filter."""
    count = surprises.size
    tail = (1 - confidence) / 2
    low, high = chi2.ppf([tail, 1 - tail], count) / count
    return float(xnp.mean(surprises)), float(low), float(high)


def rms(x):
    return float(xnp.sqrt(xnp.mean(x**2)))


def main():
    with xform.config.scoped(enable_x64=True):
        paths, seen = xform.jit(xform.vmap(simulate))(random.split(random.key(0), RUNS))
        found = xform.jit(xform.vmap(follow))(seen)
        wrong = xform.jit(xform.vmap(lambda y: follow(y, move_if_small)))(seen)
        sines = xnp.sin(paths[..., 0])
        print(f"{RUNS} pendulums, {STEPS} measurements each of the sine of the angle")
        print(f"error of a measurement   {rms(seen - sines):.3f}")
        print(f"error of the filter      {rms(xnp.sin(found.mean[..., 0]) - sines):.3f}")
        for name, result in (("the pendulum", found), ("small angles", wrong)):
            mean, low, high = consistency(result.surprise)
            verdict = "consistent" if low < mean < high else "not consistent"
            print(f"filter with the motion of {name}: squared innovations {mean:.3f}, ", end="")
            print(f"expected {low:.3f} to {high:.3f}: {verdict}")


if __name__ == "__main__":
    main()
