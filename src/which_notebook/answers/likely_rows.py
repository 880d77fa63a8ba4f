"""The unattributed calls, parted by what evidence says of their sessions."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from msgspec import field

from ..calls.call import BASE_SESSION
from ..calls.clues import Likely
from ..judging.statuses import DISPUTED, LIKELY, NO_NOTEBOOK, UNNAMED, Lane
from .summary_row import Row

_NAMED = 3


class LikelyRow(Row):
    """Unattributed calls of which evidence says the same.

    `notebooks` is one that they likely came from, or several of which evidence names each; `others` what evidence names that
    is no notebook instance. Both are empty where nothing names any.
    """

    notebooks: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    sessions: dict[str, Likely] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str]:
        """Nothing, since warnings are kept by names that sessions have."""
        return "", ""

    @property
    def likely_notebook(self) -> str | None:
        """The notebook instance that all evidence names."""
        return self.notebooks[0] if len(self.notebooks) == 1 and not self.others else None

    @property
    def lane(self) -> Lane:
        """Where the report has these calls."""
        if self.likely_notebook:
            return LIKELY
        return DISPUTED if self.notebooks else NO_NOTEBOOK if self.others else UNNAMED

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of evidence, each once."""
        return tuple(dict.fromkeys(kind for likely in self.sessions.values() for kind in likely.kinds))

    @property
    def what(self) -> str:
        """What evidence says, in words."""
        if self.likely_notebook:
            return f"likely {self.likely_notebook}"
        several = [*self.notebooks, *self.others]
        more = f" or {len(several) - _NAMED} more" if len(several) > _NAMED else ""
        names = f"{' or '.join(several[:_NAMED])}{more}"
        return (
            f"disputed: {names}"
            if self.notebooks
            else f"no notebook instance: {names}"
            if several
            else "nothing names it"
        )

    @property
    def title(self) -> str:
        """The same, with the kinds of evidence."""
        return f"{self.what} ({', '.join(self.kinds)})" if self.kinds else self.what

    def plain_likely(self) -> dict[str, Any]:
        """Return the row as it is put out: of a disputed one, the evidence for each name by itself."""
        by_name: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for likely in self.sessions.values():
            for kind, name, count in likely.evidence:
                by_name[name][kind] += count
        what: dict[str, Any]
        if (notebook := self.likely_notebook) is not None:
            what = {"notebook": notebook, "evidence": dict(by_name[notebook])}
        else:
            evidence = {name: dict(kinds) for name, kinds in by_name.items()}
            what = {"notebooks": list(self.notebooks), "others": list(self.others), "evidence": evidence}
        return {
            **what,
            "role_arn": self.role_arn,
            "calls": self.calls,
            "errors": self.errors,
            "sessions": len(self.sessions),
            "first_seen": self.first_seen,
            "last_seen": self.last_seen,
        }


class LikelyRows:
    """Parts the unattributed calls by what evidence says."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str | None, tuple[str, ...], tuple[str, ...]], LikelyRow] = {}

    def row(self, role_arn: str | None, likely: Likely | None) -> LikelyRow:
        """Return the row to which a session's calls count."""
        notebooks, others = (likely.notebooks, likely.others) if likely else ((), ())
        # What nothing names is one row for all roles, as is all that is unattributed.
        role_arn = role_arn if likely else None
        row = self._rows.get((role_arn, notebooks, others))
        if row is None:
            row = LikelyRow(role_arn=role_arn, session_name=BASE_SESSION, notebooks=notebooks, others=others)
            self._rows[role_arn, notebooks, others] = row
        if likely:
            row.sessions[likely.session] = likely
        return row

    @property
    def likely(self) -> list[LikelyRow]:
        """Those that likely came from one notebook instance, by name."""
        return self._ordered([row for row in self._rows.values() if row.likely_notebook])

    @property
    def disputed(self) -> list[LikelyRow]:
        """Those of which evidence names a notebook instance, and other evidence something else."""
        return self._ordered([row for row in self._rows.values() if row.notebooks and not row.likely_notebook])

    @property
    def no_notebook(self) -> list[LikelyRow]:
        """Those of which evidence names only what is no notebook instance."""
        return self._ordered([row for row in self._rows.values() if row.others and not row.notebooks])

    @property
    def rest(self) -> list[LikelyRow]:
        """Those that nothing names."""
        return [row for row in self._rows.values() if not row.notebooks and not row.others]

    @property
    def rows(self) -> list[LikelyRow]:
        """All of them, in this order."""
        return [*self.likely, *self.disputed, *self.no_notebook, *self.rest]

    @staticmethod
    def _ordered(rows: list[LikelyRow]) -> list[LikelyRow]:
        return sorted(rows, key=lambda row: (row.notebooks, row.others, row.role_arn or ""))
