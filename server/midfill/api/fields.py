"""Reading a request's JSON: each field has one kind and limits, and a wrong one is named in one sentence."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TypeGuard

from midfill.api.errors import RequestError


class Fields:
    """The fields of a JSON object. A field that is null counts as absent, because many clients send those."""

    def __init__(self, values: dict[str, object], within: str = "") -> None:
        """Read ``values``, which stand in the field ``within``; "" for the request itself."""
        self._values = {name: value for name, value in values.items() if value is not None}
        self._within = within

    def get(self, name: str) -> object:
        """Return a field as it is; None if it is absent."""
        return self._values.get(name)

    def text(self, name: str, default: str = "") -> str:
        """Return a text.

        Raises:
            RequestError: it is something else, or no Unicode text.
        """
        return self.as_text(name, self._values.get(name, default))

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Return a truth value.

        Raises:
            RequestError: it is something else.
        """
        value = self._values.get(name, default)
        if not isinstance(value, bool):
            raise self._wrong(name, "true or false")
        return value

    def whole(self, name: str, default: int, least: int, most: int) -> int:
        """Return a whole number from ``least`` to ``most``.

        Raises:
            RequestError: it is something else.
        """
        value = self._values.get(name, default)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise self._wrong(name, f"a whole number from {least} to {most}")
        return value

    def number(self, name: str, default: float, least: float, most: float) -> float:
        """Return a number from ``least`` to ``most``.

        Raises:
            RequestError: it is something else.
        """
        value = self._values.get(name, default)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
            raise self._wrong(name, f"a number from {least:g} to {most:g}")
        return float(value)

    def texts(self, name: str, most: int) -> list[str]:
        """Return up to ``most`` texts: a list of them, or a single one.

        Raises:
            RequestError: it is something else.
        """
        value = self._values.get(name, [])
        if isinstance(value, str):
            value = [value]
        if not isinstance(value, list) or len(value) > most:
            raise self._wrong(name, f"a text or a list of at most {most} texts")
        return [self.as_text(name, each) for each in value]

    def ids(self, name: str, vocabulary: int, most: int) -> list[int]:
        """Return up to ``most`` token ids.

        Raises:
            RequestError: it is something else, or the model has no such token.
        """
        value = self._values.get(name, [])
        if not is_list_of_ids(value) or len(value) > most:
            raise self._wrong(name, f"a list of at most {most} token ids")
        self.check_ids(name, value, vocabulary)
        return value

    def check_ids(self, name: str, ids: Sequence[int], vocabulary: int) -> None:
        """Check that the model has all of the tokens ``ids``.

        Raises:
            RequestError: it has not.
        """
        if ids and not (min(ids) >= 0 and max(ids) < vocabulary):
            raise self._wrong(name, f"token ids from 0 to {vocabulary - 1}, for this model has no others")

    def nested(self, name: str) -> Fields | None:
        """Return the fields of an object in a field; None if it is absent.

        Raises:
            RequestError: it is something else.
        """
        value = self._values.get(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise self._wrong(name, "an object")
        return Fields(value, self._name(name))

    def objects(self, name: str, most: int) -> list[Fields]:
        """Return the fields of up to ``most`` objects in a list; the last ones if there are more.

        Raises:
            RequestError: it is something else.
        """
        value = self._values.get(name, [])
        if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
            raise self._wrong(name, "a list of objects")
        return [Fields(each, self._name(name)) for each in value[-most:]]

    def as_text(self, name: str, value: object) -> str:
        """Return the ``value`` of a field if it is a text.

        Raises:
            RequestError: it is something else, or no Unicode text.
        """
        if not isinstance(value, str):
            raise self._wrong(name, "a text")
        try:
            value.encode()
        except UnicodeEncodeError as error:  # half of a surrogate pair, which JSON can spell and no tokenizer accepts
            raise self._wrong(name, "a text of whole Unicode characters") from error
        return value

    def refuse(self, name: str, why: str) -> RequestError:
        """Return the error that blames a field, whose name begins its sentence."""
        return RequestError(400, f"`{self._name(name)}` {why}", self._name(name))

    def _wrong(self, name: str, wanted: str) -> RequestError:
        return self.refuse(name, f"must be {wanted}.")

    def _name(self, name: str) -> str:
        return f"{self._within}.{name}" if self._within else name


def parse(body: bytes) -> Fields:
    """Return the fields of a request's body.

    Raises:
        RequestError: it is no JSON object.
    """
    try:
        values = json.loads(body, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise RequestError(400, "The body must be a JSON object that is not nested so deeply.") from error
    except ValueError as error:  # no JSON, or no UTF-8, or a number of thousands of digits
        raise RequestError(400, "The body must be a JSON object, as UTF-8.") from error
    if not isinstance(values, dict):
        raise RequestError(400, "The body must be a JSON object.")
    return Fields(values)


def is_list_of_ids(value: object) -> TypeGuard[list[int]]:
    """Return whether a value is a list of whole numbers."""
    return isinstance(value, list) and all(isinstance(each, int) and not isinstance(each, bool) for each in value)


def _refuse_constant(name: str) -> float:
    raise ValueError(name)  # NaN and Infinity are no JSON
