"""What DVC and MLflow are told of finished results."""
