"""What a notebook's user can and can't get around, in each mode: every row of the table in docs/threat-model.md.

Every attack is made as ec2-user in a booted notebook instance, and `which-notebook` judges what was recorded of it.
`make tables` writes the outcomes into the document.
"""

from __future__ import annotations

import pytest
from document_table import WRITE

from .catalogue import ATTACKS
from .conftest import MODES, Scene
from .outcome import PREVENTED, SOMEBODY_ELSE, TABLE, Cells, Trial


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_documented_outcome_is_what_happens(scenes: dict[str, Scene], seen: dict[str, Cells], attack: str) -> None:
    seen[attack] = tuple(ATTACKS[attack](Trial(scenes[mode])) for mode in MODES)
    assert WRITE or seen[attack] == TABLE.documented()[attack]


def test_every_row_of_the_documented_table_is_tried() -> None:
    assert WRITE or [*TABLE.documented()] == [*ATTACKS]


def test_in_imds_mode_nobody_gets_the_base_session_or_opens_one_of_another_name() -> None:
    """What is left needs somebody else's credentials, or is followed to the notebook."""
    left = {attack: imds for attack, (_, imds) in TABLE.documented().items() if imds != PREVENTED}
    assert left == {
        "set static keys in the environment": SOMEBODY_ELSE,
        "call in another role's session": "detected: `chained`",
        "… with a colleague's source identity": "detected: `chained`",
        "call with credentials that a colleague gave away": "detected: `several-addresses`",
    }
