"""Git's wildcards. That they match what git matches is judged by git itself: see test_same_as_git."""

from __future__ import annotations

import pytest

from midfill.privacy.wildmatch import NeverMatches, compile_wildcards


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("a*b*c", "axbxxc", True), ("a*b*c", "a/b/c", False), ("*?*", "", False), ("*ab", "aab", True),
        ("a/**/b", "a/b", True), ("a/**/b", "a/x/y/b", True), ("a/**", "a", False), ("**/a/*", "x/a/b/a/c", True),
        ("a/**/**/b", "a/x/b", True), ("a**b", "a/b", False), ("foo**/bar", "foobar", True), ("a/**\\/b", "a/b", False),
        ("a/**\\/b", "a/x/b", True), ("[]-]", "]", True), ("[a-]", "-", True), ("[!a]", "/", False), ("?", "é", False),
        ("??", "é", True), ("[[:digit:][:space:]x]", "7", True), ("\\*", "*", True), ("[[:]", ":", True),
        ("[\\]]", "]", True), ("[z-a]", "b", False), ("[+--]", "-", True),
    ],
)  # fmt: skip
def test_as_git(pattern: str, path: str, expected: bool) -> None:
    """The cases that are easily wrong: each was tried with git 2.39."""
    assert bool(compile_wildcards(pattern.encode()).fullmatch(path.encode())) == expected


@pytest.mark.parametrize("pattern", ["[", "[a", "[[:foo:]]", "[[:alpha:", "a\\", "[/]", "[a-\\", "[\\"])
def test_malformed(pattern: str) -> None:
    """What git cannot read matches nothing."""
    with pytest.raises(NeverMatches):
        compile_wildcards(pattern.encode())


def test_case() -> None:
    """Where case is ignored, all text is in lower case, and capitals stand for small letters too."""
    assert compile_wildcards(b"[[:upper:]]", ignore_case=True).fullmatch(b"a")
    assert not compile_wildcards(b"[[:upper:]]").fullmatch(b"a")


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        (b"*a" * 14 + b"*b", b"a" * 250),
        (b"**/a/" * 12 + b"b", b"a/" * 2_000 + b"c"),
        (b"**/" + b"*a" * 14 + b"*b/**/c", (b"a" * 250 + b"/") * 16 + b"c"),
        (b"**/*/" * 500 + b"b", b"a/" * 2_000 + b"c"),
        (b"*?" * 2_000 + b"/b", b"a" * 4_000 + b"/c"),
        (b"*[ab]" * 200 + b"*c", b"ab" * 2_000),
    ],
    ids=lambda data: f"{data[:12].decode()} ({len(data)})",
)
def test_stars_take_bounded_time(pattern: bytes, path: bytes) -> None:
    """Trying every place for every star would take years."""
    assert not compile_wildcards(pattern).fullmatch(path)


@pytest.mark.parametrize("pattern", [b"*a*b*c", b"**/a/*b/**/c*", b"a*b/**/c", b"*?[ab]*"])
def test_nothing_is_tried_again(pattern: bytes) -> None:
    """By construction: each star begins an independent group, and so does each ``**`` but the last."""
    expression = compile_wildcards(pattern).pattern
    *before_stars, _ = expression.split(b"[^/]*?")
    *before_folders, _ = expression.replace(b"\\Z", b"").split(b"(?:[^/]*/)*?")
    assert before_stars
    assert all(text.endswith(b">") for text in (*before_stars, *before_folders[:-1]))
