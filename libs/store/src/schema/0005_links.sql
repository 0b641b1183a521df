-- What a topology names that topologies of other accounts and regions may name too, one id a line.
ALTER TABLE topology ADD COLUMN links {text} NOT NULL DEFAULT '';

-- Topologies that are judged together with others: the fingerprint of all of them.
CREATE TABLE linked_topology (
    account {text} NOT NULL,
    region {text} NOT NULL,
    fingerprint {text} NOT NULL,
    PRIMARY KEY (account, region)
);
