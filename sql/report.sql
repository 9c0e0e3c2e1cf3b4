-- What `ops list`, `show`, `service` and `report` read. Keys of the shop come as values; a filter that is NULL is none:
-- the driver writes values into the statement, so the server drops such a filter before it chooses an index.

-- name: list_subscriptions
-- A page of subscriptions by their numbers, newest first, in the order of the shop's primary key.
SELECT s.subscription_id FROM v_subscription s
WHERE (:before_id IS NULL OR s.subscription_id < :before_id)
  AND (:state IS NULL OR s.state = :state)
  AND (:member_id IS NULL OR s.member_id = :member_id)
  AND (:applied_from IS NULL OR s.created_at >= :applied_from)
  AND (:applied_before IS NULL OR s.created_at < :applied_before)
  AND (:cancelled_from IS NULL OR s.terminated_at >= :cancelled_from)
  AND (:cancelled_before IS NULL OR s.terminated_at < :cancelled_before)
  AND (:any_item = 1 OR EXISTS (
    SELECT 1 FROM v_item i WHERE i.subscription_id = s.subscription_id
      AND (:product_no IS NULL OR i.product_no = :product_no)
      AND (:product_name IS NULL OR i.product_name LIKE :product_name ESCAPE '!')
      AND (:cycle IS NULL OR i.cycle = :cycle)))
ORDER BY s.subscription_id DESC LIMIT :page;

-- name: list_coming
-- A page of coming rounds, nearest first, from the shop's index on the dates of items in use. An item in an open
-- round is charged on that round's day.
SELECT i.delivery_on, i.subscription_id FROM v_item i
JOIN v_subscription s ON s.subscription_id = i.subscription_id
LEFT JOIN billing_round_item b ON b.open_item = i.item_id
LEFT JOIN billing_round r ON r.round_id = b.round_id
WHERE i.state = 'U' AND i.delivery_on >= :after_on AND i.delivery_on <= :horizon
  AND (i.delivery_on > :after_on OR i.subscription_id > :after_id)
  AND ((COALESCE(r.charge_on, i.pay_on) >= :pay_from AND COALESCE(r.charge_on, i.pay_on) <= :pay_until)
       OR (r.charge_on IS NULL AND i.pay_on IS NULL
           AND i.delivery_on > :pay_from AND i.delivery_on <= :horizon))
  AND (:state IS NULL OR s.state = :state)
  AND (:member_id IS NULL OR s.member_id = :member_id)
  AND (:product_no IS NULL OR i.product_no = :product_no)
  AND (:product_name IS NULL OR i.product_name LIKE :product_name ESCAPE '!')
  AND (:cycle IS NULL OR i.cycle = :cycle)
GROUP BY i.delivery_on, i.subscription_id
ORDER BY i.delivery_on, i.subscription_id LIMIT :page;

-- name: items_of
-- Every item of subscriptions, with the day of the charge where it stands in an open round.
SELECT i.*, r.charge_on AS round_charge_on FROM v_item i
LEFT JOIN billing_round_item b ON b.open_item = i.item_id
LEFT JOIN billing_round r ON r.round_id = b.round_id
WHERE i.subscription_id IN :ids ORDER BY i.subscription_id, i.item_id;

-- name: masks_of
-- Stored cards as people may see them.
SELECT card_id, pg_code, card_company, masked_number, registered_at FROM v_card WHERE card_id IN :ids;

-- name: list_rounds
-- A page of rounds in one state, newest delivery first.
SELECT * FROM billing_round FORCE INDEX (billing_round_day)
WHERE state = :state AND delivery_on >= :delivery_from AND delivery_on <= :before_on
  AND (delivery_on < :before_on OR round_id < :before_id)
  AND (:charge_from IS NULL OR charge_on >= :charge_from)
  AND (:charge_until IS NULL OR charge_on <= :charge_until)
ORDER BY delivery_on DESC, round_id DESC LIMIT :page;

-- name: subscriptions_of_member
-- The subscriptions of a member.
SELECT subscription_id FROM v_subscription WHERE member_id = :member_id ORDER BY subscription_id;

-- name: rounds_of
-- Every round of subscriptions.
SELECT * FROM billing_round WHERE subscription_id IN :ids ORDER BY delivery_on, round_id;

-- name: attempts_told
-- The payment attempts of rounds, for people.
SELECT attempt_id, round_id, attempt_no, pg_code, order_no, amount_krw, state, decline, code, message, sent_at,
  closed_at, next_check_at, settled_by, evidence
FROM payment_attempt WHERE round_id IN :ids ORDER BY round_id, attempt_no;

-- name: messages_told
-- The messages about subscriptions, without their texts.
SELECT message_id, kind, round_id, recipient, channel, address, sms_kind, units, state, reason, queued_at,
  accepted_at, subject
FROM message WHERE subscription_id IN :ids ORDER BY message_id;

-- name: entries_of
-- What messages cost, and what was given back.
SELECT message_id, kind, channel, units, recorded_at FROM credit_entry WHERE message_id IN :ids;

-- name: open_matters_about
-- What a person must look at about some subjects.
SELECT matter_id, subject, kind, detail, opened_at FROM matter WHERE open_subject IN :subjects ORDER BY matter_id;

-- name: open_matter_kinds
-- Of which kinds there is something a person must look at.
SELECT kind, COUNT(*) AS matters FROM matter WHERE open_subject IS NOT NULL GROUP BY kind ORDER BY kind;

-- name: open_matters
-- A page of what a person must look at, of one kind, oldest first.
SELECT matter_id, subject, kind, detail, opened_at FROM matter
WHERE kind = :kind AND closed_at IS NULL AND matter_id > :after_id ORDER BY matter_id LIMIT :page;

-- name: matters_by_id
-- Matters, open or not.
SELECT matter_id, subject, kind, detail, closed_at FROM matter WHERE matter_id IN :ids;

-- name: dropped_ahead
-- What is left out of the rounds ahead, by product, reason and day; a round that was voided or missed is over.
SELECT i.product_no, i.excluded_reason AS reason, r.delivery_on, MAX(i.product_name) AS product_name,
  COUNT(DISTINCT r.round_id) AS rounds, MIN(r.subscription_id) AS subscription_id
FROM billing_round r FORCE INDEX (billing_round_day) JOIN billing_round_item i ON i.round_id = r.round_id
WHERE r.state IN ('sealed', 'due', 'charging', 'in_doubt', 'held', 'paid', 'failed', 'skipped')
  AND r.delivery_on >= :today AND i.excluded_reason IS NOT NULL
GROUP BY i.product_no, i.excluded_reason, r.delivery_on
ORDER BY i.product_no, i.excluded_reason, r.delivery_on;

-- name: risen_ahead
-- The prices above the agreed ones in the rounds ahead, by product, prices and day.
SELECT i.product_no, i.agreed_price, i.price_now, i.unit_price AS charged_price, r.delivery_on,
  MAX(i.product_name) AS product_name, COUNT(DISTINCT r.round_id) AS rounds,
  MIN(r.subscription_id) AS subscription_id
FROM billing_round r FORCE INDEX (billing_round_day) JOIN billing_round_item i ON i.round_id = r.round_id
WHERE r.state IN ('sealed', 'due', 'charging', 'in_doubt', 'held', 'paid', 'failed', 'skipped')
  AND r.delivery_on >= :today AND i.excluded_reason IS NULL AND i.price_now > i.agreed_price
GROUP BY i.product_no, i.agreed_price, i.price_now, i.unit_price, r.delivery_on
ORDER BY i.product_no, i.agreed_price, i.price_now, i.unit_price, r.delivery_on;

-- name: skipped_ahead
-- The rounds ahead that had nothing to charge, by day.
SELECT delivery_on, COUNT(*) AS rounds, MIN(subscription_id) AS subscription_id
FROM billing_round FORCE INDEX (billing_round_day)
WHERE state = 'skipped' AND delivery_on >= :today GROUP BY delivery_on ORDER BY delivery_on;

-- name: attempts_in_doubt
-- A page of attempts that nothing more can be found out about.
SELECT a.attempt_id, a.round_id, a.order_no, a.pg_code, a.amount_krw, a.sent_at, a.code, a.message,
  r.subscription_id, r.delivery_on, r.charge_until, r.state AS round_state
FROM payment_attempt a JOIN billing_round r ON r.round_id = a.round_id
WHERE a.state = 'in_doubt' AND a.attempt_id > :after_id ORDER BY a.attempt_id LIMIT :page;

-- name: rounds_held
-- A page of rounds that wait for a person.
SELECT round_id, subscription_id, delivery_on, amount_krw, pg_code, state_reason, announced_on, charge_until,
  EXISTS (SELECT 1 FROM billing_round_item i WHERE i.round_id = billing_round.round_id AND i.released_at IS NOT NULL)
    AS is_released
FROM billing_round WHERE state = 'held' AND round_id > :after_id ORDER BY round_id LIMIT :page;

-- name: attempts_of_held
-- The attempts of a held round.
SELECT order_no, pg_code, state FROM payment_attempt WHERE round_id = :round_id ORDER BY attempt_no;

-- name: messages_in_doubt
-- A page of messages that may have been handed over.
SELECT m.message_id, m.kind, m.recipient, m.channel, m.subscription_id, r.delivery_on, m.reason
FROM message m LEFT JOIN billing_round r ON r.round_id = m.round_id
WHERE m.state = 'unknown' AND m.message_id > :after_id ORDER BY m.message_id LIMIT :page;

-- name: contracts_told
-- Every contract with a PG, newest first.
SELECT pg_contract_no, pg_code, merchant_id, state, in_use_at, terminated_at, termination FROM v_pg_contract
ORDER BY pg_contract_no DESC;

-- name: services_told
-- The subscription service of every PG.
SELECT pg_code, state, in_use_at, reset_at FROM v_service ORDER BY pg_code;

-- name: cards_by_pg
-- How many cards are stored for each PG.
SELECT pg_code, COUNT(*) AS cards FROM v_card GROUP BY pg_code;

-- name: subscriptions_by_pg
-- How many subscriptions each PG has in each state.
SELECT pg_code, state, COUNT(*) AS subscriptions FROM v_subscription GROUP BY pg_code, state;

-- name: coming_by_day
-- How many rounds will be sealed for each coming delivery date.
SELECT i.delivery_on, COUNT(DISTINCT i.subscription_id) AS rounds FROM v_item i
JOIN v_subscription s ON s.subscription_id = i.subscription_id
WHERE i.state = 'U' AND s.state = 'U' AND i.delivery_on >= :from_on AND i.delivery_on <= :until_on
  AND NOT EXISTS (SELECT 1 FROM billing_round_item b WHERE b.open_item = i.item_id)
GROUP BY i.delivery_on ORDER BY i.delivery_on;

-- name: messages_waiting
-- The messages that wait to be sent, by what decides their price.
SELECT state, channel, recipient, kind, COUNT(*) AS messages, SUM(units) AS units FROM message
WHERE state IN ('queued', 'no_credit') GROUP BY state, channel, recipient, kind;

-- name: last_run
-- The newest start of a job.
SELECT run_id, job, as_of, host, started_at, ended_at, exit_code, summary FROM job_run
WHERE job = :job ORDER BY started_at DESC, run_id DESC LIMIT 1;

-- name: last_good_run
-- The newest run of a job that came to its end, with or without something for a person.
SELECT run_id, ended_at FROM job_run
WHERE job = :job AND exit_code IN (0, 1) ORDER BY started_at DESC, run_id DESC LIMIT 1;

-- name: close_matter_seen
-- A person has looked at a matter and done what was to do.
UPDATE matter SET closed_at = :at WHERE matter_id = :matter_id AND closed_at IS NULL;
