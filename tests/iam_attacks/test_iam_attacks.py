"""What a notebook session can and can't do by IAM, in each mode: every row of the table in docs/threat-model.md.

The role may do everything with SageMaker and IAM. The judge in front of the emulated account refuses what IAM refuses.
`make tables` writes the outcomes into the document.
"""

from __future__ import annotations

import pytest
from document_table import WRITE

from .catalogue import ATTACKS
from .conftest import MODES
from .outcome import PREVENTED, SOMEBODY_ELSE, TABLE, Cells, outcome
from .scene import Scene


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_documented_outcome_is_what_happens(scenes: dict[str, Scene], seen: dict[str, Cells], attack: str) -> None:
    seen[attack] = tuple(outcome(scenes[mode], ATTACKS[attack]) for mode in MODES)
    assert WRITE or seen[attack] == TABLE.documented()[attack]


def test_every_row_of_the_documented_table_is_tried() -> None:
    assert WRITE or [*TABLE.documented()] == [*ATTACKS]


def test_in_imds_mode_only_what_other_principals_do_is_left() -> None:
    left = {attack: imds for attack, (_, imds) in TABLE.documented().items() if imds != PREVENTED}
    assert left == {
        "make another role, and change this one with it": "detected: `chained`, `changed-role`",
        "make an IAM user, and call as that": SOMEBODY_ELSE,
    }
