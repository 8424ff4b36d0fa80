"""Tables that are read at an index of each lane's own."""

from __future__ import annotations

import ctypes
import doctest

import numpy as np
import pytest
from harness import AVX2, BASELINE

from xform._kernels import builder, scalar
from xform.compiler.target import Target, host
from xform.runtime.engine import link

lookup = scalar.lookup
TARGETS = {"host": host(), "avx2": AVX2, "baseline": BASELINE}
PASSES = ((), ("instcombine", "new-gvn"), ("O2",))


def written(target: Target, element: str, table: list[float], lanes: int) -> str:
    """The module of `void k(ptr indices, ptr values)`."""
    b = builder.Builder(fused=target.has_fma, vector_bytes=target.vector_bytes)
    indices, values = (builder.Value(b, name, "ptr", 1, 0) for name in ("%p0", "%p1"))
    index = b.load("i64" if element == "double" else "i32", indices, lanes)
    b.store(lookup.lookup(b, element, table, index), values)
    body = f"define void @k(ptr %p0, ptr %p1) {{\nentry:\n{b.body()}\n  ret void\n}}\n"
    return body + "\n".join(sorted(b.declarations)) + "\n"


@pytest.mark.parametrize("passes", PASSES, ids=("none", "few", "all"))
@pytest.mark.parametrize("entries", (8, 16))
@pytest.mark.parametrize("element", ("float", "double"))
@pytest.mark.parametrize("target", TARGETS)
def test_every_entry(target: str, element: str, entries: int, passes: tuple[str, ...]) -> None:
    dtype, integer = ("<f4", "<i4") if element == "float" else ("<f8", "<i8")
    table = [1.25 * k - 3 for k in range(entries)]
    rng = np.random.default_rng(2)
    for lanes in (1, 2, 4, 8, 16, 32):
        text = written(TARGETS[target], element, table, lanes)
        library = link(TARGETS[target].object_code(text, passes=passes), ["k"])
        function = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)(library["k"])
        for _ in range(4):
            index = rng.integers(0, entries, lanes).astype(integer)
            got = np.empty(lanes, dtype)
            function(index.ctypes.data, got.ctypes.data)
            np.testing.assert_array_equal(got, np.array(table, dtype)[index])


def test_wide_registers_are_permuted() -> None:
    """One instruction reads a table of eight doubles, whatever passes run."""
    wide = Target(host().triple, "x86-64-v4", "", 64, True)
    for passes in PASSES:
        text = written(wide, "double", [float(k) for k in range(8)], 8)
        assembly = wide.assembly(text, passes=passes)
        assert "vpermpd" in assembly or "vpermq" in assembly or "vpermi2" in assembly
        assert "gather" not in assembly


def test_the_examples() -> None:
    failed, tried = doctest.testmod(lookup, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert failed == 0 and tried >= 3
