"""Sums without end by their first terms and an integral, against sums that are known."""

from __future__ import annotations

import numpy as np
import pytest

from infogeom.numeric.endless_sums import doubtful_share, head_factors


def of_squares(number: int) -> tuple[float, float]:
    """Σ 1/x² by so many terms and the integral over what is beyond, less π²/6; and what is in doubt."""
    terms = head_factors(number) / np.arange(1.0, number + 1) ** 2
    return terms.sum() + 1 / (number + 0.5) - np.pi**2 / 6, abs((terms * doubtful_share(number)).sum())


def test_a_sum_of_inverse_squares_is_found_to_the_last_digits() -> None:
    assert of_squares(512)[0] == pytest.approx(0, abs=8 * np.finfo(float).eps)


@pytest.mark.parametrize("number", [32, 64, 128])
def test_what_is_in_doubt_holds_the_error_and_is_little(number: int) -> None:
    off, doubt = of_squares(number)
    bare = 1 / (number + 0.5) + (1 / np.arange(1.0, number + 1) ** 2).sum() - np.pi**2 / 6
    assert abs(off) <= doubt <= abs(bare) / 5


def test_only_the_last_terms_count_for_more_or_less_than_one() -> None:
    assert (head_factors(32)[:-6] == 1).all()
    assert (head_factors(6) > 0).all()
