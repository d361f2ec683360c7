"""`python -m drift_arrow.cli` is `drift-cli`."""

from __future__ import annotations

from drift_arrow.cli import main

if __name__ == "__main__":
    main()
