-- What must hold at every instant, also between two instructions of a run. Each statement returns what breaks it:
-- no rows, all is well. `ops check --invariants` runs them, and every test that touches money ends with them.

-- name: charged_once
-- No round has two attempts whose approvals exceed their cancels.
SELECT a.round_id, COUNT(*) AS attempts FROM payment_attempt a
JOIN (SELECT order_no FROM payment GROUP BY order_no
      HAVING SUM(CASE WHEN kind = 'approve' THEN amount_krw ELSE -amount_krw END) > 0) p ON p.order_no = a.order_no
GROUP BY a.round_id HAVING COUNT(*) > 1;

-- name: approved_is_paid
-- A round with an approved attempt is paid, or held for a person.
SELECT r.round_id, r.state, a.order_no FROM payment_attempt a
JOIN (SELECT order_no FROM payment GROUP BY order_no
      HAVING SUM(CASE WHEN kind = 'approve' THEN amount_krw ELSE -amount_krw END) > 0) p ON p.order_no = a.order_no
JOIN billing_round r ON r.round_id = a.round_id
WHERE r.state NOT IN ('paid', 'held');

-- name: paid_is_approved
-- A paid round has an approved attempt, or costs nothing, or an operator recorded its cancel.
SELECT r.round_id, r.order_id FROM billing_round r
WHERE r.state = 'paid' AND r.amount_krw > 0
  AND NOT EXISTS (
    SELECT 1 FROM payment_attempt a JOIN payment p ON p.order_no = a.order_no
    WHERE a.round_id = r.round_id GROUP BY p.order_no
    HAVING SUM(CASE WHEN p.kind = 'approve' THEN p.amount_krw ELSE -p.amount_krw END) > 0)
  AND NOT EXISTS (
    SELECT 1 FROM payment_attempt a JOIN payment p ON p.order_no = a.order_no
    WHERE a.round_id = r.round_id AND p.kind = 'cancel' AND p.source = 'operator');

-- name: amount_is_sealed
-- What was approved is what was sealed, unless the round is held.
SELECT r.round_id, r.amount_krw, p.approved_krw FROM billing_round r
JOIN payment_attempt a ON a.round_id = r.round_id
JOIN (SELECT order_no, MAX(CASE WHEN kind = 'approve' THEN amount_krw END) AS approved_krw FROM payment
      GROUP BY order_no
      HAVING SUM(CASE WHEN kind = 'approve' THEN amount_krw ELSE -amount_krw END) > 0) p ON p.order_no = a.order_no
WHERE r.state <> 'held' AND p.approved_krw <> r.amount_krw;

-- name: announced_before
-- Every attempt was sent on a later day than the one on which its round was announced.
SELECT r.round_id, r.announced_on, a.sent_on FROM payment_attempt a JOIN billing_round r ON r.round_id = a.round_id
WHERE r.announced_on IS NULL OR r.announced_on >= a.sent_on;

-- name: one_open_attempt
-- A round has at most one attempt whose end is not known.
SELECT round_id, COUNT(*) AS attempts FROM payment_attempt
WHERE state IN ('sending', 'unknown', 'in_doubt') GROUP BY round_id HAVING COUNT(*) > 1;

-- name: new_number_after_proof
-- An attempt follows another only where that one was declined, not sent or not charged.
SELECT b.round_id, a.order_no, a.state FROM payment_attempt a
JOIN payment_attempt b ON b.round_id = a.round_id AND b.attempt_no > a.attempt_no
WHERE a.state NOT IN ('declined', 'not_sent', 'not_charged');

-- name: item_in_one_round
-- An item stands in at most one open round; one that closed before and is held for late money let go of its items.
SELECT i.item_id, COUNT(*) AS rounds FROM billing_round_item i JOIN billing_round r ON r.round_id = i.round_id
WHERE i.released_at IS NULL
  AND (r.state IN ('sealed', 'due', 'charging', 'in_doubt', 'held') OR (r.state = 'paid' AND r.written_at IS NULL))
GROUP BY i.item_id HAVING COUNT(*) > 1;

-- name: debited_once
-- Every accepted or unknown message that costs credits was debited by as many.
SELECT m.message_id, m.state, m.units FROM message m
LEFT JOIN credit_entry d ON d.message_id = m.message_id AND d.kind = 'debit'
WHERE m.state IN ('accepted', 'unknown') AND m.units > 0 AND (d.units IS NULL OR d.units <> m.units);

-- name: refunded_rightly
-- A refund has its debit, and stands only with a refused or expired message.
SELECT f.message_id, m.state FROM credit_entry f
LEFT JOIN message m ON m.message_id = f.message_id
LEFT JOIN credit_entry d ON d.message_id = f.message_id AND d.kind = 'debit'
WHERE f.kind = 'refund' AND (m.state IS NULL OR m.state NOT IN ('refused', 'expired') OR d.units IS NULL OR d.units <> f.units);

-- name: refunded_at_all
-- A refused or expired message that was debited has its credits back.
SELECT m.message_id, m.state FROM message m
JOIN credit_entry d ON d.message_id = m.message_id AND d.kind = 'debit'
LEFT JOIN credit_entry f ON f.message_id = m.message_id AND f.kind = 'refund'
WHERE m.state IN ('refused', 'expired') AND f.message_id IS NULL;

-- name: written_is_ordered
-- Every paid and written round has its order in the shop.
SELECT r.round_id, r.order_id FROM billing_round r
WHERE r.state = 'paid' AND r.written_at IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM v_order o WHERE o.order_id = r.order_id);

-- name: ordered_is_written
-- No order of ours is in the shop without a paid and written round.
SELECT o.order_id FROM v_order o JOIN payment_attempt a ON a.order_no = o.order_id
JOIN billing_round r ON r.round_id = a.round_id
WHERE r.written_at IS NULL OR r.state NOT IN ('paid', 'held') OR r.order_id <> a.order_no;

-- name: reset_left_no_card
-- After a reset no card of its PG that was registered up to the event is left.
SELECT p.reset_id, c.card_id FROM pg_reset p JOIN v_card c ON c.pg_code = p.pg_code
WHERE p.state = 'done' AND c.registered_at <= p.event_local;

-- name: reset_left_no_subscription
-- After a reset no subscription that it concerns is left.
SELECT p.reset_id, s.subscription_id FROM pg_reset p JOIN v_subscription s ON s.pg_code = p.pg_code
WHERE p.state = 'done' AND s.state <> 'C' AND s.created_at <= p.event_local
  AND NOT EXISTS (SELECT 1 FROM v_card c WHERE c.card_id = s.card_id AND c.registered_at > p.event_local)
  AND NOT EXISTS (SELECT 1 FROM pg_reset_kept k WHERE k.reset_id = p.reset_id AND k.subscription_id = s.subscription_id);

-- name: reset_left_no_attempt
-- After a reset nothing that its PG was sent before is still under way.
SELECT p.reset_id, a.order_no FROM pg_reset p JOIN payment_attempt a ON a.pg_code = p.pg_code
WHERE p.state = 'done' AND a.state IN ('sending', 'unknown') AND a.sent_at <= p.opened_at;

-- name: charging_is_open
-- A round being charged has an attempt whose end is not known.
SELECT r.round_id FROM billing_round r
WHERE r.state = 'charging' AND NOT EXISTS (
  SELECT 1 FROM payment_attempt a WHERE a.round_id = r.round_id AND a.state IN ('sending', 'unknown'));
