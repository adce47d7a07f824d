"""Data and networks.

INPUT   the data root, the study
OUTPUT  data.json per data set; per run model.safetensors, snapshots/, history.csv; selection.csv
"""


rule prepare:
    output:
        paths.DATA,
    log:
        "logs/{study}/{dataset}/prepare.txt",
    params:
        used=used("prepare"),
        code=code("prepare"),
    shell:
        "python -m pipeline stage prepare --study {STUDY:q} --dataset {wildcards.dataset} > {log} 2>&1"


rule pretrain:
    input:
        data=paths.DATA,
    output:
        model=paths.MODEL,
        snapshots=directory(paths.SNAPSHOTS),
        history=paths.HISTORY,
    log:
        "logs/{study}/{dataset}/{model}/{defence}/{seed}/train.txt",
    wildcard_constraints:
        defence="|".join(CONTENT["pretrain"]),
    retries: 1
    threads: THREADS
    resources:
        gpu=GPU,
    params:
        used=used("pretrain"),
        code=code("pretrain"),
    shell:
        "python -m pipeline stage pretrain --study {STUDY:q} --dataset {wildcards.dataset}"
        " --model {wildcards.model} --defence {wildcards.defence} --seed {wildcards.seed}"
        " > {log} 2>&1"


rule retrain:
    input:
        data=paths.DATA,
        start=paths.MODEL.replace("{defence}", CONTENT["retrain_from"]),
    output:
        model=paths.MODEL,
        snapshots=directory(paths.SNAPSHOTS),
        history=paths.HISTORY,
    log:
        "logs/{study}/{dataset}/{model}/{defence}/{seed}/train.txt",
    wildcard_constraints:
        defence="|".join(CONTENT["retrain"]) or "(?!)",
    retries: 1
    threads: THREADS
    resources:
        gpu=GPU,
    params:
        used=used("retrain"),
        code=code("retrain"),
    shell:
        "python -m pipeline stage retrain --study {STUDY:q} --dataset {wildcards.dataset}"
        " --model {wildcards.model} --defence {wildcards.defence} --seed {wildcards.seed}"
        " > {log} 2>&1"


rule screen:
    input:
        data=paths.DATA,
        model=paths.MODEL,
    output:
        paths.SCREENED,
    log:
        "logs/{study}/{dataset}/{model}/{defence}/{seed}/screen.txt",
    retries: 1
    threads: THREADS
    resources:
        gpu=GPU,
    params:
        used=used("screen"),
        code=code("screen"),
    shell:
        "python -m pipeline stage screen --study {STUDY:q} --dataset {wildcards.dataset}"
        " --model {wildcards.model} --defence {wildcards.defence} --seed {wildcards.seed}"
        " > {log} 2>&1"


rule select:
    input:
        screened=inputs.screened(CONTENT),
    output:
        paths.SELECTED,
    log:
        "logs/{study}/{dataset}/{model}/select.txt",
    params:
        used=used("select"),
        code=code("select"),
    shell:
        "python -m pipeline stage select --study {STUDY:q} --dataset {wildcards.dataset}"
        " --model {wildcards.model} > {log} 2>&1"


rule train_selected:
    input:
        data=paths.DATA,
        selected=paths.SELECTED,
    output:
        model=paths.MODEL,
        snapshots=directory(paths.SNAPSHOTS),
        history=paths.HISTORY,
    log:
        "logs/{study}/{dataset}/{model}/{defence}/{seed}/train.txt",
    wildcard_constraints:
        defence="|".join(CONTENT["train_selected"]) or "(?!)",
    retries: 1
    threads: THREADS
    resources:
        gpu=GPU,
    params:
        used=used("train_selected"),
        code=code("train_selected"),
    shell:
        "python -m pipeline stage train_selected --study {STUDY:q}"
        " --dataset {wildcards.dataset} --model {wildcards.model}"
        " --defence {wildcards.defence} --seed {wildcards.seed} > {log} 2>&1"
