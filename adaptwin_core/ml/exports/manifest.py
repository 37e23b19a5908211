"""What travels with an export so that it can be checked later: adaptwin.json, and a software bill of materials.

The bill is CycloneDX 1.6: the base model, and the libraries that made the files.
"""

import json
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from adaptwin_core.domain.digest import digest_file, digest_json
from adaptwin_core.domain.errors import CorruptBlob, NotFound
from adaptwin_core.domain.exports import FORMATS

MANIFEST, BILL, REPORT = "adaptwin.json", "bom.cdx.json", "report.json"
LIBRARIES = (
    "torch",
    "transformers",
    "peft",
    "safetensors",
    "numpy",
    "ctranslate2",
    "onnx",
    "onnxscript",
    "onnxruntime",
    "sherpa-onnx",
    "gguf",
    "pywhispercpp",
)


def write_manifest(
    out: Path, form: str, checkpoint: Path, verdict: Mapping[str, Any] | None, *, licence: str | None
) -> dict[str, Any]:
    """Write both files beside an export, and return the manifest.

    Args:
        checkpoint: the folder the export was made of; its report.json tells of settings and scores.
        verdict: of `judged.verdict`, if the export was heard.
        licence: of the base model, as an SPDX identifier, if known.
    """
    report = json.loads((checkpoint / REPORT).read_text("utf-8")) if (checkpoint / REPORT).exists() else {}
    (out / BILL).write_text(json.dumps(_bill(report, licence), indent=2) + "\n")
    manifest = {
        "format": form,
        "runtime": FORMATS[form].runtime,
        "base_model": {name: report.get(f"base_{name}") for name in ("model", "digest")} | {"licence": licence},
        "settings": report.get("spec"),
        "scores": {"checkpoint": report.get("speech"), "export": verdict},
        "libraries": _versions(),
        "files": {
            str(path.relative_to(out)): {"sha256": digest_file(path), "bytes": path.stat().st_size}
            for path in sorted(out.rglob("*"))
            if path.is_file() and path.name != MANIFEST
        },
    }
    (out / MANIFEST).write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n")
    return manifest


def checked(folder: Path) -> dict[str, Any]:
    """Return the manifest of an export or of a downloaded model, every file of it checked against its SHA-256.

    Raises:
        NotFound: the folder holds no manifest.
        CorruptBlob: files are missing or changed; the message names them.
    """
    found = next((folder / name for name in (MANIFEST, "manifest.json") if (folder / name).exists()), None)
    if found is None:
        raise NotFound(
            f"{folder} holds neither {MANIFEST} nor manifest.json: give the folder of a model or of an export"
        )
    manifest: dict[str, Any] = json.loads(found.read_text("utf-8"))
    bad = [
        name
        for name, file in manifest["files"].items()
        if not (folder / name).is_file() or digest_file(folder / name) != file["sha256"]
    ]
    if bad:
        raise CorruptBlob(f"missing or changed since it was made: {', '.join(bad)}. Download or export it again")
    return manifest


def _versions() -> dict[str, str]:
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = distribution(name).version
        except PackageNotFoundError:  # runtimes are optional
            continue
    return found


def _bill(report: Mapping[str, Any], licence: str | None) -> dict[str, Any]:
    model = {
        "type": "machine-learning-model",
        "name": report.get("base_model", "unknown"),
        **({"hashes": [{"alg": "SHA-256", "content": report["base_digest"]}]} if "base_digest" in report else {}),
        **({"licenses": [{"license": {"id": licence}}]} if licence else {}),
    }
    libraries = [
        {"type": "library", "name": name, "version": version, "purl": f"pkg:pypi/{name}@{version}"}
        for name, version in _versions().items()
    ]
    components = [model, *libraries]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"properties": [{"name": "adaptwin:digest", "value": digest_json(components)}]},
        "components": components,
    }
