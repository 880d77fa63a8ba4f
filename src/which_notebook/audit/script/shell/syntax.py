"""Cuts a script into commands and words, with tree-sitter's grammar of bash.

The grammar takes some scripts for something else than bash does, without an error: a line that begins with a backslash
joins the one before. So each word, gap and here-document is held against bash's own rules, and doubted where it breaks one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

from msgspec import Struct

from ....errors import MissingPackageError
from .state import CantTellError

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

# https://www.gnu.org/software/bash/manual/html_node/Definitions.html: a word ends at a metacharacter.
_WORD = re.compile(r"(?:\\[^\n]|[^\s\\'\"`$;&|<>()#])(?:\\[^\n]|[^\s\\'\"`$;&|<>()])*")
_GAP = re.compile(r"(?:[ \t]|\\\n)*")
_BETWEEN = re.compile(r"(?:\s|\\\n)*")
_NOTHING = re.compile("")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
# What would be expanded, had the grammar not taken it for text.
EXPANDS = re.compile(r"(?<!\\)(?:\\\\)*(?:`|\$[\w{(*@#?$!-])")

# Statements stand one a line; the parts of a word stand together; within any other node lines don't end.
_OF_LINES = frozenset(
    ("program", "do_group", "compound_statement", "subshell", "if_statement", "elif_clause", "else_clause", "case_statement",
     "case_item", "for_statement", "c_style_for_statement", "while_statement", "command_substitution", "function_definition",
     "list", "pipeline", "array")
)  # fmt: skip
_TOGETHER = frozenset(("variable_assignment", "concatenation", "file_descriptor"))
# Their gaps are text, which `words` and `heredoc` look at.
_OF_TEXT = frozenset(("string", "heredoc_body", "heredoc_redirect", "expansion", "arithmetic_expansion"))


def text_of(node: Node) -> str:
    """Return the script's text that a node stands for."""
    return (node.text or b"").decode()


def parsed(script: str) -> Node:
    """Return the tree of a script; raises CantTellError where bash may read it in another way than the grammar does."""
    if _CONTROL.search(re.sub("\x01[a-z]+\x01", "", script)):
        raise CantTellError("it has control characters")
    source = script.encode()
    root = _parser().parse(source).root_node
    if root.has_error:
        raise CantTellError(f"it can't be cut into commands (line {_first_error(root)})")
    for node in _all(root):
        _check(node, source)
    return root


def lines_of(node: Node) -> str:
    """Return the beginning of a node's text, for a message."""
    return re.sub("\x01([a-z]+)\x01", r"<\1>", text_of(node).strip().split("\n")[0][:80])


class Heredoc(Struct, frozen=True):
    """A here-document: where its text begins in the script, the text, and how the shell takes it."""

    start: int
    text: str
    is_raw: bool
    strips_tabs: bool


def heredoc(redirect: Node, source: bytes) -> Heredoc:
    """Return a here-document, by bash's own rule: it ends at the first line that is its delimiter and nothing else."""
    opening = [each for each in redirect.children if each.type not in ("heredoc_body", "heredoc_end")]
    (begin,) = [each for each in opening if each.type == "heredoc_start"]
    delimiter = re.sub(r"['\"\\]", "", text_of(begin))
    strips_tabs = opening[0].type == "<<-"
    line_end = source.find(b"\n", opening[-1].end_byte)
    behind = source[opening[-1].end_byte : line_end].decode()
    lines = []
    for line in source[line_end + 1 :].decode().split("\n") if line_end >= 0 else []:
        if (line.lstrip("\t") if strips_tabs else line) == delimiter:
            break
        lines.append(line + "\n")
    else:
        raise CantTellError(f"its here-document has no end {delimiter}")
    text = "".join(lines)
    (end,) = [each for each in redirect.children if each.type == "heredoc_end"] or [begin]
    at = line_end + 1 + len(text.encode())
    if not re.fullmatch(r"[ \t]*", behind) or not at <= end.start_byte <= at + len(source[at:]) - len(
        source[at:].lstrip(b"\t")
    ):
        raise CantTellError("its here-document can't be followed")
    return Heredoc(line_end + 1, text, delimiter != text_of(begin), strips_tabs)


def _check(node: Node, source: bytes) -> None:
    kind, text = node.type, text_of(node)
    if kind in ("word", "command_name") and not node.named_child_count and not _WORD.fullmatch(text):
        raise CantTellError(f"a word can't be told from its surroundings: {text.strip()[:40]}")
    if (
        kind == "comment"
        and node.start_byte
        and not re.match(rb"[\s;&|()]", source[node.start_byte - 1 : node.start_byte])
    ):
        raise CantTellError("a comment can't be told from a word")
    if kind in _OF_TEXT:
        return
    gap = _BETWEEN if kind in _OF_LINES else _NOTHING if kind in _TOGETHER else _GAP
    if node.parent is not None and node.parent.type == "c_style_for_statement":
        gap = _GAP
    for one, other in zip(node.children, node.children[1:], strict=False):
        if not gap.fullmatch(source[one.end_byte : other.start_byte].decode("utf-8", "replace")):
            raise CantTellError(f"where a command ends can't be told: {text.strip()[:40]}")


def _first_error(root: Node) -> int:
    return next((node.start_point[0] + 1 for node in _all(root) if node.is_error or node.is_missing), 1)


def _all(node: Node) -> Iterator[Node]:
    waiting = [node]
    while waiting:
        yield (one := waiting.pop())
        waiting += reversed(one.children)


def within(node: Node, *types: str) -> list[Node]:
    """Return the nodes of these types in a tree, in order."""
    return [each for each in _all(node) if each.type in types]


def types_outside(node: Node, kind: str) -> set[str]:
    """Return the types of the nodes in a tree that aren't within a node of this type."""
    types, waiting = set(), list(node.children)
    while waiting:
        if (one := waiting.pop()).type != kind:
            types.add(one.type)
            waiting += one.children
    return types


def outermost(node: Node, kind: str) -> list[Node]:
    """Return the nodes of this type below a node that aren't within another such."""
    nodes, waiting = [], list(reversed(node.children))
    while waiting:
        one = waiting.pop()
        if one.type == kind:
            nodes.append(one)
        else:
            waiting += reversed(one.children)
    return nodes


def bare_expansions(node: Node) -> list[Node]:
    """Return the expansions in a tree that stand without quotes."""
    nodes, waiting = [], list(reversed(node.children))
    while waiting:
        one = waiting.pop()
        if one.type in ("simple_expansion", "expansion", "command_substitution"):
            nodes.append(one)
        elif one.type != "string":
            waiting += reversed(one.children)
    return nodes


def require_parser() -> None:
    """Raise MissingPackageError, which says what to install, where the parser is missing."""
    try:
        _parser()
    except ImportError:
        raise MissingPackageError(
            "audit needs boto3, and a parser of shell scripts: pip install boto3 tree-sitter tree-sitter-bash"
        ) from None


@cache
def _parser() -> Parser:
    import tree_sitter_bash
    from tree_sitter import Language, Parser

    return Parser(Language(tree_sitter_bash.language()))
