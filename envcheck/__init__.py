"""envcheck: will this conda environment build on Linux, and if not, what is the closest one that does?"""

__all__ = ["__version__"]

__version__ = "0.1.0"
