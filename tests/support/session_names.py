"""Session names as people give them, and as nobody does, to fill policies with."""

from __future__ import annotations

import re
import string
from random import Random

_PEOPLE = """\
ada alan alice amara andre anna bela boris carla chen dana david diego edsger elena emma erik fatima felix grace hana
hedy henry irene ivan jack james jane jean jin joan john jorge jose julia karen kate ken kofi lara lena leo linus lisa
lucia luis maria mark mary max mei mia mina nadia nils nina noor olga omar oscar paul petra priya rania ravi rosa ruth
sam sara sofia sven tara tim tomas uma vera viktor walter wei xenia yara yuki zoe
"""
_WORK = """\
ads basket billing churn claims clv credit demand etl features forecast fraud geo images ingest labels leads mixes nlp
ocr pricing promo quality recsys returns risk routing search sensors shelf speech stock supply support tagging traffic
uplift video vision weather
"""


def names_of_people(count: int) -> list[str]:
    """Return names such as `grace-fraud`, and `grace-fraud-2` where there are more than people and kinds of work."""
    pairs = [f"{who}-{what}" for what in re.findall(r"\w+", _WORK) for who in re.findall(r"\w+", _PEOPLE)]
    return [
        pairs[each % len(pairs)] + (f"-{each // len(pairs) + 1}" if each >= len(pairs) else "") for each in range(count)
    ]


def random_names(random: Random, count: int) -> list[str]:
    """Return names of any length and all characters that a session name may have, many with a common beginning."""
    every = string.ascii_letters + string.digits + "_+=,.@-"
    beginnings = ["", "ds-", "ds", "team.a+", "Z"]
    names: set[str] = set()
    while len(names) < count:
        length = random.choice((2, 3, 8, 12, 20, 50))
        names.add(random.choice(beginnings) + "".join(random.choices(every, k=length)))
    names -= {name for name in names if name.lower() == "sagemaker"}
    return sorted(names)


def seeded(seed: int) -> Random:
    """Return what draws the same names each time."""
    return Random(seed)  # noqa: S311 - names, no secrets
