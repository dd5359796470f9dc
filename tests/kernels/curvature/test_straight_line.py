"""The curvature code run on names: what its programs say of how far to trust them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from infogeom.kernels.curvature.straight_line import written_out

GIVEN = {"g0": 2.0, "g1": 3.0, "slope": 0.5, "error": 1e-10, "unknown": math.nan}


def doubt(unknown: tuple[int, ...] | None) -> float:
    """The largest relative error of Γ for the metric diag(g0, g1), an entry of whose ∂g has an error of nan."""
    program: dict[str, str] = {}

    def assign(form: str, *operands: str) -> str:
        program[f"v{len(program)}"] = form.format(*operands)
        return f"v{len(program) - 1}"

    g = np.array([["g0", "0.0"], ["0.0", "g1"]], dtype=object)
    dg, dg_error = (np.full((2, 2, 2), name, dtype=object) for name in ("slope", "error"))
    if unknown:
        dg_error[unknown] = "unknown"
    g_error, ddg_error, factor_error = (np.full(shape, "0.0", dtype=object) for shape in ((2, 2), (2,) * 4, 3))
    errors = g_error, dg_error, ddg_error, factor_error
    found = written_out(assign, g, dg, ddg_error, {"christoffel"}, errors)
    values = GIVEN | {"fabs": math.fabs, "sqrt": math.sqrt, "inf": math.inf, "nan": math.nan}
    for name, text in program.items():
        values[name] = eval(text, values)
    return float(values[found["doubt"][0]])


def test_the_errors_of_a_tensor_are_judged_by_the_largest() -> None:
    assert 1e-10 < doubt(None) < 1e-8


@pytest.mark.parametrize("unknown", [*np.ndindex(2, 2, 2)])
def test_a_tensor_is_in_doubt_where_one_entry_is_unknown(unknown: tuple[int, ...]) -> None:
    assert doubt(unknown) == math.inf
