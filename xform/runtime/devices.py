"""The devices: shares of the CPU, as many as the option `num_cpu_devices` says.

All of them see the same memory, so that an array on several devices is one array, and each device
works on its part.
"""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from typing import Any

from ..config import config
from ..errors import ArgumentError

__all__ = [
    "Device",
    "default_backend",
    "device_count",
    "devices",
    "local_device_count",
    "local_devices",
    "process_count",
    "process_index",
    "require_devices",
]


@dataclass(frozen=True)
class Device:
    """A device: a share of the cores of the CPU.

    >>> import xform
    >>> device = xform.devices()[0]
    >>> device, device.platform, device.id
    (CpuDevice(id=0), 'cpu', 0)
    """

    id: int
    platform: str = "cpu"
    process_index: int = 0

    @property
    def device_kind(self) -> str:
        """The kind of device in words."""
        return self.platform

    @property
    def local_hardware_id(self) -> int:
        """The device's number on this host."""
        return self.id

    @property
    def cores(self) -> tuple[int, ...]:
        """The cores that are its share, of those this process may use; none is left out.

        Where there are more devices than cores, several devices share one.
        """
        ours = our_cores()
        count = config.num_cpu_devices
        if count >= len(ours):
            return (ours[self.id % len(ours)],)
        return ours[self.id * len(ours) // count : (self.id + 1) * len(ours) // count]

    def memory_stats(self) -> None:
        """Nothing: devices of the CPU have no memory of their own."""

    def __str__(self) -> str:
        return f"{self.platform}:{self.id}"

    def __repr__(self) -> str:
        return f"CpuDevice(id={self.id})"


def our_cores() -> tuple[int, ...]:
    if hasattr(os, "sched_getaffinity"):
        return tuple(sorted(os.sched_getaffinity(0)))
    return tuple(range(os.cpu_count() or 1))


@functools.cache
def _device(number: int) -> Device:
    return Device(number)


def _check_backend(backend: Any) -> None:
    if backend not in (None, "cpu"):
        raise ArgumentError('expected the backend "cpu"', repr(backend), instead="xform.devices()")


def devices(backend: str | None = None) -> list[Device]:
    """All devices.

    Args:
        backend: "cpu", or None for the default one.

    Raises:
        ArgumentError: another backend.

    >>> import xform
    >>> with xform.config.scoped(num_cpu_devices=2):
    ...     xform.devices()
    [CpuDevice(id=0), CpuDevice(id=1)]
    """
    _check_backend(backend)
    return [_device(k) for k in range(config.num_cpu_devices)]


def local_devices(
    process_index: int | None = None, backend: str | None = None, host_id: int | None = None
) -> list[Device]:
    """The devices of this process, which are all there are.

    Args:
        process_index, host_id: 0, or None for this process.
        backend: "cpu", or None.

    Raises:
        ArgumentError: another process or backend.

    >>> import xform
    >>> xform.local_devices()
    [CpuDevice(id=0)]
    """
    for index in (process_index, host_id):
        if index not in (None, 0):
            raise ArgumentError("expected process 0, for there is one process", repr(index))
    return devices(backend)


def device_count(backend: str | None = None) -> int:
    """How many devices there are: the option `num_cpu_devices`.

    >>> import xform
    >>> xform.device_count()
    1
    """
    _check_backend(backend)
    return config.num_cpu_devices


def local_device_count(backend: str | None = None) -> int:
    """How many devices this process has, which are all there are.

    >>> import xform
    >>> xform.local_device_count()
    1
    """
    return device_count(backend)


def process_index(backend: str | None = None) -> int:
    """The number of this process: 0.

    >>> import xform
    >>> xform.process_index()
    0
    """
    _check_backend(backend)
    return 0


def process_count(backend: str | None = None) -> int:
    """How many processes compute together: 1.

    >>> import xform
    >>> xform.process_count()
    1
    """
    _check_backend(backend)
    return 1


def default_backend() -> str:
    """The platform of the default device: "cpu".

    >>> import xform
    >>> xform.default_backend()
    'cpu'
    """
    return "cpu"


def require_devices(count: int, what: str) -> list[Device]:
    """The first `count` devices; raises `ArgumentError` when there are fewer."""
    found = devices()
    if count > len(found):
        raise ArgumentError(
            f"expected at least {count} devices for {what}",
            f"{len(found)} of them",
            why="devices of the CPU are shares of its cores, as many as the option num_cpu_devices "
            "says",
            instead=f'xform.config.update("num_cpu_devices", {count}), or '
            f"XFORM_NUM_CPU_DEVICES={count} before Python starts",
        )
    return found[:count]
