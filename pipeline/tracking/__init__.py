"""Tracking of finished results in DVC and MLflow."""
