"""A disk that tells what a running process sees from what a power loss leaves.

Visible is what any process reads. Durable is the least that a power loss keeps; beyond it, anything may happen:
- bytes that were not synced are kept, zeroed, torn at any sector, in any order, or cut off with the length;
- changes of a directory that was not synced are kept or lost, one by one, but in order for each single name.

Method: Pillai et al., OSDI 2014 (ALICE).
"""

from __future__ import annotations

import functools
import posixpath
import random
from dataclasses import dataclass, field

SECTOR_BYTES = 512

Image = dict[str, bytes | None]
"""Contents by absolute path; None for a directory."""


@dataclass(eq=False)
class Inode:
    is_directory: bool = False
    synced: bytes = b""
    pending: list[bytes] = field(default_factory=list)

    @property
    def visible(self) -> bytes:
        return self.synced + b"".join(self.pending)

    def sync(self) -> None:
        self.synced, self.pending = self.visible, []


class Disk:
    def __init__(self, image: Image) -> None:
        self.names = {path: Inode(data is None, data or b"") for path, data in ({"/": None} | image).items()}
        self._durable = dict(self.names)
        # each change of names is atomic: several names at once for a rename, None where a name goes
        self._changes: list[dict[str, Inode | None]] = []

    def change(self, names: dict[str, Inode | None]) -> None:
        _apply(self.names, names)
        self._changes.append(names)

    def sync_directory(self, directory: str) -> None:
        kept = []
        for names in self._changes:
            if any(_parent(name) == directory for name in names):
                _apply(self._durable, names)
            else:
                kept.append(names)
        self._changes = kept

    def least(self) -> Image:
        """What every power loss at this moment leaves."""
        names = {path: inode for path, inode in self._durable.items() if _is_reachable(path, self._durable)}
        return {path: None if inode.is_directory else inode.synced for path, inode in names.items()}

    def crash(self, rng: random.Random) -> Image:
        """What one power loss at this moment may leave."""
        share = rng.choice((0.0, 0.5, 0.5, 1.0))
        names, lost = dict(self._durable), set[str]()
        for change in self._changes:
            if lost.isdisjoint(change) and rng.random() < share:
                _apply(names, change)
            else:
                lost.update(change)
        reachable = {path: inode for path, inode in names.items() if _is_reachable(path, names)}
        return {path: None if inode.is_directory else _survived(inode, rng) for path, inode in reachable.items()}


@functools.cache
def _parent(path: str) -> str:
    return posixpath.dirname(path)


def _apply(names: dict[str, Inode], change: dict[str, Inode | None]) -> None:
    for path, inode in change.items():
        if inode is None:
            names.pop(path, None)
        else:
            names[path] = inode


def _is_reachable(path: str, names: dict[str, Inode]) -> bool:
    while path != "/":
        if path not in names:
            return False
        path = _parent(path)
    return True


def _survived(inode: Inode, rng: random.Random) -> bytes:
    if not inode.pending:
        return inode.synced
    data = bytearray(inode.synced)
    for write in inode.pending:
        data += _fate(write, len(data), rng)
    if rng.random() < 0.3:
        del data[rng.randint(len(inode.synced), len(data)) :]
    return bytes(data)


def _fate(write: bytes, offset: int, rng: random.Random) -> bytes:
    fate = rng.choice(("kept", "kept", "zeroed", "torn"))
    if fate == "kept":
        return write
    if fate == "zeroed":
        return bytes(len(write))
    torn = bytearray(write)
    for sector in range(offset - offset % SECTOR_BYTES, offset + len(write), SECTOR_BYTES):
        start, stop = max(sector - offset, 0), min(sector + SECTOR_BYTES - offset, len(write))
        if rng.random() < 0.5:
            torn[start:stop] = bytes(stop - start)
    return bytes(torn)
