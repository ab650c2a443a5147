"""What generators of sites write around Markdown becomes Markdown; code stays as it was."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wiki.exchange.dialects import plain
from wiki.exchange.headings import anchors

MARKS = st.text(alphabet=':<>{}%/!-` \n"=abtipdiv', max_size=80)


def became(text: str, **fields: str) -> tuple[str, list[str]]:
    losses: list[str] = []
    return plain(text, losses.append, fields), losses


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            ":::tip\nBe *kind*.\n\n- so\n:::\nAfter",
            "> **Tip**\n>\n> Be *kind*.\n>\n> - so\n\nAfter",
        ),
        ("::: warning Mind the gap\nx\n:::", "> **Warning: Mind the gap**\n>\n> x\n"),
        (":::note[Well]\nx\n:::", "> **Note: Well**\n>\n> x\n"),
        ("> [!NOTE] Mind\n> x", "> **Note: Mind**\n>\n> x"),
        ("- > [!TIP]\n  > x", "- > [!TIP]\n  > x"),
        ("::: details More\nx\n:::", "> **More**\n>\n> x\n"),
        ('{{< admonition type="note" >}}\nx\n{{< /admonition >}}', "> **Note**\n>\n> x\n"),
        ('{{% alert title="Mind" %}} x\ny {{% /alert %}}', "> **Note: Mind**\n>\n> x\n> y\n"),
        ("1. a\n\n   :::tip\n   b\n   :::", "1. a\n\n   > **Tip**\n   >\n   > b\n"),
        ('{{< figure src="a.png" alt="A [b]" >}}', "![A \\[b\\]](<a.png>)"),
        ('{{< youtube id="xyz" >}}', "[Video](https://www.youtube.com/watch?v=xyz)"),
        ("{{% param name %}} is {{% param gone %}}", "Ada is {{% param gone %}}"),
        ("{{< comment >}} x {{< /comment >}}\na {{% comment %}}y{{% /comment %}}", "a"),
        ("{{< figure\n  src='a.png'\n>}}", "![](<a.png>)"),
        ("a\n[[toc]]\n[TOC]\n{{< toc >}}\nb", "a\nb"),
        ("## Set up {#setup}\n### A {#b .c}\n{#alone}", "## Set up\n### A\n"),
    ],
)
def test_containers_and_shortcodes_become_markdown(text: str, expected: str) -> None:
    assert became(text, name="Ada")[0] == expected


def test_tabs_follow_each_other_under_their_names() -> None:
    text = (
        "{{< tabpane text=true >}} {{% tab Java %}}\n\n```java\nint a;\n```\n\n"
        '{{% /tab %}} {{% tab "C++ " %}}\n\nx\n\n{{% /tab %}} {{< /tabpane >}}'
    )
    made, losses = became(text)
    assert [line for line in made.split("\n") if line.strip()] == [
        *("**Java**", "```java", "int a;", "```", "**C++**", "x"),
    ]
    assert losses == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('<img src="a.png" alt="A" width=20>', "![A](<a.png>)"),
        ('see <a href="b.md">that</a><a id="here"></a>', "see [that](<b.md>)"),
        ("<b>bold</b> <em>so</em> <kbd>Esc</kbd>", "**bold** *so* `Esc`"),
        ('<img\n  src="a.png"\n  alt="A"\n/>', "![A](<a.png>)"),
        ('<i class="fas"></i> x<sup class="new" />', " x"),
        ('<div class="x">\n\ntext\n\n</div>', "\ntext\n"),
        ("<details><summary>More</summary>\n\nx", "**More**\n\nx"),
        ("a <!-- remark --> b\n<!-- gone -->\nc", "a  b\nc"),
        ("a\n<!-- one\n```\ntwo -->\nb", "a\nb"),
        ("<script setup>\nconst a = '<b>'\n</script>\n\nx", "\nx"),
        ("a<br>b, x<sup>2</sup>, List<String>, <https://a.b>, \\<div>, \\<b>x</b>", None),
    ],
)
def test_html_becomes_markdown_as_far_as_there_is_any(text: str, expected: str | None) -> None:
    assert became(text)[0] == (text if expected is None else expected)


CODE = "```\n:::tip\n<b>x</b> <!-- y --> {{< toc >}}\n## H {#h}\n[[toc]]\n```"


@pytest.mark.parametrize(
    "text", [CODE, f"- a\n\n  {CODE}", "`<b>x</b>` ``<!-- ` -->`` `{{<Esc>}}`"]
)
def test_code_is_left_alone(text: str) -> None:
    assert became(text) == (text, [])


def test_what_is_lost_is_said() -> None:
    text = "::: odd\nx\n:::\n{{< include a.md >}}\n<div>\n<!-- r -->\n<style>\na\n</style>"
    made, losses = became(text)
    assert "{{< include a.md >}}" in made
    first_words = {loss.split()[0] for loss in losses}
    assert first_words == {"programs", "containers", "what", "HTML", "remarks"}


@settings(max_examples=300)
@given(MARKS)
def test_words_outlive_whatever_stands_around_them(text: str) -> None:
    assert "word" in became(f"word\n\n{text.replace('<!--', '')}")[0]


@pytest.mark.parametrize(
    "piece",
    ["<a ", "<img a=b ", "`", "``` `", "<!--", "{{< a ", "<b>", '{{< "', "<script>\n", ":::a\n"],
)
def test_no_text_takes_long(piece: str) -> None:
    began = time.process_time()
    became("\n".join([piece * (19_999 // len(piece))] * 10))
    assert time.process_time() - began < 10


@pytest.mark.parametrize(
    ("called", "anchor"),
    [
        ("whats-new", "what-s-new"),  # as GitHub says it
        ("what-s-new", "what-s-new"),  # as we do
        ("WHATS-NEW-1", "what-s-new-2"),
        ("named", "a-code-link"),
        ("above", "below"),
        ("a--b", "a-b"),
        ("inside", None),
    ],
)
def test_headings_are_found_by_whatever_links_call_them(called: str, anchor: str | None) -> None:
    text = (
        "# What's *new*?\n```\n# Inside\n```\n## What's new?\n## A `code` [link](x) {#named}\n"
        "{#above}\n## Below\n## A & B ##\n"
    )
    assert anchors(text).get(called.casefold()) == anchor
