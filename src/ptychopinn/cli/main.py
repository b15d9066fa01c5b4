"""Entry point of the command ``ptychopinn``."""

import importlib
import importlib.metadata
import logging
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout

from rich.console import Console

from ptychopinn.cli.commands import COMMANDS
from ptychopinn.cli.parser import parse
from ptychopinn.errors import REFUSED, ConfigError, PtychoError, did_you_mean, said_briefly
from ptychopinn.launcher import announced

#: Commands whose work several processes can share.
SHARED = ("train", "reconstruct")


def _overview() -> str:
    rows = "\n".join(f"  {name:<12} {command.summary}" for name, command in COMMANDS.items())
    return (
        "usage: ptychopinn COMMAND [...]\n\n"
        "Ptychographic reconstruction by networks that train themselves on physics.\n\n"
        f"{rows}\n\n"
        "Start with:  ptychopinn demo\n"
        "Your data:   ptychopinn inspect scan.npz\n"
        "             ptychopinn reconstruct scan.npz -o out/image\n"
        "Help:        ptychopinn COMMAND --help"
    )


def _show_messages() -> None:
    """Send what the package says to the terminal."""
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    logging.getLogger("ptychopinn").setLevel(logging.INFO)


def quieten_lightning() -> None:
    """Keep hints of the trainer off the terminal; it sets its own level when it is imported."""
    for name in ("lightning", "lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
    for origin in (r"lightning\b.*", r"torch\.utils\.data\b.*"):
        warnings.filterwarnings("ignore", module=origin)


def _dispatch(arguments: Sequence[str]) -> int:
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(_overview())
        return 0
    if arguments[0] == "--version":
        print(importlib.metadata.version("ptychopinn"))
        return 0
    name = arguments[0]
    if name not in COMMANDS:
        raise ConfigError(f"'{name}' is no command; {did_you_mean(name, COMMANDS)}")
    parsed, settings = parse(COMMANDS[name], arguments[1:])
    # Imported here so that help and refusals do not wait for torch.
    module = importlib.import_module(f"ptychopinn.cli.{name}")
    quieten_lightning()
    if announced() > 1:
        return _run_among_others(name, lambda: int(module.run(parsed, settings)))
    return int(module.run(parsed, settings))


def _run_among_others(name: str, run: Callable[[], int]) -> int:
    """Run a command in one of several processes; only the first one speaks."""
    if name not in SHARED:
        raise ConfigError(
            f"'ptychopinn {name}' runs in one process, found {announced()}; start it without "
            f"torchrun or srun ({' and '.join(SHARED)} share their work)."
        )
    processes = importlib.import_module("ptychopinn.processes")
    with processes.joined() as here:
        if here.first:
            return run()
        logging.getLogger("ptychopinn").setLevel(logging.ERROR)
        with open(os.devnull, "w", encoding="utf-8") as nowhere, redirect_stdout(nowhere):
            return run()


def _say(sentence: str) -> int:
    Console(stderr=True, highlight=False).print(
        f"ptychopinn: {sentence}", markup=False, soft_wrap=True
    )
    return REFUSED


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code: 0 done, 2 refused with one sentence."""
    _show_messages()
    try:
        return _dispatch(sys.argv[1:] if arguments is None else arguments)
    except PtychoError as error:
        return _say(str(error))
    except KeyboardInterrupt:
        return _say("interrupted; what was not whole yet was not written.")
    except BrokenPipeError:
        return _unheard()
    except OSError as error:
        return _say(_of_the_system(error))
    except MemoryError as error:
        return _say(
            f"memory ran out ({said_briefly(error)}); use fewer or smaller patterns, or a machine "
            "with more memory."
        )


def _of_the_system(error: OSError) -> str:
    """Return the sentence on a failure of the system that no reader or writer turned into one."""
    return (
        f"{error.filename or 'a file'}: found '{error.strerror or said_briefly(error)}', wanted a "
        "file or folder that can be used; check its path, its rights and the room there."
    )


def _unheard() -> int:
    """End quietly when whoever read the output has gone, as ``head`` does after some lines."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return REFUSED


def run_main() -> None:
    """Exit with the code of `main`; the console script."""
    sys.exit(main())
