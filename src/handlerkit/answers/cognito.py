"""Cognito's triggers: `event.response` with an attribute for each thing that a trigger may say; return the event.

A response is the very object under `response` in the event: setting an attribute sets the key that Cognito reads.
"""

from __future__ import annotations

from handlerkit.events.generics import Generic, TypeVar

from .answer import Answer, AnswerError, want_object

__all__ = [
    "AuthChallengeAnswer",
    "ChallengeDecision",
    "ChallengeVerdict",
    "CognitoResponse",
    "CustomMessage",
    "FederatedUser",
    "MigratedUser",
    "SignUpDecision",
    "TokenOverrides",
    "checked",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any, Self, overload

T = TypeVar("T")


class Said(Generic[T]):
    """One key of a response as an attribute; None while it is unset."""

    __slots__ = ("_kind", "_wire")

    def __init__(self, wire: str, kind: type[T]) -> None:
        self._wire = wire
        self._kind = kind

    if TYPE_CHECKING:

        @overload
        def __get__(self, response: None, owner: type[object]) -> Self: ...
        @overload
        def __get__(self, response: CognitoResponse, owner: type[object]) -> T | None: ...

    def __get__(self, response: CognitoResponse | None, owner: type[object]) -> Self | T | None:
        return self if response is None else response.get(self._wire)

    def __set__(self, response: CognitoResponse, value: T | None) -> None:
        if value is not None and not isinstance(value, self._kind):
            raise AnswerError(f"{self._wire} has to be a {self._kind.__name__}, not {value!r:.60}")
        response[self._wire] = value


class CognitoResponse(Answer):
    """What a trigger says. Of the triggers that only watch, it stays empty.

    Where the event came without one it is put there with the first thing that is said: reading changes no event.
    """

    __slots__ = ("_event",)

    def __init__(self, came: Mapping[str, Any] | None = None, event: dict[str, Any] | None = None) -> None:
        super().__init__(came or {})
        self._event = event

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value)
        if self._event is not None:
            self._event["response"] = self
            self._event = None

    def update(self, *given: Any, **more: Any) -> None:
        """As of a dict."""
        for key, value in dict(*given, **more).items():
            self[key] = value

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (dict(self),)


class SignUpDecision(CognitoResponse):
    """Of PreSignUp; ignored for users that an administrator creates. A verified address must be there."""

    __slots__ = ()
    auto_confirm_user = Said("autoConfirmUser", bool)
    auto_verify_email = Said("autoVerifyEmail", bool)
    auto_verify_phone = Said("autoVerifyPhone", bool)


class MigratedUser(CognitoResponse):
    """Of UserMigration. `final_user_status` is CONFIRMED or RESET_REQUIRED, `message_action` SUPPRESS."""

    __slots__ = ()
    user_attributes: Said[dict[str, str]] = Said("userAttributes", dict)
    final_user_status = Said("finalUserStatus", str)
    message_action = Said("messageAction", str)
    desired_delivery_mediums: Said[list[str]] = Said("desiredDeliveryMediums", list)
    force_alias_creation = Said("forceAliasCreation", bool)
    enable_sms_mfa = Said("enableSMSMFA", bool)


class CustomMessage(CognitoResponse):
    """Of CustomMessage. Texts contain the request's code parameter where the code belongs."""

    __slots__ = ()
    sms_message = Said("smsMessage", str)
    email_message = Said("emailMessage", str)
    email_subject = Said("emailSubject", str)


class ChallengeDecision(CognitoResponse):
    """Of DefineAuthChallenge: a next challenge, or tokens, or the end."""

    __slots__ = ()
    challenge_name = Said("challengeName", str)
    issue_tokens = Said("issueTokens", bool)
    fail_authentication = Said("failAuthentication", bool)


class AuthChallengeAnswer(CognitoResponse):
    """Of CreateAuthChallenge. The private parameters come back with the answer; the client sees the public ones."""

    __slots__ = ()
    public_challenge_parameters: Said[dict[str, str]] = Said("publicChallengeParameters", dict)
    private_challenge_parameters: Said[dict[str, str]] = Said("privateChallengeParameters", dict)
    challenge_metadata = Said("challengeMetadata", str)


class ChallengeVerdict(CognitoResponse):
    """Of VerifyAuthChallengeResponse."""

    __slots__ = ()
    answer_correct = Said("answerCorrect", bool)


class FederatedUser(CognitoResponse):
    """Of InboundFederation."""

    __slots__ = ()
    user_attributes_to_map: Said[dict[str, str]] = Said("userAttributesToMap", dict)


class TokenOverrides(CognitoResponse):
    """Of TokenGeneration. `override` writes it in the form of the event's version."""

    __slots__ = ()

    def override(
        self,
        version: str,
        *,
        id_claims: Mapping[str, Any] | None = None,
        access_claims: Mapping[str, Any] | None = None,
        suppress_id_claims: Iterable[str] = (),
        suppress_access_claims: Iterable[str] = (),
        add_scopes: Iterable[str] = (),
        suppress_scopes: Iterable[str] = (),
        groups: Mapping[str, Any] | None = None,
    ) -> None:
        """Raises `AnswerError` for what version 1 cannot say: the access token, scopes, claims that are no texts."""
        id_token: dict[str, Any] = {}
        if id_claims is not None:
            id_token["claimsToAddOrOverride"] = dict(id_claims)
        if suppressed := list(suppress_id_claims):
            id_token["claimsToSuppress"] = suppressed
        access: dict[str, Any] = {}
        if access_claims is not None:
            access["claimsToAddOrOverride"] = dict(access_claims)
        for key, wanted in (
            ("claimsToSuppress", suppress_access_claims),
            ("scopesToAdd", add_scopes),
            ("scopesToSuppress", suppress_scopes),
        ):
            if listed := list(wanted):
                access[key] = listed
        grouped = {} if groups is None else {"groupOverrideDetails": dict(groups)}
        if version != "1":
            tokens = {"idTokenGeneration": id_token, "accessTokenGeneration": access}
            self["claimsAndScopeOverrideDetails"] = {key: value for key, value in tokens.items() if value} | grouped
            return
        if access:
            raise AnswerError("version 1 of the trigger cannot change the access token: choose version 2 in the pool")
        for name, value in (id_claims or {}).items():
            if not isinstance(value, str):
                raise AnswerError(f"version 1 of the trigger takes claims that are texts, and {name!r} is none")
        self["claimsOverrideDetails"] = id_token | grouped


def checked(event: Any, result: Any) -> Any:
    """Refuse what Cognito would answer InvalidLambdaResponse for."""
    raw = result.raw if hasattr(result, "raw") else result
    answer = want_object(raw, "Cognito", "set attributes of event.response, and return the event")
    if answer.get("triggerSource") != event.trigger_source or not isinstance(
        answer.get("response"), (dict, type(None))
    ):
        raise AnswerError("Cognito takes the whole event with its response filled in: return the event itself")
    _check_message(event, answer)
    return answer


def _check_message(event: Any, answer: dict[str, Any]) -> None:
    parameter = getattr(event.request, "code_parameter", None)
    if parameter is None or not isinstance(event.response, CustomMessage):
        return
    for key in ("smsMessage", "emailMessage"):
        said = (answer.get("response") or {}).get(key)
        if said and parameter not in said:
            raise AnswerError(f"{key} has to contain {parameter!r}, which Cognito replaces by the code")
