"""A whole calibration: what a recording says, and what it cannot say is left out with its reason."""

import numpy as np
import pytest

from twosided.data.recording import load
from twosided.engines.flow import generate_market
from twosided.errors import InputError
from twosided.market.event import Kind
from twosided.research.calibration import calibration
from twosided.research.calibration_plots import intensity_figure, signature_figure, write_calibration_plots


@pytest.fixture(scope="module")
def perpetual(shared):
    recording = load(shared("data", "binance", "usdm_btcusdt_20240808.gz"))
    return calibration(recording.events, recording.instruments[0])


def measured(found):
    return {row.name: row.measured for row in found.rows}


def test_a_recorded_perpetual_says_what_is_known_of_such_markets(perpetual):
    found = measured(perpetual)
    assert found["Lee-Ready is right"].low > found["tick rule is right"].high > 0.9
    for kind, other in (("buys", "sells"), ("sells", "buys")):  # flow answers to its own side, as split orders do
        assert found[f"alpha, {kind} after {kind}"].low > found[f"alpha, {kind} after {other}"].high
    assert found["Kyle's lambda"].low > 0
    assert found["OFI slope"].low > 0
    assert found["reversal of sides"].high < 0.5
    assert found["A, virtual orders"].high < found["A"].low  # a quote that is renewed every second is not where the mid is
    assert not perpetual.remarks


def test_pictures_show_what_was_fitted(perpetual, tmp_path):
    fit = intensity_figure(perpetual)
    assert [each.name for each in fit.data] == ["reaches", "fitted to reaches", "virtual orders", "fitted to virtual orders"]
    first = perpetual.estimate
    assert [at.rate.value for at in first.rates] == list(fit.data[0].y)
    np.testing.assert_allclose(fit.data[1].y, first.A.value * np.exp(-first.k.value * fit.data[1].x))
    assert first.rates[0].reached == first.reaches
    assert first.rates[0].rate.value == pytest.approx(
        fit.data[1].y[0], rel=0.02
    )  # at the nearest distance the fit is free to be right
    assert first.rates[-1].rate.low > 1.5 * fit.data[1].y[-1]  # far out it is not: real depths scatter more than an exponential's
    assert [trace.name for trace in signature_figure(perpetual).data] == ["mid", "trades"]
    page = write_calibration_plots(perpetual, "<perp>", str(tmp_path / "fit.html")).read_text()
    assert "&lt;perp&gt;" in page
    with pytest.raises(InputError, match=r"--plot is 'fit\.png'"):
        write_calibration_plots(perpetual, "perp", "fit.png")


def test_what_cannot_be_said_is_left_out_with_its_reason():
    events, instrument = generate_market(seed=3, seconds=90.0)
    found = calibration(events, instrument)
    assert any(remark.startswith("impact of flow: too little to regress on: 8") for remark in found.remarks)
    assert "OFI slope" not in measured(found)
    with pytest.raises(InputError, match="too few trades"):
        calibration(events[events["kind"] != Kind.TRADE], instrument)
