"""An error names what it is about, what was found and what is allowed, in one sentence."""

import pytest

from twosided.errors import DataError, InputError, StrategyError, TwosidedError, suggest


def test_whoever_catches_the_root_catches_everything_and_value_error_still_means_bad_input():
    assert issubclass(InputError, TwosidedError)
    assert issubclass(InputError, ValueError)
    assert issubclass(DataError, InputError)
    assert issubclass(StrategyError, TwosidedError)
    assert not issubclass(StrategyError, InputError)


def test_a_data_error_says_file_place_and_problem():
    error = DataError("x.gz", "line 17", "'ten' is not a price")
    assert str(error) == "x.gz, line 17: 'ten' is not a price"
    assert (error.source, error.where, error.problem) == ("x.gz", "line 17", "'ten' is not a price")


def test_a_data_error_about_a_whole_file_names_no_place():
    assert str(DataError("x.gz", "", "is empty")) == "x.gz: is empty"


@pytest.mark.parametrize(
    ("name", "ending"),
    [
        ("gama", "; did you mean 'gamma'?"),
        ("half_spred", "; did you mean 'half_spread'?"),
        ("zzz", "; known: gamma, half_spread, quantity"),
    ],
)
def test_the_nearest_known_name_is_suggested_and_else_all_are_listed(name, ending):
    assert suggest(name, ["quantity", "gamma", "half_spread"]) == ending
