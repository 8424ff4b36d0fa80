"""Arrays: attributes, conversions, views, lifetime, on both kinds."""

from __future__ import annotations

import copy
import functools
import gc
import pickle
import sys
import weakref

import ml_dtypes
import numpy as np
import pytest

from tests.runtime.programs import aval
from xform.errors import ArgumentError, DonatedBufferError
from xform.runtime import array

DTYPES = [
    *"?bBhHiIlLqQefdFD",
    ml_dtypes.bfloat16,
    ml_dtypes.float8_e4m3fn,
]


def make(kind, values, dtype=None, weak_type=False):
    x = np.asarray(values, dtype)
    return kind.from_numpy(x, aval(x.shape, x.dtype, weak_type))


def test_attributes(kind):
    x = make(kind, np.zeros((3, 4)), np.float32, weak_type=True)
    assert (x.shape, x.ndim, x.size, x.nbytes, x.itemsize) == ((3, 4), 2, 12, 48, 4)
    assert x.dtype == np.float32
    assert x.weak_type is True
    assert x.aval is aval((3, 4), np.float32, True)
    with pytest.raises(AttributeError):
        x.shape = (4, 3)
    with pytest.raises(AttributeError):
        x.colour = "red"


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda d: np.dtype(d).name + np.dtype(d).char)
@pytest.mark.parametrize("shape", [(), (0,), (5,), (2, 0, 3), (2, 3, 4)], ids=str)
def test_round_trip_of_every_dtype(kind, dtype, shape):
    x = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    y = make(kind, x)
    for back in (kind.view(y), np.asarray(y), np.array(y)):
        assert back.dtype == x.dtype
        assert back.shape == x.shape
        assert back.strides == x.strides or x.size == 0
        assert back.tobytes() == x.tobytes()
        assert (back.flags.c_contiguous, back.flags.f_contiguous) == (
            x.flags.c_contiguous,
            x.flags.f_contiguous,
        )
        assert back.flags.aligned
    assert kind.address(y) % 64 == 0
    assert kind.view(y).ctypes.data == kind.address(y) or x.size == 0
    loaded = pickle.loads(pickle.dumps(y))
    assert type(loaded) is array.Array
    assert np.asarray(loaded).tobytes() == x.tobytes()


def test_views_are_read_only_and_keep_the_memory(kind):
    x = make(kind, [1.0, 2.0, 3.0])
    seen = kind.view(x)
    address = kind.address(x)
    with pytest.raises(ValueError, match="read-only"):
        seen[0] = 5.0
    del x
    others = [make(kind, [7.0, 7.0, 7.0]) for _ in range(8)]
    assert address not in [kind.address(other) for other in others]
    assert seen.tolist() == [1.0, 2.0, 3.0]


def test_memory_is_used_again(kind):
    first = kind.empty(aval((1000,)))
    address = kind.address(first)
    del first
    assert kind.address(kind.empty(aval((1000,)))) == address
    assert kind.idle_bytes() >= 4000
    assert kind.trim() >= 4000
    assert kind.idle_bytes() == 0


def test_wrapping_shares_memory(kind):
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    count = sys.getrefcount(x)
    y = kind.wrap(x, aval((2, 3)))
    assert kind.address(y) == x.ctypes.data
    assert sys.getrefcount(x) == count + 1
    seen = kind.view(y)
    del y
    assert np.shares_memory(seen, x)
    del seen
    gc.collect()
    assert sys.getrefcount(x) == count


@pytest.mark.parametrize(
    "x",
    [
        np.zeros((3, 2), np.float32),
        np.zeros((2, 3), np.float64),
        np.zeros((2, 3), ">f4"),
        np.zeros((3, 2), np.float32).T,
        np.zeros((2, 6), np.float32)[:, ::2],
        np.zeros(25, np.uint8)[1:].view(np.float32).reshape(2, 3),
    ],
    ids=["shape", "dtype", "byte order", "transposed", "strided", "misaligned"],
)
def test_wrapping_refuses_what_does_not_fit(kind, x):
    with pytest.raises(ArgumentError, match=r"f32\[2,3\]"):
        kind.wrap(x, aval((2, 3)))


@pytest.mark.parametrize("function", ["wrap", "from_numpy"])
@pytest.mark.parametrize("value", [None, 3.0, [1.0], "x"])
def test_making_refuses_what_is_no_array(kind, function, value):
    with pytest.raises((TypeError, AttributeError)):
        getattr(kind, function)(value, aval((1,), np.float64))


def test_copying_takes_strided_arrays(kind):
    x = np.arange(12, dtype=np.float32).reshape(3, 4)
    assert kind.view(kind.from_numpy(x.T, aval((4, 3)))).tolist() == x.T.tolist()
    odd = np.zeros(25, np.uint8)[1:].view(np.float32)
    assert kind.view(kind.from_numpy(odd, aval((6,)))).tolist() == [0.0] * 6
    assert kind.from_numpy(np.float32(3), aval(())).tolist() == 3.0
    with pytest.raises(ArgumentError):
        kind.from_numpy(x, aval((4, 3)))
    with pytest.raises(ArgumentError):
        kind.wrap(np.float32(3), aval(()))


def test_filling_an_empty_array(kind):
    x = kind.empty(aval((2, 2)))
    kind.writable(x)[:] = [[1, 2], [3, 4]]
    assert x.tolist() == [[1.0, 2.0], [3.0, 4.0]]


def test_python_scalars(kind):
    assert float(make(kind, np.float32(1.5))) == 1.5
    assert int(make(kind, np.int8(-3))) == -3
    assert complex(make(kind, np.complex64(1 + 2j))) == 1 + 2j
    assert complex(make(kind, ml_dtypes.bfloat16(1.5))) == 1.5
    assert bool(make(kind, np.float32(0))) is False
    assert bool(make(kind, [2])) is True
    assert [10, 20, 30][make(kind, np.int32(2))] == 30
    assert make(kind, [[1, 2], [3, 4]]).item(3) == 4
    assert make(kind, [5.0]).item() == 5.0
    assert len(make(kind, [1, 2, 3])) == 3
    assert f"{make(kind, np.float64(3.14159)):.2f}" == "3.14"


@pytest.mark.parametrize(
    ("convert", "values", "error"),
    [
        (float, [1.0], TypeError),
        (int, [1], TypeError),
        (complex, [1.0], TypeError),
        (bool, [1, 2], ValueError),
        (bool, [], ValueError),
        (len, 1.0, TypeError),
        (hash, 1.0, TypeError),
        ([1, 2].__getitem__, 1.0, TypeError),
        ([1, 2].__getitem__, [1], TypeError),
    ],
)
def test_conversions_that_are_refused(kind, convert, values, error):
    with pytest.raises(error):
        convert(make(kind, values))


def test_becoming_a_numpy_array(kind):
    x = make(kind, [1.0, 2.0])
    assert np.shares_memory(np.asarray(x), np.asarray(x))
    assert not np.shares_memory(np.array(x), np.asarray(x))
    assert np.asarray(x, np.float32).dtype == np.float32
    assert x.__array__(copy=True).flags.writeable
    assert x.__array__(np.float64, copy=False).base is not None
    with pytest.raises(ValueError, match="float32"):
        x.__array__(np.float32, copy=False)


@pytest.mark.parametrize(
    ("values", "dtype", "weak_type", "text"),
    [
        ([1.0, 2.0], "f4", False, "Array([1., 2.], dtype=float32)"),
        (1.5, "f4", True, "Array(1.5, dtype=float32, weak_type=True)"),
        ([], "f4", False, "Array([], shape=(0,), dtype=float32)"),
        (np.zeros((2, 0)), "i4", False, "Array([], shape=(2, 0), dtype=int32)"),
        ([1.5], ml_dtypes.bfloat16, False, "Array([1.5], dtype=bfloat16)"),
        (True, "?", False, "Array(True, dtype=bool)"),
        (
            np.arange(6.0).reshape(2, 3),
            "f8",
            False,
            "Array([[0., 1., 2.],\n       [3., 4., 5.]], dtype=float64)",
        ),
        (
            [0.5] * 14,
            "f4",
            False,
            "Array([0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5,\n"
            "       0.5], dtype=float32)",
        ),
        (
            np.linspace(0, 1, 5),
            "f8",
            False,
            "Array([0.  , 0.25, 0.5 , 0.75, 1.  ], dtype=float64)",
        ),
    ],
)
def test_printing(kind, values, dtype, weak_type, text):
    x = make(kind, values, dtype, weak_type)
    assert repr(x) == text
    assert str(x) == str(np.asarray(values, dtype))


def test_copies(kind):
    x = make(kind, [1.0, 2.0], weak_type=True)
    for y in (x.copy(), copy.copy(x), copy.deepcopy(x)):
        assert type(y) is kind.Array
        assert kind.address(y) != kind.address(x)
        assert y.aval is x.aval
        assert y.tolist() == x.tolist()
    assert x.block_until_ready() is x
    assert pickle.loads(pickle.dumps(x)).weak_type is True


def test_deleting(kind):
    x = make(kind, [1.0, 2.0])
    seen = np.asarray(x)
    assert not x.is_deleted()
    x.delete()
    x.delete()
    assert x.is_deleted()
    assert x.shape == (2,)
    assert "f64[2]" in repr(x)
    assert "deleted" in str(x)
    assert seen.tolist() == [1.0, 2.0]
    for use in (np.asarray, kind.view, kind.address, kind.writable, copy.copy, pickle.dumps):
        with pytest.raises(DonatedBufferError, match=r"f64\[2\]"):
            use(x)
    with pytest.raises(RuntimeError):
        x.tolist()


def test_deleting_returns_the_memory(kind):
    x = kind.empty(aval((5000,)))
    address = kind.address(x)
    x.delete()
    y = kind.empty(aval((5000,)))
    assert kind.address(y) == address
    del x
    z = kind.empty(aval((5000,)))
    assert kind.address(z) != address


def test_weak_references(kind):
    x = make(kind, [1.0])
    reference = weakref.ref(x)
    assert reference() is x
    del x
    assert reference() is None


def test_dlpack(kind):
    x = make(kind, np.arange(6.0).reshape(2, 3))
    y = np.from_dlpack(x)
    assert np.shares_memory(y, np.asarray(x))
    assert y.tolist() == x.tolist()
    assert x.__dlpack_device__() == (1, 0)
    assert x.unsafe_buffer_pointer() == kind.address(x)


def test_the_type_is_closed(kind):
    with pytest.raises(TypeError):
        kind.Array()
    with pytest.raises(TypeError):
        type("Mine", (kind.Array,), {})
    assert kind.Array.__name__ == "Array"
    assert kind.Array.__module__ == "xform"


def test_operators_can_be_attached(kind, monkeypatch):
    x = make(kind, [1.0])
    attach = functools.partial(monkeypatch.setattr, kind.Array, raising=False)
    attach("__add__", lambda self, other: ("sum", self, other))
    attach("__radd__", kind.JitFunction(lambda self, other: ("reversed", self, other)))
    assert x + 3 == ("sum", x, 3)
    assert 3 + x == ("reversed", x, 3)
    assert x.__radd__(4) == ("reversed", x, 4)


def test_too_much_memory(kind):
    huge = aval((2**46,), np.float32)
    with pytest.raises(MemoryError, match=str(2**48)):
        kind.empty(huge)
    with pytest.raises(MemoryError):
        kind.empty(aval((2**60,), np.float32))


def test_wrong_calls(kind):
    for function in (kind.view, kind.address, kind.writable, kind.delete, kind.is_deleted):
        with pytest.raises((TypeError, AttributeError)):
            function(3)
        with pytest.raises(TypeError):
            function()
    with pytest.raises((TypeError, AttributeError)):
        kind.empty(3)
    with pytest.raises(TypeError):
        kind.empty()


def test_memoryviews(native_kind):
    x = make(native_kind, np.arange(6, dtype=np.int16).reshape(2, 3))
    seen = memoryview(x)
    assert (seen.format, seen.shape, seen.strides, seen.readonly) == ("h", (2, 3), (6, 2), True)
    assert seen.tolist() == [[0, 1, 2], [3, 4, 5]]
    with pytest.raises(BufferError):
        memoryview(make(native_kind, ml_dtypes.bfloat16(1)))
    x.delete()
    assert seen.tolist() == [[0, 1, 2], [3, 4, 5]]
    with pytest.raises(DonatedBufferError):
        memoryview(x)


@pytest.mark.parametrize("nbytes", [0, 1, 64, 65, 4096, 4097, 5000, 8192, 8193, 10**6, 2**31])
def test_pools_waste_little(nbytes):
    from_python = array.array_python.pool_of(nbytes).size_bytes
    assert nbytes <= from_python <= max(64, nbytes + 63, nbytes * 9 / 8 + 1)
    assert from_python % 64 == 0
