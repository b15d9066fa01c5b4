"""The commands: their arguments, their settings, and what their help teaches."""

from ptychopinn.cli.parser import Argument, Command
from ptychopinn.config import (
    DataConfig,
    GeneratorConfig,
    InferenceConfig,
    PhysicsConfig,
    PretrainingConfig,
    RefinementConfig,
    SimulationConfig,
    TrainingConfig,
    UnrolledConfig,
)

_SCAN = Argument(("scan",), "File of the scan: a PtychoPINN .npz.")


def _output(default: str) -> Argument:
    return Argument(("-o", "--output"), "Folder for the results.", default)


DEMO = Command(
    "demo",
    "simulate, train, reconstruct and compare with the truth; needs nothing",
    "Simulate a small scan of a Siemens star, train on it without its truth, reconstruct it, "
    "compare with the truth, and say where to look. Takes about a minute.",
    "ptychopinn demo [-o FOLDER]",
    (_output("out/demo"),),
)

SIMULATE = Command(
    "simulate",
    "make a synthetic scan with its truth",
    "Make a synthetic scan through the same physics that reconstructs it, and keep its truth in "
    "the file. Example: ptychopinn simulate -o lines.npz --object lines --n 64 --patterns 1000 "
    "--photons 1e6",
    "ptychopinn simulate -o FILE.npz [--object KIND] [--n N] [--patterns K] [flags]",
    (Argument(("-o", "--output"), "File to write (.npz)."),),
    {"simulation": SimulationConfig()},
)

INSPECT = Command(
    "inspect",
    "show what a file holds and how it would be read",
    "Show the arrays of a scan file, what was recognised, what was decided while reading (and how "
    "to decide otherwise), and whether scan, probe and photons make sense.",
    "ptychopinn inspect SCAN [--probe FILE] [flags]",
    (_SCAN,),
    {"data": DataConfig()},
)

TRAIN = Command(
    "train",
    "train a generator on a scan, without truth",
    "Train a generator on the patterns of a scan (or of a region of it) and write a bundle. No "
    "truth is needed: the object must predict the patterns. Ctrl-C keeps the last checkpoint; "
    "--resume goes on. Example: ptychopinn train scan.npz --region y:0:240 -o out/run",
    "ptychopinn train SCAN -o FOLDER [--probe FILE] [--region R] [--resume] [flags]",
    (
        _SCAN,
        _output("out/train"),
        Argument(("--resume",), "Continue the run in the folder.", False, bool),
    ),
    {
        "data": DataConfig(),
        "physics": PhysicsConfig(),
        "generator": GeneratorConfig(),
        "training": TrainingConfig(),
        "refinement": RefinementConfig(),
    },
)

PRETRAIN = Command(
    "pretrain",
    "train unrolled on endless synthetic scans, for weights that serve any scan",
    "Train unrolled on synthetic scans of every kind, with their truth, and write a bundle that "
    "reconstructs scans it never saw. The weights that come with the package were made by this "
    "command. Takes hours on a CPU; Ctrl-C keeps the last checkpoint, --resume goes on. Example: "
    "ptychopinn pretrain -o out/weights --steps 4000",
    "ptychopinn pretrain -o FOLDER [--steps K] [--resume] [flags]",
    (
        _output("out/pretrain"),
        Argument(("--resume",), "Continue the run in the folder.", False, bool),
    ),
    {"pretraining": PretrainingConfig(), "unrolled": UnrolledConfig(networks=2)},
)

RECONSTRUCT = Command(
    "reconstruct",
    "turn a whole scan into an image",
    "Reconstruct every pattern of a scan with the weights that come with the package, which need "
    "no training, or with a bundle that was trained on a scan. Example: ptychopinn reconstruct "
    "scan.npz --bundle out/run/wts.h5.zip -o out/image",
    "ptychopinn reconstruct SCAN -o FOLDER [--bundle FILE] [--probe FILE|bundle] "
    "[--refine-probe true] [--refine-positions points] [flags]",
    (
        _SCAN,
        _output("out/image"),
        Argument(("--bundle",), "wts.h5.zip of a training run, or its folder.", None, str | None),
    ),
    {
        "inference": InferenceConfig(),
        "data": DataConfig(),
        "physics": PhysicsConfig(),
        "generator": GeneratorConfig(),
        "refinement": RefinementConfig(),
    },
)

EVALUATE = Command(
    "evaluate",
    "compare a reconstruction with a reference",
    "Compare a reconstruction with a reference image after registration and removal of the global "
    "factor and phase ramp, and write the figures beside it. Example: ptychopinn evaluate "
    "out/image/reconstruction.h5 --reference truth.npz --region y:250:400,x:90:390",
    "ptychopinn evaluate RECONSTRUCTION --reference FILE [--region y:A:B,x:C:D] [flags]",
    (
        Argument(("reconstruction",), "reconstruction.h5 of a run."),
        Argument(("--reference",), "File with the reference object (.npz or product .h5)."),
        Argument(("--region",), "Canvas pixels to compare: all, or y:250:400,x:90:390.", "all"),
        Argument(("-o", "--output"), "Folder for figures; none = beside it.", None, str | None),
    ),
)

STUDY = Command(
    "study",
    "compare methods side by side on simulated scans",
    "Compare networks (self-supervised and with the truth), pie and the weights that come with the "
    "package on simulated scans. Studies: grid-lines (raster scan of random lines, with pictures), "
    "lines (the table of the paper: C = 1 and 4, ideal and structured probe), data-efficiency "
    "(quality over training patterns), dose (resolution over photons), transfer (train on one "
    "kind of scan, test on another). Each takes 5 to 15 minutes on two cores; --full is for a "
    "GPU. Every finished cell is kept: after Ctrl-C the same command goes on. Example: ptychopinn "
    "study lines -o out/lines --only cnn,pie",
    "ptychopinn study NAME [-o FOLDER] [--full] [--only A,B] [--architectures A,B] [flags]",
    (
        Argument(("name",), "grid-lines, lines, data-efficiency, dose or transfer."),
        Argument(("-o", "--output"), "Folder; none = out/study-NAME.", None, str | None),
        Argument(("--full",), "The size for a GPU.", False, bool),
        Argument(("--only",), "Methods or cases, as cnn,pie; none = all.", None, str | None),
        Argument(("--architectures",), "Generators to train, as cnn,fno.", "cnn,unrolled"),
        Argument(("--datasets",), "Folder for the scans; none = in -o.", None, str | None),
        Argument(("--seed",), "Of scans, weights and groups.", 0, int),
        Argument(("--device",), "auto, cpu, cuda, cuda:1 or mps.", "auto"),
        Argument(("--redraw",), "Run nothing; tables and figure anew.", False, bool),
    ),
)

COMMANDS = {
    command.name: command
    for command in (DEMO, SIMULATE, INSPECT, TRAIN, PRETRAIN, RECONSTRUCT, EVALUATE, STUDY)
}
