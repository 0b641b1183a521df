-- What is behind is read from the index alone: ten thousand resources lie in as many places of the table.
DROP INDEX resource_match_inventory;
CREATE INDEX resource_match_inventory ON resource_match (inventory, gone, epoch, resource);
