"""All campaigns, by name."""

from __future__ import annotations

from tests.torture import power_loss

CAMPAIGNS = {campaign.name: campaign for campaign in (power_loss.POWER_LOSS, power_loss.VERSIONS)}
