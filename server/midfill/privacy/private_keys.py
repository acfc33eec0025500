"""Finds the lines of private keys, also of parts of keys without their first or last line."""

from __future__ import annotations

import re

from midfill.privacy.secret_values import entropy, is_encoded_text

_BEGIN = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|PuTTY-User-Key-File-\d")
_END = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|Private-MAC:")
_MARKS = " \t\r\"'`+;,()[]\\#*>|&."
"""What may stand before and after the base64 of a key: indentation, quotes, operators, marks of comments."""
_IN_KEY = re.compile(
    r"[A-Za-z0-9+/=]{0,100}(?:\\[rn]){0,2}|// ?[A-Za-z0-9+/=]{0,100}"
    r"|(?:Proc-Type|DEK-Info|Version|Comment|Hash|Charset|Encryption|(?:Public|Private)-Lines|Key-Derivation|Argon2-\w+)"
    r":.{0,200}"
)
"""A line between BEGIN and END, without its marks."""
_KEY_LINE = re.compile(
    r"^[^\S\n]{0,80}(?:[\"'+#/*>|][^\S\n]{0,9}){0,3}(?P<body>[A-Za-z0-9+/]{60,76}={0,2})(?:\\n)?[\"'+;,)\\ \t\r]{0,6}$",
    re.MULTILINE,
)
_LAST_KEY_LINE = re.compile(r"[^\S\n]{0,80}[\"'+]?[A-Za-z0-9+/]{4,76}={0,2}(?:\\n)?[\"'+;,)\\ \t\r]{0,6}")
_MAX_KEY_LINES = 200
"""Maximum number of lines of a private key."""
_MIN_KEY_LINES = 3
"""Minimum number of consecutive base64 lines that count as part of a private key without BEGIN and END."""
_OTHER_BASE64 = re.compile(
    r"-----BEGIN (?![A-Z0-9 ]{0,40}PRIVATE)"
    r"|(?<![\w+/])(?:MII[\w+/]{3}CC|MII[BC]IjANBgkq|mQ[EIG][Ni]|mDME|mI0E"  # certificates and public keys
    r"|iVBORw|R0lGOD|/9j/|UklGR|AAABAA|AAEAAA|T1RUT|d09G|JVBER|UEsDB|H4sI|PD94|PHN2)"  # pictures, fonts, archives, XML
)
"""What the base64 of other things begins with, in its first line or in a line before."""
_HEAD_LINES = 4
"""Number of lines before the random ones that may say what they are."""
_MIN_ENTROPY, _MIN_LAST_ENTROPY = 4.2, 3.5
"""Minimum entropy of a line of a key, and of its last line, which is shorter."""
_HIDDEN = ("", "private-key")
"""Key lines, without their marks and angle brackets, that have nothing left to hide."""


def private_keys(text: str) -> list[tuple[int, int]]:
    """Return the lines of private keys, each on its own, so that the number of lines stays the same."""
    has_marks = "PRIVATE KEY" in text or "PuTTY-User-Key" in text or "Private-MAC:" in text
    if not has_marks and not _KEY_LINE.search(text):
        return []
    lines = _lines(text)
    hidden = _without_marks(text, lines)
    if has_marks:
        hidden |= _within_marks(text, lines)
    found = (lines[number] for number in hidden)
    return [(start, end) for start, end in found if text[start:end].strip(f"{_MARKS}<>") not in _HIDDEN]


def _within_marks(text: str, lines: list[tuple[int, int]]) -> set[int]:
    """Return the numbers of the lines after a BEGIN, and of those before an END."""
    hidden: set[int] = set()
    left = 0  # number of lines that the current key may still have
    for number, (start, end) in enumerate(lines):
        if _END.search(text, start, end):
            before = number - 1 if not left else -1  # without a BEGIN, look upwards
            while before >= 0 and number - before <= _MAX_KEY_LINES and _LAST_KEY_LINE.fullmatch(text, *lines[before]):
                hidden.add(before)
                before -= 1
            left = 0
        elif left and _IN_KEY.fullmatch(text[start:end].strip(_MARKS)):
            hidden.add(number)
            left -= 1
        else:
            left = 0
        begin = _BEGIN.search(text, start, end)
        if begin and not _END.search(text, begin.end(), end):
            left = _MAX_KEY_LINES
    return hidden


def _without_marks(text: str, lines: list[tuple[int, int]]) -> set[int]:
    """Return the numbers of the lines in runs of base64."""
    hidden: set[int] = set()
    numbers = {start: number for number, (start, _) in enumerate(lines)}
    bodies = {numbers[m.start()]: m["body"] for m in _KEY_LINE.finditer(text) if entropy(m["body"]) > _MIN_ENTROPY}
    run: list[int] = []
    for number in [*bodies, -1]:
        if run and number != run[-1] + 1:
            body = "".join(bodies[line] for line in run)
            head = slice(lines[max(run[0] - _HEAD_LINES, 0)][0], lines[run[0]][1])
            if len(run) >= _MIN_KEY_LINES and not _OTHER_BASE64.search(text[head]) and not is_encoded_text(body):
                hidden.update(run)
                after = lines[run[-1] + 1] if run[-1] + 1 < len(lines) else (0, 0)
                last = _LAST_KEY_LINE.fullmatch(text, *after)
                if last and entropy(last[0]) > _MIN_LAST_ENTROPY:
                    hidden.add(run[-1] + 1)
            run = []
        run.append(number)
    return hidden


def _lines(text: str) -> list[tuple[int, int]]:
    """Return the start and the end of each line."""
    ends = [match.start() for match in re.finditer("\n", text)]
    return list(zip([0, *(end + 1 for end in ends)], [*ends, len(text)], strict=True))
