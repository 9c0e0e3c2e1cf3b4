-- Carrying out a change or reset of a PG.

-- name: reset_events
-- Ends of contracts that were a change or reset, and what was made of them. A renewed contract is no event.
SELECT c.pg_contract_no, c.pg_code, c.terminated_at, c.termination FROM v_pg_contract c
WHERE c.termination IN ('changed', 'reset') AND c.terminated_at IS NOT NULL
ORDER BY c.terminated_at, c.pg_contract_no;

-- name: resets_known
-- The events that were taken up.
SELECT reset_id, pg_contract_no, pg_code, event_at, state, reason, opened_by, opened_at, counts FROM pg_reset
ORDER BY event_at, reset_id;

-- name: contract_in_use
-- The contract of a PG that is in use, or was last.
SELECT pg_contract_no, state FROM v_pg_contract WHERE pg_code = :pg_code
ORDER BY CASE WHEN state = 'in_use' THEN 0 ELSE 1 END, pg_contract_no DESC LIMIT 1;

-- name: open_reset
-- Take an event up; from here on no charge of this PG starts.
INSERT INTO pg_reset (pg_contract_no, pg_code, event_at, event_local, state, reason, opened_by, opened_at)
VALUES (:pg_contract_no, :pg_code, :event_at, :event_local, 'open', :reason, :opened_by, :at);

-- name: move_reset
-- A step of a reset is done.
UPDATE pg_reset SET state = :to_state, finished_at = :finished_at WHERE reset_id = :reset_id AND state = :from_state;

-- name: count_reset
-- What a finished reset came to.
UPDATE pg_reset SET counts = :counts WHERE reset_id = :reset_id;

-- name: attempts_under_way
-- Attempts of a PG whose worker may still be at it.
SELECT COUNT(*) AS attempts, MAX(lease_until) AS lease_until FROM payment_attempt
WHERE pg_code = :pg_code AND state IN ('sending', 'unknown') AND lease_until >= :real;

-- name: attempts_unsettled
-- A page of attempts of a PG that nothing could be found out about.
SELECT * FROM payment_attempt WHERE pg_code = :pg_code AND state = 'unknown' AND attempt_id > :after_id
ORDER BY attempt_id LIMIT :page;

-- name: newest_unsettled
-- When the newest attempt of a PG was sent that nothing could be found out about.
SELECT MAX(sent_at) AS sent_at FROM payment_attempt WHERE pg_code = :pg_code AND state = 'unknown';

-- name: hasten_checks
-- Ask after every unknown attempt of a PG now.
UPDATE payment_attempt SET next_check_at = :now
WHERE pg_code = :pg_code AND state = 'unknown' AND (next_check_at IS NULL OR next_check_at > :now);

-- name: subscriptions_to_cancel
-- A page of subscriptions that a reset ends: of its PG, applied for up to the event, main card not newer than it.
SELECT s.subscription_id FROM v_subscription s
LEFT JOIN v_card c ON c.card_id = s.card_id AND c.registered_at > :event_at
WHERE s.pg_code = :pg_code AND s.state <> 'C' AND s.created_at <= :event_at AND s.subscription_id > :after_id
  AND c.card_id IS NULL
ORDER BY s.subscription_id LIMIT :page;

-- name: note_kept
-- Note the subscriptions that a reset leaves for their newer main card.
INSERT INTO pg_reset_kept (reset_id, subscription_id)
SELECT :reset_id, s.subscription_id FROM v_subscription s JOIN v_card c ON c.card_id = s.card_id
WHERE s.pg_code = :pg_code AND s.state <> 'C' AND s.created_at <= :event_at AND c.registered_at > :event_at;

-- name: open_rounds_of
-- The rounds of subscriptions that were neither charged nor closed.
SELECT * FROM billing_round WHERE subscription_id IN :ids AND state IN ('sealed', 'due') FOR UPDATE;

-- name: notices_waiting
-- What waits to be told of rounds that were still to be charged: their notices, and the mails that promise a new try.
SELECT message_id, state, units FROM message
WHERE round_id IN :ids AND kind IN ('payment_notice', 'payment_declined') AND state IN ('queued', 'no_credit');

-- name: cards_to_delete
-- A page of the cards that a reset deletes: of its PG, registered up to the event.
SELECT card_id, member_id, pg_code, billing_key, customer_key, masked_number FROM v_card
WHERE pg_code = :pg_code AND registered_at <= :event_at AND card_id > :after_id
ORDER BY card_id LIMIT :page;

-- name: note_card
-- Note a card before its key is deleted; the proof stays, it never holds the key.
INSERT INTO pg_reset_card (reset_id, card_id, member_id, masked_number, pg_state)
VALUES (:reset_id, :card_id, :member_id, :masked_number, 'pending');

-- name: note_card_deleted
-- What the PG said to the deletion of a key, and that the shop's row goes with it; once.
UPDATE pg_reset_card SET pg_state = :pg_state, row_deleted_at = :at
WHERE reset_id = :reset_id AND card_id = :card_id AND row_deleted_at IS NULL;

-- name: reset_card_counts
-- How the cards of a reset stand.
SELECT pg_state, COUNT(*) AS cards, COUNT(row_deleted_at) AS deleted FROM pg_reset_card
WHERE reset_id = :reset_id GROUP BY pg_state;

-- name: keys_left
-- The cards whose key the PG did not confirm to be gone.
SELECT card_id, member_id, masked_number, pg_state FROM pg_reset_card
WHERE reset_id = :reset_id AND pg_state IN ('failed', 'unknown') ORDER BY card_id LIMIT :page;

-- name: pg_known
-- Whether the shop ever had anything to do with a PG.
SELECT pg_code FROM v_pg_contract WHERE pg_code = :pg_code
UNION SELECT pg_code FROM v_service WHERE pg_code = :pg_code
UNION SELECT pg_code FROM v_card WHERE pg_code = :pg_code;

-- name: reset_size
-- How many subscriptions, their rounds that were neither charged nor closed, and cards an event concerns.
SELECT
  (SELECT COUNT(*) FROM v_subscription s
   WHERE s.pg_code = :pg_code AND s.state <> 'C' AND s.created_at <= :event_at
     AND NOT EXISTS (SELECT 1 FROM v_card c WHERE c.card_id = s.card_id AND c.registered_at > :event_at)
  ) AS subscriptions,
  (SELECT COUNT(*) FROM billing_round r JOIN v_subscription s ON s.subscription_id = r.subscription_id
   WHERE r.state IN ('sealed', 'due') AND s.pg_code = :pg_code AND s.state <> 'C' AND s.created_at <= :event_at
     AND NOT EXISTS (SELECT 1 FROM v_card c WHERE c.card_id = s.card_id AND c.registered_at > :event_at)
  ) AS rounds,
  (SELECT COUNT(*) FROM v_card WHERE pg_code = :pg_code AND registered_at <= :event_at) AS cards;
