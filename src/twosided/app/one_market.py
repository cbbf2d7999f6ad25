"""The recording of one market that a command was given.

Where you are in the pipe: at its mouth, between the command line and `twosided.data`.
"""

from twosided.app.config import DataConfig, Draft, InstrumentConfig, MarketConfig
from twosided.data.recording import Recording, load
from twosided.errors import InputError

__all__ = ["read_one_market"]


def read_one_market(draft: Draft) -> Recording:
    """Read the recording that the sections ``data`` and ``instrument`` of *draft* describe.

    Raises:
        InputError: it holds several markets, or a setting is not allowed.
        DataError: a file cannot be read.
    """
    market = MarketConfig(data=draft.section("data", DataConfig), instrument=draft.section("instrument", InstrumentConfig))
    recording = load(market.data.files, **market.reading)
    if len(recording.instruments) > 1:
        raise InputError(f"the recording holds {len(recording.instruments)} markets; choose one with --symbol")
    return recording
