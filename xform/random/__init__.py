"""Random numbers, the same bits for the same key as `jax.random` gives.

A key is made from a seed and split; a function of a key always gives the same numbers, so every use
needs a key of its own.

>>> from xform import random
>>> k0, k1 = random.split(random.key(0))
>>> random.randint(k0, (3,), 0, 10)
Array([1, 1, 7], dtype=int32)
"""

from __future__ import annotations

from typing import NoReturn

from .choices import (
    bernoulli,
    categorical,
    choice,
    permutation,
    rademacher,
)
from .drawing import (
    bits,
    randint,
    uniform,
)
from .keys import (
    KeyArray,
    PRNGKey,
    clone,
    fold_in,
    key,
    key_data,
    key_impl,
    split,
    wrap_key_data,
)
from .samples import (
    cauchy,
    exponential,
    gumbel,
    laplace,
    logistic,
    normal,
    truncated_normal,
)

__all__ = [
    "KeyArray",
    "PRNGKey",
    "bernoulli",
    "bits",
    "categorical",
    "cauchy",
    "choice",
    "clone",
    "exponential",
    "fold_in",
    "gumbel",
    "key",
    "key_data",
    "key_impl",
    "laplace",
    "logistic",
    "normal",
    "permutation",
    "rademacher",
    "randint",
    "split",
    "truncated_normal",
    "uniform",
    "wrap_key_data",
]

# Names of jax.random that later releases bring.
_AWAITED = frozenset(
    [
        "ball",
        "beta",
        "binomial",
        "chisquare",
        "dirichlet",
        "double_sided_maxwell",
        "f",
        "gamma",
        "generalized_normal",
        "geometric",
        "key_dtype",
        "loggamma",
        "lognormal",
        "maxwell",
        "multinomial",
        "multivariate_normal",
        "orthogonal",
        "pareto",
        "poisson",
        "rayleigh",
        "t",
        "triangular",
        "wald",
        "weibull_min",
    ]
)


def __getattr__(name: str) -> NoReturn:
    if name in _AWAITED:
        raise AttributeError(f"xform.random.{name} is not available yet")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
