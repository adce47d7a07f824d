"""Stage figure: one figure of the study, drawn from its table.

writes  results/{study}/tables/{target}.csv  as the stage table
        results/{study}/figures/{target}.svg, .png and .pdf
"""

from pipeline.figures.drawing import draw
from pipeline.results import rows
from pipeline.results.untrained import UNTRAINED
from pipeline.run.job import Job
from pipeline.stages._scale import SCALE
from pipeline.stages._tabulate import tabulate_target
from pipeline.study.target import Target
from robustinfo.evaluation.display.saving import save

JOBS = {"target": "figures"}
READS = ["results"]
WRITES = {
    "drawn_table": "tables/{target}.csv",
    "figure": "figures/{target}.svg",
    "picture": "figures/{target}.png",
    "print": "figures/{target}.pdf",
}
PARAMS = {**SCALE, "complexities": "complexities", "target": "figures.{target}"}
FILES = ["studies/references/*.yaml"]


def run(job: Job) -> None:
    """Tabulate the target, and draw the table."""
    table = tabulate_target(job)
    rows.write_table(job.writes["drawn_table"], table)
    is_untrained = table.scope == UNTRAINED
    note = "".join(f"{row}: {UNTRAINED}\n" for row in table[is_untrained].row.unique())
    drawn = draw(table[~is_untrained], Target(**job.params["target"]), note)
    save(drawn, job.writes["figure"], job.writes["picture"], job.writes["print"])
