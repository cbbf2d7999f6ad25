"""``--set`` goes to every strategy that declares the parameter, and says so where a preset had another value."""

from twosided.app.assignments import assigned, replaced
from twosided.strategies.catalogue import find_strategy


def test_an_assignment_goes_to_every_strategy_that_declares_it():
    fixed, glft = assigned([find_strategy("fixed"), find_strategy("glft")], ["quantity=3", "gamma=0.5"])
    assert fixed.values == {"quantity": 3}
    assert glft.values == {"quantity": 3, "gamma": 0.5}


def test_a_preset_whose_own_value_is_replaced_is_named():
    named = [find_strategy("glft"), find_strategy("production")]
    ready = assigned(named, ["quantity=10", "gamma=0.5"])
    own = named[1].values["quantity"]
    assert own != 10
    assert replaced(named, ready) == [f"--set changes production from quantity={own} to quantity=10"]
    assert replaced(named, assigned(named, [f"quantity={own}"])) == []
