"""Where AWS credentials come from in a function: its environment, or the endpoint that the platform names there.

The endpoint serves functions restored from a snapshot, whose keys outlast no environment variable. Profiles, instance
metadata and single sign-on are boto3's business: give the store a client of its.
"""

from __future__ import annotations

import time

from .http_post import Endpoint, HttpConnections, HttpError
from .signing import Credentials

__all__ = ["CredentialSource", "CredentialsError"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# AWS's own clients renew a quarter of an hour ahead; keys of this endpoint live for hours.
RENEW_BEFORE_S = 900
CONTAINER_HOST = "http://169.254.170.2"
TRUSTED_HOSTS = ("169.254.170.2", "169.254.170.23", "fd00:ec2::23", "localhost", "127.0.0.1", "::1")


class CredentialsError(Exception):
    """There are none, or the endpoint does not give any."""


class CredentialSource:
    """Credentials of an environment, asked for again before they end."""

    def __init__(self, environ: Mapping[str, str], *, clock_s: Callable[[], float] = time.time) -> None:
        self._environ = environ
        self._clock_s = clock_s
        self._kept: Credentials | None = None

    def current(self) -> Credentials:
        """Credentials that are good now. Raises `CredentialsError`."""
        environ = self._environ
        access_key, secret_key = environ.get("AWS_ACCESS_KEY_ID"), environ.get("AWS_SECRET_ACCESS_KEY")
        if access_key and secret_key:
            return Credentials(access_key, secret_key, environ.get("AWS_SESSION_TOKEN", ""))
        kept = self._kept
        now_s = self._clock_s()
        if kept is not None and (kept.expires_at_s is None or now_s < kept.expires_at_s - RENEW_BEFORE_S):
            return kept
        try:
            self._kept = self._asked()
        except CredentialsError:
            if kept is None or (kept.expires_at_s or 0) <= now_s:
                raise
            return kept  # good for some minutes still
        return self._kept

    def _asked(self) -> Credentials:
        environ = self._environ
        relative, full = (environ.get(f"AWS_CONTAINER_CREDENTIALS_{kind}_URI") for kind in ("RELATIVE", "FULL"))
        if not relative and not full:
            raise CredentialsError(
                "no AWS credentials: neither AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY nor a container credentials "
                "endpoint in the environment; elsewhere give the store a client: DynamoDBStore(table, client=boto3...)"
            )
        endpoint = Endpoint(f"{CONTAINER_HOST}{relative}" if relative else str(full))
        if not endpoint.is_secure and endpoint.host not in TRUSTED_HOSTS:
            raise CredentialsError(f"credentials are not asked for at {endpoint.host} in plain text")
        connections = HttpConnections(endpoint, timeout_s=2.0)
        try:
            answer = connections.request("GET", {"accept": "application/json", **self._authorization()})
        except HttpError as error:
            raise CredentialsError(f"the credentials endpoint does not answer: {error}") from error
        finally:
            connections.close()
        if answer.status != 200:
            raise CredentialsError(f"the credentials endpoint answered {answer.status}")
        return _credentials(answer.body)

    def _authorization(self) -> dict[str, str]:
        token = self._environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN", "")
        path = self._environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
        if path:
            try:
                with open(path, encoding="utf-8") as file:  # noqa: PTH123  # pathlib costs 7 ms of a cold start
                    token = file.read().strip()
            except OSError as error:
                raise CredentialsError(f"the token file of the credentials endpoint: {error}") from error
        if "\r" in token or "\n" in token:
            raise CredentialsError("the token of the credentials endpoint has a line break in it")
        return {"authorization": token} if token else {}


def _credentials(body: bytes) -> Credentials:
    from calendar import timegm  # late, as json: only where the environment has no keys
    from json import loads

    try:
        found = loads(body)
        expiration = found.get("Expiration")
        ends_s = timegm(time.strptime(expiration[:19], "%Y-%m-%dT%H:%M:%S")) if expiration else None
        return Credentials(found["AccessKeyId"], found["SecretAccessKey"], found.get("Token") or "", ends_s)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CredentialsError(f"the credentials endpoint gave no credentials ({type(error).__name__})") from error
