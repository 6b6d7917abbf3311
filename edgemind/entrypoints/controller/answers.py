"""Errors of the controller's API, in OpenAI's error shape like the gateway's."""

from dataclasses import dataclass
from typing import Any

import orjson
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response


# Not frozen: Python writes the traceback into an exception on its way up.
@dataclass(eq=False)
class ApiRefusal(Exception):
    """An answer instead of the one that was asked for; the message says what to do about it."""

    status: int
    error_type: str
    code: str
    message: str
    param: str | None = None


class ErrorDetail(BaseModel):
    """What is wrong."""

    message: str = Field(description="What is wrong and what to do about it.")
    type: str = Field(examples=["permission_error"])
    code: str = Field(examples=["role_too_low"])
    param: str | None = Field(default=None, description="The parameter or header at fault, if it is one.")


class ErrorBody(BaseModel):
    """Every error of the fleet API."""

    error: ErrorDetail


def refusal_response(refusal: ApiRefusal) -> Response:
    error = {"message": refusal.message, "type": refusal.error_type, "code": refusal.code, "param": refusal.param}
    headers = {"www-authenticate": "Bearer"} if refusal.status == 401 else None
    return json_response({"error": error}, refusal.status, headers)


def json_response(document: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(document), status, headers, "application/json")


def answer_errors(app: FastAPI) -> None:
    """Give every error of the application the one shape, those of the framework too."""
    app.exception_handler(ApiRefusal)(_on_refusal)
    app.exception_handler(RequestValidationError)(_on_invalid)
    app.exception_handler(HTTPException)(_on_http_error)


def describe_truly(app: FastAPI) -> None:
    """Take out of the OpenAPI document what the framework believes: wrong parameters are answered 400, not 422."""
    described = app.openapi

    def openapi() -> dict[str, Any]:
        document = described()
        for path in document["paths"].values():
            for operation in path.values():
                operation["responses"].pop("422", None)
        for name in ("HTTPValidationError", "ValidationError"):
            document["components"]["schemas"].pop(name, None)
        return document

    # FastAPI asks its own attribute for the document: replacing it is the documented way to change one.
    app.openapi = openapi  # type: ignore[method-assign]


async def _on_refusal(_: Request, exc: Exception) -> Response:
    assert isinstance(exc, ApiRefusal)
    return refusal_response(exc)


async def _on_invalid(_: Request, exc: Exception) -> Response:
    assert isinstance(exc, RequestValidationError)
    first = exc.errors()[0]
    name = str(first["loc"][-1])
    refusal = ApiRefusal(400, "invalid_request_error", "invalid_parameter", f"{name}: {first['msg']}", name)
    return refusal_response(refusal)


async def _on_http_error(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, HTTPException)
    path = request.url.path
    message = f"{request.method} {path}: {exc.detail}. The paths are listed at /edgemind/v1/openapi.json."
    code = {404: "not_found", 405: "method_not_allowed"}.get(exc.status_code, "http_error")
    return refusal_response(ApiRefusal(exc.status_code, "invalid_request_error", code, message))
