-- Our schema: what correctness rests on. MySQL 8.0.16+ or MariaDB 10.6+; SQLite takes the form lib/dialect.py derives.
-- Keys shared with the shop are utf8mb4_bin, keys of our own making ascii_bin. Timestamps are UTC; *_on are the
-- shop's local dates. Amounts are whole won. Every key that guards money or mail is enforced here.

-- Which server, shop and merchants this is: a copy of it elsewhere refuses to charge. One row.
-- Every claim of a charge reads the row with a share lock, the opening of a PG reset locks it exclusively.
CREATE TABLE IF NOT EXISTS installation (
  installation_id INT NOT NULL DEFAULT 1 PRIMARY KEY CHECK (installation_id = 1),
  hostname VARCHAR(255) NOT NULL,
  port INT NOT NULL,
  shop_schema VARCHAR(64) NOT NULL,
  merchant_ids VARCHAR(1000) NOT NULL,
  first_delivery DATE NOT NULL,
  set_up_at DATETIME(6) NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- One start of a job.
CREATE TABLE IF NOT EXISTS job_run (
  run_id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  job VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  as_of DATETIME(6) NOT NULL,
  host VARCHAR(255) NOT NULL,
  pid INT NOT NULL,
  started_at DATETIME(6) NOT NULL,
  ended_at DATETIME(6) NULL,
  exit_code INT NULL,
  summary TEXT NULL,
  KEY job_run_job (job, started_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- A round (회차): one delivery of one subscription, sealed. Sealed numbers never change.
CREATE TABLE IF NOT EXISTS billing_round (
  round_id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  subscription_id VARCHAR(64) NOT NULL,
  delivery_on DATE NOT NULL,
  round_no INT NOT NULL,
  items_amount BIGINT NOT NULL CHECK (items_amount >= 0),
  discount_amount BIGINT NOT NULL CHECK (discount_amount >= 0),
  shipping_fee BIGINT NOT NULL CHECK (shipping_fee >= 0),
  amount_krw BIGINT NOT NULL CHECK (amount_krw >= 0),
  state VARCHAR(12) CHARACTER SET ascii COLLATE ascii_bin NOT NULL CHECK (state IN
    ('sealed', 'due', 'charging', 'in_doubt', 'held', 'paid', 'failed', 'void', 'missed', 'skipped')),
  state_reason VARCHAR(200) NULL,
  pg_code VARCHAR(20) NOT NULL,
  sealed_at DATETIME(6) NOT NULL,
  announced_on DATE NULL,
  charge_on DATE NULL,
  charge_until DATE NULL,
  next_attempt_at DATETIME(6) NULL,
  paid_at DATETIME(6) NULL,
  order_id VARCHAR(40) NULL,
  written_at DATETIME(6) NULL,
  settled_by VARCHAR(100) NULL,
  evidence VARCHAR(1000) NULL,
  CHECK (amount_krw = items_amount - discount_amount + shipping_fee),
  CHECK (state <> 'paid' OR paid_at IS NOT NULL),
  UNIQUE KEY billing_round_delivery (subscription_id, delivery_on),
  KEY billing_round_due (state, next_attempt_at, round_id),
  KEY billing_round_day (state, delivery_on, round_id),
  KEY billing_round_unwritten (state, written_at, round_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- The lines of a round. `released_at` is set when the round closes; until then no other round can hold the item.
CREATE TABLE IF NOT EXISTS billing_round_item (
  round_id BIGINT NOT NULL,
  item_id BIGINT NOT NULL,
  round_no INT NOT NULL,
  product_no BIGINT NOT NULL,
  variants_code VARCHAR(40) NOT NULL,
  product_name VARCHAR(250) NOT NULL,
  option_value VARCHAR(250) NOT NULL,
  quantity INT NOT NULL,
  unit_price BIGINT NOT NULL CHECK (unit_price >= 0),
  agreed_price BIGINT NOT NULL,
  price_now BIGINT NOT NULL,
  discount_amount BIGINT NOT NULL CHECK (discount_amount >= 0),
  amount BIGINT NOT NULL CHECK (amount >= 0),
  excluded_reason VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NULL,
  released_at DATETIME(6) NULL,
  open_item BIGINT GENERATED ALWAYS AS (CASE WHEN released_at IS NULL THEN item_id END) VIRTUAL,
  PRIMARY KEY (round_id, item_id),
  UNIQUE KEY billing_round_item_open (open_item),
  KEY billing_round_item_item (item_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- One try to charge one round on one card, committed before the socket opens. At most one open per round.
CREATE TABLE IF NOT EXISTS payment_attempt (
  attempt_id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  round_id BIGINT NOT NULL,
  attempt_no INT NOT NULL CHECK (attempt_no BETWEEN 1 AND 99),
  pg_code VARCHAR(20) NOT NULL,
  order_no VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  order_name VARCHAR(100) NOT NULL,
  amount_krw BIGINT NOT NULL CHECK (amount_krw > 0),
  card_id BIGINT NOT NULL,
  state VARCHAR(12) CHARACTER SET ascii COLLATE ascii_bin NOT NULL CHECK (state IN
    ('sending', 'approved', 'declined', 'not_sent', 'not_charged', 'unknown', 'in_doubt')),
  decline VARCHAR(4) CHARACTER SET ascii COLLATE ascii_bin NULL CHECK (decline IN ('hard', 'soft')),
  code VARCHAR(64) NULL,
  message VARCHAR(200) NULL,
  claim_token CHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
  request_digest CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  sent_at DATETIME(6) NOT NULL,
  sent_on DATE NOT NULL,
  lease_until DATETIME(6) NOT NULL,
  next_check_at DATETIME(6) NULL,
  checks INT NOT NULL DEFAULT 0,
  closed_at DATETIME(6) NULL,
  settled_by VARCHAR(100) NULL,
  evidence VARCHAR(1000) NULL,
  open_round BIGINT GENERATED ALWAYS AS
    (CASE WHEN state IN ('sending', 'unknown', 'in_doubt') THEN round_id END) VIRTUAL,
  UNIQUE KEY payment_attempt_order_no (order_no),
  UNIQUE KEY payment_attempt_no (round_id, attempt_no),
  UNIQUE KEY payment_attempt_open (open_round),
  KEY payment_attempt_check (state, next_check_at, attempt_id),
  KEY payment_attempt_lease (state, lease_until, attempt_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- The ledger of money that moved: insert-only evidence. Never unique per order: a second approval must be recordable.
CREATE TABLE IF NOT EXISTS payment (
  pg_code VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  tid VARCHAR(200) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  kind VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL CHECK (kind IN ('approve', 'cancel')),
  seq INT NOT NULL,
  order_no VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  amount_krw BIGINT NOT NULL CHECK (amount_krw >= 0),
  approval_no VARCHAR(40) NOT NULL DEFAULT '',
  source VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin NOT NULL CHECK (source IN
    ('response', 'replay', 'inquiry', 'spool', 'operator')),
  recorded_at DATETIME(6) NOT NULL,
  PRIMARY KEY (pg_code, tid, kind, seq),
  KEY payment_order_no (order_no)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- The outbox: one kind, one recipient, one channel.
CREATE TABLE IF NOT EXISTS message (
  message_id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  kind VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL CHECK (kind IN
    ('payment_notice', 'payment_declined', 'payment_failed', 'auto_cancel', 'digest')),
  ref VARCHAR(64) NOT NULL,
  digest_id BIGINT NULL,
  round_id BIGINT NULL,
  subscription_id VARCHAR(64) NULL,
  recipient VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL CHECK (recipient IN ('customer', 'operator')),
  channel VARCHAR(4) CHARACTER SET ascii COLLATE ascii_bin NOT NULL CHECK (channel IN ('mail', 'sms')),
  address VARCHAR(254) NOT NULL,
  sms_kind VARCHAR(3) CHARACTER SET ascii COLLATE ascii_bin NULL CHECK (sms_kind IN ('SMS', 'LMS')),
  units INT NOT NULL DEFAULT 0 CHECK (units >= 0),
  subject VARCHAR(250) NULL,
  body MEDIUMTEXT NULL,
  html MEDIUMTEXT NULL,
  state VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin NOT NULL CHECK (state IN
    ('queued', 'sending', 'accepted', 'refused', 'unknown', 'no_credit', 'expired', 'merged')),
  reason VARCHAR(200) NULL,
  tries INT NOT NULL DEFAULT 0,
  queued_at DATETIME(6) NOT NULL,
  next_try_at DATETIME(6) NOT NULL,
  lease_until DATETIME(6) NULL,
  provider_id VARCHAR(200) NULL,
  claimed_at DATETIME(6) NULL,
  accepted_at DATETIME(6) NULL,
  UNIQUE KEY message_event (kind, ref, recipient, channel),
  KEY message_waiting (state, channel, recipient, message_id),
  KEY message_round (round_id),
  KEY message_subscription (subscription_id),
  KEY message_digest (digest_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- The ledger of credits: one debit in a message's life, a refund at most once and only after it.
CREATE TABLE IF NOT EXISTS credit_entry (
  message_id BIGINT NOT NULL,
  kind VARCHAR(6) CHARACTER SET ascii COLLATE ascii_bin NOT NULL CHECK (kind IN ('debit', 'refund')),
  channel VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin NOT NULL CHECK (channel IN ('bulk_mail', 'sms')),
  units INT NOT NULL CHECK (units > 0),
  recorded_at DATETIME(6) NOT NULL,
  PRIMARY KEY (message_id, kind)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- A change or reset of a PG being carried out. At most one not done per PG.
CREATE TABLE IF NOT EXISTS pg_reset (
  reset_id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  pg_contract_no BIGINT NOT NULL,
  pg_code VARCHAR(20) NOT NULL,
  event_at DATETIME(6) NOT NULL,
  event_local DATETIME(6) NOT NULL,
  state VARCHAR(9) CHARACTER SET ascii COLLATE ascii_bin NOT NULL CHECK (state IN
    ('open', 'drained', 'cancelled', 'purged', 'done')),
  reason VARCHAR(200) NOT NULL,
  opened_by VARCHAR(100) NOT NULL,
  opened_at DATETIME(6) NOT NULL,
  finished_at DATETIME(6) NULL,
  counts TEXT NULL,
  open_pg VARCHAR(20) GENERATED ALWAYS AS (CASE WHEN state <> 'done' THEN pg_code END) VIRTUAL,
  UNIQUE KEY pg_reset_event (pg_contract_no, event_at),
  UNIQUE KEY pg_reset_open (open_pg),
  KEY pg_reset_pg (pg_code, opened_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- The cards a reset deletes, here and at the PG. The row stays as proof; it never held the billing key.
CREATE TABLE IF NOT EXISTS pg_reset_card (
  reset_id BIGINT NOT NULL,
  card_id BIGINT NOT NULL,
  member_id VARCHAR(64) NOT NULL,
  masked_number VARCHAR(40) NOT NULL,
  pg_state VARCHAR(12) CHARACTER SET ascii COLLATE ascii_bin NOT NULL CHECK (pg_state IN
    ('pending', 'done', 'already_gone', 'failed', 'unknown')),
  row_deleted_at DATETIME(6) NULL,
  PRIMARY KEY (reset_id, card_id),
  KEY pg_reset_card_pending (reset_id, row_deleted_at, card_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- The subscriptions that a reset did not concern although they are old enough: their main card was newer. What becomes
-- of that card later does not put the reset in the wrong.
CREATE TABLE IF NOT EXISTS pg_reset_kept (
  reset_id BIGINT NOT NULL,
  subscription_id VARCHAR(64) NOT NULL,
  PRIMARY KEY (reset_id, subscription_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- What a person must look at. At most one open per subject and kind; a run exits 1 only when it opens one.
CREATE TABLE IF NOT EXISTS matter (
  matter_id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  subject VARCHAR(100) NOT NULL,
  kind VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  detail VARCHAR(500) NOT NULL,
  opened_run BIGINT NOT NULL,
  opened_at DATETIME(6) NOT NULL,
  closed_at DATETIME(6) NULL,
  open_subject VARCHAR(100) GENERATED ALWAYS AS (CASE WHEN closed_at IS NULL THEN subject END) VIRTUAL,
  UNIQUE KEY matter_open (open_subject, kind),
  KEY matter_kind (kind, closed_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
