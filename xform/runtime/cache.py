"""Object files kept on disk, found by what they were made from.

An entry is a header, the SHA-256 of its contents, and the contents. Entries are written to a
temporary file and renamed, so a reader sees a whole entry or none; whatever is not a whole entry
of this user is made again. Nothing read from the disk is trusted before its checksum agrees.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import threading
import warnings
from collections.abc import Callable
from pathlib import Path

from xform.compiler.target import Target
from xform.config import config
from xform.errors import CacheWarning

__all__ = ["cache_key", "get_or_build"]

_FORMAT = 1
_MAGIC = b"xform-object-%d\n" % _FORMAT
_HEADER_BYTES = len(_MAGIC) + hashlib.sha256().digest_size

_warned = threading.Event()


def cache_key(ir_text: str, target: Target, *settings: object) -> str:
    """Name an object file by everything it is made from.

    Args:
        ir_text: the text of the LLVM module.
        target: the machine it is compiled for.
        *settings: whatever else changes the code, such as the names of passes.

    Returns:
        64 hexadecimal digits.

    >>> from xform.compiler.target import host
    >>> len(cache_key("define i32 @one() { ret i32 1 }", host()))
    64
    """
    digest = hashlib.sha256()
    for part in (_FORMAT, target.identity(), *settings, ir_text):
        encoded = str(part).encode()
        # Lengths keep ("ab", "c") and ("a", "bc") apart.
        digest.update(b"%d:" % len(encoded))
        digest.update(encoded)
    return digest.hexdigest()


def get_or_build(key: str, build: Callable[[], bytes]) -> bytes:
    """Read an object file from the cache, or make it and keep it.

    A damaged entry, or one that another user owns, is made again and replaced, with one warning
    in the life of the process. A cache that cannot be written is no error.

    Args:
        key: the name of the object file, from `cache_key`.
        build: makes the object file.

    Returns:
        The bytes that `build` returns, or once returned for this key.

    Raises:
        Exception: whatever `build` raises.
    """
    directory = config.cache_dir
    if not directory:
        return build()
    path = Path(directory) / f"{key}.o"
    try:
        contents, fault = _read(path)
    except (FileNotFoundError, NotADirectoryError):
        contents, fault = None, ""
    except OSError as error:
        contents, fault = None, str(error)
    if contents is not None:
        return contents
    if fault:
        _warn(path, fault)
    contents = build()
    _write(path, contents)
    return contents


def _read(path: Path) -> tuple[bytes | None, str]:
    """Read an entry: its contents, or None and what is wrong with it."""
    with path.open("rb") as file:
        if hasattr(os, "getuid") and os.fstat(file.fileno()).st_uid != os.getuid():
            return None, "it belongs to another user"
        data = file.read()
    contents = data[_HEADER_BYTES:]
    if data[:_HEADER_BYTES] != _MAGIC + hashlib.sha256(contents).digest():
        return None, "its checksum does not agree with its contents"
    return contents, ""


def _write(path: Path, contents: bytes) -> None:
    """Write an entry whole, or not at all."""
    data = _MAGIC + hashlib.sha256(contents).digest() + contents
    temporary = None
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".tmp")
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        os.replace(temporary, path)
    except OSError:
        # A full or read-only disk costs a compilation next time and nothing else.
        if temporary is not None:
            _discard(Path(temporary))


def _discard(path: Path) -> None:
    """Remove a file that may be gone already or may not be ours to remove."""
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return


def _warn(path: Path, fault: str) -> None:
    """Say once in the life of the process that an entry was of no use."""
    if _warned.is_set():
        return
    _warned.set()
    message = f"the cache entry {path} is made again: {fault}"
    warnings.warn(message, CacheWarning, stacklevel=4)
