"""A coin-margined contract from the first fill to the split, with funding paid while long and received while short: by hand."""

from decimal import Decimal
from fractions import Fraction

import pytest
from scene import Scene, fills, play

from twosided.explain.reporting import Reporting, reported
from twosided.explain.split import PARTS, split
from twosided.market.instrument import Fees, Instrument

# a contract is 100 USD, paid in BTC; a tick is 100 USD, so that 100 ticks are 10,000 USD
COIN = Instrument(
    symbol="BTCUSD_PERP", tick_size="100", lot_size="1", multiplier="100", currency="BTC", inverse=True, fees=Fees(maker_bps="2")
)
RATE = 100_000  # 1e-4 of value, in 1e-9
SCRIPT = {2: [(1, 0, 100, 4)], 25: [(-1, 0, 112, 7)], 45: []}


@pytest.fixture(scope="module")
def run():
    """Buy 4 at 10,000; pay funding at a mid of 10,100; the market rises; sell 7 at 11,200; receive funding at 11,100."""
    scene = Scene(bid=100, ask=102, lots=1).trade(10, -1, 100, 5).funding(15, RATE)
    scene.depth(20, 1, 100, 0, half=True).depth(20, -1, 102, 0, half=True).depth(20, 1, 110, 1, half=True).depth(20, -1, 112, 1)
    scene.trade(40, 1, 112, 8).funding(50, RATE).quiet(60)
    return play(scene, SCRIPT, instrument=COIN, equity_every="1ms")  # so that funding is dated


def quanta(bitcoin):
    """Return an amount in whole quanta, half away from zero."""
    exact = bitcoin / Fraction(COIN.money_quantum)
    whole = int(abs(exact) + Fraction(1, 2))
    return whole if exact >= 0 else -whole


def worth(contracts, price):
    """Return what contracts are worth, in quanta: each rounded once."""
    return contracts * quanta(Fraction(100, price))


PAID, RECEIVED = quanta(Fraction(400, 10_100) / 10_000), quanta(Fraction(300, 11_100) / 10_000)


def test_what_is_filled(run):
    assert fills(run) == [(10, 1, 100, 4), (40, -1, 112, 7)]
    assert run.fills["fee"].to_list() == [quanta(Fraction(400, 10_000) * 2 / 10_000), quanta(Fraction(700, 11_200) * 2 / 10_000)]


def test_a_long_position_pays_funding_on_its_value_in_coin_and_a_short_one_receives_it(run):
    closing = run.facts["closing"][0]
    assert closing["funding"] == PAID - RECEIVED
    # bought, a contract costs nothing but owes 100 / price in coin: as a linear one at the price -100 / price
    fees = int(run.fills["fee"].sum())
    assert closing["cash"] == worth(4, 10_000) - worth(7, 11_200) - fees - PAID + RECEIVED
    assert closing["position_lots"] == -3


def test_the_split_and_its_value_in_dollars(run):
    (part,) = split(run)
    fees = int(run.fills["fee"].sum())
    # the venue's own formula: 4 contracts from 10,000 to 11,200, and 3 sold there that now cost 11,100
    gained = 4 * 100 * (Fraction(1, 10_000) - Fraction(1, 11_200)) + 3 * 100 * (Fraction(1, 11_100) - Fraction(1, 11_200))
    assert part.total == pytest.approx(int(gained / Fraction(COIN.money_quantum)) - fees - PAID + RECEIVED, abs=20)
    assert sum(part.parts().values()) == part.total
    assert part.fees == -fees - PAID + RECEIVED
    assert part.spread == worth(4, 10_000) - worth(4, 10_100) + worth(7, 11_100) - worth(7, 11_200)
    assert part.adverse == worth(4, 10_100) - worth(4, 11_100)  # the mid moved within the horizon, before the end
    assert part.inventory == part.hedge == part.alpha == 0
    dollars = reported(run, Reporting("USD", {"BTC": "market:0"}))
    assert sum(dollars.amounts[name] for name in (*PARTS, "currency")) == dollars.amounts["total"]
    assert dollars.money("total") == part.money("total") * 11_100
    earned_at_10_100 = worth(4, 10_000) - worth(4, 10_100) - int(run.fills["fee"][0]) - PAID
    assert dollars.money("currency") == earned_at_10_100 * COIN.money_quantum * Decimal(1_000)
