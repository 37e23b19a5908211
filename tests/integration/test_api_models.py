"""Downloads: whole, in parts, resumed, known already, gone."""

import hashlib
from pathlib import Path

import pytest

from adaptwin_core.domain.shape import ModelShape
from adaptwin_core.service import base_models
from tests.integration.api_world import FILE_NAME, WEIGHTS, add_model
from tests.integration.conftest import Principal
from tests.service_under_test import get_blobs, unit_of_work

TINY_EN = ModelShape(
    d_model=384,
    encoder_layers=4,
    decoder_layers=4,
    encoder_heads=6,
    decoder_heads=6,
    encoder_ffn=1536,
    decoder_ffn=1536,
    vocab_size=51864,
    num_mel_bins=80,
    max_source_positions=1500,
    max_target_positions=448,
)


@pytest.fixture
def model(owner: Principal, tmp_path: Path) -> tuple[str, str]:
    _, model_id, sha256 = add_model(owner, tmp_path)
    return f"/v1/models/{model_id}", sha256


def test_a_file_comes_whole_and_as_an_attachment(owner: Principal, model: tuple[str, str]):
    path, sha256 = model
    manifest = owner.client.get(path).json()["manifest"]
    assert manifest["files"] == {FILE_NAME: {"sha256": sha256, "bytes": len(WEIGHTS)}}
    answer = owner.client.get(f"{path}/files/{FILE_NAME}")
    assert (answer.status_code, answer.content) == (200, WEIGHTS)
    assert hashlib.sha256(answer.content).hexdigest() == sha256
    assert answer.headers["etag"] == f'"{sha256}"'
    assert answer.headers["content-disposition"] == 'attachment; filename="model.safetensors"'
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["accept-ranges"] == "bytes"
    assert owner.client.get("/v1/models").json()["items"][0]["num_downloads"] == 1
    head = owner.client.head(f"{path}/files/{FILE_NAME}")
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(len(WEIGHTS)))


def test_a_range_is_answered_with_that_part(owner: Principal, model: tuple[str, str]):
    parts: list[tuple[dict[str, str], int, int, int]] = [
        ({"Range": "bytes=0-0"}, 206, 0, 1),
        ({"Range": "bytes=100-199"}, 206, 100, 200),
        ({"Range": "bytes=10000-"}, 206, 10000, len(WEIGHTS)),
        ({"Range": "bytes=-7"}, 206, len(WEIGHTS) - 7, len(WEIGHTS)),
        ({"Range": "bytes=10000-99999999"}, 206, 10000, len(WEIGHTS)),
        ({"Range": "bytes=5-9", "If-Range": '"another"'}, 200, 0, len(WEIGHTS)),
        ({"Range": "bytes=0-1,5-6"}, 200, 0, len(WEIGHTS)),
        ({"Range": "lines=1-2"}, 200, 0, len(WEIGHTS)),
    ]
    for headers, status, start, stop in parts:
        answer = owner.client.get(f"{model[0]}/files/{FILE_NAME}", headers=headers)
        assert (answer.status_code, answer.content) == (status, WEIGHTS[start:stop]), headers
        if status == 206:
            assert answer.headers["content-range"] == f"bytes {start}-{stop - 1}/{len(WEIGHTS)}"


def test_a_range_past_the_end(owner: Principal, model: tuple[str, str]):
    answer = owner.client.get(f"{model[0]}/files/{FILE_NAME}", headers={"Range": f"bytes={len(WEIGHTS)}-"})
    assert (answer.status_code, answer.headers["content-range"]) == (416, f"bytes */{len(WEIGHTS)}")
    assert answer.json()["code"] == "range_not_satisfiable"


def test_what_is_held_is_not_sent_again(owner: Principal, model: tuple[str, str]):
    path, sha256 = model
    answer = owner.client.get(f"{path}/files/{FILE_NAME}", headers={"If-None-Match": f'"x", W/"{sha256}"'})
    assert (answer.status_code, answer.content) == (304, b"")
    resumed = owner.client.get(f"{path}/files/{FILE_NAME}", headers={"Range": "bytes=9-", "If-Range": f'"{sha256}"'})
    assert (resumed.status_code, resumed.content) == (206, WEIGHTS[9:])


def test_only_names_in_the_manifest_are_files(owner: Principal, model: tuple[str, str]):
    for name in (
        "model.safetensors",
        "..%2f..%2fetc%2fpasswd",
        "../../../../etc/passwd",
        "%00",
        "manifest.json",
        "a" * 600,
    ):
        assert owner.client.get(f"{model[0]}/files/{name}").status_code == 404, name


def test_a_deleted_model_is_gone_with_its_bytes(owner: Principal, model: tuple[str, str]):
    path, _ = model
    assert owner.client.delete(path).status_code == 204
    for answer in (
        owner.client.get(path),
        owner.client.get(f"{path}/files/{FILE_NAME}"),
        owner.client.delete(path),
    ):
        assert (answer.status_code, answer.json()["code"]) == (410, "gone")
    assert owner.client.get("/v1/models").json()["items"] == []


def test_a_damaged_or_missing_blob_is_an_error_and_never_half_a_file(owner: Principal, model: tuple[str, str]):
    path, sha256 = model
    stored = get_blobs().fetch(sha256, scope=owner.scope.tenant_id)
    stored.chmod(0o600)
    stored.write_bytes(WEIGHTS[:-1] + b"?")  # a disk that rots
    rotten = owner.client.get(f"{path}/files/{FILE_NAME}")
    stored.unlink()
    for answer in (rotten, owner.client.get(f"{path}/files/{FILE_NAME}", headers={"Range": "bytes=5-"})):
        assert (answer.status_code, answer.json()["code"]) == (500, "corrupt_blob")


def test_base_models_have_exact_counts(owner: Principal):
    with unit_of_work() as session:
        base_models.register(
            session,
            id="whisper-tiny.en",
            source="folder:/secret/place",
            digest="a" * 64,
            shape=TINY_EN,
            languages=("en",),
            licence="MIT",
        )
    answer = owner.client.get("/v1/base-models")
    shown = answer.json()["items"][0]
    assert shown["params"] == {"encoder": 7_632_384, "decoder": 29_551_872, "total": 37_760_256}
    assert shown["shape"]["encoder_layers"] == 4
    assert shown["languages"] == ["en"]
    assert "secret" not in answer.text
