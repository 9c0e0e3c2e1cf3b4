-- The row that says which database, shop and merchants this is.

-- name: find_server
-- The server's own name and port, which a restored copy elsewhere does not share.
SELECT @@hostname AS hostname, @@port AS port;

-- name: find_engines
-- The storage engine of every table in a schema.
SELECT table_name AS table_name, engine AS engine
FROM information_schema.tables WHERE table_schema = COALESCE(:schema_name, DATABASE()) AND table_type = 'BASE TABLE';

-- name: find_installation
-- What was set up here.
SELECT hostname, port, shop_schema, merchant_ids, first_delivery FROM installation WHERE installation_id = 1;

-- name: insert_installation
-- Set up for the first time.
INSERT INTO installation (installation_id, hostname, port, shop_schema, merchant_ids, first_delivery, set_up_at)
VALUES (1, :hostname, :port, :shop_schema, :merchant_ids, :first_delivery, :set_up_at);

-- name: update_installation
-- Set up again: adopted, or with another PG or first delivery.
UPDATE installation
SET hostname = :hostname, port = :port, shop_schema = :shop_schema, merchant_ids = :merchant_ids,
    first_delivery = :first_delivery, set_up_at = :set_up_at
WHERE installation_id = 1;
