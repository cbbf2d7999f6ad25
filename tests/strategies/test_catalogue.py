"""Strategies by name, shipped or the user's own."""

import sys

import pytest

from twosided.errors import InputError
from twosided.strategies.catalogue import STRATEGIES, find_part, find_strategy

OWN = """
from twosided.strategies.contract import strategy, quote_bid

@strategy(distance=3.0, quantity=1.0)
def mine(ctx):
    quote_bid(ctx, 0, 0, ctx.market[0].bid_ticks - ctx.params.distance, ctx.params.quantity)
"""


@pytest.fixture
def own_file(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))

    def write(text, name="own.py"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def test_the_shipped_strategies():
    assert list(STRATEGIES) == [
        "fixed",
        "skewed_price",
        "skewed_size",
        "grid",
        "avellaneda_stoikov",
        "glft",
        "cartea_jaimungal",
        "multi_venue",
    ]
    for name, strategy in STRATEGIES.items():
        assert strategy.name == name
        assert find_strategy(name) is strategy
        assert all(param.help or param.unit for param in strategy.params.values())


@pytest.mark.parametrize(
    ("name", "meant"), [("gltf", "glft"), ("skew_price", "skewed_price"), ("avellaneda", "avellaneda_stoikov")]
)
def test_an_unknown_name_is_answered_with_the_nearest(name, meant):
    with pytest.raises(InputError, match=f"strategy '{name}' is unknown; did you mean '{meant}'"):
        find_strategy(name)


def test_a_name_like_none_is_answered_with_all():
    with pytest.raises(
        InputError,
        match=r"known: avellaneda_stoikov, cartea_jaimungal, fixed, .*glft, grid, multi_venue, notebook, production, skewed_price",
    ):
        find_strategy("xyz:q")


def test_a_user_s_file(own_file, decide):
    mine = find_strategy(f"{own_file(OWN)}:mine")
    assert decide(mine, {"distance": 4.0}, bid=1000, ask=1001).bids == [(996, 1)]


def test_a_user_s_file_imports_what_stands_beside_it(own_file):
    own_file("DISTANCE = 8.0", "beside_own_file.py")
    path = own_file(OWN.replace("distance=3.0", "distance=DISTANCE") + "\n", "own.py")
    path.write_text("from beside_own_file import DISTANCE\n" + path.read_text())
    assert find_strategy(f"{path}:mine").params["distance"].default == 8.0


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        (OWN, ":mien", "holds no strategy 'mien'; did you mean 'mine'"),
        (OWN, "", r"does not say which one; allowed: .*own.py:mine"),
        ("x = 1", ":x", "holds no strategy; one is a function under @strategy"),
        ("x = (", ":x", r"own.py, line 1: SyntaxError: '\(' was never closed$"),
        ("\n1 / 0", ":x", r"own.py, line 2: ZeroDivisionError: division by zero"),
        ("import nothing_of_the_kind", ":x", r"line 1: ModuleNotFoundError"),
        (OWN.replace("distance=3.0", "count=3, size=3.0"), ":mine", r"own.py: strategy mine declares 'size'"),
    ],
)
def test_what_is_wrong_with_a_user_s_file_is_said_in_one_sentence(own_file, text, name, said):
    with pytest.raises(InputError, match=said):
        find_strategy(f"{own_file(text)}{name}")


def test_a_missing_file():
    with pytest.raises(InputError, match=r"nowhere/own.py: no such file"):
        find_strategy("nowhere/own.py:mine")


OVERLAY = """
from twosided import Param, overlay, quoter, make_plan

@quoter(distance=Param(3.0, unit="ticks", minimum=0))
def steady(ctx):
    market, params = ctx.market[0], ctx.params
    mid = 0.5 * (market.bid_ticks + market.ask_ticks)
    make_plan(ctx.memory.plan, mid, params.distance, params.distance, params.quantity, params.quantity)

@overlay(calm_width=2.0)
def calm(ctx):
    ctx.memory.plan.half_bid *= ctx.params.calm_width
    ctx.memory.plan.half_ask *= ctx.params.calm_width
"""


def test_overlays_follow_a_strategy_by_name_in_the_order_in_which_they_act():
    found = find_strategy("glft+one_sided+inventory_size")
    assert found.name == "glft+one_sided+inventory_size"
    assert [stage.__name__ for stage in found.stages] == ["glft", "one_sided", "inventory_size", "place_plan"]


@pytest.mark.parametrize(
    ("name", "bid"),
    [
        ("{file}:steady", 997),
        ("{file}:steady+calm", 994),
        ("{file}:steady+calm+alpha_shift", 994),
        ("{file}:steady+{file}:calm", 994),
    ],
)
def test_a_quoter_and_an_overlay_of_one_s_own(own_file, decide, name, bid):
    found = find_strategy(name.format(file=own_file(OVERLAY)))
    assert decide(found, bid=1000, ask=1001).bid == bid


def test_an_overlay_of_one_s_own_on_a_shipped_strategy(own_file, decide):
    found = find_strategy(f"fixed+{own_file(OVERLAY)}:calm")
    assert decide(found, {"half_spread": 3, "unit": "ticks"}, bid=999, ask=1001).bid == 994


def test_a_folder_may_have_a_plus_in_its_name(tmp_path, decide, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "a+b").mkdir()
    (tmp_path / "a+b" / "own.py").write_text(OVERLAY)
    assert decide(find_strategy(f"{tmp_path}/a+b/own.py:steady+calm"), bid=1000, ask=1001).bid == 994


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("glft+volatility", "overlay 'volatility' is unknown; did you mean 'volatility_width'"),
        ("gltf+one_sided", "strategy 'gltf' is unknown; did you mean 'glft'"),
        ("one_sided", r"strategy 'one_sided' is unknown; one_sided is an overlay, which follows a strategy: glft\+one_sided"),
        ("glft+", "overlay '' is unknown"),
        (
            "{file}:mine+one_sided",
            "strategy mine writes its quotes itself, and an overlay modifies a plan; declare it with @quoter",
        ),
        ("{file}:mine+{file}:calm", "holds no overlay; one is a function under @overlay"),
        (
            "fixed+one_sided+one_sided",
            r"^the overlay one_sided stands twice in fixed\+one_sided\+one_sided: fixed\+one_sided has it already$",
        ),
        ("glft+fill_rate+one_sided+fill_rate", "the overlay fill_rate stands twice in"),
        ("production+one_sided", r"^the overlay one_sided stands twice in production\+one_sided: production has it already$"),
        ("production+glft", "^glft is a strategy, not an overlay; "),
    ],
)
def test_what_does_not_go_together_is_said(own_file, name, said):
    with pytest.raises(InputError, match=said):
        find_strategy(name.format(file=own_file(OWN)))


def test_an_overlay_of_one_s_own_is_no_strategy_but_can_be_shown(own_file):
    name = f"{own_file(OVERLAY)}:calm"
    with pytest.raises(InputError) as caught:
        find_strategy(name)
    assert str(caught.value) == f"strategy '{name}' is unknown; {name} is an overlay, which follows a strategy: glft+{name}"
    assert list(find_part(name).params) == ["calm_width"]
    assert list(find_part("one_sided").params) == ["one_sided_at"]
    assert find_part(f"{name.removesuffix(':calm')}:steady").name == "steady"
