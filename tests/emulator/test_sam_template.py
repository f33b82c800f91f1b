"""SAM templates as projects: what is read, what is left out and told, what is refused with its place."""

import json
import string
import textwrap
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambda_emulator.project import Project, WrongProject, hole
from lambda_emulator.sam_template import read_sam_template

FUNCTION = """
  F:
    Type: AWS::Serverless::Function
    Properties: {Handler: app.handler, Runtime: python3.13, CodeUri: code/, %s}
"""


def read(folder: Path, text: str, name: str = "template.yaml", **parameters: str) -> Project:
    """The project of a template's text."""
    (folder / "code").mkdir(exist_ok=True)
    (folder / name).write_text(textwrap.dedent(text))
    return read_sam_template(folder / name, parameters)


def with_function(properties: str, resources: str = "", head: str = "") -> str:
    """A template of one function."""
    return f"{head}\nResources:\n{FUNCTION % properties}\n{textwrap.indent(textwrap.dedent(resources), '  ')}"


def test_globals_are_merged_as_sam_merges_them(tmp_path: Path) -> None:
    project = read(
        tmp_path,
        with_function(
            "Timeout: 20, Environment: {Variables: {B: own, N: 1, T: true}}",
            head="""
Globals:
  Function:
    Timeout: 5
    MemorySize: 512
    Tracing: Active
    Environment: {Variables: {A: all, B: all}}
""",
        ),
    )
    (function,) = project.functions
    assert function.environment == {"A": "all", "B": "own", "N": "1", "T": "true"}
    assert function.options == {"timeout_s": 20, "memory_mb": 512, "tracing": "Active"}
    assert function.code == tmp_path / "code"


def test_every_function_of_cloudformation_is_worked_out(tmp_path: Path) -> None:
    project = read(
        tmp_path,
        """
        Parameters:
          Stage: {Type: String, Default: dev, AllowedValues: [dev, prod]}
          Zones: {Type: CommaDelimitedList, Default: "a, b"}
        Mappings:
          Sizes: {dev: {memory: 256}, prod: {memory: 1024}}
        Conditions:
          IsProd: !Equals [!Ref Stage, prod]
          IsDev: !Not [!Condition IsProd]
          Both: !And [!Condition IsDev, !Or [!Condition IsProd, !Equals [a, a]]]
        Resources:
          F:
            Type: AWS::Serverless::Function
            Properties:
              Handler: app.handler
              Runtime: python3.13
              CodeUri: code
              FunctionName: !Sub "${AWS::StackName}-${Stage}-f"
              MemorySize: !FindInMap [Sizes, !Ref Stage, memory]
              Timeout: !If [IsProd, 60, !Ref AWS::NoValue]
              Environment:
                Variables:
                  URL: !Ref Jobs
                  ARN: !GetAtt Jobs.Arn
                  LONG: {"Fn::Sub": ["${A}/${Jobs.QueueName}/${!kept}", {A: !Join ["-", !Ref Zones]}]}
                  SECOND: !Select [1, !Split ["/", "x/y/z"]]
                  BOTH: !If [Both, "yes", "no"]
                  B64: !Base64 hello
                  JSON: {"Fn::ToJsonString": {a: !GetAtt Jobs.Arn}}
          Jobs: {Type: AWS::SQS::Queue}
          OnlyProd: {Type: AWS::SQS::Queue, Condition: IsProd}
        """,
    )
    (function,) = project.functions
    assert function.name == f"{project.stack}-dev-f"
    assert function.options == {"memory_mb": 256}
    assert function.environment == {
        "URL": hole("Jobs"),
        "ARN": hole("Jobs", "Arn"),
        "LONG": f"a-b/{hole('Jobs', 'QueueName')}/${{kept}}",
        "SECOND": "y",
        "BOTH": "yes",
        "B64": "aGVsbG8=",
        "JSON": json.dumps({"a": hole("Jobs", "Arn")}, ensure_ascii=False),
    }
    assert [each.logical for each in project.resources] == ["Jobs"]
    assert [
        each.logical for each in read(tmp_path, (tmp_path / "template.yaml").read_text(), Stage="prod").resources
    ] == [
        "Jobs",
        "OnlyProd",
    ]


def test_a_template_in_json_is_read_too(tmp_path: Path) -> None:
    properties = {"Handler": "app.handler", "Runtime": "provided.al2023", "CodeUri": "code"}
    template = {"Resources": {"F": {"Type": "AWS::Serverless::Function", "Properties": properties}}}
    assert read(tmp_path, json.dumps(template), "template.json").functions[0].handler == "app.handler"


def test_all_kinds_of_events_become_sources(tmp_path: Path) -> None:
    project = read(
        tmp_path,
        """
        Globals: {Api: {BinaryMediaTypes: [image~1png]}}
        Resources:
          F:
            Type: AWS::Serverless::Function
            Properties:
              Handler: app.handler
              Runtime: python3.13
              CodeUri: code
              AutoPublishAlias: live
              FunctionUrlConfig: {AuthType: NONE, InvokeMode: RESPONSE_STREAM}
              Events:
                Queue:
                  Type: SQS
                  Properties:
                    Queue: !GetAtt Jobs.Arn
                    BatchSize: 5
                    ScalingConfig: {MaximumConcurrency: 4}
                    FilterCriteria: {Filters: [{Pattern: '{"body": {"a": [1]}}'}]}
                Stream:
                  Type: Kinesis
                  Properties:
                    Stream: !GetAtt Clicks.Arn
                    StartingPosition: TRIM_HORIZON
                    BisectBatchOnFunctionError: true
                    DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt Jobs.Arn}}
                Table: {Type: DynamoDB, Properties: {Stream: !GetAtt Things.StreamArn, StartingPosition: LATEST}}
                Http: {Type: HttpApi, Properties: {Path: "/a/{id}", Method: get}}
                Rest: {Type: Api, Properties: {Path: /b, Method: ANY}}
                Rate: {Type: Schedule, Properties: {Schedule: rate(5 minutes), Input: '{"a": 1}', Enabled: false}}
                Cron:
                  Type: ScheduleV2
                  Properties: {ScheduleExpression: "cron(0 9 * * ? *)", ScheduleExpressionTimezone: Europe/Vienna}
                Upload:
                  Type: S3
                  Properties:
                    Bucket: !Ref Files
                    Events: s3:ObjectCreated:*
                    Filter: {S3Key: {Rules: [{Name: suffix, Value: .png}]}}
                Topic: {Type: SNS, Properties: {Topic: !Ref News, FilterPolicy: {kind: [a]}}}
                Bus: {Type: EventBridgeRule, Properties: {Pattern: {source: [shop]}, InputPath: $.detail}}
                Skill: {Type: AlexaSkill}
          Jobs: {Type: AWS::SQS::Queue, Properties: {FifoQueue: true}}
          Clicks: {Type: AWS::Kinesis::Stream, Properties: {ShardCount: 2}}
          Things:
            Type: AWS::DynamoDB::Table
            Properties:
              KeySchema: [{AttributeName: id, KeyType: HASH}]
              AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
              StreamSpecification: {StreamViewType: NEW_IMAGE}
          Files: {Type: AWS::S3::Bucket}
          News: {Type: AWS::SNS::Topic, Properties: {Subscription: [{Protocol: sqs, Endpoint: !GetAtt Jobs.Arn}]}}
        """,
    )
    polled = {each.where.rpartition(" ")[2]: each for each in project.polled}
    assert polled["Queue"].settings == {
        "batch_size": 5,
        "maximum_concurrency": 4,
        "filters": ['{"body": {"a": [1]}}'],
    }
    assert polled["Queue"].qualifier == "live"
    assert polled["Stream"].settings["on_failure"] == hole("Jobs", "Arn")
    assert polled["Table"].arn == hole("Things", "StreamArn")
    routes = {front.title: front.routes[0] for front in project.fronts}
    assert routes["URL of F"].streamed
    assert (routes["ServerlessHttpApi"].method, routes["ServerlessHttpApi"].path) == ("GET", "/a/{id}")
    assert (routes["ServerlessRestApi"].kind, routes["ServerlessRestApi"].stage) == ("rest", "Prod")
    assert routes["ServerlessRestApi"].binary_media_types == ("image/png",)
    links = {(each.kind, each.name): each.request for each in project.links}
    arn = "arn:aws:lambda:us-east-1:123456789012:function:F:live"
    assert links["rule", "F-Rate"] == {
        "rule": {"Name": "F-Rate", "State": "DISABLED", "ScheduleExpression": "rate(5 minutes)"},
        "targets": [{"Id": "Rate", "Arn": arn, "Input": '{"a": 1}'}],
    }
    assert links["schedule", "F-Cron"]["ScheduleExpressionTimezone"] == "Europe/Vienna"
    assert links["rule", "F-Bus"]["targets"] == [{"Id": "Bus", "Arn": arn, "InputPath": "$.detail"}]
    assert links["notification", hole("Files")]["LambdaFunctionConfigurations"][0]["Filter"] == {
        "Key": {"FilterRules": [{"Name": "suffix", "Value": ".png"}]}
    }
    assert links["subscription", "Topic"]["Attributes"] == {
        "FilterPolicy": {"kind": ["a"]},
        "FilterPolicyScope": "MessageAttributes",
    }
    assert links["subscription", "News"]["Protocol"] == "sqs"
    assert {each.logical: each.name for each in project.resources} == {
        "Jobs": "Jobs.fifo",
        "Clicks": "Clicks",
        "Things": "Things",
        "Files": "files",
        "News": "News",
    }
    assert project.notes == (
        "Resources.F of template.yaml: event Skill is left out: there is no source of type AlexaSkill here",
    )


def test_what_stands_beside_a_function_is_read(tmp_path: Path) -> None:
    project = read(
        tmp_path,
        with_function(
            "ReservedConcurrentExecutions: 3, DeadLetterQueue: {Type: SQS, TargetArn: !GetAtt Lost.Arn}, "
            "EventInvokeConfig: {MaximumRetryAttempts: 0, DestinationConfig: {OnSuccess: {Type: SQS, "
            "Destination: !GetAtt Lost.Arn}}}, LoggingConfig: {LogFormat: JSON, ApplicationLogLevel: DEBUG}",
            "Lost: {Type: AWS::SQS::Queue}",
        ),
    )
    (function,) = project.functions
    assert function.reserved_concurrency == 3
    assert function.dead_letter == hole("Lost", "Arn")
    assert function.event_invoke == {"maximum_retry_attempts": 0, "on_success": hole("Lost", "Arn")}
    assert function.options == {"log_format": "JSON", "log_level": "DEBUG"}


def test_another_runtimes_bootstrap_is_run_and_ours_is_not_doubled(tmp_path: Path) -> None:
    template = with_function("Runtime: provided.al2023").replace("Runtime: python3.13, ", "")
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "bootstrap").write_text("#!/bin/sh\nexec ./mine\n")
    assert read(tmp_path, template).functions[0].options["command"] == (str(tmp_path / "code" / "bootstrap"),)
    (tmp_path / "code" / "bootstrap").write_text("#!/bin/sh\n# handlerkit's\n")
    assert "command" not in read(tmp_path, template).functions[0].options


@pytest.mark.parametrize(
    ("template", "told"),
    [
        ("{", "template.yaml is no YAML: "),
        ("[]", "template.yaml is no template: it has no section Resources"),
        ("Resources: {}\n", "template.yaml has no AWS::Serverless::Function that can be served"),
        ("Resources: {A: {}}\n", "Resources.A of template.yaml has no Type"),
        ("Resources: {}\nResorces: {}\n", "has a section Resorces: did you mean Resources?"),
        ("Resources:\n  A: 1\n  A: 2\n", "the key A is there twice (line 3, column 3)"),
        ("Resources:\n  A: !Reff B\n", "there is no function !Reff: did you mean Ref? (line 2, column 6)"),
        (with_function("Timout: 3"), "Resources.F of template.yaml has no property Timout: did you mean Timeout?"),
        (with_function("Timeout: soon"), "Timeout has to be a whole number, not 'soon'"),
        (
            with_function("CodeUri: s3://b/k").replace("CodeUri: code/, ", ""),
            "CodeUri 's3://b/k' is not on this machine",
        ),
        (with_function("CodeUri: gone").replace("CodeUri: code/, ", ""), "CodeUri gone is not there (looked for "),
        (
            with_function("CodeUri: template.yaml").replace("CodeUri: code/, ", ""),
            "CodeUri template.yaml is a file: name the folder that it was made from",
        ),
        (
            with_function("Environment: {Variables: {A: !Ref Jobz}}", "Jobs: {Type: AWS::SQS::Queue}"),
            "!Ref Jobz leads nowhere: did you mean Jobs?",
        ),
        (with_function("Environment: {Variables: {A: !GetAtt Nope.Arn}}"), "!GetAtt Nope.Arn leads nowhere"),
        (
            with_function("Environment: {Variables: {A: !ImportValue x}}"),
            "x is imported from another stack: add --parameter x=...",
        ),
        (with_function("Events: {A: {Type: SQSS}}"), "event A is of type SQSS: did you mean SQS?"),
        (with_function("Events: {A: {Type: SQS}}"), "event A needs a Queue"),
        (
            with_function("Events: {A: {Type: SQS, Properties: {Queue: q, BatchSizes: 1}}}"),
            "event A has no property BatchSizes: did you mean BatchSize?",
        ),
        (
            with_function("Events: {A: {Type: S3, Properties: {Bucket: b}}}"),
            "event A needs Events, such as s3:ObjectCreated:*",
        ),
        (
            with_function("Tags: {}", "Q: {Type: AWS::SQS::Queue, Properties: {Fifo: true}}"),
            "Resources.Q of template.yaml has no property Fifo: did you mean FifoQueue?",
        ),
        (
            with_function("Timeout: !Ref P", head="Parameters: {P: {Type: Number}}"),
            "Parameters.P of template.yaml has no value here: add --parameter P=...",
        ),
        (
            with_function("Timeout: !If [C, 1, 2]", head="Conditions: {C: !Condition D, D: !Condition C}"),
            "depends on itself",
        ),
        (
            with_function("Runtime: nodejs22.x").replace("Runtime: python3.13, ", ""),
            "nodejs22.x is not run, only python3.x and provided.*",
        ),
        (with_function("PackageType: Image"), "images are not run: use a Zip package with Handler and CodeUri"),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(tmp_path: Path, template: str, told: str) -> None:
    with pytest.raises(WrongProject) as refused:
        read(tmp_path, template)
    assert told in str(refused.value)


def test_parameters_are_checked_against_the_template(tmp_path: Path) -> None:
    template = with_function(
        "Timeout: !Ref P", head="Parameters: {P: {Type: Number, Default: 3, AllowedValues: [3, 9]}}"
    )
    assert read(tmp_path, template, P="9").functions[0].options == {"timeout_s": 9}
    with pytest.raises(WrongProject, match="--parameter P=4: it has to be one of 3, 9"):
        read(tmp_path, template, P="4")
    with pytest.raises(
        WrongProject, match=r"--parameter Q: template\.yaml has no such parameter or import: there are P"
    ):
        read(tmp_path, template, Q="4")


def test_what_another_stack_exports_is_given_like_a_parameter_and_only_where_it_is_needed(tmp_path: Path) -> None:
    template = with_function(
        'VpcConfig: {SubnetIds: !Split [",", !ImportValue subnets]}, Policies: [!ImportValue policy], '
        "Environment: {Variables: {TABLE: !ImportValue shared-table, SECRET: '{{resolve:ssm:/s}}'}}"
    )
    with pytest.raises(
        WrongProject, match="shared-table is imported from another stack: add --parameter shared-table="
    ):
        read(tmp_path, template)
    project = read(tmp_path, template, **{"shared-table": "orders"})
    assert project.functions[0].environment == {"TABLE": "orders", "SECRET": "{{resolve:ssm:/s}}"}
    (note,) = project.notes
    assert note.endswith("Environment: SECRET is kept as it is: {{resolve:ssm:/s}} is not looked up")


def test_a_function_may_ignore_the_globals(tmp_path: Path) -> None:
    head = "Globals: {Function: {Timeout: 9, MemorySize: 512}}"
    for ignored, options in (("'*'", {}), ("[Timeout]", {"memory_mb": 512})):
        template = with_function("Tags: {}", head=head).replace(
            "    Properties:", f"    IgnoreGlobals: {ignored}\n    Properties:"
        )
        assert read(tmp_path, template).functions[0].options == options


def test_what_is_left_out_is_told_once_with_what_to_change(tmp_path: Path) -> None:
    project = read(
        tmp_path,
        with_function(
            "Layers: [x], SnapStart: {ApplyOn: PublishedVersions}, FunctionUrlConfig: {AuthType: AWS_IAM}",
            """
            Machine: {Type: AWS::Serverless::StateMachine}
            Log: {Type: AWS::Logs::LogGroup}
            Mail: {Type: AWS::SNS::Subscription, Properties: {TopicArn: t, Protocol: email, Endpoint: e}}
            """,
        ),
    )
    assert project.notes == (
        "Resources.F of template.yaml: SnapStart is left out: $LATEST has no snapshot, as on Lambda",
        "Resources.F of template.yaml: Layers are left out: packages are those of this command's Python",
        "Resources.F of template.yaml: FunctionUrlConfig: AuthType AWS_IAM is left out: nobody is refused here",
        "Resources.Machine of template.yaml: AWS::Serverless::StateMachine is left out, as there is none of it here",
        "Resources.Mail of template.yaml is left out: nothing is sent by email here",
        "left out, as nothing here asks for them: 1 AWS::Logs::LogGroup",
    )


def test_anchors_that_multiply_are_stopped(tmp_path: Path) -> None:
    head = "x-a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
    for one, other in zip("abcdefg", "bcdefgh", strict=True):
        head += f"x-{other}: &{other} [{', '.join([f'*{one}'] * 10)}]\n"
    with pytest.raises(WrongProject, match="do anchors refer to one another"):
        read(tmp_path, with_function("Environment: {Variables: {a: *h}}", head=head))


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(string.ascii_letters + "${}.:!", max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["Ref", "Fn::Sub", "Fn::GetAtt", "Fn::Join", "Fn::If", "Fn::Select", "Condition", "A", "F"]
            ),
            inner,
            max_size=2,
        )
    ),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(["Timeout", "Environment", "Events", "CodeUri", "EventInvokeConfig", "Layers"]), value=VALUES
)
def test_whatever_stands_in_a_template_is_read_or_refused(tmp_path: Path, name: str, value: Any) -> None:
    properties = {"Handler": "a.b", "Runtime": "python3.13", "CodeUri": "code", name: value}
    template = {"Resources": {"F": {"Type": "AWS::Serverless::Function", "Properties": properties}}}
    refusal = ""
    try:
        read(tmp_path, json.dumps(template), "template.json")
    except WrongProject as refused:
        refusal = str(refused)
    assert not refusal or "template.json" in refusal
