"""pmap: arguments, structures, devices, and its composition with the other transformations."""

from collections.abc import Iterator

import numpy as np
import pytest

import xform
import xform.numpy as xnp
from xform import errors, lax
from xform.config import config
from xform.core import check
from xform.higher_order import parallel_call

COUNT = 4


@pytest.fixture(autouse=True, params=["together", "apart"])
def _devices(request, monkeypatch) -> Iterator[None]:
    """All devices in one program, and each with its own thread however little it has to do."""
    if request.param == "apart":
        monkeypatch.setattr(parallel_call, "LEAST_WORK", 0)
    with config.scoped(num_cpu_devices=COUNT):
        yield


X = np.arange(8, dtype=np.float32).reshape(4, 2) / 8


def share(x):
    return xnp.sin(x) / lax.psum(xnp.exp(x), "i")


SHARES = np.sin(X) / np.exp(X).sum(0)


def close(found, wanted):
    np.testing.assert_allclose(np.asarray(found), wanted, rtol=1e-5, atol=1e-6)


# Arguments and results


def test_values():
    close(xform.pmap(share, axis_name="i")(X), SHARES)


def test_without_a_name():
    close(xform.pmap(lambda x: x * 2)(X), 2 * X)


def test_axes_of_arguments_and_results():
    f = xform.pmap(lambda x, y: (x + y, x * y), in_axes=(1, None), out_axes=(0, 1))
    added, product = f(X.T, X[0])
    close(added, X + X[0])
    close(product, (X * X[0]).T)


def test_pytrees_keywords_and_prefixes():
    f = xform.pmap(
        lambda tree, *, c: {"sum": tree["a"] + tree["b"] * c},
        in_axes=({"a": 0, "b": None},),
    )
    found = f({"a": X, "b": X[1]}, c=np.arange(4, dtype=np.float32))
    close(found["sum"], X + X[1] * np.arange(4)[:, None])


def test_the_first_devices_output():
    assert float(xform.pmap(lambda x: x.sum(), out_axes=None)(X)) == X[0].sum()
    assert float(xform.pmap(lambda x: lax.psum(x.sum(), "i"), "i", out_axes=None)(X)) == X.sum()


def test_static_arguments():
    f = xform.pmap(
        lambda x, n, y: x * y if n == "mul" else x + y,
        in_axes=(0, None, 0),
        static_broadcasted_argnums=1,
    )
    close(f(X, "mul", X), X * X)
    close(f(X, "add", X), X + X)


def test_an_axis_size_where_nothing_is_divided():
    f = xform.pmap(lambda x: x + lax.axis_index("i"), "i", in_axes=None, axis_size=3)
    close(f(1.0), [1, 2, 3])


def test_functions_close_over_arrays():
    w = xnp.array([2.0, 3.0])
    close(xform.pmap(lambda x: x @ w)(X), X @ np.array([2.0, 3.0], np.float32))


def test_results_that_depend_on_nothing_are_on_all_devices():
    close(xform.pmap(lambda x: (x, 1.0))(X)[1], np.ones(4))


def test_an_argument_may_be_donated():
    x = xnp.array(X) + 0
    close(xform.pmap(lambda x: x + 1, donate_argnums=0)(x), X + 1)
    assert x.is_deleted()


def test_a_program_is_staged_once():
    count = []
    f = xform.pmap(lambda x: count.append(1) or x)
    for _ in range(3):
        f(X)
    assert len(count) == 1
    f(X[:2])
    assert len(count) == 2


def test_integers_and_booleans():
    n = np.arange(4, dtype=np.int32)
    f = xform.pmap(lambda n, b: lax.psum(n * 2, "i") + lax.psum(b, "i"), "i")
    close(f(n, n > 1), np.full(4, 14))


# Other transformations


def test_under_jit():
    close(xform.jit(lambda x: xform.pmap(share, "i")(x) + 1)(X), SHARES + 1)


def test_around_jit():
    close(xform.pmap(xform.jit(share), "i")(X), SHARES)


def test_without_jit():
    with xform.disable_jit():
        close(xform.pmap(share, "i")(X), SHARES)


def vmapped(f):
    return xform.vmap(f, axis_name="i")


def loss(mapping, x, w):
    return (mapping(lambda y: share(y * w) * w)(x) ** 2).sum()


def pmapped(f):
    return xform.pmap(f, axis_name="i")


def test_gradients_from_outside():
    w = np.float32(1.5)
    for argnums in (0, 1, (0, 1)):
        found = xform.grad(lambda x, w: loss(pmapped, x, w), argnums)(X, w)
        wanted = xform.grad(lambda x, w: loss(vmapped, x, w), argnums)(X, w)
        for a, b in zip(xform.tree.leaves(found), xform.tree.leaves(wanted), strict=True):
            close(a, np.asarray(b))


def test_gradients_of_shared_arguments_are_summed():
    def total(w):
        return xform.pmap(lambda x, w: x @ w, in_axes=(0, None))(X, w).sum()

    close(xform.grad(total)(np.ones(2, np.float32)), X.sum(0))


def test_gradients_of_common_outputs_count_once():
    def total(x):
        return xform.pmap(lambda x: lax.psum((x**2).sum(), "i"), "i", out_axes=None)(x)

    close(xform.grad(total)(X), 2 * X)


def test_second_derivatives():
    f = lambda mapping: lambda x: loss(mapping, x, 1.5)  # noqa: E731
    close(xform.hessian(f(pmapped))(X), np.asarray(xform.hessian(f(vmapped))(X)))


def test_gradients_inside():
    def step(mapping):
        return mapping(lambda x: lax.pmean(xform.grad(lambda y: (share(y) ** 2).sum())(x), "i"))

    close(step(pmapped)(X), np.asarray(step(vmapped)(X)))


def test_jvp_and_linearize():
    f = pmapped(share)
    out, tangent = xform.jvp(f, (X,), (X,))
    wanted, wanted_tangent = xform.jvp(vmapped(share), (X,), (X,))
    close(out, np.asarray(wanted))
    close(tangent, np.asarray(wanted_tangent))
    close(xform.linearize(f, X)[1](X), np.asarray(wanted_tangent))


def test_batches():
    batch = np.stack([X, X + 1, X * 2], 1)
    close(
        xform.vmap(pmapped(share), 1, 2)(batch),
        np.stack([np.sin(b) / np.exp(b).sum(0) for b in (X, X + 1, X * 2)], 2),
    )
    close(
        pmapped(xform.vmap(share))(batch),
        np.stack([np.sin(b) / np.exp(b).sum(0) for b in (X, X + 1, X * 2)], 1),
    )


def test_batches_with_a_name():
    f = xform.vmap(pmapped(lambda x: lax.psum(x, ("i", "b"))), in_axes=1, out_axes=1, axis_name="b")
    close(f(X), np.full((4, 2), X.sum()))


def test_nested():
    f = xform.pmap(lambda a: xform.pmap(lambda b: lax.psum(b, ("i", "j")) * b, "j")(a), "i")
    square = X.reshape(2, 2, 2)
    close(f(square), square * square.sum((0, 1)))
    unnamed = xform.pmap(xform.pmap(lambda b: b * 2))
    close(unnamed(square), square * 2)
    close(
        xform.grad(lambda w: xform.pmap(lambda a: xform.pmap(lambda b: b * w)(a))(square).sum())(
            1.0
        ),
        square.sum(),
    )


def test_checkpoint():
    f = lambda x: pmapped(xform.checkpoint(share))(x).sum()  # noqa: E731
    close(xform.grad(f)(X), np.asarray(xform.grad(lambda x: vmapped(share)(x).sum())(X)))


def test_programs_are_well_formed():
    program = xform.make_jaxpr(xform.grad(lambda x: pmapped(share)(x).sum()))(X)
    check.check(program)
    assert not program.effects
    assert "parallel_call" in str(program) and "psum" in str(program)


# Devices


def test_results_lie_on_the_devices():
    y = xform.pmap(lambda x: x + 1, "i")(X)
    assert y.devices() == set(xform.devices())
    assert y.sharding.spec == xform.P("i")
    assert [s.device.id for s in y.addressable_shards] == [0, 1, 2, 3]
    close(y.addressable_shards[2].data, X[2:3] + 1)
    assert not y.is_fully_replicated
    z = xform.pmap(lambda x: x + 1, "i", out_axes=1, devices=xform.devices()[::-1])(X)
    assert z.sharding.spec == xform.P(None, "i")
    assert [s.device.id for s in z.addressable_shards] == [3, 2, 1, 0]


def test_fewer_devices_are_used_where_the_axis_is_shorter():
    assert len(xform.pmap(lambda x: x)(X[:2]).devices()) == 2


def test_the_number_of_devices_may_change():
    f = xform.pmap(lambda x: x)
    f(X)
    with config.scoped(num_cpu_devices=2), pytest.raises(errors.ArgumentError, match="4 devices"):
        f(X)
    f(X)


def test_devices():
    assert xform.device_count() == xform.local_device_count() == COUNT
    assert xform.local_devices() == xform.devices("cpu")
    assert (xform.process_index(), xform.process_count()) == (0, 1)
    assert xform.default_backend() == "cpu"
    device = xform.devices()[1]
    assert (device.id, device.platform, device.device_kind) == (1, "cpu", "cpu")
    assert str(device) == "cpu:1" and repr(device) == "CpuDevice(id=1)"
    assert device is xform.devices()[1]
    every = {core for d in xform.devices() for core in d.cores}
    assert every and all(d.cores for d in xform.devices())


# Refusals


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: xform.pmap(3), errors.ArgumentError),
        (lambda: xform.pmap(share, backend="gpu"), errors.ArgumentError),
        (lambda: xform.pmap(share, global_arg_shapes=((1,),)), errors.ArgumentError),
        (lambda: xform.pmap(share, in_axes="0"), errors.ArgumentError),
        (lambda: xform.pmap(lambda x: x)(np.arange(5)), errors.ArgumentError),
        (lambda: xform.pmap(lambda x, y: x)(X, X[:2]), errors.ShapeError),
        (lambda: xform.pmap(lambda x: x)(np.float32(1)), errors.AxisError),
        (lambda: xform.pmap(lambda x: x, in_axes=2)(X), errors.AxisError),
        (lambda: xform.pmap(lambda x: x, in_axes=(0, 0))(X), errors.ArgumentError),
        (lambda: xform.pmap(lambda x: x, in_axes=None)(X), errors.ArgumentError),
        (lambda: xform.pmap(lambda x: x, out_axes=3)(X), errors.AxisError),
        (lambda: xform.pmap(lambda x: x, out_axes=(0, 0))(X), errors.TreeError),
        (lambda: xform.pmap(lambda x: x, axis_size=3)(X), errors.ShapeError),
        (lambda: xform.pmap(lambda x: x, devices=xform.devices()[:2])(X), errors.ArgumentError),
        (lambda: xform.pmap(lambda x: lax.psum(x, "j"), "i")(X), errors.UnknownAxisError),
        (lambda: xform.pmap(lambda x: "text")(X), errors.ArgumentError),
        (
            lambda: xform.pmap(lambda x: xform.pmap(lambda y: y)(x))(np.ones((4, 2), np.float32)),
            errors.ArgumentError,
        ),
        (lambda: xform.devices("gpu"), errors.ArgumentError),
        (lambda: xform.local_devices(1), errors.ArgumentError),
    ],
)
def test_refusals(call, error):
    with pytest.raises(error):
        call()
