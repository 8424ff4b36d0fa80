"""Compiled code on shapes, strides and orders that are not the usual ones."""

import itertools
from collections.abc import Iterator
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import xform
import xform.numpy as xnp
from xform import lax
from xform.compiler import fuse as fusion
from xform.config import config
from xform.core import dtypes


@pytest.fixture(autouse=True)
def _double() -> Iterator[None]:
    with config.scoped(enable_x64=True, cache_dir="", check=True):
        yield


# -- compiled code on awkward shapes ------------------------------------------------------------

SIZES = (0, 1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 64, 100)
FLOATS = ("float16", "bfloat16", "float32", "float64")
INTEGERS = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")
EVERY = ("bool", *INTEGERS, *FLOATS)


def draw(shape: Any, dtype: str, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    if dtype == "bool":
        return rng.integers(0, 2, shape).astype(bool)
    low = 0 if dtype.startswith("u") else -9
    whole = rng.integers(low, 10, shape)
    if dtype not in FLOATS:
        return whole.astype(dtype)
    kind = ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype
    return (whole / 4).astype(kind)


def assert_compiled(f: Any, *args: Any, roundings: float = 4.0) -> None:
    """jit(f) = f: the same dtypes and shapes, numbers up to some roundings of the largest."""
    given_arrays = [xnp.asarray(x) for x in args]
    found = xform.tree.leaves(xform.jit(f)(*given_arrays))
    wanted = xform.tree.leaves(f(*given_arrays))
    for k, (x, y) in enumerate(zip(found, wanted, strict=True)):
        got, want = np.asarray(x), np.asarray(y)
        assert (got.shape, got.dtype) == (want.shape, want.dtype), k
        if not dtypes.is_float(want.dtype):
            np.testing.assert_array_equal(got, want, str(k))
            continue
        eps = float(dtypes.finfo(want.dtype).eps)
        got, want = got.astype(np.float64), want.astype(np.float64)
        finite = np.abs(want[np.isfinite(want)])
        scale = max(1.0, float(np.max(finite, initial=0.0)))
        np.testing.assert_allclose(
            got, want, rtol=roundings * eps, atol=roundings * eps * scale, err_msg=str(k)
        )


def elementwise(x: Any, y: Any) -> Any:
    both = (x == y, x < y, xnp.where(x > y, x, y), xnp.maximum(x, y))
    if x.dtype == bool:
        return (*both, x & y, x | y, ~x, x ^ y)
    return (*both, x + y, x - y, x * y, x * 3 + y, abs(x), xnp.minimum(x, y))


@pytest.mark.parametrize("dtype", EVERY)
def test_elementwise_of_every_size(dtype):
    for n in SIZES:
        assert_compiled(elementwise, draw(n, dtype, 1), draw(n, dtype, 2))


@pytest.mark.parametrize("dtype", EVERY)
def test_conversions(dtype):
    def f(x):
        return [x.astype(other) for other in EVERY]

    for n in (1, 17):
        assert_compiled(f, abs(draw(n, dtype)))


@pytest.mark.parametrize("dtype", FLOATS)
def test_conversions_of_numbers_that_do_not_fit(dtype):
    """NaN becomes 0, what is too large the largest: the same eagerly and compiled."""
    kind = ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype
    edges = [np.nan, np.inf, -np.inf, 1e20, -1e20, 300.7, -1.5, -129.2, 2.9]
    with np.errstate(over="ignore"):
        x = np.array(edges, np.float64).astype(kind)
    assert_compiled(lambda v: [v.astype(other) for other in ("bool", *INTEGERS)], x)
    found = np.asarray(xnp.asarray(x).astype("int8"))
    np.testing.assert_array_equal(found, [0, 127, -128, 127, -128, 127, -1, -128, 2])


SUMS = ("bool", "int8", "uint16", "int32", "int64", *FLOATS)


@pytest.mark.parametrize("dtype", SUMS)
def test_reductions_of_every_size(dtype):
    def f(x):
        if x.dtype == bool:
            return xnp.any(x), xnp.all(x), xnp.sum(x)
        some = (xnp.sum(x), xnp.prod(x[:4]))
        if not x.size:
            return some
        return (*some, xnp.max(x), xnp.min(x), xnp.argmax(x), xnp.argmin(x))

    for n in SIZES:
        # Sums of 16-bit floats are rounded once, or once for each step.
        assert_compiled(f, draw(n, dtype), roundings=2.0 * (4 + n))


@pytest.mark.parametrize("axes", [(0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2)])
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_reductions_over_every_set_of_axes(axes, order):
    def f(x):
        y = xnp.transpose(x, order)
        return xnp.sum(y, axis=axes), xnp.max(y, axis=axes), xnp.mean(y * y, axis=axes)

    for shape in ((3, 17, 5), (2, 1, 33), (8, 9, 16)):
        assert_compiled(f, draw(shape, "float32"), roundings=64)


@pytest.mark.parametrize("shape", [(0,), (1, 1), (0, 3), (3, 0), (7, 33), (33, 7), (16, 16)])
def test_transposes_slices_and_pads(shape):
    def f(x):
        found = [x.T, x[::-1], xnp.roll(x, 2, 0), xnp.concatenate([x, x + 1], 0), x.reshape(-1)]
        found.append(lax.pad(x, xnp.float32(1), [(1, 2, 1)] * x.ndim))
        if x.shape[0] > 2:
            found += [x[1::2], x[::-2] + x[::-2].astype("int32"), x[2:] - x[:-2]]
        if x.ndim == 2:
            found += [x.T.reshape(-1), x.T[::-1].reshape(-1) + x.reshape(-1)]
        return found

    assert_compiled(f, draw(shape, "float32"))


@pytest.mark.parametrize("dtype", ["float32", "int32", "float16"])
def test_gathers_and_scatters(dtype):
    def f(x, i):
        return (
            xnp.take(x, i, axis=0, mode="clip"),
            xnp.take(x, i, axis=1, mode="wrap"),
            xnp.take(x, i, axis=0, mode="fill", fill_value=5),
            x.at[i].add(1, mode="drop"),
            x.at[i].set(2, mode="clip"),
            x.at[:, i].max(0, mode="drop"),
            lax.dynamic_slice(x, (i[0], i[1]), (2, 2)),
            lax.dynamic_update_slice(x, x[:2, :3], (i[1], i[2])),
        )

    for indices in ([0, 1, 2], [-1, 3, 3], [9, -9, 2]):
        assert_compiled(f, draw((4, 5), dtype), np.array(indices, np.int32))


@pytest.mark.parametrize("n", SIZES)
def test_cumulative_and_sorted(n):
    def f(x, k):
        return (
            xnp.cumsum(x, axis=0),
            xnp.cumsum(k, axis=1),
            lax.cummax(x, axis=1, reverse=True),
            lax.cumprod(k, axis=0),
            xnp.sort(x, axis=0),
            xnp.argsort(k, axis=1),
        )

    assert_compiled(f, draw((n, 3), "float32"), draw((2, n), "int32"), roundings=4 + 2.0 * n)


PRODUCTS = [
    ((3, 4), (4, 5)),
    ((1, 7), (7, 1)),
    ((0, 3), (3, 2)),
    ((3, 0), (0, 2)),
    ((65, 33), (33, 17)),
    ((64, 64), (64, 64)),
    ((2, 33, 40), (2, 40, 31)),
    ((40,), (40,)),
    ((40, 50), (50,)),
]


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "float16", "bfloat16"])
def test_products(dtype):
    for left, right in PRODUCTS:
        x, y = draw(left, dtype, 1), draw(right, dtype, 2)
        assert_compiled(lambda a, b: a @ b, x, y, roundings=64)


@pytest.mark.parametrize("turned", list(itertools.product((False, True), repeat=3)))
def test_products_of_transposed_matrices(turned):
    def f(a, b):
        a = a.T if turned[0] else a
        b = b.T if turned[1] else b
        return (a @ b).T if turned[2] else a @ b

    x = draw((50, 40) if turned[0] else (40, 50), "float32", 1)
    y = draw((45, 50) if turned[1] else (50, 45), "float32", 2)
    assert_compiled(f, x, y, roundings=64)
    assert_compiled(lambda a, b: f(a[2:, 2:], b[2:, 2:]), x, y, roundings=64)


def test_rows_are_stored_where_they_belong_when_their_loops_are_one():
    """The loops over rows were joined by how they read, though they wrote in another order."""

    def f(x):
        rows = xnp.sum(xnp.transpose(x, (2, 1, 0)) ** 2, axis=2)
        return rows @ xnp.concatenate((rows, rows), axis=0), rows

    assert_compiled(f, draw((17, 4, 2), "float64"), roundings=64)


def test_argmax_at_ties_and_nan():
    rows = np.array(
        [[1, 3, 3, 0], [np.nan, 1, np.nan, 2], [-np.inf, np.inf, np.inf, 0], [0.0, -0.0, 0.0, 0.0]],
        np.float32,
    )
    wide = np.tile(rows, (1, 9))
    for x in (rows, wide, rows.T.copy(), wide.T.copy()):
        for axis in (None, 0, 1):
            assert_compiled(lambda v, a=axis: (xnp.argmax(v, a), xnp.argmin(v, a)), x)
            assert_compiled(lambda v, a=axis: (xnp.max(v, a), xnp.min(v, a)), x)


def softmax(x: Any) -> Any:
    e = xnp.exp(x - xnp.max(x, axis=-1, keepdims=True))
    return e / xnp.sum(e, axis=-1, keepdims=True)


@pytest.mark.parametrize("n", [1, 3, 8, 33])
def test_softmax_of_rows_and_columns(n):
    x = draw((n, 9), "float32")
    assert_compiled(softmax, x, roundings=16)
    assert_compiled(lambda v: softmax(v.T).T, x, roundings=16)


@pytest.mark.parametrize("dtype", FLOATS)
def test_nan_infinities_and_signs_of_zero(dtype):
    edges = [0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.5]
    kind = ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype
    x = np.array(list(itertools.product(edges, edges)), np.float64).astype(kind)
    a, b = x[:, 0].copy(), x[:, 1].copy()

    def f(u, v):
        return (
            u + v,
            u - v,
            u * v,
            u / v,
            xnp.maximum(u, v),
            xnp.minimum(u, v),
            -u,
            abs(u),
            u < v,
            u == v,
            u != v,
            xnp.sign(u),
            xnp.sqrt(u),
            xnp.where(u < v, u, v),
        )

    assert_compiled(f, a, b)
    for got, want in zip(xform.jit(f)(a, b), f(xnp.asarray(a), xnp.asarray(b)), strict=True):
        if dtypes.is_float(want.dtype):
            signs = [np.signbit(np.asarray(y).astype(np.float64)) for y in (got, want)]
            known = ~np.isnan(np.asarray(want).astype(np.float64))
            np.testing.assert_array_equal(signs[0][known], signs[1][known])


def test_division_and_remainder_of_integers():
    x = np.arange(-9, 10, dtype=np.int32)
    for by in (1, 2, 3, 7, -1, -2, -3, -7):
        assert_compiled(lambda v, d=by: (v // d, v % d, lax.rem(v, xnp.full_like(v, d))), x)
    y = np.array([3, -3, 5, 1, -1, 7, 2, -2, 4, 9, -9, 8, 6, -6, 5, 4, 3, 2, 1], np.int32)
    assert_compiled(lambda v, d: (v // d, v % d, xnp.divmod(v, d)), x, y)


def test_fusion_may_stop_deciding_early(monkeypatch):
    # What the last round decides to store must be computed, too.
    def f(x):
        y = xnp.tanh(x)  # computed by two nests, so stored in the second round
        return xnp.sum(y, 0), xnp.sum(y, 1)

    x = np.linspace(-1, 1, 64).astype(np.float32).reshape(16, 4)
    wanted = f(xnp.asarray(x))
    monkeypatch.setattr(fusion, "_ROUNDS", 1)
    with xform.config.scoped(cache_dir=""):
        found = xform.jit(lambda x: f(x))(x)
    for got, want in zip(found, wanted, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "subscripts",
    ["abc,acd->bd", "abc,dac->bd", "abcd,bdef->acef", "abcd,dbea->ce", "abc,cab->", "bac,dab->cd"],
)
def test_products_over_any_dimensions(subscripts):
    sizes = dict(zip("abcdef", (40, 36, 44, 32, 3, 5), strict=True))
    rng = np.random.default_rng(0)
    left, right = subscripts.split("->")[0].split(",")
    x, y = (rng.normal(size=[sizes[c] for c in s]).astype(np.float32) for s in (left, right))
    wanted = np.einsum(subscripts, x.astype(np.float64), y, optimize=True)
    found = xform.jit(lambda x, y: xnp.einsum(subscripts, x, y))(x, y)
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-2)


def test_products_of_what_is_put_together():
    x, w = np.ones((8, 16), np.float32), np.ones((64, 80), np.float32)
    f = xform.jit(lambda x, w: xnp.concatenate([x, 2 * x, x, x], axis=-1) @ w)
    np.testing.assert_array_equal(f(x, w), np.full((8, 80), 80, np.float32))
