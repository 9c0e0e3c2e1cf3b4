-- The least that the jobs' own user needs in our schema; what it needs in the shop's is in sql/shops/<adapter>/grants.sql.
-- `ops check` fills in {ours}, {shop} and {user} and prints what is missing. Run as a user that may grant.
-- `ops setup` is run by another user, one that may CREATE, ALTER, CREATE VIEW and DROP in our schema.

-- SHOW VIEW: `ops check` EXPLAINs every statement.
GRANT SELECT, SHOW VIEW ON {ours}* TO {user};
GRANT INSERT, UPDATE (ended_at, exit_code, summary) ON {ours}job_run TO {user};

-- Sealed numbers never change: no UPDATE on amounts, dates and items.
GRANT INSERT, UPDATE (state, state_reason, announced_on, charge_on, charge_until, next_attempt_at, paid_at, order_id,
  written_at, settled_by, evidence) ON {ours}billing_round TO {user};
GRANT INSERT, UPDATE (released_at) ON {ours}billing_round_item TO {user};
GRANT INSERT, UPDATE (state, decline, code, message, lease_until, next_check_at, checks, closed_at, settled_by,
  evidence) ON {ours}payment_attempt TO {user};

-- Ledgers: insert-only.
GRANT INSERT ON {ours}payment TO {user};
GRANT INSERT ON {ours}credit_entry TO {user};

GRANT INSERT, UPDATE (digest_id, address, sms_kind, units, subject, body, html, state, reason, tries, next_try_at,
  lease_until, provider_id, claimed_at, accepted_at) ON {ours}message TO {user};
GRANT INSERT, UPDATE (state, finished_at, counts) ON {ours}pg_reset TO {user};
GRANT INSERT, UPDATE (pg_state, row_deleted_at) ON {ours}pg_reset_card TO {user};
GRANT INSERT ON {ours}pg_reset_kept TO {user};
GRANT INSERT, UPDATE (detail, closed_at) ON {ours}matter TO {user};

-- The jobs only lock this row, and MySQL lets nobody lock what he may not change.
GRANT UPDATE (set_up_at) ON {ours}installation TO {user};
