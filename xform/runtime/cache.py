"""Object files kept on disk, found by what they were made from.

An entry is a header, the SHA-256 of its name and contents, and the contents. Entries are written to
a temporary file and renamed, so a reader sees a whole entry or none; whatever is not a whole entry
of this name and this user is made again. Nothing read from the disk is trusted before its checksum
agrees. When the entries outgrow `config.cache_bytes`, those used longest ago are removed.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from xform.compiler.target import Target
from xform.config import config
from xform.errors import CacheWarning

__all__ = ["Entry", "cache_key", "clear", "entries", "fault_of", "get_or_build", "leftovers"]

_FORMAT = 2
_MAGIC = b"xform-object-%d\n" % _FORMAT
_HEADER_BYTES = len(_MAGIC) + hashlib.sha256().digest_size

_ENTRY = re.compile(r"[0-9a-f]{64}\.o")
_TEMPORARY = re.compile(r"\.xform-.*\.tmp")
_ABANDONED_S = 600.0  # a temporary file of this age has lost its writer: writing takes moments
_USED_AGAIN_S = 60.0  # uses closer together are not told apart, which saves writes to the disk
_LEDGER = ".xform-ledger"
_LEDGER_HEAD = b"bytes of entries\n"
_LEDGER_BYTES = 4096  # a longer one is summed up, after some 700 writes

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


def _checksum(path: Path, contents: bytes) -> bytes:
    """The checksum of an entry. It covers the name: a file renamed is no entry."""
    return hashlib.sha256(path.stem.encode() + contents).digest()


def _read(path: Path) -> tuple[bytes | None, str]:
    """Read an entry: its contents, or None and what is wrong with it."""
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        if hasattr(os, "getuid") and status.st_uid != os.getuid():
            return None, "it belongs to another user"
        data = file.read()
    contents = data[_HEADER_BYTES:]
    if data[:_HEADER_BYTES] != _MAGIC + _checksum(path, contents):
        return None, "its checksum does not agree with its contents"
    if time.time() - status.st_mtime > _USED_AGAIN_S:
        _mark_used(path)
    return contents, ""


def _mark_used(path: Path) -> None:
    """Set the time that removal goes by; where that is not possible, it goes by an older one."""
    try:
        os.utime(path)
    except OSError:
        return


def _write(path: Path, contents: bytes) -> None:
    """Write an entry whole, or not at all."""
    data = _MAGIC + _checksum(path, contents) + contents
    if len(data) > config.cache_bytes:
        return
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _replace(path, data)
        _account(path, len(data))
    except OSError:
        # A full or read-only disk costs a compilation next time and nothing else.
        return


def _replace(path: Path, data: bytes) -> None:
    """Give a file new contents, all at once."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".xform-", suffix=".tmp")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        os.replace(temporary, path)
    except OSError:
        _discard(Path(temporary))
        raise


def _discard(path: Path) -> bool:
    """Remove a file that may be gone already or may not be ours to remove; say if it was there."""
    try:
        path.unlink()
    except OSError:
        return False
    return True


def _warn(path: Path, fault: str) -> None:
    """Say once in the life of the process that an entry was of no use."""
    if _warned.is_set():
        return
    _warned.set()
    message = f"the cache entry {path} is made again: {fault}"
    warnings.warn(message, CacheWarning, stacklevel=4)


@dataclass(frozen=True)
class Entry:
    """An object file in a cache directory.

    Args:
        path: the file.
        nbytes: its size.
        used_s: when it was last used, in seconds since 1970, within a minute.
    """

    path: Path
    nbytes: int
    used_s: float


def _files(directory: Path, names: re.Pattern[str]) -> Iterator[Entry]:
    """The files of a directory with such names; none where it cannot be read."""
    try:
        found = list(os.scandir(directory))
    except OSError:
        return
    for each in found:
        if names.fullmatch(each.name):
            try:
                status = each.stat(follow_symlinks=False)
            except FileNotFoundError:  # Another process has removed it meanwhile.
                continue
            yield Entry(Path(each.path), status.st_size, status.st_mtime)


def entries(directory: Path) -> list[Entry]:
    """The entries of a cache directory, the one used longest ago first.

    Args:
        directory: a directory, which need not exist. Files that are no entries are left out.

    Returns:
        What is there at the moment: other processes may write and remove.

    >>> entries(Path("no such directory"))
    []
    """
    return sorted(_files(directory, _ENTRY), key=lambda entry: (entry.used_s, entry.path.name))


def leftovers(directory: Path) -> list[Entry]:
    """The temporary files of writers that were killed.

    Args:
        directory: a directory, which need not exist.

    Returns:
        Those that nobody has written to for ten minutes.

    >>> leftovers(Path("no such directory"))
    []
    """
    now = time.time()
    return [e for e in _files(directory, _TEMPORARY) if now - e.used_s > _ABANDONED_S]


def fault_of(entry: Entry) -> str:
    """What is wrong with an entry, in words; nothing when it is whole.

    Args:
        entry: one of `entries`.

    >>> fault_of(Entry(Path("no such file"), 0, 0.0))
    'it cannot be read: No such file or directory'
    """
    try:
        return _read(entry.path)[1]
    except OSError as error:
        return f"it cannot be read: {error.strerror}"


def clear(directory: Path) -> tuple[int, int]:
    """Remove all entries and leftovers of a cache directory, and no other files.

    Args:
        directory: a directory, which need not exist.

    Returns:
        How many files were removed, and their bytes.

    >>> clear(Path("no such directory"))
    (0, 0)
    """
    gone = [e for e in (*entries(directory), *leftovers(directory)) if _discard(e.path)]
    _discard(directory / _LEDGER)
    return len(gone), sum(e.nbytes for e in gone)


def _account(path: Path, nbytes: int) -> None:
    """Count an entry that was written, and remove others when all have become too many.

    The ledger is the bytes at the last count of all entries and, a line each, of those written
    since, by any process. Counting anew takes a look at every file, so it is done rarely.
    """
    ledger = path.parent / _LEDGER
    with ledger.open("ab") as file:
        file.write(b"%d\n" % nbytes)
    total = _total(ledger)
    if total is None or total > config.cache_bytes:
        _recount(ledger, path)


def _total(ledger: Path) -> int | None:
    """The bytes that a ledger adds up to; None when it is time to count anew."""
    data = ledger.read_bytes()
    if not data.startswith(_LEDGER_HEAD) or len(data) > _LEDGER_BYTES:
        return None
    try:
        return sum(map(int, data.removeprefix(_LEDGER_HEAD).split()))
    except ValueError:  # A writer was killed, or lost its line to one that counted.
        return None


def _recount(ledger: Path, newest: Path) -> None:
    """Count all entries; if they are too many, remove those used longest ago.

    An eighth more than needed goes, so that this does not happen at every write.
    """
    for temporary in leftovers(ledger.parent):
        _discard(temporary.path)
    found = entries(ledger.parent)
    total = sum(entry.nbytes for entry in found)
    most = config.cache_bytes
    if total > most:
        for entry in found:
            if total <= most - most // 8:
                break
            if entry.path != newest:
                _discard(entry.path)
                total -= entry.nbytes
    _replace(ledger, _LEDGER_HEAD + b"%d\n" % total)
