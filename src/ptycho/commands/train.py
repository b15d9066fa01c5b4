"""``ptycho_train``: train on a scan with the flags of the original."""

import logging
import sys
from collections.abc import Sequence

from ptycho import model_manager
from ptycho.commands.flags import answered, parser_of, record_of
from ptycho.config.config import TrainingConfig
from ptycho.raw_data import RawData
from ptycho.translation import frozen_config
from ptycho.workflows.components import run_cdi_example, save_outputs
from ptychopinn.errors import ConfigError

_LOG = logging.getLogger("ptychopinn.original")
_DESCRIPTION = (
    "Train on a scan and write wts.h5.zip and the losses; with --do_stitching also reconstruct "
    "the scan of --test_data_file. 'ptychopinn train' is the same with all settings."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0 done, 2 refused with one sentence."""
    return answered(_run, arguments)


def _run(arguments: Sequence[str]) -> None:
    parser = parser_of(TrainingConfig, "ptycho_train", _DESCRIPTION)
    parser.add_argument("--do_stitching", "--do-stitching", action="store_true", default=False)
    values = vars(parser.parse_args(arguments))
    stitch = values.pop("do_stitching")
    config = record_of(TrainingConfig, values)
    if config.train_data_file is None:
        raise ConfigError("--train_data_file: no scan to train on; name one.")
    frozen_config(config)  # mistakes in settings are told before a large file is read
    training = RawData.from_file(config.train_data_file)
    test = RawData.from_file(config.test_data_file) if config.test_data_file else None
    amplitude, phase, results = run_cdi_example(training, test, config, do_stitching=stitch)
    place = model_manager.save(config.output_dir)
    save_outputs(amplitude, phase, results, config.output_dir)
    _LOG.info("bundle: %s", place)


def run_main() -> None:
    """Exit with the code of `main`; the console script."""
    sys.exit(main())
