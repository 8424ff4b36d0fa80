"""The cases of `test_errors.py` about loops, branches and callbacks."""

from collections.abc import Callable
from typing import Any

import numpy as np

import xform
import xform.numpy as xnp
from xform import debug, lax
from xform.config import config

CASES: dict[str, Callable[[], Any]] = {}

X = np.arange(6, dtype=np.float32).reshape(2, 3)


def case(function: Callable[[], Any]) -> Callable[[], Any]:
    CASES[function.__name__] = function
    return function


@case
def carry_that_changes_its_dtype():
    init = {"n": np.int32(0), "m": X}
    lax.scan(lambda c, x: ({"n": c["n"] + x, "m": c["m"]}, None), init, X[0])


@case
def carry_that_changes_its_shape():
    lax.fori_loop(0, 3, lambda i, y: y + X, np.float32(0))


@case
def carry_that_changes_its_structure():
    lax.while_loop(lambda s: s[0] < 3, lambda s: (s[0] + 1, s[1], 0), (0, X))


@case
def scan_without_a_pair():
    def step(c, x):
        return c + x

    lax.scan(step, X[0], X)


@case
def slices_of_two_lengths():
    lax.scan(lambda c, x: (c, None), 0.0, {"a": X, "b": X[:1]})


@case
def length_that_disagrees():
    lax.scan(lambda c, x: (c, None), 0.0, X, length=3)


@case
def scan_over_nothing():
    lax.scan(lambda c, x: (c, None), 0.0)


@case
def condition_that_is_a_number():
    lax.while_loop(lambda n: n, lambda n: n - 1, 3)


@case
def condition_of_many_elements():
    lax.while_loop(lambda x: x < 3, lambda x: x + 1, X)


@case
def predicate_of_many_elements():
    lax.cond(X > 0, lambda x: x, lambda x: -x, X)


@case
def branches_of_two_dtypes():
    lax.cond(True, lambda x: x, lambda x: x > 0, X)


@case
def branches_of_two_shapes():
    def summed(x):
        return {"y": x.sum()}

    lax.switch(1, [lambda x: {"y": x}, summed], X)


@case
def branches_of_two_structures():
    lax.cond(True, lambda x: (x, x), lambda x: x, X)


@case
def branch_that_is_no_function():
    lax.cond(True, X, -X)


@case
def index_that_is_a_float():
    lax.switch(1.0, [lambda x: x, lambda x: -x], X)


@case
def bounds_of_a_loop_that_are_floats():
    lax.fori_loop(0, 2.5, lambda i, x: x, X)


@case
def gradient_of_a_loop_that_keeps_too_much():
    def f(x):
        return lax.while_loop(lambda s: s[0] < 3, lambda s: (s[0] + 1, xnp.sin(s[1])), (0, x))[
            1
        ].sum()

    with config.scoped(tape_bytes=800):
        xform.grad(f)(X)


@case
def mapped_gradients_of_loops_that_keep_too_much():
    def f(x):
        return lax.while_loop(lambda s: s[0] < 3, lambda s: (s[0] + 1, xnp.sin(s[1])), (0, x))[1]

    with config.scoped(tape_bytes=800):
        xform.vmap(xform.grad(f))(xnp.ones(50))


@case
def gradient_of_a_python_function():
    like = xform.ShapeDtypeStruct((), "float32")
    xform.grad(lambda x: xform.pure_callback(np.sin, like, x))(1.0)


@case
def callback_that_returns_another_shape():
    like = xform.ShapeDtypeStruct((3,), "float32")
    xform.pure_callback(np.sin, like, X)


@case
def text_without_a_place_for_a_value():
    debug.print("x", x=X)
