"""Hamiltonian Monte Carlo: samples of a posterior, from several chains at once.

The posterior is that of a linear regression: how the progress of diabetes depends on ten
measurements of 442 patients (Efron, Hastie, Johnstone and Tibshirani, Least Angle Regression,
Annals of Statistics 32, 2004; scikit-learn brings the data). With known noise it is Gaussian and
known in closed form, so the samples can be judged.

A chain is one function: a `scan` over samples. Each sample follows the Hamiltonian flow by a
`fori_loop` of leapfrog steps, with the `grad` of the log density, and is accepted or not. `vmap`
makes many chains of it and `jit` one native function. (Neal, MCMC using Hamiltonian dynamics, in:
Handbook of Markov Chain Monte Carlo, 2011. R-hat: Gelman and Rubin, Statistical Science 7, 1992,
with split chains.)
"""

import time

import numpy as np
from sklearn.datasets import load_diabetes

import xform
import xform.numpy as xnp
from xform import lax, random

CHAINS, SAMPLES, WARMUP, LEAPS = 16, 2000, 200, 12
NOISE, PRIOR = 0.7, 1.0  # standard deviations, in those of the standardized data


def standardized_data():
    x, y = load_diabetes(return_X_y=True)
    x, y = (x - x.mean(0)) / x.std(0), (y - y.mean()) / y.std()
    return x.astype(np.float32), y.astype(np.float32)


def exact_posterior(x, y):
    """The mean and covariance of the weights: those of a Gaussian, by linear algebra."""
    x, y = x.astype(float), y.astype(float)
    covariance = np.linalg.inv(x.T @ x / NOISE**2 + np.eye(x.shape[1]) / PRIOR**2)
    return covariance @ x.T @ y / NOISE**2, covariance


def log_density(w, x, y):
    return -xnp.sum((y - x @ w) ** 2) / (2 * NOISE**2) - xnp.sum(w**2) / (2 * PRIOR**2)


def leapfrog(slope, w, p, size, steps):
    """Follows dw/dt = p, dp/dt = slope(w) for so many steps of a size."""

    def leap(_, state):
        w, p = state
        w = w + size * p
        return w, p + size * slope(w)

    p = p + size / 2 * slope(w)
    w, p = lax.fori_loop(0, steps, leap, (w, p))
    return w, p - size / 2 * slope(w)


def sample_chain(key, start, density, size, samples, leaps=LEAPS):
    """Draws samples, one after the other: an array (sample, dimension), and the share accepted."""
    slope = xform.grad(density)

    def draw(w, key):
        by_momentum, by_length, by_chance = random.split(key, 3)
        p = random.normal(by_momentum, w.shape)
        # Flows of different lengths do not return to where they began.
        length = size * random.uniform(by_length, minval=0.6, maxval=1.4)
        new, q = leapfrog(slope, w, p, length, leaps)
        gain = density(new) - density(w) - (q @ q - p @ p) / 2
        accepted = xnp.log(random.uniform(by_chance)) < gain
        w = xnp.where(accepted, new, w)
        return w, (w, accepted)

    _, (path, accepted) = lax.scan(draw, start, random.split(key, samples))
    return path, xnp.mean(accepted)


@xform.jit
def sample(key, x, y):
    """Samples of the posterior from all chains: an array (chain, sample, weight)."""
    by_start, by_chain = random.split(key)
    starts = random.normal(by_start, (CHAINS, x.shape[1]))

    def chain(key, start):
        return sample_chain(key, start, lambda w: log_density(w, x, y), 0.02, WARMUP + SAMPLES)

    paths, rates = xform.vmap(chain)(random.split(by_chain, CHAINS), starts)
    return paths[:, WARMUP:], rates


def split_r_hat(chains):
    """The spread of all samples relative to that within half chains: near 1 if they have mixed."""
    count = chains.shape[1] // 2
    halves = np.concatenate([chains[:, :count], chains[:, -count:]]).astype(float)
    within = halves.var(1, ddof=1).mean(0)
    between = halves.mean(1).var(0, ddof=1)
    return np.sqrt((count - 1) / count + between / within)


def main():
    x, y = standardized_data()
    sample.lower(random.key(0), x, y).compile()
    start = time.perf_counter()
    chains, rates = sample(random.key(0), x, y)
    seconds = time.perf_counter() - start
    chains = np.asarray(chains)
    mean, covariance = exact_posterior(x, y)
    draws = chains.reshape(-1, x.shape[1]).astype(float)
    print(f"{len(draws)} samples in {seconds:.2f} s; {np.mean(rates):.0%} accepted.")
    print(f"R-hat is at most {split_r_hat(chains).max():.4f}.")
    print("weight   exact mean, deviation    sampled")
    for k, (m, v) in enumerate(zip(mean, np.diag(covariance), strict=True)):
        exact = f"{m:7.3f} {np.sqrt(v):.3f}"
        print(f"{k:6}   {exact:>20}    {draws[:, k].mean():.3f} {draws[:, k].std():.3f}")
    return chains, np.asarray(rates)


if __name__ == "__main__":
    main()
