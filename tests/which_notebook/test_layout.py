"""Which module may import which: the folders are the path of a record, and each knows only what lies before it."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
from workspace import CHECKOUT

from which_notebook.sources.registry import KINDS

PACKAGE = CHECKOUT / "src/which_notebook"
# A room imports from itself and from those before it; what lies beside the rooms, from that alone.
ROOMS = ("calls", "records", "sources", "reading", "judging", "answers", "audit", "cli")
# Besides, an answer knows what is judged, and nothing of how it was read.
UNKNOWN_TO = {"answers": {"records", "reading"}, "audit": {"records", "sources", "reading", "judging"}}
FLOORS_AT_MOST = 10
REGISTRY = "sources/registry.py"
# Modules that are loaded where they are needed, since they take milliseconds at each start: in commands, and here.
LATE = {
    ("cli/options.py", "judging/address_file.py"): "half a ms: few questions have --addresses",
    ("cli/options.py", "judging/roles_meant.py"): "half a ms: most questions name the role",
    ("judging/judged_calls.py", "judging/likely.py"): "1.5 ms: only --likely looks for evidence",
    ("reading/reader.py", "reading/parts.py"): "20 ms: all that is asked for may come from the cache",
    ("reading/reader.py", "reading/workers.py"): "11 ms: few logs need worker processes",
    ("reading/reader.py", "reading/mentioned_roles.py"): "20 ms: only where no call was found",
    ("records/cloudtrail.py", "records/clues.py"): "half a ms: only --likely looks for evidence",
    ("records/cloudtrail.py", "records/resources.py"): "8 ms: a summary needs no resources",
    ("records/scan.py", "records/packing.py"): "18 ms: most files can be cut",
    ("records/scan.py", "records/parsing.py"): "59 ms: most files can be cut",
    ("sources/folder.py", "sources/heads.py"): "as long as these two: most files are logs by their names",
}
# By names that are data: the kinds of sources; and zstd, which is in one of two packages, or in none.
BY_NAME = {REGISTRY, "records/packing.py"}
MODULES = {path.relative_to(PACKAGE).as_posix(): path for path in PACKAGE.rglob("*.py") if path.name != "__main__.py"}


def tree_of(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text())


def imported(module: str, within: Iterable[ast.AST] | None = None) -> Iterator[str]:
    """Yield the modules of the package that one imports, wherever in it or in a part of it, also for its types only."""
    folder = Path(module).parent
    for node in ast.walk(tree_of(module)) if within is None else within:
        if isinstance(node, ast.ImportFrom) and node.level:
            base = [folder, *folder.parents][node.level - 1] / (node.module or "").replace(".", "/")
            for each in (base / name.name for name in node.names):
                found = (
                    each.with_suffix(".py"),
                    each / "__init__.py",
                    base.parent / f"{base.name}.py",
                    base / "__init__.py",
                )
                yield next(path.as_posix() for path in found if path.as_posix() in MODULES)


@cache
def imports() -> dict[str, set[str]]:
    """Return what each module imports; not found out where tests are only listed, as each worker does."""
    return {module: set(imported(module)) - {module} for module in MODULES}


LOADED = {f"sources/{kind.name.replace('.', '/')}.py" for kind in KINDS}


def room_of(module: str) -> str | None:
    first = module.split("/")[0]
    return first if first in ROOMS else None


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports_go_up_the_path_only(module: str) -> None:
    room = room_of(module)
    may = {None, *(ROOMS[: ROOMS.index(room) + 1] if room else ())} - UNKNOWN_TO.get(room or "", set())
    assert {each: room_of(each) for each in imports()[module] if room_of(each) not in may} == {}


def test_each_folder_is_a_room() -> None:
    assert {module.split("/")[0] for module in MODULES if "/" in module} == set(ROOMS)


def test_modules_import_each_other_by_relative_names_alone() -> None:
    """What is looked at here are those."""
    absolute = {
        module
        for module in MODULES
        for node in ast.walk(tree_of(module))
        if (isinstance(node, ast.ImportFrom) and not node.level and (node.module or "").startswith(PACKAGE.name))
        or (isinstance(node, ast.Import) and any(each.name.startswith(PACKAGE.name) for each in node.names))
    }
    assert absolute == set()


def test_no_module_and_no_folder_imports_itself_in_a_circle() -> None:
    TopologicalSorter(imports() | {REGISTRY: imports()[REGISTRY] | LOADED}).prepare()
    TopologicalSorter(folders()).prepare()


def test_modules_are_imported_late_only_where_that_gains_time() -> None:
    late: set[tuple[str, str]] = set()
    for module in MODULES:
        functions = [
            node for node in ast.walk(tree_of(module)) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        ]
        late |= {(module, each) for function in functions for each in imported(module, list(ast.walk(function)))}
    assert {each for each in late if each[0] != "cli/commands.py"} == set(LATE)


def test_modules_are_loaded_by_name_only_where_the_name_is_data() -> None:
    by_name = {module for module in MODULES if "import_module" in MODULES[module].read_text()}
    assert by_name == BY_NAME
    assert set(MODULES) >= LOADED


# As monkeypatch.setattr takes one.
_BY_PATH = re.compile(rf"{PACKAGE.name}(\.\w+)+")


def private_names(path: Path) -> Iterator[str]:
    """Yield what a test's module uses of the command's modules and classes that has an underscore before its name."""
    tree = ast.parse(path.read_text())
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    whole = [each for node in ast.walk(tree) if isinstance(node, ast.Import) for each in node.names]
    names = {each.asname for each in whole if each.asname and each.name.startswith(PACKAGE.name)} | {
        each.asname or each.name
        for node in imports
        if (node.module or "").startswith(PACKAGE.name)
        for each in node.names
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in names:
            yield node.attr
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and _BY_PATH.fullmatch(node.value):
            yield node.value.rpartition(".")[2]
        elif isinstance(node, ast.Call) and any(isinstance(each, ast.Name) and each.id in names for each in node.args):
            yield from (
                each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)
            )
            yield from (each.arg for each in node.keywords if each.arg)
    yield from (name for name in names if name.startswith("_"))


def test_no_test_uses_a_private_name() -> None:
    used = {path.name: set(private_names(path)) for path in (CHECKOUT / "tests").rglob("*.py")}
    private = {path: {name for name in names if name[0] == "_" != name[1:2]} for path, names in used.items()}
    assert {path: names for path, names in private.items() if names} == {}


def test_there_are_few_floors() -> None:
    """A folder stands one floor above the highest that it imports from."""
    floors: dict[str, int] = {}
    for folder in TopologicalSorter(folders()).static_order():
        floors[folder] = 1 + max((floors[each] for each in folders()[folder]), default=0)
    assert max(floors.values()) <= FLOORS_AT_MOST, floors


def folders() -> dict[str, set[str]]:
    """Return which folders each folder imports from."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for module, others in imports().items():
        folder = str(Path(module).parent)
        found[folder] |= {str(Path(each).parent) for each in others} - {folder}
    return found
