"""Dockerfiles: reading them, following the environments they make, and checking those before they are built."""
