"""ECR: the layers lie in a real registry on loopback; moto keeps the repositories, tags and manifests.

Manifests get the digest that they have (moto invents one), endpoints lead to the loopback registry, and a layer
can be downloaded without credentials from a URL of the emulator, as from AWS' presigned ones.
"""

import base64
import hashlib
import json
import urllib.request
from datetime import datetime, timedelta, UTC

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.ecr.models import Image, Repository
from moto.ecr.responses import ECRResponse

from demo.emulator import Options
from demo.emulator.paging import BadToken, page, size

#: AWS' word for how long a registry password is good.
TOKEN_LIFE = timedelta(hours=12)
#: Most results of one page (ECR API, `maxResults`).
PAGE_MAX = 1000
PAGE_DEFAULT = 100


class EcrError(ServiceException):
    """An ECR error in AWS' form."""


def install(options: Options) -> None:
    Image._create_digest = create_digest
    Image.get_image_size_in_bytes = size_in_bytes
    ECRResponse.describe_images = describe_images
    ECRResponse.describe_repositories = describe_repositories
    if not options.registry:
        return

    moto_init = Repository.__init__

    def init(self, *arguments, **named) -> None:
        moto_init(self, *arguments, **named)
        self.uri = f"{options.registry}/{self.name}"

    def get_authorization_token(self) -> ActionResult:
        token = base64.b64encode(f"AWS:{options.registry_password}".encode()).decode()
        endpoint = {
            "authorizationToken": token,
            "expiresAt": datetime.now(UTC) + TOKEN_LIFE,
            "proxyEndpoint": f"http://{options.registry}",
        }
        return ActionResult({"authorizationData": [endpoint]})

    def get_download_url_for_layer(self) -> ActionResult:
        name, digest = self._get_param("repositoryName"), self._get_param("layerDigest")
        self.ecr_backend._get_repository(name, self._get_param("registryId"))
        return ActionResult({"downloadUrl": f"{options.url}/muster/layers/{name}@{digest}", "layerDigest": digest})

    Repository.__init__ = init
    ECRResponse.get_authorization_token = get_authorization_token
    ECRResponse.get_download_url_for_layer = get_download_url_for_layer


def create_digest(self) -> None:
    self._image_digest = "sha256:" + hashlib.sha256(self.image_manifest.encode()).hexdigest()


def size_in_bytes(self) -> int | None:
    """All layers, compressed, as ECR counts; an index has none of its own."""
    layers = json.loads(self.image_manifest).get("layers")
    return sum(layer["size"] for layer in layers) if layers is not None else None


def describe_images(self) -> ActionResult:
    name, registry = self._get_param("repositoryName"), self._get_param("registryId")
    images = list(self.ecr_backend.describe_images(name, registry, self._get_param("imageIds")))
    status = (self._get_param("filter") or {}).get("tagStatus", "ANY")
    if status != "ANY":
        images = [image for image in images if bool(image.image_tags) == (status == "TAGGED")]
    details = [
        {
            "registryId": image.registry_id,
            "repositoryName": image.repository_name,
            "imageDigest": image.get_image_digest(),
            "imageManifestMediaType": image.image_manifest_media_type,
            "artifactMediaType": json.loads(image.image_manifest).get("config", {}).get("mediaType"),
            "imagePushedAt": image.image_pushed_at,
            "imageSizeInBytes": image.get_image_size_in_bytes(),
        }
        | ({"imageTags": image.image_tags} if image.image_tags else {})
        for image in images
    ]
    return paged(self, "imageDetails", [{k: v for k, v in detail.items() if v is not None} for detail in details])


def describe_repositories(self) -> ActionResult:
    repositories = self.ecr_backend.describe_repositories(
        repository_names=self._get_param("repositoryNames"), registry_id=self._get_param("registryId")
    )
    return paged(self, "repositories", repositories)


def paged(self, name: str, items: list) -> ActionResult:
    try:
        most = size(self._get_param("maxResults"), PAGE_DEFAULT, PAGE_MAX)
        items, token = page(items, self._get_param("nextToken"), most)
    except BadToken as bad:
        raise EcrError("InvalidParameterException", "Invalid parameter at 'nextToken'.") from bad
    return ActionResult({name: items} | ({"nextToken": token} if token else {}))


def layer(options: Options, path: str) -> bytes:
    """A layer by `REPOSITORY@DIGEST` out of the registry. Raises `urllib.error.HTTPError` as the registry answers."""
    name, _, digest = path.partition("@")
    request = urllib.request.Request(f"http://{options.registry}/v2/{name}/blobs/{digest}")
    credentials = base64.b64encode(f"AWS:{options.registry_password}".encode()).decode()
    request.add_header("Authorization", f"Basic {credentials}")
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.read()
