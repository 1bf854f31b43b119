import Conversions
import Postgres

/// The session settings that decide what the operator's SQL reads, as they are for a session of this role that no
/// client has changed: behind a pooler in transaction mode another client's SET stays on the session that serves us
/// next.
struct SessionDefaults: Sendable {
  /// Each with the value that RESET would give it.
  var settings: [PinnedSetting]
  /// The same, with the search path that is in force: a pooler's own `connect_query` may have set it.
  var settingsInForce: [PinnedSetting]

  init(in transaction: PostgresTransaction) throws {
    let rows = try transaction.query(
      """
      SELECT current_setting('role'), (SELECT reset_val FROM pg_settings WHERE name = 'row_security'),
      (SELECT reset_val FROM pg_settings WHERE name = 'search_path'), current_setting('search_path')
      """)
    func value(_ column: Int) throws -> String { try rows.text(0, column) ?? "" }
    let common = [PinnedSetting("role", try value(0)), PinnedSetting("row_security", try value(1))]
    settings = common + [PinnedSetting("search_path", Self.withTemporaryLast(try value(2)))]
    settingsInForce = common + [PinnedSetting("search_path", Self.withTemporaryLast(try value(3)))]
  }

  /// Unless it is named, the schema of temporary tables comes first, those of another client among them (PostgreSQL
  /// manual, search_path).
  private static func withTemporaryLast(_ path: String) -> String {
    path.contains("pg_temp") ? path : path.isEmpty ? "pg_temp" : "\(path), pg_temp"
  }
}
