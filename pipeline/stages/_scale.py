"""Parameters that the comparison with a paper's scale reads (study/scale.py)."""

SCALE = {
    "seeds": "seeds",
    "datasets": "datasets",
    "models": "models",
    "defences": "defences",
    "pretrain": "pretrain",
    "retrain": "retrain",
    "train_selected": "train_selected",
    "stop_early": "stop_early",
    "training_images": "training_images",
    "validation_share": "validation_share",
    "evaluation_images": "evaluation_images",
    "attacks": "attacks",
    "diagnostics": "diagnostics",
}
