"""A process that forks writers, to be killed: `kill_worker.py DIRECTORY`, commanded through its standard streams.

The parent writes one line per writer, its seed. The answer is the writer's process number; then come its
acknowledgements, one `thread operation` per line, and at last, once it is dead, an empty line.
"""

from __future__ import annotations

import os
import sys
import threading
from itertools import count

import drift_arrow as drift
from tests.faults.history import THREADS, apply, operations
