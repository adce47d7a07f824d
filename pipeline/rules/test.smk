"""What one trained network does: attacked, measured, distorted, diagnosed, learned from.

INPUT   data.json, model.safetensors, snapshots/
OUTPUT  per run attacks/, measures.csv, complexities.csv, distortions.csv, diagnostics.csv, transferred.csv,
        learning/, detection/
"""


rule attack:
    input:
        data=paths.DATA,
        model=paths.MODEL,
    output:
        examples=paths.EXAMPLES,
        rows=paths.ATTACK,
    log:
        "logs/{study}/{dataset}/{model}/{defence}/{seed}/attacks/{attack}.txt",
    retries: 1
    threads: THREADS
    resources:
        gpu=GPU,
    params:
        used=used("attack"),
        code=code("attack"),
    shell:
        "python -m pipeline stage attack --study {STUDY:q} --dataset {wildcards.dataset}"
        " --model {wildcards.model} --defence {wildcards.defence} --seed {wildcards.seed}"
        " --attack {wildcards.attack} > {log} 2>&1"


rule measure:
    input:
        data=paths.DATA,
        snapshots=paths.SNAPSHOTS,
    output:
        paths.MEASURES,
    log:
        "logs/{study}/{dataset}/{model}/{defence}/{seed}/measure.txt",
    retries: 1
    threads: THREADS
    resources:
        gpu=GPU,
    params:
        used=used("measure"),
        code=code("measure"),
    shell:
        "python -m pipeline stage measure --study {STUDY:q} --dataset {wildcards.dataset}"
        " --model {wildcards.model} --defence {wildcards.defence} --seed {wildcards.seed}"
        " > {log} 2>&1"


rule complexity:
    input:
        data=paths.DATA,
        examples=attacks(paths.EXAMPLES),
    output:
        paths.COMPLEXITIES,
    log:
        "logs/{study}/{dataset}/{model}/{defence}/{seed}/complexity.txt",
    threads: THREADS
    params:
        used=used("complexity"),
        code=code("complexity"),
    shell:
        "python -m pipeline stage complexity --study {STUDY:q} --dataset {wildcards.dataset}"
        " --model {wildcards.model} --defence {wildcards.defence} --seed {wildcards.seed}"
        " > {log} 2>&1"


rule distort:
    input:
        data=paths.DATA,
        model=paths.MODEL,
    output:
        paths.DISTORTIONS,
    log:
        "logs/{study}/{dataset}/{model}/{defence}/{seed}/distort.txt",
    retries: 1
    threads: THREADS
    resources:
        gpu=GPU,
    params:
        used=used("distort"),
        code=code("distort"),
    shell:
        "python -m pipeline stage distort --study {STUDY:q} --dataset {wildcards.dataset}"
        " --model {wildcards.model} --defence {wildcards.defence} --seed {wildcards.seed}"
        " > {log} 2>&1"


rule diagnose:
    input:
        data=paths.DATA,
        model=paths.MODEL,
        examples=attacks(paths.EXAMPLES),
    output:
        rows=paths.DIAGNOSTICS,
        outcomes=paths.OUTCOMES,
    log:
        "logs/{study}/{dataset}/{model}/{defence}/{seed}/diagnose.txt",
    retries: 1
    threads: THREADS
    resources:
        gpu=GPU,
    params:
        used=used("diagnose"),
        code=code("diagnose"),
    shell:
        "python -m pipeline stage diagnose --study {STUDY:q} --dataset {wildcards.dataset}"
        " --model {wildcards.model} --defence {wildcards.defence} --seed {wildcards.seed}"
        " > {log} 2>&1"


rule transfer:
    input:
        data=paths.DATA,
        model=paths.MODEL,
        examples=attacks(paths.EXAMPLES),
        proxy=inputs.proxy(CONTENT, paths.EXAMPLES),
    output:
        rows=paths.TRANSFERRED,
        outcomes=paths.AFTER_TRANSFER,
    log:
        "logs/{study}/{dataset}/{model}/{defence}/{seed}/transfer.txt",
    retries: 1
    threads: THREADS
    resources:
        gpu=GPU,
    params:
        used=used("transfer"),
        code=code("transfer"),
    shell:
        "python -m pipeline stage transfer --study {STUDY:q} --dataset {wildcards.dataset}"
        " --model {wildcards.model} --defence {wildcards.defence} --seed {wildcards.seed}"
        " > {log} 2>&1"


rule learn:
    input:
        data=paths.DATA,
        model=paths.MODEL,
    output:
        paths.LEARNING,
    log:
        "logs/{study}/{dataset}/{model}/{defence}/{seed}/learning/{learning}.txt",
    retries: 1
    threads: THREADS
    resources:
        gpu=GPU,
    params:
        used=used("learn"),
        code=code("learn"),
    shell:
        "python -m pipeline stage learn --study {STUDY:q} --dataset {wildcards.dataset}"
        " --model {wildcards.model} --defence {wildcards.defence} --seed {wildcards.seed}"
        " --learning {wildcards.learning} > {log} 2>&1"


rule detect:
    input:
        data=paths.DATA,
        model=paths.MODEL,
    output:
        paths.DETECTED,
    log:
        "logs/{study}/{dataset}/{model}/{defence}/{seed}/detection/{detection}.txt",
    retries: 1
    threads: THREADS
    resources:
        gpu=GPU,
    params:
        used=used("detect"),
        code=code("detect"),
    shell:
        "python -m pipeline stage detect --study {STUDY:q} --dataset {wildcards.dataset}"
        " --model {wildcards.model} --defence {wildcards.defence} --seed {wildcards.seed}"
        " --detection {wildcards.detection} > {log} 2>&1"
