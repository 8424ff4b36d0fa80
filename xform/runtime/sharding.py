"""Where arrays lie: meshes of devices, how an array is divided among them, and which array is how.

The memory is one, so that a division costs nothing: it is remembered beside the array, in a table
that forgets the arrays that are gone.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from weakref import ref

import numpy as np

from ..core.avals import ShapedArray
from ..errors import ArgumentError, ShapeError
from . import array_python
from .array import Array, view, wrap
from .devices import Device, devices, require_devices

__all__ = [
    "Mesh",
    "NamedSharding",
    "PartitionSpec",
    "Shard",
    "Sharding",
    "SingleDeviceSharding",
    "current_mesh",
    "make_mesh",
    "moved",
    "place",
    "resolved",
    "sharding_of",
]

Index = tuple[slice, ...]


class Mesh:
    """Devices in an array whose axes have names.

    Args:
        devices: devices in an array, or nested lists of them.
        axis_names: a name for each axis.

    Raises:
        ArgumentError: names that are not as many as the axes, or not different.

    >>> import xform
    >>> from xform.sharding import Mesh
    >>> mesh = Mesh(xform.devices(), ("i",))
    >>> mesh, mesh.shape["i"]
    (Mesh('i': 1), 1)
    """

    __slots__ = ("axis_names", "devices")

    def __init__(self, devices: Any, axis_names: Any) -> None:
        names = tuple(axis_names) if isinstance(axis_names, tuple | list) else (axis_names,)
        grid = np.array(devices, dtype=object)
        if grid.ndim != len(names) or len(set(names)) != len(names):
            raise ArgumentError(
                f"expected different names for the {grid.ndim} axes of the devices",
                repr(axis_names),
            )
        if len({d.id for d in grid.flat}) != grid.size:
            raise ArgumentError("expected each device of a mesh once", str(grid.tolist()))
        grid.flags.writeable = False
        self.devices = grid
        self.axis_names: tuple[Hashable, ...] = names

    @property
    def shape(self) -> Mapping[Hashable, int]:
        """The size of each axis, by name."""
        return MappingProxyType(dict(zip(self.axis_names, self.devices.shape, strict=True)))

    @property
    def axis_sizes(self) -> tuple[int, ...]:
        return self.devices.shape

    @property
    def size(self) -> int:
        return self.devices.size

    @property
    def empty(self) -> bool:
        return self.size == 0

    @property
    def device_ids(self) -> np.ndarray[Any, Any]:
        return np.array([d.id for d in self.devices.flat]).reshape(self.devices.shape)

    @property
    def local_devices(self) -> list[Device]:
        return list(self.devices.flat)

    @property
    def axes(self) -> tuple[tuple[Hashable, int], ...]:
        """The names with their sizes, major to minor."""
        return tuple(self.shape.items())

    def __enter__(self) -> Mesh:
        _meshes.set((*_meshes.get(), self))
        return self

    def __exit__(self, *exc: object) -> None:
        _meshes.set(_meshes.get()[:-1])

    def _key(self) -> tuple[Any, ...]:
        return (self.axis_names, self.devices.shape, tuple(d.id for d in self.devices.flat))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mesh) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        return f"Mesh({', '.join(f'{name!r}: {size}' for name, size in self.axes)})"


_meshes: ContextVar[tuple[Mesh, ...]] = ContextVar("xform_meshes", default=())


def current_mesh() -> Mesh | None:
    """The mesh of the innermost `with mesh:` block."""
    return _meshes.get()[-1] if _meshes.get() else None


def make_mesh(
    axis_shapes: Sequence[int],
    axis_names: Sequence[Hashable],
    axis_types: Any = None,
    *,
    devices: Sequence[Device] | None = None,
) -> Mesh:
    """A mesh of the first devices there are.

    Args:
        axis_shapes, axis_names: the size and the name of each axis.
        axis_types: accepted for JAX's signature.
        devices: the devices to take them from, in order.

    Raises:
        ArgumentError: fewer devices than the mesh needs.

    >>> import xform
    >>> with xform.config.scoped(num_cpu_devices=4):
    ...     xform.make_mesh((2, 2), ("i", "j"))
    Mesh('i': 2, 'j': 2)
    """
    sizes = tuple(int(n) for n in axis_shapes)
    count = math.prod(sizes)
    if devices is None:
        found = require_devices(count, f"a mesh of shape {sizes}")
    elif len(devices) < count:
        raise ArgumentError(f"expected {count} devices for a mesh of shape {sizes}", str(devices))
    else:
        found = list(devices)[:count]
    grid = np.empty(count, object)
    grid[:] = found
    return Mesh(grid.reshape(sizes), tuple(axis_names))


class PartitionSpec(tuple[Any, ...]):
    """Which axes of a mesh divide each axis of an array.

    Args:
        parts: for each axis of the array the name of an axis of the mesh, several names in a tuple,
            or None. Axes of the array without an entry are not divided.

    >>> from xform.sharding import PartitionSpec as P
    >>> P("i", None, ("j", "k"))
    P('i', None, ('j', 'k'))
    """

    __slots__ = ()

    def __new__(cls, *parts: Any) -> PartitionSpec:
        return super().__new__(cls, [tuple(p) if isinstance(p, list) else p for p in parts])

    def names(self, axis: int) -> tuple[Hashable, ...]:
        """The axes of the mesh that divide an axis of the array, major to minor."""
        part = self[axis] if axis < len(self) else None
        if part is None:
            return ()
        return part if isinstance(part, tuple) else (part,)

    def __reduce__(self) -> tuple[Any, ...]:
        return PartitionSpec, tuple(self)

    def __repr__(self) -> str:
        return f"P{tuple(self)!r}"


def check_spec(mesh: Mesh, spec: PartitionSpec) -> None:
    """Raises `ArgumentError` for names that the mesh lacks, or that occur twice."""
    used = [name for k in range(len(spec)) for name in spec.names(k)]
    unknown = [name for name in used if name not in mesh.axis_names]
    if unknown or len(set(used)) != len(used):
        raise ArgumentError(
            f"expected a spec with names of {mesh!r}, each at most once", repr(spec)
        )


def shard_shape(mesh: Mesh, spec: PartitionSpec, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of a device's part; raises `ShapeError` where an array does not divide."""
    if len(spec) > len(shape):
        raise ShapeError(
            f"expected an array with at least {len(spec)} axes for the spec {spec!r}", str(shape)
        )
    found = []
    for k, size in enumerate(shape):
        count = math.prod(mesh.shape[name] for name in spec.names(k))
        if size % count:
            raise ShapeError(
                f"expected axis {k} to be a multiple of the {count} devices along "
                f"{', '.join(map(repr, spec.names(k)))}",
                f"shape {shape}",
                instead="pad the array to a multiple, or leave the axis undivided: None in the "
                "spec",
            )
        found.append(size // count)
    return tuple(found)


class Sharding:
    """How an array is divided among devices."""

    __slots__ = ()

    @property
    def device_set(self) -> set[Device]:
        """The devices that have a part."""
        raise NotImplementedError

    @property
    def is_fully_replicated(self) -> bool:
        """Whether each device has the whole array."""
        raise NotImplementedError

    def shard_shape(self, global_shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of a device's part of an array."""
        raise NotImplementedError

    def devices_indices_map(self, global_shape: tuple[int, ...]) -> dict[Device, Index]:
        """For each device, the slices of its part of an array."""
        raise NotImplementedError

    addressable_devices = property(lambda self: self.device_set)
    addressable_devices_indices_map = property(lambda self: self.devices_indices_map)
    is_fully_addressable = property(lambda self: True)
    num_devices = property(lambda self: len(self.device_set))
    memory_kind = property(lambda self: "device")


@dataclass(frozen=True, repr=False)
class SingleDeviceSharding(Sharding):
    """The whole array on one device.

    >>> import xform
    >>> xform.numpy.ones(3).sharding
    SingleDeviceSharding(device=CpuDevice(id=0))
    """

    device: Device

    @property
    def device_set(self) -> set[Device]:
        return {self.device}

    @property
    def is_fully_replicated(self) -> bool:
        return True

    def shard_shape(self, global_shape: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(global_shape)

    def devices_indices_map(self, global_shape: tuple[int, ...]) -> dict[Device, Index]:
        return {self.device: (slice(None),) * len(global_shape)}

    def __repr__(self) -> str:
        return f"SingleDeviceSharding(device={self.device!r})"


@dataclass(frozen=True, repr=False)
class NamedSharding(Sharding):
    """An array divided among the devices of a mesh.

    Args:
        mesh: the devices.
        spec: which axes of the mesh divide each axis of the array.

    Raises:
        ArgumentError: a spec with names that the mesh lacks.

    >>> import xform
    >>> from xform.sharding import NamedSharding, PartitionSpec as P
    >>> with xform.config.scoped(num_cpu_devices=2):
    ...     rows = NamedSharding(xform.make_mesh((2,), ("i",)), P("i"))
    >>> rows.shard_shape((4, 3))
    (2, 3)
    """

    mesh: Mesh
    spec: PartitionSpec

    def __post_init__(self) -> None:
        if not isinstance(self.spec, PartitionSpec):
            raise ArgumentError("expected a PartitionSpec", repr(self.spec), instead="P('i')")
        check_spec(self.mesh, self.spec)

    @property
    def device_set(self) -> set[Device]:
        return set(self.mesh.devices.flat)

    @property
    def is_fully_replicated(self) -> bool:
        return all(
            self.mesh.shape[n] == 1 for k in range(len(self.spec)) for n in self.spec.names(k)
        )

    def shard_shape(self, global_shape: tuple[int, ...]) -> tuple[int, ...]:
        return shard_shape(self.mesh, self.spec, tuple(global_shape))

    def devices_indices_map(self, global_shape: tuple[int, ...]) -> dict[Device, Index]:
        sizes = self.shard_shape(global_shape)
        found: dict[Device, Index] = {}
        for place in np.ndindex(*self.mesh.devices.shape):
            at = dict(zip(self.mesh.axis_names, place, strict=True))
            index = []
            for k, size in enumerate(sizes):
                block = 0
                for name in self.spec.names(k):
                    block = block * self.mesh.shape[name] + at[name]
                whole = size == global_shape[k]
                index.append(slice(None) if whole else slice(block * size, (block + 1) * size))
            found[self.mesh.devices[place]] = tuple(index)
        return found

    def __repr__(self) -> str:
        return f"NamedSharding(mesh={self.mesh!r}, spec={self.spec!r})"


class Shard:
    """A device's part of an array.

    `index` are its slices in the whole, `replica_id` counts the devices that have the same part.
    """

    __slots__ = ("_whole", "device", "index", "replica_id")

    def __init__(self, whole: Any, device: Device, index: Index, replica_id: int) -> None:
        self._whole = whole
        self.device = device
        self.index = index
        self.replica_id = replica_id

    @property
    def data(self) -> Any:
        """The part as an array by itself."""
        part = np.ascontiguousarray(view(self._whole)[self.index])
        part = part.reshape(part.shape if self._whole.ndim else ())
        whole = self._whole.aval
        return wrap(part, ShapedArray(part.shape, whole.dtype, whole.weak_type))

    def __repr__(self) -> str:
        return (
            f"Shard(device={self.device!r}, index={self.index}, replica_id={self.replica_id}, "
            f"data={view(self._whole)[self.index]})"
        )


# What is known of arrays that are not on the first device alone: by identity, since arrays have no
# hash. An entry leaves with its array.
_placed: dict[int, tuple[ref[Any], Sharding]] = {}


def place(x: Any, sharding: Sharding) -> Any:
    """Remembers how an array is divided, and returns it."""
    key = id(x)

    def forget(gone: ref[Any]) -> None:
        found = _placed.get(key)
        if found is not None and found[0] is gone:
            del _placed[key]

    _placed[key] = (ref(x, forget), sharding)
    return x


def resolved(where: Any) -> Sharding:
    """The sharding that a device, a sharding, or a spec of the current mesh stands for."""
    if isinstance(where, Sharding):
        return where
    if isinstance(where, Device):
        return SingleDeviceSharding(where)
    mesh = current_mesh()
    if isinstance(where, PartitionSpec) and mesh is not None:
        return NamedSharding(mesh, where)
    raise ArgumentError(
        "expected a device or a sharding",
        f"{where!r}, outside of a mesh" if isinstance(where, PartitionSpec) else repr(where),
        instead="xform.devices()[0], or NamedSharding(mesh, PartitionSpec('i'))",
    )


def moved(x: Any, sharding: Sharding) -> Any:
    """The array with another division; a copy of it, unless it is divided so already."""
    sharding.shard_shape(x.shape)
    if sharding_of(x) == sharding:
        return x
    return place(x.copy(), sharding)


def sharding_of(x: Any) -> Sharding:
    """How an array is divided among devices."""
    found = _placed.get(id(x))
    return SingleDeviceSharding(devices()[0]) if found is None else found[1]


def _shards(x: Any) -> Iterator[Shard]:
    seen: dict[str, int] = {}
    for device, index in sharding_of(x).devices_indices_map(x.shape).items():
        key = repr(index)
        yield Shard(x, device, index, seen.get(key, 0))
        seen[key] = seen.get(key, 0) + 1


def _device(x: Any) -> Any:
    found = sharding_of(x)
    return found.device if isinstance(found, SingleDeviceSharding) else found


def _furnish(array_type: Any) -> None:
    """Gives arrays what they say of their devices."""

    def devices(self: Any) -> set[Device]:
        """The devices that have a part of the array."""
        return sharding_of(self).device_set

    devices.__qualname__ = "Array.devices"
    array_type.devices = devices
    array_type.sharding = property(sharding_of, doc="How the array is divided among devices.")
    array_type.device = property(_device, doc="The device of the array, or its sharding.")
    array_type.addressable_shards = property(
        lambda self: list(_shards(self)), doc="The parts of the array, one for each device."
    )
    array_type.global_shards = array_type.addressable_shards
    array_type.is_fully_replicated = property(
        lambda self: sharding_of(self).is_fully_replicated,
        doc="Whether each device of the array has all of it.",
    )
    array_type.is_fully_addressable = property(
        lambda self: True, doc="Whether this process has all of the array, which it does."
    )


_furnish(array_python.Array)
if Array is not array_python.Array:
    _furnish(Array)
