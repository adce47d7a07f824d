"""Settings, the registry of methods, errors, files: what every other folder stands on."""
