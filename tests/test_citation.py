"""CITATION.cff and docs/citation.md name whatever the code names, and the licence of every file."""

import re

import pytest
from hosts import ROOT

from fcvg_core.catalogue.families import list_files

PAGE = (ROOT / "docs" / "citation.md").read_text(encoding="utf-8")
ARXIV = re.compile(r"\b\d{4}\.\d{5}\b")


def section(title: str) -> str:
    """The text below a heading."""
    return PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]


def test_every_model_file_has_its_licence() -> None:
    rows = section("Model files").splitlines()
    for file in list_files():
        names = {place.split("/")[1] for place in file.comfyui}  # of a folder: its own name
        names |= {download.url.rsplit("/", 1)[1] for download in file.downloads}
        (row,) = {row for row in rows if any(f"`{name}`" in row for name in names)}
        assert bool(re.search("non-commercial (research|use) only", row)) is file.non_commercial, (
            row
        )


def test_every_paper_that_the_code_names_is_cited() -> None:
    named = {
        number
        for folder in ("fcvg_core", "nodes")
        for path in (ROOT / folder).rglob("*.py")
        for number in re.findall(r"arXiv (\d{4}\.\d{5})", path.read_text(encoding="utf-8"))
    }
    assert "2412.11755" in named and named <= set(ARXIV.findall(PAGE))


def test_entries_are_those_of_the_table() -> None:
    entries = re.findall(r"^@\w+\{(\w+),$", PAGE, re.MULTILINE)
    table = section("What to cite").partition("```")[0]
    assert len(entries) == len({*entries})
    assert {*entries} == {*re.findall(r"`(\w+\d{4}\w+)`", table)}


def test_citation_file() -> None:
    yaml = pytest.importorskip("yaml")
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'\nversion = "{cited["version"]}"\n' in project
    assert cited.keys() >= {"cff-version", "message", "title", "authors"}  # what the format needs
    assert cited["license"] == "Apache-2.0" and cited["repository-code"] in project
    for paper in cited["references"]:
        assert paper["type"] in ("article", "conference-paper") and paper["authors"]
        assert paper["title"] in PAGE.replace("{", "").replace("}", "")
        (identifier,) = paper["identifiers"]
        assert ARXIV.findall(identifier["value"])[0] in PAGE
