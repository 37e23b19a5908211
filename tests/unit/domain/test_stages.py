"""The table of stages: which tasks a stage has, what each reads and may see, and what its results are called."""

import re

import pytest

from adaptwin_core.domain.budgets import BYTES_PER_PARAM
from adaptwin_core.domain.dataset_report import DatasetReport, RejectedFile
from adaptwin_core.domain.errors import AdaptwinError, InvalidSpec
from adaptwin_core.domain.model_limits import NO_LIMITS
from adaptwin_core.domain.planner import blocks_to_cut, make_plan
from adaptwin_core.domain.result_name import Ingredients, SpeechFacts, result_name
from adaptwin_core.domain.shape import ModelShape
from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.domain.stage_table import JOB_STAGES, TABLE, row_of, stages_of
from adaptwin_core.domain.stages import Outline, Owner, Stage
from adaptwin_core.domain.submission import require_reachable
from adaptwin_core.domain.task_keys import EvaluationKey, ExportKey
from adaptwin_core.domain.token_counts import least_tokens
from adaptwin_core.domain.vocabulary import smallest_shape, why_whole
from tests.integration.world import SHAPE
from tests.published_whispers import WHISPERS

MULTILINGUAL = SHAPE.with_tokens(51_865)


def keys(
    stage: Stage, *, shape: ModelShape = SHAPE, has_general: bool = False, num_models: int = 1, **spec: object
) -> list[str]:
    outline = Outline(CompressionSpec.model_validate(spec), shape, has_general, num_shards=3, num_models=num_models)
    return [str(key) for key in row_of(stage).keys(outline)]


def seen_by(stage: Stage, key: str, spec: CompressionSpec) -> CompressionSpec:
    row = row_of(stage)
    return row.sees(spec, row.key.parse(key))


def read_by(stage: Stage, key: str) -> tuple[Stage, ...]:
    row = row_of(stage)
    return row.reads(row.key.parse(key))


def test_calibration_is_shared_out():
    assert keys(Stage.CALIBRATE) == ["shard-0-of-3", "shard-1-of-3", "shard-2-of-3"]


def test_one_task_a_block_that_is_cut():
    encoder = [f"encoder.{i}.self" for i in range(SHAPE.encoder_layers)]
    assert keys(Stage.FACTORIZE) == encoder
    assert keys(Stage.FACTORIZE, decoder_cut=0.2) == [*encoder, "decoder.0.self", "decoder.0.cross"]
    assert keys(Stage.FACTORIZE, encoder_cut=0, decoder_cut=0.2) == ["decoder.0.self", "decoder.0.cross"]


def test_a_job_that_cuts_nothing_only_learns_its_speaker():
    assert [stage for stage in JOB_STAGES if keys(stage, encoder_cut=0)] == [
        Stage.PERSONALIZE,
        Stage.TUNE,
        Stage.EVALUATE,
        Stage.PUBLISH,
    ]


def test_general_speech_is_evaluated_where_there_is_any():
    heard = ["base:speaker:whole", "compressed:speaker:whole", "compressed:speaker:fitted"]
    assert keys(Stage.EVALUATE) == heard
    assert keys(Stage.EVALUATE, has_general=True) == heard + [key.replace("speaker", "general") for key in heard]


def test_a_key_without_a_window_is_of_whole_ones():
    assert EvaluationKey.parse("compressed:speaker") == EvaluationKey.parse("compressed:speaker:whole")
    assert EvaluationKey.parse("compressed:speaker:fitted") != EvaluationKey.parse("compressed:speaker")


@pytest.mark.parametrize("stage", [Stage.PERSONALIZE, Stage.TUNE, Stage.PUBLISH])
def test_one_task_works_on_the_whole_model(stage: Stage):
    assert keys(stage) == ["model"]


def test_every_stage_of_some_job_has_tasks():
    assert all(keys(stage, shape=MULTILINGUAL, max_wer=5.0, num_models=2) for stage in JOB_STAGES)


def test_one_model_is_not_chosen_and_hears_no_validation_clips():
    assert keys(Stage.CHOOSE) == []
    assert keys(Stage.CHOOSE, num_models=2) == ["family"]
    more = set(keys(Stage.EVALUATE, num_models=2)) - set(keys(Stage.EVALUATE))
    assert more == {"compressed:speaker:fitted:valid"}


def test_a_model_that_learns_nothing_before_its_cut_has_no_task_for_it():
    assert keys(Stage.PERSONALIZE, personal_steps=0) == []


@pytest.mark.parametrize(
    ("spec", "tokens"),
    [
        ({"language": "de"}, 51_865),
        ({"language": "de", "languages": ["en", "de"]}, 51_866),
    ],
)
def test_a_multilingual_model_for_listed_languages_drops_tokens(spec: dict, tokens: int):
    shape = SHAPE.with_tokens(tokens)
    assert keys(Stage.VOCABULARY, shape=shape, **spec) == ["model"]


@pytest.mark.parametrize(
    ("spec", "shape", "why"),
    [
        ({}, SHAPE, "the base model hears English only, or was made without other languages"),
        ({"vocabulary": "all"}, MULTILINGUAL, "the settings keep them"),
        ({"language": "th"}, MULTILINGUAL, "there is no list of the words of Thai (th)"),
        ({"language": "de", "languages": ["de", "th"]}, MULTILINGUAL, "there is no list of the words of Thai (th)"),
    ],
)
def test_any_other_model_keeps_all_tokens_and_the_report_says_why(spec: dict, shape: ModelShape, why: str):
    assert keys(Stage.VOCABULARY, shape=shape, **spec) == []
    assert why_whole(CompressionSpec.model_validate(spec), shape) == why


def test_a_budget_that_dropped_tokens_may_meet_leaves_open_which_blocks_are_cut():
    spec = {"max_bytes": 2 * MULTILINGUAL.total_params, "language": "de"}
    assert keys(Stage.FACTORIZE, vocabulary="all", **spec) == []
    assert len(keys(Stage.FACTORIZE, shape=MULTILINGUAL, **spec)) == SHAPE.encoder_layers + 2 * SHAPE.decoder_layers


def test_dropped_tokens_count_towards_a_budget_of_the_whole_model():
    base = WHISPERS["base"]
    fewer = base.with_tokens(base.vocab_size - 20_000)
    asked = CompressionSpec(model_cut=0.4)
    assert make_plan(asked, fewer, num_dropped=20_000).total_params(fewer) <= 0.6 * base.total_params
    met = CompressionSpec(model_cut=20_000 * base.d_model / base.total_params)
    assert make_plan(met, fewer, num_dropped=20_000).blocks == {}


@pytest.mark.parametrize(
    ("spoken", "fewest"),
    [
        ({"language": "de"}, least_tokens(["de"])),
        ({"language": "de", "languages": ["de", "en"]}, least_tokens(["de", "en"])),
        ({"language": "de", "vocabulary": "all"}, 50_257),
        ({"language": "th"}, 50_257),
    ],
)
@pytest.mark.parametrize("model", ["base", "large-v3"])
@pytest.mark.parametrize("weights", BYTES_PER_PARAM)
def test_a_size_is_refused_at_once_only_where_no_vocabulary_of_these_languages_could_have_it(
    model: str, weights: str, spoken: dict, fewest: int
):
    base = WHISPERS[model]
    shape = base.with_tokens(base.vocab_size - 50_257 + fewest)

    def asked(max_bytes: int) -> CompressionSpec:
        return CompressionSpec.model_validate({"max_bytes": max_bytes, "weights": weights, **spoken})

    assert smallest_shape(asked(10**9), base) == shape
    with pytest.raises(InvalidSpec, match="out of reach") as refused:
        require_reachable(asked(1_000_000), base)
    (fits,) = re.findall(r"\(([\d,]+) bytes\) must stay", refused.value.message)
    fits = int(fits.replace(",", ""))
    require_reachable(asked(fits), base)
    require_reachable(asked(fits), base, num_kept=shape.vocab_size)
    for too_small, num_kept in ((fits - 100_000, None), (fits, shape.vocab_size + 1000)):
        with pytest.raises(InvalidSpec, match="out of reach"):
            require_reachable(asked(too_small), base, num_kept=num_kept)


@pytest.mark.parametrize("plan", ["measured", "uniform"])
def test_a_size_that_more_tokens_can_have_is_not_refused_for_fewer(plan: str):
    base = WHISPERS["base"]
    fewer = smallest_shape(CompressionSpec(), base)
    met = (base.vocab_size - fewer.vocab_size) * base.d_model / base.total_params
    for cut in (0.5 * met, met, met + 1e-7, met + 1e-4, met + 0.1):
        spec = CompressionSpec.model_validate({"model_cut": cut, "plan": plan})
        require_reachable(spec, base, num_kept=fewer.vocab_size + 50)
        require_reachable(spec, base)


def test_only_a_wanted_error_rate_is_searched_for():
    assert keys(Stage.SEARCH) == []
    assert keys(Stage.SEARCH, max_wer=5.0) == ["model"]
    assert keys(Stage.FACTORIZE, max_wer=5.0) == keys(Stage.FACTORIZE, decoder_cut=0.0)


def test_only_a_measured_plan_weighs_blocks():
    assert keys(Stage.WEIGH) == keys(Stage.FACTORIZE)
    assert keys(Stage.WEIGH, plan="uniform") == []
    assert keys(Stage.WEIGH, ranks={"qk": 32}) == []


SPEC = CompressionSpec(personal_steps=9, tune_steps=7, layer_steps=8, language="de", seed=3, encoder_cut=0.2)


def test_a_stage_cannot_see_settings_it_has_no_business_with():
    default = CompressionSpec()
    learning = seen_by(Stage.PERSONALIZE, "model", SPEC)
    assert (learning.personal_steps, learning.language, learning.seed) == (9, "de", 3)
    assert learning.encoder_cut == default.encoder_cut  # every size of one person's model starts from the same
    assert learning.tune_steps == default.tune_steps
    measuring = seen_by(Stage.CALIBRATE, "shard-0-of-3", SPEC)
    assert (measuring.tune_steps, measuring.layer_steps) == (default.tune_steps, default.layer_steps)
    assert measuring.language == "de"
    other_size = SPEC.model_copy(update={"encoder_cut": 0.6, "equal_heads": True})
    assert measuring == seen_by(Stage.CALIBRATE, "shard-0-of-3", other_size)  # another size reuses what was measured
    assert measuring != seen_by(Stage.CALIBRATE, "shard-0-of-3", SPEC.model_copy(update={"decoder_cut": 0.1}))
    both = SPEC.model_copy(update={"decoder_cut": 0.1})
    of_whole = SPEC.model_copy(update={"model_cut": 0.2})
    assert seen_by(Stage.WEIGH, "encoder.0.self", both) == seen_by(Stage.WEIGH, "encoder.0.self", of_whole)
    by_hand = SPEC.model_copy(update={"plan": "successive"})  # which layers are cut follows from the cut
    assert seen_by(Stage.CALIBRATE, "shard-0-of-3", by_hand).encoder_cut == 0.2
    cutting = seen_by(Stage.FACTORIZE, "encoder.0.self", SPEC)
    assert (cutting.tune_steps, cutting.layer_steps) == (default.tune_steps, 8)
    assert seen_by(Stage.TUNE, "model", SPEC) == SPEC
    small = CompressionSpec(max_wer=8.0, weights="int4")  # trials are heard as the model will be stored
    assert seen_by(Stage.SEARCH, "model", small).weights == "int4"
    assert seen_by(Stage.WEIGH, "encoder.0.self", small).weights == "float16"
    scaled = SPEC.model_copy(update={"scale_steps": 7})  # of weights of 4 bits alone
    assert seen_by(Stage.TUNE, "model", scaled) == seen_by(Stage.TUNE, "model", SPEC)
    scaled = scaled.model_copy(update={"weights": "int4"})
    assert seen_by(Stage.TUNE, "model", scaled).scale_steps == 7
    assert seen_by(Stage.FACTORIZE, "encoder.0.self", scaled).scale_steps == default.scale_steps
    assert seen_by(Stage.EVALUATE, "compressed:speaker:fitted", SPEC) == SPEC
    assert seen_by(Stage.EVALUATE, "base:speaker:whole", SPEC) == CompressionSpec(language="de", seed=3)


@pytest.mark.parametrize(
    "spec", [{"max_bytes": 60_000_000, "weights": "int8"}, {"model_cut": 0.1}, {"plan": "uniform"}, {"max_wer": 8.0}]
)
def test_every_stage_that_needs_a_plan_comes_to_the_same_one(spec: dict):
    base = WHISPERS["base"]
    whole = CompressionSpec.model_validate(spec)
    seen = seen_by(Stage.FACTORIZE, "encoder.0.self", whole)
    assert make_plan(seen, base) == make_plan(whole, base)
    calibrated = blocks_to_cut(seen_by(Stage.CALIBRATE, "shard-0-of-1", whole), base)
    assert set(make_plan(whole, base).blocks) <= {str(block) for block in calibrated}


def test_a_stage_reads_earlier_stages_only():
    assert read_by(Stage.VOCABULARY, "model") == ()
    assert read_by(Stage.PERSONALIZE, "model") == (Stage.VOCABULARY,)
    assert read_by(Stage.CALIBRATE, "shard-0-of-3") == (Stage.VOCABULARY, Stage.PERSONALIZE)
    assert read_by(Stage.TUNE, "model") == (
        Stage.VOCABULARY,
        Stage.PERSONALIZE,
        Stage.CALIBRATE,
        Stage.WEIGH,
        Stage.SEARCH,
        Stage.FACTORIZE,
    )
    assert read_by(Stage.EVALUATE, "base:speaker:whole") == ()
    assert read_by(Stage.EVALUATE, "compressed:speaker:fitted") == (Stage.VOCABULARY, Stage.TUNE)
    for position, stage in enumerate(JOB_STAGES):
        for key in keys(stage, has_general=True, max_wer=5.0, num_models=2):
            assert set(read_by(stage, key)) <= set(JOB_STAGES[:position])


def test_every_stage_has_one_row_and_its_keys_are_read_back_from_their_written_form():
    assert [row.stage for row in TABLE] == list(Stage)
    for row in TABLE:
        spec = CompressionSpec(max_wer=5.0, exports=("dense",))
        outline = Outline(spec, SHAPE, has_general=True, num_shards=3, num_models=2)
        for key in row.keys(outline):
            assert row.key.parse(str(key)) == key


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.stage)
def test_a_key_of_another_form_is_refused(row):
    with pytest.raises((ValueError, AdaptwinError)):
        row.key.parse("nonsense")


def test_a_job_has_a_task_for_every_form_that_it_wants_its_model_in():
    outline = Outline(CompressionSpec(exports=("ct2-int8", "dense")), SHAPE, has_general=False)
    (stage,) = stages_of(Owner.EXPORT)
    assert row_of(stage).keys(outline) == [ExportKey("ct2-int8"), ExportKey("dense")]


def facts_of(*rejects: RejectedFile) -> SpeechFacts:
    report = DatasetReport(seconds=1, clips=1, labelled=1, splits={}, rejects=list(rejects), warnings=[])
    return SpeechFacts("speaker", report.model_dump(mode="json"))


def named(stage: Stage, key: str, spec: CompressionSpec, **changes) -> str:
    row = row_of(stage)
    speaker = facts_of()
    given = {"base": "base", "speaker": speaker, "general": None, "earlier": {}, "tenant": "ten"} | changes
    model = Ingredients(given.pop("base"), row.sees(spec, row.key.parse(key)), given.pop("earlier"))
    return result_name(stage, row.key.parse(key), [model], limits=NO_LIMITS, **given)


def test_two_sizes_of_one_model_share_what_does_not_depend_on_the_size():
    smaller = SPEC.model_copy(update={"encoder_cut": 0.5})
    shared = {
        stage
        for stage, key in [
            (Stage.PERSONALIZE, "model"),
            (Stage.CALIBRATE, "shard-0-of-1"),
            (Stage.WEIGH, "encoder.0.self"),
            (Stage.FACTORIZE, "encoder.0.self"),
            (Stage.TUNE, "model"),
        ]
        if named(stage, key, SPEC) == named(stage, key, smaller)
    }
    assert shared == {Stage.PERSONALIZE, Stage.CALIBRATE, Stage.WEIGH}


@pytest.mark.parametrize(
    "change",
    [{"base": "other"}, {"tenant": "other"}, {"earlier": {Stage.PERSONALIZE: {}}}],
    ids=str,
)
def test_a_result_is_named_by_all_that_goes_in(change):
    assert named(Stage.WEIGH, "encoder.0.self", SPEC, **change) != named(Stage.WEIGH, "encoder.0.self", SPEC)


def test_only_what_tells_of_refused_files_is_named_by_them():
    refused = RejectedFile(name="a.txt", code="not_audio", reason="no audio")
    facts = [facts_of(), facts_of(refused)]
    for stage, is_told in ((Stage.TUNE, False), (Stage.PUBLISH, True)):
        names = {named(stage, "model", SPEC, speaker=speaker) for speaker in facts}
        assert len(names) == 1 + is_told
