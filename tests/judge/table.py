"""The tables of the README: what the judge says of every planted defect and every honest network.

python -m tests.judge.table
"""

import sys

import torch

from tests.judge.defects import DEFECTS, judged
from tests.judge.networks import honest, mnist_is_there
from tests.judge.test_defects import FAIR, HONEST


def main() -> None:
    torch.set_num_threads(1)
    print("| planted | flagged by | value | asked | verdict |\n|---|---|---|---|---|")
    for defect in DEFECTS.values():
        found = judged(honest("digits", "adversarial", 0), defect)
        check = next(check for check in found.checks if check.name == defect.check)
        flag = f"`{check.name}`" if check.failed else "**missed**"
        asked = f"{check.passes} {check.threshold:.3g}"
        print(f"| {defect.text} | {flag} | {check.value:.3g} | {asked} | {found.verdict} |")
        sys.stdout.flush()
    print("\n| honest | robust | raised | verdict |\n|---|---|---|---|")
    for dataset, defence, seed in HONEST:
        if dataset == "digits" or mnist_is_there():
            found = judged(honest(dataset, defence, seed))
            raised = [c.name for c in found.checks if c.failed and c.verdict not in FAIR]
            name = f"{dataset}, {defence}, seed {seed}"
            robust = f"{found.robust_accuracy:.0%}"
            print(f"| {name} | {robust} | {', '.join(raised) or 'none'} | {found.verdict} |")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
