-- Reading the shop through the contract views. Keys come as values, so the shop's own collation and index serve them.

-- name: shop_row
-- The shop itself.
SELECT shop_no, shop_name, operator_email, sender_email, sender_phone, homepage_url, is_ready FROM v_shop;

-- name: shop_switches
-- Which automatic mails and messages are switched on; a type without a row is on.
SELECT kind, recipient, channel, is_on FROM v_switch;

-- name: shop_credits
-- The prepaid credits that are left.
SELECT channel, balance FROM v_credit;

-- name: shop_shipping
-- The shop's fee and the sum from which it is waived.
SELECT base_fee, free_over FROM v_shipping;

-- name: shop_region_fees
-- Extra fees by range of zip codes.
SELECT zipcode_from, zipcode_to, extra_fee FROM v_region_fee;

-- name: pgs_in_use
-- The PGs with a contract in use.
SELECT pg_code FROM v_pg_contract WHERE state = 'in_use';

-- name: services_in_use
-- The PGs whose subscription service is in use.
SELECT pg_code FROM v_service WHERE state = 'in_use';

-- name: contracts_ended
-- The newest end of a contract of each PG that ended its cards.
SELECT pg_code, MAX(terminated_at) AS ended_at FROM v_pg_contract
WHERE termination IN ('changed', 'reset') AND terminated_at IS NOT NULL GROUP BY pg_code;

-- name: resets_by_pg
-- The newest reset event of each PG, and whether one is being carried out.
SELECT pg_code, MAX(event_at) AS event_at, MAX(CASE WHEN state = 'done' THEN 0 ELSE 1 END) AS is_open
FROM pg_reset GROUP BY pg_code;

-- name: subscriptions_by_id
-- Subscriptions with their members.
SELECT * FROM v_subscription WHERE subscription_id IN :ids;

-- name: due_items
-- The items in use that are due and in no open round, of some subscriptions.
SELECT i.* FROM v_item i
WHERE i.subscription_id IN :ids AND i.state = 'U' AND i.delivery_on <= :horizon
  AND NOT EXISTS (SELECT 1 FROM billing_round_item b WHERE b.open_item = i.item_id)
ORDER BY i.subscription_id, i.item_id;

-- name: items_by_id
-- Items as they are stored now.
SELECT * FROM v_item WHERE item_id IN :ids;

-- name: products_by_no
-- Products as they are sold now.
SELECT product_no, price, excluded_reason, is_on_sale, is_sold_out, stock_quantity FROM v_product
WHERE product_no IN :ids;

-- name: settings_by_product
-- The discount setting of each product.
SELECT product_no, setting_no, has_discount, unit, is_per_piece, threshold, waives_region_fee FROM v_setting
WHERE product_no IN :ids;

-- name: setting_steps
-- The steps of discount settings.
SELECT setting_no, from_round, discount FROM v_setting_step WHERE setting_no IN :ids;

-- name: consents_by_item
-- What prices the customers agreed to.
SELECT item_id, unit_price, agreed_at FROM v_consent WHERE item_id IN :ids;

-- name: newest_order_lines
-- The newest order line of each item, with its price; of two in the same second the lower.
SELECT item_id, unit_price, paid_at FROM (
  SELECT item_id, unit_price, paid_at, ROW_NUMBER() OVER (PARTITION BY item_id ORDER BY paid_at DESC, unit_price) AS place
  FROM v_order_line WHERE item_id IN :ids) newest
WHERE place = 1;

-- name: order_lines_on
-- The dates from a day on for which items already have an order line.
SELECT item_id, delivery_on, order_id FROM v_order_line WHERE item_id IN :ids AND delivery_on >= :since;

-- name: orders_on
-- The dates from a day on for which subscriptions already have an order.
SELECT subscription_id, delivery_on, order_id FROM v_order WHERE subscription_id IN :ids AND delivery_on >= :since;

-- name: order_by_id
-- One order of the shop.
SELECT order_id, subscription_id, delivery_on FROM v_order WHERE order_id = :order_id;

-- name: cards_by_id
-- Stored cards.
SELECT card_id, member_id, pg_code, billing_key, customer_key, masked_number, registered_at FROM v_card
WHERE card_id IN :ids;
