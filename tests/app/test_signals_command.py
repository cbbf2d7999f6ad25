"""``twosided signals`` prints what the study found, as a table or as JSON."""

import json

from twosided.data.recording import load
from twosided.research.signal_study import signal_study
from twosided.signals.by_name import SIGNALS

SECOND = 10**9


def test_the_table_has_a_row_for_each_signal_and_json_is_the_study(command, session):
    answer = command("signals", session, "--horizons", "1s,2s")
    shown = [name for name in SIGNALS if not name.startswith("band_")]  # this market has no price limits
    assert all(name in answer.out for name in (*shown, "microprice (Stoikov)", "next 2 s"))
    found = json.loads(command("signals", session, "--horizons", "1s,2s", "--json").out)
    assert "band_" not in answer.out
    study = signal_study(load(str(session)).events, [SECOND, 2 * SECOND])
    assert found["forecasts"] == json.loads(json.dumps(study.facts()["forecasts"]))
    assert len(found["forecasts"]) == 2 * (len(shown) + 2)


def test_a_horizon_that_cannot_be_is_refused_in_one_line(refused, session):
    assert "--horizons is 'soon'" in refused("signals", session, "--horizons", "1s,soon")
    assert "a horizon is 1 h, but the recording lasts 1.998 min; allowed: less" in refused("signals", session, "--horizons", "1h")
