/// The most time that the server is to spend on a transaction of ours. A limit that the role or the database has, and
/// that is shorter, stays.
public struct TransactionLimits: Hashable, Sendable {
  /// Of one statement.
  public var statement: Duration
  /// Of waiting for one lock: a shop's ALTER TABLE must not queue behind us for long, nor we behind it.
  public var lock: Duration
  /// Between two statements.
  public var idle: Duration

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
      [
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
