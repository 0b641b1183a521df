"""What stands in front of every AWS call: faults on demand, unknown keys refused, errors in AWS' own form.

`POST /muster/faults` with a JSON object replaces all switches, `GET` shows them, `DELETE` clears them:

    {"throttle": [{"service": "ec2", "every": 3}],         every third call that fits is throttled
     "deny":     [{"service": "sts", "action": "AssumeRole", "account": "210987654321"}],
     "fail":     [{"service": "lambda", "times": 2}],      the next two calls that fit answer 500
     "slow":     [{"service": "ssm", "ms": 200}],
     "expired":  [{"account": "210987654321"}],            the token of every call that fits has expired
     "page_max": 1,                                        no page is longer, where the emulator makes the pages
     "securityhub_refuse": ["arn:aws:inspector2:"]}        beginnings of finding ids that are not imported

A rule fits a call when each of its `service`, `action`, `account` and `region` that is given is the call's own;
for AssumeRole the account is that of the role. `GET /muster/calls` counts the calls by
`ACCOUNT REGION SERVICE ACTION`, `DELETE` forgets the counts.
"""

import io
import json
import re
import sys
import threading
import time
import traceback
import urllib.error
import urllib.parse
from collections import Counter
from dataclasses import dataclass, field

from demo.emulator import Options

#: `Credential=KEY/DATE/REGION/SERVICE/aws4_request` of Signature Version 4.
CREDENTIAL = re.compile(r"Credential=([^/]+)/\d{8}/([^/]+)/([^/]+)/aws4_request")
#: A body that is read whole to learn the operation; AWS' own calls with forms are far smaller.
FORM_BYTES_MAX = 1024 * 1024


@dataclass
class Faults:
    """All switches; empty: none."""

    throttle: list[dict] = field(default_factory=list)
    deny: list[dict] = field(default_factory=list)
    fail: list[dict] = field(default_factory=list)
    slow: list[dict] = field(default_factory=list)
    expired: list[dict] = field(default_factory=list)
    securityhub_refuse: list[str] = field(default_factory=list)
    page_max: int = 0


@dataclass(frozen=True)
class Call:
    """One AWS call as far as its envelope tells."""

    account: str | None  # None: the key is not known
    region: str
    service: str
    action: str
    protocol: str  # ec2, query, json or rest

    def fits(self, rule: dict) -> bool:
        return all(
            getattr(self, name) == rule[name] for name in ("account", "region", "service", "action") if rule.get(name)
        )


FAULTS = Faults()
CALLS: Counter[str] = Counter()
LOCK = threading.Lock()


class Refusal(Exception):
    """The call is answered with this error instead of moto's answer."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def install(options: Options) -> None:
    import moto.server

    class Application(moto.server.DomainDispatcherApplication):
        def __call__(self, environ: dict, start_response):
            path = environ.get("PATH_INFO", "")
            if path.startswith("/muster/"):
                return answer_own(options, environ, start_response)
            if path.startswith("/moto-api"):
                return super().__call__(environ, start_response)
            return answer_aws(super().__call__, environ, start_response)

    moto.server.DomainDispatcherApplication = Application


def answer_aws(moto_application, environ: dict, start_response):
    """moto's answer, unless a fault or an unknown operation has it otherwise."""
    call = call_of(environ)
    try:
        if call is not None:
            admit(call)
        return aws_form(moto_application, environ, start_response, call)
    except Refusal as refusal:
        return refuse(refusal, call, start_response)
    except NotImplementedError as missing:
        return refuse(unknown_operation(call, str(missing)), call, start_response)
    except Exception as fault:  # moto's own mistake: AWS would answer 500 in its own form
        traceback.print_exc(file=sys.stderr)
        return refuse(Refusal(500, "InternalFailure", repr(fault)), call, start_response)


def aws_form(moto_application, environ: dict, start_response, call: Call | None):
    """moto answers an unknown path with a page of HTML, which no SDK understands."""
    seen = {}

    def hold(status, headers, exc_info=None):
        seen["status"], seen["headers"] = status, headers
        return lambda _data: None

    body = b"".join(moto_application(environ, hold))
    unknown = seen["status"].startswith(("404", "405")) and (not body or body.lstrip()[:9].lower() == b"<!doctype")
    if unknown and call is not None:
        raise unknown_operation(call, f"{environ['REQUEST_METHOD']} {environ.get('PATH_INFO')}")
    start_response(seen["status"], seen["headers"])
    return [body]


def unknown_operation(call: Call | None, what: str) -> Refusal:
    if call is not None and call.protocol in ("ec2", "query"):
        return Refusal(400, "InvalidAction", f"The action is not valid for this web service: {what}")
    return Refusal(400, "UnknownOperationException", f"The operation is not known: {what}")


def call_of(environ: dict) -> Call | None:
    """Who calls what; `None` for a call without a signature."""
    from demo.emulator.sts import account_of

    match = CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", ""))
    if match is None:
        return None
    key, region, service = match.groups()
    account = account_of(key)
    target = environ.get("HTTP_X_AMZ_TARGET")
    if target:
        return Call(account, region, service, target.rsplit(".", 1)[-1], "json")
    form = form_of(environ)
    if "Action" in form:
        if form["Action"] == "AssumeRole" and account is not None:
            account = form.get("RoleArn", "::::").split(":")[4] or account
        return Call(account, region, service, form["Action"], "ec2" if service == "ec2" else "query")
    return Call(account, region, service, rest_action(service, environ), "rest")


def form_of(environ: dict) -> dict[str, str]:
    if not environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        return {}
    length = int(environ.get("CONTENT_LENGTH") or 0)
    if not 0 < length <= FORM_BYTES_MAX:
        return {}
    body = environ["wsgi.input"].read(length)
    environ["wsgi.input"] = io.BytesIO(body)
    return dict(urllib.parse.parse_qsl(body.decode(errors="replace"), keep_blank_values=True))


def rest_action(service: str, environ: dict) -> str:
    """The operation of a REST call, from AWS' own service model; its method and path where that does not know it."""
    from moto.core.request import Request
    from moto.core.routing import get_service_router

    try:
        operation, _ = get_service_router(service).match(Request(environ, populate_request=False))
        return operation.name
    except Exception:  # an unknown service or path: moto itself will say so
        return f"{environ['REQUEST_METHOD']} {environ.get('PATH_INFO', '')}"


def admit(call: Call) -> None:
    """Counts the call; raises when it is to be refused."""
    if call.account is None:
        raise Refusal(403, unknown_key(call), "The security token included in the request is invalid.")
    with LOCK:
        CALLS[f"{call.account} {call.region} {call.service} {call.action}"] += 1
        delay_ms = sum(rule["ms"] for rule in FAULTS.slow if call.fits(rule))
        denied = any(call.fits(rule) for rule in FAULTS.deny)
        expired = any(call.fits(rule) for rule in FAULTS.expired)
        throttled = any([turn(rule) for rule in FAULTS.throttle if call.fits(rule)])
        failing = next((rule for rule in FAULTS.fail if call.fits(rule) and rule.get("times", 1) > 0), None)
        if failing is not None:
            failing["times"] = failing.get("times", 1) - 1
    time.sleep(delay_ms / 1000)
    if expired:
        code = "RequestExpired" if call.protocol == "ec2" else "ExpiredTokenException"
        raise Refusal(400, "ExpiredToken" if call.protocol == "query" else code, "The security token has expired.")
    if denied:
        raise denial(call)
    if throttled:
        raise throttling(call)
    if failing is not None:
        raise Refusal(
            500, "InternalError" if call.protocol == "ec2" else "InternalFailure", "A fault switch failed this call."
        )


def turn(rule: dict) -> bool:
    """Whether it is this call's turn to be throttled: every n-th, counted in the rule itself."""
    rule["seen"] = rule.get("seen", 0) + 1
    return rule["seen"] % max(1, rule.get("every", 1)) == 0


def denial(call: Call) -> Refusal:
    message = f"User is not authorized to perform: {call.service}:{call.action}"
    if call.protocol == "ec2":
        return Refusal(403, "UnauthorizedOperation", message)
    if call.protocol == "query":
        return Refusal(403, "AccessDenied", message)
    return Refusal(403 if call.protocol == "rest" else 400, "AccessDeniedException", message)


def throttling(call: Call) -> Refusal:
    if call.protocol == "ec2":
        return Refusal(503, "RequestLimitExceeded", "Request limit exceeded.")
    if call.service == "lambda":
        return Refusal(429, "TooManyRequestsException", "Rate exceeded")
    return Refusal(400, "Throttling" if call.protocol == "query" else "ThrottlingException", "Rate exceeded")


def unknown_key(call: Call) -> str:
    if call.protocol == "ec2":
        return "AuthFailure"
    return "InvalidClientTokenId" if call.protocol == "query" else "UnrecognizedClientException"


def refuse(refusal: Refusal, call: Call | None, start_response):
    """The error in the form of the call's protocol (AWS' JSON, Query and EC2 protocols)."""
    code, message = refusal.code, refusal.message
    headers = [("x-amzn-requestid", "00000000-0000-0000-0000-000000000000")]
    if call is not None and call.protocol in ("ec2", "query"):
        from xml.sax.saxutils import escape

        error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
        body = f"<ErrorResponse>{error}<RequestId>0</RequestId></ErrorResponse>"
        if call.protocol == "ec2":
            body = f"<Response><Errors>{error}</Errors><RequestID>0</RequestID></Response>"
        headers.append(("Content-Type", "text/xml"))
    else:
        body = json.dumps({"__type": code, "message": message, "Message": message})
        headers += [("Content-Type", "application/x-amz-json-1.1"), ("x-amzn-errortype", code)]
    start_response(f"{refusal.status} Refused", headers + [("Content-Length", str(len(body.encode())))])
    return [body.encode()]


def answer_own(options: Options, environ: dict, start_response):
    """The emulator's own paths, below `/muster/`."""
    from demo.emulator import ecr, lambda_, ssm

    method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"].removeprefix("/muster/")
    kind, _, rest = path.partition("/")
    try:
        match method, kind:
            case _, "faults":
                answer = change_faults(method, environ)
            case "GET", "calls":
                answer = dict(sorted(CALLS.items()))
            case "DELETE", "calls":
                CALLS.clear()
                answer = {}
            case "POST", "ssm":
                answer = ssm.register(json.loads(body_of(environ)))
            case "GET", "layers":
                answer = ecr.layer(options, rest)
            case "GET", "functions":
                answer = lambda_.function_code(*rest.split("/"))
            case "GET", "layer-versions":
                answer = lambda_.layer_code(*rest.split("/"))
            case _:
                raise LookupError(path)
    except urllib.error.HTTPError as refused:
        start_response(f"{refused.code} Refused", [("Content-Type", "text/plain")])
        return [str(refused).encode()]
    except Exception as fault:  # whatever is wrong with the request: the tests want to read it
        status = "404 Not Found" if isinstance(fault, LookupError) else "400 Bad Request"
        start_response(status, [("Content-Type", "text/plain")])
        return [repr(fault).encode()]
    if not isinstance(answer, bytes):
        answer = json.dumps(answer, indent=1).encode()
    start_response("200 OK", [("Content-Length", str(len(answer))), ("Content-Type", "application/octet-stream")])
    return [answer]


def body_of(environ: dict) -> bytes:
    return environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))


def change_faults(method: str, environ: dict) -> dict:
    if method in ("POST", "DELETE"):
        fresh = Faults(**(json.loads(body_of(environ)) if method == "POST" else {}))
        with LOCK:
            FAULTS.__dict__.update(fresh.__dict__)
    return FAULTS.__dict__
