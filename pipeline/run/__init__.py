"""One job: its command line, parameters, files, device, and the code that it runs."""
