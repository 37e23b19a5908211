"""What the state of a dataset allows, and what its owner can do where it does not."""

from adaptwin_core.domain.dataset_report import DatasetReport
from adaptwin_core.domain.errors import Conflict
from adaptwin_core.domain.states import DatasetState
from adaptwin_core.store.tables import Dataset


def require_ready(dataset: Dataset) -> DatasetReport:
    """Return what was found in a dataset whose speech was read.

    Raises:
        Conflict: `dataset_failed`, or `dataset_not_ready`: it is open or being read.
    """
    _refuse_failed(dataset)
    match dataset.state:
        case DatasetState.OPEN:
            what = f"dataset {dataset.id} is still open: upload its files, seal it, and wait until it is ready"
            raise Conflict(what, code="dataset_not_ready")
        case DatasetState.PROBING:
            what = f"the speech of dataset {dataset.id} is being read: wait until it is ready"
            raise Conflict(what, code="dataset_not_ready")
    assert dataset.report is not None
    return dataset.report


def require_open(dataset: Dataset) -> None:
    """Let files be added or removed.

    Raises:
        Conflict: `dataset_failed`, or `dataset_sealed`.
    """
    _refuse_failed(dataset)
    if dataset.state != DatasetState.OPEN:
        raise Conflict(
            f"dataset {dataset.id} is sealed: its files stay as they are. Make a new one for other files",
            code="dataset_sealed",
        )


def require_unsealed(dataset: Dataset) -> None:
    """Let a dataset be sealed.

    Raises:
        Conflict: `dataset_failed`, or `illegal_state`: it is sealed already.
    """
    _refuse_failed(dataset)
    match dataset.state:
        case DatasetState.PROBING:
            what = f"dataset {dataset.id} is sealed already and its speech is being read: wait until it is ready"
            raise Conflict(what, code="illegal_state")
        case DatasetState.READY:
            what = f"dataset {dataset.id} is sealed already and its speech was read: submit a job on it"
            raise Conflict(what, code="illegal_state")


def _refuse_failed(dataset: Dataset) -> None:
    if dataset.state == DatasetState.FAILED:
        why = (dataset.error or {}).get("message", "its speech could not be read")
        raise Conflict(
            f"dataset {dataset.id} failed: {why}. It cannot be changed: make a new one and upload the files there",
            code="dataset_failed",
        )
