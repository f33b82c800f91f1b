"""Events of user pools and of AppSync."""

from __future__ import annotations

from handlerkit.reply import jsonable

from .wire import REGION, uuid

__all__ = ["appsync_event", "cognito_event"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

POOL = f"{REGION}_Example01"

# By the part of the trigger source before "_": what is asked beside the attributes, what is to be answered.
_ASKED: dict[str, dict[str, Any]] = {
    "PreSignUp": {"validationData": None},
    "PreAuthentication": {"validationData": None},
    "PostAuthentication": {"newDeviceUsed": False},
    "TokenGeneration": {
        "groupConfiguration": {"groupsToOverride": [], "iamRolesToOverride": [], "preferredRole": None}
    },
    "UserMigration": {"password": "secret", "validationData": None},
    "CustomMessage": {"codeParameter": "{####}", "linkParameter": "{##Click Here##}", "usernameParameter": None},
    "CustomEmailSender": {"type": "customEmailSenderRequestV1", "code": "RVhBTVBMRQ=="},
    "CustomSMSSender": {"type": "customSMSSenderRequestV1", "code": "RVhBTVBMRQ=="},
    "DefineAuthChallenge": {"session": []},
    "CreateAuthChallenge": {"challengeName": "CUSTOM_CHALLENGE", "session": []},
    "VerifyAuthChallengeResponse": {"privateChallengeParameters": {"answer": "42"}, "challengeAnswer": "42"},
    "InboundFederation": {"providerName": "Example", "providerType": "OIDC", "attributes": {}},
}
_ANSWERED: dict[str, tuple[str, ...]] = {
    "TokenGeneration": ("claimsOverrideDetails",),
    "UserMigration": ("userAttributes", "finalUserStatus", "messageAction", "desiredDeliveryMediums"),
    "CustomMessage": ("smsMessage", "emailMessage", "emailSubject"),
    "DefineAuthChallenge": ("challengeName", "issueTokens", "failAuthentication"),
    "CreateAuthChallenge": ("publicChallengeParameters", "privateChallengeParameters", "challengeMetadata"),
    "VerifyAuthChallengeResponse": ("answerCorrect",),
    "InboundFederation": ("userAttributesToMap",),
}


def cognito_event(
    trigger_source: str = "PreSignUp_SignUp",
    *,
    user_name: str = "ada",
    attributes: Mapping[str, str] | None = None,
    request: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """A user pool's trigger, its answer still empty; `request` adds to, or replaces, what the trigger is asked with."""
    trigger = trigger_source.partition("_")[0]
    answer: dict[str, Any] = dict.fromkeys(_ANSWERED.get(trigger, ()))
    if trigger == "PreSignUp":
        answer = {"autoConfirmUser": False, "autoVerifyEmail": False, "autoVerifyPhone": False}
    return {
        "version": "1",
        "triggerSource": trigger_source,
        "region": REGION,
        "userPoolId": POOL,
        "userName": user_name,
        "callerContext": {"awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": "1example23456789"},
        "request": {
            "userAttributes": dict(attributes or {"email": f"{user_name}@example.com", "email_verified": "true"}),
            **jsonable(_ASKED.get(trigger, {})),
            **jsonable(dict(request or {})),
        },
        "response": answer,
    }


def appsync_event(
    field: str,
    arguments: Any = None,
    *,
    parent_type: str = "Query",
    source: Any = None,
    selection: Iterable[str] = ("id",),
    claims: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """A field for a resolver; with `claims` its caller is a user of a pool, otherwise he has an API key."""
    identity = None
    if claims is not None:
        identity = {
            "claims": jsonable(dict(claims)),
            "defaultAuthStrategy": "ALLOW",
            "groups": None,
            "issuer": f"https://cognito-idp.{REGION}.amazonaws.com/{POOL}",
            "sourceIp": ["203.0.113.7"],
            "sub": str(claims.get("sub", uuid(0))),
            "username": str(claims.get("cognito:username", "ada")),
        }
    wanted = list(selection)
    given = jsonable(arguments) or {}
    return {
        "arguments": given,
        "identity": identity,
        "source": jsonable(source),
        "request": {"headers": {"x-forwarded-for": "203.0.113.7"}, "domainName": None},
        "prev": None,
        "info": {
            "selectionSetList": wanted,
            "selectionSetGraphQL": "{\n  " + "\n  ".join(wanted) + "\n}",
            "parentTypeName": parent_type,
            "fieldName": field,
            "variables": given,
        },
        "stash": {},
    }
