"""`drift-cli demo`: everything once, on real vectors."""

from __future__ import annotations

from typing import Annotated

import typer

from drift_arrow.cli.arguments import examples
from drift_arrow.errors import DriftError

EPILOG = examples("drift-cli demo", "drift-cli demo --keep ./drift-demo")


def demo(
    keep: Annotated[str | None, typer.Option(metavar="DIR", help="Keep the collection, as DIR/sift.")] = None,
) -> None:
    """Show and check everything on 6,000 real vectors.

    Takes seconds; the first run compiles kernels.
    """
    from tempfile import TemporaryDirectory

    from drift_arrow.cli.demo.run import print_next, run_demo
    from drift_arrow.cli.output import console

    target = console()
    if keep is not None:
        failed = run_demo(keep, target)
    else:
        with TemporaryDirectory(prefix="drift-demo-") as root:
            failed = run_demo(root, target)
    if failed:
        raise DriftError(f"what the demo claims does not hold: {', '.join(failed)}")
    print_next(keep or "./drift-demo", target, is_kept=keep is not None)
