"""AWS CodePipeline's invoke action, asynchronous. Generic in the user parameters.

Wire names are those of the job; what the wire nests under `CodePipeline.job` stands in the event itself. The return
value is ignored: answer with `PutJobSuccessResult` (with a continuation token to be called again) or
`PutJobFailureResult`; silence stalls the pipeline until the action times out.
"""

from __future__ import annotations

from .descriptor import Field
from .fields import instant, maybe_text, text
from .generics import Generic, TypeVar
from .nested import maybe_view, view, views
from .payload import Payload, text_payload
from .view import View

__all__ = [
    "CodePipelineActionConfiguration",
    "CodePipelineArtifact",
    "CodePipelineCredentials",
    "CodePipelineEncryptionKey",
    "CodePipelineJobData",
    "CodePipelineJobEvent",
    "CodePipelineLocation",
    "CodePipelineS3Location",
]

ParametersT = TypeVar("ParametersT", default=str)


class CodePipelineActionConfiguration(View, Generic[ParametersT], payloads=(str,)):
    """The action's configuration; `user_parameters` are text, or the type named."""

    function_name = text("FunctionName", inside="configuration")
    user_parameters: Payload[ParametersT] = text_payload("UserParameters", inside="configuration")


class CodePipelineS3Location(View):
    """An object in the pipeline's bucket; the key is plain."""

    bucket_name = text("bucketName")
    object_key = text("objectKey")


class CodePipelineLocation(View):
    """Where an artifact is."""

    type = text("type")
    s3_location = view("s3Location", CodePipelineS3Location)


class CodePipelineArtifact(View):
    """An artifact: a zip file to read, or to write."""

    name = text("name")
    revision = maybe_text("revision")
    location = view("location", CodePipelineLocation)


class CodePipelineCredentials(View):
    """Credentials for the artifacts, kept out of reprs and errors."""

    access_key_id = text("accessKeyId", secret=True)
    secret_access_key = text("secretAccessKey", secret=True)
    session_token = text("sessionToken", secret=True)
    expiration_time = instant("expirationTime")


class CodePipelineEncryptionKey(View):
    """The key that artifacts are encrypted with."""

    id = text("id")
    type = text("type")


class CodePipelineJobData(View, Generic[ParametersT], payloads=(str,)):
    """What the job is about."""

    action_configuration: Field[CodePipelineActionConfiguration[ParametersT]] = view(
        "actionConfiguration", CodePipelineActionConfiguration[ParametersT]
    )
    input_artifacts = views("inputArtifacts", CodePipelineArtifact)
    output_artifacts = views("outputArtifacts", CodePipelineArtifact)
    artifact_credentials = view("artifactCredentials", CodePipelineCredentials)
    continuation_token = maybe_text("continuationToken")
    encryption_key = maybe_view("encryptionKey", CodePipelineEncryptionKey)


class CodePipelineJobEvent(View, Generic[ParametersT], kinds=("codepipeline_job",), payloads=(str,)):
    """A job of a pipeline: `CodePipelineJobEvent[Parameters]` where the user parameters are JSON."""

    id = text("id", inside="CodePipeline.job")
    account_id = text("accountId", inside="CodePipeline.job")
    data: Field[CodePipelineJobData[ParametersT]] = view(
        "data", CodePipelineJobData[ParametersT], inside="CodePipeline.job"
    )

    @property
    def user_parameters(self) -> ParametersT:
        """The user parameters of the action; "" where it has none and they are text."""
        return self.data.action_configuration.user_parameters

    @property
    def is_continuation(self) -> bool:
        """Whether the function asked, by a continuation token, to be called again for this job."""
        return self.data.continuation_token is not None
