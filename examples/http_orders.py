"""Orders over HTTP, behind any front: a typed body, errors as problem details, a header and a cookie."""

from pydantic import BaseModel, Field

from handlerkit import HttpRequest, HttpResponse, http_handler
from handlerkit.http import HttpError


class Order(BaseModel):
    """What is ordered."""

    article: str
    quantity: int = Field(default=1, gt=0)


@http_handler
def handler(request: HttpRequest, body: Order) -> HttpResponse:
    """Accept an order; what is sold out is 409."""
    if body.article == "unicorn":
        raise HttpError(409, "Unicorns are sold out.", article=body.article)
    response = HttpResponse({"accepted": body.article, "quantity": body.quantity}, 201, {"Location": "/orders/1"})
    response.set_cookie("last-order", "1", max_age_s=3600)
    return response
