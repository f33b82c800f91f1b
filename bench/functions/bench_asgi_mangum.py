"""The same applications behind mangum."""

from bench_asgi_apps import fastapi_app, plain_app
from mangum import Mangum

plain = Mangum(plain_app, lifespan="off")
fastapi = Mangum(fastapi_app, lifespan="auto")
fastapi_without_lifespan = Mangum(fastapi_app, lifespan="off")
