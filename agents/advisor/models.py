"""The Strands model that the settings name, and one question to it, with its time and size bounded."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from strands import Agent
from strands.agent.conversation_manager import NullConversationManager
from strands.models.model import Model
from strands.session.session_manager import SessionManager
from strands.types.exceptions import MaxTokensReachedException

from edgemind.errors import ConfigurationError, TemporaryError
from edgemind.settings import Settings
from edgemind.settings.advice import AdviceModel, AdviceSettings

ANSWER_LIMIT = 4000
"""Characters that are read of an answer: a model that goes on and on is not listened to."""
CONNECT_S = 10.0
REPETITION_PENALTY = 0.5
"""Small models say the same again and again without one."""

log = logging.getLogger("edgemind.agents")


class ModelFailed(TemporaryError):
    """The model gave no usable answer; the message says what it did instead. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class Question:
    """`schema` is what the answer must be as JSON, where the server can hold the model to it."""

    system: str
    facts: str
    tokens: int
    schema: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """`cut`: the model had more to say than the question leaves room for."""

    text: str
    cut: bool = False


MakeModel = Callable[[Question], Model]


def model_maker(settings: Settings, key: str | None = None) -> MakeModel:
    """A new model for each question. ConfigurationError if there is none, or its package is missing."""
    advice = settings.advice
    match advice.model:
        case AdviceModel.OFF:
            raise ConfigurationError(
                "advice.model is off: name a model under `advice` in edgemind.yaml (docs/advice.md shows how)"
            )
        case AdviceModel.OPENAI:
            return lambda question: _openai(advice, key, question)
        case AdviceModel.BEDROCK:
            region = advice.region or settings.aws.region
            return lambda question: _bedrock(advice, region, question)


async def ask(make: MakeModel, question: Question, timeout_s: float, session: SessionManager | None = None) -> Answer:
    """One answer within `timeout_s`. ModelFailed says what came instead.

    `session` keeps the conversation. If it cannot, the question is asked once more without it.
    """
    pieces: list[str] = []
    try:
        async with asyncio.timeout(timeout_s):
            cut = await _listen(make(question), question, pieces, session)
    except _SessionLost as exc:
        log.warning("the advisor's conversation is not kept: %s", exc)
        return await ask(make, question, timeout_s)
    except TimeoutError:
        raise ModelFailed(
            f"the model gave no whole answer within {timeout_s:g} s (advice.timeout_s)", retry_after_s=timeout_s
        ) from None
    text = "".join(pieces)[:ANSWER_LIMIT].strip()
    if not text:
        raise ModelFailed("the model answered with nothing")
    return Answer(text, cut)


async def _listen(model: Model, question: Question, pieces: list[str], session: SessionManager | None) -> bool:
    """Whether it had more to say. ModelFailed, or with a session _SessionLost, for whatever goes wrong: which of the
    two it was shows when it is asked without one."""
    heard = 0
    try:
        async for event in _agent(model, question, session).stream_async(question.facts):
            piece = event.get("data")
            if isinstance(piece, str):
                pieces.append(piece)
                heard += len(piece)
                if heard > ANSWER_LIMIT:
                    return True
    except MaxTokensReachedException:
        return True
    except (TimeoutError, asyncio.CancelledError):
        raise
    except Exception as exc:
        if session is not None:
            raise _SessionLost(_line(exc)) from exc
        raise ModelFailed(f"the model could not be asked, or broke off: {type(exc).__name__}: {_line(exc)}") from exc
    return False


def _agent(model: Model, question: Question, session: SessionManager | None) -> Agent:
    return Agent(
        model=model,
        system_prompt=question.system,
        callback_handler=None,
        retry_strategy=None,
        conversation_manager=NullConversationManager(),
        session_manager=session,
    )


class _SessionLost(Exception):
    """It failed while its conversation was being kept."""


def _openai(advice: AdviceSettings, key: str | None, question: Question) -> Model:
    from strands.models.openai import OpenAIModel

    params: dict[str, Any] = {
        "max_tokens": question.tokens,
        "temperature": 0.0,
        "frequency_penalty": REPETITION_PENALTY,
    }
    if question.schema is not None:
        schema = {"name": "answer", "strict": True, "schema": dict(question.schema)}
        params["response_format"] = {"type": "json_schema", "json_schema": schema}
    return OpenAIModel(
        client_args={
            "base_url": advice.base_url,
            # The client wants one, also where the server wants none.
            "api_key": key or "none",
            "timeout": advice.timeout_s,
            "max_retries": 0,
        },
        model_id=str(advice.name),
        params=params,
    )


def _bedrock(advice: AdviceSettings, region: str | None, question: Question) -> Model:
    from botocore.config import Config
    from strands.models.bedrock import BedrockModel

    # The SDK asks in a thread, which ends by this time limit alone.
    limits = Config(connect_timeout=CONNECT_S, read_timeout=advice.timeout_s, retries={"total_max_attempts": 2})
    return BedrockModel(
        model_id=str(advice.name),
        region_name=region,
        boto_client_config=limits,
        max_tokens=question.tokens,
        temperature=0.2,
    )


def _line(exc: Exception) -> str:
    text = " ".join(str(exc).split())[:300]
    return text if text.isprintable() else text.encode("unicode_escape").decode("ascii")
