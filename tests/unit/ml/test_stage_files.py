"""Results are kept for months: a worker of today reads what one of yesterday wrote."""

from adaptwin_core.domain.result_name import CODE_VERSION
from adaptwin_core.ml.stages import file_names


def test_a_new_name_of_a_file_is_a_new_code_version():
    names = {name: value for name, value in vars(file_names).items() if name.endswith("_FILE")}
    assert (CODE_VERSION, names) == (
        22,
        {
            "KEPT_TOKENS_FILE": "tokens.json",
            "ENCODED_FILE": "encoded.safetensors",
            "SENSITIVITY_FILE": "offers.json",
            "NEURON_ORDER_FILE": "order.safetensors",
            "CUT_FILE": "cut.json",
            "BLOCK_FILE": "block.safetensors",
            "TEXTS_FILE": "texts.json",
            "FAMILY_PLOT_FILE": "family.png",
        },
    )
