"""`debug_nans`: the operator and the line that made a NaN, in eager and in compiled programs."""

import numpy as np
import pytest

import xform
import xform.numpy as xnp
from xform import lax
from xform.config import config
from xform.errors import NaNError
from xform.lax import while_loop
from xform.numpy import sqrt
from xform.runtime import executable


@pytest.fixture(autouse=True)
def _debugging():
    with config.scoped(debug_nans=True, cache_dir=""):
        yield


def culprit(function, *args):
    """The operator and the source line that the error names."""
    with pytest.raises(NaNError) as caught:
        function(*args)
    assert len(str(caught.value).splitlines()) <= 12
    assert "test_nans.py:" in caught.value.where
    name = caught.value.expected.removeprefix("expected numbers from ")
    return name, caught.value.where.split(": ", 1)[1]


def bad(x):
    return xnp.log(x)  # the line


LINE = ("log", "return xnp.log(x)  # the line")

custom = xform.custom_jvp(bad)
custom.defjvps(lambda t, y, x: t / x)

PROGRAMS = {
    "alone": bad,
    "in a sum": lambda x: 1.0 + xnp.sum(xnp.stack([bad(x), x * 2.0])),
    "in a jitted function": lambda x: xform.jit(bad)(x) * 2.0,
    "in one within another": lambda x: xform.jit(lambda y: xform.jit(bad)(y) + 1.0)(x * 1.5),
    "in a fori_loop": lambda x: lax.fori_loop(0, 5, lambda i, c: c + bad(x + i), 0.0),
    "late in a fori_loop": lambda x: lax.fori_loop(0, 6, lambda i, c: bad(4.0 + x - i), 0.0),
    "in a while_loop": lambda x: while_loop(lambda c: c > -2.0, lambda c: bad(c + 0.5) - 1.0, -x),
    "in a scan": lambda x: lax.scan(lambda c, y: (c, bad(c * y)), x, xnp.arange(1.0, 5.0))[1],
    "in a loop in a loop": lambda x: lax.fori_loop(
        0, 2, lambda i, c: lax.fori_loop(0, 2, lambda j, d: d + bad(x), c), 0.0
    ),
    "in a branch": lambda x: lax.cond(x < 0, bad, lambda x: x, x),
    "in a checkpoint": lambda x: xform.checkpoint(bad)(x),
    "in a vmap": lambda x: xform.vmap(bad)(x + xnp.arange(3.0)),
    "in a vmapped loop": lambda x: xform.vmap(
        lambda y: lax.fori_loop(0, 3, lambda i, c: bad(c + 0.1), y)
    )(x + xnp.zeros(3)),
    "in custom derivatives": lambda x: custom(x),
}


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("way", ["eager", "jit", "lowered"])
def test_the_operator_and_the_line(program, way):
    f = PROGRAMS[program]
    x = xnp.float32(-1.0)
    match way:
        case "eager":
            assert culprit(f, x) == LINE
        case "jit":
            assert culprit(xform.jit(f), x) == LINE
        case "lowered":
            compiled = xform.jit(f).lower(x).compile()
            assert culprit(compiled, x) == LINE


def test_derivatives():
    def f(x):
        return xnp.sum(sqrt(x) * 0.0)  # its derivative

    x = xnp.zeros(2)
    assert float(xform.jit(f)(x)) == 0.0
    for derivative in (xform.grad(f), xform.grad(xform.jit(f)), xform.jit(xform.grad(f))):
        _, line = culprit(derivative, x)
        assert line.endswith("# its derivative")


def test_numbers_come_through():
    f = xform.jit(lambda x: {"a": lax.fori_loop(0, 3, lambda i, c: c * 2.0, x), "b": [xnp.exp(x)]})
    found = f(1.0)
    assert (float(found["a"]), f.plan_count()) == (8.0, 0)
    assert np.isinf(xform.jit(lambda x: x / 0.0)(1.0))
    assert xform.jit(lambda x: x + 1)(3) == 4
    assert xform.jit(lambda x: xnp.isnan(x))(1.0).dtype == bool


def test_nans_that_were_not_chosen_are_passed_by():
    def safe(x):
        return xnp.where(x > 0, xnp.log(x), 0.0)

    assert xform.jit(safe)(xnp.asarray([-1.0, 1.0])).tolist() == [0.0, 0.0]

    def both(x):
        first = xnp.where(x > 0, xnp.log(x), 0.0)
        return first + xnp.sqrt(x)  # the culprit

    name, line = culprit(xform.jit(both), xnp.asarray([-1.0, 1.0]))
    assert (name, line.split("  ")[-1]) == ("sqrt", "# the culprit")


def test_nans_that_came_in_with_the_arguments():
    nan = xnp.asarray(np.float32(np.nan))
    for function in (lambda x: x + 1, xform.jit(lambda x: x + 1)):
        with pytest.raises(NaNError, match="was there before, in an argument"):
            function(nan)
    named = xform.jit(bad)
    assert culprit(named, nan)[0] == "jit bad"


def test_the_message():
    with pytest.raises(NaNError) as caught:
        xform.jit(lambda x: xnp.power(x, 0.5))(xnp.asarray([-2.0, 4.0]))
    assert caught.value.got == "NaN in an array of type f32[2], of -2 to 4 and 0.5"
    assert isinstance(caught.value, FloatingPointError)


def test_bfloat16_and_complex_numbers():
    assert culprit(xform.jit(bad), xnp.asarray(-1.0, "bfloat16")) == LINE
    with pytest.raises(NaNError):
        xform.jit(lambda x: x - x)(xnp.asarray(complex("inf+1j")))


# -- effects happen once ------------------------------------------------------------------------


@pytest.mark.parametrize("jitted", [False, True])
def test_effects_happen_once(jitted, capsys):
    seen = []

    def note(x):
        seen.append(float(x))
        return x

    def f(x):
        xform.debug.print("x {}", x)
        y = xform.io_callback(note, x, x)
        z = xform.pure_callback(note, y, y + 1.0)
        return bad(z), lax.fori_loop(0, 2, lambda i, c: xform.io_callback(note, c, c + 10.0), z)

    f = xform.jit(f) if jitted else f
    if jitted:
        assert culprit(f, xnp.float32(-5.0)) == LINE
        assert seen == [-5.0, -4.0, 6.0, 16.0]
        assert capsys.readouterr().out == "x -5.0\n"
        seen.clear()
    f(xnp.float32(5.0))
    assert seen == [5.0, 6.0, 16.0, 26.0]
    assert capsys.readouterr().out == "x 5.0\n"


def test_a_nan_from_a_callback():
    f = xform.jit(lambda x: xform.pure_callback(lambda x: x * np.float32(np.nan), x, x) + 1.0)
    assert culprit(f, xnp.float32(1.0))[0] == "pure_callback"


def test_donated_arrays_are_looked_at_again():
    f = xform.jit(lambda x: xnp.log(x) * 2.0, donate_argnums=0)
    assert culprit(f, xnp.asarray([-1.0, 2.0]))[0] == "log"


def test_devices():
    with config.scoped(num_cpu_devices=2):
        f = xform.pmap(lambda x: lax.psum(bad(x), "i"), axis_name="i")
        assert culprit(f, xnp.asarray([1.0, -1.0])) == LINE
        assert f(xnp.asarray([1.0, 1.0])).tolist() == [0.0, 0.0]


# -- the option ---------------------------------------------------------------------------------


def test_only_while_it_is_on():
    f = xform.jit(bad)
    with config.scoped(debug_nans=False):
        assert np.isnan(f(-1.0))
        assert np.isnan(f(-1.0))
    assert culprit(f, -1.0) == LINE
    with config.scoped(debug_nans=False):
        assert np.isnan(f(-1.0))


def test_programs_without_nans_run_compiled(monkeypatch):
    runs = []
    original = executable.Executable.run
    monkeypatch.setattr(
        executable.Executable, "run", lambda self, *args: runs.append(1) or original(self, *args)
    )
    f = xform.jit(lambda x: lax.fori_loop(0, 100_000, lambda i, c: c + 1.0, x))
    assert float(f(0.0)) == 100_000.0
    assert len(runs) == 1


def test_a_loop_is_left_at_its_first_nan():
    steps = []

    def body(i, c):
        steps.append(1)
        return xnp.sqrt(c - 1.0)

    f = xform.jit(lambda x: lax.fori_loop(0, 10**9 // 1000, body, x))
    assert culprit(f, 3.0)[0] == "sqrt"
    assert len(steps) == 1


def test_without_jit():
    with config.scoped(disable_jit=True):
        assert (
            culprit(xform.jit(lambda x: lax.fori_loop(0, 3, lambda i, c: bad(c), x)), -1.0) == LINE
        )
