"""The parts of documents that follow from the code: inputs and outputs, in the form of terraform-docs, and options.

A part stands between two markers. A test compares it with the code, and writes it with WRITE_TABLES=1.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import hcl2

from which_notebook.cli.arguments import parser

CHECKOUT = Path(__file__).resolve().parent.parent
OF_THE_MODULE = CHECKOUT / "docs/module.md"
OF_THE_COMMAND = CHECKOUT / "docs/which-notebook.md"

Rows = Sequence[Sequence[str]]

BAR = r"\|"
"""A bar within a cell."""


def documents() -> list[Path]:
    """Return the documents with such a part: the module's, the command's, one for each submodule and example."""
    roots = [path.parent for folder in ("modules", "examples") for path in sorted(CHECKOUT.glob(f"{folder}/*/main.tf"))]
    return [OF_THE_MODULE, OF_THE_COMMAND, *(root / "README.md" for root in roots)]


def written(document: Path) -> str:
    """Return the text that a document should have. Raises ValueError where it hasn't the markers once."""
    if document == OF_THE_COMMAND:
        name, part = "OPTIONS", options()
    else:
        name, part = "TF_DOCS", inputs_and_outputs(CHECKOUT if document == OF_THE_MODULE else document.parent)
    begin, end = f"<!-- BEGIN_{name} -->\n", f"<!-- END_{name} -->\n"
    text = document.read_text()
    if text.count(begin) != 1 or text.count(end) != 1:
        raise ValueError(f"{document} needs these lines, each once: {begin}{end}")
    return text[: text.index(begin)] + begin + part + text[text.index(end) :]


# Inputs and outputs


def inputs_and_outputs(root: Path) -> str:
    """Return the tables of a module's inputs and outputs, by name."""
    inputs, outputs = _blocks(root, "variable"), _blocks(root, "output")
    input_rows = [
        (
            f"`{name}`",
            _described(block),
            f"`{_unquoted(block['type'])}`",
            f"`{_hcl(block['default'])}`" if "default" in block else "n/a",
            "no" if "default" in block else "yes",
        )
        for name, block in inputs
    ]
    output_rows = [(f"`{name}`", _described(block)) for name, block in outputs]
    return (
        "## Inputs\n\n"
        + _table("Name Description Type Default Required", input_rows)
        + "\n## Outputs\n\n"
        + _table("Name Description", output_rows)
    )


def _blocks(root: Path, kind: str) -> list[tuple[str, dict[str, Any]]]:
    blocks = [each for path in root.glob("*.tf") for each in hcl2.loads(path.read_text()).get(kind, [])]
    return sorted((_unquoted(name), block) for each in blocks for name, block in each.items())


def _unquoted(value: str) -> str:
    """Without the quotes and the marks of an expression that python-hcl2 keeps."""
    return re.sub(r'^"(.*)"$|^\$\{(.*)\}$', lambda found: found[1] or found[2] or "", value, flags=re.S)


def _hcl(value: Any) -> str:
    """Return a default as it is written in HCL."""
    if isinstance(value, list):
        return f"[{', '.join(map(_hcl, value))}]"
    if isinstance(value, dict):
        settings = ", ".join(f"{_unquoted(key)} = {_hcl(each)}" for key, each in value.items() if key[:2] != "__")
        return f"{{ {settings} }}" if settings else "{}"
    return value if isinstance(value, str) else json.dumps(value)


def _described(block: dict[str, Any]) -> str:
    """Return a description as one cell, in which list items begin lines."""
    text = _unquoted(block["description"]).replace('\\"', '"')
    text = re.sub(r"^<<-?(\w+)\n(.*)\n *\1$", r"\2", text, flags=re.S)
    cell, is_after_item = "", False
    for line in map(str.strip, text.splitlines()):
        is_item = line.startswith("- ")
        separator = "<br>" if is_item or is_after_item else " "
        cell += separator + line if cell else line
        is_after_item = is_item
    return cell


# Options


def options() -> str:
    """Return the table of the command's options, with the commands that take each."""
    root = parser(defaultdict(lambda: lambda *_: 0))
    (commands,) = [each for each in root._actions if isinstance(each, argparse._SubParsersAction)]
    taken_by: dict[tuple[str, str, str], list[str]] = {}
    for name, command in commands.choices.items():
        for option in command._actions:
            if option.option_strings and option.dest != "help":
                taken_by.setdefault(_option(option), []).append(f"`{name}`")
    rows = [(shown, ", ".join(names), default, meaning) for (shown, default, meaning), names in taken_by.items()]
    return _table("Option Commands Default Meaning", sorted(rows))


def _option(option: argparse.Action) -> tuple[str, str, str]:
    """Return how an option is written, its default, and what it does."""
    choices = f"{{{','.join(map(str, option.choices or []))}}}"
    value = "" if option.nargs == 0 else f" {option.metavar or choices}"
    shown = ", ".join(f"`{each}{value}`" for each in sorted(option.option_strings, key=len, reverse=True))
    default = "" if option.default in (None, False, []) else f"`{option.default}`"
    if option.dest == "jobs":
        default = "one for each processor"  # of the machine that runs it
    meaning = (option.help or "").replace(" (default: %(default)s)", "").replace("default: %(default)s; ", "")
    return shown, default, meaning


def _table(heading: str, rows: Rows) -> str:
    if not rows:
        return "None.\n"
    lines = [heading.split(), ["---"] * len(heading.split()), *rows]
    return "".join(
        "|" + "|".join(f" {cell.replace('|', BAR)} " if cell else " " for cell in line) + "|\n" for line in lines
    )
