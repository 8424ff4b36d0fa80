"""The functions that are measured, each written once for any library with NumPy's names."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numba
import numpy as np

LAYERS = (784, 512, 512, 10)
BATCH = 128


@dataclass(frozen=True)
class Library:
    """What the cases use of xform and of JAX."""

    name: str
    root: ModuleType
    np: ModuleType
    nn: ModuleType
    lax: ModuleType

    def wait(self, result: Any) -> Any:
        """The result, once it is there; xform's always is."""
        return self.root.block_until_ready(result) if self.name == "jax" else result


# Calls


def add(x, y):
    return x + y


def tree_of_leaves(count: int = 50) -> dict[str, np.ndarray]:
    return {f"leaf{n}": np.full(8, n, np.float32) for n in range(count)}


def scale_leaves(leaves):
    return {name: 2 * x for name, x in leaves.items()}


# Programs to compile. Each takes a number that makes it a new program.


def elementwise_program(library: Library, salt: float) -> Callable:
    """Fifty elementwise operators."""
    xp = library.np
    functions = (xp.tanh, xp.exp, xp.sin, xp.sqrt, xp.abs)

    def program(x):
        y = x
        for n in range(10):
            y = functions[n % 5](y) * (salt + n)
            y = y + x
            y = xp.maximum(y, 0.1)
            y = y / (1 + x)
        return y

    return program


def chain_program(library: Library, salt: float) -> Callable:
    """A chain of three hundred operators."""

    def program(x):
        y = x
        for n in range(100):
            y = library.np.tanh(y * (1 + salt / (n + 1)) + x)
        return y

    return program


def mlp_loss(library: Library) -> Callable:
    def loss(params, images, labels):
        *hidden, (w, b) = params
        for v, c in hidden:
            images = library.nn.relu(images @ v + c)
        scores = library.nn.log_softmax(images @ w + b)
        return -library.np.mean(library.np.sum(scores * labels, axis=1))

    return loss


def mlp_step(library: Library, salt: float) -> Callable:
    """One step of gradient descent."""
    slopes_of = library.root.value_and_grad(mlp_loss(library))

    def step(params, images, labels):
        value, slopes = slopes_of(params, images, labels)
        return library.root.tree.map(lambda p, g: p - salt * g, params, slopes), value

    return step


def mlp_arguments(layers: tuple[int, ...] = LAYERS, batch: int = BATCH) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(0)
    params = [
        (
            (rng.normal(size=(m, n)) * math.sqrt(2 / m)).astype(np.float32),
            np.zeros(n, np.float32),
        )
        for m, n in itertools.pairwise(layers)
    ]
    images = rng.random((batch, layers[0]), np.float32)
    labels = np.eye(layers[-1], dtype=np.float32)[rng.integers(0, layers[-1], batch)]
    return params, images, labels


# Kernels, and the loops that a user of Numba writes for them


def fused_chain(library: Library) -> Callable:
    xp = library.np
    return lambda x: xp.sqrt(xp.abs((x * 2 + 1) * (x - 3) / (x * x + 1))) - 0.5 * x


def gelu(library: Library) -> Callable:
    return library.nn.gelu


def softmax(library: Library) -> Callable:
    return library.nn.softmax


def layernorm(library: Library) -> Callable:
    xp = library.np

    def normalize(x):
        centred = x - xp.mean(x, axis=-1, keepdims=True)
        return centred / xp.sqrt(xp.mean(centred * centred, axis=-1, keepdims=True) + 1e-5)

    return normalize


def logsumexp(library: Library) -> Callable:
    xp = library.np

    def function(x):
        most = xp.max(x, axis=-1, keepdims=True)
        return xp.log(xp.sum(xp.exp(x - most), axis=-1)) + most[..., 0]

    return function


def waves(library: Library) -> Callable:
    xp = library.np
    return lambda x: xp.sin(3 * x) * xp.cos(x + 1) + 0.5 * xp.sin(x * x)


def distance_sums(library: Library) -> Callable:
    """For each point the sum of its distances to all others."""
    xp = library.np

    def function(x):
        gaps = x[:, None, :] - x[None, :, :]
        return xp.sum(xp.sqrt(xp.sum(gaps * gaps, axis=-1) + 1e-6), axis=1)

    return function


@numba.njit
def numba_fused_chain(x):
    out = np.empty_like(x)
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            v = x[i, j]
            inner = (v * np.float32(2) + np.float32(1)) * (v - np.float32(3))
            ratio = inner / (v * v + np.float32(1))
            out[i, j] = np.sqrt(np.abs(ratio)) - np.float32(0.5) * v
    return out


@numba.njit
def numba_gelu(x):
    out = np.empty_like(x)
    root = np.float32(math.sqrt(2 / math.pi))
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            v = x[i, j]
            inner = np.tanh(root * (v + np.float32(0.044715) * v * v * v))
            out[i, j] = np.float32(0.5) * v * (np.float32(1) + inner)
    return out


@numba.njit
def numba_softmax(x):
    out = np.empty_like(x)
    for i in range(x.shape[0]):
        most = x[i].max()
        total = np.float32(0)
        for j in range(x.shape[1]):
            out[i, j] = np.exp(x[i, j] - most)
            total += out[i, j]
        for j in range(x.shape[1]):
            out[i, j] /= total
    return out


@numba.njit
def numba_layernorm(x):
    out = np.empty_like(x)
    count = np.float32(x.shape[1])
    for i in range(x.shape[0]):
        mean = np.float32(0)
        for j in range(x.shape[1]):
            mean += x[i, j]
        mean /= count
        square = np.float32(0)
        for j in range(x.shape[1]):
            out[i, j] = x[i, j] - mean
            square += out[i, j] * out[i, j]
        deviation = np.sqrt(square / count + np.float32(1e-5))
        for j in range(x.shape[1]):
            out[i, j] /= deviation
    return out


@numba.njit
def numba_logsumexp(x):
    out = np.empty(x.shape[0], np.float32)
    for i in range(x.shape[0]):
        most = x[i].max()
        total = np.float32(0)
        for j in range(x.shape[1]):
            total += np.exp(x[i, j] - most)
        out[i] = np.log(total) + most
    return out


@numba.njit
def numba_waves(x):
    out = np.empty_like(x)
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            v = x[i, j]
            waves = np.sin(np.float32(3) * v) * np.cos(v + np.float32(1))
            out[i, j] = waves + np.float32(0.5) * np.sin(v * v)
    return out


@numba.njit
def numba_distance_sums(x):
    out = np.zeros(x.shape[0], np.float32)
    for i in range(x.shape[0]):
        for j in range(x.shape[0]):
            square = np.float32(1e-6)
            for k in range(x.shape[1]):
                gap = x[i, k] - x[j, k]
                square += gap * gap
            out[i] += np.sqrt(square)
    return out


@dataclass(frozen=True)
class Kernel:
    """A function to run at some shapes, how many times JAX's speed is wanted, and Numba's loop."""

    title: str
    make: Callable[[Library], Callable]
    loop: Callable
    shapes: tuple[tuple[int, ...], ...]
    least: float = 1.0


SQUARES = ((100, 100), (1000, 1000))

KERNELS = (
    Kernel("fused elementwise chain", fused_chain, numba_fused_chain, SQUARES),
    Kernel("gelu", gelu, numba_gelu, SQUARES),
    Kernel("softmax", softmax, numba_softmax, SQUARES),
    Kernel("layer normalization", layernorm, numba_layernorm, SQUARES),
    Kernel("logsumexp", logsumexp, numba_logsumexp, SQUARES),
    Kernel("chain with sin and cos", waves, numba_waves, SQUARES, least=3.0),
    Kernel("sums of distances", distance_sums, numba_distance_sums, ((1000, 3),), least=10.0),
)
