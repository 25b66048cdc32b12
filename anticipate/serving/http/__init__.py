"""The scorer over HTTP (extra ``serve``): ``app.make_app``, and ``anticipate serve`` around it."""
