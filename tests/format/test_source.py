import pytest

from drift_arrow.errors import CorruptionError
from drift_arrow.format import source as module
from drift_arrow.format.source import FetchedFile, MappedFile, coalesce, open_file
from tests.format.samples import CountingSource

DATA = bytes(range(256)) * 40


def fetched(data=DATA):
    source = CountingSource(data)
    return source, FetchedFile(source, "p")


def test_near_spans_become_one_and_far_ones_do_not(monkeypatch):
    monkeypatch.setattr(module, "COALESCE_GAP_BYTES", 10)
    assert coalesce([(50, 60), (0, 5), (14, 20), (70, 80)]) == [(0, 20), (50, 60), (70, 80)]
    assert coalesce([(0, 100), (10, 20), (100, 120)]) == [(0, 120)]
    assert coalesce([]) == []


@pytest.mark.parametrize("spans", [[(0, 4)], [(5, 9), (3, 7), (1000, 1001)], [], [(7, 7)], [(20_000, 20_010), (0, 1)]])
def test_mapped_and_fetched_files_read_the_same(spans):
    expected = [DATA[start:stop] for start, stop in spans]
    assert [bytes(view) for view in MappedFile(DATA).read(spans)] == expected
    assert [bytes(view) for view in fetched()[1].read(spans)] == expected


def test_a_span_past_the_end_is_shorter():
    for file in (MappedFile(DATA), fetched()[1]):
        assert [bytes(view) for view in file.read([(len(DATA) - 3, len(DATA) + 50)])] == [DATA[-3:]]


def test_one_call_is_one_request(monkeypatch):
    monkeypatch.setattr(module, "COALESCE_GAP_BYTES", 10)
    source, file = fetched()
    file.read([(0, 10), (15, 20), (1000, 1010)])
    assert source.requests == [[(0, 20), (1000, 10)]]


def test_what_is_held_is_not_fetched_again_until_it_is_released():
    source, file = fetched()
    file.hold([(100, 200)])
    assert bytes(file.read([(150, 200)])[0]) == DATA[150:200]
    assert len(source.requests) == 1
    file.release()
    file.read([(150, 200)])
    assert source.requests[1:] == [[(150, 50)]]


def test_a_source_that_gives_less_than_it_promised_is_damage():
    source, file = fetched()
    source.data = DATA[:500]
    with pytest.raises(CorruptionError, match="ends early") as caught:
        file.read([(400, 600)])
    assert caught.value.offset == 500


def test_what_the_source_raises_passes_through():
    source, file = fetched()
    source.error = OSError("no route to host")
    with pytest.raises(OSError, match="no route"):
        file.read([(0, 1)])


def test_buffers_are_mapped_and_sources_are_asked():
    assert isinstance(open_file(DATA, "p"), MappedFile)
    assert isinstance(open_file(CountingSource(DATA), "p"), FetchedFile)
