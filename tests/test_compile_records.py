"""Records, rows and words found by address, and the outermost bits of a word: compiled and interpreted alike."""

import numba
import numpy as np
import pytest

from twosided._compile import (
    INTERPRETED,
    address_of_array,
    compiled,
    detached,
    further,
    highest_bit,
    lowest_bit,
    table_at,
    words_at,
    words_of,
)

compiles = pytest.mark.skipif(INTERPRETED, reason="nothing is compiled")


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


def _write_further(core, i, j, places, price):
    further(item_at(core, i, j), places).price = price


write_further = compiled(_write_further)
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
@pytest.mark.parametrize("first", [0, 3])
def test_a_record_leads_to_those_that_stand_further_on_in_its_table(first):
    table = np.zeros((6, 5), ITEM)[first:]
    core = core_of(table, *table.shape)
    write_further(core, 1, 2, 0, 1.5)
    write_further(core, 1, 2, 6, 2.5)
    assert (table[1, 2].price, table[2, 3].price) == (1.5, 2.5)
    assert (table["price"] != 0).sum() == 2


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


# ---------------------------------------------------------------- functions by address


def _value_of(core, lots, price):
    if lots < 0:
        raise ValueError("lots below 0")
    return core.rows * lots * price


reach_value_of, value_address = detached(_value_of, "f8", CORE, "i8", "f8")


def _ask_for_value(core, lots):
    return reach_value_of(core.table)(core, lots, 2) if core.rows > 0 else -1.0


ask_for_value = compiled(_ask_for_value)


@pytest.mark.interpreted
def test_a_detached_function_is_reached_through_its_address_and_not_needed_where_it_is_not_called():
    core = np.zeros(1, CORE)[0]
    assert ask_for_value(core, np.int8(3)) == -1.0
    core.rows, core.table = 5, value_address()
    assert (value_address() == 0) == INTERPRETED
    assert ask_for_value(core, np.int8(3)) == 30.0
    with pytest.raises(ValueError, match="lots below 0"):
        ask_for_value(core, np.int8(-3))


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
