"""Meta-learning: from which weights does a network learn a new task in a few steps?

Each task is a sine wave of its own amplitude and phase, seen at ten points. MAML looks for starting
weights from which a few steps of gradient descent on those points fit the whole wave: it descends
the gradient of the loss after the steps, which goes through them and so has second derivatives.

C. Finn, P. Abbeel, S. Levine, Model-agnostic meta-learning for fast adaptation of deep networks,
ICML 2017.
"""

import itertools

import numpy as np

import xform
import xform.numpy as xnp
from xform import lax, nn, random

SIZES, REACH = (1, 40, 40, 1), 5.0
POINTS, INNER_STEPS, INNER_RATE = 10, 5, 0.02
TASKS, STEPS, RATE = 16, 2000, 2e-3


def init(key):
    keys = random.split(key, len(SIZES) - 1)
    he = nn.initializers.he_normal()
    shapes = itertools.pairwise(SIZES)
    return [(he(k, s), xnp.zeros(s[1])) for k, s in zip(keys, shapes, strict=True)]


def predict(params, x):
    """The network's waves at the points x: float32[n, 1] for float32[n, 1]."""
    x = x / REACH
    *hidden, (w, b) = params
    for v, c in hidden:
        x = nn.relu(x @ v + c)
    return x @ w + b


def loss(params, x, y):
    return xnp.mean((predict(params, x) - y) ** 2)


def adapt(params, x, y, steps=INNER_STEPS):
    """The weights after some steps of gradient descent on the points of one task."""

    def step(params, _):
        slopes = xform.grad(loss)(params, x, y)
        return xform.tree.map(lambda p, g: p - INNER_RATE * g, params, slopes), None

    return lax.scan(step, params, length=steps)[0]


def draw_task(key):
    """Points of a random sine wave to learn from, and other points of it to be judged by."""
    height, shift, place = random.split(key, 3)
    amplitude = random.uniform(height, minval=0.1, maxval=5.0)
    phase = random.uniform(shift, maxval=np.pi)
    x = random.uniform(place, (2, POINTS, 1), minval=-REACH, maxval=REACH)
    y = amplitude * xnp.sin(x - phase)
    return (x[0], y[0]), (x[1], y[1])


def adapted_loss(params, key, steps=INNER_STEPS):
    """The loss on a task's other points after the steps on its points."""
    seen, unseen = draw_task(key)
    return loss(adapt(params, *seen, steps), *unseen)


@xform.jit
def meta_train(params, key):
    """Starting weights found by STEPS steps of Adam, each on TASKS new tasks, and the losses."""

    def mean_loss(params, keys):
        return xnp.mean(xform.vmap(adapted_loss, in_axes=(None, 0))(params, keys))

    def step(carry, number):
        params, mean, square = carry
        keys = random.split(random.fold_in(key, number), TASKS)
        value, slopes = xform.value_and_grad(mean_loss)(params, keys)
        mean = xform.tree.map(lambda m, g: 0.9 * m + 0.1 * g, mean, slopes)
        square = xform.tree.map(lambda s, g: 0.999 * s + 0.001 * g * g, square, slopes)
        rate = RATE * xnp.sqrt(1 - 0.999 ** (number + 1.0)) / (1 - 0.9 ** (number + 1.0))
        params = xform.tree.map(
            lambda p, m, s: p - rate * m / (xnp.sqrt(s) + 1e-8), params, mean, square
        )
        return (params, mean, square), value

    zeros = xform.tree.map(xnp.zeros_like, params)
    (params, *_), losses = lax.scan(step, (params, zeros, zeros), xnp.arange(STEPS))
    return params, losses


def judge(params, key, tasks=200):
    """The mean loss over new tasks after 0, 1, ... INNER_STEPS steps: float32[INNER_STEPS + 1]."""
    keys = random.split(key, tasks)

    def after(steps):
        losses = xform.jit(xform.vmap(lambda key: adapted_loss(params, key, steps)))(keys)
        return float(xnp.mean(losses))

    return np.array([after(steps) for steps in range(INNER_STEPS + 1)])


def main():
    plain = init(random.key(0))
    params, _ = meta_train(plain, random.key(1))
    print("Mean square error on unseen points of 200 new waves, before and after each step:")
    for name, start in (("plain weights", plain), ("meta-learned", params)):
        print(f"{name:14}", *(f"{value:6.3f}" for value in judge(start, random.key(2))))


if __name__ == "__main__":
    main()
