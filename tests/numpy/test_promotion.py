"""Dtypes of results: the lattice for every pair, Python numbers, explicit widths."""

import json
from pathlib import Path

import numpy as np
import pytest

import xform
import xform.numpy as xnp
from xform.errors import (
    ArgumentError,
    DtypeError,
    IntegerRangeError,
    NarrowingWarning,
    ShapeError,
)

TABLE = json.loads((Path(__file__).parents[1] / "data" / "promotion.json").read_text())["promotion"]
PYTHON = {"i*": 2, "f*": 2.5, "c*": 2.5j}


def _operand(name):
    return PYTHON[name] if name in PYTHON else xnp.ones((2,), name)


@pytest.mark.parametrize("pair", sorted(TABLE["x32"]))
def test_every_pair(pair):
    first, second = pair.split(",")
    expected = TABLE["x32"][pair]
    for x, y in ((first, second), (second, first)):
        out = xnp.multiply(_operand(x), _operand(y))
        assert f"{out.dtype.name}{'*' if out.weak_type else ''}" == expected


@pytest.mark.parametrize("pair", sorted(TABLE["x64"]))
def test_every_pair_with_x64(pair):
    first, second = pair.split(",")
    with xform.config.scoped(enable_x64=True):
        out = xnp.multiply(_operand(first), _operand(second))
    assert f"{out.dtype.name}{'*' if out.weak_type else ''}" == TABLE["x64"][pair]


def test_python_number_takes_the_dtype_of_the_array():
    x = xnp.ones(2, "float16")
    assert (x * 2).dtype == (2.5 + x).dtype == (x**2).dtype == np.float16
    assert (xnp.ones(2, "uint8") + 1).dtype == np.uint8


def test_integer_that_does_not_fit_raises():
    with pytest.raises(IntegerRangeError):
        xnp.ones(2, "uint8") + 300
    with pytest.raises(IntegerRangeError):
        xnp.asarray(2**31)
    with pytest.raises(IntegerRangeError):
        xnp.asarray([0, 2**31])
    with pytest.raises(IntegerRangeError):
        xnp.asarray(np.array([2**40]))


def test_explicit_width_is_honoured():
    assert xnp.asarray([1, 2], dtype="int64").dtype == np.int64
    assert int(xnp.asarray(2**40, dtype=np.int64)) == 2**40
    assert xnp.zeros(2, xnp.float64).dtype == np.float64
    assert float(xnp.asarray(0.1, dtype="float64")) == 0.1
    assert xnp.ones(2).astype("float64").dtype == np.float64
    precise = np.array([0.1, 0.2])
    np.testing.assert_array_equal(xnp.asarray(precise, dtype="float64"), precise)
    out = xnp.asarray(precise, dtype="float64") + 1
    assert out.dtype == np.float64
    np.testing.assert_array_equal(out, precise + 1)


def test_float64_array_is_narrowed_with_a_warning():
    with pytest.warns(NarrowingWarning):
        assert xnp.asarray(np.array([0.1, 0.2])).dtype == np.float32


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        ([1, 2], "int32"),
        ([1, 2.5], "float32"),
        ([True, False], "bool"),
        ([1, 2j], "complex64"),
        ([[1], [2]], "int32"),
        ([], "float32"),
        ((1, 2), "int32"),
        (range(3), "int32"),
        ([np.float16(1), np.float16(2)], "float16"),
        ([np.int8(1), 2], "int8"),
    ],
)
def test_dtype_of_sequences(value, dtype):
    x = xnp.asarray(value)
    assert x.dtype == dtype
    np.testing.assert_array_equal(x, np.asarray(value))


def test_sequence_of_arrays_and_tracers():
    got = xform.jit(lambda a, b: xnp.array([[a, 1], [b, a + b]]))(2.0, 3.0)
    np.testing.assert_array_equal(got, [[2, 1], [3, 5]])


@pytest.mark.parametrize("value", ["abc", None, {1: 2}, {1}, object(), ["a"], [None]])
def test_what_is_no_number_raises(value):
    with pytest.raises(DtypeError):
        xnp.asarray(value)


def test_ragged_sequence_raises():
    with pytest.raises(ShapeError):
        xnp.asarray([[1, 2], [3]])


def test_list_in_place_of_an_array_raises():
    with pytest.raises(ArgumentError, match=r"xnp\.asarray"):
        xnp.sum([1, 2])


def test_shapes_that_do_not_broadcast_raise():
    with pytest.raises(ShapeError, match="broadcast"):
        xnp.ones((2, 3)) + xnp.ones((2,))


def test_scalar_types():
    assert xnp.float32(1).dtype == np.float32
    assert np.dtype("float32") == xnp.float32
    assert xnp.float32 == np.float32
    assert xnp.zeros(2, xnp.bfloat16).dtype == xnp.bfloat16
    assert {xnp.float32: 1}[np.float32] == 1
    assert xnp.issubdtype(xnp.bfloat16, xnp.floating)
    assert xnp.int32 != xnp.float32
    assert xnp.finfo(xnp.float32).bits == 32


def test_arrays_do_not_share_memory_with_their_source():
    source = np.zeros(3, np.float32)
    x = xnp.asarray(source)
    source[0] = 7
    np.testing.assert_array_equal(x, [0, 0, 0])
