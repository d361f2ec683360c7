"""Machine-code gates in front of Python callbacks: once the interpreter exits, no DuckDB thread enters Python.

A worker thread of DuckDB that calls into Python after finalisation began aborts the process ("FATAL: exception not
rethrown"), and a half-read result at exit is enough to make it do so. Each callback therefore sits behind a dozen
instructions, compiled by LLVM (which numba brings), that count the calls under way and, once the exit flag is set,
report an error to DuckDB or simply return instead of entering Python.
"""

from __future__ import annotations

import atexit
import ctypes
import time
from dataclasses import dataclass
from typing import Final

import llvmlite.binding as llvm

_DRAIN_S: Final = 30.0
"""Longest wait at exit for callbacks that are under way."""

_HEADER: Final = """
@exiting = global i32 0
@entered = global i64 0
@message = private constant [27 x i8] c"the interpreter is exiting\\00"
"""

_GATE: Final = """
define void @{name}({parameters}) {{
entry:
  %before = atomicrmw add ptr @entered, i64 1 seq_cst
  %flag = load atomic i32, ptr @exiting seq_cst, align 4
  %is_open = icmp eq i32 %flag, 0
  br i1 %is_open, label %open, label %closed
open:
  %target = inttoptr i64 {target} to ptr
  call void %target({arguments})
  br label %leave
closed:
  {refusal}
  br label %leave
leave:
  %after = atomicrmw sub ptr @entered, i64 1 seq_cst
  ret void
}}
"""

_REFUSAL: Final = """%report = inttoptr i64 {report} to ptr
  call void %report(ptr %a0, ptr @message)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """One callback to guard.

    Parameters
    ----------
    name : str
        Name of the machine function.
    n_arguments : int
        Number of pointer arguments, all passed through.
    target : int
        Address that is called while the gate is open.
    report : int
        Address of `void (*)(info, const char *)` that is told of the refusal with the first argument; 0 for none.
    """

    name: str
    n_arguments: int
    target: int
    report: int = 0


def build_gates(gates: list[Gate]) -> dict[str, int]:
    """Compile gates and close them when the interpreter exits.

    Parameters
    ----------
    gates : list of Gate

    Returns
    -------
    dict of str to int
        Address of each gate by name, valid until the process ends.

    Notes
    -----
    At exit the flag is set first, then callbacks that already passed are waited for, up to 30 s. A gate costs about
    two atomic additions per call.
    """
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    module = llvm.parse_assembly(_HEADER + "".join(_assembly(gate) for gate in gates))
    module.verify()
    engine = llvm.create_mcjit_compiler(module, llvm.Target.from_default_triple().create_target_machine(opt=2))
    engine.finalize_object()
    addresses = {gate.name: int(engine.get_function_address(gate.name)) for gate in gates}
    exiting = ctypes.c_int32.from_address(engine.get_global_value_address("exiting"))
    entered = ctypes.c_int64.from_address(engine.get_global_value_address("entered"))
    # DuckDB threads outlive the interpreter: without the detach its teardown would free the code under them.
    engine.detach()
    atexit.register(_close, exiting, entered)
    return addresses


def _assembly(gate: Gate) -> str:
    """LLVM assembly of one gate."""
    names = [f"ptr %a{number}" for number in range(gate.n_arguments)]
    refusal = _REFUSAL.format(report=gate.report) if gate.report else ""
    arguments = ", ".join(names)
    return _GATE.format(name=gate.name, parameters=arguments, arguments=arguments, target=gate.target, refusal=refusal)


def _close(exiting: ctypes.c_int32, entered: ctypes.c_int64) -> None:
    """Shut the gates, then wait for the callbacks that are inside."""
    exiting.value = 1
    deadline = time.monotonic() + _DRAIN_S
    while entered.value > 0 and time.monotonic() < deadline:
        time.sleep(0.001)
