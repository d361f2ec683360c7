"""A collection as one of its versions was: the state behind `CollectionView` at a fixed manifest."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from drift_arrow.engine.apply import with_room
from drift_arrow.engine.commit import list_versions
from drift_arrow.engine.keys import fingerprint_keys
from drift_arrow.engine.recovery import open_version, read_options
from drift_arrow.engine.row_space import take_found
from drift_arrow.engine.snapshot import find_live
from drift_arrow.engine.spec import CollectionSpec
from drift_arrow.engine.verify import verify_version
from drift_arrow.engine.versions import find_version, not_retained
from drift_arrow.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from drift_arrow.engine.storage import Storage
    from drift_arrow.engine.verify import VerifyReport
    from drift_arrow.engine.versions import WhichVersion
    from drift_arrow.format.manifest import Manifest
    from drift_arrow.format.segment_reader import SegmentReader


class Past:
    """The rows of one version: those of its segments but for their tombstones.

    Parameters
    ----------
    storage : Storage
        Of the collection.
    manifest : Manifest
        Of the version.
    known : mapping of str to SegmentReader
        Segments that are open already, by path.

    Raises
    ------
    NotFoundError, CorruptionError, UnsupportedFormatError
        A file of the version is missing, damaged or newer than this release.

    Notes
    -----
    Its files stay open for as long as this object lives. Where they are mapped, a writer that deletes them meanwhile
    takes nothing from it.
    """

    def __init__(self, storage: Storage, manifest: Manifest, known: Mapping[str, SegmentReader]) -> None:
        self.storage = storage
        self.spec = CollectionSpec.from_manifest(manifest)
        self.options = read_options(manifest)
        # nothing is ever written into its memtable, so one of a single row will do
        smallest = replace(self.options, memtable_bytes=1)
        self.snapshot = with_room(open_version(storage, manifest, known), 1, self.spec, smallest)

    def get(self, keys: pa.Array, columns: list[str]) -> pa.Table:
        """Rows of the given keys, in their order, left out where there is none."""
        return take_found(self.snapshot, find_live(self.snapshot.views, fingerprint_keys(keys, self.spec)), columns)

    def verify(self) -> VerifyReport:
        """Check every byte of the version; raises NotFoundError if it was deleted since."""
        return verify_version(self.storage, self.snapshot.manifest.version)

    def check_open(self) -> None:
        """A version stays open."""


def open_past(storage: Storage, which: WhichVersion, known: Mapping[str, SegmentReader]) -> Past:
    """Open one version; raises as `find_version` and `Past`."""
    manifest = find_version(storage, which)
    try:
        return Past(storage, manifest, known)
    except NotFoundError as error:
        if manifest.version in list_versions(storage):
            raise
        # a writer deleted it between our reading of the manifest and our opening of its files
        raise not_retained(storage, which) from error
