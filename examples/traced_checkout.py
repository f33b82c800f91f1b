"""A traced handler: handlerkit invoke examples/traced_checkout.handler -e examples/events/checkout.json --trace"""

from pydantic import BaseModel

from handlerkit import event_handler, traced
from handlerkit.tracing import annotate, span


class Checkout(BaseModel):
    order_id: str
    amounts: list[float]


@traced
def price(amounts: list[float]) -> float:
    return sum(amounts)


@event_handler
def handler(checkout: Checkout) -> dict[str, float]:
    annotate(order_id=checkout.order_id)
    total = price(checkout.amounts)
    with span("payments.example.com", remote=True, amount=total) as call:
        # requests.post(..., headers=outgoing_headers()) would continue the trace there.
        call.set_http(method="POST", url="https://payments.example.com/charges", status=201)
    with span("receipt") as receipt:
        receipt.add_metadata("lines", checkout.amounts)
    return {"charged": total}
