"""Where to look for calls: the time range, regions and accounts."""

from __future__ import annotations

from msgspec import Struct

DELIVERED_WITHIN_DAYS = 7
"""Most records are delivered within minutes; where the bucket couldn't be reached, CloudTrail tries for 30 days:
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/how-cloudtrail-works.html."""


class Scope(Struct, frozen=True, kw_only=True):
    """Where a source looks; an empty field means no limit.

    `since` and `until` are times as records write them, both included. `delivered_within_days`: how long after a call its
    record may have been delivered. `service_regions`: where `regions` are open, a service that has to be asked in each
    region is asked in these; `service_accounts` likewise.
    """

    since: str | None = None
    until: str | None = None
    regions: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    delivered_within_days: int = DELIVERED_WITHIN_DAYS
    service_regions: tuple[str, ...] = ()
    service_accounts: tuple[str, ...] = ()

    def anywhere(self, since: str | None, until: str | None) -> Scope:
        """Return the scope of this time in all regions and accounts: a session may have been opened in another one."""
        return Scope(
            since=since,
            until=until,
            delivered_within_days=self.delivered_within_days,
            service_regions=self.regions or self.service_regions,
            service_accounts=self.accounts or self.service_accounts,
        )
