"""Benchmarks may take longer than tests, and print their tables as they go."""

from collections.abc import Callable

import pytest

#: No tests, and not everyone has JAX or geomstats.
collect_ignore = ["network_jax.py", "geomstats_rival.py"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(pytest.mark.timeout(1800))


@pytest.fixture
def show(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Print past pytest's capture."""

    def past_capture(text: str) -> None:
        with capsys.disabled():
            print(text, flush=True)

    return past_capture
