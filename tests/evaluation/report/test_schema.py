"""evaluation.json is read as it is written, or refused in one line."""

import json

import pytest

from robustinfo.core.errors import UserError
from robustinfo.evaluation.report.printable import REPLACEMENT, printable
from robustinfo.evaluation.report.schema import read
from tests.evaluation.report import documents


@pytest.mark.parametrize("kind", documents.KINDS)
def test_what_is_written_is_read_the_same_from_memory_and_from_a_file(kind):
    made = documents.KINDS[kind]()
    assert read(made) == read(json.loads(json.dumps(made)))
    assert read(made).robust_accuracy == made["robust_accuracy"]


def without(name):
    return {key: value for key, value in documents.document().items() if key != name}


def with_check(**changes):
    made = documents.document()
    made["checks"][0] |= changes
    return made


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (lambda: without("robust_accuracy"), "robust_accuracy: Field required"),
        (lambda: documents.document(more=1), "more: Extra inputs"),
        (lambda: documents.document(n="64"), "n: Input should be a valid integer"),
        (lambda: documents.document(n=0), "n: Input should be greater than 0"),
        (lambda: documents.document(robust_accuracy=43.2), "robust_accuracy: .* less than or"),
        (lambda: documents.document(robust_accuracy=float("nan")), "robust_accuracy: "),
        (lambda: documents.document(interval=[0.1]), "interval: .* at least 2 items"),
        (lambda: documents.document(verdict="fine"), "verdict: .*'fine' is none of invalid, mas"),
        (lambda: documents.document(threat={"norm": "l3", "epsilon": 1.0}), "threat.norm: "),
        (lambda: with_check(check="mine"), "checks.0.check: .*'mine' is none of"),
        (lambda: with_check(value=None, result="failed"), "checks.0: .* has no value"),
        (lambda: with_check(low=float("inf")), "checks.0.low: .* finite"),
    ],
)
def test_what_is_not_as_it_is_written_is_refused_with_its_place(made, words):
    with pytest.raises(UserError, match=f"^evaluation.json, {words}.*judge again$"):
        read(made())


def test_letters_that_nothing_can_print_are_replaced_and_all_others_kept():
    kept = "é漢字🙂 עברית ﷽ a-b_c$%&<>\"'"
    for one in ("\x00", "\x1b", "\n", "\u2028", "\u202e", "\u2066", "\ud800", "\ufffe"):
        made = printable({f"a{one}b": [f"{one}", (1, None, True, kept)]})
        assert made == {f"a{REPLACEMENT}b": [REPLACEMENT, [1, None, True, kept]]}
