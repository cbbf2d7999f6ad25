"""A configuration that cannot be used is answered with the line or the option, what stands there, and what is allowed."""

from decimal import Decimal
from pathlib import Path

import pytest

from twosided.app.config import Draft, ReplayConfig
from twosided.errors import DataError, InputError

EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "examples" / "run.yaml"
GOOD = """\
data:
  files: session.parquet
strategies:
  - name: fixed
    params: {half_spread: 2}
settings:
  entry_latency: 2ms
  queue: power:2
"""


@pytest.fixture
def read(tmp_path):
    def checked(text: str) -> ReplayConfig:
        path = tmp_path / "run.yaml"
        path.write_text(text)
        return Draft.read(path).checked()

    return checked


def test_short_forms_are_read(read):
    config = read(GOOD + "calibrate_first: 10m\ncapital: 0.1\n")
    assert config.data.files == ("session.parquet",)
    assert config.settings.entry_latency.ns == 2_000_000
    assert str(config.settings.queue) == "power:2"
    assert config.calibrate_first == 600 * 10**9
    assert config.capital == Decimal("0.1")
    assert config.strategies[0].params == {"half_spread": 2}


def test_the_example_in_the_docs_is_a_valid_configuration():
    assert [each.name for each in Draft.read(EXAMPLE).checked().strategies] == ["fixed", "glft"]


@pytest.mark.parametrize(
    ("line", "broken", "said"),
    [
        (
            "  queue: power:2",
            "  queue: fifo",
            r"line 8: settings\.queue is 'fifo'; allowed: 'conservative', 'power', 'power:2', 'log', 'optimistic'",
        ),
        (
            "  entry_latency: 2ms",
            "  entry_latency: 2 parsec",
            r"line 7: settings\.entry_latency is '2 parsec'; allowed: a number and one of",
        ),
        (
            "  entry_latency: 2ms",
            "  entry_latancy: 2ms",
            r"line 7: settings\.entry_latancy is unknown; did you mean 'entry_latency'\?",
        ),
        ("settings:", "setings:", r"line 6: setings is unknown; did you mean 'settings'\?"),
        ("  - name: fixed", "  - nme: fixed", r"line 4: strategies\.0\.name is missing.*more"),
        ("    params: {half_spread: 2}", "    params: 7", r"line 5: strategies\.0\.params is 7; allowed: "),
        ("  files: session.parquet", "  files: []", r"line 2: data\.files is \[\]; allowed: "),
        ("  files: session.parquet", "  file: session.parquet", r"line 1: data\.files is missing"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_line(read, line, broken, said):
    with pytest.raises(InputError, match=said) as caught:
        read(GOOD.replace(line, broken))
    assert "\n" not in str(caught.value)
    assert "run.yaml" in str(caught.value)


def test_a_key_that_stands_twice_is_refused(read):
    with pytest.raises(DataError, match=r"run\.yaml, line 9: data stands here a second time"):
        read(GOOD + "data: {files: other}\n")


def test_what_is_not_yaml_is_refused_with_its_line(read):
    with pytest.raises(DataError, match=r"line 2: not YAML"):
        read("data: {files: [a\nstrategies: }")
    with pytest.raises(DataError, match="not a YAML mapping"):
        read("- 1\n- 2\n")
    with pytest.raises(DataError, match="not a YAML mapping"):
        read("")


def test_a_missing_configuration_is_named(tmp_path):
    with pytest.raises(DataError, match=r"none\.yaml: no such file"):
        Draft.read(tmp_path / "none.yaml")


def test_an_option_goes_before_the_file_and_its_errors_name_the_option(tmp_path):
    path = tmp_path / "run.yaml"
    path.write_text(GOOD)
    draft = Draft.read(path)
    draft.put(("settings", "entry_latency"), "5ms", "--entry-latency")
    assert draft.checked().settings.entry_latency.ns == 5_000_000
    assert str(draft.checked().settings.queue) == "power:2"
    draft.put(("settings", "orders", "refresh_ticks"), "-1", "--refresh-ticks")
    with pytest.raises(InputError, match=r"^--refresh-ticks is '-1'; allowed: greater than or equal to 0$"):
        draft.checked()


def test_fees_written_as_yaml_numbers_are_exact(read):
    config = read(GOOD + "instrument:\n  tick_size: 0.1\n  fees: {maker_bps: -0.25}\n")
    assert config.instrument.tick_size == Decimal("0.1")
    assert config.instrument.fees.maker_bps == Decimal("-0.25")
