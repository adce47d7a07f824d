"""Settings, the registry of methods, errors, files: what every other folder imports."""
