"""Meshes, shardings, shard_map and the placement of arrays."""

import copy
import gc
import pickle
from collections.abc import Iterator

import numpy as np
import pytest

import xform
import xform.numpy as xnp
from xform import errors, lax
from xform.config import config
from xform.higher_order import parallel_call
from xform.runtime import sharding
from xform.sharding import Mesh, NamedSharding, PartitionSpec, SingleDeviceSharding

P = PartitionSpec


@pytest.fixture(autouse=True, params=["together", "apart"])
def _devices(request, monkeypatch) -> Iterator[None]:
    """All devices in one program, and each with its own thread however little it has to do."""
    if request.param == "apart":
        monkeypatch.setattr(parallel_call, "LEAST_WORK", 0)
    with config.scoped(num_cpu_devices=4):
        yield


@pytest.fixture
def mesh():
    return xform.make_mesh((2, 2), ("i", "j"))


X = np.arange(24, dtype=np.float32).reshape(4, 6)

# Meshes and specs


def test_meshes(mesh):
    assert dict(mesh.shape) == {"i": 2, "j": 2}
    assert (mesh.size, mesh.axis_names, mesh.axis_sizes) == (4, ("i", "j"), (2, 2))
    assert repr(mesh) == "Mesh('i': 2, 'j': 2)"
    assert mesh == Mesh(np.array(xform.devices()).reshape(2, 2), ("i", "j"))
    assert hash(mesh) == hash(xform.make_mesh((2, 2), ("i", "j")))
    assert mesh != xform.make_mesh((2, 2), ("j", "i"))
    assert mesh != xform.make_mesh((2, 2), ("i", "j"), devices=xform.devices()[::-1])
    assert mesh.device_ids.tolist() == [[0, 1], [2, 3]]
    assert sharding.current_mesh() is None
    with mesh, xform.make_mesh((4,), ("k",)) as inner:
        assert sharding.current_mesh() is inner
    assert sharding.current_mesh() is None


def test_specs():
    spec = P("i", None, ["j", "k"])
    assert repr(spec) == "P('i', None, ('j', 'k'))"
    assert spec == P("i", None, ("j", "k"))
    assert [spec.names(k) for k in range(4)] == [("i",), (), ("j", "k"), ()]
    assert pickle.loads(pickle.dumps(spec)) == spec
    assert copy.copy(spec) == spec


@pytest.mark.parametrize(
    ("spec", "shape", "slices"),
    [
        (P("i", "j"), (2, 3), {0: ((0, 2), (0, 3)), 1: ((0, 2), (3, 6)), 2: ((2, 4), (0, 3))}),
        (P(("i", "j")), (1, 6), {1: ((1, 2), (0, 6)), 2: ((2, 3), (0, 6))}),
        (P(("j", "i")), (1, 6), {1: ((2, 3), (0, 6)), 2: ((1, 2), (0, 6))}),
        (P(None, "j"), (4, 3), {1: ((0, 4), (3, 6)), 2: ((0, 4), (0, 3))}),
        (P(), (4, 6), {3: ((0, 4), (0, 6))}),
    ],
)
def test_parts(mesh, spec, shape, slices):
    where = NamedSharding(mesh, spec)
    assert where.shard_shape((4, 6)) == shape
    found = where.devices_indices_map((4, 6))
    for device, wanted in slices.items():
        index = found[xform.devices()[device]]
        got = tuple(s.indices(n)[:2] for s, n in zip(index, (4, 6), strict=True))
        assert got == wanted
    assert where.is_fully_replicated == (spec == P())


# Arrays


def test_arrays_are_on_the_first_device():
    x = xnp.ones(3)
    assert x.sharding == SingleDeviceSharding(xform.devices()[0])
    assert x.device == xform.devices()[0]
    assert x.devices() == {xform.devices()[0]}
    assert x.is_fully_replicated and x.is_fully_addressable
    (shard,) = x.addressable_shards
    assert shard.data.tolist() == [1, 1, 1]


def test_arrays_are_put(mesh):
    rows = NamedSharding(mesh, P("i"))
    x = xform.device_put(X, rows)
    assert x.sharding == rows and x.device == rows
    np.testing.assert_array_equal(x, X)
    assert repr(x) == repr(xnp.asarray(X))
    shards = x.addressable_shards
    assert [s.replica_id for s in shards] == [0, 1, 0, 1]
    np.testing.assert_array_equal(shards[3].data, X[2:])
    assert "replica_id=1" in repr(shards[3])
    # Another division is another array.
    y = xform.device_put(x, xform.devices()[1])
    assert y is not x and x.sharding == rows and y.device == xform.devices()[1]
    assert xform.device_put(y, xform.devices()[1]) is y
    assert xform.device_put(y) is y


def test_trees_are_put(mesh):
    where = {"a": NamedSharding(mesh, P("i")), "b": None}
    found = xform.device_put({"a": X, "b": (1.0, 2)}, where)
    assert found["a"].sharding.spec == P("i")
    assert found["b"][0].device == xform.devices()[0]
    with mesh:
        assert xform.device_put(X, P(None, "j")).sharding.spec == P(None, "j")


def test_parts_are_put():
    devices = xform.devices()[:2]
    x = xform.device_put_sharded([{"a": X[0]}, {"a": X[1]}], devices)["a"]
    np.testing.assert_array_equal(x, X[:2])
    assert x.devices() == set(devices)
    y = xform.device_put_replicated({"a": X[0]}, devices)["a"]
    np.testing.assert_array_equal(y, np.stack([X[0]] * 2))
    np.testing.assert_array_equal(xform.pmap(lambda x: x * 2)(x), X[:2] * 2)


def test_what_is_known_of_an_array_goes_with_it(mesh):
    gc.collect()
    before = len(sharding._placed)
    xs = [xform.device_put(X, NamedSharding(mesh, P("i"))) for _ in range(5)]
    assert len(sharding._placed) == before + 5
    del xs
    gc.collect()
    assert len(sharding._placed) == before


def test_constraints(mesh):
    rows = NamedSharding(mesh, P("i"))
    f = xform.jit(lambda x: lax.with_sharding_constraint(x * 2, rows))
    np.testing.assert_array_equal(f(X), 2 * X)
    assert lax.with_sharding_constraint(X, rows).sharding == rows
    np.testing.assert_array_equal(
        xform.grad(lambda x: lax.with_sharding_constraint(x, rows).sum())(X), np.ones_like(X)
    )


def test_drawings(mesh, capsys):
    xform.debug.visualize_array_sharding(xform.device_put(X, NamedSharding(mesh, P("i", "j"))))
    xform.debug.visualize_sharding((4,), NamedSharding(mesh, P("i")))
    assert capsys.readouterr().out.splitlines() == [
        "┌───────┬───────┐",
        "│ CPU 0 │ CPU 1 │",
        "├───────┼───────┤",
        "│ CPU 2 │ CPU 3 │",
        "└───────┴───────┘",
        "┌─────────┬─────────┐",
        "│ CPU 0,1 │ CPU 2,3 │",
        "└─────────┴─────────┘",
    ]


# shard_map


def test_blocks(mesh):
    shapes = []
    f = xform.shard_map(
        lambda x: shapes.append(x.shape) or x * 2,
        mesh=mesh,
        in_specs=P("i", "j"),
        out_specs=P("i", "j"),
    )
    found = f(X)
    np.testing.assert_array_equal(found, 2 * X)
    assert shapes == [(2, 3)]
    assert found.sharding == NamedSharding(mesh, P("i", "j"))


@pytest.mark.parametrize("spec", [P("i"), P("j", "i"), P(("i", "j")), P(("j", "i"), None), P()])
def test_blocks_come_back_where_they_were(mesh, spec):
    f = xform.shard_map(lambda x: x, mesh=mesh, in_specs=spec, out_specs=spec)
    np.testing.assert_array_equal(f(X), X)


def test_products_of_matrices(mesh):
    a = np.arange(16, dtype=np.float32).reshape(4, 4)

    @xform.shard_map(mesh=mesh, in_specs=(P("i", "j"), P("j", None)), out_specs=P("i", None))
    def product(a, b):
        return lax.psum(a @ b, "j")

    np.testing.assert_allclose(product(a, X), a @ X)
    found = xform.grad(lambda a, b: (product(a, b) ** 2).sum(), (0, 1))(a, X)
    wanted = xform.grad(lambda a, b: ((a @ b) ** 2).sum(), (0, 1))(a, X)
    for x, y in zip(found, wanted, strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-5)


def test_trees_and_the_mesh_around(mesh):
    with mesh:
        f = xform.shard_map(
            lambda t, y: {"s": t["x"] + y, "n": lax.psum(y.sum(), ("i", "j"))},
            in_specs=({"x": P("i")}, P("i")),
            out_specs={"s": P("i"), "n": P()},
            check_vma=False,
        )
    found = f({"x": X}, X)
    np.testing.assert_array_equal(found["s"], 2 * X)
    assert float(found["n"]) == 2 * X.sum()


def test_batches(mesh):
    f = xform.shard_map(
        lambda x: x - lax.pmean(x, "i"), mesh=mesh, in_specs=P("i"), out_specs=P("i")
    )
    batch = np.stack([X, X**2])
    wanted = np.stack([np.asarray(f(x)) for x in batch])
    np.testing.assert_allclose(xform.vmap(f)(batch), wanted)


def test_gradients_inside_are_those_of_one_device(mesh):
    def loss(x):
        return lax.psum((x**2).sum(), ("i", "j"))

    def mapped(check):
        return xform.shard_map(
            xform.grad(loss), mesh=mesh, in_specs=P("i"), out_specs=P("i"), check_vma=check
        )

    np.testing.assert_allclose(mapped(False)(X), 8 * X)
    with pytest.raises(errors.GradError, match="check_vma=False"):
        mapped(True)(X)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda m: Mesh(xform.devices(), ("i", "j")), errors.ArgumentError),
        (lambda m: Mesh([xform.devices()[0]] * 2, ("i",)), errors.ArgumentError),
        (lambda m: xform.make_mesh((8,), ("i",)), errors.ArgumentError),
        (lambda m: xform.make_mesh((2,), ("i",), devices=xform.devices()[:1]), ValueError),
        (lambda m: NamedSharding(m, P("k")), errors.ArgumentError),
        (lambda m: NamedSharding(m, P("i", "i")), errors.ArgumentError),
        (lambda m: NamedSharding(m, "i"), errors.ArgumentError),
        (lambda m: xform.device_put(X[:3], NamedSharding(m, P("i"))), errors.ShapeError),
        (lambda m: xform.device_put(X[0], NamedSharding(m, P(None, "i"))), errors.ShapeError),
        (lambda m: xform.device_put(X, P("i")), errors.ArgumentError),
        (lambda m: xform.device_put(X, 3), errors.ArgumentError),
        (lambda m: xform.device_put_sharded([1.0], xform.devices()), errors.ArgumentError),
        (lambda m: xform.device_put_sharded([1.0, X], xform.devices()[:2]), errors.ShapeError),
        (lambda m: lax.with_sharding_constraint(X[:3], NamedSharding(m, P("i"))), ValueError),
        (lambda m: xform.debug.visualize_sharding((2, 2, 2), NamedSharding(m, P())), ValueError),
        (lambda m: xform.debug.visualize_array_sharding(X), errors.ArgumentError),
    ],
)
def test_refusals(mesh, call, error):
    with pytest.raises(error):
        call(mesh)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"in_specs": P("i"), "out_specs": P(), "mesh": None}, errors.ArgumentError),
        ({"in_specs": P("k"), "out_specs": P()}, errors.ArgumentError),
        ({"in_specs": P(None, "i", "j"), "out_specs": P()}, errors.ShapeError),
        ({"in_specs": (P("i"), P("i")), "out_specs": P("i")}, errors.TreeError),
        ({"in_specs": "i", "out_specs": P("i")}, errors.ArgumentError),
        ({"in_specs": P("i"), "out_specs": P()}, errors.ArgumentError),
        ({"in_specs": P("i"), "out_specs": P("i", None, "j")}, errors.ShapeError),
        ({"in_specs": P("i"), "out_specs": P("i"), "axis_names": {"i"}}, errors.ArgumentError),
    ],
)
def test_refused_maps(mesh, options, error):
    with pytest.raises(error):
        xform.shard_map(lambda x: x, **{"mesh": mesh, **options})(X)


def test_a_mesh_that_does_not_divide():
    mesh = xform.make_mesh((4,), ("i",))
    f = xform.shard_map(lambda x: x, mesh=mesh, in_specs=P(None, "i"), out_specs=P(None, "i"))
    with pytest.raises(errors.ShapeError, match="multiple of the 4 devices"):
        f(X)
