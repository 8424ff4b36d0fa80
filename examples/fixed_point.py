"""Derivatives of what an iteration converges to, without differentiating the iteration.

If x = step(a, x), then dx = step_a da + step_x dx: the derivative of a fixed point is the fixed
point of a linear equation, whatever led there. `fixed_point` says so by `custom_root` and
`custom_linear_solve`, once, and both solvers are loops that stop when they have converged.
(Christianson, Reverse accumulation and attractive fixed points, Optimization Methods and Software
3, 1994; Blondel et al., Efficient and Modular Implicit Differentiation, NeurIPS 2022.)

Two uses: Kepler's equation, with which the orbit of a planet is fitted to the velocities of its
star; and the temperatures of a rod in equilibrium, where the memory of reverse mode is compared
with that of going back through all iterations.
"""

import numpy as np

import xform
import xform.numpy as xnp
from xform import lax


def iterate(step, x, most=100_000):
    """Repeats x = step(x) until it changes no more than rounding does."""
    close = 4 * xnp.finfo(x.dtype).eps

    def unfinished(state):
        x, before = state
        return xnp.any(abs(x - before) > close * (1 + abs(x)))

    return lax.while_loop(unfinished, lambda s: (step(s[0]), s[0]), (step(x), x), max_steps=most)[0]


def fixed_point(step, start):
    """The x with x = step(x); step must be a contraction, and may close over parameters."""

    def solve(f, x):
        return iterate(lambda x: x + f(x), x)

    def solve_linear(g, y):
        return iterate(lambda x: x + g(x) - y, xnp.zeros_like(y))

    def tangent_solve(g, y):
        return lax.custom_linear_solve(g, y, solve_linear, transpose_solve=solve_linear)

    return lax.custom_root(lambda x: step(x) - x, start, solve, tangent_solve)


# A planet's orbit, from the velocity of its star


def anomaly(eccentricity, mean):
    """The eccentric anomaly E of Kepler's equation, E = mean + eccentricity sin E."""
    return fixed_point(lambda e: mean + eccentricity * xnp.sin(e), mean)


def velocity(params, t):
    """Of a star along the line of sight: of the system, and by the orbit of its planet."""
    system, swing, period, phase, eccentricity, periapsis = params
    e = anomaly(eccentricity, 2 * np.pi * (t / period - phase))
    far, near = xnp.sqrt(1 + eccentricity), xnp.sqrt(1 - eccentricity)
    true = 2 * xnp.arctan2(far * xnp.sin(e / 2), near * xnp.cos(e / 2))
    return system + swing * (xnp.cos(true + periapsis) + eccentricity * xnp.cos(periapsis))


@xform.jit
def model(params, times):
    """The velocities at all times, and their derivatives by each parameter."""
    both = xform.vmap(xform.value_and_grad(velocity), in_axes=(None, 0))
    return both(params, times)


def fit(params, times, observed, steps=15):
    """Least squares by Gauss and Newton; the params and their covariance, for an error of one."""
    for _ in range(steps):
        values, slopes = map(np.asarray, model(params, times))
        change = np.linalg.lstsq(slopes, observed - values)[0]
        params = params + change
    return params, np.linalg.inv(slopes.T @ slopes)


# The temperatures of a rod


def relax(conductivity, u):
    """One step towards equilibrium: heat flows between neighbours, and is lost by radiation.

    The ends have the temperatures 1 and 0; u are those between, and there is one conductivity for
    each gap.
    """
    whole = xnp.concatenate([xnp.ones_like(u[:1]), u, xnp.zeros_like(u[:1])])
    flow = conductivity * xnp.diff(whole)
    return u + 0.2 * (xnp.diff(flow) - 0.02 * u**4)


def temperatures(conductivity):
    start = xnp.zeros_like(conductivity[1:])
    return fixed_point(lambda u: relax(conductivity, u), start)


def temperatures_by_steps(conductivity, steps):
    """The same by a number of steps, through which reverse mode goes back."""
    start = xnp.zeros_like(conductivity[1:])
    return lax.fori_loop(0, steps, lambda _, u: relax(conductivity, u), start)


def memory_of_gradient(function, conductivity):
    """The bytes that reverse mode through the mean of a function needs for values between."""
    compiled = xform.jit(xform.grad(lambda k: xnp.mean(function(k)))).lower(conductivity).compile()
    return compiled.memory_analysis()["workspace"]


def main():
    rng = np.random.default_rng(1)
    true = np.array([12.0, 60.0, 8.3, 0.3, 0.45, 0.7])
    with xform.config.scoped(enable_x64=True):
        times = np.sort(rng.uniform(0, 60, 80))
        observed = np.asarray(model(true, times)[0]) + 2.0 * rng.normal(size=80)
        guess = np.array([10.0, 55.0, 8.28, 0.3, 0.4, 0.8])
        found, covariance = fit(guess, times, observed)
        errors = 2.0 * np.sqrt(np.diag(covariance))
        names = ["system m/s", "swing m/s", "period d", "phase", "eccentricity", "periapsis"]
        for name, value, error, truth in zip(names, found, errors, true, strict=True):
            print(f"{name:14} {value:7.3f} +- {error:.3f}   (true: {truth})")

        k = 1 + 0.3 * np.cos(np.arange(25))
        implicit = memory_of_gradient(temperatures, k)
        print(f"Memory of the gradient of a rod's temperatures: {implicit} bytes; through")
        for steps in (1000, 4000):
            unrolled = memory_of_gradient(lambda k, n=steps: temperatures_by_steps(k, n), k)
            print(f"{steps} steps of the iteration: {unrolled} bytes.")
    return found, errors, true


if __name__ == "__main__":
    main()
