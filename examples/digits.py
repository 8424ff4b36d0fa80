"""Trains a small network to read handwritten digits: run it with `make demo`.

The data are the 1,797 images of 8 x 8 pixels that scikit-learn brings.
"""

import sys
import time
import timeit

import numpy as np
from sklearn.datasets import load_digits

import xform
import xform.numpy as xnp
from xform import nn, random
from xform.core.printing import format_jaxpr

SHAPES = [(64, 128), (128, 64), (64, 10)]
BATCH, EPOCHS, RATE, MOMENTUM = 64, 60, 0.05, 0.9


def init(key):
    he = nn.initializers.he_normal()
    keys = random.split(key, len(SHAPES))
    return [(he(k, s), xnp.zeros(s[1])) for k, s in zip(keys, SHAPES, strict=True)]


def predict(params, image):
    *hidden, (w, b) = params
    for v, c in hidden:
        image = nn.relu(image @ v + c)
    return image @ w + b


def loss(params, images, labels):
    def of_example(image, label):
        return -nn.log_softmax(predict(params, image)) @ nn.one_hot(label, 10)

    return xnp.mean(xform.vmap(of_example)(images, labels))


@xform.jit
def step(params, speeds, images, labels):
    value, slopes = xform.value_and_grad(loss)(params, images, labels)
    speeds = xform.tree.map(lambda v, g: MOMENTUM * v - RATE * g, speeds, slopes)
    return xform.tree.map(xnp.add, params, speeds), speeds, value


def numpy_step(params, speeds, images, labels):
    """The same step in NumPy, its derivatives by hand."""
    inputs = [images]
    for w, b in params:
        inputs.append(np.maximum(inputs[-1] @ w + b, 0) if w.shape[1] > 10 else inputs[-1] @ w + b)
    scores = inputs.pop()
    scores -= scores.max(1, keepdims=True)
    logs = scores - np.log(np.exp(scores).sum(1, keepdims=True))
    target = np.eye(10, dtype=np.float32)[labels]
    ct = (np.exp(logs) - target) / len(labels)
    moved, faster = [], []
    for (w, b), (v, c), x in zip(params[::-1], speeds[::-1], inputs[::-1], strict=True):
        v, c = MOMENTUM * v - RATE * (x.T @ ct), MOMENTUM * c - RATE * ct.sum(0)
        ct = (ct @ w.T) * (x > 0)
        moved.insert(0, (w + v, b + c))
        faster.insert(0, (v, c))
    return moved, faster, -(logs * target).sum(1).mean()


def main():
    images, labels = load_digits(return_X_y=True)
    images, labels = (images / 16).astype(np.float32), labels.astype(np.int32)
    train, test = np.split(np.random.default_rng(0).permutation(len(images)), [1437])
    params = init(random.key(0))
    speeds = xform.tree.map(xnp.zeros_like, params)
    batch = images[train[:BATCH]], labels[train[:BATCH]]
    program = xform.make_jaxpr(loss)(params, *batch).jaxpr
    print(f"The program of the loss:\n{format_jaxpr(program, most=12)}\n")
    start = time.perf_counter()
    step.lower(params, speeds, *batch).compile()
    print(f"One training step traced and compiled in {time.perf_counter() - start:.2f} s.\n")

    for epoch in range(1, EPOCHS + 1):
        order = np.random.default_rng(epoch).permutation(train)
        for rows in np.split(order, range(BATCH, len(train), BATCH))[:-1]:
            params, speeds, value = step(params, speeds, images[rows], labels[rows])
        done = "#" * (30 * epoch // EPOCHS)
        print(f"\repoch {epoch:2} [{done:<30}] loss {float(value):.4f}", end="", flush=True)

    guesses = xform.vmap(predict, in_axes=(None, 0))(params, images[test]).argmax(1)
    accuracy = float(xnp.mean(guesses == labels[test]))
    print(f"\n\nAccuracy on {len(test)} images not trained on: {accuracy:.1%}")
    arrays = xform.tree.map(np.asarray, (params, speeds))
    fast = min(timeit.repeat(lambda: step(params, speeds, *batch), number=1, repeat=300))
    slow = min(timeit.repeat(lambda: numpy_step(*arrays, *batch), number=1, repeat=300))
    print(f"One step takes {fast * 1e6:.0f} us; in NumPy, by hand, {slow * 1e6:.0f} us.")
    return accuracy


if __name__ == "__main__":
    sys.exit(main() < 0.97)
