"""Typed events: views over what Lambda delivers, one module per source, generic in the payload.

`from handlerkit.events import SqsRecord` loads the SQS module and no other source's; importing this package loads
none. The names are listed in `_HOME`.
"""

from __future__ import annotations

__all__ = [
    "ActiveMQEvent",
    "ActiveMQMessage",
    "AlbEvent",
    "AlexaSkillEvent",
    "AlexaSmartHomeEvent",
    "ApiGatewayEvent",
    "AppSyncAuthorizerEvent",
    "AppSyncChannelEvent",
    "AppSyncChannelMessage",
    "AppSyncIdentity",
    "AppSyncResolverEvent",
    "AutoScalingInstanceChange",
    "AutoScalingLifecycleAction",
    "BatchJobChange",
    "BedrockAgentApiEvent",
    "BedrockAgentEvent",
    "BedrockAgentFunctionEvent",
    "ClientVpnEvent",
    "CloudFormationMacroEvent",
    "CloudFrontEvent",
    "CloudFrontRecord",
    "CloudFrontRequest",
    "CloudFrontResponse",
    "CloudTrailApiCall",
    "CloudWatchAlarmData",
    "CloudWatchAlarmEvent",
    "CloudWatchLogEvent",
    "CloudWatchLogsData",
    "CloudWatchLogsEvent",
    "CodeBuildChange",
    "CodeCommitChange",
    "CodeCommitEvent",
    "CodeCommitRecord",
    "CodeDeployChange",
    "CodeDeployHookEvent",
    "CodePipelineChange",
    "CodePipelineJobEvent",
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
    "CognitoSyncEvent",
    "CognitoTokenGenerationEvent",
    "CognitoTrigger",
    "CognitoUserMigrationEvent",
    "CognitoVerifyAuthChallengeEvent",
    "ConfigComplianceChange",
    "ConfigItem",
    "ConfigRuleEvent",
    "ConnectCampaignEvent",
    "ConnectEvent",
    "CustomResourceEvent",
    "Decoder",
    "DocumentDBChange",
    "DocumentDBEvent",
    "DynamoDBEvent",
    "DynamoDBRecord",
    "Ec2InstanceStateChange",
    "EcrImageAction",
    "EcrImageScan",
    "EcrScanChange",
    "EcsContainerInstanceChange",
    "EcsDeploymentChange",
    "EcsServiceAction",
    "EcsTaskChange",
    "EventBridgeEvent",
    "EventFieldError",
    "EventValidationError",
    "FirehoseEvent",
    "FirehoseRecord",
    "FunctionUrlEvent",
    "GuardDutyFinding",
    "Headers",
    "HealthEvent",
    "HttpApiAuthorizerEvent",
    "HttpApiEvent",
    "HttpEvent",
    "IotAuthorizerEvent",
    "IotButtonEvent",
    "IotOneClickEvent",
    "IotProvisioningEvent",
    "IotRegistryEvent",
    "KafkaEvent",
    "KafkaRecord",
    "KinesisAnalyticsEvent",
    "KinesisAnalyticsRecord",
    "KinesisEvent",
    "KinesisRecord",
    "LambdaDestinationEvent",
    "LexV1Event",
    "LexV2Event",
    "Problem",
    "Query",
    "RabbitMQEvent",
    "RabbitMQMessage",
    "RequestAuthorizerEvent",
    "S3BatchEvent",
    "S3BatchTask",
    "S3Event",
    "S3EventBridgeDetail",
    "S3EventBridgeEvent",
    "S3ObjectLambdaEvent",
    "S3Record",
    "ScheduledEvent",
    "SecretsManagerRotationEvent",
    "SesEvent",
    "SesRecord",
    "SnsEvent",
    "SnsNotification",
    "SnsRecord",
    "SqsEvent",
    "SqsRecord",
    "StepFunctionsStatusChange",
    "TokenAuthorizerEvent",
    "TransferIdentityEvent",
    "TransferWorkflowEvent",
    "TrustedAdvisorCheckItem",
    "View",
    "VpcLatticeEvent",
    "WebSocketAuthorizerEvent",
    "WebSocketEvent",
    "WidgetEvent",
    "WorkMailEvent",
    "detect",
    "parse",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .alarm_state import CloudWatchAlarmData
    from .alb import AlbEvent
    from .alexa import AlexaSkillEvent, AlexaSmartHomeEvent
    from .amazon_mq import ActiveMQEvent, ActiveMQMessage, RabbitMQEvent, RabbitMQMessage
    from .api_gateway import ApiGatewayEvent
    from .appsync import AppSyncAuthorizerEvent, AppSyncResolverEvent
    from .appsync_channels import AppSyncChannelEvent, AppSyncChannelMessage
    from .appsync_request import AppSyncIdentity
    from .authorizers import (
        HttpApiAuthorizerEvent,
        RequestAuthorizerEvent,
        TokenAuthorizerEvent,
        WebSocketAuthorizerEvent,
    )
    from .bedrock_agent import BedrockAgentApiEvent, BedrockAgentEvent, BedrockAgentFunctionEvent
    from .client_vpn import ClientVpnEvent
    from .cloudformation import CloudFormationMacroEvent, CustomResourceEvent
    from .cloudfront import CloudFrontEvent, CloudFrontRecord, CloudFrontRequest, CloudFrontResponse
    from .cloudwatch_alarm import CloudWatchAlarmEvent
    from .cloudwatch_logs import CloudWatchLogEvent, CloudWatchLogsData, CloudWatchLogsEvent
    from .cloudwatch_widget import WidgetEvent
    from .codecommit import CodeCommitEvent, CodeCommitRecord
    from .codedeploy import CodeDeployHookEvent
    from .codepipeline import CodePipelineJobEvent
    from .cognito import (
        CognitoCreateAuthChallengeEvent,
        CognitoCustomMessageEvent,
        CognitoCustomSenderEvent,
        CognitoDefineAuthChallengeEvent,
        CognitoEvent,
        CognitoInboundFederationEvent,
        CognitoPostAuthenticationEvent,
        CognitoPostConfirmationEvent,
        CognitoPreAuthenticationEvent,
        CognitoPreSignUpEvent,
        CognitoTokenGenerationEvent,
        CognitoTrigger,
        CognitoUserMigrationEvent,
        CognitoVerifyAuthChallengeEvent,
    )
    from .cognito_sync import CognitoSyncEvent
    from .config_rule import ConfigItem, ConfigRuleEvent
    from .connect import ConnectCampaignEvent, ConnectEvent
    from .detection import detect
    from .documentdb import DocumentDBChange, DocumentDBEvent
    from .dynamodb import DynamoDBEvent, DynamoDBRecord
    from .errors import EventFieldError, EventValidationError, Problem
    from .eventbridge import EventBridgeEvent, S3EventBridgeDetail, S3EventBridgeEvent, ScheduledEvent
    from .eventbridge_account import (
        CloudTrailApiCall,
        ConfigComplianceChange,
        GuardDutyFinding,
        HealthEvent,
        StepFunctionsStatusChange,
        TrustedAdvisorCheckItem,
    )
    from .eventbridge_compute import (
        AutoScalingInstanceChange,
        AutoScalingLifecycleAction,
        BatchJobChange,
        Ec2InstanceStateChange,
        EcsContainerInstanceChange,
        EcsDeploymentChange,
        EcsServiceAction,
        EcsTaskChange,
    )
    from .eventbridge_delivery import (
        CodeBuildChange,
        CodeCommitChange,
        CodeDeployChange,
        CodePipelineChange,
        EcrImageAction,
        EcrImageScan,
        EcrScanChange,
    )
    from .firehose import FirehoseEvent, FirehoseRecord
    from .function_url import FunctionUrlEvent
    from .headers import Headers
    from .http_api import HttpApiEvent
    from .http_family import HttpEvent
    from .iot import IotAuthorizerEvent, IotButtonEvent, IotOneClickEvent, IotProvisioningEvent, IotRegistryEvent
    from .kafka import KafkaEvent, KafkaRecord
    from .kinesis import KinesisEvent, KinesisRecord
    from .kinesis_analytics import KinesisAnalyticsEvent, KinesisAnalyticsRecord
    from .lambda_destination import LambdaDestinationEvent
    from .lex_v1 import LexV1Event
    from .lex_v2 import LexV2Event
    from .parsing import parse
    from .query import Query
    from .readers import Decoder
    from .s3 import S3Event, S3Record
    from .s3_batch import S3BatchEvent, S3BatchTask
    from .s3_object_lambda import S3ObjectLambdaEvent
    from .secretsmanager import SecretsManagerRotationEvent
    from .ses import SesEvent, SesRecord
    from .sns import SnsEvent, SnsNotification, SnsRecord
    from .sqs import SqsEvent, SqsRecord
    from .transfer import TransferIdentityEvent, TransferWorkflowEvent
    from .view import View
    from .vpc_lattice import VpcLatticeEvent
    from .websocket import WebSocketEvent
    from .workmail import WorkMailEvent

_NAMES = {
    "alarm_state": "CloudWatchAlarmData",
    "alb": "AlbEvent",
    "alexa": "AlexaSkillEvent AlexaSmartHomeEvent",
    "amazon_mq": "ActiveMQEvent ActiveMQMessage RabbitMQEvent RabbitMQMessage",
    "api_gateway": "ApiGatewayEvent",
    "appsync": "AppSyncAuthorizerEvent AppSyncResolverEvent",
    "appsync_channels": "AppSyncChannelEvent AppSyncChannelMessage",
    "appsync_request": "AppSyncIdentity",
    "authorizers": "HttpApiAuthorizerEvent RequestAuthorizerEvent TokenAuthorizerEvent WebSocketAuthorizerEvent",
    "bedrock_agent": "BedrockAgentApiEvent BedrockAgentEvent BedrockAgentFunctionEvent",
    "client_vpn": "ClientVpnEvent",
    "cloudformation": "CloudFormationMacroEvent CustomResourceEvent",
    "cloudfront": "CloudFrontEvent CloudFrontRecord CloudFrontRequest CloudFrontResponse",
    "cloudwatch_alarm": "CloudWatchAlarmEvent",
    "cloudwatch_logs": "CloudWatchLogEvent CloudWatchLogsData CloudWatchLogsEvent",
    "cloudwatch_widget": "WidgetEvent",
    "codecommit": "CodeCommitEvent CodeCommitRecord",
    "codedeploy": "CodeDeployHookEvent",
    "codepipeline": "CodePipelineJobEvent",
    "cognito": (
        "CognitoCreateAuthChallengeEvent CognitoCustomMessageEvent CognitoCustomSenderEvent "
        "CognitoDefineAuthChallengeEvent CognitoEvent CognitoInboundFederationEvent "
        "CognitoPostAuthenticationEvent CognitoPostConfirmationEvent CognitoPreAuthenticationEvent "
        "CognitoPreSignUpEvent CognitoTokenGenerationEvent CognitoTrigger CognitoUserMigrationEvent "
        "CognitoVerifyAuthChallengeEvent"
    ),
    "cognito_sync": "CognitoSyncEvent",
    "config_rule": "ConfigItem ConfigRuleEvent",
    "connect": "ConnectCampaignEvent ConnectEvent",
    "detection": "detect",
    "documentdb": "DocumentDBChange DocumentDBEvent",
    "dynamodb": "DynamoDBEvent DynamoDBRecord",
    "errors": "EventFieldError EventValidationError Problem",
    "eventbridge": "EventBridgeEvent S3EventBridgeDetail S3EventBridgeEvent ScheduledEvent",
    "eventbridge_account": (
        "CloudTrailApiCall ConfigComplianceChange GuardDutyFinding HealthEvent StepFunctionsStatusChange "
        "TrustedAdvisorCheckItem"
    ),
    "eventbridge_compute": (
        "AutoScalingInstanceChange AutoScalingLifecycleAction BatchJobChange Ec2InstanceStateChange "
        "EcsContainerInstanceChange EcsDeploymentChange EcsServiceAction EcsTaskChange"
    ),
    "eventbridge_delivery": (
        "CodeBuildChange CodeCommitChange CodeDeployChange CodePipelineChange EcrImageAction EcrImageScan EcrScanChange"
    ),
    "firehose": "FirehoseEvent FirehoseRecord",
    "function_url": "FunctionUrlEvent",
    "headers": "Headers",
    "http_api": "HttpApiEvent",
    "http_family": "HttpEvent",
    "iot": "IotAuthorizerEvent IotButtonEvent IotOneClickEvent IotProvisioningEvent IotRegistryEvent",
    "kafka": "KafkaEvent KafkaRecord",
    "kinesis": "KinesisEvent KinesisRecord",
    "kinesis_analytics": "KinesisAnalyticsEvent KinesisAnalyticsRecord",
    "lambda_destination": "LambdaDestinationEvent",
    "lex_v1": "LexV1Event",
    "lex_v2": "LexV2Event",
    "parsing": "parse",
    "query": "Query",
    "readers": "Decoder",
    "s3": "S3Event S3Record",
    "s3_batch": "S3BatchEvent S3BatchTask",
    "s3_object_lambda": "S3ObjectLambdaEvent",
    "secretsmanager": "SecretsManagerRotationEvent",
    "ses": "SesEvent SesRecord",
    "sns": "SnsEvent SnsNotification SnsRecord",
    "sqs": "SqsEvent SqsRecord",
    "transfer": "TransferIdentityEvent TransferWorkflowEvent",
    "view": "View",
    "vpc_lattice": "VpcLatticeEvent",
    "websocket": "WebSocketEvent",
    "workmail": "WorkMailEvent",
}
_HOME = {name: module for module, names in _NAMES.items() for name in names.split()}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    found = globals()[name] = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
