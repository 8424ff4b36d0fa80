"""Learning to learn: a start from which a few steps of gradient descent suffice.

Each task is a sine wave of an amplitude and a phase of its own, of which ten points are seen. One
network cannot be all waves, but its weights can lie where a few steps lead to any of them. The
inner loop adapts the weights to a task by gradient descent, as a `scan`. The outer loop improves
the weights from which all tasks start, by the gradient *through* the inner one: a gradient of
gradients.
(Finn, Abbeel and Levine, Model-Agnostic Meta-Learning, ICML 2017, section 5.1.)
"""

import time

import numpy as np

import xform
import xform.numpy as xnp
from xform import lax, nn, random

WIDTH, POINTS, TASKS, OUTER_STEPS = 32, 10, 16, 2000
INNER_RATE, OUTER_RATE, INNER_STEPS = 0.03, 3e-3, 3


def init(key):
    shapes = [(1, WIDTH), (WIDTH, WIDTH), (WIDTH, 1)]
    he = nn.initializers.he_normal()
    keys = random.split(key, len(shapes))
    return [(he(k, s), xnp.zeros(s[1])) for k, s in zip(keys, shapes, strict=True)]


def predict(params, x):
    *hidden, (w, b) = params
    y = x[:, None]
    for v, c in hidden:
        y = xnp.tanh(y @ v + c)
    return (y @ w + b)[:, 0]


def loss(params, points):
    x, y = points
    return xnp.mean((predict(params, x) - y) ** 2)


def draw_task(key):
    """Points of one wave to learn from, and others to be judged by."""
    by_x, by_wave = random.split(key)
    height, phase = random.uniform(by_wave, (2,)) * xnp.array([4.9, np.pi]) + xnp.array([0.1, 0.0])
    x = random.uniform(by_x, (2, POINTS), minval=-5.0, maxval=5.0)
    y = height * xnp.sin(x - phase)
    return (x[0], y[0]), (x[1], y[1])


def adapt(params, points, steps, rate):
    """The weights before the first step of gradient descent on the points, and after each."""

    def descend(params, _):
        slopes = xform.grad(loss)(params, points)
        params = xform.tree.map(lambda p, g: p - rate * g, params, slopes)
        return params, params

    path = lax.scan(descend, params, None, length=steps)[1]
    return xform.tree.map(lambda p, q: xnp.concatenate([p[None], q]), params, path)


def losses_while_adapting(params, key, steps=INNER_STEPS, rate=INNER_RATE):
    """The loss on new points of a task before the first step, after one, after two, ..."""
    seen, new = draw_task(key)
    return xform.vmap(loss, in_axes=(0, None))(adapt(params, seen, steps, rate), new)


def outer_loss(params, keys):
    """The mean over tasks of the loss after every step but none: so all of them learn to help."""
    of_task = xform.vmap(losses_while_adapting, in_axes=(None, 0))
    return xnp.mean(of_task(params, keys)[:, 1:])


@xform.jit
def meta_step(params, means, count, key):
    """One step of Adam (Kingma and Ba, ICLR 2015) on the weights to start from."""
    slopes = xform.grad(outer_loss)(params, random.split(key, TASKS))
    first = xform.tree.map(lambda m, g: 0.9 * m + 0.1 * g, means[0], slopes)
    second = xform.tree.map(lambda v, g: 0.99 * v + 0.01 * g**2, means[1], slopes)

    def moved(p, m, v):
        return p - OUTER_RATE * m / (1 - 0.9**count) / (xnp.sqrt(v / (1 - 0.99**count)) + 1e-8)

    return xform.tree.map(moved, params, first, second), (first, second)


def meta_learn(key, steps=OUTER_STEPS):
    params = init(key)
    zeros = xform.tree.map(xnp.zeros_like, params)
    means = (zeros, zeros)
    for count in range(1, steps + 1):
        params, means = meta_step(params, means, xnp.float32(count), random.fold_in(key, count))
    return params


@xform.jit
def curve(params, keys, rate):
    """The mean loss over tasks after 0, 1, 2, ..., 10 steps of a rate."""
    return xnp.mean(xform.vmap(lambda k: losses_while_adapting(params, k, 10, rate))(keys), axis=0)


def main():
    start = time.perf_counter()
    learned = meta_learn(random.key(0))
    print(f"{OUTER_STEPS} outer steps in {time.perf_counter() - start:.1f} s.")
    keys, fresh = random.split(random.key(1), 400), init(random.key(2))
    meta = np.asarray(curve(learned, keys, INNER_RATE))
    # A random start gets the rate that suits it best.
    curves = [np.asarray(curve(fresh, keys, rate)) for rate in (0.003, 0.01, 0.03)]
    plain = min(curves, key=lambda losses: losses[-1])
    print("steps    loss from a random start    from the learned one")
    for k in (0, 1, 3, 10):
        print(f"{k:5}    {plain[k]:24.3f}    {meta[k]:20.3f}")
    return plain, meta


if __name__ == "__main__":
    main()
