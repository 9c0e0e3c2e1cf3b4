-- The outbox: queue, claim and debit, deliver, record.

-- name: queue_message
-- Queue a message; its unique key makes an event tell each recipient once on each channel.
INSERT INTO message (kind, ref, round_id, subscription_id, recipient, channel, address, state, queued_at, next_try_at)
VALUES (:kind, :ref, :round_id, :subscription_id, :recipient, :channel, :address, 'queued', :at, :at);

-- name: messages_of
-- The messages of one event.
SELECT message_id, recipient, channel, state FROM message WHERE kind = :kind AND ref = :ref;

-- name: waiting_messages
-- A page of messages of one channel and recipient that wait, oldest first. Customers are asked for before operators.
SELECT message_id FROM message
WHERE state = :state AND channel = :channel AND recipient = :recipient AND next_try_at <= :now AND message_id > :after_id
ORDER BY message_id LIMIT :page;

-- name: lock_messages
-- Take messages that wait, leaving out those another run holds. In this order they are paid: the customers' first.
SELECT * FROM message FORCE INDEX (PRIMARY) WHERE message_id IN :ids AND state IN ('queued', 'no_credit')
ORDER BY recipient, message_id FOR UPDATE SKIP LOCKED;

-- name: messages_of_claim
-- What a claim whose COMMIT got through had claimed; its lease, to the microsecond, is its name.
SELECT * FROM message WHERE message_id IN :ids AND state = 'sending' AND lease_until = :lease_until ORDER BY message_id;

-- name: debits_of
-- Which messages were debited already.
SELECT message_id, channel, units FROM credit_entry WHERE message_id IN :ids AND kind = 'debit';

-- name: insert_credit_entry
-- A debit or refund in the ledger; its key allows each once in a message's life.
INSERT INTO credit_entry (message_id, kind, channel, units, recorded_at)
VALUES (:message_id, :kind, :channel, :units, :at);

-- name: claim_message
-- Claim a message with its rendered text; the lease tells other runs to leave it alone.
UPDATE message SET state = 'sending', subject = :subject, body = :body, html = :html, sms_kind = :sms_kind, units = :units,
  tries = tries + 1, lease_until = :lease_until, claimed_at = COALESCE(claimed_at, :at), reason = NULL
WHERE message_id = :message_id AND state IN ('queued', 'no_credit');

-- name: move_message
-- Move a message from one state to another.
UPDATE message SET state = :to_state, reason = :reason, next_try_at = COALESCE(:next_try_at, next_try_at),
  units = COALESCE(:units, units), lease_until = NULL
WHERE message_id = :message_id AND state = :from_state;

-- name: move_handed
-- Move a message that was handed over; a worker that slept past its lease no longer has a say in it.
UPDATE message SET state = :to_state, reason = :reason, next_try_at = COALESCE(:next_try_at, next_try_at),
  lease_until = NULL
WHERE message_id = :message_id AND state = :from_state AND (:own_lease IS NULL OR lease_until = :own_lease);

-- name: accept_message
-- The provider took responsibility; evidence counts from every state in which the message may have left.
UPDATE message SET state = 'accepted', provider_id = :provider_id, accepted_at = :at, lease_until = NULL, reason = NULL
WHERE message_id = :message_id AND state IN ('sending', 'unknown');

-- name: remember_provider
-- Keep the id under which messages can be looked up, before they leave; only under the lease that sends them.
UPDATE message SET provider_id = :provider_id
WHERE message_id IN :ids AND state = 'sending' AND lease_until = :lease_until;

-- name: messages_lost
-- A lease ran out while sending: whether the message left is unknown.
UPDATE message SET state = 'unknown', next_try_at = :now WHERE state = 'sending' AND lease_until < :real;

-- name: unknown_messages
-- A page of messages whose fate is unknown and may be found out now.
SELECT * FROM message WHERE state = 'unknown' AND channel = :channel AND next_try_at <= :now AND message_id > :after_id
ORDER BY message_id LIMIT :page;

-- name: resend_unknown
-- Claim an unknown mail to hand the stored text over again with the same Message-ID; a claim may be repeated.
UPDATE message SET tries = tries + CASE WHEN state = 'unknown' THEN 1 ELSE 0 END,
  state = 'sending', lease_until = :lease_until
WHERE message_id = :message_id AND (state = 'unknown' OR (state = 'sending' AND lease_until = :lease_until));

-- name: notices_to_expire
-- A page of messages that wait although they are no longer true: payment notices whose round does not need them any
-- more, and news of a decline, which promises another try, of a round that is over.
SELECT m.message_id, m.state, m.units FROM message m JOIN billing_round r ON r.round_id = m.round_id
WHERE m.state IN ('queued', 'no_credit') AND m.message_id > :after_id
  AND ((m.kind = 'payment_notice' AND (r.state NOT IN ('sealed', 'due') OR r.delivery_on <= :today
                                       OR (r.announced_on IS NOT NULL AND r.charge_on <= :today)))
       OR (m.kind = 'payment_declined' AND r.state NOT IN ('due', 'charging', 'in_doubt', 'held')))
ORDER BY m.message_id LIMIT :page;

-- name: customer_notices
-- How the customer messages of rounds stand.
SELECT round_id, state, COUNT(*) AS messages FROM message
WHERE kind = 'payment_notice' AND recipient = 'customer' AND round_id IN :ids GROUP BY round_id, state;

-- name: goods_of
-- The goods of subscriptions, for the mail that says they ended.
SELECT subscription_id, product_name, option_value, quantity FROM v_item WHERE subscription_id IN :ids ORDER BY item_id;

-- name: ends_of
-- When and why subscriptions ended.
SELECT subscription_id, terminated_at, terminated_reason FROM v_subscription WHERE subscription_id IN :ids;

-- name: last_declines
-- The last decline of rounds; hard only where every declined card is out for its round.
SELECT a.round_id, a.code, a.message, CASE WHEN EXISTS (
    SELECT 1 FROM payment_attempt s
    WHERE s.round_id = a.round_id AND s.decline = 'soft' AND NOT EXISTS (
      SELECT 1 FROM payment_attempt h
      WHERE h.round_id = s.round_id AND h.card_id = s.card_id AND h.decline = 'hard')) THEN 'soft' ELSE 'hard' END AS decline
FROM payment_attempt a
WHERE a.round_id IN :ids AND a.state = 'declined' AND NOT EXISTS (
  SELECT 1 FROM payment_attempt b
  WHERE b.round_id = a.round_id AND b.state = 'declined' AND b.attempt_no > a.attempt_no);

-- name: carried_by
-- What a digest carries: how many of each kind, and the first of them.
SELECT kind, round_id, subscription_id, carried FROM (
  SELECT kind, round_id, subscription_id, COUNT(*) OVER (PARTITION BY kind) AS carried,
         ROW_NUMBER() OVER (PARTITION BY kind ORDER BY message_id) AS place
  FROM message WHERE digest_id = :digest_id) each_kind
WHERE place <= :entries ORDER BY kind, place;

-- name: operators_waiting
-- Where the newest of the operator mails of single events goes that wait and were never paid for; no row: none waits.
SELECT address FROM message
WHERE state IN ('queued', 'no_credit') AND recipient = 'operator' AND channel = 'mail' AND kind <> 'digest' AND tries = 0
ORDER BY message_id DESC LIMIT 1;

-- name: merge_into_digest
-- Operator mails of single events are carried by a digest and pay nothing of their own.
UPDATE message SET state = 'merged', digest_id = :digest_id, units = 0
WHERE state IN ('queued', 'no_credit') AND recipient = 'operator' AND channel = 'mail' AND kind <> 'digest' AND tries = 0;

-- name: credits_needed
-- Credits that messages without credit wait for, by channel.
SELECT channel, SUM(units) AS units, COUNT(*) AS messages FROM message WHERE state = 'no_credit' GROUP BY channel;

-- name: messages_by_id
-- Messages without their texts.
SELECT message_id, kind, round_id, subscription_id, recipient, channel, state, units FROM message
WHERE message_id IN :ids;

-- name: kinds_unworded
-- The kinds of messages that wait for their template to be mended.
SELECT DISTINCT kind FROM message WHERE state IN ('queued', 'no_credit') AND reason LIKE 'template:%';

-- name: matters_of_kind
-- The open matters of one kind.
SELECT subject FROM matter WHERE kind = :kind AND closed_at IS NULL;
