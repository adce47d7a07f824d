"""The workflow around robustinfo: studies, stages, results, figures, report, tracking."""
