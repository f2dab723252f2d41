"""Questions by GraphQL: lists of objects, which the SDK loads by `node`, a field engines before 0.21 have not."""

from __future__ import annotations

import json
from typing import Any

from gql import gql


async def ask(thing: Any, selection: str) -> dict[str, Any]:
    """What `selection` says of an object of the SDK's."""
    kind, id_ = type(thing).__name__, json.dumps(str(await thing.id()))
    answer = await thing._ctx.conn.session.execute(gql(f"{{ it: load{kind}FromID(id: {id_}) {{ {selection} }} }}"))
    found: dict[str, Any] = answer["it"]
    return found
