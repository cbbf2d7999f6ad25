"""What a function means: another value that it reaches is another function to the compile cache, the same value is the same."""

import enum
import math
import types

import numba
import numpy as np
import pytest

import twosided.units
from twosided._compile import (
    INTERPRETED,
    compiled,
    meaning,
)

compiles = pytest.mark.skipif(INTERPRETED, reason="nothing is compiled")


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
