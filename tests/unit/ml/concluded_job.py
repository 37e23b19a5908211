"""The end of a job whose models heard given texts."""

import json
from pathlib import Path

from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.domain.stages import Stage
from adaptwin_core.domain.task_keys import EvaluationKey, ModelKey
from adaptwin_core.ml.stages.file_names import TEXTS_FILE
from adaptwin_core.ml.stages.publish import publish
from adaptwin_core.ml.stages.task_result import TaskResult
from adaptwin_core.speech.corpus import Clip, Corpus
from tests.published_whispers import WHISPERS
from tests.unit.ml.small_recipe import recipe_of

SAID = ["Anna has 12 apples, and one pear."] * 10
WORSE = ["anna has 13 apples and one pear"] * 10


def speech(*texts: str | None, taught: str = "a word") -> Corpus:
    """A corpus that is only its clips: ten seconds each, twelve to train on, the given texts to test on."""
    train = [Clip(f"train-{i}", f"train-{i}", taught, "train", "s", 0, 160_000) for i in range(12)]
    test = [Clip(f"test-{i}", f"test-{i}", text, "test", "s", 0, 160_000) for i, text in enumerate(texts)]
    return Corpus(folder=Path(), clips=(*train, *test), shards=(), rejects=(), warnings=())


class Words:
    """Every word is a token."""

    def num_tokens(self, text: str) -> int:
        return len(text.split())


def concluded(out: Path, language, speaker, heard, general=None, taught="a word"):
    """Return the report of a job. `heard`: texts by "base:speaker:whole" and so on. Where only one kind of window is
    given for a model and speech, the compressed one hears the same in both.
    """
    evaluated, heard = {}, dict(heard)
    for name in [name for name in heard if name.count(":") == 1]:
        said = heard.pop(name)
        heard |= {f"{name}:whole": said} | ({f"{name}:fitted": said} if name.startswith("compressed") else {})
    tuned = out / "config.json"
    tuned.write_text(json.dumps({"adaptwin_plan": {}, "adaptwin_margin_s": 0.5}))
    for name, said in heard.items():
        texts = out / f"{name.replace(':', '-')}.json"
        texts.write_text(json.dumps({f"test-{i}": text for i, text in enumerate(said)}))
        compute_s = 1.0 if name.endswith("fitted") else 4.0
        evaluated[EvaluationKey.parse(name)] = TaskResult(
            {TEXTS_FILE: texts}, {"compute_s": compute_s, "audio_s": 10.0}
        )
    recipe = recipe_of(
        CompressionSpec(plan="uniform", language=language),
        speech(*speaker, taught=taught),
        speech(*general) if general else None,
        shape=WHISPERS["base"],
        featurizer=Words(),
        folder=out,
        results={Stage.TUNE: {ModelKey(): TaskResult({tuned.name: tuned})}, Stage.EVALUATE: evaluated},
    )
    made = publish(recipe, ModelKey(), out)
    assert json.loads(made.files["report.json"].read_text()) == made.figures
    return made.files, made.figures
