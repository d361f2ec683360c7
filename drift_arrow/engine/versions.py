"""The committed versions of a collection that still exist: listed, and found by number, time or tag."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import polars as pl

from drift_arrow.engine.commit import list_versions, read_manifest
from drift_arrow.engine.tags import list_tags, read_tagged
from drift_arrow.errors import InvalidArgumentError, NotFoundError

if TYPE_CHECKING:
    from drift_arrow.engine.storage import Storage
    from drift_arrow.format.manifest import Manifest

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NS_PER_US: Final = 1000
_SCHEMA: Final = {
    "version": pl.Int64(),
    "created": pl.Datetime("us", "UTC"),
    "rows": pl.Int64(),
    "segments": pl.Int64(),
    "bytes": pl.Int64(),
    "seqno": pl.Int64(),
    "tags": pl.List(pl.String()),
}

WhichVersion = int | datetime | str
"""A version by its number, by a time at which it was the newest, or by a tag."""


def versions_frame(storage: Storage) -> pl.DataFrame:
    """One row per version that exists, oldest first; see `CollectionView.versions`."""
    tags: dict[int, list[str]] = {}
    for tag in list_tags(storage):
        tags.setdefault(tag.version, []).append(tag.name)
    rows = [_row(manifest, tags.get(manifest.version, [])) for manifest in read_versions(storage)]
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")


def tags_frame(storage: Storage) -> pl.DataFrame:
    """One row per tag, by name; see `CollectionView.tags`."""
    rows = [(tag.name, tag.version, tag.created_ns // _NS_PER_US) for tag in list_tags(storage)]
    schema = {"tag": pl.String(), "version": pl.Int64(), "created": pl.Datetime("us", "UTC")}
    return pl.DataFrame(rows, schema=schema, orient="row")


def read_versions(storage: Storage) -> list[Manifest]:
    """The manifests that exist, oldest first; raises CorruptionError if one is damaged."""
    manifests = []
    for version in list_versions(storage):
        try:
            manifests.append(read_manifest(storage, version))
        except NotFoundError:
            # deleted by a writer between the listing and the reading
            continue
    return manifests


def find_version(storage: Storage, which: WhichVersion) -> Manifest:
    """The manifest of one version.

    Parameters
    ----------
    storage : Storage
        Of the collection.
    which : int, datetime or str
        A number; a time with a time zone, for the version that was the newest one then; or a tag.

    Raises
    ------
    NotFoundError
        No such version or tag, or not any more; the message names those that exist.
    InvalidArgumentError
        Another type, or a time without a time zone.
    CorruptionError
        A manifest or tag is damaged.
    """
    if isinstance(which, str):
        return _find_tagged(storage, which)
    if isinstance(which, datetime):
        return _find_at(storage, which)
    if type(which) is not int:
        message = f"a version is a number, a datetime or the name of a tag; got={which!r}"
        raise InvalidArgumentError(message)
    if which in list_versions(storage):
        try:
            return read_manifest(storage, which)
        except NotFoundError:
            # deleted since it was listed
            pass
    raise not_retained(storage, which)


def not_retained(storage: Storage, which: WhichVersion) -> NotFoundError:
    """The error for a version that does not exist, or not any more."""
    existing = list_versions(storage)
    return NotFoundError(
        "no such version, or it was not kept: raise retained_versions or retained_seconds, or tag versions to keep; "
        f"got={str(which) if isinstance(which, datetime) else which!r} existing={existing} path={storage.uri!r}"
    )


def _find_tagged(storage: Storage, name: str) -> Manifest:
    tags = {tag.name: tag for tag in list_tags(storage)}
    if name not in tags:
        message = f"no such tag; got={name!r} existing={sorted(tags)} path={storage.uri!r}"
        raise NotFoundError(message)
    return read_tagged(storage, tags[name], tags[name].collection_uuid)


def _find_at(storage: Storage, when: datetime) -> Manifest:
    if when.tzinfo is None:
        message = f"a time needs a time zone, for instance datetime.timezone.utc; got={when}"
        raise InvalidArgumentError(message)
    # in whole numbers, and to the microsecond, so that the time of a version that was listed means that version
    when_us = (when - _EPOCH) // timedelta(microseconds=1)
    manifests = read_versions(storage)
    for manifest, successor in pairwise(manifests):
        if _created_us(manifest) <= when_us < _created_us(successor):
            # of a gap it is not known when the version behind it began
            if successor.version == manifest.version + 1:
                return manifest
            break
    else:
        if manifests and _created_us(manifests[-1]) <= when_us:
            return manifests[-1]
    raise not_retained(storage, when)


def _created_us(manifest: Manifest) -> int:
    return manifest.created_ns // _NS_PER_US


def _row(manifest: Manifest, tags: list[str]) -> tuple[object, ...]:
    entries = manifest.segments
    size = sum(entry.size_bytes + (entry.tombstones.size_bytes if entry.tombstones else 0) for entry in entries)
    return (
        manifest.version,
        _created_us(manifest),
        sum(entry.n_live for entry in entries),
        len(entries),
        size,
        manifest.last_seqno,
        tags,
    )
