"""Attacks on words: on a line of words and a linear classifier, every answer is known."""

from collections import OrderedDict

import pytest
import torch
from torch import nn

from robustinfo.attacks import _words, word_deepfool, word_fgsm
from robustinfo.datasets._texts import PADDING, UNKNOWN
from robustinfo.models import text_classifier

FGSM = (word_fgsm, {"step_size": 0.6, "steps": 9})
FGVM = (word_fgsm, {"norm": "l2", "step_size": 0.6, "steps": 9})
DEEPFOOL = (word_deepfool, {"steps": 9})
EVERY = pytest.mark.parametrize("attack, settings", [FGSM, FGVM, DEEPFOOL])


def line(weights, threshold):
    """Words 2, 3, ... 11 lie at 0, 1, ... 9; class 1 if the weighted sum is above the threshold.

    The weights are those of a text's places.
    """
    model = nn.Sequential(
        OrderedDict(
            embedding=nn.Embedding(12, 1),
            flatten=nn.Flatten(),
            fc=nn.Linear(len(weights), 2),
        )
    )
    with torch.no_grad():
        model.embedding.weight.copy_(torch.arange(-2.0, 10.0)[:, None])
        model.fc.weight.copy_(torch.tensor([[0.0] * len(weights), weights]))
        model.fc.bias.copy_(torch.tensor([0.0, -threshold]))
    return model.eval()


def word(*positions):
    return torch.tensor([[position + 2 for position in positions]])


def run(attack, settings, model, x, y=None):
    y = model(x).argmax(1) if y is None else y
    generator = torch.Generator().manual_seed(0)
    return attack.perturb(model, x, y, config=attack.Config(**settings), generator=generator)


@pytest.mark.parametrize("attack, settings", [FGSM, FGVM])
def test_small_steps_add_up_to_the_first_word_beyond_the_boundary(attack, settings):
    x_adv, success = run(attack, settings, line([1.0], 4.5), word(2))
    assert success.tolist() == [True] and x_adv.equal(word(5))


@pytest.mark.parametrize("steps, found", [(4, False), (5, True)])
def test_too_few_steps_find_nothing_and_give_the_text_back(steps, found):
    # From 2, five steps of 0.6 end at 5, four at 4.4: the word at 4 is not beyond 4.5.
    x_adv, success = run(word_fgsm, {"step_size": 0.6, "steps": steps}, line([1.0], 4.5), word(2))
    assert success.tolist() == [found] and x_adv.equal(word(5 if found else 2))


def test_the_sign_moves_every_word_and_the_gradient_those_that_matter():
    model, x = line([1.0, 0.1, 0.0], 4.5), word(2, 2, 2)
    by_sign, _ = run(*FGSM, model, x)
    by_gradient, _ = run(*FGVM, model, x)
    assert by_sign.equal(word(5, 5, 2))
    assert by_gradient.equal(word(5, 2, 2))


def test_the_move_to_the_boundary_of_a_linear_classifier_ends_on_it_by_the_shortest_way():
    model, x = line([3.0, 4.0], 30.0), word(2, 3)
    t = model.embedding(x).detach()
    move = word_deepfool.to_boundary(model[1:], t, torch.tensor([0]))
    # The gap is 30 - 18 = 12; the normal is (3, 4) of length 5.
    torch.testing.assert_close(move.flatten(), torch.tensor([3.0, 4.0]) * 12 / 25)


def test_the_nearest_of_several_boundaries_is_taken():
    rest = nn.Sequential(nn.Flatten(), nn.Linear(2, 3))
    with torch.no_grad():
        rest[1].weight.copy_(torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 4.0]]))
        rest[1].bias.copy_(torch.tensor([0.0, -1.0, -2.0]))
    t = torch.zeros(1, 1, 2)  # 1 away from class 1, 2 / 4 from class 2
    move = word_deepfool.to_boundary(rest, t, torch.tensor([0]))
    torch.testing.assert_close(move.flatten(), torch.tensor([0.0, 0.5]))


def test_without_a_gradient_there_is_no_move():
    rest = nn.Sequential(nn.Flatten(), nn.Linear(2, 2))
    nn.init.zeros_(rest[1].weight)
    t, y = torch.zeros(3, 1, 2), torch.zeros(3, dtype=torch.int64)
    assert word_deepfool.to_boundary(rest, t, y).equal(t)


def test_deepfool_goes_on_beyond_the_boundary_until_the_words_are_over_it():
    # One step of overshoot 0 ends at 4.4 on the boundary, nearest to 4, and stays there.
    stuck, lost = run(word_deepfool, {"steps": 9, "overshoot": 0.0}, line([1.0], 4.4), word(2))
    over, won = run(word_deepfool, {"steps": 9, "overshoot": 0.01}, line([1.0], 4.4), word(2))
    assert lost.tolist() == [False] and stuck.equal(word(2))
    assert won.tolist() == [True] and over.equal(word(5))


@EVERY
def test_padding_and_unknown_words_are_neither_altered_nor_put_in(attack, settings):
    # Going down, the nearest points below 0 would be the two marks, at -1 and -2.
    model = line([1.0, 1.0, 1.0], 4.5)
    x = torch.tensor([[PADDING, UNKNOWN, 11]])  # -2 - 1 + 9 = 6
    x_adv, success = run(attack, settings, model, x)
    assert success.all() and x_adv[0, :2].tolist() == [PADDING, UNKNOWN]
    x_adv, success = run(attack, settings, line([1.0], -0.5), word(0))
    assert not success.any() and x_adv.equal(word(0))


@EVERY
def test_what_was_misclassified_is_never_a_success_and_comes_back_untouched(attack, settings):
    model, x = line([1.0], 4.5), torch.cat([word(2), word(3), word(6)])
    x_adv, success = run(attack, settings, model, x, y=torch.tensor([1, 0, 1]))
    assert success.tolist() == [False, True, True] and x_adv[0].equal(x[0])
    _, success = run(attack, settings, model, x, y=1 - model(x).argmax(1))
    assert not success.any()


def random_problem(n=40, length=9, vocabulary=60):
    torch.manual_seed(0)
    config = text_classifier.Config(embedding_size=4, filters=6)
    model = text_classifier.build((length, vocabulary), 3, config=config).eval()
    nn.init.normal_(model.embedding.weight)
    x = torch.randint(vocabulary, (n, length))
    return model, x, model(x).argmax(1)


@EVERY
def test_a_success_fools_by_words_and_texts_do_not_depend_on_their_batch(attack, settings):
    model, x, y = random_problem()
    settings = settings | {"steps": 3}
    x_adv, success = run(attack, settings, model, x, y)
    assert success.any() and not success.all()
    assert (model(x_adv).argmax(1) != y).equal(success)
    assert x_adv[~success].equal(x[~success]) and x_adv.dtype == torch.int64
    alone = [run(attack, settings, model, x[i : i + 1], y[i : i + 1])[0] for i in range(8)]
    assert torch.cat(alone).equal(x_adv[:8])


@EVERY
def test_the_model_and_the_texts_are_left_exactly_as_they_were(attack, settings):
    model, x, y = random_problem()
    model.train()
    before, asked = {k: v.clone() for k, v in model.state_dict().items()}, x.clone()
    run(attack, settings, model, x, y)
    assert model.training and x.equal(asked)
    assert all(value.equal(before[key]) for key, value in model.state_dict().items())
    assert all(weight.grad is None and weight.requires_grad for weight in model.parameters())


def test_the_nearest_word_is_that_of_a_search_through_all():
    generator = torch.Generator().manual_seed(0)
    table = torch.randn(300, 5, generator=generator)
    x = torch.randint(2, 300, (7, 11), generator=generator)
    t = table[x] + 0.7 * torch.randn(7, 11, 5, generator=generator)
    found = _words.nearest_words(t, x, table, _words._gaps(table))
    distances = (t[:, :, None] - table[2:]).square().sum(3)
    assert found.equal(distances.argmin(2) + 2)
    assert 0.1 < (found == x).double().mean() < 0.9


def test_the_gap_is_the_distance_to_the_nearest_other_word(monkeypatch):
    monkeypatch.setattr(_words, "AT_ONCE", 3)
    table = torch.tensor([[0.0], [0.0], [5.0], [9.0], [4.0], [20.0], [9.5]])
    assert _words._gaps(table).tolist() == [torch.inf, torch.inf, 1.0, 0.5, 1.0, 10.5, 0.5]


def test_a_model_without_an_embedding_is_refused():
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 2))
    with pytest.raises(ValueError, match="a first layer `embedding`; the model has '0'"):
        run(*FGSM, model, torch.zeros(1, 4), torch.tensor([0]))
