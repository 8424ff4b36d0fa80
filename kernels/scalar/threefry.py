"""The Threefry 2x32 hash with 20 rounds (J. K. Salmon et al., "Parallel random numbers: as easy as
1, 2, 3", SC 2011, section 3.2).
"""

from __future__ import annotations

from ..builder import Builder, Value

_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
_PARITY = 0x1BD11BDA


def threefry2x32(b: Builder, key0: Value, key1: Value, x0: Value, x1: Value) -> tuple[Value, Value]:
    """The two hashed words of the counter (x0, x1) under the key (key0, key1); all i32."""
    keys = (key0, key1, key0 ^ key1 ^ _PARITY)
    x0 = x0 + keys[0]
    x1 = x1 + keys[1]
    for group in range(5):
        for rotation in _ROTATIONS[group % 2]:
            x0 = x0 + x1
            x1, turns = b.align_lanes(x1, b.constant("i32", rotation))
            x1 = b.intrinsic("fshl", x1, x1, turns) ^ x0
        x0 = x0 + keys[(group + 1) % 3]
        x1 = x1 + (keys[(group + 2) % 3] + (group + 1))
    return x0, x1
