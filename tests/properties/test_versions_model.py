"""The calls of `test_collection_model` with time travel between them: a version is what the model was at its seqno."""

from __future__ import annotations

from bisect import bisect_right
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule, run_state_machine_as_test

import drift_arrow as drift
from drift_arrow.errors import NotFoundError
from tests.properties.test_collection_model import COMMON, CollectionModel, Row

Rows = dict[int, Row]


class VersionsModel(CollectionModel):
    """Also tags, untags, restores, and looks at versions, by its own handle and by one beside the writer."""

    def __init__(self) -> None:
        super().__init__()
        self.states: dict[int, Rows] = {0: {}}
        self.expected: dict[int, Rows] = {}
        self.tags: dict[str, int] = {}
        self.looks = 0

    def make_options(self, **given: Any) -> drift.Options:
        return drift.Options(**given, retained_versions=3)

    def learn(self) -> None:
        """What each version that is new must hold: the state after the last operation up to its seqno."""
        for version, seqno in self.docs.versions().select("version", "seqno").iter_rows():
            if version not in self.expected:
                known = sorted(self.states)
                self.expected[version] = self.states[known[bisect_right(known, seqno) - 1]]

    @invariant()
    def versions_hold_what_the_model_was(self):
        if not hasattr(self, "docs"):
            return
        self.states[self.docs.pin().seqno] = self.rows
        self.learn()
        versions = self.docs.versions()["version"].to_list()
        self.looks += 1
        self.look_at(versions[self.looks % len(versions)])

    def look_at(self, version: int) -> None:
        docs = self.docs if version % 2 else self.reader
        try:
            past = docs.at(version)
        except NotFoundError:
            # the Janitor collects what is neither new nor tagged
            assert version not in self.docs.versions()["version"]
            assert version not in self.tags.values()
            return
        if version not in self.expected:
            # the Janitor committed it just now
            self.learn()
        rows = self.expected[version]
        assert self.everything(past).equals(self.table([rows[number] for number in sorted(rows)]))

    @rule(data=st.data())
    def restore(self, data):
        self.learn()
        version = data.draw(st.sampled_from(self.docs.versions()["version"].to_list()))
        try:
            number = self.docs.restore(version)
        except NotFoundError:
            assert version not in self.docs.versions()["version"]
            return
        # what was flushed for it is the state before
        self.learn()
        self.rows = self.expected[number] = self.expected[version]
        self.states[self.docs.versions()["seqno"][-1]] = self.rows

    @rule()
    def tag(self):
        name = f"tag-{len(self.tags)}"
        self.tags[name] = self.docs.tag(name)
        self.learn()
        assert self.expected[self.tags[name]] == self.rows

    @rule(data=st.data())
    def untag(self, data):
        names = self.docs.tags()["tag"].to_list()
        if names:
            name = data.draw(st.sampled_from(names))
            self.docs.untag(name)
            self.tags[name] = -1

    @invariant()
    def tags_hold_their_versions(self):
        if hasattr(self, "docs"):
            kept = {name: version for name, version in self.tags.items() if version > 0}
            assert dict(self.docs.tags().select("tag", "version").iter_rows()) == kept
            for version in list(kept.values())[:1]:
                self.look_at(version)


def test_versions_agree_with_what_a_dict_was():
    modest = settings(COMMON, max_examples=15, stateful_step_count=25, derandomize=True)
    run_state_machine_as_test(VersionsModel, settings=modest)


@pytest.mark.slow
def test_versions_agree_with_what_a_dict_was_through_many_calls():
    run_state_machine_as_test(VersionsModel, settings=settings(COMMON, max_examples=300, stateful_step_count=60))
