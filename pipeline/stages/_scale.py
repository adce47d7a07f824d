"""What of a study tells in what its runs are smaller than a paper's (study/scale.py)."""

SCALE = {
    "seeds": "seeds",
    "datasets": "datasets",
    "models": "models",
    "defences": "defences",
    "pretrain": "pretrain",
    "retrain": "retrain",
    "train_selected": "train_selected",
    "training_images": "training_images",
    "validation_share": "validation_share",
    "evaluation_images": "evaluation_images",
    "attacks": "attacks",
    "diagnostics": "diagnostics",
}
