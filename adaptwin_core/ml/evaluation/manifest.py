"""The manifest (adaptwin.json) and the software bill of materials, by which every model and export can be checked.

The bill is CycloneDX 1.6: it names the base model, and the libraries that were installed where the files were made.
"""

import json
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from adaptwin_core.domain.digest import digest_file, digest_json
from adaptwin_core.domain.errors import CorruptBlob, NotFound
from adaptwin_core.domain.exports import CHECKPOINT, FORMATS
from adaptwin_core.domain.manifests import MODEL_MANIFEST

BILL = "bom.cdx.json"
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
    files: Mapping[str, Path],
    out: Path,
    *,
    form: str,
    report: Mapping[str, Any],
    verdict: Mapping[str, Any] | None,
    licence: str | None,
) -> dict[str, Path]:
    """Write both into a folder, for the files that they will be published with, and return both by name.

    Args:
        form: one of `domain.exports.FORMATS`, or `CHECKPOINT`.
        report: of the model, with its settings and scores.
        verdict: of `exports.acceptance.verdict`, where an export was tested.
        licence: of the base model, as an SPDX identifier, if known.
    """
    bill = out / BILL
    bill.write_text(json.dumps(_bill(report, licence), indent=2) + "\n")
    manifest = {
        "format": form,
        "runtime": FORMATS[form].runtime if form in FORMATS else "transformers",
        "base_model": {name: report.get(f"base_{name}") for name in ("model", "digest")} | {"licence": licence},
        "settings": report.get("spec"),
        "margin_s": report.get("window", {}).get("margin_s") if _takes_fitted_windows(form) else None,
        "verdict": report.get("verdict"),
        "scores": {"model": report.get("speech"), "export": verdict},
        "libraries": _versions(),
        "files": {
            name: {"sha256": digest_file(path), "bytes": path.stat().st_size}
            for name, path in sorted({**files, BILL: bill}.items())
        },
    }
    (out / MODEL_MANIFEST).write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n")
    return {BILL: bill, MODEL_MANIFEST: out / MODEL_MANIFEST}


def _takes_fitted_windows(form: str) -> bool:
    return form == CHECKPOINT or FORMATS[form].takes_fitted_windows


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a model or an export. Raises NotFound."""
    if not (folder / MODEL_MANIFEST).is_file():
        raise NotFound(
            f"{folder} holds no {MODEL_MANIFEST}: give the folder of a downloaded model, or of an export. A model from "
            "before there were manifests must be made again"
        )
    manifest: dict[str, Any] = json.loads((folder / MODEL_MANIFEST).read_text("utf-8"))
    return manifest


def check_files(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Check every file that a manifest names. Raises CorruptBlob, naming those that are missing or changed."""
    bad = [
        name
        for name, file in manifest["files"].items()
        if not (folder / name).is_file() or digest_file(folder / name) != file["sha256"]
    ]
    if bad:
        raise CorruptBlob(f"missing or changed since it was made: {', '.join(bad)}. Download or export it again")


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
