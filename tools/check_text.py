"""Checks every text file of the repository for line ends and white space, and every document for links that lead nowhere.

Run as `python tools/check_text.py [FOLDER]`; ends with status 1 where something is to mend.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

from markdown_it import MarkdownIt


def main(folder: Path) -> int:
    """Print what is to mend; return the exit status."""
    found = [problem for path in files(folder) for problem in problems(path, folder)]
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


def files(folder: Path) -> list[Path]:
    """Return what git tracks, and what it would track if it were added."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout.split("\0")
    # A file that is deleted and not yet committed is still listed.
    return [path for name in sorted(set(listed)) if name and (path := folder / name).is_file()]


def problems(path: Path, folder: Path) -> Iterator[str]:
    """Yield what is wrong with a file, each with the place where it stands."""
    content = path.read_bytes()
    if b"\0" in content:
        return  # no text
    place = path.relative_to(folder)
    if b"\r" in content:
        yield f"{place}: has a carriage return; end lines with a line feed alone"
    if content and not content.endswith(b"\n"):
        yield f"{place}: the last line has no line end"
    if content.endswith(b"\n\n"):
        yield f"{place}: ends with an empty line"
    for number, line in enumerate(content.split(b"\n"), 1):
        if line.rstrip(b"\r").endswith((b" ", b"\t")):
            yield f"{place}:{number}: white space at the end of the line"
    if path.suffix == ".md":
        yield from dead_links(path, folder)


def dead_links(document: Path, folder: Path) -> Iterator[str]:
    """Yield the links and pictures of a document whose file or heading isn't there; the web's aren't looked up."""
    for number, target in links(document):
        name, _, heading = target.partition("#")
        path = (document.parent / unquote(name)).resolve() if name else document
        place = f"{document.relative_to(folder)}:{number}"
        if not path.is_relative_to(folder.resolve()) or not path.exists():
            yield f"{place}: {target}: there is no such file"
        elif heading and (path.suffix != ".md" or heading not in headings(path)):
            yield f"{place}: {target}: that file has no such heading"


def links(document: Path) -> Iterator[tuple[int, str]]:
    """Yield the targets within the repository, each with its line."""
    for token in MarkdownIt("commonmark").enable("table").parse(document.read_text()):
        for each in token.children or []:
            target = str(each.attrs.get("href", each.attrs.get("src", "")))
            if target and not re.match(r"[a-z][a-z0-9+.-]*:", target):
                yield (token.map or [0])[0] + 1, target


@cache
def headings(document: Path) -> frozenset[str]:
    """Return the headings of a document as GitHub writes them in links."""
    tokens = MarkdownIt("commonmark").parse(document.read_text())
    found: list[str] = []
    for opening, token in pairwise(tokens):
        if opening.type == "heading_open":
            text = "".join(each.content for each in token.children or [])
            slug = re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", "-")
            same = sum(re.fullmatch(rf"{re.escape(slug)}(-\d+)?", each) is not None for each in found)
            found.append(f"{slug}-{same}" if same else slug)
    return frozenset(found)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()))
