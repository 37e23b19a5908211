"""How many recordings are taken in at once: of one tenant, and of all."""

from contextlib import ExitStack

import pytest

from adaptwin_core.domain.errors import LimitExceeded, Unavailable
from adaptwin_core.domain.scope import TenantScope
from api.transcription_intake import MOST_AT_ONCE, Intake

ADA, BEN = TenantScope("ten_ada"), TenantScope("ten_ben")


def test_one_tenant_sends_so_many_at_once() -> None:
    intake = Intake()
    with intake.one_more(ADA, most_of_one=1):
        with pytest.raises(LimitExceeded) as refusal, intake.one_more(ADA, most_of_one=1):
            pass
        assert refusal.value.code == "too_many"
        with intake.one_more(BEN, most_of_one=1):
            pass
    with intake.one_more(ADA, most_of_one=1):
        pass


def test_all_tenants_together_send_so_many_at_once() -> None:
    intake = Intake()
    with ExitStack() as open_forms:
        for place in range(MOST_AT_ONCE):
            open_forms.enter_context(intake.one_more(TenantScope(f"ten_{place}"), most_of_one=1))
        with pytest.raises(Unavailable), intake.one_more(ADA, most_of_one=1):
            pass
    with pytest.raises(ZeroDivisionError), intake.one_more(ADA, most_of_one=1):
        _ = 1 / 0
    with intake.one_more(ADA, most_of_one=1):
        pass
