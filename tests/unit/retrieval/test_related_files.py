"""Which files an import means, and which files are siblings."""

from __future__ import annotations

from collections import defaultdict
from pathlib import PurePath

import pytest

from midfill.code.languages import language_of
from midfill.code.syntax import Import, Syntax
from midfill.retrieval.related_files import imported_files, imported_names, siblings

FILES = (
    "/w/shop/__init__.py", "/w/shop/prices.py", "/w/shop/orders.py", "/w/shop/deep/tax.py", "/w/other/prices.py",
    "/w/tests/test_orders.py", "/w/web/cart.ts", "/w/web/cart.test.ts", "/w/web/lib/index.ts", "/w/web/cart.css",
    "/w/java/com/acme/Order.java", "/w/java/com/acme/OrderTest.java", "/w/c/list.c", "/w/c/list.h", "/w/x/list.h",
    "/w/src/a/mod.rs", "/w/src/b.rs", "/w/go/stock_test.go", "/w/go/stock.go", "/w/lib/util.rb", "/w/run.sh", "/w/l.sh",
)  # fmt: skip


def _named(stem: str) -> tuple[str, ...]:
    stems: dict[str, list[str]] = defaultdict(list)
    for file in FILES:
        path = PurePath(file)
        stems[path.stem].append(file)
        if path.stem in ("__init__", "index", "mod"):
            stems[path.parent.name].append(file)
    return tuple(stems[stem])


@pytest.mark.parametrize(
    ("path", "line", "files"),
    [
        ("/w/shop/orders.py", "from .prices import x", ["/w/shop/prices.py"]),
        ("/w/shop/orders.py", "from . import prices", ["/w/shop/prices.py", "/w/shop/__init__.py"]),
        ("/w/shop/deep/tax.py", "from ..prices import x", ["/w/shop/prices.py"]),
        ("/w/a.py", "from shop.prices import x", ["/w/shop/prices.py"]),
        ("/w/a.py", "from shop import prices", ["/w/shop/prices.py", "/w/shop/__init__.py"]),
        ("/w/a.py", "import shop.deep.tax", ["/w/shop/deep/tax.py"]),
        ("/w/other/a.py", "import prices", ["/w/other/prices.py"]),
        ("/w/a.py", "import numpy.linalg", []),
        ("/w/a.py", "from .missing import x", []),
        ("/w/a.py", "from ........ import x", []),
        ("/w/web/x.ts", "import {a} from './cart';", ["/w/web/cart.ts"]),
        ("/w/web/x.ts", "import {a} from './cart.js';", ["/w/web/cart.ts"]),
        ("/w/web/x.ts", "import a from './lib';", ["/w/web/lib/index.ts"]),
        ("/w/web/x.ts", "import a from './missing';", []),
        ("/w/web/x.ts", "import a from 'react';", []),
        ("/w/java/com/acme/X.java", "import com.acme.Order;", ["/w/java/com/acme/Order.java"]),
        ("/w/c/main.c", '#include "list.h"', ["/w/c/list.h"]),
        ("/w/main.c", '#include "x/list.h"', ["/w/x/list.h"]),
        ("/w/src/main.rs", "use crate::a::Thing;", ["/w/src/a/mod.rs"]),
        ("/w/lib/x.rb", "require_relative 'util'", ["/w/lib/util.rb"]),
        ("/w/run.sh", "source ./l.sh", ["/w/l.sh"]),
    ],
)
def test_imported_files(path: str, line: str, files: list[str]) -> None:
    """Relative imports are resolved exactly, absolute ones by the end of the path, libraries not at all."""
    language = language_of(path)
    (taken,) = Syntax(line + "\n", language).imports()
    assert imported_files(taken, path, language, _named, FILES.__contains__) == files


def test_imported_names() -> None:
    """In some languages the imported name is a part of the module's path."""
    assert imported_names(Import("com.acme.Order", ()), language_of("a.java")) == ("Order",)
    assert imported_names(Import("crate::a::{B, c}", ()), language_of("a.rs")) == ("crate", "a", "B", "c")
    assert imported_names(Import("a.b", ("x",)), language_of("a.py")) == ("x",)
    assert imported_names(Import("a.b", ()), language_of("a.py")) == ()


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/w/shop/orders.py", ["/w/tests/test_orders.py"]),
        ("/w/tests/test_orders.py", ["/w/shop/orders.py"]),
        ("/w/web/cart.ts", ["/w/web/cart.css", "/w/web/cart.test.ts"]),
        ("/w/web/cart.test.ts", ["/w/web/cart.ts"]),
        ("/w/java/com/acme/OrderTest.java", ["/w/java/com/acme/Order.java"]),
        ("/w/c/list.c", ["/w/c/list.h", "/w/x/list.h"]),
        ("/w/go/stock.go", ["/w/go/stock_test.go"]),
        ("/w/lib/util.rb", []),
    ],
)
def test_siblings(path: str, found: list[str]) -> None:
    """Siblings are test and implementation, or header and source; the nearest comes first."""
    assert siblings(path, _named) == found
