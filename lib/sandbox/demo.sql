-- What the demo does to the shop's tables in the storefront's and the admin's place, and what it reads to tell the story.

-- name: cards_issued
-- Every stored card, to be issued by the simulated PG.
SELECT card_id, billing_key, customer_key FROM card ORDER BY card_id;

-- name: item_to_cancel
-- One of several items of a round that was announced today.
SELECT r.subscription_id, i.item_id, i.product_name FROM billing_round r
JOIN billing_round_item i ON i.round_id = r.round_id
WHERE r.state = 'due' AND r.announced_on = :today AND i.excluded_reason IS NULL
  AND (SELECT COUNT(*) FROM billing_round_item o WHERE o.round_id = r.round_id AND o.excluded_reason IS NULL) > 1
ORDER BY r.round_id, i.item_id LIMIT 1;

-- name: subscription_to_cancel
-- The last subscription that was announced today.
SELECT subscription_id FROM billing_round WHERE state = 'due' AND announced_on = :today
ORDER BY round_id DESC LIMIT 1;

-- name: member_cancels_item
-- The member cancels one item on the shop's page.
UPDATE subscription_item SET subscription_state = 'M', terminated_date = :at WHERE subscription_item_id = :item_id;

-- name: member_cancels_items
-- The member cancels whatever is left of an application.
UPDATE subscription_item SET subscription_state = 'M', terminated_date = :at
WHERE subscription_id = :subscription_id AND subscription_state IN ('U', 'B', 'Q');

-- name: member_cancels_subscription
-- The application itself ends with its items.
UPDATE subscription SET subscription_state = 'C', terminated_date = :at WHERE subscription_id = :subscription_id;

-- name: rounds_to_charge
-- The rounds that the next run charges for the first time, with the card they go to.
SELECT r.subscription_id, r.delivery_on, r.amount_krw, c.billing_key FROM billing_round r
JOIN subscription s ON s.subscription_id = r.subscription_id AND s.subscription_state = 'U'
JOIN card c ON c.card_id = s.card_id
WHERE r.state = 'due' AND r.charge_on <= :today AND r.amount_krw > 0
  AND NOT EXISTS (SELECT 1 FROM payment_attempt a WHERE a.round_id = r.round_id)
ORDER BY r.round_id;

-- name: dead_main_card
-- A round that waits for a new card, for its main one can never be charged again.
SELECT s.subscription_id, s.member_id, c.card_id, c.pg_code, c.customer_key FROM billing_round r
JOIN payment_attempt a ON a.round_id = r.round_id AND a.decline = 'hard'
JOIN subscription s ON s.subscription_id = r.subscription_id AND s.card_id = a.card_id
JOIN card c ON c.card_id = s.card_id
WHERE r.state = 'due' ORDER BY r.round_id LIMIT 1;

-- name: store_card
-- The storefront stores the card that a member has just registered.
INSERT INTO card (member_id, pg_code, billing_key, customer_key, card_company, masked_number, registered_at)
VALUES (:member_id, :pg_code, :billing_key, :customer_key, :card_company, :masked_number, :at);

-- name: use_new_card
-- The member's applications go over to the card registered last.
UPDATE subscription SET card_id = (SELECT MAX(card_id) FROM card WHERE billing_key = :billing_key)
WHERE card_id = :old_card_id;

-- name: end_contract
-- The admin page ends the contract with a PG because the shop changes to another.
UPDATE pg_contract SET state = 'terminated', terminated_at = :at, termination = 'changed'
WHERE pg_code = :pg_code AND state = 'in_use';

-- name: begin_contract
-- The admin page records the contract with the next PG.
INSERT INTO pg_contract (pg_code, merchant_id, state, applied_at, in_use_at)
VALUES (:pg_code, :merchant_id, 'in_use', :at, :at);

-- name: apply_for_service
-- The subscription service is applied for at the next PG.
INSERT INTO subscription_service (pg_code, state, applied_at) VALUES (:pg_code, 'applied', :at);

-- name: rounds_by_state
-- The rounds and their sums by state.
SELECT state, COUNT(*) AS rounds, SUM(amount_krw) AS amount_krw FROM billing_round GROUP BY state;

-- name: approvals_recorded
-- Our ledger of approvals.
SELECT tid, order_no, amount_krw, source FROM payment WHERE kind = 'approve';

-- name: orders_written
-- The orders that the jobs wrote for the shop.
SELECT COUNT(*) AS orders FROM billing_round r JOIN orders o ON o.order_id = r.order_id
WHERE r.written_at IS NOT NULL;

-- name: attempts_open
-- Attempts whose end is not known.
SELECT order_no FROM payment_attempt WHERE state IN ('sending', 'unknown', 'in_doubt');

-- name: credits_moved
-- What was debited and refunded, by channel.
SELECT channel, kind, SUM(units) AS units FROM credit_entry GROUP BY channel, kind;

-- name: credits_left
-- The balances in the shop.
SELECT channel, balance FROM message_credit;

-- name: messages_accepted
-- What was handed over, by channel.
SELECT channel, COUNT(*) AS messages FROM message WHERE state = 'accepted' GROUP BY channel;

-- name: sample_mails
-- The first mail to a customer of each kind.
SELECT kind, MIN(message_id) AS message_id FROM message
WHERE channel = 'mail' AND recipient = 'customer' AND state = 'accepted' GROUP BY kind ORDER BY MIN(message_id);
