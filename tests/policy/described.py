"""Every route as OpenAPI describes it, asked by schemathesis with what it makes up: no answer is a server's
error, and each is as described."""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import hypothesis
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import strategies as st
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.openapi import from_dict
from schemathesis.specs.openapi import checks

from .house import Ward

CHECKS = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
PLAIN = ("application/sdp", "application/trickle-ice-sdpfrag")
LAST = ("DELETE", "PATCH", "PUT", "POST")
"""What takes things away is asked after what shows them."""
OURS = frozenset({503})
"""A server's errors that are meant: try again later."""
SKIPPED = frozenset({("POST", "/api/v1/logout")})
"""It would end the session with which all others are asked."""
_ANSWERED_WITHIN_S = 30.0


@schemathesis.serializer(*PLAIN)
def _as_text(_: schemathesis.SerializationContext, value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogateescape")


@dataclass(slots=True)
class Probed:
    """How many requests, what they were answered, and what was wrong with that."""

    requests: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


def probe(
    base_url: str, description: Mapping[str, Any], ward: Ward, headers: Mapping[str, str], examples: int
) -> Probed:
    """So many examples of each route, half of them about what there is. Blocking; the same every time."""
    schema = from_dict(dict(description))
    schema.config.base_url = base_url
    schema.config.generation.update(with_security_parameters=False)
    probed = Probed()
    with requests.Session() as session:
        session.headers.update(headers)
        for operation in _in_order(schema):
            _probe(operation, session, _known(operation.path, ward), examples, probed)
    return probed


def _in_order(schema: Any) -> list[Any]:
    operations = [result.ok() for result in schema.get_all_operations()]
    wanted = [each for each in operations if (each.method.upper(), each.path) not in SKIPPED]
    return sorted(wanted, key=lambda each: -_rank(each.method.upper()))


def _rank(method: str) -> int:
    return LAST.index(method) if method in LAST else len(LAST)


def _known(path: str, ward: Ward) -> dict[str, str]:
    """What the path's names are where there is something of it."""
    there = {
        "feed": ward.pushed if "whip" in path else ward.feed, "aircraft": ward.aircraft,
        "flight": ward.flight, "incident": ward.incident, "export": ward.export, "marker": ward.marker,
        "number": "1", "piece": "0",
    }  # fmt: skip
    return {name: there[name] for name in re.findall(r"{(\w+)}", path) if name in there}


def _probe(
    operation: Any, session: requests.Session, known: dict[str, str], examples: int, probed: Probed
) -> None:
    cases = operation.as_strategy()
    if known:
        cases = st.one_of(cases, operation.as_strategy(path_parameters=known))
    if operation.body or operation.query:
        wrong = operation.as_strategy(generation_mode=schemathesis.GenerationMode.NEGATIVE)
        cases = st.one_of(cases, wrong)

    @hypothesis.settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def asked(case: schemathesis.Case[Any]) -> None:
        _ask(case, session, probed)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        asked()


def _ask(case: schemathesis.Case[Any], session: requests.Session, probed: Probed) -> None:
    response = case.call(session=session, timeout=_ANSWERED_WITHIN_S, allow_redirects=False)
    probed.requests += 1
    probed.statuses[response.status_code] += 1
    what = f"{case.method} {case.formatted_path} {case.query} {case.body!r:.200}"
    if response.status_code >= 500 and response.status_code not in OURS:
        probed.faults.append(f"{what}: {response.status_code} {response.text[:300]}")
        return
    try:
        case.validate_response(response, checks=CHECKS)
    except (Failure, FailureGroup) as failure:
        told = [str(each) for each in getattr(failure, "exceptions", [failure])]
        probed.faults.append(f"{what}: {response.status_code}: {' | '.join(told)[:600]}")
