"""What the shell makes of a word: its text, as far as it is known."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from .state import ANY, HOME, UNKNOWN, USER, CantTellError, Shell
from .syntax import EXPANDS, Heredoc, lines_of, outermost, text_of, within

if TYPE_CHECKING:
    from tree_sitter import Node

# `${name}` with what only reads it: no indirection, assignment, transformation or calculated place.
_EXPANSION = re.compile(
    r"\$\{#?(?:[A-Za-z_]\w*|[0-9]+|[@*#?$!-](?=[}:-]))(?:\[(?:[@*]|[0-9]+)\])?"
    r"(?:\}|:?[-+?]|: ?-?[0-9]+(?:: ?-?[0-9]+)?\}|([#%/^,]))"
)
# Within arithmetic: an index, a text, a command's output, an expansion that isn't a plain one.
_RUNS = re.compile(r"[\[\]'`\\@]|\$\((?!\()|\$\{(?!#?\w+\})|\$\*")
_PRINTS_NUMBER = re.compile(r"\$\((?:date \+%s|nproc)\)")
Substitute = Callable[["Node"], str]
"""Returns what a command substitution prints, having followed it."""


class Word(Struct, frozen=True):
    """A word after expansion. `is_pattern`: it may stand for several, since it has a wildcard or braces without quotes."""

    text: str
    is_pattern: bool = False


def word(node: Node, shell: Shell, substitute: Substitute) -> Word:
    """Return a word of a command."""
    pieces = list(_pieces(node, shell, substitute))
    text = "".join(piece.text for piece in pieces)
    is_pattern = any(piece.is_pattern for piece in pieces)
    if text_of(node).startswith("~"):
        text = re.sub(rf"^~{USER}(?=/|$)", HOME, re.sub(r"^~(?=/|$)", shell.home, text))
        text = UNKNOWN if text.startswith("~") else text
    return Word(text, is_pattern)


def heredoc_value(heredoc: Heredoc, redirect: Node, shell: Shell, substitute: Substitute) -> str:
    """Return the text that a here-document stands for."""
    if heredoc.is_raw:
        return re.sub(r"(?m)^\t+", "", heredoc.text) if heredoc.strips_tabs else heredoc.text
    body = [each for node in within(redirect, "heredoc_body") for each in node.children]
    data, end, parts = heredoc.text.encode(), heredoc.start, []
    for child in (each for each in body if each.type != "heredoc_content"):
        parts.append(_literal(data[end - heredoc.start : child.start_byte - heredoc.start].decode(), "$`\\"))
        parts.append(_expanded(child, shell, substitute))
        end = child.end_byte
    parts.append(_literal(data[end - heredoc.start :].decode(), "$`\\"))
    if heredoc.strips_tabs:
        if "\\" in heredoc.text:
            raise CantTellError("its here-document can't be followed")
        # Tabs go from the lines as they stand, not from what a variable brings.
        parts = [re.sub(r"\n\t+", "\n", part) if number % 2 == 0 else part for number, part in enumerate(parts)]
        parts[0] = parts[0].lstrip("\t")
    return "".join(parts)


def _pieces(node: Node, shell: Shell, substitute: Substitute) -> Iterator[Word]:
    text = text_of(node)
    match node.type:
        case "word" | "number" | "extglob_pattern" if not node.named_child_count:
            yield _bare(text)
        case "command_name" | "concatenation":
            yield from (piece for child in node.children for piece in _pieces(child, shell, substitute))
            # Braces are words of their own here.
            yield Word("", bool(re.search(r"\{.*(,|\.\.).*\}", text, re.DOTALL)))
        case "raw_string":
            yield Word(text[1:-1])
        case "string":
            yield Word(_string(node, shell, substitute))
        case "simple_expansion" | "expansion" | "command_substitution":
            value = _expanded(node, shell, substitute)
            # Without quotes it is split, and wildcards in it count.
            yield Word(UNKNOWN, is_pattern=True) if re.search(r"[\s*?[\]]", value) or UNKNOWN in value else Word(value)
        case "arithmetic_expansion":
            yield Word(_expanded(node, shell, substitute))
        case "brace_expression":
            yield Word(text, is_pattern=True)
        case _:
            follow_within(node, shell, substitute)
            yield Word(UNKNOWN, is_pattern=True)


def follow_within(node: Node, shell: Shell, substitute: Substitute) -> None:
    """Follow the commands within a node that is otherwise not looked at."""
    if within(node, "process_substitution"):
        raise CantTellError("it hands a command's output on as a file")
    check_expansions(node, shell)
    for each in [node] if node.type == "command_substitution" else outermost(node, "command_substitution"):
        substitute(each)


def _bare(text: str) -> Word:
    without = re.sub(r"\\.", "", text, flags=re.DOTALL)
    is_pattern = bool(re.search(r"[*?[]|\{.*(,|\.\.).*\}", without))
    return Word(re.sub(r"\\(.)", r"\1", text), is_pattern)


def _string(node: Node, shell: Shell, substitute: Substitute) -> str:
    """Return what a double-quoted string stands for; the grammar leaves white space out, so it goes by place."""
    data, start = node.text or b"", node.start_byte
    end, parts = start + 1, []
    for child in node.children[1:-1]:
        if child.type == "string_content":
            continue
        parts.append(_literal(data[end - start : child.start_byte - start].decode(), '$`"\\'))
        parts.append(_expanded(child, shell, substitute))
        end = child.end_byte
    parts.append(_literal(data[end - start : -1].decode(), '$`"\\'))
    return "".join(parts)


def _literal(text: str, escaped: str) -> str:
    """Return text between quotes, or of a here-document, in which nothing is left to expand."""
    if EXPANDS.search(text):
        raise CantTellError(f"what is expanded in a text can't be told: {text.strip()[:40]}")
    return re.sub(rf"\\([{re.escape(escaped)}\n])", lambda match: match[1].strip("\n"), text)


def _expanded(node: Node, shell: Shell, substitute: Substitute) -> str:
    text = text_of(node)
    # The grammar counts white space before it in.
    blank = text[: len(text) - len(text.lstrip())]
    if node.type == "command_substitution":
        return blank + substitute(node)
    name = re.fullmatch(r"\$(?:(\w+)|\{(\w+)\})", text.strip())
    if node.type in ("simple_expansion", "expansion") and name:
        return blank + shell.value(name[1] or name[2])
    follow_within(node, shell, substitute)
    return blank + UNKNOWN


def check_expansions(node: Node, shell: Shell) -> None:
    """Take in what is expanded within; raises CantTellError where the shell may run a text by it, or set a variable."""
    if re.search(r"\$\[", text_of(node)):
        raise CantTellError(f"it can't be followed: {lines_of(node)}")
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if one.type == "command_substitution":
            continue
        if one.type == "arithmetic_expansion":
            calculate(one, shell)
        elif one.type == "expansion":
            _check_expansion(text_of(one).strip())
        elif one.type == "array" and re.search(r"[\s(]\[", text_of(one)):
            raise CantTellError(f"it can't be followed: {lines_of(one)}")
        waiting += one.children


def _check_expansion(text: str) -> None:
    expansion = _EXPANSION.match(text)
    # Behind an operator the grammar may take anything for a pattern.
    if not expansion or (expansion[1] and re.search(r"\$\(\(|`|\$\{(?!\w+\})", text[expansion.end() :])):
        raise CantTellError(f"it can't be followed: {text[:40]}")


def calculate(node: Node, shell: Shell) -> None:
    """Take in arithmetic; raises CantTellError where a variable may hold a text, whose commands the shell would run."""
    text = text_of(node)
    names = {text_of(each) for each in within(node, "variable_name", "word")}
    plain = _PRINTS_NUMBER.sub("", re.sub(r"\A\s*\[\[\s|\s\]\]\Z", "", text))
    if _RUNS.search(plain) or names & shell.texts or (names and ANY in shell.texts) or any(map(str.isdigit, names)):
        raise CantTellError(f"a text may be run as a command within arithmetic: {text[:40]}")
    shell.unsettled |= names
