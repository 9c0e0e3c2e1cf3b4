-- Sealing rounds: what notify_d2 does before a message leaves.

-- name: due_subscriptions
-- A page of subscriptions that have an item in use due until the horizon and in no open round, oldest date first.
SELECT i.delivery_on, i.subscription_id FROM v_item i
JOIN v_subscription s ON s.subscription_id = i.subscription_id
WHERE i.state = 'U' AND s.state = 'U' AND i.delivery_on >= :after_on AND i.delivery_on <= :horizon
  AND (i.delivery_on > :after_on OR i.subscription_id > :after_id)
  AND NOT EXISTS (SELECT 1 FROM billing_round_item b WHERE b.open_item = i.item_id)
GROUP BY i.delivery_on, i.subscription_id
ORDER BY i.delivery_on, i.subscription_id
LIMIT :page;

-- name: rounds_taken
-- The delivery dates from a day on that subscriptions already have a round for, in any state.
SELECT subscription_id, delivery_on FROM billing_round WHERE subscription_id IN :ids AND delivery_on >= :since;

-- name: item_rounds
-- The rounds of items, newest first: how many were missed in a row.
SELECT b.item_id, r.state FROM billing_round_item b JOIN billing_round r ON r.round_id = b.round_id
WHERE b.item_id IN :ids
ORDER BY b.item_id, r.delivery_on DESC;

-- name: insert_round
-- Seal a round: items and amount are fixed from here on.
INSERT INTO billing_round (subscription_id, delivery_on, round_no, items_amount, discount_amount, shipping_fee,
  amount_krw, state, state_reason, pg_code, sealed_at, announced_on, charge_on, charge_until, next_attempt_at)
VALUES (:subscription_id, :delivery_on, :round_no, :items_amount, :discount_amount, :shipping_fee,
  :amount_krw, :state, :state_reason, :pg_code, :sealed_at, :announced_on, :charge_on, :charge_until, :next_attempt_at);

-- name: insert_round_item
-- Seal a line of a round. The unique key on open_item keeps an item out of two open rounds.
INSERT INTO billing_round_item (round_id, item_id, round_no, product_no, variants_code, product_name, option_value,
  quantity, unit_price, agreed_price, price_now, discount_amount, amount, excluded_reason, released_at)
VALUES (:round_id, :item_id, :round_no, :product_no, :variants_code, :product_name, :option_value,
  :quantity, :unit_price, :agreed_price, :price_now, :discount_amount, :amount, :excluded_reason, :released_at);

-- name: round_ids
-- The ids of rounds just sealed.
SELECT round_id, subscription_id, delivery_on FROM billing_round
WHERE subscription_id IN :ids AND delivery_on >= :since;

-- name: unannounced_rounds
-- A page of sealed rounds that nobody was told of: their day may have come, or the customer may have cancelled.
SELECT round_id, subscription_id, delivery_on, state FROM billing_round
WHERE state = 'sealed' AND next_attempt_at IS NULL AND round_id > :after_id
ORDER BY round_id LIMIT :page;

-- name: matters_of_rounds
-- A page of open matters that say why rounds are not sealed or charged.
SELECT matter_id, subject FROM matter WHERE kind IN :kinds AND closed_at IS NULL AND matter_id > :after_id
ORDER BY matter_id LIMIT :page;

-- name: still_unsealed
-- Which of some subscriptions still have an item in use that is due and in no open round.
SELECT DISTINCT i.subscription_id AS subject FROM v_item i
JOIN v_subscription s ON s.subscription_id = i.subscription_id
WHERE i.subscription_id IN :ids AND i.state = 'U' AND s.state = 'U' AND i.delivery_on <= :horizon
  AND NOT EXISTS (SELECT 1 FROM billing_round_item b WHERE b.open_item = i.item_id);

-- name: announced_of
-- Which of some subscriptions have a round that waits for its charge.
SELECT DISTINCT subscription_id AS subject FROM billing_round WHERE state = 'due' AND subscription_id IN :ids;

-- name: announced_through
-- Which of some PGs have a round that waits for its charge.
SELECT DISTINCT pg_code AS subject FROM billing_round WHERE state = 'due' AND pg_code IN :ids;

-- name: unfinished_rounds
-- Which of some rounds are open, or paid and not yet written.
SELECT round_id FROM billing_round
WHERE round_id IN :ids AND (state IN ('sealed', 'due', 'charging', 'in_doubt', 'held') OR (state = 'paid' AND written_at IS NULL));

-- name: approved_without_attempt
-- An approval in a range of order numbers that no attempt of ours led to: a restored database learnt it from the spool.
SELECT p.order_no FROM payment p LEFT JOIN payment_attempt a ON a.order_no = p.order_no
WHERE p.order_no >= :first AND p.order_no <= :last AND a.attempt_id IS NULL
GROUP BY p.order_no
HAVING SUM(CASE WHEN p.kind = 'approve' THEN p.amount_krw ELSE -p.amount_krw END) > 0
ORDER BY p.order_no LIMIT 1;
