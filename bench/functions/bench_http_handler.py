"""A function of a request with a model as its body, as a user of handlerkit writes it."""

from pydantic import BaseModel

from handlerkit import HttpRequest, http_handler


class Order(BaseModel):
    """The body of a request."""

    article: str
    quantity: int


@http_handler
def place(request: HttpRequest, body: Order) -> dict[str, object]:
    """Accept it."""
    return {"accepted": body.article, "tag": request.query.get("tag"), "agent": request.headers.get("user-agent")}
