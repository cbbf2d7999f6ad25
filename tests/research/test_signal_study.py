"""What signals foretell: found where it was put, with intervals that hold noise, and only on what was not fitted."""

import numpy as np
import pytest

from twosided.errors import InputError
from twosided.market.event import EVENT, Flag, Kind
from twosided.research.signal_study import signal_study

MS = 1_000_000
T0 = 1_700_000_000_000_000_000


def led_by_sizes(seconds, seed, honest_until=1.0):
    """Return a market whose mid moves, every 200 ms, to where the heavier side pushes it; after a while, to the other."""
    random = np.random.default_rng(seed)
    rows, bid = [], 1000
    for i in range(5 * seconds):
        ns = T0 + 200 * MS * i
        heavy = 1 if random.random() < 0.5 else -1
        sizes = {heavy: 90, -heavy: 10}
        levels = [(1, bid, sizes[1]), (-1, bid + 1, sizes[-1])]
        rows += [(ns, ns, 0, lots, ticks, Kind.DEPTH, 0, side, 0) for side, ticks, lots in levels]
        rows[-1] = (*rows[-1][:6], Flag.LAST_OF_MESSAGE, *rows[-1][7:])
        follows = heavy if i < honest_until * 5 * seconds else -heavy
        moved = bid + (follows if random.random() < 0.7 else -follows)
        gone = [(1, bid, 0), (-1, bid + 1, 0)]
        rows += [(ns + 100 * MS, ns + 100 * MS, 0, 0, ticks, Kind.DEPTH, 0, side, 0) for side, ticks, _ in gone]
        bid = moved
        rows += [(ns + 100 * MS, ns + 100 * MS, 0, 50, ticks, Kind.DEPTH, 0, side, 0) for side, ticks in ((1, bid), (-1, bid + 1))]
        rows[-1] = (*rows[-1][:6], Flag.LAST_OF_MESSAGE, *rows[-1][7:])
    return np.array(rows, EVENT)


def test_a_signal_that_leads_is_found_and_its_sign_is_that_of_the_second_half():
    found = {each.signal: each for each in signal_study(led_by_sizes(400, 1), [200 * MS]).forecasts}
    assert found["imbalance"].significant
    assert found["imbalance"].correlation.value > 0.15
    assert found["microprice (Stoikov)"].correlation.value == pytest.approx(found["imbalance"].correlation.value, abs=0.1)
    turned = {each.signal: each for each in signal_study(led_by_sizes(400, 1, honest_until=0.5), [200 * MS]).forecasts}
    assert turned["imbalance"].first_half > 0.15
    assert turned["imbalance"].correlation.high < 0
    assert turned["all directed, by regression"].correlation.high < 0  # what was learnt misleads, and it is said


def test_what_never_moves_has_no_correlation():
    found = {each.signal: each for each in signal_study(led_by_sizes(100, 2), [1000 * MS]).forecasts}
    assert found["trade_imbalance"].correlation is None
    assert not found["trade_imbalance"].significant
    assert found["ofi"].of == "move"
    assert found["short_volatility"].of == "size of move"


def test_horizons_and_recordings_that_cannot_be_used_are_refused():
    with pytest.raises(InputError, match="allowed: multiples"):
        signal_study(led_by_sizes(10, 1), [150 * MS])
    with pytest.raises(InputError, match="needed: 400"):
        signal_study(led_by_sizes(10, 1), [1000 * MS])
    with pytest.raises(
        InputError, match=r"^a horizon is 1 h, but the recording lasts \d+(\.\d+)? s; allowed: less than .* second half$"
    ):
        signal_study(led_by_sizes(60, 1), [1000 * MS, 3_600_000 * MS])


def test_price_limits_are_of_the_study_where_there_are_some():
    events = led_by_sizes(60, 2)
    assert not [each for each in signal_study(events, [1000 * MS]).forecasts if each.signal.startswith("band_")]
    limit = np.array([(T0, T0, 0, 1, 2000, Kind.BAND, Flag.LAST_OF_MESSAGE, 1, 0)], EVENT)
    limited = signal_study(np.concatenate([limit, events]), [1000 * MS])
    assert [each.signal for each in limited.forecasts if each.signal.startswith("band_")] == ["band_low_ticks", "band_high_ticks"]
