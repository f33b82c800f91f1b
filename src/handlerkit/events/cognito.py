"""Cognito user pools: the triggers, one view for each; every one of them waits for the event with `response` filled in.

Wire names are those of the event. `trigger_source` says more than the view: `PreSignUp_AdminCreateUser`. What the wire
leaves null, which is nearly anything, is "", empty, False or None. `response` is the one thing of an event that is
there to be changed: `event.response.auto_confirm_user = True`, and return the event.
"""

from __future__ import annotations

from .cognito_requests import (
    CognitoAnswerRequest,
    CognitoCaller,
    CognitoChallengeRequest,
    CognitoFederationRequest,
    CognitoMessageRequest,
    CognitoMigrationRequest,
    CognitoNamedChallengeRequest,
    CognitoRequest,
    CognitoSenderRequest,
    CognitoSignedInRequest,
    CognitoTokenRequest,
    CognitoValidatedRequest,
)
from .descriptor import Field, KeptField
from .fields import maybe_text, text
from .nested import view
from .view import View

__all__ = [
    "CognitoCreateAuthChallengeEvent",
    "CognitoCustomMessageEvent",
    "CognitoCustomSenderEvent",
    "CognitoDefineAuthChallengeEvent",
    "CognitoEvent",
    "CognitoInboundFederationEvent",
    "CognitoPostAuthenticationEvent",
    "CognitoPostConfirmationEvent",
    "CognitoPreAuthenticationEvent",
    "CognitoPreSignUpEvent",
    "CognitoTokenGenerationEvent",
    "CognitoTrigger",
    "CognitoUserMigrationEvent",
    "CognitoVerifyAuthChallengeEvent",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from handlerkit.answers.cognito import (
        AuthChallengeAnswer,
        ChallengeDecision,
        ChallengeVerdict,
        CognitoResponse,
        CustomMessage,
        FederatedUser,
        MigratedUser,
        SignUpDecision,
        TokenOverrides,
    )


class _ResponseField(KeptField["Any"]):
    """The object under `response`, with attributes; put where Cognito looks for it when it is first read."""

    __slots__ = ("kind",)

    def __init__(self, kind: str) -> None:
        super().__init__("response", _same, None)
        self.kind = kind

    def read(self, view: View) -> Any:
        from handlerkit.answers import cognito  # late: for those that answer

        came = view.raw.get("response")
        if came is not None and not isinstance(came, dict):
            raise self.refusal(came, TypeError("not an object"))
        kind = getattr(cognito, self.kind)
        if came is None:
            return kind(None, view.raw)
        made = view.raw["response"] = kind(came)
        return made


def _same(value: Any) -> Any:
    return value


def _response(kind: str) -> Field[Any]:
    return _ResponseField(kind)


class CognitoTrigger(View):
    """What the events of all triggers share; `user_name` is absent where there is no user (machines, federation)."""

    trigger_source = text("triggerSource")
    user_pool_id = text("userPoolId")
    user_name = maybe_text("userName")
    region = text("region")
    version = text("version")
    caller_context = view("callerContext", CognitoCaller)
    answered_by = "cognito"
    response: Field[CognitoResponse] = _response("CognitoResponse")


class CognitoEvent(CognitoTrigger, kinds=("cognito",)):
    """Any trigger, for functions that serve several; what only one of them has is in `request.raw`."""

    request = view("request", CognitoRequest)


class CognitoPreSignUpEvent(CognitoTrigger, kinds=("cognito.PreSignUp",)):
    """Somebody signs up. Answer: `autoConfirmUser`, `autoVerifyEmail`, `autoVerifyPhone`."""

    request = view("request", CognitoValidatedRequest)
    response: Field[SignUpDecision] = _response("SignUpDecision")


class CognitoPostConfirmationEvent(CognitoTrigger, kinds=("cognito.PostConfirmation",)):
    """Somebody has confirmed who he is, after signing up or forgetting his password."""

    request = view("request", CognitoRequest)


class CognitoPreAuthenticationEvent(CognitoTrigger, kinds=("cognito.PreAuthentication",)):
    """Somebody wants to sign in; raise to refuse."""

    request = view("request", CognitoValidatedRequest)


class CognitoPostAuthenticationEvent(CognitoTrigger, kinds=("cognito.PostAuthentication",)):
    """Somebody has signed in."""

    request = view("request", CognitoSignedInRequest)


class CognitoTokenGenerationEvent(CognitoTrigger, kinds=("cognito.TokenGeneration",)):
    """Tokens are about to be made. Answer: `claimsOverrideDetails`, from version 2 `claimsAndScopeOverrideDetails`."""

    request = view("request", CognitoTokenRequest)
    response: Field[TokenOverrides] = _response("TokenOverrides")

    @property
    def is_v1(self) -> bool:
        """Whether only the identity token can be changed. (Some events of version 2 say that they are of version 1.)"""
        return self.version in ("", "1") and self.request.raw.get("scopes") is None

    def override(
        self,
        *,
        id_claims: Mapping[str, Any] | None = None,
        access_claims: Mapping[str, Any] | None = None,
        suppress_id_claims: Iterable[str] = (),
        suppress_access_claims: Iterable[str] = (),
        add_scopes: Iterable[str] = (),
        suppress_scopes: Iterable[str] = (),
        groups: Mapping[str, Any] | None = None,
    ) -> None:
        """Set what the tokens are to say, in the form of the event's version. `groups` is as in `group_configuration`.

        Raises `AnswerError` for what version 1 cannot say.
        """
        self.response.override(
            "1" if self.is_v1 else "2",
            id_claims=id_claims,
            access_claims=access_claims,
            suppress_id_claims=suppress_id_claims,
            suppress_access_claims=suppress_access_claims,
            add_scopes=add_scopes,
            suppress_scopes=suppress_scopes,
            groups=groups,
        )


class CognitoUserMigrationEvent(CognitoTrigger, kinds=("cognito.UserMigration",)):
    """Somebody signs in, or has forgotten his password, whom the pool does not know. Answer: his attributes."""

    request = view("request", CognitoMigrationRequest)
    response: Field[MigratedUser] = _response("MigratedUser")


class CognitoCustomMessageEvent(CognitoTrigger, kinds=("cognito.CustomMessage",)):
    """A message is about to be sent. Answer: `smsMessage`, `emailMessage`, `emailSubject`."""

    request = view("request", CognitoMessageRequest)
    response: Field[CustomMessage] = _response("CustomMessage")


class CognitoCustomSenderEvent(CognitoTrigger, kinds=("cognito.CustomEmailSender", "cognito.CustomSMSSender")):
    """A message is to be sent, by this function; nothing is answered."""

    request = view("request", CognitoSenderRequest)


class CognitoDefineAuthChallengeEvent(CognitoTrigger, kinds=("cognito.DefineAuthChallenge",)):
    """Which step comes next. Answer: `challengeName`, or `issueTokens`, or `failAuthentication`."""

    request = view("request", CognitoChallengeRequest)
    response: Field[ChallengeDecision] = _response("ChallengeDecision")


class CognitoCreateAuthChallengeEvent(CognitoTrigger, kinds=("cognito.CreateAuthChallenge",)):
    """Pose the challenge. Answer: `publicChallengeParameters`, `privateChallengeParameters`, `challengeMetadata`."""

    request = view("request", CognitoNamedChallengeRequest)
    response: Field[AuthChallengeAnswer] = _response("AuthChallengeAnswer")


class CognitoVerifyAuthChallengeEvent(CognitoTrigger, kinds=("cognito.VerifyAuthChallengeResponse",)):
    """Is the answer right? Answer: `answerCorrect`."""

    request = view("request", CognitoAnswerRequest)
    response: Field[ChallengeVerdict] = _response("ChallengeVerdict")


class CognitoInboundFederationEvent(CognitoTrigger, kinds=("cognito.InboundFederation",)):
    """Somebody comes from another identity provider. Answer: `userAttributesToMap`."""

    request = view("request", CognitoFederationRequest)
    response: Field[FederatedUser] = _response("FederatedUser")
