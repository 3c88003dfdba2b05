"""Lock formats, one module per format and version."""
