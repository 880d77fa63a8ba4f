"""A script's variables: what they are set to, and where that isn't known."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .harmless import is_harmless_setting, may_assign, may_export
from .state import ANY, UNKNOWN, CantTellError, Shell
from .syntax import lines_of, text_of, within
from .words import Substitute, follow_within, word

if TYPE_CHECKING:
    from tree_sitter import Node

_SETS_NOTHING = re.compile(r"(?!(?:eval|source|\.|read)$)[\w./:-]+|\[")
_CALCULATES = ("arithmetic_expansion", "c_style_for_statement", "compound_statement", "test_command")
_LONGEST_VALUE = 4096


def unsettle(node: Node, shell: Shell) -> None:
    """Note the variables that are set somewhere within: what they are there and afterwards isn't known."""
    if setters := [each for each in within(node, "command_name") if not _SETS_NOTHING.fullmatch(text_of(each))]:
        # Any, as far as is known here.
        shell.unsettled |= set(shell.variables)
        for each in setters:
            reads = text_of(each) == "read"
            shell.texts |= {text_of(name) for name in within(each.parent or each, "word")} if reads else {ANY}
    shell.texts |= {
        text_of(name)
        for each in within(node, "variable_assignment")
        if not _is_number(each.child_by_field_name("value"))
        for name in each.children_by_field_name("name")
    }
    names = within(node, "variable_assignment", "for_statement")
    shell.unsettled |= {
        text_of(name)
        for each in names
        if (name := each.child_by_field_name("name") or each.child_by_field_name("variable"))
    }
    for each in within(node, "declaration_command", "unset_command", *_CALCULATES):
        if calculates(each):
            shell.unsettled |= {text_of(name) for name in within(each, "variable_name", "word")}
    shell.texts |= {
        text_of(name) for each in within(node, "for_statement") for name in each.children_by_field_name("variable")
    }


def _is_number(value: Node | None) -> bool:
    return value is None or value.type == "arithmetic_expansion" or bool(re.fullmatch("[0-9]+", text_of(value)))


def calculates(node: Node) -> bool:
    """Return whether a node may set a variable by arithmetic, or is none that only tests."""
    match node.type:
        case "compound_statement":
            return node.children[0].type == "(("
        case "test_command":
            return bool(re.search(r"\s-(eq|ne|lt|le|gt|ge|v)\s", text_of(node))) and node.children[0].type == "[["
    return True


def declare(node: Node, shell: Shell, substitute: Substitute) -> None:
    """Follow `export`, `local`, `unset` and the like."""
    how = node.children[0].type
    for child in node.children[1:]:
        if child.type == "variable_assignment":
            assign(child, shell, substitute, is_exported=how == "export")
        elif child.type == "variable_name" and how in (
            "export",
            "unset",
            "local",
            "readonly",
            "declare",
            "typeset",
        ):
            name = text_of(child)
            if how == "export" and not may_assign(name):
                continue  # it has the value that it had before, or one that was looked at
            if not (may_export(name) if how == "export" else may_assign(name)):
                raise CantTellError(f"it sets {name}")
            if how != "export":
                shell.unsettled.add(name)
        elif text_of(child) != "-r":
            raise CantTellError(f"it can't be followed: {lines_of(node)}")


def assign(node: Node, shell: Shell, substitute: Substitute, *, is_exported: bool = False) -> None:
    """Follow an assignment; raises CantTellError where others than the script may use the variable."""
    name_node, value = node.child_by_field_name("name"), node.child_by_field_name("value")
    name = text_of(name_node) if name_node is not None else ""
    if is_known_setting(node, shell):
        return
    what = UNKNOWN
    if value is None:
        what = ""
    elif value.type == "array":
        follow_within(value, shell, substitute)
    else:
        what = assigned(value, shell, substitute)
    if (
        name_node is None
        or name_node.type != "variable_name"
        or not (may_export(name) if is_exported else may_assign(name))
    ):
        raise CantTellError(f"it sets {name or lines_of(node)}")
    if node.children[1].type != "=" or len(what) > _LONGEST_VALUE:
        what = UNKNOWN
    if not shell.is_sure:
        shell.unsettled.add(name)
    if value is not None and value.type != "arithmetic_expansion" and not re.fullmatch("[0-9]+", what):
        shell.texts.add(name)
    shell.variables[name] = what


def is_known_setting(node: Node, shell: Shell) -> bool:
    """Return whether an assignment gives a variable that others use a value that is known to be harmless."""
    name, equals, *value = (text_of(each) for each in node.children)
    return equals == "=" and is_harmless_setting(name, "".join(value), shell.instance.mode)


def assigned(value: Node, shell: Shell, substitute: Substitute) -> str:
    """Return what an assignment's right side stands for: it isn't split into words."""
    if value.type in ("simple_expansion", "expansion"):
        return (
            shell.value(match[1] or match[2])
            if (match := re.fullmatch(r"\$(?:(\w+)|\{(\w+)\})", text_of(value)))
            else word(value, shell, substitute).text
        )
    if value.type == "command_substitution":
        return substitute(value)
    return word(value, shell, substitute).text
