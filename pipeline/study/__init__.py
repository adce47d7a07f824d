"""The study file: read strictly, with inheritance, and checked as a whole before any job."""
