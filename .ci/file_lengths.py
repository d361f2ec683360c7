"""Check that drift_arrow/ stays in small files: none past 300 lines, half of them at most 130."""

from __future__ import annotations

import sys
from pathlib import Path
from statistics import median
from typing import Final

PACKAGE: Final = Path(__file__).resolve().parent.parent / "drift_arrow"
MAX_LINES: Final = 300
MAX_MEDIAN_LINES: Final = 130


def main() -> int:
    """Print every breach; the exit status is 1 if there is one."""
    lengths = {
        path.relative_to(PACKAGE.parent).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for path in sorted(PACKAGE.rglob("*.py"))
        if not path.stem.endswith(("_pb2", "_pb2_grpc"))
    }
    middle = median(lengths.values())
    breaches = [f"{path}: {n} lines, at most {MAX_LINES}" for path, n in lengths.items() if n > MAX_LINES]
    if middle > MAX_MEDIAN_LINES:
        breaches.append(f"median of {len(lengths)} files: {middle:g} lines, at most {MAX_MEDIAN_LINES}")
    longest = max(lengths, key=lambda path: lengths[path])
    print("\n".join(breaches) or f"{len(lengths)} files, median {middle:g}, longest {longest} ({lengths[longest]})")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
