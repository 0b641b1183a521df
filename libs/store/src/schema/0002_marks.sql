-- A new advisory costs what it touches: the inventories behind are marked, and no match moves.

-- The versions that a delta is about, as keys; empty is open.
ALTER TABLE epoch_delta ADD COLUMN version_from {bytes};
ALTER TABLE epoch_delta ADD COLUMN version_to {bytes};

-- Inventories whose matches by epochs before this one count no more.
CREATE TABLE inventory_behind (
    inventory {text} NOT NULL PRIMARY KEY,
    epoch BIGINT NOT NULL
);

-- One row: up to which epoch what is touched is marked, and which is being marked.
CREATE TABLE marked_epoch (
    single BIGINT NOT NULL PRIMARY KEY, -- 1
    begun BIGINT NOT NULL,
    done BIGINT NOT NULL
);

DROP TABLE advancing_inventory;
DROP INDEX resource_match_epoch;
DROP INDEX verdict_cache_epoch;
CREATE INDEX resource_match_inventory ON resource_match (inventory, epoch);

-- The inventory stands in the index, so that a range scan never leaves it.
DROP INDEX inventory_package_name;
CREATE INDEX inventory_package_name ON inventory_package (ecosystem, name, version_key, inventory);
