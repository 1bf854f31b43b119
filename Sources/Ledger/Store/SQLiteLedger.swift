import CLibsqlite
public import Conversions
import Foundation
import GRDB
import Synchronization

/// The ledger in one SQLite file. One connection of one process writes it, ever; commands ask the daemon.
public final class SQLiteLedger: LedgerStore {
  let path: String
  let connection: LedgerConnection
  private let known = KnownKeys()
  private let decodedFacts = DecodedFacts()
  private let forgotten = ForgottenPeople()
  private let changeCount = Mutex<UInt64>(0)
  /// Held until the ledger is closed.
  private let lock: Mutex<LedgerLock?>

  /// Opens the ledger, makes it where there is none, and brings an older one to this version.
  ///
  /// - Parameters:
  ///   - path: An absolute path; its folder must exist.
  ///   - lockPath: The lock's file, instead of one beside the ledger: for a ledger that SQLite keeps on no file system
  ///     of the kernel's.
  /// - Throws: `LedgerFailure`: `locked` where another process has it, `newer` and `damaged` with nothing touched.
  public convenience init(path: String, lockPath: String? = nil) throws(LedgerFailure) {
    try self.init(path: path, lockPath: lockPath, schedule: LedgerSchedule())
  }

  init(path: String, lockPath: String?, schedule: LedgerSchedule) throws(LedgerFailure) {
    self.path = path
    lock = Mutex(try LedgerLock(ledgerPath: path, path: lockPath))
    guard !RebuildMarker(ledgerPath: path).exists else { throw RebuildMarker.failure(path) }
    connection = try LedgerConnection(path: path, schedule: schedule)
  }

  private static let isWithoutStatistics = conversiond_sqlite_without_statistics() == SQLITE_OK

  static func connect(path: String) throws(LedgerFailure) -> DatabaseQueue {
    _ = isWithoutStatistics
    var configuration = GRDB.Configuration()
    // GRDB's own is above the rest of the program's, and no thread may be raised to it but root's.
    configuration.qos = .default
    configuration.label = "ledger"
    // DatabaseQueue leaves the journal mode alone when it isn't told one; told `.wal`, it sets synchronous to NORMAL
    // after this, and a commit would not survive a power cut.
    configuration.prepareDatabase { db in
      // A ledger that is refused is left as it is, its log among it.
      db.keepLog(true)
      // Before WAL is entered, EXCLUSIVE keeps the WAL index in this process's memory (SQLite, Write-Ahead Logging,
      // 8): no other process can then write or checkpoint, by mistake or by design.
      try db.execute(sql: "PRAGMA locking_mode = EXCLUSIVE")
      try db.execute(sql: "PRAGMA journal_mode = WAL")
      try db.execute(sql: "PRAGMA synchronous = FULL")
      try db.execute(sql: "PRAGMA foreign_keys = ON")
      try db.execute(sql: "PRAGMA secure_delete = FAST")
      // A backlog is inserted all over eight indexes, but mostly in order of placing: twice SQLite's own 2 MB made it
      // no slower than six times as much did.
      try db.execute(sql: "PRAGMA cache_size = -4096")
      try db.execute(sql: "PRAGMA wal_autocheckpoint = 3000")
      // A WAL that grew in a catch-up is cut back, instead of keeping its largest size for ever.
      try db.execute(sql: "PRAGMA journal_size_limit = 16777216")
    }
    // SQLite creates its files with 0644 less the umask, and takes the WAL's mode from the database's.
    let earlier = umask(0o077)
    defer { umask(earlier) }
    do {
      return try DatabaseQueue(path: path, configuration: configuration)
    } catch {
      throw LedgerFailure(opening: path, error)
    }
  }

  static func migrate(_ queue: DatabaseQueue, path: String) throws(LedgerFailure) {
    let migrator = LedgerSchema.migrator
    do {
      try queue.inDatabase { db in
        let id = try Int32.fetchOne(db, sql: "PRAGMA application_id") ?? 0
        let isEmpty = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_master") == 0
        guard id == LedgerSchema.applicationID || isEmpty else {
          throw LedgerFailure(.damaged, "\(path) is an SQLite database, but no ledger of conversiond")
        }
        guard try LedgerSchema.isReadable(db) else {
          throw LedgerFailure(.damaged, "\(path) is damaged: its schema holds what no schema does")
        }
        if try migrator.hasBeenSuperseded(db) {
          throw LedgerFailure(
            .newer, "\(path) was written by a newer version of conversiond; install that version, or restore a backup")
        }
        if isEmpty {
          try db.execute(sql: "PRAGMA application_id = \(LedgerSchema.applicationID)")
        } else if try !migrator.hasCompletedMigrations(db) {
          // A ledger that is refused must not be left half migrated.
          try refuseFaults(db, path: path)
        }
      }
      try migrator.migrate(queue)
      try queue.read { db in
        try refuseOtherTables(db, path: path)
        try refuseFaults(db, path: path)
      }
      try makeDurable(queue)
      queue.inDatabase { $0.keepLog(false) }
    } catch {
      throw LedgerFailure(opening: path, error)
    }
  }

  /// Makes durable what a process that was killed left in its WAL, and what is read from now on.
  ///
  /// SQLite takes all that it finds there for committed, and syncs only what it adds. But the last commit may never
  /// have been synced, and after a sync that failed the kernel shows, and counts as clean, what no disk has: whatever
  /// is committed behind it is lost in a power failure. So all goes to the database, and the WAL begins anew.
  private static func makeDurable(_ queue: DatabaseQueue) throws {
    do {
      try queue.inDatabase { db in
        // The second column tells how much was in the WAL (SQLite, PRAGMA wal_checkpoint).
        guard let frames = try Row.fetchOne(db, sql: "PRAGMA wal_checkpoint(PASSIVE)")?[1] as Int?, frames > 0 else {
          return
        }
        try db.execute(sql: "PRAGMA wal_checkpoint(TRUNCATE)")
        // A commit that changes nothing: its sync makes durable that the old WAL is gone.
        try db.execute(sql: "PRAGMA application_id = \(LedgerSchema.applicationID)")
      }
    } catch let error as DatabaseError where error.resultCode == .SQLITE_FULL {
      // A start must not fail for it: until there is room, nothing is committed.
    }
  }

  /// The largest ledger that is looked through at each start, in bytes: a larger one would hold it up for seconds.
  private static let checkedBytesMax = 256 << 20
  /// The largest whose indexes are compared with their tables, too, which takes some times as long.
  private static let comparedBytesMax = 64 << 20

  private static func refuseFaults(_ db: Database, path: String) throws {
    let pages = try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0
    let bytes = try Int.fetchOne(db, sql: "PRAGMA page_size") ?? 0
    guard pages * bytes <= checkedBytesMax else { return }
    let faults = try faults(db, pages * bytes <= comparedBytesMax ? "integrity_check" : "quick_check")
    if let first = faults.first { throw LedgerFailure(.damaged, "\(path) is damaged: \(first)") }
  }

  /// Refuses other tables: a column by another name would be found by none of SQLite's checks.
  private static func refuseOtherTables(_ db: Database, path: String) throws {
    guard try LedgerSchema.statements.isSubset(of: LedgerSchema.statements(db)) else {
      throw LedgerFailure(.damaged, "\(path) is damaged: its tables are not those of a ledger")
    }
  }

  private static func faults(_ db: Database, _ check: String) throws -> [String] {
    try String.fetchAll(db, sql: "PRAGMA \(check)(10)").filter { $0 != "ok" }
  }

  /// The number of transactions that have changed anything since the ledger was opened.
  public var changes: UInt64 { changeCount.withLock { $0 } }

  /// Runs `body` in a transaction on the connection's own queue, off the cooperative pool. Its result is told once the
  /// commit is durable.
  ///
  /// - Throws: `LedgerFailure` for what the store did; whatever `body` threw otherwise; `CancellationError` before it
  ///   began.
  public func transaction<Value: Sendable>(
    _ body: @escaping @Sendable (any LedgerTransaction) throws -> Value
  ) async throws -> Value {
    try Task.checkCancellation()
    let queue = try await connection.queue
    // Lets go of the ledger before the caller is told, who may drop it and open it anew.
    let lent = Lent(self)
    return try await withCheckedThrowingContinuation { continuation in
      connection.schedule(
        { db in continuation.resume(with: Result { try lent.takeBack().commit(body, queue, db) }) }, on: queue)
    }
  }

  /// A ledger that a transaction has until it runs.
  private final class Lent: Sendable {
    private let ledger: Mutex<SQLiteLedger?>

    init(_ ledger: SQLiteLedger) { self.ledger = Mutex(ledger) }

    func takeBack() throws -> SQLiteLedger {
      let taken = ledger.withLock { ledger in
        defer { ledger = nil }
        return ledger
      }
      guard let taken else { throw LedgerFailure(.other, "ledger: a transaction ran twice") }
      return taken
    }
  }

  private func commit<Value>(
    _ body: (any LedgerTransaction) throws -> Value, _ queue: DatabaseQueue, _ db: Database
  ) throws -> Value {
    try connection.check(queue)
    do {
      var value: Value?
      try db.inTransaction(.immediate) {
        value = try run(body, db)
        return .commit
      }
      guard let value else { throw LedgerFailure(.other, "ledger: a transaction came to nothing") }
      return value
    } catch {
      throw handle(error)
    }
  }

  private func run<Value>(_ body: (any LedgerTransaction) throws -> Value, _ db: Database) throws -> Value {
    let before = db.totalChangesCount
    // Counted before the commit: a task that sees the count reads after the commit, as there is one connection.
    defer { if db.totalChangesCount != before { changeCount.withLock { $0 += 1 } } }
    return try body(SQLiteTransaction(db, known: known, decodedFacts: decodedFacts, forgotten: forgotten))
  }

  /// Reads every key once; transactions add to them from then on.
  ///
  /// - Throws: `LedgerFailure`.
  public func knownKeys() async throws -> KnownKeys {
    try await transaction { [known] transaction in
      guard let transaction = transaction as? SQLiteTransaction else { return known }
      try transaction.learnKeys()
      return known
    }
  }

  /// Ties the ledger to the shop whose orders it holds. `source` is what makes an order this shop's, `mapping` how all
  /// of its values are read, in whatever words tell one from another.
  ///
  /// - Throws: `LedgerFailure.otherSource` where it holds another's: its entries would be reported as this one's.
  public func adopt(_ source: ConfiguredSource, mapping: String = "") async throws {
    try await transaction { transaction in
      guard let transaction = transaction as? SQLiteTransaction else { return }
      try transaction.noteMapping(mapping)
      try transaction.adopt(source)
    }
  }

  /// Runs SQLite's own check of every page and every index; an empty list is a healthy ledger (SQLite, PRAGMA
  /// integrity_check). If it finds anything, nothing more is ever committed: not even what waits already.
  public func integrityFaults() async throws -> [String] {
    try await queue.read { db in
      let faults: [String]
      do { faults = try Self.faults(db, "integrity_check") } catch { throw self.handle(error) }
      if let first = faults.first { _ = self.handle(LedgerFailure(.damaged, first)) }
      return faults
    }
  }

  /// Reads the pragmas that durability rests on, as the connection has them: for tests, as another connection would tell
  /// its own.
  func durability() async throws -> (journalMode: String?, synchronous: Int?, lockingMode: String?) {
    try await queue.read { db in
      (
        try String.fetchOne(db, sql: "PRAGMA journal_mode"), try Int.fetchOne(db, sql: "PRAGMA synchronous"),
        try String.fetchOne(db, sql: "PRAGMA locking_mode")
      )
    }
  }

  /// Closes the file after what is under way, and lets go of it; its WAL is folded in.
  public func close() throws {
    try connection.close()
    lock.withLock { $0 = nil }
  }

  /// Copies a ledger that no process has open, with its WAL, into a folder; the copy can be opened freely.
  ///
  /// - Returns: The copy's path; nil where there is no ledger yet.
  /// - Throws: `LedgerFailure.locked` while a daemon has it.
  public static func copy(path: String, intoFolder folder: String) throws(LedgerFailure) -> String? {
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    let lock = try LedgerLock(ledgerPath: path)
    defer { withExtendedLifetime(lock) {} }
    let target = folder + "/ledger.sqlite"
    do {
      try FileManager.default.copyItem(atPath: path, toPath: target)
      if FileManager.default.fileExists(atPath: path + "-wal") {
        try FileManager.default.copyItem(atPath: path + "-wal", toPath: target + "-wal")
      }
    } catch {
      throw LedgerFailure(.io, "cannot copy \(path) to \(target): \(error.localizedDescription)")
    }
    return target
  }
}

extension Database {
  /// Makes closing leave the write-ahead log as it is, where `keeps` is true.
  func keepLog(_ keeps: Bool) {
    if let connection = unsafe sqliteConnection { unsafe conversiond_sqlite_keep_log(connection, keeps ? 1 : 0) }
  }
}

extension LedgerFailure {
  /// Makes the failure that SQLite's result code stands for (SQLite, Result and Error Codes).
  init(_ error: DatabaseError) {
    let kind: Kind =
      switch error.resultCode {
      case .SQLITE_FULL: .diskFull
      case .SQLITE_CORRUPT, .SQLITE_NOTADB: .damaged
      case .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_AUTH: .permission
      case .SQLITE_IOERR: .io
      case .SQLITE_BUSY, .SQLITE_LOCKED: .locked
      default: .other
      }
    // Not the description: it holds the statement's arguments, and with them e-mails.
    self.init(kind, "ledger: \(error.message ?? "unknown error") (SQLite \(error.extendedResultCode.rawValue))")
  }

  init(opening path: String, _ error: any Error) {
    switch error {
    case let failure as LedgerFailure: self = failure
    case let error as DatabaseError where error.resultCode == .SQLITE_CANTOPEN:
      self.init(fileError: errno == 0 ? ENOENT : errno, doing: "open", path)
    case let error as DatabaseError where error.resultCode == .SQLITE_CORRUPT:
      self.init(.damaged, "\(path) is damaged: \(error.message ?? "SQLITE_CORRUPT")")
    // Our own statements are right: the schema they are for is not there.
    case let error as DatabaseError where error.resultCode == .SQLITE_ERROR:
      self.init(.damaged, "\(path) is damaged: \(error.message ?? "SQLITE_ERROR")")
    case let error as DatabaseError: self.init(error)
    // A value that none of our statements stores.
    case is RowDecodingError:
      self.init(.damaged, "\(path) is damaged: it holds values of another kind than a ledger does")
    default: self.init(.other, "cannot open \(path): \(error)")
    }
  }
}
