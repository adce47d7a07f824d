"""An entry or more of every attack on images, for a linear problem of two classes."""

CW = {"method": "carlini_wagner", "binary_search_steps": 4, "steps": 60, "step_size": 0.05}
HOP_SKIP_JUMP = {"method": "hop_skip_jump", "steps": 3, "first_labels": 30}
ATTACKS = {
    "fgsm_linf": {"method": "fgsm", "epsilon": 0.02},
    "fgsm_l2": {"method": "fgsm", "norm": "l2", "epsilon": 0.06},
    "fgsm_restarts": {"method": "fgsm", "epsilon": 0.02, "start_std": 0.01, "restarts": 2},
    "fgsm_l1": {"method": "fgsm", "norm": "l1", "epsilon": 0.12},
    "bim_l1": {"method": "bim", "norm": "l1", "epsilon": 0.12, "step_size": 0.03},
    "bim_linf": {"method": "bim", "epsilon": 0.02, "step_size": 0.005},
    "bim_l2": {"method": "bim", "norm": "l2", "epsilon": 0.06, "step_size": 0.02},
    "pgd_linf": {"method": "pgd", "epsilon": 0.02, "step_size": 0.005, "steps": 10},
    "pgd_l2": {"method": "pgd", "norm": "l2", "epsilon": 0.06, "step_size": 0.02, "steps": 10},
    "pgd_l1": {"method": "pgd", "norm": "l1", "epsilon": 0.12, "step_size": 0.03, "steps": 10},
    "pgd_restarts": {
        "method": "pgd", "epsilon": 0.02, "step_size": 0.001, "steps": 2, "restarts": 3,
    },
    "pgd_gaussian": {
        "method": "pgd", "norm": "l2", "epsilon": 0.06, "step_size": 0.02, "steps": 2,
        "start_std": 0.01,
    },
    "pgd_margin": {
        "method": "pgd", "epsilon": 0.02, "step_size": 0.005, "steps": 10, "objective": "margin",
    },
    "pgd_fooled": {
        "method": "pgd", "epsilon": 0.02, "step_size": 0.001, "steps": 2, "restarts": 3,
        "until": "fooled",
    },
    "pgd_bfloat16": {
        "method": "pgd", "epsilon": 0.02, "step_size": 0.005, "steps": 10, "until": "fooled",
        "precision": "bfloat16",
    },
    "adaptive": {"method": "adaptive", "epsilon": 0.02, "step_size": 0.005, "steps": 10},
    "gradient_search_linf": {"method": "gradient_search", "epsilon": 0.02, "steps": 10},
    "gradient_search_l2": {"method": "gradient_search", "norm": "l2", "epsilon": 0.06, "steps": 10},
    "gradient_search_l1": {"method": "gradient_search", "norm": "l1", "epsilon": 0.12, "steps": 10},
    "adaptive_l1": {
        "method": "adaptive", "norm": "l1", "epsilon": 0.12, "step_size": 0.03, "steps": 10,
    },
    "label_smoothing_pgd": {
        "method": "label_smoothing_pgd", "epsilon": 0.02, "step_size": 0.005, "steps": 3,
        "smoothings": [0.0, 0.5], "restarts": 2,
    },
    "detector_aware_pgd": {
        "method": "detector_aware_pgd", "epsilon": 0.02, "step_size": 0.005, "steps": 10,
        "random_start": False, "confidence": 0.0,
        "complexity": {"method": "entropy", "alphabet": "grey", "estimator": "plug_in"},
    },
    "deepfool_l2": {"method": "deepfool", "epsilon": 0.06},
    "deepfool_linf": {"method": "deepfool", "norm": "linf", "epsilon": 0.02},
    "carlini_wagner": CW | {"epsilon": 0.06},
    "fab_linf": {"method": "fab", "epsilon": 0.02, "steps": 10},
    "fab_l2": {"method": "fab", "norm": "l2", "epsilon": 0.06, "steps": 10, "targets": 9},
    "fab_l1": {"method": "fab", "norm": "l1", "epsilon": 0.12, "steps": 10},
    "fab_restarts": {"method": "fab", "epsilon": 0.02, "steps": 10, "restarts": 2},
    "fmn_linf": {"method": "fmn", "epsilon": 0.02, "steps": 20},
    "fmn_l2": {"method": "fmn", "norm": "l2", "epsilon": 0.06, "steps": 20, "targets": 3},
    "ddn": {"method": "ddn", "epsilon": 0.06, "steps": 20, "first_radius": 0.1},
    "mi_fgsm_linf": {"method": "mi_fgsm", "epsilon": 0.02, "step_size": 0.005},
    "mi_fgsm_l2": {"method": "mi_fgsm", "norm": "l2", "epsilon": 0.06, "step_size": 0.02},
    "mi_fgsm_l1": {"method": "mi_fgsm", "norm": "l1", "epsilon": 0.12, "step_size": 0.03},
    "ni_fgsm": {"method": "mi_fgsm", "epsilon": 0.02, "step_size": 0.005, "nesterov": True},
    "hop_skip_jump_linf": HOP_SKIP_JUMP | {"norm": "linf", "epsilon": 0.02},
    "hop_skip_jump_l2": HOP_SKIP_JUMP | {"epsilon": 0.06},
    "hop_skip_jump_l1": HOP_SKIP_JUMP | {"norm": "l1", "epsilon": 0.15},
    "square": {"method": "square", "epsilon": 0.02, "queries": 50, "restarts": 2},
    "noise_linf": {"method": "additive_noise", "norm": "linf", "epsilon": 0.15},
    "noise_signs": {
        "method": "additive_noise", "norm": "linf", "distribution": "signs", "epsilon": 0.15,
    },
    "noise_l2_uniform": {"method": "additive_noise", "norm": "l2", "epsilon": 0.3},
    "noise_l2_gaussian": {
        "method": "additive_noise", "norm": "l2", "distribution": "gaussian", "epsilon": 0.3,
    },
    "noise_l1": {"method": "additive_noise", "norm": "l1", "epsilon": 1.2},
    "random_search_l1": {"method": "random_search", "norm": "l1", "epsilon": 0.8, "draws": 100},
    "random_search_linf": {"method": "random_search", "epsilon": 0.1, "draws": 100},
    "random_search_l2": {"method": "random_search", "norm": "l2", "epsilon": 0.2, "draws": 100},
}  # fmt: skip
