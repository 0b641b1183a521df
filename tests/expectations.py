"""What is known to be in the demo fleet: the software is real and so are the advisories' facts."""

from demo.fleet import Fleet

#: (name in the fleet, vulnerability): must be found.
AFFECTED = [
    # Debian 12.0, never updated: fixed since.
    ("batch", "CVE-2023-4911"),
    ("batch", "CVE-2023-5363"),
    ("batch", "CVE-2023-38545"),
    ("batch", "CVE-2023-4863"),
    ("batch", "CVE-2024-6387"),
    # Without a fix in Debian 12, wherever zlib is.
    ("web", "CVE-2023-45853"),
    ("batch", "CVE-2023-45853"),
    ("ledger", "CVE-2023-45853"),
    ("1.0", "CVE-2023-45853"),
    ("arm64", "CVE-2023-45853"),
    # Python packages of the image, by their metadata in site-packages.
    ("1.0", "CVE-2018-18074"),
    ("1.0", "CVE-2019-11324"),
    ("1.0", "CVE-2019-10906"),
    ("1.0", "CVE-2023-4863"),
    ("1.1", "CVE-2018-18074"),
    # The very last version without the fix.
    ("arm64", "CVE-2023-45803"),
    ("billing-report", "CVE-2023-45803"),
    # npm packages.
    ("1.0", "CVE-2020-11023"),
    ("1.1", "CVE-2019-10744"),
    ("thumbnails", "CVE-2019-10744"),
    ("thumbnails", "CVE-2021-44906"),
    # A function's own code, and its layer.
    ("orders-api", "CVE-2018-18074"),
    ("orders-api", "CVE-2019-10906"),
    ("orders-api", "CVE-2019-14806"),
]

#: Must not be found, and why one could think so.
NOT_AFFECTED = [
    ("web", "CVE-2023-4911", "fixed in every Debian 12 that still gets updates"),
    ("ledger", "CVE-2023-5363", "the same"),
    ("1.0", "CVE-2019-14806", "a later layer takes Werkzeug away"),
    ("1.1", "CVE-2019-10906", "a later layer brings a newer Jinja2"),
    ("arm64", "CVE-2023-43804", "1.26.17 is the first good version"),
    ("billing-report", "CVE-2023-43804", "1.26.17 is the first good version"),
    ("arm64", "CVE-2018-18074", "a newer Requests"),
    ("thumbnails", "CVE-2020-11023", "no jQuery in it"),
]


def affected(fleet: Fleet) -> set[tuple[str, str]]:
    """(resource id, vulnerability id) of all that must be found."""
    return {(fleet.resource_id(name), vulnerability) for name, vulnerability in AFFECTED}


def not_affected(fleet: Fleet) -> set[tuple[str, str]]:
    """The same of all that must not."""
    return {(fleet.resource_id(name), vulnerability) for name, vulnerability, _ in NOT_AFFECTED}


def osv(identity: str, ecosystem: str, package: str, fixed: str) -> dict:
    """An advisory that nobody has heard of yet."""
    return {
        "schema_version": "1.7.0",
        "id": identity,
        "published": "2026-11-24T00:00:00Z",
        "modified": "2026-11-24T00:00:00Z",
        "summary": "A weakness that became known while the scenario ran",
        "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
        "affected": [
            {
                "package": {"ecosystem": ecosystem, "name": package},
                "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": fixed}]}],
            }
        ],
    }
