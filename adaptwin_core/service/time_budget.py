"""Leaves models out of a job until the rest is estimated to fit a time."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy.orm import Session

from adaptwin_core.domain.errors import InvalidSpec
from adaptwin_core.domain.members import Member
from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.service import base_models, estimates
from adaptwin_core.service.estimates import Asked


def within(
    session: Session, scope: TenantScope, asked: Asked, max_minutes: float, *, num_shards: int
) -> Sequence[Member]:
    """Return the models that can be made in this time by workers that do nothing else.

    Models of the largest base model are left out first, and of these the last sizes. A request that would be refused is
    returned as it is: submitting it says why.

    Raises:
        InvalidSpec: even the first model takes longer.
    """
    members = list(asked.members)
    while members:
        found = estimates.make(session, scope, replace(asked, members=members), num_shards=num_shards)
        if found.problems or found.work is None:
            return asked.members
        minutes = found.work.alone.likely_s / 60
        if minutes <= max_minutes:
            return members
        largest = max(members, key=lambda member: _size(session, member))
        last = max(place for place, member in enumerate(members) if member.base_model == largest.base_model)
        members.pop(last)
    raise InvalidSpec(f"no model can be made in {max_minutes:g} minutes: the quickest takes about {minutes:.0f}")


def _size(session: Session, member: Member) -> int:
    return base_models.get(session, member.base_model).shape.total_params
