"""The tokens of the base model that the person's languages need; the model that follows has no others."""

import json
from pathlib import Path

from adaptwin_core.domain.progress import Progress, no_progress
from adaptwin_core.domain.task_keys import ModelKey
from adaptwin_core.ml.base.kept_tokens import kept_tokens
from adaptwin_core.ml.base.token_ids import ids_in, is_multilingual
from adaptwin_core.ml.base.weights import read_json
from adaptwin_core.ml.stages.file_names import KEPT_TOKENS_FILE
from adaptwin_core.ml.stages.recipe import Recipe
from adaptwin_core.ml.stages.task_result import TaskResult


def vocabulary(recipe: Recipe, _key: ModelKey, out: Path, progress: Progress = no_progress) -> TaskResult:
    """Choose the tokens that the model keeps. A model for English only may have grown a token; it keeps all.

    Returns:
        the file of their ids, and figures: how many are kept, and of how many.
    """
    progress(0, 1)
    size = recipe.base.shape.vocab_size
    tokenizer = read_json(recipe.base.folder / "tokenizer.json")
    kept = list(range(size))
    if is_multilingual(ids_in(tokenizer)):
        corpora = [corpus for corpus in (recipe.speaker, recipe.general) if corpus is not None]
        texts = [clip.text for corpus in corpora for clip in corpus.clips if clip.text]
        kept = kept_tokens(tokenizer, recipe.spec.spoken, texts, vocab_size=size)
    path = out / KEPT_TOKENS_FILE
    path.write_text(json.dumps({"kept": kept}))
    progress(1, 1)
    return TaskResult({path.name: path}, {"kept": len(kept), "of": size})
