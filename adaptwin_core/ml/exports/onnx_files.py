"""Modules written as ONNX files, in 32 or 8 bits."""

from pathlib import Path
from typing import Any

import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import nn

from adaptwin_core.domain.errors import InvalidInput
from adaptwin_core.ml.exports.onnx_token_table import score_in_8_bits

OPSET = 18
MOST_BYTES = 2**31 - 2**24  # of weights: a file is one protobuf message, of at most 2 GiB


def export(
    module: nn.Module,
    example: tuple[Any, ...],
    path: Path,
    *,
    inputs: dict[str, dict[int, str]],
    outputs: list[str],
    weights: str,
    metadata: dict[str, Any] | None = None,
) -> None:
    """Trace `module` to a graph whose named axes have no fixed size.

    Args:
        example: arguments. No free axis may have size 1, and no tensor may be given twice, since it would become one
            input.
        inputs: for each tensor of `example` its name, and the names of its free axes.
        weights: float32, or int8: matrices and token table in 8 bits, products computed in 8 bits.
        metadata: entries that a runtime reads from the file beside the graph.

    Raises:
        InvalidInput: the weights are more than one file holds.
    """
    weights_bytes = sum(tensor.numel() * 4 for tensor in module.parameters())
    if weights_bytes > MOST_BYTES:
        raise InvalidInput(
            f"{path.name} would need {weights_bytes / 1e9:.1f} GB in 32 bits, more than one ONNX file holds: "
            "export to ct2-int8 or dense instead"
        )
    axes = iter(inputs.values())
    shapes = tuple([next(axes) for _ in given] if isinstance(given, list) else next(axes) for given in example)
    program = torch.onnx.export(
        module.eval(),
        example,
        dynamo=True,
        opset_version=OPSET,
        input_names=list(inputs),
        output_names=outputs,
        dynamic_shapes=shapes,
        external_data=False,
        verbose=False,
    )
    assert program is not None
    graph = program.model_proto
    if weights == "int8":
        whole = path.with_suffix(".whole")
        onnx.save(graph, whole)
        quantize_dynamic(
            whole,
            path,
            per_channel=True,
            weight_type=QuantType.QInt8,
            op_types_to_quantize=["MatMul", "Gather"],
            extra_options={"MatMulConstBOnly": True},
        )
        whole.unlink()
        graph = onnx.load(path)
        score_in_8_bits(graph)
    if metadata is not None:
        onnx.helper.set_model_props(graph, {key: str(value) for key, value in metadata.items()})
    onnx.save(graph, path)
