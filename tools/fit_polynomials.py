"""Writes the tables of kernels/scalar, *coefficients.py: polynomials of the formulas.

Every polynomial interpolates its function at the Chebyshev nodes of the interval, in 60 digits of
working precision, and is expanded in powers of the argument. Run from the repository root:

    python tools/fit_polynomials.py [folder]

It needs mpmath.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import mpmath as mp

TABLES = Path(__file__).resolve().parents[1] / "kernels" / "scalar"

mp.mp.dps = 60

Function = Callable[[mp.mpf], mp.mpf]


def by_series(f: Function, near: float, series: Function) -> Function:
    """`f`, replaced by a short series where `f` cancels: |x| below `near`."""
    return lambda x: series(x) if abs(x) < near else f(x)


def of_square(f: Function) -> Function:
    """The function of z = x**2 whose value is f(x), for even f."""
    return lambda z: f(mp.sqrt(z))


@dataclass(frozen=True)
class Fit:
    """One polynomial: its name, the function, the interval, and the terms for float and double (0:
    none).
    """

    name: str
    text: str
    function: Function
    low: float
    high: float
    float_terms: int
    double_terms: int


def log_rest(x: mp.mpf) -> mp.mpf:
    return (mp.log1p(x) - x + x * x / 2) / x**3


def log_rest_of_three(x: mp.mpf) -> mp.mpf:
    return (mp.log1p(x) - x + x * x / 2 - x**3 / 3) / x**4


def atanh_rest(x: mp.mpf) -> mp.mpf:
    return (2 * mp.atanh(x) - 2 * x) / x**3


def erfcx_ratio(u: mp.mpf) -> mp.mpf:
    """exp(x**2) erfc(x) / u with u = 1 / (x + 3)."""
    x = 1 / u - 3
    return mp.exp(x * x) * mp.erfc(x) / u


def erf_ratio(z: mp.mpf) -> mp.mpf:
    """erf(x) / x by z = x**2."""
    if z < mp.mpf(10) ** -30:
        return 2 / mp.sqrt(mp.pi) * (1 - z / 3)
    return mp.erf(mp.sqrt(z)) / mp.sqrt(z)


def inverse_erf(w: mp.mpf) -> mp.mpf:
    """erfinv(x) / x - 1 at w = -log(1 - x**2)."""
    w = mp.mpf(w)
    if abs(w) < mp.mpf(10) ** -20:
        return mp.sqrt(mp.pi) / 2 - 1
    complement = -mp.expm1(-w)
    x = mp.sqrt(complement)
    tail = mp.exp(-w) / (1 + x)
    y = mp.sqrt(w) if w > 1 else x * mp.mpf("0.886")
    for _ in range(60):
        # Newton's step on log(erfc), which is nearly a parabola.
        value = mp.erfc(y)
        slope = -2 / mp.sqrt(mp.pi) * mp.exp(-y * y) / value
        step = (mp.log(value) - mp.log(tail)) / slope
        y -= step
        if abs(step) < mp.mpf(10) ** -50:
            break
    return y / x - 1


def inverse_erf_ratio(w: mp.mpf) -> mp.mpf:
    """erfinv(x) / x at w = -log(1 - x**2)."""
    return 1 + inverse_erf(w)


ERF_TEXT = "erf(x), but erf(x) - x near 0"
ERFC_TEXT = "exp(y**2) erfc(y) / x with x = 1 / (y + 3)"
ERF_INV_TEXT = "erfinv(y) / y with x = -log(1 - y**2)"


def stirling_rest(u: mp.mpf) -> mp.mpf:
    """(lgamma(z) - (z - 1/2) log(z) + z - log(2 pi) / 2) z at u = 1 / z**2."""
    if u < mp.mpf(10) ** -12:
        return mp.mpf(1) / 12 - u / 360 + u * u / 1260
    z = 1 / mp.sqrt(u)
    main = (z - mp.mpf(1) / 2) * mp.log(z) - z + mp.log(2 * mp.pi) / 2
    return (mp.loggamma(z) - main) * z


def digamma_rest(u: mp.mpf) -> mp.mpf:
    """(log(z) - 1 / (2 z) - digamma(z)) z**2 at u = 1 / z**2."""
    if u < mp.mpf(10) ** -12:
        return mp.mpf(1) / 12 - u / 120 + u * u / 252
    z = 1 / mp.sqrt(u)
    return (mp.log(z) - 1 / (2 * z) - mp.digamma(z)) * z * z


def rest(f: Function, first: float, second: float) -> Function:
    """((f(x) - x) / x**3 as a function of x**2, with the first two terms of its series near 0."""
    return by_series(
        of_square(lambda x: (f(x) - x) / x**3),
        1e-20,
        lambda z: mp.mpf(1) / first + z / second,
    )


HALF_LOG2 = 0.3467
SQUARED_EIGHTH_TURN = 0.6195
ROOT = 2.0**-0.5 - 1, 2.0**0.5 - 1

# Logarithms by parts: numbers from LOG_START to its double are divided into eight intervals of
# equal numbers of floats, one of which has 1 near its middle.
LOG_START = 2901 / 4096


def log_interval(k: int) -> tuple[float, float]:
    """The ends of an interval; above 1, numbers lie twice as far apart as below."""
    ends = (2 * LOG_START - 1 + j / 8 for j in (k, k + 1))
    low, high = (0.5 + 0.5 * end if end < 1 else end for end in ends)
    return low, high


def log_inverse(k: int) -> float:
    """The reciprocal of the middle of an interval, of few bits; 1 where the interval holds 1."""
    low, high = log_interval(k)
    return 1.0 if low < 1 < high else round(2 / (low + high) * 256) / 256


def log_reach() -> tuple[float, float]:
    """The interval of z / c - 1, for z in an interval and its inverse 1 / c."""
    ends = [[x * log_inverse(k) - 1 for x in log_interval(k)] for k in range(8)]
    return min(low for low, _ in ends), max(high for _, high in ends)


LOG_REACH = log_reach()


def log_tables() -> Iterator[str]:
    """The inverses of the middles, and minus their logarithms in two parts: the sum of the first
    and of a multiple of log(2) is exact.
    """
    yield "\n# For parts of the numbers from LOG_START to its double: 1 / c with c in each, log(c)."
    yield f"LOG_START = {LOG_START!r}"
    inverses = [log_inverse(k) for k in range(8)]
    yield from table("LOG_INVERSES", [repr(inverse) for inverse in inverses])
    for kind, unit, bits in (("FLOAT", 2**16, 24), ("DOUBLE", 2**42, 53)):
        logs = [-mp.log(inverse) for inverse in inverses]
        high = [mp.nint(value * unit) / unit for value in logs]
        low = [value - main for value, main in zip(logs, high, strict=True)]
        yield from table(f"LOG_HIGH_{kind}", [rounded(value, bits) for value in high])
        yield from table(f"LOG_LOW_{kind}", [rounded(value, bits) for value in low])


def eighth_powers() -> Iterator[str]:
    """The powers of two to eighths, in two parts."""
    powers = [mp.mpf(2) ** (mp.mpf(k) / 8) for k in range(8)]
    high = [rounded(power, 53) for power in powers]
    low = [power - mp.mpf(float(main)) for power, main in zip(powers, high, strict=True)]
    yield "\n# 2**(k / 8), and what rounding took."
    yield from table("EIGHTH_POWERS", high)
    yield from table("EIGHTH_POWERS_LOW", [rounded(value, 53) for value in low])


def table(name: str, literals: Sequence[str]) -> Iterator[str]:
    """The lines of one tuple."""
    yield f"{name} = ("
    yield from (f"    {literal}," for literal in literals)
    yield ")"


ELEMENTARY_FITS = [
    Fit(
        "EXP",
        "(exp(r) - 1 - r) / r**2",
        by_series(
            lambda r: (mp.exp(r) - 1 - r) / r**2,
            1e-15,
            lambda r: mp.mpf(1) / 2 + r / 6 + r * r / 24,
        ),
        -HALF_LOG2,
        HALF_LOG2,
        5,
        11,
    ),
    Fit(
        "EXP_SHORT",
        "(exp(r) - 1 - r) / r**2",
        by_series(
            lambda r: (mp.exp(r) - 1 - r) / r**2,
            1e-15,
            lambda r: mp.mpf(1) / 2 + r / 6 + r * r / 24,
        ),
        -0.04335,
        0.04335,
        0,
        6,
    ),
    Fit(
        "EXPM1",
        "(exp(r) - 1 - r) / r**2",
        by_series(
            lambda r: (mp.exp(r) - 1 - r) / r**2,
            1e-15,
            lambda r: mp.mpf(1) / 2 + r / 6 + r * r / 24,
        ),
        -HALF_LOG2,
        HALF_LOG2,
        6,
        12,
    ),
    Fit(
        "EXP2",
        "(2**r - 1) / r",
        by_series(
            lambda r: mp.expm1(r * mp.log(2)) / r,
            1e-30,
            lambda r: mp.log(2) + r * mp.log(2) ** 2 / 2,
        ),
        -0.5001,
        0.5001,
        6,
        12,
    ),
    Fit(
        "LOG",
        "(log(1 + f) - f + f**2 / 2) / f**3",
        by_series(log_rest, 1e-15, lambda f: mp.mpf(1) / 3 - f / 4 + f * f / 5),
        *ROOT,
        9,
        0,
    ),
    Fit(
        "LOG_RATIO",
        "log(1 + f) / f",
        by_series(lambda f: mp.log1p(f) / f, 1e-15, lambda f: 1 - f / 2 + f * f / 3),
        *ROOT,
        10,
        0,
    ),
    Fit(
        "LOG_BY_ATANH",
        "(2 atanh(s) - 2 s) / s**3, by z = s**2",
        by_series(of_square(atanh_rest), 1e-20, lambda z: mp.mpf(2) / 3 + 2 * z / 5),
        0,
        0.02945,
        0,
        8,
    ),
    Fit(
        "LOG_SHORT",
        "(log(1 + r) - r + r**2 / 2 - r**3 / 3) / r**4",
        by_series(log_rest_of_three, 1e-12, lambda r: -mp.mpf(1) / 4 + r / 5 - r * r / 6),
        *LOG_REACH,
        4,
        10,
    ),
    Fit("SIN", "(sin(x) - x) / x**3, by x**2", rest(mp.sin, -6, 120), 0, SQUARED_EIGHTH_TURN, 3, 6),
    Fit(
        "COS",
        "(cos(x) - 1 + x**2 / 2) / x**4, by x**2",
        by_series(
            of_square(lambda x: (mp.cos(x) - 1 + x * x / 2) / x**4),
            1e-14,
            lambda z: mp.mpf(1) / 24 - z / 720 + z * z / 40320,
        ),
        0,
        SQUARED_EIGHTH_TURN,
        3,
        6,
    ),
    Fit("TAN_HALF", "(tan(x) - x) / x**3, by x**2", rest(mp.tan, 3, 7.5), 0, 0.1549, 5, 10),
    Fit("TANH", "(tanh(x) - x) / x**3, by x**2", rest(mp.tanh, -3, 7.5), 0, 0.36, 5, 12),
    Fit("SINH", "(sinh(x) - x) / x**3, by x**2", rest(mp.sinh, 6, 120), 0, 1, 4, 7),
    Fit("ATAN", "(atan(x) - x) / x**3, by x**2", rest(mp.atan, -3, 5), 0, 0.1716, 5, 11),
    Fit("ASIN", "(asin(x) - x) / x**3, by x**2", rest(mp.asin, 6, 40 / 3), 0, 0.25, 6, 13),
]
LGAMMA_FITS = [
    Fit(
        "STIRLING",
        "(lgamma(z) - (z - 1/2) log(z) + z - log(2 pi) / 2) z, by 1 / z**2",
        stirling_rest,
        0,
        1 / 64,
        0,
        8,
    ),
]
DIGAMMA_FITS = [
    Fit(
        "DIGAMMA_FAR",
        "(log(z) - 1 / (2 z) - digamma(z)) z**2, by 1 / z**2",
        digamma_rest,
        0,
        1 / 256,
        0,
        6,
    ),
]


@dataclass(frozen=True)
class Pieces:
    """Polynomials of x - c on eight intervals, with a c for each; on the first few of them perhaps
    of another function.
    """

    name: str
    text: str
    function: Function
    ends: Sequence[tuple[float, float]]
    centres: Sequence[mp.mpf]
    terms: int
    bits: int
    wants_low: bool = False
    wants_centres: bool = False
    first_function: Function | None = None
    first_pieces: int = 0


def evenly(name: str, text: str, f: Function, first: float, step: float, *rest: int) -> Pieces:
    """Intervals of equal lengths; the middles are first + k step."""
    middles = [first + k * step for k in range(8)]
    ends = [(middle - step / 2, middle + step / 2) for middle in middles]
    text = f"{text}, with c = {first} + k {step}"
    return Pieces(name, text, f, ends, [mp.mpf(middle) for middle in middles], *rest)


def half_octaves(start: float) -> list[tuple[float, float]]:
    """Intervals of half as many floats as there are between a number and its double."""
    exponent = mp.floor(mp.log(start, 2))
    ends = []
    for k in range(9):
        octaves, part = divmod(start / 2**exponent - 1 + k / 2, 1)
        ends.append(float(2 ** (exponent + octaves) * (1 + part)))
    return list(itertools.pairwise(ends))


def inverse_erf_pieces(name: str, start: float, *rest: int) -> Pieces:
    """erfinv, on intervals of `start` more than its variable."""
    ends = [(low - start, high - start) for low, high in half_octaves(start)]
    middles = [mp.mpf(low + high) / 2 for low, high in ends]
    return Pieces(name, ERF_INV_TEXT, inverse_erf_ratio, ends, middles, *rest, wants_centres=True)


ERROR_PIECES = [
    evenly("ERF_FLOAT", ERF_TEXT, mp.erf, 0, 17 / 32, 8, 24),
    evenly("ERF_DOUBLE", ERF_TEXT, mp.erf, 0, 51 / 64, 17, 53),
    evenly("ERFC_FLOAT", ERFC_TEXT, erfcx_ratio, 0.0859375, 9 / 256, 6, 24),
    evenly("ERFC_DOUBLE", ERFC_TEXT, erfcx_ratio, 0.048828125, 39 / 1024, 11, 53, True),
]
DIGAMMA_ZERO = mp.findroot(mp.digamma, 1.46)


def lgamma_ratio(t: mp.mpf) -> mp.mpf:
    """lgamma(t) / ((t - 1) (t - 2))."""
    if abs(t - 1) < mp.mpf(10) ** -25:
        return mp.euler
    if abs(t - 2) < mp.mpf(10) ** -25:
        return 1 - mp.euler
    return mp.loggamma(t) / ((t - 1) * (t - 2))


def digamma_ratio(t: mp.mpf) -> mp.mpf:
    """digamma(t) / (t - z), with its zero z."""
    if abs(t - DIGAMMA_ZERO) < mp.mpf(10) ** -25:
        return mp.polygamma(1, DIGAMMA_ZERO)
    return mp.digamma(t) / (t - DIGAMMA_ZERO)


def gamma_pieces(name: str, f: Function, terms: int, precise: bool) -> Pieces:
    """lgamma or digamma, in double: for float results, or with what rounding takes."""
    if f is mp.loggamma:
        ends, ratio, count = half_octaves(1 / 2), lgamma_ratio, 5
        text = "lgamma(x), but lgamma(x) / ((x - 1) (x - 2)) below 3"
    else:
        ends, ratio, count = half_octaves(1), digamma_ratio, 2
        text = "digamma(x), but digamma(x) / (x - z) below 2, with its zero z"
    middles = [mp.mpf(low + high) / 2 for low, high in ends]
    return Pieces(name, text, f, ends, middles, terms, 53, precise, precise, ratio, count)


LGAMMA_PIECES = [
    gamma_pieces("LGAMMA_DOUBLE", mp.loggamma, 18, True),
    gamma_pieces("LGAMMA_SHORT", mp.loggamma, 10, False),
]
DIGAMMA_PIECES = [
    gamma_pieces("DIGAMMA_DOUBLE", mp.digamma, 19, True),
    gamma_pieces("DIGAMMA_SHORT", mp.digamma, 10, False),
]
INVERSE_PIECES = [
    inverse_erf_pieces("ERF_INV_FLOAT", 17 / 16, 7, 24),
    inverse_erf_pieces("ERF_INV_DOUBLE", 39 / 16, 16, 53, True),
]


def digamma_zero() -> Iterator[str]:
    """The zero of digamma in two parts."""
    high = float(rounded(DIGAMMA_ZERO, 53))
    yield "\n# The zero of digamma."
    yield f"DIGAMMA_ZERO, DIGAMMA_ZERO_LOW = {high!r}, {rounded(DIGAMMA_ZERO - mp.mpf(high), 53)}"


def piece_fit(pieces: Pieces, k: int) -> tuple[list[mp.mpf], mp.mpf]:
    """One polynomial, lowest power first, and its error."""
    centre, terms = mp.mpf(pieces.centres[k]), pieces.terms
    interval = [mp.mpf(end) - centre for end in pieces.ends[k]]
    if pieces.function is mp.erf and k == 0:
        return odd_fit(erf_ratio, interval[1], terms)
    f = pieces.first_function if k < pieces.first_pieces else pieces.function
    found, error = mp.chebyfit(lambda v: f(centre + v), interval, terms, error=True)
    return list(found[::-1]), error


def piece_lines(pieces: Pieces) -> Iterator[str]:
    """A tuple per power, lowest first, each with the coefficients of the eight polynomials."""
    fits = [piece_fit(pieces, k) for k in range(8)]
    columns = [coefficients for coefficients, _ in fits]
    yield f"\n# {pieces.text}, by x - c,"
    yield f"# within {float(max(error for _, error in fits)):.1e}."
    if pieces.wants_centres:
        centres = [rounded(centre, pieces.bits) for centre in pieces.centres]
        yield from table(f"{pieces.name}_CENTRES", centres)
    rows = [[rounded(value, pieces.bits) for value in row] for row in zip(*columns, strict=True)]
    yield f"{pieces.name} = ("
    for row in rows:
        yield "    ("
        yield from (f"        {literal}," for literal in row)
        yield "    ),"
    yield ")"
    if pieces.wants_low:
        yield "# What rounding took from the first row."
        lost = [column[0] - mp.mpf(float(rounded(column[0], pieces.bits))) for column in columns]
        yield from table(f"{pieces.name}_LOW", [rounded(value, pieces.bits) for value in lost])


def odd_fit(ratio: Function, half: mp.mpf, terms: int) -> tuple[list[mp.mpf], mp.mpf]:
    """The polynomial of f(x) - x for an odd f, by f(x) / x of x**2: near in proportion to x."""
    odd, error = mp.chebyfit(ratio, [0, half**2], terms // 2, error=True)
    lowest_first = [mp.mpf(0)] * terms
    lowest_first[1 : 2 * len(odd) : 2] = odd[::-1]
    lowest_first[1] -= 1
    return lowest_first, error * half


def rounded(value: mp.mpf, bits: int) -> str:
    """The shortest literal of the nearest number of `bits` bits."""
    with mp.workprec(bits):
        return repr(float(+value))


def lines(fit: Fit) -> Iterator[str]:
    """One table per precision, lowest power first."""
    for kind, terms, bits in (("FLOAT", fit.float_terms, 24), ("DOUBLE", fit.double_terms, 53)):
        if not terms:
            continue
        low, high = mp.mpf(fit.low), mp.mpf(fit.high)
        coefficients, error = mp.chebyfit(fit.function, [low, high], terms, error=True)
        yield f"\n# {fit.text},"
        yield f"# on [{float(low):.6g}, {float(high):.6g}], within {float(error):.1e}."
        yield from table(f"{fit.name}_{kind}", [rounded(c, bits) for c in coefficients[::-1]])


def module(what: str, fits: Sequence[Fit], pieces: Sequence[Pieces], *more: str) -> str:
    """The text of one file of tables."""
    title = f'"""Polynomials of {what}; written by tools/fit_polynomials.py."""'
    tables = [*(line for fit in fits for line in lines(fit))]
    tables += [line for each in pieces for line in piece_lines(each)]
    return "\n".join([title, *tables, *more]) + "\n"


def main(folder: Path) -> None:
    """Writes the files into the folder."""
    files = {
        "coefficients": module(
            "elementary functions", ELEMENTARY_FITS, [], *log_tables(), *eighth_powers()
        ),
        "error_coefficients": module("error functions", [], ERROR_PIECES),
        "inverse_coefficients": module("the inverse error function", [], INVERSE_PIECES),
        "lgamma_coefficients": module("lgamma", LGAMMA_FITS, LGAMMA_PIECES),
        "digamma_coefficients": module("digamma", DIGAMMA_FITS, DIGAMMA_PIECES, *digamma_zero()),
    }
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else TABLES)
