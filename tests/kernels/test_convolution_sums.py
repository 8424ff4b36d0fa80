"""Sums of products over axes, on processors of several widths, against NumPy's strided arrays."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Sequence

import numpy as np
import pytest
from harness import AVX2, BASELINE
from hypothesis import given, strategies as st

from xform._kernels import builder, convolution, tiling
from xform.compiler.target import Target, host
from xform.runtime.engine import link

Axis = tuple[int, int, int, int]
TARGETS = {"host": host(), "avx2": AVX2, "baseline": BASELINE}
RNG = np.random.default_rng(0)


def part(axes: Sequence[Axis]) -> tiling.Part:
    return tiling.Part(tuple(tiling.Axis(*a) for a in axes))


def execute(
    target: Target, plans: Sequence[tiling.Plan], element: str, arrays: Sequence[np.ndarray]
) -> None:
    """Fills the last of the arrays."""
    b = builder.Builder(fused=target.has_fma)
    pointers = [builder.Value(b, f"%p{k}", "ptr", 1, 0) for k in range(4)]
    convolution.write(b, plans, element, pointers, arrays[2].size)
    text = f"define void @k({', '.join(f'ptr {p.name}' for p in pointers)}) {{\nentry:\n"
    text += f"{b.body()}\n  ret void\n}}\n" + "\n".join(sorted(b.declarations))
    library = link(target.object_code(text), ["k"])
    room = np.full(max(1, tiling.room(plans)), 55).astype(arrays[0].dtype)
    function = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 4)(library["k"])
    function(*(a.ctypes.data for a in (*arrays, room)))


def run(
    target: Target,
    axes: Sequence[Axis],
    arrays: Sequence[np.ndarray],
    frame: tiling.Frame | None = None,
) -> tuple[np.ndarray, tiling.Plan]:
    """The output, and how it was made."""
    dtype = arrays[0].dtype
    machine = tiling.Machine(target.vector_bytes, target.registers)
    plan = tiling.plan(part(axes), dtype.itemsize, machine, frame)
    element = {"float32": "float", "float64": "double", "int16": "i16"}[dtype.name]
    out = np.full(math.prod(n for n, _, _, to in axes if to), 77).astype(dtype)
    execute(target, [plan], element, [*arrays, out])
    return out, plan


def reference(axes: Sequence[Axis], arrays: Sequence[np.ndarray]) -> np.ndarray:
    """The same by strides: every axis is a dimension."""
    shape = tuple(a[0] for a in axes)
    left, right = (
        np.lib.stride_tricks.as_strided(x, shape, [a[side] * x.itemsize for a in axes])
        for side, x in zip((1, 2), arrays, strict=True)
    )
    summed = tuple(k for k, a in enumerate(axes) if not a[3])
    terms = (left.astype(np.float64) * right).sum(axis=summed)
    steps = [a[3] for a in axes if a[3]]
    return terms.transpose(np.argsort(steps)[::-1]).reshape(-1)


def arrays_for(axes: Sequence[Axis], dtype: str) -> list[np.ndarray]:
    sizes = [1 + sum((a[0] - 1) * a[side] for a in axes) for side in (1, 2)]
    if dtype == "int16":
        return [RNG.integers(-9, 9, n).astype(dtype) for n in sizes]
    return [RNG.normal(size=n).astype(dtype) for n in sizes]


def check(target: Target, axes: Sequence[Axis], dtype: str) -> tiling.Plan:
    arrays = arrays_for(axes, dtype)
    got, plan = run(target, axes, arrays)
    wanted = reference(axes, arrays)
    if dtype == "int16":
        np.testing.assert_array_equal(got, wanted.astype(np.int64).astype(dtype))
    else:
        terms = math.prod(a[0] for a in axes if not a[3])
        np.testing.assert_allclose(got, wanted, rtol=0, atol=np.finfo(dtype).eps * 8 * terms)
    return plan


def product(m: int, n: int, k: int) -> list[Axis]:
    return [(m, k, 0, n), (n, 0, 1, 1), (k, 1, n, 0)]


def image(n: int, side: int, window: int, features: int, outputs: int) -> list[Axis]:
    """A convolution of padded images with features last."""
    wide = side + window - 1
    return [
        (n, wide * wide * features, 0, side * side * outputs),
        (side, wide * features, 0, side * outputs),
        (side, features, 0, outputs),
        (outputs, 0, 1, 1),
        (window, wide * features, window * features * outputs, 0),
        (window, features, features * outputs, 0),
        (features, 1, outputs, 0),
    ]


CASES = {
    "product": product(31, 45, 20),
    "vector": product(1, 70, 300),
    "outer product": [(9, 1, 0, 21), (21, 0, 1, 1)],
    "inner product": [(300, 1, 1, 0)],
    "inner products": [(50, 40, 0, 3), (3, 0, 40, 1), (40, 1, 1, 0)],
    "inner products along a line": [(3, 0, 160, 50), (50, 40, 0, 1), (40, 1, 1, 0), (3, 80, 40, 0)],
    "inner products of odd lengths": [(50, 12, 0, 1), (12, 1, 1, 0)],
    "one number": [(1, 0, 0, 1)],
    "long product": product(37, 64, 5000),
    "many rows": product(5600, 40, 24),
    "few terms, many lanes": [(70, 1, 0, 1000), (1000, 0, 1, 1), (9, 1, 1000, 0)],
    "image": image(2, 15, 3, 20, 40),
    "depthwise": [(9, 66, 0, 33), (33, 1, 1, 1), (3, 33, 33, 0)],
    "transposed output": [(29, 8, 0, 1), (50, 0, 1, 29), (8, 1, 50, 0)],
    "transposed output, added to": [(29, 1, 0, 1), (50, 0, 1, 29), (6000, 29, 50, 0)],
    "lanes in the left array": [(11, 0, 7, 90), (90, 1, 0, 1), (7, 90, 1, 0)],
    "groups": [(3, 8, 8 * 5, 5), (17, 24, 0, 15), (5, 0, 1, 1), (8, 1, 5, 0)],
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("dtype", ["float32", "float64", "int16"])
def test_it_is_the_sum_of_products(name: str, target: str, dtype: str) -> None:
    check(TARGETS[target], CASES[name], dtype)


@given(
    st.lists(st.integers(1, 20), min_size=1, max_size=3),
    st.lists(st.integers(1, 7), min_size=0, max_size=3),
    st.sampled_from(sorted(TARGETS)),
    st.randoms(use_true_random=False),
)
def test_any_steps(free: list[int], summed: list[int], target: str, random) -> None:
    out = 1
    axes: list[Axis] = []
    for k, n in enumerate(free):
        steps = (1, 0) if random.random() < 0.5 else (0, 1)
        if k == 0 and random.random() < 0.3:
            steps = (1, 1)
        scale = 1 if k == 0 else random.randint(1, 40)
        axes.append((n, steps[0] * scale, steps[1] * scale, out))
        out *= n
    axes += [(n, random.randint(1, 30), random.randint(1, 30), 0) for n in summed]
    random.shuffle(axes)
    check(TARGETS[target], axes, "float32")


def test_forms_of_tiles_fit_the_registers() -> None:
    for target in TARGETS.values():
        machine = tiling.Machine(target.vector_bytes, target.registers)
        for axes in CASES.values():
            tile = tiling.plan(part(axes), 4, machine).tile
            assert tile.height * tile.vectors + tile.vectors + 1 <= machine.registers
    wide = tiling.plan(part(product(560, 640, 64)), 4, tiling.Machine(64, 32))
    assert (wide.tile.height, wide.tile.vectors, wide.tile.width) == (14, 2, 16)


def test_long_sums_are_divided() -> None:
    plan = check(host(), CASES["long product"], "float32")
    assert plan.accumulates
    assert not check(host(), CASES["product"], "float32").accumulates


def test_parts_begin_where_they_are_told() -> None:
    # Columns 0, 3, 6, ... are sums of the first five terms, columns 1, 4, ... of the last four.
    x, w = RNG.normal(size=(30, 9)), RNG.normal(size=(9, 7, 3))
    machine = tiling.Machine(host().vector_bytes, host().registers)

    def axes(terms: int) -> tuple[tiling.Axis, ...]:
        steps = (30, 9, 0, 21), (7, 0, 3, 3), (terms, 1, 21, 0)
        return tuple(tiling.Axis(*a) for a in steps)

    parts = tiling.Part(axes(5)), tiling.Part(axes(4), (5, 5 * 21 + 1, 1))
    plans = [tiling.plan(p, 8, machine) for p in parts]
    out = np.full((30, 7, 3), 77.0)
    execute(host(), plans, "double", [x, w, out])
    np.testing.assert_allclose(out[..., 0], x[:, :5] @ w[:5, :, 0], rtol=0, atol=1e-13)
    np.testing.assert_allclose(out[..., 1], x[:, 5:] @ w[5:, :, 1], rtol=0, atol=1e-13)
    np.testing.assert_array_equal(out[..., 2], 0)


@pytest.mark.parametrize("low", [(2, 1), (0, 3), (-1, -2), (-9, 0)])
def test_parts_lie_in_a_frame_of_zeros(low: tuple[int, int]) -> None:
    parts, size, room, features, outputs = 3, (5, 6), (7, 8), 4, 20
    x = RNG.normal(size=(parts, *size, features)).astype(np.float32)
    w = RNG.normal(size=(features, outputs)).astype(np.float32)
    axes = [
        (parts, math.prod(size) * features, 0, math.prod(room) * outputs),
        (room[0], room[1] * features, 0, room[1] * outputs),
        (room[1], features, 0, outputs),
        (outputs, 0, 1, 1),
        (features, 1, outputs, 0),
    ]
    dims = [*zip(size, room, low, strict=True), (features, features, 0)]
    got, plan = run(host(), axes, [x, w], tiling.Frame(tuple(dims)))
    framed = np.zeros((parts, *room, features), np.float32)
    for i in range(room[0]):
        for j in range(room[1]):
            a, b = i - low[0], j - low[1]
            if 0 <= a < size[0] and 0 <= b < size[1]:
                framed[:, i, j] = x[:, a, b]
    np.testing.assert_allclose(got.reshape(parts, *room, outputs), framed @ w, rtol=0, atol=1e-5)
    assert plan.outer[0].extent == parts
