"""``twosided strategies`` says what can be chosen and set."""

import json

import pytest

from twosided.strategies.catalogue import OVERLAYS, PRESETS, STRATEGIES

OWN = """
from twosided import Param, quote_bid, strategy

@strategy(distance=Param(3, unit="ticks", minimum=0, integer=True, help="below the bid"))
def lowball(ctx):
    '''Bid below the bid.'''
    quote_bid(ctx, 0, 0, ctx.market[0].bid_ticks - ctx.params.distance, 1.0)
"""


def test_every_shipped_strategy_is_listed(command):
    out = command("strategies", "list").out
    assert all(name in out for name in (*STRATEGIES, *PRESETS, *OVERLAYS))
    listed = [(row["kind"], row["name"]) for row in json.loads(command("strategies", "list", "--json").out)]
    kinds = {"strategy": STRATEGIES, "preset": PRESETS, "overlay": OVERLAYS}
    assert listed == [(kind, name) for kind, parts in kinds.items() for name in parts]
    assert all(row["help"].endswith(".") for row in json.loads(command("strategies", "list", "--json").out))


def test_a_parameter_is_shown_with_unit_default_and_bounds(command):
    described = json.loads(command("strategies", "show", "glft", "--json").out)
    sigma = described["params"]["sigma"]
    assert sigma["default"] is None
    assert sigma["unit"] == "price/sqrt(s)"
    assert sigma["minimum"] > 0
    assert sigma["maximum"] is None
    out = command("strategies", "show", "glft").out
    assert "needed" in out
    assert "price/sqrt(s)" in out


def test_a_strategy_of_ones_own_is_shown(command, tmp_path):
    (tmp_path / "mine.py").write_text(OWN)
    described = json.loads(command("strategies", "show", f"{tmp_path / 'mine.py'}:lowball", "--json").out)
    assert described["help"] == "Bid below the bid."
    assert described["params"]["distance"]["integer"] is True


def test_an_unknown_strategy_is_answered_with_the_nearest(refused):
    assert refused("strategies", "show", "gltf") == "strategy 'gltf' is unknown; did you mean 'glft'?"


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_shipped_strategy_can_be_read(command, name):
    source = command("strategies", "show", name, "--source").out
    assert f"def {name}(ctx: Any) -> None:" in source
    assert "@quoter(" in source or "@strategy(" in source
    compile(source, name, "exec")


@pytest.mark.parametrize("name", OVERLAYS)
def test_an_overlay_is_shown_and_can_be_read(command, name):
    described = json.loads(command("strategies", "show", name, "--json").out)
    assert described["name"] == name
    assert all(param["unit"] or param["help"] for param in described["params"].values())
    assert f"def {name}(ctx: Any) -> None:" in command("strategies", "show", name, "--source").out


def test_a_strategy_with_overlays_is_shown_in_the_order_in_which_they_act(command):
    described = json.loads(command("strategies", "show", "fixed+one_sided+inventory_size", "--json").out)
    assert described["name"] == "fixed+one_sided+inventory_size"
    assert list(described["params"]) == [
        *STRATEGIES["fixed"].params,
        *OVERLAYS["one_sided"].declared.params,
        *OVERLAYS["inventory_size"].declared.params,
    ]
    assert [line.split(" ")[0] for line in described["help"].splitlines()] == ["Quote", "Take", "Multiply"]
    source = command("strategies", "show", "fixed+one_sided+inventory_size", "--source").out
    assert source.index("def fixed(") < source.index("def one_sided(")
