"""Collectives over named axes: which axis is meant, and what is refused. Laws say the values."""

import numpy as np
import pytest

import xform
import xform.numpy as xnp
from xform import errors, lax
from xform.interpreters.evaluate import evaluate_closed

X = np.arange(4, dtype=np.float32)
GRID = np.arange(6, dtype=np.float32).reshape(2, 3)


def mapped(f, x=X, **options):
    return np.asarray(xform.vmap(f, axis_name="i", **options)(x))


# Where an axis is in scope


def test_an_axis_is_in_scope_inside_of_jit():
    f = xform.jit(lambda x: x + lax.psum(x, "i"))
    np.testing.assert_array_equal(mapped(f), X + 6)
    # The program was traced for an axis of size 4: another size, or none, is another program.
    np.testing.assert_array_equal(mapped(f, X[:2]), X[:2] + 1)
    with pytest.raises(errors.UnknownAxisError):
        f(1.0)


def test_a_jitted_function_is_traced_for_each_size_of_the_axis():
    f = xform.jit(lambda x: x * lax.axis_size("i"))
    np.testing.assert_array_equal(mapped(f), X * 4)
    np.testing.assert_array_equal(mapped(f, X[:3]), X[:3] * 3)
    assert f.trace_count() == 2


def test_what_has_no_mapped_operand_still_knows_its_axis():
    f = xform.jit(lambda: lax.axis_index("i"))
    np.testing.assert_array_equal(mapped(lambda x: f() + x), 2 * X)
    np.testing.assert_array_equal(
        mapped(lambda x: xform.checkpoint(lambda: lax.psum(lax.axis_index("i"), "i"))() + x), X + 6
    )


def test_the_inner_one_of_two_axes_of_one_name():
    def inner(x):
        return xform.vmap(lambda y: lax.psum(y, "i"), axis_name="i")(x)

    np.testing.assert_array_equal(mapped(inner, GRID), np.repeat(GRID.sum(1), 3).reshape(2, 3))


def test_an_axis_is_in_scope_in_rules_of_the_users_own():
    @xform.custom_vjp
    def same(x):
        return x

    same.defvjp(lambda x: (x, None), lambda _, ct: (lax.psum(ct, "i"),))
    total = mapped(xform.grad(lambda x: same(x) * (lax.axis_index("i") + 1)))
    np.testing.assert_array_equal(total, np.full(4, 10, np.float32))
    # The derivative from outside of the axis, and under jit.
    for f in (same, xform.jit(same)):
        outside = xform.grad(lambda x, f=f: xform.vmap(f, axis_name="i")(x).sum())
        np.testing.assert_array_equal(outside(X), np.full(4, 4, np.float32))


def test_a_rule_of_the_users_own_for_what_is_not_mapped():
    @xform.custom_jvp
    def scaled(w):
        return w * lax.axis_size("i")

    scaled.defjvp(lambda primals, tangents: (scaled(*primals), lax.psum(tangents[0], "i")))

    def loss(w):
        return xform.vmap(lambda x: x * scaled(w), axis_name="i")(X).sum()

    assert float(xform.grad(loss)(2.0)) == 4 * X.sum()


def test_jit_around_vmap():
    f = xform.jit(xform.vmap(lambda x: x / lax.psum(x, "i"), axis_name="i"))
    np.testing.assert_allclose(f(X), X / 6, rtol=1e-6)


def test_the_program_says_where_it_makes_sense():
    program = xform.make_jaxpr(xform.vmap(lambda x: lax.psum(x, "i"), axis_name="i"))(X)
    assert not program.effects
    effects = []

    def f(x):
        inner = xform.make_jaxpr(lambda y: lax.psum(y, "i"))(x)
        effects.extend(e.name for e in inner.effects)
        return x

    xform.vmap(f, axis_name="i")(X)
    assert effects == ["i"]


def test_collectives_that_nothing_needs_are_left_out():
    def f(x):
        inner = xform.make_jaxpr(lambda y: (lax.psum(y, "i"), y)[1])(x)
        assert not inner.eqns
        return x

    xform.vmap(f, axis_name="i")(X)


def test_branches_that_communicate_are_run_by_all():
    def f(x):
        return lax.cond(x > 1.5, lambda y: lax.psum(y, "i"), lambda y: y * 3, x)

    np.testing.assert_array_equal(mapped(f), [0, 3, 6, 6])
    np.testing.assert_array_equal(mapped(xform.jit(f)), [0, 3, 6, 6])


# Several axes


def test_sums_over_two_axes_and_over_one():
    def both(f):
        return np.asarray(xform.vmap(xform.vmap(f, axis_name="j"), axis_name="i")(GRID))

    np.testing.assert_array_equal(both(lambda x: lax.psum(x, ("i", "j"))), np.full((2, 3), 15))
    np.testing.assert_array_equal(
        both(lambda x: lax.psum(x, "i")), np.broadcast_to(GRID.sum(0), (2, 3))
    )
    np.testing.assert_array_equal(
        both(lambda x: lax.axis_index(("i", "j"))), np.arange(6).reshape(2, 3)
    )
    np.testing.assert_array_equal(
        both(lambda x: lax.axis_index(("j", "i"))), np.arange(6).reshape(3, 2).T
    )
    assert both(lambda x: x + lax.axis_size(("i", "j")))[0, 0] == 6


def positions(f, x):
    """A function on 2 x 3 positions, whose values are those of 6 in a row."""
    two = xform.vmap(xform.vmap(f, axis_name="j"), axis_name="i")
    x = x.reshape(2, 3, *x.shape[1:])
    return np.asarray(two(x)).reshape(6, -1)


def test_two_axes_together_are_one_of_their_product():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(6, 12, 3)).astype(np.float32)
    perm = [(0, 4), (4, 1), (2, 2), (5, 0)]
    for f in (
        lambda x, n: lax.all_gather(x, n),
        lambda x, n: lax.all_gather(x, n, axis=1, tiled=True),
        lambda x, n: lax.psum_scatter(x, n, tiled=True),
        lambda x, n: lax.psum_scatter(x[:6], n),
        lambda x, n: lax.all_to_all(x, n, 0, 1, tiled=True),
        lambda x, n: lax.all_to_all(x, n, 0, 0, tiled=True),
        lambda x, n: lax.all_to_all(x.T, n, 1, 0, tiled=True),
        lambda x, n: lax.all_to_all(x[:6], n, 0, 1),
        lambda x, n: lax.ppermute(x, n, perm),
        lambda x, n: lax.pshuffle(x, n, [3, 1, 5, 0, 2, 4]),
        lambda x, n: lax.pbroadcast(x, n, 4),
        lambda x, n: lax.pmean(x, n),
    ):
        one = np.asarray(xform.vmap(lambda x, f=f: f(x, "k"), axis_name="k")(x)).reshape(6, -1)
        two = positions(lambda x, f=f: f(x, ("i", "j")), x)
        np.testing.assert_allclose(two, one, rtol=1e-5)


def test_names_and_axes_of_the_array():
    x = np.arange(12, dtype=np.float32).reshape(4, 3)
    np.testing.assert_array_equal(mapped(lambda x: lax.psum(x, ("i", 0)), x), np.full(4, 66))
    np.testing.assert_array_equal(mapped(lambda x: lax.pmax(x, (0,)), x), x.max(1))
    np.testing.assert_array_equal(mapped(lambda x: lax.pmean(x, ("i", -1)), x), np.full(4, 5.5))


# Numbers and dtypes


def test_the_sum_of_a_number_is_known_while_tracing():
    def f(x):
        assert lax.psum(1, "i") == 4 and type(lax.psum(1, "i")) is int
        assert lax.psum(2.5, "i") == 10.0
        assert lax.psum(True, "i", axis_index_groups=[[0, 1], [2, 3]]) == 2
        assert lax.pmean(3, "i") == 3.0
        assert lax.axis_size("i") == 4
        return x[: lax.psum(1, "i")]

    xform.vmap(f, axis_name="i")(np.ones((4, 5), np.float32))


def test_booleans_are_counted_and_integers_wrap_around():
    np.testing.assert_array_equal(mapped(lambda x: lax.psum(x > 1, "i")), np.full(4, 2))
    big = np.int8(100)
    wrapped = mapped(lambda x: lax.psum(xnp.asarray(big), "i") + xnp.int8(0) * x.astype("int8"))
    np.testing.assert_array_equal(wrapped, np.full(4, (400 + 128) % 256 - 128))


def test_means_of_integers_are_floats():
    assert mapped(lambda x: lax.pmean(lax.axis_index("i"), "i")).dtype == np.float32


def test_trees():
    found = xform.vmap(lambda x: lax.psum({"a": x, "b": [x * 2]}, "i"), axis_name="i")(X)
    assert float(found["a"][0]) == 6 and float(found["b"][0][1]) == 12


def test_what_is_the_same_everywhere_stays_unmapped():
    for f in (
        lambda x: lax.psum(x, "i"),
        lambda x: lax.pmax(x, "i"),
        lambda x: lax.all_gather(x, "i"),
        lambda x: lax.ppermute(lax.psum(x, "i"), "i", [(0, 1), (1, 2), (2, 3), (3, 0)]),
    ):
        xform.vmap(f, axis_name="i", out_axes=None)(X)


def test_what_is_not_mapped_counts_for_all():
    w = xnp.array([1.0, 2.0])
    assert mapped(lambda x: lax.psum(w, "i"))[0].tolist() == [4, 8]
    assert mapped(lambda x: lax.all_gather(w, "i", tiled=True))[3].tolist() == [1, 2] * 4
    v = xnp.arange(4.0)
    np.testing.assert_array_equal(mapped(lambda x: lax.psum_scatter(v, "i")), 4 * X)
    np.testing.assert_array_equal(
        mapped(lambda x: lax.all_to_all(v, "i", 0, 0)), np.repeat(X, 4).reshape(4, 4)
    )
    received = mapped(lambda x: lax.ppermute(xnp.array(5.0), "i", [(0, 3)]))
    np.testing.assert_array_equal(received, [0, 0, 0, 5])


# Groups


@pytest.mark.parametrize("groups", [[[0, 1], [2, 3]], [[3, 0], [1, 2]], [[0], [1], [2], [3]]])
def test_groups(groups):
    found = mapped(lambda x: lax.psum(x, "i", axis_index_groups=groups))
    wanted = [next(sum(X[i] for i in g) for g in groups if k in g) for k in range(4)]
    np.testing.assert_array_equal(found, wanted)
    means = mapped(lambda x: lax.pmean(x, "i", axis_index_groups=groups))
    np.testing.assert_array_equal(means, np.array(wanted) / len(groups[0]))


# Refusals


def inside(f):
    return lambda: xform.vmap(f, axis_name="i")(X)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: lax.psum(1.0, "i"), errors.UnknownAxisError),
        (lambda: lax.psum(X, "i"), errors.UnknownAxisError),
        (lambda: lax.axis_index("i"), errors.UnknownAxisError),
        (lambda: lax.axis_size("i"), errors.UnknownAxisError),
        (inside(lambda x: lax.psum(x, "j")), errors.UnknownAxisError),
        (inside(lambda x: lax.psum(x, ("i", "i"))), errors.ArgumentError),
        (inside(lambda x: lax.psum(x, ["i", ["j"]])), TypeError),
        (inside(lambda x: lax.psum(x, "i", axis_index_groups=[[0, 1], [1, 2]])), ValueError),
        (inside(lambda x: lax.psum(x, "i", axis_index_groups=[[0, 1, 2], [3]])), ValueError),
        (inside(lambda x: lax.psum(x, "i", axis_index_groups=[])), ValueError),
        (inside(lambda x: lax.ppermute(x, "i", [(0, 1), (2, 1)])), errors.ArgumentError),
        (inside(lambda x: lax.ppermute(x, "i", [(0, 1), (0, 2)])), errors.ArgumentError),
        (inside(lambda x: lax.ppermute(x, "i", [(0, 4)])), errors.ArgumentError),
        (inside(lambda x: lax.pshuffle(x, "i", [0, 0, 1, 2])), errors.ArgumentError),
        (inside(lambda x: lax.pbroadcast(x, "i", 4)), errors.AxisError),
        (inside(lambda x: lax.all_gather(x, "i", axis=2)), errors.AxisError),
        (inside(lambda x: lax.all_gather(x, "i", to="reduced")), errors.ArgumentError),
        (inside(lambda x: lax.psum_scatter(xnp.ones(3), "i")), errors.ShapeError),
        (inside(lambda x: lax.psum_scatter(xnp.ones(3), "i", tiled=True)), errors.ShapeError),
        (inside(lambda x: lax.all_to_all(xnp.ones(3), "i", 0, 0)), errors.ShapeError),
        (inside(lambda x: lax.pmax(x + 1j, "i")), errors.DtypeError),
        (inside(xform.grad(lambda x: lax.pmax(x, "i"))), errors.AbsentRuleError),
    ],
)
def test_refusals(call, error):
    with pytest.raises(error):
        call()


def test_a_program_taken_out_of_its_axis_does_not_run():
    kept = []

    def f(x):
        kept.append(xform.make_jaxpr(xform.jit(lambda y: lax.psum(y, "i")))(1.0))
        return x

    xform.vmap(f, axis_name="i")(X)
    with pytest.raises(errors.UnknownAxisError):
        evaluate_closed(kept[0], [1.0])
