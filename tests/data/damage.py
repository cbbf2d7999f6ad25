"""Damages recordings on purpose, and says what may come of reading one: a sentence, or a recording that is valid."""

import random
import time

from twosided.data.formats import open_source
from twosided.data.info import describe
from twosided.data.recording import load
from twosided.errors import InputError

LETTERS = b"0123456789.-+eE,\"'[]{}:\n\r \x00\xff_nulltrueNaN"
LONGEST_S = 20.0  # a small file that takes longer hangs, whatever else this machine does


def mutated(content, rng):
    """Return *content* with a few bytes changed, removed, repeated or put elsewhere."""
    result = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 5))):
        place, length = rng.randrange(len(result) + 1), rng.choice((1, 1, 2, 8, 40))
        match rng.randrange(6):
            case 0:
                result[place : place + 1] = bytes([rng.choice(LETTERS)])
            case 1:
                result[place : place + 1] = bytes([rng.randrange(256)])
            case 2:
                del result[place : place + length]
            case 3:
                result[place:place] = bytes(rng.choice(LETTERS) for _ in range(length))
            case 4:
                result[place:place] = result[place : place + length]
            case _:
                other = rng.randrange(len(result) + 1)
                result[place : place + length] = result[other : other + length]
        if not result:
            return b"\n"
    return bytes(result)


def survive(path, assert_valid, rng, counts, *, beside=(), steps=({}, {"tick_size": "0.05", "lot_size": "0.01"})):
    """Read *path* with one of *steps*; count what came of it."""
    stated, paths, begin = rng.choice(steps), [path, *beside], time.monotonic()
    try:
        recording = load(paths, **stated)
        if rng.random() < 0.05:
            describe(open_source(paths, **stated))
    except InputError as error:
        sentence = str(error)
        assert "\n" not in sentence
        assert len(sentence) < 600
        counts["refused"] += 1
    else:
        assert_valid(recording)
        counts["read"] += 1
    assert time.monotonic() - begin < LONGEST_S


def fuzz(contents, path, assert_valid, *, rounds, seed, beside=(), **options):
    """Read *rounds* damaged versions of *contents*, in turn; return how many were read and refused.

    What fails can be looked at: *path* still holds the content that did it.
    """
    rng, counts = random.Random(seed), {"refused": 0, "read": 0}
    for round_ in range(rounds):
        path.write_bytes(mutated(contents[round_ % len(contents)], rng))
        survive(path, assert_valid, rng, counts, beside=beside, **options)
    return counts
