-- The moves of a round's state, each a compare-and-set on the state it names, and the release of its items.

-- name: move_round
-- Move a round from one state to another.
UPDATE billing_round SET state = :to_state, state_reason = :reason
WHERE round_id = :round_id AND state = :from_state;

-- name: announce_round
-- A customer message was accepted: the round may be charged from its day on.
UPDATE billing_round SET state = 'due', announced_on = :announced_on, next_attempt_at = :next_attempt_at
WHERE round_id = :round_id AND state = 'sealed';

-- name: fix_charge_day
-- Fix the days of the charge when a first customer message leaves; while none is accepted a later day moves them.
UPDATE billing_round SET charge_on = :charge_on, charge_until = :charge_until
WHERE round_id = :round_id AND announced_on IS NULL AND (charge_on IS NULL OR charge_on < :charge_on);

-- name: release_items
-- A round has closed: its items may stand in another one.
UPDATE billing_round_item SET released_at = :at WHERE round_id = :round_id AND released_at IS NULL;

-- name: rounds_by_id
-- Rounds with all their columns.
SELECT * FROM billing_round WHERE round_id IN :ids;

-- name: lock_round
-- Take a round that a person or late evidence decides about; whatever arrives meanwhile waits.
SELECT * FROM billing_round WHERE round_id = :round_id FOR UPDATE;

-- name: round_items
-- The sealed lines of rounds.
SELECT * FROM billing_round_item WHERE round_id IN :ids ORDER BY round_id, item_id;

-- name: lock_installation_shared
-- Every claim of a charge reads this row first: a PG reset locks it exclusively and so sees every earlier claim.
SELECT hostname, port, shop_schema, merchant_ids FROM installation WHERE installation_id = 1 LOCK IN SHARE MODE;

-- name: lock_installation
-- The opening of a PG reset waits here for the claims under way.
SELECT hostname, port, shop_schema, merchant_ids FROM installation WHERE installation_id = 1 FOR UPDATE;

-- name: open_matter
-- Note what a person must look at; the unique key makes an open one stay one.
INSERT INTO matter (subject, kind, detail, opened_run, opened_at)
VALUES (:subject, :kind, :detail, :run_id, :at);

-- name: has_open_matter
-- Whether a matter is open, and what it says.
SELECT matter_id, detail FROM matter WHERE open_subject = :subject AND kind = :kind;

-- name: retell_matter
-- What a person must look at has become another thing: a card instead of none, but a stranger's.
UPDATE matter SET detail = :detail WHERE matter_id = :matter_id;

-- name: close_matter
-- A matter is over.
UPDATE matter SET closed_at = :at WHERE open_subject = :subject AND kind = :kind;

-- name: close_matters
-- Matters of one kind are over for some subjects.
UPDATE matter SET closed_at = :at WHERE kind = :kind AND open_subject IN :subjects;

-- name: start_run
-- A job starts.
INSERT INTO job_run (job, as_of, host, pid, started_at) VALUES (:job, :as_of, :host, :pid, :at);

-- name: end_run
-- A job ended by itself.
UPDATE job_run SET ended_at = :at, exit_code = :exit_code, summary = :summary WHERE run_id = :run_id;

-- name: matters_of_run
-- What a run opened.
SELECT subject, kind, detail FROM matter WHERE opened_run = :run_id ORDER BY matter_id;
