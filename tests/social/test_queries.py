"""Queries and words: what a text asks for, and when two words are one."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedcorp.social import finding, queries, words
from fedcorp.social.queries import Operator, Words
from fedcorp.storage import fulltext

HARD = st.text(alphabet=st.sampled_from("abé'\u2019_-+:\"“ \x00\ud800*()^<>&|!\\%会İßﬁ\u0301\u200d0½"), max_size=40)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Budget PLAN", [Words(("budget",)), Words(("plan",))]),
        ('"The  Budget" -plan', [Words(("the", "budget")), Words(("plan",), True)]),
        ("“smart quotes”", [Words(("smart", "quotes"))]),
        ('"unbalanced one', [Words(("unbalanced", "one"))]),
        ("e-mail", [Words(("e", "mail"))]),
        ("+must", [Words(("must",))]),
        ("from:ME", [Operator("from", "me")]),
        ("From:@Ann@host.example:8001", [Operator("from", "@ann@host.example:8001")]),
        ('-in:"library"', [Operator("in", "library", True)]),
        ("has:media -is:reply", [Operator("has", "media"), Operator("is", "reply", True)]),
        ("from:", [Words(("from",))]),
        ('from:""', [Words(("from",))]),
        ("https://x.example/a", [Words(("https", "x", "example", "a"))]),
        ("note: this", [Words(("note",)), Words(("this",))]),
        ('- + " : % -"" \'\'', []),
        ("会議", [Words(("会", "議"))]),
    ],
)
def test_what_is_asked_for(text: str, found: list[Words | Operator]) -> None:
    assert queries.parse(text) == found


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("budget", True),
        ("", True),
        ("-budget", False),
        ("a b", False),
        ('"a b"', False),
        ("from:me", False),
        ("e-mail", False),
    ],
)
def test_one_word_is_short(text: str, short: bool) -> None:
    assert finding.is_short(text) is short


def test_what_goes_beyond_is_not_looked_at() -> None:
    assert len(queries.parse("a " * 500)) == queries.MOST_TERMS
    (one,) = queries.parse('"' + "a " * 400 + '"')
    assert one == Words(("a",) * queries.MOST_WORDS)
    assert queries.parse(" " * queries.MOST_CHARACTERS + "late") == []


@pytest.mark.parametrize(
    ("value", "days"),
    [
        ("2026-11-26", 1),
        ("2026-2-3", 1),
        ("2026-02", 28),
        ("2024-02", 29),
        ("2026-12", 31),
        ("2026", 365),
        ("2024", 366),
    ],
)
def test_periods(value: str, days: int) -> None:
    found = queries.period(value)
    assert found is not None
    assert found.end - found.start == days * 86_400_000


@pytest.mark.parametrize(
    "value",
    [
        "",
        "today",
        "2026-13",
        "2026-02-30",
        "0000",
        "9999",
        "9999-12",
        "26-11-26",
        "2026-11-26T00:00",
        "\uff12\uff10\uff12\uff16",
    ],
)
def test_no_periods(value: str) -> None:
    assert queries.period(value) is None


@given(st.one_of(st.text(), HARD))
def test_any_text_is_a_query_and_tokens_are_words_alone(text: str) -> None:
    for term in queries.parse(text):
        if isinstance(term, Words):
            assert term.words
            for word in term.words:
                stem = words.stem(word)
                for token in (word, *stem):
                    assert token
                    assert len(token) <= words.LONGEST + 8
                    assert not any(
                        char.isascii() and char not in string.ascii_lowercase + string.digits for char in token
                    )
                    assert not any(char.isspace() for char in token)
                    assert words.split(token) != []
        else:
            assert term.name in queries.OPERATORS
            assert term.value == term.value.strip().lower() != ""


@given(st.one_of(st.text(), HARD))
def test_words_are_found_however_they_are_written(text: str) -> None:
    found = words.split(text)
    assert words.split(text.upper().lower()) == words.split(text.lower())
    assert [word for each in found for word in words.split(each)] == found


@given(st.text(st.characters(max_codepoint=127)), st.integers(0, 5))
def test_words_of_plain_text_are_those_of_any(text: str, most: int) -> None:
    """Text without accents is split in another way; the dash, which is no word, keeps it from that."""
    assert words.split(text) == words.split(text + " \u2014")
    assert words.split(text, most) == words.split(text)[:most]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("vergadering", "Vergaderingen"), ("factuur", "facturen"), ("collega", "collega's"), ("brief", "BRIEVEN"),
        ("afdeling", "afdelingen"), ("huis", "huizen"), ("meeting", "meetings"), ("delivery", "deliveries"),
        ("order", "ordered"), ("write", "writing"), ("company's", "companies"), ("café", "cafe"), ("Łódź", "lodz"),
        ("naïve", "naive"), ("ﬁle", "files"), ("STRASSE", "straße"),
    ],
)  # fmt: skip
def test_words_that_are_the_same(one: str, other: str) -> None:
    (first,), (second,) = words.split(one), words.split(other)
    assert set(zip("de", words.stem(first), strict=True)) & set(zip("de", words.stem(second), strict=True))


@pytest.mark.parametrize(("one", "other"), [("factuur", "facade"), ("invoice", "invite"), ("huis", "huur")])
def test_words_that_are_not(one: str, other: str) -> None:
    assert words.stem(one).dutch != words.stem(other).dutch
    assert words.stem(one).english != words.stem(other).english


def test_queries_of_both_databases() -> None:
    match = fulltext.All((fulltext.Run(("a", "b")), fulltext.Either((fulltext.Run(("c",)),))), (fulltext.Run(("d",)),))
    assert fulltext.query("sqlite", match) == '(("a b" AND ("c")) NOT ("d"))'
    assert fulltext.query("postgresql", match) == "(('a' <-> 'b') & (('c')) & !('d'))"
