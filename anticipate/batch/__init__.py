"""The command line: train, evaluate, suggest and rank from files."""

from .main import main

__all__ = ["main"]
