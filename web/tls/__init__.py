"""How the page is encrypted.

certificate.py  a certificate and its key, read and checked
made.py         one that we make ourselves, where nobody gave us one
keeper.py       which one is used now: files that change are read again, one of ours is renewed
"""

from __future__ import annotations

from .certificate import Certificate
from .keeper import Keeper, Source, keeper_of, source_of

__all__ = ["Certificate", "Keeper", "Source", "keeper_of", "source_of"]
