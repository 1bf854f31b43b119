/// The most time that the server is to spend on a transaction of ours. A limit that the role or the database has, and
/// that is shorter, stays.
public struct TransactionLimits: Hashable, Sendable {
  /// The most time of one statement.
  public var statement: Duration
  /// The most time of waiting for one lock: a shop's ALTER TABLE must not queue behind us for long, nor we behind it.
  public var lock: Duration
  /// The most time between two statements.
  public var idle: Duration
  /// Session settings that the transaction fixes for itself: behind a pooler in transaction mode another client may
  /// have left its own.
  public var settings: [PinnedSetting] = []

  /// Limits.
  public init(statement: Duration = .seconds(5), lock: Duration = .seconds(1), idle: Duration = .seconds(10)) {
    self.statement = statement
    self.lock = lock
    self.idle = idle
  }

  /// BEGIN and every setting that the text of a value depends on, in one round trip.
  var openingScript: String {
    let texts = [
      ("TimeZone", "UTC"), ("DateStyle", "ISO, YMD"), ("IntervalStyle", "postgres"), ("extra_float_digits", "1"),
      ("bytea_output", "hex"), ("standard_conforming_strings", "on"), ("xmloption", "content"),
    ]
    let settings =
      self.settings.map(\.sql) + [
        Self.lesser("statement_timeout", statement), Self.lesser("lock_timeout", lock),
        Self.lesser("idle_in_transaction_session_timeout", idle),
      ] + texts.map { "set_config('\($0.0)', '\($0.1)', true)" }
    return "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT " + settings.joined(separator: ", ")
  }

  /// Sets a time limit for this transaction, unless the one in force is shorter; 0 is none.
  private static func lesser(_ name: String, _ limit: Duration) -> String {
    let components = limit.components
    let milliseconds = max(1, components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000)
    let current = "current_setting('\(name)')"
    return """
      set_config('\(name)', CASE WHEN \(current)::interval > interval '0' \
      AND \(current)::interval < interval '\(milliseconds) ms' THEN \(current) ELSE '\(milliseconds)ms' END, true)
      """
  }
}

/// A session setting with the value that a transaction gives it (PostgreSQL manual, SET LOCAL).
public struct PinnedSetting: Hashable, Sendable {
  /// Its name, such as `search_path`.
  public var name: String
  /// Its value as SET takes it.
  public var value: String

  /// A setting from its values.
  public init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }

  /// The SQL that sets it, escaped so that it means the same whatever `standard_conforming_strings` was left at.
  var sql: String {
    "set_config('\(name)', E'\(value.replacing("\\", with: "\\\\").replacing("'", with: "''"))', true)"
  }
}
