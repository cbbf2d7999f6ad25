"""Fills by side and by cause add up to the split, to the last quantum."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twosided.explain.fill_groups import CAUSES, SIDES, fill_groups
from twosided.explain.markouts import markouts
from twosided.explain.split import split
from twosided.market.order import FillCause


@given(seed=st.integers(0, 2**32), horizon_s=st.integers(0, 30))
def test_the_groups_of_each_kind_add_up_to_the_parts_of_the_split(runs, seed, horizon_s):
    run = runs.random(seed, instruments=(runs.BTC, runs.ES), span_s=40)
    for market, part in enumerate(split(run, horizon_s * 10**9)):
        own = run.fills.filter((run.fills["market"] == market) & (run.fills["hedge"] == 0))
        for kind in ("side", "cause"):
            groups = [group for group in fill_groups(run, market, horizon_s * 10**9) if group.kind == kind]
            assert sum(group.spread for group in groups) == part.spread
            assert sum(group.adverse for group in groups) == part.adverse
            assert sum(group.paid for group in groups) == (own["fee"] + own["tax"]).sum()
            assert sum(group.fills for group in groups) == own.height
            assert sum(group.lots for group in groups) == own["lots"].sum()


def test_each_fill_is_in_the_group_of_its_side_and_of_its_cause(runs):
    run = runs.quoter(1, seconds=300)
    groups = {group.name: group for group in fill_groups(run, 0)}
    assert groups["bought"].fills == run.fills.filter(run.fills["side"] == 1).height
    through = run.fills.filter(run.fills["cause"] == int(FillCause.TRADE_THROUGH)).height
    assert groups["trade through our price"].fills == through > 0
    assert "taken by us" not in groups  # nothing fell into it


def test_the_markouts_of_both_sides_make_up_those_of_all_fills(runs):
    run = runs.quoter(1, seconds=300)
    groups = {group.name: group for group in fill_groups(run, 0)}
    for whole, bought, sold in zip(markouts(run), groups["bought"].markouts, groups["sold"].markouts, strict=True):
        assert bought.fills + sold.fills == whole.fills
        assert bought.bps.mean * bought.fills + sold.bps.mean * sold.fills == pytest.approx(whole.bps.mean * whole.fills)


def test_every_side_and_cause_has_a_name():
    assert set(SIDES) == {1, -1}
    assert set(CAUSES) == set(FillCause)


def test_without_fills_there_are_no_groups(runs):
    assert fill_groups(runs.quoter(1, seconds=30, fill_chance=0), 0) == ()
