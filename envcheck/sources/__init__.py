"""Readers of exports, one module per dialect, and the table that tells them apart."""
