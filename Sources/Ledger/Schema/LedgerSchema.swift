import Conversions
import GRDB

/// The ledger's tables, a migration for each version that ever shipped: never edited, only added to.
enum LedgerSchema {
  /// "conv" in ASCII: tells a ledger from any other SQLite file (SQLite, PRAGMA application_id).
  static let applicationID: Int32 = 0x636f_6e76

  /// The version that first had the table `settled`.
  static let settledVersion = "5: what is left of finished orders"
  /// The version that first had the table `forgotten`.
  static let forgottenVersion = "6: people who were forgotten"

  /// The version that first had the table `acts`.
  static let actsVersion = "9: operators' acts, orders that changed rules made sendable"

  static var migrator: DatabaseMigrator {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("1: orders, reports, attempts, referrals") { db in
      try db.execute(sql: facts + orders + reports + referrals)
    }
    migrator.registerMigration("2: referrals that are absent or gone") { db in
      try db.execute(sql: absences)
    }
    migrator.registerMigration("3: ranges, tallies") { db in
      try db.execute(sql: ranges)
    }
    migrator.registerMigration("4: candidates in their order's row, fewer IDs in an index") { db in
      try db.execute(sql: candidates + transactions)
    }
    migrator.registerMigration(settledVersion) { db in
      try db.execute(sql: settled)
    }
    migrator.registerMigration(forgottenVersion) { db in
      try db.execute(sql: forgotten)
    }
    migrator.registerMigration("7: what is being sent is told by its report; orders in the order of deciding") { db in
      try db.execute(sql: sending + deciding)
    }
    migrator.registerMigration("8: what ends leaves fewer indexes") { db in
      try db.execute(sql: ending)
    }
    migrator.registerMigration(actsVersion) { db in
      try db.execute(sql: acts)
    }
    migrator.registerMigration("11: rows that vanish") { db in
      try db.execute(sql: missing)
    }
    migrator.registerMigration("14: how addresses were written") { db in
      try db.execute(sql: spellings)
    }
    migrator.registerMigration("13: when a referral was read by itself") { db in
      try db.execute(sql: readByItself)
    }
    migrator.registerMigration("10: an order is known by its ID") { db in
      try db.execute(sql: identity)
    }
    return migrator
  }

  /// The statements that make the tables and indexes of this version.
  static var statements: Set<String> {
    get throws {
      let empty = try DatabaseQueue()
      try migrator.migrate(empty)
      return try empty.read(statements)
    }
  }

  /// Reads the statements that made the tables and indexes of a ledger.
  static func statements(_ db: Database) throws -> Set<String> {
    try String.fetchSet(db, sql: "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")
  }

  /// The columns that each table was made with: what versions added since is not among them.
  static var firstColumns: [String: Set<String>] {
    get throws {
      let empty = try DatabaseQueue()
      var found: [String: Set<String>] = [:]
      for version in migrator.migrations {
        try migrator.migrate(empty, upTo: version)
        try empty.read { db in
          for table in try String.fetchAll(db, sql: "SELECT name FROM sqlite_master WHERE type = 'table'") {
            found[table] = try found[table] ?? Set(db.columns(in: table).map(\.name))
          }
        }
      }
      return found
    }
  }

  /// Returns true if the rows of the schema itself hold what SQLite writes there. SQLite looks at no more than it needs
  /// of them, and GRDB, which reads all, ends the program where one is of another kind.
  static func isReadable(_ db: Database) throws -> Bool {
    let others = """
      SELECT count(*) FROM sqlite_master WHERE typeof(type) <> 'text' OR typeof(name) <> 'text'
        OR typeof(tbl_name) <> 'text' OR typeof(sql) NOT IN ('text', 'null')
      """
    return try Int.fetchOne(db, sql: others) == 0
  }

  /// Single values by name: positions, progress, the halt of sending, the source.
  private static let facts = """
    CREATE TABLE facts (
      name TEXT PRIMARY KEY,
      value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    """

  /// Times are microseconds since 1970 UTC. `decide_at` is when matching looks at the order next (0: at once, NULL:
  /// not by time), `send_at` when delivery does. The partial indexes hold what is still open, so that they stay small
  /// however many orders are done.
  private static let orders = """
    CREATE TABLE orders (
      entry INTEGER PRIMARY KEY AUTOINCREMENT,
      key TEXT NOT NULL UNIQUE,
      digest INTEGER NOT NULL,
      transaction_id TEXT,
      email TEXT,
      external_source_id TEXT,
      customer_id TEXT,
      total_mapped INTEGER NOT NULL DEFAULT 0,
      total TEXT,
      currency TEXT,
      status TEXT,
      qualifies INTEGER NOT NULL DEFAULT 0,
      had_qualified INTEGER NOT NULL DEFAULT 0,
      placed_from INTEGER,
      placed_to INTEGER,
      metadata TEXT,
      unreadable_reason TEXT,
      unreadable_detail TEXT,
      is_backfill INTEGER NOT NULL,
      first_seen_at INTEGER NOT NULL,
      outcome TEXT NOT NULL,
      reason TEXT,
      detail TEXT,
      referral_id TEXT,
      claims INTEGER NOT NULL DEFAULT 0,
      value INTEGER,
      decided_at INTEGER,
      decide_at INTEGER,
      send_at INTEGER,
      rematches INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE INDEX orders_to_decide ON orders (decide_at) WHERE decide_at IS NOT NULL;
    CREATE INDEX orders_to_send ON orders (is_backfill, send_at) WHERE outcome = 'queued';
    CREATE UNIQUE INDEX orders_claims ON orders (referral_id) WHERE claims = 1;
    CREATE INDEX orders_behind ON orders (referral_id) WHERE outcome = 'waiting' AND referral_id IS NOT NULL;
    CREATE INDEX orders_open_email ON orders (email)
      WHERE email IS NOT NULL AND outcome IN ('waiting', 'held', 'queued', 'review');
    CREATE INDEX orders_open_external ON orders (external_source_id)
      WHERE external_source_id IS NOT NULL AND outcome IN ('waiting', 'held', 'queued', 'review');
    CREATE INDEX orders_transaction ON orders (transaction_id) WHERE transaction_id IS NOT NULL;
    CREATE INDEX orders_outcome ON orders (outcome, decided_at);
    CREATE TABLE candidates (
      entry INTEGER NOT NULL REFERENCES orders ON DELETE CASCADE,
      referral_id TEXT NOT NULL,
      matched_by TEXT NOT NULL,
      verdict TEXT NOT NULL,
      PRIMARY KEY (entry, referral_id)
    ) STRICT, WITHOUT ROWID;
    """

  /// A row of `reports` is frozen: nothing ever updates its referral, transaction ID, value or body.
  private static let reports = """
    CREATE TABLE reports (
      entry INTEGER PRIMARY KEY REFERENCES orders ON DELETE CASCADE,
      referral_id TEXT NOT NULL,
      transaction_id TEXT NOT NULL,
      value INTEGER,
      body BLOB NOT NULL,
      frozen_at INTEGER NOT NULL,
      first_sent_at INTEGER,
      last_sent_at INTEGER,
      is_unknown INTEGER NOT NULL DEFAULT 0,
      attempts INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE TRIGGER reports_are_frozen BEFORE UPDATE OF entry, referral_id, transaction_id, value, body ON reports
    BEGIN
      SELECT RAISE(ABORT, 'a frozen report does not change');
    END;
    CREATE TABLE attempts (
      entry INTEGER NOT NULL REFERENCES orders ON DELETE CASCADE,
      number INTEGER NOT NULL,
      started_at INTEGER NOT NULL,
      duration INTEGER,
      http_status INTEGER,
      verdict TEXT,
      detail TEXT,
      PRIMARY KEY (entry, number)
    ) STRICT, WITHOUT ROWID;
    """

  /// `mark` is the source's own word; `counts` is a JSON object of orders that left nothing but this, by outcome.
  private static let ranges = """
    CREATE TABLE ranges (
      number INTEGER PRIMARY KEY,
      lower TEXT,
      upper TEXT,
      mark TEXT,
      read_at INTEGER,
      whole_at INTEGER,
      placed_latest INTEGER,
      counts TEXT NOT NULL
    ) STRICT;
    CREATE TABLE tallies (
      outcome TEXT PRIMARY KEY,
      count INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX referrals_open ON referrals (created_at) WHERE status IN ('clicked', 'pending');
    DELETE FROM facts WHERE name LIKE 'position.%';
    """

  private static let candidates = """
    ALTER TABLE orders ADD COLUMN candidates TEXT;
    UPDATE orders SET candidates = (
      SELECT json_group_array(json_array(referral_id, matched_by, verdict)) FROM candidates c WHERE c.entry = orders.entry)
    WHERE EXISTS (SELECT 1 FROM candidates c WHERE c.entry = orders.entry);
    DROP TABLE candidates;
    """

  /// Most shops report an order by its key: such an ID is found by the key's own index.
  private static let transactions = """
    DROP INDEX orders_transaction;
    CREATE INDEX orders_transaction ON orders (transaction_id) WHERE transaction_id <> key;
    """

  /// The rest that `ledger.retain` leaves of an order: no person's data, and enough to know the row again. `sent_id` is
  /// the transaction ID of its report, NULL where it was never sent.
  private static let settled = """
    CREATE TABLE settled (
      key TEXT PRIMARY KEY,
      entry INTEGER NOT NULL,
      digest INTEGER NOT NULL,
      transaction_id TEXT,
      outcome TEXT NOT NULL,
      referral_id TEXT,
      value INTEGER,
      sent_id TEXT,
      placed_from INTEGER,
      decided_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX settled_transaction ON settled (transaction_id) WHERE transaction_id <> key;
    CREATE INDEX settled_outcome ON settled (outcome, decided_at);
    """

  /// `hash` is the HMAC-SHA256 of an address's normal form, by the key in the fact `forget.key`.
  private static let forgotten = """
    CREATE TABLE forgotten (
      hash BLOB PRIMARY KEY,
      forgotten_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    """

  /// A send begins and ends with its report's row alone: an outcome that is set for the time between would be taken out
  /// of three indexes, and put in again, for each of them. In the orders the outcome of what is being sent is 'queued'.
  private static let sending = """
    ALTER TABLE reports ADD COLUMN is_sending INTEGER NOT NULL DEFAULT 0;
    UPDATE reports SET is_sending = 1 WHERE entry IN (SELECT entry FROM orders WHERE outcome = 'sending');
    DELETE FROM attempts WHERE verdict IS NULL AND entry IN (SELECT entry FROM orders WHERE outcome = 'sending')
      AND number = (SELECT max(number) FROM attempts a WHERE a.entry = attempts.entry);
    UPDATE orders SET outcome = 'queued', send_at = decided_at WHERE outcome = 'sending';
    CREATE INDEX reports_sending ON reports (entry) WHERE is_sending = 1;
    """

  /// An index in the order of deciding: by the time alone, all of a backlog would be sorted for each batch.
  private static let deciding = """
    DROP INDEX orders_to_decide;
    CREATE INDEX orders_to_decide ON orders (decide_at, placed_from) WHERE decide_at IS NOT NULL;
    """

  /// Fewer indexes change at a send's end: taking rows out in order balances an index's pages again and again, which
  /// costs more than all else that is stored then. So an order stays in the indexes of its keys, and a referral is in
  /// none by when it was seen.
  private static let ending = """
    DROP INDEX orders_open_email;
    DROP INDEX orders_open_external;
    CREATE INDEX orders_email ON orders (email) WHERE email IS NOT NULL;
    CREATE INDEX orders_external ON orders (external_source_id) WHERE external_source_id IS NOT NULL;
    DROP INDEX referrals_status;
    DROP INDEX referrals_open;
    CREATE INDEX referrals_closed ON referrals (status) WHERE status NOT IN ('clicked', 'pending');
    CREATE INDEX referrals_open ON referrals (created_at, status) WHERE status IN ('clicked', 'pending');
    """

  /// An act is an operator's decision on an order, by its transaction ID. `opened_by_rules` is set where changed rules
  /// made an order sendable among more than a few.
  private static let acts = """
    CREATE TABLE acts (
      transaction_id TEXT PRIMARY KEY,
      act TEXT NOT NULL,
      reason TEXT,
      actor TEXT NOT NULL,
      acted_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    ALTER TABLE orders ADD COLUMN opened_by_rules INTEGER NOT NULL DEFAULT 0;
    CREATE INDEX orders_opened_by_rules ON orders (entry) WHERE opened_by_rules = 1;
    """

  /// `email_written` is the address as the API gave it, where that is more than white space and ASCII's capitals away
  /// from the normal form.
  private static let spellings = "ALTER TABLE referrals ADD COLUMN email_written TEXT;"

  /// `id_check` is 1 while the shop is to be asked whether the rows of all orders with this ID are there. An order
  /// whose key is another's now has one that begins with U+0001 (`OrderKey.lost`). `changed_since` names the kind of a
  /// change after the report.
  private static let identity = """
    ALTER TABLE orders ADD COLUMN id_check INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE orders ADD COLUMN changed_since TEXT;
    CREATE INDEX orders_id_check ON orders (transaction_id) WHERE id_check = 1;
    CREATE INDEX orders_changed_since ON orders (changed_since) WHERE changed_since IS NOT NULL;
    UPDATE orders SET id_check = 1 WHERE outcome = 'review' AND reason = 'id_repeated' AND transaction_id IS NOT NULL
      AND unreadable_reason IS NULL AND NOT EXISTS (SELECT 1 FROM reports r WHERE r.entry = orders.entry);
    """

  /// `since` is when an order's row was first missed, `is_held` set where the order waits as one of many.
  private static let missing = """
    CREATE TABLE missing_rows (
      entry INTEGER PRIMARY KEY,
      since INTEGER NOT NULL,
      is_held INTEGER NOT NULL
    ) STRICT;
    """

  private static let referrals = """
    CREATE TABLE referrals (
      id TEXT PRIMARY KEY,
      status TEXT NOT NULL,
      email TEXT,
      external_source_id TEXT,
      referrer_identifier TEXT,
      created_at INTEGER NOT NULL,
      converted_at INTEGER,
      conversion_value INTEGER,
      seen_at INTEGER NOT NULL,
      open_seen_at INTEGER,
      expired_seen_at INTEGER
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX referrals_email ON referrals (email) WHERE email IS NOT NULL;
    CREATE INDEX referrals_external ON referrals (external_source_id) WHERE external_source_id IS NOT NULL;
    CREATE INDEX referrals_status ON referrals (status, seen_at);
    """

  /// `absent_since` is when the first of the sweeps in a row began that didn't show an open referral, `asked_at` when
  /// it was last asked for by its ID, `gone_at` when the API said that it doesn't know it.
  private static let absences = """
    ALTER TABLE referrals ADD COLUMN absent_since INTEGER;
    ALTER TABLE referrals ADD COLUMN asked_at INTEGER;
    ALTER TABLE referrals ADD COLUMN gone_at INTEGER;
    """

  /// `read_at` is when a referral's own GET last showed it, `read_over` the digest of what was known until then, where
  /// that was something else.
  private static let readByItself = """
    ALTER TABLE referrals ADD COLUMN read_at INTEGER;
    ALTER TABLE referrals ADD COLUMN read_over INTEGER;
    """
}
