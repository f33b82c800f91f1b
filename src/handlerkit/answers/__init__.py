"""Answers for services that wait for one in a form of their own, and the checks that refuse what they would refuse.

Most are made by methods of the event (`event.allow(…)`, `event.elicit_slot(…)`), so there is little to import from
here: types for annotations, and what is raised. An `event_handler` checks the answer before it leaves: a wrong one is
an error that says what to change, instead of the service's silence. Importing this package costs nothing.
"""

from __future__ import annotations

__all__ = [
    "AlexaAnswer",
    "Answer",
    "AnswerError",
    "AuthorizerPolicy",
    "ChannelAnswer",
    "CognitoResponse",
    "ConnectionDecision",
    "EdgeRequest",
    "EdgeResponse",
    "FieldDecision",
    "LexAnswer",
    "LexMessage",
    "LoginDecision",
    "ProvisioningDecision",
    "SimpleDecision",
    "TransformationAnswer",
    "UnauthorizedError",
    "VpnDecision",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .alexa import AlexaAnswer
    from .answer import Answer, AnswerError
    from .appsync import ChannelAnswer, FieldDecision
    from .authorizers import AuthorizerPolicy, SimpleDecision, UnauthorizedError
    from .cognito import CognitoResponse
    from .edge import EdgeRequest, EdgeResponse
    from .firehose import TransformationAnswer
    from .iot import ConnectionDecision, ProvisioningDecision
    from .lex import LexAnswer, LexMessage
    from .logins import LoginDecision, VpnDecision

_HOME = {
    "AlexaAnswer": "alexa",
    "Answer": "answer",
    "AnswerError": "answer",
    "AuthorizerPolicy": "authorizers",
    "ChannelAnswer": "appsync",
    "CognitoResponse": "cognito",
    "ConnectionDecision": "iot",
    "EdgeRequest": "edge",
    "EdgeResponse": "edge",
    "FieldDecision": "appsync",
    "LexAnswer": "lex",
    "LexMessage": "lex",
    "LoginDecision": "logins",
    "ProvisioningDecision": "iot",
    "SimpleDecision": "authorizers",
    "TransformationAnswer": "firehose",
    "UnauthorizedError": "authorizers",
    "VpnDecision": "logins",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    found = globals()[name] = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
