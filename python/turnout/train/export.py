"""An Assessor as one ONNX graph: Gemm, ReLU, Gemm, with the linear heads folded into the second Gemm."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from turnout.train.assessor import Assessor

OPSET, IR_VERSION = 17, 9


def folded(model: Assessor) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """The second Gemm's weight [2 Z + 1 + S, H] and bias: latent mean, log-variance, b and skills."""
    weight = np.vstack([model.mean_weight, model.logvar_weight, model.heads @ model.mean_weight])
    bias = np.concatenate([model.mean_bias, model.logvar_bias, model.heads @ model.mean_bias + model.intercepts])
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
    """Input ``embedding`` float32 [B, D], output ``assessment`` float32 [B, 2 Z + 1 + S]; the same model, the same
    bytes.
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
    helper.set_model_props(proto, {"latent": str(model.latent), "skills": str(model.skills)})
    onnx.checker.check_model(proto)
    return bytes(proto.SerializeToString(deterministic=True))
