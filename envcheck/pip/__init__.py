"""The pip section: what a Python package index has for the target."""
