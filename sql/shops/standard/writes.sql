-- The write statements of the standard shop: all that the jobs change in the shop's tables. A repeat changes 0 rows or
-- is a duplicate key; debit_credit, refund_credit, take_stock and log stand only in the transaction of a statement or
-- compare-and-set that does. Times are the shop's local time.

-- name: debit_credit
-- Take credits from a balance; 0 rows: there are not enough.
UPDATE {shop}message_credit SET balance = balance - :units WHERE channel = :channel AND balance >= :units;

-- name: refund_credit
-- Give credits of a definitely refused or expired message back.
UPDATE {shop}message_credit SET balance = balance + :units WHERE channel = :channel;

-- name: move_item
-- Write the date on which a late item is delivered.
UPDATE {shop}subscription_item SET expected_delivery_date = :delivery_on, expected_pay_date = :pay_on
WHERE subscription_item_id = :item_id AND expected_delivery_date = :stored_on AND subscription_state = 'U';

-- name: advance_item
-- Move an item to its next date and round after a round has ended; a dropped one keeps its round number.
UPDATE {shop}subscription_item
SET expected_delivery_date = :delivery_on, expected_pay_date = :pay_on, subscription_shipments_sequence = :round_no
WHERE subscription_item_id = :item_id AND expected_delivery_date = :stored_on
  AND subscription_shipments_sequence = :stored_round_no AND subscription_state IN ('U', 'B', 'Q');

-- name: finish_item
-- End an item whose number of rounds is reached.
UPDATE {shop}subscription_item SET subscription_state = 'A', terminated_date = :at
WHERE subscription_item_id = :item_id AND subscription_state IN ('U', 'B', 'Q');

-- name: finish_subscription
-- End a subscription that has no live item left.
UPDATE {shop}subscription
SET subscription_state = 'C', terminated_date = :at, terminated_reason = 'count_finished'
WHERE subscription_id = :subscription_id AND subscription_state <> 'C' AND NOT EXISTS (
  SELECT 1 FROM {shop}subscription_item i
  WHERE i.subscription_id = :subscription_id AND i.subscription_state IN ('U', 'B', 'Q'));

-- name: write_order
-- Write the shop's order of a paid round; its id is our order number.
INSERT INTO {shop}orders (order_id, subscription_id, delivery_date, sequence, member_id, buyer_name,
  receiver_name, receiver_zipcode, receiver_address1, receiver_address2, receiver_cellphone, shipping_message,
  items_amount, discount_amount, shipping_fee, payment_amount, pg_code, pg_tid, approval_no, paid_at, order_state)
VALUES (:order_id, :subscription_id, :delivery_on, :round_no, :member_id, :buyer_name,
  :receiver_name, :receiver_zipcode, :receiver_address1, :receiver_address2, :receiver_phone, :shipping_message,
  :items_amount, :discount_amount, :shipping_fee, :amount_krw, :pg_code, :tid, :approval_no, :paid_at, 'paid');

-- name: write_order_line
-- Write a line of that order.
INSERT INTO {shop}order_item (order_id, line_no, subscription_item_id, sequence, product_no, variants_code,
  product_name, option_value, quantity, unit_price, amount)
VALUES (:order_id, :line_no, :item_id, :round_no, :product_no, :variants_code,
  :product_name, :option_value, :quantity, :unit_price, :amount);

-- name: take_stock
-- Take the pieces of an order from a product's stock, where it is tracked; it may fall below zero.
UPDATE {shop}product SET stock_quantity = stock_quantity - :quantity
WHERE product_no = :product_no AND stock_quantity IS NOT NULL;

-- name: cancel_subscription
-- End a subscription because its PG was reset.
UPDATE {shop}subscription SET subscription_state = 'C', terminated_date = :at, terminated_reason = 'pg_reset'
WHERE subscription_id = :subscription_id AND subscription_state <> 'C';

-- name: cancel_items
-- End the live items of a subscription that ended.
UPDATE {shop}subscription_item SET subscription_state = 'A', terminated_date = :at
WHERE subscription_id = :subscription_id AND subscription_state IN ('U', 'B', 'Q');

-- name: detach_card
-- Take a card out of the subscriptions that name it.
UPDATE {shop}subscription SET card_id = NULLIF(card_id, :card_id), backup_card_id = NULLIF(backup_card_id, :card_id)
WHERE card_id = :card_id OR backup_card_id = :card_id;

-- name: delete_card
-- Delete a stored card.
DELETE FROM {shop}card WHERE card_id = :card_id;

-- name: reset_service
-- Note that the subscription service of a PG was reset, if it was in use before the event.
UPDATE {shop}subscription_service SET state = 'reset', reset_at = :at
WHERE pg_code = :pg_code AND state = 'in_use' AND COALESCE(in_use_at, applied_at) <= :event_at;

-- name: log
-- Tell the shop's pages what was done to a subscription (업무처리 로그).
INSERT INTO {shop}subscription_log (subscription_id, event, detail, logged_at)
VALUES (:subscription_id, :event, :detail, :at);
