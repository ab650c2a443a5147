"""Which language a page is in, and what that changes for finding it."""

from __future__ import annotations

import time
import unicodedata
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from py3langid import langid

from search import Indexer, Search, open_index
from search.index import stem_token, without_stem
from search.languages import begins, compounds, detect, fold, prepare, tokens, word_at
from search.shelf import ENGINES
from tests.support.wikis import a_wiki
from wiki import fact, people

TEXTS = {
    "en": "The committee decided yesterday that every proposal deserves a written answer.",
    "de": "Die Kolleginnen lernen gemeinsam, wie man Vorschläge schreibt und begründet.",
    "fr": "Nous proposons une cantine végétarienne avec des légumes du marché voisin.",
    "es": "Proponemos una cafetería abierta para todos los empleados de la fábrica.",
    "it": "Proponiamo una mensa aperta a tutti i lavoratori dello stabilimento.",
    "pt": "Propomos uma cantina aberta a todos os trabalhadores da nossa fábrica.",
    "nl": "Wij stellen voor om de kantine voor alle medewerkers open te houden.",
    "sv": "Vi föreslår en matsal som är öppen för alla som arbetar i fabriken.",
    "ja": "東京都で働くすべての人のための安全教育を提案します。",
    "zh": "我们建议为所有在工厂工作的人提供安全培训课程。",
    "ko": "우리는 공장에서 일하는 모든 사람을 위한 안전 교육을 제안합니다.",
    "pl": "Proponujemy stołówkę otwartą dla wszystkich pracowników naszego zakładu.",
}


@pytest.mark.parametrize("language", TEXTS)
def test_a_text_tells_its_language(language: str) -> None:
    text = f"# Title\n\n`code = here()` {TEXTS[language]} https://example.org/en/the/of"
    assert detect(text, [one.text for one in tokens(text) if not one.is_run]) == language


@pytest.mark.parametrize(
    ("text", "joined"),
    [
        ("Node.js and real-time e-mail", ["nodejs", "realtime", "email"]),
        ("end. Start", []),
        ("l'idée", ["lidee"]),
    ],
)
def test_what_has_marks_inside_is_one_word_too(text: str, joined: list[str]) -> None:
    assert compounds(text) == joined


@given(st.text("aZéß5_ .-東ไก่กั́̃दिश्בָّпё①𝒳𠀀", max_size=40))
def test_a_word_is_letters_digits_and_marks_in_a_row(text: str) -> None:
    kinds = ["run" if is_unspaced(char) else "word" if in_word(char) else "" for char in text]
    edges = [at for at in range(len(text) + 1) if kinds[at - 1 : at] != kinds[at : at + 1]]
    wanted = [(low, high, kinds[low] == "run") for low, high in pairwise(edges) if kinds[low]]
    assert [(one.start, one.end, one.is_run) for one in tokens(text)] == wanted


def is_unspaced(char: str) -> bool:
    return char in "東ไก่ั𠀀"


def in_word(char: str) -> bool:
    return char.isalnum() or unicodedata.category(char).startswith("M")


@given(
    st.text("aąÅsßeéÉæœlŁ5 .-_’дёЁД東ไก́", max_size=30),
    st.sets(st.sampled_from(["a", "as", "se", "e", "ae", "ss", "l5", "де", "д"]), min_size=1),
)
def test_a_word_is_met_by_its_first_folded_letters(text: str, starts: set[str]) -> None:
    wanted = {
        one.start
        for one in tokens(text)
        if not one.is_run and one.text.startswith(tuple(starts)) and fold(text[one.start]) != "ss"
    }
    met = [word_at(text, match.start()) for match in begins(starts).finditer(text)]
    words = {one.start(): fold(one[0]) for one in met if one}
    assert wanted <= words.keys()
    assert words.items() <= {(one.start, one.text) for one in tokens(text) if not one.is_run}


@pytest.mark.parametrize("engine", sorted(ENGINES))
@pytest.mark.parametrize(
    ("language", "typed"),
    [
        ("en", "committees deciding"),
        ("de", "Kollegin Vorschlagen"),
        ("fr", "légume voisins"),
        ("es", "empleado cafeterías"),
        ("it", "lavoratore mensa"),
        ("pt", "trabalhador cantinas"),
        ("nl", "medewerker kantine"),
        ("sv", "matsalar fabrikens"),
        ("ja", "安全 教育"),
        ("zh", "工厂 安全"),
        ("ko", "안전 교육"),
    ],
)
async def test_other_endings_and_two_characters_are_found_among_all_languages(
    engine: str, language: str, typed: str, tmp_path: Path
) -> None:
    async with a_wiki(tmp_path) as wiki:
        index = open_index(engine, tmp_path / "index")
        for code, text in TEXTS.items():
            await wiki.page(f"Page {code}", text)
        await Indexer(wiki.store, index).caught_up()
        ada = await wiki.store.read(lambda conn: people.actor(conn, wiki.ada.id))
        results = await Search(wiki.store, index).find(typed, ada)
        assert results.hits[0].page.title == f"Page {language}"
        assert results.searched_for is None
        index.close()


async def test_the_language_that_was_set_is_the_one_that_counts(tmp_path: Path) -> None:
    async with a_wiki(tmp_path) as wiki:
        index = open_index("tantivy", tmp_path / "index")
        made = await wiki.page("Notiz", "Techniker")
        ada = await wiki.store.read(lambda conn: people.actor(conn, wiki.ada.id))
        search, indexer = Search(wiki.store, index), Indexer(wiki.store, index)
        await indexer.caught_up()
        assert (await search.find("lang:de", ada)).total == 0
        german = {"name": "language", "language": "de"}
        await wiki.store.write(
            lambda conn: fact.act(conn, wiki.key, made.id, wiki.ada.id, german, 1)
        )
        await indexer.caught_up()
        assert (await search.find("lang:de Technikern", ada)).total == 1
        index.close()


def test_a_word_as_long_as_a_page_is_read_in_no_time() -> None:
    """It took the square of its length, and the server stood still meanwhile."""
    began = time.thread_time()
    assert compounds("x" * 200_000) == []
    assert time.thread_time() - began < 2
    assert compounds(f"a.b node.js {'y' * 100_000}") == ["ab", "nodejs"]


def test_what_tells_languages_apart_is_there_before_somebody_types(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(langid, "IDENTIFIER", None)
    prepare()
    assert langid.IDENTIFIER is not None


def test_a_stem_as_it_is_indexed_tells_its_place_and_language():
    assert without_stem(stem_token("ru", "работ")) == stem_token("ru", "")
    assert without_stem(stem_token("en", "weld", "talk")) == stem_token("en", "", "talk")
