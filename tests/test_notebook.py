"""The notebook magic in a real IPython shell: what runs, what is shown, what an exception and a nested cell do."""

import gzip

import pytest

import gomem
from gomem.notebook import CellProfile
from gomem.pprof.wire import decode

IPython = pytest.importorskip("IPython")


@pytest.fixture
def shell():
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    shell.run_line_magic("colors", "nocolor")
    shell.run_cell("%load_ext gomem", store_history=True)
    shell.user_ns.pop("_gomem", None)
    yield shell
    shell.run_cell("%unload_ext gomem", store_history=True)
    InteractiveShell.clear_instance()
    assert not gomem.is_running()


def run(shell, cell):
    return shell.run_cell(cell, store_history=True)


def test_the_cell_runs_in_the_notebooks_namespace_and_its_value_is_shown(shell, capsys):
    result = run(shell, "%%gomem --rate 1\nblocks = [bytearray(100_000) for _ in range(10)]\nlen(blocks)")
    said = capsys.readouterr().out
    assert result.success and len(shell.user_ns["blocks"]) == 10
    assert shell.user_ns["_"] == 10 and "10" in said
    assert "in use at the peak: " in said and "every allocation recorded, 0 lost" in said


def test_the_table_names_lines_of_the_cell(shell, capsys):
    run(shell, "%%gomem -r 1\n\ndef hold():\n    return bytearray(1_000_000)\n\nkept = hold()")
    said = capsys.readouterr().out
    assert "hold Cell In[" in said and "]:2\n" in said  # the magic line and blank ones after it do not count
    assert "976.62kB" in said or "976.56kB" in said  # the bytes asked for, with the terminating zero


def test_a_semicolon_shows_no_value(shell, capsys):
    run(shell, "%%gomem\n12345678;")
    assert "12345678" not in capsys.readouterr().out


def test_an_exception_shows_the_table_and_goes_on(shell, capsys):
    result = run(shell, "%%gomem -r 1\nkept = bytearray(1_000_000)\nraise KeyError('missing')")
    said = capsys.readouterr().out
    assert isinstance(result.error_in_exec, KeyError)
    assert "in use at the peak" in said and "raise KeyError('missing')" in said
    assert "notebook.py" not in said.partition("Traceback")[2]
    assert not gomem.is_running()


def test_a_syntax_error_is_a_syntax_error_and_starts_no_profile(shell, capsys):
    result = run(shell, "%%gomem\nthis is no python")
    assert isinstance(result.error_in_exec, SyntaxError)
    assert "in use at the peak" not in capsys.readouterr().out


def test_a_nested_cell_is_refused_and_the_outer_one_stays_whole(shell, capsys):
    result = run(shell, "%%gomem\nget_ipython().run_cell_magic('gomem', '', 'inner = 1')")
    said = capsys.readouterr()
    assert not result.success and "inner" not in shell.user_ns
    assert "is running already" in said.out + said.err
    assert said.out.count("in use at the peak") == 1


def test_a_profile_that_runs_is_not_disturbed(shell, capsys):
    gomem.start()
    try:
        result = run(shell, "%%gomem\n1")
        assert not result.success and gomem.is_running()
    finally:
        gomem.stop()


@pytest.mark.parametrize(
    ("options", "why"), [("--rate 0", "rate: got 0"), ("--frob", "unrecognized arguments"), ("-n many", "invalid int value")]
)
def test_bad_options_are_one_line_and_run_nothing(shell, capsys, options, why):
    result = run(shell, f"%%gomem {options}\nran = True")
    said = capsys.readouterr()
    assert not result.success and "ran" not in shell.user_ns
    assert why in said.err and "Traceback" not in said.out + said.err


def test_output_is_a_profile(shell, tmp_path, capsys):
    run(shell, f"%%gomem -r 1 -o {tmp_path}/mem.prof\nkept = bytearray(1_000_000)")
    profile = decode(gzip.decompress((tmp_path / "mem.prof").read_bytes()))
    assert profile.default_sample_type == "peak_space"
    assert f"wrote {tmp_path}/mem.prof" in capsys.readouterr().out


def test_html_has_a_flame_graph_of_the_cell(shell, capsys):
    run(shell, "%%gomem -r 1\ndef hold_many():\n    return bytearray(1_000_000)\nkept = hold_many()")
    page = shell.user_ns["_gomem"]._repr_html_()
    assert "flame graph of the peak" in page and "<iframe" in page
    assert "hold_many" in page.partition("<iframe")[2]


def test_html_is_escaped_and_has_each_view(shell, capsys):
    run(shell, "%%gomem -r 1\nkept = [bytearray(1000) for _ in range(100)]")
    shown = shell.user_ns["_gomem"]
    assert isinstance(shown, CellProfile)
    page = shown._repr_html_()
    assert "<b>in use at the peak: " in page and "<b>allocated in all: " in page
    tables = page.partition("<iframe")[0]
    assert "&lt;module&gt;" in tables and "<module>" not in tables
