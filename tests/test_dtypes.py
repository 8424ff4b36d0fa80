"""Dtypes: JAX's promotion, pair by pair; the laws of a lattice; kinds, widths, names."""

import json
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, strategies as st

from xform.config import config
from xform.core import dtypes
from xform.errors import DtypeError

DATA = json.loads((Path(__file__).parent / "data" / "promotion.json").read_text())["promotion"]
SCALARS = {"i*": int, "f*": float, "c*": complex}
OTHERS = [d for d in dtypes.DTYPES if d not in dtypes.FLOAT8]


@pytest.fixture(params=[False, True], ids=["x32", "x64"])
def x64(request):
    with config.scoped(enable_x64=request.param):
        yield request.param


def operand(name):
    """A dtype and whether it is weak, as the data of JAX spell it."""
    if name in SCALARS:
        return dtypes.scalar_dtype(SCALARS[name]), True
    return np.dtype(name.rstrip("*")), name.endswith("*")


def test_every_pair_promotes_as_in_jax(x64):
    table = DATA["x64" if x64 else "x32"]
    wrong = {}
    for pair, expected in table.items():
        first, second = map(operand, pair.split(","))
        for got in (dtypes.lattice_join(first, second), dtypes.lattice_join(second, first)):
            if got != operand(expected):
                wrong[pair] = (got, expected)
    assert not wrong
    assert len(table) == (171 if x64 else 105)


def canonical(x64_on):
    """Types as programs have them: weak ones are as wide as scalars are, or were asked for."""
    weak = ["int64", "float64", "complex128"]
    if not x64_on:
        weak += ["int32", "float32", "complex64"]
    return st.sampled_from(
        [(dtype, False) for dtype in dtypes.DTYPES] + [(np.dtype(name), True) for name in weak]
    )


def join(*operands):
    """Join types from the left; None once they have no common type."""
    result = operands[0]
    for other in operands[1:]:
        try:
            result = None if result is None else dtypes.lattice_join(result, other)
        except DtypeError:
            result = None
    return result


@pytest.mark.parametrize("x64_on", [False, True])
@given(st.data())
def test_promotion_is_a_lattice(x64_on, data):
    x, y, z = (data.draw(canonical(x64_on)) for _ in range(3))
    with config.scoped(enable_x64=x64_on):
        assert join(x, x) == x
        assert join(x, y) == join(y, x)
        right = join(y, z)
        assert join(x, y, z) == (None if right is None else join(x, right))


def test_explicit_wide_types_keep_exact_widths_with_x64_off():
    with config.scoped(enable_x64=False):
        assert dtypes.promote_types("int64", "int32") == np.int64
        assert dtypes.promote_types("float64", "float32") == np.float64
        assert dtypes.promote_types("float64", "complex64") == np.complex128
        assert dtypes.promote_types("uint32", "int32") == np.int32
        assert dtypes.promote_types("uint32", "int64") == np.int64
        assert dtypes.promote_types("int64", "uint64") == np.float64
        assert dtypes.promote_types("int64", float) == np.float64
        assert dtypes.promote_types("int32", float) == np.float32
        assert dtypes.promote_types("float64", float) == np.float64


@pytest.mark.parametrize("small", dtypes.FLOAT8, ids=str)
def test_float8_promotes_with_scalars_and_integers_only(small, x64):
    assert dtypes.promote_types(small, float) == small
    assert dtypes.promote_types(small, int) == small
    assert dtypes.promote_types("int32", small) == small
    assert dtypes.promote_types(bool, small) == small
    for other in ("float16", "bfloat16", "float32", "complex64"):
        with pytest.raises(DtypeError, match="8-bit floats"):
            dtypes.promote_types(small, other)


def test_result_type_of_values(x64):
    float_ = np.float64 if x64 else np.float32
    int_ = np.int64 if x64 else np.int32

    class Weak:
        dtype = np.dtype(float_)
        weak_type = True

    assert dtypes.result_type(1) == int_
    assert dtypes.result_type(True, return_weak_type=True) == (np.dtype(bool), False)
    assert dtypes.result_type(1, 2.0, return_weak_type=True) == (np.dtype(float_), True)
    assert dtypes.result_type(Weak(), np.float16(1)) == np.float16
    assert dtypes.result_type(np.zeros(2)) == float_
    assert dtypes.result_type(np.dtype("float64"), 1) == np.float64
    assert dtypes.result_type(np.float32, "bfloat16") == np.float32
    with pytest.raises(DtypeError, match="at least one"):
        dtypes.result_type()


def test_float0_does_not_promote():
    with pytest.raises(DtypeError, match="numbers or booleans"):
        dtypes.promote_types(dtypes.float0, "float32")


KINDS = ["is_bool", "is_integer", "is_float", "is_complex"]


@pytest.mark.parametrize("dtype", dtypes.DTYPES, ids=str)
def test_every_dtype_has_one_kind(dtype):
    assert [getattr(dtypes, kind)(dtype) for kind in KINDS].count(True) == 1
    assert dtypes.is_inexact(dtype) == (dtypes.is_float(dtype) or dtypes.is_complex(dtype))
    assert dtypes.is_number(dtype) != dtypes.is_bool(dtype)
    assert dtypes.is_signed(dtype) + dtypes.is_unsigned(dtype) + dtypes.is_bool(dtype) == 1


@pytest.mark.parametrize("dtype", dtypes.DTYPES, ids=str)
def test_names_round_trip(dtype):
    assert dtypes.dtype_of_name(dtypes.short_name(dtype)) == dtype
    assert dtypes.dtype_of_name(dtype.name) == dtype
    assert dtypes.check_user_dtype(dtype.name) == dtype
    assert dtypes.check_user_dtype(dtype.type) == dtype


def test_short_names():
    names = ["float32", "int32", "bool", "bfloat16", "complex64", "uint8", "float8_e4m3fn"]
    short = [dtypes.short_name(dtypes.dtype_of_name(name)) for name in names]
    assert short == ["f32", "i32", "bool", "bf16", "c64", "u8", "f8_e4m3fn"]
    assert dtypes.short_name(dtypes.float0) == "float0"
    with pytest.raises(DtypeError, match="f32"):
        dtypes.dtype_of_name("float31")


ABSTRACT = [np.generic, np.number, np.integer, np.signedinteger, np.unsignedinteger]
ABSTRACT += [np.inexact, np.floating, np.complexfloating]


@pytest.mark.parametrize("parent", ABSTRACT)
def test_issubdtype_agrees_with_numpy(parent):
    numpys = [d for d in OTHERS if d != dtypes.bfloat16]
    for dtype in [*numpys, *ABSTRACT]:
        assert dtypes.issubdtype(dtype, parent) == np.issubdtype(dtype, parent)
    like_float32 = dtypes.issubdtype(np.float32, parent)
    assert dtypes.issubdtype(ml_dtypes.bfloat16, parent) == like_float32
    assert dtypes.issubdtype("float8_e5m2", parent) == like_float32


def test_issubdtype_of_concrete_types():
    assert dtypes.issubdtype("float32", np.float32)
    assert not dtypes.issubdtype("bfloat16", np.float32)
    assert dtypes.issubdtype(float, np.floating)


@pytest.mark.parametrize(
    "bad", [object, str, "U3", "datetime64[s]", "V8", None, "nonsense", "f4,f4"]
)
def test_dtypes_no_array_has(bad):
    with pytest.raises(DtypeError):
        dtypes.check_user_dtype(bad)


def test_user_dtypes(x64):
    assert dtypes.check_user_dtype("float64") == np.float64
    assert dtypes.check_user_dtype(np.int64) == np.int64
    assert dtypes.check_user_dtype(float) == (np.float64 if x64 else np.float32)
    assert dtypes.check_user_dtype(">f4") == np.dtype("float32")
    assert dtypes.check_user_dtype(dtypes.float0) == dtypes.float0


def test_widths(x64):
    narrow = {"int64": "int32", "uint64": "uint32", "float64": "float32", "complex128": "complex64"}
    for dtype in dtypes.DTYPES:
        expected = dtype.name if x64 else narrow.get(dtype.name, dtype.name)
        assert dtypes.canonicalize(dtype).name == expected
    assert dtypes.scalar_dtype(int) == (np.int64 if x64 else np.int32)
    with pytest.raises(DtypeError, match="bool, int, float, complex"):
        dtypes.scalar_dtype(str)


@pytest.mark.parametrize("dtype", OTHERS, ids=str)
def test_inexact_counterparts(dtype):
    inexact = dtypes.to_inexact(dtype)
    assert dtypes.is_inexact(inexact)
    if dtypes.is_inexact(dtype):
        assert inexact == dtype
    else:
        assert inexact == ("float64" if dtype.itemsize == 8 else "float32")
    assert dtypes.is_float(dtypes.real_dtype(inexact))
    if dtypes.real_dtype(inexact).itemsize >= 4:
        assert dtypes.real_dtype(dtypes.complex_dtype(dtype)) == dtypes.real_dtype(inexact)


def test_limits():
    assert dtypes.finfo("bfloat16").bits == 16
    assert dtypes.finfo(np.float32).eps == np.finfo(np.float32).eps
    assert dtypes.finfo(np.complex64).max == np.finfo(np.float32).max
    assert dtypes.iinfo("uint8").max == 255
