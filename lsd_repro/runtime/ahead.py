"""Has Theano compile what a graph needs on all cores.

By itself it compiles the modules of a graph, up to a hundred of them, one after the other.  Here those that
are missing are compiled first, several at a time; when Theano comes to one, it is put where Theano wants it.
Whatever goes wrong here is left to Theano, which then does all that it always does.
"""

import contextlib
import functools
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

# Each takes up to a few hundred MB.
MOST_COMPILERS = 8


def compile_ahead() -> None:
    """From now on compile the modules of a graph at the same time, if there is more than one core."""
    from theano.configdefaults import config
    from theano.link.c.cmodule import GCC_compiler
    from theano.link.vm import VMLinker

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    compilers = min(MOST_COMPILERS, cores)
    if compilers < 2:
        return
    compile_str, make_all = GCC_compiler.compile_str, VMLinker.make_all
    ahead: dict[Any, Any] = {}  # what the compiler is called with -> the future folder of what it makes

    @functools.wraps(compile_str)
    def take_or_compile(module_name, src_code, location=None, **arguments):
        future = ahead.get(_key(src_code, arguments))
        return _put(future.result(), location) if future else compile_str(module_name, src_code, location, **arguments)

    @functools.wraps(make_all)
    def compile_and_make_all(self, *args, **kwargs):
        compiles = config.cxx and self.c_thunks is not False
        if not compiles or len(_missing_modules(self.fgraph)) < 2:
            return make_all(self, *args, **kwargs)
        with _locked_cache() as cache, tempfile.TemporaryDirectory(prefix="ahead", dir=cache.dirname) as folder:
            # While it was waited for the lock another process may have made them.
            modules = _missing_modules(self.fgraph)
            with _pool(compilers) as pool:
                # The largest first, which take longest.
                for key, (name, source, arguments) in sorted(modules.items(), key=lambda item: -len(item[1][1])):
                    location = tempfile.mkdtemp(dir=folder)
                    ahead[key] = pool.submit(_compile_into, compile_str, name, source, location, arguments)
                try:
                    return make_all(self, *args, **kwargs)
                finally:
                    for key in modules:
                        ahead.pop(key, None)

    GCC_compiler.compile_str = staticmethod(take_or_compile)
    VMLinker.make_all = compile_and_make_all


def _key(source, arguments):
    return source, *(tuple(arguments.get(name) or ()) for name in ("include_dirs", "lib_dirs", "libs", "preargs"))


def _missing_modules(fgraph):
    """What the compiler is to be called with for modules that the cache lacks: name, source, arguments, by `_key`."""
    from theano.graph.op import COp
    from theano.link.c.basic import get_module_cache
    from theano.link.c.cmodule import get_module_hash

    cache = get_module_cache()
    modules = {}
    for node in fgraph.toposort():
        # Among them NotImplementedError, where an Op exists in Python only.
        with contextlib.suppress(Exception):
            if not isinstance(node.op, COp):
                continue
            linker = _linker(node)
            key = linker.cmodule_key()
            if key in cache.entry_from_key:
                continue
            source = linker.get_src_code()
            if get_module_hash(source, key) in cache.module_hash_to_key_data:
                continue
            arguments = {"include_dirs": linker.header_dirs(), "lib_dirs": linker.lib_dirs(),
                         "libs": linker.libraries(), "preargs": linker.compile_args()}
            modules[_key(source, arguments)] = linker.get_dynamic_module().code_hash, source, arguments
    return modules


def _linker(node):
    """A linker for one node of a graph, as `COp.make_thunk` makes it."""
    from theano.graph.fg import FunctionGraph
    from theano.link.c.basic import CLinker

    node.op.prepare_node(node, storage_map=None, compute_map=None, impl="c")
    return CLinker().accept(FunctionGraph(node.inputs, node.outputs))


@contextlib.contextmanager
def _locked_cache():
    """The cache of modules, up to date, and its lock."""
    from theano.compile.compilelock import lock_ctx
    from theano.link.c.basic import get_module_cache

    cache = get_module_cache()
    with lock_ctx():
        cache.refresh(cleanup=False)
        yield cache


@contextlib.contextmanager
def _pool(workers):
    """A pool of threads that drops what it has not begun when it is left."""
    pool = ThreadPoolExecutor(workers)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _compile_into(compile_str, name, source, location, arguments):
    compile_str(name, source, location, py_module=False, **arguments)
    return location


def _put(made, location):
    """Move a module into the folder that Theano has for it, and import it."""
    from theano.link.c.cmodule import dlimport, get_lib_extension

    for path in Path(made).iterdir():
        path.replace(Path(location, path.name))
    Path(location, "__init__.py").touch()
    library, = Path(location).glob(f"*.{get_lib_extension()}")
    return dlimport(str(library))
