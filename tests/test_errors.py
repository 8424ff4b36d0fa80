"""Golden messages: what users are told, word for word.

The texts lie in `data/errors.txt`, one section for each case below; line numbers and folders are
left out of them. After a change, `python tests/test_errors.py` writes them again: read the
difference before it is kept.
"""

import contextlib
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import errors_of_convolutions
import errors_of_devices
import errors_of_loops
import numpy as np
import pytest

import xform
import xform.numpy as xnp
from xform import errors, lax
from xform.config import config

GOLDEN = Path(__file__).resolve().parent / "data" / "errors.txt"
MOST_LINES = 12

CASES: dict[str, Callable[[], Any]] = {}


def case(function: Callable[[], Any]) -> Callable[[], Any]:
    CASES[function.__name__] = function
    return function


@pytest.fixture(autouse=True)
def _no_cache() -> Iterator[None]:
    with config.scoped(cache_dir=""):
        yield


X = np.arange(6, dtype=np.float32).reshape(2, 3)


# -- traced values in Python --------------------------------------------------------------------


@case
def if_on_a_traced_value():
    @xform.jit
    def f(x):
        if x > 0:
            return x
        return -x

    f(1.0)


@case
def while_on_a_traced_value():
    @xform.jit
    def f(x):
        while x < 10:
            x = x * 2
        return x

    f(1.0)


@case
def bool_of_a_mapped_value():
    xform.vmap(lambda x: bool(x))(xnp.ones(3))


@case
def int_of_a_traced_value():
    xform.jit(lambda x: int(x))(1)


@case
def float_of_a_traced_value():
    xform.jit(lambda x: float(x) + 1)(1.0)


@case
def complex_of_a_traced_value():
    xform.jit(lambda x: complex(x))(1.0)


@case
def index_of_a_list():
    xform.jit(lambda i: [1, 2, 3][i])(1)


@case
def range_of_a_traced_value():
    xform.jit(lambda n: sum(range(n)))(3)


@case
def array_of_numpy_from_a_traced_value():
    xform.jit(lambda x: np.asarray(x))(X)


@case
def mask_that_is_traced():
    xform.jit(lambda x: x[x > 1])(X)


@case
def leaked_value():
    kept = []
    xform.jit(lambda x: kept.append(x * 2) or x)(1.0)
    xnp.sin(kept[0])


@case
def leaked_argument_of_vmap():
    kept = []
    xform.vmap(lambda x: kept.append(x) or x)(X)
    xform.jit(lambda y: y + kept[0])(1.0)


# -- shapes, dtypes, axes -----------------------------------------------------------------------


@case
def shapes_that_do_not_broadcast():
    xnp.add(xnp.ones((2, 3)), xnp.ones(4))


@case
def shapes_that_do_not_multiply():
    xform.jit(lambda x: x @ x)(X)


@case
def dtypes_that_differ_in_lax():
    lax.add(xnp.ones(3), xnp.ones(3, "int32"))


@case
def dtype_without_the_operator():
    xnp.sin(np.array(["a"]))


@case
def axis_out_of_range():
    xnp.sum(X, axis=2)


@case
def reshape_of_another_size():
    xnp.reshape(X, (4, 2))


@case
def index_out_of_range():
    xnp.asarray(X)[5]


@case
def assignment_to_an_item():
    x = xnp.asarray(X)
    x[0] = 1.0


@case
def assignment_to_an_item_of_a_traced_value():
    def f(x):
        x[0] += 1.0
        return x

    xform.jit(f)(X)


# -- derivatives --------------------------------------------------------------------------------


@case
def gradient_of_an_array():
    xform.grad(lambda x: x * 2)(X)


@case
def gradient_of_a_pytree():
    xform.grad(lambda x: (x, x))(1.0)


@case
def gradient_of_an_integer():
    xform.grad(lambda x: x * 2.0)(3)


@case
def gradient_to_an_integer():
    xform.grad(lambda x: (x > 0).astype("int32"))(3.0)


@case
def gradient_of_a_missing_argument():
    xform.grad(lambda x: x, argnums=2)(1.0)


@case
def tangents_of_another_structure():
    xform.jvp(lambda x: x["a"], ({"a": 1.0},), ([1.0],))


@case
def tangents_of_another_shape():
    xform.jvp(lambda x: x, (X,), (X[0],))


@case
def cotangent_of_another_shape():
    xform.vjp(lambda x: x.sum(), X)[1](X)


@case
def forward_mode_of_custom_vjp():
    f = xform.custom_vjp(lambda x: x)
    f.defvjp(lambda x: (x, None), lambda _, ct: (ct,))
    xform.jvp(f, (1.0,), (1.0,))


@case
def custom_rule_that_is_missing():
    @xform.custom_vjp
    def f(x):
        return x

    f(1.0)


@case
def custom_rule_of_another_structure():
    f = xform.custom_vjp(lambda x, y: x * y)
    f.defvjp(lambda x, y: (x * y, None), lambda _, ct: (ct,))
    xform.grad(f)(1.0, 2.0)


# -- vmap ---------------------------------------------------------------------------------------


@case
def in_axes_of_another_length():
    xform.vmap(lambda x, y: x, in_axes=(0,))(X, X)


@case
def in_axes_out_of_range():
    xform.vmap(lambda x: x, in_axes=2)(X)


@case
def in_axes_that_are_no_prefix():
    xform.vmap(lambda p: p["a"], in_axes=({"b": 0},))({"a": X})


@case
def out_axes_out_of_range():
    xform.vmap(lambda x: x.sum(), out_axes=1)(X)


@case
def out_axes_that_are_no_prefix():
    xform.vmap(lambda x: x, out_axes=(0, 0))(X)


@case
def output_that_depends_on_the_element():
    xform.vmap(lambda x: x, out_axes=None)(X)


@case
def sizes_of_mapped_axes_that_differ():
    xform.vmap(lambda x, y: x)(X, X[:1])


@case
def nothing_to_map():
    xform.vmap(lambda x: x, in_axes=None)(X)


# -- jit ----------------------------------------------------------------------------------------


@case
def static_argument_that_is_not_hashable():
    xform.jit(lambda x, n: x, static_argnums=1)(1.0, [1, 2])


@case
def static_argument_that_is_traced():
    inner = xform.jit(lambda x, n: x * n, static_argnums=1)
    xform.jit(lambda n: inner(1.0, n))(3)


@case
def static_name_that_is_no_parameter():
    xform.jit(lambda x, n: x, static_argnames="m")


@case
def argument_that_is_no_array():
    xform.jit(lambda x: x)("text")


@case
def result_that_is_no_array():
    xform.jit(lambda x: "text")(1.0)


@case
def donated_array_used_again():
    x = xnp.ones(3) + 1
    xform.jit(lambda y: y * 2, donate_argnums=0)(x)
    x + 1


@case
def stage_that_is_unknown():
    xform.jit(lambda x: x + 1).lower(1.0).as_text("hlo")


@case
def compiled_for_other_types():
    xform.jit(lambda x: x + 1).lower(X).compile()(X[0])


@case
def policy_of_a_checkpoint():
    xform.checkpoint(lambda x: x, policy="dots_saveable")


@case
def answer_of_a_checkpoint_policy():
    f = xform.checkpoint(xnp.sin, policy=lambda primitive, *avals, **params: "offload")
    xform.grad(f)(1.0)


@case
def policy_that_offloads():
    xform.checkpoint_policies.offload_dot_with_no_batch_dims("device", "pinned_host")


@case
def concrete_checkpoint():
    xform.checkpoint(lambda x: x, concrete=True)


@case
def grad_of_a_value():
    xform.grad(xnp.sin(1.0))


@case
def no_argnums():
    xform.value_and_grad(lambda x: x, argnums=())


@case
def argnums_by_name():
    xform.grad(lambda x: x, argnums="x")


@case
def argnums_that_name_an_argument_twice():
    xform.grad(lambda x, y: x * y, argnums=(0, -2))(1.0, 2.0)


@case
def argnums_of_a_keyword():
    xform.grad(lambda x: x)(x=1.0)


@case
def tangent_of_an_integer():
    xform.jvp(lambda x, n: x * n, (1.0, 2), (1.0, 0))


@case
def chunk_size_of_a_jacobian():
    xform.jacfwd(lambda x: x, chunk_size=0)


@case
def real_output_of_a_holomorphic_jacobian():
    xform.jacrev(xnp.real, holomorphic=True)(1.0 + 2.0j)


@case
def transpose_of_a_nonlinear_function():
    xform.linear_transpose(lambda x: 1 / x, 1.0)


@case
def transpose_of_a_function_of_integers():
    xform.linear_transpose(lambda x: x * 2.0, 1)


@case
def defjvps_with_fixed_arguments():
    xform.custom_jvp(lambda g, x: g(x), nondiff_argnums=0).defjvps(lambda t, y, x: t)


@case
def tangent_of_another_dtype():
    f = xform.custom_jvp(lambda x: x)
    f.defjvp(lambda primals, tangents: (primals[0], tangents[0].astype("float16")))
    xform.grad(f)(1.0)


@case
def pullback_of_another_structure():
    f = xform.custom_vjp(lambda p: p["a"])
    f.defvjp(lambda p: (p["a"], None), lambda kept, ct: ((ct, ct),))
    xform.grad(f)({"a": 1.0})


@case
def integer_that_does_not_fit():
    xnp.asarray(2**40)


@case
def integers_that_do_not_fit():
    xnp.asarray(np.array([1, 2**40]))


@case
def float64_that_is_narrowed():
    xnp.asarray(np.ones(3))


@case
def nan_while_debugging():
    with config.scoped(debug_nans=True):
        xnp.log(xnp.asarray(-1.0))


@case
def nan_in_a_compiled_loop():
    with config.scoped(debug_nans=True):
        step = lambda i, c: xnp.sqrt(c - 1.0)  # noqa: E731
        xform.jit(lambda x: xform.lax.fori_loop(0, 9, step, x))(3.0)


@case
def nan_in_an_argument():
    with config.scoped(debug_nans=True):
        xform.jit(lambda x: x + 1)(np.float32(np.nan))


@case
def nan_as_an_integer():
    xnp.asarray(np.float32([1.0, np.nan]), dtype="int32")


@case
def infinity_in_a_list_as_an_integer():
    xnp.array([1.0, float("inf")], dtype="int32")


@case
def full_of_nan_as_integers():
    xnp.full((2,), float("nan"), dtype="int32")


@case
def pytrees_that_differ():
    xform.tree.map(lambda x, y: x, {"a": 1}, {"b": 1})


@case
def many_shapes():
    f = xform.jit(lambda x: x)
    for size in range(20):
        f(xnp.zeros(size))


@case
def a_new_function_for_each_call():
    def apply(function, x):
        return function(x)

    f = xform.jit(apply, static_argnums=0)
    for _ in range(20):
        f(lambda x: x, 1.0)


@case
def a_counter_that_is_static():
    f = xform.jit(lambda x, step: x * step, static_argnames="step")
    for step in range(20):
        f(1.0, step=step)


@case
def a_list_that_grows():
    f = xform.jit(lambda xs: xs[-1])
    for count in range(1, 20):
        f([1.0] * count)


@case
def explain_a_function_that_is_not_jitted():
    def f(x):
        return x

    xform.explain(f)


CASES.update(errors_of_loops.CASES)
CASES.update(errors_of_devices.CASES)
CASES.update(errors_of_convolutions.CASES)

# -- comparison ---------------------------------------------------------------------------------


def message(name: str) -> str:
    """The kind and text of what a case raises or warns, with places made general."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            CASES[name]()
        except (Exception, errors.NarrowingWarning, errors.RecompilationWarning) as error:
            text = f"{type(error).__name__}: {error}"
        else:
            raise AssertionError(f"{name} raises nothing")
    text = re.sub(r"[^ ]*(?:test_errors|errors_of_\w+)\.py:\d+", "test_errors.py:N", text)
    return re.sub(r" at 0x[0-9a-f]+", " at 0xN", text)


def golden() -> dict[str, str]:
    sections = re.split(r"^== (\w+)\n", GOLDEN.read_text(), flags=re.MULTILINE)[1:]
    return {name: text.strip() for name, text in zip(*[iter(sections)] * 2, strict=True)}


@pytest.mark.parametrize("name", CASES)
def test_message(name):
    found = message(name)
    assert found == golden()[name]
    assert len(found.splitlines()) <= MOST_LINES


def test_every_golden_message_has_a_case():
    assert list(golden()) == list(CASES)


@pytest.mark.parametrize("name", CASES)
def test_messages_show_the_users_line(name):
    """Every message names a line of this file, and that line's code."""
    assert re.search(r"test_errors\.py:N: \S", golden()[name]), name


def test_a_narrowed_array_warns_once_for_each_line():
    def convert():
        return xnp.asarray(np.ones(3))

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(3):
            convert()
    assert [w.category for w in caught] == [errors.NarrowingWarning]


def test_side_effects_under_jit_happen_while_tracing(capsys):
    f = xform.jit(lambda x: print("tracing") or x + 1)
    f(1.0)
    f(2.0)
    assert capsys.readouterr().out == "tracing\n"


def test_errors_leave_no_trace_behind():
    for name in CASES.keys() - {"float64_that_is_narrowed"}:  # It warns once only.
        with contextlib.suppress(Exception):
            message(name)
        assert float(xnp.sin(xnp.asarray(0.0))) == 0.0
        assert float(xform.jit(lambda x: x + 1)(1.0)) == 2.0


if __name__ == "__main__":
    with config.scoped(cache_dir=""):
        GOLDEN.write_text("".join(f"== {name}\n{message(name)}\n\n" for name in CASES))
    sys.stdout.write(f"{len(CASES)} messages in {GOLDEN}\n")
