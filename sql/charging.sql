-- Charging: claim, send, record, settle, write back.

-- name: due_rounds
-- A page of rounds whose charge is due, oldest slot first.
SELECT round_id, next_attempt_at FROM billing_round
WHERE state = 'due' AND next_attempt_at <= :now
  AND next_attempt_at >= :after_at AND (next_attempt_at > :after_at OR round_id > :after_id)
ORDER BY next_attempt_at, round_id LIMIT :page;

-- name: due_rounds_of
-- The rounds of some subscriptions whose charge is due.
SELECT round_id FROM billing_round
WHERE subscription_id IN :ids AND state = 'due' AND next_attempt_at <= :now ORDER BY round_id;

-- name: lock_due_rounds
-- Take rounds to charge, leaving out those another run holds. By the primary key: through another index SKIP LOCKED
-- passes by rows that nobody holds.
SELECT * FROM billing_round FORCE INDEX (PRIMARY) WHERE round_id IN :ids AND state = 'due'
ORDER BY round_id FOR UPDATE SKIP LOCKED;

-- name: read_due_rounds
-- The same without taking them, for a dry run.
SELECT * FROM billing_round WHERE round_id IN :ids AND state = 'due' ORDER BY round_id;

-- name: attempts_of_rounds
-- Every payment attempt of rounds.
SELECT attempt_id, round_id, attempt_no, card_id, state, decline, closed_at FROM payment_attempt
WHERE round_id IN :ids ORDER BY round_id, attempt_no;

-- name: insert_attempt
-- The attempt is committed before the socket opens; open_round keeps a second one out.
INSERT INTO payment_attempt (round_id, attempt_no, pg_code, order_no, order_name, amount_krw, card_id, state,
  claim_token, request_digest, sent_at, sent_on, lease_until)
VALUES (:round_id, :attempt_no, :pg_code, :order_no, :order_name, :amount_krw, :card_id, 'sending',
  :claim_token, :request_digest, :sent_at, :sent_on, :lease_until);

-- name: attempts_of_claim
-- What one claim has committed, for a claim whose answer to COMMIT got lost.
SELECT * FROM payment_attempt WHERE round_id IN :ids AND claim_token = :token AND state = 'sending' ORDER BY attempt_id;

-- name: attempts_by_order_no
-- Attempts by their order numbers.
SELECT * FROM payment_attempt WHERE order_no IN :order_nos;

-- name: close_attempt
-- Write the end of an attempt over the state it is expected in.
UPDATE payment_attempt SET state = :to_state, decline = :decline, code = :code, message = :message,
  next_check_at = NULL, closed_at = :at
WHERE attempt_id = :attempt_id AND state = :from_state;

-- name: approve_attempt
-- An approval closes an attempt that was open.
UPDATE payment_attempt SET state = 'approved', decline = NULL, next_check_at = NULL, closed_at = :at
WHERE attempt_id = :attempt_id AND state IN ('sending', 'unknown', 'in_doubt');

-- name: doubt_attempt
-- Nothing we can rely on: ask again later, or leave it to a person.
UPDATE payment_attempt SET state = :to_state, code = :code, message = :message, next_check_at = :next_check_at,
  checks = checks + :checks, lease_until = :lease_until
WHERE attempt_id = :attempt_id AND state = :from_state;

-- name: attempts_lost
-- A page of attempts whose lease ran out while sending.
SELECT attempt_id, lease_until FROM payment_attempt
WHERE state = 'sending' AND lease_until < :real ORDER BY lease_until, attempt_id LIMIT :page;

-- name: leases_running
-- How long the longest attempt of another run may still be under way, by PG.
SELECT pg_code, COUNT(*) AS attempts, MAX(lease_until) AS lease_until FROM payment_attempt
WHERE state IN ('sending', 'unknown') AND lease_until >= :real GROUP BY pg_code;

-- name: attempts_to_check
-- A page of unknown attempts, of one PG or of all, that may be asked after now.
SELECT * FROM payment_attempt
WHERE state = 'unknown' AND next_check_at <= :now AND lease_until <= :real AND attempt_id > :after_id
  AND (:pg_code IS NULL OR pg_code = :pg_code)
ORDER BY attempt_id LIMIT :page;

-- name: attempts_left
-- What a run would ask after, for a dry run.
SELECT order_no, pg_code FROM payment_attempt
WHERE state IN ('sending', 'unknown') AND lease_until <= :real AND (state = 'sending' OR next_check_at <= :now)
ORDER BY attempt_id LIMIT :page;

-- name: take_check
-- Take an unknown attempt to ask after it; the lease keeps other runs off. What is taken may be taken again.
UPDATE payment_attempt SET lease_until = :lease_until
WHERE attempt_id = :attempt_id AND state = 'unknown' AND (lease_until <= :real OR lease_until = :lease_until);

-- name: insert_payment
-- Evidence of money that moved; the same evidence twice is a duplicate key and means: known.
INSERT INTO payment (pg_code, tid, kind, seq, order_no, amount_krw, approval_no, source, recorded_at)
VALUES (:pg_code, :tid, :kind, :seq, :order_no, :amount_krw, :approval_no, :source, :at);

-- name: payments_of
-- The ledger of order numbers.
SELECT * FROM payment WHERE order_no IN :order_nos ORDER BY recorded_at, kind, seq;

-- name: pay_round
-- A round is paid: by an approval of its own order number and amount, or because nothing is to be paid.
UPDATE billing_round SET state = 'paid', state_reason = NULL, paid_at = :paid_at, order_id = :order_no, next_attempt_at = NULL
WHERE round_id = :round_id AND state IN ('charging', 'due', 'in_doubt');

-- name: retry_round
-- A round waits for its next attempt.
UPDATE billing_round SET state = 'due', state_reason = :reason, next_attempt_at = :next_attempt_at
WHERE round_id = :round_id AND state = :from_state;

-- name: hold_round
-- Something is wrong with a round: a person decides.
UPDATE billing_round SET state = 'held', state_reason = :reason WHERE round_id = :round_id AND state <> 'held';

-- name: unwritten_rounds
-- A page of paid rounds whose order the shop does not have yet.
SELECT round_id FROM billing_round WHERE state = 'paid' AND written_at IS NULL AND round_id > :after_id
ORDER BY round_id LIMIT :page;

-- name: lock_unwritten_rounds
-- Take paid rounds to write their orders, leaving out those another run holds.
SELECT * FROM billing_round FORCE INDEX (PRIMARY)
WHERE round_id IN :ids AND state = 'paid' AND written_at IS NULL
ORDER BY round_id FOR UPDATE SKIP LOCKED;

-- name: set_written
-- The shop has the order of a paid round.
UPDATE billing_round SET written_at = :at WHERE round_id = :round_id AND state = 'paid' AND written_at IS NULL;

-- name: renew_check
-- Sending an unknown attempt again was allowed: its lease starts anew, and where the PG repeats no answer its quarantine.
UPDATE payment_attempt SET lease_until = :lease_until, next_check_at = COALESCE(:next_check_at, next_check_at)
WHERE attempt_id = :attempt_id AND state = 'unknown';
