"""The scores of all tokens from the one table that is stored in 8 bits."""

from collections import Counter

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

from adaptwin_core.ml.exports.onnx_files import export
from adaptwin_core.ml.exports.onnx_token_table import score_in_8_bits

TOKENS, WIDTH = 400, 32


class Tied(nn.Module):
    """Reads tokens and scores them with one table."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.read, self.score = nn.Embedding(TOKENS, WIDTH), nn.Linear(WIDTH, TOKENS, bias=False)
        self.score.weight = self.read.weight

    def forward(self, tokens_BL):
        return self.score(self.read(tokens_BL).tanh())


@pytest.fixture(scope="module")
def tied():
    return Tied().eval()


@pytest.fixture(scope="module")
def path(tied, tmp_path_factory):
    path = tmp_path_factory.mktemp("graphs") / "tied.onnx"
    tokens_BL = torch.zeros(2, 3, dtype=torch.int64)
    export(tied, (tokens_BL,), path, inputs={"tokens": {0: "batch", 1: "new"}}, outputs=["scores"], weights="int8")
    return path


def kinds_of(graph):
    return Counter(node.op_type for node in graph.node)


def test_no_product_is_of_32_bits_and_the_table_is_stored_once(path):
    graph = onnx.load(path).graph
    kinds = kinds_of(graph)
    assert (kinds["MatMul"], kinds["MatMulInteger"], kinds["Gather"]) == (0, 1, 1)
    (stored,) = (tensor for tensor in graph.initializer if tuple(tensor.dims) == (TOKENS, WIDTH))
    assert stored.data_type == onnx.TensorProto.UINT8


def test_the_table_is_never_turned_to_32_bits(path, tmp_path):
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "as_run.onnx")
    onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    graph = onnx.load(options.optimized_model_filepath).graph
    kinds = kinds_of(graph)
    assert kinds["DynamicQuantizeMatMul"] == 1
    assert kinds["Transpose"] == 0
    (dequantize,) = (node for node in graph.node if node.op_type == "DequantizeLinear")
    (gather,) = (node for node in graph.node if node.op_type == "Gather")
    assert dequantize.input[0] == gather.output[0], "only the rows of the tokens that are read"


@torch.no_grad()
def test_the_scores_are_near_those_of_32_bits(path, tied):
    tokens_BL = torch.randint(TOKENS, (2, 9))
    (found,) = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(
        None, {"tokens": tokens_BL.numpy()}
    )
    expected = tied(tokens_BL).numpy()
    assert np.abs(found - expected).max() < 0.02 * np.abs(expected).max()
    assert (found.argmax(-1) == expected.argmax(-1)).all()


def test_a_graph_without_such_a_product_stays_as_it_is(path):
    model = onnx.load(path)
    before = model.SerializeToString()
    score_in_8_bits(model)
    assert model.SerializeToString() == before
