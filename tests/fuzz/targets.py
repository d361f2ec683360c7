"""Every parser of bytes that come from a disk."""

from __future__ import annotations

from tests.fuzz.column_targets import COLUMN_TARGETS
from tests.fuzz.file_targets import FILE_TARGETS
from tests.fuzz.segment_targets import SEGMENT_TARGETS
from tests.fuzz.target import Target
from tests.fuzz.wal_target import WAL_TARGET

TARGETS: dict[str, Target] = {
    target.name: target for target in (*SEGMENT_TARGETS, *COLUMN_TARGETS, *FILE_TARGETS, WAL_TARGET)
}
