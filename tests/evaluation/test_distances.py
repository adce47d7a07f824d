"""The distances of an evaluation, on networks whose distances are known."""

import json
import math

import pytest
import torch

from robustinfo import UserError
from robustinfo.core.measurement import exact
from robustinfo.diagnostics.minimal_distances import OF_IMAGE
from robustinfo.evaluation import distances, protocol
from robustinfo.evaluation.report.distances import Distances, OfAttack, shown, steps
from robustinfo.evaluation.sizes import SIZES
from robustinfo.evaluation.threats import Ball
from tests.test_api import Mean, judged

TO_THE_BOUNDARY = [0.4, 0.15, 0.08, 0.08, 0.15, 0.4]  # of the grey images, in linf
INF = math.inf


@pytest.fixture(scope="module", params=[("linf", 1), ("l2", 4)], ids=["linf", "l2"])
def evaluation(request):
    """An evaluation, and the exact distances; an image has 16 values."""
    norm, factor = request.param
    found = judged(protocol="medium", norm=norm, epsilon=0.1 * factor)
    return found, torch.tensor(TO_THE_BOUNDARY).double() * factor


def test_every_image_is_as_far_as_its_boundary(evaluation):
    found, exact_ones = evaluation
    torch.testing.assert_close(found.distances, exact_ones, rtol=2e-3, atol=1e-6)
    assert (found.distances > exact_ones * (1 - 1e-6)).all()
    assert found.to_dict()["distances"]["found"] == found.distances.tolist()


def test_accuracy_is_read_off_at_every_epsilon(evaluation):
    found, exact_ones = evaluation
    for epsilon in (0, *(exact_ones * 0.99).tolist(), *(exact_ones * 1.01).tolist()):
        one = found.accuracy_at(epsilon)
        assert one == (exact_ones > epsilon).double().mean() and one.n == 6
    assert found.accuracy_at(found.threat.epsilon) == found.robust_accuracy
    for point in found.to_dict()["curve"]:
        assert found.accuracy_at(point["epsilon"]) == pytest.approx(point["accuracy"])


def test_the_evaluation_says_so_in_one_line(evaluation):
    found, exact_ones = evaluation
    low, median, high = (exact_ones.sort().values[place].item() for place in (1, 2, 4))
    (line,) = (one for one in repr(found).splitlines() if one.startswith("least distance"))
    told = [float(text.strip(",;")) for text in line.split() if text[0].isdigit() and "." in text]
    assert told == pytest.approx([median, low, high], rel=0.02)
    assert line.endswith("for 0 of 6 images none was found")


@pytest.mark.parametrize(
    "abstain, expected", [("robust", [0.5, 0.25, 0, 0, 0.25, 0.5]), ("error", [0.3, 0.05, 0, 0])]
)
def test_where_a_network_abstains_on_clean_images_it_is_wrong_there(abstain, expected):
    found = judged(Mean(abstains=True), protocol="medium", abstain=abstain, classes=2)
    n = len(expected)
    wanted = torch.tensor(expected).double()
    torch.testing.assert_close(found.distances[:n], wanted, rtol=2e-3, atol=1e-6)


def test_small_protocols_look_for_none_and_say_how_to_get_them():
    found = judged()
    assert found.distances is None and found.to_dict()["distances"] is None
    with pytest.raises(UserError, match="protocol medium"):
        found.accuracy_at(0.1)


def test_what_the_attacks_broke_is_within_their_epsilon_and_what_was_not_asked_is_not_known():
    rows = [exact(OF_IMAGE, size)._replace(level=float(image)) for image, size in NEAR.items()]
    right = torch.tensor([True, True, True, False, True, True])
    robust = torch.tensor([True, False, False, False, True, True])
    found = distances.per_image(rows, 5, right, robust, epsilon=0.2)
    assert found[:5].tolist() == [0.1, 0.2, 0.05, 0.0, INF] and found[5].isnan()
    assert distances.per_image([], 5, right, robust, epsilon=0.2) is None
    assert distances.in_words(found)[0].endswith("for 1 of 5 images none was found")


NEAR = {0: 0.1, 1: INF, 2: 0.05, 4: INF}  # by image; the network abstains on image 3


def test_what_is_infinite_is_null_in_json():
    row = exact(OF_IMAGE, INF)._replace(level=0.0)
    of_attack = [
        exact(quantity, value)._replace(input="fmn")
        for quantity, value in zip(distances.OF_ATTACK, (0.0, INF, math.nan), strict=True)
    ]
    data = distances.as_data(torch.tensor([INF, math.nan]).double(), [row, *of_attack])
    assert json.loads(json.dumps(data, allow_nan=False)) == {
        "found": [None],
        "attacks": {"fmn": dict(zip(distances.OF_ATTACK, (0.0, None, None), strict=True))},
    }


def test_the_page_tells_quartiles_and_the_nearest_attack_first():
    one = {"found_fraction": 0.5, "attack_distance_median": 0.25, "local_optimality": 0.5}
    attacks = {"fab": OfAttack(**one), "fmn": OfAttack(**one | {"local_optimality": 1.0})}
    told = shown(Distances(found=[0.25, None, 0.5, 0.0, None], attacks=attacks))
    assert (told.images, told.without, told.quartiles) == ("5", "2", "0.25, 0.5, none")
    assert [row.attack for row in told.attacks] == ["fmn", "fab"]
    assert told.attacks[1][1:] == ("50.0\u202f%", "0.25", "0.500")
    assert shown(None) is None


def test_the_stepped_curve_falls_at_every_distance_up_to_its_end():
    found = Distances(found=[0.5, None, 0.25, 0.0, 0.25, 2.0], attacks={})
    at, left = steps(found, end=1.0)
    assert at == [0.0, 0.0, 0.25, 0.25, 0.5, 1.0]
    assert left == pytest.approx([5 / 6, 5 / 6, 3 / 6, 3 / 6, 2 / 6, 2 / 6])


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_from_large_on_attacks_are_held_against_each_other(norm):
    ball, names = Ball(norm=norm, epsilon=0.1), {}
    for size in SIZES:
        part = protocol.diagnostics(size, ball, 784).get("minimal_distances")
        names[size.name] = part and part.entry["attacks"]
    all_of_them = ["fmn", "fab", "ddn"][: 3 if norm == "l2" else 2]
    assert names == {"tiny": None, "small": None, "medium": ["fmn"]} | dict.fromkeys(
        ("large", "full"), all_of_them
    )
