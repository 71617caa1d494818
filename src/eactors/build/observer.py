"""The program that an observed interpreter runs; it is never imported.

It takes the steps of an enclave's start up to the constructors, and writes down which files
that took. It uses no module that an enclave's entry would not load anyway.
"""

from __future__ import annotations

PROGRAM = """
import sys

SETTINGS = {settings!r}
LOADED = []


def watch():
    # A module may put another, or an object of its own, in its place, as collections.abc does since
    # Python 3.13: then its own file is seen only while it is being loaded.
    import _frozen_importlib_external
    basics = _frozen_importlib_external._LoaderBasics
    execute = basics.exec_module

    def exec_module(self, module):
        spec = module.__spec__
        execute(self, module)
        LOADED.append((spec.name, spec.origin))

    basics.exec_module = exec_module


def load():
    from eactors import _native
    _native.die_with(SETTINGS["parent"])
    for name in SETTINGS["framework"]:
        __import__(name)
    from eactors.enclave import loader
    folder = sys.path[0]
    sys.path.insert(1, folder + "/app")
    sys.path += SETTINGS["paths"]
    if SETTINGS["beside"]:
        from eactors.enclave import beside
        beside.install(folder, "app")
    module = loader.execute(folder + "/" + SETTINGS["file"], SETTINGS["module"], SETTINGS["file"])
    for name in SETTINGS["classes"]:
        declared = getattr(module, name).__eactors__
        for each in (*declared.connectors.values(), *declared.stores.values()):
            each.codec()
    for name, attribute, required in SETTINGS["late"]:
        try:
            __import__(name)
            if attribute is not None and not hasattr(sys.modules[name], attribute):
                __import__(name + "." + attribute)
        except Exception:
            if required and name not in sys.modules:
                raise
    for name, later in SETTINGS["later"]:
        if name in sys.modules:
            try:
                __import__(later)
            except ImportError:
                pass


def origins():
    yield from LOADED
    for name, module in list(sys.modules.items()):
        try:
            spec = object.__getattribute__(module, "__dict__").get("__spec__")
        except AttributeError:
            continue
        if getattr(spec, "has_location", False) and spec.origin not in (None, "frozen", "built-in"):
            yield name, spec.origin


def frames(trace):
    while trace is not None:
        yield trace.tb_frame.f_code.co_filename, trace.tb_lineno, trace.tb_frame.f_code.co_name
        trace = trace.tb_next


folder, failure = sys.path[0], None
try:
    watch()
    load()
except BaseException as error:
    failure = type(error).__name__, str(error), list(frames(error.__traceback__))
with open("/proc/self/maps", errors="surrogateescape") as maps:
    result = failure, list(origins()), list(maps)
with open(folder + "/result", "w", errors="surrogateescape") as file:
    file.write(repr(result))
file.close()
import posix
posix._exit(0)
"""
