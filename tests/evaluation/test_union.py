"""The union of threat models, on a network whose robustness in every norm is known."""

import json
import math
from dataclasses import replace

import pytest
import torch
from scipy.stats import binomtest
from torch import nn

import robustinfo
from robustinfo import UnionEvaluation, UserError
from robustinfo.evaluation.checks import HOLDS, NOT_ENOUGH, UNTRUSTED
from robustinfo.evaluation.evaluation import Evaluation
from robustinfo.evaluation.union import latex
from robustinfo.evaluation.union.page import page
from robustinfo.evaluation.verdict import Verdict
from tests.evaluation.report import documents
from tests.evaluation.report.test_page import read

SIDE = 4
DARK = SIDE**2 - 1  # pixels whose mean counts, beside the one that counts alone
EPSILON = {"linf": 0.1, "l2": 0.2}


class Corner(nn.Module):
    """Class 0 where the first pixel and the mean of the others are both above a half."""

    def forward(self, x):
        pixels = x.flatten(1) - 0.5
        both = torch.minimum(pixels[:, 0], pixels[:, 1:].mean(1))
        return torch.stack([both, -both], 1)


# (the first pixel, all others), each as it is beyond a half. The nearest way over the edge is that
# of the lesser one, which the gradient shows.
POINTS = [
    (0.3, 0.3), (0.3, 0.08), (0.15, 0.3), (0.08, 0.15), (0.05, 0.3), (0.25, 0.12), (0.3, 0.04),
    (-0.3, -0.3), (0.15, 0.2), (-0.05, 0.3), (-0.15, 0.3), (0.3, -0.08), (-0.15, -0.15),
]  # fmt: skip


def robust(point, norm):
    """Whether no change within epsilon moves it over the edge: the nearest one, in closed form."""
    pixel, mean = point
    if min(point) > 0:  # either way out will do
        ways = {"linf": [pixel, mean], "l2": [pixel, mean * math.sqrt(DARK)]}
        return min(ways[norm]) > EPSILON[norm]
    needed = [max(-pixel, 0), max(-mean, 0)]  # both have to be mended
    distance = {"linf": max(needed), "l2": math.hypot(needed[0], needed[1] * math.sqrt(DARK))}
    return distance[norm] > EPSILON[norm]


KNOWN = {norm: torch.tensor([robust(point, norm) for point in POINTS]) for norm in EPSILON}
X = torch.full((len(POINTS), 1, SIDE, SIDE), 0.5)
X += torch.tensor([point[1] for point in POINTS]).view(-1, 1, 1, 1)
X[:, 0, 0, 0] = 0.5 + torch.tensor([point[0] for point in POINTS])
Y = torch.tensor([int(min(point) < 0) for point in POINTS])


def judged(model=None, **options):
    usual = {"epsilon": EPSILON, "protocol": "tiny", "attacks": ["fgsm", "pgd"], "device": "cpu"}
    return robustinfo.judge(model or Corner(), X, Y, **usual | options)


@pytest.fixture(scope="module")
def found():
    return judged()


def test_neither_threat_model_holds_the_other_one():
    linf, l2 = KNOWN.values()
    for part in (linf & l2, linf & ~l2, ~linf & l2, ~linf & ~l2):
        assert part.any()


def test_an_image_is_robust_where_it_is_in_every_threat_model(found):
    assert isinstance(found, UnionEvaluation) and [*found.threats] == ["linf", "l2"]
    for norm, one in found.threats.items():
        assert isinstance(one, Evaluation) and one.threat.norm == norm
        assert one.threat.epsilon == EPSILON[norm]
        assert one.robust.tolist() == KNOWN[norm].tolist()
    both = KNOWN["linf"] & KNOWN["l2"]
    assert found.robust.tolist() == both.tolist()
    assert found.robust_accuracy == int(both.sum()) / len(X)
    assert found.robust_accuracy < min(one.robust_accuracy for one in found.threats.values())
    means = [int(mask.sum()) / len(X) for mask in KNOWN.values()]
    assert found.average_accuracy == pytest.approx(sum(means) / 2)
    assert found.clean_accuracy == 1 and found.n == len(X) and found.labels.tolist() == Y.tolist()


def test_each_is_the_evaluation_of_its_norm_by_itself(found):
    for norm, one in found.threats.items():
        alone = judged(epsilon=EPSILON[norm], norm=norm)
        assert isinstance(alone, Evaluation) and alone.conclusion == one.conclusion


def test_the_interval_of_the_union_is_wilsons(found):
    kept = binomtest(int(found.robust.sum()), found.n).proportion_ci(method="wilson")
    union = found.robust_accuracy
    assert (union.low, union.high) == pytest.approx((kept.low, kept.high))


@pytest.mark.parametrize("epsilon", [{"l2": 0.2}, {"L_inf": "1/10", "2": "0.2"}])
def test_norms_and_epsilons_may_be_written_in_any_way(epsilon, found):
    some = judged(epsilon=epsilon)
    assert isinstance(some, UnionEvaluation)
    for norm, one in some.threats.items():
        assert one.robust.tolist() == found.threats[norm].robust.tolist()


@pytest.mark.parametrize(
    "classes, worst, whose",
    [
        (("broken", "masked"), "masked", ["l2"]),
        (("invalid", HOLDS), "invalid", ["linf"]),
        ((NOT_ENOUGH, NOT_ENOUGH), NOT_ENOUGH, ["linf", "l2"]),
        ((HOLDS, "no benefit"), "no benefit", ["l2"]),
    ],
)
def test_the_verdict_is_the_worst_and_says_whose(found, classes, worst, whose):
    pairs = zip(found.threats.items(), classes, strict=True)
    made = UnionEvaluation(
        {n: replace(one, conclusion=Verdict(verdict, [])) for (n, one), verdict in pairs}
    )
    assert made.verdict == made.to_dict()["verdict"] == worst
    assert made.verdict_of == made.to_dict()["verdict_of"] == whose
    assert repr(made).startswith(f"{worst} ({', '.join(whose)})\nunion of linf 0.1 and l2 0.2, 13")
    # Where the attacks of one are not to be trusted, less may be left of all.
    assert ("at most" in repr(made).splitlines()[2]) == (worst in UNTRUSTED)


class Rounded(Corner):
    """Answers as Corner, with a gradient of 0: the remedy looks through it."""

    def forward(self, x):
        return super().forward((x * 255).round() / 255)


def test_after_remedies_too_an_image_is_robust_where_it_is_in_every_threat_model():
    found = judged(model=Rounded(), epsilon={"linf": 0.1, "l2": 0.001}, attacks=["fgsm"])
    after, of_each = found.after_remedies, [one.after_remedies for one in found.threats.values()]
    assert after is not None and any(one is not None for one in of_each)
    left = torch.stack(
        [
            one.robust if one.after_remedies is None else one.after_remedies.robust
            for one in found.threats.values()
        ]
    )
    assert after.robust.tolist() == left.all(0).tolist()
    assert after.accuracy < found.robust_accuracy
    assert {name.split()[0] for name in after.remedies} <= {"linf", "l2"}
    assert found.to_dict()["after_remedies"]["accuracy"] == after.accuracy
    assert "after remedies" in repr(found) and f"{float(after.accuracy):.1%}" in repr(found)


def test_the_folder_has_the_union_and_an_evaluation_by_norm(tmp_path):
    found = judged(out=tmp_path)
    whole = json.loads((tmp_path / "union.json").read_text())
    assert whole == json.loads(found.to_json()) == found.to_dict()
    assert whole["images"]["robust"] == (KNOWN["linf"] & KNOWN["l2"]).tolist()
    for norm in EPSILON:
        assert whole["threats"][norm] == json.loads(
            (tmp_path / norm / "evaluation.json").read_text()
        )
        assert (tmp_path / norm / "adversarial/pgd").is_dir()
    assert (tmp_path / "table.tex").read_text() == found.to_latex()
    text = (tmp_path / "report.html").read_text()
    for norm in EPSILON:
        assert f'href="{norm}/report.html"' in text and (tmp_path / norm / "report.html").exists()


def test_the_page_and_the_table_say_the_union_beside_each_norm(found, tmp_path):
    found.save(tmp_path)
    text, table = (tmp_path / "report.html").read_text(), found.to_latex()
    accuracies = [one.robust_accuracy for one in (found, *found.threats.values())]
    assert len({*accuracies}) == 3
    for value in (*accuracies, found.average_accuracy):
        assert f"{100 * value:.1f}" in text and f"{100 * value:.1f}" in table
    assert r"$\ell_\infty \le 0.1$" in table and r"$\ell_2 \le 0.2$" in table
    assert found.verdict in text and found.verdict in table
    assert "http" not in text


def test_names_that_break_pages_break_neither_page_nor_table(found):
    threats = {"linf": documents.hostile(), "l2": documents.KINDS["l2"]()}
    content = found.to_dict() | {"threats": threats}
    reader = read(page(content))
    assert not {"script", "link", "iframe"} & {*reader.tags}
    links = [value for name, value in reader.attributes if name in ("href", "src")]
    assert links == ["linf/report.html", "l2/report.html"]
    lines = [line for line in latex.table(content).splitlines() if line.endswith(r"\\")]
    assert len(lines) == 6 and {line.replace(r"\&", "").count("&") for line in lines} == {4}


def test_a_stopped_union_goes_on_to_the_same_results(found, tmp_path):
    def stop(step):
        if step.work.startswith("l2, pgd") and step.result:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        judged(out=tmp_path, progress=stop)
    parts = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*.safetensors")}
    assert {file.relative_to(tmp_path).parts[0] for file in parts} == {"linf", "l2"}
    steps = []
    again = judged(out=tmp_path, progress=steps.append)
    assert all(file.stat().st_mtime_ns == when for file, when in parts.items())
    assert again.robust.tolist() == found.robust.tolist()
    for norm, one in again.threats.items():
        assert one.conclusion == found.threats[norm].conclusion
    fractions = [step.fraction for step in steps]
    assert fractions == sorted(fractions) and fractions[-1] == pytest.approx(1)


def test_evaluations_of_the_same_images_make_a_union_and_others_do_not(found):
    linf, l2 = (judged(epsilon=EPSILON[norm], norm=norm) for norm in ("linf", "l2"))
    made = UnionEvaluation({"linf": linf, "l2": l2})
    assert made.robust.tolist() == found.robust.tolist()
    other = robustinfo.judge(
        Corner(), X + 0.01, Y, epsilon=0.1, protocol="tiny", attacks=["pgd"], device="cpu"
    )
    for wrong in ({"linf": other, "l2": l2}, {}):
        with pytest.raises(UserError, match="not of the same images"):
            UnionEvaluation(wrong)


@pytest.mark.parametrize(
    "options, said",
    [
        ({"epsilon": {}}, "names no norm"),
        ({"epsilon": {"linf": 0.1}, "norm": "linf"}, "leave out norm='linf'"),
        ({"epsilon": {"linf": 0.1, "inf": 0.2}}, "linf is named twice"),
        ({"epsilon": {"l9": 0.1}}, "--norm l9"),
        ({"epsilon": {"linf": 8}}, "did you mean 8/255"),
        ({"epsilon": {"l2": 100}}, "epsilon 100"),
        ({"epsilons": [0.1]}, "epsilons of a curve are of one norm"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(options, said):
    with pytest.raises(UserError) as error:
        judged(**options)
    assert said in str(error.value) and "\n" not in str(error.value)
