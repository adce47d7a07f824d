"""`snakemake table-3 figure-5` makes just those."""

for job in [*PLAN.of("table"), *PLAN.of("figure")]:
    made = PLAN.writes(job)

    rule:
        name:
            job.names["target"]
        input:
            str(made["figure"] if "figure" in made else made["table"]),
