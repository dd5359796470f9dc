"""Cumulants of Gibbs models at points: sums over tables of states, transfer matrices, Pfaffians.

A file with makers is found by being here.
"""

import importlib
import pkgutil

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
