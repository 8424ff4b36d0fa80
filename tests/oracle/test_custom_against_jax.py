"""Custom derivatives and the arguments of transformations against JAX, where JAX is installed.

Each snippet is a function of the library's modules that returns a pytree of numbers.
"""

from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import xform
import xform.custom_derivatives
import xform.lax
import xform.numpy

jax = pytest.importorskip("jax", reason="compares with JAX, which is not installed")


@dataclass(frozen=True)
class Library:
    """What the snippets use of xform or JAX."""

    root: ModuleType
    np: ModuleType
    lax: ModuleType


XFORM = Library(xform, xform.numpy, xform.lax)
JAX = Library(jax, jax.numpy, jax.lax)
X = np.array([0.5, -1.0, 2.0])
SNIPPETS: dict[str, Any] = {}


@pytest.fixture(autouse=True)
def double_precision():
    with xform.config.scoped(enable_x64=True), jax.enable_x64(True):
        yield


def snippet(function):
    SNIPPETS[function.__name__] = function
    return function


def sine(lib):
    """Ten times too steep, to show that the rule is used."""
    f = lib.root.custom_jvp(lambda x: lib.np.sin(x))
    f.defjvp(lambda primals, tangents: (f(*primals), 10 * lib.np.cos(primals[0]) * tangents[0]))
    return f


def scaled(lib):
    f = lib.root.custom_vjp(lambda x, y: x * y)
    f.defvjp(lambda x, y: (f(x, y), (x, y)), lambda kept, ct: (ct * kept[1] * 7, ct * kept[0] * 3))
    return f


# -- custom_jvp ---------------------------------------------------------------------------------


@snippet
def jvp_of_custom_jvp(lib):
    return lib.root.jvp(sine(lib), (X,), (np.ones(3),))


@snippet
def vjp_of_custom_jvp(lib):
    return lib.root.vjp(sine(lib), X)[1](np.ones(3))


@snippet
def second_derivative_of_custom_jvp(lib):
    return lib.root.grad(lib.root.grad(sine(lib)))(0.3)


@snippet
def third_derivative_of_custom_jvp_by_forward_mode(lib):
    f = sine(lib)
    for _ in range(3):
        f = lib.root.jacfwd(f)
    return f(0.3)


@snippet
def mapped_custom_jvp(lib):
    return lib.root.vmap(lib.root.grad(sine(lib)))(X)


@snippet
def custom_jvp_in_jit_in_vmap_in_grad(lib):
    return lib.root.grad(lambda x: lib.np.sum(lib.root.vmap(lib.root.jit(sine(lib)))(x)))(X)


@snippet
def hessian_of_custom_jvp(lib):
    return lib.root.hessian(lambda x: lib.np.sum(sine(lib)(x) * x))(X)


@snippet
def one_rule_per_argument(lib):
    f = lib.root.custom_jvp(lambda x, y: x * y)
    f.defjvps(lambda t, out, x, y: 2 * t * y, lambda t, out, x, y: 3 * t * x + out)
    return lib.root.grad(f, (0, 1))(2.0, 5.0)


@snippet
def one_rule_and_none(lib):
    f = lib.root.custom_jvp(lambda x, y: x * y)
    f.defjvps(lambda t, out, x, y: 2 * t * y, None)
    return lib.root.grad(f, (0, 1))(2.0, 5.0), lib.root.jvp(f, (2.0, 5.0), (0.0, 1.0))


@snippet
def fixed_argument_in_the_middle(lib):
    f = lib.root.custom_jvp(lambda x, g, y: g(x) * y, nondiff_argnums=(1,))

    @f.defjvp
    def rule(g, primals, tangents):
        (x, y), (tx, ty) = primals, tangents
        return f(x, g, y), 4 * tx * y + ty

    return lib.root.grad(lambda x, y: f(x, lib.np.exp, y), (0, 1))(0.5, 2.0)


@snippet
def fixed_argument_by_name(lib):
    f = lib.root.custom_jvp(lambda x, n: x**n, nondiff_argnames=("n",))
    f.defjvp(lambda n, primals, tangents: (primals[0] ** n, 100 * tangents[0]))
    return lib.root.grad(f)(2.0, 3), lib.root.grad(lambda x: f(x, n=3))(2.0)


@snippet
def defaults_and_keywords(lib):
    f = lib.root.custom_jvp(lambda x, y=2.0: x * y)
    f.defjvp(lambda p, t: (f(*p), 10 * t[0] * p[1] + t[1]))
    return lib.root.grad(f)(3.0), lib.root.grad(lambda x: f(x, y=x))(3.0)


@snippet
def pytrees_in_custom_jvp(lib):
    f = lib.root.custom_jvp(lambda p: {"s": p["a"] * p["b"][0], "t": (p["a"],)})
    f.defjvp(lambda p, t: (f(*p), {"s": 5 * t[0]["a"], "t": (t[0]["b"][0],)}))
    args = ({"a": 2.0, "b": [3.0]},)
    return lib.root.jvp(f, args, ({"a": 1.0, "b": [10.0]},)), lib.root.grad(
        lambda p: f(p)["t"][0] + f(p)["s"]
    )(*args)


@snippet
def integers_in_custom_jvp(lib):
    f = lib.root.custom_jvp(lambda x, n: x * n)
    f.defjvp(lambda p, t: (f(*p), 10 * t[0] * p[1]))
    return lib.root.grad(f)(2.0, 3)


@snippet
def symbolic_zeros_in_custom_jvp(lib):
    kinds = []
    zero = lib.root.custom_derivatives.SymbolicZero
    f = lib.root.custom_jvp(lambda x, y: x * y)

    def rule(primals, tangents):
        kinds.append([int(type(t) is zero) for t in tangents])
        x, y = primals
        tx = 0.0 if type(tangents[0]) is zero else tangents[0]
        ty = 0.0 if type(tangents[1]) is zero else tangents[1]
        return f(x, y), 2 * tx * y + 3 * x * ty

    f.defjvp(rule, symbolic_zeros=True)
    found = [
        lib.root.grad(f, 0)(2.0, 5.0),
        lib.root.grad(f, 1)(2.0, 5.0),
        lib.root.grad(lambda x: lib.root.jit(f)(x, 5.0))(2.0),
        lib.root.vmap(lib.root.grad(f), (0, None))(X, 5.0),
    ]
    return found, kinds[:2]


@snippet
def symbolic_zeros_have_shapes(lib):
    seen = []
    f = lib.root.custom_jvp(lambda x, y: x + y)

    def rule(primals, tangents):
        seen.append((tangents[1].shape, str(tangents[1].dtype), tangents[1].ndim))
        return f(*primals), tangents[0]

    f.defjvp(rule, symbolic_zeros=True)
    lib.root.jvp(lambda x: f(x, X), (X,), (X,))
    return [shape for shape, _, _ in seen], seen[0][2]


@snippet
def zeros_of_custom_jvp_without_asking(lib):
    f = lib.root.custom_jvp(lambda x, y: x * y)
    f.defjvp(lambda p, t: (f(*p), t[0] + lib.np.sin(t[1])))
    return lib.root.grad(f)(2.0, 5.0)


@snippet
def custom_jvp_of_a_loop_of_python(lib):
    f = lib.root.custom_jvp(lambda x: x * 2 if x > 0 else x * 3)
    f.defjvp(lambda p, t: (f(*p), t[0] * (20 if p[0] > 0 else 30)))
    return [lib.root.grad(f)(1.0), lib.root.grad(f)(-1.0)]


@snippet
def custom_jvp_calls_another(lib):
    f = sine(lib)
    g = lib.root.custom_jvp(lambda x: f(x) * x)
    g.defjvp(lambda p, t: (g(*p), lib.root.jvp(f, p, t)[1] + 1.0 * t[0]))
    return lib.root.grad(g)(0.3), lib.root.grad(lib.root.grad(g))(0.3)


# -- custom_vjp ---------------------------------------------------------------------------------


@snippet
def gradient_of_custom_vjp(lib):
    return lib.root.grad(scaled(lib), (0, 1))(2.0, 5.0)


@snippet
def mapped_custom_vjp(lib):
    g = lib.root.grad(scaled(lib), (0, 1))
    return lib.root.vmap(g)(X, 2 * X), lib.root.vmap(g, (0, None))(X, 3.0)


@snippet
def gradient_of_a_mapped_custom_vjp(lib):
    f = lib.root.vmap(scaled(lib), (0, None))
    return lib.root.grad(lambda x, y: lib.np.sum(f(x, y)), (0, 1))(X, 3.0)


@snippet
def jacrev_of_custom_vjp(lib):
    return lib.root.jacrev(lambda x: scaled(lib)(x, 2 * x))(X)


@snippet
def custom_vjp_in_jit(lib):
    f = lib.root.jit(scaled(lib))
    return lib.root.grad(f, (0, 1))(2.0, 5.0), lib.root.jit(lib.root.grad(f))(2.0, 5.0)


@snippet
def second_derivative_of_custom_vjp(lib):
    f = scaled(lib)
    return lib.root.grad(lambda y: lib.root.grad(f)(2.0, y))(5.0)


@snippet
def pullback_with_none(lib):
    f = lib.root.custom_vjp(lambda x, y: x * y)
    f.defvjp(lambda x, y: (f(x, y), y), lambda y, ct: (ct * y, None))
    return lib.root.grad(f, (0, 1))(2.0, 5.0)


@snippet
def pullback_with_none_within_a_pytree(lib):
    f = lib.root.custom_vjp(lambda p, y: p["a"]["x"] * p["b"] * y)
    f.defvjp(
        lambda p, y: (f(p, y), (p, y)),
        lambda kept, ct: ({"a": None, "b": ct * 9}, None),
    )
    p = {"a": {"x": 2.0, "z": X}, "b": 4.0}
    return lib.root.grad(f, (0, 1))(p, 3.0)


@snippet
def fixed_arguments_of_custom_vjp(lib):
    f = lib.root.custom_vjp(lambda g, x, n, y: g(x) * n * y, nondiff_argnums=(0, 2))
    f.defvjp(
        lambda g, x, n, y: (f(g, x, n, y), (x, y)),
        lambda g, n, kept, ct: (ct * n * kept[1], ct * g(kept[0])),
    )
    return lib.root.grad(lambda x, y: f(lib.np.exp, x, 3, y), (0, 1))(0.5, 2.0)


@snippet
def integers_in_custom_vjp(lib):
    f = lib.root.custom_vjp(lambda x, n: x * n)
    f.defvjp(lambda x, n: (f(x, n), n), lambda n, ct: (ct * n * 2, None))
    return lib.root.grad(f)(2.0, 3)


@snippet
def several_outputs_of_custom_vjp(lib):
    f = lib.root.custom_vjp(lambda x: (x, {"b": x * 2, "n": None}))
    f.defvjp(lambda x: (f(x), None), lambda _, ct: (ct[0] * 10 + ct[1]["b"] * 100,))
    return (
        lib.root.grad(lambda x: f(x)[0])(2.0),
        lib.root.grad(lambda x: f(x)[1]["b"])(2.0),
        lib.root.grad(lambda x: f(x)[1]["b"] * f(x)[0])(2.0),
    )


@snippet
def symbolic_zeros_in_custom_vjp(lib):
    seen = []
    zero = lib.root.custom_derivatives.SymbolicZero
    f = lib.root.custom_vjp(lambda x, y: (x * y, x + y))

    def fwd(x, y):
        seen.append([int(x.perturbed), int(y.perturbed)])
        return (x.value * y.value, x.value + y.value), (x.value, y.value)

    def bwd(kept, cts):
        seen.append([int(type(ct) is zero) for ct in cts])
        first = 0.0 if type(cts[0]) is zero else cts[0]
        second = 0.0 if type(cts[1]) is zero else cts[1]
        return 2 * first * kept[1] + second, 3 * first * kept[0]

    f.defvjp(fwd, bwd, symbolic_zeros=True)
    found = [
        lib.root.grad(lambda x: f(x, 5.0)[0])(2.0),
        lib.root.grad(lambda y: f(2.0, y)[0])(5.0),
        lib.root.grad(lambda x, y: f(x, y)[1], (0, 1))(2.0, 5.0),
    ]
    return found, seen


@snippet
def symbolic_zeros_in_custom_vjp_of_pytrees(lib):
    seen = []
    f = lib.root.custom_vjp(lambda p: p["a"] * p["b"])

    def fwd(p):
        seen.append([int(p["a"].perturbed), int(p["b"].perturbed)])
        return p["a"].value * p["b"].value, p["b"].value

    f.defvjp(fwd, lambda b, ct: ({"a": ct * b, "b": None},), symbolic_zeros=True)
    return lib.root.grad(lambda a: f({"a": a, "b": 3.0}))(2.0), seen


@snippet
def custom_vjp_with_python_control_flow(lib):
    f = lib.root.custom_vjp(lambda x: x * 2 if x > 0 else x * 3)
    f.defvjp(lambda x: (f(x), x > 0), lambda up, ct: (ct * (20 if up else 30),))
    return [lib.root.grad(f)(1.0), lib.root.grad(f)(-1.0)]


@snippet
def custom_vjp_with_unused_result(lib):
    f = scaled(lib)
    return lib.root.grad(lambda x: x * 2 + 0 * f(x, 3.0))(1.0)


# -- custom_gradient ----------------------------------------------------------------------------


@snippet
def custom_gradient_of_one_argument(lib):
    f = lib.root.custom_gradient(lambda x: (x**2, lambda g: (g * x * 10,)))
    return f(3.0), lib.root.grad(f)(3.0)


@snippet
def custom_gradient_with_a_bare_cotangent(lib):
    f = lib.root.custom_gradient(lambda x: (x**2, lambda g: g * x * 10))
    return lib.root.grad(f)(3.0), lib.root.vmap(lib.root.grad(f))(X)


@snippet
def custom_gradient_of_two_arguments(lib):
    f = lib.root.custom_gradient(lambda x, y: (x * y, lambda g: (g * y * 10, g * x * 100)))
    return lib.root.grad(f, (0, 1))(3.0, 4.0), lib.root.grad(lib.root.jit(f), (0, 1))(3.0, 4.0)


@snippet
def custom_gradient_of_pytrees(lib):
    f = lib.root.custom_gradient(
        lambda p: ({"out": p["a"] * 2}, lambda g: ({"a": g["out"] * p["a"]},))
    )
    return lib.root.grad(lambda p: f(p)["out"])({"a": 3.0})


@snippet
def custom_gradients_called_twice(lib):
    f = lib.root.custom_gradient(lambda x: (lib.np.sin(x), lambda g: (g * x,)))
    return lib.root.grad(lambda x: f(x) * f(x * 2))(0.7)


@snippet
def second_derivative_of_custom_gradient(lib):
    f = lib.root.custom_gradient(lambda x: (x**2, lambda g: (g * x**3,)))
    return lib.root.grad(lib.root.grad(f))(2.0)


# -- closure_convert ----------------------------------------------------------------------------


def minimize(lib, objective, x, *args):
    """One step from x, whose derivative by `args` is made up."""

    def run(fun, x, *args):
        return x - fun(x, *args)

    f = lib.root.custom_vjp(run, nondiff_argnums=(0,))
    f.defvjp(
        lambda fun, x, *args: (run(fun, x, *args), (x, args)),
        lambda fun, kept, ct: (ct, *(ct * 100 for _ in kept[1])),
    )
    return f(objective, x, *args)


@snippet
def closure_convert_in_custom_vjp(lib):
    def loss(w):
        converted, values = lib.root.closure_convert(lambda x: x * w + 2.0, 1.0)
        return minimize(lib, converted, 3.0, *values)

    return loss(2.0), lib.root.grad(loss)(2.0), lib.root.jit(lib.root.grad(loss))(2.0)


@snippet
def closure_convert_of_known_values(lib):
    converted, values = lib.root.closure_convert(lambda x: x * X, 1.0)
    return converted(2.0, *values), len(values)


@snippet
def closure_convert_of_integers(lib):
    def count(w, n):
        converted, values = lib.root.closure_convert(lambda x: x * w * n, 1.0)
        return converted(2.0, *values)

    return lib.root.grad(count)(3.0, 4)


# -- linear_transpose, pullbacks ----------------------------------------------------------------


@snippet
def linear_transpose_of_a_matrix(lib):
    m = np.arange(6.0).reshape(2, 3)
    return lib.root.linear_transpose(lambda x: m @ x, X)(np.array([1.0, 2.0]))


@snippet
def linear_transpose_of_pytrees(lib):
    f = lambda p, y: {"o": p["a"] * 2 + y, "q": p["b"][0]}  # noqa: E731
    back = lib.root.linear_transpose(f, {"a": X, "b": (X,)}, X)
    return back({"o": X, "q": 3 * X})


@snippet
def linear_transpose_of_a_sum_and_a_slice(lib):
    back = lib.root.linear_transpose(lambda x: lib.np.cumsum(x[::-1])[:2] * 3, X)
    return back(np.array([1.0, 10.0]))


@snippet
def linear_transpose_of_complex_numbers(lib):
    z = X + 1j
    back = lib.root.linear_transpose(lambda x: x * (1 + 2j), z)
    return back(z)


@snippet
def pullback_of_several_outputs_with_aux(lib):
    value, pull, aux = lib.root.vjp(
        lambda x: ((x**2, lib.np.sum(x)), {"k": x + 1}), X, has_aux=True
    )
    return value, pull((X, 2.0)), aux


@snippet
def forward_and_backward_halves(lib):
    fwd, bwd = lib.root.fwd_and_bwd(lambda w, x: lib.np.sin(w * x), argnums=(0, 1))
    y, kept = fwd(2.0, 3.0)
    return y, bwd(kept, 1.0)


@snippet
def pullbacks_leave_a_jitted_function(lib):
    _, pull = lib.root.jit(lambda x: lib.root.vjp(lambda x: lib.np.exp(x), x))(X)
    return lib.root.jit(lambda p, ct: p(ct))(pull, X)


def leaves(x):
    return [np.asarray(leaf) for leaf in jax.tree.leaves(x)]


@pytest.mark.parametrize("name", SNIPPETS)
def test_snippet(name):
    found, wanted = leaves(SNIPPETS[name](XFORM)), leaves(SNIPPETS[name](JAX))
    assert len(found) == len(wanted)
    for x, y in zip(found, wanted, strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-12, atol=1e-14)


# Programs that both libraries refuse.

REFUSED = {
    "defjvps with fixed arguments": lambda lib: lib.root.custom_jvp(
        lambda g, x: g(x), nondiff_argnums=(0,)
    ).defjvps(lambda t, y, x: t),
    "forward mode of custom_vjp": lambda lib: lib.root.jvp(scaled(lib), (1.0, 2.0), (1.0, 0.0)),
    "forward mode of custom_gradient": lambda lib: lib.root.jvp(
        lib.root.custom_gradient(lambda x: (x, lambda g: (g,))), (1.0,), (1.0,)
    ),
    "no rule": lambda lib: lib.root.grad(lib.root.custom_jvp(lambda x: x))(1.0),
    "no pullback": lambda lib: lib.root.grad(lib.root.custom_vjp(lambda x: x))(1.0),
    "unknown fixed name": lambda lib: lib.root.custom_jvp(lambda x: x, nondiff_argnames=("y",))(
        1.0
    ),
    "linear_transpose of a square": lambda lib: lib.root.linear_transpose(lambda x: x * x, 1.0)(
        1.0
    ),
    "number as a tangent of an integer": lambda lib: lib.root.jvp(
        lambda x, n: x * n, (1.0, 2), (1.0, 0)
    ),
    "no argnums": lambda lib: lib.root.grad(lambda x: x, argnums=())(1.0),
    "an argument twice": lambda lib: lib.root.grad(lambda x, y: x, argnums=(0, 0))(1.0, 2.0),
    "grad of a number": lambda lib: lib.root.grad(5),
    "real output of holomorphic": lambda lib: lib.root.jacfwd(lib.np.real, holomorphic=True)(1j),
}


@pytest.mark.parametrize("name", REFUSED)
def test_both_refuse(name):
    for lib, kind in ((XFORM, xform.errors.XformError), (JAX, Exception)):
        with pytest.raises(kind):
            REFUSED[name](lib)
