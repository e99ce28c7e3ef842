"""The documentation says what is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cloudlet.app import SERVICES
from cloudlet.cli.main import _parser
from tests.docs.coverage import PAGES, with_table

ROOT = Path(__file__).parents[2]
MARKDOWN = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "bench").glob("*.md")])


@pytest.mark.parametrize("service", SERVICES)
def test_coverage_tables_are_the_registrys(service: str) -> None:
    page = (PAGES / f"{service}.md").read_text()
    assert page == with_table(page, service), "run python -m tests.docs.coverage"


@pytest.mark.parametrize("path", MARKDOWN, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_and_file_names_lead_somewhere(path: Path) -> None:
    text = path.read_text()
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        if "://" not in target:
            assert (path.parent / target).exists(), f"{path.name} links to {target}, which is not there"


def test_the_tour_names_files_that_exist() -> None:
    text = (ROOT / "docs" / "tour.md").read_text()
    for name in re.findall(r"`((?:gateway|wire|kernel|services|cli|testing)/[a-z0-9_/]+\.py)", text):
        assert (ROOT / "cloudlet" / name).exists(), name


def test_the_readme_names_every_command_and_option_of_start() -> None:
    text = (ROOT / "README.md").read_text()
    actions = [action for action in _parser()._actions if action.choices]
    commands = dict(actions[0].choices or {})
    for command in commands:
        assert re.search(rf"\b{command}\b", text), f"README lacks the command {command}"
    for action in commands["start"]._actions:
        longest = max(action.option_strings, key=len)
        if longest not in ("--help", "--debug", "--detach"):
            assert longest in text, f"README lacks {longest}"
