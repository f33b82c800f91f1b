"""Hello-world applications behind `asgi_handler`: one that is nothing but the protocol, one in FastAPI."""

from bench_asgi_apps import fastapi_app, plain_app

from handlerkit import asgi_handler

plain = asgi_handler(plain_app)
fastapi = asgi_handler(fastapi_app)
streaming = asgi_handler(plain_app, stream=True)
