"""The promised accuracy and the special values of the functions that are not exact."""

from __future__ import annotations

import math

import numpy as np
import pytest
from accuracy import CASES, Case, worst_error
from harness import AVX2, BASELINE, compile_kernel, numpy_dtype

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")
BY_NAME = {case.name: case for case in CASES}
INF, NAN = math.inf, math.nan
OPERANDS = {"pow": 2, "atan2": 2}
# Few functions suffice to find a target that the formulas do not fit.
ELSEWHERE = ("exp", "log", "log1p", "tanh", "sin", "cos", "erf", "atan", "cbrt", "pow")


@pytest.mark.parametrize("dtype", ("float32", "float64"))
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_accuracy(case: Case, dtype: str) -> None:
    count = 50_000 if dtype == "float32" else 1500
    bound = case.single if dtype == "float32" else case.double
    run = compile_kernel(case.name, dtype, operands=OPERANDS.get(case.name, 1))
    error, arguments = worst_error(case, dtype, run, count)
    assert error <= bound, (error, arguments)


@pytest.mark.parametrize("dtype", ("float32", "float64"))
@pytest.mark.parametrize("target", (AVX2, BASELINE), ids=("avx2", "baseline"))
@pytest.mark.parametrize("name", ELSEWHERE)
def test_accuracy_on_other_targets(name: str, target: object, dtype: str) -> None:
    case = BY_NAME[name]
    bound = case.single if dtype == "float32" else case.double
    run = compile_kernel(name, dtype, operands=OPERANDS.get(name, 1), target=target)
    error, arguments = worst_error(case, dtype, run, 20_000 if dtype == "float32" else 300)
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
    run = compile_kernel(name, dtype)
    given_case = Case(
        name, lambda rng, count, wide: (given,), case.single_reference, case.double_reference
    )
    if dtype == "float32":
        # The C library's sine of a double is right for every argument.
        error, argument = worst_error(given_case, dtype, run, 0)
        assert error <= case.single, (error, argument)
    else:
        error, argument = worst_error(given_case, dtype, run, 0)
        assert error <= case.double, (error, argument)


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


def test_special_values_cover_every_function() -> None:
    assert set(SPECIAL_VALUES) | set(SPECIAL_PAIRS) == set(BY_NAME)


@pytest.mark.parametrize("dtype", ("float32", "float64"))
def test_pow_with_an_integer_exponent(dtype: str) -> None:
    base = np.array([2, -2, -3, 0.0, -0.0, 1.0000001, NAN, -INF, 0.5, -1], dtype)
    power = np.array([10, -3, 4, 0, -1, 2**26 + 1, 0, 3, -2, 2**31 - 1], np.int32)
    with np.errstate(all="ignore"):
        want = np.power(base.astype(np.float64), power.astype(np.float64)).astype(dtype)
    for lanes in (1, None):
        expect(compile_kernel("pow", dtype, (dtype, "int32"), lanes=lanes)(base, power)[0], want)


@pytest.mark.parametrize("name", ("lgamma", "digamma"))
def test_gamma_functions_below_zero(name: str) -> None:
    """By reflection, to a few ulp of the larger of 1 and the result."""
    case = BY_NAME[name]
    rng = np.random.default_rng(9)
    x = -rng.uniform(0, 30, 1500)
    if name == "digamma":
        # Near the poles the argument's own ulp decides.
        x = np.floor(x) + rng.uniform(0.05, 0.95, x.size)
    below = Case(
        name,
        lambda rng, count, wide: (x,),
        case.single_reference,
        lambda v: mpmath_real(case, v),
        double=8.0,
        floor=1.0,
    )
    error, argument = worst_error(below, "float64", compile_kernel(name, "float64"), 0)
    assert error <= below.double, (error, argument)


def mpmath_real(case: Case, x: object) -> object:
    """The real part: log |Gamma| below zero."""
    value = case.double_reference(x)
    return getattr(value, "real", value)
