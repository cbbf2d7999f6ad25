"""Compiling Python functions on first use, keeping the machine code on disk, and calling strategies by address.

``compiled(f)`` is numba's ``njit`` with a disk cache that cannot go stale. Numba's own cache is keyed by the file a function
stands in, so a kernel keeps running yesterday's helper when the helper lives in another file, and it does not work for
notebooks, standard input or read-only folders. Here the file name is a hash of what the code *means* (`meaning`), the signature and
the processor. Nothing is compiled at import. `twosided._kernel` says how it is done.

``address_of`` and ``function_at`` let one compiled engine call any strategy: a first-class function costs a few nanoseconds a
call, whereas a dispatcher passed as an argument would make numba compile the engine anew for each strategy, in each process.

With ``NUMBA_DISABLE_JIT=1`` everything here is the identity and the same code runs as plain Python.
"""

import weakref
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numba
import numpy as np
from llvmlite import ir
from numba import config, types
from numba.core import cgutils
from numba.extending import intrinsic

from twosided._kernel import Kernel, cache_folder
from twosided._meaning import meaning

__all__ = [
    "INTERPRETED",
    "address_of",
    "address_of_array",
    "cache_folder",
    "cache_hits",
    "compiled",
    "decision_type",
    "detached",
    "function_at",
    "further",
    "highest_bit",
    "lowest_bit",
    "meaning",
    "table_at",
    "words_at",
    "words_of",
]

F = TypeVar("F", bound=Callable[..., Any])

INTERPRETED = bool(config.DISABLE_JIT)
"""True when ``NUMBA_DISABLE_JIT=1``: kernels run as plain Python."""


def compiled(function: F, signature: Any = None, *, inline: bool = False, checked: bool = False, nogil: bool = False) -> F:
    """Return *function* compiled on first use and cached on disk.

    Args:
        function: written in the part of Python that numba compiles.
        signature: where given, the only signature there will ever be; it is compiled (or found in the cache) at this call.
        inline: always copy it into its callers: for the few helpers that run once per event.
        checked: an index outside an array is an IndexError: for functions that users write.
        nogil: other threads of Python run meanwhile: for loops that are given a thread each.
    """
    if INTERPRETED:
        return function
    how = {"forceinline": inline, "nogil": nogil, "boundscheck": checked, "fastmath": False, "error_model": "python"}
    kernel = Kernel(function, targetoptions={"nopython": True, "no_cfunc_wrapper": True, **how})
    if signature is not None:
        kernel.compile(signature)
        kernel.disable_compile()
    return kernel


def cache_hits(function: Any) -> tuple[int, int]:
    """Return how often *function*'s machine code was found on disk and how often it had to be compiled, in this process."""
    if INTERPRETED:
        return (0, 0)
    stats = function.stats
    return sum(stats.cache_hits.values()), sum(stats.cache_misses.values())


# ---------------------------------------------------------------- calling by address


def decision_type(header: np.dtype[Any]) -> Any:
    """Return the first-class function type of a strategy that is handed a record beginning with *header*."""
    return types.FunctionType(types.void(numba.from_dtype(header)))


def address_of(dispatcher: Any) -> int:
    """Return the address of the only compiled form of *dispatcher*, in numba's own calling convention.

    That convention, unlike C's, carries exceptions, so an error in a strategy reaches Python with the user's file and line.
    """
    (overload,) = dispatcher.overloads.values()
    return int(overload.library.get_pointer_to_function(overload.fndesc.llvm_func_name))


def function_at(kind: Any) -> Any:
    """Return a function that turns an address into a callable of *kind* (see `decision_type`) inside compiled code."""
    if INTERPRETED:
        return lambda _address: None  # engines never take this branch: every strategy is decided by Python

    @intrinsic  # type: ignore[untyped-decorator]
    def call_target(_typing: Any, _address: Any) -> Any:
        def codegen(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            function = cgutils.create_struct_proxy(kind)(context, builder)
            pointer = builder.inttoptr(arguments[0], cgutils.voidptr_t)
            function.c_addr = pointer
            function.jit_addr = pointer
            function.py_addr = ir.Constant(cgutils.voidptr_t, None)
            return function._getvalue()  # noqa: SLF001

        return kind(types.intp), codegen

    return call_target


def detached(function: F, returns: str | None, *takes: Any) -> tuple[Callable[[Any], F], Callable[[], int]]:
    """Return *function* so that compiled code reaches it by address, and is itself compiled without it.

    What most runs never use then costs them nothing.

    Args:
        function: written in the part of Python that numba compiles.
        returns: numpy's word for what it returns, None where that is nothing.
        takes: dtypes of its arguments.

    Returns:
        A function that turns an address into a callable inside compiled code, and one that returns the address: at its first call
        the function is compiled, or found in the cache. Address 0 must not be called.
    """
    if INTERPRETED:
        return lambda _address: function, lambda: 0
    signature = (types.void if returns is None else _kind(returns))(*map(_kind, takes))
    made: list[Any] = []

    def address() -> int:
        if not made:
            made.append(compiled(function, signature))
        return address_of(made[0])

    return function_at(types.FunctionType(signature)), address


def _kind(dtype: Any) -> Any:
    return numba.from_dtype(np.dtype(dtype))


# ---------------------------------------------------------------- records by address

_buffers: "weakref.WeakValueDictionary[int, np.ndarray[Any, Any]]" = weakref.WeakValueDictionary()


def address_of_array(array: np.ndarray[Any, Any]) -> int:
    """Return where *array*'s data begins; whoever keeps the address must keep the array."""
    address = int(array.ctypes.data)
    if INTERPRETED:
        _buffers[address] = array
    return address


def table_at(
    core: np.dtype[Any], name: str, dtype: np.dtype[Any], extents: Sequence[str | int], *, row: tuple[str, str] | None = None
) -> Any:
    """Return a function (core record, index, …) -> the record at these indices of a table whose address is in the core record.

    A record in compiled code is a pointer. Reaching two dozen tables through addresses kept in one record, instead of handing two
    dozen arrays from function to function, made the replay engine compile in a fraction of the time.

    Args:
        core: dtype of the record that holds address, sizes and offsets, all ``i8``.
        name: its field with the table's address.
        dtype: of the table's records.
        extents: how many records there are along each index: numbers, or names of fields of *core*.
        row: (field with the bytes from one row to the next, field with the offset in a row): the first index then chooses a row of
            mixed content, and the others a record in it.

    The interpreted form checks indices and raises IndexError; the compiled one cannot.
    """
    if INTERPRETED:
        return _interpreted_table(name, dtype, extents, row)
    record = numba.from_dtype(dtype)
    word = ir.IntType(64)

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        def size(extent: str | int) -> Any:
            if isinstance(extent, int):
                return ir.Constant(word, extent)
            start = builder.bitcast(arguments[0], ir.IntType(8).as_pointer())
            place = cgutils.gep_inbounds(builder, start, core.fields[extent][1])  # type: ignore[index]
            return builder.load(builder.bitcast(place, word.as_pointer()))

        kinds = signature.args[1:]
        indices = [context.cast(builder, index, kind, types.int64) for index, kind in zip(arguments[1:], kinds, strict=True)]
        address, inner = size(name), list(zip(indices, extents, strict=True))
        if row is not None:
            address = builder.add(address, builder.add(builder.mul(indices[0], size(row[0])), size(row[1])))
            inner = inner[1:]
        place = ir.Constant(word, 0)
        for index, extent in inner:
            place = builder.add(builder.mul(place, size(extent)), index)
        address = builder.add(address, builder.mul(place, ir.Constant(word, dtype.itemsize)))
        return builder.inttoptr(address, context.get_value_type(record))

    return _intrinsic_of(len(extents), record, codegen)


def _intrinsic_of(arity: int, result: Any, codegen: Any) -> Any:
    """Return an intrinsic of a record and *arity* indices."""

    def one(_typing: Any, core: Any, i: Any) -> Any:
        return result(core, i), codegen

    def two(_typing: Any, core: Any, i: Any, j: Any) -> Any:
        return result(core, i, j), codegen

    def three(_typing: Any, core: Any, i: Any, j: Any, k: Any) -> Any:
        return result(core, i, j, k), codegen

    def four(_typing: Any, core: Any, i: Any, j: Any, k: Any, m: Any) -> Any:
        return result(core, i, j, k, m), codegen

    return intrinsic((one, two, three, four)[arity - 1])


def _interpreted_table(name: str, dtype: np.dtype[Any], extents: Sequence[str | int], row: tuple[str, str] | None) -> Any:
    """Return the plain Python form of `table_at`."""

    def view(core: Any, *indices: Any) -> Any:
        offset = 0
        inner = list(zip(indices, extents, strict=True))
        for index, extent in inner:
            if not 0 <= index < (extent if isinstance(extent, int) else core[extent]):
                raise IndexError(f"table {name} was read at {indices}")
        if row is not None:
            offset = int(indices[0]) * int(core[row[0]]) + int(core[row[1]])
            inner = inner[1:]
        place = 0
        for index, extent in inner:
            place = place * int(extent if isinstance(extent, int) else core[extent]) + int(index)
        memory = _buffers[int(core[name])].view(np.uint8).reshape(-1)
        return np.ndarray(1, dtype, memory.data, offset + place * dtype.itemsize)[0]

    return view


def _interpreted_further(record: Any, places: int) -> Any:
    """Return the plain Python form of `further`."""
    memory = record.base if record.base.base is None else record.base.base
    at = int(np.asarray(record).ctypes.data - memory.ctypes.data) + int(places) * record.dtype.itemsize
    return np.ndarray(1, record.dtype, memory.reshape(-1).view(np.uint8).data, at)[0]


def _new_further() -> Any:
    """Return the compiled form of `further`."""

    @intrinsic  # type: ignore[untyped-decorator]
    def further(_typing: Any, record: Any, places: Any) -> Any:
        """Return the record that stands *places* after *record* in its table."""

        def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.gep(arguments[0], [context.cast(builder, arguments[1], signature.args[1], types.int64)])

        return record(record, places), codegen

    return further


further = _interpreted_further if INTERPRETED else _new_further()


def words_at(core: np.dtype[Any], name: str, kind: Any = types.int64) -> Any:
    """Return a function (core record) -> the numbers of a *kind* at the address in its field *name*, to be indexed like an array.

    Compiled code counts the references to an array in and out of every function that it is handed to, and cannot always see that it
    need not: in the replay loop that was a third of the time. A pointer is not counted, and its indices are not checked.
    """
    if INTERPRETED:
        return lambda core: _buffers[int(core[name])]
    pointer, offset = types.CPointer(kind), core.fields[name][1]  # type: ignore[index]

    @intrinsic  # type: ignore[untyped-decorator]
    def words(_typing: Any, core: Any) -> Any:
        def codegen(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            start = builder.bitcast(arguments[0], ir.IntType(8).as_pointer())
            place = cgutils.gep_inbounds(builder, start, offset)
            return builder.load(builder.bitcast(place, context.get_value_type(pointer).as_pointer()))

        return pointer(core), codegen

    return words


def _itself(array: Any) -> Any:
    """Return the array: where indices are to be checked, it stays one."""
    return array


def _new_words_of() -> Any:
    """Return the compiled form of `words_of`."""

    @intrinsic  # type: ignore[untyped-decorator]
    def words_of(_typing: Any, array: Any) -> Any:
        """Return the 64-bit integers of a contiguous *array*: to be indexed like it, without the cost that `words_at` speaks of."""
        if (array.dtype, array.ndim, array.layout) != (types.int64, 1, "C"):
            return None

        def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return context.make_array(signature.args[0])(context, builder, arguments[0]).data

        return types.CPointer(types.int64)(array), codegen

    return words_of


words_of = _itself if INTERPRETED else compiled(_itself) if config.BOUNDSCHECK else _new_words_of()


# ---------------------------------------------------------------- bits


def _bit_intrinsic(highest: bool) -> Any:
    @intrinsic  # type: ignore[untyped-decorator]
    def find(_typing: Any, word: Any) -> Any:
        def codegen(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            zero_is_defined = ir.Constant(ir.IntType(1), 0)
            if highest:
                return builder.sub(ir.Constant(ir.IntType(64), 63), builder.ctlz(arguments[0], zero_is_defined))
            return builder.cttz(arguments[0], zero_is_defined)

        return types.int64(word), codegen

    return find


if INTERPRETED:

    def highest_bit(word: Any) -> int:
        """Return the index (0 to 63) of the highest set bit of a non-zero 64-bit word."""
        return (int(word) & 0xFFFF_FFFF_FFFF_FFFF).bit_length() - 1

    def lowest_bit(word: Any) -> int:
        """Return the index (0 to 63) of the lowest set bit of a non-zero 64-bit word."""
        return (int(word) & -int(word)).bit_length() - 1

else:
    highest_bit = _bit_intrinsic(highest=True)
    lowest_bit = _bit_intrinsic(highest=False)
