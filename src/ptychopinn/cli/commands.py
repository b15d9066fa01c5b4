"""The commands: their arguments, their settings, and what their help teaches."""

from ptychopinn.cli.parser import Argument, Command
from ptychopinn.config import (
    DataConfig,
    GeneratorConfig,
    InferenceConfig,
    IterativeConfig,
    PhysicsConfig,
    PretrainingConfig,
    RefinementConfig,
    SimulationConfig,
    TrainingConfig,
    UnrolledConfig,
)

_SCAN = Argument(("scan",), "File of the scan, or a folder with the files of one.")


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

DOCTOR = Command(
    "doctor",
    "show what this installation has, and whether it works",
    "Show versions, accelerator (and why there is none), threads, memory, disk, which optional "
    "parts are there with the command that adds them, and the result of a small self-test. Takes "
    "seconds; exit code 1 when something required is broken. Example: ptychopinn doctor --json",
    "ptychopinn doctor [--json]",
    (Argument(("--json",), "Print JSON instead of tables.", False, bool),),
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
    "Show what is inside a file of any kind, what was recognised, what was decided and converted "
    "while reading (and how to decide otherwise), and whether scan, probe and photons make sense. "
    "A file of no known kind is read when --map says where things are. Example: ptychopinn inspect "
    'run.h5 --map "patterns=/entry/data/data positions=/entry/pos energy=8keV distance=2m '
    'pixel=75um"',
    "ptychopinn inspect SCAN [--map NAME=PLACE ...] [--probe FILE] [flags]",
    (_SCAN,),
    {"data": DataConfig()},
)

CONVERT = Command(
    "convert",
    "write a scan in another format",
    "Read a scan of any known format, or of any HDF5 file with --map, and write it in another: "
    "units, signs, axes and masks are converted, and what was decided is printed. The end of the "
    "name chooses the format, or --format does. Example: ptychopinn convert scan.cxi scan.ptyd",
    "ptychopinn convert A B [--format NAME] [--crop N] [--map NAME=PLACE ...] [flags]",
    (
        _SCAN,
        Argument(("output",), "File to write."),
        Argument(("--format",), "Its format; none = by the end of its name.", None, str | None),
    ),
    {"data": DataConfig()},
)

CHECK = Command(
    "check",
    "say before anything is run whether a scan will make an image",
    "Look at overlap, sampling, probe, photons, saturation, detector, positions and orientation of "
    "a scan, and say of each whether it will do and what to do about it. Takes a second, "
    "reconstructs nothing; train and reconstruct make the same checks on fewer patterns. Exit "
    "code 1 when something fails. Example: ptychopinn check scan.npz --json",
    "ptychopinn check SCAN [--json] [--probe FILE] [flags]",
    (_SCAN, Argument(("--json",), "Print JSON instead of a table.", False, bool)),
    {"data": DataConfig()},
)

ORIENT = Command(
    "orient",
    "find out how the detector stands to the axes of the scan",
    "Try all eight turns and mirrors of the patterns against the scan axes: about 100 neighbouring "
    "patterns are reconstructed under each, and patterns that were held out decide. Prints the "
    "ranking and the flags for train and reconstruct; names no winner, with exit code 1, when the "
    "margin is within noise. Takes some seconds. Example: ptychopinn orient scan.npz",
    "ptychopinn orient SCAN [--probe FILE] [--json] [flags]",
    (
        _SCAN,
        Argument(("--device",), "auto, cpu, cuda, cuda:1 or mps.", "auto"),
        Argument(("--json",), "Print JSON instead of a table.", False, bool),
    ),
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
    "scan.npz --bundle out/run/wts.h5.zip -o out/image. Of several scans each gets a folder in "
    "that of -o; one that cannot be read does not end the rest, and is listed at the end; after a "
    "break, --resume does what is left.",
    "ptychopinn reconstruct SCAN [SCAN ...] -o FOLDER [--bundle FILE] [--resume] "
    "[--probe FILE|bundle] [--refine-probe true] [--refine-positions points] [flags]",
    (
        Argument(("scan",), "File or folder of a scan, or several of them.", several=True),
        _output("out/image"),
        Argument(("--bundle",), "wts.h5.zip of a training run, or its folder.", None, str | None),
        Argument(("--resume",), "Keep whole results of the same scan and settings.", False, bool),
    ),
    {
        "inference": InferenceConfig(),
        "data": DataConfig(),
        "physics": PhysicsConfig(),
        "generator": GeneratorConfig(),
        "refinement": RefinementConfig(),
    },
    of_weights=("generator",),
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

REFINE = Command(
    "refine",
    "go on from a result with an iterative solver",
    "Hand the object, the probe with its modes and the positions of a result to an iterative "
    "solver, and write what it makes of them as a result of the same layout. Engine pie is our own "
    "and needs nothing; lsqml, rpie, epie, autodiff, dm and raar are those of pty-chi "
    "(pip install 'ptychopinn[ptychi]'). Example: ptychopinn refine out/image --engine lsqml "
    "--epochs 20",
    "ptychopinn refine RESULT [-o FOLDER] [--engine NAME] [--epochs E] [--scan FILE] [flags]",
    (
        Argument(("result",), "Folder of a reconstruction, or its reconstruction.h5."),
        Argument(("-o", "--output"), "Folder; none = RESULT-ENGINE.", None, str | None),
        Argument(("--scan",), "Its scan; none = where the result says.", None, str | None),
    ),
    {"iterative": IterativeConfig()},
)

COMPARE = Command(
    "compare",
    "put any number of results side by side",
    "Compare results with each other, with the patterns that they were made from, and with a "
    "reference where there is one: deviance, ring correlation and phase difference of every pair, "
    "seconds. Writes comparison.png, comparison.json and comparison.csv. Example: ptychopinn "
    "compare out/image out/image-lsqml --reference truth.npz",
    "ptychopinn compare A B [...] [-o FOLDER] [--reference FILE] [--region y:A:B,x:C:D]",
    (
        Argument(("results",), "Folders of reconstructions, or products (.h5).", several=True),
        Argument(("--reference",), "File with a reference object.", None, str | None),
        Argument(("--region",), "Canvas pixels to compare: all, or y:250:400,x:90:390.", "all"),
        Argument(("--scan",), "Their scan; none = where the results say.", None, str | None),
        Argument(("-o", "--output"), "Folder for table and picture.", "out/comparison"),
    ),
)

REPORT = Command(
    "report",
    "write the page of a folder of results anew",
    "Write report.html again from what a folder of results holds: one file with pictures that can "
    "be magnified, checks, curves, settings and the command to repeat it; it needs no network. "
    "Example: ptychopinn report out/image",
    "ptychopinn report FOLDER",
    (Argument(("folder",), "Folder of a reconstruction or of a training."),),
)

STUDY = Command(
    "study",
    "compare methods side by side on simulated scans",
    "Compare networks (self-supervised and with the truth), pie and the weights that come with the "
    "package on simulated scans. Studies: grid-lines (raster scan of random lines, with pictures), "
    "lines (the table of the paper: C = 1 and 4, ideal and structured probe), data-efficiency "
    "(quality over training and over reconstructed patterns), dose (resolution over photons), "
    "transfer (train on one kind of scan, test on another). Each takes 5 to 15 minutes on two "
    "cores; --full is for a GPU. Every finished cell is kept: after Ctrl-C the same command goes "
    "on. Example: ptychopinn study lines -o out/lines --only cnn,pie",
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
    for command in (
        DEMO,
        SIMULATE,
        INSPECT,
        CONVERT,
        CHECK,
        ORIENT,
        TRAIN,
        PRETRAIN,
        RECONSTRUCT,
        REFINE,
        EVALUATE,
        COMPARE,
        REPORT,
        STUDY,
        DOCTOR,
    )
}
