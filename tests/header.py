#!/usr/bin/env python3
"""Lists the stanzas of age files, one per line: an auditor's reader, written after https://c2sp.org/age and nothing else.

    tests/header.py FILE...

It shares no code and no library with solekey, and knows no keys: it shows who has a stanza, not that the file opens.
"""

import base64
import re
import sys

VERSION = b"age-encryption.org/v1"
BEGIN, END = b"-----BEGIN AGE ENCRYPTED FILE-----", b"-----END AGE ENCRYPTED FILE-----"


def dearmor(data):
    """The binary file in the armor, or the data as it is."""
    lines = [line.strip() for line in data.strip().splitlines()]
    if lines[:1] != [BEGIN]:
        return data
    if lines[-1] != END:
        raise ValueError("the armor has no end")
    return base64.b64decode(b"".join(lines[1:-1]), validate=True)


def stanzas(data):
    """The words of each stanza: its type, then its arguments."""
    lines = iter(dearmor(data).split(b"\n"))
    if next(lines) != VERSION:
        raise ValueError("not an age file")
    found = []
    for line in lines:
        if re.fullmatch(rb"--- [A-Za-z0-9+/]{43}", line):
            return found
        if not re.fullmatch(rb"->( [!-~]+)+", line):
            raise ValueError(f"neither a stanza nor the MAC: {line[:80]!r}")
        found.append(line.decode("ascii").split(" ")[1:])
        # The body: lines of 64 characters, then one that is shorter.
        body = None
        while body is None or len(body) == 64:
            body = next(lines, b"?")
            if not re.fullmatch(rb"[A-Za-z0-9+/]{0,64}", body):
                raise ValueError(f"not a line of a stanza's body: {body[:80]!r}")
    raise ValueError("the header has no end")


if __name__ == "__main__":
    for path in sys.argv[1:]:
        try:
            with open(path, "rb") as file:
                for words in stanzas(file.read()):
                    print(*words)
        except (OSError, ValueError) as error:
            sys.exit(f"{path}: {error}")
