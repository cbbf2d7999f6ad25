"""Simulations by name: the settings that papers and programs published, with what they claimed beside what comes out.

Where you are in the pipe: all of it. ``twosided simulate --preset NAME`` prints one; any setting can be overridden.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from twosided.app.presets_answer import Answer, Asked
from twosided.app.presets_avellaneda_stoikov import avellaneda_stoikov_2008
from twosided.app.presets_glft import glft_2013, hjb_readme
from twosided.app.presets_mvp import mvp_50_days

__all__ = ["PRESETS", "Preset"]


@dataclass(frozen=True)
class Preset:
    """A preset: one line about it, and what answers it."""

    help: str
    answer: Callable[[Asked], Answer] = field(repr=False)


PRESETS: Mapping[str, Preset] = {
    "avellaneda-stoikov-2008": Preset("the three tables of the paper: published, exact, and ours", avellaneda_stoikov_2008),
    "glft-2013": Preset("quotes and value of Guéant, Lehalle and Fernandez-Tapia, against exact numbers", glft_2013),
    "hjb-readme": Preset("naive against optimal at sigma 0.1, 0.2 and 0.3", hjb_readme),
    "mvp-50-days": Preset("38 % in 50 days, as claimed, and what is left of it", mvp_50_days),
}
"""The presets; a setting given beside one replaces its own."""
