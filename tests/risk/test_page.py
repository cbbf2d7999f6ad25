"""The page of the risk controls says what the code says."""

import os
import re
from pathlib import Path

import pytest

from twosided.market.order import Reason
from twosided.risk.limits import Limits
from twosided.risk.page import limits_table, reasons_table

PAGE = Path(__file__).resolve().parents[2] / "docs" / "risk.md"


@pytest.mark.golden
@pytest.mark.parametrize(("name", "table"), [("limits", limits_table()), ("reasons", reasons_table())])
def test_the_tables_of_the_page_are_made_of_the_code(name, table):
    text = PAGE.read_text()
    pattern = rf"(<!-- {name}: made by `make golden` -->\n)(.*?)(<!-- end -->)"
    if os.environ.get("TWOSIDED_GOLDEN") == "write":
        PAGE.write_text(re.sub(pattern, lambda found: f"{found[1]}\n{table}\n\n{found[3]}", text, count=1, flags=re.DOTALL))
        return
    found = re.search(pattern, text, re.DOTALL)
    assert found is not None
    assert found[2].strip() == table


def test_every_control_of_an_order_has_a_limit_and_a_reason():
    of_limits = {Limits.about(name)["control"] for name in Limits.model_fields}
    of_reasons = {reason.control for reason in Reason if reason.control}
    always = {"C17", "C20"}  # orders without intent and the kill switch need no limit
    assert of_limits | always == of_reasons == {f"C{number}" for number in range(1, 21)}


def test_every_reason_of_a_control_says_which_limit_it_is_about():
    said = " ".join(reason.words for reason in Reason if reason.control)
    named = {name for name in Limits.model_fields if name.startswith("max_")}
    assert {name for name in named if name not in said} <= {"max_order_to_trade"}
