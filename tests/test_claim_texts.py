"""What a claim's text says in numbers is what it is held against."""

import re
from pathlib import Path

import pytest

from pipeline.study.claim import Claim, claim_text
from pipeline.study.extends import read_study
from pipeline.study.strict_yaml import read

FILES = [Path("params.yaml"), *sorted(Path("studies").glob("*.yaml"))]
# A number in words -> what it asks of the statistic.
WORDS = {
    "half a point": 0.005,
    "a point": 0.01,
    "a tenth of a bit": 0.1,
    "half right": 0.5,
    "four times": 4.0,
    "five times": 5.0,
    "ten times": 10.0,
}
FIGURES = {
    r"([\d.]*\d)(?: or more)? points?\b": 0.01,
    r"at most ([\d.]*\d)(?: points)?$": 0.01,  # "at most 1.4 points, under noise at most 3.7"
    r"([\d.]*\d) %": 0.01,
    r"([\d.]*\d) bits\b": 1.0,
    r"(?:AUC|correlation) (?:above|below) ([\d.]*\d)": 1.0,
}


def figures(text):
    """Every number that a text asks of a statistic; how strong attacks are is none."""
    found = []
    for words, value in WORDS.items():
        if re.search(rf"\b{words}", text):
            found.append(value)
            text = text.replace(words, "")
    for pattern, scale in FIGURES.items():
        found += [scale * float(number) for number in re.findall(pattern, text)]
    return found


def agrees(claim, text):
    """Whether a figure of the text, or one part in so many of a ratio, is the threshold."""
    asked = abs(claim.threshold)
    whole = [
        one for figure in figures(text) for one in (figure, 1 / figure if figure > 1 else figure)
    ]
    return any(abs(one - asked) < 1e-9 for one in whole)


def claims():
    for file in FILES:
        for name, content in read_study(file)[0]["claims"].items():
            yield pytest.param(Claim(**content), id=f"{file.stem}-{name}")


@pytest.mark.parametrize("claim", claims())
def test_the_threshold_of_a_claim_is_a_number_of_its_text(claim):
    """What is tested, where that has numbers; else the paper's words. No number: any threshold."""
    for text in (claim.tested, claim_text(claim).removesuffix(f" (tested: {claim.tested})")):
        if figures(text):
            assert agrees(claim, text), f"{text!r} against {claim.expect} {claim.threshold}"
            return


def test_the_texts_that_contradicted_their_thresholds_would_be_found():
    held = {"paper": "entropic-retraining", "claim": "er_resists", "of": {}, "expect": "below"}
    text = "lowers every success rate, by at least 16.85 points in the worst case of the paper"
    assert not agrees(Claim(**held, threshold=-0.0358), text)
    assert agrees(Claim(**held, threshold=-0.1685), text)
    assert not agrees(Claim(**held, threshold=0.0), "adds 2.66 points on average")
    assert agrees(Claim(**held, threshold=0.2), "shrinks at least five times")


def test_the_least_fall_of_the_entropic_paper_is_the_one_that_its_claims_state():
    reference = read(Path("studies/references/entropic-retraining.yaml"))[0]
    five = ("linf_pgd", "bim", "fgsm", "carlini_wagner", "l2_pgd")
    rates = reference["attack_success_rate"].values()
    falls = {
        attack: min(one["original"][attack] - one["entropic"][attack] for one in rates)
        for attack in five
    }
    text = next(one["text"] for one in reference["claims"] if one["id"] == "er_resists")
    assert f"{min(falls.values()):.2f} points" in text and min(falls.values()) == pytest.approx(
        3.58
    )
    assert falls["linf_pgd"] == pytest.approx(16.85)


def test_what_the_note_says_of_the_papers_carlini_and_wagner_is_in_its_table_iii():
    rates = read(Path("studies/references/entropic-retraining.yaml"))[0]["attack_success_rate"]
    study, _ = read_study(Path("studies/entropic-retraining.yaml"))
    note = study["tables"]["table-3-4-attacks"]["note"]
    undefended = [rates[f"mnist/{one}"]["original"] for one in ("lenet5", "keras_cnn")]
    assert re.findall(r"([\d.]+) %", note) == [str(one["carlini_wagner"]) for one in undefended]
