"""A file that cannot be read is named, with the byte where it breaks."""

import gzip
import os
import random
import zipfile

import pytest

from twosided.data.files import InputFile, zstd
from twosided.errors import DataError


def test_lines_and_blocks_hold_the_content_packed_or_not(tmp_path):
    content = b"".join(b"%d %s\n" % (i, b"x" * (i % 97)) for i in range(60_000))
    for name, packed in (("a.txt", content), ("no-ending-says-so", gzip.compress(content)), ("nor-this", zstd.compress(content))):
        path = tmp_path / name
        path.write_bytes(packed)
        file = InputFile(path)
        assert file.head == content[: 1 << 16]
        lines = list(file.lines())
        assert [number for number, _ in lines] == list(range(1, 60_001))
        assert b"".join(line for _, line in lines) == content
        blocks = list(file.blocks())
        assert b"".join(blocks) == content
        assert all(block.endswith(b"\n") for block in blocks)
        assert file.bytes_read == file.bytes_total == path.stat().st_size


def test_a_last_line_without_end_is_completed(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"one\ntwo")
    assert b"".join(InputFile(path).blocks()) == b"one\ntwo\n"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("missing", None, "no such file"),
        ("empty", b"", "is empty"),
        ("packed-empty.gz", gzip.compress(b"", mtime=0), "is empty once unpacked"),
        ("garbage.zst", b"\x28\xb5\x2f\xfd rest", "zstd stream is corrupt"),
        ("short.zst", zstd.compress(b"x" * 100)[:-6], "zstd stream breaks off"),
        ("a.parquet.gz", gzip.compress(b"PAR1 and more", mtime=0), "unpack it first: gzip -d"),
        ("short.gz", gzip.compress(b"x" * 100, mtime=0)[:-6], "truncated"),
        ("header.gz", b"\x1f\x8b\x08", "truncated"),
        ("garbage.gz", b"\x1f\x8b\x08\x00" + b"\xff" * 40, "corrupt"),
    ],
)
def test_what_cannot_be_read_is_said_in_one_sentence(tmp_path, name, content, said):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=said) as caught:
        InputFile(path)
    assert str(path) in str(caught.value)


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(DataError, match="is a folder; name the files in it"):
        InputFile(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_refused(tmp_path):
    path = tmp_path / "secret"
    path.write_text("x")
    path.chmod(0)
    with pytest.raises(DataError, match="Permission denied"):
        InputFile(path)


def test_a_gzip_stream_that_breaks_off_names_the_byte(tmp_path):
    packed = gzip.compress(random.Random(1).randbytes(300_000))
    path = tmp_path / "a.gz"
    path.write_bytes(packed[:200_000])
    with pytest.raises(DataError, match="byte 200000: the gzip stream breaks off"):
        list(InputFile(path).lines())


def test_a_gzip_stream_that_is_damaged_names_the_byte(tmp_path):
    packed = bytearray(gzip.compress(random.Random(1).randbytes(300_000)))
    packed[-5] ^= 255  # the check sum
    path = tmp_path / "a.gz"
    path.write_bytes(packed)
    with pytest.raises(DataError, match=r"byte \d+: the gzip stream is corrupt"):
        list(InputFile(path).blocks())


def zipped(path, members, **options):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, **options) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def test_a_zip_archive_of_one_file_is_that_file(tmp_path):
    path = zipped(tmp_path / "a.zip", {"folder/": b"", "folder/a.txt": b"one\ntwo\n"})
    file = InputFile(path)
    assert (file.head, file.place) == (b"one\ntwo\n", "line")
    assert list(file.lines()) == [(1, b"one\n"), (2, b"two\n")]
    assert file.bytes_read == file.bytes_total


@pytest.mark.parametrize("members", [{"a.csv": b"1", "b.csv": b"2"}, {"data.npy": b"1"}])
def test_other_zip_archives_are_left_to_their_readers(tmp_path, members):
    file = InputFile(zipped(tmp_path / "a.zip", members))
    assert file.head.startswith(b"PK")
    assert file.place == "row"


def test_a_zip_archive_that_breaks_off_or_is_damaged_is_said_to(tmp_path):
    content = random.Random(1).randbytes(300_000)
    whole = zipped(tmp_path / "a.zip", {"a.txt": content}).read_bytes()
    (tmp_path / "cut.zip").write_bytes(whole[:200_000])
    with pytest.raises(DataError, match=r"cut.zip: is a truncated or corrupt zip archive"):
        InputFile(tmp_path / "cut.zip")
    damaged = bytearray(whole)
    damaged[150_000] ^= 255
    (tmp_path / "damaged.zip").write_bytes(damaged)
    with pytest.raises(DataError, match=r"damaged.zip, byte \d+: the zip archive is corrupt"):
        list(InputFile(tmp_path / "damaged.zip").blocks())
