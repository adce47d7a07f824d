"""The plan of a study of a thousand jobs beside a slow one that tries all combinations of names."""

from itertools import product

import pytest

from pipeline.run import contract
from pipeline.run.plan import Plan
from pipeline.study.slices import in_setting
from tests.jobs import STANDARD, small

FGSM = {"method": "fgsm", "epsilon": 0.1}
GRID = [{"dataset": d, "model": m} for d, m in product(("a", "a_b", "c"), ("x", "b", "b_x"))]
DEFENCES = ("one", "two", "three", "retrained", "waiting", "early", "early_two")
EVERYTHING = small(
    settings=GRID[::2] + GRID[1:2],
    datasets={name: {"method": "digits"} for name in ("a", "a_b", "c", "unused")},
    models={name: {"method": "lenet5"} for name in ("x", "b", "b_x")},
    defences={name: STANDARD for name in DEFENCES}
    | {"three": {"per": {"a": None, "else": STANDARD}}}
    | {"early": {"per": {"a": None, "else": STANDARD}}}
    | {"waiting": {"per": {"c/x": STANDARD, "else": None}}}
    | {"elsewhere": {"per": {"a": None, "else": {"network": "mine:net"}}}},
    pretrain={name: {} for name in ("one", "two", "three")},
    retrain={"retrained": {}},
    train_selected={"waiting": {}},
    stop_early=[
        {"defence": "early", "of": "three", "attack": "attack_1"},
        {"defence": "early_two", "of": "retrained", "attack": "attack_2"},
    ],
    retrain_from="two",
    seeds=[3, 0, 12],
    attacks={f"attack_{number}": FGSM for number in range(8)}
    | {"of_c": {"per": {"c": FGSM, "else": None}}},
    selection={
        "settings": [{"dataset": "c", "model": "x"}],
        "compared": ["one", "two"],
        "attack": "of_c",
    },
    transfers=[
        {"defence": "one", "proxy": "elsewhere"},
        {"defence": "three", "proxy": "one"},
        {"defence": "elsewhere", "proxy": "one"},
    ],
    evaluation_images=5,
    images_per_job={"per": {"c/x": 2, "else": None}},
    complexities={"png": {"per": {"a_b": {"method": "png_size"}, "else": None}}},
    distortions={"jpeg": {"method": "jpeg"}},
    learning={"again": {"per": {"a/b_x": {"method": "retrained"}, "else": None}}},
    detection={"fast": FGSM, "slow": FGSM},
    toys={"toy": {}, "a": {}},
    tables={"t": {}, "u": {}},
    figures={"f": {}},
)  # fmt: skip


def candidates(study):
    """Every value that a name could have."""
    sections = {"dataset": "datasets", "model": "models", "defence": "defences", "seed": "seeds"}
    sections |= {"attack": "attacks", "learning": "learning", "detection": "detection"}
    found = {name: [*map(str, study[section])] for name, section in sections.items()}
    found["first"] = ["0", "2", "4"]
    return found | {"toy": [*study["toys"]], "target": [*study["tables"], *study["figures"]]}


def elsewhere(names, study):
    """Whether names are of a network that the study does not train."""
    known = {"dataset", "model", "defence"} <= names.keys()
    entry = in_setting(study, names)["defences"].get(names["defence"]) if known else None
    return entry is not None and "network" in entry


def asked_for(stage, names, study):
    """Whether a study asks for a job of a stage with these names."""
    selection = study["selection"]
    setting = {name: names[name] for name in ("dataset", "model") if name in names}
    if stage == "prepare":
        return names["dataset"] in [one["dataset"] for one in study["settings"]]
    if not setting:
        sections = {"toy": "toys", "table": "tables", "figure": "figures"}
        return all(name in study[sections[stage]] for name in names.values())
    if setting not in study["settings"]:
        return False
    own = in_setting(study, setting)
    selects = setting in selection["settings"]
    there = {  # of the stages that are not about every defence of every setting
        "pretrain": lambda: names["defence"] in own["pretrain"],
        "retrain": lambda: names["defence"] in own["retrain"],
        "train_selected": lambda: selects and names["defence"] in own["train_selected"],
        "stop_early": lambda: names["defence"] in [one["defence"] for one in study["stop_early"]],
        "screen": lambda: selects and names["defence"] in selection["compared"],
        "select": lambda: selects,
        "transfer": lambda: names["defence"] in [one["defence"] for one in study["transfers"]],
        "complexity": lambda: own["complexities"] != {},
        "distort": lambda: own["distortions"] != {},
        "adopt": lambda: elsewhere(names, study),
        "attack": lambda: names["attack"] in own["attacks"],
        "attack_slice": lambda: names["attack"] in own["attacks"] and own["images_per_job"],
        "learn": lambda: names["learning"] in own["learning"],
        "detect": lambda: names["detection"] in own["detection"],
    }
    defended = names.get("defence") in (None, *own["defences"])
    if elsewhere(names, study) and names["seed"] != str(study["seeds"][0]):
        return False
    return bool(defended and there.get(stage, lambda: True)())


def reference(study):
    """{name of a job: (stage, names)} of every job."""
    values = candidates(study)
    found = {}
    for stage, one in contract.read_all().items():
        for chosen in product(*(values[name] for name in one.names)):
            names = dict(zip(one.names, chosen, strict=True))
            if asked_for(stage, names, study):
                found["/".join([stage, *chosen])] = (stage, names)
    return found


@pytest.fixture(scope="module")
def jobs():
    return reference(EVERYTHING)


def test_the_jobs_are_those_of_all_combinations(jobs):
    found = {job.name: (job.contract.stage, job.names) for job in Plan(EVERYTHING).jobs.values()}
    assert len(jobs) > 1000 and found == jobs


def read_by(stage, names, jobs, study):
    """{role: the jobs whose files it reads}, by looking at every job for every artifact."""
    proxies = {one["defence"]: one["proxy"] for one in study["transfers"]}
    told = {"{proxy}": proxies.get(names.get("defence")), "{seeds[0]}": str(study["seeds"][0])}
    told["{retrain_from}"] = study["retrain_from"]
    sources = {one["defence"]: one["of"] for one in study["stop_early"]}
    told["{of}"] = sources.get(names.get("defence"))
    contracts, found = contract.read_all(), {}
    for role, artifact, of in contracts[stage].reads:
        wanted = names | {name: told[value] for name, value in of.items()}
        if "seed" in wanted and elsewhere(wanted, study):
            wanted["seed"] = str(study["seeds"][0])
        files = found.setdefault(role, [])
        for other, theirs in jobs.values():
            agree = all(wanted.get(name, value) == value for name, value in theirs.items())
            if artifact in contracts[other].writes and agree:
                path = contracts[other].writes[artifact].format(study=study["name"], **theirs)
                files.append((path, tuple(theirs.items())))
    return {role: sorted(files) for role, files in found.items()}


def test_a_job_reads_what_agrees_with_its_names_of_all_files(jobs):
    plan = Plan(EVERYTHING)
    for job in plan.jobs.values():
        found = {
            role: sorted((str(one.path), tuple(one.names.items())) for one in files)
            for role, files in plan.reads(job).items()
        }
        assert found == read_by(job.contract.stage, job.names, jobs, EVERYTHING), job.name
