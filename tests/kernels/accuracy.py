"""Functions with promised accuracy: where they are drawn, what they are compared with, and the
bound.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

import harness
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
    """Bases of every magnitude with small exponents, bases near 1 with large ones, and at every
    distance from 1 with exponents that give results of every magnitude.
    """
    large, end = (1000, 700) if double else (120, 85)
    beside_one = 1 + spread(rng, 1e-12, 0.5, count).astype("float64" if double else "float32")
    beside_one = beside_one[beside_one != 1].astype(np.float64)
    sizes = rng.uniform(-end, end, beside_one.size)
    bases = [np.abs(spread(rng, 1e-30, 1e30, count)), rng.uniform(0.5, 2, count), beside_one]
    powers = [rng.uniform(-10, 10, count), rng.uniform(-large, large, count)]
    return np.concatenate(bases), np.concatenate([*powers, sizes / np.log(beside_one)])


def plane(rng: np.random.Generator, count: int, double: bool) -> tuple[np.ndarray, ...]:
    """Points of the plane: near the unit circle, and with coordinates of every magnitude."""
    x, y = (
        np.concatenate([rng.normal(size=count), spread(rng, 1e-30, 1e30, count)]) for _ in range(2)
    )
    return x, y


def any_bits(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Random bit patterns: numbers of every size, few of which are infinite or NaN."""
    unsigned = f"u{x.itemsize}"
    return rng.integers(0, 2 ** (8 * x.itemsize), x.size, unsigned).view(x.dtype)


@dataclass(frozen=True)
class Case:
    """A function with the bounds in ulp that are promised for float and double results.

    `wide` is the function in NumPy's or SciPy's float64 or long double: the reference for floats,
    and for doubles too where `extended` says that it has a long double form. `exact` is that of
    mpmath. `inside` says where random bit patterns are arguments, by default everywhere; `floor`
    makes errors relative to max(|y|, floor).
    """

    name: str
    draw: Draw
    wide: Callable[..., np.ndarray]
    exact: Callable[..., mpmath.mpf]
    single: float = 2.0
    double: float = 2.0
    extended: bool = True
    inside: Callable[..., np.ndarray] | None = None
    floor: float = 0.0

    def arguments(self, rng: np.random.Generator, count: int, dtype: str) -> tuple[np.ndarray, ...]:
        """`count` drawn arguments for each part of the draw, then as many random bit patterns."""
        drawn = [a.astype(dtype) for a in self.draw(rng, count, dtype == "float64")]
        bits = [any_bits(np.empty(count, dtype), rng) for _ in drawn]
        if self.inside is not None:
            kept = self.inside(*bits)
            bits = [each[kept] for each in bits]
        return tuple(np.concatenate(pair) for pair in zip(drawn, bits, strict=True))


def logistic(x: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-x)), small where that overflows."""
    small = np.exp(-np.abs(x))
    return np.where(x < 0, small, np.ones_like(x)) / (1 + small)


def signed_cube_root(x: mpmath.mpf) -> mpmath.mpf:
    """The real cube root."""
    return mpmath.sign(x) * mpmath.cbrt(abs(x))


def exact_logistic(x: mpmath.mpf) -> mpmath.mpf:
    return 1 / (1 + mpmath.exp(-x))


def at_least_zero(x: np.ndarray) -> np.ndarray:
    """Where the function is real, and mpmath quick."""
    return np.asarray((x >= 0) & (x < np.inf))


def finite(x: np.ndarray) -> np.ndarray:
    return np.isfinite(x)


def none(x: np.ndarray) -> np.ndarray:
    return np.zeros(x.shape, bool)


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
    Case("logistic", by_width((-103, 20), (-740, 40)), logistic, exact_logistic, single=2.5),
    Case("sin", circle, np.sin, mpmath.sin),
    Case("cos", circle, np.cos, mpmath.cos),
    Case("tan", circle, np.tan, mpmath.tan, single=3.0),
    Case("asin", within_one, np.arcsin, mpmath.asin),
    Case("acos", within_one, np.arccos, mpmath.acos),
    Case("atan", circle, np.arctan, mpmath.atan),
    Case("atan2", plane, np.arctan2, mpmath.atan2),
    Case("sinh", by_width((-89, 89), (-710, 710)), np.sinh, mpmath.sinh),
    Case("cosh", by_width((-89, 89), (-710, 710)), np.cosh, mpmath.cosh),
    Case("asinh", across(-5, 5, 1e-30, 1e30), np.arcsinh, mpmath.asinh),
    Case("acosh", above_one, np.arccosh, mpmath.acosh),
    Case("atanh", within_one, np.arctanh, mpmath.atanh),
    Case("cbrt", across(-8, 8, 1e-44, 1e38), np.cbrt, signed_cube_root, single=1.0),
    Case("rsqrt", positive(1e-37, 1e38), lambda x: 1 / np.sqrt(x), lambda x: 1 / mpmath.sqrt(x)),
    Case("erf", across(-6, 6), scipy.special.erf, mpmath.erf, extended=False, inside=finite),
    Case(
        "erfc",
        by_width((-4, 9), (-6, 26)),
        scipy.special.erfc,
        mpmath.erfc,
        single=3.0,
        extended=False,
        inside=none,
    ),
    Case(
        "erf_inv",
        within_one,
        scipy.special.erfinv,
        mpmath.erfinv,
        single=2.5,
        extended=False,
        inside=lambda x: np.abs(x) < 1,
    ),
    Case(
        "lgamma",
        positive(1e-30, 1e30, 2.0),
        scipy.special.gammaln,
        mpmath.loggamma,
        single=1.0,
        extended=False,
        inside=at_least_zero,
    ),
    Case(
        "digamma",
        positive(1e-30, 1e30, 1.4616321449683622),
        scipy.special.psi,
        mpmath.digamma,
        single=1.0,
        extended=False,
        inside=at_least_zero,
    ),
]


def ulp_of(reference: np.ndarray, dtype: str, floor: float) -> np.ndarray:
    """The distance of neighbours of a dtype at the size of the reference."""
    info = np.finfo(dtype)
    _, exponent = np.frexp(np.maximum(np.abs(reference), floor))
    exponent = np.maximum(exponent - (info.nmant + 1), info.minexp - info.nmant)
    return np.ldexp(np.ones(exponent.shape, reference.dtype), exponent)


# Numbers of long double with 64 bits or more have at least 11 bits that double has not, so that an
# error of an ulp of theirs is 1/2000 of an ulp of double.
HAS_EXTENDED = np.finfo(np.longdouble).nmant >= 63


def extended(value: mpmath.mpf) -> np.longdouble:
    """The nearest long double, or one of 64 bits where long double has more; a real part."""
    value = getattr(value, "real", value)
    if not mpmath.isfinite(value):
        return np.longdouble(float(value))
    with mpmath.workprec(64):
        sign, mantissa, exponent, _ = (+value)._mpf_
    size = np.longdouble(mantissa >> 32) * 2**32 + np.longdouble(mantissa & 0xFFFFFFFF)
    # Beyond these exponents there is infinity or zero in any format.
    return np.ldexp(-size if sign else size, max(-20_000, min(exponent, 20_000)))


def exact_values(case: Case, arguments: tuple[np.ndarray, ...]) -> np.ndarray:
    """The function by mpmath, as long doubles."""
    with mpmath.workprec(160):
        rows = zip(*arguments, strict=True)
        values = [case.exact(*(mpmath.mpf(float(v)) for v in row)) for row in rows]
    return np.array([extended(value) for value in values], np.longdouble)


def reference_of(case: Case, dtype: str, arguments: tuple[np.ndarray, ...]) -> np.ndarray:
    """The function's values, with errors far below an ulp of the dtype."""
    if dtype == "float32":
        return case.wide(*(a.astype(np.float64) for a in arguments))
    if case.extended and HAS_EXTENDED:
        return case.wide(*(a.astype(np.longdouble) for a in arguments))
    return exact_values(case, arguments)


def errors(got: np.ndarray, reference: np.ndarray, floor: float = 0.0) -> np.ndarray:
    """Errors in ulp; infinite where only one of the two is NaN."""
    largest = np.finfo(got.dtype).max
    difference = np.abs(got.astype(reference.dtype) - reference)
    difference[np.isinf(got) & (np.abs(reference) >= largest) & (got * reference > 0)] = 0
    error = difference / ulp_of(reference, str(got.dtype), floor)
    error[(got == reference) | (np.isnan(got) & np.isnan(reference))] = 0
    error[np.isnan(error)] = np.inf
    return error


def worst_of(
    case: Case,
    dtype: str,
    run: Callable[..., tuple[np.ndarray, ...]],
    arguments: tuple[np.ndarray, ...],
) -> tuple[float, tuple[float, ...]]:
    """The largest error in ulp over the arguments, and those it occurs at."""
    error = errors(run(*arguments)[0], reference_of(case, dtype, arguments), case.floor)
    worst = int(np.argmax(error))
    return float(error[worst]), tuple(float(a[worst]) for a in arguments)


def worst_error(
    case: Case, dtype: str, run: Callable[..., tuple[np.ndarray, ...]], count: int
) -> tuple[float, tuple[float, ...]]:
    """The largest error in ulp over drawn arguments, `count` of each kind."""
    return worst_of(case, dtype, run, case.arguments(np.random.default_rng(11), count, dtype))


def main() -> None:
    """Prints the largest errors: `python tests/kernels/accuracy.py [count [name ...]]`."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    with np.errstate(all="ignore"):
        for case in CASES:
            if sys.argv[2:] and case.name not in sys.argv[2:]:
                continue
            found = []
            for dtype in ("float32", "float64"):
                operands = len(case.draw(np.random.default_rng(0), 1, True))
                run = harness.compile_kernel(case.name, dtype, operands=operands)
                found.append(worst_error(case, dtype, run, count)[0])
            print(f"{case.name:10s} {found[0]:7.3f} {found[1]:7.3f}", flush=True)


if __name__ == "__main__":
    main()
