"""Targets, object code, and linking it."""

from __future__ import annotations

import ctypes
import gc
import threading

import pytest

from xform.compiler.target import Target, host
from xform.errors import CompileError
from xform.runtime import blas, engine

SQUARE = """
define double @square(double %x) {
  %y = fmul double %x, %x
  ret double %y
}
"""
CALLS = """
declare i32 @outside(i32)
declare double @cos(double)
define i32 @call(i32 %x) {
  %y = call i32 @outside(i32 %x)
  ret i32 %y
}
define double @library(double %x) {
  %y = call double @cos(double %x)
  ret double %y
}
"""
DOUBLE = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)


def square(text=SQUARE, **options):
    return engine.link(host().object_code(text, **options), ["square"])


def test_the_host():
    target = host()
    assert target is host()
    assert target.vector_bytes in (16, 32, 64)
    assert ("+avx512f" in target.features) == (target.vector_bytes == 64)
    assert target.cpu in target.identity()
    assert target.features in target.identity()
    other = Target(target.triple, "x86-64", "", 16, False)
    assert other.identity() != target.identity()


@pytest.mark.parametrize("opt_level", [1, 2, 3])
@pytest.mark.parametrize(
    "passes", [(), ("sroa", "instcombine", "simplifycfg"), ("always-inline", "new-gvn"), ("O3",)]
)
def test_compiling_and_linking(opt_level, passes):
    library = square(opt_level=opt_level, passes=passes)
    assert DOUBLE(library["square"])(3.0) == 9.0
    assert "square" in library
    assert list(library) == ["square"]
    assert len(library) == 1
    assert "square" in host().assembly(SQUARE)


def test_passes_change_the_code():
    text = """
    define i32 @square(i32 %x) {
      %a = alloca i32
      store i32 %x, ptr %a
      %b = load i32, ptr %a
      ret i32 %b
    }
    """
    assert len(host().assembly(text, passes=["sroa"])) < len(host().assembly(text))


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("define", {}, "expected type"),
        ("define i32 @f() { ret i64 0 }", {}, "LLVM IR"),
        ("define i32 @f() {\nentry:\n  ret i32 %x\n}", {}, "undefined value"),
        (SQUARE, {"passes": ["fast"]}, "'fast'"),
        (SQUARE, {"opt_level": 0}, "opt_level"),
    ],
)
def test_what_is_refused(text, options, message):
    with pytest.raises(CompileError, match=message):
        host().object_code(text, **options)


def test_symbols():
    @ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)
    def outside(x):
        return x + 7

    address = ctypes.cast(outside, ctypes.c_void_p).value
    library = engine.link(host().object_code(CALLS), ["call", "library"], {"outside": address})
    assert ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)(library["call"])(1) == 8
    assert DOUBLE(library["library"])(0.0) == 1.0


@pytest.mark.parametrize(
    ("code", "exports"),
    [(b"", ["f"]), (b"nonsense", ["f"]), (None, ["missing"])],
    ids=["empty", "nonsense", "missing"],
)
def test_linking_what_is_broken(code, exports, capfd):
    object_code = host().object_code(SQUARE) if code is None else code
    with pytest.raises(CompileError, match=exports[0]):
        engine.link(object_code, exports)
    with pytest.raises(CompileError):
        engine.link(host().object_code(CALLS), ["call"])
    capfd.readouterr()
    library = square()
    assert DOUBLE(library["square"])(2.0) == 4.0


def mapped():
    with open("/proc/self/maps") as file:
        return sum(1 for _ in file)


def test_dropped_libraries_are_unloaded():
    object_code = host().object_code(SQUARE)
    try:
        before = mapped()
    except FileNotFoundError:
        pytest.skip("reads /proc")
    for _ in range(100):
        engine.link(object_code, ["square"])
    gc.collect()
    assert mapped() - before < 50


def test_the_same_name_in_two_libraries():
    first = square()
    second = square(SQUARE.replace("%x, %x", "%x, 2.0"))
    assert DOUBLE(first["square"])(5.0) == 25.0
    assert DOUBLE(second["square"])(5.0) == 10.0
    del first
    assert DOUBLE(second["square"])(5.0) == 10.0


def test_constants_of_many_libraries():
    """Each library reads its own constants, wherever the memory manager put them."""
    libraries = [square(SQUARE.replace("%x, %x", f"%x, {n}.5")) for n in range(40)]
    assert [DOUBLE(each["square"])(2.0) for each in libraries] == [2 * n + 1.0 for n in range(40)]


def test_threads_compile_and_link():
    errors = []

    def work(seed):
        try:
            for n in range(5):
                library = square(SQUARE.replace("%x, %x", f"%x, {seed * 10 + n}.0"))
                assert DOUBLE(library["square"])(2.0) == 2.0 * (seed * 10 + n)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors


@pytest.mark.parametrize("routine", ["sgemm", "dgemm", "cgemm", "zgemm", "sgemv", "dgemv"])
def test_blas_has(routine):
    assert blas.address(routine) > 0
    assert blas.symbols(routine) == {routine: blas.address(routine)}


def test_blas_multiplies():
    scalar, character = ctypes.c_double, ctypes.c_char
    two = ctypes.c_int(2)
    a, b, c = (scalar * 4)(1, 2, 3, 4), (scalar * 4)(5, 6, 7, 8), (scalar * 4)()
    arguments = (character(b"N"), character(b"N"), two, two, two, scalar(1), b, two, a, two)
    arguments += (scalar(0), c, two)
    routine = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 13)(blas.address("dgemm"))
    routine(*[ctypes.addressof(each) for each in arguments])
    assert list(c) == [19.0, 22.0, 43.0, 50.0]


def test_blas_lacks():
    with pytest.raises(CompileError, match="'qgemm'"):
        blas.address("qgemm")
