"""``twosided replay``: a recording, one or more strategies, and what became of them.

Where you are in the pipe: all of it: events -> book -> signals -> strategy -> risk -> order manager -> venue -> fills -> ledger ->
explanation.
"""

from collections.abc import Sequence
from dataclasses import replace as with_fields
from pathlib import Path
from typing import Any

import click

from twosided.app.assignments import assigned, replaced
from twosided.app.config import Draft, MarketConfig, ReplayConfig
from twosided.app.console import ReadingProgress, ReplayProgress, print_json, print_table, say
from twosided.app.options import DATA, FEES, REPLAY, put_given, with_settings
from twosided.app.output import REPORT, earlier_runs, folder_names, output_folder, require_ours
from twosided.app.provenance import Provenance
from twosided.app.results import results
from twosided.app.warm_up import COMPILING, is_compiled
from twosided.data.combine import CombinedRecording, combine
from twosided.data.recording import Recording, load
from twosided.data.streaming import StreamedRecording, stream
from twosided.engines.replay import replay as replay_recording
from twosided.errors import InputError
from twosided.explain.assumption_band import band_table
from twosided.explain.basis import Basis
from twosided.explain.comparison_table import compare, sentences
from twosided.explain.far_quotes import far_warnings
from twosided.explain.own_size import size_warnings
from twosided.explain.report import MOST_DETAILED, write_report
from twosided.explain.reporting import require_rates
from twosided.explain.risk_words import risk_sentences
from twosided.explain.summary import run_labels, summary_rows
from twosided.explain.table import rich_table
from twosided.explain.words import assumptions, currencies_apart, fee_words, listed, unit_of
from twosided.market.instrument import Fees
from twosided.market.run import Run
from twosided.market.typical_sizes import MOST_EVENTS, typical_sizes
from twosided.research.calibrate import Estimate, estimate
from twosided.research.sensitivity import sensitivities
from twosided.risk.limits import limits_in
from twosided.strategies.catalogue import find_strategy
from twosided.strategies.contract import Strategy
from twosided.units import duration_text, moment_ns, time_text

__all__ = ["chosen_strategies", "read_recording", "replay", "run_side_by_side", "show_table", "write_runs"]

INTERRUPTED = 130
_MOST_NOTES = 3  # of the recording, said before it is replayed; data info has them all
_REPLACEABLE = ("currency", "multiplier", "inverse", "fees")  # what is said of an instrument goes before what its file says
ESTIMATED = {"sigma", "A", "k"}
"""Parameters that only data can give."""


@with_settings(*DATA, *FEES, *REPLAY)
@click.command(short_help="replay a recording through one or more strategies")
@click.argument("data", nargs=-1, metavar="[FILE...]")
@click.option(
    "--market",
    "markets",
    multiple=True,
    metavar="FILE[,FILE]",
    help="one of several markets in one run, in files that continue one another; again for the next market",
)
@click.option(
    "--strategy", "names", multiple=True, metavar="NAME", help="a shipped strategy, or your own: file.py:name; again to compare"
)
@click.option("--set", "assignments", multiple=True, metavar="NAME=VALUE", help="a parameter of the strategies; again for more")
@click.option("--limits", "limits_file", metavar="FILE", help="limits that risk control keeps, in a YAML file: docs/risk.md")
@click.option("--limit", "limits", multiple=True, metavar="NAME=VALUE", help="a limit, as max_position=100; again for more")
@click.option(
    "--sensitivity", is_flag=True, help="other latencies, queue models and fees as well: does the result hang on a guess?"
)
@click.option("--json", "as_json", is_flag=True, help="print JSON instead of the table")
@click.option("--quiet", is_flag=True, help="no progress and no remarks on standard error")
@click.pass_context
def replay(
    ctx: click.Context,
    /,
    data: tuple[str, ...],
    markets: tuple[str, ...],
    names: tuple[str, ...],
    assignments: tuple[str, ...],
    limits_file: str | None,
    limits: tuple[str, ...],
    sensitivity: bool,
    as_json: bool,
    quiet: bool,
    **values: Any,
) -> None:
    """Replay recordings through strategies, and explain the P&L.

    FILE... is one recording, in files that continue one another, or a configuration, such as run.yaml; options go before what it
    says. Several markets in one run: --market SPOT.gz --market PERP.gz, which a strategy sees as market 0 and market 1. Latencies
    are like 1ms, recorded, sampled or sampled*2; queue models like conservative, power:3 or log.
    """
    draft = _draft(data, markets, names, values)
    _put_limits(draft, limits_file, limits)
    config = draft.checked()
    strategies = chosen_strategies(config, assignments)
    out, basis = Path(config.out) if config.out else None, config.statistics.basis()
    if out:
        require_ours(out)
    recording = read_recording(config, quiet=quiet)
    if basis.reporting is not None:
        require_rates(basis.reporting, recording.instruments)
    runs = run_side_by_side(draft, strategies, recording, sensitivity=sensitivity, quiet=quiet)
    replaced = earlier_runs(out) if out else ""
    if out:
        with output_folder(out) as partial:
            write_runs(runs, partial, basis)
    if as_json:
        found = [results(run, basis) for run in runs]
        print_json(found[0] if len(found) == 1 else {"runs": found})
    else:
        show_table(runs, basis)
    if out:
        if replaced:
            say(replaced, quiet=quiet)
        say(f"report: {out / REPORT}", quiet=quiet)
    if not all(run.facts["complete"] for run in runs):
        say("stopped by Ctrl-C: these results are of the part that was replayed", quiet=quiet)
        ctx.exit(INTERRUPTED)


def _draft(data: Sequence[str], markets: Sequence[str], names: Sequence[str], values: dict[str, Any]) -> Draft:
    yaml_files = [name for name in data if name.endswith((".yaml", ".yml"))]
    if yaml_files and len(data) > 1:
        raise InputError(f"{yaml_files[0]} is a configuration and says itself which files to read; allowed: nothing beside it")
    draft = Draft.read(yaml_files[0]) if yaml_files else Draft()
    if data and markets and not yaml_files:
        raise InputError(
            f"{data[0]} and --market {markets[0]} both say what is read; write --market before each of several markets"
        )
    if data and not yaml_files:
        draft.put(("data", "files"), tuple(data), "FILE")
    if markets:
        draft.put(("markets",), [{"data": {"files": market.split(",")}} for market in markets], "--market")
    if names:
        draft.put(("strategies",), [{"name": name} for name in names], "--strategy")
    put_given(draft, (*DATA, *FEES, *REPLAY), values)
    if not draft.values.get("strategies"):
        raise InputError("no strategy is given; name one with --strategy, for example --strategy fixed")
    return draft


def _put_limits(draft: Draft, file: str | None, assignments: Sequence[str]) -> None:
    """Put limits into *draft*: those of a file replace what a configuration says, and one given by name goes before both.

    They are checked together: a limit in the file may say nothing without one that is given by name.
    """
    if file is not None:
        draft.put(("settings", "limits"), limits_in(file), f"--limits {file}")
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals:
            raise InputError(f"--limit is {assignment!r}; allowed: NAME=VALUE, as max_position=100")
        place = ("settings", "limits", name.strip().replace("-", "_"))
        draft.origins.setdefault(place[:2], "--limit")
        draft.put(place, value.split(",") if name == "instruments" else value.strip(), f"--limit {name}")


# ---------------------------------------------------------------- strategies


def chosen_strategies(config: ReplayConfig, assignments: Sequence[str] = ()) -> list[Strategy]:
    """Return the strategies with their parameters; an assignment goes to every strategy that declares it.

    Raises:
        InputError: an unknown strategy or parameter, a value that is not allowed, or a missing one that will not be estimated.
    """
    named = [find_strategy(each.name).with_params(each.params) for each in config.strategies]
    strategies = assigned(named, assignments)
    for sentence in replaced(named, strategies):
        say(f"{sentence}; a configuration file sets it for one strategy alone")
    for strategy in strategies:
        if not (config.calibrate_first and set(strategy.missing) <= ESTIMATED):
            strategy.resolved()
    return strategies


# ---------------------------------------------------------------- data


AnyRecording = Recording | StreamedRecording | CombinedRecording


def read_recording(config: ReplayConfig, *, quiet: bool) -> AnyRecording:
    """Read the recording that *config* names, or look over it where it is to be streamed; of several markets, all of them as one.

    Raises:
        DataError, InputError: one cannot be read, or its instrument is not known.
    """
    recordings = [_read(market, quiet=quiet) for market in config.each_market]
    if len(recordings) == 1:
        return recordings[0]
    both = combine(recordings, one_clock=config.one_clock)
    for note in both.notes[: len(both.notes) - sum(len(part.notes) for part in recordings)]:
        say(note, quiet=quiet)
    return both


def _read(market: MarketConfig, *, quiet: bool) -> Recording | StreamedRecording:
    said = market.instrument
    with ReadingProgress(quiet=quiet).shown() as progress:
        read = stream if market.data.stream else load
        recording: Recording | StreamedRecording = read(market.data.files, **market.reading, progress=progress)
    if recording.inferred:
        say(recording.inferred, quiet=quiet)
    for note in recording.notes[:_MOST_NOTES]:
        say(note, quiet=quiet)
    changes = {name: getattr(said, name) for name in _REPLACEABLE if getattr(said, name) is not None}
    for each in recording.instruments:
        if said.fees is not None and each.fees not in (Fees(), said.fees):
            words = fee_words(each.fees, each.currency, unit_of(each))
            say(f"the fees given here replace all that the file states: {words}", quiet=quiet)
    return with_fields(recording, instruments=tuple(each.model_copy(update=changes) for each in recording.instruments))


# ---------------------------------------------------------------- running


def run_side_by_side(
    draft: Draft,
    strategies: Sequence[Strategy],
    recording: AnyRecording,
    *,
    sensitivity: bool = False,
    quiet: bool,
) -> list[Run]:
    """Replay *recording* through all *strategies* in one pass, calibrating them before if *draft* asks for it.

    With *sensitivity* each Run also says what became of it under other assumptions (`twosided.research.sensitivity`).
    """
    config = draft.checked()
    capital = _capital(config, recording)
    start_ns, estimated = _beginning(config, recording)
    if estimated is not None:
        say(estimated.sentence(), quiet=quiet)
    names = [each.name for each in config.strategies]
    origins = [Provenance(draft.values, name, given, estimated) for name, given in zip(names, strategies, strict=True)]
    ready = [origin.ready() for origin in origins]
    if not is_compiled():
        say(COMPILING, quiet=quiet)
    with ReplayProgress(quiet=quiet).shown() as progress:
        if sensitivity:
            found = sensitivities(recording, ready, settings=config.settings, start_ns=start_ns, progress=progress)
            runs = [each.run for each in found]
        else:
            runs = replay_recording(recording, ready, settings=config.settings, start_ns=start_ns, progress=progress)
    typical = typical_sizes(recording.beginning(most=MOST_EVENTS).events, len(recording.instruments))
    runs = [run.with_facts(typical_lots=typical) for run in runs]
    if capital:
        runs = [run.with_facts(capital=capital) for run in runs]
    return [origin.added_to(run) for origin, run in zip(origins, runs, strict=True)]


def _capital(config: ReplayConfig, recording: AnyRecording) -> dict[str, str]:
    """Return stated capital by currency; empty without.

    Raises:
        InputError: nobody can tell which currency it is in.
    """
    if config.capital is None:
        return {}
    currencies = list(dict.fromkeys(instrument.currency for instrument in recording.instruments))
    if len(currencies) > 1:
        raise InputError(f"capital is {config.capital}, but money is in {listed(currencies)}; allowed with one currency only")
    return {currencies[0]: str(config.capital)}


def _beginning(config: ReplayConfig, recording: AnyRecording) -> tuple[int | None, Estimate | None]:
    """Return from when on strategies are asked (None: from the first event), and what the time before it was found to be like.

    Raises:
        InputError: that time does not lie in the recording, or is too short to estimate anything from.
    """
    first_ns, last_ns = recording.span_ns
    start_ns = None if config.start is None else moment_ns(config.start, first_ns)
    if start_ns is not None and not first_ns <= start_ns < last_ns:
        raise InputError(f"start is {config.start}; allowed: from {time_text(first_ns)} to before {time_text(last_ns)}")
    if not config.calibrate_first:
        return start_ns, None
    from_ns = first_ns if start_ns is None else start_ns
    quoting_ns = from_ns + config.calibrate_first
    if quoting_ns >= last_ns:
        asked, there = duration_text(config.calibrate_first), duration_text(last_ns - from_ns)
        since = "" if start_ns is None else " from --start on"
        raise InputError(
            f"--calibrate-first is {asked}, but the recording lasts {there}{since}; allowed: less, so that some is left"
        )
    head = recording.beginning(until_ns=quoting_ns).events
    return quoting_ns, estimate(head, recording.instruments[0], quoting_ns, from_ns=start_ns)


def write_runs(runs: Sequence[Run], folder: Path, basis: Basis) -> None:
    """Write each Run to a folder of its own in *folder*, and the report of them all beside."""
    for name, run in zip(folder_names(run_labels(runs)), runs, strict=True):
        run.save(folder / name)
    write_report(runs, folder / REPORT, basis)


def show_table(runs: Sequence[Run], basis: Basis) -> None:
    """Print the headline table, other assumptions, whether a difference is more than chance, and what one should not believe."""
    labels = run_labels(runs)
    print_table(rich_table(summary_rows(runs, basis), labels, assumed=list(map(assumptions, runs))))
    for run, label in zip(runs, labels, strict=True):
        band = band_table(run, label)
        if band is not None:
            print_table(band)
    for sentence in dict.fromkeys(currencies_apart(run, basis) for run in runs):
        if sentence:
            click.echo(sentence)
    if 1 < len(runs) <= MOST_DETAILED:
        for sentence, _ in sentences(compare(runs, basis), labels):
            click.echo(sentence)
    for run, label in zip(runs, labels, strict=True):
        for sentence in risk_sentences(run):
            click.echo(f"{label}: {sentence}" if len(runs) > 1 else sentence)
    for run, label in zip(runs, labels, strict=True):
        for sentence in (*size_warnings(run), *far_warnings(run)):
            click.echo(f"warning: {label}: {sentence}" if len(runs) > 1 else f"warning: {sentence}")
