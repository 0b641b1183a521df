"""Lambda: the code of functions and layers can be downloaded from the emulator, layers are found by ARN,
ListFunctions has pages, and times are written as Lambda writes them."""

import json
from datetime import datetime

from moto.awslambda.models import LambdaFunction, LayerVersion, lambda_backends
from moto.awslambda.responses import LambdaResponse

from demo.emulator import Options
from demo.emulator.paging import BadToken, page, size

#: ListFunctions' own maximum (Lambda API, `MaxItems`: "returns a maximum of 50 items in each response").
PAGE_MAX = 50


def install(options: Options) -> None:
    moto_code, moto_layer = LambdaFunction.get_code, LayerVersion.get_layer_version
    moto_configuration = LambdaFunction.get_configuration

    def get_configuration(self, on_create: bool = False) -> dict:
        answer = moto_configuration(self, on_create)
        moment = datetime.fromisoformat(answer["LastModified"].removesuffix("Z")[:26])
        return answer | {"LastModified": moment.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"}

    def get_code(self) -> dict:
        answer = moto_code(self)
        if "S3Key" in self.code:
            place = f"{self.account_id}/{self.region}/{self.function_name}"
            answer["Code"]["Location"] = f"{options.url}/muster/functions/{place}?code={self.code['S3Key']}"
        return answer

    def get_layer_version(self) -> dict:
        answer = moto_layer(self)
        place = f"{self.account_id}/{self.region}/{self.name}/{self.version}"
        answer["Content"]["Location"] = f"{options.url}/muster/layer-versions/{place}"
        return answer

    LambdaFunction.get_configuration = get_configuration
    LambdaFunction.get_code = get_code
    LayerVersion.get_layer_version = get_layer_version
    LambdaResponse.list_functions = list_functions
    LambdaResponse.get_layer_version_by_arn = get_layer_version_by_arn


def list_functions(self):
    value = lambda name: self.querystring.get(name, [None])[0]  # noqa: E731
    functions = [f.get_configuration() for f in self.backend.list_functions(value("FunctionVersion"))]
    try:
        functions, marker = page(functions, value("Marker"), size(value("MaxItems"), PAGE_MAX, PAGE_MAX))
    except BadToken:
        body = {"Type": "User", "message": "Invalid Marker."}
        return 400, {"status": 400, "x-amzn-errortype": "InvalidParameterValueException"}, json.dumps(body)
    return json.dumps({"Functions": functions} | ({"NextMarker": marker} if marker else {}))


def get_layer_version_by_arn(self):
    arn = self._get_param("Arn")
    _, _, _, region, account, _, name, version = (arn.split(":") + [""] * 8)[:8]
    return json.dumps(lambda_backends[account][region].get_layer_version(name, version).get_layer_version())


def function_code(account: str, region: str, name: str) -> bytes:
    """The zip of a function's `$LATEST`. Raises moto's own error when the function is not there."""
    return lambda_backends[account][region].get_function(name).code_bytes


def layer_code(account: str, region: str, name: str, version: str) -> bytes:
    """The zip of a layer version. Raises moto's own error when it is not there."""
    return lambda_backends[account][region].get_layer_version(name, version).code_bytes
