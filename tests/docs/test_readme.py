"""README.md and README.zh-CN.md say the same: sections, code, options, links; what they show is what is printed."""

from __future__ import annotations

import re

from tests.docs.pages import DOCS, ROOT, blocks

READMES = {name: (ROOT / name).read_text("utf-8") for name in ("README.md", "README.zh-CN.md")}
ENGLISH, CHINESE = READMES.values()

HEADING = re.compile(r"^(#{1,6}) (.+)$", re.MULTILINE)
CODE = re.compile(r"(?<!`)`([^`\n]+(?:\n[^`\n]+)?)`(?!`)")
LINK = re.compile(r"\]\(([^)\s]+)\)")
INDENTED = re.compile(r"(?:^ {4}.*\n)+", re.MULTILINE)


def without_fences(page: str) -> str:
    return re.sub(r"^```.*?^```$", "", page, flags=re.MULTILINE | re.DOTALL)


def prose(page: str) -> str:
    return INDENTED.sub("", without_fences(page))


def sections(page: str) -> list[str]:
    return re.split(r"^## .+$", prose(page), flags=re.MULTILINE)


def inline_code(section: str) -> set[str]:
    return {" ".join(code.split()) for code in CODE.findall(section)}


def test_both_have_the_same_sections() -> None:
    english, chinese = (HEADING.findall(without_fences(page)) for page in READMES.values())
    assert [level for level, _ in english] == [level for level, _ in chinese]
    # A heading that is the same in both is a name.
    same = {title for (_, title), (_, other) in zip(english, chinese, strict=True) if title == other}
    assert same == {"envcheck"}


COMMENT = re.compile(r"^((?:.*\S)? +)# (.+)$", re.MULTILINE)


def code(page: str) -> list[str]:
    """What is to be typed or copied."""
    return [
        *(one.body for one in blocks(page) if one.language not in ("", "text")),
        *INDENTED.findall(without_fences(page)),
    ]


def test_both_have_the_same_code_with_comments_in_their_language() -> None:
    english, chinese = (code(page) for page in READMES.values())
    assert [COMMENT.sub(r"\1#", one) for one in english] == [COMMENT.sub(r"\1#", one) for one in chinese]
    comments = [comment for one in chinese for _, comment in COMMENT.findall(one)]
    assert len(comments) > 20
    assert [one for one in comments if re.search(r"[\u4e00-\u9fff]", one) is None] == []


def test_both_name_the_same_commands_options_and_files() -> None:
    for english, chinese in zip(sections(ENGLISH), sections(CHINESE), strict=True):
        assert inline_code(english) == inline_code(chinese)
        assert re.findall(r"EC\d{3}", english) == re.findall(r"EC\d{3}", chinese)


def test_both_lead_to_the_same_places_and_to_each_other() -> None:
    english, chinese = (LINK.findall(prose(page)) for page in READMES.values())
    assert [one for one in english if one != "README.zh-CN.md"] == [one for one in chinese if one != "README.md"]
    assert "README.zh-CN.md" in english
    assert "README.md" in chinese
    assert [one for one in {*english, *chinese} if "://" not in one and not (ROOT / one).is_file()] == []


def test_rows_of_tables_are_those_of_the_other() -> None:
    def rows(page: str) -> list[str]:
        return re.findall(r"^\| (`[^|]+`|\d) \|", page, re.MULTILINE)

    assert rows(ENGLISH) == rows(CHINESE)
    assert len(rows(ENGLISH)) > 15


def test_chinese_is_written_with_chinese_marks() -> None:
    # A comma or colon of ASCII behind a Chinese character is a slip.
    assert re.findall(r"[\u4e00-\u9fff][,;:?!]", prose(CHINESE)) == []
    assert re.findall(r"[\u4e00-\u9fff][a-z]{3,}", prose(CHINESE).replace("`", " ")) == []


def test_the_output_that_is_shown_is_that_of_the_tutorial() -> None:
    shown = next(one.body for one in blocks(ENGLISH) if one.language == "text")
    tutorial = (DOCS / "tutorial.md").read_text("utf-8")
    printed = next(one.body for one in blocks(tutorial) if one.body.startswith("$ envcheck check requirements.txt"))

    assert shown.endswith("\n…\n")
    assert printed.partition("\n")[2].startswith(shown.removesuffix("\n…\n"))
