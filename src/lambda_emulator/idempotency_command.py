"""`handlerkit idempotency template`: the table and the permissions that `DynamoDBStore` needs, as CloudFormation."""

import re
from typing import Annotated

import typer

from lambda_emulator.command_input import WrongInput

__all__ = ["template", "template_text"]

TABLE_NAME = re.compile(r"[A-Za-z0-9_.-]{3,255}")
# DynamoDB takes any text; these need no quoting anywhere.
ATTRIBUTE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,254}")
# What YAML readers take for something else than a text.
NO_TEXT = re.compile(r"[^A-Za-z].*|y|n|yes|no|on|off|true|false|null|~", re.IGNORECASE)
ACTIONS = ("PutItem", "UpdateItem", "DeleteItem", "GetItem")

TEMPLATE = """\
# What this needs:
#   DynamoDBStore({store})
# Merge it into your SAM or CloudFormation template and give the function the policy. In SAM, under its Properties:
#   Policies: [!Ref {logical}Access]
# In CloudFormation, under the Properties of its role:
#   ManagedPolicyArns: [!Ref {logical}Access]
Resources:
  {logical}:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: {table}
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions:
{definitions}
      KeySchema:
{schema}
      TimeToLiveSpecification:
        AttributeName: {ttl}
        Enabled: true
  {logical}Access:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      Description: The requests of handlerkit's idempotency, on this table alone
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Action:
{actions}
            Resource: !GetAtt {logical}.Arn
{condition}"""
CONDITION = """\
            Condition:
              ForAllValues:StringEquals:
                dynamodb:LeadingKeys: [{partition}]
"""


def template(
    table: Annotated[str, typer.Option(help="the table's name, as given to DynamoDBStore")] = "idempotency",
    key: Annotated[str, typer.Option(help="the partition key's attribute: Layout(key=...)")] = "id",
    sort_key: Annotated[
        str | None, typer.Option(help="the sort key's attribute, if there is one: Layout(sort_key=...)")
    ] = None,
    partition: Annotated[
        str | None, typer.Option(help="with a sort key: the partition of all records, the only one allowed")
    ] = None,
    ttl: Annotated[str, typer.Option(help="the attribute with the time to live: Layout(expiry=...)")] = "expiration",
) -> None:
    """Print the DynamoDB table and the least policy that idempotency needs, as CloudFormation for SAM templates too."""
    try:
        typer.echo(template_text(table, key=key, sort_key=sort_key, partition=partition, ttl=ttl), nl=False)
    except WrongInput as error:
        typer.echo(f"handlerkit: {error}", err=True)
        raise typer.Exit(2) from None


def template_text(
    table: str, *, key: str = "id", sort_key: str | None = None, partition: str | None = None, ttl: str = "expiration"
) -> str:
    """A CloudFormation template, to deploy or to merge. Raises `WrongInput` for names that DynamoDB does not take."""
    if not TABLE_NAME.fullmatch(table):
        raise WrongInput(f"--table {table!r}: 3 to 255 letters, digits, and _ . -")
    for option, name in (("--key", key), ("--sort-key", sort_key), ("--ttl", ttl)):
        if name is not None and not ATTRIBUTE_NAME.fullmatch(name):
            raise WrongInput(f"{option} {name!r}: a letter, then letters, digits, and _ . -")
    if len({key, sort_key, ttl}) < 3:
        raise WrongInput(f"--key {key}, --sort-key {sort_key} and --ttl {ttl} must differ")
    if partition is not None and (sort_key is None or not ATTRIBUTE_NAME.fullmatch(partition)):
        raise WrongInput(f"--partition {partition!r}: needs --sort-key, and is a letter, then letters, digits, _ . -")
    keys = [(key, "HASH"), *([(sort_key, "RANGE")] if sort_key else [])]
    layout = [f'"{table}"', *([f'key="{key}"'] if key != "id" else [])]
    layout += [f'sort_key="{sort_key}"'] if sort_key else []
    layout += [f'partition="{partition}"'] if partition else []
    layout += [f'expiry="{ttl}"'] if ttl != "expiration" else []
    return TEMPLATE.format(
        store=layout[0] if len(layout) == 1 else f"Layout({', '.join(layout)})",
        logical=_logical(table),
        table=_text(table),
        ttl=_text(ttl),
        definitions="\n".join([f"        - {{AttributeName: {_text(name)}, AttributeType: S}}" for name, _ in keys]),
        schema="\n".join([f"        - {{AttributeName: {_text(name)}, KeyType: {kind}}}" for name, kind in keys]),
        actions="\n".join([f"              - dynamodb:{action}" for action in ACTIONS]),
        condition=CONDITION.format(partition=_text(partition)) if partition else "",
    )


def _logical(table: str) -> str:
    """A resource's name made of a table's: letters and digits."""
    name = "".join(part[:1].upper() + part[1:] for part in re.split(r"[^A-Za-z0-9]+", table))
    return f"{name}Table"[-240:]


def _text(name: str) -> str:
    return f'"{name}"' if NO_TEXT.fullmatch(name) else name
