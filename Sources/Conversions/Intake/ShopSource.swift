/// The settings that make an order this shop's, as the operator wrote them: an entry of the ledger means another order
/// when one of them changes.
public struct ConfiguredSource: Hashable, Sendable, Codable {
  /// `orders.from`.
  public var from: String
  /// `orders.key`.
  public var key: String
  /// `orders.columns.id`.
  public var id: String
  /// `api.base_url`, normalised: the same referral IDs at another API are others. Nil where it isn't known.
  public var baseURL: String?

  /// Makes a source from its values.
  public init(from: String, key: String, id: String, baseURL: String?) {
    (self.from, self.key, self.id, self.baseURL) = (from, key, id, baseURL)
  }

  /// Returns the changes from this one to another. A table that is named with its schema, or without, may be the same
  /// one: a survey tells.
  public func changes(to other: ConfiguredSource) -> [SourceChange] {
    var changes: [SourceChange] = []
    if !SourceText.mayBeSameTable(from, other.from) { changes.append(SourceChange("orders.from", from, other.from)) }
    for (setting, old, new) in [("orders.key", key, other.key), ("orders.columns.id", id, other.id)]
    where SourceText.normalised(old) != SourceText.normalised(new) {
      changes.append(SourceChange(setting, old, new))
    }
    if let old = baseURL, let new = other.baseURL, old != new {
      changes.append(SourceChange(SourceChange.baseURLSetting, old, new))
    }
    return changes
  }
}

/// The facts that the shop's database tells of itself and of the mapping.
public struct SurveyedSource: Hashable, Sendable, Codable {
  /// The type of the keys, as a change of it is named.
  static let keyTypeSetting = "the type of orders.key"

  /// The database's name, as the server has it: a pooler's or a service's may be another.
  public var database: String
  /// The table with its schema; nil where `orders.from` is no single table.
  public var table: String?
  /// The kind of the key's type; nil for one that is none of these.
  public var keyFamily: TypeFamily?
  /// The kind of the order ID's type.
  public var idFamily: TypeFamily?
  /// The order value, as it was last read; nil where none is mapped.
  public var total: SurveyedTotal?

  /// Makes a source from its values.
  public init(
    database: String, table: String?, keyFamily: TypeFamily?, idFamily: TypeFamily?, total: SurveyedTotal? = nil
  ) {
    (self.database, self.table, self.keyFamily, self.idFamily) = (database, table, keyFamily, idFamily)
    self.total = total
  }

  /// Returns the message to the operator where another source is not this one, or its amounts may mean something else;
  /// nil where it can be read.
  public func refusal(of other: SurveyedSource) -> String? {
    let changes = changes(to: other)
    guard changes.isEmpty else { return changes.refusal }
    guard let total, let found = other.total else { return nil }
    return total.refusal(of: found)
  }

  /// Takes over what wasn't known before, and the order value, as it was read last.
  public mutating func learn(from other: SurveyedSource) {
    total = other.total
    table = table ?? other.table
    keyFamily = keyFamily ?? other.keyFamily
    idFamily = idFamily ?? other.idFamily
  }

  /// Returns the changes from this one to another; what isn't known of either is no change.
  public func changes(to other: SurveyedSource) -> [SourceChange] {
    let pairs = [
      ("the database of orders.connection", database, other.database), ("the table of orders.from", table, other.table),
      (Self.keyTypeSetting, keyFamily?.rawValue, other.keyFamily?.rawValue),
      ("the type of orders.columns.id", idFamily?.rawValue, other.idFamily?.rawValue),
    ]
    return pairs.compactMap { setting, old, new in
      guard let old, let new, old != new else { return nil }
      return SourceChange(setting, old, new)
    }
  }
}

/// Types whose values are written alike: a change within a family leaves every key and ID as it was.
public enum TypeFamily: String, Sendable, Codable {
  /// Whole numbers, and `numeric`.
  case integer
  /// Text of any length.
  case text
  /// `uuid`.
  case uuid
}

/// One thing about the source that is not as it was.
public struct SourceChange: Hashable, Sendable, CustomStringConvertible {
  /// The setting whose change touches no order's identity in the shop.
  public static let baseURLSetting = "api.base_url"

  /// The settings whose change leaves each order its ID.
  static let settingsWithoutID: Set = ["orders.key", SurveyedSource.keyTypeSetting, baseURLSetting]

  /// The setting that changed, or what the server says of one.
  public var setting: String
  /// The value before.
  public var old: String
  /// The value now.
  public var new: String

  /// Makes a change from its values.
  public init(_ setting: String, _ old: String, _ new: String) {
    (self.setting, self.old, self.new) = (setting, old, new)
  }

  /// The change in words.
  public var description: String { "\(setting) was \(old) and is \(new)" }
}

extension [SourceChange] {
  /// True if each order's ID is what it was.
  public var keepIDs: Bool { allSatisfy { SourceChange.settingsWithoutID.contains($0.setting) } }

  /// The message to the operator: the changes, and the command to type.
  public var refusal: String {
    let words = map(\.description).joined(separator: "; ")
    return "\(words): the ledger's orders are of what it was. Put it back, give the new one a ledger of its own by "
      + "ledger.location, or type `conversiond accept-mapping`, which says what follows"
  }
}

/// SQL texts that mean the same.
enum SourceText {
  /// Removes white space at the ends, and makes letters small where nothing is quoted, as PostgreSQL folds names.
  static func normalised(_ sql: String) -> String {
    let words = sql.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    if let name = words.wholeMatch(of: /"([a-z_][a-z0-9_]*)"/) { return String(name.1) }
    return words.contains("\"") || words.contains("'") ? words : words.lowercased()
  }

  /// True if two texts may name one table: they are the same, or the one is the other with a schema before it.
  static func mayBeSameTable(_ one: String, _ other: String) -> Bool {
    let (mine, theirs) = (normalised(one), normalised(other))
    if mine == theirs { return true }
    guard let (mySchema, myName) = parts(mine), let (theirSchema, theirName) = parts(theirs) else { return false }
    return myName == theirName && (mySchema == nil || theirSchema == nil || mySchema == theirSchema)
  }

  private static func parts(_ text: String) -> (schema: String?, name: String)? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false).map { normalised(String($0)) }
    let isName = parts.allSatisfy { $0.wholeMatch(of: /[a-z_][a-z0-9_$]*/) != nil }
    guard isName, (1...2).contains(parts.count) else { return nil }
    return (parts.count == 2 ? parts[0] : nil, parts[parts.count - 1])
  }
}
