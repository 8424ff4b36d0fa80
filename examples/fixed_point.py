"""Differentiates solutions of equations without going through the steps of their solvers.

Where `f(x, p) = 0`, the derivative of `x` with respect to `p` is in the derivatives of `f` at the
solution, `-(df/dx)^-1 df/dp`, however `x` was found. `lax.custom_root` knows that. Two equations:

- Kepler's, `E - e sin E = M`: where a planet is on its orbit. Newton's method in a `while_loop`.
- A heated rod with its ends kept cold, which radiates: `u'' - RADIATION u^4 + q = 0`. It is left
  alone until nothing changes, thousands of steps. Reverse mode through the steps would keep them
  all; the implicit derivative keeps the solution, and solves one linear system, of the symmetric
  matrix `df/du`, by conjugate gradients.

Sources: A. Griewank, A. Walther, Evaluating Derivatives, 2nd ed., SIAM 2008, chapter 15 (implicit
differentiation); M. R. Hestenes, E. Stiefel, Methods of Conjugate Gradients for Solving Linear
Systems, J. Res. NBS 49 (1952), 409-436.
"""

import numpy as np

import xform
import xform.numpy as xnp
from xform import lax

POINTS, RADIATION = 15, 2.0
SPACING = 1 / (POINTS + 1)
STEPS = 4000  # Of 0.4 SPACING^2 each: the slowest mode decays as exp(-pi^2 t).
SOURCES = 8 * np.sin(np.pi * SPACING * np.arange(1, POINTS + 1)) ** 2


def newton(f, x):
    """A root of an increasing or decreasing function of a number, from a guess near it."""

    def unfinished(state):
        _, change, count = state
        return (xnp.abs(change) > 1e-14) & (count < 50)

    def improve(state):
        x, _, count = state
        value, slope = xform.jvp(f, (x,), (xnp.ones_like(x),))
        return x - value / slope, value / slope, count + 1

    return lax.while_loop(unfinished, improve, (x, xnp.full_like(x, xnp.inf), 0))[0]


def anomaly(eccentricity, mean_anomaly):
    """The eccentric anomaly of a planet: its angle seen from the centre of the orbit."""
    return lax.custom_root(
        lambda angle: angle - eccentricity * xnp.sin(angle) - mean_anomaly,
        mean_anomaly + eccentricity * xnp.sin(mean_anomaly),
        newton,
        lambda slope, y: y / slope(xnp.ones_like(y)),
    )


def heating(u, sources):
    """How fast each point of the rod becomes warmer, of shape (POINTS,), as `u` and `sources`."""
    ends = xnp.pad(u, 1)
    return (ends[2:] - 2 * u + ends[:-2]) / SPACING**2 - RADIATION * u**4 + sources


def wait(f, u, steps=STEPS):
    """The temperatures after so many steps of Euler's method."""
    return lax.fori_loop(0, steps, lambda _, u: u + 0.4 * SPACING**2 * f(u), u)


def conjugate_gradients(product, b):
    """The solution of a system with a symmetric definite matrix, given its product with vectors."""

    def unfinished(state):
        _, _, _, square, count = state
        return (square > 1e-26 * (b @ b)) & (count < 10 * POINTS)

    def improve(state):
        x, rest, direction, square, count = state
        image = product(direction)
        length = square / (direction @ image)
        rest = rest - length * image
        new = rest @ rest
        return x + length * direction, rest, rest + new / square * direction, new, count + 1

    return lax.while_loop(unfinished, improve, (xnp.zeros_like(b), b, b, b @ b, 0))[0]


def symmetric_solve(product, b):
    """The same with a derivative of its own, so that reverse mode solves a system too."""
    return lax.custom_linear_solve(product, b, conjugate_gradients, symmetric=True)


def equilibrium(sources, steps=STEPS):
    """The temperatures of the rod when nothing changes any more, of shape (POINTS,)."""
    return lax.custom_root(
        lambda u: heating(u, sources),
        xnp.zeros_like(sources),
        lambda f, u: wait(f, u, steps),
        symmetric_solve,
    )


def unrolled(sources, steps=STEPS):
    """The same temperatures, differentiated through all steps."""
    return wait(lambda u: heating(u, sources), xnp.zeros_like(sources), steps)


def middle(temperatures):
    return temperatures[POINTS // 2]


def workspace(rod, steps):
    """Bytes of scratch memory that the gradient of the temperature in the middle needs."""
    slopes = xform.jit(xform.grad(lambda sources: middle(rod(sources, steps))))
    return slopes.lower(SOURCES).compile().memory_analysis()["workspace"]


def main():
    with xform.config.scoped(enable_x64=True):
        angle = anomaly(0.8, 1.0)
        slope = xform.grad(anomaly)(0.8, 1.0)
        exact = xnp.sin(angle) / (1 - 0.8 * xnp.cos(angle))
        print(f"Kepler: E = {float(angle):.10f}, dE/de = {float(slope):.10f}", end="")
        print(f", in closed form {float(exact):.10f}")

        found = xform.jit(xform.grad(lambda q: middle(equilibrium(q))))(SOURCES)
        through = xform.jit(xform.grad(lambda q: middle(unrolled(q))))(SOURCES)
        print(
            f"Rod: {float(middle(equilibrium(SOURCES))):.6f} in the middle; gradients with ", end=""
        )
        print(f"and without the steps differ by {float(xnp.max(xnp.abs(found - through))):.0e}")
        print("Scratch memory of the gradient, in bytes:")
        print(f"{'steps':>8} {'implicit':>10} {'through the steps':>18}")
        for steps in (40, 400, 4000):
            print(f"{steps:8} {workspace(equilibrium, steps):10,} {workspace(unrolled, steps):18,}")


if __name__ == "__main__":
    main()
