"""What a crash leaves behind must neither stay nor stop the next writer."""

from __future__ import annotations

import drift_arrow as drift
from tests.tables import create, make_table


def test_a_log_file_whose_creation_was_cut_off_is_passed_over_also_once_others_follow(root):
    with drift.connect(root) as db:
        create(db).add(make_table(10))
    newest = max((root / "docs/wal").iterdir())
    epoch, number = map(int, newest.stem.split("-"))
    (root / f"docs/wal/{epoch:010d}-{number + 1:010d}.wal").touch()
    for start in (10, 20):
        with drift.connect(root) as db:
            db.collection("docs").add(make_table(10, start=start))
    with drift.connect(root) as db:
        assert len(db.collection("docs")) == 30


def test_a_flush_deletes_what_a_crash_left_although_there_is_nothing_to_flush(root):
    with drift.connect(root) as db:
        docs = create(db)
        docs.add(make_table(10))
        docs.flush()
    leftover = root / "docs/segments/00000000-0000-4000-8000-000000000000.drift"
    leftover.write_bytes(b"of a flush that was never committed")
    with drift.connect(root) as db:
        db.collection("docs").flush()
        assert not leftover.exists()
