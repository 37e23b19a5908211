"""The settings of a job: how small the model becomes, how much it is fitted to its speaker, how long it trains."""

from typing import ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from adaptwin_core.domain.digest import digest_json
from adaptwin_core.domain.errors import InvalidSpec
from adaptwin_core.domain.exports import ExportName
from adaptwin_core.domain.frozen import Frozen
from adaptwin_core.domain.languages import code_of
from adaptwin_core.domain.refusals import Named

# The first rate of training. It becomes smaller where the validation windows show that this one is too large.
TUNE_RATES = {"adapters": 3.5e-4, "factors": 2e-5}
SEARCHED_CUTS = (0.65, 0.55, 0.45, 0.35, 0.25, 0.15)  # of the encoder, deepest first: max_wer chooses one
BUDGETS = ("model_cut", "max_bytes", "max_wer")  # settings that decide the cut, in place of the cuts themselves


class Settings(Frozen, Named):
    """Settings that a person gives. A name that is not known is refused, with the nearest that is."""

    kind: ClassVar[str] = "setting"


class SpectralRanks(Settings):
    """Ranks that every cut block keeps, given by hand instead of a cut. A part without a rank stays whole."""

    heads: int | None = Field(None, ge=1, description="Heads that the attention of an encoder layer keeps.")
    qk: int | None = Field(None, ge=1, description="Columns that each head keeps of its query and of its key.")
    vo: int | None = Field(None, ge=1, description="Columns that each head keeps of its value and of its output.")
    neurons: int | None = Field(None, ge=1, description="Neurons that a feed-forward keeps.")
    ff: int | None = Field(
        None, ge=1, description="Rank of each of the two matrices of a feed-forward, once its neurons are chosen."
    )


class CompressionSpec(Settings):
    """The settings of one job. Their digest and the digests of the inputs name the result."""

    encoder_cut: float = Field(
        0.35,
        ge=0.0,
        le=0.8,
        description="Share of the encoder's parameters to remove. If this and decoder_cut are 0, nothing is removed, "
        "and the model is only trained for its speaker.",
    )
    decoder_cut: float = Field(
        0.0, ge=0.0, le=0.8, description="Share of the parameters of the decoder's layers to remove."
    )
    model_cut: float | None = Field(
        None,
        gt=0.0,
        le=0.8,
        description="Share of the whole model's parameters to remove. It replaces encoder_cut and decoder_cut.",
    )
    max_bytes: int | None = Field(
        None,
        ge=1_000_000,
        description="Largest size of the file of weights, in bytes. It replaces encoder_cut and decoder_cut.",
    )
    max_wer: float | None = Field(
        None,
        gt=0,
        le=100,
        description="Highest error rate for the speaker, in %. It replaces encoder_cut and decoder_cut: the job "
        f"takes the deepest encoder cut of {SEARCHED_CUTS} at which a short trial stays at or below it. The trial is "
        "judged on transcribed speech that is kept from training, at least 100 words. The rate is of words, or of "
        "characters for a language that is written without spaces.",
    )
    plan: Literal["measured", "uniform", "successive"] = Field(
        "measured",
        description="How the cut is divided among the layers. measured: parameters are removed where this speech "
        "misses them least. uniform: every layer keeps the same ranks. successive: the first layers of the encoder "
        "are cut hard and the others stay whole; the decoder is cut as in uniform.",
    )
    equal_heads: bool = Field(
        False,
        description="Whether a head keeps as many columns of query and key as of value and output. It applies to the "
        "measured plan only.",
    )
    plan_for: Literal["any", "ctranslate2"] = Field(
        "any",
        description="Runtime that the measured plan makes fast. any: it counts parameters only. ctranslate2: it "
        "counts the time that CTranslate2 takes, and gives all encoder layers the same even number of heads, with "
        "query and key as wide as value and output.",
    )
    ranks: SpectralRanks | None = Field(
        None,
        description="Ranks that every block keeps, given by hand. They apply to each half of the model whose cut is "
        "not 0, and the size of that cut is then ignored.",
    )
    start: Literal["whitened", "plain"] = Field(
        "whitened",
        description="Factorization that a cut starts from. whitened: the one with the least error on the speech. "
        "plain: the singular value decomposition of the weights alone, as in the AdaPTwin paper.",
    )
    speaker_weight: float = Field(
        0.5,
        ge=0.0,
        le=1.0,
        description="Weight λ of the speaker's speech against general speech in what the cut preserves: 1 is the "
        "speaker alone, 0 is general speech alone. A job without general speech uses 1.",
    )
    calibration_windows: int = Field(
        48, ge=1, le=960, description="Windows of 30 s of each kind of speech that calibration measures."
    )
    lora_rank: int = Field(
        16, ge=1, le=256, description="Rank of the LoRA adapters that are trained and then merged into the weights."
    )
    layer_windows: int = Field(12, ge=1, le=256, description="Windows of 30 s that each block is tuned on by itself.")
    layer_steps: int = Field(
        24,
        ge=0,
        le=10_000,
        description="Training steps of each block by itself, right after it is cut. 0 leaves this phase out.",
    )
    layer_learning_rate: float = Field(3e-4, gt=0, le=0.1, description="Learning rate of layer_steps.")
    personal_steps: int = Field(
        240,
        ge=0,
        le=100_000,
        description="Training steps in which the whole model learns its speaker before it is cut. 0 leaves this "
        "phase out. If the speaker has no transcripts and something is cut, these steps are added to tune_steps, "
        "unless the job gives either number.",
    )
    tune_steps: int = Field(
        80,
        ge=0,
        le=100_000,
        description="Training steps in which the cut model recovers from the cut. 0 leaves this phase out. A job "
        "that cuts nothing has no such phase.",
    )
    tune_method: Literal["factors", "adapters"] = Field(
        "adapters",
        description="What personal_steps and tune_steps train. adapters: LoRA adapters, which are merged afterwards. "
        "factors: the weights of the layers themselves.",
    )
    tune_learning_rate: float | None = Field(
        None,
        gt=0,
        le=0.1,
        description="Learning rate of personal_steps and tune_steps. If it is left out, it is "
        + " and ".join(f"{rate:g} for {method}" for method, rate in TUNE_RATES.items())
        + ".",
    )
    tune_batch: int = Field(
        1, ge=1, le=64, description="Windows in each step of personal_steps, tune_steps and scale_steps."
    )
    general_share: float = Field(
        0.3,
        ge=0.0,
        le=1.0,
        description="Share of general speech among the windows with speech that personal_steps, tune_steps and "
        "scale_steps train on.",
    )
    weights: Literal["float16", "int8", "int4"] = Field(
        "float16",
        description="Format in which the matrices and the token embedding are stored. int8 takes about half the "
        "bytes of float16. int4 takes about a third, at some loss; its rounding is fitted to the speech, and its "
        "scales are trained.",
    )
    scale_steps: int = Field(
        80,
        ge=0,
        le=100_000,
        description="Training steps in which the scales of int4 weights recover from rounding. 0 leaves this phase "
        "out.",
    )
    exports: tuple[ExportName, ...] = Field(
        (), description="Other formats to make the finished model in. More can be requested later."
    )
    language: str = Field(
        "en",
        max_length=60,
        description="Language of the speech, as a code, a tag or a name: de, de-DE or German. It is stored as "
        "Whisper's code, and the base model must support it.",
    )
    languages: tuple[str, ...] = Field(
        (),
        max_length=20,
        description="All languages that the person speaks, as in language, which must be among them. Left out, it is "
        "that one. Tokens of other languages are dropped; see vocabulary.",
    )
    vocabulary: Literal["languages", "all"] = Field(
        "languages",
        description="Tokens that the model keeps. languages: those that the words of languages, the transcripts, "
        "digits or signs need. all: every token of the base model. A base model for English only, and languages "
        "without a word list, keep all.",
    )
    seed: int = Field(
        0,
        ge=0,
        lt=2**31,
        description="Seed of all random choices. The same seed, settings and speech give the same model.",
    )

    @field_validator("language", mode="after")
    @classmethod
    def _as_whisper_names_it(cls, language: str) -> str:
        try:
            return code_of(language)
        except InvalidSpec as unknown:
            raise ValueError(unknown.message) from unknown

    @field_validator("languages", mode="after")
    @classmethod
    def _as_whisper_names_them(cls, languages: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(cls._as_whisper_names_it(language) for language in languages))

    @field_validator("exports")
    @classmethod
    def _each_once(cls, exports: tuple[ExportName, ...]) -> tuple[ExportName, ...]:
        return tuple(dict.fromkeys(exports))

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.languages and self.language not in self.languages:
            raise ValueError(f"languages must include that of the speech: add {self.language}, or leave languages out")
        if len(self.budgets) > 1:
            raise ValueError(f"give {' or '.join(self.budgets)}, not both")
        if not self.is_cut:
            if self.ranks is not None:
                raise ValueError("ranks are of the parts whose cut is not 0: set encoder_cut or decoder_cut")
            if self.personal_steps == 0 and self.weights == "float16":
                raise ValueError("nothing would change: set a cut, personal_steps, or weights")
        if self.max_wer is not None and not self.has_measured_plan:
            raise ValueError("max_wer tries several cuts by the measured plan: leave plan and ranks out")
        if self.plan_for != "any" and not self.has_measured_plan:
            raise ValueError("plan_for guides the measured plan: leave plan and ranks out")
        return self

    def with_cut(self, encoder_cut: float) -> Self:
        """Return the settings of a job for max_wer once its cut is found: it is of the encoder alone."""
        found = self.model_dump() | {"max_wer": None, "encoder_cut": encoder_cut, "decoder_cut": 0.0}
        return self.model_validate(found)

    def without_general(self) -> Self:
        """Return the settings of a job without general speech: it is fitted to its speaker alone."""
        return self.model_copy(update={"speaker_weight": 1.0, "general_share": 0.0})

    def without_transcripts(self) -> Self:
        """Return the settings of a job whose speaker has no transcripts, where no steps were asked for.

        The whole model has nothing to learn from such speech. A cut model has: it is taught what the original hears.
        """
        if not self.is_cut or self.model_fields_set & {"personal_steps", "tune_steps"}:
            return self
        return self.model_copy(update={"personal_steps": 0, "tune_steps": self.personal_steps + self.tune_steps})

    @property
    def spoken(self) -> tuple[str, ...]:
        """The languages whose tokens are kept, in the alphabet's order: equal sets are one setting."""
        return tuple(sorted(self.languages or (self.language,)))

    @property
    def is_cut(self) -> bool:
        """Whether anything is removed."""
        return self.encoder_cut > 0 or self.decoder_cut > 0 or bool(self.budgets)

    @property
    def budgets(self) -> list[str]:
        """The settings, given in place of the cuts, that decide how deep the cut is."""
        return [name for name in BUDGETS if getattr(self, name) is not None]

    @property
    def has_measured_plan(self) -> bool:
        """Whether the plan waits for the sensitivities of the blocks."""
        return self.plan == "measured" and self.ranks is None

    @property
    def tune_rate(self) -> float:
        """Return the learning rate of personal_steps and tune_steps."""
        return self.tune_learning_rate or TUNE_RATES[self.tune_method]

    def digest(self) -> str:
        """Return the SHA-256 of the settings in canonical JSON."""
        return digest_json(self.model_dump(mode="json"))
