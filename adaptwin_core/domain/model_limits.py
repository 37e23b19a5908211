"""What a finished model must fit. The model to take is chosen among those that do."""

from typing import Final

from pydantic import Field

from adaptwin_core.domain.devices import DEVICES, DeviceName, Needs
from adaptwin_core.domain.frozen import Frozen
from adaptwin_core.domain.refusals import Named


class ModelLimits(Frozen, Named):
    """The limits of a person. Those that are left out limit nothing."""

    max_bytes: int | None = Field(
        None, ge=1_000_000, description="Largest size of the file of weights, in bytes. A device has its own."
    )
    max_ms: float | None = Field(
        None,
        gt=0,
        description="Longest time to transcribe an utterance of 4 s, in milliseconds: on the device that is named, or "
        "as measured on the worker that makes the models.",
    )
    device: DeviceName | None = Field(
        None,
        description="Where the model will run: "
        + "; ".join(f"{name}: {device.words}" for name, device in DEVICES.items())
        + ". Its time is estimated, as docs/families.md explains.",
    )

    @property
    def most_bytes(self) -> int | None:
        """The limit on bytes: the one that was given, or the device's."""
        if self.max_bytes is not None or self.device is None:
            return self.max_bytes
        return DEVICES[self.device].max_bytes

    @property
    def most_ms(self) -> float | None:
        """The limit on time: the one that was given, or the device's."""
        if self.max_ms is not None or self.device is None:
            return self.max_ms
        return DEVICES[self.device].max_ms

    def ms_of(self, needs: Needs, measured_ms: float) -> float:
        """Return the time that the limit is held against: estimated for the device, else the one measured here."""
        return measured_ms if self.device is None else DEVICES[self.device].ms(needs)

    @property
    def are_any(self) -> bool:
        return self.most_bytes is not None or self.most_ms is not None


NO_LIMITS: Final = ModelLimits.model_validate({})
