"""The cases of `test_errors.py` about named axes, devices and meshes."""

from collections.abc import Callable
from typing import Any

import numpy as np

import xform
from xform import lax
from xform.config import config
from xform.sharding import NamedSharding, PartitionSpec as P

CASES: dict[str, Callable[[], Any]] = {}

X = np.arange(6, dtype=np.float32).reshape(2, 3)


def case(function: Callable[[], Any]) -> Callable[[], Any]:
    CASES[function.__name__] = function
    return function


@case
def collective_outside_of_its_axis():
    lax.psum(X, "i")


@case
def axis_name_that_is_unknown():
    xform.vmap(lambda x: lax.all_gather(x, "j"), axis_name="i")(X)


@case
def groups_that_overlap():
    xform.vmap(lambda x: lax.psum(x, "i", axis_index_groups=[[0, 0]]), axis_name="i")(X)


@case
def permutation_that_sends_twice():
    xform.vmap(lambda x: lax.ppermute(x, "i", [(0, 1), (1, 1)]), axis_name="i")(X)


@case
def shuffle_that_is_no_permutation():
    xform.vmap(lambda x: lax.pshuffle(x, "i", [0, 0]), axis_name="i")(X)


@case
def extremum_over_devices_that_is_differentiated():
    xform.vmap(xform.grad(lambda x: lax.pmax(x.sum(), "i")), axis_name="i")(X)


@case
def scattered_axis_of_another_size():
    xform.vmap(lambda x: lax.psum_scatter(x, "i"), axis_name="i")(X)


@case
def fewer_devices_than_elements():
    xform.pmap(lambda x: x)(X)


@case
def divided_axes_that_differ():
    with config.scoped(num_cpu_devices=2):
        xform.pmap(lambda x, y: x + y)(X, X.T)


@case
def array_that_a_mesh_does_not_divide():
    with config.scoped(num_cpu_devices=2):
        mesh = xform.make_mesh((2,), ("i",))
        xform.shard_map(lambda x: x, mesh=mesh, in_specs=P(None, "i"), out_specs=P("i"))(X)


@case
def output_that_differs_between_devices():
    with config.scoped(num_cpu_devices=2):
        mesh = xform.make_mesh((2,), ("i",))
        xform.shard_map(lambda x: x.sum(), mesh=mesh, in_specs=P("i"), out_specs=P())(X)


@case
def gradient_inside_of_a_mesh():
    with config.scoped(num_cpu_devices=2):
        mesh = xform.make_mesh((2,), ("i",))
        inside = xform.grad(lambda x: x.sum())
        xform.shard_map(inside, mesh=mesh, in_specs=P("i"), out_specs=P("i"))(X)


@case
def spec_with_a_name_the_mesh_lacks():
    with config.scoped(num_cpu_devices=2):
        NamedSharding(xform.make_mesh((2,), ("i",)), P("j"))
