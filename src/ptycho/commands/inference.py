"""``ptycho_inference``: reconstruct a scan with the flags of the original."""

import logging
import sys
from collections.abc import Sequence

from ptycho.architectures import registered_name
from ptycho.commands.flags import answered, parser_of, record_of
from ptycho.config.config import InferenceConfig
from ptycho.raw_data import RawData
from ptycho.translation import tell_what_has_no_effect
from ptycho.workflows.components import load_inference_bundle, reconstruct_raw
from ptychopinn.cli.folder import write_result
from ptychopinn.errors import ConfigError

_LOG = logging.getLogger("ptychopinn.original")
#: Flags of the original, earlier and later, and the settings that they mean.
_OTHER_NAMES = (
    (("--test_data", "--test-data"), "test_data_file"),
    (("--model_prefix", "--model-prefix"), "model_path"),
    (("--output_path", "--output-path"), "output_dir"),
    (("--K",), "neighbor_count"),
    (("--nsamples",), "n_groups"),
)
_DESCRIPTION = (
    "Reconstruct the scan of --test_data_file with the bundle of --model_path. "
    "'ptychopinn reconstruct' is the same with all settings."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0 done, 2 refused with one sentence."""
    return answered(_run, arguments)


def _run(arguments: Sequence[str]) -> None:
    parser = parser_of(InferenceConfig, "ptycho_inference", _DESCRIPTION)
    for names, setting in _OTHER_NAMES:
        parser.add_argument(*names, dest=setting, help=f"same as --{setting}")
    parser.add_argument(
        "--visualize_probe", "--visualize-probe", action="store_true", help="always done here"
    )
    values = vars(parser.parse_args(arguments))
    values.pop("visualize_probe", None)
    config = record_of(InferenceConfig, values)
    if config.model_path is None or config.test_data_file is None:
        raise ConfigError("--model_path, --test_data_file: both are needed; name them.")
    registered_name(config.model.architecture)
    tell_what_has_no_effect(config)
    model, _ = load_inference_bundle(config.model_path)
    raw = RawData.from_file(config.test_data_file)
    result = reconstruct_raw(
        raw, model.bundle, config.torch_accelerator, config.torch_inference_batch_size
    )
    write_result(config.output_dir, result, model.bundle.history, model.bundle.config, raw.scan)
    _LOG.info("results: %s", config.output_dir)


def run_main() -> None:
    """Exit with the code of `main`; the console script."""
    sys.exit(main())
