import CrashDisk
import GRDB

/// Connections to a database on a disk, without a ledger, for what the disk itself promises.
enum Connections {
  /// Opens one as the ledger does, but for what is given.
  static func open(_ disk: CrashDisk, journal: String = "WAL", synchronous: String = "FULL") throws -> DatabaseQueue {
    CrashDisk.install()
    var configuration = Configuration()
    configuration.prepareDatabase { db in
      try db.execute(sql: "PRAGMA locking_mode = EXCLUSIVE")
      try db.execute(sql: "PRAGMA journal_mode = \(journal)")
      try db.execute(sql: "PRAGMA synchronous = \(synchronous)")
      try db.execute(sql: "PRAGMA wal_autocheckpoint = 20")
    }
    let queue = try DatabaseQueue(path: disk.path("test.sqlite"), configuration: configuration)
    try queue.write { try $0.execute(sql: "CREATE TABLE IF NOT EXISTS rows (number INTEGER PRIMARY KEY, text TEXT)") }
    return queue
  }

  /// Adds a row, and changes another far from it.
  static func add(_ number: Int, to queue: DatabaseQueue) throws {
    try queue.write { db in
      let text = String(repeating: "\(number) ", count: number % 97 + 1)
      try db.execute(sql: "INSERT INTO rows VALUES (?, ?)", arguments: [number, text])
      try db.execute(sql: "UPDATE rows SET text = ? WHERE number = ?", arguments: [text, number / 2])
    }
  }

  static func numbers(_ queue: DatabaseQueue) throws -> [Int] {
    try queue.read { try Int.fetchAll($0, sql: "SELECT number FROM rows ORDER BY number") }
  }

  static func integrity(_ queue: DatabaseQueue) throws -> [String] {
    try queue.read { try String.fetchAll($0, sql: "PRAGMA integrity_check") }
  }
}
