"""What a person asks for: how small, how much for this speaker, how long to tune."""

from typing import ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from adaptwin_core.domain.digest import digest_json
from adaptwin_core.domain.errors import InvalidSpec
from adaptwin_core.domain.exports import ExportName
from adaptwin_core.domain.languages import code_of
from adaptwin_core.domain.refusals import Named

# Where tuning starts from; it takes smaller steps where speech that is held back shows that these are too long.
TUNE_RATES = {"adapters": 3.5e-4, "factors": 2e-5}
SEARCHED_CUTS = (0.65, 0.55, 0.45, 0.35, 0.25, 0.15)  # of the encoder, that max_wer chooses from, deepest first


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Settings(Frozen, Named):
    """What a person may set: a misspelt name is answered with the nearest."""

    kind: ClassVar[str] = "setting"


class SpectralRanks(Settings):
    """Ranks to keep in every cut block, given by hand instead of a cut. None leaves that part whole."""

    heads: int | None = Field(None, ge=1, description="heads that the attention of an encoder layer keeps")
    qk: int | None = Field(None, ge=1, description="columns a head keeps in its query and key")
    vo: int | None = Field(None, ge=1, description="columns a head keeps in its value and output")
    neurons: int | None = Field(None, ge=1, description="neurons the feed-forward keeps")
    ff: int | None = Field(None, ge=1, description="rank of each of the two feed-forward matrices, on those neurons")


class CompressionSpec(Settings):
    """The settings of one job. Its digest, with the inputs' digests, names the result."""

    encoder_cut: float = Field(
        0.35,
        ge=0.0,
        le=0.8,
        description="share of the encoder's parameters to remove; with 0 here and in decoder_cut nothing is removed "
        "and the model is only tuned to its speaker",
    )
    decoder_cut: float = Field(0.0, ge=0.0, le=0.8, description="share of the decoder's layer parameters to remove")
    model_cut: float | None = Field(
        None, gt=0.0, le=0.8, description="share of the whole model's parameters to remove, in place of the two cuts"
    )
    max_bytes: int | None = Field(
        None, ge=1_000_000, description="largest size of the weights file, in place of the cuts"
    )
    max_wer: float | None = Field(
        None,
        gt=0,
        le=100,
        description=f"in place of the cuts: the deepest encoder cut of {SEARCHED_CUTS} whose short trial hears this "
        "speaker with at most this error rate, in %, on transcribed speech that is kept from training, 100 words or "
        "more. It is of words, but of characters in a language written without spaces",
    )
    plan: Literal["measured", "uniform", "successive"] = Field(
        "measured",
        description="measured: parameters go where this speech misses them least; uniform: the same ranks in every "
        "layer; successive: the encoder's first layers cut hard, its rest whole, a decoder as uniform",
    )
    equal_heads: bool = Field(
        False, description="in the measured plan, keep as many columns of query-key as of value-output in a head"
    )
    plan_for: Literal["any", "ctranslate2"] = Field(
        "any",
        description="the runtime whose speed the measured plan minds. ctranslate2: one even number of heads in all "
        "encoder layers, query-key as wide as value-output, and what goes is chosen by the time it takes there; any: "
        "what goes is chosen by its parameters alone",
    )
    ranks: SpectralRanks | None = Field(
        None, description="explicit ranks for every part whose cut is not 0; the size of the cut is then not used"
    )
    start: Literal["whitened", "plain"] = Field(
        "whitened", description="whitened: least error on the speech; plain: SVD of the product alone, as in the paper"
    )
    speaker_weight: float = Field(
        0.5, ge=0.0, le=1.0, description="λ: 1 fits the speaker alone, 0 general speech alone; 1 without general speech"
    )
    calibration_windows: int = Field(
        48, ge=1, le=960, description="30 s windows of each kind of speech measured for moments"
    )
    lora_rank: int = Field(16, ge=1, le=256, description="rank of the adapters that are trained and merged")
    layer_windows: int = Field(12, ge=1, le=256, description="windows each block is tuned on, alone")
    layer_steps: int = Field(24, ge=0, le=10_000, description="steps of the layer-wise phase; 0 leaves it out")
    layer_learning_rate: float = Field(3e-4, gt=0, le=0.1, description="of the layer-wise phase")
    personal_steps: int = Field(
        240,
        ge=0,
        le=100_000,
        description="steps in which the model, still whole, learns its speaker; 0 leaves it out. For a speaker without "
        "transcripts a job that cuts adds them to tune_steps, unless either is given",
    )
    tune_steps: int = Field(
        80,
        ge=0,
        le=100_000,
        description="steps in which the cut model makes up for what it lost; 0 leaves it out, as does a model of which "
        "nothing was cut",
    )
    tune_method: Literal["factors", "adapters"] = Field(
        "adapters",
        description="what the steps before and after the cut train: adapters: LoRA, merged; factors: the layers "
        "themselves",
    )
    tune_learning_rate: float | None = Field(
        None,
        gt=0,
        le=0.1,
        description="of the steps before and after the cut; left out, "
        + ", ".join(f"{rate:g} for {method}" for method, rate in TUNE_RATES.items()),
    )
    tune_batch: int = Field(
        1, ge=1, le=64, description="windows in each step that trains the whole, those of scale_steps too"
    )
    general_share: float = Field(
        0.3, ge=0.0, le=1.0, description="share of the windows with speech in these steps that is general speech"
    )
    weights: Literal["float16", "int8", "int4"] = Field(
        "float16",
        description="how matrices and the token embedding are stored: int8 takes about half the bytes of float16, int4 "
        "about a third, rounded to suit the speech and its scales trained, at some loss",
    )
    scale_steps: int = Field(
        80,
        ge=0,
        le=100_000,
        description="steps in which the scales of weights of 4 bits make up for what rounding lost; 0 leaves it out",
    )
    exports: tuple[ExportName, ...] = Field(
        (), description="forms to have the finished model in as well; more can be asked for later"
    )
    language: str = Field(
        "en",
        max_length=60,
        description="language of the speech: a code, tag or name such as de, de-DE or German, kept as Whisper's code; "
        "the base model must have it",
    )
    seed: int = Field(0, ge=0, lt=2**31, description="the same seed, settings and speech give the same model")

    @field_validator("language", mode="after")
    @classmethod
    def _as_whisper_names_it(cls, language: str) -> str:
        try:
            return code_of(language)
        except InvalidSpec as unknown:
            raise ValueError(unknown.message) from unknown

    @field_validator("exports")
    @classmethod
    def _each_once(cls, exports: tuple[ExportName, ...]) -> tuple[ExportName, ...]:
        return tuple(dict.fromkeys(exports))

    @model_validator(mode="after")
    def _something_to_do(self) -> Self:
        budgets = {"model_cut": self.model_cut, "max_bytes": self.max_bytes, "max_wer": self.max_wer}
        given = [name for name, value in budgets.items() if value is not None]
        if len(given) > 1:
            raise ValueError(f"give {' or '.join(given)}, not both")
        if not self.is_cut:
            if self.ranks is not None:
                raise ValueError("ranks are of the parts whose cut is not 0: set encoder_cut or decoder_cut")
            if self.personal_steps == 0 and self.weights == "float16":
                raise ValueError("nothing would change: set a cut, personal_steps, or weights")
        if self.max_wer is not None and (self.plan != "measured" or self.ranks is not None):
            raise ValueError("max_wer tries several cuts by the measured plan: leave plan and ranks out")
        if self.plan_for != "any" and (self.plan != "measured" or self.ranks is not None):
            raise ValueError("plan_for guides the measured plan: leave plan and ranks out")
        return self

    def with_cut(self, encoder_cut: float) -> Self:
        """Return the settings of a job for max_wer once its cut is found: that of the encoder, nothing else cut."""
        found = self.model_dump() | {"max_wer": None, "encoder_cut": encoder_cut, "decoder_cut": 0.0}
        return self.model_validate(found)

    def without_general(self) -> Self:
        """Return the settings of a job without general speech: it is fitted to its speaker alone."""
        return self.model_copy(update={"speaker_weight": 1.0, "general_share": 0.0})

    def without_transcripts(self) -> Self:
        """Return the settings of a job whose speaker has no transcripts, where no steps were asked for.

        There is nothing of the speaker to learn first: a cut model takes the original's own words as it is repaired.
        """
        if not self.is_cut or self.model_fields_set & {"personal_steps", "tune_steps"}:
            return self
        return self.model_copy(update={"personal_steps": 0, "tune_steps": self.personal_steps + self.tune_steps})

    @property
    def is_cut(self) -> bool:
        """Whether anything is removed."""
        budgets = (self.model_cut, self.max_bytes, self.max_wer)
        return self.encoder_cut > 0 or self.decoder_cut > 0 or any(budget is not None for budget in budgets)

    @property
    def tune_rate(self) -> float:
        """Return the learning rate end to end, before the cut and after it."""
        return self.tune_learning_rate or TUNE_RATES[self.tune_method]

    def digest(self) -> str:
        """Return the SHA-256 of the settings in canonical JSON."""
        return digest_json(self.model_dump(mode="json"))
