"""Whether the code of an answer is what was asked for: changed code, a body, statements, or new definitions."""

from __future__ import annotations

from midfill.actions.checked_edit import Edit
from midfill.actions.known_names import check_names
from midfill.actions.reasons import ActionReason, Faulty
from midfill.actions.selection import Selection, dedented, margin_of
from midfill.code.languages import Language
from midfill.code.normalize import code_tokens, is_same_code
from midfill.code.syntax import Definition, Syntax

_PLACEHOLDERS = (
    (),
    ("pass",),
    ("...",),
    ("raise", "NotImplementedError"),
    ("raise", "NotImplementedError", "(", ")"),
    ("{", "}"),
    ("end",),
)
"""The tokens of a body that is not written yet."""
_OVERLOADING = frozenset({"java", "kotlin", "csharp", "cpp", "swift", "typescript", "tsx"})
"""Grammars of languages in which functions of one scope may have the same name."""


def is_unwritten(selection: Selection) -> bool:
    """Return whether the function in which a selection begins has no body, or a placeholder for one."""
    found = selection.definition
    if found is None or found.kind != "function":
        return False
    whole = code_tokens(selection.of_definition().code, selection.language)
    declared = code_tokens("\n".join(dedented(found.signature.split("\n"))), selection.language)
    rest = tuple(token for token in whole[len(declared) :] if token not in (":", ";"))
    return whole[: len(declared)] == declared and rest in _PLACEHOLDERS


def check_rewritten(edit: Edit, selection: Selection) -> None:
    """Check that an edit changes the code, and that statements stay statements and bodies stay bodies.

    Raises:
        Faulty: only comments, docstrings or blank lines change; or the answer is something else than was selected.
    """
    language = selection.language
    after = selection.hidden(edit.apply(selection.redacted))
    if is_same_code(selection.redacted, after, language):
        raise Faulty(ActionReason.ONLY_COMMENTS)
    check_known(edit, selection)
    edited = Selection(after, language, edit.first_line, edit.first_line + len(edit.lines))
    if selection.definition and is_unwritten(edited) and not is_unwritten(selection):
        raise Faulty(ActionReason.LEFT_OUT, "the body was left out: answer with all of the code")
    defined = _only_defines("\n".join(dedented(edited.lines)), language)
    if defined and not _only_defines(selection.code, language):
        raise Faulty(ActionReason.OTHER_CODE, f"the answer defines '{defined}' in place of the selected statements")


def check_known(edit: Edit, selection: Selection) -> None:
    """Check that an edit of Python code uses names that exist, and calls that fit.

    Raises:
        Faulty: see :func:`midfill.actions.known_names.check_names`.
    """
    if selection.language.grammar == "python":
        check_names(selection.redacted, selection.hidden(edit.apply(selection.redacted)))


def check_new(code: str, selection: Selection) -> None:
    """Check that new code has statements, and defines nothing that its scope has already.

    Raises:
        Faulty: it has only comments, or repeats a definition.
    """
    language = selection.language
    if not code_tokens(code, language):
        raise Faulty(ActionReason.ONLY_COMMENTS, "the answer has comments only: the code is missing")
    others = [
        d
        for d in selection.syntax.definitions()
        if d.kind in ("function", "class") and not selection.first_line <= d.first_line < selection.end_line
    ]
    deeper = [d for d in others if len(margin_of(d.signature.split("\n"))) < len(selection.margin)]
    scope = _scope(deeper, selection.first_line, selection.end_line)
    taken = {_key(d, language) for d in others if _scope(others, d.first_line, d.last_line + 1, d) == scope}
    answered = [d for d in Syntax(code, language).definitions() if d.kind in ("function", "class")]
    for definition in answered:
        inner = _scope(answered, definition.first_line, definition.last_line + 1, definition)
        if inner is None and _key(definition, language) in taken:
            raise Faulty(ActionReason.REPEATED, f"'{definition.name}' is defined already: write the new code only")


def _scope(
    definitions: list[Definition], first_line: int, end_line: int, own: Definition | None = None
) -> Definition | None:
    """Return the innermost definition around some lines, other than ``own``; None for the file itself."""
    around = [d for d in definitions if d is not own and d.first_line < first_line and end_line <= d.last_line + 1]
    return max(around, key=lambda d: d.first_line, default=None)


def _key(definition: Definition, language: Language) -> object:
    overloads = language.grammar in _OVERLOADING and definition.kind == "function"
    return (definition.name, *(code_tokens(definition.signature, language) if overloads else ()))


def _only_defines(code: str, language: Language) -> str:
    """Return the name of the first definition of code that has nothing but definitions; "" if it has statements."""
    lines, rest, found = code.split("\n"), list[str](), ""
    definitions = [d for d in Syntax(code, language).definitions() if d.kind in ("function", "class")]
    at = 0
    for definition in definitions:
        found = found or definition.name
        rest += lines[at : definition.first_line]
        at = max(at, definition.last_line + 1)
    return found if not code_tokens("\n".join([*rest, *lines[at:]]), language) else ""
