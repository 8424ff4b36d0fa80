"""The command line: ``python -m xform cache info|verify|clear``."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from xform.config import config
from xform.runtime import cache
from xform.runtime.memory import size_text


def info(directory: Path) -> int:
    """Print what is in the cache; 0."""
    found = cache.entries(directory)
    total = sum(entry.nbytes for entry in found)
    print(f"directory: {directory}")
    print(f"entries:   {len(found)}")
    print(f"size:      {size_text(total)} of at most {size_text(config.cache_bytes)}")
    for name, each in (("oldest", found[:1]), ("newest", found[-1:])):
        for entry in each:
            used = time.strftime("%Y-%m-%d %H:%M", time.localtime(entry.used_s))
            print(f"{name}:    used {used}")
    left = cache.leftovers(directory)
    if left:
        print(f"leftovers: {len(left)} of writers that were killed; the next write removes them")
    return 0


def verify(directory: Path) -> int:
    """Print the entries that are not whole; 1 if there is one. They are made again when used."""
    found = cache.entries(directory)
    faults = [(entry, fault) for entry in found if (fault := cache.fault_of(entry))]
    for entry, fault in faults:
        print(f"{entry.path}: {fault}")
    print(f"{len(found)} entries, {len(faults)} damaged")
    return int(bool(faults))


def clear(directory: Path) -> int:
    """Remove all entries; 1 if some are left."""
    count, nbytes = cache.clear(directory)
    print(f"removed {count} files, {size_text(nbytes)}")
    left = len(cache.entries(directory))
    if left:
        print(f"{left} entries could not be removed")
    return int(bool(left))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        arguments: those of the command line, without the program's name.

    Returns:
        The exit status: 0 when all is well, 1 when not. Wrong usage exits with 2.

    >>> with config.scoped(cache_dir=""):
    ...     main(["cache", "info"])
    there is no cache: cache_dir is empty
    0
    """
    parser = argparse.ArgumentParser("python -m xform", description="Commands of xform.")
    areas = parser.add_subparsers(dest="area", required=True)
    commands = areas.add_parser("cache", help="the compiled code on the disk")
    names = {"info": info, "verify": verify, "clear": clear}
    commands.add_argument("command", choices=names)
    options = parser.parse_args(arguments)
    if not config.cache_dir:
        print("there is no cache: cache_dir is empty")
        return 0
    return names[options.command](Path(config.cache_dir))


if __name__ == "__main__":
    sys.exit(main())
