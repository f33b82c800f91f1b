"""What a runtime calls itself."""

import pytest

from lambda_emulator.runtime_release import RuntimeRelease


@pytest.mark.parametrize(
    ("requests", "release"),
    [
        ([{}], ""),
        ([{"user-agent": "a/1 b/2"}], "a/1"),
        ([{}, {"user-agent": "a/1"}, {"user-agent": "b/2"}], "a/1"),
        ([{"lambda-runtime-features": "x (y)"}], "Unknown (x y)"),
        ([{"user-agent": "a/1", "lambda-runtime-features": "x"}, {"lambda-runtime-features": "z"}], "a/1 (x)"),
        ([{"user-agent": "a" * 200}], "a" * 128),
        ([{"user-agent": "a" * 120, "lambda-runtime-features": "x" * 20}], "a" * 120 + " (xxxxx)"),
        ([{"user-agent": "a" * 128, "lambda-runtime-features": "x"}], "a" * 128),
    ],
)
def test_the_release_is_learnt_once(requests: list[dict[str, str]], release: str) -> None:
    learnt = RuntimeRelease()
    for headers in requests:
        learnt.learn(headers)
    assert str(learnt) == release
