"""`snakemake table-3 figure-5` makes just those."""

for job in [*PLAN.of("table"), *PLAN.of("figure")]:
    paths = PLAN.writes(job)

    rule:
        name:
            job.names["target"]
        input:
            str(paths["figure"] if "figure" in paths else paths["table"]),
