"""How often, and how fast: Lambda's limits per second."""

from collections.abc import Callable, Iterator
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_emulator import LocalLambda, ManualClock, TooManyRequests
from lambda_emulator.concurrency_limits import ConcurrencyLimits
from lambda_emulator.rate_limits import RateLimits, SlidingWindow
from tests.emulator.conftest import MakeFunction

Start = Callable[..., LocalLambda]
ECHO = "serve(lambda body: body)"


class Account:
    """Limits on a time that stands still unless it is moved."""

    def __init__(self, *, account: int = 1000, strict: bool = True) -> None:
        self.now_s = 0.0
        self.limits = ConcurrencyLimits(account=account)
        self.rates = RateLimits(self.limits, lambda: self.now_s, strict=strict)

    def request(self, *, synchronous: bool = True) -> str:
        """One that is over at once: the share that took it, or the reason of its refusal."""
        try:
            admission = self.rates.admit("f", "1", synchronous=synchronous)
        except TooManyRequests as error:
            return error.reason
        self.limits.release(admission)
        return admission.share

    def requests(self) -> Iterator[str]:
        while True:
            yield self.request()


def accepted(account: Account) -> int:
    """How many requests go through before the first is refused."""
    return next(number for number, share in zip(count(), account.requests(), strict=False) if "Exceeded" in share)


def test_a_function_is_served_ten_times_its_reserved_concurrency_in_a_second() -> None:
    account = Account()
    account.limits.reserve("f", 2)
    assert accepted(account) == 20
    assert account.request() == "ReservedFunctionInvocationRateLimitExceeded"
    account.now_s = 0.99
    assert account.request() == "ReservedFunctionInvocationRateLimitExceeded"
    account.now_s = 1.0
    assert accepted(account) == 20
    assert account.limits.in_use == 0


def test_without_reserved_concurrency_it_is_ten_times_the_accounts() -> None:
    account = Account(account=30)
    assert accepted(account) == 300
    assert account.request() == "FunctionInvocationRateLimitExceeded"


def test_events_and_batches_have_no_rate() -> None:
    account = Account()
    account.limits.reserve("f", 1)
    assert {account.request(synchronous=False) for _ in range(50)} == {"reserved"}
    assert accepted(account) == 10


def test_what_is_too_much_for_provisioned_concurrency_spills_over() -> None:
    account = Account()
    account.limits.provision("f", "1", 1)
    assert [account.request() for _ in range(11)] == ["provisioned"] * 10 + ["unreserved"]


def test_environments_that_were_ended_have_to_grow_again() -> None:
    account = Account(account=5000)
    for admission in [account.rates.admit("f", "1", synchronous=False) for _ in range(1000)]:
        account.limits.release(admission)
    account.limits.release(account.rates.admit("f", "1", synchronous=False))
    account.rates.forget("f")
    with pytest.raises(TooManyRequests):
        account.rates.admit("f", "1", synchronous=False)


@pytest.mark.parametrize(("strict", "synchronous"), [(True, False), (False, True), (False, False)])
def test_provisioned_concurrency_has_a_rate_only_for_callers_and_only_where_it_is_strict(
    strict: bool, synchronous: bool
) -> None:
    account = Account(strict=strict)
    account.limits.provision("f", "1", 1)
    assert {account.request(synchronous=synchronous) for _ in range(30)} == {"provisioned"}


def test_unless_it_is_strict_only_the_account_limits_the_rate() -> None:
    account = Account(account=3, strict=False)
    assert accepted(account) == 30
    account.limits.reserve("f", 0)
    account.limits._reserved["f"] = 1  # an account this small could not reserve anything
    assert {account.request() for _ in range(50)} == {"reserved"}


def test_a_function_grows_by_a_thousand_environments_in_ten_seconds() -> None:
    account = Account(account=5000)
    held = [account.rates.admit("f", "1", synchronous=False) for _ in range(1000)]
    with pytest.raises(TooManyRequests) as refused:
        account.rates.admit("f", "1", synchronous=False)
    assert refused.value.reason == "ConcurrentInvocationLimitExceeded"
    account.limits.release(held.pop())
    held.append(account.rates.admit("f", "1", synchronous=False))  # an environment that is there is used again
    account.rates.admit("other", "1", synchronous=False)  # the rate is each function's own
    account.now_s = 9.9
    with pytest.raises(TooManyRequests):
        account.rates.admit("f", "1", synchronous=False)
    account.now_s = 10.0
    account.limits.release(account.rates.admit("f", "1", synchronous=False))
    account.now_s = 50.0  # four times as long saves nothing up
    held += [account.rates.admit("f", "1", synchronous=False) for _ in range(1001)]  # one is there and free
    with pytest.raises(TooManyRequests):
        account.rates.admit("f", "1", synchronous=False)
    assert account.limits.used_by("f") == 2001


@given(st.lists(st.floats(0, 0.5), max_size=60), st.integers(1, 5))
def test_no_span_holds_more_than_the_limit(pauses: list[float], limit: int) -> None:
    window, now_s, taken = SlidingWindow(1.0), 0.0, list[float]()
    for pause in pauses:
        now_s += pause
        inside = [at_s for at_s in taken if now_s - at_s < 1.0]
        assert window.take(limit, now_s) == (len(inside) < limit)
        if len(inside) < limit:
            taken.append(now_s)


def test_a_caller_is_told_by_the_clock_that_it_is_too_fast(make_function: MakeFunction, start_lambda: Start) -> None:
    clock = ManualClock()
    service = start_lambda(make_function(ECHO), clock=clock, strict_rates=True)
    service.put_function_concurrency("function", 1)
    for number in range(10):
        assert service.invoke("function", number).json() == number
    with pytest.raises(TooManyRequests) as refused:
        service.invoke("function", 10)
    assert refused.value.reason == "ReservedFunctionInvocationRateLimitExceeded"
    assert service.metrics.sum("Throttles", function="function") == 1
    service.invoke("function", 11, invocation_type="Event")
    clock.run_until_quiet()
    assert [outcome.condition for outcome in service.event_outcomes()] == ["Success"]
    clock.advance(1)
    assert service.invoke("function", 12).json() == 12


def test_an_ordinary_test_may_be_as_fast_as_it_likes(make_function: MakeFunction, start_lambda: Start) -> None:
    service = start_lambda(make_function(ECHO), clock=ManualClock())
    service.put_function_concurrency("function", 1)
    assert [service.invoke("function", number).json() for number in range(30)] == list(range(30))
