"""Books that many families are described in."""

__all__ = ["CONTINUOUS_1", "CONTINUOUS_2", "DISCRETE"]

CONTINUOUS_1 = "Johnson, Kotz & Balakrishnan, Continuous Univariate Distributions 1 (1994)"
CONTINUOUS_2 = "Johnson, Kotz & Balakrishnan, Continuous Univariate Distributions 2 (1995)"
DISCRETE = "Johnson, Kemp & Kotz, Univariate Discrete Distributions (2005)"
