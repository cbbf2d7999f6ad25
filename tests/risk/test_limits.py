"""Limits are off until stated, contradictions are refused in one sentence, and what is written is what is read."""

import pytest

from twosided.errors import DataError, InputError
from twosided.risk.limits import Limits, read_limits


def test_everything_is_off_until_it_is_stated():
    assert Limits().stated() == {}
    assert str(Limits()) == "none"
    assert str(Limits(max_position="10.0", max_open_orders=3)) == "max_position=10.0, max_open_orders=3"


def test_a_file_and_a_mapping_say_the_same(tmp_path):
    path = tmp_path / "limits.yaml"
    path.write_text("max_position: 10.5\nmax_inventory_age: 15min\nday_starts: '14:30'\ninstruments: [A, B]\n")
    limits = read_limits(path)
    assert limits == read_limits(
        {"max_position": "10.5", "max_inventory_age": 900 * 10**9, "day_starts": "14:30", "instruments": ["A", "B"]}
    )
    assert read_limits(limits.stated()) == limits
    assert limits.day_offset_ns == (14 * 60 + 30) * 60 * 10**9


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"max_positon": 3}, "limit 'max_positon' is unknown; did you mean 'max_position'?"),
        ({"max_position": -3}, "max_position is -3; allowed: greater than 0"),
        ({"max_position": float("nan")}, "value is nan; allowed: a finite number"),
        ({"max_open_orders": 0}, "max_open_orders is 0; allowed: greater than or equal to 1"),
        ({"max_leverage": 3}, "max_leverage is 3 without capital; state capital, which it is measured on"),
        ({"inventory_age_halt": 3}, "inventory_age_halt is given without max_inventory_age, of which it counts the times"),
        ({"min_order_value": 5, "max_order_value": 4}, "min_order_value is 5; allowed: at most max_order_value (4)"),
        (
            {"message_budget_per_second": 2, "cancel_reserve": 0.9},
            "cancel_reserve is 0.9, which leaves no order of a budget of 2 messages",
        ),
        ({"day_starts": 870}, "day_starts is 870; allowed: a time of day, UTC, in quotes, as '14:30'"),
        ({"max_book_age": "5 fortnights"}, "duration is '5 fortnights'; allowed: a number and one of ns, us"),
        ({"max_fills_per_side": 65}, "max_fills_per_side is 65; allowed: less than or equal to 64"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_sentence(values, message):
    with pytest.raises(InputError) as caught:
        read_limits(values)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [("- max_position", "not a YAML mapping; expected limits such as max_position: 100"), ("a: [", "not YAML: ")],
)
def test_a_file_that_is_none_of_limits_is_named(tmp_path, text, message):
    path = tmp_path / "limits.yaml"
    path.write_text(text)
    with pytest.raises(DataError) as caught:
        read_limits(path)
    assert str(caught.value).startswith(f"{path}: {message}")
    with pytest.raises(DataError, match="cannot be read"):
        read_limits(tmp_path / "none.yaml")


def test_a_bad_limit_in_a_file_is_reported_with_its_file(tmp_path):
    path = tmp_path / "limits.yaml"
    path.write_text("max_position: ten\n")
    with pytest.raises(InputError) as caught:
        read_limits(path)
    assert str(caught.value).startswith(f"{path}: ")


@pytest.mark.parametrize(("budget", "reserve", "orders"), [(10, 0.2, 8), (10, 0.25, 7), (2, 0.2, 1), (1024, 0, 1024)])
def test_the_reserve_for_cancels_is_rounded_up(budget, reserve, orders):
    assert Limits(message_budget_per_second=budget, cancel_reserve=reserve).orders_per_second == orders
