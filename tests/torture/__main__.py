"""`python -m tests.torture`: try to break what docs/DURABILITY.md promises, for as long as you like.

A campaign makes attempts in several processes. It ends when all of its parts were tried often enough, when its time is
up, or with the first attempt that broke a promise, which then says its seed.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import time
from collections import Counter

from tests.torture.campaign import Campaign
from tests.torture.campaigns import CAMPAIGNS
from tests.torture.crew import attempts

EXAMPLES = """examples:
  python -m tests.torture power-loss                  a million crash states of each protocol
  python -m tests.torture kill --goal 200             two hundred kills only
  python -m tests.torture --seconds 60                a minute of each campaign
  python -m tests.torture power-loss --seed 12 --goal 1   the attempt with one seed again"""


def main() -> int:
    """Run the campaigns one after the other; the exit code is 1 if a promise was broken."""
    arguments = parse_arguments()
    return int(sum(not run(CAMPAIGNS[name], arguments) for name in arguments.campaign) > 0)


def parse_arguments() -> argparse.Namespace:
    """The command line; `campaign` becomes a list of names."""
    lines = [f"  {name:12} {campaign.what}" for name, campaign in CAMPAIGNS.items()]
    parser = argparse.ArgumentParser(
        prog="python -m tests.torture",
        description="\n".join([__doc__ or "", "campaigns:", *lines]),
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("campaign", nargs="*", choices=[*CAMPAIGNS, []], metavar="CAMPAIGN", help="some; all of them")
    parser.add_argument("--goal", type=int, help="how often every part is tried; as many as are wanted of a release")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="time for each campaign")
    parser.add_argument("--seed", type=int, default=0, help="seed of the first attempt, the others count on; 0")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="processes; one for each core")
    arguments = parser.parse_args()
    arguments.campaign = arguments.campaign or list(CAMPAIGNS)
    return arguments


def run(campaign: Campaign, arguments: argparse.Namespace) -> bool:
    """Whether no promise was broken; prints what was tried."""
    goal = campaign.goal if arguments.goal is None else arguments.goal
    begin = time.monotonic()
    tried: Counter[str] = Counter()
    violations: list[str] = []
    # whoever interrupts it wants to know what was tried until then
    with contextlib.suppress(KeyboardInterrupt):
        for seed, outcome in attempts(campaign, goal, arguments.seconds, arguments.seed, arguments.processes):
            tried += outcome.tried
            violations += [f"seed {seed}: {violation}" for violation in outcome.violations]
            if sys.stderr.isatty():
                sys.stderr.write(
                    f"\r{campaign.name}: {sum(tried.values()):,} {campaign.unit}, {len(violations)} violations "
                )
            if violations:
                break
    if sys.stderr.isatty():
        sys.stderr.write("\r")
    for part in campaign.parts:
        print(f"{campaign.name}{' ' * bool(part)}{part}: {tried[part]:,} {campaign.unit}")
    print(f"{campaign.name}: {time.monotonic() - begin:,.0f} s, {len(violations)} violations", flush=True)
    for violation in violations[:10]:
        print(f"  {violation}", file=sys.stderr)
    return not violations


if __name__ == "__main__":
    sys.exit(main())
