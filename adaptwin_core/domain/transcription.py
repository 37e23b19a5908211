"""What is asked of a finished model, and what it heard in a recording: words, when each was said, and segments."""

from pydantic import Field

from adaptwin_core.domain.frozen import Frozen


class Wanted(Frozen):
    """How a recording is to be heard.

    Attributes:
        language: Whisper's code for the language that is spoken.
        prompt: words that may come before the recording; they show names and spelling.
        temperature: 0 takes the most likely words; above it they are drawn at random, the more freely the higher.
        times: whether the times of words are wanted, which takes longer.
    """

    language: str
    prompt: str = ""
    temperature: float = Field(0.0, ge=0.0, le=1.0)
    times: bool = False


class Word(Frozen):
    """A word with the punctuation at it, and when it is said, in seconds from the start of the recording."""

    text: str
    start: float
    end: float


class Segment(Frozen):
    """Consecutive words that a subtitle can hold. Times are in seconds.

    Attributes:
        tokens: of the model's own tokenizer.
        mean_log_probability: of these tokens, natural logarithm.
        window_start: when the window begins that the segment was heard in.
        silence_probability: that nobody speaks in that window.
    """

    start: float
    end: float
    text: str
    words: tuple[Word, ...]
    tokens: tuple[int, ...]
    mean_log_probability: float
    window_start: float
    silence_probability: float


class Transcription(Frozen):
    """What was heard. Without wanted times there are no segments."""

    language: str
    seconds: float
    text: str
    segments: tuple[Segment, ...] = ()
