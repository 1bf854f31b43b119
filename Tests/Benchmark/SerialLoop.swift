import CLibcurl
import Foundation
import GRDBSQLite

/// A straightforward program to compare with: one report after the other over a kept connection, and a durable commit
/// of its own after each answer. No look at the order, no record before the send.
@safe final class SerialLoop {
  private let easy: UnsafeMutableRawPointer
  private let database: OpaquePointer
  private let done: OpaquePointer

  init(ledger path: String, orders: Int) throws {
    guard let easy = unsafe curl_easy_init() else { throw POSIXError(.ENOMEM) }
    var opened: OpaquePointer?
    guard unsafe sqlite3_open(path, &opened) == SQLITE_OK, let database = unsafe opened else { throw POSIXError(.EIO) }
    let schema = """
      PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
      CREATE TABLE queue (id INTEGER PRIMARY KEY, body TEXT NOT NULL, done INTEGER NOT NULL DEFAULT 0);
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < \(orders))
      INSERT INTO queue (id, body) SELECT i, 'body' FROM n;
      """
    guard unsafe sqlite3_exec(database, schema, nil, nil, nil) == SQLITE_OK else { throw POSIXError(.EIO) }
    var statement: OpaquePointer?
    let sql = "UPDATE queue SET done = 1 WHERE id = ?"
    guard unsafe sqlite3_prepare_v2(database, sql, -1, &statement, nil) == SQLITE_OK, let done = unsafe statement else {
      throw POSIXError(.EIO)
    }
    unsafe (self.easy, self.database, self.done) = (easy, database, done)
  }

  deinit {
    unsafe curl_easy_cleanup(easy)
    unsafe sqlite3_finalize(done)
    unsafe sqlite3_close(database)
  }

  /// Reports an order and remembers it.
  func report(_ number: Int, to baseURL: String) throws {
    let url = "\(baseURL)/referrals/ref_\(number)/convert"
    let body = "{\"conversionValue\":1000,\"currency\":\"EUR\",\"externalTransactionId\":\"\(number)\"}"
    let headers = unsafe curl_slist_append(nil, "Content-Type: application/json")
    defer { unsafe curl_slist_free_all(headers) }
    _ = unsafe conversiond_curl_setopt_string(easy, CURLOPT_URL, url)
    _ = unsafe conversiond_curl_setopt_list(easy, CURLOPT_HTTPHEADER, headers)
    _ = unsafe conversiond_curl_setopt_string(easy, CURLOPT_COPYPOSTFIELDS, body)
    _ = unsafe conversiond_curl_setopt_callback(easy, CURLOPT_WRITEFUNCTION) { _, size, count, _ in size * count }
    guard unsafe curl_easy_perform(easy) == CURLE_OK else { throw POSIXError(.ECONNRESET) }
    unsafe sqlite3_bind_int64(done, 1, Int64(number))
    guard unsafe sqlite3_step(done) == SQLITE_DONE else { throw POSIXError(.EIO) }
    unsafe sqlite3_reset(done)
  }
}
