"""Who owns what, as S3 shows it: accounts by their canonical user id."""

from __future__ import annotations

import hashlib


def canonical_id(account: str) -> str:
    """The 64 hex digits that S3 shows for an account. Always the same for the same account."""
    return hashlib.sha256(b"cloudlet canonical user " + account.encode()).hexdigest()


def shown(account: str) -> dict[str, str]:
    """An answer's Owner."""
    return {"ID": canonical_id(account)}
