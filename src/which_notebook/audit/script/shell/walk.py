"""Goes through a script's commands in order, as bash does."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ....errors import MissingPackageError
from . import commands
from .exposures import names_credentials
from .files import Target, write
from .harmless import may_assign, may_export
from .printing import content_of
from .state import ANY, UNKNOWN, CantTellError, Instance, Shell, TooLongError
from .syntax import bare_expansions, heredoc, lines_of, parsed, text_of, types_outside
from .variables import assign, assigned, calculates, declare, is_known_setting, unsettle
from .words import Word, calculate, follow_within, heredoc_value, word

if TYPE_CHECKING:
    from tree_sitter import Node

_BETWEEN = frozenset((";", ";;", "\n", "&", "comment", "{", "}", "(", ")", "do", "done", "then", "$(", "`"))
_CONDITIONAL = frozenset(
    ("if_statement", "for_statement", "c_style_for_statement", "while_statement", "case_statement")
)
_OPERATORS = frozenset(("<", ">", ">>", "<<", "&&", "||", ";", "&", "|", "(", ")"))
# A condition that never changes.
_ENDLESS = re.compile(
    r"while\s+(?:true|:|\(\(\s*[0-9]+\s*\)\)|\[\[?\s+\S+\s+\]\]?)\s*[;\n]|until\s+(?:false|\(\(\s*0\s*\)\))\s*[;\n]"
)
_NUMBERS = re.compile(r"\$[?#$!]|\$\((?:id -u|date \+%s|nproc)\)")
_TO_FILE = {">": False, ">|": False, "&>": False, ">>": True, "&>>": True}


def follow(script: str, *, mode: str | None = None) -> Instance:
    """Follow a script that root runs; what can't be told is among the doubts of what it returns.

    `mode`: the attribution mode that is set up before it begins, if one is.
    """
    instance = Instance(mode=mode, run=run)
    try:
        run(script, Shell(instance, kind="subshell" if mode else "script"))
    except CantTellError as error:
        instance.doubts.append(str(error))
    except RecursionError:
        instance.doubts.append("it is nested too deeply")
    except MissingPackageError:
        raise
    except Exception as error:  # one script must not keep the others from being judged
        instance.doubts.append(f"it can't be followed, by a fault of the audit's own ({type(error).__name__})")
    return instance


def run(script: str, shell: Shell) -> None:
    """Run a text in this shell."""
    shell.instance.step()
    _Walk(script, shell).statements(parsed(script).children)


class _Walk:
    def __init__(self, script: str, shell: Shell) -> None:
        self.source = script.encode()
        self.shell = shell

    @contextmanager
    def unsure(self) -> Iterator[None]:
        before, self.shell.is_sure = self.shell.is_sure, False
        try:
            yield
        finally:
            self.shell.is_sure = before

    @contextmanager
    def subshell(self) -> Iterator[None]:
        outer, self.shell = self.shell, self.shell.inner()
        try:
            yield
        finally:
            self.shell = outer

    def statements(self, nodes: Sequence[Node]) -> None:
        for node, behind in zip(nodes, [*nodes[1:], None], strict=True):
            if self.shell.has_ended:
                return
            if node.type in _BETWEEN:
                continue
            try:
                if behind is not None and behind.type == "&":
                    with self.subshell(), self.unsure():
                        self.statement(node)
                else:
                    self.statement(node)
                if others := sorted(name for name in self.shell.unsettled if not may_assign(name)):
                    self.shell.instance.doubts.append(f"it sets {', '.join(others)}")
            except TooLongError:
                raise
            except CantTellError as error:
                # The rest may open something, which is said too.
                self.shell.instance.doubts.append(str(error))

    def statement(self, node: Node, stdin: str | None = None) -> str:
        """Follow a statement that reads this; return what it prints, None and UNKNOWN as far as known."""
        match node.type:
            case "command":
                return self.command(node, [], stdin)
            case "redirected_statement":
                body = node.child_by_field_name("body")
                return self.redirected(body, node.children_by_field_name("redirect"), stdin)
            case "pipeline":
                return self.pipeline([each for each in node.children if each.type not in ("|", "|&")], [], stdin)
            case "list":
                return self.and_or(node, [])
            case "negated_command":
                return self.statement(node.children[-1], stdin)
            case "variable_assignment" | "variable_assignments":
                for each in [node] if node.type == "variable_assignment" else node.children:
                    assign(each, self.shell, self.substitute)
                return ""
            case "declaration_command" | "unset_command":
                declare(node, self.shell, self.substitute)
                return UNKNOWN  # with -p it prints
            case "test_command":
                self.test(node)
                return ""
            case "compound_statement" if node.children[0].type != "((":
                self.statements(node.children)
                return UNKNOWN
            case "compound_statement":
                calculate(node, self.shell)
                follow_within(node, self.shell, self.substitute)
                return ""
            case "subshell":
                with self.subshell():
                    self.statements(node.children)
                return UNKNOWN
            case "function_definition":
                self.function(node)
                return ""
            case kind if kind in _CONDITIONAL:
                unsettle(node, self.shell)
                with self.unsure():
                    self.conditional(node)
                return UNKNOWN
        raise CantTellError(f"it can't be followed: {lines_of(node)}")

    def redirected(self, body: Node | None, redirects: list[Node], stdin: str | None) -> str:
        match body.type if body is not None else None:
            case None:
                return self.command(None, redirects, stdin)
            case "command":
                return self.command(body, redirects, stdin)
            case "pipeline" if body is not None:
                return self.pipeline([each for each in body.children if each.type not in ("|", "|&")], redirects, stdin)
            case "list" if body is not None:
                return self.and_or(body, redirects)
            case "negated_command" if body is not None:
                return self.redirected(body.children[-1], redirects, stdin)
        stdin, targets, then = self.redirections(redirects, stdin)
        if body is None or then:
            raise CantTellError("it can't be followed where it redirects")
        return self.sent(self.statement(body, stdin), targets)

    def pipeline(self, stages: list[Node], redirects: list[Node], stdin: str | None) -> str:
        passed = stdin
        for stage in stages:
            # Each is a shell of its own.
            with self.subshell():
                passed = (
                    self.redirected(stage, redirects, passed)
                    if stage is stages[-1] and redirects
                    else self.statement(stage, passed)
                )
        return passed or ""

    def and_or(self, node: Node, redirects: list[Node]) -> str:
        first, _, second = [each for each in node.children if each.type != "comment"]
        self.statement(first)
        with self.unsure():
            self.redirected(second, redirects, None) if redirects else self.statement(second)
        return UNKNOWN

    def conditional(self, node: Node) -> None:
        if node.type == "while_statement" and _ENDLESS.match(text_of(node)):
            raise CantTellError(f"it may never end: {lines_of(node)}")
        if node.type == "c_style_for_statement":
            if not node.child_by_field_name("condition"):
                raise CantTellError(f"it may never end: {lines_of(node)}")
            for child in node.named_children:
                if child.type not in ("do_group", "compound_statement", "comment"):
                    calculate(child, self.shell)
        for child in node.children:
            match child.type:
                case "do_group" | "else_clause" | "elif_clause" | "case_item":
                    self.conditional(child)
                case kind if kind in _BETWEEN or not child.is_named or kind == "variable_name":
                    continue
                case "word" | "string" | "raw_string" | "concatenation" | "simple_expansion" | "expansion" | "number":
                    self.doubt_credentials(text_of(child))
                    follow_within(child, self.shell, self.substitute)
                case (
                    "extglob_pattern"
                    | "command_substitution"
                    | "binary_expression"
                    | "postfix_expression"
                    | "unary_expression"
                ):
                    follow_within(child, self.shell, self.substitute)
                case _:
                    self.statements([child])

    def function(self, node: Node) -> None:
        name = text_of(node.children[1] if node.children[0].type == "function" else node.children[0])
        if commands.is_known(name):
            raise CantTellError(f"it makes a function of its own of the command {name}")
        body = next(each for each in node.children if each.type in ("compound_statement", "subshell"))
        if node.children_by_field_name("redirect"):
            raise CantTellError(f"it can't be followed: {lines_of(node)}")
        unsettle(body, self.shell)
        outer = self.shell
        # Called later, from wherever, whatever the variables are then.
        self.shell = Shell(
            outer.instance,
            outer.user,
            UNKNOWN,
            {"HOME": UNKNOWN},
            texts={ANY},
            functions=outer.functions | {name},
            is_sure=False,
            kind="function",
        )
        try:
            self.statements(body.children)
        finally:
            outer.unsettled |= self.shell.unsettled | (self.shell.variables.keys() - {"HOME"})
            outer.texts |= self.shell.texts - {ANY}
            self.shell = outer
        self.shell.functions.add(name)

    def test(self, node: Node) -> None:
        # [ is a command: what redirects, or goes on behind it, does so there too.
        if node.children[0].type == "[" and _OPERATORS & types_outside(node, "command_substitution"):
            raise CantTellError(f"it can't be followed: {lines_of(node)}")
        # Split into words, a text without quotes may bring a -v, which runs the commands in an index.
        if node.children[0].type == "[" and any(
            self.word_of(each).is_pattern
            for each in bare_expansions(node)
            if not _NUMBERS.fullmatch(text_of(each).strip())
        ):
            raise CantTellError(f"it can't be followed: {lines_of(node)}")
        if calculates(node):
            calculate(node, self.shell)
        elif re.search(r"\s-v\s", text_of(node)):
            raise CantTellError(f"it can't be followed: {lines_of(node)}")
        follow_within(node, self.shell, self.substitute)

    def substitute(self, node: Node) -> str:
        """Follow a command substitution; return what it stands for."""
        inner = [each for each in node.children if each.type not in _BETWEEN]
        printed = UNKNOWN
        with self.subshell():
            if len(inner) == 1 and inner[0].type in ("command", "pipeline", "redirected_statement"):
                printed = self.statement(inner[0])
            else:
                self.statements(inner)
        return printed.rstrip("\n")

    def command(self, node: Node | None, redirects: list[Node], stdin: str | None) -> str:
        self.shell.instance.step()
        parts = list(node.children) if node is not None else []
        redirects = [*(each for each in parts if each.type.endswith("_redirect")), *redirects]
        kinds = [each.type for each in parts]
        if "variable_assignment" in kinds[kinds.index("command_name") if "command_name" in kinds else 0 :]:
            raise CantTellError(f"it can't be followed: {lines_of(node) if node is not None else ''}")
        for each in (each for each in parts if each.type == "variable_assignment"):
            name, value = each.child_by_field_name("name"), each.child_by_field_name("value")
            if is_known_setting(each, self.shell):
                continue
            if name is None or not may_export(text_of(name)):
                raise CantTellError(f"it sets {lines_of(each)}")
            if value is not None:
                assigned(value, self.shell, self.substitute)
        words = [
            word(each, self.shell, self.substitute)
            for each in parts
            if each.type != "variable_assignment" and not each.type.endswith("_redirect")
        ]
        stdin, targets, then = self.redirections(redirects, stdin)
        shown = lines_of(node) if node is not None else "a redirection"
        printed = commands.evaluate(words, stdin, self.shell, shown) if words else ""
        printed = self.sent(printed, targets)
        for each in then:
            self.behind(each, printed)
        return "" if then else printed

    def behind(self, node: Node, printed: str) -> None:
        """Follow what stands behind a here-document's beginning on its line."""
        if node.type == "pipeline":
            self.pipeline([each for each in node.children if each.type not in ("|", "|&")], [], printed)
        else:
            with self.unsure():
                self.statement(node)

    def redirections(self, redirects: list[Node], stdin: str | None) -> tuple[str | None, list[Target], list[Node]]:
        """Return the standard input, where the output goes, and what stands behind a here-document."""
        targets: list[Target] = []
        then: list[Node] = []
        for redirect in redirects:
            match redirect.type:
                case "heredoc_redirect":
                    document = heredoc(redirect, self.source)
                    nested = redirect.children_by_field_name("redirect")
                    _, more, _ = self.redirections(nested, None)
                    targets += more
                    then += [each for each in redirect.children if each.type == "pipeline"]
                    then += redirect.children_by_field_name("right")
                    stdin = heredoc_value(document, redirect, self.shell, self.substitute)
                case "herestring_redirect":
                    stdin = self.word_of(redirect.children[-1]).text + "\n"
                case "file_redirect":
                    targets += self.redirection(redirect)
                    if any(each.type == "<" for each in redirect.children):
                        source = self.word_of(redirect.children[-1])
                        self.doubt_credentials(source.text)
                        stdin = content_of(source, self.shell)
                case _:
                    raise CantTellError(f"it can't be followed: {lines_of(redirect)}")
        return stdin, targets, then

    def redirection(self, node: Node) -> list[Target]:
        destinations = node.children_by_field_name("destination")
        kind = next(each.type for each in node.children if each.type != "file_descriptor")
        descriptor = next((text_of(each) for each in node.children if each.type == "file_descriptor"), "1")
        if kind == "<" or (
            kind in (">&", "<&") and len(destinations) == 1 and re.fullmatch(r"[0-9-]", text_of(destinations[0]))
        ):
            return []
        if kind in (">&-", "<&-"):
            return []
        if kind not in _TO_FILE or len(destinations) != 1:
            raise CantTellError(f"it can't be followed: {lines_of(node)}")
        return [
            Target(
                self.word_of(destinations[0]), appends=_TO_FILE[kind], is_output=descriptor == "1" and kind[0] == ">"
            )
        ]

    def sent(self, printed: str, targets: list[Target]) -> str:
        """Send what a command prints to the files; return what is left for a pipe."""
        for target in targets:
            write(target.word, printed if target.is_output else UNKNOWN, self.shell, appends=target.appends)
        return "" if any(each.is_output for each in targets) else printed

    def doubt_credentials(self, text: str) -> None:
        if self.shell.instance.mode == "imds" and names_credentials(text):
            raise CantTellError(f"it may expose the base session's credentials: {text[:40]}")

    def word_of(self, node: Node) -> Word:
        return word(node, self.shell, self.substitute)
