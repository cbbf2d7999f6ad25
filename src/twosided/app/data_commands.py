"""``twosided data``: what is in a recording, and the same recording normalised once.

Where you are in the pipe: at its source: *events* -> book -> signals -> strategy -> ...
"""

from pathlib import Path
from typing import Any

import click

__all__ = ["data"]


@click.group()
def data() -> None:
    """Say what is in recordings, and convert them."""
