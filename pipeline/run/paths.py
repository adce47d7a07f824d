"""Every path and every parameter key of the workflow, once.

Stages, rules and the parity test use them. A path is the experiment: ``{study}`` is the study's
``name``, the other names are entries of it. Each name is a folder or a file: joined by a letter
that they may hold, two pairs of names would share one.
"""

STUDY = "results/{study}"
DATA = STUDY + "/{dataset}/data.json"
SCREENED = STUDY + "/{dataset}/{model}/selection/{defence}/{seed}.csv"
SELECTED = STUDY + "/{dataset}/{model}/selection.csv"
RUN = STUDY + "/{dataset}/{model}/{defence}/{seed}"
MODEL = RUN + "/model.safetensors"
SNAPSHOTS = RUN + "/snapshots"
HISTORY = RUN + "/history.csv"
EXAMPLES = RUN + "/attacks/{attack}.safetensors"
ATTACK = RUN + "/attacks/{attack}.csv"
MEASURES = RUN + "/measures.csv"
COMPLEXITIES = RUN + "/complexities.csv"
DISTORTIONS = RUN + "/distortions.csv"
DIAGNOSTICS = RUN + "/diagnostics.csv"
OUTCOMES = RUN + "/outcomes.csv"
TRANSFERRED = RUN + "/transferred.csv"
AFTER_TRANSFER = RUN + "/transferred_outcomes.csv"
LEARNING = RUN + "/learning/{learning}.csv"
DETECTED = RUN + "/detection/{detection}.csv"
COLLECTED = STUDY + "/collected"
RESULTS = COLLECTED + "/{dataset}/{model}.csv"
STANDING = STUDY + "/standing/{dataset}/{model}.csv"
TOY = COLLECTED + "/{toy}.csv"  # beside folders: a name holds no dot
VERDICT = STUDY + "/verdict.csv"
CHECKS = STUDY + "/checks.csv"
METRICS = STUDY + "/metrics.json"
LEADERBOARD = STUDY + "/leaderboard.csv"
LEADERBOARD_JSON = STUDY + "/leaderboard.json"
LEADERBOARD_TEX = STUDY + "/leaderboard.tex"
LEFT = STUDY + "/overview/attacks.csv"
CURVES = STUDY + "/overview/epsilon.csv"
INFORMATION = STUDY + "/overview/information.csv"
CORRELATIONS = STUDY + "/overview/correlations.csv"
DRAWN = STUDY + "/overview/figures"
GALLERY = STUDY + "/gallery/{dataset}/{model}.csv"
GALLERY_PICTURE = STUDY + "/gallery/{dataset}/{model}.png"
CLAIMS = STUDY + "/claims.csv"
TABLE = STUDY + "/tables/{target}.csv"
FIGURE = STUDY + "/figures/{target}.svg"
PICTURE = STUDY + "/figures/{target}.png"
REPORT = STUDY + "/report.html"
REFERENCES = "studies/references"

RUN_TABLES = [
    HISTORY, ATTACK, MEASURES, COMPLEXITIES, DISTORTIONS, DIAGNOSTICS, TRANSFERRED, LEARNING,
    DETECTED,
]  # fmt: skip
# The entries of a section that a path is for, if it is for each of them.
EACH = {"{attack}": "attacks", "{learning}": "learning", "{detection}": "detection"}
# The sections without which a table would be empty.
OF = {COMPLEXITIES: "complexities", DISTORTIONS: "distortions"}
# The stages that train; each is named like the section that says which defences, and how.
TRAININGS = ("pretrain", "retrain", "train_selected")
# The programs of stages that are not called like theirs.
PROGRAMS = dict.fromkeys(TRAININGS, "train") | dict.fromkeys(("table", "figure"), "target")
# What a stage of one run writes.
_TRAINS = [MODEL, SNAPSHOTS, HISTORY]
WRITES = dict.fromkeys(TRAININGS, _TRAINS) | {
    "screen": [SCREENED],
    "attack": [EXAMPLES, ATTACK],
    "measure": [MEASURES],
    "complexity": [COMPLEXITIES],
    "distort": [DISTORTIONS],
    "diagnose": [DIAGNOSTICS, OUTCOMES],
    "transfer": [TRANSFERRED, AFTER_TRANSFER],
    "learn": [LEARNING],
    "detect": [DETECTED],
}

# Which parts of the study a stage may read. What is tracked is what is used: the loader hands a
# stage these slices and no others; its rule and its dvc.yaml entry list the same keys.
_SETTING = {"dataset": "datasets.{dataset}", "model": "models.{model}"}
_OF_RUN = {**_SETTING, "defence": "defences.{defence}"}
_SPLIT = {"training_images": "training_images", "validation_share": "validation_share"}
_TRAINED = {**_OF_RUN, **_SPLIT}
_TESTED = {**_OF_RUN, "evaluation_images": "evaluation_images"}
_FOUGHT = {"attacks": "attacks", "threat": "threat"}
_TOGETHER = {"settings": "settings", "toys": "toys"}
# How much smaller than the paper's its runs are, beside each of its numbers.
_SCALE = {
    key: key
    for key in (
        "seeds", "datasets", "models", "defences", *TRAININGS, *_SPLIT, "evaluation_images",
        "attacks", "diagnostics",
    )
}  # fmt: skip
KEYS = {
    "prepare": {"dataset": "datasets.{dataset}"},
    "pretrain": {**_TRAINED, "training": "pretrain.{defence}"},
    "retrain": {**_TRAINED, "training": "retrain.{defence}", "start": "retrain_from"},
    "screen": {**_TRAINED, "attacks": "attacks", "selection": "selection"},
    "select": {"seeds": "seeds", "defences": "defences", "selection": "selection"},
    "train_selected": {**_TRAINED, "training": "train_selected.{defence}"},
    "attack": {**_TESTED, "attack": "attacks.{attack}"},
    "measure": {
        **_TESTED,
        **_SPLIT,
        "measures": "measures",
        "snapshot_attacks": "snapshot_attacks",
        "snapshot_diagnostics": "snapshot_diagnostics",
        "training_measure": "training_measure",
    },
    "complexity": {
        "dataset": "datasets.{dataset}",
        "defence": "defences.{defence}",
        "evaluation_images": "evaluation_images",
        "attacks": "attacks",
        "complexities": "complexities",
    },
    "distort": {
        **_TESTED,
        "distortions": "distortions",
        "distorted": "distorted",
        "snapshot_attacks": "snapshot_attacks",
        "measures": "measures",
    },
    "diagnose": {**_TESTED, **_FOUGHT, "diagnostics": "diagnostics"},
    "transfer": {**_TESTED, **_FOUGHT, "transfers": "transfers"},
    "learn": {
        **_TESTED,
        "training_images": "training_images",
        "attacks": "attacks",
        "learning": "learning.{learning}",
    },
    "detect": {
        **_TESTED,
        "complexities": "complexities",
        "detection": "detection.{detection}",
    },
    "toy": {"seeds": "seeds", "toy": "toys.{toy}"},
    "collect": {
        key: key
        for key in ("seeds", "defences", *EACH.values(), *OF.values(), "transfers", "selection")
    },
    "verdict": {**_TOGETHER, **_FOUGHT, "diagnostics": "diagnostics", "verdict": "verdict"},
    "leaderboard": {
        **_TOGETHER,
        **_FOUGHT,
        "models": "models",
        "diagnostics": "diagnostics",
    },
    "overview": {},
    "gallery": {
        **_SETTING,
        **_FOUGHT,
        "seeds": "seeds",
        "defences": "defences",
        "evaluation_images": "evaluation_images",
    },
    "table": {**_TOGETHER, **_SCALE, "target": "tables.{target}"},
    "figure": {**_TOGETHER, **_SCALE, "target": "figures.{target}"},
    "claims": {**_TOGETHER, **_SCALE, "claims": "claims"},
    "report": {key: key for key in ("settings", "tables", "figures")},
}


def each(template: str, study: dict) -> list[str]:
    """The template, for every entry of the section that it is for; none, if its section is empty.

    study: as one setting sees it.
    """
    if template in OF and not study[OF[template]]:
        return []
    for place, section in EACH.items():
        if place in template:
            return [template.replace(place, name) for name in study[section]]
    return [template]


def outcomes(study: dict, defence: str) -> str:
    """The template of what a run leaves per image: after transfers, if there are any."""
    return AFTER_TRANSFER if _proxied(study, defence) else OUTCOMES


def _proxied(study: dict, defence: str) -> bool:
    return defence in {one["defence"] for one in study["transfers"]}


def tables(study: dict, defence: str) -> list[str]:
    """The templates of all tables of a run of the defence. study: as one setting sees it."""
    found = [one for template in RUN_TABLES for one in each(template, study)]
    return [one for one in found if one != TRANSFERRED or _proxied(study, defence)]


def keys(stage: str, **names: str) -> list[str]:
    """The parameter keys of one job, e.g. ``datasets.digits``, sorted."""
    return sorted(key.format(**names) for key in KEYS[stage].values())
