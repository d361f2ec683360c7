"""Codecs of block bytes, one per file; the closed table of them is `format.codec`."""
