"""The upload protocol against a model of it: any sequence of right and wrong requests, and a death at any point."""

import itertools
import os

import httpx
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from adaptwin_core.local.servers import ServerUrls
from adaptwin_core.store.tables import Upload
from tests.integration.conftest import ApiProcess, Principal, start_api
from tests.integration.tus_client import TUS, checksum, created, new_dataset, offset_of, patch
from tests.service_under_test import get_blobs, unit_of_work

MAX_BYTES = 40
NUMBERS = itertools.count()


class UploadMachine(RuleBasedStateMachine):
    """One upload. The model is what a client was told is safe, and what it meant to send."""

    owner: Principal
    dataset_id: str

    @initialize(data=st.binary(max_size=MAX_BYTES))
    def begin(self, data: bytes) -> None:
        self.data = data
        self.offset = 0
        self.is_gone = False
        self.path = created(self.owner, self.dataset_id, len(data), f"{next(NUMBERS)}.wav")

    @rule(num=st.integers(0, MAX_BYTES), algorithm=st.sampled_from([None, "sha1", "sha256"]))
    @precondition(lambda self: not self.is_gone)
    def append(self, num: int, algorithm: str | None) -> None:
        piece = self.data[self.offset : self.offset + num]
        headers = {"Upload_Checksum": checksum(piece, algorithm)} if algorithm else {}
        answer = patch(self.owner, self.path, self.offset, piece, **headers)
        assert answer.status_code == 204, answer.text
        self.offset += len(piece)
        assert int(answer.headers["upload-offset"]) == self.offset

    @rule(offset=st.integers(-2, MAX_BYTES + 2), piece=st.binary(max_size=8))
    @precondition(lambda self: not self.is_gone)
    def append_elsewhere(self, offset: int, piece: bytes) -> None:
        if offset != self.offset:
            assert patch(self.owner, self.path, offset, piece).status_code == (409 if offset >= 0 else 400)

    @rule(extra=st.binary(min_size=1, max_size=8))
    @precondition(lambda self: not self.is_gone)
    def append_too_much(self, extra: bytes) -> None:
        body = self.data[self.offset :] + extra
        assert patch(self.owner, self.path, self.offset, body).status_code == 413

    @rule(piece=st.binary(min_size=1, max_size=8), other=st.binary(max_size=8))
    @precondition(lambda self: not self.is_gone)
    def append_with_a_wrong_checksum(self, piece: bytes, other: bytes) -> None:
        if piece != other and self.offset + len(piece) <= len(self.data):
            answer = patch(self.owner, self.path, self.offset, piece, Upload_Checksum=checksum(other))
            assert answer.status_code == 460

    @rule()
    def give_up(self) -> None:
        status = self.owner.client.delete(self.path, headers=TUS).status_code
        assert status == (410 if self.is_gone else 204)
        self.is_gone = True

    @invariant()
    def head_tells_the_model(self) -> None:
        if self.is_gone:
            assert self.owner.client.head(self.path, headers=TUS).status_code == 410
            return
        assert offset_of(self.owner, self.path) == self.offset
        with unit_of_work() as session:
            row = session.get_one(Upload, self.path.rsplit("/", 1)[1])
        assert (row.state == "complete") == (self.offset == len(self.data))
        if row.sha256:
            assert get_blobs().fetch(row.sha256, scope=self.owner.scope.tenant_id).read_bytes() == self.data


def test_any_sequence_of_requests(owner: Principal):
    machine = type("Machine", (UploadMachine,), {"owner": owner, "dataset_id": new_dataset(owner)})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=12,
            stateful_step_count=10,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.explicit, Phase.generate, Phase.shrink],
            database=None,
        ),
    )


@pytest.mark.parametrize(
    ("point", "acknowledged"), [("upload_written", 0), ("upload_synced", 400), ("upload_stored", 0)]
)
def test_acknowledged_bytes_survive_a_death(
    point: str, acknowledged: int, api: ApiProcess, servers: ServerUrls, owner: Principal
):
    data = os.urandom(1000)
    path = created(owner, new_dataset(owner), len(data))
    assert patch(owner, path, 0, data[:acknowledged]).status_code == 204
    mortal = start_api(servers, api.data_dir, ADAPTWIN_KILL_AT=f"{point}:1")
    with httpx.Client(base_url=mortal.url, headers=owner.headers) as client:
        doomed = Principal(owner.scope, owner.token, client)
        with pytest.raises(httpx.TransportError):
            patch(doomed, path, acknowledged, data[acknowledged:])
    assert mortal.process.wait(5) == 137
    offset = offset_of(owner, path)  # another process serves on, nobody repaired anything
    assert offset in {acknowledged, len(data)}
    assert patch(owner, path, offset, data[offset:]).status_code == 204
    with unit_of_work() as session:
        row = session.get_one(Upload, path.rsplit("/", 1)[1])
    assert row.state == "complete"
    assert get_blobs().fetch(row.sha256 or "", scope=owner.scope.tenant_id).read_bytes() == data
