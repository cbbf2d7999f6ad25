"""The explanation of real runs: recorded books, two quoters, every engine rule on."""

import pytest

from twosided.data.recording import load
from twosided.engines.replay import replay
from twosided.explain.report import write_report
from twosided.explain.split import PARTS, split
from twosided.explain.statistics import statistics
from twosided.market.instrument import Fees
from twosided.strategies.catalogue import STRATEGIES


@pytest.fixture(scope="module")
def recorded(shared):
    recording = load(shared("data", "binance", "usdm_btcusdt_20240808.gz"))
    (instrument,) = recording.instruments
    charged = instrument.model_copy(update={"fees": Fees(maker_bps="0.2", taker_bps="0.5")})
    fixed = STRATEGIES["fixed"].with_params(unit="ticks", quantity=0.01)
    quoters = [fixed.with_params(half_spread=half) for half in (1, 40)]
    return replay(recording.events, quoters, instruments=[charged])


def test_the_parts_add_up_on_recorded_data(recorded):
    for run in recorded:
        (result,) = split(run)
        assert run.fills.height > 100
        assert sum(getattr(result, name) for name in PARTS) == result.total
        assert result.fees == -run.fills["fee"].sum() < 0


def test_statistics_of_a_recorded_run_agree_with_each_other(recorded):
    for run in recorded:
        result = statistics(run)
        (account,), (market,) = result["accounts"], result["markets"]
        assert account["realised_fifo"] + account["unrealised_fifo"] - account["fees_paid"] == pytest.approx(account["pnl"])
        assert account["sharpe"] is None  # 345 seconds are no sample of minutes
        assert 0 < market["share_of_volume"] < 0.05
        assert market["two_sided_share"] > 0.5
        assert all(one["bps"]["mean"] < 0 for one in market["markouts"])  # nobody is filled for free


def test_a_wider_quote_captures_more_of_the_spread_with_fewer_fills(recorded):
    near, far = ({**statistics(run)["accounts"][0]} for run in recorded)
    assert far["spread_capture_bps"] > near["spread_capture_bps"] > 0
    assert far["fills"] < near["fills"]


def test_a_report_of_recorded_runs_is_written(recorded, tmp_path):
    page = write_report(recorded, tmp_path / "report.html").read_text()
    assert "fixed half_spread=1 lost" in page
    assert all(run.digest() in page for run in recorded)
