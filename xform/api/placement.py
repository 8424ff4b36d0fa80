"""device_put: arrays on devices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import errors, tree
from ..core.trace import BASE, Tracer
from ..runtime.devices import Device
from ..runtime.sharding import (
    Mesh,
    NamedSharding,
    PartitionSpec,
    Sharding,
    moved,
    place,
    resolved,
)
from .flat import as_array, canonical


def device_put(
    x: Any, device: Any = None, *, src: Any = None, donate: Any = False, may_alias: Any = None
) -> Any:
    """A pytree of numbers and NumPy arrays as arrays, divided among devices as said.

    Args:
        x: a pytree of arrays and numbers.
        device: a device, a sharding, or a pytree of them with the structure of `x` or a part of it
            from the root; None for where the arrays are, or the first device.
        src, donate, may_alias: accepted for JAX's signature; there is one memory.

    Raises:
        ShapeError: an array that the sharding does not divide.

    >>> import xform
    >>> xform.device_put([1.0, 2])
    [Array(1., dtype=float32, weak_type=True), Array(2, dtype=int32, weak_type=True)]
    >>> xform.device_put(1.0, xform.devices()[0]).device
    CpuDevice(id=0)
    """
    if device is None:
        return tree.map(_array, x)

    def leaf(where: Any, part: Any) -> Any:
        if where is None:
            return tree.map(_array, part)
        sharding = resolved(where)
        return tree.map(lambda y: _put(_array(y), sharding), part)

    return tree.map(
        leaf,
        device,
        x,
        is_leaf=lambda d: d is None or isinstance(d, Device | Sharding | PartitionSpec),
    )


def _array(x: Any) -> Any:
    x = canonical(x)
    return as_array(x.copy() if isinstance(x, np.ndarray) else x)


def _put(x: Any, sharding: Sharding) -> Any:
    if isinstance(x, Tracer):
        sharding.shard_shape(x.shape)
        return x
    return moved(x, sharding)


def device_put_sharded(shards: Sequence[Any], devices: Sequence[Device]) -> Any:
    """Arrays for `pmap` from the parts of its devices.

    Args:
        shards: a pytree of arrays for each device, of equal structures and shapes.
        devices: the devices.

    Returns:
        a pytree of arrays with a leading axis along which the devices lie.

    Raises:
        ArgumentError: as many parts as there are not devices. ShapeError: parts of other shapes.

    >>> import xform
    >>> with xform.config.scoped(num_cpu_devices=2):
    ...     xform.device_put_sharded([1.0, 2.0], xform.devices())
    Array([1., 2.], dtype=float32)
    """
    if len(shards) != len(devices) or not devices:
        raise errors.ArgumentError(
            f"expected a part for each of the {len(devices)} devices", str(len(shards))
        )
    return tree.map(lambda *parts: _stacked(parts, devices), *shards)


def device_put_replicated(x: Any, devices: Sequence[Device]) -> Any:
    """Arrays for `pmap` that are the same on each of its devices.

    Args:
        x: a pytree of arrays.
        devices: the devices.

    Returns:
        a pytree of arrays with a leading axis along which the devices lie.

    >>> import xform
    >>> with xform.config.scoped(num_cpu_devices=2):
    ...     xform.device_put_replicated(1.0, xform.devices())
    Array([1., 1.], dtype=float32)
    """
    return device_put_sharded([x] * len(devices), devices)


def _stacked(parts: Sequence[Any], devices: Sequence[Device]) -> Any:
    arrays = [_array(x) for x in parts]
    for x in arrays:
        if isinstance(x, Tracer):
            raise errors.ArgumentError("expected arrays with numbers", x.origin())
        if x.aval.strong() is not arrays[0].aval.strong():
            raise errors.ShapeError(
                "expected parts of one shape and dtype on all devices",
                f"{arrays[0].aval} and {x.aval}",
            )
    whole = np.stack([BASE.view(x) for x in arrays])
    aval = arrays[0].aval.strong().update(shape=whole.shape)
    return place(BASE.wrap(whole, aval), along_devices(devices))


def along_devices(devices: Sequence[Device]) -> NamedSharding:
    """Arrays whose leading axis has an element for each device."""
    return NamedSharding(Mesh(list(devices), ("devices",)), PartitionSpec("devices"))
