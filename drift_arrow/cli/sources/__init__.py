"""Files of rows for `drift-cli add` and `create`, read in batches of bounded memory."""

from __future__ import annotations

from drift_arrow.cli.sources.files import expand
from drift_arrow.cli.sources.open import open_source
from drift_arrow.cli.sources.source import Source

__all__ = ["Source", "expand", "open_source"]
