"""TLS with a certificate of our own: made at first start, kept in the data folder."""

from __future__ import annotations

import ssl
import subprocess
import sys
from pathlib import Path


def ca_file(folder: Path) -> Path:
    """The file that clients give as their CA bundle."""
    return folder / "tls" / "ca.pem"


def make_certificate(folder: Path) -> subprocess.Popen[bytes] | None:
    """Begin to make the certificate in the background; None where there is one."""
    if (folder / "tls" / "server.pem").exists():
        return None
    return subprocess.Popen([sys.executable, "-m", "cloudlet.gateway.certificate", str(folder / "tls")], stdin=subprocess.DEVNULL)


def context(folder: Path) -> ssl.SSLContext:
    """A server context with the folder's certificate, which is made now where there is none yet."""
    if making := make_certificate(folder):
        making.wait()
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(folder / "tls" / "server.pem", folder / "tls" / "server.key")
    made.set_alpn_protocols(["h2", "http/1.1"])
    return made
