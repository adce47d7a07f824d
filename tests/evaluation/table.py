"""The tables of the documentation: what is said of every planted defect and honest network.

python -m tests.evaluation.table
"""

import sys

import torch

from robustinfo.evaluation.printing import rule
from tests.evaluation.defects import DEFECTS, judged
from tests.evaluation.networks import honest, mnist_is_there
from tests.evaluation.test_defects import FAIR, HONEST, answered


def main() -> None:
    torch.set_num_threads(1)
    print("| planted | flagged by | value | asked | verdict |\n|---|---|---|---|---|")
    for defect in DEFECTS.values():
        found = judged(honest("digits", "adversarial", 0), defect)
        one = answered(found, defect.check)
        flag = f"`{one.check.name}`" if one.result in ("failed", "noted") else "**missed**"
        print(f"| {defect.text} | {flag} | {one.value:.3g} | {rule(one)} | {found.verdict} |")
        sys.stdout.flush()
    print("\n| honest | robust | accused by | verdict |\n|---|---|---|---|")
    for dataset, defence, seed in HONEST:
        if dataset == "digits" or mnist_is_there():
            found = judged(honest(dataset, defence, seed))
            accused = [
                one.check.name
                for one in found.checks
                if one.result == "failed" and one.check.verdict not in FAIR
            ]
            name = f"{dataset}, {defence}, seed {seed}"
            told = f"{found.robust_accuracy:.0%} | {', '.join(accused) or 'none'}"
            print(f"| {name} | {told} | {found.verdict} |")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
