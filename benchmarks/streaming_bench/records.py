"""What was found, as lines of JSON, so that a run can be resumed, shown and drawn."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Record = dict[str, Any]
"""Of one step of one contender: `runbook`, `contender`, `step`, `op`, `n_live`, `size`, and what was measured."""

END = "end"
"""The `op` of a contender's last record: a runbook that lacks it was not finished."""


class Records:
    """All records of a file.

    Parameters
    ----------
    file : Path
        Made if it is not there.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        file.parent.mkdir(parents=True, exist_ok=True)
        lines = file.read_text().splitlines() if file.exists() else []
        # the last line may be torn
        self.all: list[Record] = [json.loads(line) for line in lines if line.endswith("}")]

    def add(self, record: Record) -> None:
        """Append to the file at once."""
        self.all.append(record)
        with self._file.open("a") as lines:
            lines.write(json.dumps(record) + "\n")

    def drop_unfinished(self) -> None:
        """Forget runs that did not come to their end."""
        done = {(record["runbook"], record["contender"]) for record in self.all if record["op"] == END}
        self.all = [record for record in self.all if (record["runbook"], record["contender"]) in done]
        self._file.write_text("".join(json.dumps(record) + "\n" for record in self.all))

    def contenders(self, runbook: str) -> list[str]:
        """Who has been through a runbook, whole or in part, in order."""
        return list(dict.fromkeys(record["contender"] for record in self.all if record["runbook"] == runbook))

    def runbooks(self) -> list[str]:
        """Names, in order."""
        return list(dict.fromkeys(record["runbook"] for record in self.all))

    def of(self, runbook: str, contender: str, *ops: str) -> list[Record]:
        """Records of one run, of some operations only if any are named."""
        return list(self._of(runbook, contender, ops))

    def end(self, runbook: str, contender: str) -> Record | None:
        """The last record of a run."""
        found = self.of(runbook, contender, END)
        return found[0] if found else None

    def _of(self, runbook: str, contender: str, ops: tuple[str, ...]) -> Iterator[Record]:
        for record in self.all:
            if (record["runbook"], record["contender"]) == (runbook, contender) and (not ops or record["op"] in ops):
                yield record
