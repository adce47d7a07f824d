"""What tables, figures and claims ask for is held against what the study will have."""

import re
from pathlib import Path

import pytest

from pipeline.study.check import load
from pipeline.study.plot_kinds import mathtext_problem
from pipeline.study.strict_yaml import StudyError

EPSILON = "where: {stage: diagnose, entry: epsilon_curve, quantity: attack_accuracy}"
BY_EPSILON = f"""
  figure-epsilon:
    title: Accuracy under PGD-10 by epsilon
    rows: [defence]
    columns: [level]
    {EPSILON}
    draw: curves
    x_label: epsilon
    y_label: accuracy

claims:"""
GOOD = Path("params.yaml").read_text(encoding="utf-8").replace("\nclaims:", BY_EPSILON, 1)
ENTROPY = "quantity: [network_entropy, entropy_flow]"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (ENTROPY, "quantity: [network_entropy, entropy_flw]",
         "figures.figure-entropy.where.quantity: no 'entropy_flw'; did you mean `entropy_flow`?"),
        (ENTROPY, "quantity: [network_entropy, robust_accuracy]",
         "where.quantity: no 'robust_accuracy' where the rest holds"),
        (ENTROPY, "quantity: []", "where.quantity: an empty list selects nothing"),
        (EPSILON, EPSILON[:-1] + ", level: 16/255}", "where.level: no 0.0627450980392156"),
        (EPSILON, EPSILON[:-1] + ", level: [0.05, 0.2]}", "level: no 0.2 where the rest holds"),
        (EPSILON, EPSILON[:-1] + ", layer: conv1}", "where.layer: no 'conv1' where the rest holds"),
        (EPSILON, EPSILON[:-1] + ", seed: 2}", "where.seed: no 2; choose from 0, 1"),
        ("{stage: measure, input: fgsm,", "{stage: measure, layer: conv9, input: fgsm,",
         "figure-success.where.layer: no 'conv9'; did you mean `conv"),
        ("{stage: measure, input: fgsm,", "{stage: measure, input: bim,",
         "figure-success.where.input: no 'bim' where the rest holds"),
        ("epoch: last}", "epoch: final}", "claims.at_lowers_en.of.epoch: no 'final'; choose from"),
        ("epoch: last}", "epoch: 999}", "claims.at_lowers_en.of.epoch: no 999; choose from"),
        ("epoch: last}", "epoch: [first, last]}", "'first' stands alone, not in a list"),
        ("entry: jpeg, level: 20,", "entry: jpeg, level: 30,", "claims.jpeg_20.of.level: no 30"),
        ("quantity: clean_mean}", "quantity: clean_men}", "against.quantity: no 'clean_men'"),
        ("worst_over: input", "worst_over: layer", "of: selects rows without layer, which `worst_"),
        ("worst_over: input", "worst_over: input\n    alike: [{where: {quantity: auk}, within: 1}]",
         "alike.0.where.quantity: no 'auk'; did you mean `auc`?"),
        ("at_lowers_en:\n", "at_lowers_en:\n    comes_to: fall\n    over: level\n",
         "of: selects rows without level, which `over` names"),
        ("at_lowers_en:\n", 'at_lowers_en:\n    published: {key: "gain|{dataset}"}\n',
         "published.key: entropic-retraining.yaml has nothing by 'gain|{dataset}' for a setting"),
        ("    columns: [entry]", "    columns: [input]", "attacks: a cell holds several entry"),
        ("    rows: [defence]\n    columns: [level]", "    rows: [entry]\n    columns: [level]",
         "figure-jpeg: a cell holds several defence"),
        ("    columns: [epoch]", "    columns: [level]", "training: some of its rows have no"),
        ("rows: [defence, input, layer, epoch]", "rows: [defence, layer]",
         "figure-plane: `draw: plane` takes four rows, of which epoch is the last"),
        ("    columns: [epoch]", "    columns: [defence]", "`draw: curves` takes one column of"),
        ("    draw: plane\n", "    draw: surface\n", "`draw: surface` takes two rows or more"),
        ("    draw: plane\n", "    draw: scatter\n", "a scatter draws the quantities x and y"),
        ("[information_input_bits_lower, information_label_bits_lower]}",
         "information_input_bits_lower}", "a plane draws two quantities"),
        ("title: Success of FGSM", "title: $\\frac{ of $ FGSM", "figure-success.title: "),
        ("x_label: JPEG quality", "x_label: $\\quality$", "figure-jpeg.x_label: "),
        ("    draw: curves\n", "    draw: curves\n    paper: {file: entropic, key: x}\n",
         "paper.file: no 'entropic'; choose from entropic-retraining"),
        ("    draw: curves\n", '    draw: curves\n    paper: {file: ib-rar, key: "{entri}"}\n',
         "paper.key: '{entri}' takes dataset, defence, epoch, model, quantity in braces"),
        ("    draw: curves\n", '    draw: curves\n    paper: {file: ib-rar, key: "clan|ib_rar"}\n',
         "paper.key: studies/references/ib-rar.yaml has nothing by 'clan|ib_rar' for a cell of it"),
        ("    draw: curves\n", '    draw: curves\n    paper: {file: ib-rar, key: "clean|ib_rar"}\n',
         "paper: has values of the paper for digits/lenet5, and studies/references/ib-rar.yaml no"),
        ("seeds: [0, 1]", "seeds: [0]\nselection: {compared: [standart]}",
         "compared: no 'standart'; did you mean"),
        ("seeds: [0, 1]", "seeds: [0]\nselection: {attack: pgdd}",
         "selection.attack: no 'pgdd'; did you me"),
        ("attacks: # the", "attcks: # the", "unknown key `attcks`; did you mean `attacks`?"),
        ("model: lenet5}", "modle: lenet5}", "modle: unknown key `modle`; did you mean `model`?"),
    ],
)  # fmt: skip
def test_what_selects_nothing_or_too_much_is_refused_before_any_job(tmp_path, old, new, said):
    assert old in GOOD
    file = tmp_path / "s.yaml"
    file.write_text(GOOD.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(StudyError, match=rf"^{re.escape(str(file))}:\d+: .*{re.escape(said)}"):
        load(file)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (EPSILON, EPSILON[:-1] + ", level: [0.15, 3/10]}"),
        ("epoch: last}", "epoch: 8}"),
        ("title: Success of FGSM", "title: Success of FGSM at $\\epsilon = 0.15$, and 5 $"),
    ],
)
def test_what_the_study_has_is_taken(tmp_path, old, new):
    file = tmp_path / "s.yaml"
    file.write_text(GOOD.replace(old, new, 1), encoding="utf-8")
    load(file)


@pytest.mark.parametrize("file", ["params.yaml", *map(str, sorted(Path("studies").glob("*.yaml")))])
def test_every_study_of_the_project_asks_for_what_it_has(file):
    load(Path(file))


def test_a_formula_is_set_or_refused_with_matplotlibs_reason():
    assert (
        mathtext_problem(r"$\epsilon$")
        == mathtext_problem("costs 5 $")
        == mathtext_problem("plain")
        == ""
    )
    assert "cannot" not in mathtext_problem(r"$\frac{1$") and "no formula" in mathtext_problem(
        r"$\frac{1$"
    )
