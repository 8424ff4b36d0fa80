"""Trains a network on two devices at once, each with half of every batch.

`pmap` runs one step on every device: each computes the gradient of its own examples, `pmean`
averages the gradients over the devices, and all make the same step. The mean of the gradients of
two halves is the gradient of the whole, so the parameters are those of training on one device, up
to rounding. The devices are shares of the CPU's cores; the data are scikit-learn's digits.

Source: synchronous stochastic gradient descent as in J. Chen, X. Pan, R. Monga, S. Bengio,
R. Jozefowicz, Revisiting Distributed Synchronous SGD, arXiv:1604.00981 (2016).
"""

import numpy as np
from sklearn.datasets import load_digits

import xform
import xform.numpy as xnp
from xform import lax, nn, random

DEVICES, BATCH, EPOCHS, RATE = 2, 64, 30, 0.2
SHAPES = [(64, 64), (64, 10)]


def init(key):
    he = nn.initializers.he_normal()
    keys = random.split(key, len(SHAPES))
    return [(he(k, s), xnp.zeros(s[1])) for k, s in zip(keys, SHAPES, strict=True)]


def predict(params, images):
    *hidden, (w, b) = params
    for v, c in hidden:
        images = nn.relu(images @ v + c)
    return images @ w + b


def loss(params, images, labels):
    chosen = nn.one_hot(labels, 10) * nn.log_softmax(predict(params, images))
    return -xnp.mean(xnp.sum(chosen, axis=1))


def descend(params, slopes):
    return xform.tree.map(lambda p, g: p - RATE * g, params, slopes)


@xform.jit
def single_step(params, images, labels):
    """The parameters and the loss after a step on one device, which has the whole batch."""
    value, slopes = xform.value_and_grad(loss)(params, images, labels)
    return descend(params, slopes), value


def _step(params, images, labels):
    value, slopes = xform.value_and_grad(loss)(params, images, labels)
    return descend(params, lax.pmean(slopes, "devices")), lax.pmean(value, "devices")


_parallel_step = xform.pmap(_step, axis_name="devices", in_axes=(None, 0, 0), out_axes=None)


def parallel_step(params, images, labels):
    """The same on all devices, each of which has an equal part of the batch."""
    parts = [x.reshape(DEVICES, -1, *x.shape[1:]) for x in (images, labels)]
    return _parallel_step(params, *parts)


def data():
    """Images and labels to train with, and images and labels to test with."""
    images, labels = load_digits(return_X_y=True)
    images, labels = images / 16, labels.astype(np.int32)
    train, test = np.split(np.random.default_rng(0).permutation(len(images)), [1437])
    return (images[train], labels[train]), (images[test], labels[test])


def train(step, params, images, labels, epochs=EPOCHS):
    """The parameters after so many epochs of steps, and the loss of every step."""
    losses = []
    for epoch in range(epochs):
        order = np.random.default_rng(epoch).permutation(len(images))
        for rows in np.split(order, range(BATCH, len(order), BATCH))[:-1]:
            params, value = step(params, images[rows], labels[rows])
            losses.append(float(value))
    return params, losses


def accuracy(params, images, labels):
    return float(xnp.mean(predict(params, images).argmax(1) == labels))


def difference(params, others):
    """The largest difference between the numbers of two sets of parameters."""
    gaps = xform.tree.map(lambda p, q: xnp.max(xnp.abs(p - q)), params, others)
    return max(float(gap) for gap in xform.tree.leaves(gaps))


def main():
    with xform.config.scoped(enable_x64=True, num_cpu_devices=DEVICES):
        known, new = data()
        params = init(random.key(0))
        together, losses = train(parallel_step, params, *known)
        alone, _ = train(single_step, params, *known)
        print(f"{len(losses)} steps on {DEVICES} devices, {BATCH // DEVICES} examples on each")
        print(f"loss {losses[0]:.3f} at first, {losses[-1]:.3f} at last")
        print(f"accuracy on {len(new[0])} images not trained on: {accuracy(together, *new):.1%}")
        print(f"largest difference to training on one device: {difference(together, alone):.0e}")


if __name__ == "__main__":
    main()
