"""The zip of a bundle, sealed again around what no bundle holds."""

import io
import os
import zipfile

import pytest

from ptychopinn.errors import BundleError
from ptychopinn.io.bundle_file import LARGEST_MANIFEST, MEMBERS, read_members, seal, sealed_zip

CONTENTS = (b"{}", b"w" * 4000, b"a" * 4000)


def packed(method=zipfile.ZIP_DEFLATED, contents=CONTENTS):
    """Return a zip of the members with room for a seal, which it lacks."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in zip(MEMBERS, contents, strict=True):
            archive.writestr(name, content)
        archive.comment = b"?" * 71
    return bytearray(buffer.getvalue()[:-71])


def refused(place, body, *words):
    place.write_bytes(seal(bytes(body)))
    with pytest.raises(BundleError) as error:
        read_members(place)
    for word in (f"{place}: ", *words):
        assert word in str(error.value)


def test_members_come_back(tmp_path):
    (tmp_path / "b.zip").write_bytes(sealed_zip(CONTENTS))
    assert tuple(read_members(tmp_path / "b.zip").values()) == CONTENTS


def test_damaged_data_behind_a_good_seal(tmp_path):
    body = packed()
    start = body.index(b"manifest.json") + len("manifest.json")
    body[start] ^= 0xFF
    refused(tmp_path / "b.zip", body, "damage")
    body = packed(zipfile.ZIP_STORED)
    body[body.index(b"wwww")] ^= 1
    refused(tmp_path / "b.zip", body, "damage", "CRC")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_methods_of_packing(tmp_path, method):
    refused(tmp_path / "b.zip", packed(method), f"method {method}")


def in_directory(body, offset, value):
    """Change two bytes of the first entry of the directory."""
    at = body.index(b"PK\x01\x02") + offset
    body[at : at + 2] = value.to_bytes(2, "little")
    return body


def test_unknown_methods_and_passwords(tmp_path):
    refused(tmp_path / "b.zip", in_directory(packed(), 10, 99), "method 99")
    refused(tmp_path / "b.zip", in_directory(packed(), 8, 1), "encrypted")


def test_a_member_that_is_missing(tmp_path):
    body = packed().replace(b"arrays.safetensors", b"prrays.safetensors")
    refused(tmp_path / "b.zip", body, "lacks 'arrays.safetensors'")


def test_members_that_inflate_beyond_any_bundle(tmp_path):
    bomb = (b"{}", b"w", b"\0" * 2**27)
    refused(tmp_path / "b.zip", packed(contents=bomb), "claim 128.0 MiB")
    refused(tmp_path / "b.zip", packed(contents=(b" " * (LARGEST_MANIFEST + 1), b"", b"")), "of t")


@pytest.mark.parametrize("name", MEMBERS)
def test_an_unpacked_bundle_of_a_terabyte(tmp_path, name):
    for member, content in zip(MEMBERS, CONTENTS, strict=True):
        (tmp_path / member).write_bytes(content)
    assert tuple(read_members(tmp_path).values()) == CONTENTS
    os.truncate(tmp_path / name, 2**40)
    with pytest.raises(BundleError, match=r"claim 1024.0 GiB|claim 1.0 TiB"):
        read_members(tmp_path)


def test_a_file_of_a_terabyte(tmp_path):
    (tmp_path / "b.zip").write_bytes(b"")
    os.truncate(tmp_path / "b.zip", 2**40)
    with pytest.raises(BundleError, match="more than any bundle"):
        read_members(tmp_path / "b.zip")


def test_pipes_are_not_opened(tmp_path):
    for member, content in zip(MEMBERS, CONTENTS, strict=True):
        (tmp_path / member).write_bytes(content)
    (tmp_path / MEMBERS[1]).unlink()
    os.mkfifo(tmp_path / MEMBERS[1])
    with pytest.raises(BundleError, match="device or pipe"):
        read_members(tmp_path)
