"""The same function, as a user of aws-lambda-powertools writes it: its resolver with validation."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from pydantic import BaseModel

app = APIGatewayHttpResolver(enable_validation=True)


class Order(BaseModel):
    """The body of a request."""

    article: str
    quantity: int


@app.post("/orders")
def place(body: Order) -> dict[str, object]:
    """Accept it."""
    event = app.current_event
    tag = (event.query_string_parameters or {}).get("tag")
    return {"accepted": body.article, "tag": tag, "agent": event.headers.get("user-agent")}


def handler(event: dict[str, object], context: object) -> object:
    """The Lambda handler."""
    return app.resolve(event, context)
