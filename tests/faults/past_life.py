"""Lives in which versions are tagged, untagged and restored, and what every power loss may leave of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drift_arrow.engine.commit import list_versions
from drift_arrow.engine.core import Core
from drift_arrow.engine.past import Past, open_past
from drift_arrow.engine.restore import restore, tag_newest
from drift_arrow.engine.tags import delete_tag, list_tags, read_tagged
from drift_arrow.errors import DriftError
from drift_arrow.options import Options
from tests.faults import life
from tests.faults.disk_model import Image
from tests.faults.frozen_storage import FrozenStorage
from tests.faults.life import ROOT, Lives, Outcome
from tests.faults.rows import DIM, Versions, snapshot_rows

OPTIONS = Options(memtable_bytes=6 * DIM * 4, merge_bytes=12 * DIM * 4, retained_versions=3)


class PastLives(Lives):
    """As `Lives`; a tag that was acknowledged holds its rows in every crash state, and a restore is all or nothing."""

    def __init__(self, seed: int, monkeypatch: Any, *, images_per_change: int | Mapping[str, int]) -> None:
        monkeypatch.setattr(life, "OPTIONS", OPTIONS)
        super().__init__(seed, monkeypatch, images_per_change=images_per_change)
        self.restores = self.tags = 0
        self._tagged: dict[str, Versions] = {}
        self._kept: set[str] = set()
        self._had: list[Versions] = [{}]
        self._found: dict[frozenset[tuple[str, bytes]], dict[str, Outcome]] = {}

    def _start_again(self) -> None:
        super()._start_again()
        self._tagged, self._kept, self._had = {}, set(), [{}]

    def _open(self, storage: Any) -> Core:
        core = super()._open(storage)
        self._had.append(self._now())
        return core

    def _step(self, core: Core) -> Core:
        if len(core.snapshot.memtables) == 1 and self._rng.random() < 0.5:
            self._rng.choice((self._tag, self._tag, self._untag, self._restore))(core)
            self._check(snapshot_rows(core.snapshot))
        else:
            core = super()._step(core)
        self._had.append(self._now())
        return core

    def _tag(self, core: Core) -> None:
        name = f"tag-{len(self._tagged)}"
        self._tagged[name] = self._now()
        tag_newest(core, name)
        self._kept.add(name)
        self.tags += 1

    def _untag(self, core: Core) -> None:
        if self._kept:
            name = self._rng.choice(sorted(self._kept))
            self._kept.discard(name)
            core.maintenance.undisturbed(lambda: delete_tag(core.storage, name))

    def _restore(self, core: Core) -> None:
        version = self._rng.choice(list_versions(core.storage))
        rows = snapshot_rows(open_past(core.storage, version, {}).snapshot)
        if rows not in self._had:
            self.violations.append(f"version {version} holds what the collection never held: {rows}")
        self._begin(rows)
        restore(core, version)
        self._done()
        self.restores += 1

    def _recovered(self, image: Image) -> Outcome:
        outcome = super()._recovered(image)
        prefix = f"{ROOT}/"
        files = {path.removeprefix(prefix): data for path, data in image.items() if data is not None}
        return outcome if not isinstance(outcome, dict) else self._problem_of_tags(files) or outcome

    def _problem_of_tags(self, files: dict[str, bytes]) -> str | None:
        named = frozenset((path, data) for path, data in files.items() if not path.startswith("wal/"))
        if named not in self._found:
            self._found[named] = self._rows_of_tags(files)
        found = self._found[named]
        if not self._kept <= found.keys():
            return f"a tag is gone; kept={sorted(self._kept)} found={sorted(found)}"
        for name, rows in found.items():
            if rows != self._tagged[name]:
                return f"a tag holds other rows; tag={name} expected={self._tagged[name]} got={rows}"
        return None

    def _rows_of_tags(self, files: dict[str, bytes]) -> dict[str, Outcome]:
        """What each tag of an image keeps, or what is wrong with it; many crashes leave the same image."""
        storage = FrozenStorage(files)
        known = {path: self._segments[path, data] for path, data in files.items() if (path, data) in self._segments}
        rows: dict[str, Outcome] = {}
        for tag in list_tags(storage):
            try:
                manifest = read_tagged(storage, tag, tag.collection_uuid)
                rows[tag.name] = snapshot_rows(Past(storage, manifest, known).snapshot)
            except DriftError as error:
                rows[tag.name] = str(error)
        return rows
