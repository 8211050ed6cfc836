"""The compatibility page is what the codecs' tables say, and says it in tables that hold together."""

import re
from pathlib import Path

import pytest

from aiproxy.catalogue.cannot import ASPECTS, CANNOT
from aiproxy.catalogue.compatibility import PAGE, PROTOCOLS, TARGETS, main, page
from aiproxy.codecs import __path__ as codec_packages
from aiproxy.codecs.fields import Own

CONFIGS = Path(__file__).parents[2] / "configs"

ENVELOPES = {"code_assist"}
"""Codecs that wrap another's bodies and share its table."""


def sections() -> dict[str, list[str]]:
    _, *rest = re.split(r"^## From (.+)$", page(), flags=re.MULTILINE)
    return {title: text.partition("\n## ")[0].splitlines() for title, text in zip(rest[::2], rest[1::2], strict=True)}


def test_the_written_page_is_what_the_tables_say(tmp_path: Path) -> None:
    again = "run `python -m aiproxy.catalogue.compatibility configs`"
    assert (CONFIGS / PAGE).read_text(encoding="utf-8") == page(), again
    main(str(tmp_path))
    assert (tmp_path / PAGE).read_text(encoding="utf-8") == page()


def test_every_codec_is_on_the_page() -> None:
    packages = {path.parent.name for root in codec_packages for path in Path(root).glob("*/__init__.py")}
    listed = {codec.fields.rows for codec in TARGETS.values()}
    assert len(listed) == len(TARGETS) == len(packages - ENVELOPES)


@pytest.mark.parametrize("title", PROTOCOLS)
def test_every_field_of_a_protocol_is_in_its_section(title: str) -> None:
    text = "\n".join(sections()[title]).replace(r"\|", "|")
    for row in PROTOCOLS[title].fields.rows:
        assert not row.wire or f"`{row.wire}`" in text
        assert not isinstance(row, Own) or row.wire


@pytest.mark.parametrize("title", PROTOCOLS)
def test_tables_hold_together(title: str) -> None:
    widths: list[set[int]] = [set()]
    for line in sections()[title]:
        if line.startswith("|"):
            widths[-1].add(len(re.findall(r"(?<!\\)\|", line)))
        elif widths[-1]:
            widths.append(set())
    shared, own = (width for width in widths if width)
    assert shared == {len(TARGETS) + 2}
    assert own == {4}


def test_no_cell_of_a_shared_field_is_empty() -> None:
    for lines in sections().values():
        shared = lines[: next(i for i, line in enumerate(lines) if line.startswith("Fields that only"))]
        assert not [line for line in shared if "|  |" in line]


def test_what_cannot_be_done_is_on_the_page_and_names_protocols() -> None:
    text = page().rpartition("\n## What can't be done\n")[2]
    for entry in CANNOT:
        assert f"{ASPECTS[entry.aspect]} | {entry.why} |" in text
    assert "|  |" not in text
    assert text.count("\n| ") == len(CANNOT) + 1


def test_links_lead_to_sections() -> None:
    for title in PROTOCOLS:
        assert f"(#from-{title.lower().replace(' ', '-')})" in page()
