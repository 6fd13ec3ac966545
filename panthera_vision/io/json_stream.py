"""Read large JSON files piece by piece: the members of the outermost object, in bounded memory."""

import io
import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, NoReturn, TextIO

from panthera_vision.errors import UserError

_CHUNK = 1 << 20  # characters
_MAX_VALUE = 1 << 26  # characters of one value
_NEAR_END = 16  # an error so near the end of the text may come from its being cut there


def stream_members(
    path: Path, arrays: Collection[str], content: bytes | None = None
) -> Iterator[tuple[str, Any]]:
    """Yield the key and the value of each member of a file's outermost object, in their order.

    An array that is named in `arrays` comes element by element, each with the array's key; an
    empty one as an empty list. Values are those of `json.loads`, NaN included. Bytes that are not
    UTF-8 become surrogates, as in file names.

    Args:
        path: the file.
        arrays: keys.
        content: the bytes of the file, where they are in memory; `path` is its name then.

    Raises:
        UserError: it is no JSON object, is cut, or a single value is too large.
        OSError: it can't be read.
    """
    raw = path.open("rb") if content is None else io.BytesIO(content)
    with io.TextIOWrapper(raw, "utf-8-sig", errors="surrogateescape", newline="") as file:
        text = _Text(path, file)
        text.expect("{")
        while text.next_mark('"}', "a key") == '"':
            key = str(text.value())
            text.expect(":")
            if key in arrays and text.peek() == "[":
                text.expect("[")
                if text.peek() == "]":
                    yield key, []
                while text.peek() != "]":
                    yield key, text.value()
                    if text.next_mark(",]", "a comma or the end of the array") == ",":
                        text.expect(",")
                text.expect("]")
            else:
                yield key, text.value()
            if text.next_mark(",}", "a comma or the end of the object") == ",":
                text.expect(",")
        text.expect("}")
        if text.peek():
            text.fail("text behind the end of the object")


class _Text:
    """Hold the part of a JSON text that is being parsed."""

    def __init__(self, path: Path, file: TextIO) -> None:
        self._path, self._file = path, file
        self._decoder = json.JSONDecoder()
        self._text, self._place, self._dropped = "", 0, 0

    def peek(self) -> str:
        """Return the next character that is not blank, without moving on; "" at the end."""
        while True:
            while self._place < len(self._text):
                if (mark := self._text[self._place]) not in " \t\r\n":
                    return mark
                self._place += 1
            if not self._read_on():
                return ""

    def next_mark(self, marks: str, expected: str) -> str:
        """Return the next character, which must be one of `marks`, without moving on."""
        mark = self.peek()
        if not mark or mark not in marks:
            self.fail(f"{expected} is expected")
        return mark

    def expect(self, mark: str) -> None:
        """Move on past `mark`."""
        self.next_mark(mark, repr(mark))
        self._place += 1

    def value(self) -> Any:
        """Parse the value that follows and move on past it."""
        self.peek()
        while True:
            try:
                value, end = self._decoder.raw_decode(self._text, self._place)
            except json.JSONDecodeError as error:
                is_cut = error.msg.startswith("Unterminated") or (
                    error.pos > len(self._text) - _NEAR_END
                )
                if not is_cut or not self._read_on():
                    self._place = error.pos
                    self.fail(error.msg)
            except (ValueError, RecursionError) as error:  # thousands of digits or of brackets
                self.fail(f"{type(error).__name__} in a value")
            else:
                # A number may go on behind what has been read.
                if end < len(self._text) or not self._read_on():
                    self._place = end
                    return value

    def fail(self, problem: str) -> NoReturn:
        """Raise the error of a text that is no JSON object."""
        place = self._dropped + self._place
        raise UserError(f"{self._path} is no valid JSON object: {problem} at character {place:,}")

    def _read_on(self) -> bool:
        """Append more of the file to what is not parsed yet; return whether there was more."""
        left = len(self._text) - self._place
        if left > _MAX_VALUE:
            self.fail(f"a value of more than {_MAX_VALUE:,} characters")
        # As much as is left: parsing a long value again and again takes linear time together.
        more = self._file.read(max(_CHUNK, left))
        self._text = self._text[self._place :] + more
        self._dropped += self._place
        self._place = 0
        return bool(more)
