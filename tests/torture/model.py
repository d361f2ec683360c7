"""Calls in any order against a dict and brute force, as in `tests.properties`, and more of them."""

from __future__ import annotations

import traceback
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import seed as seeded
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from drift_arrow.engine import core, registry
from tests.faults.idle_janitor import IdleJanitor
from tests.properties.test_collection_model import COMMON
from tests.properties.test_rivals_model import RivalsModel
from tests.properties.test_versions_model import VersionsModel
from tests.torture.campaign import Attempt, Campaign

EXAMPLES_PER_ATTEMPT = 20
STEPS_PER_EXAMPLE = 200
MACHINES = {"versions": VersionsModel, "rivals": RivalsModel}


def model(seed: int, _scratch: Path) -> Attempt:
    """So many examples of each machine."""
    violations = []
    for machine in MACHINES.values():
        many = settings(
            COMMON,
            max_examples=EXAMPLES_PER_ATTEMPT,
            stateful_step_count=STEPS_PER_EXAMPLE,
            database=None,
            print_blob=True,
        )
        with pytest.MonkeyPatch.context() as patch:
            if machine is RivalsModel:
                patch.setattr(registry, "Janitor", IdleJanitor)
                patch.setattr(core, "FROZEN_MEMTABLES_MAX", 10_000)
            try:
                run_state_machine_as_test(seeded(seed)(type(machine.__name__, (machine,), {})), settings=many)
            except BaseException:  # noqa: BLE001 - hypothesis raises groups, and whatever the calls raised
                violations.append(traceback.format_exc())
    return Attempt(Counter(dict.fromkeys(MACHINES, EXAMPLES_PER_ATTEMPT)), violations)


MODEL = Campaign(
    name="model",
    what="calls in any order, with time travel, crashes and take-overs, agree with a dict and brute force",
    unit="examples",
    goal=20_000,
    attempt=model,
    parts=tuple(MACHINES),
)
