"""The promised accuracy and the special values of the functions that are not exact."""

from __future__ import annotations

import math

import numpy as np
import pytest
from accuracy import (
    CASES,
    HAS_EXTENDED,
    Case,
    errors,
    exact_values,
    reference_of,
    worst_error,
    worst_of,
)
from harness import AVX2, BASELINE, compile_kernel, numpy_dtype
from hypothesis import settings

from xform.core.primitive import catalogue
from xform.ops import special

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")
BY_NAME = {case.name: case for case in CASES}
INF, NAN = math.inf, math.nan
OPERANDS = {"pow": 2, "atan2": 2}
# Enough functions to find a target that the formulas do not fit.
ELSEWHERE = (
    *("exp", "log", "log2", "log1p", "pow", "cbrt", "tanh", "sin", "cos", "tan", "atan", "atan2"),
    *("erf", "erfc", "erf_inv", "lgamma", "digamma", "asinh", "acosh"),
)


def points(case: Case, dtype: str) -> int:
    """How many arguments of each of three kinds: together a million in the nightly profile."""
    quick = dtype == "float32" or (case.extended and HAS_EXTENDED)
    return max(50_000 if quick else 1000, 70 * settings.default.max_examples)


@pytest.mark.parametrize("dtype", ("float32", "float64"))
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_accuracy(case: Case, dtype: str) -> None:
    bound = case.single if dtype == "float32" else case.double
    run = compile_kernel(case.name, dtype, operands=OPERANDS.get(case.name, 1))
    error, arguments = worst_error(case, dtype, run, points(case, dtype))
    assert error <= bound, (error, arguments)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_references_are_right(case: Case) -> None:
    """What results are compared with, by mpmath: within a fiftieth of an ulp."""
    rng = np.random.default_rng(12)
    for dtype in ("float32", "float64"):
        arguments = case.arguments(rng, 150, dtype)
        if case.inside is not None:
            arguments = tuple(a[:300] for a in arguments)
        reference = reference_of(case, dtype, arguments)
        known = np.isfinite(reference) & (np.abs(reference) < np.finfo(dtype).max)
        exact = exact_values(case, tuple(a[known] for a in arguments))
        info = np.finfo(dtype)
        _, exponent = np.frexp(exact)
        exponent = np.maximum(exponent - (info.nmant + 1), info.minexp - info.nmant)
        error = np.abs(reference[known] - exact) / np.ldexp(np.longdouble(1), exponent)
        assert error.max() <= 0.02, (dtype, arguments[0][known][error.argmax()])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_rows_promise_no_less(case: Case) -> None:
    row = getattr(special, case.name, None) or catalogue[case.name]
    assert max(case.single, case.double) <= row.ulp


def test_wrong_results_are_seen() -> None:
    case = BY_NAME["exp"]
    x = np.array([0.0, 1.0, 100.0, -200.0, NAN], np.float32)
    right = reference_of(case, "float32", (x,))
    assert errors(right.astype(np.float32), right).max() <= 0.5
    for place, wrong in ((0, -1.0), (1, NAN), (2, 3e38), (3, -1e-44), (4, 1.0)):
        got = right.astype(np.float32)
        got[place] = wrong
        assert errors(got, right).max() > 1, place


@pytest.mark.parametrize("dtype", ("float32", "float64"))
@pytest.mark.parametrize("target", (AVX2, BASELINE), ids=("avx2", "baseline"))
@pytest.mark.parametrize("name", ELSEWHERE)
def test_accuracy_on_other_targets(name: str, target: object, dtype: str) -> None:
    case = BY_NAME[name]
    bound = case.single if dtype == "float32" else case.double
    run = compile_kernel(name, dtype, operands=OPERANDS.get(name, 1), target=target)
    quick = dtype == "float32" or (case.extended and HAS_EXTENDED)
    error, arguments = worst_error(case, dtype, run, 20_000 if quick else 300)
    assert error <= 2 * bound, (error, arguments)


@pytest.mark.parametrize("dtype", ("float32", "float64"))
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_one_lane_gives_the_bits_of_a_vector(case: Case, dtype: str) -> None:
    rng = np.random.default_rng(4)
    arguments = [a.astype(dtype) for a in case.draw(rng, 200, dtype == "float64")]
    count = len(arguments)
    one = compile_kernel(case.name, dtype, operands=count, lanes=1)(*arguments)[0]
    many = compile_kernel(case.name, dtype, operands=count)(*arguments)[0]
    np.testing.assert_array_equal(one, many)


@pytest.mark.parametrize("dtype", ("float16", "bfloat16"))
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_short_floats_are_the_rounded_floats(case: Case, dtype: str) -> None:
    rng = np.random.default_rng(4)
    kind = numpy_dtype(dtype)
    short = [np.clip(a, -6e4, 6e4).astype(kind) for a in case.draw(rng, 200, False)]
    got = compile_kernel(case.name, dtype, operands=len(short))(*short)[0]
    wide = [a.astype(np.float32) for a in short]
    single = compile_kernel(case.name, "float32", operands=len(short))(*wide)[0]
    np.testing.assert_array_equal(got.astype(np.float32), single.astype(kind).astype(np.float32))


@pytest.mark.parametrize("dtype", ("float32", "float64"))
@pytest.mark.parametrize("name", ("sin", "cos", "tan"))
def test_circular_functions_of_any_size(name: str, dtype: str) -> None:
    """Every exponent, and the arguments closest to multiples of a quarter turn."""
    case = BY_NAME[name]
    info = np.finfo(dtype)
    rng = np.random.default_rng(8)
    exponents = np.repeat(np.arange(0, info.maxexp), 12 if dtype == "float32" else 3)
    sizes = np.ldexp(rng.uniform(0.5, 1, exponents.size), exponents).astype(dtype)
    hard = np.array([6381956970095103.0 * 2.0**797, 5.319372648326541e255, 1e22, 1e308, 3e38])
    quarters = rng.integers(1, 2**22, 2000) * (math.pi / 2)
    given = np.concatenate([sizes, hard[hard < info.max].astype(dtype), quarters.astype(dtype)])
    error, argument = worst_of(case, dtype, compile_kernel(name, dtype), (given,))
    assert error <= (case.single if dtype == "float32" else case.double), (error, argument)


SPECIAL_VALUES: dict[str, list[tuple[float, float]]] = {
    "exp": [(0.0, 1), (-0.0, 1), (INF, INF), (-INF, 0), (NAN, NAN), (1e5, INF), (-1e5, 0)],
    "exp2": [(0.0, 1), (INF, INF), (-INF, 0), (NAN, NAN), (1e5, INF), (-1e5, 0), (10, 1024)],
    "expm1": [(0.0, 0.0), (-0.0, -0.0), (INF, INF), (-INF, -1), (NAN, NAN), (1e5, INF)],
    "log": [(0.0, -INF), (-0.0, -INF), (1, 0.0), (INF, INF), (-1, NAN), (-INF, NAN), (NAN, NAN)],
    "log2": [(0.0, -INF), (-0.0, -INF), (1, 0.0), (INF, INF), (-1, NAN), (NAN, NAN), (8, 3)],
    "log1p": [(0.0, 0.0), (-0.0, -0.0), (-1, -INF), (INF, INF), (-2, NAN), (NAN, NAN)],
    "tanh": [(0.0, 0.0), (-0.0, -0.0), (INF, 1), (-INF, -1), (NAN, NAN)],
    "logistic": [(0.0, 0.5), (INF, 1), (-INF, 0.0), (NAN, NAN), (1e5, 1), (-1e5, 0)],
    "sin": [(0.0, 0.0), (-0.0, -0.0), (INF, NAN), (-INF, NAN), (NAN, NAN)],
    "cos": [(0.0, 1), (-0.0, 1), (INF, NAN), (-INF, NAN), (NAN, NAN)],
    "tan": [(0.0, 0.0), (-0.0, -0.0), (INF, NAN), (-INF, NAN), (NAN, NAN)],
    "asin": [(0.0, 0.0), (-0.0, -0.0), (1, math.pi / 2), (-1, -math.pi / 2), (1.5, NAN)],
    "acos": [(1, 0.0), (-1, math.pi), (0.0, math.pi / 2), (-1.5, NAN), (NAN, NAN)],
    "atan": [(0.0, 0.0), (-0.0, -0.0), (INF, math.pi / 2), (-INF, -math.pi / 2), (NAN, NAN)],
    "sinh": [(0.0, 0.0), (-0.0, -0.0), (INF, INF), (-INF, -INF), (NAN, NAN), (1e5, INF)],
    "cosh": [(0.0, 1), (INF, INF), (-INF, INF), (NAN, NAN), (-1e5, INF)],
    "asinh": [(0.0, 0.0), (-0.0, -0.0), (INF, INF), (-INF, -INF), (NAN, NAN)],
    "acosh": [
        (1, 0.0),
        (INF, INF),
        (0.5, NAN),
        (-1e10, NAN),
        (-1e30, NAN),
        (-INF, NAN),
        (NAN, NAN),
    ],
    "atanh": [(0.0, 0.0), (-0.0, -0.0), (1, INF), (-1, -INF), (1.5, NAN), (-INF, NAN), (NAN, NAN)],
    "cbrt": [(0.0, 0.0), (-0.0, -0.0), (-27, -3), (INF, INF), (-INF, -INF), (NAN, NAN)],
    "rsqrt": [(0.0, INF), (-0.0, -INF), (INF, 0.0), (-1, NAN), (NAN, NAN), (4, 0.5)],
    "erf": [(0.0, 0.0), (-0.0, -0.0), (INF, 1), (-INF, -1), (NAN, NAN)],
    "erfc": [(0.0, 1), (INF, 0.0), (-INF, 2), (NAN, NAN), (100, 0.0)],
    "erf_inv": [(0.0, 0.0), (-0.0, -0.0), (1, INF), (-1, -INF), (1.5, NAN), (NAN, NAN)],
    "lgamma": [
        (1, 0.0),
        (2, 0.0),
        (0.0, INF),
        (-0.0, INF),
        (-1, INF),
        (-40, INF),
        (INF, INF),
        (-INF, INF),
        (NAN, NAN),
    ],
    "digamma": [(0.0, NAN), (-0.0, NAN), (-1, NAN), (-7, NAN), (INF, INF), (-INF, NAN), (NAN, NAN)],
}
SPECIAL_PAIRS: dict[str, list[tuple[float, float, float]]] = {
    "atan2": [
        (0.0, 0.0, 0.0),
        (-0.0, 0.0, -0.0),
        (0.0, -0.0, math.pi),
        (-0.0, -0.0, -math.pi),
        (0.0, -1, math.pi),
        (1, 0.0, math.pi / 2),
        (-1, -0.0, -math.pi / 2),
        (INF, INF, math.pi / 4),
        (INF, -INF, 3 * math.pi / 4),
        (-INF, -INF, -3 * math.pi / 4),
        (1, INF, 0.0),
        (-1, -INF, -math.pi),
        (INF, 1, math.pi / 2),
        (NAN, 1, NAN),
        (1, NAN, NAN),
        (3e38, 3e38, math.pi / 4),
        (1e-38, 1e-38, math.pi / 4),
    ],
    "pow": [
        (0.0, 0.0, 1),
        (NAN, 0.0, 1),
        (1, NAN, 1),
        (0.0, -1, INF),
        (-0.0, -1, -INF),
        (-0.0, -2, INF),
        (-0.0, 3, -0.0),
        (0.0, 2.5, 0.0),
        (-8, 1 / 3, NAN),
        (-2, 3, -8),
        (-2, 4, 16),
        (-1, INF, 1),
        (2, INF, INF),
        (2, -INF, 0.0),
        (0.5, INF, 0.0),
        (0.5, -INF, INF),
        (INF, 2, INF),
        (INF, -2, 0.0),
        (-INF, 3, -INF),
        (-INF, -3, -0.0),
        (-INF, 0.5, INF),
        (NAN, 1, NAN),
        (2, NAN, NAN),
        (10, 1e4, INF),
        (10, -1e4, 0.0),
        (-10, 10001, -INF),
    ],
}


def expect(got: np.ndarray, want: np.ndarray) -> None:
    """Equal within an ulp, signs of zero and infinities exactly."""
    np.testing.assert_allclose(got, want, rtol=2 * np.finfo(got.dtype).eps, atol=0)
    known = ~np.isnan(want)
    np.testing.assert_array_equal(np.signbit(got[known]), np.signbit(want[known]))


@pytest.mark.parametrize("dtype", ("float32", "float64"))
@pytest.mark.parametrize("name", SPECIAL_VALUES)
def test_special_values(name: str, dtype: str) -> None:
    given, want = (np.array(column, dtype) for column in zip(*SPECIAL_VALUES[name], strict=True))
    for lanes in (1, None):
        expect(compile_kernel(name, dtype, lanes=lanes)(given)[0], want)


@pytest.mark.parametrize("dtype", ("float32", "float64"))
@pytest.mark.parametrize("name", SPECIAL_PAIRS)
def test_special_pairs(name: str, dtype: str) -> None:
    first, second, want = (
        np.array(column, dtype) for column in zip(*SPECIAL_PAIRS[name], strict=True)
    )
    for lanes in (1, None):
        expect(compile_kernel(name, dtype, operands=2, lanes=lanes)(first, second)[0], want)


def edges(dtype: str) -> np.ndarray:
    """Zeros, infinities, NaN, and the numbers about the ends of the formats and about 1."""
    info = np.finfo(dtype)
    one = info.dtype.type(1)
    sizes = [0.0, info.smallest_subnormal, np.nextafter(info.tiny, 0), info.tiny, info.eps]
    sizes += [0.5, np.nextafter(one, 0), 1, np.nextafter(one, 2), 2, 3, 1e9 + 1, info.max, INF]
    positive = np.array(sizes, dtype)
    return np.concatenate([positive, -positive, np.array([NAN], dtype)])


@pytest.mark.parametrize("dtype", ("float32", "float64"))
@pytest.mark.parametrize("case", [c for c in CASES if c.extended], ids=lambda case: case.name)
def test_edges(case: Case, dtype: str) -> None:
    """Every edge, or every pair of them: infinities, NaN and signs of zeros exactly."""
    x = edges(dtype)
    operands = OPERANDS.get(case.name, 1)
    given = tuple(a.ravel() for a in np.meshgrid(x, x)) if operands == 2 else (x,)
    wide = np.longdouble if dtype == "float64" else np.float64
    want = case.wide(*(a.astype(wide) for a in given))
    for lanes in (1, None):
        got = compile_kernel(case.name, dtype, operands=operands, lanes=lanes)(*given)[0]
        error = errors(got, want)
        bound = case.single if dtype == "float32" else case.double
        assert error.max() <= bound, [(a[error.argmax()], got[error.argmax()]) for a in given]
        small = np.abs(want) < np.finfo(dtype).smallest_subnormal / 2
        np.testing.assert_array_equal(np.signbit(got[small]), np.signbit(want[small]))


def test_special_values_cover_every_function() -> None:
    assert set(SPECIAL_VALUES) | set(SPECIAL_PAIRS) == set(BY_NAME)


@pytest.mark.parametrize("kind", ("int8", "int16", "int32", "int64"))
@pytest.mark.parametrize("dtype", ("float32", "float64"))
def test_pow_with_an_integer_exponent(dtype: str, kind: str) -> None:
    largest = np.iinfo(kind).max
    base = np.array([2, -2, -3, 0.0, -0.0, 1.0000001, NAN, -INF, 0.5, -1, 1], dtype)
    power = np.array([10, -3, 4, 0, -1, min(largest, 2**26 + 1), 0, 3, -2, largest, largest], kind)
    # Oddness is lost where the largest exponent is rounded.
    want = np.power(base.astype(np.longdouble), power.astype(np.longdouble)).astype(dtype)
    want[-2] = -1
    for lanes in (1, None):
        expect(compile_kernel("pow", dtype, (dtype, kind), lanes=lanes)(base, power)[0], want)


def below_zero(rng: np.random.Generator, count: int) -> np.ndarray:
    """Negative numbers of every size, and near whole numbers, without these."""
    uniform = -rng.uniform(0, 30, count)
    sizes = -np.exp(rng.uniform(-60, 8, count))
    near = np.round(uniform) + rng.choice([-1, 1], count) * np.exp(rng.uniform(-30, -1, count))
    return np.concatenate([uniform, sizes, near])


@pytest.mark.parametrize("dtype", ("float32", "float64"))
@pytest.mark.parametrize("name", ("lgamma", "digamma"))
def test_gamma_functions_below_zero(name: str, dtype: str) -> None:
    """Floats are right everywhere; doubles to a few ulp of the largest term of the reflection."""
    case = BY_NAME[name]
    count = max(400, 20 * settings.default.max_examples)
    x = below_zero(np.random.default_rng(9), count).astype(dtype)
    x = x[x != np.round(x)]
    got = compile_kernel(name, dtype)(x)[0]
    exact = exact_values(case, (x,))
    if dtype == "float32":
        assert errors(got, exact).max() <= 1, x[errors(got, exact).argmax()]
        return
    floor = np.ones_like(x)
    if name == "digamma":
        floor = np.maximum(floor, np.abs(exact_values(case, (-x,)))).astype(float)
    error = np.abs(got - exact) / np.spacing(np.maximum(np.abs(exact), floor).astype(float))
    assert error.max() <= 4, (error.max(), x[error.argmax()])


def test_floats_near_the_zeros_of_lgamma() -> None:
    """Near zeros lgamma of a double is right to an ulp of 1 only; of a float, to its own ulp."""
    zeros = [-2.4570247382208006, -2.7476826467274125, -3.1435808883499798, -3.9552942848585979]
    x = np.array(zeros, np.float32)
    x = np.concatenate([x, np.nextafter(x, np.float32(0)), np.nextafter(x, np.float32(-9))])
    got = compile_kernel("lgamma", "float32")(x)[0]
    assert errors(got, exact_values(BY_NAME["lgamma"], (x,))).max() <= 1
