"""Which tasks a stage has, and what each may see."""

import pytest

from adaptwin_core.domain.planner import blocks_to_cut, make_plan
from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.domain.stage_spec import stage_spec
from adaptwin_core.domain.states import JOB_STAGES, Stage
from adaptwin_core.service.pipeline import next_tasks
from adaptwin_core.service.results import upstream_of
from tests.integration.world import SHAPE
from tests.published_whispers import WHISPERS


def keys(stage: Stage, *, has_general: bool = False, **spec: object) -> list[str]:
    return next_tasks(stage, CompressionSpec.model_validate(spec), SHAPE, num_shards=3, has_general=has_general)


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
    assert keys(Stage.EVALUATE) == ["base:speaker", "compressed:speaker"]
    assert len(keys(Stage.EVALUATE, has_general=True)) == 4


@pytest.mark.parametrize("stage", [Stage.PERSONALIZE, Stage.TUNE, Stage.PUBLISH])
def test_one_task_works_on_the_whole_model(stage: Stage):
    assert keys(stage) == ["model"]


def test_every_stage_of_some_job_has_tasks():
    assert all(keys(stage, max_wer=5.0) for stage in JOB_STAGES)


def test_a_model_that_learns_nothing_before_its_cut_has_no_task_for_it():
    assert keys(Stage.PERSONALIZE, personal_steps=0) == []


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
    learning = stage_spec(Stage.PERSONALIZE, "model", SPEC)
    assert (learning.personal_steps, learning.language, learning.seed) == (9, "de", 3)
    assert learning.encoder_cut == default.encoder_cut  # every size of one person's model starts from the same
    assert learning.tune_steps == default.tune_steps
    measuring = stage_spec(Stage.CALIBRATE, "shard-0-of-3", SPEC)
    assert (measuring.tune_steps, measuring.layer_steps) == (default.tune_steps, default.layer_steps)
    assert measuring.language == "de"
    other_size = SPEC.model_copy(update={"encoder_cut": 0.6, "equal_heads": True})
    assert measuring == stage_spec(Stage.CALIBRATE, "shard-0-of-3", other_size)  # another size reuses what was measured
    assert measuring != stage_spec(Stage.CALIBRATE, "shard-0-of-3", SPEC.model_copy(update={"decoder_cut": 0.1}))
    both = SPEC.model_copy(update={"decoder_cut": 0.1})
    of_whole = SPEC.model_copy(update={"model_cut": 0.2})
    assert stage_spec(Stage.WEIGH, "encoder.0.self", both) == stage_spec(Stage.WEIGH, "encoder.0.self", of_whole)
    by_hand = SPEC.model_copy(update={"plan": "successive"})  # which layers are cut follows from the cut
    assert stage_spec(Stage.CALIBRATE, "shard-0-of-3", by_hand).encoder_cut == 0.2
    cutting = stage_spec(Stage.FACTORIZE, "encoder.0.self", SPEC)
    assert (cutting.tune_steps, cutting.layer_steps) == (default.tune_steps, 8)
    assert stage_spec(Stage.TUNE, "model", SPEC) == SPEC
    small = CompressionSpec(max_wer=8.0, weights="int4")  # trials are heard as the model will be stored
    assert stage_spec(Stage.SEARCH, "model", small).weights == "int4"
    assert stage_spec(Stage.WEIGH, "encoder.0.self", small).weights == "float16"
    scaled = SPEC.model_copy(update={"scale_steps": 7})  # of weights of 4 bits alone
    assert stage_spec(Stage.TUNE, "model", scaled) == stage_spec(Stage.TUNE, "model", SPEC)
    scaled = scaled.model_copy(update={"weights": "int4"})
    assert stage_spec(Stage.TUNE, "model", scaled).scale_steps == 7
    assert stage_spec(Stage.FACTORIZE, "encoder.0.self", scaled).scale_steps == default.scale_steps
    assert stage_spec(Stage.EVALUATE, "compressed:speaker", SPEC) == SPEC
    assert stage_spec(Stage.EVALUATE, "base:speaker", SPEC) == CompressionSpec(language="de", seed=3)


@pytest.mark.parametrize(
    "spec", [{"max_bytes": 60_000_000, "weights": "int8"}, {"model_cut": 0.1}, {"plan": "uniform"}, {"max_wer": 8.0}]
)
def test_every_stage_that_needs_a_plan_comes_to_the_same_one(spec: dict):
    base = WHISPERS["base"]
    whole = CompressionSpec.model_validate(spec)
    seen = stage_spec(Stage.FACTORIZE, "encoder.0.self", whole)
    assert make_plan(seen, base) == make_plan(whole, base)
    calibrated = blocks_to_cut(stage_spec(Stage.CALIBRATE, "shard-0-of-1", whole), base)
    assert set(make_plan(whole, base).blocks) <= {str(block) for block in calibrated}


def test_a_stage_reads_earlier_stages_only():
    assert upstream_of(Stage.PERSONALIZE, "model") == ()
    assert upstream_of(Stage.CALIBRATE, "shard-0-of-3") == (Stage.PERSONALIZE,)
    assert upstream_of(Stage.TUNE, "model") == (
        Stage.PERSONALIZE,
        Stage.CALIBRATE,
        Stage.WEIGH,
        Stage.SEARCH,
        Stage.FACTORIZE,
    )
    assert upstream_of(Stage.EVALUATE, "base:speaker") == ()
    assert upstream_of(Stage.EVALUATE, "compressed:speaker") == (Stage.TUNE,)
    assert upstream_of(Stage.PUBLISH, "model") == JOB_STAGES[:-1]
