"""The page of a study: its template and what is embedded in it."""
