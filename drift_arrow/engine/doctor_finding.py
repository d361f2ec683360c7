"""What a doctor finds wrong with a collection, in types for programs and in words for people."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any


class Gravity(Enum):
    """What a finding calls for."""

    NOTE = "note"
    """Nothing: it is as it should be after a crash."""

    LEFTOVER = "leftover"
    """A repair removes it, and nothing is lost with it."""

    LOSS = "loss"
    """A repair gives something up, so it asks for consent."""

    FATAL = "fatal"
    """No repair: what is missing cannot be made up."""


class Kind(Enum):
    """What was found."""

    NO_MANIFEST = "no manifest"
    NEWER_RELEASE = "written by a newer release"
    DAMAGED_NEWEST_MANIFEST = "damaged newest manifest"
    DAMAGED_SEGMENT = "damaged segment"
    DAMAGED_OLDER_VERSION = "damaged older version"
    DAMAGED_LOG = "damaged log"
    DAMAGED_TAG = "damaged tag"
    TORN_TAIL = "torn end of the log"
    UNNAMED_FILE = "file that no version names"
    UNKNOWN_FILE = "file that is none of a collection's"
    UNFINISHED_FILE = "unfinished file"
    DROPPED_COLLECTION = "remains of a dropped collection"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was found.

    Parameters
    ----------
    kind, gravity : Kind, Gravity
    path : str
        The file or directory, relative to the collection; of remains of a dropped collection, to its database.
    what, remedy : str
        What is wrong, and what can be done, in a sentence each.
    rows_damaged : int or None
        Live rows whose bytes are damaged; None if that cannot be known or says nothing.
    rows_lost : int or None
        Live rows that a repair with consent gives up; None if that cannot be known.
    keys : tuple
        Keys of damaged rows, as many as `MAX_KEYS`.
    """

    kind: Kind
    gravity: Gravity
    path: str
    what: str
    remedy: str
    rows_damaged: int | None = None
    rows_lost: int | None = 0
    keys: tuple[Any, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """All of it in plain values."""
        return {
            "kind": self.kind.value,
            "gravity": self.gravity.value,
            "path": self.path,
            "what": self.what,
            "remedy": self.remedy,
            "rows_damaged": self.rows_damaged,
            "rows_lost": self.rows_lost,
            "keys": list(self.keys),
        }


def or_give_up(what: str) -> str:
    """The remedy for what only a backup brings back."""
    return f"restore a backup, or give up {what}: a repair with --accept-loss moves the file into quarantine"
