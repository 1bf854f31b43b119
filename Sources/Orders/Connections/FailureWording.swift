import Conversions
import Postgres

/// Turns what PostgreSQL said into what an operator can act on, without values of the shop's rows.
enum FailureWording {
  /// A failure to read orders, with the setting at fault where it is known.
  static func failure(_ error: PostgresError, at setting: String? = nil) -> OrderSourceFailure {
    let place = setting.map { "\($0): " } ?? ""
    let words = place + sentence(error)
    switch error.kind {
    case .unreachable: return made(.unreachable, error, "PostgreSQL can't be reached: \(words)")
    case .permission:
      let password = PasswordFile.advice(for: error.message).map { "; \($0)" } ?? ""
      return made(.permission, error, words + advice(error) + password)
    case .mapping: return made(.mapping, error, words + advice(error))
    case .data: return made(.mapping, error, "\(words) (of a row's value; no single row could be found to blame)")
    case .transient: return made(.transient, error, words + advice(error))
    case .other: return made(.other, error, words)
    }
  }

  /// The server's message without the value that it quotes: what follows a colon, and what stands in quotes but is
  /// the name of a type or an encoding. An exception that the shop's own function raised may say anything.
  static func sentence(_ error: PostgresError) -> String {
    guard error.kind == .data else { return error.message }
    guard error.sqlState?.classCode != "P0" else { return "a function of the shop's database raised an exception" }
    let message = error.message.split(separator: ": ", maxSplits: 1).first.map(String.init) ?? error.message
    let parts = message.split(separator: "\"", omittingEmptySubsequences: false).map(String.init)
    return parts.enumerated().map { index, part in
      let isQuoted = index % 2 == 1
      let isName = index > 0 && ["type ", "encoding "].contains { parts[index - 1].hasSuffix($0) }
      return isQuoted && !isName ? "…" : part
    }.joined(separator: "\"")
  }

  /// The sentence with its SQLSTATE, for a row's detail.
  static func detail(_ error: PostgresError) -> String {
    error.sqlState.map { "\(sentence(error)) (SQLSTATE \($0))" } ?? sentence(error)
  }

  private static func made(_ kind: OrderSourceFailure.Kind, _ error: PostgresError, _ words: String)
    -> OrderSourceFailure
  {
    OrderSourceFailure(kind: kind, sqlState: error.sqlState?.rawValue, message: words)
  }

  private static func advice(_ error: PostgresError) -> String {
    switch error.sqlState?.rawValue {
    case "42501": "; grant it: GRANT SELECT ON ... TO the role in orders.connection (and USAGE on the schema)"
    case "55P03":
      "; another session holds a lock on the table, an ALTER TABLE or a LOCK; orders are read again after it"
    case "57014": "; statement_timeout, or a person cancelled it"
    case "42703", "42P01", "42883", "42601": error.hint.map { "; \($0)" } ?? ""
    case "53300": "; no connection slot is free"
    default: ""
    }
  }
}
