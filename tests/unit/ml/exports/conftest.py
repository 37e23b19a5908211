"""What several tests of exports start from."""

import pytest

from adaptwin_core.domain.plan import RankPlan
from adaptwin_core.ml.base.models import resolve
from adaptwin_core.ml.model.checkpoint import assemble, save


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """tiny.en in our class, with nothing cut."""
    base = resolve("package:whisper-tiny.en", tmp_path_factory.getbasetemp() / "models")
    folder = tmp_path_factory.mktemp("checkpoint")
    save(assemble(base, RankPlan(blocks={}), {}), base, folder)
    return folder
