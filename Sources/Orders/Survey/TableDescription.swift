import Conversions

/// The types of the mapping's expressions at this moment. Learned anew in each transaction, whose lock on the table
/// then keeps them true to the transaction's end: a column may be retyped between two pages.
struct TableDescription: Hashable, Sendable {
  var key: KeyType
  var placedAt: PlacedAtType
  /// The order value's type; nil where none is mapped.
  var total: TotalType?
  /// The kind of the order ID's type.
  var idFamily: TypeFamily?

  /// True if the order value is text, in which a point may stand before thousands.
  var isTotalText: Bool { total?.family == .text }
}

/// The key's own type, in which it is compared so that an index on it serves.
struct KeyType: Hashable, Sendable {
  /// The type as SQL writes it, such as `bigint`.
  var name: String
  /// True if keys travel escaped: text in a database whose encoding is SQL_ASCII may hold bytes that are no text.
  var isEscaped: Bool

  /// A key as text for us.
  func output(_ expression: String) -> String {
    isEscaped ? "encode(convert_to(\(expression)::text, 'SQL_ASCII'), 'escape')" : "\(expression)::text"
  }

  /// A key of ours, bound to a parameter, in its own type.
  func input(_ parameter: String) -> String {
    isEscaped
      ? "convert_from(decode(\(parameter)::text, 'escape'), 'SQL_ASCII')::\(name)" : "\(parameter)::\(name)"
  }

  /// The right side of the comparison that tells if a key is one of ours, which are bound as one array.
  func any(_ parameter: String) -> String {
    isEscaped
      ? "ANY (ARRAY(SELECT \(input("k.x")) FROM unnest(\(parameter)::text[]) AS k(x)))"
      : "ANY (\(parameter)::\(name)[])"
  }
}

/// The type of `orders.columns.placed_at`.
struct PlacedAtType: Hashable, Sendable {
  enum Kind: Hashable, Sendable {
    /// `timestamp with time zone`.
    case instant
    /// `timestamp without time zone`, read in `orders.time_zone`.
    case local
    /// `date`: a whole day in `orders.time_zone`.
    case date
  }

  var kind: Kind
  /// The type's own granule in microseconds: `timestamp(0)` keeps whole seconds.
  var granule: Int64

  /// The kind and granule of a column; nil for a type that is no time.
  init?(typeOID: UInt32, typeModifier: Int32) {
    switch typeOID {
    case ColumnType.timestamptz: kind = .instant
    case ColumnType.timestamp: kind = .local
    case ColumnType.date: kind = .date
    default: return nil
    }
    granule = 1
    if kind != .date, (0..<6).contains(typeModifier) {
      for _ in typeModifier..<6 { granule *= 10 }
    }
  }

  /// True if values are read in `orders.time_zone`.
  var needsTimeZone: Bool { kind != .instant }
}
