"""Blocks and loops of the builder: values that are as wide as those they meet."""

from __future__ import annotations

import ctypes
from collections.abc import Callable

import numpy as np

from xform._kernels import builder
from xform.compiler.target import host
from xform.runtime.engine import link

LANES = 4


def run(write: Callable[[builder.Builder, builder.Value], builder.Value], which: int) -> np.ndarray:
    """Four numbers that are written with an i32, an integer, at hand."""
    b = builder.Builder()
    index, out = builder.Value(b, "%i", "i32", 1, 0), builder.Value(b, "%out", "ptr", 1, 0)
    b.store(b.splat(write(b, index), LANES), out)
    text = f"define void @k(i32 %i, ptr %out) {{\nentry:\n{b.body()}\n  ret void\n}}\n"
    library = link(host().object_code(text + "\n".join(sorted(b.declarations))), ["k"])
    found = np.zeros(LANES, np.int64)
    ctypes.CFUNCTYPE(None, ctypes.c_int32, ctypes.c_void_p)(library["k"])(which, found.ctypes.data)
    return found


def test_a_loop_carries_a_number_where_it_began_with_a_vector() -> None:
    def write(b: builder.Builder, index: builder.Value) -> builder.Value:
        with b.loop(3, carried=[b.lane_index(LANES, "i64")]) as loop:
            loop.carry(loop.index * 5 + b.cast("sext", index, "i64"))
        return loop.results[0]

    np.testing.assert_array_equal(run(write, 7), np.full(LANES, 17))


def test_a_number_from_outside_is_chosen_beside_a_vector() -> None:
    def write(b: builder.Builder, index: builder.Value) -> builder.Value:
        known = b.cast("sext", index, "i64") * 9
        lanes = b.lane_index(LANES, "i64")
        (chosen,) = b.choose(index, [lambda: [known], lambda: [lanes]])
        return chosen

    np.testing.assert_array_equal(run(write, 0), np.zeros(LANES))
    np.testing.assert_array_equal(run(write, 1), np.arange(LANES))
