import torch

from robustinfo.maths.margin import margin, wrong_classes


def test_the_margin_is_the_true_logit_minus_the_best_other():
    logits, y = torch.tensor([[3.0, 1.0, 2.5], [3.0, 1.0, 2.5]]), torch.tensor([0, 2])
    assert margin(logits, y).tolist() == [0.5, -0.5]
    assert margin(logits - 7, y).tolist() == [0.5, -0.5]


def test_its_gradient_pulls_the_true_logit_and_the_best_other_only():
    logits = torch.tensor([[3.0, 1.0, 2.5, -4.0]]).requires_grad_()
    margin(logits, torch.tensor([1])).backward()
    assert logits.grad.tolist() == [[-1.0, 1.0, 0.0, 0.0]]


def test_wrong_classes_come_by_likelihood_without_the_label():
    logits, y = torch.tensor([[3.0, 1.0, 2.5, -4.0], [0.0, 1.0, 2.0, 3.0]]), torch.tensor([2, 3])
    assert wrong_classes(logits, y).tolist() == [[0, 1, 3], [2, 1, 0]]
    assert wrong_classes(logits[:0], y[:0]).shape == (0, 3)
