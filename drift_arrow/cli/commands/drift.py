"""`drift-cli drift`: what has become of the buckets of a collection."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from drift_arrow.cli.address import opened
from drift_arrow.cli.arguments import CollectionArgument, JsonOption, examples

EPILOG = examples(
    "drift-cli drift ./data/docs",
    "drift-cli drift ./data/docs --plot map.png",
    "drift-cli drift ./data/docs --json | jq 'map(select(.reason != \"none\")) | length'",
)


def drift(
    address: CollectionArgument,
    top: Annotated[int, typer.Option(metavar="N", min=0, help="How many buckets to print.")] = 20,
    plot: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw a map of the buckets (PNG, SVG).")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show which buckets of a collection need attention, and why.

    Urgency is from 0 to 1. Heat and recall are what the last writer counted and measured.
    """
    from drift_arrow.cli.drift.bucket_map import draw_map
    from drift_arrow.cli.drift.show import show_buckets, show_recall, show_summary
    from drift_arrow.cli.output import print_json_rows
    from drift_arrow.engine.signs.drift_frame import drift_frame

    with opened(address, read_only=True) as collection:
        snapshot = collection.pin()
        buckets = drift_frame(snapshot)
        if plot is not None:
            draw_map(snapshot.segment_set.centroids, buckets, plot)
    ranked = buckets.sort("urgency", descending=True, maintain_order=True)
    if as_json:
        print_json_rows(ranked.iter_rows(named=True))
        return
    show_summary(address, ranked)
    show_recall(snapshot.observations.measurements)
    if top and len(ranked):
        show_buckets(ranked.head(top))
    if plot is not None:
        print(f"\nmap of the buckets: {plot}")
