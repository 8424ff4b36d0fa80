"""Python functions within programs: they are called as often, and in the order, that is written."""

import numpy as np
import pytest

import xform
import xform.numpy as xnp
from xform import debug, lax
from xform.errors import AbsentRuleError, ArgumentError, GradError, ShapeError, TreeError

X = np.array([0.5, -1.0, 2.0], np.float32)
NUMBER = xform.ShapeDtypeStruct((), "float32")


class Log:
    """Remembers what it is called with."""

    def __init__(self):
        self.seen = []

    def __call__(self, *values):
        self.seen.append(tuple(float(v) for v in values))

    def taken(self):
        """What was seen since the last time."""
        seen, self.seen = self.seen, []
        return [v[0] if len(v) == 1 else v for v in seen]


@pytest.fixture
def log():
    return Log()


def watched(log):
    """A function with callbacks on every level of its control flow, and what they see for 1."""

    def f(x):
        debug.callback(log, x)

        def step(c, row):
            debug.callback(log, c, row)
            lax.cond(c > 1, lambda: debug.callback(log, 10 * c), lambda: None)
            return c + row, c

        total, ys = lax.scan(step, x, xnp.arange(3.0))
        debug.callback(log, -1)
        lax.while_loop(lambda i: i < 2, lambda i: debug.callback(log, i) or i + 1, 0)
        lax.fori_loop(0, 2, lambda i, y: debug.callback(log, 5 + i) or y, None)
        return total * xnp.sum(ys)

    return f, [1, (1, 0), (1, 1), (2, 2), 20, -1, 0, 1, 5, 6]


TRANSFORMED = {
    "eager": lambda f: f,
    "jit": xform.jit,
    "grad": xform.grad,
    "jit of grad": lambda f: xform.jit(xform.grad(f)),
    "grad of jit": lambda f: xform.grad(xform.jit(f)),
    "jvp": lambda f: lambda x: xform.jvp(f, (x,), (x,)),
    "jvp of grad": lambda f: lambda x: xform.jvp(xform.grad(f), (x,), (x,)),
    "linearize": lambda f: lambda x: xform.linearize(f, x),
    "jit of jvp": lambda f: xform.jit(lambda x: xform.jvp(f, (x,), (x,))),
    "vmap of one": lambda f: lambda x: xform.vmap(f)(xnp.reshape(x, (1,))),
}


@pytest.mark.parametrize("how", TRANSFORMED)
def test_every_effect_happens_once_and_in_order(how, log):
    f, wanted = watched(log)
    TRANSFORMED[how](f)(1.0)
    assert log.taken() == wanted


def test_effects_happen_at_every_call_of_a_compiled_function(log):
    f, wanted = watched(log)
    compiled = xform.jit(f)
    for _ in range(3):
        compiled(1.0)
        assert log.taken() == wanted


def test_effects_of_branches_not_taken_do_not_happen(log):
    def f(p):
        return lax.cond(p, lambda: debug.callback(log, 1) or 1, lambda: debug.callback(log, 2) or 2)

    f(True), xform.jit(f)(False), xform.vmap(f)(xnp.array([True, False, False]))
    assert log.taken() == [1, 2, 1, 2, 2]


def test_mapped_loops_call_as_often_as_each_element_runs(log):
    def f(n):
        return lax.while_loop(lambda i: i < n, lambda i: debug.callback(log, n) or i + 1, 0)

    assert xform.vmap(f)(xnp.array([2, 0, 1])).tolist() == [2, 0, 1]
    assert log.taken() == [2, 2, 1]


def test_gradients_of_loops_of_unknown_length_do_not_repeat_effects(log):
    def f(x):
        return lax.while_loop(lambda y: y < 10, lambda y: debug.callback(log, y) or y * x, x)

    for g in (xform.grad(f), xform.jit(xform.grad(f))):
        assert float(g(2.0)) == 32.0
        assert log.taken() == [2, 4, 8]


def test_mapped_arguments_give_one_call_per_element(log):
    xform.vmap(lambda x, y: debug.callback(log, x, y), (0, None))(X, 7.0)
    assert log.taken() == [(0.5, 7), (-1, 7), (2, 7)]
    xform.vmap(xform.vmap(lambda x: debug.callback(log, x)), 1)(np.float32([[1, 2], [3, 4]]))
    assert log.taken() == [1, 3, 2, 4]
    xform.vmap(lambda x: debug.callback(log, x))(np.zeros(0, np.float32))
    assert log.taken() == []


def test_a_compiled_function_of_effects_only(log):
    f = xform.jit(lambda: debug.callback(log, 3))
    f(), f()
    assert log.taken() == [3, 3]


def test_a_tangent_that_is_printed_has_no_transpose(log):
    @xform.custom_jvp
    def f(x):
        return x * 1.0

    @f.defjvp
    def rule(primals, tangents):
        debug.callback(log, tangents[0])
        return f(*primals), 3 * tangents[0]

    xform.jvp(f, (1.0,), (5.0,))
    assert log.taken() == [5]
    with pytest.raises(AbsentRuleError, match="debug"):
        xform.grad(f)(1.0)


def test_a_call_with_effects_is_split_between_now_and_later(log):
    """What is known happens once, though the rest of the call is staged for later."""

    @xform.jit
    def f(x, y):
        debug.callback(log, x)
        return xnp.sin(x) * y, lax.cond(x > 0, lambda: debug.callback(log, 8) or y, lambda: y)

    _, push = xform.linearize(lambda y: f(2.0, y), 3.0)
    assert log.taken() == [2, 8]
    push(1.0), push(2.0)
    assert log.taken() == []


def test_print(capsys):
    @xform.jit
    def f(x, tree):
        debug.print("x = {x:.2f}, {}, {t[a]}", 3, x=x, t=tree)
        debug.print("{{}}")
        debug.print("{}", "text")
        return x

    f(1.0, {"a": xnp.arange(2)})
    assert capsys.readouterr().out == "x = 1.00, 3, [0 1]\n{}\ntext\n"
    for wrong in (lambda: debug.print("{x}"), lambda: debug.print("{} {}", 1),
                  lambda: debug.print("x", 1), lambda: debug.print("{y}", y=1, x=2)):  # fmt: skip
        with pytest.raises(ArgumentError):
            wrong()


def test_errors_in_callbacks_come_through():
    def fail(x):
        raise RuntimeError(f"no {float(x)}")

    def f(x):
        return lax.scan(lambda c, _: (debug.callback(fail, c) or c, None), x, None, length=2)[0]

    for g in (f, xform.jit(f), xform.grad(f)):
        with pytest.raises(RuntimeError, match=r"no 1\.5"):
            g(1.5)


# -- results ------------------------------------------------------------------------------------


def test_pure_callback_within_everything():
    def f(x):
        y = xform.pure_callback(lambda v: np.sin(v), NUMBER, x)
        return lax.cond(y > 0, lambda y: y, lambda y: -y, y) + x

    wanted = np.abs(np.sin(X)) + X
    np.testing.assert_allclose([float(f(x)) for x in X], wanted, rtol=1e-6)
    np.testing.assert_allclose(xform.vmap(f)(X), wanted, rtol=1e-6)
    np.testing.assert_allclose(xform.jit(lambda xs: lax.map(f, xs))(X), wanted, rtol=1e-6)


def test_pure_callback_of_pytrees():
    like = {"a": xform.ShapeDtypeStruct((2,), "int32"), "b": (NUMBER,)}

    def host(x, *, scale):
        return {"a": np.arange(2) * int(scale), "b": (x["v"].sum(dtype=np.float32),)}

    f = xform.jit(lambda v: xform.pure_callback(host, like, {"v": v}, scale=3))
    out = f(X)
    assert out["a"].tolist() == [0, 3] and float(out["b"][0]) == 1.5
    with pytest.raises(TreeError):
        xform.pure_callback(lambda: (1,), NUMBER)
    with pytest.raises(ShapeError):
        xform.jit(lambda: xform.pure_callback(lambda: np.float32([1]), NUMBER))()


@pytest.mark.parametrize(
    ("method", "shapes"),
    [
        (None, [((), ())] * 3),
        ("sequential", [((), ())] * 3),
        ("sequential_unrolled", [((), ())] * 3),
        ("expand_dims", [((3,), (1,))]),
        ("broadcast_all", [((3,), (3,))]),
        ("legacy_vectorized", [((3,), ())]),
    ],
)
def test_vmap_methods(method, shapes):
    seen = []

    def host(x, y):
        seen.append((x.shape, y.shape))
        return np.asarray(x * y)

    def f(x, y):
        return xform.pure_callback(host, NUMBER, x, y, vmap_method=method)

    out = xform.vmap(f, (0, None))(X, 2.0)
    assert out.tolist() == (2 * X).tolist()
    assert seen == shapes


def test_an_unknown_vmap_method_is_refused():
    with pytest.raises(ArgumentError, match="vmap_method"):
        xform.pure_callback(np.sin, NUMBER, 1.0, vmap_method="fast")


def test_a_pure_callback_whose_result_is_not_used_need_not_be_called():
    calls = []
    f = xform.jit(lambda x: (xform.pure_callback(lambda v: calls.append(1) or v, NUMBER, x), x)[1])
    assert float(f(2.0)) == 2.0 and not calls


def test_io_callback_is_called_though_its_result_is_not_used():
    calls = []

    def host(x):
        calls.append(float(x))
        return x

    f = xform.jit(lambda x: (xform.io_callback(host, NUMBER, x, ordered=True), x * 2)[1])
    assert float(f(2.0)) == 4.0 and float(f(3.0)) == 6.0
    xform.vmap(f)(X[:2])
    xform.io_callback(lambda: calls.append(-1.0), None)
    assert calls == [2, 3, 0.5, -1, -1]


def test_equal_io_callbacks_are_not_merged():
    count = iter(range(100))
    like = xform.ShapeDtypeStruct((), "int32")

    def f():
        return xform.io_callback(lambda: np.int32(next(count)), like)

    @xform.jit
    def g():
        return f(), f(), lax.scan(lambda c, _: (c, f()), None, None, length=3)[1]

    a, b, rest = g()
    assert [int(a), int(b), *rest.tolist()] == [0, 1, 2, 3, 4]


def test_results_of_io_callbacks_are_kept_for_the_backward_pass():
    """Random factors drawn on the host: the backward pass uses those of the forward pass."""
    factors = iter([2.0, 3.0, 5.0, 7.0] * 10)

    def draw():
        return xform.io_callback(lambda: np.float32(next(factors)), NUMBER)

    def f(x):
        return lax.scan(lambda c, _: (c * draw(), None), x * draw(), None, length=3)[0]

    assert float(xform.grad(f)(1.0)) == 210.0
    assert float(xform.jit(xform.grad(f))(1.0)) == 210.0
    assert float(xform.grad(xform.jit(f))(1.0)) == 210.0
    g = lambda x: lax.while_loop(lambda s: s[0] < 2, lambda s: (s[0] + 1, s[1] * draw()), (0, x))[1]  # noqa: E731
    with pytest.raises(GradError, match="side effects"):
        xform.grad(g)(1.0)


def test_callbacks_have_no_derivative_of_their_own():
    for call in (xform.pure_callback, xform.io_callback):
        with pytest.raises(AbsentRuleError, match="custom_jvp"):
            xform.grad(lambda x, call=call: call(np.sin, NUMBER, x))(1.0)
    f = lambda x: x * xform.pure_callback(np.sin, NUMBER, lax.stop_gradient(x))  # noqa: E731
    assert float(xform.grad(f)(1.0)) == pytest.approx(np.sin(1.0))


def test_what_a_callback_gets_is_its_own():
    kept = []
    f = xform.jit(lambda x: debug.callback(lambda v: kept.append(v), x + 1) or x * 3)
    f(X)
    kept[0][...] = 0.0
    f(2 * X)
    assert kept[0].tolist() == [0, 0, 0] and kept[1].tolist() == (2 * X + 1).tolist()
