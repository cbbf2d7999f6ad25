"""The rules of Binance for what follows what, as a table, and against a venue that forgets nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twosided.data.sequence import BookSequence, Change, Verdict

APPLY, GAP, STALE, COVERED, WAIT = Verdict.APPLY, Verdict.GAP, Verdict.STALE, Verdict.COVERED, Verdict.WAIT


def run(steps, *, wait=True):
    """Return the verdict on each change and what each snapshot hands back; a snapshot is a number, a change (U, u[, pu])."""
    book, results = BookSequence(wait=wait), []
    for step in steps:
        if isinstance(step, int):
            again = book.snapshot(step)
            if again is None:
                results.append(None)
            else:
                results.append([(change.first_id, book.change(change)) for change in again])
        else:
            results.append(book.change(Change(step[0], step[1], step[2] if len(step) > 2 else None)))
    return results


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        # spot: drop u <= lastUpdateId, then U <= lastUpdateId + 1 <= u, then U = u + 1
        ([(1, 5), (6, 9), 7, (10, 11)], [WAIT, WAIT, [(6, APPLY)], APPLY]),
        ([(1, 5), 5, (6, 6)], [WAIT, [], APPLY]),
        ([5, (3, 5), (6, 7)], [[], COVERED, APPLY]),
        ([5, (7, 8)], [[], GAP]),
        ([5, (6, 8), (10, 12), (13, 14)], [[], APPLY, GAP, APPLY]),
        ([5, (6, 8), (6, 8), (9, 9)], [[], APPLY, STALE, APPLY]),
        # futures: drop u < lastUpdateId, then U <= lastUpdateId <= u, then pu = u; ids have holes
        ([(10, 15, 8), (20, 29, 15), 22, (40, 41, 29)], [WAIT, WAIT, [(20, APPLY)], APPLY]),
        ([22, (20, 29, 15), (40, 41, 29)], [[], APPLY, APPLY]),
        ([22, (25, 29, 22)], [[], APPLY]),
        ([22, (25, 29, 24)], [[], GAP]),
        ([22, (20, 29, 15), (40, 41, 35)], [[], APPLY, GAP]),
        # a snapshot heals a gap, with the changes since; one that is older than the loss does not
        ([5, (6, 8), (10, 12), (13, 14), 12, (15, 15)], [[], APPLY, GAP, APPLY, [(13, APPLY)], APPLY]),
        ([5, (6, 8), (10, 12), 8, (13, 13)], [[], APPLY, GAP, None, APPLY]),
        ([5, (6, 8), (10, 12), 20, (13, 20), (21, 22)], [[], APPLY, GAP, [], COVERED, APPLY]),
        # a second snapshot of a whole book is not needed; a newer one is taken
        ([5, (6, 8), 7, (9, 9)], [[], APPLY, None, APPLY]),
        ([5, (6, 8), 11, (9, 11), (12, 12)], [[], APPLY, [], COVERED, APPLY]),
    ],
)
def test_the_rules(steps, expected):
    assert run(steps) == expected


def test_without_a_snapshot_changes_are_applied_as_they_come():
    assert run([(5, 6), (7, 9), (11, 12)], wait=False) == [APPLY, APPLY, GAP]


@given(
    st.lists(st.integers(1, 4), min_size=3, max_size=30),
    st.booleans(),
    st.integers(0, 29),
    st.sets(st.integers(0, 29), max_size=2),
    st.integers(0, 4),
)
def test_a_book_is_whole_unless_something_was_lost_after_its_snapshot(lengths, futures, at, lost, delay):
    """A venue sends changes 0, 1, ...; each adds its number to the book. Some are lost, one snapshot arrives late."""
    at = min(at, len(lengths) - 1)
    lost = {i for i in lost if i < len(lengths) - 1}  # what is lost at the end leaves no trace
    ends = [10 * sum(lengths[: i + 1]) if futures else sum(lengths[: i + 1]) for i in range(len(lengths))]
    firsts = [end - 3 if futures else (ends[i - 1] + 1 if i else 1) for i, end in enumerate(ends)]
    sequence, book, gaps = BookSequence(wait=True), set(), 0

    def give(change):
        nonlocal gaps
        verdict = sequence.change(change)
        gaps += verdict is GAP
        if verdict in {APPLY, GAP}:
            book.add(change.what)

    for i in range(len(ends)):
        if i not in lost:
            give(Change(firsts[i], ends[i], (ends[i - 1] if i else 0) if futures else None, i))
        if i == min(at + delay, len(ends) - 1):
            again = sequence.snapshot(ends[at])
            book = set(range(at + 1))
            for change in again:
                give(change)
    missing = any(i > at for i in lost)
    assert (book == set(range(len(ends)))) == (not missing)
    assert (gaps > 0) == missing
