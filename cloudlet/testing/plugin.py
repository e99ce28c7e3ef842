"""The pytest plugin: fixtures that give a test a cloud of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cloudlet.testing.server import InProcessServer


@pytest.fixture(scope="session")
def cloudlet_session() -> Iterator[InProcessServer]:
    """One in-process cloud for the whole run."""
    with InProcessServer() as cloud:
        yield cloud


@pytest.fixture
def cloudlet(cloudlet_session: InProcessServer) -> Iterator[InProcessServer]:
    """The in-process cloud, emptied, its clock on real time."""
    cloudlet_session.reset()
    yield cloudlet_session
