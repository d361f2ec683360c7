"""What a campaign is: attempts that try to break one promise, until enough of them have failed to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Attempt:
    """What one attempt tried.

    Parameters
    ----------
    tried : Counter of str
        How often each part of the campaign was tried.
    violations : list of str
        Promises that were broken, with what shows it.
    """

    tried: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Campaign:
    """One way to try to break what is promised.

    Parameters
    ----------
    name : str
    what : str
        One line of help.
    unit : str
        What is counted.
    goal : int
        How many of each part the issue of a release wants.
    attempt : callable
        `attempt(seed, scratch)`, which takes seconds: decided by the seed as far as the campaign can be; `scratch` is a
        directory of this process, which keeps what earlier attempts of it left.
    parts : tuple of str
        What has to be tried so often each; by default the campaign as a whole.
    most_processes : int
        Processes that may work on it at once.
    attempts : int, optional
        Number of attempts there are: seeds are below it.
    """

    name: str
    what: str
    unit: str
    goal: int
    attempt: Callable[[int, Path], Attempt]
    parts: tuple[str, ...] = ("",)
    most_processes: int = 64
    attempts: int | None = None

    def is_reached(self, tried: Counter[str], goal: int) -> bool:
        """Whether every part was tried so often."""
        return all(tried[part] >= goal for part in self.parts)
