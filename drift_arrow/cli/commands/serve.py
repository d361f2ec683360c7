"""`drift-cli serve`: the gRPC service over the collections of a database."""

from __future__ import annotations

from typing import Annotated

import typer

from drift_arrow.cli.arguments import RootArgument, examples
from drift_arrow.server.limits import DEFAULT_HOST, DEFAULT_PORT

EPILOG = examples("drift-cli serve ./data --port 7400", "drift-cli serve ./data --port 0")


def serve(
    root: RootArgument,
    host: Annotated[str, typer.Option(help="A loopback address: there is no TLS or authentication.")] = DEFAULT_HOST,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0 takes a free port, and prints it.")] = DEFAULT_PORT,
) -> None:
    """Serve collections over gRPC to programs on this machine.

    SIGINT (Ctrl-C) or SIGTERM stops it; running calls end first.
    """
    from drift_arrow.server import run_server

    # Flushed at once, so that whoever started us through a pipe learns the port.
    run_server(root, host=host, port=port, announce=lambda address: print(f"serving {root} at {address}", flush=True))
