"""What one trained network does: attacked, measured, distorted, diagnosed.

INPUT   data.json, model.safetensors, snapshots/
OUTPUT  per run attacks/, measures.csv, complexities.csv, distortions.csv, diagnostics.csv
"""


rule attack:
    input:
        data=paths.DATA,
        model=paths.MODEL,
        code=code("attack"),
    output:
        examples=paths.EXAMPLES,
        rows=paths.ATTACK,
    params:
        used=used("attack"),
    log:
        "logs/{study}/{dataset}/{model}/{defence}/{seed}/attacks/{attack}.txt",
    threads: THREADS
    retries: 1
    resources:
        gpu=GPU,
    shell:
        "python -m pipeline.attack --study {STUDY} --dataset {wildcards.dataset}"
        " --model {wildcards.model} --defence {wildcards.defence} --seed {wildcards.seed}"
        " --attack {wildcards.attack} > {log} 2>&1"


rule measure:
    input:
        data=paths.DATA,
        snapshots=paths.SNAPSHOTS,
        code=code("measure"),
    output:
        paths.MEASURES,
    params:
        used=used("measure"),
    log:
        "logs/{study}/{dataset}/{model}/{defence}/{seed}/measure.txt",
    threads: THREADS
    retries: 1
    resources:
        gpu=GPU,
    shell:
        "python -m pipeline.measure --study {STUDY} --dataset {wildcards.dataset}"
        " --model {wildcards.model} --defence {wildcards.defence} --seed {wildcards.seed}"
        " > {log} 2>&1"


rule complexity:
    input:
        data=paths.DATA,
        examples=attacks(paths.EXAMPLES),
        code=code("complexity"),
    output:
        paths.COMPLEXITIES,
    params:
        used=used("complexity"),
    log:
        "logs/{study}/{dataset}/{model}/{defence}/{seed}/complexity.txt",
    threads: THREADS
    shell:
        "python -m pipeline.complexity --study {STUDY} --dataset {wildcards.dataset}"
        " --model {wildcards.model} --defence {wildcards.defence} --seed {wildcards.seed}"
        " > {log} 2>&1"


rule distort:
    input:
        data=paths.DATA,
        model=paths.MODEL,
        code=code("distort"),
    output:
        paths.DISTORTIONS,
    params:
        used=used("distort"),
    log:
        "logs/{study}/{dataset}/{model}/{defence}/{seed}/distort.txt",
    threads: THREADS
    retries: 1
    resources:
        gpu=GPU,
    shell:
        "python -m pipeline.distort --study {STUDY} --dataset {wildcards.dataset}"
        " --model {wildcards.model} --defence {wildcards.defence} --seed {wildcards.seed}"
        " > {log} 2>&1"


rule diagnose:
    input:
        data=paths.DATA,
        model=paths.MODEL,
        examples=attacks(paths.EXAMPLES),
        code=code("diagnose"),
    output:
        paths.DIAGNOSTICS,
    params:
        used=used("diagnose"),
    log:
        "logs/{study}/{dataset}/{model}/{defence}/{seed}/diagnose.txt",
    threads: THREADS
    retries: 1
    resources:
        gpu=GPU,
    shell:
        "python -m pipeline.diagnose --study {STUDY} --dataset {wildcards.dataset}"
        " --model {wildcards.model} --defence {wildcards.defence} --seed {wildcards.seed}"
        " > {log} 2>&1"
