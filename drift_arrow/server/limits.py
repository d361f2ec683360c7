"""Limits of the server: what one request, and all of them together, may take."""

from __future__ import annotations

import os
from typing import Final

SERVICE_NAME: Final = "drift.v1.DriftService"

MAX_MESSAGE_BYTES: Final = 16 << 20
"""Largest request or response. gRPC's own default is 4 MiB, which a batch of 1,000 large vectors passes."""

MAX_METADATA_BYTES: Final = 8 << 10

MAX_ERROR_CHARS: Final = 1_000
"""Longest error text that is sent; it travels twice in the metadata, percent-encoded."""

MAX_CONCURRENT_CALLS: Final = 128
"""Calls that may run or wait; more are refused with RESOURCE_EXHAUSTED instead of queueing without bound."""

WORKER_THREADS: Final = min(32, (os.cpu_count() or 1) + 4)
"""Threads that run engine calls."""

DEFAULT_DEADLINE_S: Final = 60.0
"""Deadline of a call whose client set none."""

STOP_GRACE_S: Final = 10.0
"""Seconds that running calls have to end after SIGTERM."""

DEFAULT_HOST: Final = "127.0.0.1"
DEFAULT_PORT: Final = 7400
