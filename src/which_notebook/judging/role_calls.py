"""Counts the role's calls, and which options left them out, so that an empty answer says why it is empty."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import compress

from ..calls.call import role_name
from ..calls.filter import Filter
from ..calls.search import fits_role
from ..calls.table import CallTable
from ..words import counted
from .attribution import Judge

_NAMED = 6


class RoleCalls:
    """Counts the role's judged calls, and how many of them each option left out."""

    def __init__(self, judge: Judge, filter: Filter) -> None:
        self._judge = judge
        self._filter = filter
        self.count = 0
        self.first_seen: str | None = None
        self.last_seen: str | None = None
        self.regions: set[str] = set()
        self.accounts: set[str] = set()
        self.notebooks: set[str] = set()
        self.user_profiles: set[str] = set()
        self.other_roles: Counter[str] = Counter()
        self._role_arns: set[str] = set()
        self.answered = self.opening_calls = self.attributed = 0
        self.has_data_events = False
        self._taken: Counter[str] = Counter()
        self._disputed: Counter[str] = Counter()

    def see(self, table: CallTable) -> None:
        """Take in all that was read and judged, the oldest first; what is no call of the role's has no status."""
        self.opening_calls += sum(
            fits_role(role_name(opening.role_arn), self._judge.role_names) for opening in table.openings.values()
        )
        is_role = [status is not None for status in table["status"]]
        count = is_role.count(True)
        if count < len(table):
            others = Counter(
                arn for arn, of_role in zip(table["role_arn"], is_role, strict=True) if arn and not of_role
            )
            self.other_roles.update(
                {arn: n for arn, n in others.items() if fits_role(role_name(arn), self._judge.role_names)}
            )
        if not count:
            return
        times = table["event_time"]
        self.count += count
        self.attributed += table["status"].count("attributed")
        if not self.has_data_events:
            calls = set(compress(table.rows(("event_category", "event_source", "event_name")), is_role))
            self.has_data_events = any(_is_data_event(*call) for call in calls)
        self.first_seen = self.first_seen or times[is_role.index(True)]
        self.last_seen = times[len(times) - 1 - is_role[::-1].index(True)]
        self.regions.update(filter(None, set(compress(table["aws_region"], is_role))))
        self.notebooks.update(filter(None, set(table["notebook"])))
        self.user_profiles.update(filter(None, set(table["user_profile"])))
        self.accounts.update(filter(None, set(compress(table["account_id"], is_role))))
        if len(self._judge.roles) > 1:
            self._role_arns.update(filter(None, set(compress(table["role_arn"], is_role))))

    def asked_for(self, table: CallTable) -> CallTable:
        """Return those of the role's calls that are asked for."""
        tests = self._filter.tests(table)
        chosen = list(map(all, zip(*(fits for _, fits in tests), strict=True)))
        self.answered += chosen.count(True)
        if not self.answered:
            left = [True] * len(table)
            for option, fits in tests:
                still = [a and b for a, b in zip(left, fits, strict=True)]
                self._taken[option] += left.count(True) - still.count(True)
                left = still
            self._see_disputed(table)
        return table.selected(chosen)

    def _see_disputed(self, table: CallTable) -> None:
        """Count the calls that --notebook leaves out since evidence names that notebook, and something else."""
        if not self._filter.notebooks or not any(table["likely"]):
            return
        fits = list(
            map(all, zip(*(fits for option, fits in self._filter.tests(table) if option != "--notebook"), strict=True))
        )
        for likely in compress(table["likely"], fits):
            if likely and likely.is_disputed:
                self._disputed.update(name for name in self._filter.notebooks if name in likely.notebooks)

    def why_empty(self) -> Iterator[str]:
        """Yield, in sentences, what took all of the role's calls away; nothing where some are left."""
        if self.answered or not self.count:
            return
        yield (
            f"The role has {counted(self.count, 'call')} in what was read, handshakes included, but the options leave out all of "
            f"them: from {self.first_seen} to {self.last_seen}; {_listed('region', self.regions)}; {_listed('account', self.accounts)}; "
            f"{_listed('notebook', self.notebooks)}"
            + (f"; {_listed('user profile', self.user_profiles)}" if self.user_profiles else "")
        )
        for option, count in self._taken.items():
            if count:
                yield f"{option} left out {count:,} of them"
        for name, count in self._disputed.items():
            which = "1 call is" if count == 1 else f"{count:,} calls are"
            yield f"{which} disputed between {name} and something else: `summary --likely` without --notebook shows them"
        if self._taken["--notebook"] and self.user_profiles:
            yield "--notebook asks for notebook instances. --status user-profile shows the calls of all user profiles, with user_profile"

    def gaps(self) -> Iterator[str]:
        """Yield, in sentences, what the logs lack, as far as the role's own calls tell."""
        is_said = self._filter.resources and not self.answered  # the empty answer says it, and what to do
        if self.count and not self.has_data_events and not is_said:
            yield (
                "None of this role's calls is a data event, such as a read or write of an S3 object. A trail records these "
                "only if it is told to, and the event history never shows them: such calls may be missing here"
            )
        if self.attributed and self.answered and not self.opening_calls:
            yield (
                "There is no AssumeRole call that opened one of these sessions, so nothing tells who opened them. Such a call "
                "is a management event in the notebooks' region, at most an hour before the calls of its session"
            )

    def of_another_path(self) -> str | None:
        """Return a sentence on calls that aren't counted: those of a role with the same name and another path."""
        accounts = {arn.split("/")[0] for arn in self._judge.roles}
        counts = {other: n for other, n in self.other_roles.items() if other.split("/")[0] in accounts}
        if not self.count or not counts:
            return None
        return (
            f"not counted: {counted(sum(counts.values()), 'call')} of {_some(set(counts))}, which has another path than {self._judge.role}. Records that "
            "don't say who issued a session have no path. To count both, give the role's name"
        )

    def without_calls(self) -> str | None:
        """Return a sentence on the roles, of several, that have no call in what was read."""
        missing = self._judge.missing(self._role_arns) if self.count and len(self._judge.roles) > 1 else []
        return f"No call of the role {' or '.join(missing)} is in what was read" if missing else None

    def same_name(self) -> str | None:
        """Return a sentence on calls of other roles with the same name, if no others were read."""
        if self.count or not self.other_roles:
            return None
        return f"There are calls of {_some(self.other_roles)}: give that ARN, or the name alone"


def _is_data_event(category: str | None, source: str, name: str) -> bool:
    # Records of older versions have no category.
    return category == "Data" or (source == "s3.amazonaws.com" and "Object" in name)


def _listed(noun: str, texts: set[str]) -> str:
    return f"{noun}{'' if len(texts) == 1 else 's'} {_some(texts) or '(none)'}"


def _some(texts: Iterator[str] | set[str] | Counter[str]) -> str:
    ordered = sorted(texts)
    return ", ".join(ordered[:_NAMED]) + (f" and {len(ordered) - _NAMED:,} more" if len(ordered) > _NAMED else "")
