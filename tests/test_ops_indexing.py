"""Slices, gather, scatter, products and sorting against definitions written out as loops."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import xform
from xform import errors
from xform.interpreters.forward import jvp_flat
from xform.interpreters.reverse import vjp_flat
from xform.ops.contraction import dot_general
from xform.ops.indexing import gather, scatter, scatter_add, take_along
from xform.ops.scattering import scatter_max, scatter_min, scatter_mul
from xform.ops.slicing import concatenate, dynamic_slice, dynamic_update_slice, pad, slice_
from xform.ops.sorting import sort
from xform.ops.windows import (
    GatherDimensionNumbers,
    GatherScatterMode,
    ScatterDimensionNumbers,
    gathered_shape,
    window_dimensions,
    writing,
)

FILL = GatherScatterMode.FILL_OR_DROP
CLIP = GatherScatterMode.CLIP
PROMISE = GatherScatterMode.PROMISE_IN_BOUNDS

# Operand shape, indices shape, numbers, window sizes.
CASES = {
    "elements": ((5,), (4, 1), GatherDimensionNumbers((), (0,), (0,)), (1,)),
    "rows": ((5, 3), (2, 4, 1), GatherDimensionNumbers((2,), (0,), (0,)), (1, 3)),
    "columns first": ((5, 3), (4, 1), GatherDimensionNumbers((0,), (1,), (1,)), (5, 1)),
    "two coordinates": ((4, 5), (6, 2), GatherDimensionNumbers((), (0, 1), (1, 0)), (1, 1)),
    "blocks": ((6, 5), (3, 2), GatherDimensionNumbers((0, 2), (), (0, 1)), (2, 3)),
    "batching": (
        (3, 5, 4),
        (2, 3, 1),
        GatherDimensionNumbers((2,), (1,), (1,), (0,), (1,)),
        (1, 1, 4),
    ),
    "two batching": (
        (3, 2, 6),
        (2, 3, 1),
        GatherDimensionNumbers((1,), (), (2,), (0, 1), (1, 0)),
        (1, 1, 2),
    ),
    "one block": ((7,), (1,), GatherDimensionNumbers((0,), (), (0,)), (3,)),
    "no windows": ((3, 2), (0, 1), GatherDimensionNumbers((1,), (0,), (0,)), (1, 2)),
    "no index": ((2, 3), (4, 0), GatherDimensionNumbers((0, 1), (), ()), (2, 3)),
}


def gather_params(numbers, sizes, mode, fill_value=None):
    return {
        "dimension_numbers": numbers,
        "slice_sizes": sizes,
        "mode": mode,
        "fill_value": fill_value,
        "unique_indices": False,
        "indices_are_sorted": False,
    }


def scatter_params(numbers, mode, unique=False):
    return {
        "dimension_numbers": numbers,
        "mode": mode,
        "unique_indices": unique,
        "indices_are_sorted": False,
    }


def elements(shape, indices, numbers, sizes, mode):
    """(index in the output, index in the operand or None where it is outside), one by one."""
    out = gathered_shape(indices.shape, sizes, numbers)
    inside = window_dimensions(len(shape), numbers)
    for index in itertools.product(*map(range, out)):
        window = tuple(i for d, i in enumerate(index) if d not in numbers.offset_dims)
        start = [0] * len(shape)
        for k, d in enumerate(numbers.start_index_map):
            start[d] = int(indices[(*window, k)])
        if mode is CLIP:
            start = [
                min(max(a, 0), n - s) if d in numbers.start_index_map else a
                for d, (a, n, s) in enumerate(zip(start, shape, sizes, strict=True))
            ]
        fits = all(0 <= start[d] <= shape[d] - sizes[d] for d in numbers.start_index_map)
        for d, b in zip(
            numbers.operand_batching_dims, numbers.start_indices_batching_dims, strict=True
        ):
            start[d] = window[b]
        for d, o in zip(inside, numbers.offset_dims, strict=True):
            start[d] += index[o]
        yield index, tuple(start) if fits else None


def draw_starts(rng, shape, indices, numbers):
    columns = [rng.integers(-2, shape[d] + 2, indices[:-1]) for d in numbers.start_index_map]
    return np.stack(columns, -1).astype(np.int32) if columns else np.zeros(indices, np.int32)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize("mode", [FILL, CLIP], ids=str)
@pytest.mark.parametrize("case", CASES)
def test_gather_is_its_definition(case, mode, rng):
    shape, indices, numbers, sizes = CASES[case]
    x = rng.normal(size=shape).astype(np.float32)
    starts = draw_starts(rng, shape, indices, numbers)
    expected = np.full(gathered_shape(indices, sizes, numbers), 7.0, np.float32)
    for index, place in elements(shape, starts, numbers, sizes, mode):
        if place is not None:
            expected[index] = x[place]
    got = gather(x, starts, **gather_params(numbers, sizes, mode, 7.0))
    np.testing.assert_array_equal(np.asarray(got), expected)


COMBINE = [
    (scatter, lambda old, new: new),
    (scatter_add, np.add),
    (scatter_mul, np.multiply),
    (scatter_min, np.minimum),
    (scatter_max, np.maximum),
]


@pytest.mark.parametrize("mode", [FILL, CLIP, PROMISE], ids=str)
@pytest.mark.parametrize("row, combine", COMBINE, ids=lambda v: getattr(v, "name", ""))
@pytest.mark.parametrize("case", CASES)
def test_scatter_is_its_definition(case, row, combine, mode, rng):
    shape, indices, numbers, sizes = CASES[case]
    x = rng.normal(size=shape).astype(np.float32)
    updates = rng.normal(size=gathered_shape(indices, sizes, numbers)).astype(np.float32)
    starts = draw_starts(rng, shape, indices, numbers)
    expected = x.copy()
    # A broken promise drops, as FILL_OR_DROP does.
    for index, place in elements(shape, starts, numbers, sizes, mode):
        if place is not None:
            expected[place] = combine(expected[place], updates[index])
    got = row(x, starts, updates, **scatter_params(writing(numbers), mode))
    np.testing.assert_allclose(np.asarray(got), expected, rtol=1e-6)


@pytest.mark.parametrize(
    "dtype, fill",
    [("float32", np.nan), ("int16", -32768), ("uint8", 255), ("bool", True)],
)
def test_gather_fills_with_the_default_of_the_dtype(dtype, fill):
    numbers = GatherDimensionNumbers((), (0,), (0,))
    x = np.zeros(3, dtype)
    got = gather(x, np.array([[5], [1]], np.int32), **gather_params(numbers, (1,), FILL))
    np.testing.assert_array_equal(np.asarray(got), np.array([fill, 0], dtype))


def test_gather_keeps_a_broken_promise_inside_the_array():
    numbers = GatherDimensionNumbers((), (0,), (0,))
    x = np.arange(3, dtype=np.float32)
    got = gather(x, np.array([[-5], [99]], np.int32), **gather_params(numbers, (1,), PROMISE))
    np.testing.assert_array_equal(np.asarray(got), [0, 2])


def test_large_unsigned_starts_are_not_negative():
    numbers = GatherDimensionNumbers((), (0,), (0,))
    x = np.arange(3, dtype=np.float32)
    starts = np.array([[2**32 - 1]], np.uint32)
    got = gather(x, starts, **gather_params(numbers, (1,), CLIP))
    np.testing.assert_array_equal(np.asarray(got), [2])


def test_gather_of_nothing_is_refused():
    numbers = GatherDimensionNumbers((), (0,), (0,))
    x = np.zeros(0, np.float32)
    with pytest.raises(errors.ShapeError, match="at least one element"):
        gather(x, np.zeros((2, 1), np.int32), **gather_params(numbers, (0,), FILL))


@pytest.mark.parametrize(
    "numbers, sizes, indices",
    [
        (GatherDimensionNumbers((), (0,), (0,)), (2,), (4, 1)),
        (GatherDimensionNumbers((), (0,), (1,)), (1,), (4, 1)),
        (GatherDimensionNumbers((), (0,), (0,)), (1,), (4, 2)),
        (GatherDimensionNumbers((3,), (), (0,)), (2,), (4, 1)),
        (GatherDimensionNumbers((), (), (0,)), (1,), (4, 1)),
        (GatherDimensionNumbers((), (0,), (0,)), (9,), (4, 1)),
        (GatherDimensionNumbers((), (), (0,), (0,), (0,)), (1,), (4, 1)),
    ],
)
def test_gather_refuses_numbers_that_do_not_fit(numbers, sizes, indices):
    with pytest.raises(errors.XformError):
        gather(
            np.zeros(5, np.float32),
            np.zeros(indices, np.int32),
            **gather_params(numbers, sizes, FILL),
        )


def test_gather_refuses_float_indices():
    numbers = GatherDimensionNumbers((), (0,), (0,))
    with pytest.raises(errors.DtypeError, match="integer"):
        gather(
            np.zeros(5, np.float32),
            np.zeros((1, 1), np.float32),
            **gather_params(numbers, (1,), FILL),
        )


def test_scatter_refuses_updates_of_another_shape():
    numbers = ScatterDimensionNumbers((), (0,), (0,))
    with pytest.raises(errors.ShapeError, match="updates of shape"):
        scatter(
            np.zeros(5, np.float32),
            np.zeros((2, 1), np.int32),
            np.zeros(3, np.float32),
            **scatter_params(numbers, FILL),
        )


@pytest.mark.parametrize("row", [scatter_min, scatter_max], ids=lambda r: r.name)
def test_complex_numbers_have_no_order(row):
    numbers = ScatterDimensionNumbers((), (0,), (0,))
    x = np.zeros(3, np.complex64)
    with pytest.raises(errors.DtypeError, match="integer or floating"):
        row(x, np.zeros((1, 1), np.int32), x[:1], **scatter_params(numbers, FILL))


@pytest.mark.parametrize("name", ["clip", "fill", "drop", "promise_in_bounds", None])
def test_modes_have_names(name):
    mode = GatherScatterMode.from_any(name)
    assert GatherScatterMode.from_any(mode) is mode


def test_an_unknown_mode_is_refused():
    with pytest.raises(errors.ArgumentError, match="clip"):
        GatherScatterMode.from_any("wrap")


# Derivatives where several updates meet


def test_the_cotangent_of_an_overwritten_update_is_zero():
    numbers = ScatterDimensionNumbers((), (0,), (0,))
    indices = np.array([[1], [1], [9], [0]], np.int32)
    params = scatter_params(numbers, FILL)
    _, pullback = vjp_flat(
        lambda x, u: [scatter(x, indices, u, **params)],
        [np.zeros(3, np.float32), np.ones(4, np.float32)],
    )
    x_ct, updates_ct = pullback([np.float32([10, 20, 30])])
    np.testing.assert_array_equal(np.asarray(x_ct), [0, 0, 30])
    np.testing.assert_array_equal(np.asarray(updates_ct), [0, 20, 0, 10])


@pytest.mark.parametrize("row", [scatter_min, scatter_max], ids=lambda r: r.name)
def test_ties_share_the_tangent(row):
    numbers = ScatterDimensionNumbers((), (0,), (0,))
    indices = np.array([[0], [0], [1]], np.int32)
    x = np.float32([2, np.nan, 5])
    updates = np.float32([2, 2, 1])
    _, (tangent,) = jvp_flat(
        lambda x, u: [row(x, indices, u, **scatter_params(numbers, FILL))],
        [x, updates],
        [np.float32([3, 4, 7]), np.float32([6, 9, 1])],
    )
    np.testing.assert_allclose(np.asarray(tangent), [6, 4, 7])


def test_scatter_mul_says_when_it_has_no_derivative():
    numbers = ScatterDimensionNumbers((), (0,), (0,))
    indices = np.array([[0]], np.int32)
    with pytest.raises(errors.AbsentRuleError, match="unique_indices=True"):
        jvp_flat(
            lambda u: [
                scatter_mul(np.ones(3, np.float32), indices, u, **scatter_params(numbers, FILL))
            ],
            [np.ones(1, np.float32)],
            [np.ones(1, np.float32)],
        )


# Slices


def test_negative_padding_takes_away():
    got = pad(np.arange(6, dtype=np.int32), np.int32(9), padding_config=((-2, 1, 0),))
    np.testing.assert_array_equal(np.asarray(got), [2, 3, 4, 5, 9])


def test_interior_padding_is_taken_away_by_negative_edges():
    got = pad(np.arange(3, dtype=np.int32), np.int32(9), padding_config=((-1, -1, 1),))
    np.testing.assert_array_equal(np.asarray(got), [9, 1, 9])


@pytest.mark.parametrize("start, expected", [(-3, [0, 1]), (1, [1, 2]), (99, [3, 4])])
def test_dynamic_slices_are_moved_inside(start, expected):
    x = np.arange(5, dtype=np.int32)
    got = dynamic_slice(x, np.int32(start), slice_sizes=(2,))
    np.testing.assert_array_equal(np.asarray(got), expected)
    updated = dynamic_update_slice(x, np.int32([9, 9]), np.int32(start))
    assert np.flatnonzero(np.asarray(updated) == 9).tolist() == expected


@pytest.mark.parametrize(
    "call",
    [
        lambda x: slice_(x, start_indices=(3,), limit_indices=(2,), strides=None),
        lambda x: slice_(x, start_indices=(0,), limit_indices=(9,), strides=None),
        lambda x: slice_(x, start_indices=(0,), limit_indices=(2,), strides=(0,)),
        lambda x: pad(x, np.float32(0), padding_config=((-3, -3, 0),)),
        lambda x: pad(x, np.int32(0), padding_config=((0, 0, 0),)),
        lambda x: concatenate(x, np.zeros((5, 1), np.float32), dimension=0),
        lambda x: concatenate(x, x, dimension=1),
        lambda x: dynamic_slice(x, slice_sizes=(2,)),
        lambda x: dynamic_slice(x, np.float32(0), slice_sizes=(2,)),
        lambda x: dynamic_slice(x, np.int32(0), slice_sizes=(6,)),
        lambda x: dynamic_update_slice(x, np.zeros(6, np.float32), np.int32(0)),
    ],
)
def test_bad_slices_are_refused(call):
    with pytest.raises(errors.XformError):
        call(np.zeros(5, np.float32))


# Products


@pytest.mark.parametrize(
    "spec, numbers",
    [
        ("ij,jk->ik", (((1,), (0,)), ((), ()))),
        ("ij,kj->ik", (((1,), (1,)), ((), ()))),
        ("bij,bjk->bik", (((2,), (1,)), ((0,), (0,)))),
        ("abc,cdab->bd", (((0, 2), (2, 0)), ((1,), (3,)))),
        ("i,j->ij", (((), ()), ((), ()))),
        ("ij,ij->", (((0, 1), (0, 1)), ((), ()))),
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "int32", "complex64", "float16"])
def test_dot_general_is_einsum(spec, numbers, dtype, rng):
    sizes = dict(zip("abcdijk", (2, 3, 4, 5, 2, 3, 4), strict=True))
    left, right = spec.split("->")[0].split(",")
    x, y = (rng.integers(-4, 5, [sizes[c] for c in s]).astype(dtype) for s in (left, right))
    got = dot_general(x, y, dimension_numbers=numbers, precision=None, preferred_element_type=None)
    np.testing.assert_array_equal(np.asarray(got), np.einsum(spec, x, y))


@pytest.mark.parametrize(
    "dtype, preferred", [("int8", "int32"), ("float16", "float32"), ("int32", "float32")]
)
def test_products_are_added_in_the_preferred_dtype(dtype, preferred):
    x = np.full((1, 2000), 100, dtype)
    got = dot_general(
        x,
        x,
        dimension_numbers=(((1,), (1,)), ((), ())),
        precision=None,
        preferred_element_type=np.dtype(preferred),
    )
    assert got.dtype == preferred
    np.testing.assert_array_equal(np.asarray(got), [[2e7]])


@pytest.mark.parametrize(
    "numbers",
    [
        (((1,), (1,)), ((), ())),
        (((1,), ()), ((), ())),
        (((0, 0), (0, 1)), ((), ())),
        (((5,), (0,)), ((), ())),
    ],
)
def test_dot_general_refuses_dimensions_that_do_not_pair(numbers):
    x, y = np.zeros((2, 3), np.float32), np.zeros((3, 4), np.float32)
    with pytest.raises(errors.XformError):
        dot_general(x, y, dimension_numbers=numbers, precision=None, preferred_element_type=None)


# Sorting


def test_sort_puts_nan_last_and_keeps_zeros_in_order():
    x = np.float32([np.nan, 1, 0.0, -np.inf, -0.0, np.inf])
    got = np.asarray(sort(x, dimension=0, is_stable=True, num_keys=1)[0])
    np.testing.assert_array_equal(got, np.float32([-np.inf, 0, 0, 1, np.inf, np.nan]))
    assert not np.signbit(got[1])
    assert np.signbit(got[2])


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "int8", "bool", "complex64"])
def test_sort_of_every_kind(dtype, rng):
    x = rng.integers(-3, 4, (4, 5)).astype(xform.numpy.dtype(dtype))
    got = np.asarray(sort(x, dimension=0, is_stable=True, num_keys=1)[0])
    assert got.dtype == x.dtype
    np.testing.assert_array_equal(got, np.sort(x, axis=0))


def test_sort_by_two_keys():
    first, second, value = np.int32([1, 0, 1, 0]), np.int32([5, 7, 4, 6]), np.arange(4.0)
    value = value.astype(np.float32)
    got = sort(first, second, value, dimension=0, is_stable=True, num_keys=2)
    np.testing.assert_array_equal(np.asarray(got[2]), [3, 1, 2, 0])


@pytest.mark.parametrize("dimension", [0, 1])
def test_take_along_is_numpys(dimension, rng):
    x = rng.normal(size=(3, 4)).astype(np.float32)
    places = np.argsort(x, axis=dimension).astype(np.int32)
    got = take_along(x, places, dimension)
    np.testing.assert_array_equal(np.asarray(got), np.take_along_axis(x, places, dimension))
