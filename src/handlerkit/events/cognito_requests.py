"""What Cognito's triggers are asked with: `request`, and the caller. Wire names are those of the event."""

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
    "CognitoFederatedAttributes",
    "CognitoFederationRequest",
    "CognitoGroupConfiguration",
    "CognitoMessageRequest",
    "CognitoMigrationRequest",
    "CognitoNamedChallengeRequest",
    "CognitoRequest",
    "CognitoSenderRequest",
    "CognitoSignedInRequest",
    "CognitoTokenRequest",
    "CognitoValidatedRequest",
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


class CognitoValidatedRequest(CognitoRequest):
    """With what the application wants validated."""

    validation_data = text_map("validationData")
    user_not_found = boolean("userNotFound")


class CognitoSignedInRequest(CognitoRequest):
    """With whether the device is new to the user."""

    new_device_used = boolean("newDeviceUsed")


class CognitoGroupConfiguration(View):
    """The groups of the user, and the roles that these give."""

    groups_to_override = texts("groupsToOverride")
    iam_roles_to_override = texts("iamRolesToOverride")
    preferred_role = maybe_text("preferredRole")


class CognitoTokenRequest(CognitoRequest):
    """With the user's groups and, from version 2, the scopes asked for."""

    group_configuration = view("groupConfiguration", CognitoGroupConfiguration)
    scopes = texts("scopes")


class CognitoMigrationRequest(CognitoValidatedRequest):
    """With the password to check; None when it was forgotten."""

    password = maybe_text("password", secret=True)


class CognitoMessageRequest(CognitoRequest):
    """The parameters are what to put where the code, the link and the name belong."""

    code_parameter = maybe_text("codeParameter")
    link_parameter = maybe_text("linkParameter")
    username_parameter = maybe_text("usernameParameter")


class CognitoSenderRequest(CognitoRequest):
    """The code is base64 of what the pool's KMS key encrypted."""

    code = maybe_text("code", secret=True)
    type = text("type")


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
