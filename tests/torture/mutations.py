"""Steps of the protocols and checks of the formats that can be left out, and the tests that must miss each of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

_POWER = "tests/faults/test_power_loss.py -k no_power_loss"
_CORRUPTION = "tests/faults/test_corruption.py"
_FENCING = "tests/faults/test_fencing.py"
_LOSSY = "tests/storage/test_lossy_network.py"
_WAL = "tests/format/test_wal_record.py tests/format/test_wal_power_loss.py"


@dataclass(frozen=True)
class Mutation:
    """One change of the source.

    Parameters
    ----------
    name : str
    path : str
        Below `drift_arrow`.
    old, new : str
        What is replaced, which occurs once, and by what.
    tests : str
        Arguments of pytest.
    """

    name: str
    path: str
    old: str
    new: str
    tests: str

    def applied(self) -> str:
        """The changed source; AssertionError if what is replaced does not occur once."""
        source = (ROOT / "drift_arrow" / self.path).read_text()
        assert source.count(self.old) == 1, f"does not apply: {self.name}; path={self.path}"
        return source.replace(self.old, self.new)


_LOCAL = "engine/storage/local.py"
_RECOVERY = "engine/recovery.py"
_RECORD = "format/wal_record.py"
_FRAME = "format/wal_frame.py"
_OBJECTS = "engine/storage/objects.py"

MUTATIONS = (
    # syncs
    Mutation("a file is linked before it is synced", _LOCAL, "os.fsync(descriptor)  # 3", "pass", _POWER),
    Mutation("a new name is not synced", _LOCAL, "            _sync_directory(final.parent)  # 6\n", "", _POWER),
    Mutation(
        "the name of a new log is not synced",
        _LOCAL,
        "                os.fsync(descriptor)\n                _sync_directory(final.parent)\n",
        "                os.fsync(descriptor)\n",
        _POWER,
    ),
    Mutation("the log is not synced", _LOCAL, "os.fdatasync(self._descriptor)", "pass", _POWER),
    Mutation(
        "new directories are not synced",
        _LOCAL,
        "mkdir(mode=0o700, exist_ok=True)\n            _sync_directory(self._root)",
        "mkdir(mode=0o700, exist_ok=True)",
        _POWER,
    ),
    Mutation(
        "the directory above is not synced",
        _LOCAL,
        "                    _sync_directory(path.parent)\n                    continue",
        "                    continue",
        _POWER,
    ),
    Mutation(
        "opening does not sync what it finds",
        _LOCAL,
        "                _sync_directory(self._root / name)\n\n    def open_log",
        "                pass\n\n    def open_log",
        "tests/regressions/test_kill_then_power_loss.py",
    ),
    Mutation(
        "a group is not synced",
        "engine/wal_file.py",
        "        self._log.sync()\n        self._durable",
        "        self._durable",
        _POWER,
    ),
    # order
    Mutation(
        "rows are acknowledged before they are durable",
        "engine/core.py",
        "        self._wal.sync(head.seqno)\n",
        "",
        _POWER,
    ),
    Mutation(
        "what a crash left in the cache is built upon",
        "engine/core.py",
        "if not recovered.is_clean or len(recovered.snapshot.memtables) > 1:",
        "if len(recovered.snapshot.memtables) > 1:",
        "tests/regressions/test_kill_then_power_loss.py",
    ),
    Mutation(
        "a log is closed before its records are synced",
        "engine/wal.py",
        "        # whoever sees CLOSE builds on what is before it, and CLOSE may be seen before it is durable itself\n"
        "        self.sync(self.last_seqno)\n",
        "",
        "tests/regressions/test_kill_then_power_loss.py",
    ),
    Mutation(
        "files go before the manifests that name them",
        "engine/gc.py",
        "    for path in manifests:\n        storage.delete(path)\n    for_all(storage, storage.delete, doomed)\n",
        "    for_all(storage, storage.delete, doomed)\n    for path in manifests:\n        storage.delete(path)\n",
        "tests/engine/test_tags.py tests/faults/test_power_loss_of_versions.py",
    ),
    Mutation(
        "the log behind the newest version is deleted",
        "engine/gc.py",
        "parsed[1] < wal_floor and",
        "parsed[1] <= wal_floor and",
        _POWER,
    ),
    Mutation(
        "tags keep nothing",
        "engine/gc.py",
        "    for tag in list_tags(storage):",
        "    for tag in []:",
        "tests/engine/test_tags.py",
    ),
    Mutation(
        "files of strangers are deleted",
        "engine/gc.py",
        "return _OURS.fullmatch(path) is not None",
        "return True",
        "tests/regressions/test_leftover_files.py tests/faults/test_hostile_directories.py",
    ),
    # failures
    Mutation(
        "a failed sync does not poison the log",
        "engine/wal.py",
        "            self._fail(error)\n            if isinstance(error, StorageError):\n",
        # others that wait would hang
        "            self._leading = False\n            if isinstance(error, StorageError):\n",
        "tests/regressions/test_poisoned_log.py tests/faults/test_storage_errors.py",
    ),
    Mutation(
        "a short write loses the rest",
        _LOCAL,
        "            views[0] = views[0][written:]",
        "            views.pop(0)",
        "tests/storage/test_short_writes.py",
    ),
    Mutation(
        "two processes may write at once",
        _LOCAL,
        "fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)",
        "pass",
        "tests/storage/test_storages.py",
    ),
    Mutation(
        "links are followed",
        _LOCAL,
        "os.close(os.open(self._root / directory, os.O_RDONLY | os.O_DIRECTORY | _NO_LINK))",
        "pass",
        "tests/faults/test_hostile_directories.py",
    ),
    Mutation(
        "a file may be larger than its limit",
        _LOCAL,
        "if len(data) > limit_bytes:",
        "if False:",
        "tests/storage/test_storages.py tests/engine/test_limits.py tests/faults/test_hostile_directories.py",
    ),
    # fences
    Mutation("nobody is fenced", "engine/wal_objects.py", "        self.write(fence)\n", "", _FENCING),
    Mutation(
        "a writer that slept may commit",
        "engine/commit.py",
        "if not storage.appends and list_versions(storage)[-1] != manifest.version:",
        "if False:",
        _FENCING,
    ),
    Mutation("fences are deleted", "engine/gc.py", " and not is_fence(file):", ":", _FENCING),
    Mutation("a put replaces", _OBJECTS, 'data, mode="create"', 'data, mode="overwrite"', _LOSSY),
    Mutation("every name that is taken is ours", _OBJECTS, "        if stored != data:", "        if False:", _LOSSY),
    Mutation(
        "a name that is taken is another's",
        _OBJECTS,
        "                if self._is_there(path, data):",
        "                if isinstance(error, FileExistsError):\n                    raise AlreadyExistsError(path)\n"
        "                if self._is_there(path, data):",
        _LOSSY,
    ),
    # checks of the log
    Mutation(
        "payloads of the log are not checked",
        _FRAME,
        "view[start:stop]) != checksum:",
        "view[start:stop]) == -1:",
        _WAL,
    ),
    Mutation(
        "record headers are not checked",
        _FRAME,
        "_header_checksum(salt, raw[: _FIELDS.size]) != header_checksum",
        "False",
        _WAL,
    ),
    Mutation("records may reach past the end", _FRAME, " or end > len(view)", "", _WAL),
    Mutation("padding is not checked", _FRAME, " or any(view[stop:end])", "", _WAL),
    Mutation(
        "salts are all one",
        _FRAME,
        "return xxh3_64(salt, fields) & 0xFFFFFFFF",
        "return xxh3_64(fields) & 0xFFFFFFFF",
        _WAL,
    ),
    Mutation("damage of synced records is a torn tail", _RECORD, "    if durable > end:", "    if False:", _WAL),
    Mutation(
        "records may follow the end", _RECORD, "        is_closed\n        or continues", "        continues", _WAL
    ),
    Mutation("fragments come in any order", _RECORD, "        or continues != bool(group)\n", "", _WAL),
    Mutation(
        "seqnos may be missing between logs",
        _RECOVERY,
        "if first != next_seqno and not (may_lack_close and first == next_seqno + 1):",
        "if False:",
        _CORRUPTION,
    ),
    Mutation("log files may be missing", _RECOVERY, "        if number != expected:", "        if False:", _CORRUPTION),
    Mutation(
        "logs of other collections are replayed",
        _RECOVERY,
        "if header.collection_uuid != collection_uuid or (",
        "if (",
        _CORRUPTION,
    ),
    # checks of files
    Mutation(
        "tombstones are not checked",
        _RECOVERY,
        '    check_xxh3_128(data, entry.digest, what="tombstone file", path=entry.path, offset=0)\n',
        "",
        _CORRUPTION,
    ),
    Mutation(
        "manifests are not checked",
        "format/sealed_json.py",
        "    check_xxh3_128(body, digest, what=what, path=path, offset=_PREFIX_BYTES)\n",
        "",
        "tests/format/test_manifest.py tests/format/test_tag.py",
    ),
    Mutation(
        "file headers are not checked",
        "format/file_header.py",
        '    check_xxh3_64(xxh3_64(raw[:_CHECKED_BYTES]), checksum, what="header", path=path, offset=offset)\n',
        "",
        "tests/format/test_file_header.py",
    ),
    Mutation(
        "block headers are not checked",
        "format/block.py",
        '    check_xxh3_64(actual, own, what="block header", path=path, offset=offset)\n',
        "",
        "tests/format/test_block.py tests/format/test_segment_damage.py",
    ),
    Mutation(
        "blocks are not checked",
        "format/block.py",
        '    check_xxh3_64(xxh3_64(stored), header.checksum, what="block", path=path, offset=offset + HEADER_BYTES)\n',
        "",
        "tests/format/test_block.py",
    ),
    Mutation(
        "blocks may reach past the end",
        "format/block.py",
        "stored_len <= min(MAX_BLOCK_BYTES, room)",
        "stored_len <= MAX_BLOCK_BYTES",
        "tests/format/test_block.py",
    ),
)
