"""Bytes <-> Arrow: blocks, segments, tombstone files, WAL records and manifests. Opens no file.

docs/FORMAT.md specifies every byte.
"""
