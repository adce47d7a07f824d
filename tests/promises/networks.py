"""What defences and diagnostics promise."""

from math import isfinite
from typing import Any

import torch
from torch import Tensor, nn

from tests.promises import Held, alone, seeded, told
from tests.promises.attacks import Case


def defence(one: Held, case: Case) -> None:
    """The network in training mode. Raises Broken at the first promise that is broken."""
    model, x, y = case
    extra = {}
    if one.hook("prepare"):
        with alone(one, x, y, model=model):
            _, state = one.module.prepare(model, lambda: [(x, y)], config=one.config)
        tensors = all(isinstance(tensor, Tensor) for tensor in state.values())
        one.keeps(tensors, "the state is tensors by name")
        extra["state"] = state
    _terms(one, case, extra)
    if one.hook("adversaries"):
        _adversaries(one, case)
    if one.hook("attack_term"):
        _attack_term(one, case, extra.get("state", {}))
    if one.hook("finish") and one.module.finishes(one.config):
        with alone(one, x, y):
            one.module.finish(model.eval(), x, y, config=one.config)


def _terms(one: Held, case: Case, extra: dict[str, Any]) -> None:
    model, x, y = case
    kept, modes = [x.clone(), y.clone()], [part.training for part in model.modules()]
    weights = [w.detach().clone() for w in model.parameters()]
    generator = seeded()
    torch.manual_seed(7)
    terms = one.module.loss_terms(model, x, y, config=one.config, generator=generator, **extra)
    scalars = all(term.ndim == 0 and term.isfinite() for term in terms.values())
    one.keeps(scalars, "every term is a finite scalar")
    patterns = [name for group in one.module.outline(one.config) for name in group["quantity"]]
    one.keeps(sorted(terms) == sorted(patterns), "its outline names the terms")
    one.keeps(all(w.grad is None for w in model.parameters()), "no gradient is left behind")
    same = all(w.equal(old) for w, old in zip(model.parameters(), weights, strict=True))
    one.keeps(same, "no weight moves")
    one.keeps(x.equal(kept[0]) and y.equal(kept[1]), "its inputs are left alone")
    one.keeps([p.training for p in model.modules()] == modes, "the network's modes come back")
    still = generator.get_state().equal(seeded().get_state())
    one.keeps(still or not one.hook("SAME_STEPS"), "who says SAME_STEPS draws nothing")
    total = sum(terms.values())
    one.keeps(isinstance(total, Tensor) and total.requires_grad, "the terms have a slope")
    slopes = torch.autograd.grad(total, [*model.parameters()], allow_unused=True)
    moved = any(slope is not None and slope.abs().sum() > 0 for slope in slopes)
    one.keeps(moved, "the terms have a slope")


def _adversaries(one: Held, case: Case) -> None:
    model, x, _ = case
    x_adv = one.module.adversaries(*case, config=one.config, generator=seeded())
    alike = x_adv.shape == x.shape and x_adv.dtype == x.dtype
    one.keeps(alike and not x_adv.requires_grad, "adversaries are images like x")
    one.keeps(x_adv.min() >= 0 and x_adv.max() <= 1, "adversaries lie in [0, 1]")
    if one.hook("terms_on"):
        terms = one.module.terms_on(model, x, x_adv, case.y, config=one.config)
        named = {name for group in one.module.outline(one.config) for name in group["quantity"]}
        one.keeps({*terms} == named, "terms_on has the terms of loss_terms")


def _attack_term(one: Held, case: Case, state: dict[str, Tensor]) -> None:
    model, x, y = case
    x = x.clone().requires_grad_()
    model.eval()
    logits, term = one.module.attack_term(model, x, y, config=one.config, state=state)
    model.train()
    one.keeps(logits.ndim == 2 and len(logits) == len(x), "attack_term gives logits (n, K)")
    one.keeps(term.ndim == 0 and term.isfinite(), "attack_term gives a finite scalar")
    one.keeps(term.requires_grad, "attack_term has a slope by x")


def diagnostic(one: Held, case: Case) -> None:
    """The network in eval mode."""
    model, x, y = case
    given = {
        name: _examples(model, x, y, falls=name != "after")
        for name in ("examples", "after", "other")
        if name in type(one.config).model_fields
    }

    def diagnosed() -> list:
        return one.module.diagnose(*case, config=one.config, generator=seeded(), **given)

    with alone(one, x, y, model=model):
        found = [*diagnosed()]
    told(one, found)
    of_some = all(isfinite(row.value) or row.n == 0 for row in found)
    one.keeps(of_some, "its numbers are finite, but those of no image")
    torch.manual_seed(99)
    values = torch.tensor([row.value for row in found])
    again = torch.tensor([row.value for row in diagnosed()])
    one.keeps(torch.equal(values.nan_to_num(), again.nan_to_num()), "the generator alone decides")


@torch.no_grad()
def _examples(model: nn.Module, x: Tensor, y: Tensor, *, falls: bool) -> dict[str, Tensor]:
    """What the stage attack may have stored; falls: of an attack that turns every image."""
    right = model(x).argmax(1) == y
    success = right if falls else torch.zeros_like(right)
    return {
        "x_adv": x.flip(0),
        "correct": right,
        "success": success,
        "distance_l2": torch.arange(len(y)) + 1.0,
        "distance_linf": torch.arange(len(y)) + 1.0,
    }
