"""Tags on storage: names that keep a version, and every file it names, until they are removed."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Final

from drift_arrow.engine.commit import read_manifest
from drift_arrow.engine.storage import create_file
from drift_arrow.errors import AlreadyExistsError, CorruptionError, InvalidArgumentError, NotFoundError
from drift_arrow.format.layout import MAX_TAG_BYTES
from drift_arrow.format.tag import TAG_NAME, Tag, decode_tag

if TYPE_CHECKING:
    from drift_arrow.engine.storage import Storage
    from drift_arrow.format.manifest import Manifest

TAG_DIRECTORY: Final = "tags"
_SUFFIX: Final = ".json"


def tag_path(name: object) -> str:
    """Path of a tag's file, relative to its collection; raises InvalidArgumentError for what cannot be a name."""
    if not isinstance(name, str) or not re.fullmatch(TAG_NAME, name):
        message = f"a tag is 1 to 63 of a-z 0-9 . _ -, starting with a letter or digit; got={name!r}"
        raise InvalidArgumentError(message)
    return f"{TAG_DIRECTORY}/{name}{_SUFFIX}"


def list_tags(storage: Storage) -> list[Tag]:
    """All tags by name.

    Raises
    ------
    CorruptionError
        A file in the directory of tags is damaged, or is no tag: what it was meant to keep is unknown.
    """
    tags = []
    for file in storage.list_files(TAG_DIRECTORY):
        try:
            tags.append(read_tag(storage, file.path))
        except NotFoundError:
            # a reader lists beside a writer who removes one
            continue
    return tags


def read_tag(storage: Storage, path: str) -> Tag:
    """The tag in one file; raises NotFoundError, CorruptionError or UnsupportedFormatError."""
    tag = decode_tag(storage.read(path, MAX_TAG_BYTES + 1), path)
    if tag_path(tag.name) != path:
        raise CorruptionError(f"the tag is another one than its file says; name={tag.name!r}", path=path, offset=0)
    return tag


def read_tagged(storage: Storage, tag: Tag, collection_uuid: object) -> Manifest:
    """The manifest that a tag keeps.

    Raises
    ------
    NotFoundError
        There is none of that version.
    CorruptionError
        It is damaged, or is not the one that was tagged.
    """
    manifest = read_manifest(storage, tag.version)
    if (manifest.digest, collection_uuid) != (tag.manifest_digest, tag.collection_uuid):
        message = f"the tag was made of another version than there is under its number; version={tag.version}"
        raise CorruptionError(message, path=tag_path(tag.name), offset=0)
    return manifest


def create_tag(storage: Storage, name: str, manifest: Manifest) -> Tag:
    """Keep a version under a name, durably. Nothing may delete files meanwhile.

    Raises
    ------
    AlreadyExistsError
        The name is taken; its tag is untouched.
    InvalidArgumentError
        It cannot be a name.
    """
    path = tag_path(name)
    tag = Tag(
        name=name,
        version=manifest.version,
        manifest_digest=manifest.digest,
        created_ns=time.time_ns(),
        collection_uuid=manifest.collection_uuid,
    )
    storage.make_directories((TAG_DIRECTORY,))
    try:
        create_file(storage, path, tag.encode())
    except AlreadyExistsError as error:
        message = f"the tag exists: untag it first, or take another name; name={name!r}"
        raise AlreadyExistsError(message) from error
    return tag


def delete_tag(storage: Storage, name: str) -> None:
    """Remove a tag, durably; its version goes with the next garbage, unless it is kept for another reason.

    Nothing may write or delete files meanwhile.

    Raises
    ------
    NotFoundError
        No such tag; the message names those that exist.
    """
    path = tag_path(name)
    paths = [file.path for file in storage.list_files(TAG_DIRECTORY)]
    if path not in paths:
        existing = [known.removeprefix(f"{TAG_DIRECTORY}/").removesuffix(_SUFFIX) for known in paths]
        message = f"no such tag; got={name!r} existing={existing}"
        raise NotFoundError(message)
    storage.delete(path)
    # a power loss that brought the tag back, but not its version, would stop all garbage collection
    storage.settle()
