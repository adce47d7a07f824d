"""Report page of a study: its template and embedded assets."""
