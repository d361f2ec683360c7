"""What the stored bytes of a column turned out to be: the lines that `drift-cli inspect` prints."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoding:
    """One node of the tree that a block of a column is.

    Parameters
    ----------
    name : str
        Of the codec, as docs/FORMAT.md spells it.
    children : tuple of Encoding
        What this one is made of, in the order of the file.
    n_values : int
    stored_bytes : int
        In the file, those of the children included.
    min_width, max_width : int or None
        Bits of the packed integers of a vector; None where nothing is packed.
    n_exceptions : int
        Values that are stored beside the packed ones.
    detail : str
        What else there is to say, such as the schemes of the vectors; may be empty.
    """

    name: str
    children: tuple[Encoding, ...] = ()
    n_values: int
    stored_bytes: int
    min_width: int | None = None
    max_width: int | None = None
    n_exceptions: int = 0
    detail: str = ""

    @property
    def bits_per_value(self) -> float:
        """Bits that a value takes in the file, everything included; nan without values."""
        return 8 * self.stored_bytes / self.n_values if self.n_values else float("nan")
