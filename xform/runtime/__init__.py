"""The runtime: arrays, dispatch, the linker and the cache of compiled code."""
