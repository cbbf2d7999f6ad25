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
    path.write_text("max_position: 10.5\nmax_inventory_age: 15min\nmax_daily_loss: 7\nday_starts: '14:30'\ninstruments: [A, B]\n")
    limits = read_limits(path)
    assert limits == read_limits(
        {
            "max_position": "10.5",
            "max_inventory_age": 900 * 10**9,
            "max_daily_loss": 7,
            "day_starts": "14:30",
            "instruments": ["A", "B"],
        }
    )
    assert read_limits(limits.stated()) == limits
    assert limits.day_offset_ns == (14 * 60 + 30) * 60 * 10**9


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"max_positon": 3}, "limit 'max_positon' is unknown; did you mean 'max_position'?"),
        ({"max_position": -3}, "max_position is -3; allowed: greater than 0"),
        ({"max_position": float("nan")}, "max_position is nan; allowed: a finite number"),
        ({"max_open_orders": 0}, "max_open_orders is 0; allowed: greater than or equal to 1"),
        ({"max_leverage": 3}, "max_leverage is 3 without capital; state capital, which it is measured on"),
        ({"capital": 3}, "capital says nothing without max_leverage; "),
        ({"inventory_age_halt": 3}, "inventory_age_halt is given without max_inventory_age, of which it counts the times"),
        ({"min_order_value": 5, "max_order_value": 4}, "min_order_value is 5; allowed: at most max_order_value (4)"),
        (
            {"message_budget_per_second": 2, "cancel_reserve": 0.9},
            "cancel_reserve is 0.9, which leaves no order of a budget of 2 messages",
        ),
        ({"day_starts": 870}, "day_starts is 870; allowed: a time of day, UTC, in quotes, as '14:30'"),
        ({"max_book_age": "5 fortnights"}, "max_book_age is '5 fortnights'; allowed: a number and one of ns, us"),
        ({"message_budget_per_second": "10s"}, "message_budget_per_second is '10s'; allowed: a whole number"),
        ({"max_open_orders": 2.5}, "max_open_orders is 2.5; allowed: a whole number"),
        ({"limits": {"max_position": 3}}, "leave out the heading limits: and state"),
        ({"max_fills_per_side": 65}, "max_fills_per_side is 65; allowed: less than or equal to 64"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_sentence(values, message):
    with pytest.raises(InputError) as caught:
        read_limits(values)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("alone", "value", "of"),
    [
        ("max_reference_age", "1s", ["price_collar_bps"]),
        ("reduce_only_from", 0.75, ["max_daily_loss", "max_drawdown"]),
        ("day_starts", "14:30", ["max_daily_loss", "max_order_to_trade"]),
        ("cancel_reserve", 0.5, ["message_budget_per_second"]),
        ("fills_within", "3s", ["max_fills_per_side"]),
        ("order_to_trade_free", 5, ["max_order_to_trade"]),
    ],
)
def test_what_belongs_to_another_limit_is_refused_alone(alone, value, of):
    with pytest.raises(InputError) as caught:
        read_limits({alone: value, "max_position": 3})
    assert str(caught.value).startswith(f"{alone} says nothing without {' or '.join(of)}; ")
    for each in of:
        limits = read_limits({alone: value, each: 5})
        assert Limits.model_validate(limits.model_dump()) == limits
    assert Limits.model_validate(Limits().model_dump()) == Limits()


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
    with pytest.raises(DataError, match=r"none\.yaml: no such file"):
        read_limits(tmp_path / "none.yaml")


def test_a_limit_that_stands_twice_is_refused_with_its_line(tmp_path):
    path = tmp_path / "limits.yaml"
    path.write_text("max_position: 10\n\nmax_position: 1000\n")
    with pytest.raises(DataError) as caught:
        read_limits(path)
    assert str(caught.value) == f"{path}, line 3: max_position stands here a second time"


@pytest.mark.parametrize("content", [b"PAR1\x15\x04\xff\xfe", b"PAR1\x00\x01"])
def test_a_file_that_is_not_text_is_refused_without_a_library_s_words(tmp_path, content):
    path = tmp_path / "limits.parquet"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_limits(path)
    assert str(caught.value) == f"{path}: not text; expected a YAML file of limits, such as max_position: 100"


def test_a_bad_limit_in_a_file_is_reported_with_its_file(tmp_path):
    path = tmp_path / "limits.yaml"
    path.write_text("max_position: ten\n")
    with pytest.raises(InputError) as caught:
        read_limits(path)
    assert str(caught.value).startswith(f"{path}: ")


@pytest.mark.parametrize(("budget", "reserve", "orders"), [(10, 0.2, 8), (10, 0.25, 7), (2, 0.2, 1), (1024, 0, 1024)])
def test_the_reserve_for_cancels_is_rounded_up(budget, reserve, orders):
    assert Limits(message_budget_per_second=budget, cancel_reserve=reserve).orders_per_second == orders
