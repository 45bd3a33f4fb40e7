"""An Assessor as one ONNX graph: Gemm, ReLU, Gemm, with the linear heads folded into the second Gemm."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from turnout.train.assessor import Assessor

OPSET, IR_VERSION = 17, 9


def folded(model: Assessor) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """The second Gemm's weight [2 Z + 1 + K + 2, H] and bias: latent mean, log-variance, b, domain logits, floor (0: it
    comes with the domains), log length.
    """
    heads = model.heads @ model.mean_weight
    intercepts = model.heads @ model.mean_bias + model.intercepts
    none = np.zeros((1, heads.shape[1]))
    weight = np.vstack([model.mean_weight, model.logvar_weight, heads[:-1], none, heads[-1:]])
    bias = np.concatenate([model.mean_bias, model.logvar_bias, intercepts[:-1], [0.0], intercepts[-1:]])
    return weight.astype(np.float32), bias.astype(np.float32)


def _graph(tensors: dict[str, npt.NDArray[np.float32]], dim: int, columns: int) -> onnx.GraphProto:
    return helper.make_graph(
        [
            helper.make_node("Gemm", ["embedding", "hidden_weight", "hidden_bias"], ["hidden"], transB=1),
            helper.make_node("Relu", ["hidden"], ["active"]),
            helper.make_node("Gemm", ["active", "weight", "bias"], ["assessment"], transB=1),
        ],
        "difficulty",
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["B", dim])],
        [helper.make_tensor_value_info("assessment", TensorProto.FLOAT, ["B", columns])],
        [numpy_helper.from_array(value, name) for name, value in tensors.items()],
    )


def to_onnx(model: Assessor) -> bytes:
    """Input ``embedding`` float32 [B, D + R], output ``assessment`` float32 [B, 2 Z + 1 + K + 2]; the same model, the
    same bytes.
    """
    weight, bias = folded(model)
    tensors = {
        "hidden_weight": model.hidden_weight.astype(np.float32),
        "hidden_bias": model.hidden_bias.astype(np.float32),
        "weight": weight,
        "bias": bias,
    }
    graph = _graph(tensors, model.hidden_weight.shape[1], len(bias))
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    helper.set_model_props(proto, {"latent": str(model.latent), "skills": str(model.domains)})
    onnx.checker.check_model(proto)
    return bytes(proto.SerializeToString(deterministic=True))
