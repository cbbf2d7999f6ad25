"""Where results go: nothing of anybody else's is replaced, and what is replaced is said."""

from hypothesis import given
from hypothesis import strategies as st

from twosided.app.output import earlier_runs, folder_names, output_folder


def test_the_results_that_will_be_replaced_are_named(tmp_path):
    out = tmp_path / "x"
    assert earlier_runs(out) == ""
    with output_folder(out) as partial:
        for name in ("glft", "fixed"):
            (partial / name).mkdir()
            (partial / name / "run.json").write_text("{}")
    assert earlier_runs(out) == f"replaced the earlier results in {out} (fixed, glft)"


def test_folders_need_no_quotes_in_a_shell():
    labels = ["fixed", "fixed (1)", "glft gamma=0.1", "a/b: c", "…"]
    assert folder_names(labels) == ["fixed", "fixed_1", "glft_gamma=0.1", "a_b_c", "run"]


@given(st.lists(st.text(max_size=6), max_size=6))
def test_every_run_has_a_folder_of_its_own(labels):
    names = folder_names(labels)
    assert len(set(names)) == len(labels)
    assert not any(name.startswith(".") or "/" in name or " " in name for name in names)
