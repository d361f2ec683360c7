"""All campaigns, by name."""

from __future__ import annotations

from tests.torture.commits import COMMITS
from tests.torture.fencing import FENCING
from tests.torture.kill import KILL
from tests.torture.model import MODEL
from tests.torture.mutants import MUTANTS
from tests.torture.power_loss import POWER_LOSS, VERSIONS
from tests.torture.stress import STRESS
from tests.torture.syscalls import SYSCALLS

CAMPAIGNS = {
    campaign.name: campaign
    for campaign in (POWER_LOSS, VERSIONS, SYSCALLS, KILL, COMMITS, FENCING, STRESS, MODEL, MUTANTS)
}
