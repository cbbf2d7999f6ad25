"""`avellaneda_stoikov`: the model's numbers, in money, at the time that is left."""

import math

import numpy as np
import pytest

from twosided.models.avellaneda_stoikov import distances
from twosided.strategies.avellaneda_stoikov import avellaneda_stoikov

pytestmark = pytest.mark.interpreted

PARAMS = {"gamma": 0.1, "sigma": 2.0, "k": 1.5, "horizon_s": 10.0, "quantity": 2, "max_position": 40}


@pytest.mark.parametrize("elapsed_s", [0.0, 2.5, 9.0])
@pytest.mark.parametrize("position", [0, 6, -3])
def test_quotes_are_the_model_s(decide, position, elapsed_s):
    quotes = decide(avellaneda_stoikov, PARAMS, bid=98_000, ask=102_000, position=position, elapsed_s=elapsed_s)
    bid, ask = distances(np.array(position / 2), gamma=0.1, sigma=2.0, k=1.5, remaining_s=10.0 - elapsed_s)
    assert quotes.bid == math.floor(100_000 - bid / 0.01)
    assert quotes.ask == math.ceil(100_000 + ask / 0.01)


def test_a_new_horizon_begins_when_one_ends(decide):
    def at(elapsed_s):
        return decide(avellaneda_stoikov, PARAMS, bid=98_000, ask=102_000, position=6, elapsed_s=elapsed_s)

    assert at(10.0) == at(0.0) == at(30.0)
    assert at(13.0) == at(3.0)
    assert at(9.999).ask > at(10.0).ask  # little inventory risk is left just before the horizon
