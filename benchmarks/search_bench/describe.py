"""Says which version of a contender an interpreter has, and how it may be built; a process of its own.

Run ``python -m search_bench.describe NAME FOLDER_OF_A_SET``; prints one JSON object.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from search_bench.contender import load, version
from search_bench.data_set import DataSet


def describe(name: str, folder: Path) -> dict[str, Any]:
    """`version`, `fingerprint` and `variants`, or `absent` with the reason."""
    found = version(name)
    if found is None:
        return {"absent": f"{name} is not installed in {sys.executable}"}
    try:
        contender = load(name)
    except Exception as error:  # noqa: BLE001 - a package may fail in any way when it is loaded
        return {"absent": f"{name} {found} cannot be loaded: {type(error).__name__}: {error}"}
    return {
        "version": found,
        "fingerprint": f"{found} {contender.fingerprint()}",
        "variants": contender.variants(DataSet.open(folder)),
    }


def main() -> None:
    """Print what there is to say."""
    print(json.dumps(describe(sys.argv[1], Path(sys.argv[2]))))


if __name__ == "__main__":
    main()
