"""Kernels: each function is translated once, a whole program is optimised once, and both are kept on disk.

Where you are in the pipe: under all of it; `twosided._compile.compiled` is the way in.

Stock numba optimises each function together with all that it reaches, makes machine code of it and a wrapper for Python, and does
the same again for each of its callers; for the 260 functions of the replay engine that was more than half of the work. Here a
function that compiled code calls becomes a *part*: typed and translated, no more. Only what Python calls, or asks the address
of, is linked with the parts that it reaches, optimised, and made machine code.

Both are kept on disk: machine code for the next process that calls, parts for other programs that use the same helpers, and for
other processes that compile at the same time. A part is named after what it means and the types of its arguments (`meaning`), in
files and in machine code. Numba counts names from one in each process; two that met in a cache could be taken for each other.

This module and `_compile` rest on private parts of numba (how a dispatcher compiles and caches, a code library's module and what it
links, a compile result's ``_reduce`` and ``_rebuild``); they are used nowhere else, and numba is pinned.
"""

import gc
import hashlib
import os
import pickle
import tempfile
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from llvmlite import binding
from llvmlite.ir import Constant
from llvmlite.ir.instructions import AllocaInstr, StoreInstr
from numba import types
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler, CompileResult, Flags, _make_subtarget, compile_extra, compile_result
from numba.core.dispatcher import _FunctionCompiler  # type: ignore[attr-defined]
from numba.core.funcdesc import default_mangler
from numba.core.imputils import lower_constant
from numba.core.registry import CPUDispatcher
from numba.core.runtime.nrt import rtsys
from numba.core.serialize import dumps
from numba.core.sigutils import normalize_signature
from numba.core.typing import make_concrete_template, signature
from numba.extending import models, register_model

from twosided._meaning import meaning

__all__ = ["Kernel", "cache_folder"]


# ---------------------------------------------------------------- the disk cache

_CHECKSUM = 32  # bytes before the content: a flipped bit in machine code would not raise, it would run
_NO_CACHE = (OSError, RuntimeError)  # RuntimeError: a user without a home


def cache_folder() -> Path:
    """Return where machine code is kept: ``$TWOSIDED_CACHE``, else ``twosided`` in the user's cache directory."""
    named = os.environ.get("TWOSIDED_CACHE")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "twosided"


def _read(name: str) -> Any:
    """Return what was written under *name*; None where that is nothing, or damaged."""
    try:
        content = (cache_folder() / name).read_bytes()
    except _NO_CACHE:
        return None
    if hashlib.sha256(content[_CHECKSUM:]).digest() != content[:_CHECKSUM]:
        return None
    try:
        return pickle.loads(content[_CHECKSUM:])  # noqa: S301 - our own cache
    except Exception:  # noqa: BLE001 - a damaged cache file must cost a compilation, never a run
        return None


def _write(name: str, value: Any) -> None:
    """Write a file whole and then rename it: two processes never disagree on a file."""
    content = dumps(value)
    partial = None
    try:
        path = cache_folder() / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=path.stem, suffix=".tmp", delete=False) as file:
            partial = Path(file.name)
            file.write(hashlib.sha256(content).digest() + content)
        partial.replace(path)
    except _NO_CACHE:  # no place to write: the code is compiled again in the next process, and nothing else changes
        if partial is not None:
            partial.unlink(missing_ok=True)


class _MachineCode:
    """The disk cache of what Python calls, in the form that a dispatcher asks for: one file per (meaning, signature, processor)."""

    cache_path = "twosided._compile.cache_folder()"

    def __init__(self, kernel: "Kernel") -> None:
        self._kernel = kernel

    def load_overload(self, signature: Any, target_context: Any) -> CompileResult | None:
        target_context.refresh()
        found = _read(f"{self._kernel.key(signature)}.bin")
        try:
            return found and CompileResult._rebuild(target_context, *found)  # noqa: SLF001
        except Exception:  # noqa: BLE001 - as for a damaged file
            return None

    def save_overload(self, signature: Any, result: Any) -> None:
        if not result.library.has_dynamic_globals:
            _write(f"{self._kernel.key(signature)}.bin", result._reduce())  # noqa: SLF001

    def enable(self) -> None: ...
    def disable(self) -> None: ...
    def flush(self) -> None: ...


# ---------------------------------------------------------------- parts


def _clears_what_is_raised(instruction: Any) -> bool:
    """Say whether an instruction sets the place for a callee's exception, which is named ``excinfo``, to zero."""
    if not isinstance(instruction, StoreInstr):
        return False
    value, place = instruction.operands
    return isinstance(place, AllocaInstr) and place.name.startswith("excinfo") and isinstance(value, Constant)


class _Part(JITCodeLibrary):  # type: ignore[misc]
    """The translation of one function, not optimised, and the parts that it calls; named after its file in the cache."""

    def __init__(self, codegen: Any, name: str, module: Any = None) -> None:
        super().__init__(codegen, name)
        if module is not None:
            self._final_module = module
        self.parts: dict[_Part, None] = {}
        self.is_kept = False
        self._of_numba: dict[Any, None] = {}

    def add_linking_library(self, library: Any) -> None:
        if isinstance(library, _Part):
            self.parts[library] = None
        elif library is not rtsys.library:
            self._of_numba[library] = None

    def add_ir_module(self, module: Any) -> None:
        """Take in what numba has written for a function, without the stores that clear a place for what each call might raise.

        Only who raises writes there, and only then is it read; a function of a dozen calls began with a dozen stores.
        """
        for function in module.functions:
            if not function.is_declaration:
                entry = function.entry_basic_block
                entry.instructions = [each for each in entry.instructions if not _clears_what_is_raised(each)]
        super().add_ir_module(module)

    def add_llvm_module(self, module: Any) -> None:
        module.data_layout = self._codegen._data_layout  # noqa: SLF001
        self._final_module.link_in(module)

    def finalize(self) -> None:
        """Take in what numba brings of its own; its names mean something in this process only, so each part has it for itself."""
        private = set()
        for library in self._of_numba:
            module = library._get_module_for_linking()  # noqa: SLF001
            private |= {each.name for each in module.functions if each.name.startswith("_ZN")}
            self._final_module.link_in(module, preserve=True)
        for each in self._final_module.functions:
            if not each.is_declaration and each.linkage == binding.Linkage.external:
                each.linkage = "internal" if each.name in private else "linkonce_odr"
        self._tidy_what_is_copied()
        self._finalize_dynamic_globals()
        self._finalized = True

    def _tidy_what_is_copied(self) -> None:
        """Optimise functions that are copied into their callers before anything else is done.

        Once they stand in a caller's loop, LLVM no longer sees that the zeros with which numba begins each of their variables are
        not needed: in the replay loop that was one store in eight.
        """
        for each in self._final_module.functions:
            if not each.is_declaration and any(b"alwaysinline" in attributes for attributes in each.attributes):
                manager, builder = self._codegen._function_pass_manager()  # noqa: SLF001
                manager.run(each, builder)

    def can_be_kept(self) -> bool:
        """Say whether another process could use it: nothing in it is an address."""
        return not self._dynamic_globals and all(each.is_kept for each in self.parts)

    def _get_module_for_linking(self) -> Any:
        """Return one module of this part and all that it reaches; numba asks for it."""
        program, reached, found = self._final_module.clone(), {self}, [self]
        for part in found:  # callers first: what nothing calls yet would be left out
            new = [each for each in part.parts if each not in reached]
            reached.update(new)
            found += new
        for part in found[1:]:
            program.link_in(part._final_module, preserve=True)  # noqa: SLF001
        program.link_in(rtsys.library._get_module_for_linking(), preserve=True)  # noqa: SLF001
        return program


class _Translator(Compiler):  # type: ignore[misc]
    """Numba's compiler, which names what it compiles after the library that it goes into."""

    def __init__(self, typing_context: Any, target_context: Any, library: Any, *more: Any) -> None:
        super().__init__(typing_context, target_context, library, *more)

        def mangler(name: str, kinds: Any, *, abi_tags: Any = (), uid: Any = None) -> str:
            if uid == self.state.func_id.unique_id:
                return str(default_mangler(name, (), abi_tags=(library.name,)))
            return str(default_mangler(name, kinds, abi_tags=abi_tags, uid=uid))  # a helper of numba's own

        self.state.targetctx.mangler = mangler


_parts: dict[str, CompileResult] = {}
"""All parts of this process."""


def _found_part(name: str, typing_context: Any, target_context: Any) -> CompileResult | None:
    """Return a part that this process has made, or that is in the cache with all that it reaches."""
    if name in _parts:
        return _parts[name]
    found = _read(f"{name}.part")
    if found is None:
        return None
    bitcode, reached, fndesc, environment, its_signature = found
    called = [_found_part(each, typing_context, target_context) for each in reached]
    if None in called:
        return None
    library = _Part(target_context.codegen(), name, binding.parse_bitcode(bitcode))
    library.parts = {each.library: None for each in called}  # type: ignore[union-attr]
    library.finalize()
    library.is_kept = True
    result = compile_result(
        typing_context=typing_context,
        target_context=target_context,
        library=library,
        entry_point=object(),
        fndesc=fndesc,
        environment=environment,
        signature=its_signature,
        objectmode=False,
        lifted=(),
    )
    return _known(result)


def _known(part: CompileResult) -> CompileResult:
    """Make a part known to numba, by its entry point, and to this process, by its name."""
    part.target_context.insert_user_function(part.entry_point, part.fndesc, [part.library])
    return _parts.setdefault(part.library.name, part)


def _keep_part(part: CompileResult) -> None:
    """Write a part, once."""
    library, fndesc = part.library, part.fndesc
    if library.is_kept or not library.can_be_kept():
        return
    library.is_kept = True
    fndesc.typemap = fndesc.calltypes = None
    reached = [each.name for each in library.parts]
    _write(f"{library.name}.part", (library._final_module.as_bitcode(), reached, fndesc, part.environment, part.signature))  # noqa: SLF001


# ---------------------------------------------------------------- kernels


class KernelType(types.Dispatcher):  # type: ignore[misc]
    """The type of a kernel that is named in compiled code, where it has no value."""


register_model(KernelType)(models.OpaqueModel)


@lower_constant(KernelType)  # type: ignore[untyped-decorator]
def _no_value(context: Any, _builder: Any, _kind: Any, _value: Any) -> Any:
    return context.get_dummy_value()  # numba would write down its address in this process


class _Linker(_FunctionCompiler):  # type: ignore[misc]
    """What a kernel compiles with when Python calls it."""

    kernel: "Kernel"

    def _compile_core(self, arguments: Any, returned: Any) -> CompileResult:
        """Return machine code of a function and of all that it reaches, optimised as one."""
        part = self.kernel.part(arguments, returned)
        context = _make_subtarget(self.targetdescr.target_context, self.kernel.flags())
        library = context.codegen().create_library(part.library.name)
        library.enable_object_caching()
        library.add_linking_library(part.library)
        threaded = self.targetoptions["nogil"]
        context.create_cpython_wrapper(library, part.fndesc, part.environment, None, release_gil=threaded)
        result = part._replace(library=library, entry_point=context.get_executable(library, part.fndesc, part.environment))
        for each in result._find_referenced_environments():  # noqa: SLF001
            library.codegen.set_env(each.env_name, each)
        return result


class Kernel(CPUDispatcher):  # type: ignore[misc]
    """A compiled function: machine code for Python, a part for compiled code."""

    def __init__(self, py_func: Callable[..., Any], locals: Any = None, targetoptions: Any = None) -> None:  # noqa: A002 - numba's
        super().__init__(py_func, locals, targetoptions)
        self._compiler: Any = _Linker(py_func, self.targetdescr, self.targetoptions, self.locals, _Translator)
        self._compiler.kernel = self
        self._cache = _MachineCode(self)
        self._type = KernelType(self)
        del self.typingctx._globals[weakref.ref(self)]  # noqa: SLF001 - numba's own type for it
        self.typingctx.insert_global(self, self._type)

    @property
    def _numba_type_(self) -> Any:
        return self._type

    def key(self, asked: Any) -> str:
        """Return the name of this function for a signature, with what it means now."""
        if self.py_func not in _meanings:
            _meanings[self.py_func] = meaning(self.py_func)
        what = (str(asked), self.targetctx.codegen().magic_tuple(), sorted(self.targetoptions.items()))
        return f"{self.py_func.__name__}-{hashlib.sha256(_meanings[self.py_func] + repr(what).encode()).hexdigest()[:32]}"

    def compile(self, sig: Any) -> Any:
        """Return what Python calls for a signature."""
        with _one_compilation():
            return super().compile(sig)

    def get_call_template(self, args: Any, kws: Any) -> Any:
        """Answer numba, which has found a call in compiled code, with the types of a part for it.

        A constant is handed over as a number: compiling a helper anew for every constant would double the engine's compilation.
        """
        plain = {name: types.unliteral(kind) for name, kind in kws.items()}
        pysig, folded = self._compiler.fold_argument_types(tuple(types.unliteral(kind) for kind in args), plain)
        part = self.part(tuple(folded))
        _keep_part(part)
        name = self.py_func.__name__
        return make_concrete_template(f"CallTemplate({name})", key=name, signatures=[part.signature]), pysig, folded, {}

    def get_overload(self, sig: Any) -> Any:
        """Answer numba with what it knows a part by."""
        return self.part(tuple(normalize_signature(sig)[0])).entry_point

    def part(self, arguments: tuple[Any, ...], returned: Any = None) -> CompileResult:
        """Return the part for types of arguments: of this process, from the disk, or new."""
        name = self.key(signature(returned, *arguments))
        if name not in _parts:
            _found_part(name, self.typingctx, self.targetctx) or self._translated(name, arguments, returned)
        return _parts[name]

    def flags(self) -> Any:
        """Return how numba is to translate it."""
        flags = Flags()
        self.targetdescr.options.parse_as_flags(flags, self.targetoptions)
        flags.no_compile = flags.no_cpython_wrapper = True
        return flags

    def _translated(self, name: str, arguments: tuple[Any, ...], returned: Any) -> CompileResult:
        library = _Part(self.targetctx.codegen(), name)
        with self._compiling_counter:
            result = compile_extra(
                self.typingctx, self.targetctx, self.py_func, arguments, returned, self.flags(), self.locals, library, _Translator
            )
        library.finalize()
        return _known(result._replace(target_context=self.targetctx, entry_point=object(), type_annotation=None, metadata=None))


_meanings: dict[Any, bytes] = {}


@contextmanager
def _one_compilation() -> Iterator[None]:
    """Remember what functions mean, as globals do not change meanwhile, and keep Python from looking for garbage all the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        _meanings.clear()
        if was_on:
            gc.enable()
