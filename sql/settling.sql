-- A person's word on what is in doubt or held. Each move is a compare-and-set on the state it names.

-- name: lock_attempts
-- Take every attempt of a round.
SELECT * FROM payment_attempt WHERE round_id = :round_id ORDER BY attempt_no FOR UPDATE;

-- name: payments_by_tid
-- What the ledger has under a PG's own number.
SELECT order_no, kind, seq, amount_krw FROM payment WHERE pg_code = :pg_code AND tid = :tid;

-- name: note_attempt_settled
-- Who decided about an attempt, and on what evidence.
UPDATE payment_attempt SET settled_by = :settled_by, evidence = :evidence WHERE attempt_id = :attempt_id;

-- name: note_round_settled
-- Who decided about a round, and on what evidence.
UPDATE billing_round SET settled_by = :settled_by, evidence = :evidence WHERE round_id = :round_id;

-- name: pay_held_round
-- A held round counts as paid after all.
UPDATE billing_round SET state = 'paid', state_reason = NULL, paid_at = COALESCE(paid_at, :at), order_id = :order_id,
  next_attempt_at = NULL
WHERE round_id = :round_id AND state = 'held';

-- name: lock_message
-- Take a message that a person decides.
SELECT message_id, kind, round_id, recipient, channel, address, state FROM message
WHERE message_id = :message_id FOR UPDATE;
