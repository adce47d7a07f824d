"""What an edit of the code re-runs: the jobs whose code means something else by it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.run import code, contract
from pipeline.run.plan import Plan
from pipeline.study.check import load

REMEMBERED = (code.closure, code._imports, code._locate, code._file_meaning, contract._read_stage)
MEANT = "\n\nMEANT = 'something else'\n"


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of the project's code, and the checked study of params.yaml."""
    study, folder = load(Path("params.yaml")), tmp_path_factory.mktemp("project")
    for name in ("src", "pipeline"):
        shutil.copytree(name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return study, folder


@pytest.fixture
def edited(project, monkeypatch):
    """(file, edit of its text) -> the jobs that are others by it. The edit is taken back."""
    study, folder = project
    monkeypatch.chdir(folder)
    before = digests(study)

    def jobs(file, edit):
        text = Path(file).read_text()
        assert edit(text) != text
        Path(file).write_text(edit(text))
        try:
            after = digests(study)
        finally:
            Path(file).write_text(text)
        assert after.keys() == before.keys()
        return {name for name, digest in after.items() if digest != before[name]}

    yield jobs
    forget()


def digests(study):
    """The digest of every job's code, as the files of this folder have it now."""
    forget()
    plan = Plan(study)
    return {name: code.digest(job.contract, plan.params(job)) for name, job in plan.jobs.items()}


def forget():
    for remembered in REMEMBERED:
        remembered.cache_clear()


def readers(plan, names):
    """The jobs, and all that read what they write, directly or not."""
    found, written, size = set(names), set(), -1
    while size != len(found):
        size = len(found)
        written |= {path for name in found for path in plan.writes(plan.jobs[name]).values()}
        for name, job in plan.jobs.items():
            if any(one.path in written for files in plan.reads(job).values() for one in files):
                found.add(name)
    return found


@pytest.mark.parametrize(
    "file",
    [
        "pipeline/run/job.py",
        "pipeline/run/start.py",
        "pipeline/run/plan.py",
        "src/robustinfo/core/files.py",
        "src/robustinfo/core/registry.py",
    ],
)
def test_a_comment_changes_no_job(edited, file):
    assert edited(file, lambda text: "# Something for readers.\n" + text) == set()


def test_a_docstring_changes_no_job_though_most_run_the_code(edited):
    pgd = "src/robustinfo/attacks/pgd.py"
    assert edited(pgd, lambda text: text.replace('"""', '"""In other words: ', 1)) == set()
    assert "attack/digits/lenet5/standard/0/linf_pgd" in edited(pgd, lambda text: text + MEANT)


def test_an_attacks_edit_changes_that_attack_and_what_reads_it(edited, project):
    """Beside it, those whose parameters hold all attacks, and so their code.

    The stages diagnose and remedies may make any of them again; gallery, verdict and leaderboard
    ask each what it knows and may do; tables, figures and claims say at what scale they were made.
    All of these read what the attack wrote, so that nothing is run that would not follow from it
    anyway.
    """
    plan = Plan(project[0])
    found = edited("src/robustinfo/attacks/bim.py", lambda text: text + MEANT)
    own = {name for name, job in plan.jobs.items() if job.names.get("attack") == "bim"}
    assert len(own) == 8 and {name for name in found if name.startswith("attack/")} == own
    stages = {"diagnose", "gallery", "verdict", "leaderboard", "table", "figure", "claims"}
    stages |= {"remedies"}
    rest = {name for name, job in plan.jobs.items() if job.contract.stage in stages}
    assert found == own | rest <= readers(plan, own)


def test_a_stages_file_is_the_code_of_no_other_stage():
    stages = contract.read_all()
    programs = {one.program for one in stages.values()}
    for one in stages.values():
        assert code.closure(one.program) & programs == {one.program}


@pytest.mark.parametrize("stage", ["prepare", "attack", "overview", "verdict"])
def test_a_constant_in_a_stages_file_changes_its_own_jobs(edited, project, stage):
    own = {name for name, job in Plan(project[0]).jobs.items() if job.contract.stage == stage}
    assert own and edited(f"pipeline/stages/{stage}.py", lambda text: text + MEANT) == own


def test_how_jobs_are_planned_and_started_is_no_part_of_what_they_compute(edited):
    for file in ("plan", "start", "contract", "code", "meaning"):
        assert edited(f"pipeline/run/{file}.py", lambda text: text + MEANT) == set()


def test_a_new_stage_brings_its_jobs_and_changes_no_other(project, monkeypatch):
    study, folder = project
    monkeypatch.chdir(folder)
    before, file = digests(study), Path("pipeline/stages/fresh.py")
    file.write_text(
        '"""Stage fresh."""\n\nJOBS = {"setting": "settings", "defence": "defences"}\n'
        'READS = ["model"]\nWRITES = {"fresh": "{dataset}/{model}/{defence}/fresh.csv"}\n'
        'PARAMS = {"threat": "threat"}\n'
    )
    after = digests(study)
    file.unlink()
    forget()
    new = {f"fresh/digits/lenet5/{defence}" for defence in study["defences"]}
    assert after.keys() - before.keys() == new and len(new) == 4
    assert {name: after[name] for name in before} == before


LOADED = "import sys; from importlib import import_module; import_module({!r}); print(*sys.modules)"


@pytest.mark.parametrize("stage", ["attack", "collect", "report", "verdict"])
def test_what_a_program_imports_is_in_its_closure(stage):
    module = f"pipeline.stages.{stage}"
    asked = [sys.executable, "-c", LOADED.format(module)]
    environment = os.environ | {"PYTHONPATH": f"src{os.pathsep}."}
    said = subprocess.run(asked, check=True, capture_output=True, text=True, env=environment).stdout
    ours = {name for name in said.split() if name.split(".")[0] in ("robustinfo", "pipeline")}
    forget()
    known = code.closure(f"pipeline/stages/{stage}.py")
    names = {
        file.removeprefix("src/").removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        for file in known
    }
    packages = {name for name in ours if (Path("src", *name.split(".")) / "__init__.py").exists()}
    packages |= {name for name in ours if (Path(*name.split(".")) / "__init__.py").exists()}
    assert ours - packages <= names
    assert {"robustinfo.maths.statistics"} & ours <= names


def test_an_edit_of_how_seeds_come_together_concludes_again(edited):
    changed = edited("src/robustinfo/maths/statistics/runs.py", lambda text: text + MEANT)
    assert {name.partition("/")[0] for name in changed} >= {"verdict", "leaderboard", "claims"}
    assert not [name for name in changed if name.startswith(("pretrain", "attack"))]


def test_a_section_of_the_schema_computes_nothing_again(edited):
    changed = edited("pipeline/study/schema.py", lambda text: text + MEANT)
    shown = {"claims", "table", "figure", "overview", "gallery", "report"}
    assert {name.partition("/")[0] for name in changed} <= shown


def test_what_is_learned_sees_the_attacks_that_it_names():
    plan = Plan(load(Path("studies/one-bit-matters-small.yaml")))
    seen = [plan.params(job) for job in plan.of("learn")]
    named = [{*one["learning"].get("attacks", ())} for one in seen]
    assert [{*one["attacks"]} for one in seen] == named
    assert any(named) and not all(named)


def test_what_is_distorted_sees_the_measures_that_it_names():
    plan = Plan(load(Path("studies/mutual-information-small.yaml")))
    jobs = plan.of("distort")
    assert jobs and all({*plan.params(job)["measures"]} < {*plan.study["measures"]} for job in jobs)
