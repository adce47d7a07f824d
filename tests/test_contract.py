"""What a stage's file says of itself is complete and true; the jobs of the shipped studies."""

import re
import subprocess
import sys
from collections import Counter
from graphlib import TopologicalSorter
from pathlib import Path
from string import Formatter

import pytest
from ruamel.yaml import YAML

from pipeline.run import code, contract
from pipeline.run.plan import Plan
from pipeline.study.check import load
from pipeline.study.slices import KINDS, TRAININGS, in_setting, key_of
from pipeline.study.strict_yaml import StudyError
from pipeline.tracking.dvc_stages import COMMAND, JOBS, dvc_yaml
from tests import asked
from tests.jobs import settle

CONTRACTS = contract.read_all()
FILES = [Path("params.yaml"), *sorted(Path("studies").glob("*.yaml"))]
PLANS = {file.name: Plan(load(file)) for file in FILES}
# What each kind of entry gives a job besides its own name.
GIVES = {"setting": {"dataset", "model"}, "transfer": {"defence", "proxy"}}
GIVES["stopped"] = {"defence", "of", "attack"}

each_stage = pytest.mark.parametrize("stage", CONTRACTS.values(), ids=CONTRACTS)
each_study = pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)


@each_stage
def test_what_a_stage_reads_another_stage_writes(stage):
    others = [one.writes for one in CONTRACTS.values() if one is not stage]
    assert {read.artifact for read in stage.reads} <= {name for one in others for name in one}


@each_stage
def test_the_roles_that_a_program_asks_for_are_those_that_it_reads(stage):
    roles = {read.role for read in stage.reads}
    of_start = {"model"} if "defence" in stage.names else set()  # did anybody train it?
    assert asked.of(stage.program).roles | (of_start & roles) == roles


@each_stage
def test_a_program_writes_what_it_says_and_nothing_else(stage):
    assert asked.of(stage.program).writes == {*stage.writes}


@each_stage
def test_a_program_asks_for_no_parameter_that_it_does_not_name(stage):
    assert asked.of(stage.program).params <= {*stage.params}


@each_stage
def test_every_parameter_is_asked_for_or_says_whose_code_runs(stage):
    found = asked.of(stage.program)
    used = set(found.params)
    if found.whole:  # by functions that are given all parameters
        closure = code.closure(stage.program)
        used |= asked.subscripts(file for file in closure if file.startswith("pipeline/"))
        used |= {*TRAININGS, "stop_early"}  # scale.py looks for the one that trains a defence
    methods = {short for short, key in stage.params.items() if key_of(key).split(".")[0] in KINDS}
    shown = {"start"} if stage.stage == "retrain" else set()  # by MLflow, beside other runs
    assert {*stage.params} <= used | methods | shown


def braced(*texts):
    """What stands in braces, up to its first bracket."""
    fields = [name for text in texts for _, name, *_ in Formatter().parse(text) if name]
    return {re.split(r"[.\[]", name)[0] for name in fields}


@each_stage
def test_every_name_in_braces_is_there_and_every_path_has_all_names_of_its_job(stage):
    given = {name for label in stage.jobs for name in GIVES.get(label, {label})}
    of_study = {*PLANS["params.yaml"].study, "study"}
    elsewhere = [one for read in stage.reads for one in read.names.values()]
    assert braced(*stage.writes.values()) <= given | {"study"}
    assert braced(*map(key_of, stage.params.values()), *elsewhere) <= given | of_study
    assert all(braced(path) == {*stage.names, "study"} for path in stage.writes.values())


def not_asked(study, setting):
    """The roles that may be empty in a setting: it has no attacks, nothing is selected ..."""
    own = in_setting(study, setting)
    lacks = {
        "examples": not own["attacks"],
        "attacked": not own["attacks"],
        "selection": setting not in study["selection"]["settings"],
        "slices": own["images_per_job"] is None,
    }
    return {role for role, one in lacks.items() if one}


def lacks_snapshots(job, study):
    """Whether it measures a network that was not trained here."""
    return (
        job.contract.stage == "measure"
        and "network" in (in_setting(study, job.names)["defences"][job.names["defence"]])
    )


@each_study
def test_every_job_has_what_it_reads_and_may_see(plan):
    alone = {name: asked.of(stage.program).one for name, stage in CONTRACTS.items()}
    settings = plan.study["settings"]
    may_lack = {(one["dataset"], one["model"]): not_asked(plan.study, one) for one in settings}
    for job in plan.jobs.values():
        setting = (job.names.get("dataset"), job.names.get("model"))
        for role, files in plan.reads(job).items():
            lacks = role == "snapshots" and lacks_snapshots(job, plan.study)
            assert files or lacks or role in may_lack.get(setting, ()), (job.name, role)
            alone_here = role in alone[job.contract.stage] and not lacks
            assert not alone_here or len(files) == 1, (job.name, role)
        assert plan.params(job).keys() == job.contract.params.keys()


@each_study
def test_no_two_jobs_write_one_file_and_none_waits_for_itself(plan):
    written = [(file, job.name) for job in plan.jobs.values() for file in plan.writes(job).values()]
    writer = dict(written)
    assert len(writer) == len(written), Counter(file for file, _ in written).most_common(1)
    for file in writer:
        assert not writer.keys() & {*file.parents}, f"{file} lies in another job's folder"
    graph = TopologicalSorter()
    for name, job in plan.jobs.items():
        read = [one.path for files in plan.reads(job).values() for one in files]
        graph.add(name, *(writer[file] for file in read))
    graph.prepare()  # CycleError


def test_dvc_yaml_is_what_is_generated():
    assert Path("dvc.yaml").read_text() == dvc_yaml(PLANS["params.yaml"])


def test_dvc_runs_the_commands_of_the_plan():
    stages = YAML(typ="safe").load(Path("dvc.yaml"))["stages"]
    assert stages.pop(JOBS)["cmd"] == COMMAND
    planned = PLANS["params.yaml"].jobs.items()
    found = {name: stage["cmd"] for name, stage in stages.items()}
    assert found == {name: job.command("params.yaml") for name, job in planned}


def test_snakemake_runs_the_commands_of_the_plan(tmp_path, monkeypatch):
    for name in ("Snakefile", "profiles", "params.yaml"):
        (tmp_path / name).symlink_to(Path(name).absolute())
    settle(tmp_path, monkeypatch)
    command = [sys.executable, "-m", "snakemake", "--dry-run", "--printshellcmds"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.findall(r"^Shell command: (.*) > logs/\S+ 2>&1$", said, re.MULTILINE)
    jobs = PLANS["params.yaml"].jobs.values()
    assert sorted(found) == sorted(job.command("params.yaml") for job in jobs)


RUN = {"dataset": "digits", "model": "lenet5", "defence": "standard", "seed": "0"}


@pytest.mark.parametrize(
    ("stage", "names", "said"),
    [
        ("atack", RUN, f"no stage 'atack'; choose from {', '.join(CONTRACTS)}"),
        ("_training", RUN, f"no stage '_training'; choose from {', '.join(CONTRACTS)}"),
        ("attack", RUN, "stage attack needs --attack"),
        ("diagnose", {**RUN, "attack": "fgsm"}, "stage diagnose takes no --attack"),
        ("diagnose", RUN | {"seed": "2"}, "stage diagnose has no seed '2' here; choose from 0, 1"),
        (
            "pretrain",
            RUN | {"defence": "entropic"},
            "stage pretrain has no defence 'entropic' here; choose from standard, "
            "adversarial_scratch",
        ),
        ("learn", {}, "stage learn needs --dataset"),
        (
            "learn",
            {**RUN, "learning": "x"},
            "stage learn has no dataset 'digits' here; choose from none",
        ),
    ],
)
def test_a_job_that_is_not_there_is_an_error_with_the_choices(stage, names, said):
    with pytest.raises(StudyError) as error:
        PLANS["params.yaml"].job(stage, names)
    assert str(error.value) == said


def contract_of(folder, text, helper=""):
    """The contract of a stage ``mine`` of this text, and of a helper beside it."""
    stages = folder / "pipeline/stages"
    stages.mkdir(parents=True)
    (stages / "_shared.py").write_text(helper)
    (stages / "mine.py").write_text(text)
    return contract.read_all(folder)["mine"]


def test_what_stages_have_alike_stands_in_a_helper(tmp_path):
    helper = 'FILES_OF = {"model": "{seed}/m"}\nSEEN = {"seeds": "seeds"}\nOTHER = dict(a=1)\n'
    text = "from pipeline.stages._shared import FILES_OF, SEEN\nWRITES = FILES_OF\n"
    found = contract_of(tmp_path, text + 'PARAMS = {**SEEN, "toy": "toys.{toy}"}\n', helper)
    assert found.writes == {"model": "results/{study}/{seed}/m"}
    assert found.params == {"seeds": "seeds", "toy": "toys.{toy}"}


@pytest.mark.parametrize("said", ["dict(seeds='seeds')", "SEEN", "{**SEEN}", "{name: 'x'}"])
def test_a_contract_that_only_a_run_could_tell_is_refused(tmp_path, said):
    with pytest.raises(ValueError, match=r"mine\.py: PARAMS is no literal"):
        contract_of(tmp_path, f"WRITES = {{'a': 'a.csv'}}\nPARAMS = {said}\n")
