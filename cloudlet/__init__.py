"""Cloudlet: a whole AWS cloud in one process. Start reading in `cloudlet.app`."""

__version__ = "0.1.0"
