"""The head of a response: status and headers. Knows no body and no stream.

**One head is nearly the next.** An environment's events come from one platform: the same headers in the same order,
and in most of them the same value; only ids, times and perhaps a length differ, and these seldom change their
length. Taking such a head apart line by line is half of what the runtime does in an invocation. `Heads` remembers
where the values are that differ, takes these alone out of the next head, puts them into the rest of the last one, and
when that gives the new head to the letter, the other headers are those of the last one.
"""

__all__ = ["Heads", "WireError", "parse_head", "shown"]


class WireError(Exception):
    """The peer sent what is no HTTP response of this API; the text says what was found."""


class Heads:
    """Parses the heads of one connection, as `parse_head` does."""

    __slots__ = ("_headers", "_length", "_names", "_rest", "_spans", "_text")

    def __init__(self) -> None:
        self._text = ""
        """The last head that was parsed line by line."""
        self._headers: dict[str, str] = {}
        self._length = -1
        """Of heads that the following describe; -1 while there is nothing to go by."""
        self._names: tuple[str, ...] = ()
        self._spans: tuple[tuple[int, int], ...] = ()
        """Where the values of the headers `_names` are; of all that is not there, `_rest` is the text."""
        self._rest = ""

    def parse(self, head: bytes) -> "tuple[int, dict[str, str]]":
        """Status and headers. Raises `WireError`."""
        text = head.decode("latin-1")
        if len(text) == self._length:
            # A value with a blank at its ends would be stripped: then the text differs, and the long way is gone.
            values = tuple([text[start:end].strip() for start, end in self._spans])
            if self._rest % values == text and "\n" not in "".join(values):
                return 200, self._headers | dict(zip(self._names, values, strict=False))
        status, headers = parse_head(text)
        if text.startswith("HTTP/1.1 200 "):
            self._learn(text, headers)
        return status, headers

    def _learn(self, text: str, headers: "dict[str, str]") -> None:
        """Note where this head differs from the last one, if that was as long."""
        last, self._text = self._text, text
        if len(last) != len(text):
            return
        status_line, *lines = text.split("\r\n")
        last_lines = last.split("\r\n")[1:]
        if len(lines) != len(last_lines) or len(lines) != len(headers):
            return  # also where a name is there twice
        rest, names, spans, at = [status_line.replace("%", "%%")], [], [], len(status_line)
        for line, last_line, (name, value) in zip(lines, last_lines, headers.items(), strict=True):
            at += 2
            if line != last_line:
                start = line.index(value, len(name) + 1)
                end = start + len(value)
                names.append(name)
                spans.append((at + start, at + end))
                rest.append(line[:start].replace("%", "%%") + "%s" + line[end:].replace("%", "%%"))
            else:
                rest.append(line.replace("%", "%%"))
            at += len(line)
        self._headers, self._length, self._rest = headers.copy(), len(text), "\r\n".join(rest)
        self._names, self._spans = tuple(names), tuple(spans)


def parse_head(text: str) -> "tuple[int, dict[str, str]]":
    """Status and headers, names in lower case and values stripped. Raises `WireError`."""
    status_line, *lines = text.split("\r\n")
    status = _USUAL_STATUS.get(status_line) or _parse_status(status_line)
    headers = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise WireError(f"not a header line: {shown(line.encode('latin-1'))}")
        headers[name.lower()] = value.strip()
    if len(headers) != len(lines):
        _refuse_two_lengths(lines)
    # An empty name, or one that begins with a blank, sorts before all others.
    if (lines and min(headers) < "!") or text.count("\n") != len(lines):
        whole = shown(text.encode("latin-1"))
        raise WireError(f"not a response head (an empty name, a bare line feed or a folded line): {whole}")
    if status_line.startswith("HTTP/1.0 "):
        headers.setdefault("connection", "close")
    return status, headers


_USUAL_STATUS = {"HTTP/1.1 200 OK": 200, "HTTP/1.1 202 Accepted": 202}


def _parse_status(line: str) -> int:
    digits = line[9:12]
    if not (
        line.startswith(("HTTP/1.1 ", "HTTP/1.0 "))
        and len(digits) == 3
        and digits.isascii()
        and digits.isdecimal()
        and digits >= "100"
        and line[12:13] in ("", " ")
    ):
        raise WireError(f"not an HTTP/1.1 status line: {shown(line.encode('latin-1'))}")
    return int(digits)


def _refuse_two_lengths(lines: "list[str]") -> None:
    lengths = {line.partition(":")[2].strip() for line in lines if line.lower().startswith("content-length:")}
    if len(lengths) > 1:
        raise WireError(f"two different values of Content-Length: {sorted(lengths)}")


def shown(data: bytes) -> str:
    """The beginning of some bytes, for an error."""
    return repr(data[:60]) + ("…" if len(data) > 60 else "")
