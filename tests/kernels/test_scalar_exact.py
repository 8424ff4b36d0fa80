"""The operators whose results are exact: arithmetic, comparison, choice, bits and conversions."""

from __future__ import annotations

import ctypes
import doctest
import operator
from collections.abc import Callable

import numpy as np
import pytest
from harness import AVX2, BASELINE, compile_kernel, numpy_dtype

from xform._kernels import builder, scalar
from xform.compiler.target import Target, host
from xform.runtime.engine import link

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")
TARGETS = {"host": host(), "avx2": AVX2, "baseline": BASELINE}
INTEGERS = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")
FLOATS = ("float16", "bfloat16", "float32", "float64")
LANES = (1, None)
COMPARISONS = ("eq", "ne", "lt", "le", "gt", "ge")


def integers(dtype: str) -> np.ndarray:
    """All numbers of 8 bits; random ones of every size and the extremes of the wider dtypes."""
    info = np.iinfo(dtype)
    if info.bits == 8:
        return np.arange(info.min, info.max + 1).astype(dtype)
    rng = np.random.default_rng(1)
    bits = rng.integers(0, 2**64, 400, np.uint64) >> rng.integers(0, 64, 400).astype(np.uint64)
    edges = np.array([0, 1, 2, 3, 7, info.max, info.max - 1], np.uint64)
    values = np.concatenate([bits, edges]).astype(dtype)
    return np.concatenate([values, (-values).astype(dtype), np.array([info.min], dtype)])


def floats(dtype: str) -> np.ndarray:
    """Random numbers of every magnitude, small integers and halves, and the edges."""
    rng = np.random.default_rng(2)
    kind = numpy_dtype(dtype)
    bits = rng.integers(0, 2 ** (8 * kind.itemsize), 300, np.uint64)
    raw = bits.astype(f"uint{8 * kind.itemsize}").view(kind)
    edges = np.array([0.0, -0.0, np.inf, -np.inf, np.nan], np.float64).astype(kind)
    small = (np.arange(-24, 25) / 8).astype(kind)
    return np.concatenate([raw, edges, small])


def pairs(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Every value with every value."""
    x, y = np.meshgrid(values, values)
    return x.ravel(), y.ravel()


def same(got: np.ndarray, want: np.ndarray) -> None:
    """Equal bits; any NaN equals any NaN."""
    assert got.dtype == want.dtype
    if got.dtype.kind == "b" or np.issubdtype(got.dtype, np.integer):
        np.testing.assert_array_equal(got, want)
        return
    wrong = (got.view(f"u{got.itemsize}") != want.view(f"u{got.itemsize}")) & ~(
        np.isnan(got) & np.isnan(want)
    )
    assert not wrong.any(), (np.flatnonzero(wrong)[:5], got[wrong][:5], want[wrong][:5])


def c_quotient(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Truncating division; by zero -1."""
    wide = x.astype(object)
    divisor = np.where(y == 0, 1, y).astype(object)
    quotient = abs(wide) // abs(divisor) * np.where((x < 0) != (y < 0), -1, 1).astype(object)
    quotient[np.asarray(y == 0)] = -1
    return wrap(quotient, x.dtype)


def wrap(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Python integers modulo two to the width."""
    bits = 8 * dtype.itemsize
    return (
        np.array([int(v) % 2**bits for v in values], np.uint64).astype(f"u{bits // 8}").view(dtype)
    )


def c_remainder(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The remainder of the truncating division; by zero `x`."""
    product = c_quotient(x, y).astype(object) * y.astype(object)
    return wrap(x.astype(object) - product, x.dtype)


def reference_shift(name: str) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """A shift whose amount is unsigned and may be the width or more."""

    def shift(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        bits = 8 * x.itemsize
        unsigned = f"u{x.itemsize}"
        amount = y.view(unsigned).astype(object)
        signed = x.view(f"i{x.itemsize}") if name == "shift_right_arithmetic" else x.view(unsigned)
        shifted = [
            int(v) << min(int(a), bits) if name == "shift_left" else int(v) >> min(int(a), bits)
            for v, a in zip(signed, amount, strict=True)
        ]
        return wrap(np.array(shifted, object), x.dtype)

    return shift


INTEGER_BINARY: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": c_quotient,
    "rem": c_remainder,
    "max": np.maximum,
    "min": np.minimum,
    "and": operator.and_,
    "or": operator.or_,
    "xor": operator.xor,
    "shift_left": reference_shift("shift_left"),
    "shift_right_logical": reference_shift("shift_right_logical"),
    "shift_right_arithmetic": reference_shift("shift_right_arithmetic"),
}
INTEGER_UNARY: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "neg": operator.neg,
    "abs": np.abs,
    "sign": np.sign,
    "square": np.square,
    "not": np.invert,
    "population_count": lambda x: np.bitwise_count(x.view(f"u{x.itemsize}")).astype(x.dtype),
    "clz": lambda x: np.array(
        [8 * x.itemsize - int(v).bit_length() for v in x.view(f"u{x.itemsize}")]
    ).astype(x.dtype),
}


@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("name", INTEGER_BINARY)
def test_integer_binary(name: str, dtype: str) -> None:
    values = integers(dtype)
    x, y = pairs(values[:: max(1, values.size // 150)] if values.size > 256 else values)
    want = INTEGER_BINARY[name](x, y)
    for lanes in LANES:
        same(compile_kernel(name, dtype, operands=2, lanes=lanes)(x, y)[0], want)


@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("name", INTEGER_UNARY)
def test_integer_unary(name: str, dtype: str) -> None:
    x = integers(dtype)
    for lanes in LANES:
        same(compile_kernel(name, dtype, lanes=lanes)(x)[0], INTEGER_UNARY[name](x))


@pytest.mark.parametrize("dtype", (*INTEGERS, *FLOATS, "bool"))
@pytest.mark.parametrize("name", COMPARISONS)
def test_comparisons(name: str, dtype: str) -> None:
    if dtype == "bool":
        values = np.array([False, True])
    else:
        values = floats(dtype)[-80:] if dtype in FLOATS else integers(dtype)[::3]
    x, y = pairs(values)
    want = np.asarray(getattr(operator, name)(x, y))
    for lanes in LANES:
        same(compile_kernel(name, dtype, (dtype,) * 2, ("bool",), lanes=lanes)(x, y)[0], want)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(
    ("divisor", "dtype"), [(7, "int32"), (-3, "int16"), (-1, "int32"), (0, "int32"), (10, "uint64")]
)
def test_integer_division_targets(divisor: int, dtype: str, target: str) -> None:
    x = integers(dtype)
    y = np.full_like(x, divisor)
    for name, reference in (("div", c_quotient), ("rem", c_remainder)):
        kernel = compile_kernel(name, dtype, operands=2, target=TARGETS[target])
        same(kernel(x, y)[0], reference(x, y))


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("divisor", [2, -2, 4, -4, 3])
def test_division_of_negative_products_of_positions(divisor: int, target: str) -> None:
    """LLVM 22 makes x of `sdiv x, 2` here: it knows that the products are not positive."""
    machine = TARGETS[target]
    lanes = machine.vector_bytes // 8
    b = builder.Builder(fused=machine.has_fma, vector_bytes=machine.vector_bytes)
    start, out = builder.Value(b, "%start", "i64", 1, 0), builder.Value(b, "%out", "ptr", 1, 0)
    position = b.splat(b.intrinsic("umin", start, 33), lanes) + b.lane_index(lanes, "i64")
    operands = [position * -3, b.constant("i64", divisor)]
    for row, name in enumerate(("div", "rem")):
        (result,) = scalar.apply(b, name, "int64", operands, {})
        b.store(result, b.pointer(out, "i64", row * lanes))
    text = f"define void @k(i64 %start, ptr %out) {{\nentry:\n{b.body()}\n  ret void\n}}\n"
    library = link(machine.object_code(text + "\n".join(sorted(b.declarations))), ["k"])
    found = np.zeros((2, lanes), np.int64)
    ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_void_p)(library["k"])(5, found.ctypes.data)
    x = -3 * (5 + np.arange(lanes))
    same(found[0], c_quotient(x, np.full_like(x, divisor)))
    same(found[1], c_remainder(x, np.full_like(x, divisor)))


def float_maximum(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """NumPy's maximum, with +0 above -0."""
    both_zero = (x == 0) & (y == 0)
    return np.where(both_zero, np.where(np.signbit(x), y, x), np.maximum(x, y)).astype(x.dtype)


def float_minimum(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """NumPy's minimum, with -0 below +0."""
    both_zero = (x == 0) & (y == 0)
    return np.where(both_zero, np.where(np.signbit(x), x, y), np.minimum(x, y)).astype(x.dtype)


FLOAT_BINARY: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "rem": np.fmod,
    "max": float_maximum,
    "min": float_minimum,
    "copysign": np.copysign,
    "nextafter": lambda x, y: np.where(x == y, y, np.nextafter(x, y)).astype(x.dtype),
}
FLOAT_UNARY: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "neg": operator.neg,
    "abs": np.abs,
    "sign": lambda x: np.where(x == 0, x, np.sign(x)).astype(x.dtype),
    "square": np.square,
    "sqrt": np.sqrt,
    "reciprocal": lambda x: (np.float64(1) / x).astype(x.dtype) if x.itemsize < 8 else 1 / x,
    "floor": np.floor,
    "ceil": np.ceil,
}


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", FLOAT_BINARY)
def test_float_binary(name: str, dtype: str, target: str) -> None:
    x, y = pairs(floats(dtype)[150:])
    want = FLOAT_BINARY[name](x, y)
    for lanes in LANES:
        kernel = compile_kernel(name, dtype, operands=2, lanes=lanes, target=TARGETS[target])
        same(kernel(x, y)[0], want.astype(x.dtype))


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", FLOAT_UNARY)
def test_float_unary(name: str, dtype: str, target: str) -> None:
    x = floats(dtype)
    for lanes in LANES:
        kernel = compile_kernel(name, dtype, lanes=lanes, target=TARGETS[target])
        same(kernel(x)[0], FLOAT_UNARY[name](x))


@pytest.mark.parametrize("dtype", FLOATS)
def test_rounding_and_finiteness(dtype: str) -> None:
    x = floats(dtype)
    size = np.abs(x).astype(np.longdouble)
    away = np.where(size < 2.0**60, np.floor(size + 0.5), size).astype(x.dtype)
    away = np.copysign(away, x)
    for method, want in ((0, away), (1, np.rint(x))):
        params = {"rounding_method": method}
        same(compile_kernel("round", dtype, params=params)(x)[0], want.astype(x.dtype))
    same(compile_kernel("is_finite", dtype, outputs=("bool",))(x)[0], np.isfinite(x))


@pytest.mark.parametrize("dtype", ("float32", "float64"))
def test_round_away_from_zero_below_one_half(dtype: str) -> None:
    below = np.nextafter(numpy_dtype(dtype).type(0.5), numpy_dtype(dtype).type(0))
    x = np.array([below, -below, 0.5, -0.5, 1.5, 2.5, 2**23 + 1, 2**22 + 0.5], dtype)
    want = np.array([0.0, -0.0, 1, -1, 2, 3, 2**23 + 1, 2**22 + 1], dtype)
    same(compile_kernel("round", dtype, params={"rounding_method": 0})(x)[0], want)


def reference_convert(x: np.ndarray, new: str) -> np.ndarray:
    """Saturating, NaN to 0, for floats to integers; NumPy's conversion otherwise."""
    kind = numpy_dtype(new)
    if new == "bool":
        return np.asarray(x != 0)
    if np.issubdtype(x.dtype, np.integer) or x.dtype == bool or kind.kind not in "iu":
        return x.astype(kind)
    info = np.iinfo(kind)
    values = [float(v) for v in x]
    whole = [
        0 if np.isnan(v) else info.max if v >= info.max else info.min if v <= info.min else int(v)
        for v in values
    ]
    return np.array(whole, kind)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("new", ("bool", *INTEGERS, *FLOATS))
@pytest.mark.parametrize("old", ("bool", *INTEGERS, *FLOATS))
def test_convert(old: str, new: str, target: str) -> None:
    if old == "bool":
        x = np.array([False, True])
    else:
        x = floats(old) if old in FLOATS else integers(old)
    want = reference_convert(x, new)
    for lanes in LANES:
        kernel = compile_kernel(
            "convert_element_type",
            old,
            outputs=(new,),
            lanes=lanes,
            params={"new_dtype": new},
            target=TARGETS[target],
        )
        same(kernel(x)[0], want)


@pytest.mark.parametrize("target", TARGETS)
def test_every_half_and_bfloat(target: str) -> None:
    patterns = np.arange(2**16, dtype=np.uint16)
    for dtype in ("float16", "bfloat16"):
        x = patterns.view(numpy_dtype(dtype))
        up = compile_kernel(
            "convert_element_type",
            dtype,
            outputs=("float32",),
            params={"new_dtype": "float32"},
            target=TARGETS[target],
        )
        wide = up(x)[0]
        same(wide, x.astype(np.float32))
        down = compile_kernel(
            "convert_element_type",
            "float32",
            outputs=(dtype,),
            params={"new_dtype": dtype},
            target=TARGETS[target],
        )
        nearby = np.concatenate([wide, np.nextafter(wide, np.float32(0))])
        middle = (wide.view(np.uint32) | (0x1000 if dtype == "float16" else 0x8000)).view(
            np.float32
        )
        nearby = np.concatenate([nearby, middle])
        same(down(nearby)[0], nearby.astype(x.dtype))


def test_bitcast() -> None:
    x = floats("float32")
    params = {"new_dtype": "int32"}
    there = compile_kernel("bitcast_convert_type", "float32", outputs=("int32",), params=params)
    np.testing.assert_array_equal(there(x)[0], x.view(np.int32))
    params = {"new_dtype": "bfloat16"}
    back = compile_kernel("bitcast_convert_type", "uint16", outputs=("bfloat16",), params=params)
    y = integers("uint16")
    np.testing.assert_array_equal(back(y)[0].view(np.uint16), y)


@pytest.mark.parametrize("dtype", ("float16", "bfloat16", "float32", "int8", "uint64", "bool"))
@pytest.mark.parametrize("target", TARGETS)
def test_select_n(dtype: str, target: str) -> None:
    rng = np.random.default_rng(3)
    cases = [rng.integers(0, 2, 200).astype(numpy_dtype(dtype)) for _ in range(3)]
    chosen = rng.integers(0, 2, 200).astype(bool)
    which = rng.integers(-2, 6, 200).astype(np.int32)
    for lanes in LANES:
        kernel = compile_kernel(
            "select_n",
            dtype,
            ("bool", dtype, dtype),
            lanes=lanes,
            target=TARGETS[target],
        )
        same(kernel(chosen, *cases[:2])[0], np.where(chosen, cases[1], cases[0]))
        kernel = compile_kernel(
            "select_n",
            dtype,
            ("int32", dtype, dtype, dtype),
            lanes=lanes,
            target=TARGETS[target],
        )
        same(kernel(which, *cases)[0], np.choose(np.clip(which, 0, 2), cases))


@pytest.mark.parametrize("dtype", ("float32", "float64", "bfloat16", "int8", "uint8", "bool"))
def test_clamp(dtype: str) -> None:
    if dtype == "bool":
        values = np.array([False, True])
    else:
        values = floats(dtype)[-20:] if dtype in FLOATS else integers(dtype)[::9]
    low, x, high = (a.ravel() for a in np.meshgrid(values, values, values))
    got = compile_kernel("clamp", dtype, operands=3)(low, x, high)[0]
    if dtype in FLOATS:
        want = float_minimum(float_maximum(x, low), high)
    else:
        want = np.minimum(np.maximum(x, low), high)
    same(got, want)


@pytest.mark.parametrize("dtype", ("float32", "float64", "int32", "uint8", "bfloat16"))
@pytest.mark.parametrize("exponent", (0, 1, 2, 3, 7, -1, -3))
def test_integer_pow(dtype: str, exponent: int) -> None:
    if dtype not in FLOATS and exponent < 0:
        return
    x = floats(dtype)[-60:] if dtype in FLOATS else integers(dtype)
    got = compile_kernel("integer_pow", dtype, params={"y": exponent})(x)[0]
    if dtype not in FLOATS:
        np.testing.assert_array_equal(got, x ** np.array(exponent, x.dtype))
        return
    want = (x.astype(np.float64) ** exponent).astype(x.dtype).astype(np.float64)
    normal = np.where(np.abs(want) > 1e-37, want, np.nan)
    got = np.where(np.isnan(normal), np.nan, got)
    scale = {"bfloat16": 2.0**-8, "float32": 2.0**-23, "float64": 2.0**-52}[dtype]
    np.testing.assert_allclose(got.astype(np.float64), normal, rtol=4 * scale)


def test_reduce_precision_equals_the_short_formats() -> None:
    x = floats("float32")
    params = {"exponent_bits": 8, "mantissa_bits": 7}
    got = compile_kernel("reduce_precision", "float32", params=params)(x)[0]
    short = x.astype(numpy_dtype("bfloat16")).astype(np.float32)
    same(got, short)
    params = {"exponent_bits": 5, "mantissa_bits": 10}
    got = compile_kernel("reduce_precision", "float32", params=params)(x)[0]
    half = x.astype(np.float16).astype(np.float32)
    # Halves below the normal ones are flushed to zero.
    same(got, np.where(np.abs(half) < 2.0**-14, np.copysign(0, x), half).astype(np.float32))
    params = {"exponent_bits": 8, "mantissa_bits": 23}
    same(compile_kernel("reduce_precision", "float32", params=params)(x)[0], x)


def test_threefry_known_answers() -> None:
    """The three known answers of the reference implementation (Random123)."""
    ones = 0xFFFFFFFF
    rows = [
        (0, 0, 0, 0, 0x6B200159, 0x99BA4EFE),
        (ones, ones, ones, ones, 0x1CB996FC, 0xBB002BE7),
        (0x13198A2E, 0x03707344, 0x243F6A88, 0x85A308D3, 0xC4923A9C, 0x483DF7A0),
    ]
    columns = [np.array(column, np.uint32) for column in zip(*rows, strict=True)]
    for lanes in LANES:
        kernel = compile_kernel(
            "threefry2x32", "uint32", ("uint32",) * 4, ("uint32",) * 2, lanes=lanes
        )
        first, second = kernel(*columns[:4])
        np.testing.assert_array_equal(first, columns[4])
        np.testing.assert_array_equal(second, columns[5])


def test_rem_of_every_magnitude() -> None:
    rng = np.random.default_rng(6)
    for dtype, exponents in (("float32", (-149, 128)), ("float64", (-1074, 1024))):
        x, y = (
            np.ldexp(rng.uniform(0.5, 1, 3000), rng.integers(*exponents, 3000)).astype(dtype)
            for _ in range(2)
        )
        x[::2] = (y[::2] * rng.integers(-1000, 1000, 1500)).astype(dtype)
        x[::7] = np.nextafter(x[::7], np.array(0, dtype))
        for lanes in LANES:
            same(compile_kernel("rem", dtype, operands=2, lanes=lanes)(x, y)[0], np.fmod(x, y))


def test_the_examples_of_the_documentation() -> None:
    failed, tried = doctest.testmod(scalar, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert failed == 0 and tried >= 6


def test_operators_without_a_formula_are_denied() -> None:
    assert not scalar.supports("sin", "int32")
    assert not scalar.supports("add", "complex64")
    assert not scalar.supports("no_such_operator", "float32")
    with pytest.raises(NotImplementedError, match="sin for int32"):
        compile_kernel("sin", "int32")
    with pytest.raises(KeyError, match="complex64"):
        scalar.element("complex64")


def test_uniform_operands_stay_scalar_until_they_meet_a_vector() -> None:
    b = builder.Builder()
    key = builder.Value(b, "%k", "float", 1, 0)
    x = builder.Value(b, "%x", "float", 16, 0)
    (root,) = scalar.apply(b, "sqrt", "float32", [key], {})
    assert root.lanes == 1
    (product,) = scalar.apply(b, "mul", "float32", [x, root], {})
    assert product.lanes == 16


def test_targets_are_distinct() -> None:
    assert isinstance(AVX2, Target)
    assert AVX2.has_fma and not BASELINE.has_fma
