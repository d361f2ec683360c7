from __future__ import annotations

import numpy as np
import pytest

from drift_arrow.kernels import bitmap
from drift_arrow.kernels.exact_rank import rank_exactly
from drift_arrow.kernels.memory import address_of
from drift_arrow.kernels.nearest import find_nearest
from drift_arrow.kernels.probe import StopRule
from drift_arrow.kernels.row_table import RowTable, plain_line
from tests.kernels.test_probe import METRICS, Table

RULE = StopRule(k=5, first=2, share=0.9, spread=0.2, effective_dim=8.0)


@pytest.fixture(scope="module", params=[24, 64, 70, 128])
def table(request):
    return Table(40, dim=request.param)


def row_table(rows):
    return RowTable.of(np.array([0, len(rows)]), [plain_line(rows.size, address_of(rows))], [rows])


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("share", [0.0, 0.05, 0.5, 1.0])
@pytest.mark.parametrize("n_queries", [1, 3])
def test_one_call_gives_what_two_give(table, metric, share, n_queries):
    queries, rows = table.queries[:n_queries], row_table(table.rows)
    allowed = bitmap.from_mask(np.random.default_rng(3).random(len(table.rows)) < share) if share else None
    counts = None if allowed is None else table.counts(allowed)
    ids, ranks = find_nearest(queries, table.table(), counts, allowed, metric, RULE, 20, rows, 5)
    probed = table.probe(queries, RULE, metric=metric, allowed=allowed, n_candidates=20)
    wanted = rank_exactly(queries, probed.ids, rows, metric, 5)
    assert ranks is not None
    assert wanted is not None
    assert ranks.ids.tolist() == wanted.ids.tolist() == ids.tolist()
    assert ranks.counts.tolist() == wanted.counts.tolist()
    assert ranks.is_tied.tolist() == wanted.is_tied.tolist()
    for q, size in enumerate(ranks.counts.tolist()):
        assert ranks.distances[q, :size].tobytes() == wanted.distances[q, :size].tobytes()


def test_candidates_of_a_block_that_is_not_open_come_back_without_an_order(table):
    absent = RowTable.of(np.array([0, len(table.rows)]), [None], [])
    ids, ranks = find_nearest(table.queries[:1], table.table(), None, None, "l2", RULE, 20, absent, 5)
    assert ranks is None
    probed = table.probe(table.queries[:1], RULE, n_candidates=20)
    assert sorted(ids[0].tolist()) == sorted(probed.ids[0].tolist())


def test_a_rule_that_wants_more_than_there_may_be_candidates_is_refused(table):
    with pytest.raises(ValueError, match="number of candidates"):
        find_nearest(table.queries[:1], table.table(), None, None, "l2", RULE, 4, row_table(table.rows), 4)
