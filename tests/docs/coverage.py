"""The coverage tables of docs/services, made from the registry: `python -m tests.docs.coverage` writes them."""

from __future__ import annotations

import re
from pathlib import Path

from cloudlet.app import SERVICES
from cloudlet.gateway.catalog import Catalog

PAGES = Path(__file__).parents[2] / "docs" / "services"
_SECTION = re.compile(r"<!-- coverage -->\n.*?<!-- end of coverage -->\n", re.S)


def table(service: str) -> str:
    """A service's section: how many operations of the model are there, and which are not."""
    provider = Catalog(SERVICES).provider(service)
    assert provider
    known = provider.model.operation_names - provider.overlay.operations.keys()
    done = sorted(known & provider.operations.keys())
    missing = sorted(known - provider.operations.keys())
    lines = [f"{len(done)} of {len(known)} operations.", "", "Done: " + ", ".join(done) + "."]
    if missing:
        lines += ["", "Not done (each answers `NotImplemented`, 501): " + ", ".join(missing) + "."]
    return "<!-- coverage -->\n" + "\n".join(lines) + "\n<!-- end of coverage -->\n"


def with_table(page: str, service: str) -> str:
    if not _SECTION.search(page):
        return page.rstrip() + "\n\n## Coverage\n\n" + table(service)
    return _SECTION.sub(lambda found: table(service), page)


if __name__ == "__main__":
    for name in SERVICES:
        path = PAGES / f"{name}.md"
        path.write_text(with_table(path.read_text(), name))
