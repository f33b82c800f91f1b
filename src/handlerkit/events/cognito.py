"""Cognito user pools: the triggers, one view for each; every one of them waits for the event with `response` filled in.

Wire names are those of the event. `trigger_source` says more than the view: `PreSignUp_AdminCreateUser`. What the wire
leaves null, which is nearly anything, is "", empty, False or None. `response` is how it came, to be filled in a copy:
`{**event.raw, "response": {"autoConfirmUser": True}}`.
"""

from __future__ import annotations

from .descriptor import Field
from .fields import boolean, mapping, maybe_text, text, text_map, texts
from .nested import view, views
from .view import View

__all__ = [
    "CognitoAnswerRequest",
    "CognitoCaller",
    "CognitoChallenge",
    "CognitoChallengeRequest",
    "CognitoCreateAuthChallengeEvent",
    "CognitoCustomMessageEvent",
    "CognitoCustomSenderEvent",
    "CognitoDefineAuthChallengeEvent",
    "CognitoEvent",
    "CognitoFederatedAttributes",
    "CognitoFederationRequest",
    "CognitoGroupConfiguration",
    "CognitoInboundFederationEvent",
    "CognitoMessageRequest",
    "CognitoMigrationRequest",
    "CognitoNamedChallengeRequest",
    "CognitoPostAuthenticationEvent",
    "CognitoPostConfirmationEvent",
    "CognitoPreAuthenticationEvent",
    "CognitoPreSignUpEvent",
    "CognitoRequest",
    "CognitoSenderRequest",
    "CognitoSignedInRequest",
    "CognitoTokenGenerationEvent",
    "CognitoTokenRequest",
    "CognitoTrigger",
    "CognitoUserMigrationEvent",
    "CognitoValidatedRequest",
    "CognitoVerifyAuthChallengeEvent",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class CognitoCaller(View):
    """The application that the user uses."""

    aws_sdk_version = text("awsSdkVersion", "awsSdk")
    client_id = text("clientId")


class CognitoRequest(View):
    """What every trigger is asked with. Values of attributes are text: `email_verified` is "true"."""

    user_attributes = text_map("userAttributes")
    client_metadata = text_map("clientMetadata")


class CognitoTrigger(View):
    """What the events of all triggers share; `user_name` is absent where there is no user (machines, federation)."""

    trigger_source = text("triggerSource")
    user_pool_id = text("userPoolId")
    user_name = maybe_text("userName")
    region = text("region")
    version = text("version")
    caller_context = view("callerContext", CognitoCaller)
    response = mapping("response")


class CognitoEvent(CognitoTrigger, kinds=("cognito",)):
    """Any trigger, for functions that serve several; what only one of them has is in `request.raw`."""

    request = view("request", CognitoRequest)


class CognitoValidatedRequest(CognitoRequest):
    """With what the application wants validated."""

    validation_data = text_map("validationData")
    user_not_found = boolean("userNotFound")


class CognitoPreSignUpEvent(CognitoTrigger, kinds=("cognito.PreSignUp",)):
    """Somebody signs up. Answer: `autoConfirmUser`, `autoVerifyEmail`, `autoVerifyPhone`."""

    request = view("request", CognitoValidatedRequest)


class CognitoPostConfirmationEvent(CognitoTrigger, kinds=("cognito.PostConfirmation",)):
    """Somebody has confirmed who he is, after signing up or forgetting his password."""

    request = view("request", CognitoRequest)


class CognitoPreAuthenticationEvent(CognitoTrigger, kinds=("cognito.PreAuthentication",)):
    """Somebody wants to sign in; raise to refuse."""

    request = view("request", CognitoValidatedRequest)


class CognitoSignedInRequest(CognitoRequest):
    """With whether the device is new to the user."""

    new_device_used = boolean("newDeviceUsed")


class CognitoPostAuthenticationEvent(CognitoTrigger, kinds=("cognito.PostAuthentication",)):
    """Somebody has signed in."""

    request = view("request", CognitoSignedInRequest)


class CognitoGroupConfiguration(View):
    """The groups of the user, and the roles that these give."""

    groups_to_override = texts("groupsToOverride")
    iam_roles_to_override = texts("iamRolesToOverride")
    preferred_role = maybe_text("preferredRole")


class CognitoTokenRequest(CognitoRequest):
    """With the user's groups and, from version 2, the scopes asked for."""

    group_configuration = view("groupConfiguration", CognitoGroupConfiguration)
    scopes = texts("scopes")


class CognitoTokenGenerationEvent(CognitoTrigger, kinds=("cognito.TokenGeneration",)):
    """Tokens are about to be made. Answer: `claimsOverrideDetails`, from version 2 `claimsAndScopeOverrideDetails`."""

    request = view("request", CognitoTokenRequest)

    @property
    def is_v1(self) -> bool:
        """Whether only the identity token can be changed. (Some events of version 2 say that they are of version 1.)"""
        return self.version in ("", "1") and self.request.raw.get("scopes") is None


class CognitoMigrationRequest(CognitoValidatedRequest):
    """With the password to check; None when it was forgotten."""

    password = maybe_text("password", secret=True)


class CognitoUserMigrationEvent(CognitoTrigger, kinds=("cognito.UserMigration",)):
    """Somebody signs in, or has forgotten his password, whom the pool does not know. Answer: his attributes."""

    request = view("request", CognitoMigrationRequest)


class CognitoMessageRequest(CognitoRequest):
    """The parameters are what to put where the code, the link and the name belong."""

    code_parameter = maybe_text("codeParameter")
    link_parameter = maybe_text("linkParameter")
    username_parameter = maybe_text("usernameParameter")


class CognitoCustomMessageEvent(CognitoTrigger, kinds=("cognito.CustomMessage",)):
    """A message is about to be sent. Answer: `smsMessage`, `emailMessage`, `emailSubject`."""

    request = view("request", CognitoMessageRequest)


class CognitoSenderRequest(CognitoRequest):
    """The code is base64 of what the pool's KMS key encrypted."""

    code = maybe_text("code", secret=True)
    type = text("type")


class CognitoCustomSenderEvent(CognitoTrigger, kinds=("cognito.CustomEmailSender", "cognito.CustomSMSSender")):
    """A message is to be sent, by this function; nothing is answered."""

    request = view("request", CognitoSenderRequest)


class CognitoChallenge(View):
    """A step of a sign-in, and what became of it."""

    challenge_name = text("challengeName")
    challenge_result = boolean("challengeResult")
    challenge_metadata = maybe_text("challengeMetadata")


class CognitoChallengeRequest(CognitoRequest):
    """With the steps so far."""

    session = views("session", CognitoChallenge)
    user_not_found = boolean("userNotFound")


class CognitoNamedChallengeRequest(CognitoChallengeRequest):
    """With the step to prepare."""

    challenge_name = text("challengeName")


class CognitoAnswerRequest(CognitoChallengeRequest):
    """With the answer, and what `privateChallengeParameters` had been answered to the step before."""

    private_challenge_parameters = mapping("privateChallengeParameters")
    challenge_answer: Field[Any] = Field("challengeAnswer", lambda answer: answer, None, secret=True)


class CognitoDefineAuthChallengeEvent(CognitoTrigger, kinds=("cognito.DefineAuthChallenge",)):
    """Which step comes next. Answer: `challengeName`, or `issueTokens`, or `failAuthentication`."""

    request = view("request", CognitoChallengeRequest)


class CognitoCreateAuthChallengeEvent(CognitoTrigger, kinds=("cognito.CreateAuthChallenge",)):
    """Pose the challenge. Answer: `publicChallengeParameters`, `privateChallengeParameters`, `challengeMetadata`."""

    request = view("request", CognitoNamedChallengeRequest)


class CognitoVerifyAuthChallengeEvent(CognitoTrigger, kinds=("cognito.VerifyAuthChallengeResponse",)):
    """Is the answer right? Answer: `answerCorrect`."""

    request = view("request", CognitoAnswerRequest)


class CognitoFederatedAttributes(View):
    """What the other identity provider said, by the way it said it."""

    token_response = mapping("tokenResponse")
    id_token = mapping("idToken")
    user_info = mapping("userInfo")
    saml_response = mapping("samlResponse")


class CognitoFederationRequest(CognitoRequest):
    """With what the other provider said."""

    provider_name = text("providerName")
    provider_type = text("providerType")
    attributes = view("attributes", CognitoFederatedAttributes)


class CognitoInboundFederationEvent(CognitoTrigger, kinds=("cognito.InboundFederation",)):
    """Somebody comes from another identity provider. Answer: `userAttributesToMap`."""

    request = view("request", CognitoFederationRequest)
