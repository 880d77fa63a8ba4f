"""What a notebook's user can and can't get around, in each mode: every row of the table in docs/threat-model.md.

Every attack is made as ec2-user in a booted notebook instance, and `which-notebook` judges what was recorded of it. In imds
mode it is made in every network layout that has something to attack, and has to come to the same in all; in profile mode,
which doesn't touch the network, in the first of them. `make tables` writes the outcomes into the document.
"""

from __future__ import annotations

import pytest
from account import MODES
from document_table import WRITE
from emulator.network import Layout

from .catalogue import ATTACKS, PARTS, layouts_of
from .conftest import Scene
from .outcome import POSSIBLE, PREVENTED, SHOWN_TABLE, SOMEBODY_ELSE, TABLE, Cells, Trial


def outcome_of(scenes: dict[tuple[str, Layout], Scene], attack: str, mode: str) -> tuple[str, Cells]:
    """Try an attack; return what it came to, and when that shows if it doesn't always."""
    trials = (Trial(scenes[mode, layout]) for layout in layouts_of(attack)[: 1 if mode == "profile" else None])
    first, *others = ((ATTACKS[attack](trial), trial.when_shown()) for trial in trials)
    assert all(other == first for other in others), f"{mode}: {[first, *others]}"
    return first


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_documented_outcome_is_what_happens(
    scenes: dict[tuple[str, Layout], Scene], seen: dict[str, Cells], seen_at_times: dict[str, Cells], attack: str
) -> None:
    seen[attack], shown = zip(*(outcome_of(scenes, attack, mode) for mode in MODES), strict=True)
    at_times = set(filter(None, shown))
    assert len(at_times) < 2, "the table has one row for both modes"
    seen_at_times.update((attack, cells) for cells in at_times)
    assert WRITE or seen[attack] == TABLE.documented()[attack]
    assert WRITE or seen_at_times.get(attack) == SHOWN_TABLE.documented().get(attack)


def test_every_row_of_the_documented_table_is_tried() -> None:
    assert [*ATTACKS] == [attack for part in PARTS for attack in part], "two attacks of one name would be one row"
    assert WRITE or [*TABLE.documented()] == [*ATTACKS]
    assert WRITE or {*SHOWN_TABLE.documented()} <= {*ATTACKS}


def test_in_imds_mode_nobody_gets_the_base_session_or_opens_one_of_another_name() -> None:
    """What is left needs somebody else's credentials, is followed to the notebook, or a process from before the script."""
    left = {attack: imds for attack, (_, imds) in TABLE.documented().items() if imds != PREVENTED}
    assert left == {
        "set static keys in the environment": SOMEBODY_ELSE,
        "race the start: a loop from before the script keeps what it gets": "detected: `unattributed`",
        "call in another role's session": "detected: `chained`",
        "… with a colleague's source identity": "detected: `chained`",
        "call with credentials that a colleague gave away": POSSIBLE,
    }
