"""Data and networks.

INPUT   the data root, the study
OUTPUT  data.json per data set; per run model.safetensors, snapshots/, history.csv
"""


rule prepare:
    input:
        code=code("prepare"),
    output:
        paths.DATA,
    params:
        used=used("prepare"),
    log:
        "logs/{study}/{dataset}/prepare.txt",
    shell:
        "python -m pipeline.prepare --study {STUDY} --dataset {wildcards.dataset} > {log} 2>&1"


rule pretrain:
    input:
        data=paths.DATA,
        code=code("pretrain"),
    output:
        model=paths.MODEL,
        snapshots=directory(paths.SNAPSHOTS),
        history=paths.HISTORY,
    params:
        used=used("pretrain"),
    log:
        "logs/{study}/{dataset}/{model}/{defence}/{seed}/train.txt",
    wildcard_constraints:
        defence="|".join(CONTENT["pretrain"]),
    threads: THREADS
    retries: 1
    resources:
        gpu=GPU,
    shell:
        "python -m pipeline.train --stage pretrain --study {STUDY} --dataset {wildcards.dataset}"
        " --model {wildcards.model} --defence {wildcards.defence} --seed {wildcards.seed}"
        " > {log} 2>&1"


rule retrain:
    input:
        data=paths.DATA,
        start=paths.MODEL.replace("{defence}", CONTENT["retrain_from"]),
        code=code("retrain"),
    output:
        model=paths.MODEL,
        snapshots=directory(paths.SNAPSHOTS),
        history=paths.HISTORY,
    params:
        used=used("retrain"),
    log:
        "logs/{study}/{dataset}/{model}/{defence}/{seed}/train.txt",
    wildcard_constraints:
        defence="|".join(CONTENT["retrain"]) or "(?!)",
    threads: THREADS
    retries: 1
    resources:
        gpu=GPU,
    shell:
        "python -m pipeline.train --stage retrain --study {STUDY} --dataset {wildcards.dataset}"
        " --model {wildcards.model} --defence {wildcards.defence} --seed {wildcards.seed}"
        " > {log} 2>&1"
