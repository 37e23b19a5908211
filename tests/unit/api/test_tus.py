"""tus headers: what is read, and what is refused."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adaptwin_core.domain.errors import InvalidInput, NotFound
from api import tus


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_metadata_is_decoded_and_may_be_empty():
    header = f"dataset {_encoded('ds_1')}, filename {_encoded('ä b,c.wav')},empty"
    assert tus.parse_metadata(header) == {"dataset": "ds_1", "filename": "ä b,c.wav", "empty": ""}


@given(st.dictionaries(st.from_regex(r"[!-+\--~]+", fullmatch=True), st.text()))
def test_metadata_round_trips(values: dict[str, str]):
    header = ",".join(f"{key} {_encoded(value)}" for key, value in values.items())
    assert tus.parse_metadata(header) == values


@given(st.text())
def test_no_metadata_breaks_it(header: str):
    try:
        values = tus.parse_metadata(header)
        tus.file_name_of(values)
    except InvalidInput:
        return
    assert values["filename"]


@pytest.mark.parametrize("header", ["a !", "a YQ", "a gICA", "a YQ==,a YQ==", "ä YQ==", "a b c"])
def test_bad_metadata_is_refused(header: str):
    with pytest.raises(InvalidInput):
        tus.parse_metadata(header)


@pytest.mark.parametrize("name", ["", "a\nb", "a\x00", "x" * 1025, "ü" * 513])
def test_bad_file_names_are_refused(name: str):
    with pytest.raises(InvalidInput):
        tus.file_name_of({"filename": name})


def test_a_file_name_may_be_a_path_for_it_is_never_used_as_one():
    assert tus.file_name_of({"filename": "../../wavs/Ünï 1.wav"}) == "../../wavs/Ünï 1.wav"


@pytest.mark.parametrize("dataset", ["", "ds_", "ds_01k0000000000000000000000a\n", "job_01k0000000000000000000000a"])
def test_what_is_no_dataset_is_not_found(dataset: str):
    with pytest.raises(NotFound):
        tus.dataset_of({"dataset": dataset})


def test_a_checksum_is_read_or_refused():
    checksum = tus.parse_checksum("sha1 " + base64.b64encode(bytes(20)).decode())
    assert checksum is not None
    assert (checksum.name, checksum.digest) == ("sha1", bytes(20))
    assert tus.parse_checksum(None) is None
    for header in ("", "sha1", "sha1 AAAA", "sha256 " + base64.b64encode(bytes(20)).decode(), "md5 " + "A" * 24):
        with pytest.raises(InvalidInput):
            tus.parse_checksum(header)
