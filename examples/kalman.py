"""An extended Kalman filter follows a turning target by its range and bearing.

The target has a position, heading, speed and rate of turn. A sensor at the origin measures how far
and in which direction it is. Both the motion and the measurement are nonlinear: the filter takes
their derivatives at its estimate by `jacfwd`, goes through the measurements by `scan`, and follows
many targets by `vmap`.

A filter should not only be accurate but know how accurate it is. If it is consistent, the squares
of its errors and of its innovations, normalized by the covariances that it claims, have the means
of chi-square distributions. (Bar-Shalom, Li and Kirubarajan, Estimation with Applications to
Tracking and Navigation, Wiley 2001: sections 5.4 and 10.3, for the update in Joseph's form 5.2.6.)
"""

import time

import numpy as np
from scipy.stats import chi2

import xform
import xform.numpy as xnp
from xform import lax, random

TARGETS, STEPS, INTERVAL = 100, 200, 0.5
# Standard deviations: of a step's change of speed and turn, of range and bearing, of the start.
STEP = np.float32([0.05, 0.05, 0.002, 0.1, 0.004])
SENSOR = np.float32([10.0, 0.02])
BEGIN = np.float32([10.0, 10.0, 0.1, 2.0, 0.01])
Q, R, P0 = (np.diag(deviation**2) for deviation in (STEP, SENSOR, BEGIN))


def move(state):
    """The position, heading, speed and rate of turn after an interval."""
    x, y, heading, speed, turn = state
    middle = heading + turn * INTERVAL / 2
    x = x + speed * INTERVAL * xnp.cos(middle)
    y = y + speed * INTERVAL * xnp.sin(middle)
    return xnp.stack([x, y, heading + turn * INTERVAL, speed, turn])


def measure(state):
    """The range and bearing."""
    return xnp.stack([xnp.hypot(state[0], state[1]), xnp.arctan2(state[1], state[0])])


def within_a_turn(angle):
    return (angle + np.pi) % (2 * np.pi) - np.pi


def inverse(s):
    """Of a matrix of two rows."""
    (a, b), (c, d) = s
    return xnp.array([[d, -b], [-c, a]]) / (a * d - b * c)


def update(carry, measured):
    """One step of the filter: predict by the motion, correct by the measurement."""
    mean, covariance = carry
    f = xform.jacfwd(move)(mean)
    mean, covariance = move(mean), f @ covariance @ f.T + Q
    h = xform.jacfwd(measure)(mean)
    innovation = measured - measure(mean)
    innovation = innovation.at[1].set(within_a_turn(innovation[1]))
    weight = inverse(h @ covariance @ h.T + R)
    gain = covariance @ h.T @ weight
    # Joseph's form: a sum of two matrices that are positive whatever the rounding of the gain.
    left = xnp.eye(5) - gain @ h
    covariance = left @ covariance @ left.T + gain @ R @ gain.T
    covariance = (covariance + covariance.T) / 2
    mean = mean + gain @ innovation
    return (mean, covariance), (mean, covariance, innovation @ weight @ innovation)


def track(start, measurements):
    """The estimates after each measurement, their covariances, and normalized innovations."""
    return lax.scan(update, (start, P0), measurements)[1]


def simulate(key):
    """A target's states, what the sensor says of them, and what is known of its start."""
    by_start, by_step, by_sensor = random.split(key, 3)
    first = np.float32([800.0, 500.0, 2.5, 15.0, 0.04])
    guess = first + BEGIN * random.normal(by_start, (5,))
    shocks = STEP * random.normal(by_step, (STEPS, 5))

    def advance(state, shock):
        state = move(state) + shock
        return state, state

    _, states = lax.scan(advance, first, shocks)
    errors = SENSOR * random.normal(by_sensor, (STEPS, 2))
    return states, xform.vmap(measure)(states) + errors, guess


@xform.jit
def run(keys):
    states, measurements, guesses = xform.vmap(simulate)(keys)
    return states, measurements, *xform.vmap(track)(guesses, measurements)


def distance(positions, truth):
    """The root of the mean squared distance."""
    return float(np.sqrt(np.mean(np.sum((np.asarray(positions) - truth) ** 2, -1))))


def main():
    keys = random.split(random.key(0), TARGETS)
    run.lower(keys).compile()
    start = time.perf_counter()
    results = run(keys)
    seconds = time.perf_counter() - start
    states, measured, means, covariances, innovations = map(np.asarray, results)
    truth, (ranges, bearings) = states[..., :2], np.moveaxis(measured, -1, 0)
    positions = np.stack([ranges * np.cos(bearings), ranges * np.sin(bearings)], -1)
    raw, filtered = distance(positions, truth), distance(means[..., :2], truth)
    print(f"{TARGETS} targets of {STEPS} measurements in {seconds * 1e3:.1f} ms.")
    print(f"Error of the position: {raw:.1f} m measured, {filtered:.1f} m filtered.")
    off = (means - states).astype(float)[..., None]
    errors = (off * np.linalg.solve(covariances, off)).sum((-2, -1))
    for name, squares, freedom in (("innovations", innovations, 2), ("errors", errors[:, -1], 5)):
        low, high = chi2.ppf([0.005, 0.995], freedom * squares.size) / squares.size
        print(f"Normalized {name} squared: {squares.mean():.3f}, if consistent"
              f" {low:.3f} to {high:.3f}.")  # fmt: skip
    return raw, filtered, innovations, errors, covariances


if __name__ == "__main__":
    main()
