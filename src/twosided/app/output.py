"""Writing a folder of results completely or not at all, and never over anything that is not ours.

Where you are in the pipe: after the explanation, where results reach the disk.
"""

import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from twosided.errors import InputError

__all__ = ["REPORT", "SESSION", "earlier_runs", "folder_names", "output_folder", "require_ours"]

REPORT = "report.html"
SESSION = "session.parquet"
_RUN = "run.json"


def require_ours(folder: Path) -> None:
    """Make sure that *folder* may be replaced: it does not exist, or holds nothing but saved Runs, a report and a session.

    Raises:
        InputError: it is a file, or something else is in it.
    """
    if not folder.exists():
        return
    if not folder.is_dir():
        raise InputError(f"{folder} is a file; allowed: a new folder, or one that an earlier run wrote")
    for entry in sorted(folder.iterdir()):
        if entry.name not in {REPORT, SESSION} and not (entry / _RUN).exists():
            raise InputError(f"{folder} exists and holds {entry.name}, which is not ours to replace; name a new folder")


def earlier_runs(folder: Path) -> str:
    """Return the sentence that tells which results in *folder* are about to be replaced; empty where there are none."""
    names = sorted(entry.parent.name for entry in folder.glob(f"*/{_RUN}"))
    return f"replaced the earlier results in {folder} ({', '.join(names)})" if names else ""


def folder_names(labels: Sequence[str]) -> list[str]:
    """Return a folder's name for each label, all different, with nothing in it that a shell would want quoted."""
    names: list[str] = []
    for label in labels:
        plain = re.sub(r"[^\w.=+-]+", "_", label).strip("_.") or "run"
        numbered = (f"{plain}_{number}" if number > 1 else plain for number in count(1))
        names.append(next(name for name in numbered if name not in names))
    return names


@contextmanager
def output_folder(folder: Path) -> Iterator[Path]:
    """Give a hidden folder beside *folder* to write to; when all went well it takes *folder*'s place, else it disappears.

    Raises:
        InputError: *folder* is not ours to replace, or the disk refuses; *folder* is then as it was before.
    """
    require_ours(folder)
    partial = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        yield partial
        if folder.exists():
            shutil.rmtree(folder)
        partial.chmod(0o755)
        partial.replace(folder)
    except InputError as error:
        named = str(error).replace(str(partial), str(folder)) if partial else str(error)
        raise InputError(named) from None
    except OSError as error:
        raise InputError(f"{folder} cannot be written: {error.strerror or error}; nothing was left behind") from None
    finally:
        if partial is not None and partial.exists():
            shutil.rmtree(partial, ignore_errors=True)
