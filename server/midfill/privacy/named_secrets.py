"""Finds secrets by the name before them, such as ``password = "..."`` or ``--api-key ...``.

Between a name and its value stands a *link*, for example ``=``. Tables list the links to each form of value. All of
them look at a bounded piece of text, so the time grows with the text and no faster.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from midfill.privacy.secret_names import TellingName, telling_names
from midfill.privacy.secret_values import Secret, Shape, looks_secret
from midfill.privacy.string_literals import joined, literals_at

_BLANKS = r"[ \t]{0,80}"
_BREAK = rf"{_BLANKS}(?:\\?\r?\n{_BLANKS}(?:(?:\#|//|--)[^\n]{{0,120}}\n{_BLANKS})?)?"
"""Blanks, at most one line end with or without a backslash, and at most one line of comment."""
_QUOTE = r"\\{0,3}[\"'`]"
_TYPES_IN = (
    r"type|typeText|fill|press\w{0,20}|input|enterText|[sS]endKeys|send_keys|set_?(?:[tT]ext|[vV]alue)|val|replaceText"
    r"|to(?:Strict)?(?:Be|Equal)|to_equal|isEqualTo|equals"
)
"""Methods that put a value into a field of a form, or compare its value."""
_CLOSED = rf"(?:{_QUOTE})?[\])}}*?!]{{0,2}}(?:\[\w{{0,6}}\])?"
"""What closes a name: a quote, also an escaped one, and brackets; a size, as in ``char key[32]``."""
_TYPE = r"(?:[ \t]{0,9}:|[ \t]{1,9}As\b|(?=[ \t]))[\w.&*'<>\[\]|?: ]{1,50}?(?= ?:?=)"
_ACCESSORS = r"(?: ?\{ ?get;[^}\n]{0,40}\})?"
_EQUALS = r"(?::=|\?=|\+=|\|\|=|\?\?=|=>|<-|->|={1,3}|!==?|::?)"
_WRAPPERS = (
    r"[brfuL@$]?\[\]byte|[Ss]tr(?:ing)?(?:::from)?|bytes|b?[Ss]ecret\w{0,20}|SecureString|Password|Some|Just|Buffer\.from|atob"
    r"|(?:base64\.)?[bB](?:64|ase64)[_.]?[dD]ecode|(?:std::)?string|NSString|Value|encode|CString::new|QString|TEXT|_T"
)
_WRAPPED = rf"(?:<string>)?(?:(?:new )?(?:{_WRAPPERS})\({_BREAK}){{0,2}}"
_CALLED = rf"(?:new |await )?[A-Za-z_][\w.:]{{0,60}}!?\({_BREAK}"
_OR = (
    r"(?:\|\||\?\?|\?:|//|\bor\b|\|\s?default\(|\)\s?\{(?= ?[\"'])"
    r"|\.(?:unwrap_or(?:_else)?|orElse|getOrElse|or_else)\((?:\|\w?\|)?)"
)
_FIELD = rf"(?:default_?[vV]alue|[dD]efault|[vV]alue|fallback|ParameterValue){_CLOSED}{_BLANKS}[:=]>?{_BREAK}"
_UP_TO_FIELD = r"[^;}]{0,160}?[\s,;{\"'(]"


@dataclass(frozen=True)
class _Place:
    """A place of a value."""

    link: re.Pattern[str]
    """What stands between the name and the value."""
    value: re.Pattern[str] | None
    """The value; None for a string in quotes."""
    before: re.Pattern[str]
    """What ends with the name's start. A string may also stand elsewhere, but no word then."""
    name: re.Pattern[str]
    """What the name begins with; as for ``before``."""
    shape: Shape
    """What a password may be here, where code could also have a name."""
    only: bool
    """Whether a string stands nowhere else."""
    is_field: bool
    """Whether the name may be that of a field of a form, which a value is typed into."""

    def fits(self, name: TellingName, text: str, before: str) -> bool:
        """Return whether the name, and the text before it, are those of this place."""
        return bool(self.before.search(before) and self.name.match(text, name.start))


def _place(
    link: str,
    value: str = "",
    *,
    before: str = "",
    name: str = "",
    shape: Shape = Shape.WORD,
    only: bool = False,
    is_field: bool = False,
) -> _Place:
    return _Place(
        link=re.compile(link),
        value=re.compile(value) if value else None,
        before=re.compile(rf"(?:{before})\Z"),
        name=re.compile(rf"(?:[\w$-]{{1,40}}\.){{0,6}}(?:{name})"),
        shape=shape,
        only=only,
        is_field=is_field,
    )


_IN_QUOTES = (
    # user, name = "bob", "...
    _place(rf"{_BLANKS}:?={_BLANKS}[\"'][^\"'\n]{{0,80}}[\"'],{_BLANKS}", before=r"\w[ \t]{0,9},[ \t]{0,9}", only=True),
    # name: type = "...
    _place(rf"{_CLOSED}(?:{_TYPE})?{_ACCESSORS}{_BLANKS}{_EQUALS}{_BREAK}(?:[({{\[](?![\]\[]){_BREAK})?{_WRAPPED}"),
    # name = call("...
    _place(rf"{_CLOSED}(?:{_TYPE})?{_BLANKS}{_EQUALS}{_BREAK}{_CALLED}", shape=Shape.NUMBERED),
    # setName("...
    _place(rf"(?:\.(?:assign|equals|set|eq))?{_BLANKS}[({{]{_BREAK}{_WRAPPED}", name="(?i:set|with|pass|pwd)"),
    # nameField.setText("...; ("#name").type("...; expect(name).toBe("...
    _place(rf"[\])\"'`]{{0,4}}\.(?:{_TYPES_IN})\({_BLANKS}", shape=Shape.NUMBERED, only=True, is_field=True),
    # put("name", "...
    _place(rf"{_QUOTE}{_BLANKS},{_BREAK}{_WRAPPED}", only=True,
           before=r"(?i:define|env|get\w{0,20}|set\w{0,20}|string|put|header|property|fetch|config|append|default)\([\"'`]"),
    # ("name", "...
    _place(rf"{_QUOTE}{_BLANKS},{_BLANKS}{_WRAPPED}", before="(?!)"),
    # {name, "...
    _place(rf",{_BLANKS}", before=r"\{", only=True),
    # setopt(NAME, "...
    _place(rf"(?:(?<=PWD)|(?<=PASSWORD)|(?<=KEY)|(?<=TOKEN)|(?<=SECRET)),{_BLANKS}"),
    # name: String { "...
    _place(rf"{_BLANKS}:{_BLANKS}\w{{1,20}}\??(?: by lazy)?{_BLANKS}\{{{_BREAK}(?:return )?"),
    # env["name"] || "...
    _place(rf"{_CLOSED}(?:[^\n\"'`;]|[\"'][^\"'\n]{{0,60}}[\"']){{0,60}}?{_OR}{_BREAK}{{?{_BLANKS}{_WRAPPED}"),
    # name ? "...; if name else "...
    _place(rf"{_CLOSED}[^\n\"'`;]{{0,60}}?(?:\belse\b|[?:]){_BLANKS}", shape=Shape.RANDOM),
    # {"name": "name", "value": "...
    _place(rf"{_CLOSED}{_UP_TO_FIELD}{_FIELD}{_WRAPPED}", before=r"[\"'`]-{0,2}|[:=][ \t]{0,9}"),
    # IDENTIFIED BY '...
    _place(r"(?i: by| with \w{1,40} by) (?=[\"'])", name="(?i:identified)", only=True,
           before=r"^|(?i:user|grant|alter|role|link)\b[^\n]{0,80}"),
    # #define name "...
    _place(r"(?i: to| for \S{1,60})?[ \t]{1,80}(?:=[ \t]{0,9})?",
           name=r"(?i:\w{0,40}password\b)"),
)  # fmt: skip
"""Places of a string in quotes."""

_LINE_START = r"(?:^|\n)[ \t#;*/!>|+\"'`-]{0,40}(?:(?:export|set|setenv|setx|ENV|ARG|env|Environment=)[ \t]{0,9})?[@$]?"
_LINE_END = r"(?=[\"'`]{0,3},?[ \t]{0,80}(?:\\n|\\?\r?$|\\?\r?\n|\#|//|;))"
_NO_CODE = (
    r"\A(?!(?s:.){0,200}(?:[(){};]|\b(?:import|from|def|class|return|const|let|var|val|function|func|fn|public|private|if)\b))"
    r"(?s:.){0,200}"
)
"""The lines before are of no program. There, a word behind a name may be a variable that somebody is typing."""
_IS = rf"{_CLOSED}(?:\.[\w-]{{1,30}}){{0,2}}{_BLANKS}(?::=|\?=|[:=]){_BLANKS}(?:[!&]\w{{1,20}} )?"
_TO_END = rf"[^\s'\"`(){{}}\[\],;<>]{{4,20000}}{_LINE_END}"
"""The rest of a line."""


def _word(characters: str, end: str) -> str:
    """Return a pattern of a word that is not tried with fewer characters: names may stand within it by the hundred."""
    return rf"(?=(?P<word>{characters}{{4,300}}))(?P=word)(?={end})"


_IN_LIST = _word(r"[^\s'\"`,;&(){}<>\[\]]", r"[\s;&,}\"'\\]|$")
_WITHOUT_QUOTES = (
    # A line of a file of settings
    _place(_IS, _TO_END, before=rf"{_NO_CODE}{_LINE_START}(?:\w{{1,9}}:)?"),
    _place(_IS, _TO_END, before=rf"{_LINE_START}(?:\w{{1,9}}:)?", shape=Shape.NUMBERED),
    # --name value; "--name", "value"
    _place(r"(?:[ \t]{1,9}|=|[\"'],[ \t]{0,9}[\"'])", _word(r"[^\s'\"`,;)\]}<>|]", ""), before=r"(?:^|[\s\"'=(])--?",
           shape=Shape.NUMBERED),
    # Server=db;Name=value; ?name=value&; user=bob name=value; "name=value"
    _place(rf"{_BLANKS}=", _word(r"[^\s'\"`;&<>{}()]", r"[;&\"'`\\)]|\s|$"),
           before=r"(?:[;?&]|&amp;)[ \t]{0,9}(?:\w{1,20} )?|\b\w{2,20}=[^\s,()\"']{1,60} |[\"']"
                  r"|--[\w-]{1,30}[= ][\"']?"),
    # NAME=value command; command name=value
    _place("=(?!=)", _IN_LIST, before=r"^|[\s\"'(;@{]", name="[A-Z]", shape=Shape.NUMBERED),
    _place("=(?!=)", _IN_LIST, before=r"[^\s,({\[] ", shape=Shape.NUMBERED),
    # failed: name=value host=db
    _place("=", _word(r"[^\s'\"`,;&(){}<>\[\]]", r" \w{2,20}="), shape=Shape.NUMBERED),
    # login failed with name: value
    _place(rf"{_CLOSED}: {{0,9}}", _word(r"[^\s'\"`,;&(){}<>\[\]]", r"[\s;&,}\"'\\).]|$"), before=r"[A-Za-z]{2,20} ",
           shape=Shape.NUMBERED),
    # the name is value
    _place(r"(?i: is| was):? [\"'`]?(?=[^\s\d]{0,40}\d)(?=[^\sa-z]{0,40}[a-z])(?=[^\sA-Z]{0,40}[A-Z])",
           _word(r"[^\s'\"`,;(){}<>\[\]]", r"[\s,;.\"'`)]|$"), shape=Shape.NUMBERED),
    # &quot;name&quot;: &quot;value&quot;; name%3Dvalue%26
    _place(r"(?:&quot;|&\#\d\d;) ?[:=] ?(?:&quot;|&\#\d\d;)", _word(r"[^\s&\"'<>]", "&")),
    _place(r"(?:%22)?%3[ADad](?:%20)?(?:%22)?", _word(r"[^\s%&\"'<>]", r"%|&|[\s\"'<]|$")),
    # {name: value}
    _place(rf"{_CLOSED}(?:=(?!=)|: {{0,9}})", _IN_LIST, shape=Shape.RANDOM),
    # ${NAME:-value}; name=${1:-value}
    _place(r":?[-=?]?", _word(r"[^\s}{$\"']", r"\}"), before=r"\$\{"),
    _place(r"=[\"']?\$\{\w{1,40}:?[-=][\"']?", _word(r"[^\s}{$\"']", r"[\"']?\}")),
    # IDENTIFIED BY value
    _place(r"(?i: by )", _word(r"[^\s'\"`;,()<>]", r"\s|;"), name="(?i:identified)", shape=Shape.NUMBERED),
    # name = four words and more
    _place(rf"{_CLOSED}{_BLANKS}[:=]{_BLANKS}", r"[a-z]{2,20}(?: [a-z]{2,20}){3,23}(?=\r?\n|$)",
           before=_NO_CODE + _LINE_START),
    # machine host login name password value
    _place(r"[ \t]{1,9}(?:\d )?", _TO_END,
           before=r"(?:\blogin|^username|\nusername)[ \t]{1,9}\S{1,80}\s{1,9}|enable "
                  r"|(?:ENV|ARG|set|setenv|set -\w{1,4}) [^\s=]{0,80}"),
    _place(r"[ \t]{1,9}", _TO_END, before=_LINE_START, shape=Shape.NUMBERED),
    # name: on one line, the value on the next
    _place(rf"{_CLOSED}{_BLANKS}:{_BLANKS}\n[ \t]{{1,80}}(?:(?:value|default): )?", _TO_END, before=_LINE_START,
           shape=Shape.NUMBERED),
    # - name: NAME, and value: ... on the next line
    _place(rf"{_CLOSED}{_UP_TO_FIELD}{_FIELD}", _TO_END, before=r"(?i:name|key|id)[\"']?[:=][ \t]{0,9}[\"']?"),
    # <name>value</name>, <entry key="name">value</entry>
    _place(r"(?:[^<>\n]{0,80}>\s{0,80}(?:<value>|<!\[CDATA\[)?|</key>\s{0,80}<(?:string|data)>)",
           _word(r"[^\s<>\]]", r"\s{0,80}(?:</|\]\]>)"), before=r"[<\"'>:\s]"),
)  # fmt: skip
"""Places of a value without quotes."""
_TO_BLOCK = re.compile(
    rf"{_CLOSED}{_BLANKS}(?::{_BLANKS}[|>][-+\d]{{0,2}}|=>?{_BLANKS}<<[-~]?[\"']?(?P<end>\w{{1,40}})[\"']?;?)"
    rf"{_BLANKS}(?:\#[^\n]{{0,80}})?\n"
)
"""Leads to lines that are indented further, or that end with a line of one word."""
_MAX_BLOCK_LINES = 200
_BYTES = re.compile(
    rf"{_CLOSED}(?:[^=\n]{{0,60}}=\s{{0,80}}[\w.:\[\] ]{{0,40}}[({{\[]{{1,2}}|[ \t]{{1,80}}\{{)\s{{0,80}}"
    r"(?P<value>(?:(?:0x[0-9A-Fa-f]{1,2}|\d{1,3})\s{0,40},\s{0,40}){7,256}(?:0x[0-9A-Fa-f]{1,2}|\d{1,3}))"
)
_BEFORE_CHARACTERS = 160
"""Maximum number of characters before a name that say what kind of place it is."""
_ONCE_WITHIN = 4_000
"""A word occurs only once within so many characters before and after it, if it is a password and no variable."""

_IS_NO_NAME = re.compile(
    r"(?i:identified(?! by| with)"
    r"|pass(?![\w.-])(?!(?-i:(?<=PASS))[ \t]{1,80}[\"'])(?!\\{0,3}[\"']?[\])]?\s{0,9}(?:[:=]|</)|>))"
)
"""Names that are words of a sentence, or a statement, unless something certain follows."""
_IN_TYPE = re.compile(r"[\"'][\w:]{0,80}::\Z")
"""What stands before the last part of a type's name that is a key, as in templates of cloud services."""
_MAX_NAMES = 2_000
"""Names that are looked at one by one, each for 0.1 ms, however close together they are."""
_CHARACTERS_PER_NAME = 100
"""Fewest characters for each further name. No code has as many names as that."""
_FIELD_WORD = re.compile(r"_(?:field|input|box|locator|edit|element|el|control|view|label)$")
"""The end of a field's name."""
_PLURALS = ("words", "phrases", "pwds", "secrets", "keys", "tokens", "credentials")
"""Ends of the names of lists."""


def named_secrets(text: str) -> Iterator[Secret]:
    """Yield the values of telling names; they may overlap, and may have line ends.

    Where a text has more names than code has, all that follows one on its line counts as its value.
    """
    hidden_to = 0
    for number, name in enumerate(sorted(telling_names(text), key=lambda name: name.start)):
        if name.start < hidden_to:
            continue
        if number > max(_MAX_NAMES, name.start // _CHARACTERS_PER_NAME):
            hidden_to = _line_end(text, name.end)
            yield name.end, hidden_to, name.kind
            continue
        before = text[max(name.start - _BEFORE_CHARACTERS, 0) : name.start]
        if _IS_NO_NAME.match(text, name.start) or _IN_TYPE.search(before):
            continue
        values = _in_quotes(name, text, before) or _without_quotes(name, text, before) or _in_block(name, text)
        yield from ((start, end, name.kind) for start, end in values)


def _in_quotes(name: TellingName, text: str, before: str) -> list[tuple[int, int]]:
    for place in _IN_QUOTES:
        linked = place.link.match(text, name.end)
        literals = literals_at(text, linked.end(), listed=name.words.endswith(_PLURALS)) if linked else []
        fits = bool(literals) and place.fits(name, text, before)
        if literals and (fits or not place.only):
            shape = place.shape if fits else Shape.NUMBERED
            words = _FIELD_WORD.sub("", name.words) if place.is_field else name.words
            for value in (literals, literals[:1], literals[1:]):  # what is joined to a secret may be ordinary text
                if looks_secret(name.kind, words, joined(text, value), shape):
                    return value
    return []


def _without_quotes(name: TellingName, text: str, before: str) -> list[tuple[int, int]]:
    for place in _WITHOUT_QUOTES:
        linked = place.link.match(text, name.end)
        if linked and place.value and place.fits(name, text, before):
            found = place.value.match(text, linked.end())
            if found and looks_secret(name.kind, name.words, found[0], _shape_of(place, found), quoted=False):
                return [found.span()]
    return []


def _shape_of(place: _Place, value: re.Match[str]) -> Shape:
    """Return what a value may be: a word that is elsewhere near its place, too, is a variable or a type."""
    first, last = max(value.start() - _ONCE_WITHIN, 0), value.end() + _ONCE_WITHIN
    occurs_again = value.string.count(value[0], first, last) > 1
    return min(place.shape, Shape.NUMBERED) if occurs_again else place.shape


def _in_block(name: TellingName, text: str) -> list[tuple[int, int]]:
    """Return the lines of a block of YAML or of a here-document, or the numbers of an array of bytes."""
    linked = _TO_BLOCK.match(text, name.end)
    if not linked:
        found = _BYTES.match(text, name.end)
        numbers = re.sub(r"[\s,]", "", found["value"]) if found else ""
        is_secret = bool(found) and looks_secret(name.kind, name.words, numbers, Shape.WORD)
        return [found.span("value")] if found and is_secret else []
    start = text.rfind("\n", 0, name.start) + 1
    margin = len(text[start : name.start]) - len(text[start : name.start].lstrip(" "))
    lines: list[tuple[int, int]] = []
    start = linked.end()
    while len(lines) < _MAX_BLOCK_LINES and start < len(text):
        end = _line_end(text, start)
        line = text[start:end]
        is_end = line.strip() == linked["end"] if linked["end"] else len(line) - len(line.lstrip(" ")) <= margin
        if line.strip() and is_end:
            break
        if line.strip():
            lines.append((start + len(line) - len(line.lstrip()), start + len(line.rstrip())))
        start = end + 1
    value = joined(text, lines)
    return lines if looks_secret(name.kind, name.words, value, Shape.WORD) else []


def _line_end(text: str, start: int) -> int:
    end = text.find("\n", start)
    return len(text) if end < 0 else end
