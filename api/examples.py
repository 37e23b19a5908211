"""The examples of the page /docs: one way from a dataset to an export, with the figures of the demo's job.

They are told by the name of a schema. The OpenAPI document shows them wherever a request or an answer has that schema.
"""

import json
from typing import Any

from fastapi.sse import format_sse_event

from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.domain.stage_table import JOB_STAGES
from adaptwin_core.domain.stages import Stage

_DATASET, _GENERAL = "ds_01kbd4q8z0f3v6m2x9w7t5r1ca", "ds_01kbd4qap7n0e5g8h2j4k6m3db"
_JOB, _MODEL = "job_01kbd52mgx4c8b1n7y0z3q6w9e", "mdl_01kbd5c0r2t9s5f1d7h3k8p4vg"
_WAV_SHA256 = "5b2c1d0a9f8e7d6c5b4a39281706f5e4d3c2b1a0998877665544332211ffeedd"
_WEIGHTS_SHA256 = "c1f0a7b35d2e4f6981c3d5e7f90b1a2c3d4e5f60718293a4b5c6d7e8f9010203"
_EXPORT_SHA256 = "7e3d9c1b5a7f8e6d4c2b0a19f8e7d6c5b4a392817060f1e2d3c4b5a697887766"
_SPEC = {"encoder_cut": 0.35}
_SENTENCE = (
    "Better than the original for this speaker: 11.6 to 22.2 points fewer words wrong (95 % interval, 49 clips)."
)

_UPLOAD = {
    "id": "up_01kbd4rd3w8k5x2m9c7v1b4nzf",
    "file_name": "day1/001.wav",
    "state": "complete",
    "length": 137324,
    "offset": 137324,
    "sha256": _WAV_SHA256,
    "expires_at": "2026-12-02T09:14:07Z",
}
_DATASET_SUMMARY = {"id": _DATASET, "name": "Ada", "state": "ready", "created_at": "2026-12-01T09:12:40Z"}
_REPORT = {
    "seconds": 1646.306,
    "clips": 389,
    "recordings": 389,
    "labelled": 389,
    "labelled_train": 320,
    "splits": {"train": 1350.524, "valid": 89.146, "test": 206.635},
    "parts": {
        name: {
            "clips": clips,
            "labelled": clips,
            "silent": 0,
            "labelled_seconds": seconds,
            "unlabelled_seconds": 0.0,
            "words": words,
            "characters": characters,
        }
        for name, clips, seconds, words, characters in (
            ("train", 320, 1350.524, 3957, 19133),
            ("valid", 20, 89.146, 245, 1252),
            ("test", 49, 206.635, 607, 2941),
        )
    },
    "rejects": [
        {
            "name": "notes.docx",
            "code": "not_audio",
            "reason": "it is a document; save its table as csv, or its text as txt, in UTF-8",
        }
    ],
    "warnings": [],
    "notes": [
        {
            "name": "metadata.csv",
            "code": "table",
            "message": "a table parted by commas, with a header: files in column 1 (file_name), texts in column 2 "
            "(transcription), splits in column 3 (split)",
        }
    ],
}
_CLIP = {
    "id": "clip-00000",
    "recording": "day1/001.wav",
    "split": "train",
    "seconds": 4.29,
    "text": "Please send the report to the office before nine tomorrow morning.",
}
_BASE_MODEL = {
    "id": "whisper-tiny.en",
    "digest": "2f1f0f5c6fd4a77c2d7ac8cbb57b5f0ef5d3c7f4be9ab1a2c04d9e8f7a6b5c4d",
    "licence": "mit",
    "languages": ["en"],
    "shape": {
        "d_model": 384,
        "encoder_layers": 4,
        "decoder_layers": 4,
        "encoder_heads": 6,
        "decoder_heads": 6,
        "encoder_ffn": 1536,
        "decoder_ffn": 1536,
        "vocab_size": 51864,
        "num_mel_bins": 80,
        "max_source_positions": 1500,
        "max_target_positions": 448,
    },
    "params": {"encoder": 7632384, "decoder": 29551872, "total": 37760256},
}
_JOB_SUMMARY = {
    "id": _JOB,
    "name": "Ada, small",
    "state": "running",
    "stage": "factorize",
    "dataset_id": _DATASET,
    "general_dataset_id": _GENERAL,
    "base_models": ["whisper-tiny.en"],
    "created_at": "2026-12-01T09:20:11Z",
    "started_at": "2026-12-01T09:20:12Z",
    "finished_at": None,
    "error": None,
}


def _task(key: str, state: str, seconds: float | None, progress: dict[str, Any] | None = None) -> dict[str, Any]:
    attempt = 0 if seconds is None else 1
    return {
        "key": key,
        "models": [0],
        "state": state,
        "attempt": attempt,
        "progress": progress,
        "seconds": seconds,
        "error": None,
    }


_TASKS = {
    Stage.PERSONALIZE: [_task("model", "done", 112.8)],
    Stage.CALIBRATE: [_task("shard-0-of-2", "done", 16.4), _task("shard-1-of-2", "done", 16.7)],
    Stage.WEIGH: [_task(f"encoder.{layer}.self", "done", 10.3) for layer in range(4)],
    Stage.FACTORIZE: [
        _task("encoder.0.self", "done", 2.7),
        _task("encoder.1.self", "running", 1.2, {"step": 10, "total": 24}),
        _task("encoder.2.self", "queued", None),
        _task("encoder.3.self", "queued", None),
    ],
}


def _stage(stage: Stage) -> dict[str, Any]:
    tasks = _TASKS.get(stage, [])
    num_done = sum(task["state"] == "done" for task in tasks)
    return {"stage": stage.value, "num_done": num_done, "num_tasks": len(tasks), "tasks": tasks}


_RUNNING_JOB = {
    **_JOB_SUMMARY,
    "models": [
        {
            "base_model": "whisper-tiny.en",
            "spec": CompressionSpec.model_validate(_SPEC).model_dump(mode="json"),
            "model_id": None,
            "verdict": None,
        }
    ],
    "choice": None,
    "accept_little": False,
    "stages": [_stage(stage) for stage in JOB_STAGES],
    "queue_position": 1,
    "time_left": {"low_s": 96.0, "likely_s": 121.5, "high_s": 164.0},
    "model_id": None,
    "verdict": None,
}
_MODEL_SUMMARY = {
    "id": _MODEL,
    "job_id": _JOB,
    "name": "whisper-tiny.en, encoder -35 %, float16",
    "created_at": "2026-12-01T09:24:53Z",
    "num_downloads": 1,
}
_VERDICT = {
    "outcome": "better",
    "is_sure": True,
    "sentence": _SENTENCE,
    "difference": -0.1672,
    "low": -0.2224,
    "high": -0.1159,
    "margin_s": None,
    "others": "no_worse",
    "advice": [],
}
_EXPORT = {
    "format": "ct2-int8",
    "state": "ready",
    "progress": None,
    "verdict": {"is_offered": True, "unit": "word", "error_rate": 0.0695, "checkpoint_error_rate": 0.0695, "why": None},
    "files": {"model.bin": {"sha256": _EXPORT_SHA256, "bytes": 39381504}},
    "error": None,
}
_ESTIMATE = {
    "problems": [],
    "remarks": [],
    "models": [
        {
            "base_model": "whisper-tiny.en",
            "encoder_params": 4923648,
            "total_params": 35051520,
            "bytes": 70103040,
            "tokens": 51864,
            "is_exact": False,
            "why_not_exact": [
                "the sizes of its parts follow from measurements of the speech; at least as many parameters go as the "
                "cut asks for"
            ],
        }
    ],
    "work": {
        "time": {"low_s": 228.4, "likely_s": 279.6, "high_s": 361.0},
        "alone": {"low_s": 228.4, "likely_s": 279.6, "high_s": 361.0},
        "stages": [
            {
                "stage": stage,
                "num_tasks": num_tasks,
                "num_kept": 0,
                "time": {"low_s": low_s, "likely_s": likely_s, "high_s": high_s},
            }
            for stage, num_tasks, low_s, likely_s, high_s in (
                ("personalize", 1, 98.0, 112.8, 129.7),
                ("calibrate", 2, 13.6, 16.7, 20.1),
                ("weigh", 4, 17.9, 20.6, 25.0),
                ("factorize", 4, 4.3, 5.4, 7.9),
                ("tune", 1, 49.5, 62.9, 84.3),
                ("evaluate", 6, 44.3, 60.1, 92.0),
                ("publish", 1, 0.8, 1.1, 2.0),
            )
        ],
        "memory_bytes": 2379800000,
        "disk_bytes": 331500000,
    },
    "workers": 2,
    "rates": "measured",
}
_LINK = {
    "url": f"https://adaptwin.example.com/v1/models/{_MODEL}/exports/ct2-int8/archive"
    "?expires=1796121012&key=key_01kbd3x9w2m5c8v1b4n7y0z3qh&signature=R0tXb2JzVnJ5U2lnbmF0dXJlT2ZBbkV4YW1wbGUtMDE",
    "expires_at": "2026-12-01T10:30:12Z",
}
_EVENT: dict[str, Any] = {
    "id": 4711,
    "created_at": "2026-12-01T09:23:02Z",
    "kind": "task",
    "message": "factorize encoder.0.self done",
    "data": {"stage": "factorize", "task": "encoder.0.self", "remaining": 3},
}
_WEBHOOK = {
    "id": "wh_01kbd4a7m2c9x5v1n8z3k6w0ye",
    "url": "https://app.example.com/adaptwin",
    "events": ["job.succeeded", "job.failed"],
    "is_enabled": True,
    "created_at": "2026-12-01T09:10:31Z",
}
_DELIVERY = {
    "id": "dlv_01kbd5c1k7q4w8t2r6y0p3s9ma",
    "event_id": "evt_01kbd5c1k6f2d4h8j0m3n5v7xb",
    "type": "job.succeeded",
    "state": "delivered",
    "num_tries": 1,
    "next_try_at": None,
    "last_status": 204,
    "last_error": None,
    "created_at": "2026-12-01T09:24:53Z",
    "finished_at": "2026-12-01T09:24:54Z",
    "event": {
        "type": "job.succeeded",
        "timestamp": "2026-12-01T09:24:53.512Z",
        "data": {"job_id": _JOB, "dataset_id": _DATASET, "model_id": _MODEL},
    },
}

_STREAMED_EVENT = format_sse_event(data_str=json.dumps(_EVENT), event=_EVENT["kind"], id=str(_EVENT["id"])).decode()

# schema: {what an example shows: the example}
EXAMPLES: dict[str, dict[str, Any]] = {
    "NewDataset": {"The speech of one person": {"name": "Ada"}},
    "NewJob": {
        "A share of the encoder": {"dataset_id": _DATASET, "base_model": "whisper-tiny.en", "spec": _SPEC},
        "No more than 40 MB, and good for others too": {
            "dataset_id": _DATASET,
            "general_dataset_id": _GENERAL,
            "base_model": "whisper-tiny.en",
            "name": "Ada, small",
            "spec": {"max_bytes": 40_000_000, "weights": "int8", "exports": ["ct2-int8"]},
        },
        "Several models, and the best of them for a phone": {
            "dataset_id": _DATASET,
            "general_dataset_id": _GENERAL,
            "base_models": ["whisper-tiny.en", "whisper-base"],
            "make": "frontier",
            "limits": {"device": "phone"},
        },
        "Only trained for the speaker": {
            "dataset_id": _DATASET,
            "base_model": "whisper-base",
            "spec": {"encoder_cut": 0, "language": "de"},
        },
    },
    "NewWebhook": {
        "When a job ends": {"url": _WEBHOOK["url"], "events": _WEBHOOK["events"]},
        "Whatever ends": {"url": _WEBHOOK["url"]},
    },
    "WebhookChange": {
        "Enable it again": {"is_enabled": True},
        "Another address, and all events": {"url": "https://hooks.example.com/adaptwin", "events": None},
    },
    "NewExport": {"For faster-whisper": {"format": "ct2-int8"}},
    "NewLink": {
        "The model as an archive, for a day": {},
        "An export, for an hour": {"export": "ct2-int8", "expires_in_s": 3600},
        "One file": {"file": "model.safetensors"},
    },
    "LinkOut": {"To an export": _LINK},
    "DatasetOut": {
        "Ready": {
            **_DATASET_SUMMARY,
            "digest": "9c0ffee0d2b44e1f8a6c7b5d3e2f1a0b9c8d7e6f5a4b3c2d1e0f9a8b7c6d5e4f",
            "report": _REPORT,
            "error": None,
            "uploads": [_UPLOAD],
        }
    },
    "UploadedFiles": {"One file": {"uploads": [_UPLOAD]}},
    "EstimateOut": {"A job that may begin": _ESTIMATE},
    "JobOut": {"While blocks are cut": _RUNNING_JOB},
    "ModelOut": {
        "Its files and figures": {
            **_MODEL_SUMMARY,
            "manifest": {
                "files": {"model.safetensors": {"sha256": _WEIGHTS_SHA256, "bytes": 70061960}},
                "verdict": _VERDICT,
                "window": {"margin_s": None},
            },
        }
    },
    "ExportOut": {"Ready": _EXPORT},
    "RequestError": {
        "A file that is not audio": {
            "error": {
                "message": "it is a document; save its table as csv, or its text as txt, in UTF-8",
                "type": "invalid_request_error",
                "param": None,
                "code": "not_audio",
            }
        }
    },
    "WebhookOut": {"For jobs": _WEBHOOK},
    "WebhookMade": {"With its secret": {**_WEBHOOK, "secret": "whsec_Zm9yIHRoZSBleGFtcGxlIG9ubHk6IDMyIGJ5dGVzISE="}},
    "DeliveryOut": {"Delivered": _DELIVERY},
    "Live": {"Alive": {"status": "ok"}},
    "Ready": {"All is well": {"database": "ok", "broker": "ok", "free_disk_bytes": 187_904_819_200}},
    **{
        f"Page_{name}_": {"The last page": {"items": [item], "has_more": False}}
        for name, item in {
            "BaseModelOut": _BASE_MODEL,
            "ClipOut": _CLIP,
            "DatasetSummary": _DATASET_SUMMARY,
            "DeliveryOut": _DELIVERY,
            "EventOut": _EVENT,
            "ExportFormatOut": {
                "name": "ct2-int8",
                "runtime": "ctranslate2",
                "note": "for faster-whisper, computed in 8 bits",
                "is_exact": False,
            },
            "ExportOut": _EXPORT,
            "JobSummary": _JOB_SUMMARY,
            "ModelSummary": _MODEL_SUMMARY,
            "WebhookOut": _WEBHOOK,
        }.items()
    },
}


def add_examples(document: dict[str, Any]) -> None:
    """Put the examples into an OpenAPI document, at each request body and answer of their schema."""
    for methods in document["paths"].values():
        for operation in methods.values():
            for body in (operation.get("requestBody", {}), *operation["responses"].values()):
                content = body.get("content", {}).get("application/json", {})
                name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
                if name in EXAMPLES:
                    shown = EXAMPLES[name].items()
                    content["examples"] = {title: {"summary": title, "value": value} for title, value in shown}
                if (streamed := body.get("content", {}).get("text/event-stream")) is not None:
                    streamed["examples"] = {"An event": {"summary": "An event", "value": _STREAMED_EVENT}}
