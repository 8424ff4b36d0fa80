"""Meshes of devices, and how arrays are divided among them, under the names of `jax.sharding`.

>>> import xform
>>> from xform.sharding import Mesh, NamedSharding, PartitionSpec as P
>>> with xform.config.scoped(num_cpu_devices=2):
...     rows = NamedSharding(Mesh(xform.devices(), ("i",)), P("i"))
...     x = xform.device_put(xform.numpy.arange(4.0), rows)
...     [shard.data for shard in x.addressable_shards]
[Array([0., 1.], dtype=float32), Array([2., 3.], dtype=float32)]
"""

from __future__ import annotations

from .runtime.sharding import (
    Mesh,
    NamedSharding,
    PartitionSpec,
    Shard,
    Sharding,
    SingleDeviceSharding,
)

__all__ = [
    "Mesh",
    "NamedSharding",
    "PartitionSpec",
    "Shard",
    "Sharding",
    "SingleDeviceSharding",
]
