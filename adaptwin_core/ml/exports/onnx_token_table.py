"""The scores of all tokens computed in 8 bits.

Whisper has one table for the tokens that it reads and for the scores that it gives. onnxruntime's quantizer stores it
in 8 bits and lets the graph turn all of it to 32 bits for every token, which takes most of a small decoder's step. Here
the product is computed in 8 bits as those of the other matrices are, from the same table.
"""

import onnx
from onnx.helper import make_node


def score_in_8_bits(model: onnx.ModelProto) -> None:
    """Replace each product of hidden states and a dequantized, transposed table by one of whole numbers.

    onnxruntime transposes the table when it loads the graph, and fuses the other nodes into one. A graph without such a
    product stays as it is.
    """
    graph = model.graph
    stored = {tensor.name for tensor in graph.initializer}
    maker = {name: node for node in graph.node for name in node.output}
    for product in [node for node in graph.node if node.op_type == "MatMul"]:
        transpose = maker.get(product.input[1])
        dequantize = (
            maker.get(transpose.input[0]) if transpose is not None and transpose.op_type == "Transpose" else None
        )
        if dequantize is None or dequantize.op_type != "DequantizeLinear" or dequantize.input[0] not in stored:
            continue
        (scores,) = product.output
        place = list(graph.node).index(product)
        for node in (dequantize, transpose, product):
            graph.node.remove(node)
        for node in reversed(_product(product.input[0], list(dequantize.input), scores)):
            graph.node.insert(place - 2, node)


def _product(hidden: str, table: list[str], scores: str) -> list[onnx.NodeProto]:
    """Return the nodes in the order in which they run. `table` names the stored numbers, their scale and their zero."""
    numbers, scale, zero = table
    names = {part: f"{scores}_{part}" for part in ("hidden", "scale", "zero", "table", "whole", "float", "scales")}
    return [
        make_node("DynamicQuantizeLinear", [hidden], [names["hidden"], names["scale"], names["zero"]]),
        make_node("Transpose", [numbers], [names["table"]], perm=[1, 0]),
        make_node("MatMulInteger", [names["hidden"], names["table"], names["zero"], zero], [names["whole"]]),
        make_node("Cast", [names["whole"]], [names["float"]], to=onnx.TensorProto.FLOAT),
        make_node("Mul", [names["scale"], scale], [names["scales"]]),
        make_node("Mul", [names["float"], names["scales"]], [scores]),
    ]
