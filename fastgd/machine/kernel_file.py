"""The file of a kernel: a line of facts, in JSON, and an object file.

The facts are what kernel it is (`title`), the name of its function in the code (`function`), the C
functions that it calls (`calls`) and a hash of the code (`sha256`).
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from fastgd.system.files import replace_file


def write(path: Path, facts: dict[str, Any], code: bytes, mode: int = 0o644) -> None:
    """Put a whole file in its place, or none. What a power cut has damaged is known by its hash."""
    line = json.dumps({**facts, "sha256": hashlib.sha256(code).hexdigest()}).encode()
    replace_file(path, lambda file: file.write(line + b"\n" + code), mode=mode, flush=False)


def read(content: bytes) -> tuple[dict[str, Any], bytes]:
    """Facts and code of a file; ValueError, or another error, if it is damaged."""
    line, _, code = content.partition(b"\n")
    facts = json.loads(line)
    if facts["sha256"] != hashlib.sha256(code).hexdigest():
        raise ValueError("the code of the kernel is damaged")
    return facts, code


def title_of(source: str) -> str:
    """What kernel it is, by the first line of the module that it is compiled from."""
    return source.partition("\n")[0].strip('"').partition(" Written by")[0].rstrip(".")
