"""``twosided demo``: the main job on a market made on the spot, so that nothing but this package is needed.

Where you are in the pipe: all of it: events -> book -> signals -> strategy -> risk -> order manager -> venue -> fills -> ledger ->
explanation.

Two quoters trade the same session beside each other. `fixed` asks for a tick on each side of the mid, whatever happens; `glft`
quotes by the formula, with sigma, A and k estimated from the first ten minutes, in which neither of them trades.
"""

import time
from pathlib import Path

import click

from twosided.app.config import Draft, StrategyConfig
from twosided.app.console import say
from twosided.app.output import REPORT, SESSION, earlier_runs, output_folder, require_ours
from twosided.app.replay_command import chosen_strategies, run_side_by_side, show_table, write_runs
from twosided.app.warm_up import COMPILING, is_compiled, warmed_up
from twosided.data.recording import Recording
from twosided.data.store import Header, write_store
from twosided.engines.flow import generate_market
from twosided.market.instrument import Fees

__all__ = ["demo"]

SHARES = 10
"""Size of a quote: small beside the orders of that market, because a replay cannot show how others would answer it."""
STRATEGIES = (
    StrategyConfig(name="fixed", params={"half_spread": 1, "unit": "ticks", "quantity": SHARES}),
    StrategyConfig(name="glft", params={"gamma": 10, "quantity": SHARES}),
)
FEES = Fees(maker_per_unit="-0.002", taker_per_unit="0.003")  # type: ignore[arg-type]
"""What US share venues pay those who rest, and charge those who take, in dollars per share."""


@click.command(short_help="generate a session, trade it with two strategies, explain the difference")
@click.option(
    "--out", default="out/demo", show_default=True, metavar="DIR", help="folder for the session, the saved runs and the report"
)
@click.option("--seed", default=1, show_default=True, help="another seed is another session")
@click.option("--quiet", is_flag=True, help="no progress and no remarks on standard error")
@click.pass_context
def demo(ctx: click.Context, /, out: str, seed: int, quiet: bool) -> None:
    """Generate a trading session, trade it with two strategies side by side, print one table and write one report."""
    folder = Path(out)
    require_ours(folder)
    laps = Laps(ctx.obj or time.perf_counter())
    cold = not is_compiled()
    if cold:
        say(COMPILING, quiet=quiet)
    with warmed_up(STRATEGIES):
        events, instrument = generate_market(seed)
    laps.end(f"{'compiled, and ' * cold}made a session of {len(events):,} events")
    asked = [each.model_dump() for each in STRATEGIES]
    draft = Draft({"data": {"files": [str(folder / SESSION)]}, "strategies": asked, "calibrate_first": "10m"})
    config, replaced = draft.checked(), earlier_runs(folder)
    recording = Recording(
        events,
        (instrument.model_copy(update={"fees": FEES}),),
        clock_offset_ns=0,
        min_latency_ns=int((events["local_ns"] - events["exch_ns"]).min()),
        names=(f"session of seed {seed}",),
        format="generated",
    )
    runs = run_side_by_side(draft, chosen_strategies(config), recording, quiet=quiet)
    laps.end(
        f"replayed it through {len(runs)} strategies, {runs[0].facts['events'] / runs[0].facts['seconds'] / 1e6:.1f} M events/s"
    )
    basis = config.statistics.basis()
    with output_folder(folder) as partial:
        _write_session(recording, partial / SESSION)
        write_runs(runs, partial, basis)
    laps.end("wrote session, runs and report")
    show_table(runs, basis)
    if replaced:
        say(replaced, quiet=quiet)
    say(laps.text(), quiet=quiet)
    click.echo(f"report: {folder / REPORT}")


def _write_session(recording: Recording, path: Path) -> None:
    """Write the session, so that it can be replayed again."""
    header = Header(
        instruments=recording.instruments,
        events=len(recording.events),
        clock_offset_ns=recording.clock_offset_ns,
        min_latency_ns=recording.min_latency_ns,
        names=recording.names,
        source_format=recording.format,
        defects={},
        notes=(),
        inferred="",
    )
    write_store(path, header, iter([recording.events]))


class Laps:
    """Wall times of a few steps in words, everything from the start of the command included."""

    def __init__(self, began: float) -> None:
        """Start when the command did, imports included."""
        self._began = self._last = began
        self._said: list[str] = []
        self.end("loaded the package")

    def end(self, what: str) -> None:
        """Note that a step is done."""
        now = time.perf_counter()
        self._said.append(f"{what} in {now - self._last:.1f} s")
        self._last = now

    def text(self) -> str:
        """Return all steps and their sum."""
        return f"{'; '.join(self._said)}; {self._last - self._began:.1f} s in all"
