"""The contract of test_frameworks.py in Django."""

import asyncio
import json
from pathlib import Path

import django
from django.conf import settings
from django.http import HttpResponse, HttpResponseRedirect, JsonResponse, StreamingHttpResponse
from django.urls import path

from handlerkit import asgi_handler

settings.configure(
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="of a test",
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
    DATA_UPLOAD_MAX_MEMORY_SIZE=10_000_000,
    LOGGING_CONFIG=None,
)
done: list[int] = []


def item(request, name):
    return JsonResponse({"name": name, "tags": request.GET.getlist("tag"), "url": request.path, "pool": "open"})


async def echo(request):
    return JsonResponse(json.loads(request.body), safe=False)


def upload(request):
    return JsonResponse({"size": len(request.body), "type": request.headers["content-type"]})


def binary(request):
    return HttpResponse(bytes(range(256)), content_type="application/octet-stream")


def cookies(request):
    response = JsonResponse(request.COOKIES)
    response.set_cookie("a", "1")
    response.set_cookie("b", "2", httponly=True)
    return response


async def events(request):
    gate = request.GET.get("gate")

    async def produce():
        for number in range(3):
            yield f"data: {number}\n\n"
            while gate and not Path(gate).exists():  # until the client has seen the first one
                await asyncio.sleep(0.005)

    return StreamingHttpResponse(produce(), content_type="text/event-stream")


def error(request):
    raise ValueError("a secret reason")


def redirect(request):
    return HttpResponseRedirect("/items/x")


urlpatterns = [
    path("items/<path:name>", item),
    path("echo", echo),
    path("upload", upload),
    path("binary", binary),
    path("cookies", cookies),
    path("events", events),
    path("error", error),
    path("redirect", redirect),
]
django.setup()

from django.core.asgi import get_asgi_application  # noqa: E402  # after the settings

app = get_asgi_application()
handler = asgi_handler(app, stream=True)
