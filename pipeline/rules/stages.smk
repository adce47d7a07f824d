"""A rule for every stage, by what the stage's own file says (pipeline/run/contract.py).

INPUT   what it READS, of all jobs that agree with its names, and its FILES
OUTPUT  what it WRITES
"""

# What Snakemake's own report shows of the results: a caption and a chapter.
REPORTED = {
    "verdict": ("verdict.rst", "Verdict"),
    "leaderboard": ("leaderboard.rst", "Verdict"),
    "claims": ("claims.rst", "Claims"),
    "table": ("target.rst", "Tables"),
    "figure": ("target.rst", "Figures"),
}


def output(artifact, path):
    """A file, a folder where it has no suffix, or one that Snakemake's report shows."""
    path = path.replace("{study}", NAME)
    if "." not in Path(path).name:
        return directory(path)
    if artifact in REPORTED:
        caption, category = REPORTED[artifact]
        return report(path, caption=f"../report/captions/{caption}", category=category)
    return path


def job_of(stage, wildcards):
    return PLAN.job(stage.stage, {name: wildcards[name] for name in stage.names})


def reads(stage):
    """Input function: the files of a job, by role."""
    return lambda wildcards: {
        role: [str(file.path) for file in files]
        for role, files in PLAN.reads(job_of(stage, wildcards)).items()
    }


def told(stage, tell):
    """Parameter function: what a job is told."""
    return lambda wildcards: tell(job_of(stage, wildcards))


for stage in PLAN.contracts.values():
    there = PLAN.of(stage.stage)
    if not there:
        continue

    rule:
        name:
            stage.stage
        input:
            unpack(reads(stage)),
            sorted(str(file) for one in stage.files for file in Path().glob(one)),
        output:
            **{name: output(name, path) for name, path in stage.writes.items()},
        log:
            "/".join(
                ["logs", NAME, stage.stage, *(f"{{{name}}}" for name in stage.names)]
            )
            + ".txt",
        wildcard_constraints:
            **{
                name: "|".join(sorted({job.names[name] for job in there}))
                for name in stage.names
            },
        retries: 1 if stage.device == "gpu" else 0
        threads: THREADS if stage.device else 1
        resources:
            gpu=GPU if stage.device == "gpu" else 0,
        params:
            stage=stage.stage,
            options=told(stage, lambda job: job.options),
            used=told(stage, PLAN.params),
            code=told(stage, lambda job: code.digest(job.contract, PLAN.params(job))),
        shell:
            "python -m pipeline stage {params.stage} --study {STUDY:q}{params.options} > {log} 2>&1"
