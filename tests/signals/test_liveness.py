"""Liveness: a feed lives by whatever comes over it, not by changes of a book; numbers that are left out are missing messages."""

import numpy as np
import pytest

from twosided.data.recording import load
from twosided.errors import InputError
from twosided.market.event import BOOK_KINDS
from twosided.signals.liveness import (
    LATENCY,
    LIVENESS,
    QUOTE_AGE,
    feed_age_s,
    hear_message,
    is_alive,
    note_quote,
    quote_age_s,
    silent_share,
    update_latency,
)

SECOND, MS = 10**9, 10**6
interpreted = pytest.mark.interpreted


def test_a_real_book_is_silent_three_quarters_of_the_time_while_its_feed_is_alive(shared):
    recording = load(str(shared("data", "lobster", "LOBSTER_SampleFile_GOOG_2012-06-21_10.zip")))
    book = recording.events["local_ns"][np.isin(recording.events["kind"], list(BOOK_KINDS))]
    begin, end = int(book[0]), int(book[-1])
    assert silent_share(book, 200 * MS) == pytest.approx(0.74, abs=0.01)
    heartbeats = np.arange(begin, end, SECOND)  # the venue's protocol sends one in every second without a message
    messages = np.sort(np.concatenate([recording.events["local_ns"], heartbeats]))
    assert feed_age_s(messages, np.arange(begin, end, 50 * MS)).max() <= 1.0
    assert silent_share(messages, 3 * SECOND) == 0.0


@interpreted
def test_an_age_grows_until_something_comes():
    assert feed_age_s([SECOND, 3 * SECOND], [0, SECOND, 2 * SECOND, 3 * SECOND, 5 * SECOND]).tolist() == [0.0, 0.0, 1.0, 0.0, 2.0]
    assert silent_share([0, SECOND, 4 * SECOND], SECOND // 2) == (0.5 + 2.5) / 4


@interpreted
def test_numbers_that_jump_are_missing_messages_and_heartbeats_have_none():
    row = np.zeros(1, LIVENESS)[0]
    assert not is_alive(row, SECOND, SECOND)
    for ns, sequence in ((1, 7), (2, 8), (3, 0), (4, 11), (5, 10), (6, 12)):
        hear_message(row, ns * SECOND, sequence)
    assert (row.missed, row.repeated, row.sequence) == (2, 1, 12)
    assert is_alive(row, 7 * SECOND, SECOND)
    assert not is_alive(row, 7 * SECOND + 1, SECOND)


@interpreted
def test_latency_has_a_usual_and_a_worst():
    row = np.zeros(1, LATENCY)[0]
    for delay in (-2 * MS, 4 * MS, 1 * MS):
        update_latency(row, delay)
    assert (row.last_s, row.worst_s, row.count) == (0.001, 0.004, 3)
    assert row.usual_s == pytest.approx(0.001)


@interpreted
def test_a_quote_ages_at_its_price():
    row = np.zeros(1, QUOTE_AGE)[0]
    assert quote_age_s(row, SECOND) == 0.0
    note_quote(row, SECOND, 0, 99, 5)
    note_quote(row, 3 * SECOND, 1, 101, 5)
    note_quote(row, 4 * SECOND, 0, 99, 2)  # smaller: the same quote
    assert quote_age_s(row, 5 * SECOND) == 4.0
    note_quote(row, 5 * SECOND, 0, 98, 2)
    assert quote_age_s(row, 5 * SECOND) == 2.0
    note_quote(row, 6 * SECOND, 0, 0, 0)
    note_quote(row, 6 * SECOND, 1, 0, 0)
    assert quote_age_s(row, 9 * SECOND) == 0.0


@interpreted
def test_what_cannot_be_used_is_refused():
    with pytest.raises(InputError, match="at_ns runs backwards"):
        feed_age_s([1], [2, 1])
    with pytest.raises(InputError, match="at least two that differ"):
        silent_share([5, 5], 1)
