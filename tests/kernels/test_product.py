"""Products of matrices by our own kernels, against NumPy in float64."""

import ctypes

import numpy as np
import pytest

import xform
import xform.numpy as xnp
from xform._kernels import builder as llvm, product
from xform.compiler.target import host
from xform.config import config
from xform.runtime import thread_pool
from xform.runtime.engine import link

DTYPES = {"float": np.float32, "double": np.float64}
WIDTHS = [w for w in (32, 64) if w <= host().vector_bytes and host().has_fma]
CASES = [(element, width) for element in DTYPES for width in WIDTHS]

pytestmark = pytest.mark.skipif(not WIDTHS, reason="this machine multiplies by BLAS")


@pytest.fixture(scope="module", params=CASES, ids=lambda c: f"{c[0]}-{c[1]}")
def multiply(request):
    """The function of a module as one of NumPy arrays, with the names of its dtype and cut."""
    element, width = request.param
    name = product.entry(element)
    code = host().object_code(product.module_text(element, width))
    library = link(code, [name], thread_pool.symbols())
    number, pointer = ctypes.c_int64, ctypes.c_void_p
    kinds = [number] * 3 + [pointer, number, number] * 2 + [pointer, number]
    run = ctypes.CFUNCTYPE(None, *kinds)(library[name])

    def call(a, b, c):
        size = c.itemsize
        (m, k), n = a.shape, b.shape[1]
        given = [(x.ctypes.data, *(s // size for s in x.strides)) for x in (a, b)]
        run(m, n, k, *given[0], *given[1], c.ctypes.data, c.strides[0] // size)

    call.library = library
    call.dtype = DTYPES[element]
    call.cut = product.tiling(element, width)
    return call


def check(multiply, a, b):
    """Every element within the rounding of its sum, and nothing written around them."""
    m, n = len(a), b.shape[1]
    frame = np.full((m + 2, n + 3), 7, multiply.dtype)
    multiply(a, b, frame[1:-1, 1 : n + 1])
    found = frame[1:-1, 1 : n + 1].copy()
    frame[1:-1, 1 : n + 1] = 7
    assert (frame == 7).all()
    exact = a.astype(np.float64) @ b.astype(np.float64)
    bound = np.abs(a).astype(np.float64) @ np.abs(b).astype(np.float64)
    steps = a.shape[1] + 1
    eps = np.finfo(multiply.dtype).eps
    reference = 2.0**-53 * steps * bound  # what the reference itself may be off by
    assert (np.abs(found - exact) <= steps * eps * bound + reference).all()
    return found


def draw(multiply, rng, *shape):
    return rng.normal(size=shape).astype(multiply.dtype)


@pytest.mark.parametrize("seed", range(4))
def test_any_sizes(multiply, seed):
    rng = np.random.default_rng(seed)
    for most in (3, 20, 70, 400):
        for _ in range(12):
            m, n, k = rng.integers(1, most, 3)
            check(multiply, draw(multiply, rng, m, k), draw(multiply, rng, k, n))


def test_sizes_at_the_edges_of_tiles_and_blocks(multiply):
    cut, rng = multiply.cut, np.random.default_rng(1)
    for m in (cut.rows - 1, cut.rows, cut.rows + 1, cut.height, cut.height + 1):
        for n in (cut.lanes, cut.lanes + 1, cut.columns, cut.columns + 1):
            check(multiply, draw(multiply, rng, m, 5), draw(multiply, rng, 5, n))
    for k in (1, cut.lanes - 1, cut.lanes + 1, cut.depth, cut.depth + 1, 2 * cut.depth + 3):
        check(multiply, draw(multiply, rng, 17, k), draw(multiply, rng, k, 35))


STRIDES = {
    "transposed": lambda x: np.ascontiguousarray(x.T).T,
    "every other row": lambda x: np.repeat(x, 2, 0)[::2],
    "every other column": lambda x: np.repeat(x, 2, 1)[:, ::2],
    "backwards": lambda x: x[::-1, ::-1].copy()[::-1, ::-1],
    "one row": lambda x: np.broadcast_to(x[:1], x.shape),
    "one number": lambda x: np.broadcast_to(x[:1, :1], x.shape),
}


@pytest.mark.parametrize("left", STRIDES)
@pytest.mark.parametrize("right", STRIDES)
def test_any_strides(multiply, left, right):
    rng = np.random.default_rng(2)
    a, b = draw(multiply, rng, 30, 41), draw(multiply, rng, 41, 53)
    check(multiply, STRIDES[left](a), STRIDES[right](b))


def test_misaligned_operands(multiply):
    rng = np.random.default_rng(3)
    memory = np.zeros(4000, np.uint8)
    size = np.dtype(multiply.dtype).itemsize
    start = -memory.ctypes.data % 64 + size
    a = memory[start : start + 15 * 20 * size].view(multiply.dtype).reshape(15, 20)
    a[:] = draw(multiply, rng, 15, 20)
    check(multiply, a, draw(multiply, rng, 20, 37))


def test_numbers_that_are_not_finite_stay_in_their_row_and_column(multiply):
    rng = np.random.default_rng(4)
    a, b = draw(multiply, rng, 31, 19), draw(multiply, rng, 19, 45)
    a[3, 5], a[30, 0], b[7, 44] = np.nan, np.inf, -np.inf
    c = np.empty((31, 45), multiply.dtype)
    multiply(a, b, c)
    exact = a.astype(np.float64) @ b.astype(np.float64)
    np.testing.assert_array_equal(np.isnan(c), np.isnan(exact))
    np.testing.assert_array_equal(np.isinf(c), np.isinf(exact))


def test_the_same_bits_for_any_number_of_threads(multiply):
    rng = np.random.default_rng(5)
    for m, n, k in ((600, 90, 300), (70, 900, 300), (257, 263, 269)):
        a, b = draw(multiply, rng, m, k), draw(multiply, rng, k, n)
        results = []
        for count in (1, 2, 3, 5):
            with config.scoped(num_threads=count):
                results.append(check(multiply, a, b).tobytes())
        assert len(set(results)) == 1


def test_a_part_of_a_product_is_the_product_of_a_part(multiply):
    rng = np.random.default_rng(6)
    a, b = draw(multiply, rng, 100, 300), draw(multiply, rng, 300, 90)
    whole = check(multiply, a, b)
    part = check(multiply, a[37:61], b[:, 5:88])
    assert part.tobytes() == whole[37:61, 5:88].tobytes()


@pytest.mark.parametrize("lanes", [2, 4, 8, 16])
def test_transposed_squares(lanes):
    b = llvm.Builder()
    source, target = (llvm.Value(b, f"%{x}", "ptr", 1, 0) for x in "st")
    rows = [b.load("i32", b.pointer(source, "i32", k * lanes), lanes) for k in range(lanes)]
    for k, column in enumerate(product.transposed(b, rows)):
        b.store(column, b.pointer(target, "i32", k * lanes))
    text = f"define void @turn(ptr %s, ptr %t) {{\nentry:\n{b.body()}\n  ret void\n}}"
    library = link(host().object_code(text), ["turn"])
    found, given = np.zeros((lanes, lanes), np.int32), np.arange(lanes**2, dtype=np.int32)
    ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)(library["turn"])(
        given.ctypes.data, found.ctypes.data
    )
    np.testing.assert_array_equal(found, given.reshape(lanes, lanes).T)


# -- in programs -----------------------------------------------------------------------------------


def test_programs_multiply_with_them_and_by_blas(monkeypatch):
    rng = np.random.default_rng(7)
    a, b = (rng.normal(size=(50, 50)).astype(np.float32) for _ in range(2))
    with config.scoped(cache_dir=""):
        own = xform.jit(lambda a, b: a @ b.T)
        assert "@product_float" in own.lower(a, b).as_text("llvm")
        monkeypatch.setattr(product, "is_offered", lambda vector_bytes, has_fma: False)
        blas = xform.jit(lambda a, b: 1.0 * (a @ b.T))
        assert "@sgemm" in blas.lower(a, b).as_text("llvm")
    for found in (own(a, b), blas(a, b)):
        np.testing.assert_allclose(found, a.astype(np.float64) @ b.T, rtol=1e-4, atol=1e-4)


BATCHES = {
    "one axis": ((40, 33, 35), (40, 35, 37), "bij,bjk->bik"),
    "two axes": ((3, 20, 33, 35), (3, 20, 35, 37), "abij,abjk->abik"),
    "apart": ((20, 33, 3, 35), (3, 35, 20, 37), "biaj,ajbk->abik"),
    "one of size 1": ((1, 50, 33, 35), (1, 50, 35, 37), "abij,abjk->abik"),
    "few": ((2, 33, 35), (2, 35, 37), "bij,bjk->bik"),
}


@pytest.mark.parametrize("name", BATCHES)
def test_batches(name):
    left, right, rule = BATCHES[name]
    rng = np.random.default_rng(8)
    a, b = (rng.normal(size=s).astype(np.float32) for s in (left, right))
    compiled = xform.jit(lambda a, b: xnp.einsum(rule, a, b))
    exact = np.einsum(rule, a.astype(np.float64), b.astype(np.float64))
    results = []
    for count in (1, 3):
        with xform.threads(count):
            results.append(np.asarray(compiled(a, b)))
    np.testing.assert_allclose(results[0], exact, rtol=1e-3, atol=1e-4)
    assert results[0].tobytes() == results[1].tobytes()
