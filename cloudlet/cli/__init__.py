"""The command line. `main` parses; `serve` runs a server; `client` talks to a running one.

`settings` reads options and environment; `hooks` runs init scripts.
"""
