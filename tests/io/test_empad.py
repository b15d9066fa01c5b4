import numpy as np
import pytest

from ptychopinn.config import DataConfig
from ptychopinn.errors import DataError
from ptychopinn.io import describe, read_scan, recognise
from tests.io.files import one_sentence
from tests.io.peers import said

ROWS, COLUMNS = 3, 4
XML = """<root name="scan"><raw_file filename="/home/empad/{name}"/>
<scan_parameters mode="search"><scan_resolution_y>64</scan_resolution_y>
<scan_resolution_x>64</scan_resolution_x></scan_parameters>
<scan_parameters mode="acquire"><scan_resolution_y>{rows}</scan_resolution_y>
<scan_resolution_x>{columns}</scan_resolution_x></scan_parameters>
<iom_measurements><nominal_camera_length>0.5</nominal_camera_length>
<full_scan_field_of_view><scale_factor>0.72</scale_factor><x>1.44e-10</x><y>1.44e-10</y>
</full_scan_field_of_view><high_voltage>300000.0</high_voltage></iom_measurements></root>
"""


def frames(rng=None):
    """(12, 128, 128) float32 with light in the middle and readout noise about 0."""
    rng = rng or np.random.default_rng(0)
    y, x = np.mgrid[:128, :128] - 64
    light = 300 * np.exp(-(y**2 + x**2) / 400)
    noise = rng.normal(0, 0.5, (ROWS * COLUMNS, 128, 128))
    return (rng.poisson(light, (ROWS * COLUMNS, 128, 128)) + noise).astype("<f4")


def written(folder, name="data.raw", *, gap=True, places=True, xml=True, shape=(ROWS, COLUMNS)):
    after = np.zeros((ROWS * COLUMNS, 256 if gap else 0), "<f4")
    if gap and places:
        after[:, 140], after[:, 141] = (7 + index.ravel() for index in np.indices(shape))
    pixels = frames().reshape(len(after), -1)
    path = folder / name
    path.write_bytes(np.concatenate([pixels, after], axis=1).tobytes())
    if xml:
        text = XML.format(name=name, rows=shape[0], columns=shape[1])
        path.with_suffix(".xml").write_text(text)
    return path


def mapped(text):
    return DataConfig(map=text, bad_pixels="file")


def test_raw_file_and_xml_are_one_scan(tmp_path):
    path = written(tmp_path)
    for place in (path, path.with_suffix(".xml"), tmp_path):
        assert recognise(place) == "EMPAD"
        found = read_scan(place, DataConfig(bad_pixels="file"))
        np.testing.assert_array_equal(found.patterns[:], np.maximum(frames(), 0))
    assert not isinstance(found.patterns, np.ndarray)
    assert found.domain == "counts"
    assert "Negative values, readout noise, are read as 0." in said(found)
    assert describe(path) == [("data.raw", (12, 128, 128), "float32")]


def test_the_geometry_of_the_xml(tmp_path):
    """300 keV: 1.969 pm; 150 um at 0.5 m: 0.3 mrad; 0.144 nm / 0.72 over the 4 longer steps."""
    found = read_scan(written(tmp_path), DataConfig(bad_pixels="file"))
    pixel = 1.9687e-12 / (128 * 0.3e-3)
    assert found.wavelength_m == pytest.approx(1.9687e-12, rel=1e-4)
    assert found.pixel_size_m == pytest.approx(pixel, rel=1e-4)
    step = np.diff(found.positions_px[:2, 1])[0]
    assert step == pytest.approx(0.5e-10 / pixel, rel=1e-4)
    assert "0.3 mrad by the nominal camera length" in said(found)
    assert found.positions_px[4, 0] - found.positions_px[0, 0] == pytest.approx(step)


def test_older_xml(tmp_path):
    """Both sides (x, y) of the field of view, and an angle that was calibrated."""
    path = written(tmp_path)
    path.with_suffix(".xml").write_text(
        '<root><raw_file filename="data.raw"/><pix_y>3</pix_y><pix_x>4</pix_x><iom_measurements>'
        "<optics.get_full_scan_field_of_view>[4e-10, 6e-10]</optics.get_full_scan_field_of_view>"
        "<source.get_voltage>80000</source.get_voltage>"
        "<calibrated_diffraction_angle>0.001</calibrated_diffraction_angle>"
        "</iom_measurements></root>"
    )
    found = read_scan(path, DataConfig(bad_pixels="file"))
    pixel = 4.1757e-12 / 0.128
    y, x = (found.positions_px.T * found.pixel_size_m).reshape(2, 3, 4)
    assert found.pixel_size_m == pytest.approx(pixel, rel=1e-4)
    assert np.diff(y[:, 0]) == pytest.approx(2e-10)
    assert np.diff(x[0]) == pytest.approx(1e-10)


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({}, "any.raw"),
        ({"places": False}, "scan_x4_y3.raw"),
        ({"gap": False}, "scan_x4_y3.raw"),
    ],
)
def test_without_xml_the_file_or_its_name_tells_the_scan(tmp_path, options, name):
    path = written(tmp_path, name, xml=False, **options)
    with pytest.raises(DataError, match="add --map"):
        read_scan(path)
    found = read_scan(path, mapped("step=5px"))
    np.testing.assert_array_equal(found.patterns[11], np.maximum(frames()[11], 0))
    assert np.ptp(found.positions_px, axis=0).tolist() == [10, 15]


def test_an_xml_without_its_raw_file_names_it(tmp_path):
    path = written(tmp_path)
    path.unlink()
    xml = path.with_suffix(".xml")
    with pytest.raises(DataError) as error:
        read_scan(xml)
    assert one_sentence(str(error.value), xml, "data.raw")


def test_a_file_that_was_cut_short_is_refused(tmp_path):
    path = written(tmp_path)
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(DataError) as error:
        read_scan(path.with_suffix(".xml"))
    assert one_sentence(str(error.value), path, "no whole number of frames")


def test_fewer_frames_than_places_are_refused(tmp_path):
    path = written(tmp_path)
    path.write_bytes(path.read_bytes()[: 10 * 130 * 128 * 4])
    with pytest.raises(DataError) as error:
        read_scan(path)
    assert one_sentence(str(error.value), path, "10 patterns and a raster of 3 x 4")


@pytest.mark.parametrize(
    "text",
    [
        "<root>",
        "<other><raw_file filename='data.raw'/></other>",
        "<root/>",
        "<!DOCTYPE r [<!ENTITY a 'aa'><!ENTITY b '&a;&a;'>]><root>&c;</root>",
        "<" + "x" * 100,
    ],
)
def test_other_xml_is_not_of_an_empad(tmp_path, text):
    path = tmp_path / "a.xml"
    path.write_text(text)
    with pytest.raises(DataError, match="EMPAD"):
        recognise(path)


def test_a_large_file_of_another_kind_is_not_of_an_empad(tmp_path):
    path = tmp_path / "noise.bin"
    path.write_bytes(np.random.default_rng(0).bytes(2 * 130 * 128 * 4))
    with pytest.raises(DataError, match="a file that starts with"):
        recognise(path)
