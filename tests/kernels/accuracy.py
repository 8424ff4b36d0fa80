"""Functions with promised accuracy: where they are drawn, what they are compared with, and the
bound.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import mpmath
import numpy as np
import scipy.special

Draw = Callable[[np.random.Generator, int, bool], tuple[np.ndarray, ...]]


def spread(rng: np.random.Generator, low: float, high: float, count: int) -> np.ndarray:
    """Numbers of either sign whose logarithm is uniform."""
    size = np.exp(rng.uniform(np.log(low), np.log(high), count))
    return size * rng.choice([-1.0, 1.0], count)


def across(low: float, high: float, tiny: float = 1e-30, huge: float = 1.0) -> Draw:
    """Uniform numbers of an interval, and log-uniform ones between `tiny` and `huge` of either
    sign.
    """

    def draw(rng: np.random.Generator, count: int, double: bool) -> tuple[np.ndarray, ...]:
        parts = [rng.uniform(low, high, count), spread(rng, tiny, huge, count)]
        return (np.concatenate(parts),)

    return draw


def by_width(single: tuple[float, float], double: tuple[float, float]) -> Draw:
    """Like `across`, with an interval for float and one for double."""

    def draw(rng: np.random.Generator, count: int, wide: bool) -> tuple[np.ndarray, ...]:
        return across(*(double if wide else single))(rng, count, wide)

    return draw


def positive(low: float, high: float, centre: float = 1.0) -> Draw:
    """Positive log-uniform numbers, and numbers at every distance from `centre`."""

    def draw(rng: np.random.Generator, count: int, double: bool) -> tuple[np.ndarray, ...]:
        near = centre * (1 + spread(rng, 1e-15, 0.5, count))
        return (np.concatenate([np.abs(spread(rng, low, high, count)), near]),)

    return draw


def above_one(rng: np.random.Generator, count: int, double: bool) -> tuple[np.ndarray, ...]:
    """1 and more, at every distance from 1."""
    near = 1 + np.abs(spread(rng, 1e-15, 1e3, count))
    return (np.concatenate([near, np.abs(spread(rng, 1, 1e37, count))]),)


def within_one(rng: np.random.Generator, count: int, double: bool) -> tuple[np.ndarray, ...]:
    """Between -1 and 1, at every distance from 0 and from 1."""
    edge = 1 - np.abs(spread(rng, 1e-15 if double else 1e-7, 1, count))
    uniform = rng.uniform(-1, 1, count)
    return (np.concatenate([uniform, spread(rng, 1e-30, 1, count), edge]),)


def above_minus_one(rng: np.random.Generator, count: int, double: bool) -> tuple[np.ndarray, ...]:
    """More than -1, at every distance from 0 and from -1."""
    edge = -1 + np.abs(spread(rng, 1e-15 if double else 1e-6, 1, count))
    return (np.concatenate([np.abs(spread(rng, 1e-30, 1e30, count)), edge]),)


def power_pairs(rng: np.random.Generator, count: int, double: bool) -> tuple[np.ndarray, ...]:
    """Bases of every magnitude with small exponents, and bases near 1 with large ones."""
    bases = np.concatenate([np.abs(spread(rng, 1e-30, 1e30, count)), rng.uniform(0.5, 2, count)])
    large = 1000 if double else 120
    powers = np.concatenate([rng.uniform(-10, 10, count), rng.uniform(-large, large, count)])
    return bases, powers


def plane(rng: np.random.Generator, count: int, double: bool) -> tuple[np.ndarray, ...]:
    """Points of the plane: near the unit circle, and with coordinates of every magnitude."""
    x, y = (
        np.concatenate([rng.normal(size=count), spread(rng, 1e-30, 1e30, count)]) for _ in range(2)
    )
    return x, y


@dataclass(frozen=True)
class Case:
    """`single` and `double` are the promised bounds in ulp; `floor` makes errors relative to
    max(|y|, floor).
    """

    name: str
    draw: Draw
    single_reference: Callable[..., np.ndarray]
    double_reference: Callable[..., mpmath.mpf]
    single: float = 2.0
    double: float = 2.0
    floor: float = 0.0


def logistic(x: np.ndarray) -> np.ndarray:
    """In extended precision, because exp(-x) overflows in double for results that float has."""
    return scipy.special.expit(x)


circle = across(-10, 10, 1e-30, 1e30)
CASES = [
    Case("exp", by_width((-103, 88.7), (-745, 709.7)), np.exp, mpmath.exp),
    Case("exp2", by_width((-149, 128), (-1074, 1023.9)), np.exp2, lambda x: mpmath.mpf(2) ** x),
    Case("expm1", by_width((-30, 88.7), (-50, 709.7)), np.expm1, mpmath.expm1),
    Case("log", positive(1e-44, 1e38), np.log, mpmath.log),
    Case("log2", positive(1e-44, 1e38), np.log2, lambda x: mpmath.log(x, 2)),
    Case("log1p", above_minus_one, np.log1p, mpmath.log1p),
    Case("pow", power_pairs, np.power, mpmath.power, single=1.0),
    Case("tanh", across(-20, 20), np.tanh, mpmath.tanh),
    Case(
        "logistic",
        by_width((-103, 20), (-740, 40)),
        logistic,
        lambda x: 1 / (1 + mpmath.exp(-x)),
        single=2.5,
    ),
    Case("sin", circle, np.sin, mpmath.sin),
    Case("cos", circle, np.cos, mpmath.cos),
    Case("tan", circle, np.tan, mpmath.tan, single=4.0),
    Case("asin", within_one, np.arcsin, mpmath.asin),
    Case("acos", within_one, np.arccos, mpmath.acos),
    Case("atan", circle, np.arctan, mpmath.atan),
    Case("atan2", plane, np.arctan2, mpmath.atan2),
    Case("sinh", by_width((-89, 89), (-710, 710)), np.sinh, mpmath.sinh),
    Case("cosh", by_width((-89, 89), (-710, 710)), np.cosh, mpmath.cosh),
    Case("asinh", across(-5, 5, 1e-30, 1e30), np.arcsinh, mpmath.asinh),
    Case("acosh", above_one, np.arccosh, mpmath.acosh),
    Case("atanh", within_one, np.arctanh, mpmath.atanh),
    Case("cbrt", across(-8, 8, 1e-44, 1e38), np.cbrt, lambda x: signed_cube_root(x), single=1.0),
    Case("rsqrt", positive(1e-37, 1e38), lambda x: 1 / np.sqrt(x), lambda x: 1 / mpmath.sqrt(x)),
    Case("erf", across(-6, 6), scipy.special.erf, mpmath.erf),
    Case(
        "erfc", by_width((-4, 9), (-6, 26)), scipy.special.erfc, mpmath.erfc, single=3.0, double=2.5
    ),
    Case("erf_inv", within_one, scipy.special.erfinv, mpmath.erfinv, single=3.5, double=3.0),
    Case("lgamma", positive(1e-30, 1e30, 2.0), scipy.special.gammaln, mpmath.loggamma, double=4.0),
    Case(
        "digamma",
        positive(1e-30, 1e30, 2.0),
        scipy.special.psi,
        mpmath.digamma,
        double=6.0,
        floor=1.0,
    ),
]


def signed_cube_root(x: mpmath.mpf) -> mpmath.mpf:
    """The real cube root."""
    return mpmath.sign(x) * mpmath.cbrt(abs(x))


def ulp_of(reference: np.ndarray, dtype: str, floor: float) -> np.ndarray:
    """The distance of neighbours of a dtype at the size of the reference."""
    info = np.finfo(dtype)
    _, exponent = np.frexp(np.maximum(np.abs(reference), floor))
    exponent = np.maximum(exponent - (info.nmant + 1), info.minexp - info.nmant)
    return np.ldexp(1.0, exponent)


def worst_error(
    case: Case, dtype: str, run: Callable[..., tuple[np.ndarray, ...]], count: int
) -> tuple[float, tuple[float, ...]]:
    """The largest error in ulp over drawn arguments, and the arguments it occurs at."""
    rng = np.random.default_rng(11)
    drawn = case.draw(rng, count, dtype == "float64")
    arguments = tuple(a.astype(dtype) for a in drawn)
    got = run(*arguments)[0].astype(np.float64)
    if dtype == "float32":
        reference = case.single_reference(*(a.astype(np.float64) for a in arguments))
        difference = np.abs(got - reference)
        beyond = np.abs(reference) >= np.finfo(np.float32).max
        difference[beyond & np.isinf(got)] = 0
    else:
        with mpmath.workprec(160):
            exact = [
                case.double_reference(*(mpmath.mpf(float(v)) for v in row))
                for row in zip(*arguments, strict=True)
            ]
            reference = np.array([float(v) for v in exact])
            difference = np.array(
                [float(abs(mpmath.mpf(float(g)) - v)) for g, v in zip(got, exact, strict=True)]
            )
    both_infinite = np.isinf(reference) & (reference == got)
    error = np.where(both_infinite, 0.0, difference / ulp_of(reference, dtype, case.floor))
    error[np.isnan(error)] = np.inf
    worst = int(np.argmax(error))
    return float(error[worst]), tuple(float(a[worst]) for a in arguments)
