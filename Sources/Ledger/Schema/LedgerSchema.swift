import Conversions
import GRDB

/// The ledger's tables, a migration for each version that shipped: never edited, only added to.
enum LedgerSchema {
  /// "conv" in ASCII: tells a ledger from any other SQLite file (SQLite, PRAGMA application_id).
  static let applicationID: Int32 = 0x636f_6e76

  static var migrator: DatabaseMigrator {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("1") { db in
      try db.execute(sql: facts + orders + reports + settled + acts + missing + ranges + referrals + forgotten)
    }
    return migrator
  }

  /// The statements that make the tables and indexes of this version.
  static var statements: Set<String> {
    get throws { try made.read(statements) }
  }

  /// The columns of each table of this version.
  static var columns: [String: Set<String>] {
    get throws {
      try made.read { db in
        let tables = try String.fetchAll(db, sql: "SELECT name FROM sqlite_master WHERE type = 'table'")
        return try tables.reduce(into: [:]) { $0[$1] = try Set(db.columns(in: $1).map(\.name)) }
      }
    }
  }

  /// An empty ledger in memory.
  private static var made: DatabaseQueue {
    get throws {
      let empty = try DatabaseQueue()
      try migrator.migrate(empty)
      return empty
    }
  }

  /// Reads the statements that made the tables and indexes of a ledger.
  static func statements(_ db: Database) throws -> Set<String> {
    try String.fetchSet(db, sql: "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")
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
  /// not by time), `send_at` when delivery does. `candidates` is a JSON list. `opened_by_rules` is set where changed
  /// rules made an order sendable among more than a few. `id_check` is 1 while the shop is to be asked whether the rows
  /// of all orders with this ID are there. An order whose key is another's now has one that begins with U+0001
  /// (`OrderKey.lost`). `changed_since` names the kind of a change after the report.
  ///
  /// The partial indexes hold what is still open, so that they stay small however many orders are done. The index of
  /// deciding is in the order of deciding: by the time alone, all of a backlog would be sorted for each batch. Few
  /// indexes change at a send's end: taking rows out in order balances an index's pages again and again, which costs
  /// more than all else that is stored then. Most shops report an order by its key: such an ID is found by the key's
  /// own index.
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
      rematches INTEGER NOT NULL DEFAULT 0,
      candidates TEXT,
      opened_by_rules INTEGER NOT NULL DEFAULT 0,
      id_check INTEGER NOT NULL DEFAULT 0,
      changed_since TEXT
    ) STRICT;
    CREATE INDEX orders_to_decide ON orders (decide_at, placed_from) WHERE decide_at IS NOT NULL;
    CREATE INDEX orders_to_send ON orders (is_backfill, send_at) WHERE outcome = 'queued';
    CREATE UNIQUE INDEX orders_claims ON orders (referral_id) WHERE claims = 1;
    CREATE INDEX orders_behind ON orders (referral_id) WHERE outcome = 'waiting' AND referral_id IS NOT NULL;
    CREATE INDEX orders_email ON orders (email) WHERE email IS NOT NULL;
    CREATE INDEX orders_external ON orders (external_source_id) WHERE external_source_id IS NOT NULL;
    CREATE INDEX orders_transaction ON orders (transaction_id) WHERE transaction_id <> key;
    CREATE INDEX orders_outcome ON orders (outcome, decided_at);
    CREATE INDEX orders_opened_by_rules ON orders (entry) WHERE opened_by_rules = 1;
    CREATE INDEX orders_id_check ON orders (transaction_id) WHERE id_check = 1;
    CREATE INDEX orders_changed_since ON orders (changed_since) WHERE changed_since IS NOT NULL;
    """

  /// A row of `reports` is frozen: nothing ever updates its referral, transaction ID, value or body. `is_sending` tells
  /// that a send is under way: an outcome of the order's own for that time would be taken out of three indexes, and put
  /// in again, for each send.
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
      attempts INTEGER NOT NULL DEFAULT 0,
      is_sending INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE INDEX reports_sending ON reports (entry) WHERE is_sending = 1;
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

  /// An act is an operator's decision on an order, by its transaction ID; `key`, `placed_from` and `buyer`, a hash, tell the
  /// order that it was made for from another that the shop gives the same ID.
  private static let acts = """
    CREATE TABLE acts (
      transaction_id TEXT PRIMARY KEY,
      act TEXT NOT NULL,
      reason TEXT,
      actor TEXT NOT NULL,
      acted_at INTEGER NOT NULL,
      key TEXT,
      placed_from INTEGER,
      buyer INTEGER
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX acts_key ON acts (key);
    """

  /// `since` is when an order's row was first missed, `is_held` set where the order waits as one of many.
  private static let missing = """
    CREATE TABLE missing_rows (
      entry INTEGER PRIMARY KEY,
      since INTEGER NOT NULL,
      is_held INTEGER NOT NULL
    ) STRICT;
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
    """

  /// `email_written` is the address as the API gave it, where that is more than white space and ASCII's capitals away
  /// from the normal form. `absent_since` is when the first of the sweeps in a row began that didn't show an open
  /// referral, `asked_at` when it was last asked for by its ID, `gone_at` when the API said that it doesn't know it.
  /// `read_at` is when a referral's own GET last showed it, `read_over` the digest of what was known until then, where
  /// that was something else. No index is by when a referral was seen.
  private static let referrals = """
    CREATE TABLE referrals (
      id TEXT PRIMARY KEY,
      status TEXT NOT NULL,
      email TEXT,
      email_written TEXT,
      external_source_id TEXT,
      referrer_identifier TEXT,
      created_at INTEGER NOT NULL,
      converted_at INTEGER,
      conversion_value INTEGER,
      seen_at INTEGER NOT NULL,
      open_seen_at INTEGER,
      expired_seen_at INTEGER,
      absent_since INTEGER,
      asked_at INTEGER,
      gone_at INTEGER,
      read_at INTEGER,
      read_over INTEGER
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX referrals_email ON referrals (email) WHERE email IS NOT NULL;
    CREATE INDEX referrals_external ON referrals (external_source_id) WHERE external_source_id IS NOT NULL;
    CREATE INDEX referrals_closed ON referrals (status) WHERE status NOT IN ('clicked', 'pending');
    CREATE INDEX referrals_open ON referrals (created_at, status) WHERE status IN ('clicked', 'pending');
    """

  /// `hash` is the HMAC-SHA256 of an address's normal form, by the key in the fact `forget.key`.
  private static let forgotten = """
    CREATE TABLE forgotten (
      hash BLOB PRIMARY KEY,
      forgotten_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    """
}
