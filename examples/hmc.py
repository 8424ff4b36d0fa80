"""Hamiltonian Monte Carlo samples the posterior of a linear regression, many chains at a time.

The data are the 442 patients of scikit-learn's diabetes set: ten measurements of each, and how far
the disease went in a year. With known noise and a normal prior the posterior is normal and known
exactly, so the samples can be judged; the sampler uses only the gradient of the log density.

R. M. Neal, MCMC using Hamiltonian dynamics, Handbook of Markov Chain Monte Carlo, 2011.
A. Gelman, D. B. Rubin, Inference from iterative simulation using multiple sequences,
Statist. Sci. 7 (1992) 457-472.
"""

import numpy as np
from sklearn.datasets import load_diabetes

import xform
import xform.numpy as xnp
from xform import lax, random

NOISE, PRIOR = 0.7, 1.0
CHAINS, WARM_UP, SAMPLES = 32, 100, 500
STEP, LONGEST = 0.025, 48


def data():
    """Inputs float32[442, 10] and outcomes float32[442], each of mean 0 and variance 1."""
    inputs, outcomes = load_diabetes(return_X_y=True)
    inputs = (inputs - inputs.mean(0)) / inputs.std(0)
    outcomes = (outcomes - outcomes.mean()) / outcomes.std()
    return inputs.astype(np.float32), outcomes.astype(np.float32)


def exact(inputs, outcomes):
    """The mean and the covariance of the posterior: float64[10], float64[10, 10]."""
    inputs, outcomes = np.float64(inputs), np.float64(outcomes)
    precision = inputs.T @ inputs / NOISE**2 + np.eye(inputs.shape[1]) / PRIOR**2
    covariance = np.linalg.inv(precision)
    return covariance @ inputs.T @ outcomes / NOISE**2, covariance


def log_density(weights, inputs, outcomes):
    """The logarithm of the posterior density, up to a constant."""
    misfit = (outcomes - inputs @ weights) / NOISE
    return -(misfit @ misfit + weights @ weights / PRIOR**2) / 2


def leapfrog(slope, position, momentum, step, count):
    """Follows Hamilton's equations for `count` steps: reversible, and keeps volumes."""

    def body(_, state):
        position, momentum = state
        position = position + step * momentum
        return position, momentum + step * slope(position)

    momentum = momentum + step / 2 * slope(position)
    position, momentum = lax.fori_loop(0, count, body, (position, momentum))
    return position, momentum - step / 2 * slope(position)


def transition(key, position, log_p):
    """The next position of a chain, and whether the proposal was accepted."""
    kick, length, coin = random.split(key, 3)
    momentum = random.normal(kick, position.shape)
    # A random length keeps the trajectory from returning to where it began, however often.
    count = random.randint(length, (), 1, LONGEST + 1)
    new, end = leapfrog(xform.grad(log_p), position, momentum, STEP, count)
    gain = log_p(new) - end @ end / 2 - log_p(position) + momentum @ momentum / 2
    accepted = xnp.log(random.uniform(coin)) < gain
    return xnp.where(accepted, new, position), accepted


@xform.jit
def sample(key, inputs, outcomes):
    """CHAINS chains from scattered starts: float32[CHAINS, SAMPLES, 10], and the acceptance."""

    def log_p(weights):
        return log_density(weights, inputs, outcomes)

    def chain(key):
        start, walk = random.split(key)

        def step(position, key):
            position, accepted = transition(key, position, log_p)
            return position, (position, accepted)

        first = random.normal(start, inputs.shape[1:])
        _, (positions, accepted) = lax.scan(step, first, random.split(walk, WARM_UP + SAMPLES))
        return positions[WARM_UP:], accepted[WARM_UP:]

    positions, accepted = xform.vmap(chain)(random.split(key, CHAINS))
    return positions, xnp.mean(accepted)


def r_hat(samples):
    """The potential scale reduction of each coordinate: near 1 once the chains have mixed."""
    length = samples.shape[1]
    within = samples.var(1, ddof=1).mean(0)
    between = samples.mean(1).var(0, ddof=1)
    return np.sqrt((length - 1) / length + between / within)


def main():
    inputs, outcomes = data()
    samples, accepted = sample(random.key(0), inputs, outcomes)
    samples = np.asarray(samples, np.float64)
    mean, covariance = exact(inputs, outcomes)
    print(f"{CHAINS} chains of {SAMPLES} samples: {float(accepted):.0%} accepted, ", end="")
    print(f"R-hat at most {r_hat(samples).max():.3f}.")
    print("weight  posterior mean  sampled  posterior sd  sampled")
    deviations = np.sqrt(covariance.diagonal())
    columns = mean, samples.mean((0, 1)), deviations, samples.std((0, 1))
    for name, *numbers in zip(load_diabetes().feature_names, *columns, strict=True):
        print("{:6}  {:14.3f}  {:7.3f}  {:12.3f}  {:7.3f}".format(name, *numbers))


if __name__ == "__main__":
    main()
