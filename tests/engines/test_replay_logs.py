"""What was logged becomes frames when somebody looks, whether it waited in memory or on disk."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twosided.engines.replay_logs import COUNTERS, Logs

pytestmark = pytest.mark.interpreted

ROW = COUNTERS["decisions"][1]
chunks = st.lists(st.lists(st.tuples(st.integers(0, 2), st.integers(-(2**62), 2**62)), max_size=12), max_size=6)


def rows_of(chunk):
    rows = np.zeros(len(chunk), ROW)
    for i, (k, ns) in enumerate(chunk):
        rows[i]["strategy"], rows[i]["ns"], rows[i]["wake"] = k, ns, i
    return rows


@given(chunks, st.sampled_from([0, 200, 1 << 20]))
def test_every_strategy_gets_its_own_rows_in_their_order(listed, in_memory):
    logs = Logs(3, in_memory)
    for chunk in listed:
        logs.keep("decisions", rows_of(chunk))
    everything = [(k, ns, i) for chunk in listed for i, (k, ns) in enumerate(chunk)]
    for k in (2, 0, 1, 0):
        frame = logs.frame("decisions", k)
        assert frame.columns == [name for name in ROW.names if name != "strategy"]
        assert list(zip(frame["ns"], frame["wake"], strict=True)) == [(ns, i) for owner, ns, i in everything if owner == k]


def test_one_strategy_s_rows_are_all_rows():
    logs = Logs(1, 1 << 20)
    logs.keep("decisions", rows_of([(0, 5), (0, 7)]))
    assert logs.frame("decisions")["ns"].to_list() == [5, 7]
    assert logs.frame("fills").is_empty()


def test_a_log_that_all_share_is_not_split():
    logs = Logs(3, 1 << 20)
    logs.keep("mids", np.ones(4, COUNTERS["mids"][1]))
    assert logs.frame("mids").shape == (4, 4)
