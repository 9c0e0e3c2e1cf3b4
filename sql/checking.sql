-- What `ops check` asks the database.

-- name: find_server_state
-- The server's version, the settings that money rests on, its clock and who we are to it.
SELECT VERSION() AS version, @@innodb_flush_log_at_trx_commit AS flush_log, @@read_only AS is_read_only,
  UTC_TIMESTAMP(6) AS at, CURRENT_USER() AS user_name;

-- name: find_foreign_orders
-- Orders paid lately for rounds that are ours to charge, without a round of ours: a second charger is at work.
SELECT o.order_id, o.subscription_id, o.delivery_on FROM v_order o
WHERE o.subscription_id IS NOT NULL AND o.delivery_on >= :first_delivery AND o.paid_at >= :since
  AND NOT EXISTS (
    SELECT 1 FROM billing_round r
    WHERE r.subscription_id = o.subscription_id AND r.delivery_on = o.delivery_on AND r.order_id = o.order_id)
ORDER BY o.order_id LIMIT 5;
