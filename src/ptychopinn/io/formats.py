"""The table of all kinds of files that hold scans; those that stand first are tried first.

A new kind is a module that reads it, perhaps one that writes it, and one entry here.
"""

from ptychopinn.io.cxi import is_cxi, is_nxcxi_ptycho, read_cxi
from ptychopinn.io.cxi_writer import write_cxi
from ptychopinn.io.dp_para import dp_para_files, is_dp_para, read_dp_para, write_dp_para
from ptychopinn.io.emd import is_emd, read_emd
from ptychopinn.io.empad import describe_empad, empad_files, is_empad, read_empad
from ptychopinn.io.facility_hdf5 import (
    facility_files,
    is_facility_hdf5,
    is_nxptycho,
    read_facility_hdf5,
)
from ptychopinn.io.file_map import LENGTHS, PLACES, RASTER
from ptychopinn.io.npy_4d import describe_npy, is_npy_patterns, read_npy_patterns
from ptychopinn.io.npz_writer import write_scan_npz
from ptychopinn.io.nxcxi_writer import write_nxcxi_ptycho
from ptychopinn.io.ptychodus_cxi import is_ptychodus_cxi, ptychodus_cxi_files, read_ptychodus_cxi
from ptychopinn.io.ptychodus_scan import (
    is_ptychodus,
    ptychodus_files,
    read_ptychodus,
    write_ptychodus,
)
from ptychopinn.io.ptychodus_training import (
    is_ptychodus_training,
    read_ptychodus_training,
    write_ptychodus_training,
)
from ptychopinn.io.ptychopinn_npz import describe_npz, is_scan_npz, read_scan_npz
from ptychopinn.io.ptyd_writer import write_ptyd
from ptychopinn.io.ptylab import is_ptylab, read_ptylab, write_ptylab
from ptychopinn.io.ptypy_ptyd import is_ptyd, ptyd_files, read_ptyd
from ptychopinn.io.scan_format import ScanFormat
from ptychopinn.io.tike_npz import is_tike, read_tike, write_tike

FORMATS = (
    ScanFormat(
        name="PtychoPINN NPZ",
        sign="an NPZ file with diff3d or diffraction",
        recognise=is_scan_npz,
        read=read_scan_npz,
        heeds=LENGTHS,
        suffixes=(".npz",),
        write=write_scan_npz,
        describe=describe_npz,
        patterns="diff3d",
        parts=("xcoords", "ycoords", "probeGuess"),
    ),
    ScanFormat(
        name="dp/para pair",
        sign="NAME_dp.hdf5 with dp beside NAME_para.hdf5",
        recognise=is_dp_para,
        read=read_dp_para,
        heeds=LENGTHS,
        suffixes=("_dp.hdf5", "_para.hdf5"),
        write=write_dp_para,
        files=dp_para_files,
    ),
    ScanFormat(
        name="Ptychodus training data",
        sign="an HDF5 file with patterns and probe_position_x_px",
        recognise=is_ptychodus_training,
        read=read_ptychodus_training,
        heeds=LENGTHS,
        suffixes=("training.h5", "training.hdf5"),
        write=write_ptychodus_training,
    ),
    ScanFormat(
        name="Ptychodus",
        sign="a file with patterns beside a product",
        recognise=is_ptychodus,
        read=read_ptychodus,
        heeds=LENGTHS,
        suffixes=tuple(
            f"{half}{suffix}"
            for suffix in (".h5", ".hdf5", ".npz")
            for half in ("product", "diffraction")
        ),
        write=write_ptychodus,
        files=ptychodus_files,
    ),
    ScanFormat(
        name="tike NPZ",
        sign="an NPZ file with data, scan and probe",
        recognise=is_tike,
        read=read_tike,
        heeds=LENGTHS,
        suffixes=(".tike.npz",),
        write=write_tike,
    ),
    ScanFormat(
        name="PtyLab",
        sign="an HDF5 file with ptychogram",
        recognise=is_ptylab,
        read=read_ptylab,
        heeds=LENGTHS,
        suffixes=(".ptylab.h5", ".ptylab.hdf5"),
        write=write_ptylab,
        patterns="ptychogram",
        parts=("encoder",),
    ),
    ScanFormat(
        name="NXcxi_ptycho",
        sign="a CXI file whose definition is of NeXus",
        recognise=is_nxcxi_ptycho,
        read=read_cxi,
        heeds=LENGTHS,
        suffixes=(".nxs",),
        write=write_nxcxi_ptycho,
    ),
    ScanFormat(
        name="NXptycho",
        sign="an HDF5 file whose definition is NXptycho",
        recognise=is_nxptycho,
        read=read_facility_hdf5,
        heeds=PLACES,
        files=facility_files,
    ),
    ScanFormat(
        name="Ptychodus CXI",
        sign="a CXI file with image_2 and the group ptychodus",
        recognise=is_ptychodus_cxi,
        read=read_ptychodus_cxi,
        heeds=LENGTHS,
        files=ptychodus_cxi_files,
    ),
    ScanFormat(
        name="CXI",
        sign="an HDF5 file with entry_1/data_1/data",
        recognise=is_cxi,
        read=read_cxi,
        heeds=LENGTHS,
        suffixes=(".cxi",),
        write=write_cxi,
    ),
    ScanFormat(
        name="ptypy",
        sign="an HDF5 file with chunks and meta",
        recognise=is_ptyd,
        read=read_ptyd,
        heeds=LENGTHS,
        suffixes=(".ptyd",),
        write=write_ptyd,
        files=ptyd_files,
    ),
    ScanFormat(
        name="EMD",
        sign="an HDF5 file with a 4-D array of py4DSTEM or EMD",
        recognise=is_emd,
        read=read_emd,
        heeds=RASTER,
    ),
    ScanFormat(
        name="EMPAD",
        sign="a raw file of 128 x 128 float32 frames, or its XML",
        recognise=is_empad,
        read=read_empad,
        heeds=RASTER,
        describe=describe_empad,
        files=empad_files,
    ),
    ScanFormat(
        name="NPY patterns",
        sign="an NPY file with 3 or 4 axes",
        recognise=is_npy_patterns,
        read=read_npy_patterns,
        heeds=RASTER,
        describe=describe_npy,
    ),
    ScanFormat(
        name="facility HDF5",
        sign="entry/data/data or its like in an HDF5 file",
        recognise=is_facility_hdf5,
        read=read_facility_hdf5,
        heeds=PLACES,
        files=facility_files,
    ),
)
