"""What a failing command prints and returns: one line on stderr, and an exit code a script can act on."""

from __future__ import annotations

import os
import sys
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NoReturn

import typer
from typer.core import TyperGroup

from drift_arrow.errors import DriftError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

EXIT_ERROR: Final = 1
EXIT_USAGE: Final = 2
EXIT_INTERRUPTED: Final = 130

# The class itself is public in click and private in the typer releases that carry their own copy of it.
UsageError: Final = typer.BadParameter.__mro__[1]


class OneLineErrors(TyperGroup):
    """A command group that turns every failure into one line and an exit code; DRIFT_DEBUG=1 shows tracebacks."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> NoReturn:
        """Parse `args`, run the command, exit. Without a command the help is printed."""
        del standalone_mode  # it would let typer print errors its own way
        words = list(sys.argv[1:] if args is None else args) or ["--help"]
        run = partial(super().main, words, prog_name, complete_var, windows_expand_args=windows_expand_args, **extra)
        sys.exit(_exit_code(partial(run, standalone_mode=False)))


def _exit_code(command: Callable[[], object]) -> int:
    try:
        code = command()
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except typer.Abort:
        return _complain("aborted")
    except Exception as error:
        if os.environ.get("DRIFT_DEBUG") == "1":
            raise
        return _report(error)
    return code if isinstance(code, int) else 0


def _report(error: Exception) -> int:
    if isinstance(error, UsageError):
        return _complain(_usage_message(error), EXIT_USAGE)
    if isinstance(error, DriftError):
        return _complain("; ".join([str(error), *getattr(error, "__notes__", ())]))
    return _complain(f"unexpected {type(error).__name__}: {error}; DRIFT_DEBUG=1 shows where")


def _usage_message(error: Any) -> str:
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "drift-cli"
    return f"{error.format_message().rstrip('.')}; see `{command} --help`"


def _complain(message: str, code: int = EXIT_ERROR) -> int:
    print("drift-cli: error:", " ".join(message.split()), file=sys.stderr)
    return code
