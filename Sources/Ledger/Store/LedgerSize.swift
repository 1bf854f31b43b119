import Foundation
import GRDB

extension SQLiteLedger {
  /// Sums up the pages in use and the write-ahead log, in bytes; free pages are written again before the file grows.
  ///
  /// SQLite keeps the log's file at its largest size; where that would make it more than `limit`, the log is folded
  /// into the ledger, and its file emptied, first.
  ///
  /// - Throws: `LedgerFailure`.
  public func size(foldingAbove limit: Int64) async throws -> Int64 {
    do {
      return try await queue.writeWithoutTransaction { [path] db in
        let size = try Self.size(db, path)
        guard size.total > limit, size.log > 0 else { return size.total }
        try db.checkpoint(.truncate)
        return try Self.size(db, path).total
      }
    } catch {
      throw handle(error)
    }
  }

  private static func size(_ db: Database, _ path: String) throws -> (total: Int64, log: Int64) {
    let pages = try Int64.fetchOne(db, sql: "PRAGMA page_count") ?? 0
    let free = try Int64.fetchOne(db, sql: "PRAGMA freelist_count") ?? 0
    let bytes = try Int64.fetchOne(db, sql: "PRAGMA page_size") ?? 0
    var status = stat()
    let log = unsafe stat(path + "-wal", &status) == 0 ? Int64(status.st_size) : 0
    return ((pages - free) * bytes + log, log)
  }
}
