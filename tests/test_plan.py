"""The jobs of small studies, what each reads and may see, with known answers."""

from pipeline.run.plan import Plan
from tests.jobs import STANDARD, small

ONE, OTHER = {"dataset": "d", "model": "m"}, {"dataset": "e", "model": "m"}
FGSM = {"method": "fgsm", "epsilon": 0.1}
TWO = {  # two settings, two defences, two attacks
    "settings": [ONE, OTHER],
    "datasets": {"d": {"method": "digits"}, "e": {"method": "mnist"}},
    "defences": {"x": STANDARD, "y": STANDARD},
    "pretrain": {"x": {"epochs": 1}, "y": {"epochs": 2}},
    "attacks": {"fgsm": FGSM, "bim": FGSM},
}


def plan(**sections):
    return Plan(small(**TWO | sections))


def names(jobs):
    return [job.name.partition("/")[2] for job in jobs]


def read(own, stage, role, **of):
    """The jobs whose files a job reads in a role, as their names are."""
    (job,) = own.of(stage, **of)
    return ["/".join(file.names.values()) for file in own.reads(job)[role]]


def test_a_small_study_has_these_jobs_and_no_others():
    own = Plan(small(attacks={"fgsm": FGSM}, tables={"t": {}}, figures={"f": {}}))
    assert [*own.jobs] == [
        "attack/d/m/x/0/fgsm",
        "claims",
        "collect/d/m",
        "diagnose/d/m/x/0",
        "figure/f",
        "gallery/d/m",
        "leaderboard",
        "measure/d/m/x/0",
        "overview",
        "prepare/d",
        "pretrain/d/m/x/0",
        "remedies/d/m/x/0",
        "report",
        "table/t",
        "verdict",
    ]


def test_a_command_has_the_names_of_the_job_in_the_order_of_its_path():
    job = plan().jobs["attack/d/m/y/0/bim"]
    options = "--dataset d --model m --defence y --seed 0 --attack bim"
    assert job.command("s.yaml") == f"python -m pipeline stage attack --study s.yaml {options}"
    assert plan().jobs["verdict"].command("s.yaml").endswith("stage verdict --study s.yaml")


def test_an_attack_that_is_null_in_a_setting_is_made_in_the_others_alone():
    own = plan(attacks={"fgsm": FGSM, "bim": {"per": {"d": None, "e": FGSM}}})
    assert names(own.of("attack", attack="bim")) == ["e/m/x/0/bim", "e/m/y/0/bim"]
    assert read(own, "diagnose", "examples", **ONE, defence="x") == ["d/m/x/0/fgsm"]
    seen = {job.names["dataset"]: own.params(job)["attacks"] for job in own.of("diagnose")}
    assert [*seen["d"]] == ["fgsm"] and [*seen["e"]] == ["fgsm", "bim"]


def test_a_defence_that_is_null_in_a_setting_has_no_job_there():
    own = plan(defences={"x": STANDARD, "y": {"per": {"d": None, "else": STANDARD}}})
    of_it = own.of("attack", defence="y") + own.of("pretrain", defence="y")
    assert {job.names["dataset"] for job in of_it} == {"e"} and len(of_it) == 3
    assert not [job for job in own.jobs if "/d/m/y" in job]
    assert read(own, "collect", "model", **ONE) == ["d/m/x/0"]
    assert read(own, "collect", "model", **OTHER) == ["e/m/x/0", "e/m/y/0"]


def test_a_stage_that_needs_a_section_has_a_job_only_where_it_holds_an_entry():
    entry = {"method": "png_size"}
    own = plan(complexities={"png": {"per": {"e": entry, "d": None}}}, distortions={})
    assert names(own.of("complexity")) == ["e/m/x/0", "e/m/y/0"] and not own.of("distort")
    assert not plan().of("complexity")


def test_a_value_by_setting_is_the_settings_own_in_what_a_job_may_see():
    own = plan(attacks={"fgsm": FGSM | {"epsilon": {"per": {"d": 0.1, "e/m": 0.2, "e": 0.3}}}})
    seen = {job.names["dataset"]: own.params(job) for job in own.of("attack", defence="x")}
    assert (seen["d"]["attack"]["epsilon"], seen["e"]["attack"]["epsilon"]) == (0.1, 0.2)
    assert seen["e"].keys() == {"dataset", "model", "defence", "evaluation_images", "attack"}
    whole = own.params(own.jobs["verdict"])["attacks"]["fgsm"]["epsilon"]
    assert whole == {"per": {"d": 0.1, "e/m": 0.2, "e": 0.3}}


SELECTED = {"x": STANDARD, "y": STANDARD | {"layers": ["fc1"]}, "z": STANDARD}
SELECTING = {
    "defences": SELECTED | {"z": {"per": {"d": STANDARD, "e": None}}},
    "train_selected": {"z": {"epochs": 3}},
    "selection": {"settings": [ONE], "compared": ["x", "y"], "attack": "bim", "margin": 0.1},
}


def test_only_what_is_compared_is_screened_and_only_where_something_is_selected():
    own = plan(**SELECTING)
    assert names(own.of("screen")) == ["d/m/x/0", "d/m/y/0"]
    assert names(own.of("select")) == ["d/m"] and names(own.of("train_selected")) == ["d/m/z/0"]
    assert own.params(own.of("screen")[0])["attack"] == FGSM
    assert read(own, "select", "screened", **ONE) == ["d/m/x/0", "d/m/y/0"]
    assert read(own, "train_selected", "selection") == ["d/m"]
    assert read(own, "collect", "selection", **ONE) == ["d/m"]
    assert read(own, "collect", "selection", **OTHER) == []


def test_what_waits_for_a_layer_is_attacked_and_collected_like_any_other():
    own = plan(**SELECTING)
    assert read(own, "attack", "model", defence="z", attack="fgsm") == ["d/m/z/0"]
    assert {*read(own, "collect", "model", **ONE)} == {"d/m/x/0", "d/m/y/0", "d/m/z/0"}


def test_a_transfer_reads_its_own_examples_and_the_proxys_of_the_same_seed_and_setting():
    own = plan(seeds=[0, 7], transfers=[{"defence": "x", "proxy": "y"}])
    assert names(own.of("transfer")) == ["d/m/x/0", "d/m/x/7", "e/m/x/0", "e/m/x/7"]
    job = {**OTHER, "seed": "7"}
    assert read(own, "transfer", "proxy", **job) == ["e/m/y/7/fgsm", "e/m/y/7/bim"]
    assert read(own, "transfer", "examples", **job) == ["e/m/x/7/fgsm", "e/m/x/7/bim"]
    assert read(own, "transfer", "model", **job) == ["e/m/x/7"]


def test_outcomes_after_transfers_come_after_those_without():
    own = plan(transfers=[{"defence": "x", "proxy": "y"}])
    files = own.reads(own.of("collect", **ONE)[0])["outcomes"]
    of_x = [file.path.name for file in files if file.names["defence"] == "x"]
    assert of_x == ["outcomes.csv", "transferred_outcomes.csv"]
    assert [one.path.name for one in files if one.names["defence"] == "y"] == ["outcomes.csv"]


def test_a_retraining_starts_with_the_named_defence_of_its_own_seed():
    trained = {"pretrain": {"x": {"epochs": 1}}, "retrain": {"y": {"epochs": 2}}}
    own = plan(seeds=[0, 7], **trained, retrain_from="x")
    assert read(own, "retrain", "start", **OTHER, seed="7") == ["e/m/x/7"]
    assert names(own.of("pretrain", seed="0")) == ["d/m/x/0", "e/m/x/0"]


def test_the_gallery_shows_the_first_seed_that_the_study_names():
    own = plan(seeds=[7, 0])
    assert read(own, "gallery", "model", **ONE) == ["d/m/x/7", "d/m/y/7"]
    assert {name.split("/")[3] for name in read(own, "gallery", "examples", **ONE)} == {"7"}
    assert len(read(own, "gallery", "attacked", **ONE)) == 4


def test_toys_join_the_results_of_the_settings_and_are_read_with_them():
    own = plan(toys={"xor": {"method": "noisy_xor"}}, tables={"t": {}}, settings=[OTHER, ONE])
    for stage in ("verdict", "leaderboard", "claims", "table"):
        assert read(own, stage, "results") == ["e/m", "d/m", "xor"]
    assert read(own, "verdict", "per_image") == ["e/m", "d/m"]
    assert read(own, "report", "gallery") == ["e/m", "d/m"] and read(own, "report", "table") == [
        "t"
    ]


def test_two_networks_of_one_data_set_share_its_preparation():
    pair = [ONE, {"dataset": "d", "model": "n"}]
    own = plan(settings=pair, models={"m": {"method": "lenet5"}, "n": {"method": "lenet5"}})
    assert names(own.of("prepare")) == ["d"]
    assert read(own, "pretrain", "data", model="n", defence="x") == ["d"]
