"""A rule for every stage, from its contract (pipeline/run/contract.py).

INPUT   its READS, of all jobs that agree with its names, and its FILES
OUTPUT  its WRITES
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


def files(stage):
    """Input function: the files of the project that a job reads."""
    return lambda wildcards: [
        str(file)
        for pattern in PLAN.patterns(job_of(stage, wildcards))
        for file in (sorted(Path().glob(pattern)) if "*" in pattern else [pattern])
    ]


def job_param(stage, value_of):
    """Parameter function: a value of the job."""
    return lambda wildcards: value_of(job_of(stage, wildcards))


for stage in PLAN.contracts.values():
    jobs = PLAN.of(stage.stage)
    if not jobs:
        continue

    rule:
        name:
            stage.stage
        input:
            unpack(reads(stage)),
            files(stage),
        output:
            **{name: output(name, path) for name, path in stage.writes.items()},
        log:
            "/".join(
                ["logs", NAME, stage.stage, *(f"{{{name}}}" for name in stage.names)]
            )
            + ".txt",
        wildcard_constraints:
            **{
                name: "|".join(sorted({job.names[name] for job in jobs}))
                for name in stage.names
            },
        retries: 1 if stage.device == "gpu" else 0
        threads: THREADS if stage.device else 1
        resources:
            gpu=GPU if stage.device == "gpu" else 0,
        params:
            stage=stage.stage,
            options=job_param(stage, lambda job: job.options),
            used=job_param(stage, PLAN.params),
            code=job_param(
                stage, lambda job: code.digest(job.contract, PLAN.params(job))
            ),
        shell:
            "python -m pipeline stage {params.stage} --study {STUDY:q}{params.options} > {log} 2>&1"
