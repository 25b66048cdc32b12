"""The scorer over HTTP (extra ``serve``): one app, four questions, and who may ask them."""

from .app import make_app

__all__ = ["make_app"]
