"""Collectives, pmap and shard_map against JAX on four devices, where JAX is installed.

JAX counts its devices once, so it runs in a process of its own: this file, as a script, writes what
JAX computes for every case.
"""

import importlib
import importlib.util
import os
import subprocess
import sys
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import pytest

COUNT = 4


@dataclass(frozen=True)
class Library:
    """What the functions below use of xform or JAX."""

    root: ModuleType
    np: ModuleType
    lax: ModuleType


RNG = np.random.default_rng(0)
VECTOR = RNG.normal(size=(COUNT,))
MATRIX = RNG.normal(size=(COUNT, COUNT))
BLOCKS = RNG.normal(size=(COUNT, 2 * COUNT, 3))
PAIR = RNG.normal(size=(2, 3))
CUBES = RNG.normal(size=(2, 3, 6, 2))
RING = [(i, (i + 1) % COUNT) for i in range(COUNT)]
HALVES = [[0, 1], [2, 3]]

# Each takes a library and the value of one position along the axis "i".
INSIDE: dict[str, tuple[Any, Any]] = {
    "psum": (VECTOR, lambda L, x: x * L.lax.psum(x * x, "i")),
    "psum of a number": (VECTOR, lambda L, x: x * L.lax.psum(2.5, "i")),
    "psum of a constant": (VECTOR, lambda L, x: x * L.lax.psum(L.np.array([1.5, 2.0]), "i")),
    "psum of a tree": (
        VECTOR,
        lambda L, x: L.lax.psum({"a": x, "b": (x * 2, x > 0)}, "i"),
    ),
    "pmean": (VECTOR, lambda L, x: L.np.sin(x - L.lax.pmean(x, "i"))),
    "pmean of integers": (VECTOR, lambda L, x: L.lax.pmean(L.lax.axis_index("i"), "i") + x),
    "pmax": (VECTOR, lambda L, x: x / L.lax.pmax(L.lax.stop_gradient(x), "i")),
    "pmin": (VECTOR, lambda L, x: x + L.lax.pmin(L.lax.stop_gradient(x), "i")),
    "all_gather": (MATRIX, lambda L, x: L.lax.all_gather(x * x, "i")),
    "all_gather at 1": (MATRIX, lambda L, x: L.lax.all_gather(x * x, "i", axis=1)),
    "all_gather tiled": (BLOCKS, lambda L, x: L.lax.all_gather(x, "i", axis=1, tiled=True)),
    "psum_scatter": (MATRIX, lambda L, x: L.lax.psum_scatter(L.np.sin(x), "i")),
    "psum_scatter tiled": (BLOCKS, lambda L, x: L.lax.psum_scatter(x * x, "i", tiled=True)),
    "all_to_all": (MATRIX, lambda L, x: L.lax.all_to_all(x * x, "i", 0, 0)),
    "all_to_all forth": (
        BLOCKS[:, :COUNT],
        lambda L, x: L.lax.all_to_all(x * x, "i", 0, 1),
    ),
    "all_to_all tiled": (
        BLOCKS,
        lambda L, x: L.lax.all_to_all(x * x, "i", 0, 1, tiled=True),
    ),
    "all_to_all tiled along one": (
        BLOCKS,
        lambda L, x: L.lax.all_to_all(x * x, "i", 0, 0, tiled=True),
    ),
    "pswapaxes": (BLOCKS[:, :COUNT], lambda L, x: L.lax.pswapaxes(x * x, "i", 0)),
    "ppermute": (MATRIX, lambda L, x: L.lax.ppermute(x * x, "i", RING)),
    "pshuffle": (MATRIX, lambda L, x: L.lax.pshuffle(x * x, "i", [2, 0, 3, 1])),
    "axis_index": (VECTOR, lambda L, x: x * L.lax.axis_index("i") + L.lax.axis_size("i")),
    "positional": (MATRIX, lambda L, x: x * L.lax.psum(x * x, ("i", 0))),
    "in jit": (VECTOR, lambda L, x: L.root.jit(lambda y: y * L.lax.psum(y, "i"))(x)),
    "index in jit": (VECTOR, lambda L, x: x * L.root.jit(lambda: L.lax.axis_index("i"))()),
    "in checkpoint": (
        VECTOR,
        lambda L, x: L.root.checkpoint(lambda y: L.np.sin(y * L.lax.psum(y, "i")))(x),
    ),
    "under vmap": (
        BLOCKS,
        lambda L, x: L.root.vmap(lambda y: L.lax.psum(y * y, "i") * y, 1, 1)(x),
    ),
    "gathered under vmap": (
        BLOCKS,
        lambda L, x: L.root.vmap(lambda y: L.lax.all_gather(y, "i", axis=1), 0, 1)(x),
    ),
    "in a scan": (
        VECTOR,
        lambda L, x: L.lax.scan(
            lambda c, u: (L.lax.psum(c * 0.25, "i") * L.np.cos(u + c), c * L.lax.axis_index("i")),
            x,
            VECTOR,
        ),
    ),
    "in a fori_loop": (
        VECTOR,
        lambda L, x: L.lax.fori_loop(0, 3, lambda k, c: L.lax.psum(c * 0.3, "i") * L.np.sin(c), x),
    ),
    "a branch for each": (
        VECTOR,
        lambda L, x: L.lax.cond(
            L.lax.axis_index("i") > 1, lambda y: L.np.sin(y), lambda y: y * 3, x
        ),
    ),
    "a branch for all": (
        VECTOR,
        lambda L, x: L.lax.cond(
            L.lax.psum(x, "i") > 0, lambda y: L.lax.psum(y * y, "i") * y, lambda y: y * 3, x
        ),
    ),
    "in a while_loop": (
        VECTOR,
        lambda L, x: L.lax.while_loop(
            lambda s: L.lax.pmax(s[0], "i") < 100,
            lambda s: (s[0] * 2 + L.lax.pmean(s[0], "i") + 1, s[1] + 1),
            (x, 0),
        )[0],
    ),
    "normalized": (
        MATRIX,
        lambda L, x: (
            (x - L.lax.pmean(x, "i"))
            / L.np.sqrt(L.lax.pmean((x - L.lax.pmean(x, "i")) ** 2, "i") + 1e-3)
        ),
    ),
}

# Only JAX's pmap knows groups, and permutations where something is missing.
ON_DEVICES: dict[str, tuple[Any, Any]] = {
    "psum in groups": (MATRIX, lambda L, x: L.lax.psum(x * x, "i", axis_index_groups=HALVES)),
    "all_gather in groups": (
        MATRIX,
        lambda L, x: L.lax.all_gather(x * x, "i", axis_index_groups=HALVES),
    ),
    "psum_scatter in groups": (
        BLOCKS,
        lambda L, x: L.lax.psum_scatter(x * x, "i", axis_index_groups=HALVES, tiled=True),
    ),
    "all_to_all in groups": (
        BLOCKS,
        lambda L, x: L.lax.all_to_all(x, "i", 0, 1, axis_index_groups=HALVES, tiled=True),
    ),
    "ppermute to some": (MATRIX, lambda L, x: L.lax.ppermute(x * x, "i", [(0, 2), (3, 1)])),
    "pbroadcast": (MATRIX, lambda L, x: L.lax.pbroadcast(x, "i", 2)),
}

# Two named axes: the value of one position of both.
TWO: dict[str, tuple[Any, Any]] = {
    "psum": (PAIR, lambda L, x: x * L.lax.psum(x * x, ("i", "j"))),
    "psum over one": (PAIR, lambda L, x: x * L.lax.psum(x * x, "i") + L.lax.psum(x, "j")),
    "pmean": (PAIR, lambda L, x: L.np.sin(x - L.lax.pmean(x, ("j", "i")))),
    "index": (PAIR, lambda L, x: x * L.lax.axis_index(("j", "i")) + L.lax.axis_index("j")),
    "all_gather": (PAIR, lambda L, x: L.lax.all_gather(x * x, ("i", "j"))),
}


def scalar(L: Any, value: Any) -> Any:
    """A number that depends on every part of a result."""
    leaves = L.root.tree.leaves(value)
    return sum(L.np.sum(L.np.cos(leaf) * (k + 1)) for k, leaf in enumerate(leaves))


def along(L: Any, how: str, f: Any) -> Any:
    return getattr(L.root, how)(f, axis_name="i")


def run_inside(L: Any, how: str, kind: str, f: Any, x: Any) -> Any:
    """A case, or a derivative of it, taken inside or outside of the axis."""
    on = lambda y: f(L, y)  # noqa: E731
    if kind == "value":
        return along(L, how, on)(x)
    if kind == "grad inside":
        return along(L, how, L.root.grad(lambda y: scalar(L, on(y))))(x)
    if kind == "grad outside":
        return L.root.grad(lambda z: scalar(L, along(L, how, on)(z)))(x)
    if kind == "jvp inside":
        return along(L, how, lambda y: L.root.jvp(on, (y,), (y,))[1])(x)
    if kind == "grad of grad":
        inner = along(L, how, L.root.grad(lambda y: scalar(L, on(y))))
        return L.root.grad(lambda z: scalar(L, inner(z)))(x)
    raise AssertionError(kind)


KINDS = ("value", "grad inside", "grad outside", "jvp inside", "grad of grad")
# Booleans have no tangents, and reverse mode through while_loop is ours alone.
ONLY = {"psum of a tree": ("value",), "in a while_loop": ("value", "jvp inside")}


def over_two(L: Any, kind: str, f: Any, x: Any) -> Any:
    def both(g: Any, y: Any) -> Any:
        return L.root.vmap(L.root.vmap(g, axis_name="j"), axis_name="i")(y)

    if kind == "value":
        return both(lambda y: f(L, y), x)
    return both(L.root.grad(lambda y: scalar(L, f(L, y))), x)


def on_mesh(L: Any, kind: str, f: Any, x: Any) -> Any:
    P = L.root.sharding.PartitionSpec
    mesh = L.root.sharding.Mesh(np.array(L.root.devices()).reshape(2, 2), ("i", "j"))
    in_specs, out_specs, body = f(L, P)
    mapped = L.root.shard_map(
        body, mesh=mesh, in_specs=in_specs, out_specs=out_specs, check_vma=False
    )
    if kind == "value":
        return mapped(x)
    return L.root.grad(lambda y: scalar(L, mapped(y)))(x)


GRID = RNG.normal(size=(4, 6))
MESH: dict[str, Any] = {
    "blocks": lambda L, P: ((P("i", "j"),), P("i", "j"), lambda x: L.np.sin(x) * x.shape[0]),
    "transposed": lambda L, P: ((P("i", "j"),), P("j", "i"), lambda x: (x * x).T),
    "sum": lambda L, P: ((P("i", "j"),), P(), lambda x: L.lax.psum((x**3).sum(), ("i", "j"))),
    "rows": lambda L, P: (
        (P("i", None),),
        P("i"),
        lambda x: L.lax.psum(x.sum(1) * 0.5, "j"),
    ),
    "both on one": lambda L, P: (
        (P(("i", "j")),),
        P(("i", "j")),
        lambda x: x * L.lax.axis_index(("i", "j")),
    ),
    "gathered": lambda L, P: (
        (P("i", "j"),),
        P("i", None),
        lambda x: L.lax.all_gather(x * x, "j", axis=1, tiled=True),
    ),
    "replicated": lambda L, P: ((P(),), P("j"), lambda x: x * (1 + L.lax.axis_index("j"))),
}


def cases() -> dict[str, Any]:
    """Every computation, by its name: a function of a library."""
    found: dict[str, Any] = {}
    for how, table in (("vmap", INSIDE), ("pmap", INSIDE), ("pmap", ON_DEVICES)):
        for name, (x, f) in table.items():
            for kind in ONLY.get(name, KINDS):
                found[f"{how}, {name}, {kind}"] = lambda L, how=how, kind=kind, f=f, x=x: (
                    run_inside(L, how, kind, f, x)
                )
    for name, (x, f) in TWO.items():
        for kind in ("value", "grad inside"):
            found[f"two, {name}, {kind}"] = lambda L, kind=kind, f=f, x=x: over_two(L, kind, f, x)
    for name, f in MESH.items():
        for kind in ("value", "grad"):
            found[f"mesh, {name}, {kind}"] = lambda L, kind=kind, f=f: on_mesh(L, kind, f, GRID)
    return found


CASES = cases()


def computed(L: Any, name: str) -> list[np.ndarray[Any, Any]]:
    return [np.asarray(x) for x in L.root.tree.leaves(CASES[name](L))]


def write(path: str) -> None:
    jax = importlib.import_module("jax")
    jax.config.update("jax_enable_x64", True)
    library = Library(jax, importlib.import_module("jax.numpy"), importlib.import_module("jax.lax"))
    found: dict[str, Any] = {}
    for name in CASES:
        try:
            for k, x in enumerate(computed(library, name)):
                found[f"{name}/{k}"] = x
        except (NotImplementedError, TypeError, ValueError, AssertionError) as error:
            sys.stderr.write(f"{name}: {type(error).__name__}: {str(error)[:120]}\n")
    np.savez(path, **found)


@pytest.fixture(scope="module")
def wanted(tmp_path_factory):
    if importlib.util.find_spec("jax") is None:
        pytest.skip("compares with JAX, which is not installed")
    path = tmp_path_factory.mktemp("jax") / "results.npz"
    environment = {**os.environ, "XLA_FLAGS": f"--xla_force_host_platform_device_count={COUNT}"}
    subprocess.run([sys.executable, __file__, str(path)], env=environment, check=True)
    with np.load(path) as results:
        return dict(results)


# What JAX (0.10) fails at; ours is held to the laws.
ONLY_OURS = {
    "vmap, all_to_all forth, grad inside",
    "vmap, all_to_all forth, grad of grad",
    "pmap, all_to_all forth, grad inside",
    "pmap, all_to_all forth, grad outside",
    "pmap, all_to_all forth, grad of grad",
    *(f"pmap, pbroadcast, {kind}" for kind in KINDS),
    "two, all_gather, value",
    "two, all_gather, grad inside",
}


@pytest.mark.parametrize("least", ["together", "apart"])
@pytest.mark.parametrize("name", CASES)
def test_as_in_jax(name, least, wanted, monkeypatch):
    xform = importlib.import_module("xform")
    library = Library(
        xform, importlib.import_module("xform.numpy"), importlib.import_module("xform.lax")
    )
    theirs = [wanted[f"{name}/{k}"] for k in range(9) if f"{name}/{k}" in wanted]
    if not theirs:
        assert name in ONLY_OURS, "JAX computed nothing"
        pytest.skip("not in JAX")
    if least == "apart":
        if not name.startswith(("pmap", "mesh")):
            pytest.skip("vmap knows of no devices")
        parallel_call = importlib.import_module("xform.higher_order.parallel_call")
        monkeypatch.setattr(parallel_call, "LEAST_WORK", 0)
    with xform.config.scoped(enable_x64=True, num_cpu_devices=COUNT):
        ours = computed(library, name)
    assert len(ours) == len(theirs)
    for x, y in zip(ours, theirs, strict=True):
        assert (x.shape, x.dtype) == (y.shape, y.dtype)
        np.testing.assert_allclose(x, y, rtol=1e-10, atol=1e-12)


if __name__ == "__main__":
    write(sys.argv[1])
