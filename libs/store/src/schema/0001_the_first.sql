-- Written by discovery ---------------------------------------------------------------------------------------------

CREATE TABLE resource (
    id {text} NOT NULL PRIMARY KEY,
    account {text} NOT NULL,
    region {text} NOT NULL,
    kind {text} NOT NULL,          -- Inspector's spelling
    fingerprint {text} NOT NULL,
    body {bytes} NOT NULL,         -- domain::Resource
    observed_at BIGINT NOT NULL,   -- when it was first seen as it is
    gone_at BIGINT                 -- since when no sweep sees it
);
CREATE INDEX resource_scope ON resource (account, region, kind, gone_at);
CREATE INDEX resource_gone ON resource (gone_at);

-- What findings are filtered by: `tag:KEY`, `ec2:vpc`, …; an attribute may have several values.
CREATE TABLE resource_attribute (
    resource {text} NOT NULL REFERENCES resource (id) ON DELETE CASCADE,
    name {text} NOT NULL,
    value {text} NOT NULL
);
CREATE INDEX resource_attribute_resource ON resource_attribute (resource, name);
CREATE INDEX resource_attribute_value ON resource_attribute (name, value);

CREATE TABLE topology (
    account {text} NOT NULL,
    region {text} NOT NULL,
    fingerprint {text} NOT NULL,
    body {bytes} NOT NULL,         -- the caller's
    PRIMARY KEY (account, region)
);

CREATE TABLE account_status (
    account {text} NOT NULL,
    region {text} NOT NULL,
    error {text},
    swept_at BIGINT NOT NULL,
    PRIMARY KEY (account, region)
);

-- Written by inventory ---------------------------------------------------------------------------------------------

CREATE TABLE inventory (
    digest {text} NOT NULL PRIMARY KEY,
    packages BIGINT NOT NULL,
    body {bytes} NOT NULL          -- domain::Inventory
);

-- "Who has a version of this package between these two?" is a range scan. One row per name and version as advisories
-- name them (an OS package under its source package).
CREATE TABLE inventory_package (
    inventory {text} NOT NULL REFERENCES inventory (digest) ON DELETE CASCADE,
    ecosystem {text} NOT NULL,
    name {text} NOT NULL,
    version_key {bytes}            -- NULL: the version is not one, so any range may hold it
);
CREATE INDEX inventory_package_name ON inventory_package (ecosystem, name, version_key);
CREATE INDEX inventory_package_inventory ON inventory_package (inventory);

CREATE TABLE scan (
    resource {text} NOT NULL PRIMARY KEY,
    fingerprint {text} NOT NULL,
    inventory {text} REFERENCES inventory (digest),
    reason {text} NOT NULL,        -- Inspector's spelling
    coverage {bytes} NOT NULL      -- domain::Coverage
);
CREATE INDEX scan_inventory ON scan (inventory);

-- Written by advisories --------------------------------------------------------------------------------------------

CREATE TABLE epoch (
    number BIGINT NOT NULL PRIMARY KEY,
    digest {text} NOT NULL,
    built_at BIGINT NOT NULL,
    advisories BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    touches_everything BIGINT NOT NULL -- 1: the names are not known, or not any more
);

CREATE TABLE epoch_chunk (
    epoch BIGINT NOT NULL REFERENCES epoch (number) ON DELETE CASCADE,
    part BIGINT NOT NULL,          -- from 0
    body {bytes} NOT NULL,         -- up to 1 MiB of the file
    PRIMARY KEY (epoch, part)
);

CREATE TABLE epoch_delta (
    epoch BIGINT NOT NULL REFERENCES epoch (number) ON DELETE CASCADE,
    ecosystem {text} NOT NULL,
    name {text} NOT NULL,
    PRIMARY KEY (epoch, ecosystem, name)
);

-- Written by matching ----------------------------------------------------------------------------------------------

CREATE TABLE verdict_set (
    digest {text} NOT NULL PRIMARY KEY,
    gaps {text} NOT NULL,          -- its gaps alone, as JSON, for lists of coverage
    body {bytes} NOT NULL          -- domain::VerdictSet
);

-- Same software is matched once.
CREATE TABLE verdict_cache (
    inventory {text} NOT NULL,
    epoch BIGINT NOT NULL,
    verdicts {text} NOT NULL REFERENCES verdict_set (digest),
    PRIMARY KEY (inventory, epoch)
);
CREATE INDEX verdict_cache_epoch ON verdict_cache (epoch);
CREATE INDEX verdict_cache_verdicts ON verdict_cache (verdicts);

CREATE TABLE resource_match (
    resource {text} NOT NULL PRIMARY KEY,
    inventory {text},
    epoch BIGINT NOT NULL,
    topology {text},
    gone BIGINT NOT NULL,
    verdicts {text} NOT NULL REFERENCES verdict_set (digest),
    exposure {text} NOT NULL,      -- digest of the body
    exposure_body {bytes} NOT NULL -- the caller's
);
CREATE INDEX resource_match_epoch ON resource_match (epoch);
CREATE INDEX resource_match_verdicts ON resource_match (verdicts);

-- The inventories that move on to a new epoch; filled and emptied within one transaction.
CREATE TABLE advancing_inventory (
    inventory {text} NOT NULL PRIMARY KEY
);

-- Written by scoring -----------------------------------------------------------------------------------------------

-- What a finding has not is '' or -1, not NULL: then it sorts and pages like everything else.
CREATE TABLE finding (
    id {text} NOT NULL PRIMARY KEY,
    account {text} NOT NULL,
    region {text} NOT NULL,
    resource {text} NOT NULL,
    resource_kind {text} NOT NULL,
    type {text} NOT NULL,
    status {text} NOT NULL,
    severity BIGINT NOT NULL,      -- 0 untriaged to 5 critical
    score_tenths BIGINT NOT NULL,
    vulnerability {text} NOT NULL,
    title {text} NOT NULL,
    fix_available {text} NOT NULL,
    exploit_available {text} NOT NULL,
    epss_millionths BIGINT NOT NULL,
    protocol {text} NOT NULL,
    port_begin BIGINT NOT NULL,
    port_end BIGINT NOT NULL,
    first_observed_at BIGINT NOT NULL,
    last_observed_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    closed_at BIGINT,
    revision BIGINT NOT NULL,
    body {bytes} NOT NULL          -- domain::Finding
);
CREATE INDEX finding_account ON finding (account, id);
CREATE INDEX finding_resource ON finding (resource);
CREATE INDEX finding_severity ON finding (severity, id);
CREATE INDEX finding_score ON finding (score_tenths, id);
CREATE INDEX finding_vulnerability ON finding (vulnerability, id);
CREATE INDEX finding_updated ON finding (updated_at, id);
CREATE INDEX finding_status ON finding (status, closed_at);

CREATE TABLE finding_package (
    finding {text} NOT NULL REFERENCES finding (id) ON DELETE CASCADE,
    name {text} NOT NULL,
    version {text} NOT NULL
);
CREATE INDEX finding_package_finding ON finding_package (finding);
CREATE INDEX finding_package_name ON finding_package (name, version);

CREATE TABLE finding_component (
    finding {text} NOT NULL REFERENCES finding (id) ON DELETE CASCADE,
    component {text} NOT NULL
);
CREATE INDEX finding_component_finding ON finding_component (finding);

CREATE TABLE scored (
    resource {text} NOT NULL PRIMARY KEY,
    verdicts {text} NOT NULL,
    exposure {text} NOT NULL,
    gone BIGINT NOT NULL
);

-- Written by publishing --------------------------------------------------------------------------------------------

CREATE TABLE publication (
    sink {text} NOT NULL,
    finding {text} NOT NULL REFERENCES finding (id) ON DELETE CASCADE,
    revision BIGINT NOT NULL,      -- the last one that the sink was told
    PRIMARY KEY (sink, finding)
);
CREATE INDEX publication_finding ON publication (finding);

-- Written by each service, its own rows ----------------------------------------------------------------------------

CREATE TABLE outbox (
    sequence {sequence},
    service {text} NOT NULL,
    id {text} NOT NULL,
    subject {text} NOT NULL,
    order_key {text} NOT NULL,
    headers {text} NOT NULL,       -- JSON object of texts
    payload {bytes} NOT NULL,
    UNIQUE (service, id)
);
CREATE INDEX outbox_service ON outbox (service, sequence);
