"""`drift-cli`: collections from the command line. Also `python -m drift_arrow.cli`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command that `sys.argv` names and exit with its code."""
    try:
        from drift_arrow.cli.app import app
    except ModuleNotFoundError as error:
        if error.name not in {"typer", "rich"}:
            raise
        sys.exit(f'drift-cli: error: {error.name} is not installed: pip install "drift_arrow[cli]"')
    app(prog_name="drift-cli")
