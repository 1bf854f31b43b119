/// A JSON value that keeps what was written: the order of members and the digits of every number.
///
/// Numbers stay text, because amounts are exact and metadata has to come back as it was sent.
public enum SandboxJSON: Sendable, Hashable {
  /// `null`.
  case null
  /// `true` or `false`.
  case bool(Bool)
  /// A number, as its literal.
  case number(String)
  /// A string of any Unicode text.
  case string(String)
  /// A list.
  case array([SandboxJSON])
  /// An object's members in the order they were written; names are unique.
  case object([Member])

  /// One name and its value within an object.
  public struct Member: Sendable, Hashable {
    /// The member's name.
    public let name: String
    /// The member's value.
    public let value: SandboxJSON

    /// Creates a member.
    public init(_ name: String, _ value: SandboxJSON) {
      self.name = name
      self.value = value
    }
  }
}

extension SandboxJSON {
  /// The value of a whole number.
  public static func integer(_ value: some BinaryInteger) -> SandboxJSON { .number(String(value)) }

  /// A string, or `null` where there is none.
  static func optional(_ value: String?) -> SandboxJSON { value.map { .string($0) } ?? .null }

  /// A whole number, or `null` where there is none.
  static func optional(_ value: Int64?) -> SandboxJSON { value.map { .integer($0) } ?? .null }

  /// The text of a string; `nil` for every other kind of value.
  public var text: String? {
    guard case .string(let text) = self else { return nil }
    return text
  }

  /// The exact value of a whole number written without fraction or exponent; `nil` for everything else.
  public var wholeNumber: Int64? {
    guard case .number(let literal) = self else { return nil }
    return Int64(literal)
  }

  /// The truth value; `nil` for every other kind of value.
  public var truth: Bool? {
    guard case .bool(let truth) = self else { return nil }
    return truth
  }

  /// The elements of a list; `nil` for every other kind of value.
  public var elements: [SandboxJSON]? {
    guard case .array(let elements) = self else { return nil }
    return elements
  }

  /// The members of an object; `nil` for every other kind of value.
  public var members: [Member]? {
    guard case .object(let members) = self else { return nil }
    return members
  }

  /// The member of that name; `nil` where this is no object or has no such member.
  public subscript(name: String) -> SandboxJSON? {
    members?.first { $0.name == name }?.value
  }
}

extension SandboxJSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
  ExpressibleByNilLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  /// A string.
  public init(stringLiteral value: String) { self = .string(value) }
  /// A whole number.
  public init(integerLiteral value: Int64) { self = .number(String(value)) }
  /// A truth value.
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  /// `null`.
  public init(nilLiteral: ()) { self = .null }
  /// A list.
  public init(arrayLiteral elements: SandboxJSON...) { self = .array(elements) }
  /// An object; its names must differ.
  public init(dictionaryLiteral elements: (String, SandboxJSON)...) {
    self = .object(elements.map { Member($0.0, $0.1) })
  }
}
