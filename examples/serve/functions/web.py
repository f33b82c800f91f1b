"""The shop's HTTP side: an order goes into a queue, and can be asked for once it is booked."""

import json
import os
import uuid

import boto3

from handlerkit import HttpRequest, HttpResponse, http_handler

queue = boto3.client("sqs")
table = boto3.resource("dynamodb").Table(os.environ["ORDERS_TABLE"])


@http_handler
def handler(request: HttpRequest) -> HttpResponse:
    """`POST /orders` and `GET /orders/{id}`."""
    if request.method == "POST":
        order = {"id": str(uuid.uuid4()), **request.json()}
        queue.send_message(QueueUrl=os.environ["ORDERS_QUEUE_URL"], MessageBody=json.dumps(order))
        return HttpResponse({"id": order["id"]}, status=202)
    found = table.get_item(Key={"id": request.path_parameters["id"]}).get("Item")
    if found is None:
        return HttpResponse({"message": "no such order, or not booked yet"}, status=404)
    return HttpResponse({"id": found["id"], "article": found["article"], "quantity": int(found["quantity"])})
