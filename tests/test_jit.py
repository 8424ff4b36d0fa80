"""jit: what it is called with, when it traces again, and what it promises about arguments."""

import dataclasses
import functools
import threading
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
import pytest

import xform
import xform.numpy as xnp
from xform import errors, tree_util
from xform.config import config


@pytest.fixture(autouse=True)
def _no_cache() -> Iterator[None]:
    with config.scoped(cache_dir=""):
        yield


X = np.arange(6, dtype=np.float32).reshape(2, 3)


def assert_equal(found: Any, wanted: Any) -> None:
    np.testing.assert_array_equal(np.asarray(found), np.asarray(wanted))


# -- static arguments ---------------------------------------------------------------------------


def power(x, n=2, *, offset=0.0):
    return x**n + offset if n else xnp.ones_like(x)


@pytest.mark.parametrize("options", [{"static_argnums": 1}, {"static_argnames": "n"}])
@pytest.mark.parametrize(
    "args, kwargs, wanted",
    [
        ((3.0, 2), {}, 9.0),
        ((3.0,), {"n": 3}, 27.0),
        ((3.0,), {}, 9.0),
        ((3.0, 0), {}, 1.0),
        ((3.0, 2), {"offset": 1.0}, 10.0),
        ((), {"x": 3.0, "n": 3}, 27.0),
    ],
)
def test_static_arguments_by_position_or_name(options, args, kwargs, wanted):
    f = xform.jit(power, **options)
    for _ in range(2):
        assert float(f(*args, **kwargs)) == wanted


def test_static_arguments_counted_from_the_end():
    f = xform.jit(lambda x, y, mode: x + y if mode == "add" else x - y, static_argnums=-1)
    assert float(f(3.0, 2.0, "add")) == 5.0
    assert float(f(3.0, 2.0, "sub")) == 1.0


def test_each_static_value_is_traced_once():
    f = xform.jit(power, static_argnames=("n",))
    for n in (1, 2, 1, 2, 1):
        f(3.0, n)
        f(3.0, n=n)
    assert f.trace_count() == 2


def test_static_values_of_equal_hash_and_another_type_differ():
    seen = []
    f = xform.jit(lambda x, s: seen.append(type(s)) or x, static_argnums=1)
    for s in (1, 1.0, True, 1):
        f(2.0, s)
    assert seen == [int, float, bool]


def test_unknown_static_names_raise():
    with pytest.raises(errors.ArgumentError, match="names of parameters"):
        xform.jit(power, static_argnames="m")


def test_unhashable_static_arguments_raise():
    with pytest.raises(errors.StaticArgumentError, match="hashable"):
        xform.jit(power, static_argnums=1)(1.0, [2])


def test_dynamic_default_arguments_are_python_numbers():
    f = xform.jit(lambda x, scale=2.0: x * scale)
    assert float(f(3.0)) == 6.0
    assert float(f(3.0, scale=3.0)) == 9.0
    assert float(f(3.0, 4.0)) == 12.0


# -- donation -----------------------------------------------------------------------------------


def test_donated_arguments_are_deleted_and_results_are_right():
    f = xform.jit(lambda x, y: (x * 2 + y, x - y), donate_argnums=0)
    for _ in range(3):
        x, y = xnp.asarray(X), xnp.ones((2, 3))
        first, second = f(x, y)
        assert_equal(first, X * 2 + 1)
        assert_equal(second, X - 1)
        assert x.is_deleted()
        assert not y.is_deleted()
        with pytest.raises(errors.DonatedBufferError):
            np.asarray(x)


def test_donation_is_in_place():
    f = xform.jit(lambda x: x * 0.5 + 1, donate_argnums=0)
    x = f(xnp.ones(1000))  # What NumPy made belongs to NumPy; what a call made can be taken over.
    for _ in range(4):
        before = x.unsafe_buffer_pointer()
        x = f(x)
        assert x.unsafe_buffer_pointer() == before
    assert "may take the memory" in f.lower(x).as_text("memory")


def test_donation_by_name_and_of_pytrees():
    f = xform.jit(lambda params, g: {k: v - g for k, v in params.items()}, donate_argnames="params")
    params = {"a": xnp.ones(3), "b": xnp.zeros(3)}
    result = f(params, 0.5)
    assert_equal(result["a"], np.full(3, 0.5))
    assert_equal(result["b"], np.full(3, -0.5))
    assert params["a"].is_deleted() and params["b"].is_deleted()
    result = f(params=result, g=0.5)
    assert_equal(result["a"], np.zeros(3))


def test_donation_where_the_input_is_read_elsewhere():
    f = xform.jit(lambda x: xnp.flip(x) + x, donate_argnums=0)
    for n in (1, 7, 100):
        assert_equal(f(xnp.arange(n, dtype="float32")), np.full(n, n - 1.0))


def test_donated_arrays_are_refused_everywhere():
    x = xform.jit(lambda: xnp.ones(3))()
    f = xform.jit(lambda y: y * 2, donate_argnums=0)
    f(x)
    uses = (f, xform.jit(lambda y: y), xform.vmap(lambda y: y + 1), lambda y: y + 1, np.asarray)
    for use in (*uses, xform.grad(lambda y: y.sum())):
        for _ in range(2):
            with pytest.raises(errors.DonatedBufferError):
                use(x)


def test_donating_one_array_twice_or_using_it_twice():
    f = xform.jit(lambda x, y: x + y, donate_argnums=0)
    x = xnp.ones(3)
    assert_equal(f(x, x), np.full(3, 2.0))


def test_donated_inputs_under_transformations_are_kept():
    f = xform.jit(lambda x: xnp.sin(x), donate_argnums=0)
    x = xnp.ones(3)
    xform.vmap(f)(x)
    xform.grad(lambda z: f(z).sum())(x)
    assert not x.is_deleted()


# -- kinds of functions -------------------------------------------------------------------------


class Model:
    def __init__(self, scale):
        self.scale = scale

    @xform.jit
    def by_decorator(self, x):
        return x * self.scale

    def plain(self, x):
        return x * self.scale

    def __call__(self, x):
        return x * self.scale


tree_util.register_pytree_node(Model, lambda m: ((m.scale,), None), lambda _, c: Model(*c))


def test_methods_and_callables():
    model = Model(3.0)
    assert float(model.by_decorator(2.0)) == 6.0
    assert float(xform.jit(model.plain)(2.0)) == 6.0
    assert float(xform.jit(model)(2.0)) == 6.0


def test_partial_and_bound_keywords():
    f = xform.jit(functools.partial(power, n=3))
    assert float(f(2.0)) == 8.0
    assert float(f(2.0, offset=1.0)) == 9.0
    g = functools.partial(xform.jit(power, static_argnames="n"), n=3)
    assert float(g(2.0)) == 8.0


def test_decorator_with_options_and_metadata():
    @xform.jit(static_argnums=1)
    def scaled(x, n):
        """Doc."""
        return x * n

    assert scaled.__name__ == "scaled"
    assert scaled.__doc__ == "Doc."
    assert scaled.__wrapped__(2.0, 3) == 6.0
    assert float(scaled(2.0, 3)) == 6.0


def test_variadic_functions():
    f = xform.jit(lambda *xs, **named: sum(xs) + sum(named.values()))
    assert float(f(1.0, 2.0)) == 3.0
    assert float(f(1.0, 2.0, 3.0, a=4.0, b=5.0)) == 15.0
    assert float(f(1.0, b=5.0, a=4.0)) == 10.0
    assert f.trace_count() == 3


def test_nested_jit_and_inline():
    inner = xform.jit(lambda x: xnp.sin(x) * 2)
    inlined = xform.jit(lambda x: xnp.sin(x) * 2, inline=True)
    assert "jit" in str(xform.make_jaxpr(lambda x: inner(x))(1.0))
    assert "jit" not in str(xform.make_jaxpr(lambda x: inlined(x))(1.0))
    outer = xform.jit(lambda x: inner(inner(x)) + inlined(x))
    wanted = np.sin(np.sin(1.0) * 2) * 2 + np.sin(1.0) * 2
    assert float(outer(1.0)) == pytest.approx(wanted, rel=1e-6)


@pytest.mark.parametrize("keep_unused", [False, True])
def test_unused_arguments(keep_unused):
    """The plan of the native dispatcher left unused arguments out, and wrote past the others."""
    f = xform.jit(lambda a, b, c, d: b + 1, keep_unused=keep_unused)
    for _ in range(3):
        assert_equal(f(xnp.zeros(3), xnp.asarray(X), np.ones(4, np.float32), 2.0), X + 1)
    none = xform.jit(lambda a, b: 3.0, keep_unused=keep_unused)
    for _ in range(3):
        assert float(none(xnp.zeros(3), 1)) == 3.0


def test_not_a_function():
    with pytest.raises(errors.ArgumentError, match="expected a function to jit"):
        xform.jit(3)


# -- closed-over values -------------------------------------------------------------------------


def test_closed_over_arrays_are_hidden_arguments():
    big = xnp.asarray(np.arange(1000, dtype=np.float32))
    f = xform.jit(lambda x: x + big)
    for _ in range(3):
        assert_equal(f(1.0), np.arange(1000) + 1)
    assert "999" not in f.lower(1.0).as_text("llvm")


def test_each_definition_has_its_own_closed_over_numbers():
    def make(k):
        return xform.jit(lambda x: x * k)

    assert [float(make(k)(2.0)) for k in (1, 2, 3, 2.5)] == [2.0, 4.0, 6.0, 5.0]


def test_closed_over_values_are_those_of_the_first_trace():
    box = [2.0]
    f = xform.jit(lambda x: x * box[0])
    assert float(f(1.0)) == 2.0
    box[0] = 3.0
    assert float(f(1.0)) == 2.0
    f.clear_cache()
    assert float(f(1.0)) == 3.0


def test_closed_over_tracers():
    def outer(x):
        return xform.jit(lambda y: x * y)(3.0) + xform.jit(lambda y: x + y)(x)

    assert float(xform.jit(outer)(2.0)) == 10.0
    assert float(xform.grad(outer)(2.0)) == 5.0
    assert_equal(xform.vmap(outer)(xnp.array([1.0, 2.0])), [5.0, 10.0])


# -- pytrees ------------------------------------------------------------------------------------


class Point(NamedTuple):
    x: Any
    y: Any


@dataclasses.dataclass
class Line:
    start: Any
    end: Any
    label: str = "line"


tree_util.register_dataclass(Line, data_fields=["start", "end"], meta_fields=["label"])


def test_pytrees_in_and_out():
    @xform.jit
    def f(p, line, nothing, rest):
        assert nothing is None
        assert line.label == "edge"
        total = p.x + p.y * line.start
        moved = Line(line.end, total, "moved")
        return Point(total, None), moved, {"b": [rest["b"][0], ()], "a": nothing}

    arguments = (Point(1.0, xnp.asarray(X)), Line(2.0, 3.0, "edge"), None, {"b": (X, [])})
    for _ in range(3):
        point, line, rest = f(*arguments)
        assert isinstance(point, Point) and point.y is None
        assert_equal(point.x, 1 + X * 2)
        assert isinstance(line, Line) and line.label == "moved"
        assert float(line.start) == 3.0
        assert list(rest) == ["b", "a"] or list(rest) == ["a", "b"]
        assert rest["a"] is None and rest["b"][1] == ()
    assert f.trace_count() == 1


def test_order_of_dictionaries_does_not_matter():
    f = xform.jit(lambda d: d["a"] - d["b"])
    assert float(f({"a": 3.0, "b": 1.0})) == 2.0
    assert float(f({"b": 1.0, "a": 3.0})) == 2.0
    assert f.trace_count() == 1


def test_big_pytrees():
    params = [{"w": np.full((2, 2), k, np.float32), "b": float(k)} for k in range(200)]
    f = xform.jit(lambda ps: [{"w": p["w"] * p["b"], "b": p["b"] + 1} for p in ps])
    for _ in range(2):
        result = f(params)
        assert_equal(result[199]["w"], np.full((2, 2), 199.0 * 199.0))
        assert float(result[7]["b"]) == 8.0


# -- when it traces -----------------------------------------------------------------------------


def test_traces_only_new_signatures():
    seen = []

    @xform.jit
    def f(x):
        seen.append((x.shape, str(x.dtype), x.weak_type))
        return x + 1

    for x in (1.0, 2.0, 1, xnp.float32(1), X, X + 1, X[:1], X.astype(np.int32), 3, True):
        f(x)
    assert len(seen) == len(set(seen)) == f.trace_count()
    assert len(seen) == 7


def test_a_side_effect_happens_once_per_trace():
    lines = []
    f = xform.jit(lambda x: lines.append("traced") or x * 2)
    assert [float(f(k)) for k in (1.0, 2.0, 3.0)] == [2.0, 4.0, 6.0]
    assert lines == ["traced"]


def test_weak_types_are_kept():
    f = xform.jit(lambda x, y: x * y)
    assert f(np.float16(2), 3.0).dtype == np.float16
    assert f(2, 3).weak_type
    assert not f(xnp.ones(2), 2).weak_type
    assert f(np.int8(2), 3).dtype == np.int8
    assert (f(2, 3) * np.int8(1)).dtype == np.int8


def test_the_configuration_is_part_of_the_signature():
    f = xform.jit(lambda x: x * 2.0)
    assert f(1.0).dtype == np.float32
    with config.scoped(enable_x64=True):
        assert f(1.0).dtype == np.float64
    assert f(1.0).dtype == np.float32


def test_clear_cache():
    f = xform.jit(lambda x: x + 1)
    f(1.0)
    assert f.trace_count() == 1
    f.clear_cache()
    assert (f.trace_count(), f.plan_count()) == (0, 0)
    assert float(f(1.0)) == 2.0


def test_disable_jit():
    seen = []
    f = xform.jit(lambda x: seen.append(x) or x * 2)
    f(1.0)
    with config.scoped(disable_jit=True):
        assert float(f(2.0)) == 4.0
        assert float(f(3.0)) == 6.0
    assert [x for x in seen if isinstance(x, float)] == [2.0, 3.0]
    assert float(f(4.0)) == 8.0


# -- arguments of NumPy and Python --------------------------------------------------------------


def misaligned(x: np.ndarray) -> np.ndarray:
    raw = np.zeros(x.nbytes + 1, np.uint8)
    view = raw[1:].view(x.dtype)[: x.size].reshape(x.shape)
    view[...] = x
    assert not view.flags.aligned
    return view


WIDE = np.arange(48, dtype=np.float32).reshape(6, 8)
AWKWARD = {
    "strided": WIDE[::2, ::3],
    "reversed": WIDE[::-1],
    "transposed": WIDE.T,
    "fortran": np.asfortranarray(WIDE),
    "byte-swapped": WIDE.astype(">f4"),
    "misaligned": misaligned(WIDE),
    "0-d": np.array(3.0, np.float32),
    "scalar": np.float32(3.0),
    "empty": WIDE[:0],
    "broadcast": np.broadcast_to(WIDE[:1], (4, 8)),
    "read-only": np.frombuffer(WIDE.tobytes(), np.float32),
    "float16": WIDE.astype(np.float16),
    "bool": WIDE > 3,
    "int8": WIDE.astype(np.int8),
    "uint64 that fits": WIDE.astype(np.uint64),
    "int64 that fits": WIDE.astype(np.int64),
    "complex64": WIDE.astype(np.complex64) * 1j,
    "subclass": WIDE.view(type("Sub", (np.ndarray,), {})),
}


@pytest.mark.parametrize("kind", AWKWARD)
def test_arrays_of_numpy(kind):
    x = AWKWARD[kind]
    f = xform.jit(lambda a: (a + a, a))
    before = np.array(x)
    for _ in range(3):
        doubled, same = f(x)
        wanted = np.asarray(before + before)
        assert_equal(doubled, wanted)
        assert_equal(same, before)
        assert np.shape(doubled) == np.shape(x)
        assert doubled.dtype.itemsize <= max(4, wanted.dtype.itemsize)
    assert_equal(x, before)


def test_results_do_not_share_memory_with_arguments_of_numpy():
    x = WIDE.copy()
    (same,) = xform.jit(lambda a: (a,))(x)
    x[...] = -1
    assert_equal(same, WIDE)


def test_integers_that_do_not_fit_raise_and_floats_warn():
    f = xform.jit(lambda x: x + 1)
    with pytest.raises(errors.IntegerRangeError):
        f(np.array([2**40]))
    with pytest.raises(errors.IntegerRangeError):
        f(2**40)
    with pytest.warns(errors.NarrowingWarning, match="narrowed to float32"):
        assert f(np.ones(3)).dtype == np.float32
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        f(np.float64(1.0))


def test_python_numbers():
    f = xform.jit(lambda x: x * 2)
    for x in (True, 3, 2.5, 1j, 7, -1.0, False):
        assert complex(f(x)) == x * 2
        assert complex(f(x)) == x * 2


def test_other_arguments_raise():
    f = xform.jit(lambda x: x)
    for bad in ("text", object(), {1, 2}, np.array(["a"]), np.array([object()])):
        with pytest.raises(errors.XformError):
            f(bad)
    with pytest.raises(TypeError):
        f()


def test_exceptions_inside_leave_the_function_usable():
    def f(x):
        if x.shape == (2,):
            raise KeyError("two")
        return x + 1

    jitted = xform.jit(f)
    with pytest.raises(KeyError, match="two"):
        jitted(xnp.ones(2))
    assert_equal(jitted(xnp.ones(3)), np.full(3, 2.0))
    with pytest.raises(KeyError, match="two"):
        jitted(xnp.ones(2))
    assert float(xnp.sin(0.0)) == 0.0  # No trace is left over.


# -- threads ------------------------------------------------------------------------------------


def test_threads_cold_and_warm():
    f = xform.jit(lambda x, k: xnp.sum(xnp.tanh(x * k)) + k)
    wanted = {k: float(np.sum(np.tanh(X * k)) + k) for k in range(8)}
    start = threading.Barrier(8)

    def work(k: int) -> bool:
        start.wait()
        x = xnp.asarray(X)
        return all(
            abs(float(f(x, float(k))) - wanted[k]) < 1e-5 * (1 + abs(wanted[k])) for _ in range(50)
        )

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(8)))
        assert all(pool.map(work, range(8)))


def test_threads_trace_their_own_programs():
    start = threading.Barrier(4)

    def work(k: int) -> float:
        start.wait()
        return float(xform.grad(xform.jit(lambda x: x**k))(2.0))

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(work, range(1, 5)))
    assert found == [1.0, 4.0, 12.0, 32.0]


# -- stages -------------------------------------------------------------------------------------


def test_stages():
    f = xform.jit(lambda x: xnp.sum(xnp.sin(x) * 2))
    lowered = f.lower(X)
    compiled = lowered.compile()
    for stage in ("jaxpr", "simplified", "loops", "nests", "memory", "schedule", "llvm", "asm"):
        assert lowered.as_text(stage).strip()
        assert compiled.as_text(stage) == lowered.as_text(stage)
    assert "sin" in lowered.as_text()
    assert "define i32 @program" in compiled.as_text()
    assert lowered.out_info.shape == ()
    assert compiled.memory_analysis()["inputs"] == X.nbytes
    assert float(compiled(X)) == pytest.approx(float(np.sum(np.sin(X) * 2)), rel=1e-6)


def test_a_compiled_program_refuses_other_types():
    compiled = xform.jit(lambda x: x + 1).lower(X).compile()
    with pytest.raises(errors.ShapeError, match="compiled for"):
        compiled(X[:1])
    with pytest.raises(errors.TreeError, match="compiled for"):
        compiled([X])
    with pytest.raises(errors.ArgumentError, match="traced value"):
        xform.vmap(compiled)(np.ones((2, 2, 3), np.float32))


def test_lowering_shapes_without_numbers():
    lowered = xform.jit(lambda x: x @ x.T).lower(xform.ShapeDtypeStruct((2, 3), "float32"))
    assert lowered.out_info.shape == (2, 2)
    assert_equal(lowered.compile()(X), X @ X.T)
