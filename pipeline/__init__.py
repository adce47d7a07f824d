"""The top floor: stage programs, the workflow's shared parts, DVC's bridge and MLflow's view."""
