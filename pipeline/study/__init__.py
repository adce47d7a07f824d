"""The study file: read strictly, with what it inherits, checked whole before any job."""
