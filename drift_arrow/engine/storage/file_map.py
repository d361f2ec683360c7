"""A map of a whole file that keeps the file open beside it."""

from __future__ import annotations

import mmap
import os
from typing import Self


class FileMap(mmap.mmap):
    """A read-only map of a file, parts of which can also be read without a page of the map.

    Parameters
    ----------
    descriptor : int
        Of a file that is not empty; the caller closes it.

    Attributes
    ----------
    descriptor : int
        Its own, open as long as the map lives.
    """

    descriptor = -1

    def __new__(cls, descriptor: int) -> Self:
        """Map the file."""
        created = super().__new__(cls, descriptor, 0, prot=mmap.PROT_READ)
        created.descriptor = os.dup(descriptor)
        return created

    def __del__(self) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)
