"""Chips, field angles and line clocks, against the formulas written out once more."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from humay.errors import ImagingError
from humay.imaging.layout import (
    Window,
    across_polynomial,
    along_tangent,
    band_columns,
    chip_model,
    chip_spans,
    line_count,
)
from tests.imaging.exposures import LINE_S, acquisition, band, camera


@given(first=st.integers(0, 900), column=st.floats(-40, 1064))
def test_the_expanded_cubic_is_the_distortion_formula(first: int, column: float) -> None:
    """y = x / f (1 + 0.01 (x / x_edge)^2), x from the middle of 1,024 detectors of 13 um."""
    x = (first + column - 511.5) * 13e-6
    direct = x / 4.216 * (1 + 0.01 * (x / (512 * 13e-6)) ** 2)
    c = across_polynomial(camera(), band("pan"), first)
    value = c[0] + column * (c[1] + column * (c[2] + column * c[3]))
    assert abs(value - direct) < 1e-15


def test_bands_look_alike_where_their_rows_are_alike() -> None:
    """The middle of four PAN detectors is the middle of one coarse detector."""
    pan = across_polynomial(camera(), band("pan"), 0)
    red = across_polynomial(camera(), band("red"), 0)
    column = np.arange(256)
    at_pan = np.polynomial.polynomial.polyval(4 * column + 1.5, pan)
    assert np.allclose(at_pan, np.polynomial.polynomial.polyval(column, red), rtol=0, atol=1e-15)


def test_chips_share_the_overlap_and_meet_in_its_middle() -> None:
    spans = chip_spans(replace(band("pan"), pixels=1000, chips=4, chip_overlap_pixels=11))
    assert [(s.own_first, s.own_end) for s in spans] == [
        (0, 250), (250, 500), (500, 750), (750, 1000),
    ]  # fmt: skip
    assert spans[0].first == 0
    assert spans[-1].end == 1000
    for left, right in pairwise(spans):
        assert left.end - right.first == 11
        assert abs((left.end + right.first) / 2 - left.own_end) <= 0.5


def test_odd_chips_look_forward_and_even_ones_back() -> None:
    stagger = 16 * 13e-6 / 4.216
    assert along_tangent(camera(), band("pan"), 1) == pytest.approx(stagger, rel=1e-12)
    assert along_tangent(camera(), band("pan"), 2) == pytest.approx(-stagger, rel=1e-12)
    assert along_tangent(camera(), band("red"), 1) == pytest.approx(
        np.tan(2e-3) + stagger, rel=1e-12
    )


def test_coarse_lines_hold_whole_fine_ones() -> None:
    """Line k is exposed from k to k + 1 of its periods: its middle is that of four PAN lines."""
    strip, optics = acquisition(), camera()
    pan, red = (chip_model(strip, optics, band(name), 1, 0) for name in ("pan", "red"))
    assert pan.first_line_s == pytest.approx(0.5 * LINE_S)
    assert float(red.line_time_s(np.asarray(7.0))) == pytest.approx(
        pan.line_time_s(np.arange(28.0, 32.0)).mean(), abs=1e-12
    )
    assert line_count(strip, optics.pan, optics) == 9493  # 3 s / 316 us = 9,493.7
    assert line_count(strip, band("red"), optics) == 2373


@given(first=st.integers(0, 1000), columns=st.integers(16, 1024))
def test_coarse_columns_hold_the_window_and_no_column_more(first: int, columns: int) -> None:
    columns = min(columns, 1024 - first)
    if columns < 16:
        return
    window = Window(first_column=first, columns=columns, first_line=0, lines=16)
    begin, end = band_columns(camera(), band("red"), window)
    assert 4 * begin <= first < 4 * begin + 4
    assert 4 * end - 4 < first + columns <= 4 * end


def test_rows_of_unlike_widths_are_concentric() -> None:
    wide = replace(band("red"), pixels=258)  # one coarse detector more at both ends
    window = Window(first_column=0, columns=1024, first_line=0, lines=16)
    assert band_columns(camera(), wide, window) == (1, 257)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((-1, 64, 0, 64), "begins at line 0, column -1"),
        ((0, 64, -5, 64), "begins at line -5, column 0"),
        ((0, 15, 0, 64), "64 lines of 15 columns, expected at least 16"),
        ((1000, 64, 0, 64), "A0001: window ends at line 64, column 1064, expected at most 9493"),
        ((0, 64, 9470, 64), "window ends at line 9534"),
    ],
)
def test_a_window_outside_is_refused(values: tuple[int, ...], message: str) -> None:
    column, columns, line, lines = values
    with pytest.raises(ImagingError, match=message):
        Window(first_column=column, columns=columns, first_line=line, lines=lines).check(
            camera(), acquisition()
        )
