"""Which module may import which: the folders are the path of a record, and each knows only what lies before it."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
from workspace import CHECKOUT

PACKAGE = CHECKOUT / "src/which_notebook"
# A room imports from itself and from those before it; what lies beside the rooms, from that alone.
ROOMS = ("calls", "records", "sources", "reading", "judging", "answers", "audit", "cli")
# Besides, an answer knows what is judged, and nothing of how it was read.
UNKNOWN_TO = {"answers": {"records", "reading"}, "audit": {"records", "sources", "reading", "judging"}}
FLOORS_AT_MOST = 10
MODULES = {path.relative_to(PACKAGE).as_posix(): path for path in PACKAGE.rglob("*.py") if path.name != "__main__.py"}


def imported(module: str) -> Iterator[str]:
    """Yield the modules of the package that one imports, wherever in it, also for its types only."""
    folder = Path(module).parent
    for node in ast.walk(ast.parse(MODULES[module].read_text())):
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


IMPORTS = {module: set(imported(module)) - {module} for module in MODULES}


def room_of(module: str) -> str | None:
    first = module.split("/")[0]
    return first if first in ROOMS else None


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports_go_up_the_path_only(module: str) -> None:
    room = room_of(module)
    may = {None, *(ROOMS[: ROOMS.index(room) + 1] if room else ())} - UNKNOWN_TO.get(room or "", set())
    assert {each: room_of(each) for each in IMPORTS[module] if room_of(each) not in may} == {}


def test_no_module_and_no_folder_imports_itself_in_a_circle() -> None:
    TopologicalSorter(IMPORTS).prepare()
    TopologicalSorter(folders()).prepare()


def test_there_are_few_floors() -> None:
    """A folder stands one floor above the highest that it imports from."""
    floors: dict[str, int] = {}
    for folder in TopologicalSorter(folders()).static_order():
        floors[folder] = 1 + max((floors[each] for each in folders()[folder]), default=0)
    assert max(floors.values()) <= FLOORS_AT_MOST, floors


def folders() -> dict[str, set[str]]:
    """Return which folders each folder imports from."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for module, imports in IMPORTS.items():
        folder = str(Path(module).parent)
        found[folder] |= {str(Path(each).parent) for each in imports} - {folder}
    return found
