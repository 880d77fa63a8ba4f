"""What records tell beside the call: clues to whose session it was, and what they come to. See `judging.evidence`."""

from __future__ import annotations

from msgspec import Struct


class Interface(Struct, array_like=True, gc=False):
    """A network interface: one that SageMaker made for a notebook instance, or, without a name, one that was deleted."""

    id: str
    notebook: str | None = None
    address: str | None = None


class Clues(Struct, array_like=True, gc=False):
    """What a record of a base session names, or of a network interface; what of it counts, each kind of evidence says.

    `in_scope_of` are ARNs that AWS wrote; `log_stream` a log group and the stream in it that the call made;
    `notebooks` the notebook instances that it asked about or stopped: as it wrote them, an ARN or a name.
    """

    in_scope_of: tuple[str, ...] = ()
    log_stream: tuple[str, str] | None = None
    notebooks: tuple[str, ...] = ()
    interface: Interface | None = None


class Likely(Struct, array_like=True, frozen=True, gc=False):
    """What the evidence on one base session comes to.

    `session` is its access key id, or what stands for it. `notebooks` are the notebook instances that its evidence names, and
    `others` what is none, in words. `evidence`: a kind of evidence, what it names, and by how many events.
    """

    session: str
    notebooks: tuple[str, ...]
    others: tuple[str, ...]
    evidence: tuple[tuple[str, str, int], ...]

    @property
    def notebook(self) -> str | None:
        """The notebook instance that all evidence names; None where it disagrees, or names none."""
        return self.notebooks[0] if len(self.notebooks) == 1 and not self.others else None

    @property
    def is_disputed(self) -> bool:
        """Whether evidence names a notebook instance, and other evidence something else."""
        return bool(self.notebooks) and self.notebook is None

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of evidence, each once."""
        return tuple(dict.fromkeys(kind for kind, _, _ in self.evidence))

    @property
    def kinds_text(self) -> str | None:
        """The same in one text; None where there is no evidence."""
        return " ".join(self.kinds) or None
