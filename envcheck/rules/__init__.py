"""The rules: pure functions that turn facts into findings, and the one list of them."""
