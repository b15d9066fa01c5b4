"""Make ptypy.ptyd and the part that it links to, in the layout that ptypy 0.9 writes.

    python tests/io/data/make_ptyd.py

ptypy is not on the package index; this follows its `PtyScan` (save = link) and `h5write`: every
item has an attribute ``type``, what is None is a dataset of that type, chunks may be links.
"""

from pathlib import Path

import h5py
import numpy as np

HERE = Path(__file__).parent
N, K = 16, 14


def put(group: h5py.Group, name: str, value: object, kind: str) -> None:
    group[name] = value
    group[name].attrs["type"] = kind


def main() -> None:
    rng = np.random.default_rng(8)
    counts = rng.poisson(25, (K, N, N)).astype(np.float32)
    positions = rng.uniform(-3e-6, 3e-6, (K, 2))
    weights = np.ones((K, N, N), np.float32)
    weights[:, 4, 9] = 0
    with (
        h5py.File(HERE / "ptypy.ptyd", "w") as file,
        h5py.File(HERE / "ptypy.ptyd.part001", "w") as part,
    ):
        file.attrs["h5rw_version"] = "0.1"
        chunks = file.create_group("chunks")
        chunks.attrs["type"] = "dict"
        for group, rows in ((chunks.create_group("0"), slice(0, 8)), (part, slice(8, K))):
            group.attrs["type"] = "dict"
            group.create_dataset("data", data=counts[rows], compression="gzip")
            group.create_dataset("weights", data=weights[rows], compression="gzip")
            put(group, "positions", positions[rows], "array")
            put(group, "indices", np.arange(K)[rows], "arraylist")
        chunks["1"] = h5py.ExternalLink("ptypy.ptyd.part001", "/")
        meta = file.create_group("meta")
        meta.attrs["type"] = "param"
        for name, value, kind in (
            ("label", "scan", "string"),
            ("energy", 6.2, "scalar"),
            ("distance", 4.5, "scalar"),
            ("psize", np.array([172e-6, 172e-6]), "array"),
            ("shape", np.array([N, N]), "array"),
            ("center", np.array([8.0, 8.0]), "array"),
            ("version", np.zeros(1), "None"),
            ("num_frames", K, "scalar"),
        ):
            put(meta, name, value, kind)
    np.savez(HERE / "ptypy_read.npz", counts=counts.astype(np.uint8), positions_m=positions)


if __name__ == "__main__":
    main()
