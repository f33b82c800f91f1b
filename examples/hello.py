"""The smallest handler: a name in, a greeting out."""


def handler(event, context):
    """Answer `{"name": ...}` with a greeting."""
    name = event.get("name", "world")
    print(f"greeting {name}")
    return {"message": f"Hello, {name}!", "request": context.aws_request_id}
