import Conversions

/// The plan by which a table is followed, as a survey found it; good for as long as the identity that came with it.
struct FollowPlan: Hashable, Sendable {
  /// The table whose row versions tell of every change.
  struct Table: Hashable, Sendable {
    var oid: UInt32
    /// The number of tables that hold its rows: its partitions, or itself.
    var parts: Int
    /// True if an index proves that no two rows share a key. If none does (one of a partitioned table need not),
    /// rows that were found are read again by their keys, which shows it.
    var hasUniqueKey: Bool
  }

  /// Nil where hashes are compared.
  var table: Table?
  /// The reason, in a sentence.
  var because: String
  /// The step by which an operator could have less read; nil where there is none.
  var advice: String?
  /// Expressions of which the identity consists; those that the role may ask for.
  var identity: [String]
  /// Change columns that can be compared with a time, with how a time is made one of theirs.
  var recent: [RecentColumn]
  /// Asks the server for its stand.
  var stand: StandQuery
  /// Tells this mapping, as it is read by this version, from others.
  var mapping: String

  var method: ShopSurvey.Method { table == nil ? .hashes : .versions }

  /// Blocks in a range, in each of the parts: two megabytes of a plain table, a few ten thousand orders at most.
  var blocksPerRange: Int64 { Int64(max(16, 256 / max(1, table?.parts ?? 1))) }
}

/// One of `orders.columns.updated_at`.
struct RecentColumn: Hashable, Sendable {
  var expression: MappedExpression
  var type: PlacedAtType.Kind

  /// The condition that a row changed since a time, given as text in a parameter. The parameter is converted and never
  /// the column, whose index would be of no use then.
  func condition(since parameter: String, zone: String) -> String {
    let local = "(\(parameter)::timestamptz AT TIME ZONE \(zone)::text)"
    return switch type {
    case .instant: "\(expression.enclosed) >= \(parameter)::timestamptz"
    case .local: "\(expression.enclosed) >= \(local)"
    case .date: "\(expression.enclosed) >= \(local)::date"
    }
  }
}
