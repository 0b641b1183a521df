-- How many records an epoch added, changed and took back; NULL: not counted.
ALTER TABLE epoch ADD COLUMN records_added BIGINT;
ALTER TABLE epoch ADD COLUMN records_changed BIGINT;
ALTER TABLE epoch ADD COLUMN records_withdrawn BIGINT;
