"""shard_map: one program on the devices of a mesh, each on its blocks of the arguments."""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable, Sequence
from typing import Any

from .. import errors, tree
from ..core.avals import ShapedArray
from ..core.jaxpr import hoist_constants
from ..core.trace import BASE, aval_of
from ..higher_order.parallel_call import Places, parallel_call
from ..interpreters.spmd import stage_for_devices, varying
from ..ops.structural import reshape, transpose
from ..runtime.devices import require_devices
from ..runtime.sharding import (
    Mesh,
    NamedSharding,
    PartitionSpec,
    check_spec,
    current_mesh,
    place,
    shard_shape,
)
from .flat import FlatFunction, argument_names, as_arrays, canonical, name_of
from .jit import jit


def shard_map(
    f: Callable[..., Any] | None = None,
    /,
    *,
    out_specs: Any,
    in_specs: Any,
    mesh: Mesh | None = None,
    axis_names: Any = frozenset(),
    check_vma: bool = True,
    check_rep: bool | None = None,
) -> Any:
    """A function that runs `f` on the devices of a mesh, each on its blocks of the arguments.

    Args:
        f: a function of the blocks of one device. Inside, the names of the mesh's axes are those
            that `lax.psum` and the other collectives take.
        out_specs: how the outputs are made of blocks: a `PartitionSpec`, or a pytree prefix of the
            output. Along axes of the mesh that a spec does not name, all devices have the same.
        in_specs: how the positional arguments are divided into blocks: a pytree prefix of the tuple
            of arguments, or one `PartitionSpec` for all.
        mesh: the devices; by default that of the block `with mesh:` around.
        axis_names: all axes of the mesh, or nothing; accepted for JAX's signature.
        check_vma: whether outputs must be the same along the axes that their specs do not name. If
            not, the first device's is taken.
        check_rep: the older name of `check_vma`.

    Raises:
        ShapeError: an argument that its spec does not divide. ArgumentError: specs with unknown
            names, outputs that differ where their spec says they do not. GradError: a gradient
            taken inside, without `check_vma=False`.

    Gradients of a function of `shard_map` are exact. Gradients taken inside are those of one
    device's own output, and the transpose of `psum` is `psum`, which is what `check_vma=False`
    stands for.

    >>> import xform, xform.numpy as xnp
    >>> from xform import lax
    >>> from xform.sharding import PartitionSpec as P
    >>> with xform.config.scoped(num_cpu_devices=2):
    ...     mesh = xform.make_mesh((2,), ("i",))
    ...     share = xform.shard_map(
    ...         lambda x: x / lax.psum(x.sum(), "i"), mesh=mesh, in_specs=P("i"), out_specs=P("i")
    ...     )
    ...     share(xnp.array([1.0, 2.0, 3.0, 4.0]))
    Array([0.1, 0.2, 0.3, 0.4], dtype=float32)
    """
    if f is None:
        return functools.partial(
            shard_map,
            out_specs=out_specs,
            in_specs=in_specs,
            mesh=mesh,
            axis_names=axis_names,
            check_vma=check_vma,
            check_rep=check_rep,
        )
    mesh = current_mesh() if mesh is None else mesh
    if not isinstance(mesh, Mesh):
        raise errors.ArgumentError(
            "expected a mesh for shard_map",
            repr(mesh),
            instead="shard_map(f, mesh=xform.make_mesh((2,), ('i',)), ...)",
        )
    if axis_names and set(axis_names) != set(mesh.axis_names):
        raise errors.ArgumentError(
            f"expected axis_names to be all of {mesh!r}, or nothing",
            repr(axis_names),
            instead="shard_map without axis_names",
        )
    checked = check_vma if check_rep is None else check_rep
    sharded = Sharded(f, mesh, in_specs, out_specs, checked)

    @functools.wraps(f)
    def call(*args: Any) -> Any:
        return sharded.call(args)

    compiled = jit(call)

    @functools.wraps(f)
    def mapped(*args: Any) -> Any:
        return sharded.mark(compiled(*args))

    return mapped


class Sharded:
    """What a function of `shard_map` knows: its mesh, and how values are made of blocks."""

    def __init__(
        self, fun: Callable[..., Any], mesh: Mesh, in_specs: Any, out_specs: Any, checked: bool
    ) -> None:
        self.fun = fun
        self.mesh = mesh
        self.in_specs = in_specs
        self.out_specs = out_specs
        self.checked = checked

    def call(self, args: tuple[Any, ...]) -> Any:
        """Divides the arguments, runs the program of one device, and joins the outputs."""
        require_devices(self.mesh.size, f"shard_map of {name_of(self.fun)}")
        leaves, in_tree = tree.flatten((args, {}))
        leaves = [canonical(x) for x in leaves]
        specs = _specs(self.in_specs, args, "in_specs", self.mesh)
        names = argument_names(self.fun, args, {})
        blocks, avals, in_axes = [], [], []
        for x, spec in zip(leaves, specs, strict=True):
            aval = aval_of(x)
            blocks.append(_divided(x, self.mesh, spec))
            avals.append(aval.update(shape=shard_shape(self.mesh, spec, aval.shape)))
            in_axes.append(_places(self.mesh, spec))
        flat = FlatFunction(self.fun, in_tree, takes_kwargs=True)
        program = stage_for_devices(
            flat, avals, self.mesh.axes, name_of(self.fun), names, exact=self.checked
        )
        jaxpr = hoist_constants(program.jaxpr)
        in_axes = [*(() for _ in program.consts), *in_axes]
        outputs = flat.value(list(range(len(program.out_avals))))
        wanted = _specs(self.out_specs, outputs, "out_specs", self.mesh)
        for aval, spec in zip(program.out_avals, wanted, strict=True):
            _check_rank(aval, spec)
        out_axes = [_places(self.mesh, spec) for spec in wanted]
        if self.checked:
            self._check_outputs(varying(jaxpr, self.mesh.axes, in_axes), out_axes, wanted)
        outs = parallel_call(
            *program.consts,
            *blocks,
            jaxpr=jaxpr,
            axes=self.mesh.axes,
            in_axes=tuple(in_axes),
            out_axes=tuple(out_axes),
            name=name_of(self.fun),
        )
        joined = [_joined(y, self.mesh, spec) for y, spec in zip(outs, wanted, strict=True)]
        return flat.value(as_arrays(joined))

    def _check_outputs(
        self, found: Sequence[Places], named: Sequence[Places], specs: Sequence[PartitionSpec]
    ) -> None:
        for differs, places, spec in zip(found, named, specs, strict=True):
            names = [self.mesh.axis_names[k] for k in differs if k not in places]
            if names:
                raise errors.ArgumentError(
                    f"expected an output of {name_of(self.fun)} that is the same along the axes "
                    f"that {spec!r} does not name",
                    f"one that may differ along {', '.join(map(repr, names))}",
                    instead="lax.psum or lax.all_gather over that axis, a spec that names it, or "
                    "check_vma=False",
                )

    def mark(self, result: Any) -> Any:
        """Remembers how the results are divided."""
        specs = _specs(self.out_specs, result, "out_specs", self.mesh)
        for x, spec in zip(tree.leaves(result), specs, strict=True):
            if type(x) is BASE.array_type:
                place(x, NamedSharding(self.mesh, spec))
        return result


def _specs(specs: Any, full: Any, what: str, mesh: Mesh) -> list[PartitionSpec]:
    """A spec for each leaf."""
    try:
        given, structure = tree.flatten(specs, lambda x: isinstance(x, PartitionSpec))
        parts = structure.flatten_up_to(full)
    except errors.TreeError as fault:
        raise errors.TreeError(
            f"expected {what} to be a prefix of the structure it describes",
            f"{specs!r} for {tree.structure(full)}",
            instead=f"one PartitionSpec for each leaf of {what}, or one for a whole subtree",
        ) from fault
    for spec in given:
        if not isinstance(spec, PartitionSpec):
            raise errors.ArgumentError(
                f"expected {what} of PartitionSpecs",
                repr(spec),
                instead='P("i"), P(None, "i"), P()',
            )
        check_spec(mesh, spec)
    return [s for s, part in zip(given, parts, strict=True) for _ in tree.leaves(part)]


def _places(mesh: Mesh, spec: PartitionSpec) -> Places:
    """The positions of the mesh's axes that a spec names."""
    named = {name for k in range(len(spec)) for name in spec.names(k)}
    return tuple(k for k, name in enumerate(mesh.axis_names) if name in named)


def _order(
    mesh: Mesh, spec: PartitionSpec, ndim: int
) -> tuple[list[int], list[tuple[Hashable, ...]]]:
    """How the dimensions of a divided array lie, in terms of those of the blocks in place.

    In place, each dimension comes behind those that number its blocks. Divided, the dimensions of
    the mesh come first.
    """
    groups = [spec.names(k) for k in range(ndim)]
    where: dict[Hashable, int] = {}
    own: list[int] = []
    at = 0
    for names in groups:
        for name in names:
            where[name] = at
            at += 1
        own.append(at)
        at += 1
    front = [where[name] for name in mesh.axis_names if name in where]
    return [*front, *own], groups


def _divided(x: Any, mesh: Mesh, spec: PartitionSpec) -> Any:
    """The blocks of an array, with leading dimensions for the axes of the mesh that divide it."""
    shape = aval_of(x).shape
    sizes = shard_shape(mesh, spec, shape)
    order, groups = _order(mesh, spec, len(shape))
    apart: list[int] = []
    for names, size in zip(groups, sizes, strict=True):
        apart.extend(mesh.shape[name] for name in names)
        apart.append(size)
    return transpose(reshape(x, new_sizes=tuple(apart)), permutation=tuple(order))


def _joined(y: Any, mesh: Mesh, spec: PartitionSpec) -> Any:
    """The array of some blocks: the inverse of `_divided`."""
    shape = aval_of(y).shape
    ndim = len(shape) - len(_places(mesh, spec))
    order, groups = _order(mesh, spec, ndim)
    inverse = tuple(order.index(k) for k in range(len(order)))
    y = transpose(y, permutation=inverse)
    sizes = shape[len(shape) - ndim :]
    full = []
    for names, size in zip(groups, sizes, strict=True):
        for name in names:
            size *= mesh.shape[name]
        full.append(size)
    return reshape(y, new_sizes=tuple(full))


def _check_rank(aval: ShapedArray, spec: PartitionSpec) -> None:
    if len(spec) > aval.ndim:
        raise errors.ShapeError(
            f"expected an output with at least {len(spec)} axes for the spec {spec!r}",
            str(aval.shape),
            instead="P() for an output without axes",
        )
