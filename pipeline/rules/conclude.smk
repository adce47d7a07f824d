"""What the runs say together.

INPUT   the .csv files of every run, studies/references/
OUTPUT  collected/, verdict.csv, checks.csv, metrics.json, leaderboard.*, overview/, gallery/, claims.csv,
        tables/, figures/, report.html
"""

RESULTS = inputs.results(CONTENT)
GALLERIES = [
    file
    for template in (paths.GALLERY, paths.GALLERY_PICTURE)
    for file in inputs.settings(CONTENT, template)
]
REFERENCES = sorted(map(str, Path(paths.REFERENCES).glob("*.yaml")))


rule collect:
    input:
        data=paths.DATA,
        rows=runs(),
        outcomes=inputs.outcomes(CONTENT),
    output:
        results=paths.RESULTS,
        standing=paths.STANDING,
    log:
        "logs/{study}/{dataset}/{model}/collect.txt",
    params:
        used=used("collect"),
        code=code("collect"),
    shell:
        "python -m pipeline stage collect --study {STUDY:q} --dataset {wildcards.dataset}"
        " --model {wildcards.model} > {log} 2>&1"


rule toy:
    output:
        paths.TOY,
    log:
        "logs/{study}/toys/{toy}.txt",
    params:
        used=used("toy"),
        code=code("toy"),
    shell:
        "python -m pipeline stage toy --study {STUDY:q} --toy {wildcards.toy} > {log} 2>&1"


rule verdict:
    input:
        results=RESULTS,
        standing=inputs.settings(CONTENT, paths.STANDING),
    output:
        verdict=report(
            paths.VERDICT, caption="../report/captions/verdict.rst", category="Verdict"
        ),
        checks=paths.CHECKS,
        metrics=paths.METRICS,
    log:
        "logs/{study}/verdict.txt",
    params:
        used=used("verdict"),
        code=code("verdict"),
    shell:
        "python -m pipeline stage verdict --study {STUDY:q} > {log} 2>&1"


rule leaderboard:
    input:
        results=RESULTS,
        verdict=paths.VERDICT,
    output:
        report(
            paths.LEADERBOARD,
            caption="../report/captions/leaderboard.rst",
            category="Verdict",
        ),
        paths.LEADERBOARD_JSON,
        paths.LEADERBOARD_TEX,
        paths.LEFT,
        paths.CURVES,
        paths.INFORMATION,
        paths.CORRELATIONS,
    log:
        "logs/{study}/leaderboard.txt",
    params:
        used=used("leaderboard"),
        code=code("leaderboard"),
    shell:
        "python -m pipeline stage leaderboard --study {STUDY:q} > {log} 2>&1"


rule overview:
    input:
        left=paths.LEFT,
        curves=paths.CURVES,
        information=paths.INFORMATION,
    output:
        directory(paths.DRAWN),
    log:
        "logs/{study}/overview.txt",
    params:
        used=used("overview"),
        code=code("overview"),
    shell:
        "python -m pipeline stage overview --study {STUDY:q} > {log} 2>&1"


rule gallery:
    input:
        data=paths.DATA,
        runs=inputs.pictured(CONTENT),
    output:
        paths.GALLERY,
        paths.GALLERY_PICTURE,
    log:
        "logs/{study}/{dataset}/{model}/gallery.txt",
    retries: 1
    threads: THREADS
    resources:
        gpu=GPU,
    params:
        used=used("gallery"),
        code=code("gallery"),
    shell:
        "python -m pipeline stage gallery --study {STUDY:q} --dataset {wildcards.dataset}"
        " --model {wildcards.model} > {log} 2>&1"


rule claims:
    input:
        results=RESULTS,
        standing=inputs.settings(CONTENT, paths.STANDING),
        references=REFERENCES,
    output:
        report(paths.CLAIMS, caption="../report/captions/claims.rst", category="Claims"),
    log:
        "logs/{study}/claims.txt",
    params:
        used=used("claims"),
        code=code("claims"),
    shell:
        "python -m pipeline stage claims --study {STUDY:q} > {log} 2>&1"


rule table:
    input:
        results=RESULTS,
        references=REFERENCES,
    output:
        report(paths.TABLE, caption="../report/captions/target.rst", category="Tables"),
    log:
        "logs/{study}/tables/{target}.txt",
    wildcard_constraints:
        target="|".join(CONTENT["tables"]) or "(?!)",
    params:
        used=used("table"),
        code=code("table"),
    shell:
        "python -m pipeline stage table --study {STUDY:q} --target {wildcards.target}"
        " > {log} 2>&1"


rule figure:
    input:
        results=RESULTS,
        references=REFERENCES,
    output:
        table=paths.TABLE,
        svg=report(paths.FIGURE, caption="../report/captions/target.rst", category="Figures"),
        png=paths.PICTURE,
    log:
        "logs/{study}/figures/{target}.txt",
    wildcard_constraints:
        target="|".join(CONTENT["figures"]) or "(?!)",
    params:
        used=used("figure"),
        code=code("figure"),
    shell:
        "python -m pipeline stage figure --study {STUDY:q} --target {wildcards.target}"
        " > {log} 2>&1"


rule report:
    input:
        checks=paths.CHECKS,
        leaderboard=[
            paths.LEADERBOARD,
            paths.LEADERBOARD_JSON,
            paths.LEADERBOARD_TEX,
        ],
        overview=[
            paths.LEFT,
            paths.CURVES,
            paths.INFORMATION,
            paths.CORRELATIONS,
            paths.DRAWN,
        ],
        galleries=GALLERIES,
        claims=paths.CLAIMS,
        tables=targets(paths.TABLE, "tables"),
        figures=targets(paths.FIGURE, "figures"),
        template="pipeline/report/report.html",
    output:
        paths.REPORT,
    log:
        "logs/{study}/report.txt",
    params:
        used=used("report"),
        code=code("report"),
    shell:
        "python -m pipeline stage report --study {STUDY:q} > {log} 2>&1"


# `snakemake table-3 figure-5` makes just those.
for target in [*CONTENT["tables"], *CONTENT["figures"]]:

    rule:
        name:
            target
        input:
            (paths.FIGURE if target in CONTENT["figures"] else paths.TABLE).format(
                study=NAME, target=target
            ),
