"""Bodies of the Open Inference Protocol (v2), REST and its binary extension, for a simulated detector."""

import json
from collections.abc import Mapping, Sequence

from edgemind.entrypoints.model_server.exchange import Refused

JSON_LENGTH_HEADER = b"inference-header-content-length"
"""With the binary extension only so many bytes of the body are JSON; raw tensors (a camera frame, say) follow."""
PLATFORM = "edgemind-simulated"
Detection = tuple[str, float, tuple[float, float, float, float]]


def infer_request(body: bytes, json_length: bytes | None) -> dict[str, object]:
    """The JSON part of an infer request, checked as far as a server must. Raises Refused (400)."""
    if json_length is not None:
        if not json_length.isdigit() or int(json_length) > len(body):
            raise Refused(400, f"{JSON_LENGTH_HEADER.decode()} must be a length within the body", "wrong_header")
        body = body[: int(json_length)]
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as exc:
        raise Refused(400, f"the body is not JSON: {exc}", "invalid_json") from exc
    inputs = document.get("inputs") if isinstance(document, dict) else None
    if not isinstance(inputs, list) or not inputs:
        raise Refused(400, "inputs must be a list of at least one tensor", "wrong_type", "inputs")
    for tensor in inputs:
        if not isinstance(tensor, dict) or not all(name in tensor for name in ("name", "shape", "datatype")):
            raise Refused(400, "a tensor in inputs has name, shape and datatype", "missing_field", "inputs")
    return dict(document)


def infer_answer(model: str, request: Mapping[str, object], detections: Sequence[Detection]) -> dict[str, object]:
    """Labels as BYTES [n], scores as FP32 [n], boxes as FP32 [n, 4]: (x, y, width, height), ratios of the frame."""
    labels, scores, boxes = zip(*detections, strict=True)
    count = len(detections)
    answer: dict[str, object] = {
        "model_name": model,
        "model_version": "1",
        "parameters": {"simulated": True},
        "outputs": [
            {"name": "labels", "datatype": "BYTES", "shape": [count], "data": labels},
            {"name": "scores", "datatype": "FP32", "shape": [count], "data": scores},
            {"name": "boxes", "datatype": "FP32", "shape": [count, 4], "data": [edge for box in boxes for edge in box]},
        ],
    }
    # An absent id stays absent: clients compare it with what they sent.
    return {**answer, "id": request["id"]} if "id" in request else answer


def metadata(model: str) -> dict[str, object]:
    return {
        "name": model,
        "versions": ["1"],
        "platform": PLATFORM,
        "inputs": [{"name": "frame", "datatype": "UINT8", "shape": [-1]}],
        "outputs": [
            {"name": "labels", "datatype": "BYTES", "shape": [-1]},
            {"name": "scores", "datatype": "FP32", "shape": [-1]},
            {"name": "boxes", "datatype": "FP32", "shape": [-1, 4]},
        ],
    }
