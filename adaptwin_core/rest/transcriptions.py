"""Transcribing with a finished model, in the form of OpenAI's API: what is sent, what comes back, and errors."""

import zlib
from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, field_validator, model_validator

from adaptwin_core.domain.language_names import NAMES
from adaptwin_core.domain.transcription import Segment, Transcription
from adaptwin_core.rest.base import In, Out
from adaptwin_core.rest.ids import MODEL_ID

Form = Literal["json", "text", "srt", "verbose_json", "vtt"]
Granularity = Literal["word", "segment"]
TIMED_FORMS = frozenset({"srt", "verbose_json", "vtt"})


class NewTranscription(In):
    """The fields of the form beside the file. OpenAI's package writes `[]` after the name of a list."""

    model: Annotated[
        str, Field(pattern=MODEL_ID, description="Id of a finished model.", examples=["mdl_01kbd5c0r2t9s5f1d7h3k8p4vg"])
    ]
    language: str | None = Field(
        None,
        min_length=1,
        max_length=100,
        description="Language that is spoken, as a code or an English name. Without it, the one that the model was "
        "made for.",
    )
    prompt: str = Field(
        "",
        max_length=10_000,
        pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$",  # tabs and line breaks are text
        description="Words that may come before the recording: they show how names are spelt. The last 223 tokens "
        "count.",
    )
    response_format: Form = "json"
    temperature: float = Field(
        0.0, ge=0.0, le=1.0, description="0 takes the most likely words; above it they are drawn at random."
    )
    timestamp_granularities: list[Granularity] = Field(
        ["segment"], min_length=1, description="What has times in `verbose_json`: segments, words or both."
    )
    chunking_strategy: Literal["auto"] = Field(
        "auto", description="Long recordings are always cut at their quietest points."
    )
    stream: bool = Field(False, description="Answers come whole: it must be false.")

    @field_validator("stream")
    @classmethod
    def _comes_whole(cls, stream: bool) -> bool:
        if stream:
            raise ValueError("must be false: the answer comes whole, so leave stream out")
        return stream

    @model_validator(mode="after")
    def _times_have_a_place(self) -> Self:
        if "timestamp_granularities" in self.model_fields_set and self.response_format != "verbose_json":
            raise ValueError("timestamp_granularities needs response_format=verbose_json")
        return self


class TranscriptionOut(Out):
    text: str


class WordOut(Out):
    word: str
    start: float = Field(description="Seconds from the start of the recording.")
    end: float


class SegmentOut(Out):
    id: int
    seek: int = Field(description="Start of the window that the segment was heard in, in frames of 10 ms.")
    start: float = Field(description="Seconds from the start of the recording.")
    end: float
    text: str
    tokens: list[int] = Field(description="Tokens of the text, of the model's own tokenizer.")
    temperature: float
    avg_logprob: float = Field(description="Mean logarithm of the probability of the tokens.")
    compression_ratio: float = Field(description="Bytes of the text over its bytes once compressed by zlib.")
    no_speech_prob: float = Field(description="Probability that nobody speaks in the window.")


class VerboseTranscription(TranscriptionOut):
    task: Literal["transcribe"] = "transcribe"
    language: str = Field(description="English name of the language, in lower case.")
    duration: float = Field(description="Seconds of the recording.")
    segments: list[SegmentOut] | None = None
    words: list[WordOut] | None = None

    @classmethod
    def of(cls, heard: Transcription, wanted: NewTranscription) -> Self:
        """Return what was heard, with times of what they are wanted for."""
        words = [
            WordOut(word=word.text, start=word.start, end=word.end) for one in heard.segments for word in one.words
        ]
        segments = [_segment(number, one, wanted.temperature) for number, one in enumerate(heard.segments)]
        return cls(
            text=heard.text,
            language=NAMES[heard.language].split(", ")[0],
            duration=heard.seconds,
            segments=segments if "segment" in wanted.timestamp_granularities else None,
            words=words if "word" in wanted.timestamp_granularities else None,
        )


class RequestFault(BaseModel):
    """What went wrong and what to do."""

    message: str
    type: str = Field(examples=["invalid_request_error"])
    param: str | None = Field(description="The field that is to blame.")
    code: str = Field(description="Stable name of the error, for programs.", examples=["not_audio"])


class RequestError(BaseModel):
    """The body of an error, in OpenAI's form."""

    error: RequestFault


def _segment(number: int, segment: Segment, temperature: float) -> SegmentOut:
    written = segment.text.encode()
    return SegmentOut(
        id=number,
        seek=round(segment.window_start * 100),
        start=segment.start,
        end=segment.end,
        text=segment.text,
        tokens=list(segment.tokens),
        temperature=temperature,
        avg_logprob=segment.mean_log_probability,
        compression_ratio=len(written) / len(zlib.compress(written)),
        no_speech_prob=segment.silence_probability,
    )
