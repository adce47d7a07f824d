"""The page of the documentation that is made from CHECKS, CLASSES, SIZES and the remedies.

python -m robustinfo.evaluation.reference > docs/verdict.md
"""

from robustinfo.evaluation.checks import CHECKS, CLASSES, EXITS, SIGNS, Check
from robustinfo.evaluation.remedies._mounting import names, remedy
from robustinfo.evaluation.sizes import BY_NAME, SIZES
from robustinfo.evaluation.threats import Ball
from robustinfo.maths.statistics import fraction_interval

CLASSES_OF_EXAMPLES = (2, 10, 1000)  # for which a threshold that depends on K is printed


def page() -> str:
    """The page in Markdown."""
    parts = [INTRODUCTION, _classes(), CHECKED, _checks(), REMEDIES, _remedies()]
    return "\n\n".join([*parts, PROTOCOLS, _sizes(), BESIDE]) + "\n"


INTRODUCTION = """# The verdict

Made by `python -m robustinfo.evaluation.reference > docs/verdict.md`; a test holds it against the
code.

The class of a network is the worst that any check surely fails. A check whose value is estimated
from images fails or passes where its 95 % interval lies wholly on one side of the threshold;
otherwise it *cannot say*, and nothing is said to hold. A fact about what was run (a count, an image
outside the ball) needs no interval. What was not asked is *not run*, which is never a pass. Each
norm is a threat model of its own: checks and verdict are never pooled over norms. Of several
(`--threat linf:8/255 --threat l2:0.5`) each has its evaluation on the same images; beside them
stands their union, the images that are robust in every one (Tramèr and Boneh 2019, Maini et al.
2020), and the worst of their classes. No check is asked of the union itself.
Several values of one check, of several attacks or seeds: the worst answer counts.

Images that only noise, a single step, a black box or an adaptive attack broke go through a long
gradient search (four losses, 200 steps, 5 restarts). What it finds was a short search; only the
rest counts as masked. The other checks speak for themselves: what the gradients of a network are
worth is asked along a path on its log-odds and, where any image may be painted, of PGD on the
margin, since the cross-entropy of a network that is merely sure is flat in float32."""
CHECKED = """## The checks

`required`: without an answer nothing is said to hold. `fixed`: not asked where answers differ from
time to time on more than 5 % of the images."""
REMEDIES = """## Remedies

Where a check surely fails, the attack that answers it is made on the images that are still robust
(`--no-remedies` leaves it out). The verdict stays the first diagnosis; the accuracy after remedies
stands beside it. Every success is verified; the answer of a randomised network is the majority of
101 (two standard errors of the lead, at least). Of a network that is known by its answers alone
nothing fails as gradients do, and queries may cost: `--remedies` makes those that can do without a
gradient and that `gradient_attacks` calls for. Passes are those of an image that nothing breaks, in
`medium`."""
PROTOCOLS = """## The protocols

`robustinfo judge --protocol NAME`; without it, `medium`. The same protocol, images and seed ask the
same questions on any machine; `--budget 20m` says which one fits into that time here. From `medium`
on an honest network on which nothing happens passes every check, if the data have at least 400
images and four classes (AutoAttack takes no fewer), AutoAttack takes images of their size, and at
least 73 of the images can be planted, which a network whose last layer reads but a few features
does not allow. Where the outputs on clean images make an evaluation invalid already (probabilities,
NaN, another answer in another batch), HopSkipJump and AutoAttack are not made unless `--attacks`
names them, and the evaluation says so. The last two columns say what 0 events prove: the upper end
of Wilson's 95 % interval."""

BESIDE = """## Beside robust accuracy

Two things are measured without an attack, and decide nothing. Calibration, always: the expected
calibration error (15 bins) with what chance alone gives it, overconfidence, negative log-likelihood
in nats, Brier score. Accuracy under common corruptions, from `medium` on or with `--corruptions`:
fourteen kinds of noise, blur, weather and compression at the five severities of CIFAR-10-C, Tiny
ImageNet-C or ImageNet-C, whichever is nearest by the size of the images (frost, which needs
photographs, is left out, so means are not those of the published sets). With a twin, its errors are
those that the corruption error is relative to. Where a network may abstain neither is measured; of
one that gives labels alone there is no calibration."""


def _classes() -> str:
    lines = [f"| {EXITS[name]} | {name} |" for name in CLASSES]
    return "\n".join(["| exit code | class, worst first |", "|---|---|", *lines])


def _checks() -> str:
    head = "| check | asked | value is | a failure is | what it means, and what to do |"
    return "\n".join([head, "|---|---|---|---|---|", *map(_line, CHECKS)])


def _line(check: Check) -> str:
    limit = check.threshold
    if callable(limit):
        values = [f"{limit(k):.2g} for K = {k}" for k in CLASSES_OF_EXAMPLES]
        rule = f"{SIGNS[check.rule]} {', '.join(values)}"
    else:
        rule = f"{SIGNS[check.rule]} {limit:g}"
    kind = "an estimate" if check.sampled else "a fact"
    if check.tolerance:
        kind += f", {check.tolerance} image excused"
    marks = ["required"] * check.required + ["fixed"] * check.fixed_answers
    extra = f" ({', '.join(marks)})" if marks else ""
    return f"| `{check.name}`{extra} | {rule} | {kind} | {check.verdict} | {check.meaning} |"


def _remedies() -> str:
    lines = [
        "| remedy | called for by | with gradient | without | what it is |",
        "|---|---|---|---|---|",
    ]
    for name in names():
        one = remedy(name)
        passes = one.cost(BY_NAME["medium"], Ball(norm="linf", epsilon=0.1))
        checks = ", ".join(f"`{check}`" for check in one.CALLED_BY)
        what = one.__doc__.splitlines()[0]
        lines.append(
            f"| `{name}` | {checks} | {passes.gradients:,.0f} | {passes.queries:,.0f} | {what} |"
        )
    return "\n".join(lines)


def _sizes() -> str:
    head = (
        "| protocol | images | PGD steps | restarts | Square queries | HopSkipJump steps | "
        "random draws | planted | AutoAttack | corruptions | 0 of all images | 0 of the planted |"
    )
    lines = [
        f"| {size.name} | {size.images} | {size.steps} | {size.restarts} | {size.queries} | "
        f"{size.walk or 'none'} | {size.draws} | {size.planted} | "
        f"{'yes' if size.ensemble else 'no'} | {'yes' if size.corruptions else 'no'} | "
        f"{_upper_end_of_none(size.images)} | {_upper_end_of_none(size.planted)} |"
        for size in SIZES
    ]
    return "\n".join([head, "|" + 12 * "---|", *lines])


def _upper_end_of_none(images: int) -> str:
    """The upper end of the 95 % interval of 0 events on so many images."""
    return f"≤ {fraction_interval(0, images)[1]:.2%}"


if __name__ == "__main__":
    print(page(), end="")
