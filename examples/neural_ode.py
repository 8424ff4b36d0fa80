"""A neural ordinary differential equation learns the flow of a damped pendulum.

The right-hand side of the equation is a small network. The solver is the embedded Runge-Kutta pair
of orders 3 and 2 that chooses its steps by the error it estimates: a `while_loop` whose number of
steps is not known in advance, and differs between the trajectories that `vmap` solves together.
The gradient of the misfit goes through the loop, step by step.

R. T. Q. Chen et al., Neural ordinary differential equations, NeurIPS 2018.
P. Bogacki, L. F. Shampine, A 3(2) pair of Runge-Kutta formulas, Appl. Math. Lett. 2 (1989) 321-325.
"""

import numpy as np
from scipy.integrate import solve_ivp

import xform
import xform.numpy as xnp
from xform import lax, nn, random

FRICTION, START = 0.15, (2.5, 0.0)
TIMES = np.linspace(0.0, 20.0, 51)
WIDTH, WINDOW, TOLERANCE = 32, 4, 1e-4
STEPS, RATE = 800, 1e-2


def pendulum(time, state):
    """Angle and speed change by these: the truth that the network does not see."""
    angle, speed = state
    return np.array([speed, -np.sin(angle) - FRICTION * speed])


def observe():
    """The state at each of TIMES, by an accurate solver: float32[51, 2]."""
    found = solve_ivp(pendulum, TIMES[[0, -1]], START, "DOP853", TIMES, rtol=1e-10, atol=1e-10)
    return found.y.T.astype(np.float32)


def init(key):
    """Weights of a network from a state to its derivative."""
    first, second = random.split(key)
    hidden = random.normal(first, (2, WIDTH)) / np.sqrt(2)
    out = 0.1 * random.normal(second, (WIDTH, 2)) / np.sqrt(WIDTH)
    return hidden, xnp.zeros(WIDTH), out, xnp.zeros(2)


def slope(params, state):
    """The network's derivative of a state: float32[2] for float32[2]."""
    hidden, bias, out, shift = params
    return nn.tanh(state @ hidden + bias) @ out + shift


def advance(f, state, span, tolerance):
    """Solves dy/dt = f(y) from y = state over the time span: the end state, the number of steps.

    The choice of the steps is not part of the derivative: it changes the result by no more than the
    tolerance, and where the estimated error is zero it has no derivative.
    """

    def body(carry):
        y, k1, time, step, count = carry
        step = xnp.minimum(step, span - time)
        k2 = f(y + step * k1 / 2)
        k3 = f(y + step * k2 * 3 / 4)
        new = y + step * (2 * k1 + 3 * k2 + 4 * k3) / 9
        k4 = f(new)
        wrong = step * (-5 * k1 + 6 * k2 + 8 * k3 - 9 * k4) / 72
        error = lax.stop_gradient(xnp.max(abs(wrong) / (tolerance * (1 + abs(y)))))
        good = error <= 1
        longer = step * xnp.clip(0.9 * (error + 1e-6) ** (-1 / 3), 0.2, 5.0)
        reached = xnp.where(step < span - time, time + step, span)
        return (
            xnp.where(good, new, y),
            xnp.where(good, k4, k1),
            xnp.where(good, reached, time),
            longer,
            count + 1,
        )

    span = xnp.asarray(span, state.dtype)
    carry = state, f(state), xnp.zeros_like(span), span, 0
    end = lax.while_loop(lambda carry: carry[2] < span, body, carry)
    return end[0], end[4]


def trajectory(params, state, spans, tolerance=TOLERANCE):
    """States after each of the time spans, float32[n, 2], and the steps taken, int32[n]."""

    def until(state, span):
        state, count = advance(lambda y: slope(params, y), state, span, tolerance)
        return state, (state, count)

    return lax.scan(until, state, spans)[1]


def loss(params, starts, spans, targets):
    """The mean square misfit of short trajectories, each from an observed state of its own."""
    found, _ = xform.vmap(trajectory, in_axes=(None, 0, None))(params, starts, spans)
    return xnp.mean((found - targets) ** 2)


@xform.jit
def fit(params, starts, spans, targets):
    """The parameters after STEPS steps of Adam, and the losses on the way."""

    def step(carry, number):
        params, mean, square = carry
        value, slopes = xform.value_and_grad(loss)(params, starts, spans, targets)
        mean = xform.tree.map(lambda m, g: 0.9 * m + 0.1 * g, mean, slopes)
        square = xform.tree.map(lambda s, g: 0.99 * s + 0.01 * g * g, square, slopes)
        rate = RATE * (1 - number / STEPS) * xnp.sqrt(1 - 0.99**number) / (1 - 0.9**number)
        params = xform.tree.map(
            lambda p, m, s: p - rate * m / (xnp.sqrt(s) + 1e-8), params, mean, square
        )
        return (params, mean, square), value

    zeros = xform.tree.map(xnp.zeros_like, params)
    numbers = xnp.arange(1, STEPS + 1, dtype=xnp.float32)
    (params, *_), losses = lax.scan(step, (params, zeros, zeros), numbers)
    return params, losses


def windows(states):
    """Starts float32[n, 2] and the WINDOW states that follow each, float32[n, WINDOW, 2]."""
    starts = range(len(states) - WINDOW)
    return states[:-WINDOW], np.stack([states[i + 1 : i + 1 + WINDOW] for i in starts])


def main():
    states, spans = observe(), np.diff(TIMES).astype(np.float32)
    starts, targets = windows(states)
    params, losses = fit(init(random.key(0)), starts, spans[:WINDOW], targets)
    found, counts = trajectory(params, states[0], spans)
    error = np.sqrt(np.mean((np.asarray(found) - states[1:]) ** 2))
    print(f"Mean square misfit of short trajectories: {losses[0]:.3f}, fitted {losses[-1]:.1e}.")
    size = np.sqrt(np.mean(states**2))
    print(
        f"The whole trajectory from its first state: RMS error {error:.4f}; of states {size:.3f}."
    )
    print(f"The solver took {counts.min()} to {counts.max()} steps between two observations.")


if __name__ == "__main__":
    main()
