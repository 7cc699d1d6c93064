"""The pytest plugin, run as a user runs it: in a fresh process, with and without the plugins it must live with."""

import gzip
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from importlib.metadata import entry_points

import pytest

import gomem.pytest_plugin
from gomem.pprof.wire import decode

SUITE = """
import pytest

@pytest.fixture
def heavy_fixture():
    return bytearray(5_000_000)

def test_many():
    blocks = [bytearray(100_000) for _ in range(10)]
    assert len(blocks) == 10

def test_one_after_another():
    for _ in range(10):
        bytearray(100_000)

def test_nothing(heavy_fixture):
    pass
"""


def run(directory, *options, suite=SUITE, status=0, plugin="", **environment):
    """What pytest said about the suite, with our plugin, another one if given, and no more: loading all takes seconds."""
    (directory / "test_it.py").write_text(suite)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    loaded = ["-p", "no:cacheprovider", "-p", "gomem.pytest_plugin", *(["-p", plugin] if plugin else [])]
    got = subprocess.run(
        [sys.executable, "-m", "pytest", *loaded, *options],
        cwd=directory,
        env={**inherited, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **environment},
        capture_output=True,
        text=True,
    )
    assert got.returncode == status, got.stdout + got.stderr
    return got.stdout + got.stderr


def read(path):
    return decode(gzip.decompress(path.read_bytes()))


def names(profile):
    return {function.name for function in profile.functions}


def properties(path):
    """{test name: {property: number}} of a junit file."""
    return {
        case.get("name"): {p.get("name"): int(p.get("value")) for p in case.iter("property")}
        for case in ET.parse(path).iter("testcase")
    }


def test_pytest_finds_the_plugin_by_its_entry_point():
    [entry] = entry_points(group="pytest11", name="gomem")
    assert entry.load() is gomem.pytest_plugin


def test_profile_names_the_tests_and_is_of_what_was_allocated(tmp_path):
    said = run(tmp_path, "--memprofile=mem.prof", "--memprofilerate=4096")
    profile = read(tmp_path / "mem.prof")
    assert {"test_it.test_many", "test_it.heavy_fixture"} <= names(profile)
    assert profile.default_sample_type == "alloc_space"
    assert "wrote mem.prof" in said


def test_figures_at_rate_1_are_exact_for_the_call_alone(tmp_path):
    said = run(tmp_path, "--benchmem", "--memprofilerate=1", "--junitxml=junit.xml")
    got = properties(tmp_path / "junit.xml")
    slack = 20_000  # pytest's own calls around the test
    many, in_turn, nothing = got["test_many"], got["test_one_after_another"], got["test_nothing"]
    assert 1_000_000 <= many["gomem_alloc_bytes"] < 1_000_000 + slack
    assert 1_000_000 <= many["gomem_peak_bytes"] < 1_000_000 + slack
    assert 1_000_000 <= in_turn["gomem_alloc_bytes"] < 1_000_000 + slack
    assert 100_000 <= in_turn["gomem_peak_bytes"] < 100_000 + slack
    assert 10 <= many["gomem_alloc_objects"] < 500
    assert nothing["gomem_alloc_bytes"] < slack and nothing["gomem_peak_bytes"] < slack
    assert "every allocation" in said
    assert said.index("::test_many") < said.index("::test_nothing")
    assert not list(tmp_path.glob("*.prof"))


def test_costs_nothing_when_not_asked_for(tmp_path):
    suite = """
import sys, gomem

def test_idle():
    loaded = {name for name in sys.modules if name.startswith("gomem")}
    assert not gomem.is_running()
    import subprocess
    code = "import gomem, sys; print(*(name for name in sys.modules if name.startswith('gomem')))"
    alone = set(subprocess.check_output([sys.executable, "-c", code], text=True).split())
    assert loaded <= alone | {"gomem.pytest_plugin"}
"""
    said = run(tmp_path, "--junitxml=junit.xml", suite=suite)
    assert "= gomem =" not in said
    assert properties(tmp_path / "junit.xml") == {"test_idle": {}}


def test_tests_that_fail_are_measured_and_the_profile_is_written(tmp_path):
    run(tmp_path, "--benchmem", "--memprofile=mem.prof", suite="def test_bad():\n    assert bytes(99) == 0", status=1)
    assert read(tmp_path / "mem.prof").samples


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--memprofile=none/mem.prof"], "want a file in a writable directory"),
        (["--memprofile=."], "want a file in a writable directory"),
        (["--memprofile=mem.prof", "--memprofilerate=0"], "rate: got 0, want"),
        (["--benchmem", "--memprofilerate=fine"], "rate: got 'fine', want"),
    ],
)
def test_bad_options_are_one_line_and_touch_no_file(tmp_path, options, complaint):
    said = run(tmp_path, *options, status=4)
    assert complaint in said and "Traceback" not in said
    assert not list(tmp_path.rglob("*.prof"))


def test_a_profile_that_runs_already_is_said(tmp_path):
    (tmp_path / "starter.py").write_text("import gomem; gomem.start()")
    said = run(tmp_path, "--memprofile=mem.prof", plugin="starter", status=4, PYTHONPATH=str(tmp_path))
    assert "is running already" in said and "Traceback" not in said


FLAKY = """
import os

def test_flaky():
    first = not os.path.exists("ran")
    open("ran", "w").close()
    size = 1_000_000 if first else 300_000
    assert len(bytearray(size)) == 300_000
"""


@pytest.mark.once
def test_rerunfailures_leaves_the_figures_of_the_last_run(tmp_path):
    pytest.importorskip("pytest_rerunfailures")
    options = ["--reruns=2", "--benchmem", "--memprofilerate=1", "--junitxml=junit.xml"]
    run(tmp_path, *options, suite=FLAKY, plugin="pytest_rerunfailures")
    assert 300_000 <= properties(tmp_path / "junit.xml")["test_flaky"]["gomem_alloc_bytes"] < 400_000


@pytest.mark.once
def test_flaky_plugin_leaves_the_figures_of_the_last_run(tmp_path):
    pytest.importorskip("flaky")
    options = ["--force-flaky", "--benchmem", "--memprofilerate=1", "--junitxml=junit.xml"]
    run(tmp_path, *options, suite=FLAKY, plugin="flaky.flaky_pytest_plugin")
    assert 300_000 <= properties(tmp_path / "junit.xml")["test_flaky"]["gomem_alloc_bytes"] < 400_000


@pytest.mark.once
def test_coverage_is_the_same_with_and_without(tmp_path):
    pytest.importorskip("pytest_cov")
    options = ["--cov=test_it", "--cov-report=term"]
    plain = run(tmp_path, *options, plugin="pytest_cov")
    profiled = run(tmp_path, *options, "--memprofile=mem.prof", "--benchmem", plugin="pytest_cov")
    wanted = next(line for line in plain.splitlines() if line.startswith("test_it.py "))
    assert wanted in profiled
    assert "test_it.test_many" in names(read(tmp_path / "mem.prof"))


@pytest.mark.once
def test_xdist_workers_write_one_file_each_when_the_name_tells_them_apart(tmp_path):
    pytest.importorskip("xdist")
    options = ["-n2", "--benchmem", "--memprofile=mem.{worker}.prof", "--memprofilerate=4096"]
    said = run(tmp_path, *options, plugin="xdist")
    files = sorted(path.name for path in tmp_path.glob("*.prof"))
    assert files == ["mem.gw0.prof", "mem.gw1.prof"]
    assert "test_it.test_many" in names(read(tmp_path / files[0])) | names(read(tmp_path / files[1]))
    assert all(f"wrote {file}" in said for file in files)
    assert "::test_many" in said.partition("gomem =")[2]


def test_xdist_workers_make_one_profile_together(tmp_path):
    pytest.importorskip("xdist")
    suite = "\n".join(f"def test_{i}():\n    bytearray(1_000_000)\n" for i in range(4))
    options = ["-n2", "--dist=each", "--memprofile=mem.prof", "--memprofilerate=1"]
    said = run(tmp_path, *options, plugin="xdist", suite=suite)
    assert said.count("wrote mem.prof") == 1
    profile = read(tmp_path / "mem.prof")
    assert profile.default_sample_type == "alloc_space"
    column = [kind.type for kind in profile.sample_types].index("alloc_space")
    samples, sums = profile.samples, {}
    for i in range(len(samples)):
        leaf = profile.locations[samples.stacks[samples.starts[i]]].lines[0].function
        name = profile.functions[leaf].name
        sums[name] = sums.get(name, 0) + samples.values[i * samples.width + column]
    for i in range(4):  # each worker ran each test
        assert 2_000_000 <= sums[f"test_it.test_{i}"] < 2_010_000


@pytest.mark.once
def test_a_worker_that_dies_is_said(tmp_path):
    pytest.importorskip("xdist")
    suite = "import os\ndef test_dies():\n    os.kill(os.getpid(), 9)\n"
    options = ["-n1", "--max-worker-restart=0", "--memprofile=mem.prof"]
    said = run(tmp_path, *options, plugin="xdist", suite=suite, status=1)
    assert "gw0 ended without its profile: its part is missing" in said
