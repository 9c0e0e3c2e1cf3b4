-- The contract views over the standard shop's tables: what the jobs read. docs/shop-contract.md gives each column.
-- {shop} is the shop's schema. SQL SECURITY INVOKER: a job sees what its own user may see, and can EXPLAIN it.

CREATE OR REPLACE SQL SECURITY INVOKER VIEW v_shop AS
SELECT shop_no, shop_name, operator_email, sender_email, sender_phone, homepage_url,
       new_product_manager = 'T' AS is_ready
FROM {shop}shop;

CREATE OR REPLACE SQL SECURITY INVOKER VIEW v_pg_contract AS
SELECT pg_contract_no, pg_code, merchant_id, state, in_use_at, terminated_at, termination
FROM {shop}pg_contract;

CREATE OR REPLACE SQL SECURITY INVOKER VIEW v_service AS
SELECT pg_code, state, in_use_at, reset_at
FROM {shop}subscription_service;

CREATE OR REPLACE SQL SECURITY INVOKER VIEW v_switch AS
SELECT SUBSTR(type_code, 14) AS kind, 'customer' AS recipient, 'mail' AS channel, use_customer = 'T' AS is_on
FROM {shop}automail_setting WHERE type_code LIKE 'subscription!_%' ESCAPE '!'
UNION ALL
SELECT SUBSTR(type_code, 14), 'operator', 'mail', use_admin = 'T'
FROM {shop}automail_setting WHERE type_code LIKE 'subscription!_%' ESCAPE '!'
UNION ALL
SELECT SUBSTR(type_code, 14), 'customer', 'sms', use_customer = 'T'
FROM {shop}automessage_setting WHERE type_code LIKE 'subscription!_%' ESCAPE '!';

CREATE OR REPLACE SQL SECURITY INVOKER VIEW v_credit AS
SELECT channel, balance
FROM {shop}message_credit;

CREATE OR REPLACE SQL SECURITY INVOKER VIEW v_product AS
SELECT product_no, product_code, product_name, price,
       CASE WHEN product_type = 'B' THEN 'set_product' WHEN one_plus_n = 'T' THEN 'one_plus_n' END AS excluded_reason,
       selling = 'T' AND display = 'T' AND deleted_at IS NULL AS is_on_sale,
       sold_out = 'T' AS is_sold_out, stock_quantity
FROM {shop}product;

CREATE OR REPLACE SQL SECURITY INVOKER VIEW v_setting AS
SELECT p.product_no, s.subscription_no AS setting_no,
       s.use_discount = 'T' AS has_discount,
       CASE s.discount_value_unit WHEN 'W' THEN 'won' ELSE 'percent' END AS unit,
       s.related_purchase_quantity = 'T' AS is_per_piece,
       CASE WHEN s.use_order_price_condition = 'T' THEN s.order_price_greater_than END AS threshold,
       s.include_regional_shipping_rate = 'T' AS waives_region_fee
FROM {shop}subscription_setting_product p
JOIN {shop}subscription_setting s ON s.subscription_no = p.subscription_no;

CREATE OR REPLACE SQL SECURITY INVOKER VIEW v_setting_step AS
SELECT subscription_no AS setting_no, delivery_cycle AS from_round, discount_amount AS discount
FROM {shop}subscription_setting_discount;

CREATE OR REPLACE SQL SECURITY INVOKER VIEW v_shipping AS
SELECT base_fee, free_over
FROM {shop}shipping_policy;

CREATE OR REPLACE SQL SECURITY INVOKER VIEW v_region_fee AS
SELECT zipcode_from, zipcode_to, extra_fee
FROM {shop}shipping_region_fee;

CREATE OR REPLACE SQL SECURITY INVOKER VIEW v_card AS
SELECT card_id, member_id, pg_code, billing_key, customer_key, card_company, masked_number, registered_at
FROM {shop}card;

CREATE OR REPLACE SQL SECURITY INVOKER VIEW v_subscription AS
SELECT s.subscription_id, s.member_id, s.subscription_state AS state, s.pg_code, s.card_id, s.backup_card_id,
       s.buyer_name, s.buyer_email, s.buyer_cellphone AS buyer_phone,
       m.name AS member_name, m.email AS member_email, m.cellphone AS member_phone,
       CASE WHEN m.member_id IS NULL OR m.withdrawn_at IS NOT NULL THEN 1 ELSE 0 END AS is_withdrawn,
       s.receiver_name, s.receiver_zipcode, s.receiver_address1, s.receiver_address2,
       s.receiver_cellphone AS receiver_phone, s.shipping_message,
       s.created_date AS created_at, s.terminated_date AS terminated_at, s.terminated_reason
FROM {shop}subscription s
LEFT JOIN {shop}member m ON m.member_id = s.member_id;

CREATE OR REPLACE SQL SECURITY INVOKER VIEW v_item AS
SELECT subscription_item_id AS item_id, subscription_id, product_no, variants_code, product_name, option_value,
       quantity, product_price + option_price AS applied_price, option_price,
       CASE shipping_payment_option WHEN 'F' THEN 'free' WHEN 'C' THEN 'collect' ELSE 'prepaid' END AS shipping,
       subscription_shipments_cycle AS cycle, start_date, subscription_shipments_sequence AS round_no,
       max_delivery_limit AS max_rounds, subscription_state AS state,
       expected_delivery_date AS delivery_on, expected_pay_date AS pay_on, terminated_date AS terminated_at
FROM {shop}subscription_item;

CREATE OR REPLACE SQL SECURITY INVOKER VIEW v_consent AS
SELECT subscription_item_id AS item_id, unit_price, agreed_at
FROM {shop}price_consent;

CREATE OR REPLACE SQL SECURITY INVOKER VIEW v_order AS
SELECT order_id, subscription_id, delivery_date AS delivery_on, sequence AS round_no, payment_amount AS amount_krw,
       pg_code, pg_tid, paid_at
FROM {shop}orders;

CREATE OR REPLACE SQL SECURITY INVOKER VIEW v_order_line AS
SELECT l.order_id, l.line_no, l.subscription_item_id AS item_id, l.sequence AS round_no, l.unit_price, l.quantity,
       o.subscription_id, o.delivery_date AS delivery_on, o.paid_at
FROM {shop}order_item l
JOIN {shop}orders o ON o.order_id = l.order_id;
