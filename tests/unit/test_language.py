"""Sentences that know how they were made, and which language is chosen."""

from __future__ import annotations

import copy
import json
import pickle

import pytest

from envcheck.language import (
    Message,
    clause,
    in_language,
    joined,
    language,
    language_of,
    message_document,
    message_from_document,
    plural,
    say,
    speaking,
    tell,
    told,
)
from envcheck.model import Finding, Remedy, RemedyAction, Severity

SENTENCE = say("write {spec}", spec="numpy")


def test_a_message_is_its_english_text() -> None:
    assert SENTENCE == "write numpy"
    assert hash(SENTENCE) == hash("write numpy")
    assert json.dumps({"a": SENTENCE}) == '{"a": "write numpy"}'
    assert f"{SENTENCE}!" == "write numpy!"


@pytest.mark.parametrize(("count", "words"), [(0, "0 rows"), (1, "1 row"), (2, "2 rows")])
def test_a_number_of_things(count: int, words: str) -> None:
    assert plural(count, "{count} row", "{count} rows") == words


def test_braces_of_arguments_are_not_places() -> None:
    assert say("write {spec}", spec="{numpy}") == "write {numpy}"
    assert joined(", ", ["{a}", "b}"]) == "{a}, b}"
    assert joined("", ["{a}", SENTENCE]) == "{a}write numpy"


def test_what_is_put_together_is_a_message() -> None:
    both = "so: " + SENTENCE + " or not"
    assert both == "so: write numpy or not"
    assert isinstance(both, Message)
    assert SENTENCE + "" is SENTENCE
    with speaking("zh"):
        assert told(both) == "so: 写成 numpy or not"


NOT_TEXT = say("The file is not text: it has a zero byte.")


@pytest.mark.parametrize(
    ("sentence", "english", "chinese"),
    [
        (NOT_TEXT, "The file is not text: it has a zero byte", "文件不是文本\uff1a其中有零字节"),
        (
            say("{name}: {detail}", name="a", detail=NOT_TEXT),
            f"a: {NOT_TEXT[:-1]}",
            "a\uff1a文件不是文本\uff1a其中有零字节",
        ),
        (joined("", ("a ", NOT_TEXT)), f"a {NOT_TEXT[:-1]}", "a 文件不是文本\uff1a其中有零字节"),
        (SENTENCE, "write numpy", "写成 numpy"),
        ("Any other text.", "Any other text", "Any other text"),
    ],
)
def test_a_sentence_within_another_has_no_full_stop(sentence: str, english: str, chinese: str) -> None:
    within = say("not checked: {reason}", reason=clause(sentence))

    assert within == f"not checked: {english}"
    with speaking("zh"):
        assert told(clause(sentence)) == chinese
        assert told(within).endswith(chinese)
    assert message_from_document(message_document(within)) == within


@pytest.mark.parametrize("message", [SENTENCE, joined("; ", [SENTENCE, "x"]), plural(3, "{count} row", "{count} rows")])
def test_a_message_survives_its_travels(message: Message) -> None:
    document = json.loads(json.dumps(message_document(message)))
    pickled = pickle.loads(pickle.dumps(message))  # noqa: S301 - our own
    for again in (pickled, copy.deepcopy(message), message_from_document(document)):
        assert again == message
        with speaking("zh"):
            assert told(again) == told(message) != message


@pytest.mark.parametrize("document", [[], ["a"], ["a", None, "x", []], ["a", None, 1, {}], ["a", 1, 1, []], "abcd"])
def test_what_is_no_message_is_refused(document: list[object]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError, IndexError)):
        message_from_document(document)


def test_arguments_are_translated_in_turn() -> None:
    with speaking("zh"):
        assert (
            tell("{names} and {count} more", names=joined(", ", ["a", SENTENCE]), count=2)
            == "a、写成 numpy 等，另有 2 个"  # noqa: RUF001
        )


def test_what_has_no_translation_stays_english() -> None:
    with speaking("zh"):
        assert (
            tell("{name} is not in any catalogue at all", name=SENTENCE) == "写成 numpy is not in any catalogue at all"
        )
        assert told("write numpy") == "write numpy"


def test_a_language_is_spoken_for_a_while() -> None:
    assert language() == "en"
    with speaking("zh"):
        assert language() == "zh"
        with speaking("en"):
            assert told(SENTENCE) == "write numpy"
    assert language() == "en"


def test_whatever_holds_messages_is_told() -> None:
    finding = Finding(
        code="EC201",
        title=say("Trailing equals sign"),
        severity=Severity.WARNING,
        subject="numpy",
        message=SENTENCE,
        remedies=(Remedy(action=RemedyAction.EDIT, summary=SENTENCE, spec="numpy"),),
    )
    assert in_language(finding) is finding
    with speaking("zh"):
        found = in_language((finding, 1, None))
    assert found[0].message == found[0].remedies[0].summary == "写成 numpy"
    assert found[0].code == "EC201"
    assert found[0].title == "末尾多余的等号"


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_TW"}, "zh"),
        ({"LANG": "zh-Hans-CN"}, "zh"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LC_ALL": "en_US.UTF-8", "LANG": "zh_CN.UTF-8"}, "en"),
        ({"LC_ALL": "", "LC_MESSAGES": "zh_CN.UTF-8", "LANG": "en_US.UTF-8"}, "zh"),
        ({"LC_CTYPE": "zh_CN.UTF-8", "LANG": "en_US.UTF-8"}, "en"),
        ({"LANGUAGE": "zh_CN:en", "LANG": "en_US.UTF-8"}, "zh"),
        ({"LANGUAGE": "en:zh", "LANG": "zh_CN.UTF-8"}, "en"),
        ({"LANGUAGE": "de:zh", "LANG": "de_DE.UTF-8"}, "zh"),
        ({"LANGUAGE": "zh", "LC_ALL": "C"}, "en"),
        ({"LANGUAGE": "zh", "LANG": "C.UTF-8"}, "zh"),
        ({"LANGUAGE": "zh"}, "zh"),
    ],
)
def test_the_locale_chooses_in_gettexts_order(environ: dict[str, str], name: str) -> None:
    assert language_of(environ) == name


def test_the_system_is_asked_last() -> None:
    assert language_of({}, "Chinese (Simplified)_China") == "zh"
    assert language_of({}, "zh_CN") == "zh"
    assert language_of({"LANG": "en_GB"}, "zh_CN") == "en"
