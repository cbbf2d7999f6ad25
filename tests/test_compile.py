"""The compile cache: found again by the next process, never stale, never in the way; and records found by address."""

import enum
import json
import math
import os
import subprocess
import sys
import types
from pathlib import Path

import numba
import numpy as np
import pytest

import twosided.units
from twosided import _compile
from twosided._compile import (
    INTERPRETED,
    address_of_array,
    cache_folder,
    cache_hits,
    compiled,
    highest_bit,
    lowest_bit,
    meaning,
    table_at,
    words_at,
    words_of,
)

compiles = pytest.mark.skipif(INTERPRETED, reason="nothing is compiled")

# ---------------------------------------------------------------- in processes of their own

KERNEL = """
from twosided._compile import compiled
from helper import helper
LEVEL = 100
def _kernel(x):
    return helper(x) + LEVEL
kernel = compiled(_kernel)
"""
HELPER = """
from twosided._compile import compiled
def _helper(x):
    return 2 * x
helper = compiled(_helper)
"""
ASK = """
import json
from kernel import kernel
from twosided._compile import cache_hits
print(json.dumps([kernel(7), *cache_hits(kernel)]))
"""


class Project:
    """A user's folder, and a cache."""

    def __init__(self, folder):
        self.folder, self.cache = folder, folder / "cache"
        self.write("kernel.py", KERNEL)
        self.write("helper.py", HELPER)
        self.write("ask.py", ASK)

    def write(self, name, text):
        (self.folder / name).write_text(text)

    def edit(self, name, old, new):
        text = (self.folder / name).read_text()
        assert old in text
        self.write(name, text.replace(old, new))

    def start(self, *arguments, cache=None, **more):
        environment = {**os.environ, "TWOSIDED_CACHE": str(cache or self.cache), "PYTHONDONTWRITEBYTECODE": "1", **more}
        return subprocess.Popen(
            [sys.executable, *(arguments or ["ask.py"])],
            cwd=self.folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @staticmethod
    def answer(process, stdin=None):
        out, error = process.communicate(stdin, timeout=120)
        assert process.returncode == 0, error
        assert error == ""
        return json.loads(out)

    def run(self, *arguments, stdin=None, **more):
        """Return what a new process prints: by default [result, cache hits, cache misses]."""
        return self.answer(self.start(*arguments, **more), stdin)


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


def test_the_next_process_finds_the_code_unless_a_file_that_it_comes_from_was_edited(project):
    assert project.run() == [114, 0, 1]
    assert project.run() == [114, 1, 0]
    assert project.run(NUMBA_BOUNDSCHECK="1") == [114, 0, 1]  # checked bounds are other code
    project.edit("helper.py", "2 * x", "3 * x")  # the trap: another file than the one that is cached
    assert project.run() == [121, 0, 1]


def test_helpers_reached_through_a_users_own_module_are_followed(project):
    project.write("signal_rules.py", HELPER)
    project.edit("kernel.py", "from helper import helper", "import signal_rules")
    project.edit("kernel.py", "helper(x)", "signal_rules.helper(x)")
    assert project.run() == [114, 0, 1]
    project.edit("signal_rules.py", "2 * x", "3 * x")
    assert project.run() == [121, 0, 1]


STRATEGY = """
import json, traceback
import numpy as np
from twosided._compile import cache_hits
from twosided.strategies.contract import Param, quote_bid, strategy

@strategy(price=Param(99.5), memory={"seen": "i8"})
def mine(ctx):
    quote_bid(ctx, 0, 0, ctx.params.price, 1.0)
    ctx.memory.seen += 1
    if ctx.memory.seen > 1:
        raise ValueError("seen enough")

mine.address(1)
dispatcher = mine._addresses[1, 1][0]
row = np.zeros(1, mine.row_dtype(1))[0]
row.market[0].lot_size = 1.0
mine.fill_params(row, ())
dispatcher(row)
try:
    dispatcher(row)
except ValueError as error:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    raised = [str(error), frame.filename, frame.lineno]
print(json.dumps([int(row.quotes[0, 0, 0].ticks), *cache_hits(dispatcher), raised]))
"""


def line_of(text, part):
    return 1 + next(i for i, line in enumerate(text.splitlines()) if part in line)


def test_the_errors_of_a_strategy_carry_its_own_file_and_todays_line(project):
    project.write("mine.py", STRATEGY)
    file, line = str(project.folder / "mine.py"), line_of(STRATEGY, "raise ValueError")
    assert project.run("mine.py") == [99, 0, 1, ["seen enough", file, line]]
    project.write("mine.py", "# a comment above\n" + STRATEGY)
    assert project.run("mine.py") == [99, 0, 1, ["seen enough", file, line + 1]]


COMPOSED = """
import json, traceback
import numpy as np
from rules import calm
from twosided._compile import cache_hits
from twosided.market.instrument import Instrument
from twosided.strategies.catalogue import find_strategy
from twosided.strategies.compose import compose

strategy = compose(find_strategy("fixed+one_sided"), calm).with_params(half_spread=4, unit="ticks")
strategy.address(1)
dispatcher = strategy._addresses[1, 1][0]
row = np.zeros(1, strategy.row_dtype(1))[0]
view = row.market[0]
view.lot_size = view.tick_size = 1.0
view.bid_ticks, view.ask_ticks = 99, 101
strategy.fill_params(row, (Instrument(symbol="X", tick_size="1", lot_size="1"),))
dispatcher(row)
raised = None
view.position_lots = 7
try:
    dispatcher(row)
except ValueError as error:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    raised = [str(error), frame.filename, frame.lineno]
print(json.dumps([int(row.quotes[0, 0, 0].ticks), *cache_hits(dispatcher), raised]))
"""

RULES = """
from twosided.strategies.compose import overlay
from factors import factor

@overlay()
def calm(ctx):
    ctx.memory.plan.half_bid *= factor(2.0)
    if ctx.market[0].position_lots == 7:
        raise ValueError("seven")
"""

FACTORS = """
from twosided._compile import compiled
def _factor(x):
    return x + 1.0
factor = compiled(_factor)
"""


def test_a_strategy_with_overlays_is_found_again_unless_one_of_its_parts_was_edited(project):
    for name, text in (("composed.py", COMPOSED), ("rules.py", RULES), ("factors.py", FACTORS)):
        project.write(name, text)
    raised = ["seven", str(project.folder / "rules.py"), line_of(RULES, "raise ValueError")]
    assert project.run("composed.py") == [100 - 12, 0, 1, raised]
    assert project.run("composed.py") == [100 - 12, 1, 0, raised]
    project.edit("factors.py", "x + 1.0", "x + 2.0")  # what an overlay calls, two files away
    assert project.run("composed.py") == [100 - 16, 0, 1, raised]
    project.edit("rules.py", "factor(2.0)", "factor(3.0)")
    assert project.run("composed.py") == [100 - 20, 0, 1, raised]


def test_it_works_from_standard_input_and_errors_of_found_code_carry_their_line_too(project):
    raised = ["seen enough", "<stdin>", line_of(STRATEGY, "raise ValueError")]
    assert project.run("-", stdin=STRATEGY) == [99, 0, 1, raised]
    assert project.run("-", stdin=STRATEGY) == [99, 1, 0, raised]


def test_without_a_place_to_write_it_compiles_and_says_nothing(project):
    project.write("a_file", "")
    assert project.run(cache=project.folder / "a_file" / "cache") == [114, 0, 1]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_be_read_only_is_read(project):
    project.run()
    project.cache.chmod(0o500)
    try:
        assert project.run() == [114, 1, 0]
        project.edit("helper.py", "2 * x", "3 * x")
        assert project.run() == [121, 0, 1]
    finally:
        project.cache.chmod(0o700)


def test_two_processes_at_once_do_not_disturb_each_other(project):
    both = [project.start() for _ in range(2)]
    assert [project.answer(process)[0] for process in both] == [114, 114]
    assert {path.suffix for path in project.cache.iterdir()} == {".bin"}


def test_nothing_is_compiled_at_import(project):
    project.write(
        "imports.py",
        """
import json, sys
import twosided.app.cli, twosided.engines.replay, twosided.explain.report, twosided.research.calibrate
from numba.core.dispatcher import Dispatcher
modules = [module for name, module in list(sys.modules.items()) if name.startswith("twosided")]
kernels = {id(each): each for module in modules for each in vars(module).values() if isinstance(each, Dispatcher)}
print(json.dumps([len(kernels), [str(each) for each in kernels.values() if each.overloads]]))
""",
    )
    count, made = project.run("imports.py")
    assert count > 50
    assert made == []
    assert not project.cache.exists()


def test_with_jit_disabled_everything_is_the_plain_function(project):
    project.write("plain.py", "import json; import kernel; print(json.dumps([kernel.kernel is kernel._kernel, kernel.kernel(7)]))")
    assert project.run("plain.py", NUMBA_DISABLE_JIT="1") == [True, 114]
    assert not project.cache.exists()


# ---------------------------------------------------------------- in this process, with a cache of its own


def _plus(x, y):
    return x + y


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TWOSIDED_CACHE", str(tmp_path / "own"))
    return tmp_path / "own"


@compiles
def test_it_compiles_at_the_first_call_and_for_each_kind_of_argument(own_cache):
    plus = compiled(_plus)
    assert cache_hits(plus) == (0, 0)
    assert plus(1, 2) == 3
    assert plus(3, 4) == 7
    assert cache_hits(plus) == (0, 1)
    assert plus(0.5, 1.0) == 1.5
    assert cache_hits(plus) == (0, 2)
    assert len(list(own_cache.iterdir())) == 2
    again = compiled(_plus)
    assert (again(1, 2), again(0.5, 1.0)) == (3, 1.5)
    assert cache_hits(again) == (2, 0)


def edited(level, factor=2):
    """A kernel and its helper as a file would make them."""
    helper = function(f"return {factor} * x")
    return compiled(function("return helper(x) + LEVEL", helper=compiled(helper), LEVEL=level))


@compiles
@pytest.mark.usefixtures("own_cache")
def test_what_was_true_before_is_found_again(monkeypatch):
    monkeypatch.setitem(sys.modules, "user", types.ModuleType("user"))  # found code belongs to a module that can be imported
    for level, factor, result, hits in ((100, 2, 114, 0), (200, 2, 214, 0), (100, 3, 121, 0), (100, 2, 114, 1), (200, 2, 214, 1)):
        kernel = edited(level, factor)
        assert kernel(7) == result
        assert cache_hits(kernel) == (hits, 1 - hits)


@compiles
@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda _: b"", id="empty"),
        pytest.param(lambda content: content[: len(content) // 2], id="cut"),
        pytest.param(lambda _: b"not machine code", id="something else"),
        pytest.param(lambda content: content[:-100] + bytes([content[-100] ^ 1]) + content[-99:], id="one bit near the end"),
        pytest.param(lambda content: content.replace(b"\x7fELF", b"\x7fELG", 1), id="one bit of machine code"),
        pytest.param(lambda content: content + b" ", id="one byte more"),
    ],
)
def test_a_damaged_file_costs_a_compilation_and_is_mended(own_cache, damage):
    compiled(_plus)(1, 2)
    (path,) = own_cache.iterdir()
    path.write_bytes(damage(path.read_bytes()))
    for hits, misses in ((0, 1), (1, 0)):
        plus = compiled(_plus)
        assert plus(1, 2) == 3
        assert cache_hits(plus) == (hits, misses)


@compiles
def test_a_disk_that_fills_up_while_writing_leaves_no_rubbish(own_cache, monkeypatch):
    monkeypatch.setattr(Path, "replace", lambda _path, _target: (_ for _ in ()).throw(OSError("No space left on device")))
    assert compiled(_plus)(1, 2) == 3
    assert list(own_cache.iterdir()) == []


@compiles
def test_a_user_without_a_home_has_no_cache_and_no_trouble(monkeypatch):
    for name in ("TWOSIDED_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", lambda: (_ for _ in ()).throw(RuntimeError("Could not determine home directory.")))
    plus = compiled(_plus)
    assert plus(1, 2) == 3
    assert cache_hits(plus) == (0, 1)


def test_the_cache_is_where_the_user_says_or_where_caches_are(monkeypatch, tmp_path):
    monkeypatch.setenv("TWOSIDED_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("TWOSIDED_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "twosided"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache_folder() == tmp_path / "home" / ".cache" / "twosided"


@compiles
@pytest.mark.usefixtures("own_cache")
def test_a_helper_redefined_in_a_notebook_does_not_poison_the_cache():
    """A second kind of argument is compiled after a global has changed: it must not be saved under the old meaning."""
    namespace = {"__name__": "notebook", "LEVEL": 1}
    exec("def f(x):\n    return x + LEVEL", namespace)  # noqa: S102
    early = compiled(namespace["f"])
    assert early(1) == 2
    namespace["LEVEL"] = 10
    assert early(1.0) == 11.0
    namespace["LEVEL"] = 1
    later = compiled(namespace["f"])
    assert (later(1), later(1.0)) == (2, 2.0)


@compiles
@pytest.mark.usefixtures("own_cache")
def test_one_signature_is_compiled_at_once_and_stays_the_only_one():
    plus = compiled(_plus, numba.int64(numba.int64, numba.int64))
    assert cache_hits(plus) == (0, 1)
    assert plus(1.9, 2) == 3  # made an integer, not another function
    assert len(plus.overloads) == 1


# ---------------------------------------------------------------- what a function means


class Side(enum.IntEnum):
    BID = 1
    ASK = 2


class OtherSide(enum.IntEnum):
    BID = 1
    ASK = 3


OtherSide.__qualname__ = OtherSide.__name__ = "Side"


def function(source="return LEVEL", arguments="x", name="user", **names):
    """Return a function made from *source*, with *names* as its globals; the same text stands on the same lines."""
    namespace = {"__name__": name, "np": np, "math": math, **names}
    exec(compile(f"def f({arguments}):\n    {source}", "user.py", "exec"), namespace)  # noqa: S102
    return namespace["f"]


def closure(value):
    def f(x):
        return x + value

    return f


def module(**names):
    made = types.ModuleType("helpers")
    vars(made).update(names)
    return made


def helper_of(helper):
    return function("return LEVEL(x)", LEVEL=helper)


def array(last):
    return np.array([*range(5000), last])  # long enough for repr to abbreviate


def deep(level):
    """A helper of a helper that is reached by name."""
    return compiled(function("return inner(x)", inner=compiled(function("return x + LEVEL", LEVEL=level))))


PAIRS = {
    "a constant": (lambda: function("return x + 1"), lambda: function("return x + 2")),
    "an operation": (lambda: function("return x + 1"), lambda: function("return x - 1")),
    "what is called": (lambda: function("return math.floor(x)"), lambda: function("return math.ceil(x)")),
    "a global number": (lambda: function(LEVEL=1), lambda: function(LEVEL=2)),
    "the type of a global": (lambda: function(LEVEL=1), lambda: function(LEVEL=1.0)),
    "the last bit of a global": (lambda: function(LEVEL=0.1), lambda: function(LEVEL=math.nextafter(0.1, 1))),
    "a global text": (lambda: function(LEVEL="a"), lambda: function(LEVEL="b")),
    "an enum": (lambda: function("return Side.ASK", Side=Side), lambda: function("return Side.ASK", Side=OtherSide)),
    "an enum's member": (lambda: function(LEVEL=Side.BID), lambda: function(LEVEL=Side.ASK)),
    "an array": (lambda: function("return LEVEL[x]", LEVEL=array(1)), lambda: function("return LEVEL[x]", LEVEL=array(2))),
    "the type of an array": (lambda: function(LEVEL=np.zeros(2, "i4")), lambda: function(LEVEL=np.zeros(1, "i8"))),
    "an array in a tuple": (lambda: function(LEVEL=(array(1), 1)), lambda: function(LEVEL=(array(2), 1))),
    "a numba type": (lambda: function(LEVEL=numba.int64), lambda: function(LEVEL=numba.int32)),
    "a record type": (lambda: function(LEVEL=np.dtype([("a", "i8")])), lambda: function(LEVEL=np.dtype([("a", "i4")]))),
    "a closure": (lambda: closure(1), lambda: closure(2)),
    "a default": (lambda: function("return x", "x=1"), lambda: function("return x", "x=2")),
    "a default by keyword": (lambda: function("return y", "x, *, y=1"), lambda: function("return y", "x, *, y=2")),
    "the names of arguments": (lambda: function("return x", "x, y"), lambda: function("return x", "y, x")),
    "a function inside": (lambda: function("return (lambda y: y + 1)(x)"), lambda: function("return (lambda y: y + 2)(x)")),
    "a helper": (lambda: helper_of(function("return 1")), lambda: helper_of(function("return 2"))),
    "a compiled helper": (lambda: helper_of(compiled(function("return 1"))), lambda: helper_of(compiled(function("return 2")))),
    "a helper's helper": (lambda: helper_of(deep(1)), lambda: helper_of(deep(2))),
    "helpers in a tuple": (lambda: function(LEVEL=(deep(1), deep(2))), lambda: function(LEVEL=(deep(1), deep(3)))),
    "a constant in a module": (
        lambda: function("return m.LEVEL", m=module(LEVEL=1)),
        lambda: function("return m.LEVEL", m=module(LEVEL=2)),
    ),
    "a helper in a module": (
        lambda: function("return m.f(x)", m=module(f=deep(1))),
        lambda: function("return m.f(x)", m=module(f=deep(2))),
    ),
    "a module in a module": (
        lambda: function("return m.n.LEVEL", m=module(n=module(LEVEL=1))),
        lambda: function("return m.n.LEVEL", m=module(n=module(LEVEL=2))),
    ),
    "a line of the user's file": (lambda: function("return x"), lambda: function("\n    return x")),
}


@pytest.mark.parametrize("what", PAIRS)
def test_another_value_is_another_meaning_and_the_same_is_the_same(what):
    one, other = PAIRS[what]
    assert meaning(one()) != meaning(other())
    assert meaning(one()) == meaning(one())
    assert meaning(other()) == meaning(other())


def test_lines_of_the_package_itself_may_move():
    one, other = (function(source, name="twosided.somewhere") for source in ("return x", "\n    return x"))
    assert meaning(one) == meaning(other)


def test_functions_that_call_each_other_have_a_meaning():
    namespace = {"__name__": "user"}
    exec("def f(x):\n    return g(x)\ndef g(x):\n    return f(x)", namespace)  # noqa: S102
    assert meaning(namespace["f"]) != meaning(namespace["g"])


def test_a_compiled_function_means_what_its_source_means():
    plain = function("return x")
    assert meaning(plain) == meaning(compiled(plain))


@compiles
def test_how_a_helper_is_compiled_is_part_of_what_its_callers_mean():
    def calling(helper):
        return function("return helper(x)", helper=helper)

    plain, copied, threaded = (compiled(lambda x: x + 1, **how) for how in ({}, {"inline": True}, {"nogil": True}))
    assert len({meaning(calling(helper)) for helper in (plain, copied, threaded)}) == 3


def test_a_helper_behind_a_module_of_the_package_is_refused():
    with pytest.raises(TypeError, match=r"reaches the module twosided\.units; import the names it needs from it instead"):
        meaning(function("return units.whole_steps(x)", units=twosided.units))


def test_a_users_module_with_the_name_of_a_library_is_still_the_users(tmp_path):
    path = tmp_path / "statistics.py"

    def with_level(level):
        mine = types.ModuleType("statistics")
        mine.__file__, mine.LEVEL = str(path), level
        return function("return statistics.LEVEL", statistics=mine)

    assert meaning(with_level(1)) != meaning(with_level(2))


# ---------------------------------------------------------------- records by address

CORE = np.dtype(
    (np.record, [("rows", "i8"), ("columns", "i8"), ("table", "i8"), ("bytes", "i8"), ("offset", "i8"), ("words", "i8")])
)
ITEM = np.dtype((np.record, [("lots", "i8"), ("price", "f8")]))
MIXED = np.dtype((np.record, [("head", "i4"), ("items", ITEM, (3,)), ("tail", "i2")]))

item_at = table_at(CORE, "table", ITEM, ("rows", "columns"))
fixed_at = table_at(CORE, "table", ITEM, ("rows", 2, 2))
mixed_at = table_at(CORE, "table", ITEM, ("rows", 3), row=("bytes", "offset"))
words_in = words_at(CORE, "words")


def _read_item(core, i, j):
    return item_at(core, i, j).price


def _write_item(core, i, j, price):
    item_at(core, i, j).price = price


def _read_fixed(core, i, j, k):
    return fixed_at(core, i, j, k).lots


def _read_mixed(core, i, j):
    return mixed_at(core, i, j).lots


def _swap_words(core, i, j):
    words = words_in(core)
    words[i], words[j] = words[j], words[i]
    return words[i]


read_item, write_item, read_fixed = compiled(_read_item), compiled(_write_item), compiled(_read_fixed)
read_mixed, swap_words = compiled(_read_mixed), compiled(_swap_words)


def core_of(table, rows, columns=0, **more):
    core = np.zeros(1, CORE)[0]
    core.rows, core.columns, core.table = rows, columns, address_of_array(table)
    for name, value in more.items():
        core[name] = value
    return core


@pytest.mark.interpreted
def test_records_are_read_and_written_where_numpy_has_them():
    table = np.zeros((4, 5), ITEM)
    table["price"] = np.arange(20).reshape(4, 5)
    core = core_of(table, *table.shape)
    for i in range(4):
        for j in range(5):
            assert read_item(core, i, j) == table[i, j].price
    write_item(core, 3, 1, -1.5)
    assert table[3, 1].price == -1.5
    assert (table["price"] == -1.5).sum() == 1


@pytest.mark.interpreted
def test_extents_may_be_numbers():
    table = np.zeros((3, 2, 2), ITEM)
    table["lots"] = np.arange(12).reshape(3, 2, 2)
    core = core_of(table, 3)
    assert [read_fixed(core, i, j, k) for i in range(3) for j in range(2) for k in range(2)] == list(range(12))


@pytest.mark.interpreted
def test_a_row_of_mixed_content_is_found_by_its_bytes_and_an_offset_in_it():
    table = np.zeros(4, MIXED)
    table["items"]["lots"] = np.arange(12).reshape(4, 3)
    core = core_of(table, 4, bytes=MIXED.itemsize, offset=MIXED.fields["items"][1])
    assert [read_mixed(core, i, j) for i in range(4) for j in range(3)] == list(range(12))


@pytest.mark.interpreted
def test_words_are_read_and_written_where_they_are():
    words = np.arange(5)
    core = core_of(np.zeros(1, ITEM), 1, words=address_of_array(words))
    assert swap_words(core, 0, 4) == 4
    assert words.tolist() == [4, 1, 2, 3, 0]


def _shift_words(array, by):
    words = words_of(array)
    for i in range(len(array) - by):
        words[i] = words[i + by]
    return words[0]


shift_words = compiled(_shift_words)


@pytest.mark.interpreted
def test_the_words_of_an_array_are_the_array_s_own():
    array = np.arange(6)
    assert shift_words(array, 2) == 2
    assert array.tolist() == [2, 3, 4, 5, 4, 5]
    assert shift_words(array[3:], 1) == 4
    assert array.tolist() == [2, 3, 4, 4, 5, 5]


@compiles
@pytest.mark.skipif(bool(numba.config.BOUNDSCHECK), reason="they stay an array")
@pytest.mark.parametrize("array", [np.arange(6)[::2], np.arange(6.0), np.zeros((2, 2), np.int64)])
def test_there_are_no_words_of_what_is_not_a_row_of_64_bit_integers(array):
    with pytest.raises(numba.core.errors.TypingError):
        shift_words(array, 1)


@compiles
@pytest.mark.interpreted
@pytest.mark.skipif(not numba.config.BOUNDSCHECK, reason="a pointer's indices are not checked")
def test_where_bounds_are_checked_so_are_those_of_words():
    with pytest.raises(IndexError):
        shift_words(np.arange(3), -1)


@pytest.mark.interpreted
@pytest.mark.skipif(not INTERPRETED, reason="compiled code cannot check")
@pytest.mark.parametrize("place", [(4, 0), (0, 5), (-1, 0), (0, -1)])
def test_interpreted_code_notices_an_index_outside_the_table(place):
    table = np.zeros((4, 5), ITEM)
    with pytest.raises(IndexError, match=rf"table table was read at \({place[0]}, {place[1]}\)"):
        read_item(core_of(table, *table.shape), *place)


# ---------------------------------------------------------------- bits


def _highest(word):
    return highest_bit(word)


def _lowest(word):
    return lowest_bit(word)


highest, lowest = compiled(_highest), compiled(_lowest)


@pytest.mark.interpreted
@pytest.mark.parametrize("low", [0, 1, 31, 32, 62, 63])
@pytest.mark.parametrize("high", [0, 1, 31, 32, 62, 63])
def test_the_outermost_bits_of_a_word_the_sign_included(low, high):
    bits = (1 << low) | (1 << high)
    word = np.array([bits], np.uint64).view(np.int64)[0]
    assert (lowest(word), highest(word)) == (min(low, high), max(low, high))


def test_what_is_private_to_numba_is_still_there():
    """The pinned version: when these go, `_compile` needs another way."""
    if INTERPRETED:
        return
    dispatcher = compiled(_plus)
    assert isinstance(dispatcher._cache, _compile._DiskCache)
    assert {"_reduce", "_rebuild"} <= set(dir(numba.core.compiler.CompileResult))
